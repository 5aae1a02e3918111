package dev.muelle.network.linux;

import static dev.muelle.network.linux.Traffic.connects;
import static dev.muelle.network.linux.Traffic.reaches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.FilterSocket;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Flow;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Refusal;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.SocketSpace;
import dev.muelle.network.Subnet;
import dev.muelle.network.Subnet.Acl;
import dev.muelle.network.Subnet.Entry;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the kernel counts of flows: real namespaces, real packets. */
class FlowsTest {

  private static final Cidr VPC = Cidr.parse("10.0.0.0/16");
  private static final Cidr NEAR = Cidr.parse("10.0.0.0/24");
  private static final Cidr FAR = Cidr.parse("10.0.1.0/24");
  private static final Cidr ALL = Cidr.parse("0.0.0.0/0");
  private static final String CLIENT = "10.0.0.10";
  private static final String SERVER = "10.0.1.10";
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SYN = 2;
  private static final int SYN_ACK = 18;
  private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

  private final String instance =
      "mf" + String.format("%06x", ThreadLocalRandom.current().nextInt(1 << 24));
  private LinuxNetwork network = new LinuxNetwork(instance);
  private final Traffic traffic = new Traffic();
  private Path client = Path.of("/");
  private Path server = Path.of("/");

  @BeforeEach
  void twoTasksInTwoSubnets() throws Exception {
    state();
    client = network.plug("eni-client", Use.NAMESPACE).orElseThrow();
    server = network.plug("eni-server", Use.NAMESPACE).orElseThrow();
    for (int port : new int[] {8080, 9090, 7070}) {
      traffic.serve(server, SERVER, port);
    }
  }

  private void state() {
    network.putVpc(new Vpc("vpc-1", List.of(VPC)));
    Rule every = new Rule(-1, -1, -1, new Peer.Block(ALL));
    network.putSecurityGroup(
        new SecurityGroup(
            "sg-client",
            "vpc-1",
            List.of(),
            List.of(
                new Rule(TCP, 8000, 9999, new Peer.Block(ALL)),
                new Rule(UDP, 53, 99, new Peer.Block(ALL)))));
    network.putSecurityGroup(
        new SecurityGroup(
            "sg-server",
            "vpc-1",
            List.of(
                new Rule(TCP, 8080, 8080, new Peer.Block(ALL)),
                new Rule(UDP, 53, 99, new Peer.Block(ALL))),
            List.of(every)));
    Entry open = new Entry(true, -1, -1, -1, ALL);
    network.putSubnet(new Subnet("vpc-1", NEAR, List.of(), Acl.OPEN));
    network.putSubnet(
        new Subnet(
            "vpc-1",
            FAR,
            List.of(),
            new Acl(List.of(new Entry(false, UDP, 99, 99, ALL), open), List.of(open))));
    eni("eni-client", NEAR, CLIENT, "sg-client");
    eni("eni-server", FAR, SERVER, "sg-server");
  }

  private void eni(String id, Cidr subnet, String address, String group) {
    String mac = "02:00:00:00:01:" + String.format("%02x", address.hashCode() & 255);
    network.putInterface(
        new NetworkInterface(id, "vpc-1", subnet, address, mac, List.of(group), null));
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    traffic.close();
    network.removeAll();
    network.close();
    String left = Command.run("ip", "netns", "list") + Command.run("nft", "list", "tables");
    assertFalse(left.contains(instance), left);
  }

  /** The names of what there is to count with: nft(8) itself cannot list every set of flows. */
  private String rules() throws Exception {
    try (NetworkNamespace inside = new NetworkNamespace(instance + "-vpc-1");
        FilterSocket socket = inside.call(FilterSocket::open)) {
      return socket.sets("vpc")
          + Traffic.inside(
                  NetworkNamespace.DIRECTORY.resolve(instance + "-vpc-1"), "nft", "list", "chains")
              .output();
    }
  }

  private static void send(Path from, int port, int times) throws Exception {
    try (NetworkNamespace inside = new NetworkNamespace(from.getFileName().toString());
        DatagramSocket socket = inside.call(() -> new DatagramSocket(5000))) {
      for (int i = 0; i < times; i++) {
        socket.send(
            new DatagramPacket(
                new byte[100], 100, new InetSocketAddress(InetAddress.getByName(SERVER), port)));
      }
    }
  }

