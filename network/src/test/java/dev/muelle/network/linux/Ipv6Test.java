package dev.muelle.network.linux;

import static dev.muelle.network.linux.Traffic.DROPPED_MILLIS;
import static dev.muelle.network.linux.Traffic.LATE_MILLIS;
import static dev.muelle.network.linux.Traffic.connects;
import static dev.muelle.network.linux.Traffic.reaches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.Flow;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Peering;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.Subnet;
import dev.muelle.network.Subnet.Acl;
import dev.muelle.network.Subnet.Entry;
import dev.muelle.network.Subnet.Route;
import dev.muelle.network.Subnet.Target;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** IPv6 beside IPv4 in a VPC: real namespaces and packets. */
class Ipv6Test {

  private static final Cidr OUTER = Cidr.parse("10.0.0.0/24");
  private static final Cidr INNER = Cidr.parse("10.0.1.0/24");
  private static final Cidr6 ALL = Cidr6.parse("::/0");
  private static final Rule EVERY = rule(-1, -1, -1, "::/0");
  private static final Route OUT = new Route(ALL, new Target.Internet());
  private static final Route ONLY_OUT = new Route(ALL, new Target.EgressOnly());

  private final String instance =
      "mt" + String.format("%06x", ThreadLocalRandom.current().nextInt(1 << 24));
  private LinuxNetwork network = new LinuxNetwork(instance);
  private final Traffic traffic = new Traffic();
  private final World world = new World(instance);

  /** This run's blocks; another one, at once, has others. */
  private final String net =
      "3fff:" + instance.substring(2, 5) + ":" + instance.substring(5) + "1:";

  private String block(int number) {
    return net + number + "00::/56";
  }

  private Cidr6 subnet6(Cidr subnet) {
    return Cidr6.parse(
        Cidr6.normal(net + "1" + (subnet.equals(OUTER) ? "00" : "01") + "::") + "/64");
  }

  private static Rule rule(int protocol, int from, int to, String block) {
    return new Rule(protocol, from, to, new Peer.Block(AddressBlock.parse(block)));
  }

  @BeforeEach
  void aVpc() {
    network.putVpc(vpc("vpc-1", 1));
    group("sg-1", List.of(EVERY), List.of(EVERY));
    subnet(OUTER);
    subnet(INNER);
  }

  private Vpc vpc(String id, int number) {
    Cidr6 block = Cidr6.parse(Cidr6.normal(net + number + "00::") + "/56");
    return new Vpc(id, List.of(Cidr.parse("10.0.0.0/16")), List.of(block), true);
  }

  private void group(String id, List<Rule> ingress, List<Rule> egress) {
    network.putSecurityGroup(new SecurityGroup(id, "vpc-1", ingress, egress));
  }

  private void subnet(Cidr cidr, Route... routes) {
    subnet(cidr, Acl.OPEN, routes);
  }

  private void subnet(Cidr cidr, Acl acl, Route... routes) {
    network.putSubnet(new Subnet("vpc-1", cidr, subnet6(cidr), List.of(routes), acl));
  }

  private String address(Cidr subnet, int number) {
    return subnet6(subnet).at(number);
  }

  /** An interface whose IPv4 address ends as its others. */
  private NetworkInterface eni(Cidr subnet, int number, boolean outside, String... groups) {
    List<String> addresses = number == 0 ? List.of() : List.of(address(subnet, number));
    return new NetworkInterface(
        "eni-" + number,
        "vpc-1",
        subnet,
        subnet.at(number),
        "02:00:00:00:00:%02x".formatted(number),
        List.of(groups),
        outside ? Map.of(addresses.getFirst(), addresses.getFirst()) : Map.of(),
        List.of(),
        addresses,
        false);
  }

