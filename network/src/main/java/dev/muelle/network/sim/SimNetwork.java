package dev.muelle.network.sim;

import dev.muelle.loop.Timers;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.NameSource;
import dev.muelle.network.Network;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.SocketSpace;
import dev.muelle.network.Subnet;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A network in memory; bringing an interface to life may be made to take time. */
public final class SimNetwork implements Network {

  private static final int ANY = -1;

  private final Timers timers;
  private final Duration plugTime;
  private final List<NameSource> sources = new CopyOnWriteArrayList<>();
  private final Map<String, Vpc> vpcs = new TreeMap<>();
  private final Map<String, SecurityGroup> groups = new TreeMap<>();
  private final Map<String, Subnet> subnets = new TreeMap<>();
  private final Map<String, Peering> peerings = new TreeMap<>();
  private final Map<String, NetworkInterface> interfaces = new TreeMap<>();
  private final Map<String, Use> uses = new TreeMap<>();

  /** Which interface has an address; by the VPC's id, a slash, and the address. */
  private final Map<String, String> owners = new HashMap<>();

  private final Map<String, Link> links = new HashMap<>();
  private final Map<String, Packets> packets = new HashMap<>();

  /** What names mean in the world outside. */
  private final Map<String, List<String>> outside = new HashMap<>();

  /** Whose flows are counted, by VPC. */
  private final Map<String, Set<AddressBlock>> counted = new HashMap<>();

  /** What was counted since the last time, by VPC. */
  private final Map<String, FlowWindow> windows = new HashMap<>();

  /** By the interface's id, a dot, and the name. */
  private final TreeMap<String, Behind> behind = new TreeMap<>();

  private Map<String, Behind> behindOf(String interfaceId) {
    return behind.subMap(interfaceId + ".", interfaceId + "/"); // the character after the dot
  }

  /** A network in which everything happens at once. */
  public SimNetwork(Timers timers) {
    this(timers, Duration.ZERO);
  }

  /**
   * A network.
   *
   * @param plugTime how long {@link #plug} takes
   */
  public SimNetwork(Timers timers, Duration plugTime) {
    this.timers = timers;
    this.plugTime = plugTime;
  }

  @Override
  public synchronized void putVpc(Vpc vpc) {
    vpcs.put(vpc.id(), vpc);
  }

  @Override
  public synchronized void removeVpc(String vpcId) {
    vpcs.remove(vpcId);
    groups.values().removeIf(group -> group.vpcId().equals(vpcId));
    interfaces.values().removeIf(eni -> eni.vpcId().equals(vpcId));
    subnets.values().removeIf(subnet -> subnet.vpcId().equals(vpcId));
    peerings
        .values()
        .removeIf(peering -> peering.vpcId().equals(vpcId) || peering.peerVpcId().equals(vpcId));
    owners.keySet().removeIf(place -> place.startsWith(vpcId + "/"));
    uses.keySet().retainAll(interfaces.keySet());
  }

  @Override
  public synchronized void putSecurityGroup(SecurityGroup group) {
    requireVpc(group.vpcId());
    groups.put(group.vpcId() + "/" + group.id(), group);
  }

  @Override
  public synchronized void removeSecurityGroup(String vpcId, String groupId) {
    groups.remove(vpcId + "/" + groupId);
  }

  @Override
  public synchronized void putSubnet(Subnet subnet) {
    requireVpc(subnet.vpcId());
    subnets.put(subnet.vpcId() + "/" + subnet.cidr(), subnet);
  }

  @Override
  public synchronized void removeSubnet(String vpcId, Cidr cidr) {
    subnets.remove(vpcId + "/" + cidr);
  }

  @Override
  public synchronized void putPeering(Peering peering) {
    requireVpc(peering.vpcId());
    requireVpc(peering.peerVpcId());
    peerings.put(peering.id(), peering);
  }

  @Override
  public synchronized void removePeering(String peeringId) {
    peerings.remove(peeringId);
  }

