package dev.muelle.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.scaling.StepScaling.Step;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepScalingTest {

  /**
   * The two policies of <a
   * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html#as-scaling-steps">Step
   * adjustments</a>: thresholds at 60 and 40.
   */
  private static final StepScaling OUT =
      new StepScaling(
          Adjustment.PERCENT_CHANGE_IN_CAPACITY,
          List.of(step(0.0, 10.0, 10), step(10.0, null, 30)),
          0);

  private static final StepScaling IN =
      new StepScaling(
          Adjustment.PERCENT_CHANGE_IN_CAPACITY,
          List.of(step(-10.0, 0.0, -10), step(null, -10.0, -30)),
          0);

  private static Step step(@Nullable Double from, @Nullable Double to, int amount) {
    return new Step(from, to, amount);
  }

  @ParameterizedTest
  @CsvSource({
    "10, 60, 11", // "its desired capacity increases by 1, to 11: 10 percent of 10"
    "11, 70, 14", // "increases by another 3: 30 percent of 11 is 3.3, rounded down to 3"
    "10, 69.999, 11",
    "10, 500, 13",
  })
  void scalesOut(int capacity, double metric, int wanted) {
    assertEquals(wanted, OUT.wanted(metric, 60).orElseThrow().applyAsInt(capacity));
  }

  @ParameterizedTest
  @CsvSource({
    "14, 40, 13", // "decreases by 1, to 13: 10 percent of 14 is 1.4, rounded down to 1"
    "13, 30, 10", // "decreases by another 3: 30 percent of 13 is 3.9, rounded down to 3"
    "14, 30.001, 13",
    "13, -5, 10",
  })
  void scalesIn(int capacity, double metric, int wanted) {
    assertEquals(wanted, IN.wanted(metric, 40).orElseThrow().applyAsInt(capacity));
  }

  @Test
  void noStepIsForTheOtherSide() {
    assertTrue(OUT.wanted(59.9, 60).isEmpty());
    assertTrue(IN.wanted(40.1, 40).isEmpty());
  }

  @Test
  void stepsAreChecked() {
    assertEquals("", fault(step(0.0, 10.0, 1), step(10.0, null, 2)));
    assertEquals("", fault(step(null, null, 1)));
    assertEquals("", fault(step(0.0, null, 2), step(null, 0.0, -2)));
    assertEquals("At least one step adjustment must be specified", fault());
    assertTrue(fault(step(0.0, 10.0, 1), step(5.0, null, 2)).contains("overlap"));
    assertTrue(fault(step(null, 0.0, 1), step(null, 5.0, 2)).contains("overlap"));
    assertTrue(fault(step(0.0, null, 1), step(5.0, null, 2)).contains("overlap"));
    assertTrue(fault(step(0.0, 10.0, 1), step(15.0, null, 2)).contains("gap"));
    assertTrue(fault(step(0.0, 10.0, 1)).contains("unspecified upper bound"));
    assertTrue(fault(step(-10.0, 0.0, -1)).contains("unspecified lower bound"));
    assertTrue(fault(step(null, null, 1), step(0.0, null, 1)).contains("both"));
    assertTrue(fault(step(10.0, 0.0, 1)).contains("less than"));
  }

  private static String fault(Step... steps) {
    return StepScaling.fault(List.of(steps)).orElse("");
  }

  /** Steps without a fault give each metric beyond the outermost given bounds exactly one step. */
  @Test
  void faultlessStepsLeaveNothingOpen() {
    Random random = new Random(170);
    int checked = 0;
    for (int i = 0; i < 20_000; i++) {
      double a = random.nextInt(-3, 4);
      double b = random.nextInt(-3, 4);
      double c = random.nextInt(-3, 4);
      List<Step> steps =
          List.of(
              step(random.nextBoolean() ? null : a, b, -1),
              step(b, random.nextBoolean() ? null : c, 1));
      if (StepScaling.fault(steps).isPresent()) {
        continue;
      }
      checked++;
      StepScaling policy = new StepScaling(Adjustment.CHANGE_IN_CAPACITY, steps, 0);
      for (double distance : new double[] {b - 0.5, b + 0.5}) {
        assertEquals(
            distance < b ? 4 : 6,
            policy.wanted(50 + distance, 50).orElseThrow().applyAsInt(5),
            steps + " at " + distance);
      }
      assertTrue(policy.wanted(50 + b, 50).isPresent(), steps + " where they meet");
    }
    assertTrue(checked > 1_000, checked + " checked");
  }
}
