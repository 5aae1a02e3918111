package dev.muelle.services.ecs;

import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;

/** A transaction whose rows are counted. */
final class CountingTx implements Tx {

  /** What was done since it was made. */
  static final class Counts {
    long transactions;
    long rowsRead;
    long rowsWritten;

    synchronized void reading(long rows) {
      rowsRead += rows;
    }

    synchronized void writing(long rows) {
      rowsWritten += rows;
    }

    synchronized void beginning() {
      transactions++;
    }
  }

  private final Tx tx;
  private final Counts counts;

  CountingTx(Tx tx, Counts counts) {
    this.tx = tx;
    this.counts = counts;
    counts.beginning();
  }

  private <T> List<Row<T>> counted(List<Row<T>> rows) {
    counts.reading(Math.max(1, rows.size()));
    return rows;
  }

  @Override
  public <T> Optional<Row<T>> get(Table<T> table, String key) {
    counts.reading(1);
    return tx.get(table, key);
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table) {
    return counted(tx.list(table));
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table, String prefix) {
    return counted(tx.list(table, prefix));
  }

  @Override
  public <T> List<Row<T>> range(
      Table<T> table, String from, String to, boolean reverse, int limit) {
    return counted(tx.range(table, from, to, reverse, limit));
  }

  @Override
  public <T> List<Row<T>> find(Table<T> table, String index, String value) {
    return counted(tx.find(table, index, value));
  }

  @Override
  public <T> long count(Table<T> table) {
    counts.reading(1);
    return tx.count(table);
  }

  @Override
  public <T> Row<T> insert(Table<T> table, String key, T value) {
    counts.writing(1);
    return tx.insert(table, key, value);
  }

  @Override
  public <T> Row<T> put(Table<T> table, String key, T value) {
    counts.writing(1);
    return tx.put(table, key, value);
  }

  @Override
  public <T> Row<T> update(Table<T> table, String key, long version, T value) {
    counts.writing(1);
    return tx.update(table, key, version, value);
  }

  @Override
  public <T> boolean delete(Table<T> table, String key) {
    counts.writing(1);
    return tx.delete(table, key);
  }

  @Override
  public <T> long deletePrefix(Table<T> table, String prefix) {
    long deleted = tx.deletePrefix(table, prefix);
    counts.writing(deleted);
    return deleted;
  }
}
