package dev.muelle.services.autoscaling.policy;

import dev.muelle.scaling.Adjustment;
import dev.muelle.scaling.StepScaling;
import dev.muelle.services.RequestLabel;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Refuse;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.Metric;
import software.amazon.awssdk.services.autoscaling.model.MetricType;
import software.amazon.awssdk.services.autoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.autoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.autoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.autoscaling.model.StepAdjustment;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingConfiguration;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.autoscaling.model.TargetTrackingMetricStat;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * What a policy may say.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html">PutScalingPolicy</a>
 */
final class PolicyRules {

  /** {@code app/web/50dc6c495c0c9188/targetgroup/web/943f017f100becff} */
  private static final int MOST_OF_A_GROUP = 50; // the default quota

  private static final Set<Integer> PERIODS = Set.of(10, 30, 60); // s
  private static final Set<String> COMMON =
      Set.of("AutoScalingGroupName", "PolicyName", "PolicyType", "Enabled");

  private PolicyRules() {}

  static Adjustment adjustment(@Nullable String type) {
    return switch (Refuse.required("adjustmentType", type)) {
      case "ChangeInCapacity" -> Adjustment.CHANGE_IN_CAPACITY;
      case "ExactCapacity" -> Adjustment.EXACT_CAPACITY;
      case "PercentChangeInCapacity" -> Adjustment.PERCENT_CHANGE_IN_CAPACITY;
      default ->
          throw Refuse.invalid(
              "Adjustment type "
                  + type
                  + " is not valid. Valid values are ChangeInCapacity, ExactCapacity and"
                  + " PercentChangeInCapacity.");
    };
  }

  static List<StepScaling.Step> steps(List<StepAdjustment> given) {
    return given.stream()
        .map(step ->
            new StepScaling.Step(
                step.metricIntervalLowerBound(),
                step.metricIntervalUpperBound(),
                Refuse.required("stepAdjustments.scalingAdjustment", step.scalingAdjustment())))
        .toList();
  }

  static void check(PutScalingPolicyRequest request, String type) {
    switch (type) {
      case PolicyRecord.SIMPLE -> simple(request);
      case PolicyRecord.STEPS -> stepping(request);
      case PolicyRecord.TRACKING -> tracking(request);
      case "PredictiveScaling" -> throw Refuse.unsupported("PolicyType with the value " + type);
      default ->
          throw Refuse.invalid(
              "Policy type "
                  + type
                  + " is not valid. Valid values are SimpleScaling, StepScaling,"
                  + " TargetTrackingScaling and PredictiveScaling.");
    }
  }

  /** What a policy may be beside the others of its group, and what was there before it. */
  static void checkBeside(
      List<PolicyRecord> all, Optional<PolicyRecord> before, ScalingPolicy policy) {
    if (before.isEmpty() && all.size() >= MOST_OF_A_GROUP) {
      throw Refuse.tooMany("A group has at most " + MOST_OF_A_GROUP + " scaling policies.");
    }
    if (before.isPresent() && !before.get().policy().policyType().equals(policy.policyType())) {
      throw Refuse.invalid(
          "The type of the policy " + policy.policyName() + " can not be changed.");
    }
    TargetTrackingConfiguration tracking = policy.targetTrackingConfiguration();
    if (tracking == null) {
      return;
    }
    boolean same =
        all.stream()
            .filter(other -> !other.arn().equals(policy.policyARN()))
            .map(other -> other.policy().targetTrackingConfiguration())
            .anyMatch(other -> other != null && sameMetric(other, tracking));
    if (same) {
      throw Refuse.invalid(
          "Only one TargetTrackingScaling policy for a given metric specification is allowed.");
    }
  }

  private static boolean sameMetric(
      TargetTrackingConfiguration one, TargetTrackingConfiguration other) {
    return Objects.equals(
            one.predefinedMetricSpecification(), other.predefinedMetricSpecification())
        && Objects.equals(
            one.customizedMetricSpecification(), other.customizedMetricSpecification());
  }

  /**
   * Refuses requests that are not the group's own.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html">PredefinedMetricSpecification</a>:
   *     "You can't specify a resource label unless the target group is attached to the Auto Scaling
   *     group."
   */
  static void checkRequests(
      PutScalingPolicyRequest request, GroupRecord group, ElasticLoadBalancingV2Client elb) {
    TargetTrackingConfiguration tracking = request.targetTrackingConfiguration();
    if (tracking == null || tracking.predefinedMetricSpecification() == null) {
      return;
    }
    RequestLabel.parse(tracking.predefinedMetricSpecification().resourceLabel())
        .ifPresent(label -> {
          String arn =
              label
                  .among(group.group().targetGroupARNs())
                  .orElseThrow(
                      () -> Refuse.invalid("Target group not attached to the Auto Scaling group"));
          if (!label.routed(elb, arn)) {
            throw Refuse.invalid(RequestLabel.NOT_ROUTED);
          }
        });
  }

  private static void only(PutScalingPolicyRequest request, String type, Set<String> more) {
    Set<String> all = new HashSet<>(COMMON);
    all.addAll(more);
    for (var field : request.sdkFields()) {
      Object value = field.getValueOrDefault(request);
      boolean empty = value == null || (value instanceof List<?> list && list.isEmpty());
      if (!empty && !all.contains(field.memberName())) {
        throw Refuse.invalid(
            field.memberName() + " can not be specified for the policy type " + type);
      }
    }
  }

  private static void simple(PutScalingPolicyRequest request) {
    only(
        request,
        PolicyRecord.SIMPLE,
        Set.of(
            "AdjustmentType",
            "ScalingAdjustment",
            "Cooldown",
            "MinAdjustmentMagnitude",
            "MinAdjustmentStep"));
    Refuse.required("scalingAdjustment", request.scalingAdjustment());
    adjusting(request);
  }

