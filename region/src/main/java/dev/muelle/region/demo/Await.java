package dev.muelle.region.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Waits for a condition by asking again, never by a fixed sleep. */
final class Await {

  private static final long POLL_MILLIS = 200;

  private final InstantSource clock;

  Await(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Asks until there is an answer.
   *
   * @throws IllegalStateException if there is none within {@code limit}, saying what was awaited
   */
  <T> T until(String what, Duration limit, Callable<Optional<T>> question) throws Exception {
    return until(what, () -> "", limit, question);
  }

  /**
   * Asks until there is an answer.
   *
   * @param why what can then be said of the reason that there is none
   */
  <T> T until(String what, Supplier<String> why, Duration limit, Callable<Optional<T>> question)
      throws Exception {
    Instant end = clock.instant().plus(limit);
    while (true) {
      Optional<T> answer = question.call();
      if (answer.isPresent()) {
        return answer.get();
      }
      if (clock.instant().isAfter(end)) {
        throw new IllegalStateException(
            "after " + limit.toSeconds() + " s there is still no " + what + why.get());
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }
}
