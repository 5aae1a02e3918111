package dev.muelle.scaling;

import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Target tracking: as much capacity as brings a metric that falls in proportion to it to its
 * target.
 *
 * <p>Scaling out is proportional and rounded up. Scaling in is slower, as AWS documents it, three
 * times over: its alarm asks for fifteen minutes below {@link #LOW_SHARE} of the target, it removes
 * what is left over rounded down, and it reckons with the highest of the evaluated minutes, so that
 * what is left would have held all of them.
 *
 * @param target more than 0
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html">How
 *     target tracking scaling for Application Auto Scaling works</a>
 */
public record TargetTracking(double target) {

  /** Minutes above the target before it scales out: AlarmHigh is 3 of 3 periods. */
  public static final int HIGH_PERIODS = 3;

  /** Minutes below the lower threshold before it scales in: AlarmLow is 15 of 15 periods. */
  public static final int LOW_PERIODS = 15;

  /** Where AlarmLow's threshold is, as a share of the target. */
  public static final double LOW_SHARE = 0.9;

  /** So that 7 tasks at exactly the target stay 7, whatever a double makes of it. */
  private static final double EXACTLY = 1e-9;

  public double lowThreshold() {
    return target * LOW_SHARE;
  }

  /**
   * The capacity wanted at a metric, from a capacity; from none, as from one.
   *
   * @param metric as it was with that capacity
   */
  public int wanted(int capacity, double metric) {
    double exact = Math.max(capacity, 1) * metric / target;
    return (int) Math.clamp(Math.ceil(exact - EXACTLY), 0, Integer.MAX_VALUE);
  }

  /** Scaling out: never fewer. */
  public IntUnaryOperator out(double metric) {
    return capacity -> Math.max(capacity, wanted(capacity, metric));
  }

  /**
   * Scaling in, by the highest of several measurements: never more.
   *
   * @param metrics of the minutes that the alarm evaluated; not empty
   */
  public IntUnaryOperator in(List<Double> metrics) {
    double highest = metrics.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    return capacity -> Math.min(capacity, wanted(capacity, highest));
  }
}
