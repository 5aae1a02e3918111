package dev.muelle.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The database's own form, and how older ones become it. {@code PRAGMA user_version} counts the
 * steps that a file has seen; a step, once released, never changes.
 */
final class Schema {

  /** Each step brings a file from version (its index) to version (its index + 1). */
  static final List<List<String>> STEPS =
      List.of(
          List.of(
              """
              CREATE TABLE rows (
                tbl TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL,
                version INTEGER NOT NULL, value BLOB NOT NULL,
                PRIMARY KEY (tbl, scope, key)) WITHOUT ROWID
              """,
              """
              CREATE TABLE entries (
                tbl TEXT NOT NULL, idx TEXT NOT NULL, scope TEXT NOT NULL,
                value TEXT NOT NULL, key TEXT NOT NULL,
                PRIMARY KEY (tbl, idx, scope, value, key)) WITHOUT ROWID
              """,
              // Which indexes hold an entry for every row: one that a release adds starts without.
              """
              CREATE TABLE indexes (
                tbl TEXT NOT NULL, idx TEXT NOT NULL, PRIMARY KEY (tbl, idx)) WITHOUT ROWID
              """));

  private Schema() {}

  static void migrate(Connection connection, List<List<String>> steps) throws SQLException {
    int version = version(connection);
    if (version > steps.size()) {
      throw new StoreException(
          "the data was written by a newer Muelle (form "
              + version
              + ", this one knows up to "
              + steps.size()
              + "): use that one");
    }
    for (int step = version; step < steps.size(); step++) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        for (String sql : steps.get(step)) {
          statement.executeUpdate(sql);
        }
        statement.executeUpdate("PRAGMA user_version = " + (step + 1));
        connection.commit();
      } catch (SQLException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  private static int version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA user_version")) {
      result.next();
      return result.getInt(1);
    }
  }
}