  /** A task that serves port 80 at its address. */
  private Path task(Cidr subnet, int number, boolean outside, String... groups) throws Exception {
    network.putInterface(
        eni(subnet, number, outside, groups.length == 0 ? new String[] {"sg-1"} : groups));
    Path path = network.plug("eni-" + number, Use.NAMESPACE).orElseThrow();
    traffic.serve(path, address(subnet, number), 80);
    return path;
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    traffic.close();
    world.close();
    network.removeAll();
    network.close();
    String left =
        Command.run("ip", "netns", "list")
            + Command.run("ip", "-o", "link")
            + Command.run("ip", "-6", "route")
            + Command.run("nft", "list", "tables");
    assertFalse(left.contains(instance), left);
  }

  @Test
  void groupsJudgeBlocksGroupsAndIcmp() throws Exception {
    Path client = task(OUTER, 10, false);
    Path other = task(INNER, 11, false, "sg-other");
    group("sg-other", List.of(EVERY), List.of(EVERY));
    group("sg-server", List.of(rule(6, 80, 80, address(OUTER, 10) + "/128")), List.of());
    Path server = task(INNER, 20, false, "sg-server");
    String at = address(INNER, 20);

    assertTrue(reaches(client, at, 80), "from another subnet, by its block");
    assertFalse(connects(other, at, 80), "nobody else");
    assertFalse(connects(server, address(OUTER, 10), 80), "no way out without a rule");
    assertFalse(pings(client, at), "another protocol");

    SocketChannel open = traffic.connected(client, at, 80);
    group(
        "sg-server",
        List.of(
            new Rule(6, 80, 80, new Peer.Group("sg-other")),
            rule(58, 128, -1, subnet6(OUTER).toString())),
        List.of());
    assertTrue(traffic.flows(open, LATE_MILLIS), "what is established outlives its rule");
    assertFalse(connects(client, at, 80), "what is new does not");
    assertTrue(reaches(other, at, 80), "a group is its members' addresses of both families");
    assertTrue(pings(client, at), "echo requests, which are ICMPv6 of type 128");
    assertFalse(pings(other, at));
    group("sg-server", List.of(rule(-1, -1, -1, "0.0.0.0/0")), List.of());
    assertFalse(connects(client, at, 80), "a rule of IPv4 is none of IPv6");
  }

  @Test
  void rulesThatOverlapPermitWhatAnyOfThemDoes() throws Exception {
    Path client = task(OUTER, 10, false);
    Path other = task(INNER, 11, false);
    task(INNER, 20, false, "sg-server");
    String at = address(INNER, 20);
    traffic.serve(Path.of("/run/netns/" + instance + "-eni-20"), at, 81);
    Rule wide = rule(6, 0, 80, block(1));
    Rule narrow = rule(6, 80, 90, subnet6(OUTER).toString());
    group("sg-server", List.of(wide, narrow), List.of());
    assertTrue(reaches(client, at, 80));
    assertTrue(reaches(client, at, 81));
    assertTrue(reaches(other, at, 80));
    assertFalse(connects(other, at, 81));
    group("sg-server", List.of(narrow), List.of());
    assertTrue(reaches(client, at, 80), "what the other rule covered appears when it goes");
    assertFalse(connects(other, at, 80));
  }

  @Test
  void nobodySpoofsAndNobodyAdvertisesRouters() throws Exception {
    Path liar = task(OUTER, 10, false);
    Path server = task(OUTER, 20, false);
    String its = address(OUTER, 20);
    Traffic.inside(
        liar, "ip", "-6", "addr", "add", address(OUTER, 11) + "/128", "dev", "eth0", "nodad");
    Traffic.inside(
        liar,
        "ip",
        "-6",
        "route",
        "replace",
        "::/0",
        "via",
        "fe80::1",
        "dev",
        "eth0",
        "src",
        address(OUTER, 11));
    assertFalse(connects(liar, its, 80), "an address that it was not given");
    Traffic.inside(
        liar,
        "ip",
        "-6",
        "route",
        "replace",
        "::/0",
        "via",
        "fe80::1",
        "dev",
        "eth0",
        "src",
        address(OUTER, 10));
    assertTrue(reaches(liar, its, 80));

    String vpc = Command.run("ip", "-6", "-n", instance + "-vpc-1", "route", "show", "default");
    advertise(liar);
    assertEquals(
        vpc, Command.run("ip", "-6", "-n", instance + "-vpc-1", "route", "show", "default"));
    assertTrue(reaches(server, address(OUTER, 10), 80), "its own address is as good as before");
  }

