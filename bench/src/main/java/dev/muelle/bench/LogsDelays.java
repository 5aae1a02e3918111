package dev.muelle.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** How long lines took from their writing to somewhere, also by tenths of the time of writing. */
final class LogsDelays {

  private static final int LONGEST = 60_000; // ms
  private static final int TENTHS = 10;

  private final long begin;
  private final long tenth;
  private final List<AtomicLongArray> counts = new ArrayList<>();
  private final AtomicLong last = new AtomicLong();

  /**
   * Of none so far.
   *
   * @param begin of the writing: epoch milliseconds
   */
  LogsDelays(long begin, long seconds) {
    this.begin = begin;
    tenth = Math.max(1, seconds * 1_000 / TENTHS);
    for (int i = 0; i < TENTHS; i++) {
      counts.add(new AtomicLongArray(LONGEST + 1));
    }
  }

  /** A line came, written and arrived at these epoch milliseconds. */
  void add(long written, long arrived) {
    int part = Math.clamp((written - begin) / tenth, 0, TENTHS - 1);
    counts.get(part).incrementAndGet(Math.clamp(arrived - written, 0, LONGEST));
    last.accumulateAndGet(arrived, Math::max);
  }

  /** When the last one arrived: epoch milliseconds. */
  long last() {
    return last.get();
  }

  /** The number of milliseconds that so many of a hundred lines took at most. */
  private static int percentile(List<AtomicLongArray> counts, int percent) {
    long all = 0;
    for (AtomicLongArray some : counts) {
      for (int i = 0; i <= LONGEST; i++) {
        all += some.get(i);
      }
    }
    long left = Math.ceilDiv(all * percent, 100);
    int millis = 0;
    while (millis < LONGEST) {
      for (AtomicLongArray some : counts) {
        left -= some.get(millis);
      }
      if (left <= 0) {
        break;
      }
      millis++;
    }
    return millis;
  }

  @Override
  public String toString() {
    List<Integer> tenths = new ArrayList<>();
    counts.forEach(some -> tenths.add(percentile(List.of(some), 99)));
    return "p50 %d ms, p99 %d ms, most %d ms; p99 by tenths of the load %s"
        .formatted(percentile(counts, 50), percentile(counts, 99), percentile(counts, 100), tenths);
  }
}
