package dev.muelle.services.applicationautoscaling;

import dev.muelle.scaling.Adjustment;
import dev.muelle.scaling.StepScaling;
import dev.muelle.services.RequestLabel;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.applicationautoscaling.model.AdjustmentType;
import software.amazon.awssdk.services.applicationautoscaling.model.CustomizedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.MetricAggregationType;
import software.amazon.awssdk.services.applicationautoscaling.model.MetricStatistic;
import software.amazon.awssdk.services.applicationautoscaling.model.MetricType;
import software.amazon.awssdk.services.applicationautoscaling.model.PolicyType;
import software.amazon.awssdk.services.applicationautoscaling.model.PredefinedMetricSpecification;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ScalingPolicy;
import software.amazon.awssdk.services.applicationautoscaling.model.StepScalingPolicyConfiguration;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingMetricDataQuery;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingMetricStat;
import software.amazon.awssdk.services.applicationautoscaling.model.TargetTrackingScalingPolicyConfiguration;

/**
 * What a policy may be. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html">PutScalingPolicy</a>
 */
final class PolicyRules {

  private static final Pattern NAME = Pattern.compile("\\p{Print}{1,256}");
  private static final Set<MetricType> OF_ECS =
      Set.of(
          MetricType.ECS_SERVICE_AVERAGE_CPU_UTILIZATION,
          MetricType.ECS_SERVICE_AVERAGE_MEMORY_UTILIZATION,
          MetricType.ALB_REQUEST_COUNT_PER_TARGET);
  private static final int MOST_STEPS = 20;

  private PolicyRules() {}

  static String name(@Nullable String name) {
    if (name == null) {
      throw Refuse.missing("policyName");
    }
    if (!NAME.matcher(name).matches()) {
      throw Refuse.constraint(
          name, "policyName", "Member must satisfy regular expression pattern: \\p{Print}+");
    }
    return name;
  }

  /**
   * Whose requests the policy counts; empty if none are asked for. The label was checked.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html">PredefinedMetricSpecification</a>
   */
  static Optional<RequestLabel> requests(PutScalingPolicyRequest request) {
    return Optional.ofNullable(request.targetTrackingScalingPolicyConfiguration())
        .map(TargetTrackingScalingPolicyConfiguration::predefinedMetricSpecification)
        .flatMap(metric -> RequestLabel.parse(metric.resourceLabel()));
  }

