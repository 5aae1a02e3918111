package dev.muelle.store;

import java.lang.ref.SoftReference;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Values as they were last decoded, for tables that are read over and over: whoever looks at all
 * tasks of a service whenever one of them changes. What the database gives is compared with what a
 * value was decoded from, so that none is ever stale, whatever was rolled back or written by whom.
 * They go when memory is short.
 */
final class Decoded {

  private record Key(String table, String scope, String key) {}

  private record Entry(byte[] bytes, Object value) {}

  private final ConcurrentMap<Key, SoftReference<Entry>> entries = new ConcurrentHashMap<>();

  @SuppressWarnings("unchecked") // a table has one type
  <T> T value(Table<T> table, String scope, String key, byte[] bytes) {
    if (!table.remembered()) {
      return table.codec().decode(bytes);
    }
    Key place = new Key(table.name(), scope, key);
    SoftReference<Entry> known = entries.get(place);
    Entry entry = known == null ? null : known.get();
    if (entry != null && Arrays.equals(entry.bytes(), bytes)) {
      return (T) entry.value();
    }
    T value = table.codec().decode(bytes);
    entries.put(place, new SoftReference<>(new Entry(bytes, value)));
    return value;
  }

  void forget(Table<?> table, String scope, String key) {
    if (table.remembered()) {
      entries.remove(new Key(table.name(), scope, key));
    }
  }
}