  private FlowWindow taken(Instant at) {
    List<FlowWindow> all = network.takeFlows("vpc-1", at);
    assertEquals(1, all.size(), all::toString);
    return all.getFirst();
  }

  /** Those between the client and a port of the server's, without what differs by chance. */
  private static Set<String> about(FlowWindow window, int port) {
    return window.flows().stream()
        .filter(flow -> flow.sourcePort() == port || flow.destinationPort() == port)
        .map(flow ->
            flow.interfaceId()
                + (flow.ingress() ? " in " : " out ")
                + (flow.accepted() ? "accepted " : "refused ")
                + flow.source()
                + " "
                + flow.destination()
                + " "
                + flow.tcpFlags())
        .collect(Collectors.toSet());
  }

  @Test
  void eachInterfaceSeesWhatIsAcceptedAndWhoRefusedIt() throws Exception {
    assertFalse(rules().contains("flows_"), "nobody asked");
    network.countFlows("vpc-1", Set.of(VPC), BEGIN);
    assertTrue(reaches(client, SERVER, 8080));
    assertFalse(connects(client, SERVER, 9090), "the server's group refuses it");
    assertFalse(connects(client, SERVER, 7070), "the client's own group refuses it");
    send(client, 53, 3);
    send(client, 99, 2);

    Instant next = BEGIN.plusSeconds(60);
    FlowWindow window = taken(next);
    assertEquals(BEGIN, window.start());
    assertEquals(next, window.end());
    assertTrue(window.whole());
    String there = CLIENT + " " + SERVER + " ";
    String back = SERVER + " " + CLIENT + " ";
    Set<String> reached = about(window, 8080);
    for (String seen :
        List.of("eni-client out accepted " + there, "eni-server in accepted " + there)) {
      assertTrue(
          reached.stream().anyMatch(one -> one.startsWith(seen) && (flags(one) & SYN) != 0),
          reached::toString);
    }
    for (String seen :
        List.of("eni-server out accepted " + back, "eni-client in accepted " + back)) {
      assertTrue(
          reached.stream()
              .anyMatch(one -> one.startsWith(seen) && (flags(one) & SYN_ACK) == SYN_ACK),
          reached::toString);
    }
    assertEquals(
        Set.of("eni-client out accepted " + there + SYN, "eni-server in refused " + there + SYN),
        about(window, 9090));
    assertEquals(Set.of("eni-client out refused " + there + SYN), about(window, 7070));
    assertEquals(
        Set.of("eni-client out accepted " + there + 0, "eni-server in refused " + there + 0),
        about(window, 99),
        "the ACL of its subnet refuses it");
    Flow names = udp(window, "eni-server", 53).orElseThrow();
    assertEquals(
        new Flow("eni-server", true, true, CLIENT, SERVER, UDP, 5000, 53, 0, 3, 3 * 128), names);
    assertEquals(2, udp(window, "eni-server", 99).orElseThrow().packets());

    assertEquals(List.of(), taken(next.plusSeconds(60)).flows(), "each packet is counted once");

    network.countFlows("vpc-1", Set.of(), next);
    assertFalse(rules().contains("flows_"), "and costs nothing again");
    assertFalse(rules().contains("count_"), rules());
    network.takeFlows("vpc-1", next);
    assertEquals(List.of(), network.takeFlows("vpc-1", next.plusSeconds(60)));
    assertFalse(connects(client, SERVER, 9090));
    assertTrue(reaches(client, SERVER, 8080));
  }

  private static int flags(String one) {
    return Integer.parseInt(one.substring(one.lastIndexOf(' ') + 1));
  }

  private static Optional<Flow> udp(FlowWindow window, String eni, int port) {
    return window.flows().stream()
        .filter(flow -> flow.interfaceId().equals(eni) && flow.destinationPort() == port)
        .findFirst();
  }

