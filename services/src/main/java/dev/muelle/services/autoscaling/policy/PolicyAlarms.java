package dev.muelle.services.autoscaling.policy;

import static dev.muelle.services.TrackingAlarms.dimension;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.TrackingAlarms;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.Alarm;
import software.amazon.awssdk.services.autoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.Metric;
import software.amazon.awssdk.services.autoscaling.model.MetricType;
import software.amazon.awssdk.services.autoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingConfiguration;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingMetricStat;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
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
    String arn = policy.policyARN();
    double target = tracking.targetValue();
    CustomizedMetricSpecification own = tracking.customizedMetricSpecification();
    return (own == null
            ? predefined(
                TrackingAlarms.request(name, arn, target),
                policy.autoScalingGroupName(),
                tracking.predefinedMetricSpecification())
            : customized(TrackingAlarms.request(name, arn, target, period(own)), own))
        .build();
  }

  private static PutMetricAlarmRequest.Builder predefined(
      PutMetricAlarmRequest.Builder alarm, String group, PredefinedMetricSpecification metric) {
    if (metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET) {
      return TrackingAlarms.requestsPerTarget(alarm, metric.resourceLabel());
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

  /** The longest of its metrics': so often the alarm has a point to look at. */
  private static int period(CustomizedMetricSpecification metric) {
    return metric.metrics().isEmpty()
        ? orMinute(metric.period())
        : metric.metrics().stream()
            .map(query -> query.metricStat() == null ? query.period() : period(query))
            .filter(Objects::nonNull)
            .mapToInt(Integer::intValue)
            .max()
            .orElse(TrackingAlarms.PERIOD);
  }

  /** Of a query for a metric; both it and its metric may say it. */
  private static Integer period(TargetTrackingMetricDataQuery query) {
    Integer own = query.metricStat().period();
    return orMinute(own == null ? query.period() : own);
  }

  private static int orMinute(@Nullable Integer period) {
    return Objects.requireNonNullElse(period, TrackingAlarms.PERIOD);
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
        .period(orMinute(metric.period()));
  }

  private static MetricDataQuery query(TargetTrackingMetricDataQuery query) {
    MetricDataQuery.Builder same =
        MetricDataQuery.builder()
            .id(query.id())
            .expression(query.expression())
            .label(query.label())
            .returnData(query.returnData());
    TargetTrackingMetricStat stat = query.metricStat();
    if (stat == null) {
      return same.period(query.period()).build();
    }
    Metric metric = stat.metric();
    return same.metricStat(s ->
            s.metric(m ->
                    m.namespace(metric.namespace())
                        .metricName(metric.metricName())
                        .dimensions(
                            metric.dimensions().stream()
                                .map(d -> dimension(d.name(), d.value()))
                                .toList()))
                .stat(stat.stat())
                .unit(stat.unit())
                .period(period(query)))
        .build();
  }
}
