package dev.muelle.services;

import dev.muelle.loop.Timers;
import java.time.Duration;
import java.time.Instant;

/** The time of one server, which ends with it: nothing that it meant to do happens afterwards. */
public final class MortalTimers implements Timers {

  private final Timers time;
  private volatile boolean over;

  public MortalTimers(Timers time) {
    this.time = time;
  }

  @Override
  public Instant instant() {
    return time.instant();
  }

  @Override
  public Cancellable after(Duration delay, Runnable work) {
    return time.after(
        delay,
        () -> {
          if (!over) {
            work.run();
          }
        });
  }

  @Override
  public void sleep(Duration duration) {
    time.sleep(duration);
  }

  /** The server is dead; time goes on. */
  @Override
  public void close() {
    over = true;
  }
}
