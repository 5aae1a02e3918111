package dev.muelle.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.muelle.scaling.Decision.Direction;
import dev.muelle.scaling.Decision.Scale;
import dev.muelle.scaling.Decision.Situation;
import dev.muelle.scaling.Decision.Stay;
import dev.muelle.scaling.Decision.Why;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionTest {

  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final Duration FIVE_MINUTES = Duration.ofMinutes(5);
  private static final TargetTracking CPU = new TargetTracking(70);

  private static Situation at(int capacity) {
    return new Situation(capacity, 2, 10, true, true, false);
  }

  private static Decision out(Situation situation, double metric, @Nullable Cooldown cooldown) {
    return Decision.decide(situation, CPU.out(metric), Direction.OUT, cooldown, NOW);
  }

  private static Decision in(Situation situation, double metric, @Nullable Cooldown cooldown) {
    return Decision.decide(situation, CPU.in(List.of(metric)), Direction.IN, cooldown, NOW);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 140, 4",
    "2, 70.1, 3",
    "3, 100, 5",
    "4, 500, 10", // proportional, rounded up, at most 10
  })
  void targetTrackingScalesOut(int capacity, double metric, int wanted) {
    assertEquals(new Scale(wanted), out(at(capacity), metric, null));
  }

  @ParameterizedTest
  @CsvSource({
    "10, 35, 5", // half the load, half the tasks
    "10, 36, 6", // 5.14: what is removed is rounded down
    "10, 1, 2", // at least the minimum
    "4, 50, 3",
  })
  void targetTrackingScalesIn(int capacity, double metric, int wanted) {
    assertEquals(new Scale(wanted), in(at(capacity), metric, null));
  }

  @Test
  void scalingInHoldsTheHighestMinute() {
    assertEquals(
        new Scale(8),
        Decision.decide(at(10), CPU.in(List.of(20.0, 52.0, 20.0)), Direction.IN, null, NOW)); // 7.4
  }

  @Test
  void roundingMayLeaveNothingToRemove() {
    assertEquals(new Stay(Why.ALREADY_AT_DESIRED_CAPACITY), in(at(3), 60, null));
    assertEquals(new Stay(Why.ALREADY_AT_MIN_CAPACITY), in(at(2), 60, null));
    assertEquals(new Stay(Why.ALREADY_AT_MIN_CAPACITY), in(at(2), 1, null));
    assertEquals(new Stay(Why.ALREADY_AT_MAX_CAPACITY), out(at(10), 99, null));
  }

  /** What the ECS guide says of desired counts outside the bounds. */
  @Test
  void outsideItsBounds() {
    assertEquals(new Scale(3), out(at(1), 71, null), "up to the minimum, and on from there");
    assertEquals(new Stay(Why.ALREADY_AT_MIN_CAPACITY), in(at(1), 1, null));
    assertEquals(new Scale(5), in(at(12), 35, null), "down to the maximum, and on from there");
    assertEquals(new Stay(Why.ALREADY_AT_MAX_CAPACITY), out(at(12), 99, null));
    assertEquals(new Scale(2), Decision.intoBounds(at(0)));
    assertEquals(new Scale(10), Decision.intoBounds(at(11)));
    assertEquals(new Stay(Why.ALREADY_AT_DESIRED_CAPACITY), Decision.intoBounds(at(10)));
  }

  /**
   * "When an alarm triggers a step scaling policy to increase the capacity by 2, the scaling
   * activity completes successfully, and a cooldown period starts. If the alarm triggers again
   * during the cooldown period but at a more aggressive step adjustment of 3, the previous increase
   * of 2 is considered part of the current capacity. Therefore, only 1 is added."
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html">StepScalingPolicyConfiguration</a>
   */
  @Test
  void inTheCooldownOfAScaleOutALargerOneAddsTheDifference() {
    Cooldown cooldown = new Cooldown(true, 4, NOW.minusSeconds(60), FIVE_MINUTES);
    assertEquals(new Scale(7), step(6, 3, cooldown));
    assertEquals(new Stay(Why.COOLING_DOWN), step(6, 2, cooldown));
    assertEquals(new Stay(Why.COOLING_DOWN), step(6, 1, cooldown));
    Cooldown over = new Cooldown(true, 4, NOW.minus(FIVE_MINUTES), FIVE_MINUTES);
    assertEquals(new Scale(8), step(6, 2, over));
    Cooldown yetToBegin = new Cooldown(true, 4, null, Duration.ZERO);
    assertEquals(new Stay(Why.COOLING_DOWN), step(6, 2, yetToBegin));
  }

  private static Decision step(int capacity, int change, @Nullable Cooldown cooldown) {
    IntUnaryOperator add = count -> Adjustment.CHANGE_IN_CAPACITY.apply(count, change, 0);
    return Decision.decide(at(capacity), add, Direction.EITHER, cooldown, NOW);
  }

  @Test
  void aScaleInsCooldownBlocksOnlyScalingIn() {
    Cooldown cooldown = new Cooldown(false, 0, NOW.minusSeconds(60), FIVE_MINUTES);
    assertEquals(new Stay(Why.COOLING_DOWN), in(at(8), 35, cooldown));
    assertEquals(new Scale(10), out(at(8), 80, cooldown));
    Cooldown outs = new Cooldown(true, 4, NOW.minusSeconds(60), FIVE_MINUTES);
    assertEquals(new Scale(4), in(at(8), 35, outs));
  }

  @Test
  void aClockThatWasSetBackEndsACooldown() {
    assertFalse(new Cooldown(false, 0, NOW.plusSeconds(3_600), FIVE_MINUTES).holds(NOW));
  }

  @Test
  void suspendedOrUnscalable() {
    Situation noMore = new Situation(4, 2, 10, false, true, false);
    assertEquals(new Stay(Why.SUSPENDED), out(noMore, 100, null));
    assertEquals(new Scale(2), in(noMore, 35, null));
    Situation noFewer = new Situation(4, 2, 10, true, false, false);
    assertEquals(new Stay(Why.SUSPENDED), in(noFewer, 35, null));
    Situation deploying = new Situation(4, 2, 10, true, true, true);
    assertEquals(new Stay(Why.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE), in(deploying, 35, null));
    assertEquals(new Scale(6), out(deploying, 100, null));
  }

  /** Whatever is decided is within the bounds, the way it was to go, and not beyond its need. */
  @Test
  void nothingIsDecidedOutOfBounds() {
    Random random = new Random(171);
    for (int i = 0; i < 100_000; i++) {
      int min = random.nextInt(0, 20);
      int max = min + random.nextInt(0, 20);
      int capacity = random.nextInt(0, 50);
      double metric = random.nextDouble(0, 300);
      Direction direction = random.nextBoolean() ? Direction.OUT : Direction.IN;
      Cooldown cooldown =
          random.nextBoolean()
              ? null
              : new Cooldown(
                  random.nextBoolean(),
                  random.nextInt(0, 50),
                  NOW.minusSeconds(random.nextInt(600)),
                  FIVE_MINUTES);
      Situation situation = new Situation(capacity, min, max, true, true, false);
      Decision decision =
          direction == Direction.OUT
              ? out(situation, metric, cooldown)
              : in(situation, metric, cooldown);
      if (decision instanceof Scale(int to)) {
        assertEquals(Math.clamp(to, min, max), to);
        assertEquals(direction == Direction.OUT, to > capacity, situation + " to " + to);
      }
    }
  }

  /** What is left after a scale-in is not above the target: it calls nothing back. */
  @Test
  void scalingInNeverAsksForScalingOut() {
    for (int capacity = 1; capacity <= 200; capacity++) {
      for (double metric = 0.5; metric < 70; metric += 0.5) {
        int left = CPU.in(List.of(metric)).applyAsInt(capacity);
        if (left > 0) {
          double then = metric * capacity / left;
          assertEquals(left, CPU.out(then).applyAsInt(left), capacity + " at " + metric);
        }
      }
    }
  }
}
