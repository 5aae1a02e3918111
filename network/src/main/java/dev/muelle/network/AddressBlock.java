package dev.muelle.network;

/** Addresses that begin with the same bits, of one family; {@code toString} gives its CIDR form. */
public sealed interface AddressBlock permits Cidr, Cidr6 {

  /**
   * Reads a block of either family.
   *
   * @throws IllegalArgumentException if it is not a canonical block
   */
  static AddressBlock parse(String text) {
    return text.indexOf(':') < 0 ? Cidr.parse(text) : Cidr6.parse(text);
  }

  int prefix();

  /** Whether an address lies in it; one of the other family does not. */
  boolean contains(String address);
}
