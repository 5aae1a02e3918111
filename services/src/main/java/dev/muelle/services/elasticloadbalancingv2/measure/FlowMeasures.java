package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.metrics.FlowMetrics.Part;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * The metrics of network load balancers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html">CloudWatch
 *     metrics for your Network Load Balancer</a>
 */
public final class FlowMeasures {

  private static final Map<Count, String> NAMES =
      Map.of(
          Count.REJECTED_FLOWS, "RejectedFlowCount",
          Count.CLIENT_RESETS, "TCP_Client_Reset_Count",
          Count.TARGET_RESETS, "TCP_Target_Reset_Count",
          Count.OWN_RESETS, "TCP_ELB_Reset_Count",
          Count.CLIENT_TLS_ERRORS, "ClientTLSNegotiationErrorCount",
          Count.TARGET_TLS_ERRORS, "TargetTLSNegotiationErrorCount",
          Count.FAILED_OPEN, "UnhealthyRoutingFlowCount",
          Count.PORT_ERRORS, "PortAllocationErrorCount");

  /** Bytes are averaged from one look to the next: of ten seconds, as AWS has it. */
  private static final double SECONDS = 10;

  private FlowMeasures() {}

  static void tell(Round round, Subject of, Map<Part, FlowMetrics> parts) {
    part(round, of, parts, part -> true);
    TreeSet<String> zones = new TreeSet<>();
    parts.keySet().forEach(part -> zones.add(part.zone()));
    zones.remove(""); // the host is in none
    zones.forEach(zone -> part(round, of.in(zone), parts, part -> part.zone().equals(zone)));
    Capacity.flows(round, of, parts);
  }

  private static void part(
      Round round, Subject of, Map<Part, FlowMetrics> parts, Predicate<Part> which) {
    FlowMetrics all = sum(parts, which);
    flows(round, of, "", all);
    for (Protocol protocol : Protocol.values()) {
      Predicate<Part> spoken = part -> part.protocol() == protocol;
      if (parts.keySet().stream().anyMatch(which.and(spoken))) {
        flows(round, of, "_" + protocol, sum(parts, which.and(spoken)));
      }
    }
    NAMES.forEach((count, name) -> round.count(of, name, all.get(count)));
    long bytes = round.moved(of, "bytes of a look", all.get(Count.BYTES));
    if (bytes > 0) {
      round.record(of, "PeakBytesPerSecond", StandardUnit.BYTES_SECOND, bytes / SECONDS, 1);
    }
  }

  private static void flows(Round round, Subject of, String protocol, FlowMetrics m) {
    round.gauge(of, "ActiveFlowCount" + protocol, m.active());
    round.count(of, "NewFlowCount" + protocol, m.get(Count.FLOWS));
    round.count(of, "ProcessedBytes" + protocol, m.get(Count.BYTES), StandardUnit.BYTES);
  }

  static FlowMetrics sum(Map<Part, FlowMetrics> parts, Predicate<Part> which) {
    return FlowMetrics.sum(
        parts.entrySet().stream()
            .filter(entry -> which.test(entry.getKey()))
            .map(Map.Entry::getValue)
            .toList());
  }
}
