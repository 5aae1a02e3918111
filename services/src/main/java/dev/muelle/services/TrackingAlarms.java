package dev.muelle.services;

import dev.muelle.scaling.TargetTracking;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/**
 * The two alarms that a target tracking policy has in CloudWatch, whatever it scales: one that is
 * above the target, and, unless scaling in is disabled, one that is well below it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html">How
 *     target tracking scaling for Application Auto Scaling works</a>
 */
public record TrackingAlarms(Scope scope, Ids ids, CloudWatchClient cloudWatch) {

  /** Of the metrics that they look at, where nothing else is said; in seconds. */
  public static final int PERIOD = 60;

  private static final int MOST_AT_ONCE = 100;
  private static final String HIGH = "-AlarmHigh-";
  private static final String LOW = "-AlarmLow-";

  public static boolean isHigh(String alarm) {
    return alarm.contains(HIGH);
  }

  public static boolean isLow(String alarm) {
    return alarm.contains(LOW);
  }

  /** Their names; those that a policy has already stay. */
  public List<String> names(String resource, boolean scalesIn, List<String> before) {
    List<String> names = new ArrayList<>();
    names.add(name(resource, HIGH, before));
    if (scalesIn) {
      names.add(name(resource, LOW, before));
    }
    return names;
  }

  private String name(String resource, String which, List<String> before) {
    return before.stream()
        .filter(alarm -> alarm.contains(which))
        .findFirst()
        .orElseGet(() -> "TargetTracking-" + resource + which + ids.uuid());
  }

  public String arn(String name) {
    return scope.arn("cloudwatch", "alarm:" + name);
  }

  /** Whether one is missing: an earlier server died before it had put it. */
  public boolean incomplete(List<String> names) {
    return existing(names).size() < names.size();
  }

  /** Deletes those of them that are there. */
  public void delete(List<String> names) {
    List<String> there = existing(names);
    if (!there.isEmpty()) {
      cloudWatch.deleteAlarms(r -> r.alarmNames(there));
    }
  }

  private List<String> existing(List<String> names) {
    if (names.isEmpty()) {
      return List.of();
    }
    return cloudWatch
        .describeAlarms(r -> r.alarmNames(names).maxRecords(MOST_AT_ONCE))
        .metricAlarms()
        .stream()
        .map(MetricAlarm::alarmName)
        .toList();
  }

  /** What there is to say of one but its metric. */
  public static PutMetricAlarmRequest.Builder request(
      String name, String policyArn, double targetValue) {
    return request(name, policyArn, targetValue, PERIOD);
  }

  /**
   * The same for metrics of a high resolution: what is above the target is seen after as many of
   * the shorter periods; what is below it must be so for as long a time.
   *
   * @param period of the metrics, in seconds; a divisor of {@link #PERIOD}
   */
  public static PutMetricAlarmRequest.Builder request(
      String name, String policyArn, double targetValue, int period) {
    TargetTracking target = new TargetTracking(targetValue);
    boolean high = isHigh(name);
    return PutMetricAlarmRequest.builder()
        .alarmName(name)
        .alarmDescription(
            "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + policyArn + ".")
        .alarmActions(policyArn)
        .evaluationPeriods(
            high ? TargetTracking.HIGH_PERIODS : TargetTracking.LOW_PERIODS * (PERIOD / period))
        .threshold(high ? target.target() : target.lowThreshold())
        .comparisonOperator(
            high
                ? ComparisonOperator.GREATER_THAN_THRESHOLD
                : ComparisonOperator.LESS_THAN_THRESHOLD);
  }

  /**
   * The requests to a target group by its targets.
   *
   * @param resourceLabel one that was checked
   */
  public static PutMetricAlarmRequest.Builder requestsPerTarget(
      PutMetricAlarmRequest.Builder alarm, String resourceLabel) {
    RequestLabel label = RequestLabel.parse(resourceLabel).orElseThrow();
    return alarm
        .namespace("AWS/ApplicationELB")
        .metricName("RequestCountPerTarget")
        .dimensions(
            dimension("LoadBalancer", label.loadBalancer()),
            dimension("TargetGroup", label.targetGroup()))
        .statistic(Statistic.SUM)
        .period(PERIOD);
  }

  public static Dimension dimension(String name, String value) {
    return Dimension.builder().name(name).value(value).build();
  }
}
