package dev.muelle.network.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimNetworkTest {

  private static final int TCP = 6;
  private static final Rule EVERYTHING =
      new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));

  private final VirtualTimers timers = new VirtualTimers(Instant.EPOCH);
  private final SimNetwork network = new SimNetwork(timers, Duration.ofSeconds(1));

  @BeforeEach
  void twoTasksAndABalancer() {
    network.putVpc(new Vpc("vpc-1", List.of(Cidr.parse("10.0.0.0/16"))));
    network.putSecurityGroup(
        new SecurityGroup("sg-lb", "vpc-1", List.of(EVERYTHING), List.of(EVERYTHING)));
    network.putSecurityGroup(
        new SecurityGroup(
            "sg-task",
            "vpc-1",
            List.of(new Rule(TCP, 5050, 5050, new Peer.Group("sg-lb"))),
            List.of(EVERYTHING)));
    network.putInterface(eni("eni-lb", "10.0.0.4", "sg-lb"));
    network.putInterface(eni("eni-a", "10.0.0.5", "sg-task"));
    network.putInterface(eni("eni-b", "10.0.0.6", "sg-task"));
  }

  private static NetworkInterface eni(String id, String address, String group) {
    return new NetworkInterface(
        id, "vpc-1", Cidr.parse("10.0.0.0/24"), address, "02:00:00:00:00:01", List.of(group), null);
  }

  @Test
  void plugsInItsTimeAndOnlyForOneUse() {
    assertEquals(Optional.of(Path.of("/sim/netns/eni-a")), network.plug("eni-a", Use.NAMESPACE));
    assertEquals(Instant.ofEpochSecond(1), timers.instant());
    network.plug("eni-a", Use.NAMESPACE);
    assertEquals(Instant.ofEpochSecond(1), timers.instant());
    assertThrows(IllegalStateException.class, () -> network.plug("eni-a", Use.SERVER));
    assertEquals(Map.of("eni-a", Use.NAMESPACE), network.uses());
    network.retain(Set.of("vpc-1"), Set.of("eni-b"));
    assertEquals(Map.of(), network.uses());
    assertThrows(IllegalArgumentException.class, () -> network.plug("eni-a", Use.NAMESPACE));
  }

  @Test
  void oneAddressHasOneOwner() {
    assertThrows(
        IllegalStateException.class,
        () -> network.putInterface(eni("eni-c", "10.0.0.5", "sg-task")));
    assertThrows(
        IllegalArgumentException.class,
        () -> network.putInterface(eni("eni-c", "10.0.1.5", "sg-task")));
  }

  @Test
  void groupsDecideWhatPasses() {
    network.plug("eni-lb", Use.SERVER);
    network.plug("eni-a", Use.NAMESPACE);
    assertTrue(network.admits("eni-lb", "eni-a", TCP, 5050));
    assertFalse(network.admits("eni-lb", "eni-a", TCP, 80));
    assertFalse(network.admits("eni-b", "eni-a", TCP, 5050), "not plugged");
    network.plug("eni-b", Use.NAMESPACE);
    assertFalse(network.admits("eni-b", "eni-a", TCP, 5050), "not the balancer's group");
  }
}
