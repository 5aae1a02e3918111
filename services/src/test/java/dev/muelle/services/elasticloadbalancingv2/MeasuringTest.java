package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.getPath;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.elasticloadbalancingv2.measure.Measuring;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** Real requests, told of minute by minute in virtual time. */
class MeasuringTest extends ElbV2World {

  private static final Instant START = Instant.parse("2026-02-03T10:00:30Z");

  private final VirtualTimers timers = new VirtualTimers(START);
  private final List<Told> all = new CopyOnWriteArrayList<>();
  private LoadBalancer balancer;
  private Measuring metrics;
  private int port;
  private volatile boolean silent;

  private record Told(Metric metric, double value, double times) {}

  @BeforeEach
  void begin() {
    Measurements measurements = metric -> (value, times) -> all.add(new Told(metric, value, times));
    balancer = machine.balancer("web");
    port = freePort();
    metrics =
        new Measuring(
            machine.store.in(Machine.HOME.storeScope()),
            timers,
            this::counted,
            machine.balancer,
            machine.oidc(),
            measurements);
    metrics.start();
  }

  @AfterEach
  void end() {
    metrics.close();
  }

  private Map<String, Packets> counted(String vpc) {
    if (silent) {
      throw new IllegalStateException("the kernel does not answer");
    }
    return network.packets(vpc);
  }

  private String ask(String path) throws IOException {
    return getPath(path, "127.0.0.1", port, balancer.dnsName());
  }

  private List<Told> told(String metric) {
    return all.stream().filter(one -> one.metric().name().equals(metric)).toList();
  }

  private double last(String metric) {
    return told(metric).getLast().value();
  }

