package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.to;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import dev.muelle.network.Network.Use;
import dev.muelle.services.arczonalshift.ArcZonalShift;
import dev.muelle.services.elasticloadbalancingv2.log.LogDeliveryTest;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SubnetMapping;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** Network load balancers, as clients and targets with addresses of their own meet them. */
@Timeout(600)
class NetworkBalancersOnLinuxTest extends OnLinux {

  private static final int PORT = 6000;
  private static final int FRONT = 7000;
  private static final int SECURE = 7443;
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int DROPPED_MILLIS = 1_500;

  /** Tells each client its name and the address that it sees, and echoes. */
  private NetworkInterface server(String name, int zone, String group) throws Exception {
    NetworkInterface eni = place(zone, group);
    serve(eni, PORT, client -> talk(name, client));
    return eni;
  }

  private static void talk(String name, SocketChannel client) {
    try (Socket socket = client.socket()) {
      InetSocketAddress peer = (InetSocketAddress) socket.getRemoteSocketAddress();
      String hello = name + " " + peer.getHostString() + " " + peer.getPort() + "\n";
      socket.getOutputStream().write(hello.getBytes(StandardCharsets.US_ASCII));
      socket.getInputStream().transferTo(socket.getOutputStream());
      socket.getOutputStream().write("bye\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // the other side went away
    }
  }

  /** Answers each datagram with its name, the address that it sees, and what came. */
  private void datagrams(String name, NetworkInterface eni) throws Exception {
    DatagramChannel server =
        inside(
            eni,
            () ->
                DatagramChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress(eni.privateIpAddress(), PORT)));
    open.add(server);
    Thread.ofVirtual()
        .start(() -> {
          try {
            ByteBuffer in = ByteBuffer.allocate(2000);
            while (true) {
              InetSocketAddress peer = (InetSocketAddress) server.receive(in.clear());
              String text = StandardCharsets.US_ASCII.decode(in.flip()).toString();
              String answer = name + " " + peer.getHostString() + " " + peer.getPort() + " " + text;
              server.send(ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII)), peer);
            }
          } catch (IOException e) {
            // closed
          }
        });
  }

  private LoadBalancer balancer(Consumer<CreateLoadBalancerRequest.Builder> how)
      throws InterruptedException {
    List<String> subnets = machine.subnetIds().subList(0, 2);
    String arn =
        machine
            .elb()
            .createLoadBalancer(r ->
                r.name("flows")
                    .type(LoadBalancerTypeEnum.NETWORK)
                    .subnets(subnets)
                    .applyMutation(how))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    return machine.active(arn);
  }

  private String group(ProtocolEnum protocol) {
    String vpc = machine.vpc();
    return machine
        .elb()
        .createTargetGroup(r ->
            r.name("flows-" + protocol.toString().replace('_', '-'))
                .protocol(protocol)
                .port(PORT)
                .vpcId(vpc)
                .targetType(TargetTypeEnum.IP)
                .healthCheckIntervalSeconds(5)
                .healthCheckTimeoutSeconds(2)
                .healthyThresholdCount(2)
                .unhealthyThresholdCount(2))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private void listen(LoadBalancer balancer, ProtocolEnum protocol, String group) {
    machine
        .elb()
        .createListener(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .protocol(protocol)
                .port(FRONT)
                .defaultActions(to(group)));
  }

  private void register(String group, NetworkInterface eni) throws InterruptedException {
    TargetDescription target = TargetDescription.builder().id(eni.privateIpAddress()).build();
    machine.elb().registerTargets(r -> r.targetGroupArn(group).targets(target));
    until("healthy", () -> state(group, eni));
  }

  private String state(String group, NetworkInterface eni) {
    return stateOf(group, TargetDescription.builder().id(eni.privateIpAddress()).build());
  }

  private void attribute(String group, String key, String value) {
    machine
        .elb()
        .modifyTargetGroupAttributes(r ->
            r.targetGroupArn(group)
                .attributes(TargetGroupAttribute.builder().key(key).value(value).build()));
  }

  private void acrossZones(LoadBalancer balancer) {
    change(balancer, "load_balancing.cross_zone.enabled", "true");
  }

  private void change(LoadBalancer balancer, String key, String value) {
    machine
        .elb()
        .modifyLoadBalancerAttributes(r ->
            r.loadBalancerArn(balancer.loadBalancerArn())
                .attributes(LoadBalancerAttribute.builder().key(key).value(value).build()));
  }

  /** The private addresses of the nodes, by zone. */
  private List<String> nodes(LoadBalancer balancer) {
    return machine.in(Machine.HOME).ec2().describeNetworkInterfaces().networkInterfaces().stream()
        .filter(eni -> eni.description().startsWith("ELB net/flows/"))
        .sorted((a, b) -> a.availabilityZone().compareTo(b.availabilityZone()))
        .map(NetworkInterface::privateIpAddress)
        .toList();
  }

  /** What the kernel has counted at a node. */
  private Packets at(String node) {
    return network.packets(machine.vpc()).get(interfaceAt(node).networkInterfaceId());
  }

  private NetworkInterface interfaceAt(String node) {
    return machine
        .ec2()
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("private-ip-address").values(node).build()))
        .networkInterfaces()
        .getFirst();
  }

  private Socket connect(NetworkInterface from, String address) throws Exception {
    SocketChannel channel = inside(from, () -> SocketChannel.open(StandardProtocolFamily.INET));
    open.add(channel);
    Socket socket = channel.socket();
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.connect(new InetSocketAddress(address, FRONT), PATIENCE_MILLIS);
    return socket;
  }

  /** Nobody is there for it: it is reset, perhaps before it is seen to stand. */
  private void assertTurnedAway(NetworkInterface from, String address) throws Exception {
    Socket late;
    try {
      late = connect(from, address);
    } catch (SocketException e) {
      assertTrue(e.getMessage().contains("reset"), e.getMessage());
      return;
    }
    assertReset(late);
  }

  private static String line(Socket socket) throws IOException {
    StringBuilder line = new StringBuilder();
    InputStream in = socket.getInputStream();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      line.append((char) b);
    }
    return line.toString();
  }

  private String hello(NetworkInterface from, String address) throws Exception {
    try (Socket socket = connect(from, address)) {
      return line(socket);
    }
  }

  private String allow(String name, IpPermission... permissions) {
    String group =
        machine.ec2().createSecurityGroup(r -> r.groupName(name).description(name)).groupId();
    if (permissions.length > 0) {
      machine.ec2().authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permissions));
    }
    return group;
  }

  private static IpPermission from(String block) {
    return IpPermission.builder()
        .ipProtocol("-1")
        .ipRanges(IpRange.builder().cidrIp(block).build())
        .build();
  }

  private static IpPermission fromGroup(String group) {
    return IpPermission.builder()
        .ipProtocol("-1")
        .userIdGroupPairs(UserIdGroupPair.builder().groupId(group).build())
        .build();
  }

  @Test
  void targetsSeeTheClientsAddressAndGroupsJudgeByIt() throws Exception {
    NetworkInterface friend = place(0, machine.openGroup());
    NetworkInterface stranger = place(1, machine.openGroup());
    String balancers = allow("balancers", from(friend.privateIpAddress() + "/32"));
    String targets = allow("targets", fromGroup(balancers));
    NetworkInterface one = server("one", 0, targets);
    LoadBalancer balancer = balancer(r -> r.securityGroups(balancers));
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    register(group, one);
    String node = nodes(balancer).getFirst();

    // Of addresses that are registered by themselves, targets see the node.
    assertEquals("one " + node, hello(friend, node).replaceAll(" [0-9]+$", ""));
    portsOfAllAddressesAreUsed(balancer, group, friend, one);
    attribute(group, "preserve_client_ip.enabled", "true");
    try (Socket socket = connect(friend, node)) {
      assertEquals("one " + friend.privateIpAddress() + " " + socket.getLocalPort(), line(socket));
      // Both ways, and half-closed: the answer comes after all was said.
      byte[] much = new byte[3_000_000];
      new Random(1).nextBytes(much);
      Thread.ofVirtual()
          .start(() -> {
            try {
              socket.getOutputStream().write(much);
              socket.shutdownOutput();
            } catch (IOException e) {
              // then less comes back
            }
          });
      byte[] back = socket.getInputStream().readNBytes(much.length);
      assertEquals(much.length, back.length);
      assertArrayEquals(much, back);
      assertEquals("bye", line(socket));
      assertEquals(-1, socket.getInputStream().read());
    }
    // The load balancer's groups do not admit everybody.
    SocketChannel refused = inside(stranger, () -> SocketChannel.open(StandardProtocolFamily.INET));
    open.add(refused);
    assertThrows(
        SocketTimeoutException.class,
        () -> refused.socket().connect(new InetSocketAddress(node, FRONT), DROPPED_MILLIS));
    assertEquals(
        Map.of(new Refusal(true, 6), 1L), at(node).refused(), "tried twice, and counted once");
    // Nor do the target's, who judge by the client's address as well.
    machine
        .ec2()
        .revokeSecurityGroupIngress(r -> r.groupId(targets).ipPermissions(fromGroup(balancers)));
    machine
        .ec2()
        .authorizeSecurityGroupIngress(
            r -> r.groupId(targets).ipPermissions(from(friend.privateIpAddress() + "/32")));
    assertTrue(hello(friend, node).startsWith("one " + friend.privateIpAddress()));
  }

  /** With so few ports an address bears so few connections to a target; more addresses, more. */
  private void portsOfAllAddressesAreUsed(
      LoadBalancer balancer, String group, NetworkInterface client, NetworkInterface target)
      throws Exception {
    serve(target, PORT + 1, probe -> talk("one", probe));
    machine
        .elb()
        .modifyTargetGroup(r -> r.targetGroupArn(group).healthCheckPort(String.valueOf(PORT + 1)));
    ports("20000 20003");
    List<String> addresses = List.of(nodes(balancer).getFirst());
    Map<String, Integer> seen = new HashMap<>();
    try {
      for (int secondary = 0; secondary <= 2; secondary += 2) {
        change(balancer, "secondary_ips.auto_assigned.per_subnet", String.valueOf(secondary));
        addresses = addresses(addresses.getFirst());
        assertEquals(1 + secondary, addresses.size());
        for (int i = seen.values().stream().mapToInt(n -> n).sum(); i < 4 * addresses.size(); i++) {
          String hello = line(connect(client, addresses.getFirst()));
          assertTrue(hello.startsWith("one "), i + " with " + addresses + ": " + hello);
          seen.merge(hello.split(" ", -1)[1], 1, Integer::sum);
        }
        assertTurnedAway(client, addresses.getFirst());
      }
    } finally {
      ports("32768 60999"); // the usual ones
    }
    assertEquals(addresses.stream().collect(Collectors.toMap(one -> one, one -> 4)), seen);
    assertEquals(
        2,
        FlowMetrics.sum(machine.balancer.flowMetrics(balancer.loadBalancerArn()).values())
            .get(FlowMetrics.Count.PORT_ERRORS));
    for (AutoCloseable socket : open) {
      if (socket instanceof SocketChannel) {
        socket.close();
      }
    }
  }

  /** Lets the VPC's namespace give these ports to those who connect. */
  private void ports(String range) throws Exception {
    network
        .sockets(machine.vpc())
        .call(() -> Files.writeString(Path.of("/proc/sys/net/ipv4/ip_local_port_range"), range));
  }

  /** All private addresses of the node that has this one as its first. */
  private List<String> addresses(String node) {
    return interfaceAt(node).privateIpAddresses().stream()
        .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
        .toList();
  }

  @Test
  void aTargetHearsOfTheClientInAHeader() throws Exception {
    NetworkInterface client = place(0, machine.openGroup());
    NetworkInterface one = server("one", 0, machine.openGroup());
    LoadBalancer balancer = balancer(r -> {});
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    register(group, one);
    attribute(group, "proxy_protocol_v2.enabled", "true");
    String node = nodes(balancer).getFirst();
    try (Socket socket = connect(client, node)) {
      assertTrue(line(socket).startsWith("one " + node + " "));
      // The target echoes what it gets: the header comes first.
      byte[] header = socket.getInputStream().readNBytes(28);
      ByteBuffer wanted =
          ByteBuffer.allocate(28)
              .put(HexFormat.of().parseHex("0d0a0d0a000d0a515549540a2111000c"))
              .put(java.net.InetAddress.ofLiteral(client.privateIpAddress()).getAddress())
              .put(java.net.InetAddress.ofLiteral(node).getAddress())
              .putShort((short) socket.getLocalPort())
              .putShort((short) FRONT);
      assertEquals(HexFormat.of().formatHex(wanted.array()), HexFormat.of().formatHex(header));
      socket.getOutputStream().write("x\n".getBytes(StandardCharsets.US_ASCII));
      assertEquals("x", line(socket));
    }
  }

  @Test
  void datagramsKeepTheirSenderAndFlowsTheirTarget() throws Exception {
    NetworkInterface client = place(0, machine.openGroup());
    LoadBalancer balancer = balancer(r -> {});
    acrossZones(balancer);
    String group = group(ProtocolEnum.TCP_UDP);
    listen(balancer, ProtocolEnum.TCP_UDP, group);
    for (int zone = 0; zone < 2; zone++) {
      NetworkInterface eni = server("t" + zone, zone, machine.openGroup()); // checked by TCP
      datagrams("t" + zone, eni);
      register(group, eni);
    }
    String node = nodes(balancer).getFirst();
    Set<String> seen = new HashSet<>();
    for (int flow = 0; seen.size() < 2 && flow < 100; flow++) {
      DatagramChannel socket =
          inside(client, () -> DatagramChannel.open(StandardProtocolFamily.INET));
      open.add(socket);
      socket.connect(new InetSocketAddress(node, FRONT));
      int port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
      String first = "";
      for (int i = 0; i < 3; i++) {
        String answer = ask(socket, "q" + i);
        String name = answer.substring(0, 2);
        assertEquals(name + " " + client.privateIpAddress() + " " + port + " q" + i, answer);
        assertTrue(first.isEmpty() || first.equals(name), "a flow keeps its target");
        first = name;
      }
      seen.add(first);
    }
    assertEquals(Set.of("t0", "t1"), seen);

    long passed = at(node).passed();
    int questions = 200;
    DatagramChannel socket =
        inside(client, () -> DatagramChannel.open(StandardProtocolFamily.INET));
    open.add(socket);
    socket.connect(new InetSocketAddress(node, FRONT));
    for (int i = 0; i < questions; i++) {
      ask(socket, "q" + i);
    }
    long more = at(node).passed() - passed;
    assertTrue(
        more >= 4 * questions && more < 5 * questions,
        "each goes in and on and comes back, besides a few health checks: " + more);
    assertTrue(hello(client, node).matches("t[01] " + client.privateIpAddress() + " [0-9]+"));

    // With stickiness by source, all flows of a client have one target.
    attribute(group, "stickiness.enabled", "true");
    Set<String> sticky = new HashSet<>();
    for (int i = 0; i < 12; i++) {
      sticky.add(hello(client, node).substring(0, 2));
    }
    assertEquals(1, sticky.size());
  }

  private static String ask(DatagramChannel socket, String text) throws IOException {
    socket.socket().setSoTimeout(PATIENCE_MILLIS);
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    java.net.DatagramPacket packet = new java.net.DatagramPacket(new byte[2000], 2000);
    socket.write(ByteBuffer.wrap(bytes));
    socket.socket().receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
  }

  @Test
  void aNodeSendsToItsOwnZoneUnlessToldOtherwise() throws Exception {
    NetworkInterface client = place(0, machine.openGroup());
    LoadBalancer balancer = balancer(r -> {});
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    for (int zone = 0; zone < 2; zone++) {
      register(group, server("t" + zone, zone, machine.openGroup()));
    }
    List<String> nodes = nodes(balancer);
    for (int i = 0; i < 10; i++) {
      assertTrue(hello(client, nodes.get(0)).startsWith("t0 "));
      assertTrue(hello(client, nodes.get(1)).startsWith("t1 "));
    }
    acrossZones(balancer);
    Set<String> seen = new HashSet<>();
    while (seen.size() < 2) {
      seen.add(hello(client, nodes.get(0)).substring(0, 2));
    }

    // Shifted away from a zone, no node sends anything new to it; what is there stays.
    attribute(group, "target_health_state.unhealthy.connection_termination.enabled", "false");
    change(balancer, "zonal_shift.config.enabled", "true");
    Socket kept = connect(client, nodes.get(0));
    while (!line(kept).startsWith("t0 ")) {
      kept = connect(client, nodes.get(0));
    }
    try (ArcZonalShift arc = machine.arc()) {
      String shift = machine.shift(arc, balancer.loadBalancerArn(), 0);
      until("t1 t1 t1 t1 t1 t1 t1 t1", () -> names(client, nodes));
      for (int i = 0; i < 20; i++) {
        assertTrue(hello(client, nodes.get(i % 2)).startsWith("t1 "));
      }
      echoes(kept);
      arc.cancelZonalShift(r -> r.zonalShiftId(shift));
    }
    seen.clear();
    while (seen.size() < 2) {
      seen.add(hello(client, nodes.get(1)).substring(0, 2));
    }
  }

  /** Who answers four times at each node. */
  private String names(NetworkInterface client, List<String> nodes) throws Exception {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      names.add(hello(client, nodes.get(i % 2)).substring(0, 2));
    }
    return String.join(" ", names);
  }

  @Test
  void aNodeGoesWithItsSubnetAndComesWithIt() throws Exception {
    NetworkInterface client = place(0, machine.openGroup());
    LoadBalancer balancer = balancer(r -> {});
    String arn = balancer.loadBalancerArn();
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    for (int zone = 0; zone < 2; zone++) {
      register(group, server("t" + zone, zone, machine.openGroup()));
    }
    List<String> nodes = nodes(balancer);
    Socket kept = connect(client, nodes.get(0));
    line(kept);
    Socket cut = connect(client, nodes.get(1));
    line(cut);
    List<String> subnets = machine.subnetIds();
    machine.elb().setSubnets(r -> r.loadBalancerArn(arn).subnets(subnets.getFirst()));
    assertReset(cut);
    echoes(kept);
    assertEquals(List.of(nodes.get(0)), nodes(balancer));

    machine.elb().setSubnets(r -> r.loadBalancerArn(arn).subnets(subnets));
    List<String> again = nodes(balancer);
    assertEquals(subnets.size(), again.size());
    assertTrue(hello(client, again.get(1)).startsWith("t1 "));
    echoes(kept);
  }

  @Test
  void whatBecomesOfConnectionsWhenTheirTargetLeavesOrFallsIll() throws Exception {
    NetworkInterface client = place(0, machine.openGroup());
    LoadBalancer balancer = balancer(r -> {});
    acrossZones(balancer);
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    NetworkInterface one = server("one", 0, machine.openGroup());
    register(group, one);
    String node = nodes(balancer).getFirst();

    // One that leaves keeps its connections when the delay is over, and gets no new ones.
    attribute(group, "deregistration_delay.timeout_seconds", "1");
    Socket kept = connect(client, node);
    line(kept);
    TargetDescription target = TargetDescription.builder().id(one.privateIpAddress()).build();
    machine.elb().deregisterTargets(r -> r.targetGroupArn(group).targets(target));
    until("unused", () -> state(group, one));
    echoes(kept);
    assertTurnedAway(client, node);

    // Unless it is said that they end with it.
    register(group, one);
    attribute(group, "deregistration_delay.connection_termination.enabled", "true");
    Socket cut = connect(client, node);
    line(cut);
    machine.elb().deregisterTargets(r -> r.targetGroupArn(group).targets(target));
    assertReset(cut);
    echoes(kept);

    // Who falls ill loses its connections, unless told otherwise.
    register(group, one);
    Socket ill = connect(client, node);
    line(ill);
    String closed = allow("closed");
    machine
        .ec2()
        .modifyNetworkInterfaceAttribute(
            r -> r.networkInterfaceId(one.networkInterfaceId()).groups(closed));
    assertReset(ill);
    until("unhealthy", () -> state(group, one));
    // What a listener of a load balancer that goes away had, ends too.
    machine.elb().deleteLoadBalancer(r -> r.loadBalancerArn(balancer.loadBalancerArn()));
  }

  private static void echoes(Socket socket) throws IOException {
    socket.getOutputStream().write("still\n".getBytes(StandardCharsets.US_ASCII));
    assertEquals("still", line(socket));
  }

  private static void assertReset(Socket socket) {
    assertThrows(
        IOException.class,
        () -> {
          while (socket.getInputStream().read() >= 0) {
            // what was said before
          }
        });
  }

  @Test
  void anElasticAddressLeadsToANodeAndTheHostsDoorsToTheListener() throws Exception {
    String vpc = machine.vpc();
    String allocation = machine.ec2().allocateAddress(r -> r.domain("vpc")).allocationId();
    String subnet = machine.subnetIds().getFirst();
    SubnetMapping mapping =
        SubnetMapping.builder().subnetId(subnet).allocationId(allocation).build();
    String arn =
        machine
            .elb()
            .createLoadBalancer(
                r -> r.name("flows").type(LoadBalancerTypeEnum.NETWORK).subnetMappings(mapping))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    LoadBalancer balancer = machine.active(arn);
    assertEquals(vpc, balancer.vpcId());
    String outside =
        balancer.availabilityZones().getFirst().loadBalancerAddresses().getFirst().ipAddress();
    String group = group(ProtocolEnum.TCP);
    listen(balancer, ProtocolEnum.TCP, group);
    register(group, server("one", 0, machine.openGroup()));
    attribute(group, "preserve_client_ip.enabled", "true");
    for (String address : List.of(outside, front(arn))) {
      try (Socket socket = new Socket()) {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(new InetSocketAddress(address, FRONT), PATIENCE_MILLIS);
        String hello = line(socket);
        assertTrue(hello.startsWith("one "), hello);
        assertFalse(hello.startsWith("one 127."), hello);
      }
    }
    logsWhatSpeaksTls(balancer, group, outside);
  }

  /** A TLS connection, and what the access log has of it; ends the machine. */
  private void logsWhatSpeaksTls(LoadBalancer balancer, String group, String address)
      throws Exception {
    String arn = balancer.loadBalancerArn();
    Path bucket = Files.createDirectories(directory.resolve("objects").resolve("logs"));
    change(balancer, "access_logs.s3.bucket", "logs");
    change(balancer, "access_logs.s3.enabled", "true");
    String certificate =
        machine.acm().requestCertificate(r -> r.domainName("flows.test")).certificateArn();
    String listener =
        machine
            .elb()
            .createListener(r ->
                r.loadBalancerArn(arn)
                    .protocol(ProtocolEnum.TLS)
                    .port(SECURE)
                    .certificates(Certificate.builder().certificateArn(certificate).build())
                    .alpnPolicy("HTTP2Preferred")
                    .defaultActions(to(group)))
            .listeners()
            .getFirst()
            .listenerArn();
    String from;
    int said;
    try (SSLSocket socket = secure(address)) {
      String hello = line(socket);
      from = hello.split(" ", -1)[1] + ":" + socket.getLocalPort();
      said = hello.length() + 1 + "still\n".length();
      echoes(socket);
    }
    until(0L, () -> FlowMetrics.sum(machine.balancer.flowMetrics(arn).values()).active());
    SSLSocket left = secure(address); // when the server stops
    open.add(left);
    String ends = line(left).split(" ", -1)[1] + ":" + left.getLocalPort();
    machine.stop(); // brings what was noted
    List<Path> logs;
    try (Stream<Path> all = Files.walk(bucket)) {
      logs = all.filter(file -> file.toString().endsWith(".log.gz")).toList();
    }
    assertEquals(1, logs.size(), logs.toString());
    String name = arn.split(":loadbalancer/", -1)[1];
    String file = logs.getFirst().getFileName().toString();
    assertTrue(
        file.startsWith(
            "000000000000_elasticloadbalancing_us-east-1_" + name.replace('/', '.') + "_"),
        file);
    String entries = LogDeliveryTest.read(logs.getFirst());
    int second = entries.indexOf('\n') + 1;
    assertTrue(entries.substring(second).contains(" " + ends + " "), entries);
    String entry = entries.substring(0, second);
    // The server may still have had its last word.
    Pattern wanted =
        Pattern.compile(
            String.join(
                    " ",
                    "tls 2[.]0 [-0-9]{10}T[:0-9]{8}",
                    Pattern.quote(name),
                    listener.substring(listener.lastIndexOf('/') + 1),
                    Pattern.quote(from),
                    "[.0-9]+:" + SECURE,
                    "[0-9]+ [0-9]+ 6",
                    "(" + said + "|" + (said + 4) + ")",
                    "-",
                    Pattern.quote(certificate),
                    "- [-A-Z0-9_]+ tlsv1[23] - flows[.]test h2 - \"http/1[.]1\",\"h2\"",
                    "[-0-9]{10}T[:0-9]{8}")
                + "\n");
    assertTrue(wanted.matcher(entry).matches(), entry);
  }

  /** A TLS client who offers HTTP of both versions. */
  private SSLSocket secure(String address) throws Exception {
    SSLSocket socket =
        (SSLSocket)
            machine
                .trust()
                .getSocketFactory()
                .createSocket(new Socket(address, SECURE), "flows.test", SECURE, true);
    socket.setSoTimeout(PATIENCE_MILLIS);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"http/1.1", "h2"});
    parameters.setServerNames(List.of(new SNIHostName("flows.test")));
    socket.setSSLParameters(parameters);
    return socket;
  }

  private static final int WEB = 8080;

  /** Answers each request with the head that came, and who it is. */
  private NetworkInterface site(String name, int zone) throws Exception {
    NetworkInterface eni = place(zone, machine.openGroup());
    serve(
        eni,
        PORT,
        client -> {
          try (Socket socket = client.socket()) {
            StringBuilder head = new StringBuilder(name + "\n");
            for (String line = line(socket); line.length() > 1; line = line(socket)) {
              head.append(line).append('\n');
            }
            String answer =
                "HTTP/1.1 200 OK\r\nContent-Length: "
                    + head.length()
                    + "\r\nConnection: close\r\n\r\n"
                    + head;
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
          } catch (IOException e) {
            // the other side went away
          }
        });
    return eni;
  }

  /** What curl says in a place, or where it is not let in, nothing. */
  private String curl(NetworkInterface from, String url) throws Exception {
    String namespace =
        network
            .plug(from.networkInterfaceId(), Use.NAMESPACE)
            .orElseThrow()
            .getFileName()
            .toString();
    Process curl =
        new ProcessBuilder("ip", "netns", "exec", namespace, "curl", "-s", "-m", "5", url).start();
    String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    curl.waitFor();
    return said;
  }

  private String internal(String name, int port, String targets, String group) throws Exception {
    List<String> subnets = machine.subnetIds().subList(0, 2);
    String arn =
        machine
            .elb()
            .createLoadBalancer(r ->
                r.name(name)
                    .scheme(LoadBalancerSchemeEnum.INTERNAL)
                    .subnets(subnets)
                    .securityGroups(group))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    machine.active(arn);
    machine
        .elb()
        .createListener(r ->
            r.loadBalancerArn(arn)
                .protocol(ProtocolEnum.HTTP)
                .port(port)
                .defaultActions(to(targets)));
    return arn;
  }

  @Test
  void aLoadBalancerBehindAnotherSeesTheClientsAddress() throws Exception {
    NetworkInterface friend = place(0, machine.openGroup());
    NetworkInterface stranger = place(1, machine.openGroup());
    String vpc = machine.vpc();
    String site =
        machine
            .elb()
            .createTargetGroup(r ->
                r.name("site")
                    .protocol(ProtocolEnum.HTTP)
                    .port(PORT)
                    .vpcId(vpc)
                    .targetType(TargetTypeEnum.IP)
                    .healthCheckIntervalSeconds(5)
                    .healthCheckTimeoutSeconds(2)
                    .healthyThresholdCount(2))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    // The one behind admits its friend and the nodes of the one before, from where it is checked.
    String outer = allow("outer", from("0.0.0.0/0"));
    String inner = allow("inner", from(friend.privateIpAddress() + "/32"), fromGroup(outer));
    String web = internal("web", WEB, site, inner);
    register(site, site("one", 0));
    String group =
        machine
            .elb()
            .createTargetGroup(r ->
                r.name("web")
                    .protocol(ProtocolEnum.TCP)
                    .port(WEB)
                    .vpcId(vpc)
                    .targetType(TargetTypeEnum.ALB)
                    .healthCheckIntervalSeconds(5)
                    .healthCheckTimeoutSeconds(2)
                    .healthyThresholdCount(2)
                    .unhealthyThresholdCount(2))
            .targetGroups()
            .getFirst()
            .targetGroupArn();
    List<SubnetMapping> elastic =
        machine.subnetIds().subList(0, 2).stream()
            .map(subnet -> {
              String allocation =
                  machine.ec2().allocateAddress(r -> r.domain("vpc")).allocationId();
              return SubnetMapping.builder().subnetId(subnet).allocationId(allocation).build();
            })
            .toList();
    LoadBalancer balancer =
        balancer(r -> r.subnets(List.of()).subnetMappings(elastic).securityGroups(outer));
    listen(balancer, ProtocolEnum.TCP, group);
    TargetDescription target = TargetDescription.builder().id(web).build();
    machine.elb().registerTargets(r -> r.targetGroupArn(group).targets(target));
    until("healthy", () -> stateOf(group, target));
    for (String node : nodes(balancer)) {
      String seen = curl(friend, "http://" + node + ":" + FRONT + "/");
      assertTrue(seen.startsWith("one\nGET / HTTP/1.1"), seen);
      assertTrue(seen.contains("X-Forwarded-For: " + friend.privateIpAddress() + "\r\n"), seen);
    }
    // Its groups judge by the client's address; that the other's group is named admits all who
    // come by it.
    assertTrue(
        curl(stranger, "http://" + nodes(balancer).getFirst() + ":" + FRONT + "/")
            .contains("X-Forwarded-For: " + stranger.privateIpAddress()));
    machine.ec2().revokeSecurityGroupIngress(r -> r.groupId(inner).ipPermissions(fromGroup(outer)));
    assertEquals("", curl(stranger, "http://" + nodes(balancer).getFirst() + ":" + FRONT + "/"));
    String url = "http://" + nodes(balancer).getFirst() + ":" + FRONT + "/";
    assertTrue(curl(friend, url).startsWith("one\n"));
    // Nobody checks it any more: the nodes are not admitted.
    until("unhealthy", () -> stateOf(group, target));
    assertTrue(curl(friend, url).startsWith("one\n"), "with no healthy target all are tried");

    // From outside it is the same way: at an Elastic IP under the client's address, at the host's
    // doors, whose clients have none, under the node's.
    machine
        .ec2()
        .authorizeSecurityGroupIngress(r -> r.groupId(inner).ipPermissions(fromGroup(outer)));
    until("healthy", () -> stateOf(group, target));
    for (var zone : balancer.availabilityZones()) {
      String outside = zone.loadBalancerAddresses().getFirst().ipAddress();
      String seen = Machine.get(outside, FRONT, "x");
      assertTrue(seen.contains("\r\n\r\none\n"), seen);
      assertTrue(nodes(balancer).stream().noneMatch(seen::contains), seen);
    }
    String seen = Machine.get(front(balancer.loadBalancerArn()), FRONT, "x");
    assertTrue(nodes(balancer).stream().anyMatch(seen::contains), seen);

    // When it moves, its nodes of now are asked: of the first zone there is none any more.
    List<String> moved = machine.subnetIds().subList(1, 3);
    machine.elb().setSubnets(r -> r.loadBalancerArn(web).subnets(moved));
    assertEquals("", curl(friend, url));
    until(
        true,
        () -> curl(friend, "http://" + nodes(balancer).get(1) + ":" + FRONT + "/").length() > 0);

    machine.elb().deregisterTargets(r -> r.targetGroupArn(group).targets(target));
    until(
        0,
        () ->
            machine
                .elb()
                .describeTargetHealth(r -> r.targetGroupArn(group))
                .targetHealthDescriptions()
                .size());
    machine.elb().deleteLoadBalancer(r -> r.loadBalancerArn(web));
  }

  private String stateOf(String group, TargetDescription target) {
    return machine
        .elb()
        .describeTargetHealth(r -> r.targetGroupArn(group).targets(target))
        .targetHealthDescriptions()
        .getFirst()
        .targetHealth()
        .stateAsString();
  }

  private String front(String arn) {
    return machine
        .store
        .in(Machine.HOME.storeScope())
        .read(tx -> tx.get(State.BALANCERS, arn))
        .orElseThrow()
        .value()
        .front();
  }
}
