package dev.muelle.services.applicationautoscaling;

import dev.muelle.scaling.Cooldown;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalableTarget;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingActivity;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.applicationautoscaling.model.ScheduledAction;

/** What is stored. */
final class State {

  private State() {}

  /** By resource id. */
  static final Table<Target> TARGETS =
      Table.of("applicationautoscaling.targets", StoredJson.codec(Target.class))
          .index("arn", target -> target.target().scalableTargetARN())
          .remember();

  /** By target and name. */
  static final Table<Policy> POLICIES =
      Table.of("applicationautoscaling.policies", StoredJson.codec(Policy.class))
          .index("arn", policy -> policy.policy().policyARN())
          .remember();

  /** By target and name. */
  static final Table<Action> ACTIONS =
      Table.of("applicationautoscaling.actions", StoredJson.codec(Action.class)).remember();

  /** By target, latest first. */
  static final Table<Activity> ACTIVITIES =
      Table.of("applicationautoscaling.activities", StoredJson.codec(Activity.class))
          .index("open", activity -> activity.open() ? activity.activity().resourceId() : null);

  /**
   * A scalable target.
   *
   * @param cooling of the last activity that a policy began
   * @param moved whether its bounds have changed since its capacity was last compared with them
   */
  record Target(
      ScalableTarget target, Map<String, String> tags, @Nullable Cooling cooling, boolean moved) {

    TargetKey key() {
      return new TargetKey(target.resourceId());
    }

    int min() {
      return target.minCapacity();
    }

    int max() {
      return target.maxCapacity();
    }

    Target with(ScalableTarget other) {
      return new Target(other, tags, cooling, moved);
    }

    Target withTags(Map<String, String> other) {
      return new Target(target, Map.copyOf(new TreeMap<>(other)), cooling, moved);
    }

    Target withCooling(@Nullable Cooling other) {
      return new Target(target, tags, other, moved);
    }

    Target withMoved(boolean other) {
      return new Target(target, tags, cooling, other);
    }
  }

  /** A {@link Cooldown} as it is stored. */
  record Cooling(boolean out, int base, @Nullable Instant began, long seconds) {

    Cooldown cooldown() {
      return new Cooldown(out, base, began, Duration.ofSeconds(seconds));
    }

    Cooling begun(Instant at) {
      return began == null ? new Cooling(out, base, at, seconds) : this;
    }
  }

  /**
   * A policy.
   *
   * @param answered the latest call of each of its alarms that was answered
   */
  record Policy(ScalingPolicy policy, Map<String, Instant> answered) {

    TargetKey target() {
      return new TargetKey(policy.resourceId());
    }

    String key() {
      return target().of(policy.policyName());
    }

    boolean tracks() {
      return policy.targetTrackingScalingPolicyConfiguration() != null;
    }

    boolean scalesIn() {
      return !Boolean.TRUE.equals(
          policy.targetTrackingScalingPolicyConfiguration().disableScaleIn());
    }

    /** This policy, which has answered an alarm's call of this time. */
    Policy answering(String alarm, Instant at) {
      Map<String, Instant> now = new TreeMap<>(answered);
      now.put(alarm, at);
      return new Policy(policy, Map.copyOf(now));
    }

    boolean hasAnswered(String alarm, Instant at) {
      Instant last = answered.get(alarm);
      return last != null && last.equals(at);
    }
  }

  /**
   * A scheduled action.
   *
   * @param from when it was put, or last ran: it is due the first time after this
   */
  record Action(ScheduledAction action, Instant from) {

    TargetKey target() {
      return new TargetKey(action.resourceId());
    }

    String key() {
      return target().of(action.scheduledActionName());
    }
  }

  /**
   * A scaling activity.
   *
   * @param before the capacity before it
   * @param desired the capacity that it sets
   * @param open whether it is pending or in progress
   */
  record Activity(ScalingActivity activity, int before, int desired, boolean open) {}
}
