package dev.muelle.services.autoscaling.policy;

import static dev.muelle.services.TrackingAlarms.dimension;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.TrackingAlarms;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.autoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.MetricType;
import software.amazon.awssdk.services.autoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingConfiguration;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
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

  private final TrackingAlarms alarms;
  private final CloudWatchClient cloudWatch;

  PolicyAlarms(Scope scope, Ids ids, CloudWatchClient cloudWatch) {
    this.alarms = new TrackingAlarms(scope, ids, cloudWatch);
    this.cloudWatch = cloudWatch;
  }

  /** The alarms of a policy; those that it has already keep their names. */
  List<Alarm> of(PolicyRecord policy, List<Alarm> before) {
    if (!policy.tracks()) {
      return List.of();
    }
    return alarms.names(policy.group(), policy.scalesIn(), names(before)).stream()
        .map(name -> Alarm.builder().alarmName(name).alarmARN(alarms.arn(name)).build())
        .toList();
  }

  private static List<String> names(List<Alarm> alarms) {
    return alarms.stream().map(Alarm::alarmName).toList();
  }

  /** Has them as the policy wants them; may be repeated. */
  void put(ScalingPolicy policy) {
    for (Alarm alarm : policy.alarms()) {
      cloudWatch.putMetricAlarm(request(policy, alarm.alarmName()));
    }
  }

  /** Puts those that are not there. */
  void complete(ScalingPolicy policy) {
    if (alarms.incomplete(names(policy.alarms()))) {
      put(policy);
    }
  }

  /** Deletes those of them that are there. */
  void delete(List<Alarm> some) {
    alarms.delete(names(some));
  }

  /** Those that are no longer among them. */
  static List<Alarm> without(List<Alarm> before, List<Alarm> now) {
    return before.stream()
        .filter(alarm -> now.stream().noneMatch(a -> a.alarmName().equals(alarm.alarmName())))
        .toList();
  }

  private static PutMetricAlarmRequest request(ScalingPolicy policy, String name) {
    TargetTrackingConfiguration tracking = policy.targetTrackingConfiguration();
    PutMetricAlarmRequest.Builder alarm =
        TrackingAlarms.request(name, policy.policyARN(), tracking.targetValue());
    return (tracking.predefinedMetricSpecification() == null
            ? customized(alarm, tracking.customizedMetricSpecification())
            : predefined(
                alarm, policy.autoScalingGroupName(), tracking.predefinedMetricSpecification()))
        .build();
  }

  private static PutMetricAlarmRequest.Builder predefined(
      PutMetricAlarmRequest.Builder alarm, String group, PredefinedMetricSpecification metric) {
    if (metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET) {
      return TrackingAlarms.requestsPerTarget(
          alarm, PolicyRules.LABEL.matcher(metric.resourceLabel()));
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
        .statistic(Statistic.AVERAGE)
        .period(TrackingAlarms.PERIOD);
  }

  private static PutMetricAlarmRequest.Builder customized(
      PutMetricAlarmRequest.Builder alarm, CustomizedMetricSpecification metric) {
    return alarm
        .namespace(metric.namespace())
        .metricName(metric.metricName())
        .dimensions(metric.dimensions().stream().map(d -> dimension(d.name(), d.value())).toList())
        .statistic(metric.statisticAsString())
        .unit(metric.unit())
        .period(TrackingAlarms.PERIOD);
  }
}
