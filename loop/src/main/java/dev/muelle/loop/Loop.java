package dev.muelle.loop;

import dev.muelle.loop.Timers.Cancellable;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A level-triggered control loop over keyed things. {@link #wake} says that something about a key
 * may have changed; the {@link Reconciler} then re-reads and acts. One key is never reconciled
 * twice at once, a wake meanwhile causes one more run, and keys do not wait for each other (up to
 * the bound on concurrent runs). What throws is tried again after 100 ms, doubling to 5 s; wakes
 * meanwhile wait for that. This, and how long a key rests, is the machine's time: it spares the
 * machine. When a reconciler asks to be called again is in the time of the loop's timers.
 */
public final class Loop<K> implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
  private static final Duration FIRST_RETRY = Duration.ofMillis(100);
  private static final Duration LAST_RETRY = Duration.ofSeconds(5);
  private static final long LONGEST_REST = 1_000; // ms
  private static final int MAX_DOUBLINGS = 6;
  private static final long CLOSE_SECONDS = 30;

  private final String name;
  private final Timers timers;
  private final Timers machine;
  private final RandomGenerator random;
  private final int concurrency;
  private final int rest;
  private final Reconciler<K> reconciler;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition idle = lock.newCondition();
  private final Map<K, Entry> entries = new HashMap<>();
  private final Queue<K> ready = new ArrayDeque<>();
  private int running; // or about to run
  private int begun;
  private boolean closed;

  /** What is known of a key that is neither idle nor forgotten. */
  private static final class Entry {
    boolean queued;
    boolean running;
    boolean resting;
    boolean wokenMeanwhile;
    int failures;
    @Nullable String lastFailure;
    @Nullable Cancellable timer;
  }

  /**
   * A loop; nothing runs before the first wake, and a key that is woken again runs again at once.
   *
   * @param name for logs
   * @param concurrency how many keys are worked on at once
   */
  public Loop(
      String name,
      Timers timers,
      RandomGenerator random,
      int concurrency,
      Reconciler<K> reconciler) {
    this(name, timers, random, concurrency, 0, reconciler);
  }

  /**
   * A loop whose keys rest between their runs.
   *
   * @param rest how many times as long as its run took a key is not run again, however often it is
   *     woken (up to a second): so that one that is expensive to look at, and woken all the time,
   *     does not keep a processor to itself
   */
  public Loop(
      String name,
      Timers timers,
      RandomGenerator random,
      int concurrency,
      int rest,
      Reconciler<K> reconciler) {
    this.rest = rest;
    this.name = name;
    this.timers = timers;
    this.machine = timers.machine();
    this.random = random;
    this.concurrency = concurrency;
    this.reconciler = reconciler;
  }

  /** Looks at a key soon. Cheap, never blocks, may be called from anywhere at any time. */
  public void wake(K key) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      Entry entry = entries.computeIfAbsent(key, k -> new Entry());
      if (entry.running || entry.resting) {
        entry.wokenMeanwhile = true;
      } else if (entry.failures == 0) {
        enqueue(key, entry);
      }
    } finally {
      lock.unlock();
    }
  }

  private void look(K key) {
    lock.lock();
    try {
      Entry entry = entries.get(key);
      if (!closed && entry != null && !entry.running) {
        enqueue(key, entry);
      }
    } finally {
      lock.unlock();
    }
  }

  private void enqueue(K key, Entry entry) {
    if (entry.queued) {
      return;
    }
    cancelTimer(entry);
    entry.queued = true;
    ready.add(key);
    startMore();
  }

  private void startMore() {
    while (running < concurrency) {
      K key = ready.poll();
      if (key == null) {
        return;
      }
      Entry entry = entries.computeIfAbsent(key, k -> new Entry());
      entry.queued = false;
      entry.running = true;
      running++;
      timers.after(Duration.ZERO, () -> run(key, entry));
    }
  }

  private void run(K key, Entry entry) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      begun++;
      entry.wokenMeanwhile = false; // whatever woke us so far, we are about to see
    } finally {
      lock.unlock();
    }
    @Nullable Duration again = null;
    @Nullable Exception failure = null;
    long begin = machine.millis();
    try {
      again = reconciler.reconcile(key);
    } catch (Exception e) {
      failure = e;
    } catch (Error e) {
      failure = new IllegalStateException(e);
    }
    lock.lock();
    try {
      begun--;
      running--;
      entry.running = false;
      if (failure == null) {
        entry.failures = 0;
        entry.lastFailure = null;
      } else {
        again = retryDelay(entry.failures++);
        report(key, entry, failure);
      }
      long pause = Math.min(LONGEST_REST, rest * Math.max(0, machine.millis() - begin));
      if (closed) {
        idle.signalAll();
      } else if (failure == null && pause > 0) {
        entry.resting = true;
        @Nullable Instant due = again == null ? null : timers.instant().plus(again);
        machine.after(Duration.ofMillis(pause), () -> rested(key, entry, due));
      } else {
        goOn(key, entry, again, failure == null);
      }
      if (!closed) {
        startMore();
      }
    } finally {
      lock.unlock();
    }
  }

  private void rested(K key, Entry entry, @Nullable Instant due) {
    lock.lock();
    try {
      entry.resting = false;
      if (!closed) {
        goOn(key, entry, due == null ? null : Duration.between(timers.instant(), due), true);
      }
    } finally {
      lock.unlock();
    }
  }

  /** After a failure a wake does not undo the backoff. */
  private void goOn(K key, Entry entry, @Nullable Duration again, boolean succeeded) {
    boolean woken = entry.wokenMeanwhile && succeeded;
    entry.wokenMeanwhile = false;
    if (woken) {
      enqueue(key, entry);
    } else if (again != null) {
      entry.timer = (succeeded ? timers : machine).after(again, () -> look(key));
    } else {
      entries.remove(key);
    }
  }

  private static void cancelTimer(Entry entry) {
    if (entry.timer != null) {
      entry.timer.cancel();
      entry.timer = null;
    }
  }

  private Duration retryDelay(int failures) {
    long doubled = FIRST_RETRY.toMillis() << Math.min(failures, MAX_DOUBLINGS);
    long millis = Math.min(doubled, LAST_RETRY.toMillis());
    // Up to a quarter less, so that what failed together does not retry together.
    return Duration.ofMillis(millis - random.nextLong(millis / 4 + 1));
  }

  private void report(K key, Entry entry, Exception failure) {
    String message = failure.toString();
    if (!message.equals(entry.lastFailure)) {
      entry.lastFailure = message;
      LOG.warn("{} {}: failed, will be tried again", name, key, failure);
    }
  }

  /** Begins nothing more, and waits (up to 30 s) for what has begun. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      ready.clear();
      entries.values().forEach(Loop::cancelTimer);
      long left = TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
      while (begun > 0 && left > 0) {
        left = idle.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }
}
