package dev.muelle.region;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The region's time over the lives of its servers. */
@Timeout(300)
class RegionClockTest {

  @TempDir private Path directory;
  private final VirtualTimers machine = new VirtualTimers(Instant.parse("2026-11-22T12:00:00Z"));
  private SqliteStore store;

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("store.db"));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private RegionClock clock(int speed) {
    return RegionClock.open(store, machine, () -> machine.millis() * 1_000_000, speed);
  }

  @Test
  void withoutSpeedItIsTheMachinesAndNothingIsStored() {
    RegionClock clock = clock(1);
    assertSame(machine, clock.timers());
    machine.advance(Duration.ofHours(1));
    clock.close();
    assertSame(machine, clock(1).timers());
  }

  @Test
  void whatIsGainedIsKeptWhateverTheNextServerIsAskedFor() {
    RegionClock fast = clock(20);
    machine.advance(Duration.ofMinutes(3));
    assertEquals(machine.instant().plus(Duration.ofMinutes(57)), fast.timers().instant());
    fast.close();
    machine.advance(Duration.ofHours(8)); // nobody is there
    RegionClock slow = clock(1);
    Duration ahead = Duration.ofMinutes(57).plusMillis(1);
    assertEquals(machine.instant().plus(ahead), slow.timers().instant());
    machine.advance(Duration.ofHours(1));
    assertEquals(machine.instant().plus(ahead), slow.timers().instant());
    slow.close();
    RegionClock again = clock(60);
    machine.advance(Duration.ofMinutes(1));
    assertEquals(
        machine.instant().plus(ahead).plus(Duration.ofMinutes(59)), again.timers().instant());
  }

  @Test
  void aServerThatIsKilledIsFollowedByOneThatIsALittleLater() {
    for (int life = 1; life <= 20; life++) {
      RegionClock killed = clock(20);
      machine.advance(Duration.ofMillis(700L * life));
      Instant last = killed.timers().instant();
      kill();
      RegionClock next = clock(20);
      Duration jump = Duration.between(last, next.timers().instant());
      assertFalse(jump.isNegative(), "time went back by " + jump);
      assertTrue(jump.compareTo(Duration.ofSeconds(61)) <= 0, "time went on by " + jump);
      kill();
    }
  }

  /** What was to come never does. */
  private void kill() {
    machine.close();
  }
}
