package dev.muelle.loop;

import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/**
 * Time that goes as many times as fast as the machine's, from a start that may be ahead of it: what
 * waits a minute by these timers waits six seconds at pace 10.
 *
 * <p>They say what the machine's clock says, and so much more: what they were ahead by at the
 * start, and all that they have gained since, which is reckoned from ticks, not from the clock: one
 * that is set by a minute moves these by a minute, too, and not by ten.
 */
public final class PacedTimers implements Timers {

  private final Timers machine;
  private final LongSupplier ticks;
  private final int pace;
  private final Duration before;
  private final long start;

  /**
   * Timers that go on from here.
   *
   * @param ticks nanoseconds, evenly
   * @param pace at least 1
   * @param ahead of the machine's clock, now
   */
  public PacedTimers(Timers machine, LongSupplier ticks, int pace, Duration ahead) {
    this.machine = machine;
    this.ticks = ticks;
    this.pace = pace;
    before = ahead;
    start = ticks.getAsLong();
  }

  /** How far these are ahead of the machine's clock; it is never less than it was. */
  public Duration ahead() {
    return ahead(ticks.getAsLong() - start);
  }

  private Duration ahead(long elapsed) {
    return before.plus(Duration.ofNanos(elapsed).multipliedBy(pace - 1L));
  }

  @Override
  public Instant instant() {
    return machine.instant().plus(ahead());
  }

  @Override
  public Cancellable after(Duration delay, Runnable work) {
    return machine.after(onMachine(delay), work);
  }

  @Override
  public void sleep(Duration duration) {
    machine.sleep(onMachine(duration));
  }

  /** Rounded up: nothing happens before its time. */
  private Duration onMachine(Duration delay) {
    return delay.plusNanos(pace - 1L).dividedBy(pace);
  }

  @Override
  public Timers machine() {
    return machine;
  }

  @Override
  public Instant fromMachine(Instant at) {
    long elapsed = ticks.getAsLong() - start;
    Duration since = Duration.between(machine.instant().minusNanos(elapsed), at);
    return since.isNegative()
        ? at.plus(before)
        : at.plus(before).plus(since.multipliedBy(pace - 1L));
  }

  @Override
  public Instant toMachine(Instant at) {
    long elapsed = ticks.getAsLong() - start;
    Instant begun = machine.instant().minusNanos(elapsed);
    Duration since = Duration.between(begun.plus(before), at);
    return since.isNegative() ? at.minus(before) : begun.plus(since.dividedBy(pace));
  }

  /** The machine's timers are closed by whoever made them. */
  @Override
  public void close() {}
}
