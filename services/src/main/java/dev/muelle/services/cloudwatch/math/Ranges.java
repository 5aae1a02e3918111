package dev.muelle.services.cloudwatch.math;

import java.time.Duration;

/**
 * Where the periods of a question begin.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html">GetMetricStatistics,
 *     StartTime</a>
 */
public final class Ranges {

  private static final Duration BY_THE_SECOND = Duration.ofHours(3);
  private static final Duration BY_THE_MINUTE = Duration.ofDays(15);
  private static final Duration BY_FIVE_MINUTES = Duration.ofDays(63);
  private static final Duration BY_THE_HOUR = Duration.ofDays(455);

  /** How far ahead of the clock measurements are taken. */
  private static final Duration AHEAD = Duration.ofHours(2);

  private Ranges() {}

  /** Whether a period (in seconds) is one of those that there are. */
  public static boolean isPeriod(int period) {
    return switch (period) {
      case 1, 5, 10, 20, 30 -> true;
      default -> period > 0 && period % 60 == 0 && period <= 86_400 * 365;
    };
  }

  /** The start, rounded down as its age and the period want it. */
  public static long start(long from, int period, long now) {
    long age = now - from;
    int step = 60;
    if (age > BY_FIVE_MINUTES.toSeconds()) {
      step = 3_600;
    } else if (age > BY_THE_MINUTE.toSeconds()) {
      step = 300;
    } else if (period < 60) {
      step = period;
    }
    return Math.floorDiv(from, step) * step;
  }

  /**
   * The first period of a question that can have a value: what is older is kept more coarsely than
   * this period, or not at all.
   */
  static long first(long from, int period, long now) {
    long start = start(from, period, now);
    long oldest = now - kept(period).toSeconds();
    return start >= oldest ? start : start + Math.ceilDiv(oldest - start, period) * period;
  }

  /** The end of what can have a value. */
  static long last(long to, long now) {
    return Math.min(to, now + AHEAD.toSeconds());
  }

  private static Duration kept(int period) {
    if (period % 3_600 == 0) {
      return BY_THE_HOUR;
    }
    if (period % 300 == 0) {
      return BY_FIVE_MINUTES;
    }
    return period % 60 == 0 ? BY_THE_MINUTE : BY_THE_SECOND;
  }
}
