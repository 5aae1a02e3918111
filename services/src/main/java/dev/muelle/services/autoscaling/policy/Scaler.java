package dev.muelle.services.autoscaling.policy;

import dev.muelle.scaling.Adjustment;
import dev.muelle.scaling.Cooldown;
import dev.muelle.scaling.Decision;
import dev.muelle.scaling.Decision.Direction;
import dev.muelle.scaling.StepScaling;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmReadings;
import dev.muelle.services.Scope;
import dev.muelle.services.TrackingAlarms;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.ExecutePolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.ExecutePolicyResponse;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;

/**
 * Does what policies say, when alarms or somebody's hand call for it.
 *
 * <p>A simple policy waits for the activities that are under way, and for the cooldown after the
 * last. The others go on meanwhile: instances that are warming up count as there when more are
 * asked for, and keep fewer from being asked for; those that are on their way out still count when
 * fewer are.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html">Step
 *     and simple scaling policies</a>
 */
public final class Scaler implements AlarmActions {

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final AlarmReadings readings;
  private final Tracking tracking;
  private final Consumer<String> wake;

  public Scaler(
      Scope scope,
      Store store,
      InstantSource clock,
      CloudWatchClient cloudWatch,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.readings = new AlarmReadings(cloudWatch);
    this.tracking = new Tracking(store, readings);
    this.wake = wake;
  }

  /** Why a capacity is changed, and by which alarm's call; null where somebody calls by hand. */
  private record Call(String cause, @Nullable Transition alarm) {}

  @Override
  public boolean takes(String action) {
    return action.startsWith(scope.arn("autoscaling", "scalingPolicy:"))
        && store.read(tx -> PolicyRecord.byArn(tx, action)).isPresent();
  }

  /**
   * What an alarm asks for.
   *
   * @throws IllegalStateException that says why nothing was done; the alarm's history shows it
   */
  @Override
  public void perform(String action, Transition alarm) {
    PolicyRecord policy =
        store
            .read(tx -> PolicyRecord.byArn(tx, action))
            .orElseThrow(() -> new IllegalStateException("No scaling policy found for " + action));
    if (!policy.enabled()) {
      return;
    }
    String cause =
        "a monitor alarm "
            + alarm.alarmName()
            + " in state "
            + alarm.to()
            + " triggered policy "
            + policy.policy().policyName();
    Call call = new Call(cause, alarm);
    if (policy.tracks()) {
      if (TrackingAlarms.isHigh(alarm.alarmName())) {
        tracking.out(policy, alarm).ifPresent(to -> scale(policy, to, Direction.OUT, call));
      } else {
        tracking.in(policy, alarm).ifPresent(to -> scale(policy, to, Direction.IN, call));
      }
    } else if (policy.policy().policyType().equals(PolicyRecord.STEPS)) {
      readings
          .of(alarm.alarmName(), alarm.at(), policy.policy().metricAggregationType())
          .filter(reading -> reading.state() == alarm.to())
          .ifPresent(reading ->
              reading
                  .latest()
                  .flatMap(metric -> wanted(policy, metric, reading.threshold()))
                  .ifPresent(to -> scale(policy, to, Direction.EITHER, call)));
    } else {
      simply(policy, true, call);
    }
  }

  private static Optional<IntUnaryOperator> wanted(
      PolicyRecord policy, double metric, double threshold) {
    return new StepScaling(
            PolicyRules.adjustment(policy.policy().adjustmentType()),
            PolicyRules.steps(policy.policy().stepAdjustments()),
            magnitude(policy.policy()))
        .wanted(metric, threshold);
  }

  private static int magnitude(ScalingPolicy policy) {
    return policy.minAdjustmentMagnitude() != null
        ? policy.minAdjustmentMagnitude()
        : Objects.requireNonNullElse(policy.minAdjustmentStep(), 0);
  }

  /** Moves a group, with its instances in mind that are warming up, or on their way out. */
  private void scale(PolicyRecord policy, IntUnaryOperator wanted, Direction direction, Call call) {
    Instant now = clock.instant();
    boolean changed =
        store.write(tx -> {
          Optional<GroupRecord> found = callable(tx, policy, call);
          if (found.isEmpty()) {
            return false;
          }
          GroupRecord group = found.get();
          Duration warmup = Warmup.of(policy.policy(), group);
          List<Member> members = Member.live(tx, group.name());
          int warm = (int) members.stream().filter(m -> Warmup.over(m, warmup, now)).count();
          boolean warming = warm < group.group().desiredCapacity();
          // what is warming up was added since the base: only a larger growth goes through
          Cooldown added = warming ? new Cooldown(true, warm, null, warmup) : null;
          IntUnaryOperator to =
              direction == Direction.EITHER
                  ? withLeaving(wanted, group.group().desiredCapacity(), members)
                  : wanted;
          Decision decision =
              Decision.decide(situation(group, !warming), to, direction, added, now);
          return apply(tx, group, decision, call.cause(), null, now);
        });
    if (changed) {
      wake.accept(policy.group());
    }
  }

