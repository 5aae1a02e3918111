package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.state.Refuse;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;

/**
 * The CloudWatch alarms that watch over a deployment.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html">How
 *     CloudWatch alarms detect Amazon ECS deployment failures</a>
 */
public final class Alarms {

  private static final int MOST = 100; // DescribeAlarms' page

  private final @Nullable CloudWatchClient cloudWatch;

  /**
   * Alarms.
   *
   * @param cloudWatch null where there is none: then alarms are refused
   */
  public Alarms(@Nullable CloudWatchClient cloudWatch) {
    this.cloudWatch = cloudWatch;
  }

  /**
   * What the alarms say now.
   *
   * @param ringing the names of those in state ALARM
   * @param bake how long a deployment stays watched once its tasks are all there: as long as the
   *     slowest of them takes to notice something
   */
  record State(Set<String> ringing, Duration bake) {
    static final State NONE = new State(Set.of(), Duration.ZERO);
  }

  /** Refuses alarms that could not be watched. */
  public void check(@Nullable DeploymentAlarms alarms) {
    if (alarms == null || !watched(alarms)) {
      return;
    }
    if (cloudWatch == null) {
      throw Refuse.invalid(
          "DeploymentConfiguration parameter alarms is not supported by this region yet.");
    }
    Set<String> missing = new HashSet<>(alarms.alarmNames());
    if (missing.isEmpty() || missing.size() > MOST) {
      throw Refuse.invalid("alarms.alarmNames must have between 1 and 100 items.");
    }
    DescribeAlarmsResponse found = describe(missing);
    found.metricAlarms().forEach(alarm -> missing.remove(alarm.alarmName()));
    found.compositeAlarms().forEach(alarm -> missing.remove(alarm.alarmName()));
    if (!missing.isEmpty()) {
      throw Refuse.invalid("The following alarms do not exist: " + missing);
    }
  }

  static boolean watched(@Nullable DeploymentAlarms alarms) {
    return alarms != null && Boolean.TRUE.equals(alarms.enable());
  }

  State state(@Nullable DeploymentAlarms alarms) {
    if (alarms == null || cloudWatch == null || !watched(alarms)) {
      return State.NONE;
    }
    DescribeAlarmsResponse found = describe(alarms.alarmNames());
    Set<String> ringing = new HashSet<>();
    long bake = 0; // s
    for (MetricAlarm alarm : found.metricAlarms()) {
      if (alarm.stateValue() == StateValue.ALARM) {
        ringing.add(alarm.alarmName());
      }
      int period = Objects.requireNonNullElse(alarm.period(), 0);
      int periods = Objects.requireNonNullElse(alarm.evaluationPeriods(), 0);
      bake = Math.max(bake, (long) period * periods);
    }
    for (CompositeAlarm alarm : found.compositeAlarms()) {
      if (alarm.stateValue() == StateValue.ALARM) {
        ringing.add(alarm.alarmName());
      }
    }
    return new State(ringing, Duration.ofSeconds(bake));
  }

  private DescribeAlarmsResponse describe(Collection<String> names) {
    return Objects.requireNonNull(cloudWatch)
        .describeAlarms(request ->
            request
                .alarmNames(names)
                .alarmTypes(AlarmType.METRIC_ALARM, AlarmType.COMPOSITE_ALARM)
                .maxRecords(MOST));
  }
}
