package dev.muelle.services.applicationautoscaling;

import static dev.muelle.services.TrackingAlarms.dimension;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.TrackingAlarms;
import dev.muelle.services.applicationautoscaling.State.Policy;
import java.util.List;
import software.amazon.awssdk.services.applicationautoscaling.model.Alarm;
import software.amazon.awssdk.services.applicationautoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.MetricType;
import software.amazon.awssdk.services.applicationautoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingScalingPolicyConfiguration;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricStat;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/**
 * The two alarms that a target tracking policy has in CloudWatch: they are made, changed and
 * deleted with it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html">How
 *     target tracking scaling for Application Auto Scaling works</a>
 */
final class PolicyAlarms {

  private final TrackingAlarms alarms;
  private final CloudWatchClient cloudWatch;

  PolicyAlarms(Scope scope, Ids ids, CloudWatchClient cloudWatch) {
    this.alarms = new TrackingAlarms(scope, ids, cloudWatch);
    this.cloudWatch = cloudWatch;
  }

  /** The alarms of a policy; those that it has already keep their names. */
  List<Alarm> of(TargetKey key, Policy policy, List<Alarm> before) {
    if (!policy.tracks()) {
      return List.of();
    }
    return alarms.names(key.resourceId(), policy.scalesIn(), names(before)).stream()
        .map(name -> Alarm.builder().alarmName(name).alarmARN(alarms.arn(name)).build())
        .toList();
  }

  private static List<String> names(List<Alarm> alarms) {
    return alarms.stream().map(Alarm::alarmName).toList();
  }

  /** Has them as the policy wants them; may be repeated. */
  void put(Policy policy) {
    for (Alarm alarm : policy.policy().alarms()) {
      cloudWatch.putMetricAlarm(request(policy, alarm.alarmName()));
    }
  }

  /** Puts those that are not there. */
  void complete(Policy policy) {
    if (alarms.incomplete(names(policy.policy().alarms()))) {
      put(policy);
    }
  }

  /** Deletes those of them that are there. */
  void delete(List<Alarm> some) {
    alarms.delete(names(some));
  }

  private static PutMetricAlarmRequest request(Policy policy, String name) {
    TargetTrackingScalingPolicyConfiguration tracking =
        policy.policy().targetTrackingScalingPolicyConfiguration();
    PutMetricAlarmRequest.Builder alarm =
        TrackingAlarms.request(name, policy.policy().policyARN(), tracking.targetValue());
    if (tracking.predefinedMetricSpecification() != null) {
      return predefined(alarm, policy, tracking.predefinedMetricSpecification()).build();
    }
    return customized(alarm, tracking.customizedMetricSpecification()).build();
  }

  private static PutMetricAlarmRequest.Builder predefined(
      PutMetricAlarmRequest.Builder alarm, Policy policy, PredefinedMetricSpecification metric) {
    if (metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET) {
      return TrackingAlarms.requestsPerTarget(alarm, metric.resourceLabel());
    }
    boolean cpu = metric.predefinedMetricType() == MetricType.ECS_SERVICE_AVERAGE_CPU_UTILIZATION;
    return alarm
        .namespace("AWS/ECS")
        .metricName(cpu ? "CPUUtilization" : "MemoryUtilization")
        .dimensions(
            dimension("ClusterName", policy.target().cluster()),
            dimension("ServiceName", policy.target().service()))
        .statistic(Statistic.AVERAGE)
        .unit("Percent")
        .period(TrackingAlarms.PERIOD);
  }

  private static PutMetricAlarmRequest.Builder customized(
      PutMetricAlarmRequest.Builder alarm, CustomizedMetricSpecification metric) {
    if (!metric.metrics().isEmpty()) {
      return alarm.metrics(metric.metrics().stream().map(PolicyAlarms::query).toList());
    }
    return alarm
        .namespace(metric.namespace())
        .metricName(metric.metricName())
        .dimensions(metric.dimensions().stream().map(d -> dimension(d.name(), d.value())).toList())
        .statistic(metric.statisticAsString())
        .unit(metric.unit())
        .period(TrackingAlarms.PERIOD);
  }

  private static MetricDataQuery query(TargetTrackingMetricDataQuery query) {
    MetricDataQuery.Builder same =
        MetricDataQuery.builder()
            .id(query.id())
            .expression(query.expression())
            .label(query.label())
            .returnData(query.returnData());
    if (query.metricStat() != null) {
      var stat = query.metricStat();
      same.metricStat(
          MetricStat.builder()
              .metric(m ->
                  m.namespace(stat.metric().namespace())
                      .metricName(stat.metric().metricName())
                      .dimensions(
                          stat.metric().dimensions().stream()
                              .map(d -> dimension(d.name(), d.value()))
                              .toList()))
              .stat(stat.stat())
              .unit(stat.unit())
              .period(TrackingAlarms.PERIOD)
              .build());
    }
    return same.build();
  }

  /** Those that are no longer among them. */
  static List<Alarm> without(List<Alarm> before, List<Alarm> now) {
    return before.stream()
        .filter(alarm -> now.stream().noneMatch(a -> a.alarmName().equals(alarm.alarmName())))
        .toList();
  }
}
