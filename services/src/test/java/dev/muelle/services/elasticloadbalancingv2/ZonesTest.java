package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.elasticloadbalancingv2.node.Zones;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import dev.muelle.services.elasticloadbalancingv2.state.State.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;

/** Which zones a load balancer's name means: the example of AWS's guide, and its edges. */
final class ZonesTest {

  private static final String PERCENTAGE =
      "target_group_health.dns_failover.minimum_healthy_targets.percentage";
  private static final String COUNT =
      "target_group_health.dns_failover.minimum_healthy_targets.count";
  private static final String CROSS_ZONE = "load_balancing.cross_zone.enabled";

  private static Balancing balancer() {
    return new Balancing(
        LoadBalancer.builder()
            .loadBalancerArn("lb")
            .availabilityZones(
                AvailabilityZone.builder().zoneName("a").subnetId("s-a").build(),
                AvailabilityZone.builder().zoneName("b").subnetId("s-b").build())
            .build(),
        Map.of(),
        List.of(),
        List.of(
            new Node("s-a", "a", "eni-a", "10.0.0.5", null, null, List.of()),
            new Node("s-b", "b", "eni-b", "10.0.1.5", null, null, List.of())),
        "",
        Map.of(),
        false);
  }

  private static Group group(Map<String, String> attributes, Target... targets) {
    return new Group(TargetGroup.builder().build(), attributes, List.of(), List.of(targets));
  }

  private static Target target(String address, String zone) {
    return new Target(null, address, 80, zone, null);
  }

  private static List<String> inDns(Set<String> healthy, Group... groups) {
    return inDns(Optional.empty(), healthy, groups);
  }

  private static List<String> inDns(Optional<String> away, Set<String> healthy, Group... groups) {
    return new Zones(
            balancer(),
            List.of(groups),
            (group, target) -> healthy.contains(target.address()),
            away)
        .inDns().stream().map(Node::zone).toList();
  }

  @Test
  void aZoneWithTooFewHealthyTargetsLeavesTheName() {
    Group group =
        group(
            Map.of(PERCENTAGE, "50", CROSS_ZONE, "false"),
            target("a1", "a"),
            target("a2", "a"),
            target("b1", "b"),
            target("b2", "b"),
            target("b3", "b"));
    assertEquals(List.of("a", "b"), inDns(Set.of("a1", "a2", "b1", "b2"), group));
    assertEquals(List.of("a"), inDns(Set.of("a1", "a2", "b1"), group));
    assertEquals(List.of("b"), inDns(Set.of("b2", "b3"), group));
    assertEquals(List.of("a", "b"), inDns(Set.of("b2"), group), "no zone is well: all are named");
  }

  @Test
  void aZoneThatIsShiftedAwayFromLeavesTheNameUnlessNoOtherIsWell() {
    Group group = group(Map.of(CROSS_ZONE, "false"), target("a1", "a"), target("b1", "b"));
    assertEquals(List.of("b"), inDns(Optional.of("a"), Set.of("a1", "b1"), group));
    assertEquals(List.of("a", "b"), inDns(Optional.of("a"), Set.of("a1"), group));
    assertEquals(List.of("a", "b"), inDns(Optional.of("a"), Set.of(), group));
    assertEquals(List.of("a", "b"), inDns(Optional.of("c"), Set.of("a1", "b1"), group));
  }

  @Test
  void thatNoZoneIsWellIsKnownThoughAllAreNamed() {
    Group group = group(Map.of(CROSS_ZONE, "false"), target("a1", "a"), target("b1", "b"));
    assertEquals(
        List.of(),
        new Zones(balancer(), List.of(group), (g, target) -> false, Optional.empty()).well());
  }

  @Test
  void acrossZonesAllTargetsCountForEach() {
    Group group = group(Map.of(COUNT, "2"), target("a1", "a"), target("b1", "b"));
    assertEquals(List.of("a", "b"), inDns(Set.of("a1", "b1"), group));
    assertEquals(List.of("a", "b"), inDns(Set.of("a1"), group), "neither zone is well");
  }

  @Test
  void everyGroupHasASay() {
    Map<String, String> alone = Map.of(CROSS_ZONE, "false");
    Group one = group(alone, target("a1", "a"), target("b1", "b"));
    Group two = group(alone, target("a2", "a"), target("b2", "b"));
    assertEquals(List.of("a"), inDns(Set.of("a1", "a2", "b1"), one, two));
    Group careless =
        group(Map.of(CROSS_ZONE, "false", COUNT, "off"), target("a2", "a"), target("b2", "b"));
    assertEquals(List.of("a", "b"), inDns(Set.of("a1", "a2", "b1"), one, careless));
  }
}