  /** The configuration asked for, in a policy that has nothing else yet. */
  static ScalingPolicy.Builder policy(PutScalingPolicyRequest request) {
    if (request.policyType() == PolicyType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          request.policyTypeAsString(),
          "policyType",
          "Member must satisfy enum value set: " + PolicyType.knownValues());
    }
    if (request.policyType() == PolicyType.PREDICTIVE_SCALING
        || request.predictiveScalingPolicyConfiguration() != null) {
      throw Refuse.unsupported("Predictive scaling (PolicyType PredictiveScaling)");
    }
    PolicyType type = Objects.requireNonNullElse(request.policyType(), PolicyType.STEP_SCALING);
    StepScalingPolicyConfiguration steps = request.stepScalingPolicyConfiguration();
    TargetTrackingScalingPolicyConfiguration tracking =
        request.targetTrackingScalingPolicyConfiguration();
    ScalingPolicy.Builder policy = ScalingPolicy.builder().policyType(type);
    if (type == PolicyType.STEP_SCALING) {
      if (steps == null || tracking != null) {
        throw Refuse.invalid(
            "StepScalingPolicyConfiguration, and no other, must be specified for policy type"
                + " StepScaling");
      }
      check(steps);
      return policy.stepScalingPolicyConfiguration(steps);
    }
    if (tracking == null || steps != null) {
      throw Refuse.invalid(
          "TargetTrackingScalingPolicyConfiguration, and no other, must be specified for policy"
              + " type TargetTrackingScaling");
    }
    check(tracking);
    return policy.targetTrackingScalingPolicyConfiguration(tracking);
  }

  private static void check(StepScalingPolicyConfiguration steps) {
    if (steps.adjustmentTypeAsString() == null) {
      throw Refuse.invalid("AdjustmentType must be specified for a step scaling policy");
    }
    if (steps.adjustmentType() == AdjustmentType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          steps.adjustmentTypeAsString(),
          "stepScalingPolicyConfiguration.adjustmentType",
          "Member must satisfy enum value set: " + AdjustmentType.knownValues());
    }
    if (steps.metricAggregationType() == MetricAggregationType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          steps.metricAggregationTypeAsString(),
          "stepScalingPolicyConfiguration.metricAggregationType",
          "Member must satisfy enum value set: " + MetricAggregationType.knownValues());
    }
    if (steps.stepAdjustments().size() > MOST_STEPS) {
      throw Refuse.limit("A step scaling policy has at most 20 step adjustments");
    }
    if (steps.stepAdjustments().stream().anyMatch(step -> step.scalingAdjustment() == null)) {
      throw Refuse.missing("stepScalingPolicyConfiguration.stepAdjustments.scalingAdjustment");
    }
    StepScaling.fault(steps(steps))
        .ifPresent(fault -> {
          throw Refuse.invalid(fault);
        });
    boolean percent = steps.adjustmentType() == AdjustmentType.PERCENT_CHANGE_IN_CAPACITY;
    if (steps.minAdjustmentMagnitude() != null) {
      if (!percent) {
        throw Refuse.invalid(
            "MinAdjustmentMagnitude is only supported for adjustment type"
                + " PercentChangeInCapacity");
      }
      if (steps.minAdjustmentMagnitude() < 1) {
        throw Refuse.invalid("MinAdjustmentMagnitude must be at least 1");
      }
    }
    boolean exact = steps.adjustmentType() == AdjustmentType.EXACT_CAPACITY;
    if (exact && steps.stepAdjustments().stream().anyMatch(step -> step.scalingAdjustment() < 0)) {
      throw Refuse.invalid(
          "ScalingAdjustment cannot be negative for adjustment type ExactCapacity");
    }
    notNegative(steps.cooldown(), "Cooldown");
  }

  private static void notNegative(@Nullable Integer seconds, String member) {
    if (seconds != null && seconds < 0) {
      throw Refuse.invalid(member + " cannot be less than 0");
    }
  }

  private static List<StepScaling.Step> steps(StepScalingPolicyConfiguration steps) {
    return steps.stepAdjustments().stream()
        .map(step ->
            new StepScaling.Step(
                step.metricIntervalLowerBound(),
                step.metricIntervalUpperBound(),
                step.scalingAdjustment()))
        .toList();
  }

  /** The same in the terms of the pure room. */
  static StepScaling pure(StepScalingPolicyConfiguration steps) {
    Adjustment adjustment =
        switch (steps.adjustmentType()) {
          case CHANGE_IN_CAPACITY -> Adjustment.CHANGE_IN_CAPACITY;
          case EXACT_CAPACITY -> Adjustment.EXACT_CAPACITY;
          default -> Adjustment.PERCENT_CHANGE_IN_CAPACITY;
        };
    return new StepScaling(
        adjustment, steps(steps), Objects.requireNonNullElse(steps.minAdjustmentMagnitude(), 0));
  }

  private static void check(TargetTrackingScalingPolicyConfiguration tracking) {
    if (tracking.targetValue() == null) {
      throw Refuse.missing("targetTrackingScalingPolicyConfiguration.targetValue");
    }
    if (!Double.isFinite(tracking.targetValue()) || tracking.targetValue() <= 0) {
      throw Refuse.invalid("TargetValue must be greater than 0");
    }
    notNegative(tracking.scaleInCooldown(), "ScaleInCooldown");
    notNegative(tracking.scaleOutCooldown(), "ScaleOutCooldown");
    PredefinedMetricSpecification predefined = tracking.predefinedMetricSpecification();
    CustomizedMetricSpecification customized = tracking.customizedMetricSpecification();
    if ((predefined == null) == (customized == null)) {
      throw Refuse.invalid(
          "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be"
              + " specified");
    }
    if (predefined != null) {
      check(predefined);
    } else {
      check(Objects.requireNonNull(customized));
    }
  }

  private static void check(PredefinedMetricSpecification metric) {
    if (metric.predefinedMetricTypeAsString() == null) {
      throw Refuse.missing("predefinedMetricSpecification.predefinedMetricType");
    }
    if (!OF_ECS.contains(metric.predefinedMetricType())) {
      throw Refuse.invalid(
          "PredefinedMetricType "
              + metric.predefinedMetricTypeAsString()
              + " is not supported for scalable dimension "
              + TargetKey.DIMENSION);
    }
    boolean labelled = metric.predefinedMetricType() == MetricType.ALB_REQUEST_COUNT_PER_TARGET;
    if (labelled && metric.resourceLabel() == null) {
      throw Refuse.invalid(
          "ResourceLabel must be specified for predefined metric type ALBRequestCountPerTarget");
    }
    if (labelled && RequestLabel.parse(metric.resourceLabel()).isEmpty()) {
      throw Refuse.invalid(
          "ResourceLabel "
              + metric.resourceLabel()
              + " must be of the form app/<load-balancer-name>/<load-balancer-id>/targetgroup/"
              + "<target-group-name>/<target-group-id>");
    }
    if (!labelled && metric.resourceLabel() != null) {
      throw Refuse.invalid(
          "ResourceLabel can be specified only for predefined metric type"
              + " ALBRequestCountPerTarget");
    }
  }

  private static void check(CustomizedMetricSpecification metric) {
    boolean one =
        Stream.of(
                metric.metricName(), metric.namespace(), metric.statisticAsString(), metric.unit())
            .anyMatch(Objects::nonNull);
    if (!metric.metrics().isEmpty()) {
      if (one || !metric.dimensions().isEmpty()) {
        throw Refuse.invalid("Metrics cannot be combined with the members of a single metric");
      }
      metric.metrics().forEach(PolicyRules::check);
      return;
    }
    if (metric.metricName() == null
        || metric.namespace() == null
        || metric.statisticAsString() == null) {
      throw Refuse.invalid(
          "MetricName, Namespace and Statistic must be specified in CustomizedMetricSpecification");
    }
    if (metric.statistic() == MetricStatistic.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          metric.statisticAsString(),
          "customizedMetricSpecification.statistic",
          "Member must satisfy enum value set: " + MetricStatistic.knownValues());
    }
  }

  /** The rest is CloudWatch's to say, which has to evaluate it. */
  private static void check(TargetTrackingMetricDataQuery query) {
    TargetTrackingMetricStat stat = query.metricStat();
    if (stat != null && stat.metric() == null) {
      throw Refuse.missing("customizedMetricSpecification.metrics.metricStat.metric");
    }
  }

  /** "Only one policy for a metric": two would pull against each other. */
  static boolean sameMetric(ScalingPolicy one, ScalingPolicy other) {
    TargetTrackingScalingPolicyConfiguration a = one.targetTrackingScalingPolicyConfiguration();
    TargetTrackingScalingPolicyConfiguration b = other.targetTrackingScalingPolicyConfiguration();
    return a != null
        && b != null
        && Objects.equals(a.predefinedMetricSpecification(), b.predefinedMetricSpecification())
        && Objects.equals(a.customizedMetricSpecification(), b.customizedMetricSpecification());
  }
}
