package dev.muelle.services.applicationautoscaling;

import dev.muelle.scaling.TargetTracking;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.applicationautoscaling.State.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import software.amazon.awssdk.services.applicationautoscaling.model.Alarm;
import software.amazon.awssdk.services.applicationautoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.MetricType;
import software.amazon.awssdk.services.applicationautoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingScalingPolicyConfiguration;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
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

  /** The alarms of a policy, those that it has already under the names that they have. */
  List<Alarm> of(TargetKey key, Policy policy, List<Alarm> before) {
    if (!policy.tracks()) {
      return List.of();
    }
    List<Alarm> alarms = new ArrayList<>();
    alarms.add(one(key, HIGH, before));
    if (policy.scalesIn()) {
      alarms.add(one(key, LOW, before));
    }
    return alarms;
  }

  private Alarm one(TargetKey key, String which, List<Alarm> before) {
    return before.stream()
        .filter(alarm -> alarm.alarmName().contains(which))
        .findFirst()
        .orElseGet(() -> {
          String name = "TargetTracking-" + key.resourceId() + which + ids.uuid();
          String arn = scope.arn("cloudwatch", "alarm:" + name);
          return Alarm.builder().alarmName(name).alarmARN(arn).build();
        });
  }

  /** Has them as the policy wants them; may be repeated. */
  void put(Policy policy) {
    for (Alarm alarm : policy.policy().alarms()) {
      cloudWatch.putMetricAlarm(request(policy, alarm.alarmName()));
    }
  }

  /** Puts those that are not there: an earlier server died before it had put them. */
  void complete(Policy policy) {
    List<Alarm> alarms = policy.policy().alarms();
    if (!alarms.isEmpty() && existing(alarms).size() < alarms.size()) {
      put(policy);
    }
  }

  /** Deletes those of them that are there. */
  void delete(List<Alarm> alarms) {
    List<String> names = existing(alarms);
    if (!names.isEmpty()) {
      cloudWatch.deleteAlarms(r -> r.alarmNames(names));
    }
  }

  private List<String> existing(List<Alarm> alarms) {
    if (alarms.isEmpty()) {
      return List.of();
    }
    List<String> names = alarms.stream().map(Alarm::alarmName).toList();
    return cloudWatch
        .describeAlarms(r -> r.alarmNames(names).maxRecords(MOST_AT_ONCE))
        .metricAlarms()
        .stream()
        .map(MetricAlarm::alarmName)
        .toList();
  }

  private static PutMetricAlarmRequest request(Policy policy, String name) {
    TargetTrackingScalingPolicyConfiguration tracking =
        policy.policy().targetTrackingScalingPolicyConfiguration();
    TargetTracking target = new TargetTracking(tracking.targetValue());
    String arn = policy.policy().policyARN();
    boolean high = isHigh(name);
    PutMetricAlarmRequest.Builder alarm =
        PutMetricAlarmRequest.builder()
            .alarmName(name)
            .alarmDescription(
                "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + arn + ".")
            .alarmActions(arn)
            .evaluationPeriods(high ? TargetTracking.HIGH_PERIODS : TargetTracking.LOW_PERIODS)
            .threshold(high ? target.target() : target.lowThreshold())
            .comparisonOperator(
                high
                    ? ComparisonOperator.GREATER_THAN_THRESHOLD
                    : ComparisonOperator.LESS_THAN_THRESHOLD);
    if (tracking.predefinedMetricSpecification() != null) {
      return predefined(alarm, policy, tracking.predefinedMetricSpecification()).build();
    }
    return customized(alarm, tracking.customizedMetricSpecification()).build();
  }

  private static PutMetricAlarmRequest.Builder predefined(
      PutMetricAlarmRequest.Builder alarm, Policy policy, PredefinedMetricSpecification metric) {
    alarm.period(PERIOD);
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
    boolean cpu = metric.predefinedMetricType() == MetricType.ECS_SERVICE_AVERAGE_CPU_UTILIZATION;
    return alarm
        .namespace("AWS/ECS")
        .metricName(cpu ? "CPUUtilization" : "MemoryUtilization")
        .dimensions(
            dimension("ClusterName", policy.target().cluster()),
            dimension("ServiceName", policy.target().service()))
        .statistic(Statistic.AVERAGE)
        .unit("Percent");
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
        .period(PERIOD);
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
              .period(PERIOD)
              .build());
    }
    return same.build();
  }

  private static Dimension dimension(String name, String value) {
    return Dimension.builder().name(name).value(value).build();
  }

  /** Those that are no longer among them. */
  static List<Alarm> without(List<Alarm> before, List<Alarm> now) {
    return before.stream()
        .filter(alarm -> now.stream().noneMatch(a -> a.alarmName().equals(alarm.alarmName())))
        .toList();
  }
}
