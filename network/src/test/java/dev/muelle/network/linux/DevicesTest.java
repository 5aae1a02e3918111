package dev.muelle.network.linux;

import static dev.muelle.network.linux.Traffic.connects;
import static dev.muelle.network.linux.Traffic.reaches;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Behind;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Further devices and further addresses of what is plugged: real namespaces and packets. */
class DevicesTest {

  private static final Cidr SUBNET = Cidr.parse("10.0.0.0/24");
  private static final Rule ALL = new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));
  private static final String CLIENT = "10.0.0.9";
  private static final String FIRST = "10.0.0.10";
  private static final String SECOND = "10.0.0.20";
  private static final String MORE = "10.0.0.30";

  private final String instance =
      "mt" + String.format("%06x", ThreadLocalRandom.current().nextInt(1 << 24));
  private LinuxNetwork network = new LinuxNetwork(instance);
  private final Traffic traffic = new Traffic();
  private Path client;
  private Path machine;

  @BeforeEach
  void oneMachineAndWhoCallsIt() {
    state();
    client = network.plug("eni-client", Use.NAMESPACE).orElseThrow();
    machine = network.plug("eni-first", Use.NAMESPACE).orElseThrow();
  }

  private void state() {
    network.putVpc(new Vpc("vpc-1", List.of(Cidr.parse("10.0.0.0/16"))));
    network.putSecurityGroup(new SecurityGroup("sg-open", "vpc-1", List.of(ALL), List.of(ALL)));
    network.putSecurityGroup(
        new SecurityGroup(
            "sg-web",
            "vpc-1",
            List.of(new Rule(6, 8080, 8080, new Peer.Block(SUBNET))),
            List.of(ALL)));
    eni("eni-client", CLIENT, "sg-open");
    eni("eni-first", FIRST, "sg-open");
    eni("eni-second", SECOND, "sg-web");
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

  private void eni(String id, String address, String group, String... more) {
    String mac = "02:00:00:00:00:" + String.format("%02x", address.hashCode() & 255);
    network.putInterface(
        new NetworkInterface(
            id, "vpc-1", SUBNET, address, mac, List.of(group), null, List.of(more)));
  }

  private static boolean reachesAs(Path namespace, String source, String address, int millis)
      throws Exception {
    try (NetworkNamespace from = new NetworkNamespace(namespace.getFileName().toString())) {
      return from.call(() ->
          connects(
              SocketChannel.open(StandardProtocolFamily.INET)
                  .bind(new InetSocketAddress(source, 0)),
              address,
              80,
              millis));
    }
  }

  private static boolean connects(SocketChannel socket, String address, int port, int millis)
      throws Exception {
    return Traffic.connects(socket, address, port, millis);
  }

  @Test
  void aFurtherDeviceHasItsOwnAddressGroupsAndWay() throws Exception {
    network.attach("eni-second", "eni-first", 1);
    network.attach("eni-second", "eni-first", 1);
    assertEquals(Optional.of(Use.ATTACHED), network.plugged("eni-second"));
    traffic.serve(machine, SECOND, 8080);
    traffic.serve(machine, SECOND, 9090);
    traffic.serve(machine, FIRST, 9090);
    assertTrue(reaches(client, SECOND, 8080));
    assertFalse(Traffic.connects(client, SECOND, 9090), "its own group does not admit it");
    assertTrue(reaches(client, FIRST, 9090));

    traffic.serve(client, CLIENT, 80);
    assertTrue(reachesAs(machine, SECOND, CLIENT, Traffic.LATE_MILLIS));
    String counted = Traffic.inside(machine, "ip", "-o", "link", "show", "eth1").output();
    assertTrue(counted.contains("eth1"), counted);

    SocketChannel open = traffic.connected(client, SECOND, 8080);
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS));
    network.close();
    network = new LinuxNetwork(instance);
    state();
    network.attach("eni-second", "eni-first", 1);
    network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-first", "eni-second"));
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS), "a new server takes it over");

    network.unplug("eni-second");
    assertFalse(traffic.flows(open, Traffic.DROPPED_MILLIS));
    assertFalse(Traffic.connects(client, SECOND, 8080));
    assertTrue(reaches(client, FIRST, 9090), "the machine itself goes on");
    String rules = Traffic.inside(machine, "ip", "rule").output();
    assertFalse(rules.contains(SECOND), rules);
    network.attach("eni-second", "eni-first", 2);
    assertTrue(reaches(client, SECOND, 8080), "and again, as another device");
  }

  @Test
  void whatAnEarlierServerAttachedAndNobodyWantsGoes() throws Exception {
    network.attach("eni-second", "eni-first", 1);
    network.close();
    network = new LinuxNetwork(instance);
    state();
    network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-first", "eni-second"));
    String links = Traffic.inside(machine, "ip", "-o", "link").output();
    assertFalse(links.contains("eth1"), links);
    assertEquals(Optional.empty(), network.plugged("eni-second"));
  }

  @Test
  void whatIsBehindAMachineGoesWithItsDevice() {
    network.putBehind("eni-first", new Behind("c1", "172.17.0.2", List.of()));
    network.unplug("eni-first");
    String left = Command.run("ip", "netns", "list");
    assertFalse(left.contains("eni-first"), left);
  }

  @Test
  void onlyAPluggedMachineTakesADevice() {
    assertThrows(IllegalStateException.class, () -> network.attach("eni-first", "eni-second", 1));
    network.plug("eni-second", Use.SERVER);
    assertThrows(IllegalStateException.class, () -> network.attach("eni-second", "eni-first", 1));
  }

  @Test
  void secondaryAddressesComeAndGo() throws Exception {
    eni("eni-first", FIRST, "sg-web", MORE);
    traffic.serve(machine, MORE, 8080);
    assertTrue(reaches(client, MORE, 8080));
    traffic.serve(client, CLIENT, 80);
    assertTrue(reachesAs(machine, MORE, CLIENT, Traffic.LATE_MILLIS));

    SocketChannel open = traffic.connected(client, MORE, 8080);
    network.close();
    network = new LinuxNetwork(instance);
    state();
    eni("eni-first", FIRST, "sg-web", MORE);
    network.retain(Set.of("vpc-1"), Set.of("eni-client", "eni-first", "eni-second"));
    assertTrue(traffic.flows(open, Traffic.LATE_MILLIS));
    assertTrue(reaches(client, MORE, 8080));

    eni("eni-first", FIRST, "sg-web");
    assertFalse(Traffic.connects(client, MORE, 8080));

    network.attach("eni-second", "eni-first", 1);
    eni("eni-second", SECOND, "sg-web", MORE);
    assertTrue(reaches(client, MORE, 8080), "it moved to the second device");
    assertTrue(reachesAs(machine, MORE, CLIENT, Traffic.LATE_MILLIS));
  }
}
