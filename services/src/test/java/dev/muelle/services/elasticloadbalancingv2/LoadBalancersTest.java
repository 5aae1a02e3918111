package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.get;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;

/** Load balancers: what they are made of, what they refuse, and whom they let in. */
@Timeout(300)
class LoadBalancersTest extends ElbV2World {

  @Test
  void aLoadBalancerFromItsCreationToItsEnd() throws Exception {
    LoadBalancer made = machine.balancer("web");
    String arn = made.loadBalancerArn();
    assertTrue(arn.matches(NOWHERE + "loadbalancer/app/web/[0-9a-f]{16}"), arn);
    assertTrue(made.dnsName().matches("web-[0-9]+\\.us-east-1\\.elb\\.localhost"), made.dnsName());
    assertEquals(LoadBalancerStateEnum.PROVISIONING, made.state().code());
    assertEquals(LoadBalancerSchemeEnum.INTERNET_FACING, made.scheme());
    assertEquals(LoadBalancerTypeEnum.APPLICATION, made.type());
    assertEquals(machine.vpc(), made.vpcId());
    assertEquals(List.of(machine.openGroup()), made.securityGroups());
    assertEquals(
        Set.copyOf(machine.subnetIds()),
        Set.copyOf(made.availabilityZones().stream().map(AvailabilityZone::subnetId).toList()));

    try (var waiter = waiter(elb)) {
      waiter.waitUntilLoadBalancerExists(r -> r.loadBalancerArns(arn));
      waiter.waitUntilLoadBalancerAvailable(r -> r.names("web"));
      List<NetworkInterface> nodes = interfacesOf(made);
      assertEquals(3, nodes.size());
      nodes.forEach(node -> {
        assertEquals(machine.openGroup(), node.groups().getFirst().groupId());
        assertTrue(network.uses().containsKey(node.networkInterfaceId()));
      });
      assertEquals(
          Set.copyOf(nodes.stream().map(NetworkInterface::privateIpAddress).toList()),
          Set.copyOf(network.resolve(made.vpcId(), made.dnsName()).orElseThrow()));
      assertTrue(network.resolve("vpc-other", made.dnsName()).isEmpty());

      int port = freePort();
      listener(arn, port, says("hello"));
      assertTrue(get("127.0.0.1", port, made.dnsName()).endsWith("\r\n\r\nhello"));
      assertTrue(get(front(arn), port, "whatever").endsWith("\r\n\r\nhello"));
      contains(get("127.0.0.1", port, "else.elb.localhost"), "HTTP/1.1 404 ");

      String front = front(arn);
      elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
      waiter.waitUntilLoadBalancersDeleted(r -> r.loadBalancerArns(arn));
      assertEquals(List.of(), interfacesOf(made));
      assertEquals(Map.of(), network.uses());
      assertTrue(network.resolve(made.vpcId(), made.dnsName()).isEmpty());
      assertThrows(SocketException.class, () -> get(front, port, "x"));
    }
    assertThrows(
        LoadBalancerNotFoundException.class,
        () -> elb.describeLoadBalancers(r -> r.loadBalancerArns(arn)));
    refused(
        "LoadBalancerNotFound",
        "Load balancers '[web]' not found",
        () -> elb.describeLoadBalancers(r -> r.names("web")));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn)); // succeeds, as on AWS
    assertEquals(List.of(), elb.describeLoadBalancers(r -> {}).loadBalancers());
  }

  @Test
  void anInternalOneHasNoDoorToTheHost() throws Exception {
    List<String> subnets = machine.subnetIds();
    LoadBalancer made =
        elb.createLoadBalancer(
                r -> r.name("in").scheme(LoadBalancerSchemeEnum.INTERNAL).subnets(subnets))
            .loadBalancers()
            .getFirst();
    assertTrue(made.dnsName().startsWith("internal-in-"), made.dnsName());
    assertEquals("", front(made.loadBalancerArn()));
    int port = freePort();
    listener(made.loadBalancerArn(), port, says("hello"));
    machine.active(made.loadBalancerArn());
    assertThrows(SocketException.class, () -> get("127.0.0.1", port, made.dnsName()));
    String group = made.securityGroups().getFirst(); // the VPC's default one
    assertEquals(
        "default",
        machine
            .ec2()
            .describeSecurityGroups(r -> r.groupIds(group))
            .securityGroups()
            .getFirst()
            .groupName());
  }

  @Test
  void theSameLoadBalancerAgainIsTheSameOne() {
    LoadBalancer first = machine.balancer("web");
    assertEquals(first.loadBalancerArn(), machine.balancer("web").loadBalancerArn());
    assertEquals(1, elb.describeLoadBalancers(r -> {}).loadBalancers().size());
    List<String> subnets = machine.subnetIds();
    List<Consumer<CreateLoadBalancerRequest.Builder>> others =
        List.of(
            r -> r.scheme("internal"),
            r -> r.subnets(subnets.subList(0, 2)),
            r -> r.securityGroups(List.of()),
            r -> r.tags(tag("a", "b")));
    for (var other : others) {
      String group = machine.openGroup();
      refused(
          "DuplicateLoadBalancerName",
          "A load balancer with the same name 'web' exists, but with different settings",
          () ->
              elb.createLoadBalancer(r -> {
                r.name("web").subnets(subnets).securityGroups(group);
                other.accept(r);
              }));
    }
    // None of the attempts has kept a loopback address.
    String next = machine.balancer("next").loadBalancerArn();
    assertEquals(
        Set.of("127.64.0.1", "127.64.0.2"), Set.of(front(first.loadBalancerArn()), front(next)));
  }

  @Test
  void whatALoadBalancerCannotBe() {
    List<String> subnets = machine.subnetIds();
    String other = machine.ec2().createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    String far =
        machine
            .ec2()
            .createSubnet(
                r -> r.vpcId(other).cidrBlock("10.9.1.0/24").availabilityZone("us-east-1b"))
            .subnet()
            .subnetId();
    String twin =
        machine
            .ec2()
            .createSubnet(r ->
                r.vpcId(machine.vpc())
                    .cidrBlock("172.31.200.0/24")
                    .availabilityZone(machine.subnets().getFirst().availabilityZone()))
            .subnet()
            .subnetId();
    String stranger =
        machine
            .ec2()
            .createSecurityGroup(r -> r.groupName("x").description("x").vpcId(other))
            .groupId();

    record Case(String code, String message, Consumer<CreateLoadBalancerRequest.Builder> request) {}
    List<Case> cases =
        List.of(
            new Case("ValidationError", "name '-a'", r -> r.name("-a")),
            new Case("ValidationError", "must not begin", r -> r.name("internal-a")),
            new Case("ValidationError", "at most 32", r -> r.name("a".repeat(33))),
            new Case("ValidationError", "'gateway'", r -> r.type("gateway")),
            new Case("ValidationError", "IPv6 CIDR block", r -> r.ipAddressType("dualstack")),
            new Case("InvalidScheme", "'sideways'", r -> r.scheme("sideways")),
            new Case("ValidationError", "CustomerOwnedIpv4Pool", r -> r.customerOwnedIpv4Pool("p")),
            new Case("ValidationError", "at least one subnet", r -> r.subnets(List.of())),
            new Case(
                "ValidationError",
                "At least two subnets in two different Availability Zones must be specified",
                r -> r.subnets(subnets.getFirst())),
            new Case(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
                r -> r.subnets(subnets.getFirst(), twin)),
            new Case(
                "InvalidConfigurationRequest", "same VPC", r -> r.subnets(subnets.getFirst(), far)),
            new Case(
                "SubnetNotFound",
                "subnet-0123456789abcdef0",
                r -> r.subnets(subnets.getFirst(), "subnet-0123456789abcdef0")),
            new Case(
                "ValidationError",
                "both 'Subnets' and 'SubnetMappings'",
                r ->
                    r.subnetMappings(SubnetMapping.builder().subnetId(subnets.getFirst()).build())),
            new Case(
                "ValidationError",
                "AllocationId",
                r ->
                    r.subnets(List.of())
                        .subnetMappings(
                            SubnetMapping.builder()
                                .subnetId(subnets.getFirst())
                                .allocationId("e")
                                .build())),
            new Case("InvalidSecurityGroup", "sg-0123", r -> r.securityGroups("sg-0123")),
            new Case("InvalidSecurityGroup", stranger, r -> r.securityGroups(stranger)),
            new Case("ValidationError", "'aws:x'", r -> r.tags(tag("aws:x", ""))),
            new Case("DuplicateTagKeys", "'a'", r -> r.tags(tag("a", "1"), tag("a", "2"))));
    for (Case wrong : cases) {
      refused(
          wrong.code(),
          wrong.message(),
          () ->
              elb.createLoadBalancer(r -> {
                r.name("web").subnets(subnets);
                wrong.request().accept(r);
              }));
    }
    assertEquals(List.of(), elb.describeLoadBalancers(r -> {}).loadBalancers());
  }

  @Test
  void attributesOfLoadBalancers() {
    String arn = machine.balancer("web").loadBalancerArn();
    Map<String, String> usual = balancerAttributes(arn);
    assertEquals("60", usual.get("idle_timeout.timeout_seconds"));
    assertEquals("3600", usual.get("client_keep_alive.seconds"));
    assertEquals("false", usual.get("deletion_protection.enabled"));
    assertEquals("defensive", usual.get("routing.http.desync_mitigation_mode"));
    assertEquals("true", usual.get("routing.http2.enabled"));

    // All at their usual value, as Terraform sends them.
    usual.forEach((key, value) -> change(arn, key, value));
    Map<String, String> wanted = new HashMap<>();
    wanted.put("idle_timeout.timeout_seconds", "4000");
    wanted.put("client_keep_alive.seconds", "604800");
    wanted.put("deletion_protection.enabled", "true");
    wanted.put("routing.http.drop_invalid_header_fields.enabled", "true");
    wanted.put("routing.http.xff_client_port.enabled", "true");
    wanted.put("routing.http.preserve_host_header.enabled", "true");
    wanted.put("routing.http.xff_header_processing.mode", "remove");
    wanted.put("routing.http.desync_mitigation_mode", "monitor");
    wanted.forEach((key, value) -> change(arn, key, value));
    Map<String, String> now = balancerAttributes(arn);
    usual.forEach((key, value) -> assertEquals(wanted.getOrDefault(key, value), now.get(key), key));

    refused(
        "ValidationError",
        "Load balancer attribute key 'stickiness.enabled' is not recognized",
        () -> change(arn, "stickiness.enabled", "true"));
    Map<String, List<String>> wrong =
        Map.of(
            "idle_timeout.timeout_seconds", List.of("0", "4001", "x", "", "-1"),
            "client_keep_alive.seconds", List.of("59", "604801"),
            "deletion_protection.enabled", List.of("yes"),
            "routing.http.xff_header_processing.mode", List.of("prepend"),
            "routing.http.desync_mitigation_mode", List.of("lax", "Monitor"),
            "routing.http2.enabled", List.of("yes", ""),
            "waf.fail_open.enabled", List.of("true"));
    wrong.forEach((key, values) ->
        values.forEach(value -> refused("ValidationError", key, () -> change(arn, key, value))));
    for (String logs : List.of("access_logs", "connection_logs", "health_check_logs")) {
      refused(
          "ValidationError",
          "The value of '" + logs + ".s3.bucket' cannot be empty",
          () -> change(arn, logs + ".s3.enabled", "true"));
    }
    refused(
        "ValidationError",
        "waf",
        () ->
            elb.modifyLoadBalancerAttributes(r ->
                r.loadBalancerArn(arn)
                    .attributes(
                        LoadBalancerAttribute.builder()
                            .key("idle_timeout.timeout_seconds")
                            .value("7")
                            .build(),
                        LoadBalancerAttribute.builder()
                            .key("waf.fail_open.enabled")
                            .value("true")
                            .build())));
    assertEquals(now, balancerAttributes(arn), "all or nothing");

    refused(
        "OperationNotPermitted",
        "Load balancer '" + arn + "' cannot be deleted because deletion protection is enabled",
        () -> elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn)));
    change(arn, "deletion_protection.enabled", "false");
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
  }

  private Map<String, String> balancerAttributes(String arn) {
    Map<String, String> all = new HashMap<>();
    elb.describeLoadBalancerAttributes(r -> r.loadBalancerArn(arn))
        .attributes()
        .forEach(a -> all.put(a.key(), a.value()));
    return all;
  }

  @Test
  void securityGroupsDecideWhoComesInFromTheHost() throws Exception {
    LoadBalancer balancer = machine.balancer("web");
    String arn = balancer.loadBalancerArn();
    machine.active(arn);
    int port = freePort();
    listener(arn, port, says("in"));
    assertTrue(get(front(arn), port, "x").endsWith("in"));
    String closed =
        machine.ec2().createSecurityGroup(r -> r.groupName("no").description("no")).groupId();
    elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups(closed));
    assertEquals(List.of(closed), machine.described(arn).securityGroups());
    interfacesOf(balancer)
        .forEach(node -> assertEquals(closed, node.groups().getFirst().groupId()));
    try (Socket socket = new Socket(InetAddress.ofLiteral(front(arn)), port)) {
      socket
          .getOutputStream()
          .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(300);
      assertThrows(SocketTimeoutException.class, () -> socket.getInputStream().read());
    }
    machine
        .ec2()
        .authorizeSecurityGroupIngress(r ->
            r.groupId(closed).ipProtocol("tcp").fromPort(port).toPort(port).cidrIp("0.0.0.0/0"));
    // The change reaches the balancer by the store's feed.
    until(
        true,
        () -> {
          try (Socket socket = new Socket(InetAddress.ofLiteral(front(arn)), port)) {
            socket
                .getOutputStream()
                .write(
                    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(200);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                .endsWith("in");
          } catch (SocketTimeoutException e) {
            return false;
          }
        });
    refused(
        "InvalidSecurityGroup",
        "sg-0123",
        () -> elb.setSecurityGroups(r -> r.loadBalancerArn(arn).securityGroups("sg-0123")));
  }

  @Test
  void aPortThatTheUserHasIsTold() throws Exception {
    LoadBalancer balancer = machine.balancer("web");
    String arn = balancer.loadBalancerArn();
    machine.active(arn);
    int port;
    try (ServerSocket users = new ServerSocket()) {
      users.bind(new InetSocketAddress("127.0.0.1", 0));
      port = users.getLocalPort();
      listener(arn, port, says("beside"));
      var state = machine.described(arn).state();
      assertEquals(LoadBalancerStateEnum.ACTIVE, state.code());
      contains(state.reason(), "127.0.0.1:" + port + ": ");
      assertFalse(state.reason().contains(front(arn)), state.reason());
      assertTrue(get(front(arn), port, "x").endsWith("beside"));
    }
    change(arn, "idle_timeout.timeout_seconds", "61"); // or half a minute later
    assertFalse(machine.described(arn).state().reason().contains("127.0.0.1:"));
    assertTrue(get("127.0.0.1", port, balancer.dnsName()).endsWith("beside"));
  }
}
