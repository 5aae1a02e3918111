package dev.muelle.network.linux;

import static dev.muelle.network.linux.Traffic.DROPPED_MILLIS;
import static dev.muelle.network.linux.Traffic.LATE_MILLIS;
import static dev.muelle.network.linux.Traffic.connects;
import static dev.muelle.network.linux.Traffic.reaches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
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
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where packets go from subnets, and what may cross their edges: real namespaces and packets. */
class SubnetsTest {

  private static final Cidr OUTER = Cidr.parse("10.0.0.0/24");
  private static final Cidr INNER = Cidr.parse("10.0.1.0/24");
  private static final Cidr ALL = Cidr.parse("0.0.0.0/0");
  private static final Rule EVERY = new Rule(-1, -1, -1, new Peer.Block(ALL));
  private static final Route OUT = new Route(ALL, new Target.Internet());

  private final String instance =
      "mt" + String.format("%06x", ThreadLocalRandom.current().nextInt(1 << 24));
  private LinuxNetwork network = new LinuxNetwork(instance);
  private final Traffic traffic = new Traffic();
  private final World world = new World(instance);

  /** Where this run's sixteen public addresses begin: another one, at once, has others. */
  private final long first = ThreadLocalRandom.current().nextLong(Network.PUBLIC.size() / 16) * 16;

  private String outside(int number) {
    return Network.PUBLIC.at(first + number);
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
            + Command.run("ip", "route")
            + Command.run("nft", "list", "tables");
    assertFalse(left.contains(instance), left);
  }

  private void vpc(String id) {
    network.putVpc(new Vpc(id, List.of(Cidr.parse("10.0.0.0/16"))));
    network.putSecurityGroup(new SecurityGroup("sg-" + id, id, List.of(EVERY), List.of(EVERY)));
  }

  private void subnet(Cidr cidr, Route... routes) {
    network.putSubnet(new Subnet("vpc-1", cidr, List.of(routes), Acl.OPEN));
  }

  private void eni(String id, String vpc, String address, @Nullable String outside) {
    String mac = "02:00:00:00:00:" + String.format("%02x", address.hashCode() & 255);
    Cidr subnet = OUTER.contains(Cidr.address(address)) ? OUTER : INNER;
    List<String> groups = id.startsWith("eni-nat") ? List.of() : List.of("sg-" + vpc);
    network.putInterface(new NetworkInterface(id, vpc, subnet, address, mac, groups, outside));
  }

  private Path task(String id, String address, @Nullable String outside) {
    eni(id, "vpc-1", address, outside);
    return network.plug(id, Use.NAMESPACE).orElseThrow();
  }

  private static boolean hostReaches(String address, int port, int millis) throws Exception {
    return connects(SocketChannel.open(StandardProtocolFamily.INET), address, port, millis);
  }

  @Test
  void theServersDoorIsReachedByWhomIsLedOutAndNobodyElse() throws Exception {
    Network.Door door = network.openDoor(443);
    serveAt(door, 443);
    serveAt(door, 80);
    vpc("vpc-1");
    subnet(OUTER, OUT);
    subnet(INNER);
    Path addressed = task("eni-1", "10.0.0.10", outside(1));
    Path unaddressed = task("eni-2", "10.0.0.11", null);
    Path unrouted = task("eni-3", "10.0.1.10", outside(3));

    assertTrue(reaches(addressed, door.address(), 443));
    assertEquals(Set.of(outside(1)), traffic.callers(1), "it sees the public address");
    assertFalse(connects(addressed, door.address(), 80), "another port is shut");
    assertFalse(connects(unaddressed, door.address(), 443));
    assertFalse(connects(unrouted, door.address(), 443));
    assertFalse(hostReaches(door.address(), 443, DROPPED_MILLIS));
    assertFalse(connects(world.path(), door.address(), 443), "nobody beyond this machine");

    subnet(INNER, new Route(ALL, new Target.Gateway("eni-nat")));
    eni("eni-nat", "vpc-1", "10.0.0.5", outside(5));
    network.plug("eni-nat", Use.NAT_GATEWAY);
    assertTrue(reaches(unrouted, door.address(), 443), "through a NAT gateway");
    assertEquals(Set.of(outside(5)), traffic.callers(1));

    // Another server at once has another; a new one in its place has the same.
    String second = "mu" + instance.substring(2);
    try (LinuxNetwork other = new LinuxNetwork(second)) {
      assertNotEquals(door.address(), other.openDoor(443).address());
      other.removeAll();
    }
    SocketChannel open = traffic.connected(addressed, door.address(), 443);
    network.close();
    network = new LinuxNetwork(instance);
    assertEquals(door.address(), network.openDoor(443).address());
    assertTrue(traffic.flows(open, LATE_MILLIS), "what is open stays");
    network.retain(Set.of(), Set.of());
    assertEquals(door.address(), network.openDoor(443).address());
  }

