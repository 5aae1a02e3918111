package dev.muelle.loop;

import java.time.Duration;
import java.time.InstantSource;

/**
 * Time as a parameter: what the clock says, and work to do later. Production uses SystemTimers;
 * tests use VirtualTimers, whose time moves only when they say so.
 */
public interface Timers extends InstantSource, AutoCloseable {

  /** Runs {@code work} once, on a thread of its own, not before {@code delay} has passed. */
  Cancellable after(Duration delay, Runnable work);

  /**
   * Blocks the calling thread, and nobody else, for this long. Returns early, with the thread's
   * interrupt flag set, if it is interrupted.
   */
  void sleep(Duration duration);

  /** Cancels what was not begun yet. */
  @Override
  void close();

  /** Work that may still be called off. */
  @FunctionalInterface
  interface Cancellable {
    /** Idempotent; work that has begun runs to its end. */
    void cancel();
  }
}