  /** Sends a router advertisement (RFC 4861) from its own link-local address to all. */
  private static void advertise(Path namespace) {
    String script =
        "import socket,struct;"
            + "s=socket.socket(socket.AF_INET6,socket.SOCK_RAW,58);"
            + "s.setsockopt(41,18,255);"
            + "i=socket.if_nametoindex('eth0');"
            + "s.sendto(struct.pack('!BBHBBHII',134,0,0,64,0,1800,0,0),('ff02::1',0,0,i))";
    Traffic.inside(namespace, "python3", "-c", script);
  }

  @Test
  void anAclIsStatelessOrderedAndCutsWhatFlows() throws Exception {
    Path client = task(OUTER, 10, false);
    Path neighbour = task(INNER, 11, false);
    task(INNER, 20, false);
    String at = address(INNER, 20);
    AddressBlock outer = subnet6(OUTER);
    Entry in = new Entry(true, 6, 80, 80, outer);
    Entry answers = new Entry(true, 6, 1024, 65_535, ALL);
    subnet(INNER, new Acl(List.of(in), List.of(answers)));
    assertTrue(reaches(client, at, 80));
    assertFalse(pings(client, at));
    assertTrue(pings(neighbour, at), "within a subnet no edge is crossed");
    SocketChannel open = traffic.connected(client, at, 80);
    subnet(INNER, new Acl(List.of(in), List.of()));
    assertFalse(traffic.flows(open, DROPPED_MILLIS), "answers need an entry of their own");
    subnet(INNER, new Acl(List.of(in), List.of(answers)));
    assertTrue(traffic.flows(open, LATE_MILLIS));
    Entry denied = new Entry(false, -1, -1, -1, Cidr6.parse(address(OUTER, 10) + "/128"));
    subnet(INNER, new Acl(List.of(denied, in), List.of(answers)));
    assertFalse(traffic.flows(open, DROPPED_MILLIS), "the first that matches counts");
    Entry echo = new Entry(true, 58, 128, 0, outer);
    Entry echoed = new Entry(true, 58, 129, 0, outer);
    subnet(INNER, new Acl(List.of(echo), List.of(echoed)));
    assertTrue(pings(client, at));
    assertFalse(connects(client, at, 80));
  }

  @Test
  void theWorldIsReachedAndReachesByRoutes() throws Exception {
    traffic.serve(world.path(), world.address6(), 80);
    Path open = task(OUTER, 10, true);
    Path hidden = task(INNER, 11, true);
    subnet(OUTER, OUT);
    subnet(INNER, ONLY_OUT);

    assertTrue(reaches(open, world.address6(), 80));
    assertTrue(reaches(world.path(), address(OUTER, 10), 80));
    assertTrue(hostReaches(address(OUTER, 10), LATE_MILLIS), "from the host itself");
    assertEquals(
        Set.of(InetAddress.ofLiteral(world.host6()).getHostAddress()),
        traffic.callers(1),
        "out under the host's address");

    assertTrue(reaches(hidden, world.address6(), 80), "an egress-only gateway leads out");
    assertFalse(connects(world.path(), address(INNER, 11), 80), "and not in");
    assertFalse(hostReaches(address(INNER, 11), DROPPED_MILLIS));
    assertTrue(reaches(open, address(INNER, 11), 80), "inside there is always a way");

    subnet(INNER);
    assertFalse(connects(hidden, world.address6(), 80), "no route, no way out");
    subnet(INNER, OUT);
    assertTrue(reaches(world.path(), address(INNER, 11), 80));
    network.putInterface(eni(INNER, 11, false, "sg-1"));
    assertFalse(connects(world.path(), address(INNER, 11), 80), "the gateway is gone");
    assertFalse(hostReaches(address(INNER, 12), DROPPED_MILLIS));
  }

  private static boolean hostReaches(String address, int millis) throws Exception {
    return connects(SocketChannel.open(StandardProtocolFamily.INET6), address, 80, millis);
  }