  @Override
  public synchronized void putInterface(NetworkInterface wanted) {
    requireVpc(wanted.vpcId());
    for (String address : wanted.addresses()) {
      if (!wanted.subnet().contains(Cidr.address(address))) {
        throw new IllegalArgumentException(address + " is not in " + wanted.subnet());
      }
      String owner = owners.get(wanted.vpcId() + "/" + address);
      if (owner != null && !owner.equals(wanted.id())) {
        throw new IllegalStateException(address + " belongs to " + owner);
      }
    }
    NetworkInterface before = interfaces.put(wanted.id(), wanted);
    if (before != null) {
      places(before).forEach(owners::remove);
    }
    places(wanted).forEach(place -> owners.put(place, wanted.id()));
  }

  @Override
  public synchronized Optional<String> owner(String publicAddress) {
    return interfaces.values().stream()
        .filter(eni -> eni.publicAddresses().containsValue(publicAddress))
        .map(NetworkInterface::id)
        .findFirst();
  }

  private static List<String> places(NetworkInterface eni) {
    return eni.all().stream().map(address -> eni.vpcId() + "/" + address).toList();
  }

  @Override
  public synchronized void removeInterface(String interfaceId) {
    behindOf(interfaceId).clear();
    NetworkInterface gone = interfaces.remove(interfaceId);
    if (gone != null) {
      places(gone).forEach(owners::remove);
    }
    uses.remove(interfaceId);
  }

  @Override
  public Optional<Path> plug(String interfaceId, Use use) {
    if (plugTime.isPositive() && plugged(interfaceId).isEmpty()) {
      timers.sleep(plugTime);
    }
    return plugNow(interfaceId, use);
  }

  private synchronized Optional<Path> plugNow(String interfaceId, Use use) {
    if (!interfaces.containsKey(interfaceId)) {
      throw new IllegalArgumentException("no interface " + interfaceId);
    }
    Use present = uses.putIfAbsent(interfaceId, use);
    if (present != null && present != use) {
      throw new IllegalStateException(interfaceId + " is in use as " + present);
    }
    return switch (use) {
      case NAMESPACE -> Optional.of(Path.of("/sim/netns", interfaceId));
      case SERVER, NAT_GATEWAY -> Optional.empty();
      case ATTACHED -> throw new IllegalArgumentException("attached, not plugged");
    };
  }

  @Override
  public synchronized void attach(String interfaceId, String hostId, int device) {
    if (!interfaces.containsKey(interfaceId)) {
      throw new IllegalArgumentException("no interface " + interfaceId);
    }
    if (uses.get(hostId) != Use.NAMESPACE) {
      throw new IllegalStateException("interface " + hostId + " is not plugged");
    }
    Use present = uses.putIfAbsent(interfaceId, Use.ATTACHED);
    if (present != null && present != Use.ATTACHED) {
      throw new IllegalStateException(interfaceId + " is in use as " + present);
    }
  }

  @Override
  public synchronized void unplug(String interfaceId) {
    behindOf(interfaceId).clear();
    uses.remove(interfaceId);
  }

  @Override
  public synchronized Map<String, Link> links(String vpcId) {
    Map<String, Link> found = new HashMap<>();
    uses.forEach((id, use) -> {
      NetworkInterface eni = interfaces.get(id);
      if (eni != null && eni.vpcId().equals(vpcId) && use != Use.SERVER) {
        found.put(id, links.getOrDefault(id, new Link(true, 0, 0, 0, 0)));
      }
    });
    return found;
  }

  @Override
  public synchronized void countFlows(String vpcId, Set<AddressBlock> blocks, Instant now) {
    if (blocks.isEmpty()) {
      counted.remove(vpcId);
      windows.remove(vpcId);
    } else if (vpcs.containsKey(vpcId)) {
      counted.put(vpcId, Set.copyOf(blocks));
      windows.putIfAbsent(vpcId, new FlowWindow(now, now, true, List.of()));
    }
  }

  @Override
  public synchronized List<FlowWindow> takeFlows(String vpcId, Instant now) {
    FlowWindow taken = windows.get(vpcId);
    if (taken == null) {
      return List.of();
    }
    windows.put(vpcId, new FlowWindow(now, now, true, List.of()));
    return List.of(new FlowWindow(taken.start(), now, taken.whole(), taken.flows()));
  }

  /** Whose flows are counted in a VPC. */
  public synchronized Set<AddressBlock> counted(String vpcId) {
    return counted.getOrDefault(vpcId, Set.of());
  }

