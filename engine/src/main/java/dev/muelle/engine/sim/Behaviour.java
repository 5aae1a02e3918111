package dev.muelle.engine.sim;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an image does when it is pulled, and its containers from their start on.
 *
 * @param pullTime how long a pull takes, whether it succeeds or not
 * @param pullError the message with which a pull fails; null if it succeeds
 * @param startTime how long starting takes, whether it succeeds or not
 * @param startError the message with which starting fails; null if it succeeds
 * @param end how it ends by itself; null if it runs until somebody ends it
 * @param onTerm what SIGTERM does; null if it is ignored
 * @param lines what it prints
 * @param commands the exit code of whatever is executed in it, by the time since its start
 */
public record Behaviour(
    Duration pullTime,
    @Nullable String pullError,
    Duration startTime,
    @Nullable String startError,
    @Nullable End end,
    @Nullable End onTerm,
    List<Line> lines,
    Function<Duration, Integer> commands) {

  private static final int SIGTERM = 128 + 15;

  public Behaviour {
    lines = List.copyOf(lines);
  }

  /**
   * An exit.
   *
   * @param after since the start, or since the signal
   */
  public record End(Duration after, int exitCode, boolean outOfMemory) {}

  /**
   * A line of output.
   *
   * @param after since the start
   */
  public record Line(Duration after, boolean stderr, String text) {}

  /** Pulled and started in no time, runs until it is told to stop, and obeys at once. */
  public static Behaviour runs() {
    return new Behaviour(
        Duration.ZERO,
        null,
        Duration.ZERO,
        null,
        null,
        new End(Duration.ZERO, SIGTERM, false),
        List.of(),
        sinceStart -> 0);
  }

  /** What is executed in it ends with this code, by the time since the start. */
  public Behaviour answering(Function<Duration, Integer> exitCodes) {
    return new Behaviour(pullTime, pullError, startTime, startError, end, onTerm, lines, exitCodes);
  }

  public Behaviour pulledIn(Duration time) {
    return new Behaviour(time, pullError, startTime, startError, end, onTerm, lines, commands);
  }

  /** The pull fails with this message. */
  public Behaviour failingToPull(String message) {
    return new Behaviour(pullTime, message, startTime, startError, end, onTerm, lines, commands);
  }

  public Behaviour startedIn(Duration time) {
    return new Behaviour(pullTime, pullError, time, startError, end, onTerm, lines, commands);
  }

  /** Starting fails with this message. */
  public Behaviour failingToStart(String message) {
    return new Behaviour(pullTime, pullError, startTime, message, end, onTerm, lines, commands);
  }

  public Behaviour exiting(int exitCode, Duration after) {
    return ending(new End(after, exitCode, false));
  }

  /** The kernel kills it at its memory limit. */
  public Behaviour runningOutOfMemory(Duration after) {
    return ending(new End(after, SimEngine.SIGKILL, true));
  }

  private Behaviour ending(End how) {
    return new Behaviour(pullTime, pullError, startTime, startError, how, onTerm, lines, commands);
  }

  public Behaviour ignoringSigterm() {
    return new Behaviour(pullTime, pullError, startTime, startError, end, null, lines, commands);
  }

  /** SIGTERM makes it exit like this. */
  public Behaviour onSigterm(int exitCode, Duration after) {
    End how = new End(after, exitCode, false);
    return new Behaviour(pullTime, pullError, startTime, startError, end, how, lines, commands);
  }

  public Behaviour printing(Duration after, String text) {
    List<Line> more = new ArrayList<>(lines);
    more.add(new Line(after, false, text));
    return new Behaviour(pullTime, pullError, startTime, startError, end, onTerm, more, commands);
  }
}
