package dev.muelle.balancer.health;

import java.util.List;

/**
 * Which targets fail more often than their neighbours. AWS tells what it looks at (answers with a
 * status of 5xx and connections that fail, where at least three targets are healthy), and not how:
 * see docs/decisions/0090. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#automatic-target-weights">
 *     Automatic target weights</a>
 */
public final class Anomalies {

  static final int FEWEST_TARGETS = 3;

  /** What the past counts a second later. */
  static final double FADING = 0.8;

  private static final double FEWEST_REQUESTS = 10;
  private static final double TOLERATED = 0.1;
  private static final double TIMES_OTHERS = 2;
  private static final double LEAST = 0.05;

  private Anomalies() {}

  /** What a target was asked lately, and how much of that failed; both fade. */
  public record Sample(double requests, double failures) {

    public Sample later(long moreRequests, long moreFailures) {
      return new Sample(requests * FADING + moreRequests, failures * FADING + moreFailures);
    }
  }

  /** Whether one of these fails more often than the others do. */
  public static boolean anomalous(Sample one, List<Sample> all) {
    if (all.size() < FEWEST_TARGETS || one.requests() < FEWEST_REQUESTS) {
      return false;
    }
    double requests = -one.requests();
    double failures = -one.failures();
    for (Sample sample : all) {
      requests += sample.requests();
      failures += sample.failures();
    }
    double others = requests < 1 ? 0 : failures / requests;
    return one.failures() / one.requests() > TIMES_OTHERS * others + TOLERATED;
  }

  /** The next weight of a target, between {@value #LEAST} and 1: down quickly, up slowly. */
  public static double weight(double before, boolean anomalous) {
    return anomalous ? Math.max(LEAST, before / 2) : Math.min(1, before * 1.25);
  }
}
