package dev.muelle.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class VirtualTimersTest {

  private final VirtualTimers timers = new VirtualTimers(Instant.EPOCH);
  private final List<String> seen = new ArrayList<>();

  private void note(String what) {
    seen.add(timers.instant().getEpochSecond() + " " + what);
  }

  @Test
  void workThatSleepsLetsTheRestGoOn() {
    timers.after(
        Duration.ofSeconds(1),
        () -> {
          note("pull begins");
          timers.sleep(Duration.ofSeconds(5));
          note("pull ends");
          timers.sleep(Duration.ofSeconds(10));
          note("start");
        });
    timers.after(Duration.ofSeconds(3), () -> note("another"));
    timers.after(Duration.ofSeconds(7), () -> note("a third"));
    timers.advance(Duration.ofSeconds(4));
    assertEquals(List.of("1 pull begins", "3 another"), seen);
    timers.advance(Duration.ofSeconds(100));
    assertEquals(
        List.of("1 pull begins", "3 another", "6 pull ends", "7 a third", "16 start"), seen);
    assertEquals(Instant.ofEpochSecond(104), timers.instant());
  }

  @Test
  void whatWorkThrowsComesOutOfAdvanceAndTheRestRunsLater() {
    timers.after(
        Duration.ofSeconds(1),
        () -> {
          timers.sleep(Duration.ofSeconds(1));
          throw new IllegalArgumentException("no");
        });
    timers.after(Duration.ofSeconds(3), () -> note("later"));
    assertThrows(IllegalArgumentException.class, () -> timers.advance(Duration.ofSeconds(10)));
    assertEquals(Instant.ofEpochSecond(2), timers.instant());
    timers.advance(Duration.ofSeconds(10));
    assertEquals(List.of("3 later"), seen);
  }

  @Test
  void theSameProgramDoesTheSameEachRun() {
    assertEquals(history(3), history(3));
  }

  private static List<String> history(long seed) {
    Random random = new Random(seed);
    VirtualTimers timers = new VirtualTimers(Instant.EPOCH);
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int number = i;
      timers.after(
          Duration.ofMillis(random.nextInt(100)),
          () -> {
            for (int step = 0; step < 5; step++) {
              seen.add(timers.instant() + " " + number + "." + step);
              timers.sleep(Duration.ofMillis(random.nextInt(50)));
            }
          });
    }
    timers.advance(Duration.ofSeconds(10));
    assertEquals(1000, seen.size());
    return seen;
  }
}