  private void serveAt(Network.Door door, int port) throws Exception {
    traffic.serve(door.sockets(), door.address(), port);
  }

  @Test
  void onlyAPublicAddressInASubnetWithARouteOutLeadsOutAndIn() throws Exception {
    vpc("vpc-1");
    subnet(OUTER, OUT);
    subnet(INNER);
    traffic.serve(world.path(), world.address(), 80);
    Path addressed = task("eni-1", "10.0.0.10", outside(1));
    Path unaddressed = task("eni-2", "10.0.0.11", null);
    Path unrouted = task("eni-3", "10.0.1.10", outside(3));
    for (String address : List.of("10.0.0.10", "10.0.0.11", "10.0.1.10")) {
      traffic.serve(path(address), address, 8080);
    }

    assertTrue(reaches(addressed, world.address(), 80));
    assertFalse(connects(unaddressed, world.address(), 80));
    assertFalse(connects(unrouted, world.address(), 80));
    assertTrue(reaches(unrouted, "10.0.0.11", 8080), "inside the VPC there is always a route");

    assertTrue(reaches(world.path(), outside(1), 8080), "who knows the way comes in");
    assertTrue(hostReaches(outside(1), 8080, LATE_MILLIS));
    assertFalse(connects(world.path(), outside(3), 8080), "its answers find no way back");
    assertFalse(connects(world.path(), outside(9), 8080), "nobody has that address");
    assertFalse(connects(world.path(), "10.0.0.11", 8080), "private addresses are not outside");

    ServerSocketChannel onHost =
        ServerSocketChannel.open(StandardProtocolFamily.INET)
            .bind(new InetSocketAddress(world.host(), 0));
    traffic.keep(onHost);
    int port = ((InetSocketAddress) onHost.getLocalAddress()).getPort();
    assertFalse(connects(addressed, world.host(), port), "the host itself is not to be reached");

    SocketChannel open = traffic.connected(addressed, world.address(), 80);
    assertTrue(traffic.flows(open, LATE_MILLIS));
    subnet(OUTER, OUT, new Route(Cidr.parse(world.address() + "/32"), new Target.Nowhere()));
    assertFalse(traffic.flows(open, DROPPED_MILLIS), "a route to nowhere drops");
    assertFalse(connects(addressed, world.address(), 80));
    subnet(OUTER, OUT);
    assertTrue(traffic.flows(open, LATE_MILLIS));

    eni("eni-1", "vpc-1", "10.0.0.10", null);
    assertFalse(connects(addressed, world.address(), 80), "the address is gone");
    assertFalse(connects(world.path(), outside(1), 8080));
    assertFalse(traffic.flows(open, DROPPED_MILLIS));
    eni("eni-3", "vpc-1", "10.0.1.10", null);
    assertFalse(
        Command.run("nft", "list", "tables").contains(instance), "nobody needs the host any more");
  }

  private void addressed(Map<String, String> outside) {
    network.putInterface(
        new NetworkInterface(
            "eni-1",
            "vpc-1",
            OUTER,
            "10.0.0.10",
            "02:00:00:00:00:10",
            List.of("sg-vpc-1"),
            outside,
            List.of("10.0.0.20"),
            false));
  }