  /**
   * Packets flow where they are counted.
   *
   * @param whole whether there was room for all of them
   */
  public synchronized void flows(String vpcId, boolean whole, Flow... flows) {
    windows.computeIfPresent(
        vpcId, (id, now) -> new FlowWindow(now.start(), now.end(), whole, List.of(flows)));
  }

  @Override
  public synchronized void countPackets(String interfaceId) {
    if (uses.get(interfaceId) != Use.SERVER) {
      throw new IllegalStateException(interfaceId + " is not plugged for the server");
    }
    packets.putIfAbsent(interfaceId, new Packets(0, Map.of()));
  }

  @Override
  public synchronized Map<String, Packets> packets(String vpcId) {
    Map<String, Packets> found = new HashMap<>();
    packets.forEach((id, counted) -> {
      NetworkInterface eni = interfaces.get(id);
      if (eni != null && eni.vpcId().equals(vpcId) && uses.get(id) == Use.SERVER) {
        found.put(id, counted);
      }
    });
    return found;
  }

  /** What an interface's packets are that was to be counted. */
  public synchronized void packets(String interfaceId, Packets counted) {
    packets.replace(interfaceId, counted);
  }

  /** What an interface's device is from now on. */
  public synchronized void link(String interfaceId, Link link) {
    links.put(interfaceId, link);
  }

  @Override
  public synchronized Optional<Use> plugged(String interfaceId) {
    return Optional.ofNullable(uses.get(interfaceId));
  }

  @Override
  public synchronized Path putBehind(String interfaceId, Behind wanted) {
    if (uses.get(interfaceId) != Use.NAMESPACE) {
      throw new IllegalStateException("interface " + interfaceId + " is not plugged");
    }
    String key = interfaceId + "." + wanted.name();
    behindOf(interfaceId)
        .forEach((other, present) -> {
          if (!other.equals(key)) {
            boolean portTaken =
                present.ports().stream()
                    .anyMatch(a ->
                        wanted.ports().stream()
                            .anyMatch(b -> a.protocol() == b.protocol() && a.port() == b.port()));
            if (portTaken || present.address().equals(wanted.address())) {
              throw new IllegalStateException(wanted + " takes what " + present + " has");
            }
          }
        });
    behind.put(key, wanted);
    return Path.of("/sim/netns", key);
  }

  @Override
  public synchronized void removeBehind(String interfaceId, String name) {
    behind.remove(interfaceId + "." + name);
  }

  /** Sockets of the host: there are no packets in here. */
  @Override
  public int onBehalf(String interfaceId) {
    return 0; // nothing here judges packets by it
  }

  @Override
  public Door openDoor(int port) {
    return new Door(DOORS.at(1), SocketSpace.HOST);
  }

  @Override
  public synchronized SocketSpace sockets(String vpcId) {
    requireVpc(vpcId);
    return SocketSpace.HOST;
  }

  @Override
  public void addNames(NameSource names) {
    sources.add(names);
  }

  @Override
  public synchronized List<String> outside(String name) {
    return outside.getOrDefault(name, List.of());
  }

  /** What a name means in the world outside from now on. */
  public synchronized void means(String name, String... addresses) {
    outside.put(name, List.of(addresses));
  }

  @Override
  public synchronized void retain(Set<String> vpcIds, Set<String> interfaceIds) {
    for (String id : Set.copyOf(vpcs.keySet())) {
      if (!vpcIds.contains(id)) {
        removeVpc(id);
      }
    }
    interfaces.keySet().retainAll(interfaceIds);
    uses.keySet().retainAll(interfaces.keySet());
  }

  @Override
  public synchronized void removeAll() {
    Set.copyOf(vpcs.keySet()).forEach(this::removeVpc);
  }

  @Override
  public void close() {
    sources.clear();
  }

  // What a test sees.

  /** Every peering that is put, by id. */
  public synchronized Map<String, Peering> peerings() {
    return Map.copyOf(peerings);
  }

  /** What was last put of a subnet. */
  public synchronized Optional<Subnet> subnet(String vpcId, String cidr) {
    return Optional.ofNullable(subnets.get(vpcId + "/" + cidr));
  }

