package dev.muelle.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The examples of <a
 * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html">Scaling
 * adjustment types</a>.
 */
class AdjustmentTest {

  @ParameterizedTest
  @CsvSource({
    // "If the current capacity is 3 and the adjustment is 5, adds 5, for a total of 8"
    "CHANGE_IN_CAPACITY, 3, 5, 0, 8",
    "CHANGE_IN_CAPACITY, 3, -5, 0, 0",
    "CHANGE_IN_CAPACITY, 2147483647, 5, 0, 2147483647",
    // "If the current capacity is 3 and the adjustment is 5, this changes the capacity to 5"
    "EXACT_CAPACITY, 3, 5, 0, 5",
    // "If the current capacity is 10 and the adjustment is 10 percent, adds 1, for a total of 11"
    "PERCENT_CHANGE_IN_CAPACITY, 10, 10, 0, 11",
    // "Values greater than 1 are rounded down. For example, 12.7 is rounded to 12"
    "PERCENT_CHANGE_IN_CAPACITY, 127, 10, 0, 139",
    // "Values between 0 and 1 are rounded to 1. For example, .67 is rounded to 1"
    "PERCENT_CHANGE_IN_CAPACITY, 67, 1, 0, 68",
    // "Values between 0 and -1 are rounded to -1. For example, -.58 is rounded to -1"
    "PERCENT_CHANGE_IN_CAPACITY, 58, -1, 0, 57",
    // "Values less than -1 are rounded up. For example, -6.67 is rounded to -6"
    "PERCENT_CHANGE_IN_CAPACITY, 667, -1, 0, 661",
    // "25 percent of 4 is 1. However, because you specified a MinAdjustmentMagnitude of 2 …"
    "PERCENT_CHANGE_IN_CAPACITY, 4, 25, 2, 6",
    "PERCENT_CHANGE_IN_CAPACITY, 4, -25, 2, 2",
    "PERCENT_CHANGE_IN_CAPACITY, 40, 25, 2, 50",
    "PERCENT_CHANGE_IN_CAPACITY, 4, 0, 2, 4",
    "PERCENT_CHANGE_IN_CAPACITY, 0, 50, 0, 0",
    "PERCENT_CHANGE_IN_CAPACITY, 4, -100, 0, 0",
  })
  void adjusts(Adjustment type, int capacity, int amount, int minimum, int wanted) {
    assertEquals(wanted, type.apply(capacity, amount, minimum));
  }
}
