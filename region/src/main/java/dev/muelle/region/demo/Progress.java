package dev.muelle.region.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** Tells a person which step is under way, what it did, and how long it took. */
public final class Progress {

  private final PrintStream out;
  private final InstantSource clock;
  private int number;

  public Progress(PrintStream out, InstantSource clock) {
    this.out = out;
    this.clock = clock;
  }

  /** Runs one step; the text that {@code work} gives is its outcome. */
  public String step(String what, Callable<String> work) throws Exception {
    return step(what, work, Function.identity());
  }

  /** Runs one step and prints what {@code outcome} says of its result. */
  public <T> T step(String what, Callable<T> work, Function<? super T, String> outcome)
      throws Exception {
    number++;
    out.printf("%2d  %-48s", number, what);
    out.flush();
    Instant begin = clock.instant();
    T result;
    try {
      result = work.call();
    } catch (Exception e) {
      out.println("failed");
      throw e;
    }
    Duration took = Duration.between(begin, clock.instant());
    out.printf("%s  (%.1f s)%n", outcome.apply(result), took.toMillis() / 1000.0);
    return result;
  }

  /** Says something on a line of its own, within or between steps. */
  public void say(String line) {
    out.println(line);
  }

  /** A change of state within a step. */
  public void note(String line) {
    out.printf("%n      %-46s", line);
    out.flush();
  }
}
