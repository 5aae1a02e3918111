package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Cidr6;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.EnablePrefixForIpv6SourceNatEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** Which families load balancers speak, as callers say; packets: {@link DualStackOnLinuxTest}. */
@Timeout(120)
class DualStackTest extends ElbV2World {

  private static final String DENY = "ipv6.deny_all_igw_traffic";

  private List<String> subnets;

  @BeforeEach
  void begin() {
    subnets = machine.subnetIds().subList(0, 2);
  }

  private LoadBalancer balancer(String name, Consumer<CreateLoadBalancerRequest.Builder> how) {
    String arn =
        elb.createLoadBalancer(r -> r.name(name).subnets(subnets).applyMutation(how))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    try {
      return machine.active(arn);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private LoadBalancer flows(Consumer<CreateLoadBalancerRequest.Builder> how) {
    return balancer("flows", r -> r.type(LoadBalancerTypeEnum.NETWORK).applyMutation(how));
  }

  private String made(String name, Consumer<CreateTargetGroupRequest.Builder> how) {
    return group(name, r -> how.accept(r.port(80))).targetGroupArn();
  }

  private IpAddressType set(String arn, String type) {
    return elb.setIpAddressType(r -> r.loadBalancerArn(arn).ipAddressType(type)).ipAddressType();
  }

  private String address(int subnet, int number) {
    String block =
        machine.subnets().get(subnet).ipv6CidrBlockAssociationSet().getFirst().ipv6CidrBlock();
    return Cidr6.parse(block).at(number);
  }

  private static SubnetMapping mapping(String subnet, String address) {
    return SubnetMapping.builder().subnetId(subnet).iPv6Address(address).build();
  }

  /** The addresses of IPv6 that the load balancers' interfaces have. */
  private List<String> addresses() {
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("description").values("ELB *").build()))
        .networkInterfaces()
        .stream()
        .map(NetworkInterface::ipv6Addresses)
        .flatMap(List::stream)
        .map(NetworkInterfaceIpv6Address::ipv6Address)
        .sorted()
        .toList();
  }

  /** What the load balancer's name means in its VPC, of one family. */
  private List<String> named(LoadBalancer balancer, boolean ipv6) {
    return network.resolve(machine.vpc(), balancer.dnsName().toLowerCase()).orElseThrow().stream()
        .filter(address -> address.contains(":") == ipv6)
        .sorted()
        .toList();
  }

  @Test
  void subnetsMustCarryIpv6() {
    String arn = balancer("web", r -> {}).loadBalancerArn();
    String why = "You must specify subnets with an associated IPv6 CIDR block.";
    refused("ValidationError", why, () -> balancer("other", r -> r.ipAddressType("dualstack")));
    refused("ValidationError", why, () -> set(arn, "dualstack"));
    refused(
        "ValidationError",
        why,
        () ->
            elb.setSubnets(
                r -> r.loadBalancerArn(arn).subnets(subnets).ipAddressType("dualstack")));
    assertEquals(IpAddressType.IPV4, machine.described(arn).ipAddressType());
    refused("ValidationError", "[ipv4, dualstack,", () -> set(arn, "ipv6"));
    refused("ValidationError", "'ipAddressType'", () -> set(arn, null));
    machine.carryIpv6();
    refused(
        "ValidationError",
        "not supported for internal",
        () ->
            balancer(
                "inner", r -> r.scheme("internal").ipAddressType("dualstack-without-public-ipv4")));
    refused(
        "ValidationError",
        "not supported for Network",
        () -> flows(r -> r.ipAddressType("dualstack-without-public-ipv4")));
  }

