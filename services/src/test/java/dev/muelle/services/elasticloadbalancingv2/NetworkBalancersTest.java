package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.ec2.Ec2;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ListenerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** What network load balancers take and refuse. */
@Timeout(300)
class NetworkBalancersTest extends ElbV2World {

  private LoadBalancer balancer(Consumer<CreateLoadBalancerRequest.Builder> how) {
    return elb.createLoadBalancer(
            r -> r.name("flows").type(LoadBalancerTypeEnum.NETWORK).applyMutation(how))
        .loadBalancers()
        .getFirst();
  }

  private TargetGroup group(
      String name, ProtocolEnum protocol, Consumer<CreateTargetGroupRequest.Builder> how) {
    String vpc = machine.vpc();
    return elb.createTargetGroup(r ->
            r.name(name)
                .protocol(protocol)
                .port(5432)
                .vpcId(vpc)
                .targetType(TargetTypeEnum.IP)
                .applyMutation(how))
        .targetGroups()
        .getFirst();
  }

  @Test
  void oneZoneIsEnoughAndGroupsAreNone() {
    List<String> subnets = machine.subnetIds();
    LoadBalancer made = balancer(r -> r.subnets(subnets.getFirst()));
    assertTrue(made.loadBalancerArn().contains(":loadbalancer/net/flows/"), made.toString());
    assertEquals(LoadBalancerTypeEnum.NETWORK, made.type());
    assertEquals(List.of(), made.securityGroups());
    assertEquals(
        made.loadBalancerArn(),
        balancer(r -> r.subnets(subnets.getFirst())).loadBalancerArn(),
        "the same once more");
    refused("DuplicateLoadBalancerName", "flows", () -> balancer(r -> r.subnets(subnets)));
    String arn = made.loadBalancerArn();
    refused(
        "InvalidConfigurationRequest",
        "without security groups",
        () ->
            elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups(machine.openGroup())));
    Map<String, String> attributes =
        elb.describeLoadBalancerAttributes(r -> r.loadBalancerArn(arn)).attributes().stream()
            .collect(Collectors.toMap(LoadBalancerAttribute::key, LoadBalancerAttribute::value));
    assertEquals("false", attributes.get("load_balancing.cross_zone.enabled"));
    change(arn, "load_balancing.cross_zone.enabled", "true");
    refused(
        "ValidationError",
        "not recognized",
        () -> change(arn, "idle_timeout.timeout_seconds", "60"));
    refused(
        "ValidationError", "cannot be empty", () -> change(arn, "access_logs.s3.enabled", "true"));
    refused(
        "ValidationError",
        "access_logs.s3.prefix",
        () -> change(arn, "access_logs.s3.prefix", ".."));
    refused(
        "ValidationError",
        "dns_record.client_routing_policy",
        () -> change(arn, "dns_record.client_routing_policy", "nearest"));
  }

  @Test
  void clientsMayBeToldOfTheirOwnZone() throws Exception {
    LoadBalancer made = machine.active(balancer(r -> r.subnets(two())).loadBalancerArn());
    String arn = made.loadBalancerArn();
    List<String> nodes =
        machine.ec2().describeNetworkInterfaces().networkInterfaces().stream()
            .filter(eni -> eni.description().startsWith("ELB net/flows/"))
            .sorted(Comparator.comparing(NetworkInterface::availabilityZone))
            .map(NetworkInterface::privateIpAddress)
            .toList();
    List<String> clients =
        machine.subnets().stream()
            .map(subnet -> subnet.cidrBlock().replaceAll("[0-9]+/[0-9]+$", "99"))
            .toList();
    Set<String> both = Set.copyOf(nodes);
    assertEquals(both, told(made, clients.get(0)));
    change(arn, "dns_record.client_routing_policy", "availability_zone_affinity");
    assertEquals(Set.of(nodes.get(0)), told(made, clients.get(0)));
    assertEquals(Set.of(nodes.get(1)), told(made, clients.get(1)));
    assertEquals(both, told(made, clients.get(2)), "of a zone in which it has no node");
    assertEquals(both, told(made, "10.99.0.1"), "of elsewhere");
    change(arn, "zonal_shift.config.enabled", "true");
    try (ArcZonalShift arc = machine.arc()) {
      String shift = machine.shift(arc, arn, 1);
      assertEquals(Set.of(nodes.get(0)), told(made, clients.get(1)), "of a zone it is away from");
      arc.cancelZonalShift(r -> r.zonalShiftId(shift));
    }
    change(arn, "dns_record.client_routing_policy", "partial_availability_zone_affinity");
    int own = 0;
    for (int i = 0; i < 400; i++) {
      Set<String> now = told(made, clients.get(1));
      assertTrue(now.equals(both) || now.equals(Set.of(nodes.get(1))), now::toString);
      own += now.size() == 1 ? 1 : 0;
    }
    assertTrue(own > 290 && own < 385, "about 340 of 400: " + own);
  }

  @Test
  void groupsOfAnotherVpcServeWhereTheyAreAssociated() throws Exception {
    Ec2 ec2 = machine.ec2();
    String home = ec2.createVpc(r -> r.cidrBlock("10.20.0.0/16")).vpc().vpcId();
    String away = ec2.createVpc(r -> r.cidrBlock("10.30.0.0/16")).vpc().vpcId();
    List<String> subnets =
        Stream.of("a", "b")
            .map(zone ->
                ec2.createSubnet(r ->
                        r.vpcId(away)
                            .availabilityZone("us-east-1" + zone)
                            .cidrBlock(zone.equals("a") ? "10.30.1.0/24" : "10.30.2.0/24"))
                    .subnet()
                    .subnetId())
            .toList();
    String shared = securityGroup(home);
    String own = securityGroup(away);
    Consumer<CreateLoadBalancerRequest.Builder> there =
        r -> r.scheme(LoadBalancerSchemeEnum.INTERNAL).subnets(subnets).securityGroups(shared);
    refused("InvalidSecurityGroup", "does not belong to VPC", () -> balancer(there));
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    LoadBalancer web =
        elb.createLoadBalancer(r -> r.name("web").applyMutation(there)).loadBalancers().getFirst();
    for (LoadBalancer made : List.of(balancer(there), web)) {
      String arn = made.loadBalancerArn();
      machine.active(arn);
      assertEquals(Set.of(List.of(shared)), groupsOf(made));
      var used =
          assertThrows(
              Ec2Exception.class,
              () -> ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)));
      assertEquals("DependencyViolation", used.awsErrorDetails().errorCode());
      elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups(own, shared));
      elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups(own));
      assertEquals(Set.of(List.of(own)), groupsOf(made));
    }
    ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    refused(
        "InvalidSecurityGroup",
        "does not belong to VPC",
        () ->
            elb.setSecurityGroups(
                r -> r.loadBalancerArn(web.loadBalancerArn()).securityGroups(shared)));
  }

  private String securityGroup(String vpc) {
    return machine
        .ec2()
        .createSecurityGroup(r -> r.groupName("one").description("one").vpcId(vpc))
        .groupId();
  }

  private Set<List<String>> groupsOf(LoadBalancer balancer) {
    return interfacesOf(balancer).stream()
        .map(eni -> eni.groups().stream().map(GroupIdentifier::groupId).toList())
        .collect(Collectors.toSet());
  }

  private static final String SECONDARY = "secondary_ips.auto_assigned.per_subnet";

  @Test
  void nodesHaveSecondaryAddresses() throws Exception {
    Map<String, Integer> free = free();
    LoadBalancer made = machine.active(balancer(r -> r.subnets(two())).loadBalancerArn());
    String arn = made.loadBalancerArn();
    refused("ValidationError", "'8' is not valid", () -> change(arn, SECONDARY, "8"));
    refused("ValidationError", "'' is not valid", () -> change(arn, SECONDARY, ""));
    change(arn, SECONDARY, "2");
    refused(
        "InvalidConfigurationRequest", "cannot be decreased", () -> change(arn, SECONDARY, "1"));
    change(arn, SECONDARY, "2");
    machine.restart();
    elb = machine.elb();
    machine.active(arn);
    change(arn, SECONDARY, "3");
    elb.setSubnets(r -> r.loadBalancerArn(arn).subnets(machine.subnetIds()));
    List<NetworkInterface> nodes = interfacesOf(made);
    assertEquals(3, nodes.size());
    for (NetworkInterface node : nodes) {
      assertEquals(4, node.privateIpAddresses().size(), node.toString());
      assertEquals(free.get(node.subnetId()) - 4, free().get(node.subnetId()));
      String id = node.networkInterfaceId();
      String secondary = node.privateIpAddresses().getLast().privateIpAddress();
      var taken =
          assertThrows(
              Ec2Exception.class,
              () ->
                  machine
                      .ec2()
                      .unassignPrivateIpAddresses(
                          r -> r.networkInterfaceId(id).privateIpAddresses(secondary)));
      assertEquals("AuthFailure", taken.awsErrorDetails().errorCode());
    }
    assertEquals(
        nodes.stream().map(NetworkInterface::privateIpAddress).collect(Collectors.toSet()),
        told(made, "10.99.0.1"),
        "clients are told of the primary ones");
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
    assertEquals(free, free());
    String web = machine.balancer("web").loadBalancerArn();
    refused("ValidationError", "not recognized", () -> change(web, SECONDARY, "1"));
  }

  @Test
  void aSubnetHasRoomForSecondaryAddressesOrNothingChanges() throws Exception {
    String vpc = machine.vpc();
    String block = machine.ec2().describeVpcs(r -> r.vpcIds(vpc)).vpcs().getFirst().cidrBlock();
    String small = block.replaceAll("[0-9]+[.][0-9]+/[0-9]+$", "255.240/28");
    String subnet =
        machine.ec2().createSubnet(r -> r.vpcId(vpc).cidrBlock(small)).subnet().subnetId();
    LoadBalancer made = machine.active(balancer(r -> r.subnets(subnet)).loadBalancerArn());
    String arn = made.loadBalancerArn();
    machine // 16, without five, the node, and these
        .ec2()
        .createNetworkInterface(r -> r.subnetId(subnet).secondaryPrivateIpAddressCount(5));
    refused(
        "InvalidConfigurationRequest",
        "Not enough IP space available in " + subnet,
        () -> change(arn, SECONDARY, "5"));
    assertEquals(1, interfacesOf(made).getFirst().privateIpAddresses().size());
    change(arn, SECONDARY, "4");
    assertEquals(5, interfacesOf(made).getFirst().privateIpAddresses().size());
    assertEquals(0, free().get(subnet));
  }

  /** How many addresses are free, by subnet. */
  private Map<String, Integer> free() {
    return machine.ec2().describeSubnets().subnets().stream()
        .collect(Collectors.toMap(Subnet::subnetId, Subnet::availableIpAddressCount));
  }

  private List<String> two() {
    return machine.subnetIds().subList(0, 2);
  }

  private Set<String> told(LoadBalancer balancer, String client) {
    String name = balancer.dnsName().toLowerCase(Locale.ROOT);
    return Set.copyOf(network.resolve(machine.vpc(), name, client).orElseThrow());
  }

  @Test
  void addressesThatAreAskedFor() {
    String subnet = machine.subnetIds().getFirst();
    SubnetMapping.Builder mapping = SubnetMapping.builder().subnetId(subnet);
    String block = machine.subnets().getFirst().cidrBlock();
    String wanted = block.substring(0, block.lastIndexOf('.')) + ".77";
    refused(
        "ValidationError",
        "internet-facing",
        () -> balancer(r -> r.subnetMappings(mapping.privateIPv4Address(wanted).build())));
    refused(
        "ValidationError",
        "'8.8.8.8' is not in the range",
        () ->
            balancer(r ->
                r.scheme(LoadBalancerSchemeEnum.INTERNAL)
                    .subnetMappings(mapping.privateIPv4Address("8.8.8.8").build())));
    LoadBalancer made =
        balancer(r ->
            r.scheme(LoadBalancerSchemeEnum.INTERNAL)
                .subnetMappings(mapping.privateIPv4Address(wanted).build()));
    assertEquals(
        wanted,
        made.availabilityZones()
            .getFirst()
            .loadBalancerAddresses()
            .getFirst()
            .privateIPv4Address());
    refused(
        "AllocationIdNotFound",
        "eipalloc-0123456789abcdef0",
        () ->
            balancer(r ->
                r.name("other")
                    .subnetMappings(
                        SubnetMapping.builder()
                            .subnetId(subnet)
                            .allocationId("eipalloc-0123456789abcdef0")
                            .build())));
  }

  @Test
  void listenersTakeTargetGroupsOfAFittingProtocol() {
    List<String> subnets = machine.subnetIds();
    String arn = balancer(r -> r.subnets(subnets)).loadBalancerArn();
    String tcp = group("tcp", ProtocolEnum.TCP, r -> {}).targetGroupArn();
    String udp = group("udp", ProtocolEnum.UDP, r -> {}).targetGroupArn();
    String http = group("http", ProtocolEnum.HTTP, r -> {}).targetGroupArn();
    String web = machine.balancer("web").loadBalancerArn();
    refused(
        "ValidationError",
        "'HTTP' must be one of 'TCP, TLS, UDP, TCP_UDP'",
        () -> listen(arn, ProtocolEnum.HTTP, tcp));
    refused(
        "ValidationError",
        "'TCP' must be one of 'HTTP, HTTPS'",
        () -> listen(web, ProtocolEnum.TCP, tcp));
    refused("IncompatibleProtocols", "'UDP'", () -> listen(arn, ProtocolEnum.TCP, udp));
    refused("IncompatibleProtocols", "'HTTP'", () -> listen(arn, ProtocolEnum.TCP, http));
    refused("IncompatibleProtocols", "'TCP'", () -> listen(web, ProtocolEnum.HTTP, tcp));
    refused(
        "ValidationError",
        "A certificate must be specified for TLS listeners",
        () -> listen(arn, ProtocolEnum.TLS, tcp));
    refused(
        "InvalidLoadBalancerAction",
        "one action of type forward",
        () ->
            elb.createListener(r ->
                r.loadBalancerArn(arn)
                    .protocol(ProtocolEnum.TCP)
                    .port(1)
                    .defaultActions(says("x"))));
    String listener = listen(arn, ProtocolEnum.TCP, tcp);
    assertTrue(listener.contains(":listener/net/flows/"), listener);
    refused(
        "ValidationError",
        "Rules cannot be created",
        () -> elb.createRule(r -> r.listenerArn(listener).priority(1).actions(to(tcp))));
    refused(
        "ValidationError",
        "ALPN",
        () -> elb.modifyListener(r -> r.listenerArn(listener).alpnPolicy("HTTP2Only")));
    String second = group("second", ProtocolEnum.TCP, r -> {}).targetGroupArn();
    elb.modifyListener(r -> r.listenerArn(listener).defaultActions(by(tcp, 999, second, 1)));
    assertEquals(
        List.of(999, 1),
        elb
            .describeListeners(r -> r.listenerArns(listener))
            .listeners()
            .getFirst()
            .defaultActions()
            .getFirst()
            .forwardConfig()
            .targetGroups()
            .stream()
            .map(TargetGroupTuple::weight)
            .toList());
    assertEquals(
        List.of(arn),
        elb.describeTargetGroups(r -> r.targetGroupArns(second))
            .targetGroups()
            .getFirst()
            .loadBalancerArns());
    refused(
        "IncompatibleProtocols",
        "'UDP'",
        () -> elb.modifyListener(r -> r.listenerArn(listener).defaultActions(by(tcp, 1, udp, 1))));
    Action sticky =
        by(tcp, 1, second, 1).toBuilder()
            .forwardConfig(c ->
                c.targetGroups(tuple(tcp, 1), tuple(second, 1))
                    .targetGroupStickinessConfig(s -> s.enabled(true).durationSeconds(60)))
            .build();
    refused(
        "InvalidLoadBalancerAction",
        "stickiness",
        () -> elb.modifyListener(r -> r.listenerArn(listener).defaultActions(sticky)));
    elb.deleteListener(r -> r.listenerArn(listener));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
  }

  private static TargetGroupTuple tuple(String group, int weight) {
    return TargetGroupTuple.builder().targetGroupArn(group).weight(weight).build();
  }

  private static Action by(String one, int weight, String other, int otherWeight) {
    return Action.builder()
        .type(ActionTypeEnum.FORWARD)
        .forwardConfig(c -> c.targetGroups(tuple(one, weight), tuple(other, otherWeight)))
        .build();
  }

  @Test
  void howLongATcpListenerWaitsCanBeSaid() {
    List<String> subnets = machine.subnetIds();
    String arn = balancer(r -> r.subnets(subnets)).loadBalancerArn();
    String tcp =
        listen(arn, ProtocolEnum.TCP, group("tcp", ProtocolEnum.TCP, r -> {}).targetGroupArn());
    String udp =
        listen(arn, ProtocolEnum.UDP, group("udp", ProtocolEnum.UDP, r -> {}).targetGroupArn());
    assertEquals(Map.of("tcp.idle_timeout.seconds", "350"), waits(tcp));
    assertEquals(Map.of(), waits(udp));
    waiting(tcp, "6000");
    assertEquals(Map.of("tcp.idle_timeout.seconds", "6000"), waits(tcp));
    for (String wrong : List.of("59", "6001", "", "x")) {
      refused("ValidationError", "is not valid for the attribute", () -> waiting(tcp, wrong));
    }
    refused("ValidationError", "not supported for UDP listeners", () -> waiting(udp, "60"));
    refused(
        "ValidationError",
        "not supported for TCP listeners",
        () ->
            elb.modifyListenerAttributes(r ->
                r.listenerArn(tcp)
                    .attributes(
                        ListenerAttribute.builder()
                            .key("routing.http.response.server.enabled")
                            .value("false")
                            .build())));
    assertEquals(Map.of("tcp.idle_timeout.seconds", "6000"), waits(tcp));
  }

  private void waiting(String listener, String seconds) {
    elb.modifyListenerAttributes(r ->
        r.listenerArn(listener)
            .attributes(
                ListenerAttribute.builder()
                    .key("tcp.idle_timeout.seconds")
                    .value(seconds)
                    .build()));
  }

  private Map<String, String> waits(String listener) {
    return elb.describeListenerAttributes(r -> r.listenerArn(listener)).attributes().stream()
        .collect(Collectors.toMap(ListenerAttribute::key, ListenerAttribute::value));
  }

  private String listen(String balancer, ProtocolEnum protocol, String group) {
    int port = freePort();
    return elb.createListener(r ->
            r.loadBalancerArn(balancer).protocol(protocol).port(port).defaultActions(to(group)))
        .listeners()
        .getFirst()
        .listenerArn();
  }

  @Test
  void healthChecksAreOfTcpUnlessSaid() {
    TargetGroup tcp = group("tcp", ProtocolEnum.TCP, r -> {});
    assertEquals(ProtocolEnum.TCP, tcp.healthCheckProtocol());
    assertEquals(10, tcp.healthCheckTimeoutSeconds());
    assertEquals(5, tcp.healthyThresholdCount());
    TargetGroup http =
        group("http", ProtocolEnum.TCP, r -> r.healthCheckProtocol(ProtocolEnum.HTTP));
    assertEquals("200-399", http.matcher().httpCode());
    assertEquals(6, http.healthCheckTimeoutSeconds());
    assertEquals("/", http.healthCheckPath());
    refused(
        "ValidationError",
        "path cannot be specified",
        () -> group("x", ProtocolEnum.TCP, r -> r.healthCheckPath("/a")));
    TargetGroup https =
        group("https", ProtocolEnum.TLS, r -> r.healthCheckProtocol(ProtocolEnum.HTTPS));
    assertEquals("200-399", https.matcher().httpCode());
    assertEquals(10, https.healthCheckTimeoutSeconds());
    assertEquals("/", https.healthCheckPath());
    refused(
        "ValidationError",
        "'UDP' must be one of 'HTTP, HTTPS, TCP'",
        () -> group("x", ProtocolEnum.TCP, r -> r.healthCheckProtocol(ProtocolEnum.UDP)));
    refused(
        "ValidationError",
        "Protocol version",
        () -> group("x", ProtocolEnum.TLS, r -> r.protocolVersion("HTTP1")));
    refused("ValidationError", "'QUIC'", () -> group("x", ProtocolEnum.QUIC, r -> {}));
    refused(
        "ValidationError",
        "interval must be greater",
        () ->
            group(
                "x",
                ProtocolEnum.UDP,
                r -> r.healthCheckIntervalSeconds(5).healthCheckTimeoutSeconds(5)));
    elb.modifyTargetGroup(r ->
        r.targetGroupArn(tcp.targetGroupArn())
            .healthCheckProtocol(ProtocolEnum.HTTP)
            .healthCheckPath("/alive"));
    assertEquals(
        "/alive",
        elb.describeTargetGroups(r -> r.names("tcp")).targetGroups().getFirst().healthCheckPath());
  }

  @Test
  void attributesOfTargetGroups() {
    String tcp = group("tcp", ProtocolEnum.TCP, r -> {}).targetGroupArn();
    String instances =
        group("instances", ProtocolEnum.TCP, r -> r.targetType(TargetTypeEnum.INSTANCE))
            .targetGroupArn();
    String udp = group("udp", ProtocolEnum.UDP, r -> {}).targetGroupArn();
    String tls = group("tls", ProtocolEnum.TLS, r -> {}).targetGroupArn();
    String preserve = "preserve_client_ip.enabled";
    assertEquals("false", attributes(tcp).get(preserve));
    assertEquals("true", attributes(instances).get(preserve));
    assertEquals("true", attributes(udp).get(preserve));
    assertEquals("source_ip", attributes(tcp).get("stickiness.type"));
    attributes(tcp).forEach((key, value) -> set(tcp, key, value));
    refused("ValidationError", "cannot be disabled", () -> set(udp, preserve, "false"));
    refused(
        "ValidationError",
        "proxy_protocol_v2",
        () -> set(udp, "proxy_protocol_v2.enabled", "true"));
    refused("ValidationError", "'TLS'", () -> set(tls, "stickiness.enabled", "true"));
    refused("ValidationError", "lb_cookie", () -> set(tcp, "stickiness.type", "lb_cookie"));
    refused(
        "ValidationError", "not recognized", () -> set(tcp, "slow_start.duration_seconds", "30"));
    String draining = "target_health_state.unhealthy.draining_interval_seconds";
    refused("ValidationError", draining, () -> set(tcp, draining, "60"));
    set(tcp, "target_health_state.unhealthy.connection_termination.enabled", "false");
    set(tcp, draining, "60");
    refused("ValidationError", draining, () -> set(tcp, draining, "360001"));
    set(tcp, preserve, "true");
    set(tcp, "proxy_protocol_v2.enabled", "true");
    assertEquals("true", attributes(tcp).get("proxy_protocol_v2.enabled"));
  }

  private TargetGroup ofBalancers(String name, int port) {
    return group(name, ProtocolEnum.TCP, r -> r.targetType(TargetTypeEnum.ALB).port(port));
  }

  private void register(String group, String id, @Nullable Integer port) {
    TargetDescription target = TargetDescription.builder().id(id).port(port).build();
    elb.registerTargets(r -> r.targetGroupArn(group).targets(target));
  }

  private void deregister(String group, String id) {
    TargetDescription target = TargetDescription.builder().id(id).build();
    elb.deregisterTargets(r -> r.targetGroupArn(group).targets(target));
  }

  private String web(String balancer, int port) {
    return elb.createListener(r ->
            r.loadBalancerArn(balancer)
                .protocol(ProtocolEnum.HTTP)
                .port(port)
                .defaultActions(says("web")))
        .listeners()
        .getFirst()
        .listenerArn();
  }

  @Test
  void targetGroupsOfLoadBalancers() {
    int port = freePort();
    TargetGroup made = ofBalancers("web", port);
    String group = made.targetGroupArn();
    assertEquals(ProtocolEnum.HTTP, made.healthCheckProtocol());
    assertEquals("200-399", made.matcher().httpCode());
    assertEquals("/", made.healthCheckPath());
    assertEquals("true", attributes(group).get("preserve_client_ip.enabled"));
    refused(
        "ValidationError",
        "cannot modify the attributes",
        () -> set(group, "preserve_client_ip.enabled", "false"));
    for (ProtocolEnum other :
        List.of(
            ProtocolEnum.TLS,
            ProtocolEnum.UDP,
            ProtocolEnum.TCP_UDP,
            ProtocolEnum.HTTP,
            ProtocolEnum.HTTPS)) {
      refused(
          "ValidationError",
          "'" + other + "'",
          () -> group("x", other, r -> r.targetType(TargetTypeEnum.ALB)));
    }
    refused(
        "ValidationError",
        "must be one of 'HTTP, HTTPS'",
        () ->
            group(
                "x",
                ProtocolEnum.TCP,
                r -> r.targetType(TargetTypeEnum.ALB).healthCheckProtocol(ProtocolEnum.TCP)));
    refused(
        "ValidationError",
        "must be one of 'HTTP, HTTPS'",
        () ->
            elb.modifyTargetGroup(
                r -> r.targetGroupArn(group).healthCheckProtocol(ProtocolEnum.TCP)));
    List<String> subnets = machine.subnetIds();
    String flows = balancer(r -> r.subnets(subnets)).loadBalancerArn();
    refused("IncompatibleProtocols", "alb", () -> listen(flows, ProtocolEnum.TLS, group));
    String listener = listen(flows, ProtocolEnum.TCP, group);
    assertTrue(listener.contains("net/flows"), listener);
  }

  @Test
  void whichLoadBalancersMayBeTargets() {
    int port = freePort();
    String group = ofBalancers("one", port).targetGroupArn();
    String web = machine.balancer("web").loadBalancerArn();
    String mismatch =
        "If the target type is ALB, the target must have at least one listener that matches the"
            + " target group port or any specified port overrides";
    refused("ValidationError", mismatch, () -> register(group, web, null));
    String listener = web(web, port);
    register(group, web, null);
    refused("ValidationError", mismatch, () -> register(group, web, port + 1));
    var told =
        elb.describeTargetHealth(r -> r.targetGroupArn(group))
            .targetHealthDescriptions()
            .getFirst();
    assertEquals(web, told.target().id());
    assertEquals(port, told.target().port());
    assertEquals("unused", told.targetHealth().stateAsString());

    // One in a group, and one in two groups.
    String other = machine.balancer("other").loadBalancerArn();
    web(other, port);
    refused("TooManyTargets", "one Application Load Balancer", () -> register(group, other, null));
    register(ofBalancers("two", port).targetGroupArn(), web, null);
    String three = ofBalancers("three", port).targetGroupArn();
    refused("TooManyRegistrationsForTargetId", web, () -> register(three, web, null));

    // None that is not there, is of another type, or in another VPC.
    refused(
        "InvalidTarget", "gone", () -> register(three, web.replace("app/web", "app/gone"), null));
    refused("ValidationError", "i-1", () -> register(three, "i-1", null));
    List<String> subnets = machine.subnetIds();
    String flows = balancer(r -> r.subnets(subnets)).loadBalancerArn();
    refused("ValidationError", flows, () -> register(three, flows, null));
    refused(
        "ValidationError",
        "Availability Zone",
        () ->
            elb.registerTargets(r ->
                r.targetGroupArn(three)
                    .targets(
                        TargetDescription.builder().id(other).availabilityZone("all").build())));
    String elsewhere = machine.ec2().createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    String away =
        group(
                "away",
                ProtocolEnum.TCP,
                r -> r.targetType(TargetTypeEnum.ALB).port(port).vpcId(elsewhere))
            .targetGroupArn();
    refused("InvalidTarget", elsewhere, () -> register(away, other, null));

    // Who is a target stays, and so does the port.
    refused(
        "ResourceInUse",
        "Listener port '" + port + "' is in use by registered target '" + web + "'",
        () -> elb.deleteListener(r -> r.listenerArn(listener)));
    refused(
        "ResourceInUse",
        "Listener port '" + port + "'",
        () -> elb.modifyListener(r -> r.listenerArn(listener).port(port == 1 ? 2 : port - 1)));
    refused(
        "ResourceInUse",
        "cannot be deleted because it is currently associated with another service",
        () -> elb.deleteLoadBalancer(r -> r.loadBalancerArn(web)));
    deregister(group, web);
    refused("ResourceInUse", web, () -> elb.deleteLoadBalancer(r -> r.loadBalancerArn(web)));
    elb.deleteTargetGroup(r ->
        r.targetGroupArn(
            elb.describeTargetGroups(d -> d.names("two"))
                .targetGroups()
                .getFirst()
                .targetGroupArn()));
    elb.deleteListener(r -> r.listenerArn(listener));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(web));
  }

  private Map<String, String> attributes(String group) {
    return elb.describeTargetGroupAttributes(r -> r.targetGroupArn(group)).attributes().stream()
        .collect(Collectors.toMap(TargetGroupAttribute::key, TargetGroupAttribute::value));
  }

  private void set(String group, String key, String value) {
    elb.modifyTargetGroupAttributes(r ->
        r.targetGroupArn(group)
            .attributes(TargetGroupAttribute.builder().key(key).value(value).build()));
  }
}
