package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Codes that count as healthy, of HTTP or of gRPC: {@code 200}, {@code 200,202} or {@code 200-299}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html">
 *     Matcher</a>
 */
public final class Matchers {

  private record Range(int from, int to) {}

  private Matchers() {}

  public static Predicate<Integer> parse(String codes, boolean grpc) {
    String form = grpc ? "[0-9]{1,2}" : "[2-4][0-9]{2}";
    List<Range> ranges = new ArrayList<>();
    for (String part : codes.split(",", -1)) {
      String[] ends = part.strip().split("-", -1);
      if (ends.length > 2 || !ends[0].matches(form) || !ends[ends.length - 1].matches(form)) {
        throw Refuse.invalid(
            "Health check matcher "
                + (grpc ? "GRPC" : "HTTP")
                + " code '"
                + codes
                + "' must be within '"
                + (grpc ? "0-99" : "200-499")
                + "' inclusive");
      }
      ranges.add(new Range(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])));
    }
    return status -> ranges.stream().anyMatch(r -> r.from <= status && status <= r.to);
  }
}
