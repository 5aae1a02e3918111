package dev.muelle.services.applicationautoscaling;

import dev.muelle.scaling.Cooldown;
import dev.muelle.scaling.Decision;
import dev.muelle.scaling.Decision.Direction;
import dev.muelle.scaling.Decision.Scale;
import dev.muelle.scaling.Decision.Situation;
import dev.muelle.scaling.Decision.Stay;
import dev.muelle.scaling.Decision.Why;
import dev.muelle.scaling.TargetTracking;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmReadings;
import dev.muelle.services.AlarmReadings.Reading;
import dev.muelle.services.Scope;
import dev.muelle.services.TrackingAlarms;
import dev.muelle.services.applicationautoscaling.Capacities.Capacity;
import dev.muelle.services.applicationautoscaling.State.Activity;
import dev.muelle.services.applicationautoscaling.State.Cooling;
import dev.muelle.services.applicationautoscaling.State.Policy;
import dev.muelle.services.applicationautoscaling.State.Target;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.NotScaledReason;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.applicationautoscaling.model.StepScalingPolicyConfiguration;
import software.amazon.awssdk.services.applicationautoscaling.model.SuspendedState;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingScalingPolicyConfiguration;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * Does what alarms call policies for. What is decided is put down as an activity; {@link
 * TargetLoop} carries it out.
 */
final class PolicyActions implements AlarmActions {

  private static final int COOLDOWN = 300; // s, where a policy says nothing

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Policies policies;
  private final Activities activities;
  private final Capacities capacities;
  private final AlarmReadings readings;
  private final Consumer<String> wake;

  /**
   * What a policy would do, whatever the bounds.
   *
   * @param wanted with all policies heard that have a say in it
   * @param alone what it wants without them
   * @param outSeconds the cooldown if it scales out
   * @param inSeconds the cooldown if it scales in
   */
  private record Proposal(
      IntUnaryOperator wanted,
      IntUnaryOperator alone,
      Direction direction,
      int outSeconds,
      int inSeconds) {

    /** Whether it would scale in, but for a policy that would at once scale out again. */
    boolean heldBack(int capacity) {
      return alone.applyAsInt(capacity) < capacity && wanted.applyAsInt(capacity) == capacity;
    }
  }

  PolicyActions(
      Scope scope,
      Store store,
      InstantSource clock,
      Policies policies,
      Activities activities,
      Capacities capacities,
      AlarmReadings readings,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.policies = policies;
    this.activities = activities;
    this.capacities = capacities;
    this.readings = readings;
    this.wake = wake;
  }

  @Override
  public boolean takes(String action) {
    return action.startsWith(scope.arn("autoscaling", "scalingPolicy:"))
        && policies.byArn(action).isPresent();
  }

  @Override
  public void perform(String action, Transition transition) {
    Policy policy =
        policies
            .byArn(action)
            .orElseThrow(() -> new IllegalStateException("There is no policy " + action));
    TargetKey key = policy.target();
    Capacity capacity =
        capacities
            .of(key)
            .orElseThrow(
                () -> new IllegalStateException("ECS service doesn't exist: " + key.resourceId()));
    Proposal proposal = proposal(policy, transition).orElse(null);
    if (proposal == null) {
      return;
    }
    Instant now = clock.instant();
    String cause =
        Activities.alarmCause(
            transition.alarmName(), transition.to().toString(), policy.policy().policyName());
    boolean begun =
        store.write(tx -> {
          Policy current = tx.get(State.POLICIES, policy.key()).map(Row::value).orElse(null);
          Target target = tx.get(State.TARGETS, key.resourceId()).map(Row::value).orElse(null);
          if (current == null
              || target == null
              || current.hasAnswered(transition.alarmName(), transition.at())) {
            return false; // gone; or called again after a crash
          }
          tx.put(
              State.POLICIES,
              policy.key(),
              current.answering(transition.alarmName(), transition.at()));
          return decide(tx, target, capacity, proposal, cause, now);
        });
    if (begun) {
      wake.accept(key.resourceId());
    }
  }

  private boolean decide(
      Tx tx, Target target, Capacity capacity, Proposal proposal, String cause, Instant now) {
    Situation situation = situation(tx, target, capacity);
    Cooldown cooldown = target.cooling() == null ? null : target.cooling().cooldown();
    Decision decision =
        Decision.decide(situation, proposal.wanted(), proposal.direction(), cooldown, now);
    return switch (decision) {
      case Scale(int to) -> {
        int before = situation.capacity();
        boolean out = to > before;
        int base =
            out && cooldown != null && cooldown.out() && cooldown.holds(now)
                ? Math.min(cooldown.base(), before)
                : before;
        int seconds = out ? proposal.outSeconds() : proposal.inSeconds();
        activities.begin(tx, target.key(), cause, before, to, now);
        tx.put(
            State.TARGETS,
            target.key().resourceId(),
            target.withCooling(new Cooling(out, base, null, seconds)));
        yield true;
      }
      case Stay(Why why) -> {
        boolean flapping =
            why == Why.ALREADY_AT_DESIRED_CAPACITY && proposal.heldBack(situation.capacity());
        NotScaledReason reason =
            reason(flapping ? Why.AUTO_SCALING_ANTICIPATED_FLAPPING : why, situation);
        if (reason != null) {
          activities.notScaled(tx, target.key(), cause, reason, now);
        }
        yield false;
      }
    };
  }

