package dev.muelle.balancer;

/**
 * How many of a target group's targets have to be healthy. Both are to be reached.
 *
 * @param count at least so many; 0 if it does not matter
 * @param percentage at least this part of those that are there; 0 if it does not matter
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html">
 *     Target group health</a>
 */
public record Minimum(int count, int percentage) {

  /** As ELB does when nothing was asked for: one healthy target is enough. */
  public static final Minimum ONE = new Minimum(1, 0);

  private static final int WHOLE = 100;

  public boolean reached(int healthy, int total) {
    return healthy >= count && (long) healthy * WHOLE >= (long) percentage * total;
  }
}
