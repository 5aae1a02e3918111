package dev.muelle.store;

import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The only door to durable state. When {@link #write} has returned, the change survives {@code kill
 * -9}; if it threw, nothing happened. Writers are serialized; readers never wait for them.
 */
public interface Store extends AutoCloseable {

  /**
   * The same store seen through a scope (an account's region, say {@code 000000000000/us-east-1}):
   * tables of different scopes share nothing but their name.
   */
  Store in(String scope);

  /** The scope of this view; the empty string for the whole region server. */
  String scope();

  /**
   * Runs a read-only transaction; {@code work} may be called again, if what it has read changed
   * before it was done.
   */
  <R> R read(Function<Tx, R> work);

  /**
   * Runs a read-write transaction and commits it durably; rolls back if {@code work} throws. Work
   * must be free of side effects other than through its {@link Tx}.
   */
  <R> R write(Function<Tx, R> work);

  /**
   * Calls {@code listener} after each commit that changed something in this scope, in commit order,
   * on a thread of the store's; a listener must only take note and return.
   */
  Subscription onChange(Consumer<Change> listener);

  @Override
  void close();

  /**
   * One changed row.
   *
   * @param table the table's name
   * @param deleted whether the row is gone now
   */
  record Change(String scope, String table, String key, boolean deleted) {}

  /** A listener that can be taken away again. */
  @FunctionalInterface
  interface Subscription extends AutoCloseable {
    @Override
    void close();
  }
}
