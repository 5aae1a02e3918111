package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.contains;
import static dev.muelle.services.elasticloadbalancingv2.Machine.says;
import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.Use;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** Load balancers over IPv6, as clients and targets in a VPC meet them. Needs root. */
@Timeout(300)
class DualStackOnLinuxTest extends OnLinux {

  private static final int PORT = 6000;
  private static final int FRONT = 7000;
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int DROPPED_MILLIS = 1_000;
  private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  @BeforeEach
  void carry() {
    machine.carryIpv6();
  }

  /** Gives a place in the VPC an address of IPv6. */
  private String addressed(NetworkInterface eni) {
    return machine
        .ec2()
        .assignIpv6Addresses(
            r -> r.networkInterfaceId(eni.networkInterfaceId()).ipv6AddressCount(1))
        .assignedIpv6Addresses()
        .getFirst();
  }

  private String group(String name, String... blocks) {
    String group =
        machine.ec2().createSecurityGroup(r -> r.groupName(name).description(name)).groupId();
    machine
        .ec2()
        .authorizeSecurityGroupIngress(
            r -> r.groupId(group).ipPermissions(List.of(blocks).stream().map(this::from).toList()));
    return group;
  }

  private IpPermission from(String block) {
    return block.contains(":")
        ? IpPermission.builder()
            .ipProtocol("-1")
            .ipv6Ranges(Ipv6Range.builder().cidrIpv6(block).build())
            .build()
        : IpPermission.builder()
            .ipProtocol("-1")
            .ipRanges(IpRange.builder().cidrIp(block).build())
            .build();
  }

  private LoadBalancer balancer(Consumer<CreateLoadBalancerRequest.Builder> how)
      throws InterruptedException {
    List<String> subnets = machine.subnetIds().subList(0, 2);
    return machine.active(
        machine
            .elb()
            .createLoadBalancer(
                r -> r.name("dual").subnets(subnets).ipAddressType("dualstack").applyMutation(how))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn());
  }