  private static boolean sendsAs(Path from, String source, String address) throws Exception {
    try (NetworkNamespace inside = new NetworkNamespace(from.getFileName().toString())) {
      return inside.call(() ->
          connects(
              SocketChannel.open(StandardProtocolFamily.INET)
                  .bind(new InetSocketAddress(source, 0)),
              address,
              80,
              DROPPED_MILLIS));
    }
  }

  @Test
  void aSecondaryAddressHasAPublicOneOfItsOwn() throws Exception {
    vpc("vpc-1");
    subnet(OUTER, OUT);
    traffic.serve(world.path(), world.address(), 80);
    addressed(Map.of("10.0.0.20", outside(1)));
    Path task = network.plug("eni-1", Use.NAMESPACE).orElseThrow();
    traffic.serve(task, "10.0.0.20", 8080);
    traffic.serve(task, "10.0.0.10", 9090);

    assertTrue(reaches(world.path(), outside(1), 8080), "in, to the secondary address");
    assertFalse(connects(world.path(), outside(1), 9090), "and to no other");
    assertTrue(sendsAs(task, "10.0.0.20", world.address()), "and out from there");
    assertFalse(sendsAs(task, "10.0.0.10", world.address()), "and from nowhere else");

    addressed(Map.of("10.0.0.10", outside(2), "10.0.0.20", outside(1)));
    SocketChannel open = traffic.connected(world.path(), outside(1), 8080);
    assertTrue(reaches(world.path(), outside(2), 9090));
    assertTrue(sendsAs(task, "10.0.0.10", world.address()));
    network.close();
    network = new LinuxNetwork(instance);
    vpc("vpc-1");
    subnet(OUTER, OUT);
    addressed(Map.of("10.0.0.10", outside(1))); // it moved while nobody was there
    network.retain(Set.of("vpc-1"), Set.of("eni-1"));
    assertTrue(reaches(world.path(), outside(1), 9090));
    assertFalse(connects(world.path(), outside(1), 8080));
    assertFalse(connects(world.path(), outside(2), 9090), "nobody has that address any more");
    assertFalse(sendsAs(task, "10.0.0.20", world.address()));
    open.close();
  }

  private Path path(String address) {
    String id =
        switch (address) {
          case "10.0.0.10" -> "eni-1";
          case "10.0.0.11" -> "eni-2";
          default -> "eni-3";
        };
    return NetworkNamespace.DIRECTORY.resolve(instance + "-" + id);
  }

  /** An instance that forwards what it is told to, under its own address; or is not let. */
  private void router(boolean forwards, String group) {
    network.putInterface(
        new NetworkInterface(
            "eni-1",
            "vpc-1",
            OUTER,
            "10.0.0.10",
            "02:00:00:00:00:10",
            List.of(group),
            outside(5),
            List.of(),
            forwards));
  }

