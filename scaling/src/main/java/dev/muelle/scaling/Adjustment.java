package dev.muelle.scaling;

/**
 * What the number of a step or simple scaling policy means.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html">Step
 *     and simple scaling policies for Amazon EC2 Auto Scaling: scaling adjustment types</a>
 */
public enum Adjustment {
  CHANGE_IN_CAPACITY,
  EXACT_CAPACITY,
  PERCENT_CHANGE_IN_CAPACITY;

  /**
   * The capacity after the adjustment; bounds are not looked at, but it is never negative.
   *
   * @param amount a number, or a percentage
   * @param minimumMagnitude at least by how much a percentage moves; 0 for no such bound
   */
  public int apply(int capacity, int amount, int minimumMagnitude) {
    long wanted =
        switch (this) {
          case CHANGE_IN_CAPACITY -> (long) capacity + amount;
          case EXACT_CAPACITY -> amount;
          case PERCENT_CHANGE_IN_CAPACITY ->
              (long) capacity + change(capacity, amount, minimumMagnitude);
        };
    return Math.clamp(wanted, 0, Integer.MAX_VALUE);
  }

  /**
   * "Values greater than 1 are rounded down", towards zero, "values between 0 and 1 are rounded to
   * 1", and the same below zero.
   */
  private static long change(int capacity, int percent, int minimumMagnitude) {
    long hundredths = (long) capacity * percent;
    long size = Math.abs(hundredths) / 100;
    if (hundredths != 0) {
      size = Math.max(size, 1);
    }
    // Nothing of nothing is nothing, but the magnitude is a floor for that, too.
    return Integer.signum(percent) * (percent == 0 ? 0 : Math.max(size, minimumMagnitude));
  }
}
