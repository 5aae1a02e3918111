package dev.muelle.loop;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Time for simulations: it moves only by {@link #advance}, and what is due runs on the advancing
 * thread, in the order of its time and then of its making. The same program does the same each run.
 */
public final class VirtualTimers implements Timers {

  private record Due(Instant at, long number, Runnable work) {}

  private final PriorityQueue<Due> queue =
      new PriorityQueue<>(Comparator.comparing(Due::at).thenComparingLong(Due::number));
  private Instant now;
  private long made;

  public VirtualTimers(Instant start) {
    now = start;
  }

  @Override
  public synchronized Instant instant() {
    return now;
  }

  @Override
  public synchronized Cancellable after(Duration delay, Runnable work) {
    Due due = new Due(now.plus(delay), made++, work);
    queue.add(due);
    return () -> cancel(due);
  }

  private synchronized void cancel(Due due) {
    queue.remove(due);
  }

  /** Lets time pass, and everything that falls due meanwhile happen. */
  public void advance(Duration duration) {
    Instant end = instant().plus(duration);
    while (true) {
      Runnable work = next(end);
      if (work == null) {
        return;
      }
      work.run();
    }
  }

  /** Lets everything happen that is due now. */
  public void settle() {
    advance(Duration.ZERO);
  }

  private synchronized @Nullable Runnable next(Instant end) {
    Due due = queue.peek();
    if (due == null || due.at().isAfter(end)) {
      now = end;
      return null;
    }
    queue.remove();
    if (due.at().isAfter(now)) {
      now = due.at();
    }
    return due.work();
  }

  @Override
  public synchronized void close() {
    queue.clear();
  }
}
