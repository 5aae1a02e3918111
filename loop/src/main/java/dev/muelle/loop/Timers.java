package dev.muelle.loop;

import java.time.Duration;
import java.time.Instant;
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

  /**
   * The machine's own time, where these go at another pace ({@link PacedTimers}); else these. It is
   * for what waits for something that no clock can hurry: a program, a packet, somebody's client,
   * who reads his own clock.
   */
  default Timers machine() {
    return this;
  }

  /** What these say, or said, when the machine's clock says so. */
  default Instant fromMachine(Instant at) {
    return at;
  }

  /** What the machine's clock says when these say so: the opposite of {@link #fromMachine}. */
  default Instant toMachine(Instant at) {
    return at;
  }

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