  private String targets(ProtocolEnum protocol, String family) {
    String vpc = machine.vpc();
    return machine
        .elb()
        .createTargetGroup(r ->
            r.name(family + "-" + protocol.toString().replace('_', '-'))
                .protocol(protocol)
                .port(PORT)
                .vpcId(vpc)
                .targetType(TargetTypeEnum.IP)
                .ipAddressType(family)
                .healthCheckIntervalSeconds(5)
                .healthCheckTimeoutSeconds(2)
                .healthyThresholdCount(2)
                .unhealthyThresholdCount(2))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private void register(String group, String address) throws InterruptedException {
    TargetDescription target = TargetDescription.builder().id(address).build();
    machine.elb().registerTargets(r -> r.targetGroupArn(group).targets(target));
    until(
        "healthy",
        () ->
            machine
                .elb()
                .describeTargetHealth(r -> r.targetGroupArn(group).targets(target))
                .targetHealthDescriptions()
                .getFirst()
                .targetHealth()
                .stateAsString());
  }

  private NetworkInterface node(LoadBalancer balancer) {
    String name = balancer.loadBalancerArn().replaceFirst(".*:loadbalancer/", "ELB ");
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("description").values(name).build()))
        .networkInterfaces()
        .stream()
        .filter(eni -> eni.availabilityZone().endsWith("a"))
        .findFirst()
        .orElseThrow();
  }

  private Socket connect(NetworkInterface from, String address, int millis) throws Exception {
    SocketChannel channel = inside(from, () -> SocketChannel.open(family(address)));
    open.add(channel);
    channel.socket().setSoTimeout(PATIENCE_MILLIS);
    channel.socket().connect(new InetSocketAddress(address, FRONT), millis);
    return channel.socket();
  }

  /** All that is answered. */
  private String ask(NetworkInterface from, String address, String what) throws Exception {
    try (Socket socket = connect(from, address, PATIENCE_MILLIS)) {
      socket.getOutputStream().write(what.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private void dropped(NetworkInterface from, String address) {
    assertThrows(SocketTimeoutException.class, () -> connect(from, address, DROPPED_MILLIS));
  }

  /** Tells who asks, and how. */
  private static void tell(SocketChannel client) {
    try (Socket socket = client.socket()) {
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int b = socket.getInputStream().read();
        if (b < 0) {
          return;
        }
        head.append((char) b);
      }
      String body = "from " + peer(socket) + "\n" + head;
      socket
          .getOutputStream()
          .write(
              ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
                      + body.length()
                      + "\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // the other side went away
    }
  }

  private static String peer(Socket socket) {
    String peer = socket.getInetAddress().getHostAddress();
    return peer.contains(":") ? Cidr6.normal(peer) : peer;
  }

  /** Says who has come, at once. */
  private static void greet(SocketChannel client) {
    try (Socket socket = client.socket()) {
      socket.getOutputStream().write(peer(socket).getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // the other side went away
    }
  }

  @Test
  void requestsComeAndGoOverIpv6() throws Exception {
    String everybody = group("everybody", "0.0.0.0/0", "::/0");
    NetworkInterface friend = place(0, everybody);
    String friend6 = addressed(friend);
    NetworkInterface stranger = place(1, everybody);
    addressed(stranger);
    String friends = group("friends", friend6 + "/128", friend.privateIpAddress() + "/32");
    LoadBalancer balancer = balancer(r -> r.securityGroups(friends));
    String arn = balancer.loadBalancerArn();
    NetworkInterface server = place(0, everybody);
    String server6 = addressed(server);
    serve(server, server6, PORT, DualStackOnLinuxTest::tell);
    String group = targets(ProtocolEnum.HTTP, "ipv6");
    String listener = listen(arn, ProtocolEnum.HTTP, says("of IPv4"));
    String rule =
        machine
            .elb()
            .createRule(r ->
                r.listenerArn(listener)
                    .priority(1)
                    .conditions(
                        RuleCondition.builder()
                            .field("source-ip")
                            .sourceIpConfig(c -> c.values(friend6 + "/128"))
                            .build())
                    .actions(to(group)))
            .rules()
            .getFirst()
            .ruleArn();
    register(group, server6);
    NetworkInterface node = node(balancer);
    String node6 = node.ipv6Address();

    String told = ask(friend, node6, GET);
    contains(told, "from " + node6 + "\n"); // the target hears of the node by IPv6, too
    contains(told, "\r\nX-Forwarded-For: " + friend6 + "\r\n");
    contains(ask(friend, node.privateIpAddress(), GET), "of IPv4");
    dropped(stranger, node6);
    var metrics = machine.balancer.loadBalancerMetrics(arn).orElseThrow();
    assertEquals(2, metrics.get(Count.REQUESTS));
    assertEquals(1, metrics.get(Count.IPV6_REQUESTS));

    // A new server finds everything where it was.
    machine.restart();
    until(true, () -> machine.balancer.endpoints().contains("[" + node6 + "]:" + FRONT));
    contains(ask(friend, node6, GET), friend6);

    machine.elb().deleteRule(r -> r.ruleArn(rule));
    machine.elb().setIpAddressType(r -> r.loadBalancerArn(arn).ipAddressType("ipv4"));
    assertEquals(List.of(), node(balancer).ipv6Addresses());
    dropped(friend, node6);
    contains(ask(friend, node.privateIpAddress(), GET), "of IPv4");
    machine.elb().setIpAddressType(r -> r.loadBalancerArn(arn).ipAddressType("dualstack"));
    contains(ask(friend, node(balancer).ipv6Address(), GET), "of IPv4");
  }

  @Test
  void flowsKeepTheirClientsAddressTowardsTargetsOfTheSameFamily() throws Exception {
    String everybody = group("everybody", "0.0.0.0/0", "::/0");
    NetworkInterface client = place(1, everybody);
    String client6 = addressed(client);
    NetworkInterface server = place(0, everybody);
    String server6 = addressed(server);
    serve(server, PORT, DualStackOnLinuxTest::greet);
    serve(server, server6, PORT, DualStackOnLinuxTest::greet);
    LoadBalancer balancer =
        balancer(r -> r.type(LoadBalancerTypeEnum.NETWORK).securityGroups(everybody));
    String six = targets(ProtocolEnum.TCP, "ipv6");
    String four = targets(ProtocolEnum.TCP, "ipv4");
    String listener = listen(balancer.loadBalancerArn(), ProtocolEnum.TCP, to(six));
    register(six, server6);
    String node = node(balancer).privateIpAddress();
    String node6 = node(balancer).ipv6Address();

    assertEquals(node6, ask(client, node6, ""));
    assertEquals(node6, ask(client, node, ""));
    keepClients(six);
    assertEquals(client6, ask(client, node6, ""));
    assertEquals(node6, ask(client, node, ""), "no address of IPv4 can be kept");

    machine.elb().modifyListener(r -> r.listenerArn(listener).defaultActions(to(four)));
    register(four, server.privateIpAddress());
    keepClients(four);
    assertEquals(client.privateIpAddress(), ask(client, node, ""));
    assertEquals(node, ask(client, node6, ""), "nor one of IPv6");
  }

  /** Tells each sender who it is. */
  private void tellSenders(NetworkInterface eni, String address) throws Exception {
    DatagramChannel socket =
        inside(
            eni,
            () -> DatagramChannel.open(family(address)).bind(new InetSocketAddress(address, PORT)));
    open.add(socket);
    Thread.ofVirtual()
        .start(() -> {
          ByteBuffer packet = ByteBuffer.allocate(100);
          try {
            while (true) {
              InetSocketAddress from = (InetSocketAddress) socket.receive(packet.clear());
              String host = from.getAddress().getHostAddress();
              String told = (host.contains(":") ? Cidr6.normal(host) : host) + " " + from.getPort();
              socket.send(ByteBuffer.wrap(told.getBytes(StandardCharsets.US_ASCII)), from);
            }
          } catch (IOException e) {
            // closed
          }
        });
  }

  /** As whom a target sees who sends a datagram to a node: its address, and whether by its port. */
  private String seen(NetworkInterface from, String node) throws Exception {
    try (DatagramChannel socket = inside(from, () -> DatagramChannel.open(family(node)))) {
      socket.connect(new InetSocketAddress(node, FRONT));
      socket.write(ByteBuffer.wrap("x".getBytes(StandardCharsets.US_ASCII)));
      socket.socket().setSoTimeout(PATIENCE_MILLIS);
      DatagramPacket packet = new DatagramPacket(new byte[100], 100);
      socket.socket().receive(packet);
      String answer =
          new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
      int port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
      return answer.replaceFirst(" " + port + "$", " same port").replaceFirst(" [0-9]+$", "");
    }
  }

  @Test
  void datagramsOfBothFamiliesReachTargetsOfIpv6() throws Exception {
    String everybody = group("everybody", "0.0.0.0/0", "::/0");
    NetworkInterface client = place(1, everybody);
    String client6 = addressed(client);
    NetworkInterface server = place(0, everybody);
    String server6 = addressed(server);
    serve(server, server6, PORT, DualStackOnLinuxTest::greet); // checked by TCP
    tellSenders(server, server6);
    LoadBalancer balancer =
        balancer(r ->
            r.type(LoadBalancerTypeEnum.NETWORK)
                .securityGroups(everybody)
                .enablePrefixForIpv6SourceNat("on"));
    String six = targets(ProtocolEnum.TCP_UDP, "ipv6");
    listen(balancer.loadBalancerArn(), ProtocolEnum.TCP_UDP, to(six));
    register(six, server6);
    String node = node(balancer).privateIpAddress();
    String node6 = node(balancer).ipv6Address();
    String prefix = node(balancer).ipv6Prefixes().getFirst().ipv6Prefix();
    String standsFor = Cidr6.normal(prefix.replace("::/80", "::" + client.privateIpAddress()));

    assertEquals(client6 + " same port", seen(client, node6));
    assertEquals(standsFor + " same port", seen(client, node), "an address of its own");
    assertEquals(client6, ask(client, node6, ""), "connections likewise");

    // Groups judge who comes by such an address, too: by the load balancer's group.
    String only =
        machine.ec2().createSecurityGroup(r -> r.groupName("only").description("o")).groupId();
    machine
        .ec2()
        .authorizeSecurityGroupIngress(r ->
            r.groupId(only)
                .ipPermissions(
                    IpPermission.builder()
                        .ipProtocol("-1")
                        .userIdGroupPairs(UserIdGroupPair.builder().groupId(everybody).build())
                        .build()));
    machine
        .ec2()
        .modifyNetworkInterfaceAttribute(
            r -> r.networkInterfaceId(server.networkInterfaceId()).groups(only));
    assertEquals(standsFor + " same port", seen(client, node));
  }

  /** Whether the host, which is the world here, comes to a node. */
  private static boolean worldReaches(String address) throws IOException {
    try (SocketChannel socket = SocketChannel.open(family(address))) {
      socket.socket().connect(new InetSocketAddress(address, FRONT), DROPPED_MILLIS);
      return true;
    } catch (SocketTimeoutException | SocketException e) { // dropped, or no way there
      return false;
    }
  }

  private String listen(String balancerArn, ProtocolEnum protocol, Action action) {
    return machine
        .elb()
        .createListener(r ->
            r.loadBalancerArn(balancerArn).protocol(protocol).port(FRONT).defaultActions(action))
        .listeners()
        .getFirst()
        .listenerArn();
  }

  private void deny(LoadBalancer balancer, String value) {
    machine
        .elb()
        .modifyLoadBalancerAttributes(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .attributes(
                    LoadBalancerAttribute.builder()
                        .key("ipv6.deny_all_igw_traffic")
                        .value(value)
                        .build()));
  }

  /** Leads everything of IPv6 out of the default VPC. */
  private void leadOut() {
    String vpc = machine.vpc();
    String gateway =
        machine.ec2().describeInternetGateways().internetGateways().getFirst().internetGatewayId();
    String table =
        machine
            .ec2()
            .describeRouteTables(
                r -> r.filters(Filter.builder().name("vpc-id").values(vpc).build()))
            .routeTables()
            .getFirst()
            .routeTableId();
    machine
        .ec2()
        .createRoute(
            r -> r.routeTableId(table).destinationIpv6CidrBlock("::/0").gatewayId(gateway));
  }

  @Test
  void gatewaysLeadToWhomTheAttributeSays() throws Exception {
    leadOut();
    String everybody = group("everybody", "0.0.0.0/0", "::/0");
    NetworkInterface neighbour = place(1, everybody);
    addressed(neighbour);
    LoadBalancer inner = balancer(r -> r.scheme("internal").securityGroups(everybody));
    listen(inner.loadBalancerArn(), ProtocolEnum.HTTP, says("inside"));
    String node6 = node(inner).ipv6Address();
    contains(ask(neighbour, node6, GET), "inside");
    assertFalse(worldReaches(node6));
    deny(inner, "false");
    until(true, () -> worldReaches(node6));
    deny(inner, "true");
    assertFalse(worldReaches(node6));
    contains(ask(neighbour, node6, GET), "inside");
    contains(ask(peer(), node6, GET), "inside");

    LoadBalancer outer =
        balancer(r -> r.name("outer").type(LoadBalancerTypeEnum.NETWORK).securityGroups(everybody));
    String group = targets(ProtocolEnum.TCP, "ipv6");
    listen(outer.loadBalancerArn(), ProtocolEnum.TCP, to(group));
    String outer6 = node(outer).ipv6Address();
    until(true, () -> worldReaches(outer6));
    deny(outer, "true");
    assertFalse(worldReaches(outer6));
  }

  /** A place in another VPC, from where routes lead to this one and back. */
  private NetworkInterface peer() throws Exception {
    var ec2 = machine.ec2();
    String near = machine.vpc();
    String block =
        ec2.describeVpcs(r -> r.vpcIds(near))
            .vpcs()
            .getFirst()
            .ipv6CidrBlockAssociationSet()
            .getFirst()
            .ipv6CidrBlock();
    String vpc =
        ec2.createVpc(r -> r.cidrBlock("10.9.0.0/16").amazonProvidedIpv6CidrBlock(true))
            .vpc()
            .vpcId();
    String far =
        ec2.describeVpcs(r -> r.vpcIds(vpc))
            .vpcs()
            .getFirst()
            .ipv6CidrBlockAssociationSet()
            .getFirst()
            .ipv6CidrBlock();
    String own = far.replace("/56", "/64");
    String subnet =
        ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.9.1.0/24").ipv6CidrBlock(own))
            .subnet()
            .subnetId();
    String peering =
        ec2.createVpcPeeringConnection(r -> r.vpcId(near).peerVpcId(vpc))
            .vpcPeeringConnection()
            .vpcPeeringConnectionId();
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(peering));
    for (var table : ec2.describeRouteTables().routeTables()) {
      boolean here = table.vpcId().equals(near);
      if (here || table.vpcId().equals(vpc)) {
        ec2.createRoute(r ->
            r.routeTableId(table.routeTableId())
                .destinationIpv6CidrBlock(here ? far : block)
                .vpcPeeringConnectionId(peering));
      }
    }
    NetworkInterface eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).ipv6AddressCount(1)).networkInterface();
    network.plug(eni.networkInterfaceId(), Use.NAMESPACE);
    return eni;
  }

  private void keepClients(String group) {
    machine
        .elb()
        .modifyTargetGroupAttributes(r ->
            r.targetGroupArn(group)
                .attributes(
                    TargetGroupAttribute.builder()
                        .key("preserve_client_ip.enabled")
                        .value("true")
                        .build()));
  }
}
