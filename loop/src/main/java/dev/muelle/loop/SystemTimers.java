package dev.muelle.loop;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machine's time. Each piece of work runs on a virtual thread of its own. */
public final class SystemTimers implements Timers {

  private static final Logger LOG = LoggerFactory.getLogger(SystemTimers.class);

  private final Clock clock = Clock.systemUTC();
  private final ScheduledThreadPoolExecutor schedule =
      new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("timers").factory());
  private final ExecutorService workers =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("timer-", 0).factory());

  public SystemTimers() {
    schedule.setRemoveOnCancelPolicy(true);
  }

  @Override
  public Instant instant() {
    return clock.instant();
  }

  /** Nanoseconds since some moment: they go on evenly, also when the machine's clock is set. */
  @Ambient
  public long ticks() {
    return System.nanoTime();
  }

  @Override
  public Cancellable after(Duration delay, Runnable work) {
    try {
      Future<?> future =
          schedule.schedule(() -> start(work), delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> future.cancel(false);
    } catch (RejectedExecutionException e) {
      return () -> {}; // closed
    }
  }

  @Override
  public void sleep(Duration duration) {
    try {
      boolean never = new CountDownLatch(1).await(duration.toNanos(), TimeUnit.NANOSECONDS);
      if (never) {
        throw new AssertionError("nobody counts down");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void start(Runnable work) {
    try {
      workers.execute(() -> {
        try {
          work.run();
        } catch (RuntimeException e) {
          LOG.error("timed work failed", e);
        }
      });
    } catch (RejectedExecutionException e) {
      LOG.debug("timers are closed");
    }
  }

  @Override
  public void close() {
    schedule.shutdownNow();
    workers.shutdown();
  }
}
