package dev.muelle.services.applicationautoscaling;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.scaling.Decision;
import dev.muelle.scaling.Decision.Scale;
import dev.muelle.scaling.Decision.Situation;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Refusals;
import dev.muelle.services.applicationautoscaling.Capacities.Capacity;
import dev.muelle.services.applicationautoscaling.State.Activity;
import dev.muelle.services.applicationautoscaling.State.Target;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.ecs.model.EcsException;

/**
 * Carries out what is decided, target by target: scheduled actions, bounds, activities. Everything
 * that it does may be done again.
 */
final class TargetLoop implements AutoCloseable {

  /** How often it looks whether ECS has as many tasks as it was asked for. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  /** After which an activity is unfulfilled. */
  private static final Duration PATIENCE = Duration.ofMinutes(20);

  /** A clock may be set: whatever a schedule says, it is asked this often. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  private static final int AT_ONCE = 4;

  private final Store store;
  private final Timers timers;
  private final Capacities capacities;
  private final Activities activities;
  private final EventOutbox events;
  private final Loop<String> loop;
  private @Nullable ScheduledActions scheduled;

  TargetLoop(
      Store store,
      Timers timers,
      RandomGenerator random,
      Capacities capacities,
      Activities activities,
      EventOutbox events) {
    this.store = store;
    this.timers = timers;
    this.capacities = capacities;
    this.activities = activities;
    this.events = events;
    loop = new Loop<>("scalable-targets", timers, random, AT_ONCE, this::look);
  }

  void start(ScheduledActions actions) {
    scheduled = actions;
    store.read(tx -> tx.list(State.TARGETS)).forEach(row -> loop.wake(row.key()));
  }

  void wake(String resourceId) {
    loop.wake(resourceId);
  }

  private @Nullable Duration look(String resourceId) {
    TargetKey key = new TargetKey(resourceId);
    if (scheduled == null || target(resourceId).isEmpty()) {
      return null;
    }
    Instant now = timers.instant();
    Optional<Instant> due = scheduled.run(key, now);
    boolean open = store.read(tx -> Activities.open(tx, key)).isPresent();
    if (open || target(resourceId).filter(Target::moved).isPresent()) {
      Optional<Capacity> capacity = capacities.of(key);
      intoBounds(key, capacity, now);
      carryOut(key, capacity, now);
      open = store.read(tx -> Activities.open(tx, key)).isPresent();
    }
    Duration wait = due.map(at -> Duration.between(now, at)).orElse(null);
    if (wait != null && wait.compareTo(LONGEST_WAIT) > 0) {
      wait = LONGEST_WAIT;
    }
    return open && (wait == null || wait.compareTo(LOOK) > 0) ? LOOK : wait;
  }

  private Optional<Target> target(String resourceId) {
    return store.read(tx -> tx.get(State.TARGETS, resourceId)).map(Row::value);
  }

  /** "The desired capacity is set to the new minimum (maximum), if it is below (above) it." */
  private void intoBounds(TargetKey key, Optional<Capacity> capacity, Instant now) {
    store.write(tx -> {
      Target target = tx.get(State.TARGETS, key.resourceId()).map(Row::value).orElse(null);
      if (target == null || !target.moved()) {
        return false;
      }
      tx.put(State.TARGETS, key.resourceId(), target.withMoved(false));
      capacity.ifPresent(is -> intoBounds(tx, target, is, now));
      return true;
    });
  }

  private void intoBounds(Tx tx, Target target, Capacity capacity, Instant now) {
    int desired =
        Activities.open(tx, target.key())
            .map(row -> row.value().desired())
            .orElse(capacity.desired());
    Situation situation = new Situation(desired, target.min(), target.max(), true, true, false);
    if (Decision.intoBounds(situation) instanceof Scale(int to)) {
      String cause =
          to > desired
              ? "minimum capacity was set to " + target.min()
              : "maximum capacity was set to " + target.max();
      activities.begin(tx, target.key(), cause, desired, to, now);
    }
  }