  @Test
  void theTypeIsSwitchedAndWithItAddressesAndNames() throws Exception {
    machine.carryIpv6();
    LoadBalancer made = balancer("web", r -> r.ipAddressType("dualstack"));
    String arn = made.loadBalancerArn();
    machine.active(arn);
    assertEquals(IpAddressType.DUALSTACK, machine.described(arn).ipAddressType());
    assertEquals(2, addresses().size());
    assertEquals(addresses(), named(made, true));
    assertEquals(2, named(made, false).size());
    assertEquals(
        arn, balancer("web", r -> r.ipAddressType("dualstack")).loadBalancerArn(), "once more");
    refused("DuplicateLoadBalancerName", "different settings", () -> balancer("web", r -> {}));

    List<String> before = addresses();
    machine.restart();
    elb = machine.elb();
    machine.active(arn);
    assertEquals(before, addresses(), "a new server keeps them");
    String block =
        machine.subnets().getFirst().ipv6CidrBlockAssociationSet().getFirst().associationId();
    var inUse =
        assertThrows(
            Ec2Exception.class,
            () -> machine.ec2().disassociateSubnetCidrBlock(r -> r.associationId(block)));
    assertEquals("InvalidCidrBlock.InUse", inUse.awsErrorDetails().errorCode());

    assertEquals(IpAddressType.IPV4, set(arn, "ipv4"));
    assertEquals(List.of(), addresses());
    assertEquals(List.of(), named(made, true));
    assertEquals(2, named(made, false).size());

    assertEquals(
        IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4, set(arn, "dualstack-without-public-ipv4"));
    assertEquals(addresses(), named(made, true));
    assertEquals(List.of(), named(made, false));
    var set = elb.setSubnets(r -> r.loadBalancerArn(arn).subnets(subnets).ipAddressType("ipv4"));
    assertEquals(IpAddressType.IPV4, set.ipAddressType());
    assertEquals(List.of(), addresses());
  }