  @Test
  void peersReachEachOtherAsFarAsTheirSubnetsRouteThere() throws Exception {
    Path here = task(OUTER, 10, false);
    Cidr far = Cidr.parse("10.1.0.0/24");
    Cidr6 far6 = Cidr6.parse(Cidr6.normal(net + "200::") + "/64");
    Cidr6 block = Cidr6.parse(Cidr6.normal(net + "200::") + "/56");
    network.putVpc(new Vpc("vpc-2", List.of(Cidr.parse("10.1.0.0/16")), List.of(block), true));
    network.putSecurityGroup(new SecurityGroup("sg-2", "vpc-2", List.of(EVERY), List.of(EVERY)));
    String address = far6.at(30);
    network.putInterface(
        new NetworkInterface(
            "eni-30",
            "vpc-2",
            far,
            far.at(30),
            "02:00:00:00:00:30",
            List.of("sg-2"),
            Map.of(),
            List.of(),
            List.of(address),
            false));
    Path there = network.plug("eni-30", Use.NAMESPACE).orElseThrow();
    traffic.serve(there, address, 80);
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    subnet(OUTER, new Route(block, new Target.Peer("pcx-1")));
    assertFalse(connects(here, address, 80), "answers find no way back");
    network.putSubnet(
        new Subnet(
            "vpc-2",
            far,
            far6,
            List.of(new Route(subnet6(OUTER), new Target.Peer("pcx-1"))),
            Acl.OPEN));
    assertTrue(reaches(here, address, 80));
    assertTrue(reaches(there, address(OUTER, 10), 80));
    network.putSecurityGroup(new SecurityGroup("sg-2", "vpc-2", of("sg-none"), List.of(EVERY)));
    assertFalse(connects(here, address, 80), "a group that nobody has");
    network.putSecurityGroup(new SecurityGroup("sg-2", "vpc-2", of("sg-1"), List.of(EVERY)));
    assertTrue(reaches(here, address, 80), "the peer's group that it has");
    network.removePeering("pcx-1");
    assertFalse(connects(here, address, 80));
  }

  /** Whoever has a group of the peer's may do everything. */
  private static List<Rule> of(String group) {
    return List.of(new Rule(-1, -1, -1, new Peer.Guests("pcx-1", group)));
  }

  @Test
  void addressesBlocksAndServersComeAndGo() throws Exception {
    Path client = task(OUTER, 10, false);
    Path bare = task(OUTER, 20, false);
    String at = address(OUTER, 20);
    NetworkInterface plain = eni(OUTER, 20, false, "sg-1");
    assertTrue(reaches(client, at, 80));

    network.putInterface(with(plain, List.of()));
    assertFalse(connects(client, at, 80), "an address that was taken away");
    String moved = address(OUTER, 21);
    network.putInterface(with(plain, List.of(at, moved)));
    traffic.serve(bare, moved, 80);
    assertTrue(reaches(client, moved, 80), "several, given while it runs");
    assertTrue(reaches(bare, address(OUTER, 10), 80));

    NetworkInterface node =
        new NetworkInterface(
            "eni-node",
            "vpc-1",
            INNER,
            INNER.at(5),
            "02:00:00:00:00:05",
            List.of("sg-1"),
            Map.of(),
            List.of(),
            List.of(address(INNER, 5)),
            false);
    network.putInterface(node);
    network.plug("eni-node", Use.SERVER);
    traffic.serve(Path.of("/run/netns/" + instance + "-vpc-1"), address(INNER, 5), 80);
    assertTrue(reaches(client, address(INNER, 5), 80), "a socket of the server in the VPC");

    SocketChannel open = traffic.connected(client, at, 80);
    network.close();
    network = new LinuxNetwork(instance); // a new server adopts what runs
    aVpc();
    NetworkInterface both = with(plain, List.of(at, moved));
    network.putInterface(eni(OUTER, 10, false, "sg-1"));
    network.putInterface(both);
    network.putInterface(node);
    network.plug("eni-node", Use.SERVER);
    network.retain(Set.of("vpc-1"), Set.of("eni-10", "eni-20", "eni-node"));
    assertTrue(traffic.flows(open, LATE_MILLIS));
    assertTrue(reaches(client, moved, 80));

    network.putSubnet(new Subnet("vpc-1", OUTER, List.of(), Acl.OPEN));
    network.putInterface(with(both, List.of()));
    network.putVpc(new Vpc("vpc-1", List.of(Cidr.parse("10.0.0.0/16"))));
    assertFalse(connects(client, at, 80), "a VPC without its block carries no IPv6 any more");
    assertFalse(
        Command.run("ip", "-6", "-n", instance + "-vpc-1", "rule", "show")
            .contains(subnet6(OUTER).toString()));
  }

