package dev.muelle.services.elasticloadbalancingv2;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** HTTP codes that count as healthy: {@code 200}, {@code 200,202} or {@code 200-299}. */
final class Matchers {

  private record Range(int from, int to) {}

  private Matchers() {}

  static Predicate<Integer> parse(String codes) {
    List<Range> ranges = new ArrayList<>();
    for (String part : codes.split(",", -1)) {
      String[] ends = part.strip().split("-", -1);
      if (ends.length > 2
          || !ends[0].matches("[2-4][0-9]{2}")
          || !ends[ends.length - 1].matches("[2-4][0-9]{2}")) {
        throw Refuse.invalid(
            "Health check matcher HTTP code '" + codes + "' must be within '200-499' inclusive");
      }
      ranges.add(new Range(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])));
    }
    return status -> ranges.stream().anyMatch(r -> r.from <= status && status <= r.to);
  }
}
