package dev.muelle.balancer.probes;

import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.routing.MemberState;
import java.time.Instant;

/**
 * What is told of a health check. Pure. Of what cannot be understood AWS does not say what it is
 * called: here it is an error of the target's, as the 502 is that clients would get.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html">
 *     Health check logs for your Application Load Balancer</a>
 */
final class Told {

  private Told() {}

  static Checked of(
      MemberState member, Node from, HealthCheck check, Outcome outcome, long nanos, Instant now) {
    Version version = member.group.version;
    return new Checked(
        now.minusNanos(nanos),
        from.address(),
        type(version, check.secure()),
        member.target.address(),
        check.port() == 0 ? member.target.port() : check.port(),
        member.group.id,
        nanos,
        switch (outcome) {
          case Outcome.Passed passed -> passed.status();
          case Outcome.WrongStatus wrong -> wrong.status();
          case Outcome.TimedOut timedOut -> 0;
          case Outcome.NoAnswer none -> 0;
        },
        failure(outcome, version == Version.GRPC));
  }

  private static String type(Version version, boolean secure) {
    return switch (version) {
      case HTTP1 -> secure ? "https" : "http";
      case HTTP2 -> "h2";
      case GRPC -> "grpc";
    };
  }

  private static String failure(Outcome outcome, boolean grpc) {
    return switch (outcome) {
      case Outcome.Passed passed -> "";
      case Outcome.WrongStatus wrong when grpc -> "GRPCUnexpectedStatus";
      case Outcome.WrongStatus wrong ->
          wrong.status() >= 500 ? "TargetError" : "ResponseCodeMismatch";
      case Outcome.TimedOut timedOut -> "TimedOut";
      case Outcome.NoAnswer none ->
          switch (none.fault()) {
            case UNREACHABLE, BROKEN_OFF -> "ConnectionReset";
            case MALFORMED -> "TargetError";
            case NO_GRPC_STATUS -> "GRPCStatusHeaderEmpty";
          };
    };
  }
}