  @Test
  void onlyWhoIsAskedForIsCountedAndPortZeroIsAPortLikeOthers() throws Exception {
    network.countFlows("vpc-1", Set.of(Cidr.parse(SERVER + "/32")), BEGIN);
    send(client, 53, 1);
    Traffic.inside(
        client,
        "python3",
        "-c",
        "import socket\n"
            + "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)\n"
            + "s.sendto(bytes([0, 0, 0, 53, 0, 8, 0, 0]), ('"
            + SERVER
            + "', 0))");
    assertTrue(reaches(client, SERVER, 8080));
    Path inside = NetworkNamespace.DIRECTORY.resolve(instance + "-vpc-1");
    String listed = Traffic.inside(inside, "nft", "list", "table", "inet", "vpc").output();
    assertTrue(listed.contains("packets 1 bytes 128"), "whoever looks with nft sees it");
    FlowWindow window = taken(BEGIN.plusSeconds(60));
    assertEquals(
        Set.of("eni-server"),
        window.flows().stream().map(Flow::interfaceId).collect(Collectors.toSet()));
    assertTrue(
        window.flows().stream()
            .anyMatch(flow -> flow.sourcePort() == 0 && flow.destinationPort() == 53),
        window::toString);
    send(client, 53, 1);
    network.removeInterface("eni-server");
    assertEquals(
        "eni-server",
        taken(BEGIN.plusSeconds(120)).flows().getFirst().interfaceId(),
        "it is known as long as what it was sent is not told");
  }

