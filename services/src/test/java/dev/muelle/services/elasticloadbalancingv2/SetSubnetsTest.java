package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSubnetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;

/** Load balancers that move to other subnets; with packets: {@link NetworkBalancersOnLinuxTest}. */
@Timeout(120)
class SetSubnetsTest extends ElbV2World {

  private List<String> subnets;

  @BeforeEach
  void begin() {
    subnets = machine.subnetIds();
  }

  private List<AvailabilityZone> set(String arn, Consumer<SetSubnetsRequest.Builder> request) {
    return elb.setSubnets(r -> request.accept(r.loadBalancerArn(arn))).availabilityZones();
  }

  private void refused(
      String code, String message, String arn, Consumer<SetSubnetsRequest.Builder> request) {
    refused(code, message, () -> set(arn, request));
  }

  private List<String> subnetsOfNodes(LoadBalancer balancer) {
    return interfacesOf(balancer).stream().map(NetworkInterface::subnetId).sorted().toList();
  }

  private static List<String> sorted(String... ids) {
    return List.of(ids).stream().sorted().toList();
  }

  @Test
  void nodesAreWhereTheLoadBalancerIsTold() throws Exception {
    LoadBalancer made = machine.balancer("web");
    String arn = made.loadBalancerArn();
    machine.active(arn);
    String kept =
        interfacesOf(made).stream()
            .filter(node -> node.subnetId().equals(subnets.get(1)))
            .map(NetworkInterface::networkInterfaceId)
            .findFirst()
            .orElseThrow();

    List<AvailabilityZone> zones = set(arn, r -> r.subnets(subnets.get(1), subnets.get(2)));
    assertEquals(zones, machine.described(arn).availabilityZones());
    assertEquals(sorted(subnets.get(1), subnets.get(2)), subnetsOfNodes(made));
    assertEquals(
        1,
        interfacesOf(made).stream().filter(node -> node.networkInterfaceId().equals(kept)).count());

    set(arn, r -> r.subnets(subnets.get(0), subnets.get(1)));
    assertEquals(sorted(subnets.get(0), subnets.get(1)), subnetsOfNodes(made));
    machine.restart();
    machine.active(arn);
    assertEquals(sorted(subnets.get(0), subnets.get(1)), subnetsOfNodes(made));
    machine.elb().deleteLoadBalancer(r -> r.loadBalancerArn(arn));
    assertEquals(List.of(), interfacesOf(made));
  }

  @Test
  void whereItCannotBeIsRefusedAndChangesNothing() {
    String arn = machine.balancer("web").loadBalancerArn();
    List<AvailabilityZone> before = machine.described(arn).availabilityZones();
    refused("ValidationError", "at least one subnet", arn, r -> {});
    refused("ValidationError", "two different", arn, r -> r.subnets(subnets.get(0)));
    refused("SubnetNotFound", "subnet-0123", arn, r -> r.subnets("subnet-0123"));
    refused(
        "LoadBalancerNotFound",
        "not found",
        arn.substring(0, arn.length() - 1) + "x",
        r -> r.subnets(subnets));
    String vpc = machine.ec2().createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    List<String> elsewhere =
        List.of("a", "b").stream()
            .map(zone ->
                machine
                    .ec2()
                    .createSubnet(r ->
                        r.vpcId(vpc)
                            .availabilityZone("us-east-1" + zone)
                            .cidrBlock("10.9." + (zone.charAt(0) - 'a') + ".0/24"))
                    .subnet()
                    .subnetId())
            .toList();
    refused("InvalidSubnet", "must belong to VPC", arn, r -> r.subnets(elsewhere));
    assertEquals(before, machine.described(arn).availabilityZones());
  }

  @Test
  void addressesAreKeptAndCannotBeChanged() throws Exception {
    List<String> allocations =
        List.of(1, 2).stream()
            .map(i -> machine.ec2().allocateAddress(r -> r.domain("vpc")).allocationId())
            .toList();
    SubnetMapping first = mapping(subnets.get(0), allocations.get(0));
    LoadBalancer made =
        machine
            .elb()
            .createLoadBalancer(
                r -> r.name("flows").type(LoadBalancerTypeEnum.NETWORK).subnetMappings(first))
            .loadBalancers()
            .getFirst();
    String arn = made.loadBalancerArn();
    machine.active(arn);
    refused(
        "InvalidConfigurationRequest",
        "cannot be changed",
        arn,
        r -> r.subnetMappings(mapping(subnets.get(0), allocations.get(1))));

    set(arn, r -> r.subnetMappings(first, mapping(subnets.get(1), allocations.get(1))));
    assertEquals(sorted(subnets.get(0), subnets.get(1)), subnetsOfNodes(made));
    assertEquals(2, allocations.stream().filter(this::inUse).count());

    List<AvailabilityZone> left = set(arn, r -> r.subnets(subnets.get(0)));
    assertEquals(
        allocations.get(0), left.getFirst().loadBalancerAddresses().getFirst().allocationId());
    assertEquals(List.of(true, false), allocations.stream().map(this::inUse).toList());
  }

  private static SubnetMapping mapping(String subnet, String allocation) {
    return SubnetMapping.builder().subnetId(subnet).allocationId(allocation).build();
  }

  private boolean inUse(String allocation) {
    Address address =
        machine.ec2().describeAddresses(r -> r.allocationIds(allocation)).addresses().getFirst();
    return address.associationId() != null;
  }
}
