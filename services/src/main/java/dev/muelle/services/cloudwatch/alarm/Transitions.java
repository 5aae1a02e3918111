package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.AlarmActions.Transition;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/** Brings an alarm into a state: with its history and its actions, all or nothing. */
final class Transitions {

  private final History history;

  Transitions(History history) {
    this.history = history;
  }

  /**
   * Sets the state; a metric alarm whose state changes acts at once, a composite one when {@link
   * #act} is called.
   *
   * @return whether the state is another one now
   */
  boolean set(
      Tx tx, Alarm alarm, StateValue state, String reason, @Nullable String data, Instant at) {
    Alarm now = alarm.withState(state, reason, data, at);
    boolean changed = state != alarm.state();
    if (changed) {
      record(tx, alarm, now, at);
      released(tx, alarm.name());
      if (now.metric() != null) {
        act(tx, now, alarm.state(), now.actions(state), at);
        now = now.withActed(state);
      }
    }
    tx.put(Alarm.TABLE, now.name(), now);
    return changed;
  }

  /** Alarms that look at this one follow their rules again, though a state was set by hand. */
  private static void released(Tx tx, String name) {
    for (Row<Alarm> row : tx.list(Alarm.TABLE)) {
      if (row.value().byHand() && row.value().children().contains(name)) {
        tx.put(Alarm.TABLE, row.key(), row.value().withByHand(false));
      }
    }
  }

  private void record(Tx tx, Alarm before, Alarm now, Instant at) {
    ObjectNode data = Json.object();
    data.set("oldState", state(before));
    data.set("newState", state(now));
    history.add(
        tx,
        now,
        HistoryItemType.STATE_UPDATE,
        "Alarm updated from " + before.state() + " to " + now.state(),
        Json.text(data),
        at);
  }

  private static JsonNode state(Alarm alarm) {
    ObjectNode state = Json.object();
    state.remove("version");
    state.put("stateValue", alarm.state().toString());
    state.put("stateReason", alarm.reason());
    JsonNode data = alarm.reasonData() == null ? null : Json.read(alarm.reasonData());
    if (data != null) {
      state.set("stateReasonData", data);
    }
    return state;
  }

  /** Puts actions down to be performed, if the alarm's are enabled. */
  void act(Tx tx, Alarm alarm, StateValue from, List<String> actions, Instant at) {
    if (!alarm.actionsEnabled()) {
      return;
    }
    for (String action : actions) {
      Outbox.put(
          tx,
          action,
          new Transition(
              alarm.name(),
              alarm.arn(),
              Json.text(Json.configuration(alarm)),
              from,
              alarm.state(),
              alarm.reason(),
              Objects.requireNonNullElse(alarm.reasonData(), ""),
              at));
    }
  }
}