  @Test
  void aSubnetGetsOutThroughAnInterfaceThatForwardsAsFarAsItsGroupsAdmit() throws Exception {
    vpc("vpc-1");
    vpc("vpc-2");
    network.putSecurityGroup(new SecurityGroup("sg-none", "vpc-1", List.of(), List.of(EVERY)));
    Route through = new Route(ALL, new Target.Interface("eni-1"));
    subnet(OUTER, OUT);
    subnet(INNER, through);
    router(false, "sg-vpc-1");
    Path router = network.plug("eni-1", Use.NAMESPACE).orElseThrow();
    Path inner = task("eni-3", "10.0.1.10", null);
    traffic.serve(inner, "10.0.1.10", 8080);
    Traffic.inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    Traffic.inside(
        router,
        "nft",
        "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };"
            + " add rule ip nat out ip saddr 10.0.1.0/24 masquerade");
    network.putSubnet(new Subnet("vpc-2", OUTER, List.of(OUT), Acl.OPEN));
    eni("eni-other", "vpc-2", "10.0.0.5", outside(6));
    Path other = network.plug("eni-other", Use.NAMESPACE).orElseThrow();
    traffic.serve(other, "10.0.0.5", 80);
    assertFalse(connects(inner, outside(6), 80), "it speaks for itself only");

    router(true, "sg-vpc-1");
    assertTrue(reaches(inner, outside(6), 80));
    assertEquals(Set.of(outside(5)), traffic.callers(1));
    assertTrue(reaches(router, outside(6), 80), "it speaks for itself, too");
    assertFalse(connects(other, outside(5), 8080), "nothing comes in that it does not lead in");
    SocketChannel open = traffic.connected(inner, outside(6), 80);
    assertTrue(traffic.flows(open, LATE_MILLIS));

    router(true, "sg-none");
    assertFalse(connects(inner, outside(6), 80), "its groups judge what it is sent");
    assertTrue(traffic.flows(open, LATE_MILLIS), "what is established goes on");
    router(true, "sg-vpc-1");

    // A new server finds it so, and another one finds that it may no longer.
    restarted(true, through);
    assertTrue(traffic.flows(open, LATE_MILLIS));
    assertTrue(reaches(inner, outside(6), 80));
    restarted(false, through);
    assertFalse(connects(inner, outside(6), 80));
    assertFalse(traffic.flows(open, DROPPED_MILLIS));
    router(true, "sg-vpc-1");
    assertTrue(reaches(inner, outside(6), 80));
    network.unplug("eni-1");
    assertFalse(connects(inner, outside(6), 80), "there is none any more");
  }

  private void restarted(boolean forwards, Route through) {
    network.close();
    network = new LinuxNetwork(instance);
    vpc("vpc-1");
    vpc("vpc-2");
    router(forwards, "sg-vpc-1");
    eni("eni-3", "vpc-1", "10.0.1.10", null);
    eni("eni-other", "vpc-2", "10.0.0.5", outside(6));
    subnet(OUTER, OUT);
    subnet(INNER, through);
    network.putSubnet(new Subnet("vpc-2", OUTER, List.of(OUT), Acl.OPEN));
    network.retain(Set.of("vpc-1", "vpc-2"), Set.of("eni-1", "eni-3", "eni-other"));
  }

  @Test
  void anotherRegionOfTheHostLeavesAddressesAsTheyAre() throws Exception {
    LinuxNetwork neighbour = new LinuxNetwork("n" + instance.substring(1));
    try {
      neighbour.putVpc(new Vpc("vpc-1", List.of(Cidr.parse("10.0.0.0/16"))));
      neighbour.putSubnet(new Subnet("vpc-1", OUTER, List.of(OUT), Acl.OPEN));
      neighbour.putSecurityGroup(
          new SecurityGroup("sg-1", "vpc-1", List.of(EVERY), List.of(EVERY)));
      neighbour.putInterface(
          new NetworkInterface(
              "eni-1",
              "vpc-1",
              OUTER,
              "10.0.0.9",
              "02:00:00:00:00:01",
              List.of("sg-1"),
              outside(9)));
      neighbour.plug("eni-1", Use.NAMESPACE);

      vpc("vpc-1");
      vpc("vpc-2");
      subnet(OUTER, OUT);
      network.putSubnet(new Subnet("vpc-2", OUTER, List.of(OUT), Acl.OPEN));
      Path one = task("eni-1", "10.0.0.10", outside(1));
      eni("eni-2", "vpc-2", "10.0.0.10", outside(2));
      Path other = network.plug("eni-2", Use.NAMESPACE).orElseThrow();
      traffic.serve(other, "10.0.0.10", 80);
      assertTrue(reaches(one, outside(2), 80));
      assertEquals(Set.of(outside(1)), traffic.callers(1));
    } finally {
      neighbour.removeAll();
      neighbour.close();
    }
  }

