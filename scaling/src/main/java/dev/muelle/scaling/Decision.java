package dev.muelle.scaling;

import java.time.Instant;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** What is to be done about a capacity. */
public sealed interface Decision {

  /** The capacity is to be changed to this. */
  record Scale(int to) implements Decision {}

  /** It stays, for this reason. */
  record Stay(Why why) implements Decision {}

  /** The reasons; the first five are those that AWS shows for activities that did not scale. */
  enum Why {
    AUTO_SCALING_ANTICIPATED_FLAPPING,
    TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE,
    ALREADY_AT_MAX_CAPACITY,
    ALREADY_AT_MIN_CAPACITY,
    ALREADY_AT_DESIRED_CAPACITY,
    COOLING_DOWN,
    SUSPENDED,
    NO_DATA,
    OTHER_POLICIES_NOT_READY
  }

  /**
   * What is there.
   *
   * @param capacity the desired capacity
   * @param growing whether it may grow at all (its process is not suspended)
   * @param shrinking whether it may shrink at all
   * @param unscalable whether it may not shrink for now, as an ECS service that is being deployed
   */
  record Situation(
      int capacity, int min, int max, boolean growing, boolean shrinking, boolean unscalable) {

    private int bounded(int count) {
      return Math.clamp(count, min, max);
    }
  }

  /** Which way a policy may move a capacity now. */
  enum Direction {
    OUT,
    IN,
    EITHER
  }

  /**
   * Decides what a policy that is due does.
   *
   * <ul>
   *   <li>Outside its bounds, the capacity counts as the nearer bound; a scale-in does not touch
   *       what is below the minimum, nor a scale-out what is above the maximum.
   *   <li>In a scale-out's cooldown, what that has added counts as added already: only a larger
   *       scale-out goes through.
   *   <li>In a scale-in's cooldown no other scale-in is done; a scale-out is, at once.
   * </ul>
   *
   * @param wanted what the policy makes of a capacity
   * @param cooldown the last activity's; null if there is none
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html">Automatically
   *     scale your Amazon ECS service</a>
   */
  static Decision decide(
      Situation now,
      IntUnaryOperator wanted,
      Direction direction,
      @Nullable Cooldown cooldown,
      Instant at) {
    int from = now.bounded(now.capacity());
    int to = wanted.applyAsInt(from);
    Cooldown cooling = cooldown != null && cooldown.holds(at) ? cooldown : null;
    if (to > from && direction != Direction.IN) {
      if (cooling != null && cooling.out()) {
        int base = now.bounded(Math.min(cooling.base(), now.capacity()));
        return grow(now, wanted.applyAsInt(base), Why.COOLING_DOWN);
      }
      return grow(now, to, Why.ALREADY_AT_DESIRED_CAPACITY);
    }
    if (to < from && direction != Direction.OUT) {
      boolean blocked = cooling != null && !cooling.out();
      return blocked ? new Stay(Why.COOLING_DOWN) : shrink(now, to);
    }
    return new Stay(atBound(now, direction));
  }

  /** Where rounding leaves the capacity as it is, and a bound would, too, the bound is said. */
  private static Why atBound(Situation now, Direction direction) {
    if (direction == Direction.IN && now.capacity() <= now.min()) {
      return Why.ALREADY_AT_MIN_CAPACITY;
    }
    if (direction == Direction.OUT && now.capacity() >= now.max()) {
      return Why.ALREADY_AT_MAX_CAPACITY;
    }
    return Why.ALREADY_AT_DESIRED_CAPACITY;
  }

  private static Decision grow(Situation now, int to, Why otherwise) {
    if (!now.growing()) {
      return new Stay(Why.SUSPENDED);
    }
    if (now.capacity() >= now.max()) {
      return new Stay(Why.ALREADY_AT_MAX_CAPACITY);
    }
    int bounded = now.bounded(to);
    return bounded > now.capacity() ? new Scale(bounded) : new Stay(otherwise);
  }

  private static Decision shrink(Situation now, int to) {
    if (!now.shrinking()) {
      return new Stay(Why.SUSPENDED);
    }
    if (now.capacity() <= now.min()) {
      return new Stay(Why.ALREADY_AT_MIN_CAPACITY);
    }
    if (now.unscalable()) {
      return new Stay(Why.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE);
    }
    return new Scale(now.bounded(to));
  }

  /** New bounds move the capacity into them at once. */
  static Decision intoBounds(Situation now) {
    int bounded = now.bounded(now.capacity());
    return bounded == now.capacity()
        ? new Stay(Why.ALREADY_AT_DESIRED_CAPACITY)
        : new Scale(bounded);
  }
}
