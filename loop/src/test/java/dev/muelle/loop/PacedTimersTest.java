package dev.muelle.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Time that goes faster than a machine's, which is virtual here. */
@Timeout(300)
class PacedTimersTest {

  private static final Instant START = Instant.parse("2026-11-22T12:00:00Z");
  private static final Duration AHEAD = Duration.ofHours(3);

  private final VirtualTimers machine = new VirtualTimers(START);
  private long skipped; // ticks that the machine's clock did not see: it was set back

  private PacedTimers at(int pace, Duration ahead) {
    return new PacedTimers(
        machine, () -> Duration.between(START, machine.instant()).toNanos() + skipped, pace, ahead);
  }

  @Test
  void aMinuteTakesSixSecondsAtPaceTen() {
    PacedTimers timers = at(10, AHEAD);
    List<Instant> seen = new ArrayList<>();
    timers.after(Duration.ofMinutes(1), () -> seen.add(machine.instant()));
    assertEquals(START.plus(AHEAD), timers.instant());
    machine.advance(Duration.ofSeconds(60));
    assertEquals(List.of(START.plusSeconds(6)), seen);
    assertEquals(START.plus(AHEAD).plusSeconds(600), timers.instant());
    assertEquals(AHEAD.plusSeconds(540), timers.ahead());
  }

  @Test
  void nothingHappensBeforeItsTime() {
    PacedTimers timers = at(7, Duration.ZERO);
    List<Instant> seen = new ArrayList<>();
    timers.after(Duration.ofNanos(100), () -> seen.add(timers.instant()));
    machine.advance(Duration.ofSeconds(1));
    assertEquals(List.of(START.plusNanos(105)), seen);
  }

  @Test
  void atPaceOneTheyOnlyStayAhead() {
    PacedTimers timers = at(1, AHEAD);
    machine.advance(Duration.ofDays(2));
    assertEquals(START.plus(AHEAD).plus(Duration.ofDays(2)), timers.instant());
    assertEquals(AHEAD, timers.ahead());
  }

  @Test
  void eachMomentHasItsCounterpart() {
    machine.advance(Duration.ofSeconds(5));
    PacedTimers timers = at(20, AHEAD); // begins five seconds after START
    machine.advance(Duration.ofSeconds(10));
    Instant now = START.plusSeconds(15);
    assertEquals(timers.instant(), timers.fromMachine(now));
    for (int second = -1_000; second <= 1_000; second += 7) {
      Instant at = now.plusSeconds(second);
      assertEquals(at, timers.toMachine(timers.fromMachine(at)), "at second " + second);
    }
    assertEquals(
        START.plus(AHEAD),
        timers.fromMachine(START),
        "before the start time went as the machine's");
    assertEquals(timers.instant().plusSeconds(20), timers.fromMachine(now.plusSeconds(1)));
  }

  @Test
  void aClockThatIsSetMovesThemAsFarAndNoFarther() {
    PacedTimers timers = at(60, Duration.ZERO);
    machine.advance(Duration.ofSeconds(10));
    skipped = Duration.ofMinutes(-2).toNanos(); // the clock goes two minutes forth, the ticks not
    machine.advance(Duration.ofMinutes(2));
    assertEquals(START.plusSeconds(600).plus(Duration.ofMinutes(2)), timers.instant());
  }

  @Test
  void aLoopRetriesInTheMachinesTimeAndIsCalledAgainInItsOwn() {
    PacedTimers timers = at(10, Duration.ZERO);
    List<Duration> runs = new ArrayList<>();
    RandomGenerator none = () -> 0;
    try (Loop<String> loop =
        new Loop<>(
            "test",
            timers,
            none,
            1,
            key -> {
              runs.add(Duration.between(START, machine.instant()));
              if (runs.size() == 1) {
                throw new IllegalStateException("the first time");
              }
              return Duration.ofSeconds(10);
            })) {
      loop.wake("one");
      machine.advance(Duration.ofMillis(1_500));
    }
    assertEquals(List.of(Duration.ZERO, Duration.ofMillis(100), Duration.ofMillis(1_100)), runs);
  }
}
