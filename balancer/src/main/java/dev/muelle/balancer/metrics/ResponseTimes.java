package dev.muelle.balancer.metrics;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How often answers took how long, in steps of at most a sixteenth: from a microsecond to about two
 * hours, in a few KiB.
 */
final class ResponseTimes {

  private static final int STEPS = 16; // to each doubling
  private static final int DOUBLINGS = 33;

  private final AtomicIntegerArray counts = new AtomicIntegerArray(STEPS * DOUBLINGS);

  void add(long nanos) {
    counts.incrementAndGet(step(nanos / 1000));
  }

  private static int step(long micros) {
    if (micros < STEPS) {
      return (int) Math.max(0, micros);
    }
    int doubling = 63 - Long.numberOfLeadingZeros(micros / STEPS);
    int step = (int) (micros >> doubling) - STEPS;
    return Math.min(STEPS * DOUBLINGS - 1, (doubling + 1) * STEPS + step);
  }

  /** The middle of a step, in seconds. */
  static double seconds(int step) {
    if (step < STEPS) {
      return (step + 0.5) / 1e6;
    }
    int doubling = step / STEPS - 1;
    return (STEPS + step % STEPS + 0.5) * (1L << doubling) / 1e6;
  }

  int[] counts() {
    int[] now = new int[counts.length()];
    for (int i = 0; i < now.length; i++) {
      now[i] = counts.get(i);
    }
    return now;
  }
}
