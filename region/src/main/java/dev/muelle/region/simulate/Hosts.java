package dev.muelle.region.simulate;

import java.time.Duration;

/**
 * The instances that tasks run on: an Auto Scaling group that a capacity provider scales.
 *
 * @param type for example {@code t3.small}
 * @param target the capacity provider's {@code targetCapacity}: the share of the group that is to
 *     be in use, in percent
 * @param starting how long an instance takes until tasks can be placed on it
 */
public record Hosts(String type, int min, int max, int target, Duration starting) {

  public Hosts {
    if (min < 0 || max < Math.max(1, min)) {
      throw new IllegalArgumentException("a group of " + min + " to " + max + " instances");
    }
    if (target < 1 || target > 100) {
      throw new IllegalArgumentException("a target capacity is from 1 to 100, not " + target);
    }
  }
}
