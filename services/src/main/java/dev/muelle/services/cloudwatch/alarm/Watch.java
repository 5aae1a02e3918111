package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.cloudwatch.alarm.Suppression.Standing;
import dev.muelle.services.cloudwatch.math.Queries;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.ActionsSuppressedBy;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * Evaluates alarms: metric alarms each minute, those with periods under a minute each ten seconds;
 * composite ones whenever an alarm changes that they look at.
 */
final class Watch implements AutoCloseable {

  /** After a period's end, for measurements that are still on their way. */
  private static final Duration LATE = Duration.ofSeconds(2);

  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HIGH_RESOLUTION = Duration.ofSeconds(10);
  private static final int AT_ONCE = 4;

  private final Store store;
  private final Timers timers;
  private final Queries queries;
  private final Transitions transitions;
  private final AlarmEvents events;
  private final Outbox outbox;
  private final Loop<String> loop;

  Watch(
      Store store,
      Timers timers,
      RandomGenerator random,
      Queries queries,
      Transitions transitions,
      AlarmEvents events,
      Outbox outbox) {
    this.store = store;
    this.timers = timers;
    this.queries = queries;
    this.transitions = transitions;
    this.events = events;
    this.outbox = outbox;
    loop = new Loop<>("alarms", timers, random, AT_ONCE, this::evaluate);
  }

  void start() {
    store.read(tx -> tx.list(Alarm.TABLE)).forEach(row -> loop.wake(row.key()));
    outbox.wake();
  }

  /** An alarm is new or has another configuration. */
  void configured(String name) {
    loop.wake(name);
  }

  /** An alarm's state has changed: who looks at it looks again. */
  void changed(String name) {
    outbox.wake();
    for (Row<Alarm> row : store.read(tx -> tx.list(Alarm.TABLE))) {
      Alarm alarm = row.value();
      if (alarm.children().contains(name) || name.equals(alarm.suppressor())) {
        loop.wake(alarm.name());
      }
    }
  }

  private @Nullable Duration evaluate(String name) {
    Alarm alarm = store.read(tx -> tx.get(Alarm.TABLE, name)).map(Row::value).orElse(null);
    if (alarm == null) {
      return null;
    }
    if (alarm.metric() == null) {
      return composite(name);
    }
    measure(alarm, alarm.metric());
    return next(Measured.period(alarm.metric()) < 60 ? HIGH_RESOLUTION : MINUTE);
  }

  private Duration next(Duration step) {
    long into = Math.floorMod(timers.millis() - LATE.toMillis(), step.toMillis());
    return Duration.ofMillis(step.toMillis() - into);
  }

  private void measure(Alarm seen, MetricAlarm alarm) {
    Measured.Told told = Measured.tell(alarm, queries, timers.instant());
    StateValue state =
        switch (told.state()) {
          case OK -> StateValue.OK;
          case ALARM -> StateValue.ALARM;
          case INSUFFICIENT_DATA -> StateValue.INSUFFICIENT_DATA;
          case UNCHANGED -> seen.state();
        };
    boolean repeats = seen.actions(state).stream().anyMatch(Watch::repeated);
    if (state == seen.state() && !repeats) {
      return;
    }
    Instant now = timers.instant();
    boolean changed =
        store.write(tx -> {
          Alarm alarmNow = tx.get(Alarm.TABLE, seen.name()).map(Row::value).orElse(null);
          if (alarmNow == null || !sameConfiguration(alarmNow, alarm)) {
            return false; // what was judged is no longer what it is about: it is looked at again
          }
          if (state != alarmNow.state()) {
            transitions.set(tx, alarmNow, state, told.reason(), told.data(), now);
            events.changed(tx, alarmNow, existing(tx, seen.name()), now);
            return true;
          }
          transitions.act(
              tx,
              alarmNow,
              state,
              alarmNow.actions(state).stream().filter(Watch::repeated).toList(),
              now);
          return false;
        });
    if (changed) {
      changed(seen.name());
    } else {
      outbox.wake();
    }
  }

  /** Scaling goes on as long as the state does; all else is done once. */
  private static boolean repeated(String action) {
    return action.contains(":autoscaling:");
  }

  private static boolean sameConfiguration(Alarm now, MetricAlarm judged) {
    return now.metric() != null
        && now.metric()
            .alarmConfigurationUpdatedTimestamp()
            .equals(judged.alarmConfigurationUpdatedTimestamp());
  }

  private @Nullable Duration composite(String name) {
    Instant now = timers.instant();
    boolean changed = store.write(tx -> composite(tx, name, now));
    if (changed) {
      changed(name);
    } else {
      outbox.wake();
    }
    return store
        .read(tx -> tx.get(Alarm.TABLE, name))
        .map(row -> row.value().suppressedUntil())
        .map(until -> Duration.between(timers.instant(), until))
        .orElse(null);
  }

