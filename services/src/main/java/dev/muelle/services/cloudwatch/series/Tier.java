package dev.muelle.services.cloudwatch.series;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How finely and how long measurements are kept. What was measured is in exactly one tier: in the
 * finest that it belongs to, until it is too old for that, then in the next.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention">Metrics
 *     retention</a>
 */
enum Tier {
  SECONDS(0, 1, 300, Duration.ofHours(3)),
  MINUTES(1, 60, 3_600, Duration.ofDays(15)),
  FIVE_MINUTES(2, 300, 21_600, Duration.ofDays(63)),
  HOURS(3, 3_600, 432_000, Duration.ofDays(455));

  static final List<Tier> ALL = List.of(values());

  /** In the keys of blocks: never changes. */
  final int number;

  /** The time between two points, in seconds. */
  final int grain;

  /** The time that one stored block covers, in seconds. */
  final int span;

  final Duration kept;

  Tier(int number, int grain, int span, Duration kept) {
    this.number = number;
    this.grain = grain;
    this.span = span;
    this.kept = kept;
  }

  /** The next coarser one, or null. */
  @Nullable Tier next() {
    return this == HOURS ? null : ALL.get(ALL.indexOf(this) + 1);
  }

  Tier orCoarser(Tier other) {
    return other.grain > grain ? other : this;
  }

  /** The start of what is kept in it, in epoch seconds: blocks are kept or dropped whole. */
  long oldest(long now) {
    return Math.floorDiv(now - kept.toSeconds(), span) * span;
  }

  /** Where a measurement of this age goes. */
  static Tier of(long time, boolean highResolution, long now) {
    Tier tier = highResolution ? SECONDS : MINUTES;
    while (time < tier.oldest(now) && tier.next() != null) {
      tier = tier.next();
    }
    return tier;
  }
}