  @Test
  void aPrivateSubnetGetsOutOnlyThroughTheNatGatewayUnderItsAddress() throws Exception {
    vpc("vpc-1");
    vpc("vpc-2");
    Route throughNat = new Route(ALL, new Target.Gateway("eni-nat"));
    subnet(OUTER, OUT);
    subnet(INNER, throughNat);
    eni("eni-nat", "vpc-1", "10.0.0.5", outside(5));
    Path inner = task("eni-1", "10.0.1.10", null);
    Path second = task("eni-2", "10.0.1.11", null);
    traffic.serve(inner, "10.0.1.10", 8080);
    traffic.serve(world.path(), world.address(), 80);
    assertFalse(connects(inner, world.address(), 80), "there is none yet");

    network.plug("eni-nat", Use.NAT_GATEWAY);
    assertTrue(reaches(inner, world.address(), 80));
    assertTrue(reaches(second, world.address(), 80));

    // Another VPC is outside too, and sees whose address they bear.
    network.putSubnet(new Subnet("vpc-2", OUTER, List.of(OUT), Acl.OPEN));
    eni("eni-other", "vpc-2", "10.0.0.5", outside(6));
    Path other = network.plug("eni-other", Use.NAMESPACE).orElseThrow();
    traffic.serve(other, "10.0.0.5", 80);
    traffic.callers(2);
    assertTrue(reaches(inner, outside(6), 80));
    assertTrue(reaches(second, outside(6), 80));
    assertEquals(Set.of(outside(5)), traffic.callers(2));

    // Nothing comes in, whatever the outside tries.
    for (String address : List.of(outside(5), "10.0.1.10", "10.0.0.5")) {
      assertFalse(connects(other, address, 8080), address);
      assertFalse(connects(world.path(), address, 8080), address);
    }
    Command.run("ip", "-n", "world-" + instance, "addr", "add", "10.0.1.99/32", "dev", "lo");
    try (NetworkNamespace outside = new NetworkNamespace("world-" + instance)) {
      assertFalse(
          outside.call(() ->
              connects(
                  SocketChannel.open(StandardProtocolFamily.INET)
                      .bind(new InetSocketAddress("10.0.1.99", 0)),
                  outside(5),
                  8080,
                  DROPPED_MILLIS)));
    }

    // It flows through a change of servers.
    SocketChannel open = traffic.connected(inner, world.address(), 80);
    assertTrue(traffic.flows(open, LATE_MILLIS));
    network.close();
    network = new LinuxNetwork(instance);
    vpc("vpc-1");
    vpc("vpc-2");
    eni("eni-nat", "vpc-1", "10.0.0.5", outside(5));
    eni("eni-1", "vpc-1", "10.0.1.10", null);
    eni("eni-2", "vpc-1", "10.0.1.11", null);
    subnet(OUTER, OUT);
    subnet(INNER, throughNat);
    network.plug("eni-nat", Use.NAT_GATEWAY);
    network.retain(Set.of("vpc-1", "vpc-2"), Set.of("eni-nat", "eni-1", "eni-2"));
    assertTrue(traffic.flows(open, LATE_MILLIS));
    assertTrue(reaches(second, world.address(), 80));
    assertFalse(Command.run("ip", "route").contains(outside(6)), "a leftover of the crash");

    network.removeInterface("eni-nat");
    assertFalse(connects(inner, world.address(), 80));
    assertFalse(traffic.flows(open, DROPPED_MILLIS));
  }