  /**
   * "Instances that are terminating are considered part of the current capacity", from the moment
   * in which they are not wanted.
   */
  private static IntUnaryOperator withLeaving(
      IntUnaryOperator wanted, int desired, List<Member> members) {
    long there = members.stream().filter(m -> m.inService() || m.going()).count();
    int leaving = (int) Math.max(0, there - desired);
    return capacity -> {
      int to = wanted.applyAsInt(capacity);
      return to < capacity ? Math.min(capacity, wanted.applyAsInt(capacity + leaving)) : to;
    };
  }

  /** The group, unless it is gone, or does not listen to alarms, or was called by this already. */
  private static Optional<GroupRecord> callable(Tx tx, PolicyRecord policy, Call call) {
    Optional<GroupRecord> group = GroupRecord.find(tx, policy.group()).filter(g -> !g.deleting());
    Transition alarm = call.alarm();
    if (alarm == null) {
      return group;
    }
    Optional<PolicyRecord> current = PolicyRecord.byArn(tx, policy.arn());
    if (current.isEmpty() || current.get().hasAnswered(alarm.alarmName(), alarm.at())) {
      return Optional.empty();
    }
    current.get().answering(alarm.alarmName(), alarm.at()).put(tx);
    return group.filter(g -> ScalingProcess.ALARM_NOTIFICATION.runs(g.group()));
  }

  private static Decision.Situation situation(GroupRecord group, boolean shrinking) {
    return new Decision.Situation(
        group.group().desiredCapacity(),
        group.group().minSize(),
        group.group().maxSize(),
        true,
        shrinking,
        false);
  }

  /**
   * Says whether it changed something.
   *
   * @param cooldown the policy's own, in seconds; null for the group's
   */
  private static boolean apply(
      Tx tx,
      GroupRecord group,
      Decision decision,
      String cause,
      @Nullable Integer cooldown,
      Instant now) {
    return switch (decision) {
      case Decision.Stay stay -> false;
      case Decision.Scale scale -> {
        int before = group.group().desiredCapacity();
        String why =
            "%s changing the desired capacity from %d to %d.".formatted(cause, before, scale.to());
        group
            .with(g -> g.desiredCapacity(scale.to()))
            .because(Causes.at(now, why))
            .cooling(cooldown)
            .changed(now)
            .put(tx);
        yield true;
      }
    };
  }

  /**
   * What a simple policy says.
   *
   * @param honour whether the cooldown is waited for
   * @return false if the cooldown is in the way
   */
  private boolean simply(PolicyRecord policy, boolean honour, Call call) {
    Instant now = clock.instant();
    boolean through =
        store.write(tx -> {
          Optional<GroupRecord> group = callable(tx, policy, call);
          if (group.isEmpty()) {
            return true;
          }
          if (honour && group.get().cools(tx, now)) {
            return false;
          }
          Adjustment adjustment = PolicyRules.adjustment(policy.policy().adjustmentType());
          int amount = policy.policy().scalingAdjustment();
          int least = magnitude(policy.policy());
          Decision decision =
              Decision.decide(
                  situation(group.get(), true),
                  capacity -> adjustment.apply(capacity, amount, least),
                  Direction.EITHER,
                  null,
                  now);
          apply(tx, group.get(), decision, call.cause(), policy.policy().cooldown(), now);
          return true;
        });
    wake.accept(policy.group());
    return through;
  }

  /** By hand. */
  public ExecutePolicyResponse execute(ExecutePolicyRequest request) {
    PolicyRecord policy =
        store.read(tx -> {
          if (request.autoScalingGroupName() != null) {
            GroupRecord.get(tx, request.autoScalingGroupName());
          }
          return PolicyRecord.find(tx, request.autoScalingGroupName(), request.policyName())
              .orElseThrow(() -> Refuse.invalid("Policy not found: " + request.policyName()));
        });
    Call call = new Call("a user request executed policy " + policy.policy().policyName(), null);
    switch (policy.policy().policyType()) {
      case PolicyRecord.STEPS -> step(policy, request, call);
      case PolicyRecord.SIMPLE -> simple(policy, request, call);
      default ->
          throw Refuse.invalid("A policy that tracks a target can not be executed by request.");
    }
    return ExecutePolicyResponse.builder().build();
  }

  private void step(PolicyRecord policy, ExecutePolicyRequest request, Call call) {
    double metric = Refuse.required("metricValue", request.metricValue());
    double threshold = Refuse.required("breachThreshold", request.breachThreshold());
    if (request.honorCooldown() != null) {
      throw Refuse.invalid("HonorCooldown can not be specified for a step scaling policy");
    }
    IntUnaryOperator to =
        wanted(policy, metric, threshold)
            .orElseThrow(() ->
                Refuse.invalid(
                    "There is no step adjustment for the metric value "
                        + metric
                        + " and the breach threshold "
                        + threshold));
    scale(policy, to, Direction.EITHER, call);
  }

  private void simple(PolicyRecord policy, ExecutePolicyRequest request, Call call) {
    if (request.metricValue() != null || request.breachThreshold() != null) {
      throw Refuse.invalid(
          "MetricValue and BreachThreshold can only be specified for a step scaling policy");
    }
    if (!simply(policy, Boolean.TRUE.equals(request.honorCooldown()), call)) {
      throw Refuse.inProgress(
          "The group " + policy.group() + " is in its cooldown period, or in an activity.");
    }
  }
}
