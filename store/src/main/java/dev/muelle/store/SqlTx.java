package dev.muelle.store;

import dev.muelle.store.Store.Change;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A transaction: remembered tables are read from memory, everything else and all changes go through
 * one connection. Valid only while the work that it was made for runs.
 */
final class SqlTx implements Tx {

  private static final String ROW = "SELECT key, version, value FROM rows ";

  private final Session session;
  private final String scope;
  private final boolean writable;
  private final Map<String, Change> changes = new LinkedHashMap<>();
  private final Set<String> completed = new HashSet<>();
  private boolean open = true;

  SqlTx(Session session, String scope, boolean writable) {
    this.session = session;
    this.scope = scope;
    this.writable = writable;
  }

  /** Ends the transaction's life; gives what it changed, each row once. */
  List<Change> close() {
    open = false;
    return List.copyOf(changes.values());
  }

  @Override
  public <T> Optional<Row<T>> get(Table<T> table, String key) {
    if (table.remembered()) {
      return Optional.ofNullable(image(table).get(key));
    }
    return query(table, ROW + "WHERE tbl = ? AND scope = ? AND key = ?", table.name(), scope, key)
        .stream()
        .findFirst();
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table) {
    return table.remembered() ? image(table).all() : stored(table);
  }

  private <T> List<Row<T>> stored(Table<T> table) {
    return query(table, ROW + "WHERE tbl = ? AND scope = ? ORDER BY key", table.name(), scope);
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table, String prefix) {
    String end = afterPrefix(prefix);
    if (table.remembered()) {
      return image(table).range(prefix, end, false, Integer.MAX_VALUE);
    }
    return end == null
        ? query(
            table,
            ROW + "WHERE tbl = ? AND scope = ? AND key >= ? ORDER BY key",
            table.name(),
            scope,
            prefix)
        : query(
            table,
            ROW + "WHERE tbl = ? AND scope = ? AND key >= ? AND key < ? ORDER BY key",
            table.name(),
            scope,
            prefix,
            end);
  }

  @Override
  public <T> List<Row<T>> range(
      Table<T> table, String from, String to, boolean reverse, int limit) {
    if (table.remembered()) {
      return image(table).range(from, to, reverse, limit);
    }
    return query(
        table,
        ROW
            + "WHERE tbl = ? AND scope = ? AND key >= ? AND key < ? ORDER BY key "
            + (reverse ? "DESC" : "ASC")
            + " LIMIT ?",
        table.name(),
        scope,
        from,
        to,
        limit);
  }

  @Override
  public <T> List<Row<T>> find(Table<T> table, String index, String value) {
    Function<? super T, @Nullable String> indexed = table.indexes().get(index);
    if (indexed == null) {
      throw new IllegalArgumentException(table.name() + " has no index " + index);
    }
    if (table.remembered()) {
      return image(table).find(index, value);
    }
    List<Row<T>> found;
    if (complete(table, index)) {
      found =
          query(
              table,
              "SELECT r.key, r.version, r.value FROM entries e JOIN rows r"
                  + " ON r.tbl = e.tbl AND r.scope = e.scope AND r.key = e.key"
                  + " WHERE e.tbl = ? AND e.idx = ? AND e.scope = ? AND e.value = ?"
                  + " ORDER BY r.key",
              table.name(),
              index,
              scope,
              value);
    } else {
      found = list(table);
    }
    return found.stream().filter(row -> value.equals(indexed.apply(row.value()))).toList();
  }