  private List<NetworkInterface> nodes(LoadBalancer balancer) {
    String name = balancer.loadBalancerArn().replaceFirst(".*:loadbalancer/", "ELB ");
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("description").values(name).build()))
        .networkInterfaces();
  }

  /** At how many of its nodes the world would reach a load balancer over IPv6. */
  private long reached(LoadBalancer balancer) {
    return nodes(balancer).stream()
        .filter(
            eni -> !network.interfaces().get(eni.networkInterfaceId()).publicAddresses().isEmpty())
        .count();
  }

  private void deny(LoadBalancer balancer, String value) {
    elb.modifyLoadBalancerAttributes(r ->
        r.loadBalancerArn(balancer.loadBalancerArn())
            .attributes(LoadBalancerAttribute.builder().key(DENY).value(value).build()));
  }

  /** What the attribute says; empty if it is not described. */
  private String denies(LoadBalancer balancer) {
    return elb
        .describeLoadBalancerAttributes(r -> r.loadBalancerArn(balancer.loadBalancerArn()))
        .attributes()
        .stream()
        .filter(one -> one.key().equals(DENY))
        .map(LoadBalancerAttribute::value)
        .collect(Collectors.joining());
  }

  @Test
  void theWorldReachesWhomTheSchemeOrTheAttributeSays() {
    machine.carryIpv6();
    String ipv4 = "'" + DENY + "' is not supported on load balancers with IP address type 'ipv4'";
    for (String type : List.of("application", "network")) {
      LoadBalancer inner =
          balancer(
              "inner-" + type, r -> r.type(type).scheme("internal").ipAddressType("dualstack"));
      assertEquals(2, named(inner, true).size());
      assertEquals("true", denies(inner));
      assertEquals(0, reached(inner));
      assertTrue(nodes(inner).getFirst().denyAllIgwTraffic());
      deny(inner, "false");
      assertEquals("false", denies(inner));
      assertEquals(2, reached(inner));
      machine.restart();
      elb = machine.elb();
      assertEquals(2, reached(inner), "a new server knows");
      refused("ValidationError", "'maybe' is not valid", () -> deny(inner, "maybe"));

      set(inner.loadBalancerArn(), "ipv4");
      assertEquals("", denies(inner));
      refused("ValidationError", ipv4, () -> deny(inner, "true"));
      set(inner.loadBalancerArn(), "dualstack");
      assertEquals("true", denies(inner), "as its scheme has it");
      assertEquals(0, reached(inner));

      LoadBalancer outer = balancer("outer-" + type, r -> r.type(type).ipAddressType("dualstack"));
      assertEquals("false", denies(outer));
      assertEquals(2, reached(outer));
      deny(outer, "true");
      assertEquals(0, reached(outer));
      elb.setSubnets(r -> r.loadBalancerArn(outer.loadBalancerArn()).subnets(machine.subnetIds()));
      assertEquals(0, reached(outer), "nor at nodes that come later");
      deny(outer, "false");
      assertEquals(machine.subnetIds().size(), reached(outer));
    }
  }

  @Test
  void anAddressThatSomebodyTookAwayIsGivenAnew() {
    machine.carryIpv6();
    LoadBalancer made = balancer("web", r -> r.ipAddressType("dualstack"));
    NetworkInterface node =
        machine
            .ec2()
            .describeNetworkInterfaces(
                r -> r.filters(Filter.builder().name("description").values("ELB *").build()))
            .networkInterfaces()
            .getFirst();
    // As a server leaves it that dies between giving an address and writing that down.
    machine
        .ec2()
        .assignIpv6Addresses(
            r -> r.networkInterfaceId(node.networkInterfaceId()).ipv6AddressCount(1));
    machine
        .ec2()
        .unassignIpv6Addresses(r ->
            r.networkInterfaceId(node.networkInterfaceId())
                .ipv6Addresses(node.ipv6Addresses().getFirst().ipv6Address()));
    set(made.loadBalancerArn(), "dualstack");
    assertEquals(2, addresses().size());
    assertEquals(addresses(), named(made, true));
  }

  @Test
  void aNetworkLoadBalancersAddressesMayBeNamed() {
    machine.carryIpv6();
    refused(
        "ValidationError",
        "'ipv4' IP address type",
        () ->
            flows(r ->
                r.subnets((List<String>) null)
                    .subnetMappings(mapping(subnets.get(0), address(0, 9)))));
    for (String bad : List.of(address(1, 9), address(0, 2), "x", "10.0.0.1")) {
      refused(
          "ValidationError",
          "The IPv6 address '" + bad + "' is not in the range",
          () ->
              flows(r ->
                  r.subnets((List<String>) null)
                      .ipAddressType("dualstack")
                      .subnetMappings(mapping(subnets.get(0), bad))));
    }
    LoadBalancer made =
        flows(r ->
            r.subnets((List<String>) null)
                .ipAddressType("dualstack")
                .subnetMappings(mapping(subnets.get(0), address(0, 9).replace("::", ":0::"))));
    String arn = made.loadBalancerArn();
    assertEquals(
        address(0, 9),
        made.availabilityZones().getFirst().loadBalancerAddresses().getFirst().iPv6Address());
    assertEquals(List.of(address(0, 9)), addresses());
    refused(
        "InvalidConfigurationRequest",
        "already in use",
        () ->
            balancer(
                "others",
                r ->
                    r.type(LoadBalancerTypeEnum.NETWORK)
                        .subnets((List<String>) null)
                        .ipAddressType("dualstack")
                        .subnetMappings(mapping(subnets.get(0), address(0, 9)))));
    refused(
        "InvalidConfigurationRequest",
        "cannot be changed",
        () ->
            elb.setSubnets(r ->
                r.loadBalancerArn(arn).subnetMappings(mapping(subnets.get(0), address(0, 10)))));
    set(arn, "ipv4");
    assertEquals(List.of(), addresses());
    assertEquals(
        List.of(), machine.described(arn).availabilityZones().getFirst().loadBalancerAddresses());
    elb.setSubnets(r ->
        r.loadBalancerArn(arn)
            .ipAddressType("dualstack")
            .subnetMappings(
                mapping(subnets.get(0), address(0, 10)), mapping(subnets.get(1), address(1, 10))));
    assertEquals(List.of(address(0, 10), address(1, 10)), addresses());
  }

  @Test
  void datagramsOfBothFamiliesNeedPrefixesAndTargetsOfIpv6() throws Exception {
    machine.carryIpv6();
    LoadBalancer made = flows(r -> r.ipAddressType("dualstack"));
    String arn = made.loadBalancerArn();
    String udp = made("udp", r -> r.protocol(ProtocolEnum.UDP));
    String six = made("six", r -> r.protocol(ProtocolEnum.UDP).ipAddressType("ipv6"));
    refused("InvalidConfigurationRequest", "UDP or TCP_UDP", () -> datagrams(arn, six));
    assertEquals(EnablePrefixForIpv6SourceNatEnum.OFF, made(arn).enablePrefixForIpv6SourceNat());
    prefixes(arn, "on", null);
    assertEquals(EnablePrefixForIpv6SourceNatEnum.ON, made(arn).enablePrefixForIpv6SourceNat());
    List<String> given = prefixes(arn);
    assertEquals(2, given.size());
    assertEquals(given, held(made), "the nodes' interfaces have them");
    refused("InvalidConfigurationRequest", "an IPv4 target group", () -> datagrams(arn, udp));
    String listener = datagrams(arn, six);
    refused(
        "InvalidConfigurationRequest",
        "an IPv4 target group",
        () -> elb.modifyListener(r -> r.listenerArn(listener).defaultActions(Machine.to(udp))));
    refused("InvalidConfigurationRequest", "UDP or TCP_UDP", () -> prefixes(arn, "off", null));
    machine.restart();
    elb = machine.elb();
    machine.active(arn);
    assertEquals(given, held(made), "a new server keeps them");
    NetworkInterface node = nodes(made).getFirst();
    String other =
        machine
            .ec2()
            .createNetworkInterface(r -> r.subnetId(node.subnetId()))
            .networkInterface()
            .networkInterfaceId();
    String within = Cidr6.parse(node.ipv6Prefixes().getFirst().ipv6Prefix()).at(7);
    var inside =
        assertThrows(
            Ec2Exception.class,
            () ->
                machine
                    .ec2()
                    .assignIpv6Addresses(r -> r.networkInterfaceId(other).ipv6Addresses(within)));
    assertEquals("InvalidIPAddress.InUse", inside.awsErrorDetails().errorCode());

    refused("InvalidConfigurationRequest", "an IPv6 target group", () -> set(arn, "ipv4"));
    elb.deleteListener(r -> r.listenerArn(listener));
    set(arn, "ipv4");
    assertEquals(EnablePrefixForIpv6SourceNatEnum.OFF, made(arn).enablePrefixForIpv6SourceNat());
    assertEquals(List.of(), prefixes(arn));
    assertEquals(List.of(), held(made));
    String four = datagrams(arn, udp);
    refused("InvalidConfigurationRequest", "UDP or TCP_UDP", () -> set(arn, "dualstack"));
    elb.deleteListener(r -> r.listenerArn(four));
    refused("InvalidConfigurationRequest", "must be 'dualstack'", () -> prefixes(arn, "on", null));
    refused("ValidationError", "[on, off]", () -> prefixes(arn, "maybe", null));
    elb.setSubnets(r ->
        r.loadBalancerArn(arn)
            .ipAddressType("dualstack")
            .enablePrefixForIpv6SourceNat("on")
            .subnets(subnets));
    assertEquals(prefixes(arn), held(made));

    String wanted = Cidr6.around(address(0, 0), 64).toString().replace("::/64", ":7::/80");
    prefixes(arn, null, wanted);
    assertEquals(wanted, prefixes(arn).getFirst());
    assertEquals(prefixes(arn), held(made), "the one before is given back");
    for (String wrong : List.of("2001:db8::/80", wanted.replace("/80", "/96"), "x")) {
      refused("ValidationError", "'" + wrong + "'", () -> prefixes(arn, "on", wrong));
    }
    Consumer<CreateLoadBalancerRequest.Builder> same =
        r ->
            r.type(LoadBalancerTypeEnum.NETWORK)
                .subnets((List<String>) null)
                .ipAddressType("dualstack")
                .subnetMappings(
                    SubnetMapping.builder()
                        .subnetId(subnets.getFirst())
                        .sourceNatIpv6Prefix(wanted)
                        .build());
    refused(
        "InvalidConfigurationRequest",
        "already in use",
        () -> balancer("b", same.andThen(r -> r.enablePrefixForIpv6SourceNat("on"))));
    refused("ValidationError", "unless 'EnablePrefix", () -> balancer("b", same));
    refused(
        "ValidationError",
        "only supported for Network",
        () -> balancer("b", r -> r.ipAddressType("dualstack").enablePrefixForIpv6SourceNat("on")));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
    balancer("b", same.andThen(r -> r.enablePrefixForIpv6SourceNat("on")));
  }

  private String datagrams(String arn, String group) {
    return elb.createListener(r ->
            r.loadBalancerArn(arn)
                .protocol(ProtocolEnum.UDP)
                .port(53)
                .defaultActions(Machine.to(group)))
        .listeners()
        .getFirst()
        .listenerArn();
  }

  private LoadBalancer made(String arn) {
    return machine.described(arn);
  }

  private void prefixes(String arn, @Nullable String enable, @Nullable String first) {
    elb.setSubnets(r ->
        r.loadBalancerArn(arn)
            .enablePrefixForIpv6SourceNat(enable)
            .subnetMappings(
                SubnetMapping.builder().subnetId(subnets.get(0)).sourceNatIpv6Prefix(first).build(),
                SubnetMapping.builder().subnetId(subnets.get(1)).build()));
  }

  /** The prefixes that are described, by zone. */
  private List<String> prefixes(String arn) {
    return made(arn).availabilityZones().stream()
        .sorted(Comparator.comparing(AvailabilityZone::zoneName))
        .flatMap(zone -> zone.sourceNatIpv6Prefixes().stream())
        .toList();
  }

  /** Those that its interfaces have, by zone. */
  private List<String> held(LoadBalancer balancer) {
    return nodes(balancer).stream()
        .sorted(Comparator.comparing(NetworkInterface::availabilityZone))
        .flatMap(eni -> eni.ipv6Prefixes().stream())
        .map(Ipv6PrefixSpecification::ipv6Prefix)
        .toList();
  }

  @Test
  void targetsAreOfOneFamily() throws Exception {
    machine.carryIpv6();
    refused(
        "ValidationError",
        "'ipv6' is not supported for target groups with target type 'instance'",
        () -> made("six", r -> r.targetType(TargetTypeEnum.INSTANCE).ipAddressType("ipv6")));
    String six = made("six", r -> r.ipAddressType("ipv6"));
    String four = made("four", r -> {});
    refused("ValidationError", "not a valid IPv6 address", () -> register(six, "172.31.0.9"));
    refused("ValidationError", "not a valid IPv4 address", () -> register(four, address(0, 9)));
    refused("InvalidTarget", "not within a CIDR block", () -> register(six, "2001:db8::1"));
    register(six, address(1, 9).replace("::", ":0::"));
    var registered =
        elb.describeTargetHealth(r ->
                r.targetGroupArn(six)
                    .targets(TargetDescription.builder().id(address(1, 9)).build()))
            .targetHealthDescriptions()
            .getFirst();
    assertEquals(address(1, 9), registered.target().id());
    assertEquals("Target.NotInUse", registered.targetHealth().reasonAsString());
    assertEquals("us-east-1b", registered.target().availabilityZone());

    String arn = balancer("web", r -> {}).loadBalancerArn();
    String why = "an IPv6 target group with a load balancer that has an 'ipv4'";
    refused("InvalidConfigurationRequest", why, () -> listen(arn, six));
    set(arn, "dualstack");
    listen(arn, six);
    refused("InvalidConfigurationRequest", why, () -> set(arn, "ipv4"));
    refused(
        "InvalidConfigurationRequest",
        why,
        () -> elb.setSubnets(r -> r.loadBalancerArn(arn).subnets(subnets).ipAddressType("ipv4")));
    elb.deregisterTargets(r ->
        r.targetGroupArn(six)
            .targets(TargetDescription.builder().id(address(1, 9).toUpperCase()).build()));
    Machine.until(
        List.of(),
        () -> elb.describeTargetHealth(r -> r.targetGroupArn(six)).targetHealthDescriptions());
  }

  private void register(String group, String address) {
    elb.registerTargets(
        r -> r.targetGroupArn(group).targets(TargetDescription.builder().id(address).build()));
  }

  private void listen(String arn, String group) {
    elb.createListener(r ->
        r.loadBalancerArn(arn)
            .protocol(ProtocolEnum.HTTP)
            .port(Machine.freePort())
            .defaultActions(Machine.to(group)));
  }

  @Test
  void whoSwitchesAtTheSameTimeLosesNothingOfTheOthers() throws Exception {
    machine.carryIpv6();
    List<String> all = machine.subnetIds();
    LoadBalancer made = balancer("web", r -> {});
    String arn = made.loadBalancerArn();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Object>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String type = i % 2 == 0 ? "ipv4" : "dualstack";
        List<String> some = all.subList(i % 2, i % 2 + 2);
        calls.add(() -> set(arn, type));
        calls.add(() -> elb.setSubnets(r -> r.loadBalancerArn(arn).subnets(some)));
      }
      for (Future<Object> done : callers.invokeAll(calls)) {
        done.get();
      }
    }
    // Whatever was last: the interfaces are as the load balancer is told to be.
    LoadBalancer now = machine.described(arn);
    int nodes = now.ipAddressType() == IpAddressType.DUALSTACK ? 2 : 0;
    Machine.until(nodes, () -> addresses().size());
    assertEquals(addresses(), named(made, true));
    set(arn, "dualstack");
    elb.setSubnets(r -> r.loadBalancerArn(arn).subnets(all));
    assertEquals(IpAddressType.DUALSTACK, machine.described(arn).ipAddressType());
    assertEquals(all.size(), addresses().size());
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
    assertEquals(List.of(), addresses());
  }
}