  @Test
  void everyMinuteIsToldWhatItBrought() throws Exception {
    String group =
        elb.createTargetGroup(
                r -> r.name("none").protocol("HTTP").port(80).targetType("ip").vpcId(machine.vpc()))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    String listener =
        elb.createListener(r ->
                r.loadBalancerArn(balancer.loadBalancerArn())
                    .protocol("HTTP")
                    .port(port)
                    .defaultActions(Machine.says("hello")))
            .listeners()
            .getFirst()
            .listenerArn();
    elb.createRule(r ->
        r.listenerArn(listener)
            .priority(1)
            .conditions(path("/old"))
            .actions(
                Action.builder()
                    .type(ActionTypeEnum.REDIRECT)
                    .redirectConfig(c -> c.path("/new").statusCode("HTTP_301"))
                    .build()));
    elb.createRule(r ->
        r.listenerArn(listener)
            .priority(2)
            .conditions(path("/none"))
            .actions(Action.builder().type(ActionTypeEnum.FORWARD).targetGroupArn(group).build()));
    for (int i = 0; i < 3; i++) {
      assertTrue(ask("/").endsWith("hello"));
    }
    assertTrue(ask("/old").startsWith("HTTP/1.1 301 "));
    assertTrue(ask("/none").startsWith("HTTP/1.1 503 "));
    timers.advance(Duration.ofSeconds(8));
    assertEquals(List.of(), all);
    timers.advance(Duration.ofSeconds(1)); // 10:00:39

    String load = balancer.loadBalancerArn().split(":loadbalancer/", -1)[1];
    String targets = group.substring(group.indexOf("targetgroup/"));
    List<Told> requests = told("RequestCount");
    assertEquals(2, requests.size(), "the load balancer's, and the target group's");
    assertEquals(
        new Told(
            new Metric(
                "AWS/ApplicationELB",
                "RequestCount",
                Map.of("LoadBalancer", load),
                StandardUnit.COUNT),
            5,
            1),
        requests.getFirst());
    assertEquals(
        Map.of("LoadBalancer", load, "TargetGroup", targets),
        requests.getLast().metric().dimensions());
    assertEquals(1.0, requests.getLast().value());
    assertEquals(5.0, last("NewConnectionCount"));
    assertEquals(3.0, last("HTTP_Fixed_Response_Count"));
    assertEquals(1.0, last("HTTP_Redirect_Count"));
    assertEquals(1.0, last("HTTPCode_ELB_3XX_Count"));
    assertEquals(1.0, last("HTTPCode_ELB_5XX_Count"));
    assertEquals(1.0, last("HTTPCode_ELB_503_Count"));
    assertEquals(0.0, last("HealthyHostCount"));
    assertEquals(9.0, last("RuleEvaluations"), "two of each but the redirected one");
    Told bytes = told("ProcessedBytes").getLast();
    assertEquals(StandardUnit.BYTES, bytes.metric().unit());
    assertTrue(bytes.value() > 5 * 100, "requests and answers: " + bytes.value());
    assertEquals(List.of(), told("ConsumedLCUs"), "told when a minute ends");
    assertEquals(List.of(), told("HTTPCode_ELB_4XX_Count"), "what did not move is not told");

    timers.advance(Duration.ofSeconds(10));
    assertEquals(2, told("RequestCount").size(), "nothing came");
    assertEquals(2, told("HealthyHostCount").size(), "but how many there are is told each time");
    assertTrue(ask("/").endsWith("hello"));
    timers.advance(Duration.ofSeconds(10)); // 10:00:59: still of this minute
    assertEquals(1.0, last("RequestCount"));
    assertEquals(3, told("RequestCount").size());
    assertEquals(6.0 / 60 / 25, last("ConsumedLCUs"), 1e-9, "six connections in this minute");
    assertEquals(1, told("ConsumedLCUs").size());
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(balancer.loadBalancerArn()));
    timers.advance(Duration.ofMinutes(1));
    assertEquals(3, told("RequestCount").size());
  }

  /** A listener of TCP, with a target group of its own. */
  private String listening(LoadBalancer flows, String name, TargetTypeEnum type, int at) {
    String group =
        elb.createTargetGroup(r ->
                r.name(name)
                    .protocol(ProtocolEnum.TCP)
                    .port(80)
                    .targetType(type)
                    .vpcId(machine.vpc()))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    elb.createListener(r ->
        r.loadBalancerArn(flows.loadBalancerArn())
            .protocol(ProtocolEnum.TCP)
            .port(at)
            .defaultActions(Machine.to(group)));
    return group;
  }

  @Test
  void networkLoadBalancersHaveMetricsOfTheirOwn() {
    LoadBalancer flows =
        elb.createLoadBalancer(r ->
                r.name("flows").type("network").scheme("internal").subnets(machine.subnetIds()))
            .loadBalancers()
            .getFirst();
    String group = listening(flows, "tcp", TargetTypeEnum.IP, port);
    String web = listening(flows, "web", TargetTypeEnum.ALB, port + 1);
    all.clear();
    timers.advance(Duration.ofMinutes(1));
    String load = flows.loadBalancerArn().split(":loadbalancer/", -1)[1];
    assertTrue(load.startsWith("net/flows/"), load);
    String targets = group.substring(group.indexOf("targetgroup/"));
    List<Told> active = told("ActiveFlowCount");
    assertEquals("AWS/NetworkELB", active.getLast().metric().namespace());
    assertEquals(
        Set.of(
            Map.of("LoadBalancer", load),
            Map.of("TargetGroup", targets),
            Map.of("TargetGroup", web.substring(web.indexOf("targetgroup/")))),
        active.stream().map(one -> one.metric().dimensions()).collect(Collectors.toSet()));
    Metric hosts = told("HealthyHostCount").getLast().metric();
    assertEquals("AWS/NetworkELB", hosts.namespace());
    assertEquals(load, hosts.dimensions().get("LoadBalancer"));
    assertTrue(
        told("HealthyHostCount").stream()
            .noneMatch(one -> one.metric().dimensions().get("TargetGroup").contains("/web/")),
        "load balancers that are targets are not counted");
    assertTrue(
        all.stream()
            .filter(one -> one.metric().namespace().equals("AWS/ApplicationELB"))
            .noneMatch(one -> load.equals(one.metric().dimensions().get("LoadBalancer"))));
    assertEquals(List.of(), told("NewFlowCount"), "nobody came");

    NetworkInterface node =
        machine.ec2().describeNetworkInterfaces().networkInterfaces().stream()
            .filter(eni -> eni.description().startsWith("ELB net/flows/"))
            .findFirst()
            .orElseThrow();
    network.packets(node.networkInterfaceId(), new Packets(60, Map.of(new Refusal(true, 1), 2L)));
    timers.advance(Duration.ofMinutes(1));
    List<Told> packets = told("ProcessedPackets");
    assertEquals(
        List.of(
            Map.of("LoadBalancer", load, "AvailabilityZone", node.availabilityZone()),
            Map.of("LoadBalancer", load)),
        packets.stream().map(one -> one.metric().dimensions()).toList());
    assertEquals(60.0, packets.getLast().value());
    Told peak = told("PeakPacketsPerSecond").getLast();
    assertEquals(6.0, peak.value());
    assertEquals(StandardUnit.COUNT_SECOND, peak.metric().unit());
    assertEquals(2.0, last("SecurityGroupBlockedFlowCount_Inbound_ICMP"));

    // What came while the kernel did not answer is told once when it does.
    silent = true;
    all.clear();
    network.packets(node.networkInterfaceId(), new Packets(90, Map.of(new Refusal(true, 1), 3L)));
    timers.advance(Duration.ofSeconds(20));
    assertEquals(List.of(), all, "nothing is told in part");
    silent = false;
    timers.advance(Duration.ofSeconds(20));
    assertEquals(2, told("ProcessedPackets").size(), "the zone's, and the whole");
    assertEquals(30.0, last("ProcessedPackets"));
    assertEquals(1.0, last("SecurityGroupBlockedFlowCount_Inbound_ICMP"));
  }

  @Test
  void zonesOfANetworkLoadBalancerAreWellOrNot() throws Exception {
    LoadBalancer flows =
        elb.createLoadBalancer(r ->
                r.name("flows").type("network").scheme("internal").subnets(machine.subnetIds()))
            .loadBalancers()
            .getFirst();
    String arn = flows.loadBalancerArn();
    machine.active(arn);
    timers.advance(Duration.ofSeconds(10));
    assertEquals(List.of(), told("ZonalHealthStatus"), "nothing is checked");
    String group =
        elb.createTargetGroup(
                r -> r.name("tcp").protocol("TCP").port(80).targetType("ip").vpcId(machine.vpc()))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    elb.createListener(
        r -> r.loadBalancerArn(arn).protocol("TCP").port(port).defaultActions(Machine.to(group)));
    assertEquals(Map.of("", List.of(0.0, 0.0, 0.0), "a", 0.0, "b", 0.0, "c", 0.0), zones());
    elb.modifyTargetGroupAttributes(r ->
        r.targetGroupArn(group)
            .attributes(
                TargetGroupAttribute.builder()
                    .key("target_group_health.dns_failover.minimum_healthy_targets.count")
                    .value("off")
                    .build()));
    assertEquals(Map.of("", List.of(1.0, 1.0, 1.0), "a", 1.0, "b", 1.0, "c", 1.0), zones());
    elb.modifyLoadBalancerAttributes(r ->
        r.loadBalancerArn(arn)
            .attributes(
                LoadBalancerAttribute.builder()
                    .key("zonal_shift.config.enabled")
                    .value("true")
                    .build()));
    try (ArcZonalShift arc = machine.arc()) {
      machine.shift(arc, arn, 1);
      assertEquals(Map.of("", List.of(0.0, 1.0, 1.0), "a", 1.0, "b", 0.0, "c", 1.0), zones());
    }
  }

  /** What is told next of zones: of each alone, and, in order, of all of them together. */
  private Map<String, Object> zones() {
    all.clear();
    timers.advance(Duration.ofSeconds(10));
    Map<String, Object> zones = new HashMap<>();
    List<Double> together = new ArrayList<>();
    for (Told one : told("ZonalHealthStatus")) {
      String zone = one.metric().dimensions().get("AvailabilityZone");
      if (zone == null) {
        together.add(one.value());
      } else {
        zones.put(zone.substring(zone.length() - 1), one.value());
      }
    }
    zones.put("", together.stream().sorted().toList());
    return zones;
  }

  private static RuleCondition path(String pattern) {
    return RuleCondition.builder().field("path-pattern").values(pattern).build();
  }
}
