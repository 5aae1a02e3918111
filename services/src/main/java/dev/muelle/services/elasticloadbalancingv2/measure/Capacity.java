package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Part;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.services.elasticloadbalancingv2.measure.Round.Span;
import java.util.Map;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * How many capacity units a load balancer has used in each minute: what it had most of, compared
 * with what a unit holds of it.
 *
 * @see <a href="https://aws.amazon.com/elasticloadbalancing/pricing/">Elastic Load Balancing
 *     pricing</a>
 */
final class Capacity {

  private static final double SECONDS = 60;
  private static final double MINUTES = 60;
  private static final double GIB = 1L << 30;
  private static final int FREE_RULES = 10;
  private static final double RULES = 1000;

  /**
   * What a unit holds, besides a gigabyte an hour.
   *
   * @param fresh new connections or flows a second
   * @param active those that are open at once
   */
  private record Unit(double fresh, double active) {

    double used(long began, long open, long bytes) {
      return Math.max(Math.max(began / SECONDS / fresh, open / active), bytes * MINUTES / GIB);
    }
  }

  private static final Unit HTTP = new Unit(25, 3000);
  private static final Map<Protocol, Unit> FLOWS =
      Map.of(
          Protocol.TCP, new Unit(800, 100_000),
          Protocol.UDP, new Unit(400, 50_000),
          Protocol.TLS, new Unit(50, 3000));

  private Capacity() {}

  static void http(Round round, Subject of, Metrics m) {
    long began = round.moved(Span.MINUTE, of, "connections", m.get(Count.CONNECTIONS));
    long bytes = round.moved(Span.MINUTE, of, "bytes", m.get(Count.BYTES));
    long rules = round.moved(Span.MINUTE, of, "rules", m.get(Count.RULES));
    long requests = round.moved(Span.MINUTE, of, "requests", m.get(Count.REQUESTS));
    double charged = Math.max(0, rules - FREE_RULES * requests) / SECONDS / RULES;
    tell(
        round,
        of,
        "ConsumedLCUs",
        Math.max(charged, HTTP.used(began, m.activeConnections(), bytes)));
  }

  static void flows(Round round, Subject of, Map<Part, FlowMetrics> parts) {
    double all = 0;
    for (Map.Entry<Protocol, Unit> one : FLOWS.entrySet()) {
      FlowMetrics m = FlowMeasures.sum(parts, part -> part.protocol() == one.getKey());
      String protocol = "_" + one.getKey();
      long began = round.moved(Span.MINUTE, of, "flows" + protocol, m.get(FlowMetrics.Count.FLOWS));
      long bytes = round.moved(Span.MINUTE, of, "bytes" + protocol, m.get(FlowMetrics.Count.BYTES));
      double used = one.getValue().used(began, m.active(), bytes);
      all += used;
      tell(round, of, "ConsumedLCUs" + protocol, used);
    }
    tell(round, of, "ConsumedLCUs", all);
  }

  private static void tell(Round round, Subject of, String metric, double used) {
    if (round.ends(Span.MINUTE) && used > 0) {
      round.record(of, metric, StandardUnit.COUNT, used, 1);
    }
  }
}
