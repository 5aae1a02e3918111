package dev.muelle.balancer.health;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.balancer.LoadBalancer;
import java.time.Instant;

/**
 * How checks move a target between states. A new target is healthy after one success; afterwards
 * the thresholds count consecutive results.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html">
 *     Health checks for Application Load Balancer target groups</a>
 * @param streak consecutive results that speak against the present state
 */
public record HealthRules(TargetState state, int streak) {

  /** What one check found. */
  public sealed interface Outcome {
    /** It answered, and as it should. */
    record Passed(int status) implements Outcome {}

    record WrongStatus(int status) implements Outcome {}

    /** It took too long, to let itself be connected to or to answer. */
    record TimedOut() implements Outcome {}

    /** It gave no answer, or none that could be understood. */
    record NoAnswer(Fault fault) implements Outcome {}

    /** What went wrong. */
    enum Fault {
      UNREACHABLE,
      BROKEN_OFF,
      MALFORMED,
      NO_GRPC_STATUS
    }
  }

  public static HealthRules fresh(Instant now) {
    return new HealthRules(
        new TargetState(
            Health.INITIAL,
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
            now),
        0);
  }

  public static HealthRules knownHealthy(Instant now) {
    return new HealthRules(new TargetState(Health.HEALTHY, "", "", now), 0);
  }

  /** A new target whose checks have begun. */
  public HealthRules checking(Instant now) {
    return state.health() != Health.INITIAL
        ? this
        : new HealthRules(
            new TargetState(
                Health.INITIAL,
                "Elb.InitialHealthChecking",
                "Initial health checks in progress",
                state.since()),
            streak);
  }

  public HealthRules after(Outcome outcome, LoadBalancer.HealthCheck check, Instant now) {
    boolean passed = outcome instanceof Outcome.Passed;
    return switch (state.health()) {
      case INITIAL -> {
        if (passed) {
          yield knownHealthy(now);
        }
        yield streak + 1 >= check.unhealthyThreshold()
            ? unhealthy(outcome, now)
            : new HealthRules(state, streak + 1);
      }
      case HEALTHY -> {
        if (passed) {
          yield new HealthRules(state, 0);
        }
        yield streak + 1 >= check.unhealthyThreshold()
            ? unhealthy(outcome, now)
            : new HealthRules(state, streak + 1);
      }
      case UNHEALTHY -> {
        if (!passed) {
          yield unhealthy(outcome, state.since());
        }
        yield streak + 1 >= check.healthyThreshold()
            ? knownHealthy(now)
            : new HealthRules(state, streak + 1);
      }
      case DRAINING, DRAINED -> this;
    };
  }

  private static HealthRules unhealthy(Outcome outcome, Instant since) {
    TargetState state =
        switch (outcome) {
          case Outcome.WrongStatus wrong ->
              new TargetState(
                  Health.UNHEALTHY,
                  "Target.ResponseCodeMismatch",
                  "Health checks failed with these codes: [" + wrong.status() + "]",
                  since);
          case Outcome.TimedOut timedOut ->
              new TargetState(Health.UNHEALTHY, "Target.Timeout", "Request timed out", since);
          case Outcome.NoAnswer noAnswer ->
              new TargetState(
                  Health.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed", since);
          case Outcome.Passed passed -> throw new IllegalArgumentException("a passed check");
        };
    return new HealthRules(state, 0);
  }
}
