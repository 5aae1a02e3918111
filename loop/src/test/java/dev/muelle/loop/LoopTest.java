package dev.muelle.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LoopTest {

  private final VirtualTimers timers = new VirtualTimers(Instant.EPOCH);

  private Loop<String> noting(List<String> runs) {
    return new Loop<>(
        "test",
        timers,
        new Random(1),
        4,
        key -> {
          runs.add(key);
          return null;
        });
  }

  @Test
  void manyWakesAreOneRun() {
    List<String> runs = new ArrayList<>();
    Loop<String> loop = noting(runs);
    loop.wake("a");
    loop.wake("a");
    loop.wake("b");
    timers.settle();
    assertEquals(List.of("a", "b"), runs);
  }

  @Test
  void whatHasNotBegunWhenItIsClosedNeverDoes() {
    List<String> runs = new ArrayList<>();
    Loop<String> loop = noting(runs);
    loop.wake("a");
    loop.close(); // and nobody waits for it: only we could let it begin
    timers.settle();
    assertEquals(List.of(), runs);
  }

  @Test
  void aKeyRestsBetweenItsRunsAndLosesNoWake() {
    List<Long> begins = new ArrayList<>();
    Loop<String> loop =
        new Loop<>(
            "test",
            timers,
            new Random(1),
            1,
            4,
            key -> {
              begins.add(timers.millis());
              timers.sleep(Duration.ofMillis(10));
              return begins.size() == 3 ? Duration.ofMillis(100) : null;
            });
    loop.wake("a");
    timers.advance(Duration.ofMillis(5));
    loop.wake("a"); // while it runs
    timers.advance(Duration.ofMillis(55));
    assertEquals(List.of(0L, 50L), begins);
    timers.advance(Duration.ofMillis(10));
    loop.wake("a"); // while it rests
    loop.wake("a");
    timers.advance(Duration.ofMillis(500));
    // The third at the end of the rest; the fourth as the third said, counted from its end.
    assertEquals(List.of(0L, 50L, 100L, 210L), begins);
    loop.wake("a");
    timers.settle();
    assertEquals(5, begins.size(), "nothing to rest from");
  }

  @Test
  void aWakeDuringARunCausesOneMore() {
    List<String> runs = new ArrayList<>();
    List<Loop<String>> self = new ArrayList<>();
    self.add(
        new Loop<>(
            "test",
            timers,
            new Random(1),
            1,
            key -> {
              runs.add(key);
              if (runs.size() == 1) {
                self.getFirst().wake(key);
                self.getFirst().wake(key);
              }
              return null;
            }));
    self.getFirst().wake("a");
    timers.settle();
    assertEquals(List.of("a", "a"), runs);
  }

  @Test
  void whatThrowsIsTriedAgainEverLater() {
    List<Instant> tries = new ArrayList<>();
    Loop<String> loop =
        new Loop<>(
            "test",
            timers,
            new Random(1),
            1,
            key -> {
              tries.add(timers.instant());
              if (tries.size() < 5) {
                throw new IllegalStateException("no");
              }
              return null;
            });
    loop.wake("a");
    timers.settle();
    loop.wake("a"); // does not undo the backoff
    timers.settle();
    assertEquals(1, tries.size());
    timers.advance(Duration.ofSeconds(10));
    assertEquals(5, tries.size());
    Duration before = Duration.ZERO;
    for (int i = 1; i < tries.size(); i++) {
      Duration gap = Duration.between(tries.get(i - 1), tries.get(i));
      assertTrue(gap.compareTo(before) > 0, tries.toString());
      before = gap;
    }
  }

  @Test
  void looksAgainWhenAsked() {
    AtomicInteger runs = new AtomicInteger();
    Loop<String> loop =
        new Loop<>(
            "test",
            timers,
            new Random(1),
            1,
            key -> runs.incrementAndGet() < 3 ? Duration.ofSeconds(1) : null);
    loop.wake("a");
    timers.advance(Duration.ofMillis(1500));
    assertEquals(2, runs.get());
    timers.advance(Duration.ofSeconds(60));
    assertEquals(3, runs.get());
  }

  @Test
  void oneKeyIsNeverWorkedOnTwiceAtOnceAndEveryWakeIsSeen() throws Exception {
    int keys = 5;
    ConcurrentHashMap<Integer, AtomicInteger> inside = new ConcurrentHashMap<>();
    ConcurrentHashMap<Integer, Integer> wanted = new ConcurrentHashMap<>();
    ConcurrentHashMap<Integer, Integer> seen = new ConcurrentHashMap<>();
    AtomicInteger overlaps = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(keys);
    try (SystemTimers real = new SystemTimers();
        Loop<Integer> loop =
            new Loop<>(
                "test",
                real,
                new Random(7),
                3,
                key -> {
                  AtomicInteger here = inside.computeIfAbsent(key, k -> new AtomicInteger());
                  if (here.incrementAndGet() != 1) {
                    overlaps.incrementAndGet();
                  }
                  int want = wanted.getOrDefault(key, 0);
                  if (!Integer.valueOf(want).equals(seen.put(key, want)) && want == 1000) {
                    done.countDown();
                  }
                  here.decrementAndGet();
                  return null;
                })) {
      for (int value = 1; value <= 1000; value++) {
        for (int key = 0; key < keys; key++) {
          wanted.put(key, value);
          loop.wake(key);
        }
      }
      assertTrue(done.await(120, TimeUnit.SECONDS));
    }
    assertEquals(0, overlaps.get());
  }
}
