package dev.muelle.store;

import dev.muelle.store.SqlTx.SqlWork;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/** One connection and its prepared statements; used by one thread at a time. */
final class Statements implements AutoCloseable {

  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  Statements(Connection connection) {
    this.connection = connection;
  }

  Connection connection() {
    return connection;
  }

  <R> R run(String sql, SqlWork<R> work, Object... parameters) {
    try {
      PreparedStatement statement = prepared.get(sql);
      if (statement == null) {
        statement = connection.prepareStatement(sql);
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

  @Override
  public void close() throws SQLException {
    for (PreparedStatement statement : prepared.values()) {
      statement.close();
    }
    connection.close();
  }
}
