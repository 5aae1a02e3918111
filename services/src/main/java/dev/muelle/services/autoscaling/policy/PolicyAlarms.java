package dev.muelle.services.autoscaling.policy;

import dev.muelle.scaling.TargetTracking;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.autoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.MetricType;
import software.amazon.awssdk.services.autoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingConfiguration;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/**
 * The two alarms that a target tracking policy has in CloudWatch: they are made, changed and
 * deleted with it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html">Target
 *     tracking scaling policies</a>
 */
final class PolicyAlarms {

  private static final int PERIOD = 60; // s
  private static final int MOST_AT_ONCE = 100;
  private static final String HIGH = "-AlarmHigh-";
  private static final String LOW = "-AlarmLow-";

  private final Scope scope;
  private final Ids ids;
  private final CloudWatchClient cloudWatch;

  PolicyAlarms(Scope scope, Ids ids, CloudWatchClient cloudWatch) {
    this.scope = scope;
    this.ids = ids;
    this.cloudWatch = cloudWatch;
  }

  static boolean isHigh(String alarm) {
    return alarm.contains(HIGH);
  }

  static boolean isLow(String alarm) {
    return alarm.contains(LOW);
  }

  /** The alarms of a policy; those that it has already keep their names. */
  List<Alarm> of(PolicyRecord policy, List<Alarm> before) {
    if (!policy.tracks()) {
      return List.of();
    }
    List<Alarm> alarms = new ArrayList<>();
    alarms.add(one(policy.group(), HIGH, before));
    if (policy.scalesIn()) {
      alarms.add(one(policy.group(), LOW, before));
    }
    return alarms;
  }

  private Alarm one(String group, String which, List<Alarm> before) {
    return before.stream()
        .filter(alarm -> alarm.alarmName().contains(which))
        .findFirst()
        .orElseGet(() -> {
          String name = "TargetTracking-" + group + which + ids.uuid();
          return Alarm.builder()
              .alarmName(name)
              .alarmARN(scope.arn("cloudwatch", "alarm:" + name))
              .build();
        });
  }

  /** Has them as the policy wants them; may be repeated. */
  void put(ScalingPolicy policy) {
    for (Alarm alarm : policy.alarms()) {
      cloudWatch.putMetricAlarm(request(policy, alarm.alarmName()));
    }
  }

  /** Puts those that are not there: an earlier server died before it had put them. */
  void complete(ScalingPolicy policy) {
    if (existing(policy.alarms()).size() < policy.alarms().size()) {
      put(policy);
    }
  }

  /** Deletes those of them that are there. */
  void delete(List<Alarm> alarms) {
    List<String> names = existing(alarms).stream().map(MetricAlarm::alarmName).toList();
    if (!names.isEmpty()) {
      cloudWatch.deleteAlarms(r -> r.alarmNames(names));
    }
  }

  /** Those that are no longer among them. */
  static List<Alarm> without(List<Alarm> before, List<Alarm> now) {
    return before.stream()
        .filter(alarm -> now.stream().noneMatch(a -> a.alarmName().equals(alarm.alarmName())))
        .toList();
  }

  private List<MetricAlarm> existing(List<Alarm> alarms) {
    if (alarms.isEmpty()) {
      return List.of();
    }
    List<String> names = alarms.stream().map(Alarm::alarmName).toList();
    return cloudWatch
        .describeAlarms(r -> r.alarmNames(names).maxRecords(MOST_AT_ONCE))
        .metricAlarms();
  }

  private static PutMetricAlarmRequest request(ScalingPolicy policy, String name) {
    TargetTrackingConfiguration tracking = policy.targetTrackingConfiguration();
    TargetTracking target = new TargetTracking(tracking.targetValue());
    boolean high = isHigh(name);
    PutMetricAlarmRequest.Builder alarm =
        PutMetricAlarmRequest.builder()
            .alarmName(name)
            .alarmDescription(
                "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "
                    + policy.policyARN()
                    + ".")
            .alarmActions(policy.policyARN())
            .period(PERIOD)
            .evaluationPeriods(high ? TargetTracking.HIGH_PERIODS : TargetTracking.LOW_PERIODS)
            .threshold(high ? target.target() : target.lowThreshold())
            .comparisonOperator(
                high
                    ? ComparisonOperator.GREATER_THAN_THRESHOLD
                    : ComparisonOperator.LESS_THAN_THRESHOLD);
    return (tracking.predefinedMetricSpecification() == null
            ? customized(alarm, tracking.customizedMetricSpecification())
            : predefined(
                alarm, policy.autoScalingGroupName(), tracking.predefinedMetricSpecification()))
        .build();
  }

  private static PutMetricAlarmRequest.Builder predefined(
      PutMetricAlarmRequest.Builder alarm, String group, PredefinedMetricSpecification metric) {
    if (metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET) {
      Matcher label = PolicyRules.LABEL.matcher(metric.resourceLabel());
      if (!label.matches()) {
        throw new IllegalStateException(metric.resourceLabel());
      }
      return alarm
          .namespace("AWS/ApplicationELB")
          .metricName("RequestCountPerTarget")
          .dimensions(
              dimension("LoadBalancer", label.group(1)), dimension("TargetGroup", label.group(2)))
          .statistic(Statistic.SUM);
    }
    return alarm
        .namespace("AWS/EC2")
        .metricName(
            switch (metric.predefinedMetricType()) {
              case ASG_AVERAGE_CPU_UTILIZATION -> "CPUUtilization";
              case ASG_AVERAGE_NETWORK_IN -> "NetworkIn";
              case ASG_AVERAGE_NETWORK_OUT -> "NetworkOut";
              case ALB_REQUEST_COUNT_PER_TARGET, UNKNOWN_TO_SDK_VERSION ->
                  throw new IllegalStateException(metric.predefinedMetricTypeAsString());
            })
        .dimensions(dimension("AutoScalingGroupName", group))
        .statistic(Statistic.AVERAGE);
  }

  private static PutMetricAlarmRequest.Builder customized(
      PutMetricAlarmRequest.Builder alarm, CustomizedMetricSpecification metric) {
    return alarm
        .namespace(metric.namespace())
        .metricName(metric.metricName())
        .dimensions(metric.dimensions().stream().map(d -> dimension(d.name(), d.value())).toList())
        .statistic(metric.statisticAsString())
        .unit(metric.unit());
  }

  private static Dimension dimension(String name, String value) {
    return Dimension.builder().name(name).value(value).build();
  }
}
