package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.metrics.FlowMetrics.Part;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import dev.muelle.services.elasticloadbalancingv2.measure.Round.Span;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import java.util.HashMap;
import java.util.List;
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

  private static final Map<Integer, String> PROTOCOLS = Map.of(1, "ICMP", 6, "TCP", 17, "UDP");

  /** What peaks are averages of. */
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
    FlowMetrics tcp = sum(parts, which.and(part -> part.protocol() == Protocol.TCP));
    round.count(of, "RejectedFlowCount_TCP", tcp.get(Count.REJECTED_FLOWS));
    long bytes = round.moved(Span.TEN_SECONDS, of, "bytes", all.get(Count.BYTES));
    if (round.ends(Span.TEN_SECONDS) && bytes > 0) {
      round.record(of, "PeakBytesPerSecond", StandardUnit.BYTES_SECOND, bytes / SECONDS, 1);
    }
  }

  /** Flows to a target group, of whatever load balancer. */
  static void group(Round round, Subject of, Map<Protocol, FlowMetrics> parts) {
    begun(round, of, "", FlowMetrics.sum(parts.values()));
    parts.forEach((protocol, m) -> begun(round, of, "_" + protocol, m));
  }

  /** Whether each zone is well; of the load balancer all of these. */
  static void zones(Round round, Subject of, List<Node> nodes, List<Node> well) {
    for (Node node : nodes) {
      long status = well.contains(node) ? 1 : 0;
      round.gauge(of.in(node.zone()), "ZonalHealthStatus", status);
      round.gauge(of, "ZonalHealthStatus", status);
    }
  }

  /**
   * What the kernel counted at nodes. One that goes takes its counters along, so the whole is what
   * all of them moved by.
   *
   * @param counted by network interface
   */
  static void packets(Round round, Subject of, List<Node> nodes, Map<String, Packets> counted) {
    Tally whole = new Tally();
    for (Node node : nodes) {
      Packets at = counted.get(node.interfaceId());
      if (at != null) {
        Tally moved = Tally.of(round, of, node.interfaceId(), at);
        moved.tell(round, of.in(node.zone()));
        whole.add(moved);
      }
    }
    whole.tell(round, of);
  }

  /** How far the counters of nodes have come. */
  private static final class Tally {
    private long passed;
    private long inTenSeconds;
    private final Map<Refusal, Long> refused = new HashMap<>();

    private static Tally of(Round round, Subject of, String node, Packets at) {
      Tally tally = new Tally();
      String packets = "packets at " + node;
      tally.passed = round.moved(of, packets, at.passed());
      tally.inTenSeconds = round.moved(Span.TEN_SECONDS, of, packets, at.passed());
      at.refused()
          .forEach(
              (what, all) -> tally.refused.put(what, round.moved(of, what + " at " + node, all)));
      return tally;
    }

    private void add(Tally other) {
      passed += other.passed;
      inTenSeconds += other.inTenSeconds;
      other.refused.forEach((what, flows) -> refused.merge(what, flows, Long::sum));
    }

    private void tell(Round round, Subject of) {
      tell(round, of, "ProcessedPackets", passed);
      if (round.ends(Span.TEN_SECONDS) && inTenSeconds > 0) {
        round.record(
            of, "PeakPacketsPerSecond", StandardUnit.COUNT_SECOND, inTenSeconds / SECONDS, 1);
      }
      refused.forEach((what, flows) -> tell(round, of, name(what), flows));
    }

    private static void tell(Round round, Subject of, String metric, long more) {
      if (more > 0) {
        round.record(of, metric, StandardUnit.COUNT, (double) more, 1);
      }
    }

    private static String name(Refusal what) {
      return "SecurityGroupBlockedFlowCount_"
          + (what.ingress() ? "Inbound_" : "Outbound_")
          + PROTOCOLS.get(what.protocol());
    }
  }

  private static void begun(Round round, Subject of, String protocol, FlowMetrics m) {
    round.gauge(of, "ActiveFlowCount" + protocol, m.active());
    round.count(of, "NewFlowCount" + protocol, m.get(Count.FLOWS));
  }

  private static void flows(Round round, Subject of, String protocol, FlowMetrics m) {
    begun(round, of, protocol, m);
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
