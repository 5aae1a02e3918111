package dev.muelle.services.elasticloadbalancingv2.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Part;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import dev.muelle.services.Measurements;
import dev.muelle.services.elasticloadbalancingv2.measure.Round.Span;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How counters become metrics: their names, dimensions and sums. */
class MeasuresTest {

  private static final Subject WEB =
      new Subject("AWS/ApplicationELB", Map.of("LoadBalancer", "app/web/1"));
  private static final Subject FLOWS =
      new Subject("AWS/NetworkELB", Map.of("LoadBalancer", "net/flows/1"));

  /** The last values, by name, and zone if there is one. */
  private final Map<String, Double> told = new HashMap<>();

  private final List<String> all = new ArrayList<>();

  private final Measurements noted =
      metric ->
          (value, times) -> {
            String zone = metric.dimensions().get("AvailabilityZone");
            String name = metric.name() + (zone == null ? "" : " " + zone);
            told.put(name, value);
            all.add(name);
          };

  private Round round(Round before, boolean minute) {
    return new Round(
        before, noted, minute ? EnumSet.allOf(Span.class) : EnumSet.of(Span.TEN_SECONDS));
  }

  @Test
  void aZonesPartIsToldBesideTheWhole() {
    Metrics web = new Metrics();
    web.in("a").add(Count.REQUESTS, 2);
    web.in("b").add(Count.REQUESTS, 3);
    web.in("b").add(Count.BYTES, 100);
    web.in("b").answered(200, 1_000_000);
    web.add(Count.RULES, 7);
    Metrics group = new Metrics();
    group.connected();
    web.connected();
    Round first = round(null, false);
    HttpMeasures.balancer(first, WEB, web, List.of(group));
    assertEquals(5.0, told.get("RequestCount"));
    assertEquals(2.0, told.get("RequestCount a"));
    assertEquals(3.0, told.get("RequestCount b"));
    assertEquals(100.0, told.get("ProcessedBytes"));
    assertEquals(100.0, told.get("ProcessedBytes b"));
    assertEquals(null, told.get("ProcessedBytes a"), "what did not move is not told");
    assertEquals(7.0, told.get("RuleEvaluations"));
    assertEquals(1.0, told.get("HTTPCode_Target_2XX_Count b"));
    assertEquals(0.001, told.get("TargetResponseTime b"), 0.0001);
    assertEquals(2.0, told.get("NewConnectionCount"), "with clients, and with targets");
    assertEquals(2.0, told.get("ActiveConnectionCount"));

    told.clear();
    web.in("a").add(Count.REQUESTS);
    HttpMeasures.balancer(round(first, false), WEB, web, List.of(group));
    assertEquals(1.0, told.get("RequestCount"));
    assertEquals(1.0, told.get("RequestCount a"));
    assertEquals(null, told.get("RequestCount b"));
    assertEquals(null, told.get("TargetResponseTime"));
  }

  @Test
  void targetGroupsHaveTheirs() {
    Metrics group = new Metrics();
    group.in("a").add(Count.FAILED_OPEN);
    group.in("a").add(Count.TARGET_HANDSHAKE_ERRORS, 2);
    HttpMeasures.group(round(null, false), WEB, group);
    assertEquals(1.0, told.get("UnhealthyRoutingRequestCount"));
    assertEquals(1.0, told.get("UnhealthyRoutingRequestCount a"));
    assertEquals(2.0, told.get("TargetTLSNegotiationErrorCount a"));
  }

  @Test
  void capacityIsWhatThereWasMostOfInAMinute() {
    Metrics web = new Metrics();
    Round look = round(null, true);
    HttpMeasures.balancer(look, WEB, web, List.of());
    web.add(Count.CONNECTIONS, 25 * 60);
    look = round(look, false);
    HttpMeasures.balancer(look, WEB, web, List.of());
    web.add(Count.CONNECTIONS, 25 * 60);
    assertEquals(null, told.get("ConsumedLCUs"));
    look = round(look, true);
    HttpMeasures.balancer(look, WEB, web, List.of());
    assertEquals(2.0, told.get("ConsumedLCUs"), "both looks are of this minute");

    web.add(Count.REQUESTS, 60);
    web.add(Count.RULES, 60 * (10 + 3000)); // ten of each request are free
    look = round(look, true);
    HttpMeasures.balancer(look, WEB, web, List.of());
    assertEquals(3.0, told.get("ConsumedLCUs"));

    web.add(Count.BYTES, 1L << 30);
    HttpMeasures.balancer(round(look, true), WEB, web, List.of());
    assertEquals(60.0, told.get("ConsumedLCUs"), "a gigabyte a minute");
  }

