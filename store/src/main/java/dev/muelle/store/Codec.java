package dev.muelle.store;

/** How values of one table become bytes and back. Must read what earlier releases wrote. */
public interface Codec<T> {
  byte[] encode(T value);

  T decode(byte[] bytes);
}