  @Test
  void anAclIsStatelessOrderedAndCutsWhatFlows() throws Exception {
    vpc("vpc-1");
    subnet(OUTER, OUT);
    Entry in80 = new Entry(true, 6, 80, 80, OUTER);
    Entry answers = new Entry(true, 6, 1024, 65_535, OUTER);
    Path outer = task("eni-1", "10.0.0.10", null);
    Path inner = task("eni-2", "10.0.1.10", null);
    Path neighbour = task("eni-3", "10.0.1.11", null);
    traffic.serve(inner, "10.0.1.10", 80);
    traffic.serve(inner, "10.0.1.10", 81);

    acl(List.of(in80), List.of(answers));
    assertTrue(reaches(outer, "10.0.1.10", 80));
    assertFalse(connects(outer, "10.0.1.10", 81), "no entry admits it");
    assertTrue(reaches(neighbour, "10.0.1.10", 81), "neighbours are not filtered");
    SocketChannel open = traffic.connected(outer, "10.0.1.10", 80);
    assertTrue(traffic.flows(open, LATE_MILLIS));

    acl(List.of(in80), List.of());
    assertFalse(
        traffic.flows(open, DROPPED_MILLIS), "it keeps no state: answers need an entry too");
    assertFalse(connects(outer, "10.0.1.10", 80));
    acl(List.of(in80), List.of(answers));
    assertTrue(traffic.flows(open, LATE_MILLIS));

    Entry deny = new Entry(false, 6, 80, 80, Cidr.parse("10.0.0.10/32"));
    acl(List.of(deny, in80), List.of(answers));
    assertFalse(connects(outer, "10.0.1.10", 80), "the first that matches counts");
    assertFalse(traffic.flows(open, DROPPED_MILLIS), "what was established is cut as well");
    acl(List.of(in80, deny), List.of(answers));
    assertTrue(reaches(outer, "10.0.1.10", 80));

    // A group's removed rule cuts what is new, and nothing that is established.
    SocketChannel kept = traffic.connected(outer, "10.0.1.10", 80);
    network.putSecurityGroup(new SecurityGroup("sg-vpc-1", "vpc-1", List.of(), List.of(EVERY)));
    assertFalse(connects(outer, "10.0.1.10", 80));
    assertTrue(traffic.flows(kept, LATE_MILLIS));

    network.removeSubnet("vpc-1", INNER);
    assertTrue(traffic.flows(kept, LATE_MILLIS));
  }

  private void acl(List<Entry> ingress, List<Entry> egress) {
    network.putSubnet(new Subnet("vpc-1", INNER, List.of(), new Acl(ingress, egress)));
  }