  @Override
  public <T> long count(Table<T> table) {
    if (table.remembered()) {
      return image(table).count();
    }
    return session
        .statements()
        .run(
            "SELECT count(*) FROM rows WHERE tbl = ? AND scope = ?",
            statement -> {
              try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getLong(1);
              }
            },
            table.name(),
            check(scope));
  }

  @Override
  public <T> Row<T> insert(Table<T> table, String key, T value) {
    if (get(table, key).isPresent()) {
      throw new KeyExists(table.name(), key);
    }
    return write(table, key, null, value);
  }

  @Override
  public <T> Row<T> put(Table<T> table, String key, T value) {
    return write(table, key, get(table, key).orElse(null), value);
  }

  @Override
  public <T> Row<T> update(Table<T> table, String key, long version, T value) {
    Row<T> present = get(table, key).orElse(null);
    if (present == null || present.version() != version) {
      throw new VersionConflict(table.name(), key, version);
    }
    return write(table, key, present, value);
  }

  @Override
  public <T> boolean delete(Table<T> table, String key) {
    Row<T> present = get(table, key).orElse(null);
    if (present == null) {
      return false;
    }
    mustBeWritable();
    completeIndexes(table);
    if (table.remembered()) {
      session.change(table, scope, image(table).without(key));
    } else {
      for (Map.Entry<String, Function<? super T, @Nullable String>> index :
          table.indexes().entrySet()) {
        removeEntry(table, index.getKey(), index.getValue().apply(present.value()), key);
      }
    }
    execute("DELETE FROM rows WHERE tbl = ? AND scope = ? AND key = ?", table.name(), scope, key);
    session.wrote(0);
    changed(table, key, true);
    return true;
  }

  @Override
  public <T> long deletePrefix(Table<T> table, String prefix) {
    List<Row<T>> rows = list(table, prefix);
    rows.forEach(row -> delete(table, row.key()));
    return rows.size();
  }

  private <T> Row<T> write(Table<T> table, String key, @Nullable Row<T> before, T value) {
    mustBeWritable();
    completeIndexes(table);
    long version = before == null ? 1 : before.version() + 1;
    byte[] encoded = table.codec().encode(value);
    session.wrote(encoded.length);
    execute(
        "INSERT INTO rows (tbl, scope, key, version, value) VALUES (?, ?, ?, ?, ?)"
            + " ON CONFLICT (tbl, scope, key)"
            + " DO UPDATE SET version = excluded.version, value = excluded.value",
        table.name(),
        scope,
        key,
        version,
        encoded);
    changed(table, key, false);
    Row<T> row = new Row<>(key, version, value);
    if (table.remembered()) {
      session.change(table, scope, image(table).with(row));
      return row;
    }
    for (Map.Entry<String, Function<? super T, @Nullable String>> index :
        table.indexes().entrySet()) {
      String old = before == null ? null : index.getValue().apply(before.value());
      String now = index.getValue().apply(value);
      if (!Objects.equals(old, now)) {
        removeEntry(table, index.getKey(), old, key);
        addEntry(table, index.getKey(), scope, now, key);
      }
    }
    return row;
  }

  /** A remembered table as this transaction sees it; read from disk if nobody did before. */
  private <T> Image<T> image(Table<T> table) {
    check(scope);
    Image<T> known = session.image(table, scope);
    if (known == null) {
      known = Image.of(table, stored(table));
      session.loaded(table, scope, known);
    }
    return known;
  }

  private void addEntry(
      Table<?> table, String index, String rowScope, @Nullable String value, String key) {
    if (value != null) {
      execute(
          "INSERT OR IGNORE INTO entries (tbl, idx, scope, value, key) VALUES (?, ?, ?, ?, ?)",
          table.name(),
          index,
          rowScope,
          value,
          key);
    }
  }

  private void removeEntry(Table<?> table, String index, @Nullable String value, String key) {
    if (value != null) {
      execute(
          "DELETE FROM entries WHERE tbl = ? AND idx = ? AND scope = ? AND value = ? AND key = ?",
          table.name(),
          index,
          scope,
          value,
          key);
    }
  }

  private boolean complete(Table<?> table, String index) {
    if (completed.contains(table.name() + "/" + index)) {
      return true;
    }
    return session
        .statements()
        .run(
            "SELECT 1 FROM indexes WHERE tbl = ? AND idx = ?",
            statement -> {
              try (ResultSet result = statement.executeQuery()) {
                return result.next();
              }
            },
            table.name(),
            index);
  }

  /** Gives an index that this release added an entry for every row that was there before. */
  private <T> void completeIndexes(Table<T> table) {
    if (table.remembered()) {
      forgetIndexes(table);
      return;
    }
    for (Map.Entry<String, Function<? super T, @Nullable String>> index :
        table.indexes().entrySet()) {
      if (!complete(table, index.getKey())) {
        record Entry(String scope, String key, @Nullable String value) {}
        List<Entry> found =
            session
                .statements()
                .run(
                    "SELECT scope, key, value FROM rows WHERE tbl = ?",
                    statement -> {
                      List<Entry> all = new ArrayList<>();
                      try (ResultSet result = statement.executeQuery()) {
                        while (result.next()) {
                          T value = table.codec().decode(result.getBytes(3));
                          all.add(
                              new Entry(
                                  result.getString(1),
                                  result.getString(2),
                                  index.getValue().apply(value)));
                        }
                      }
                      return all;
                    },
                    table.name());
        for (Entry entry : found) {
          addEntry(table, index.getKey(), entry.scope(), entry.value(), entry.key());
        }
        execute("INSERT INTO indexes (tbl, idx) VALUES (?, ?)", table.name(), index.getKey());
      }
      completed.add(table.name() + "/" + index.getKey());
    }
  }

  /** A remembered table's indexes are in memory alone: what the disk has of them is outdated. */
  private void forgetIndexes(Table<?> table) {
    if (session.firstWriteOf(table)) {
      execute("DELETE FROM indexes WHERE tbl = ?", table.name());
      execute("DELETE FROM entries WHERE tbl = ?", table.name());
    }
  }

  private void changed(Table<?> table, String key, boolean deleted) {
    changes.put(table.name() + " " + key, new Change(scope, table.name(), key, deleted));
  }

  private <T> List<Row<T>> query(Table<T> table, String sql, Object... parameters) {
    check(scope);
    return session
        .statements()
        .run(
            sql,
            statement -> {
              List<Row<T>> rows = new ArrayList<>();
              try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                  rows.add(
                      new Row<>(
                          result.getString(1),
                          result.getLong(2),
                          table.codec().decode(result.getBytes(3))));
                }
              }
              return rows;
            },
            parameters);
  }

  private void execute(String sql, Object... parameters) {
    session.statements().run(sql, PreparedStatement::executeUpdate, parameters);
  }

  private String check(String value) {
    if (!open) {
      throw new IllegalStateException("this transaction has ended");
    }
    return value;
  }

  private void mustBeWritable() {
    if (!writable) {
      throw new IllegalStateException("this transaction only reads");
    }
  }

  /** The smallest string after every string that starts with {@code prefix}; null if none. */
  static @Nullable String afterPrefix(String prefix) {
    byte[] bytes = prefix.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0) {
      return null;
    }
    // Keys end in ASCII before the variable part; the next character keeps the UTF-8 order.
    int last = prefix.codePointBefore(prefix.length());
    if (last == Character.MAX_CODE_POINT) {
      return afterPrefix(prefix.substring(0, prefix.length() - Character.charCount(last)));
    }
    int next = last + 1 == Character.MIN_SURROGATE ? Character.MAX_SURROGATE + 1 : last + 1;
    return prefix.substring(0, prefix.length() - Character.charCount(last))
        + Character.toString(next);
  }

  /** Work on a prepared statement. */
  @FunctionalInterface
  interface SqlWork<R> {
    R on(PreparedStatement statement) throws SQLException;
  }
}