  @Test
  void whatOneServerCountedTheNextOneTells() throws Exception {
    network.countFlows("vpc-1", Set.of(VPC), BEGIN);
    send(client, 53, 2);
    SocketChannel open = traffic.connected(client, SERVER, 8080);
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS));
    network.close(); // as if killed: the kernel counts on
    send(client, 53, 1);
    network = new LinuxNetwork(instance);
    state();
    network.countFlows("vpc-1", Set.of(VPC), BEGIN.plusSeconds(70));
    send(client, 53, 1);
    network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-server"));
    send(client, 53, 1);
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS));
    List<FlowWindow> all = network.takeFlows("vpc-1", BEGIN.plusSeconds(120));
    assertEquals(2, all.size());
    assertEquals(BEGIN, all.getFirst().start());
    assertEquals(BEGIN.plusSeconds(70), all.getFirst().end());
    assertEquals(3, udp(all.getFirst(), "eni-server", 53).orElseThrow().packets());
    assertEquals(2, udp(all.getLast(), "eni-server", 53).orElseThrow().packets());

    network.close();
    network = new LinuxNetwork(instance);
    state();
    network.countFlows("vpc-1", Set.of(), BEGIN.plusSeconds(130));
    network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-server"));
    assertFalse(rules().contains("flows_"), "nobody wants it any more");
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS));
  }

  private static final String NODE = "10.0.1.20";

  /** One at which the server answers itself. */
  private void node() {
    network.putSecurityGroup(
        new SecurityGroup(
            "sg-node",
            "vpc-1",
            List.of(
                new Rule(UDP, 53, 53, new Peer.Block(ALL)),
                new Rule(UDP, 99, 99, new Peer.Block(ALL))),
            List.of(new Rule(UDP, 53, 53, new Peer.Block(ALL)))));
    eni("eni-node", FAR, NODE, "sg-node");
    network.plug("eni-node", Use.SERVER);
    network.countPackets("eni-node");
  }

  private Packets atNode() {
    return network.packets("vpc-1").get("eni-node");
  }

  private DatagramSocket bound(SocketSpace space, String address, int port) throws Exception {
    DatagramSocket socket =
        space.call(() -> new DatagramSocket(new InetSocketAddress(address, port)));
    socket.setSoTimeout(Traffic.LATE_MILLIS);
    traffic.keep(socket);
    return socket;
  }

  private static void send(DatagramSocket from, String to, int port, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      from.send(new DatagramPacket(new byte[1], 1, new InetSocketAddress(to, port)));
    }
  }

  private static void receive(DatagramSocket at, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      at.receive(new DatagramPacket(new byte[1], 1));
    }
  }

  private static void echo(DatagramSocket socket) {
    Thread.startVirtualThread(() -> {
      DatagramPacket packet = new DatagramPacket(new byte[1], 1);
      while (!socket.isClosed()) {
        try {
          socket.receive(packet);
          socket.send(packet);
        } catch (IOException e) {
          return;
        }
      }
    });
  }

  private static void python(Path namespace, String script) {
    Traffic.inside(namespace, "python3", "-c", "import socket\n" + script);
  }

  /** Sends what nothing lets out: the kernel says so at once. */
  private static String refused(String send) {
    return "for i in range(2):\n try:\n  %s\n  exit(1)\n except PermissionError: pass\n"
        .formatted(send);
  }

  @Test
  void whatTheServersOwnInterfacesCarryAndTheirGroupsRefuseIsCounted() throws Exception {
    assertFalse(rules().contains("passed"), "nobody asked");
    node();
    Path vpc = NetworkNamespace.DIRECTORY.resolve(instance + "-vpc-1");
    DatagramSocket node = bound(network.sockets("vpc-1"), NODE, 53);
    try (NetworkNamespace from = new NetworkNamespace(client.getFileName().toString());
        NetworkNamespace to = new NetworkNamespace(server.getFileName().toString())) {
      echo(bound(to::call, SERVER, 53));
      DatagramSocket asking = bound(from::call, CLIENT, 6001);
      send(asking, NODE, 53, 3);
      receive(node, 3);
      assertEquals(new Packets(3, Map.of()), atNode(), "what comes in");
      send(node, SERVER, 53, 2);
      receive(node, 2);
      assertEquals(new Packets(7, Map.of()), atNode(), "what it asks, and is answered");

      String behalf =
          "s = socket.socket(2, 2)\ns.setsockopt(0, 19, 1)\ns.setsockopt(1, 36, %d)\n"
                  .formatted(network.onBehalf("eni-node"))
              + "s.bind(('%s', 6000))\ns.settimeout(30)\n".formatted(CLIENT);
      python(vpc, behalf + "s.sendto(b'x', ('%s', 53))\ns.recvfrom(1)\n".formatted(SERVER));
      assertEquals(new Packets(9, Map.of()), atNode(), "under another's address");

      send(asking, NODE, 60, 5);
      send(asking, NODE, 99, 2); // the ACL of its subnet refuses it, not its group
      assertFalse(connects(client, NODE, 9090));
      python(
          server,
          "s = socket.socket(2, 3, 1)\nfor i in range(2): "
              + "s.sendto(bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0]), ('%s', 0))\n".formatted(NODE));
      python(vpc, behalf + refused("s.sendto(b'x', ('%s', 60))".formatted(SERVER)));
      python(
          vpc,
          "s = socket.socket()\ns.bind(('%s', 6002))\ns.setblocking(False)\n".formatted(NODE)
              + "s.connect_ex(('%s', 8080))".formatted(SERVER)); // it would try for minutes
      Map<Refusal, Long> refusals =
          Map.of(
              new Refusal(true, UDP), 1L,
              new Refusal(true, TCP), 1L,
              new Refusal(true, 1), 2L,
              new Refusal(false, UDP), 1L,
              new Refusal(false, TCP), 1L);
      assertEquals(new Packets(9, refusals), atNode(), "messages, and each flow once");

      network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-server", "eni-node"));
      send(asking, NODE, 53, 1);
      receive(node, 1);
      assertEquals(new Packets(10, refusals), atNode(), "the filters were made anew");
      python(vpc, behalf + "s.sendto(b'x', ('%s', 53))\ns.recvfrom(1)\n".formatted(SERVER));
      assertEquals(12, atNode().passed());

      eni("eni-other", FAR, "10.0.1.21", "sg-node");
      network.plug("eni-other", Use.SERVER);
      network.countPackets("eni-other");
      send(asking, NODE, 61, 1); // and nobody looks before it goes
      network.removeInterface("eni-node");
      node();
      assertEquals(new Packets(0, Map.of()), atNode(), "nothing of who had the address before");
      network.unplug("eni-other");
    }
    network.unplug("eni-node");
    assertEquals(Map.of(), network.packets("vpc-1"));
    assertFalse(rules().contains("passed"), "and costs nothing again");
    assertFalse(rules().contains("refused_for"), rules());
  }
}