  @Test
  void theServersOwnAddressesAreBehindTheEdgesToo() throws Exception {
    vpc("vpc-1");
    subnet(OUTER);
    acl(List.of(), List.of());
    eni("eni-lb", "vpc-1", "10.0.0.10", null);
    network.plug("eni-lb", Use.SERVER);
    Path inner = task("eni-2", "10.0.1.10", null);
    traffic.serve(inner, "10.0.1.10", 80);
    ServerSocketChannel node =
        network
            .sockets("vpc-1")
            .call(() ->
                ServerSocketChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress("10.0.0.10", 80)));
    traffic.keep(node);
    assertFalse(connects(inner, "10.0.0.10", 80));
    assertFalse(nodeReaches("10.0.1.10", DROPPED_MILLIS));
    subnet(INNER);
    assertTrue(reaches(inner, "10.0.0.10", 80));
    assertTrue(nodeReaches("10.0.1.10", LATE_MILLIS));
  }

  private boolean nodeReaches(String address, int millis) throws Exception {
    return network
        .sockets("vpc-1")
        .call(() ->
            connects(
                SocketChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress("10.0.0.10", 0)),
                address,
                80,
                millis));
  }

  @Test
  void aPublicAddressHasOneOwnerOnThisMachine() {
    vpc("vpc-1");
    vpc("vpc-2");
    eni("eni-1", "vpc-1", "10.0.0.10", outside(1));
    assertThrows(IllegalStateException.class, () -> eni("eni-2", "vpc-2", "10.0.0.10", outside(1)));
  }

  @Test
  void peersReachEachOtherAsFarAsTheirSubnetsRouteThere() throws Exception {
    vpc("vpc-1");
    Cidr far = Cidr.parse("10.9.0.0/24");
    peer("vpc-2", "10.9.0.0/16");
    peer("vpc-3", "10.8.0.0/16");
    Path near = task("eni-1", "10.0.0.10", null);
    Path other = far("eni-2", "vpc-2", far, "10.9.0.10");
    Path third = far("eni-3", "vpc-3", Cidr.parse("10.8.0.0/24"), "10.8.0.10");
    traffic.serve(other, "10.9.0.10", 80);
    Route there = new Route(Cidr.parse("10.9.0.0/16"), new Target.Peer("pcx-1"));
    Route back = new Route(Cidr.parse("10.0.0.0/16"), new Target.Peer("pcx-1"));
    subnet(OUTER, there);
    assertFalse(connects(near, "10.9.0.10", 80), "there is no peering yet");
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    assertFalse(connects(near, "10.9.0.10", 80), "no route leads back");
    network.putSubnet(
        new Subnet(
            "vpc-2",
            far,
            List.of(back, new Route(Cidr.parse("10.8.0.0/16"), new Target.Peer("pcx-2"))),
            Acl.OPEN));
    assertTrue(reaches(near, "10.9.0.10", 80));
    SocketChannel open = traffic.connected(near, "10.9.0.10", 80);

    // The other's peers are not one's own.
    network.putPeering(new Peering("pcx-2", "vpc-2", "vpc-3"));
    network.putSubnet(
        new Subnet(
            "vpc-3",
            Cidr.parse("10.8.0.0/24"),
            List.of(
                new Route(Cidr.parse("10.9.0.0/16"), new Target.Peer("pcx-2")),
                new Route(Cidr.parse("10.0.0.0/16"), new Target.Peer("pcx-2"))),
            Acl.OPEN));
    assertTrue(reaches(third, "10.9.0.10", 80));
    traffic.serve(near, "10.0.0.10", 80);
    assertFalse(connects(third, "10.0.0.10", 80));

    network.putSecurityGroup(new SecurityGroup("sg-vpc-2", "vpc-2", List.of(), List.of(EVERY)));
    assertFalse(connects(near, "10.9.0.10", 80), "the receiver's groups judge");
    assertTrue(traffic.flows(open, LATE_MILLIS));

    network.close();
    network = new LinuxNetwork(instance);
    vpc("vpc-1");
    peer("vpc-2", "10.9.0.0/16");
    eni("eni-1", "vpc-1", "10.0.0.10", null);
    far("eni-2", "vpc-2", far, "10.9.0.10");
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    subnet(OUTER, there);
    network.putSubnet(new Subnet("vpc-2", far, List.of(back), Acl.OPEN));
    network.retain(Set.of("vpc-1", "vpc-2"), Set.of("eni-1", "eni-2"));
    assertTrue(traffic.flows(open, LATE_MILLIS), "it flows through a change of servers");
    network.removePeering("pcx-1");
    assertFalse(traffic.flows(open, DROPPED_MILLIS));
    network.removePeering("pcx-1");
  }

  /** Two VPCs that are connected; the near one's rule names a group of the far one. */
  private void connected() {
    Cidr far = Cidr.parse("10.9.0.0/24");
    vpc("vpc-1");
    peer("vpc-2", "10.9.0.0/16");
    network.putSecurityGroup(
        new SecurityGroup("sg-vpc-1", "vpc-1", List.of(web("sg-callers")), List.of(EVERY)));
    network.putSecurityGroup(
        new SecurityGroup("sg-callers", "vpc-2", List.of(), List.of(web("sg-vpc-1"))));
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    subnet(OUTER, new Route(Cidr.parse("10.9.0.0/16"), new Target.Peer("pcx-1")));
    Route back = new Route(Cidr.parse("10.0.0.0/16"), new Target.Peer("pcx-1"));
    network.putSubnet(new Subnet("vpc-2", far, List.of(back), Acl.OPEN));
  }

  private static Rule web(String group) {
    return new Rule(6, 80, 80, new Peer.Guests("pcx-1", group));
  }

  private void guest(String id, String address, String... groups) {
    network.putInterface(
        new NetworkInterface(
            id,
            "vpc-2",
            Cidr.parse("10.9.0.0/24"),
            address,
            "02:00:00:00:01:0" + id.charAt(id.length() - 1),
            List.of(groups),
            null));
  }

  private String members(String vpc, String group) {
    return Command.run(
        "ip",
        "netns",
        "exec",
        instance + "-" + vpc,
        "nft",
        "list",
        "set",
        "inet",
        "vpc",
        "members_" + group + "_of_pcx_1");
  }

  @Test
  void aRuleThatNamesAPeersGroupMeansItsMembers() throws Exception {
    connected();
    Path near = task("eni-1", "10.0.0.10", null);
    traffic.serve(near, "10.0.0.10", 80);
    traffic.serve(near, "10.0.0.10", 81);
    guest("eni-2", "10.9.0.10", "sg-callers");
    guest("eni-3", "10.9.0.11", "sg-vpc-2");
    Path caller = network.plug("eni-2", Use.NAMESPACE).orElseThrow();
    Path stranger = network.plug("eni-3", Use.NAMESPACE).orElseThrow();
    assertTrue(reaches(caller, "10.0.0.10", 80));
    assertFalse(connects(caller, "10.0.0.10", 81), "neither side's rule is about this port");
    assertFalse(connects(stranger, "10.0.0.10", 80), "not a member");
    SocketChannel open = traffic.connected(caller, "10.0.0.10", 80);

    guest("eni-3", "10.9.0.11", "sg-vpc-2", "sg-callers");
    guest("eni-2", "10.9.0.10", "sg-vpc-2");
    assertTrue(reaches(stranger, "10.0.0.10", 80), "a member by now");
    assertFalse(connects(caller, "10.0.0.10", 80), "no longer");
    assertTrue(traffic.flows(open, LATE_MILLIS));

    // A new server knows them, too, and so after it whoever has a member's address.
    network.close();
    network = new LinuxNetwork(instance);
    connected();
    eni("eni-1", "vpc-1", "10.0.0.10", null);
    guest("eni-2", "10.9.0.10", "sg-vpc-2");
    guest("eni-3", "10.9.0.11", "sg-vpc-2", "sg-callers");
    network.retain(Set.of("vpc-1", "vpc-2"), Set.of("eni-1", "eni-2", "eni-3"));
    assertTrue(reaches(stranger, "10.0.0.10", 80));
    assertFalse(connects(caller, "10.0.0.10", 80));
    network.removeInterface("eni-3");
    assertFalse(members("vpc-1", "sg_callers").contains("10.9.0"));
    guest("eni-4", "10.9.0.11", "sg-vpc-2");
    Path later = network.plug("eni-4", Use.NAMESPACE).orElseThrow();
    assertFalse(connects(later, "10.0.0.10", 80), "it has a member's address only");

    // Without the peering nobody is meant; with it those who are members then.
    assertTrue(members("vpc-2", "sg_vpc_1").contains("10.0.0.10"));
    network.removePeering("pcx-1");
    assertFalse(members("vpc-2", "sg_vpc_1").contains("10.0.0.10"));
    guest("eni-4", "10.9.0.11", "sg-callers");
    network.putPeering(new Peering("pcx-1", "vpc-1", "vpc-2"));
    assertTrue(reaches(later, "10.0.0.10", 80));

    // What a rule names no longer is not followed.
    network.putSecurityGroup(
        new SecurityGroup("sg-vpc-1", "vpc-1", List.of(EVERY), List.of(EVERY)));
    assertFalse(members("vpc-1", "sg_callers").contains("10.9.0"));
  }

  private void peer(String id, String cidr) {
    network.putVpc(new Vpc(id, List.of(Cidr.parse(cidr))));
    network.putSecurityGroup(new SecurityGroup("sg-" + id, id, List.of(EVERY), List.of(EVERY)));
  }

  private Path far(String id, String vpc, Cidr subnet, String address) {
    network.putInterface(
        new NetworkInterface(
            id, vpc, subnet, address, "02:00:00:00:01:01", List.of("sg-" + vpc), null));
    return network.plug(id, Use.NAMESPACE).orElseThrow();
  }
}
