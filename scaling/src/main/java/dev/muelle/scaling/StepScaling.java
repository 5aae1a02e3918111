package dev.muelle.scaling;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A step scaling policy: how far the metric is beyond the alarm's threshold says by how much to
 * scale.
 *
 * @param minimumMagnitude see {@link Adjustment#apply}
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html">How
 *     step scaling for Application Auto Scaling works</a>
 */
public record StepScaling(Adjustment adjustment, List<Step> steps, int minimumMagnitude) {

  public StepScaling {
    steps = List.copyOf(steps);
  }

  /**
   * One step, by its distances from the threshold.
   *
   * @param from null for "from minus infinity"
   * @param to null for "to infinity"
   */
  public record Step(@Nullable Double from, @Nullable Double to, int amount) {

    /**
     * "If the metric value is above the breach threshold, the lower bound is inclusive and the
     * upper bound is exclusive. Otherwise, the lower bound is exclusive and the upper bound is
     * inclusive."
     */
    private boolean holds(double distance, boolean above) {
      boolean notTooLow = from == null || (above ? from <= distance : from < distance);
      return notTooLow && (to == null || (above ? distance < to : distance <= to));
    }

    private double low() {
      return from == null ? Double.NEGATIVE_INFINITY : from;
    }

    private double high() {
      return to == null ? Double.POSITIVE_INFINITY : to;
    }
  }

  /**
   * What the policy makes of a capacity; empty if no step is for this metric.
   *
   * @param threshold of the alarm
   */
  public Optional<IntUnaryOperator> wanted(double metric, double threshold) {
    double distance = metric - threshold;
    return find(distance, distance >= 0)
        .or(() -> distance == 0 ? find(distance, false) : Optional.empty())
        .map(step -> capacity -> adjustment.apply(capacity, step.amount(), minimumMagnitude));
  }

  private Optional<Step> find(double distance, boolean above) {
    return steps.stream().filter(step -> step.holds(distance, above)).findFirst();
  }

  /**
   * What is wrong with the steps, by AWS's rules; empty if nothing is.
   *
   * <p>"The ranges of your step adjustments can't overlap or have a gap. Only one step adjustment
   * can have a null lower bound. If one step adjustment has a negative lower bound, then there must
   * be a step adjustment with a null lower bound. Only one step adjustment can have a null upper
   * bound. If one step adjustment has a positive upper bound, then there must be a step adjustment
   * with a null upper bound. The upper and lower bound can't be null in the same step adjustment."
   */
  public static Optional<String> fault(List<Step> steps) {
    if (steps.isEmpty()) {
      return Optional.of("At least one step adjustment must be specified");
    }
    for (Step step : steps) {
      if (step.from() == null && step.to() == null && steps.size() > 1) {
        return Optional.of(
            "The lower and upper bound of a step adjustment can't both be null when there are"
                + " several step adjustments");
      }
      if (step.low() >= step.high()) {
        return Optional.of(
            "The lower bound of a step adjustment (%s) must be less than its upper bound (%s)"
                .formatted(step.from(), step.to()));
      }
    }
    List<Step> sorted = steps.stream().sorted(Comparator.comparingDouble(Step::low)).toList();
    for (int i = 1; i < sorted.size(); i++) {
      double end = sorted.get(i - 1).high();
      double begin = sorted.get(i).low();
      if (begin < end) {
        return Optional.of("Step adjustment intervals can't overlap");
      }
      if (begin > end) {
        return Optional.of(
            "There is a gap between the step adjustment intervals: from %s to %s"
                .formatted(end, begin));
      }
    }
    return openEnds(sorted);
  }

  private static Optional<String> openEnds(List<Step> sorted) {
    Double lowest = sorted.getFirst().from();
    if (lowest != null && lowest < 0) {
      return Optional.of(
          "There must be a step adjustment with an unspecified lower bound when there is a step"
              + " adjustment with a negative lower bound");
    }
    Double highest = sorted.getLast().to();
    if (highest != null && highest > 0) {
      return Optional.of(
          "There must be a step adjustment with an unspecified upper bound when there is a step"
              + " adjustment with a positive upper bound");
    }
    return Optional.empty();
  }
}
