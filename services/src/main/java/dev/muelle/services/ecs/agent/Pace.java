package dev.muelle.services.ecs.agent;

import java.time.Duration;

/**
 * How often one task's output is looked at: at once as long as it prints little; ten times a second
 * while it prints hundreds of lines in one.
 */
final class Pace {

  private static final long WINDOW = 1_000; // ms
  private static final long BUSY = 200; // lines in it
  private static final long REST = 100; // ms

  private long windowBegan;
  private long lines;
  private long busyUntil;
  private long last;
  private volatile boolean resting;

  /** Some lines were carried. */
  synchronized void carried(int count, long now) {
    if (now - windowBegan >= WINDOW) {
      windowBegan = now;
      lines = 0;
    }
    lines += count;
    if (lines > BUSY) {
      busyUntil = now + WINDOW;
    }
    last = now;
  }

  /** There is more than was carried at once. */
  synchronized void behind() {
    last = 0;
  }

  /** How long to wait now; whoever is told so comes back by itself, and need not be woken. */
  synchronized Duration rest(long now) {
    long left = now < busyUntil ? Math.min(REST, last + REST - now) : 0; // clocks are set back
    resting = left > 0;
    return Duration.ofMillis(Math.max(0, left));
  }

  boolean resting() {
    return resting;
  }
}
