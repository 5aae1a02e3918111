package dev.muelle.services.elasticloadbalancingv2.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;

/** How targets are, as metrics, of a data plane that says what a test wants. */
class HostMeasuresTest {

  /** Only how targets are. */
  private static final class Said implements Balancer {

    private final Map<Target, TargetState> states = new HashMap<>();
    private final Map<Target, Anomaly> anomalies = new HashMap<>();

    void is(String address, Health health, boolean anomalous, boolean mitigated) {
      Target target = new Target(address, 80);
      states.put(target, new TargetState(health, "", "", Instant.EPOCH));
      anomalies.put(target, new Anomaly(anomalous, mitigated));
    }

    @Override
    public Map<Target, TargetState> targets(String targetGroupId) {
      return states;
    }

    @Override
    public Map<Target, Anomaly> anomalies(String targetGroupId) {
      return anomalies;
    }

    @Override
    public Map<String, String> put(LoadBalancer wanted) {
      return Map.of();
    }

    @Override
    public void remove(String loadBalancerId) {}

    @Override
    public Optional<Metrics> loadBalancerMetrics(String id) {
      return Optional.empty();
    }

    @Override
    public Map<FlowMetrics.Part, FlowMetrics> flowMetrics(String id) {
      return Map.of();
    }

    @Override
    public Optional<Metrics> targetGroupMetrics(String id) {
      return Optional.empty();
    }

    @Override
    public Map<FlowMetrics.Protocol, FlowMetrics> targetGroupFlows(String id) {
      return Map.of();
    }

    @Override
    public Watch watch(Consumer<String> listener) {
      return () -> {};
    }

    @Override
    public void close() {}
  }

  private static final Subject OF =
      new Subject(
          "AWS/ApplicationELB",
          Map.of("LoadBalancer", "app/web/1", "TargetGroup", "targetgroup/web/1"));

  private final Said said = new Said();
  private final Map<String, Double> told = new HashMap<>();

  private static State.Target target(String address, String zone, boolean leaves) {
    return new State.Target(null, address, 80, zone, leaves ? Instant.EPOCH : null);
  }

  private void tell(LoadBalancerTypeEnum type, ProtocolEnum protocol, String... attributes) {
    told.clear();
    Group group =
        new Group(
            TargetGroup.builder().targetGroupArn("arn").protocol(protocol).build(),
            Attributes.ordered(attributes),
            List.of(),
            List.of(
                target("10.0.0.1", "a", false),
                target("10.0.0.2", "a", false),
                target("10.0.1.1", "b", false),
                target("10.0.1.2", "b", false),
                target("10.0.1.3", "b", true)));
    Balancing user =
        new Balancing(
            software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer.builder()
                .type(type)
                .build(),
            Map.of(),
            List.of(),
            List.of(),
            "",
            Map.of(),
            false);
    Round round =
        new Round(
            null,
            metric ->
                (value, times) -> {
                  String zone = metric.dimensions().get("AvailabilityZone");
                  told.put(metric.name() + (zone == null ? "" : " " + zone), value);
                },
            Set.of());
    HostMeasures.tell(round, OF, user, group, said);
  }

  @Test
  void zonesAreHealthyAsTheGroupWantsIt() {
    said.is("10.0.0.1", Balancer.Health.HEALTHY, false, false);
    said.is("10.0.0.2", Balancer.Health.HEALTHY, true, true);
    said.is("10.0.1.1", Balancer.Health.HEALTHY, true, false);
    said.is("10.0.1.2", Balancer.Health.UNHEALTHY, false, false);
    tell(LoadBalancerTypeEnum.APPLICATION, ProtocolEnum.HTTP);
    assertEquals(3.0, told.get("HealthyHostCount"));
    assertEquals(1.0, told.get("UnHealthyHostCount"));
    assertEquals(1.0, told.get("HealthyHostCount b"));
    assertEquals(2.0, told.get("AnomalousHostCount"));
    assertEquals(1.0, told.get("AnomalousHostCount b"));
    assertEquals(1.0, told.get("MitigatedHostCount"));
    assertEquals(0.0, told.get("MitigatedHostCount b"));
    assertEquals(2.0, told.get("HealthyStateDNS"), "one healthy target is enough");
    assertEquals(0.0, told.get("UnhealthyStateRouting"));

    tell(
        LoadBalancerTypeEnum.APPLICATION,
        ProtocolEnum.HTTP,
        GroupAttributes.DNS_PERCENTAGE,
        "100",
        GroupAttributes.ROUTING_COUNT,
        "2");
    assertEquals(1.0, told.get("HealthyStateDNS"), "one that leaves is not asked about");
    assertEquals(1.0, told.get("UnhealthyStateDNS"));
    assertEquals(1.0, told.get("HealthyStateDNS a"));
    assertEquals(0.0, told.get("HealthyStateDNS b"));
    assertEquals(1.0, told.get("UnhealthyStateRouting b"));
    assertEquals(1.0, told.get("HealthyStateRouting a"));
  }

  @Test
  void networkLoadBalancersOnlyCountTargets() {
    said.is("10.0.0.1", Balancer.Health.HEALTHY, true, true);
    tell(LoadBalancerTypeEnum.NETWORK, ProtocolEnum.TCP);
    assertEquals(
        Map.of(
            "HealthyHostCount", 1.0,
            "UnHealthyHostCount", 0.0,
            "HealthyHostCount a", 1.0,
            "UnHealthyHostCount a", 0.0,
            "HealthyHostCount b", 0.0,
            "UnHealthyHostCount b", 0.0),
        told);
  }
}