  private boolean composite(Tx tx, String name, Instant now) {
    Alarm alarm = tx.get(Alarm.TABLE, name).map(Row::value).orElse(null);
    if (alarm == null || alarm.composite() == null || inCycle(tx, name)) {
      return false;
    }
    StateValue state = alarm.byHand() ? alarm.state() : byRule(tx, alarm.composite());
    boolean changed = state != alarm.state();
    if (changed) {
      List<Alarm> children = children(tx, alarm);
      transitions.set(tx, alarm, state, reason(children, alarm, state), data(children), now);
    }
    suppress(tx, existing(tx, name), changed, now);
    events.changed(tx, alarm, existing(tx, name), now); // once, with what holds its actions back
    return changed;
  }

  private static StateValue byRule(Tx tx, CompositeAlarm alarm) {
    return Rule.parse(alarm.alarmRule()).holds(child -> state(tx, child))
        ? StateValue.ALARM
        : StateValue.OK;
  }

  /** Somebody has set a composite alarm's state: it stays, and is acted upon. */
  void setByHand(Tx tx, String name, boolean changed, Instant now) {
    Alarm alarm = existing(tx, name).withByHand(true);
    tx.put(Alarm.TABLE, name, alarm);
    suppress(tx, alarm, changed, now);
  }

  private static Alarm existing(Tx tx, String name) {
    return tx.get(Alarm.TABLE, name).map(Row::value).orElseThrow();
  }

  /** Acts, or says why not. */
  private void suppress(Tx tx, Alarm alarm, boolean changed, Instant now) {
    CompositeAlarm composite = alarm.isComposite();
    String suppressor = alarm.suppressor();
    Standing standing = Standing.FREE;
    if (suppressor != null) {
      standing =
          Suppression.decide(
              new Standing(composite.actionsSuppressedBy(), alarm.suppressedUntil()),
              alarm.state() != alarm.acted(),
              changed,
              state(tx, suppressor) == StateValue.ALARM,
              Duration.ofSeconds(composite.actionsSuppressorWaitPeriod()),
              Duration.ofSeconds(composite.actionsSuppressorExtensionPeriod()),
              now);
    }
    StateValue acted = alarm.acted();
    if (standing.by() == null && alarm.state() != acted) {
      transitions.act(tx, alarm, acted, alarm.actions(alarm.state()), now);
      acted = alarm.state();
    }
    Alarm then =
        alarm
            .withComposite(
                composite.toBuilder()
                    .actionsSuppressedBy(standing.by())
                    .actionsSuppressedReason(why(standing, suppressor))
                    .build())
            .withActed(acted)
            .withSuppressedUntil(standing.until());
    if (!then.equals(alarm)) {
      tx.put(Alarm.TABLE, alarm.name(), then);
    }
  }

  private static @Nullable String why(Standing standing, @Nullable String suppressor) {
    ActionsSuppressedBy by = standing.by();
    if (by == null) {
      return null;
    }
    return switch (by) {
      case ALARM -> "Actions suppressed by " + suppressor;
      default -> "Actions suppressed by " + by;
    };
  }

  private static @Nullable StateValue state(Tx tx, String name) {
    return tx.get(Alarm.TABLE, name).map(row -> row.value().state()).orElse(null);
  }

  private static List<Alarm> children(Tx tx, Alarm alarm) {
    return alarm.children().stream()
        .flatMap(child -> tx.get(Alarm.TABLE, child).stream())
        .map(Row::value)
        .toList();
  }

  /** The latest of the alarms that it looks at is what brought it here. */
  private static String reason(List<Alarm> children, Alarm alarm, StateValue state) {
    return children.stream()
        .filter(child -> updated(child) != null)
        .max(Comparator.comparing(child -> Objects.requireNonNull(updated(child))))
        .map(child ->
            child.arn()
                + " transitioned to "
                + child.state()
                + " at "
                + Times.composite(Objects.requireNonNull(updated(child))))
        .orElse(alarm.name() + " is " + state + " by its rule");
  }

  private static @Nullable Instant updated(Alarm alarm) {
    return alarm.metric() == null
        ? alarm.isComposite().stateTransitionedTimestamp()
        : alarm.metric().stateTransitionedTimestamp();
  }

  private static String data(List<Alarm> children) {
    ObjectNode data = Json.object();
    data.remove("version");
    ArrayNode triggering = data.putArray("triggeringAlarms");
    for (Alarm child : children) {
      ObjectNode state = triggering.addObject().put("arn", child.arn()).putObject("state");
      state.put("value", child.state().toString());
      Instant at = updated(child);
      if (at != null) {
        state.put("timestamp", Times.data(at));
      }
    }
    return Json.text(data);
  }

  /** Alarms that look at each other in a circle are not evaluated, as on AWS. */
  private static boolean inCycle(Tx tx, String name) {
    Set<String> seen = new HashSet<>();
    ArrayDeque<String> open = new ArrayDeque<>(List.of(name));
    while (!open.isEmpty()) {
      Alarm alarm = tx.get(Alarm.TABLE, open.remove()).map(Row::value).orElse(null);
      for (String child : alarm == null ? List.<String>of() : alarm.children()) {
        if (child.equals(name)) {
          return true;
        }
        if (seen.add(child)) {
          open.add(child);
        }
      }
    }
    return false;
  }

  @Override
  public void close() {
    loop.close();
    outbox.close();
  }
}