  private static NetworkInterface with(NetworkInterface eni, List<String> ipv6) {
    return new NetworkInterface(
        eni.id(),
        eni.vpcId(),
        eni.subnet(),
        eni.address(),
        eni.macAddress(),
        eni.securityGroups(),
        Map.of(),
        List.of(),
        ipv6,
        false);
  }

  @Test
  void aFurtherDeviceHasItsOwnAddress() throws Exception {
    Path client = task(OUTER, 10, false);
    Path host = task(OUTER, 20, false);
    network.putInterface(eni(INNER, 21, false, "sg-1"));
    network.attach("eni-21", "eni-20", 1);
    traffic.serve(host, address(INNER, 21), 80);
    assertTrue(reaches(client, address(INNER, 21), 80));
    assertTrue(reaches(client, address(OUTER, 20), 80));
    network.unplug("eni-21");
    assertFalse(connects(client, address(INNER, 21), 80));
  }

  @Test
  void flowsAreCounted() throws Exception {
    Path client = task(OUTER, 10, false);
    group("sg-shut", List.of(), List.of());
    task(INNER, 20, false);
    task(INNER, 30, false, "sg-shut");
    Instant begin = Instant.parse("2026-01-01T00:00:00Z");
    network.countFlows(
        "vpc-1", Set.of(AddressBlock.parse(vpc("", 1).cidrs6().getFirst().toString())), begin);
    assertTrue(reaches(client, address(INNER, 20), 80));
    assertFalse(connects(client, address(INNER, 30), 80));
    assertTrue(pings(client, address(INNER, 20)));
    List<Flow> flows = new ArrayList<>();
    for (FlowWindow window : network.takeFlows("vpc-1", begin.plus(Duration.ofMinutes(1)))) {
      flows.addAll(window.flows());
    }
    String from = address(OUTER, 10);
    Flow served = only(flows, "eni-20", address(INNER, 20), 6);
    assertTrue(
        served.accepted() && served.ingress() && served.destinationPort() == 80, flows::toString);
    assertEquals(from, served.source());
    assertTrue(served.packets() >= 3 && (served.tcpFlags() & 2) != 0, flows::toString);
    assertFalse(only(flows, "eni-30", address(INNER, 30), 6).accepted(), flows::toString);
    assertTrue(only(flows, "eni-20", address(INNER, 20), 58).packets() >= 1);
    network.countFlows("vpc-1", Set.of(), begin.plus(Duration.ofMinutes(2)));
  }

  private static Flow only(List<Flow> flows, String eni, String destination, int protocol) {
    List<Flow> found =
        flows.stream()
            .filter(flow ->
                flow.interfaceId().equals(eni)
                    && flow.destination().equals(destination)
                    && flow.protocol() == protocol)
            .toList();
    assertEquals(1, found.size(), flows::toString);
    return found.getFirst();
  }

  private static boolean pings(Path namespace, String address) throws Exception {
    try (NetworkNamespace from = new NetworkNamespace(namespace.getFileName().toString())) {
      return Command.attempt(
              List.of(
                  "nsenter",
                  "--net=" + from.path(),
                  "/bin/busybox",
                  "ping6",
                  "-c1",
                  "-W1",
                  address),
              Map.of(),
              "",
              Duration.ofSeconds(20))
          .ok();
    }
  }
}
