package dev.muelle.store;

import java.util.List;
import java.util.Optional;

/** One transaction over one scope. Reads see one consistent state and its own writes. */
public interface Tx {

  <T> Optional<Row<T>> get(Table<T> table, String key);

  /** All rows, by key. */
  <T> List<Row<T>> list(Table<T> table);

  /** Rows whose key starts with {@code prefix}, by key. */
  <T> List<Row<T>> list(Table<T> table, String prefix);

  /**
   * A page of rows with {@code from <= key < to}, by key ascending, or descending if {@code
   * reverse}; at most {@code limit}.
   */
  <T> List<Row<T>> range(Table<T> table, String from, String to, boolean reverse, int limit);

  /** Rows whose {@code index} has exactly this value, by key. */
  <T> List<Row<T>> find(Table<T> table, String index, String value);

  <T> long count(Table<T> table);

  /**
   * Adds a row that must not exist.
   *
   * @throws KeyExists if it does
   */
  <T> Row<T> insert(Table<T> table, String key, T value);

  /** Adds or replaces a row, whatever its version. */
  <T> Row<T> put(Table<T> table, String key, T value);

  /**
   * Replaces a row that is still at {@code version}.
   *
   * @throws VersionConflict if it was changed or deleted since
   */
  <T> Row<T> update(Table<T> table, String key, long version, T value);

  /** Returns whether the row existed. */
  <T> boolean delete(Table<T> table, String key);

  /** Deletes all rows whose key starts with {@code prefix}; returns how many. */
  <T> long deletePrefix(Table<T> table, String prefix);

  /** The store refused an insert because the key is taken. */
  final class KeyExists extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KeyExists(String table, String key) {
      super(table + " already has " + key);
    }
  }

  /** The row was changed or deleted since it was read; read again and retry. */
  final class VersionConflict extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public VersionConflict(String table, String key, long expected) {
      super(table + " " + key + " is no longer at version " + expected);
    }
  }
}
