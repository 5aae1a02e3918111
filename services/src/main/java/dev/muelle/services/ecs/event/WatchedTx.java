package dev.muelle.services.ecs.event;

import dev.muelle.services.ecs.service.TaskSets;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.TaskSet;

/** A transaction that remembers how the rows were that it is about to change. */
final class WatchedTx implements Tx {

  private final Tx tx;
  private final Before<TaskRecord> tasks = new Before<>(TaskRecord.TABLE);
  private final Before<InstanceRecord> instances = new Before<>(InstanceRecord.TABLE);
  private final Before<ServiceRecord> services = new Before<>(ServiceRecord.TABLE);
  private final Before<TaskSet> taskSets = new Before<>(TaskSets.TABLE);

  WatchedTx(Tx tx) {
    this.tx = tx;
  }

  /**
   * One row that was written.
   *
   * @param before null if there was none
   * @param after null if there is none now
   */
  record Change<T>(@Nullable T before, @Nullable T after) {}

  /** All that a transaction has written of what events are about. */
  record Changes(
      List<Change<TaskRecord>> tasks,
      List<Change<InstanceRecord>> instances,
      List<Change<ServiceRecord>> services,
      List<Change<TaskSet>> taskSets) {}

  Changes changes() {
    return new Changes(
        tasks.changes(tx), instances.changes(tx), services.changes(tx), taskSets.changes(tx));
  }

  /** The rows of a table as they were, by key. */
  private static final class Before<T> {
    private final Table<T> table;
    private final Map<String, Optional<T>> rows = new LinkedHashMap<>();

    Before(Table<T> table) {
      this.table = table;
    }

    void keep(Tx tx, Table<?> written, String key) {
      if (written.name().equals(table.name()) && !rows.containsKey(key)) {
        rows.put(key, tx.get(table, key).map(Row::value));
      }
    }

    List<Change<T>> changes(Tx tx) {
      List<Change<T>> changes = new ArrayList<>();
      rows.forEach((key, before) ->
          changes.add(
              new Change<>(before.orElse(null), tx.get(table, key).map(Row::value).orElse(null))));
      return changes;
    }
  }

  private void keep(Table<?> table, String key) {
    tasks.keep(tx, table, key);
    instances.keep(tx, table, key);
    services.keep(tx, table, key);
    taskSets.keep(tx, table, key);
  }

  @Override
  public <T> Optional<Row<T>> get(Table<T> table, String key) {
    return tx.get(table, key);
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table) {
    return tx.list(table);
  }

  @Override
  public <T> List<Row<T>> list(Table<T> table, String prefix) {
    return tx.list(table, prefix);
  }

  @Override
  public <T> List<Row<T>> range(
      Table<T> table, String from, String to, boolean reverse, int limit) {
    return tx.range(table, from, to, reverse, limit);
  }

  @Override
  public <T> List<Row<T>> find(Table<T> table, String index, String value) {
    return tx.find(table, index, value);
  }

  @Override
  public <T> long count(Table<T> table) {
    return tx.count(table);
  }

  @Override
  public <T> Row<T> insert(Table<T> table, String key, T value) {
    keep(table, key);
    return tx.insert(table, key, value);
  }

  @Override
  public <T> Row<T> put(Table<T> table, String key, T value) {
    keep(table, key);
    return tx.put(table, key, value);
  }

  @Override
  public <T> Row<T> update(Table<T> table, String key, long version, T value) {
    keep(table, key);
    return tx.update(table, key, version, value);
  }

  @Override
  public <T> boolean delete(Table<T> table, String key) {
    keep(table, key);
    return tx.delete(table, key);
  }

  /** What goes by prefix is forgotten, of which there are no events. */
  @Override
  public <T> long deletePrefix(Table<T> table, String prefix) {
    return tx.deletePrefix(table, prefix);
  }
}
