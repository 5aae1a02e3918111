package dev.muelle.store;

import dev.muelle.store.SqlTx.SqlWork;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One connection and its prepared statements; used by one thread at a time. */
final class Statements implements AutoCloseable {

  /** Makes a connection: the first, and another when one was given up. */
  @FunctionalInterface
  interface Connector {
    Connection connect() throws SQLException;
  }

  private final Connector connector;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();
  private @Nullable Connection connection;

  Statements(Connector connector) throws SQLException {
    this.connector = connector;
    connection = connector.connect();
  }

  Connection connection() throws SQLException {
    Connection present = connection;
    if (present == null) {
      present = connector.connect();
      connection = present;
    }
    return present;
  }

  <R> R run(String sql, SqlWork<R> work, Object... parameters) {
    try {
      PreparedStatement statement = prepared.get(sql);
      if (statement == null) {
        statement = connection().prepareStatement(sql);
        prepared.put(sql, statement);
      }
      for (int i = 0; i < parameters.length; i++) {
        switch (parameters[i]) {
          case String text -> statement.setString(i + 1, text);
          case Long number -> statement.setLong(i + 1, number);
          case Integer number -> statement.setInt(i + 1, number);
          case byte[] bytes -> statement.setBytes(i + 1, bytes);
          default -> throw new IllegalArgumentException("no SQL type for " + parameters[i]);
        }
      }
      return work.on(statement);
    } catch (SQLException e) {
      forget(sql, e);
      throw new StoreException("the database refused: " + e.getMessage(), e);
    }
  }

  /** One that failed, for want of room for one, is not to be used again: it would fail for ever. */
  private void forget(String sql, SQLException cause) {
    PreparedStatement failed = prepared.remove(sql);
    try {
      if (failed != null) {
        failed.close();
      }
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Ends a transaction without a trace. If it does not let itself be ended, its connection is: when
   * a disk is full, SQLite takes transactions back by itself, its driver does not hear of that, and
   * would go on without any; and one that is still open must not be committed with what comes next.
   * Closing ends it in either case.
   *
   * @see <a href="https://www.sqlite.org/lang_transaction.html">Response to errors within a
   *     transaction</a>
   */
  void rollBack() {
    try {
      connection().rollback();
    } catch (SQLException e) {
      SharedStore.closeQuietly(this); // what comes next has a new one
    }
  }

  @Override
  public void close() throws SQLException {
    prepared.clear(); // their connection closes them
    Connection closing = connection;
    connection = null;
    if (closing != null) {
      closing.close();
    }
  }
}
