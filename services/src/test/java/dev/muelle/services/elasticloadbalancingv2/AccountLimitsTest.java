package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InsufficientCapacityException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Limit;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveIpamPoolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyLoadBalancersException;

/** What an account may have, and what nobody can have set aside for him. */
@Timeout(120)
class AccountLimitsTest extends ElbV2World {

  private void network(String name) {
    String subnet = machine.subnetIds().getFirst();
    elb.createLoadBalancer(r -> r.name(name).type(LoadBalancerTypeEnum.NETWORK).subnets(subnet));
  }

  @Test
  void aLimitIsWhatIsHeldTo() {
    Map<String, String> limits =
        elb.describeAccountLimits(r -> {}).limits().stream()
            .collect(Collectors.toMap(Limit::name, Limit::max));
    assertEquals("100", limits.get("rules-per-application-load-balancer"));
    assertEquals("5", limits.get("condition-values-per-alb-rule"));
    int most = Integer.parseInt(limits.get("network-load-balancers"));
    for (int i = 0; i < most; i++) {
      network("n" + i);
    }
    assertThrows(TooManyLoadBalancersException.class, () -> network("more"));
    machine.balancer("of-another-type");

    var page = elb.describeAccountLimits(r -> r.pageSize(1));
    assertEquals("application-load-balancers", page.limits().getFirst().name());
    var rest = elb.describeAccountLimits(r -> r.marker(page.nextMarker()));
    assertEquals(limits.size() - 1, rest.limits().size());
    assertNull(rest.nextMarker());
  }

  @Test
  void nothingCanBeSetAside() {
    String arn = machine.balancer("web").loadBalancerArn();
    assertThrows(
        InsufficientCapacityException.class,
        () ->
            elb.modifyCapacityReservation(r ->
                r.loadBalancerArn(arn).minimumLoadBalancerCapacity(c -> c.capacityUnits(100))));
    assertNull(
        elb.describeCapacityReservation(r -> r.loadBalancerArn(arn)).minimumLoadBalancerCapacity());
    elb.modifyCapacityReservation(r -> r.loadBalancerArn(arn).resetCapacityReservation(true));
    assertThrows(
        ElasticLoadBalancingV2Exception.class,
        () -> elb.modifyCapacityReservation(r -> r.loadBalancerArn(arn)));
    assertNull(
        elb.modifyIpPools(r -> r.loadBalancerArn(arn).removeIpamPools(RemoveIpamPoolEnum.IPV4))
            .ipamPools());
    var refused =
        assertThrows(
            ElasticLoadBalancingV2Exception.class,
            () ->
                elb.modifyIpPools(r ->
                    r.loadBalancerArn(arn).ipamPools(p -> p.ipv4IpamPoolId("ipam-pool-0123"))));
    Machine.contains(refused.getMessage(), "IpamPools");
  }
}