  @Test
  void flowsAreToldByProtocolAndZone() {
    FlowMetrics tcp = new FlowMetrics();
    FlowMetrics udp = new FlowMetrics();
    FlowMetrics host = new FlowMetrics();
    tcp.begins();
    tcp.begins();
    tcp.ends();
    tcp.add(FlowMetrics.Count.BYTES, 50);
    udp.begins();
    host.begins();
    host.add(FlowMetrics.Count.PORT_ERRORS);
    tcp.add(FlowMetrics.Count.REJECTED_FLOWS);
    udp.add(FlowMetrics.Count.REJECTED_FLOWS);
    FlowMeasures.tell(
        round(null, true),
        FLOWS,
        Map.of(
            new Part("a", Protocol.TCP), tcp,
            new Part("b", Protocol.UDP), udp,
            new Part("", Protocol.TLS), host));
    assertEquals(4.0, told.get("NewFlowCount"));
    assertEquals(2.0, told.get("NewFlowCount_TCP"));
    assertEquals(2.0, told.get("NewFlowCount_TCP a"));
    assertEquals(1.0, told.get("NewFlowCount_UDP b"));
    assertEquals(1.0, told.get("NewFlowCount_TLS"), "the host is in no zone");
    assertEquals(3.0, told.get("ActiveFlowCount"));
    assertEquals(1.0, told.get("ActiveFlowCount_TCP a"));
    assertEquals(50.0, told.get("ProcessedBytes_TCP"));
    assertEquals(5.0, told.get("PeakBytesPerSecond"), "over ten seconds");
    assertEquals(1.0, told.get("PortAllocationErrorCount"));
    assertEquals(2.0, told.get("RejectedFlowCount"));
    assertEquals(1.0, told.get("RejectedFlowCount_TCP"));
    assertEquals(1.0, told.get("RejectedFlowCount_TCP a"));
    assertEquals(null, told.get("RejectedFlowCount_TCP b"));
    assertEquals(0, all.stream().filter(name -> name.endsWith(" ")).count());
    assertEquals(
        2.0 / 60 / 800, told.get("ConsumedLCUs_TCP"), 1e-9, "of each protocol what it has most of");
    assertEquals(
        told.get("ConsumedLCUs_TCP") + told.get("ConsumedLCUs_UDP") + told.get("ConsumedLCUs_TLS"),
        told.get("ConsumedLCUs"),
        1e-9);
  }

  @Test
  void packetsAreToldOfEachNodesZoneAndTogether() {
    List<Node> both =
        List.of(
            new Node("subnet-a", "a", "eni-a", "10.0.0.4", null, null, List.of()),
            new Node("subnet-b", "b", "eni-b", "10.0.1.4", null, null, List.of()));
    Refusal in = new Refusal(true, 6);
    Round look = round(null, false);
    FlowMeasures.packets(
        look,
        FLOWS,
        both,
        Map.of(
            "eni-a", new Packets(100, Map.of(in, 3L)),
            "eni-b", new Packets(50, Map.of(in, 1L, new Refusal(false, 17), 7L))));
    assertEquals(150.0, told.get("ProcessedPackets"));
    assertEquals(100.0, told.get("ProcessedPackets a"));
    assertEquals(15.0, told.get("PeakPacketsPerSecond"));
    assertEquals(5.0, told.get("PeakPacketsPerSecond b"));
    assertEquals(4.0, told.get("SecurityGroupBlockedFlowCount_Inbound_TCP"));
    assertEquals(3.0, told.get("SecurityGroupBlockedFlowCount_Inbound_TCP a"));
    assertEquals(7.0, told.get("SecurityGroupBlockedFlowCount_Outbound_UDP b"));

    told.clear();
    look = round(look, false);
    FlowMeasures.packets(
        look, FLOWS, both.subList(1, 2), Map.of("eni-b", new Packets(60, Map.of(in, 1L))));
    assertEquals(10.0, told.get("ProcessedPackets"), "whoever goes takes nothing away");
    assertEquals(null, told.get("SecurityGroupBlockedFlowCount_Inbound_TCP"));
  }

  @Test
  void peaksAreOfTenSecondsHoweverOftenOneLooks() {
    FlowMetrics tcp = new FlowMetrics();
    Map<Part, FlowMetrics> parts = Map.of(new Part("", Protocol.TCP), tcp);
    Round look = null;
    for (int second = 1; second <= 10; second++) {
      tcp.add(FlowMetrics.Count.BYTES, 20);
      assertEquals(null, told.get("PeakBytesPerSecond"));
      Set<Span> ending = second < 10 ? Set.of() : Set.of(Span.TEN_SECONDS);
      look = new Round(look, noted, ending);
      FlowMeasures.tell(look, FLOWS, parts);
    }
    assertEquals(20.0, told.get("PeakBytesPerSecond"));
  }
}