  /** What has been decided and not yet been said to ECS counts as done. */
  private static Situation situation(Tx tx, Target target, Capacity capacity) {
    int desired =
        Activities.open(tx, target.key())
            .map(Row::value)
            .filter(a -> a.activity().statusCode() == ScalingActivityStatusCode.PENDING)
            .map(Activity::desired)
            .orElse(capacity.desired());
    SuspendedState suspended = target.target().suspendedState();
    return new Situation(
        desired,
        target.min(),
        target.max(),
        !suspended.dynamicScalingOutSuspended(),
        !suspended.dynamicScalingInSuspended(),
        capacity.deploying());
  }

  private static @Nullable NotScaledReason reason(Why why, Situation situation) {
    NotScaledReason.Builder reason = NotScaledReason.builder();
    return switch (why) {
      case AUTO_SCALING_ANTICIPATED_FLAPPING ->
          reason
              .code("AutoScalingAnticipatedFlapping")
              .currentCapacity(situation.capacity())
              .build();
      case TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE ->
          reason.code("TargetServicePutResourceAsUnscalable").build();
      case ALREADY_AT_MAX_CAPACITY ->
          reason.code("AlreadyAtMaxCapacity").maxCapacity(situation.max()).build();
      case ALREADY_AT_MIN_CAPACITY ->
          reason.code("AlreadyAtMinCapacity").minCapacity(situation.min()).build();
      case ALREADY_AT_DESIRED_CAPACITY ->
          reason.code("AlreadyAtDesiredCapacity").currentCapacity(situation.capacity()).build();
      case COOLING_DOWN, SUSPENDED, NO_DATA, OTHER_POLICIES_NOT_READY -> null;
    };
  }

  /** Empty if the alarm has moved on, or there is nothing to go by. */
  private Optional<Proposal> proposal(Policy policy, Transition transition) {
    StepScalingPolicyConfiguration steps = policy.policy().stepScalingPolicyConfiguration();
    if (policy.tracks()) {
      return TrackingAlarms.isHigh(transition.alarmName())
          ? out(policy, transition)
          : in(policy, transition);
    }
    String aggregation =
        Objects.requireNonNullElse(steps.metricAggregationTypeAsString(), "Average");
    int seconds = Objects.requireNonNullElse(steps.cooldown(), COOLDOWN);
    return readings
        .of(transition.alarmName(), transition.at(), aggregation)
        .filter(reading -> reading.state() == transition.to())
        .flatMap(reading ->
            reading
                .latest()
                .flatMap(metric -> PolicyRules.pure(steps).wanted(metric, reading.threshold())))
        .map(wanted ->
            new Proposal(
                withCompanions(policy, wanted, transition.at()),
                wanted,
                Direction.EITHER,
                seconds,
                seconds));
  }

  private Optional<Proposal> out(Policy policy, Transition transition) {
    return readings
        .of(transition.alarmName(), transition.at(), null)
        .filter(reading -> reading.state() == transition.to())
        .flatMap(Reading::latest)
        .map(metric -> proposal(policy, tracking(policy).out(metric), Direction.OUT));
  }

  /**
   * "It scales in only if all of the target tracking policies (with the scale-in portion enabled)
   * are ready to scale in"; then the largest capacity wins. One without data is not ready.
   */
  private Optional<Proposal> in(Policy policy, Transition transition) {
    List<IntUnaryOperator> each = new ArrayList<>();
    for (Policy one : store.read(tx -> Policies.of(tx, policy.target()))) {
      if (!one.tracks() || !one.scalesIn()) {
        continue;
      }
      Optional<Reading> reading =
          low(one)
              .flatMap(alarm -> readings.of(alarm, transition.at(), null))
              .filter(r -> r.state() == StateValue.ALARM && !r.points().isEmpty());
      if (reading.isEmpty()) {
        return Optional.empty();
      }
      each.add(tracking(one).in(reading.get().points()));
    }
    if (each.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(proposal(policy, largest(each), Direction.IN));
  }

  /** Where policies disagree, the one that wants most wins, for scaling in as for scaling out. */
  private IntUnaryOperator withCompanions(Policy policy, IntUnaryOperator wanted, Instant at) {
    List<IntUnaryOperator> each = new ArrayList<>(List.of(wanted));
    for (Policy one : store.read(tx -> Policies.of(tx, policy.target()))) {
      if (one.tracks()) {
        one.policy().alarms().stream()
            .map(alarm -> alarm.alarmName())
            .filter(TrackingAlarms::isHigh)
            .findFirst()
            .flatMap(alarm -> readings.of(alarm, at, null))
            .flatMap(Reading::latest)
            .ifPresent(metric -> {
              IntUnaryOperator tracked = count -> tracking(one).wanted(count, metric);
              each.add(count -> Math.min(count, tracked.applyAsInt(count)));
            });
      }
    }
    return largest(each);
  }

  private static IntUnaryOperator largest(List<IntUnaryOperator> each) {
    return count -> each.stream().mapToInt(one -> one.applyAsInt(count)).max().orElse(count);
  }

  private static Optional<String> low(Policy policy) {
    return policy.policy().alarms().stream()
        .map(alarm -> alarm.alarmName())
        .filter(name -> !TrackingAlarms.isHigh(name))
        .findFirst();
  }

  private static TargetTracking tracking(Policy policy) {
    return new TargetTracking(
        policy.policy().targetTrackingScalingPolicyConfiguration().targetValue());
  }

  private static Proposal proposal(Policy policy, IntUnaryOperator wanted, Direction direction) {
    TargetTrackingScalingPolicyConfiguration tracking =
        policy.policy().targetTrackingScalingPolicyConfiguration();
    return new Proposal(
        wanted,
        wanted,
        direction,
        Objects.requireNonNullElse(tracking.scaleOutCooldown(), COOLDOWN),
        Objects.requireNonNullElse(tracking.scaleInCooldown(), COOLDOWN));
  }
}
