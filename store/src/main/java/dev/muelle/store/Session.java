package dev.muelle.store;

import org.jspecify.annotations.Nullable;

/** What one transaction works with: a connection, and remembered tables as they were committed. */
interface Session {

  Statements statements();

  /** A remembered table; null if it has to be read from disk first. */
  <T> @Nullable Image<T> image(Table<T> table, String scope);

  /** A remembered table was read from disk, before this transaction changed it. */
  void loaded(Table<?> table, String scope, Image<?> image);

  /** This transaction changes a remembered table. */
  void change(Table<?> table, String scope, Image<?> image);

  /** This transaction changed a row, whose value has so many bytes. */
  void wrote(int length);

  /** Whether a table has not been written yet since the store was opened; true once. */
  boolean firstWriteOf(Table<?> table);
}
