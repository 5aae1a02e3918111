package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.services.elasticloadbalancingv2.oidc.AuthCounts;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * The metrics of application load balancers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Application Load Balancer</a>
 */
public final class HttpMeasures {

  /** Told of load balancers, and of each of their zones. */
  private static final Map<Count, String> OF_BALANCERS =
      Map.ofEntries(
          Map.entry(Count.REQUESTS, "RequestCount"),
          Map.entry(Count.IPV6_REQUESTS, "IPv6RequestCount"),
          Map.entry(Count.GRPC_REQUESTS, "GrpcRequestCount"),
          Map.entry(Count.MALFORMED_REQUESTS, "DesyncMitigationMode_NonCompliant_Request_Count"),
          Map.entry(Count.FIELDS_DROPPED, "DroppedInvalidHeaderRequestCount"),
          Map.entry(Count.FIELDS_FORWARDED, "ForwardedInvalidHeaderRequestCount"),
          Map.entry(Count.FIXED_RESPONSES, "HTTP_Fixed_Response_Count"),
          Map.entry(Count.REDIRECTS, "HTTP_Redirect_Count"),
          Map.entry(Count.LONG_REDIRECTS, "HTTP_Redirect_Url_Limit_Exceeded_Count"),
          Map.entry(Count.REJECTED_CONNECTIONS, "RejectedConnectionCount"),
          Map.entry(Count.HANDSHAKE_ERRORS, "ClientTLSNegotiationErrorCount"),
          Map.entry(Count.TARGET_CONNECTION_ERRORS, "TargetConnectionErrorCount"),
          Map.entry(Count.TARGET_HANDSHAKE_ERRORS, "TargetTLSNegotiationErrorCount"),
          Map.entry(Count.NOT_STICKY, "NonStickyRequestCount"));

  /** Told of target groups, and of each zone's part in them. */
  private static final Map<Count, String> OF_GROUPS =
      Map.of(
          Count.REQUESTS, "RequestCount",
          Count.TARGET_CONNECTION_ERRORS, "TargetConnectionErrorCount",
          Count.TARGET_HANDSHAKE_ERRORS, "TargetTLSNegotiationErrorCount",
          Count.FAILED_OPEN, "UnhealthyRoutingRequestCount");

  private HttpMeasures() {}

  /**
   * A load balancer's.
   *
   * @param groups of the targets that it sends to
   */
  static void balancer(Round round, Subject of, Metrics m, List<Metrics> groups) {
    part(round, of, m);
    m.zones().forEach((zone, metrics) -> part(round, of.in(zone), metrics));
    round.count(of, "RuleEvaluations", m.get(Count.RULES));
    long connections =
        m.get(Count.CONNECTIONS)
            + groups.stream().mapToLong(group -> group.get(Count.CONNECTIONS)).sum();
    long active =
        m.activeConnections() + groups.stream().mapToLong(Metrics::activeConnections).sum();
    round.count(of, "NewConnectionCount", connections);
    round.gauge(of, "ActiveConnectionCount", active);
    Capacity.http(round, of, m);
  }

  private static void part(Round round, Subject of, Metrics m) {
    OF_BALANCERS.forEach((count, name) -> round.count(of, name, m.get(count)));
    round.count(of, "ProcessedBytes", m.get(Count.BYTES), StandardUnit.BYTES);
    round.count(of, "IPv6ProcessedBytes", m.get(Count.IPV6_BYTES), StandardUnit.BYTES);
    for (int hundred = 3; hundred <= 5; hundred++) {
      round.count(of, "HTTPCode_ELB_" + hundred + "XX_Count", m.ownAnswers(hundred));
    }
    for (int status : new int[] {500, 502, 503, 504}) {
      round.count(of, "HTTPCode_ELB_" + status + "_Count", m.ownFaults(status));
    }
    answers(round, of, m);
  }

  private static void answers(Round round, Subject of, Metrics m) {
    for (int hundred = 2; hundred <= 5; hundred++) {
      round.count(of, "HTTPCode_Target_" + hundred + "XX_Count", m.targetAnswers(hundred));
    }
    round.times(of, "TargetResponseTime", m.responseTimes());
  }

  /** What became of logins. */
  static void users(Round round, Subject of, AuthCounts m) {
    round.count(of, "ELBAuthSuccess", m.successes());
    round.count(of, "ELBAuthRefreshTokenSuccess", m.refreshes());
    round.count(of, "ELBAuthFailure", m.failures());
    round.count(of, "ELBAuthError", m.errors());
    round.count(of, "ELBAuthUserClaimsSizeExceeded", m.oversized());
    for (long millis : m.latencies()) {
      round.record(of, "ELBAuthLatency", StandardUnit.MILLISECONDS, (double) millis, 1);
    }
  }

  /** A target group's. */
  static void group(Round round, Subject of, Metrics m) {
    target(round, of, m);
    m.zones().forEach((zone, metrics) -> target(round, of.in(zone), metrics));
  }

  private static void target(Round round, Subject of, Metrics m) {
    OF_GROUPS.forEach((count, name) -> round.count(of, name, m.get(count)));
    answers(round, of, m);
  }
}