  private void carryOut(TargetKey key, Optional<Capacity> capacity, Instant now) {
    Row<Activity> row = store.read(tx -> Activities.open(tx, key)).orElse(null);
    if (row == null) {
      return;
    }
    Activity activity = row.value();
    int desired = activity.desired();
    if (capacity.isEmpty()) {
      end(key, row, ScalingActivityStatusCode.FAILED, failure(desired, "service not found"), now);
    } else if (activity.activity().statusCode() == ScalingActivityStatusCode.PENDING) {
      set(key, row, now);
    } else if (capacity.get().fulfils(desired)) {
      String message = Activities.SET.formatted(desired) + "Change successfully fulfilled by ecs.";
      end(key, row, ScalingActivityStatusCode.SUCCESSFUL, message, now);
    } else if (capacity.get().desired() != desired) {
      String message =
          "The desired count was changed to %d by another request."
              .formatted(capacity.get().desired());
      end(key, row, ScalingActivityStatusCode.OVERRIDDEN, message, now);
    } else if (now.isAfter(activity.activity().startTime().plus(PATIENCE))) {
      String message = Activities.SET.formatted(desired) + "Change not fulfilled by ecs in time.";
      end(key, row, ScalingActivityStatusCode.UNFULFILLED, message, now);
    }
  }

  private void set(TargetKey key, Row<Activity> row, Instant now) {
    int desired = row.value().desired();
    try {
      capacities.set(key, desired);
    } catch (EcsException e) {
      String failure = failure(desired, Refusals.words(e));
      end(key, row, ScalingActivityStatusCode.FAILED, failure, now);
      return;
    }
    store.write(tx -> {
      unlessOverridden(tx, row).ifPresent(open -> Activities.inProgress(tx, open));
      return true;
    });
  }

  private static String failure(int desired, String why) {
    return "Failed to set desired count to " + desired + ". Reason: " + why;
  }

  /** A decision that was taken meanwhile is in the place of this one. */
  private static Optional<Row<Activity>> unlessOverridden(Tx tx, Row<Activity> row) {
    return tx.get(State.ACTIVITIES, row.key()).filter(now -> now.value().open());
  }

  private void end(
      TargetKey key,
      Row<Activity> row,
      ScalingActivityStatusCode status,
      String message,
      Instant now) {
    store.write(tx -> {
      Row<Activity> open = unlessOverridden(tx, row).orElse(null);
      if (open == null) {
        return false;
      }
      Activities.end(tx, open, status, message, now);
      Target target = tx.get(State.TARGETS, key.resourceId()).map(Row::value).orElse(null);
      if (target == null) {
        return false;
      }
      if (target.cooling() != null) {
        // what failed has nothing to wait for
        boolean failed = status == ScalingActivityStatusCode.FAILED;
        tx.put(
            State.TARGETS,
            key.resourceId(),
            target.withCooling(failed ? null : target.cooling().begun(now)));
      }
      if (status == ScalingActivityStatusCode.SUCCESSFUL) {
        ScaledToMax.tell(events, tx, target, open.value(), now);
      }
      return true;
    });
  }

  @Override
  public void close() {
    loop.close();
  }

  /** The only event that AWS's Application Auto Scaling has. */
  private static final class ScaledToMax {

    /**
     * Tells that a target has reached its maximum.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/monitoring-eventbridge.html">Monitor
     *     Application Auto Scaling events using Amazon EventBridge</a>
     */
    static void tell(EventOutbox events, Tx tx, Target target, Activity activity, Instant now) {
      if (activity.desired() != target.max() || activity.desired() <= activity.before()) {
        return;
      }
      String detail =
          """
          {"startTime":"%s","endTime":"%s","newDesiredCapacity":%d,"oldDesiredCapacity":%d,\
          "minCapacity":%d,"maxCapacity":%d,"resourceId":"%s","scalableDimension":"%s",\
          "serviceNamespace":"%s","statusCode":"Successful","scaledToMax":true,\
          "direction":"scale-out"}\
          """
              .formatted(
                  activity.activity().startTime().truncatedTo(ChronoUnit.SECONDS),
                  now.truncatedTo(ChronoUnit.SECONDS),
                  activity.desired(),
                  activity.before(),
                  target.min(),
                  target.max(),
                  target.key().resourceId(),
                  TargetKey.DIMENSION,
                  TargetKey.NAMESPACE);
      events.put(
          tx,
          "aws.application-autoscaling",
          "Application Auto Scaling Scaling Activity State Change",
          List.of(),
          now,
          () -> detail);
    }
  }
}
