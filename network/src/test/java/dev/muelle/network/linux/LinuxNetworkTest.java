package dev.muelle.network.linux;

import static dev.muelle.network.linux.Traffic.connects;
import static dev.muelle.network.linux.Traffic.inside;
import static dev.muelle.network.linux.Traffic.reaches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.Command.Result;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.NameSource;
import dev.muelle.network.Network.Behind;
import dev.muelle.network.Network.Lent;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real namespaces, real packets. */
class LinuxNetworkTest {

  private static final Cidr SUBNET = Cidr.parse("172.31.0.0/20");
  private static final Rule ALL = new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));

  private final String instance = "mt" + HexDigits.of(ThreadLocalRandom.current().nextInt(1 << 24));
  private LinuxNetwork network = new LinuxNetwork(instance);
  private final Traffic traffic = new Traffic();

  private record HexDigits() {
    static String of(int number) {
      return String.format("%06x", number);
    }
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    traffic.close();
    network.removeAll();
    network.close();
    String left =
        Command.run("ip", "netns", "list")
            + Command.run("ip", "-o", "link")
            + Command.run("nft", "list", "tables");
    assertFalse(left.contains(instance), left);
  }

  @Test
  void aTaskThatAdmitsOneGroupIsClosedToAllOthersUntilARuleIsAdded() throws Exception {
    vpc("vpc-1");
    group("sg-lb", List.of());
    group("sg-other", List.of());
    group("sg-task", List.of(tcp(5050, new Peer.Group("sg-lb"))));
    Path balancer = task("eni-lb", "172.31.0.10", "sg-lb");
    Path other = task("eni-other", "172.31.0.11", "sg-other");
    traffic.serve(task("eni-task", "172.31.0.12", "sg-task"), "172.31.0.12", 5050);

    assertTrue(reaches(balancer, "172.31.0.12", 5050));
    assertFalse(connects(other, "172.31.0.12", 5050));

    group(
        "sg-task", List.of(tcp(5050, new Peer.Group("sg-lb")), tcp(5050, new Peer.Block(SUBNET))));
    assertTrue(reaches(other, "172.31.0.12", 5050));

    group("sg-task", List.of());
    assertFalse(connects(other, "172.31.0.12", 5050));
    assertFalse(connects(balancer, "172.31.0.12", 5050));
  }

  @Test
  void egressIsJudgedToo() throws Exception {
    vpc("vpc-1");
    group("sg-open", List.of(ALL));
    network.putSecurityGroup(new SecurityGroup("sg-mute", "vpc-1", List.of(ALL), List.of()));
    traffic.serve(task("eni-a", "172.31.0.10", "sg-open"), "172.31.0.10", 80);
    Path mute = task("eni-b", "172.31.0.11", "sg-mute");
    assertFalse(connects(mute, "172.31.0.10", 80));
    network.putSecurityGroup(
        new SecurityGroup("sg-mute", "vpc-1", List.of(), List.of(tcp(80, new Peer.Block(SUBNET)))));
    assertTrue(reaches(mute, "172.31.0.10", 80));
  }

  @Test
  void overlappingRulesPermitWhatAnyOfThemDoes() throws Exception {
    vpc("vpc-1");
    group("sg-client", List.of());
    Path client = task("eni-client", "172.31.0.9", "sg-client");
    Peer near = new Peer.Block(SUBNET);
    Peer it = new Peer.Block(Cidr.parse("172.31.0.9/32"));
    Rule wide = new Rule(6, 8000, 8002, near);
    Rule more = new Rule(6, 8001, 8004, it);
    group("sg-task", List.of(wide, more, new Rule(1, 8, -1, it)));
    Path task = task("eni-task", "172.31.0.12", "sg-task");
    for (int port : List.of(7999, 8000, 8002, 8004, 8005)) {
      traffic.serve(task, "172.31.0.12", port);
    }
    for (int port : List.of(8000, 8002, 8004)) {
      assertTrue(reaches(client, "172.31.0.12", port), "port " + port);
    }
    assertFalse(connects(client, "172.31.0.12", 7999));
    assertFalse(connects(client, "172.31.0.12", 8005));
    assertTrue(answersPing(client, "172.31.0.12"));

    group("sg-task", List.of(wide, new Rule(1, 0, -1, it)));
    assertTrue(reaches(client, "172.31.0.12", 8002), "one that permits it is left");
    assertFalse(connects(client, "172.31.0.12", 8004));
    assertFalse(answersPing(client, "172.31.0.12"), "another type of ICMP");

    group("sg-task", List.of(new Rule(-1, -1, -1, new Peer.Group("sg-client"))));
    assertTrue(reaches(client, "172.31.0.12", 8005));
    assertTrue(answersPing(client, "172.31.0.12"));
    group("sg-task", List.of());
    assertFalse(connects(client, "172.31.0.12", 8002));
  }

  private static boolean answersPing(Path from, String address) {
    return Command.attempt(
            List.of("nsenter", "--net=" + from, "/bin/busybox", "ping", "-c1", "-W1", address),
            Map.of(),
            "",
            Duration.ofSeconds(60))
        .ok();
  }

  @Test
  void establishedConnectionsOutliveTheirRule() throws Exception {
    vpc("vpc-1");
    group("sg-a", List.of(tcp(80, new Peer.Group("sg-a"))));
    traffic.serve(task("eni-a", "172.31.0.10", "sg-a"), "172.31.0.10", 80);
    task("eni-b", "172.31.0.11", "sg-a");
    try (NetworkNamespace from = new NetworkNamespace(instance + "-eni-b")) {
      SocketChannel connection =
          from.call(() -> SocketChannel.open(new InetSocketAddress("172.31.0.10", 80)));
      group("sg-a", List.of());
      connection.write(ByteBuffer.wrap(new byte[] {42}));
      ByteBuffer echoed = ByteBuffer.allocate(1);
      connection.read(echoed);
      assertEquals(42, echoed.get(0));
      connection.close();
    }
  }

  @Test
  void whatIsBehindAnInterfaceIsReachedThroughThePortsThatItLends() throws Exception {
    vpc("vpc-1");
    group("sg-web", List.of(tcp(49153, new Peer.Block(SUBNET))));
    group("sg-db", List.of(tcp(5432, new Peer.Group("sg-web"))));
    task("eni-host", "172.31.0.10", "sg-web");
    Path database = task("eni-db", "172.31.0.11", "sg-db");
    traffic.serve(database, "172.31.0.11", 5432);
    Behind first = new Behind("first", "172.17.0.2", List.of(new Lent(6, 49153, 80)));
    Path web = network.putBehind("eni-host", first);
    traffic.serve(web, "172.17.0.2", 80);
    Path second = network.putBehind("eni-host", new Behind("second", "172.17.0.3", List.of()));

    assertTrue(reaches(database, "172.31.0.10", 49153), "through the lent port");
    assertFalse(connects(database, "172.31.0.10", 80), "through no other");
    assertFalse(connects(database, "172.17.0.2", 80), "its own address is nobody's outside");
    assertTrue(reaches(web, "172.31.0.11", 5432), "it goes out under the interface's address");
    assertTrue(reaches(second, "172.17.0.2", 80), "neighbours see each other");
    assertTrue(reaches(second, "172.31.0.10", 49153), "and each other's lent ports");

    assertEquals(web, network.putBehind("eni-host", first), "once more changes nothing");
    assertTrue(reaches(database, "172.31.0.10", 49153));

    network.close();
    network = new LinuxNetwork(instance); // a new server, over what the old one left
    vpc("vpc-1");
    group("sg-web", List.of(tcp(49153, new Peer.Block(SUBNET))));
    group("sg-db", List.of(tcp(5432, new Peer.Group("sg-web"))));
    eni("eni-host", "172.31.0.10", "sg-web");
    eni("eni-db", "172.31.0.11", "sg-db");
    network.retain(Set.of("vpc-1"), Set.of("eni-host", "eni-db"));
    assertTrue(reaches(database, "172.31.0.10", 49153));
    assertEquals(web, network.putBehind("eni-host", first));

    network.removeBehind("eni-host", "first");
    network.removeBehind("eni-host", "first");
    assertFalse(connects(database, "172.31.0.10", 49153), "its port leads nowhere");
    assertFalse(Files.exists(web));
    network.removeInterface("eni-host");
    assertFalse(Files.exists(second), "it goes with its interface");
  }

  @Test
  void theServerTakesPartThroughItsOwnAddresses() throws Exception {
    vpc("vpc-1");
    group("sg-lb", List.of(tcp(80, new Peer.Block(SUBNET))));
    group("sg-task", List.of(tcp(5050, new Peer.Group("sg-lb"))));
    eni("eni-lb", "172.31.0.10", "sg-lb");
    network.plug("eni-lb", Use.SERVER);
    assertEquals(Optional.of(Use.SERVER), network.plugged("eni-lb"));
    Path task = task("eni-task", "172.31.0.12", "sg-task");
    traffic.serve(task, "172.31.0.12", 5050);
    // From the node's address the task is reached; from the server's other addresses it is not.
    assertTrue(reachesFromVpc("172.31.0.10", "172.31.0.12", 5050));
    assertFalse(connectsFromVpc("169.254.170.2", "172.31.0.12", 5050));
    ServerSocketChannel listener =
        network
            .sockets("vpc-1")
            .call(() ->
                ServerSocketChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress("172.31.0.10", 80)));
    traffic.keep(listener);
    assertTrue(reaches(task, "172.31.0.10", 80));
    assertFalse(connects(task, "172.31.0.10", 22));
  }

  @Test
  void nobodySpoofsAndNobodyReachesTheHost() throws Exception {
    vpc("vpc-1");
    group("sg-open", List.of(ALL));
    Path spoofer = task("eni-a", "172.31.0.10", "sg-open");
    traffic.serve(task("eni-b", "172.31.0.11", "sg-open"), "172.31.0.11", 80);
    assertTrue(reaches(spoofer, "172.31.0.11", 80));
    ServerSocketChannel host =
        ServerSocketChannel.open(StandardProtocolFamily.INET)
            .bind(new InetSocketAddress("127.0.0.1", 0));
    traffic.keep(host);
    int port = ((InetSocketAddress) host.getLocalAddress()).getPort();
    assertFalse(connects(spoofer, "169.254.1.1", port));
    inside(spoofer, "ip", "addr", "add", "172.31.0.99/32", "dev", "eth0");
    inside(
        spoofer,
        "ip",
        "route",
        "replace",
        "default",
        "via",
        "169.254.1.1",
        "dev",
        "eth0",
        "src",
        "172.31.0.99");
    assertFalse(connects(spoofer, "172.31.0.11", 80));
  }

  @Test
  void twoVpcsMayUseTheSameAddresses() throws Exception {
    vpc("vpc-1");
    vpc("vpc-2");
    group("sg-1", List.of(ALL));
    network.putSecurityGroup(new SecurityGroup("sg-2", "vpc-2", List.of(ALL), List.of(ALL)));
    traffic.serve(task("eni-1", "172.31.0.10", "sg-1"), "172.31.0.10", 80);
    Path sameVpc = task("eni-1b", "172.31.0.11", "sg-1");
    network.putInterface(
        new NetworkInterface(
            "eni-2", "vpc-2", SUBNET, "172.31.0.11", "02:00:00:00:00:02", List.of("sg-2"), null));
    Path otherVpc = network.plug("eni-2", Use.NAMESPACE).orElseThrow();
    assertTrue(reaches(sameVpc, "172.31.0.10", 80));
    assertFalse(connects(otherVpc, "172.31.0.10", 80));
  }

  @Test
  void namesAreResolvedInside() throws Exception {
    network.addNames((vpcId, name, client) ->
        name.equals("lb.elb.localhost") && vpcId.equals("vpc-1")
            ? Optional.of(List.of("172.31.0.10", "172.31.16.10", "3fff:1::10"))
            : Optional.empty());
    network.addNames((vpcId, name, client) ->
        name.equals("me.test") ? Optional.of(List.of(client)) : Optional.empty());
    network.addNames(
        new NameSource() {
          @Override
          public Optional<List<String>> lookup(String vpcId, String name, String client) {
            return Optional.empty();
          }

          @Override
          public Optional<String> reverse(String vpcId, String address) {
            return address.equals("198.18.1.2") && vpcId.equals("vpc-1")
                ? Optional.of("mail.example.com")
                : Optional.empty();
          }
        });
    vpc("vpc-1");
    group("sg-closed", List.of());
    Path task = task("eni-1", "172.31.0.20", "sg-closed");
    for (String server : List.of("172.31.0.2", "169.254.169.253")) {
      Result said = inside(task, "/bin/busybox", "nslookup", "lb.elb.localhost", server);
      assertTrue(said.output().contains("172.31.16.10"), said.toString());
      assertTrue(said.output().contains("3fff:1::10"), said.toString());
      Result me = inside(task, "/bin/busybox", "nslookup", "me.test", server);
      assertTrue(me.output().contains("172.31.0.20"), "who asks is known: " + me);
      Result called = inside(task, "/bin/busybox", "nslookup", "198.18.1.2", server);
      assertTrue(called.output().contains("name = mail.example.com"), called.toString());
    }
  }

  @Test
  void aResolverIsSilentAndSpeaksAgain() throws Exception {
    network.addNames((vpcId, name, client) -> Optional.of(List.of("172.31.16.10")));
    vpc("vpc-1");
    group("sg-closed", List.of());
    Path task = task("eni-1", "172.31.0.20", "sg-closed");
    List<Cidr> blocks = List.of(Cidr.parse("172.31.0.0/16"));
    network.putVpc(new Vpc("vpc-1", blocks, false));
    for (String server : List.of("172.31.0.2", "169.254.169.253")) {
      assertFalse(connects(task, server, 53));
      Result said =
          Command.attempt(
              List.of("nsenter", "--net=" + task, "/bin/busybox", "nslookup", "a.example", server),
              Map.of(),
              "",
              Duration.ofSeconds(60));
      assertFalse(said.ok(), said.toString());
    }
    network.putVpc(new Vpc("vpc-1", blocks, true));
    Result said = inside(task, "/bin/busybox", "nslookup", "a.example", "172.31.0.2");
    assertTrue(said.output().contains("172.31.16.10"), said.toString());
  }

  @Test
  void aNewServerAdoptsWhatRuns() throws Exception {
    vpc("vpc-1");
    group("sg-a", List.of(tcp(80, new Peer.Group("sg-a"))));
    group("sg-b", List.of());
    Path a = task("eni-a", "172.31.0.10", "sg-a");
    traffic.serve(a, "172.31.0.10", 80);
    task("eni-b", "172.31.0.11", "sg-a");
    task("eni-gone", "172.31.0.12", "sg-b");
    network.close();
    try (NetworkNamespace from = new NetworkNamespace(instance + "-eni-b")) {
      SocketChannel connection =
          from.call(() -> SocketChannel.open(new InetSocketAddress("172.31.0.10", 80)));
      network = new LinuxNetwork(instance);
      vpc("vpc-1");
      group("sg-a", List.of(tcp(80, new Peer.Group("sg-a"))));
      eni("eni-a", "172.31.0.10", "sg-a");
      eni("eni-b", "172.31.0.11", "sg-a");
      assertEquals(Optional.of(Use.NAMESPACE), network.plugged("eni-b"));
      network.retain(Set.of("vpc-1"), Set.of("eni-a", "eni-b"));
      assertFalse(Command.run("ip", "netns", "list").contains("eni-gone"));
      connection.write(ByteBuffer.wrap(new byte[] {7}));
      ByteBuffer echoed = ByteBuffer.allocate(1);
      connection.read(echoed);
      assertEquals(7, echoed.get(0));
      assertTrue(reaches(from.path(), "172.31.0.10", 80));
      connection.close();
    }
  }

  @Test
  void groupsThatCameAndWentDoNotAddUpInTheKernel() throws Exception {
    vpc("vpc-1");
    group("sg-a", List.of(tcp(80, new Peer.Group("sg-a"))));
    Path a = task("eni-a", "172.31.0.10", "sg-a");
    traffic.serve(a, "172.31.0.10", 80);
    Path b = task("eni-b", "172.31.0.11", "sg-a");
    long before = chains();
    for (int i = 0; i < 64; i++) {
      group("sg-" + i, List.of(tcp(80, new Peer.Group("sg-a"))));
      network.removeSecurityGroup("vpc-1", "sg-" + i);
    }
    assertEquals(before, chains());
    assertTrue(reaches(b, "172.31.0.10", 80));
    group("sg-a", List.of());
    assertFalse(connects(b, "172.31.0.10", 80));
  }

  private long chains() {
    return Command.run(
            "ip", "netns", "exec", instance + "-vpc-1", "nft", "list", "table", "inet", "vpc")
        .lines()
        .filter(line -> line.contains("chain ") || line.contains("set "))
        .count();
  }

  private void vpc(String id) {
    network.putVpc(new Vpc(id, List.of(Cidr.parse("172.31.0.0/16"))));
  }

  private void group(String id, List<Rule> ingress) {
    network.putSecurityGroup(new SecurityGroup(id, "vpc-1", ingress, List.of(ALL)));
  }

  private static Rule tcp(int port, Peer peer) {
    return new Rule(6, port, port, peer);
  }

  private void eni(String id, String address, String group) {
    String mac = "02:00:00:00:00:" + String.format("%02x", address.hashCode() & 255);
    network.putInterface(
        new NetworkInterface(id, "vpc-1", SUBNET, address, mac, List.of(group), null));
  }

  private Path task(String id, String address, String group) {
    eni(id, address, group);
    return network.plug(id, Use.NAMESPACE).orElseThrow();
  }

  private boolean connectsFromVpc(String source, String address, int port) throws Exception {
    return connectsFromVpc(source, address, port, Traffic.DROPPED_MILLIS);
  }

  private boolean reachesFromVpc(String source, String address, int port) throws Exception {
    return connectsFromVpc(source, address, port, Traffic.LATE_MILLIS);
  }

  private boolean connectsFromVpc(String source, String address, int port, int millis)
      throws Exception {
    return network
        .sockets("vpc-1")
        .call(() ->
            Traffic.connects(
                SocketChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress(source, 0)),
                address,
                port,
                millis));
  }
}