  /** What was last put of a security group, in whichever VPC. */
  public synchronized Optional<SecurityGroup> securityGroup(String id) {
    return groups.values().stream().filter(group -> group.id().equals(id)).findFirst();
  }

  /** What was last put of a security group in a VPC. */
  public synchronized Optional<SecurityGroup> securityGroup(String vpcId, String id) {
    return Optional.ofNullable(groups.get(vpcId + "/" + id));
  }

  /** Every interface that is put, by id. */
  public synchronized Map<String, NetworkInterface> interfaces() {
    return Map.copyOf(interfaces);
  }

  /** What is behind interfaces, by the interface's id, a dot, and its name. */
  public synchronized Map<String, Behind> behind() {
    return Map.copyOf(behind);
  }

  /** Every interface that is plugged, by id. */
  public synchronized Map<String, Use> uses() {
    return Map.copyOf(uses);
  }

  /** What the resolver inside a VPC would answer to somebody outside it. */
  public Optional<List<String>> resolve(String vpcId, String name) {
    return resolve(vpcId, name, "0.0.0.0");
  }

  /** What the resolver inside a VPC would answer to who is at this address. */
  public synchronized Optional<List<String>> resolve(String vpcId, String name, String client) {
    Vpc vpc = vpcs.get(vpcId);
    if (vpc == null || !vpc.resolves()) {
      return Optional.empty();
    }
    return sources.stream()
        .map(source -> source.lookup(vpcId, name, client))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /** What the resolver inside a VPC would say that an address is called. */
  public synchronized Optional<String> reverse(String vpcId, String address) {
    Vpc vpc = vpcs.get(vpcId);
    if (vpc == null || !vpc.resolves()) {
      return Optional.empty();
    }
    return sources.stream()
        .map(source -> source.reverse(vpcId, address))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /**
   * Whether a new connection between two plugged interfaces would pass the security groups of both.
   *
   * @param protocol an IP protocol number
   */
  public synchronized boolean admits(String fromId, String toId, int protocol, int port) {
    NetworkInterface from = uses.containsKey(fromId) ? interfaces.get(fromId) : null;
    NetworkInterface to = uses.containsKey(toId) ? interfaces.get(toId) : null;
    return from != null
        && to != null
        && (from.vpcId().equals(to.vpcId())
            || peerings.values().stream()
                .anyMatch(peering -> peering.connects(from.vpcId(), to.vpcId())))
        && anyRule(from, SecurityGroup::egress, to, protocol, port)
        && anyRule(to, SecurityGroup::ingress, from, protocol, port);
  }

  private List<SecurityGroup> groupsOf(NetworkInterface eni) {
    return eni.securityGroups().stream()
        .map(id -> groups.get(eni.vpcId() + "/" + id))
        .filter(Objects::nonNull)
        .toList();
  }

  private boolean anyRule(
      NetworkInterface eni,
      Function<SecurityGroup, List<Rule>> rules,
      NetworkInterface peer,
      int protocol,
      int port) {
    return groupsOf(eni).stream()
        .flatMap(group -> rules.apply(group).stream())
        .anyMatch(
            rule -> speaksOf(rule, protocol, port) && matches(rule.peer(), eni.vpcId(), peer));
  }

  private static boolean speaksOf(Rule rule, int protocol, int port) {
    return rule.protocol() == ANY
        || (rule.protocol() == protocol && rule.fromPort() <= port && port <= rule.toPort());
  }

  private boolean matches(Peer wanted, String vpcId, NetworkInterface peer) {
    return switch (wanted) {
      case Peer.Block(AddressBlock block) -> peer.all().stream().anyMatch(block::contains);
      case Peer.Group(String group) ->
          peer.vpcId().equals(vpcId) && peer.securityGroups().contains(group);
      case Peer.Guests(String id, String group) -> {
        Peering peering = peerings.get(id);
        yield peering != null
            && peering.connects(vpcId, peer.vpcId())
            && peer.securityGroups().contains(group);
      }
    };
  }

  private void requireVpc(String vpcId) {
    if (!vpcs.containsKey(vpcId)) {
      throw new IllegalArgumentException("no VPC " + vpcId);
    }
  }
}