  private static void adjusting(PutScalingPolicyRequest request) {
    Adjustment adjustment = adjustment(request.adjustmentType());
    boolean magnitude =
        request.minAdjustmentMagnitude() != null || request.minAdjustmentStep() != null;
    if (magnitude && adjustment != Adjustment.PERCENT_CHANGE_IN_CAPACITY) {
      throw Refuse.invalid(
          "MinAdjustmentMagnitude can only be specified for the adjustment type"
              + " PercentChangeInCapacity");
    }
    boolean negative =
        request.scalingAdjustment() != null
            && request.scalingAdjustment() < 0
            && adjustment == Adjustment.EXACT_CAPACITY;
    if (negative) {
      throw Refuse.invalid("ScalingAdjustment must not be negative for ExactCapacity");
    }
    Refuse.unlessWithin("cooldown", request.cooldown(), 0, Integer.MAX_VALUE);
  }

  private static void stepping(PutScalingPolicyRequest request) {
    only(
        request,
        PolicyRecord.STEPS,
        Set.of(
            "AdjustmentType",
            "StepAdjustments",
            "MinAdjustmentMagnitude",
            "EstimatedInstanceWarmup",
            "MetricAggregationType"));
    adjusting(request);
    StepScaling.fault(steps(request.stepAdjustments()))
        .ifPresent(fault -> {
          throw Refuse.invalid(fault);
        });
    String aggregation = request.metricAggregationType();
    if (aggregation != null && !Set.of("Minimum", "Maximum", "Average").contains(aggregation)) {
      throw Refuse.invalid(
          "MetricAggregationType " + aggregation + " is not one of Minimum, Maximum and Average");
    }
    Refuse.unlessWithin("estimatedInstanceWarmup", request.estimatedInstanceWarmup(), 0, 3600);
  }

  private static void tracking(PutScalingPolicyRequest request) {
    only(
        request,
        PolicyRecord.TRACKING,
        Set.of("TargetTrackingConfiguration", "EstimatedInstanceWarmup"));
    Refuse.unlessWithin("estimatedInstanceWarmup", request.estimatedInstanceWarmup(), 0, 3600);
    TargetTrackingConfiguration how =
        Refuse.required("targetTrackingConfiguration", request.targetTrackingConfiguration());
    double target = Refuse.required("targetValue", how.targetValue());
    if (!(target > 0) || Double.isInfinite(target)) {
      throw Refuse.invalid("TargetValue must be a positive number, was " + target);
    }
    PredefinedMetricSpecification predefined = how.predefinedMetricSpecification();
    CustomizedMetricSpecification customized = how.customizedMetricSpecification();
    if ((predefined == null) == (customized == null)) {
      throw Refuse.invalid(
          "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be"
              + " specified");
    }
    if (predefined != null) {
      predefined(predefined);
    } else {
      customized(Objects.requireNonNull(customized));
    }
  }

  private static void predefined(PredefinedMetricSpecification metric) {
    boolean requests = metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET;
    Refuse.required("predefinedMetricType", metric.predefinedMetricTypeAsString());
    if (metric.predefinedMetricType() == MetricType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "Predefined metric type " + metric.predefinedMetricTypeAsString() + " is not valid");
    }
    if (requests && RequestLabel.parse(metric.resourceLabel()).isEmpty()) {
      throw Refuse.invalid(
          "The resource label "
              + metric.resourceLabel()
              + " is not valid. It must be like"
              + " app/name/id/targetgroup/name/id");
    }
    if (!requests && metric.resourceLabel() != null) {
      throw Refuse.invalid("A resource label can only be specified for ALBRequestCountPerTarget");
    }
  }

  private static void customized(CustomizedMetricSpecification metric) {
    if (metric.metrics().isEmpty()) {
      Refuse.required("metricName", metric.metricName());
      Refuse.required("namespace", metric.namespace());
      Refuse.required("statistic", metric.statisticAsString());
      period(metric.period());
      return;
    }
    boolean one =
        !metric.dimensions().isEmpty()
            || Stream.of(
                    metric.metricName(),
                    metric.namespace(),
                    metric.statisticAsString(),
                    metric.unit(),
                    metric.period())
                .anyMatch(Objects::nonNull);
    if (one) {
      throw Refuse.invalid("Metrics cannot be combined with the members of a single metric");
    }
    metric.metrics().forEach(PolicyRules::query);
  }

  /** The rest is CloudWatch's to say, which has to evaluate it. */
  private static void query(TargetTrackingMetricDataQuery query) {
    Refuse.required("metrics.id", query.id());
    period(query.period());
    TargetTrackingMetricStat stat = query.metricStat();
    if (stat == null) {
      return;
    }
    Metric metric = Refuse.required("metrics.metricStat.metric", stat.metric());
    Refuse.required("metrics.metricStat.metric.namespace", metric.namespace());
    Refuse.required("metrics.metricStat.metric.metricName", metric.metricName());
    Refuse.required("metrics.metricStat.stat", stat.stat());
    period(stat.period());
    if (stat.period() != null && query.period() != null && !stat.period().equals(query.period())) {
      throw Refuse.invalid(
          "The query " + query.id() + " has another Period than its MetricStat has.");
    }
  }

  /**
   * How often a policy looks at a metric.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/policy-creating-high-resolution-metrics.html">Create
   *     a target tracking policy using high-resolution metrics for faster response</a>
   */
  private static void period(@Nullable Integer seconds) {
    if (seconds != null && !PERIODS.contains(seconds)) {
      throw Refuse.invalid("Period " + seconds + " is not valid. Valid values are 10, 30 and 60.");
    }
  }
}
