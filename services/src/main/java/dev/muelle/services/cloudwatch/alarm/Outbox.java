package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmActions.Transition;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;

/**
 * Performs what alarms asked for, in order. It is put down in the transaction that changes the
 * alarm's state, so that a server that dies in between leaves it for the next.
 */
final class Outbox implements AutoCloseable {

  /** Keyed by when it was asked for, and by what. */
  static final Table<Pending> TABLE =
      Table.of("cloudwatch.actions", StoredJson.codec(Pending.class));

  private static final int PAGE = 100;

  private final Store store;
  private final Timers timers;
  private final AlarmActions actions;
  private final History history;
  private final Loop<String> loop;

  record Pending(String action, Transition transition) {}

  Outbox(
      Store store, Timers timers, RandomGenerator random, AlarmActions actions, History history) {
    this.store = store;
    this.timers = timers;
    this.actions = actions;
    this.history = history;
    loop = new Loop<>("alarm-actions", timers, random, 1, this::perform);
  }

  static void put(Tx tx, String action, Transition transition) {
    String key = History.from(transition.at()) + "/" + transition.alarmName() + "/" + action;
    tx.put(TABLE, key, new Pending(action, transition));
  }

  void wake() {
    loop.wake("");
  }

  private @Nullable Duration perform(String key) {
    List<Row<Pending>> page = store.read(tx -> tx.range(TABLE, "", "~", false, PAGE));
    for (Row<Pending> row : page) {
      perform(row);
    }
    return page.size() < PAGE ? null : Duration.ZERO;
  }

  private void perform(Row<Pending> row) {
    Pending pending = row.value();
    @Nullable String failure = null;
    try {
      actions.perform(pending.action(), pending.transition());
    } catch (RuntimeException e) {
      failure = String.valueOf(e.getMessage());
    }
    ObjectNode data = Json.object();
    data.put("actionState", failure == null ? "Succeeded" : "Failed");
    data.put("stateUpdateTimestamp", pending.transition().at().toEpochMilli());
    data.put("notificationResource", pending.action());
    data.put("error", failure);
    String summary =
        failure == null
            ? "Successfully executed action " + pending.action()
            : "Failed to execute action "
                + pending.action()
                + ". Received error: \""
                + failure
                + "\"";
    store.write(tx -> {
      tx.delete(TABLE, row.key());
      tx.get(Alarm.TABLE, pending.transition().alarmName())
          .ifPresent(alarm ->
              history.add(
                  tx,
                  alarm.value(),
                  HistoryItemType.ACTION,
                  summary,
                  Json.text(data),
                  timers.instant()));
      return true;
    });
  }

  @Override
  public void close() {
    loop.close();
  }
}
