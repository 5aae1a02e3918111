package dev.muelle.services.autoscaling.policy;

import dev.muelle.scaling.TargetTracking;
import dev.muelle.services.AlarmActions.Transition;
import dev.muelle.services.AlarmReadings;
import dev.muelle.services.AlarmReadings.Reading;
import dev.muelle.services.TrackingAlarms;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.store.Store;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * What policies that track a target make of a capacity. They neither grow nor shrink a group for
 * want of data.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html">Target
 *     tracking scaling policies</a>
 */
record Tracking(Store store, AlarmReadings readings) {

  private static TargetTracking target(PolicyRecord policy) {
    return new TargetTracking(policy.policy().targetTrackingConfiguration().targetValue());
  }

  /** As the last minute has it. */
  Optional<IntUnaryOperator> out(PolicyRecord policy, Transition call) {
    return readings
        .of(call.alarmName(), call.at(), null)
        .filter(reading -> reading.state() == call.to())
        .flatMap(Reading::latest)
        .map(metric -> target(policy).out(metric));
  }

  /**
   * A group shrinks only if all policies that track a target, and may scale in, are ready for it;
   * then the largest capacity wins. What was measured before the group last changed says nothing
   * about the instances that are left: it is not looked at.
   */
  Optional<IntUnaryOperator> in(PolicyRecord policy, Transition call) {
    Instant changed =
        store
            .read(tx -> GroupRecord.find(tx, policy.group()))
            .map(GroupRecord::changedAt)
            .orElse(Instant.EPOCH);
    List<IntUnaryOperator> each = new ArrayList<>();
    for (PolicyRecord one : store.read(tx -> PolicyRecord.of(tx, policy.group()))) {
      if (!one.scalesIn() || !one.enabled()) {
        continue;
      }
      Optional<Reading> ready =
          low(one)
              .flatMap(alarm -> readings.since(changed, alarm, call.at(), null))
              .filter(r -> r.state() == StateValue.ALARM && !r.points().isEmpty());
      if (ready.isEmpty()) {
        return Optional.empty();
      }
      each.add(target(one).in(ready.get().points()));
    }
    return each.isEmpty()
        ? Optional.empty()
        : Optional.of(
            count -> each.stream().mapToInt(one -> one.applyAsInt(count)).max().orElse(count));
  }

  private static Optional<String> low(PolicyRecord policy) {
    return policy.policy().alarms().stream()
        .map(Alarm::alarmName)
        .filter(Objects::nonNull)
        .filter(TrackingAlarms::isLow)
        .findFirst();
  }
}
