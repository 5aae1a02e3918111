package dev.muelle.services.ecs.state;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How long a service waits with tasks that fail again and again: pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html">Service
 *     throttle logic</a>
 */
public final class Throttle {

  /** So far apart are the attempts to place a task that count, if there is no room for it. */
  static final Duration PLACEMENT_ATTEMPT = Duration.ofSeconds(15);

  private static final int FREE_FAILURES = 3;
  private static final Duration FIRST_DELAY = Duration.ofSeconds(10);
  private static final Duration LAST_DELAY = Duration.ofMinutes(15);
  private static final int MAX_DOUBLINGS = 7;

  private Throttle() {}

  /**
   * When the next task may be started after this many failed in a row before RUNNING.
   *
   * @return null for at once
   */
  public static @Nullable Instant notBefore(int failures, Instant now) {
    if (failures < FREE_FAILURES) {
      return null;
    }
    Duration delay =
        FIRST_DELAY.multipliedBy(1L << Math.min(failures - FREE_FAILURES, MAX_DOUBLINGS));
    return now.plus(delay.compareTo(LAST_DELAY) < 0 ? delay : LAST_DELAY);
  }
}
