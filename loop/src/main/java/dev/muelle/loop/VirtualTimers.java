package dev.muelle.loop;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Time for simulations: it moves only by {@link #advance}, and what is due runs one after the
 * other, in the order of its time and then of its making. Work that {@link #sleep}s lets the rest
 * go on and continues when its time has come; still only one piece of work runs at any moment. The
 * same program does the same each run.
 */
public final class VirtualTimers implements Timers {

  /**
   * What is to happen at a moment.
   *
   * @param sleeper set for work that waits in {@link #sleep}; then {@code work} does nothing
   */
  private record Due(Instant at, long number, Runnable work, @Nullable Semaphore sleeper) {}

  /** One call of {@link #advance}. */
  private static final class Advance {
    final Instant end;
    final Semaphore over = new Semaphore(0);
    volatile @Nullable Throwable failure;

    Advance(Instant end) {
      this.end = end;
    }
  }

  private final TreeSet<Due> queue =
      new TreeSet<>(Comparator.comparing(Due::at).thenComparingLong(Due::number));
  private final Semaphore oneAtATime = new Semaphore(1);
  private final Set<Thread> workers = ConcurrentHashMap.newKeySet();
  private Instant now;
  private long made;
  private @Nullable Advance current;

  public VirtualTimers(Instant start) {
    now = start;
  }

  @Override
  public synchronized Instant instant() {
    return now;
  }

  @Override
  public synchronized Cancellable after(Duration delay, Runnable work) {
    Due due = new Due(now.plus(delay), made++, work, null);
    queue.add(due);
    return () -> cancel(due);
  }

  private synchronized void cancel(Due due) {
    queue.remove(due);
  }

  /**
   * Lets time pass, and everything that falls due meanwhile happen; what the work throws comes out
   * here.
   *
   * @throws IllegalStateException if called by work of these timers, or if the thread is
   *     interrupted while something of it does not end
   */
  public void advance(Duration duration) {
    if (workers.contains(Thread.currentThread())) {
      throw new IllegalStateException("work cannot advance the time that it runs in");
    }
    oneAtATime.acquireUninterruptibly();
    try {
      Advance advance = begin(duration);
      startWorker(advance);
      advance.over.acquire();
      rethrow(advance.failure);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while time passed", e);
    } finally {
      oneAtATime.release();
    }
  }

  /** Lets everything happen that is due now. */
  public void settle() {
    advance(Duration.ZERO);
  }

  /**
   * {@inheritDoc} Called by work of these timers, other work goes on meanwhile; called by anybody
   * else, it is {@link #advance}.
   */
  @Override
  public void sleep(Duration duration) {
    if (!workers.contains(Thread.currentThread())) {
      advance(duration);
      return;
    }
    Semaphore awake = new Semaphore(0);
    Advance advance;
    synchronized (this) {
      queue.add(new Due(now.plus(duration), made++, () -> {}, awake));
      advance = present();
    }
    startWorker(advance); // takes over from us
    awake.acquireUninterruptibly();
  }

  private synchronized Advance begin(Duration duration) {
    current = new Advance(now.plus(duration));
    return current;
  }

  private synchronized Advance present() {
    if (current == null) {
      throw new IllegalStateException("time stands still");
    }
    return current;
  }

  private void startWorker(Advance advance) {
    Thread.ofVirtual().name("virtual-time").start(() -> work(advance));
  }

  /** Does what is due; exactly one thread is in here and not asleep while time advances. */
  private void work(Advance begun) {
    workers.add(Thread.currentThread());
    Advance advance = begun;
    try {
      while (true) {
        Due due = take(advance);
        if (due == null) {
          end(advance, null);
          return;
        }
        if (due.sleeper() != null) {
          due.sleeper().release();
          return; // the sleeper carries on, then with what is due after it
        }
        due.work().run();
        advance = present(); // work that slept may have woken in a later one
      }
    } catch (RuntimeException | Error e) {
      end(present(), e);
    } finally {
      workers.remove(Thread.currentThread());
    }
  }

  private synchronized @Nullable Due take(Advance advance) {
    if (queue.isEmpty() || queue.first().at().isAfter(advance.end)) {
      now = advance.end;
      return null;
    }
    Due due = queue.removeFirst();
    if (due.at().isAfter(now)) {
      now = due.at();
    }
    return due;
  }

  private synchronized void end(Advance advance, @Nullable Throwable failure) {
    advance.failure = failure;
    current = null;
    advance.over.release();
  }

  private static void rethrow(@Nullable Throwable failure) {
    switch (failure) {
      case null -> {}
      case Error e -> throw e;
      case RuntimeException e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  /** Forgets what is due; work that sleeps never wakes. */
  @Override
  public synchronized void close() {
    queue.clear();
  }
}
