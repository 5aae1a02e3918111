package dev.muelle.services.ecs;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Which histories a test runs: as many as {@code -Dmuelle.seeds} says, or the one of {@code
 * -Dmuelle.seed}, to see again what failed.
 */
final class Seeds {

  private Seeds() {}

  /** The test's own number of them is for CI. */
  static List<Integer> orElse(int few) {
    Integer one = Integer.getInteger("muelle.seed");
    return one != null
        ? List.of(one)
        : IntStream.range(0, Integer.getInteger("muelle.seeds", few)).boxed().toList();
  }
}
