package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.linux.NetworkNamespaces;
import dev.muelle.linux.RouteSocket;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.network.Network.Link;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Packets;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SocketSpace;
import dev.muelle.network.Subnet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One VPC in the kernel: its routing namespace, its filters, and the interfaces behind it. */
final class VpcNamespace implements SocketSpace {

  /** The next hop of every interface: local to the VPC's namespace, which answers ARP for it. */
  static final String GATEWAY = "169.254.1.1";

  private static final int LOCKS = 64;

  /** So many, and all is stated anew: an atom that costs as much as all of it. */
  private static final int MOST_HUSKS = 64;

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Set<String> SERVICES =
      Set.of(GATEWAY, "169.254.169.253", "169.254.169.254", "169.254.170.2");

  private final KernelNames names;
  private Vpc vpc;
  private final String namespace;
  private final NetworkNamespace inside;
  private final Filters filters;
  private final Uplink uplink;
  private final boolean adopting;
  private final Plugs plugs;
  private final Ways ways;
  private final FlowCounters flows;
  private final PacketCounters packets;
  private final Guests guests;

  private final Adopted adopted = new Adopted();

  /** Held for reading by every change, for writing by who states everything anew. */
  private final ReentrantReadWriteLock whole = new ReentrantReadWriteLock();

  /** One interface's changes wait for each other, but not for another's. */
  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  /** For groups, subnets, routes, the uplink, and what was adopted. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Whether answers to sockets under others' addresses find their way back to the server. */
  private final Set<Family> diverts = EnumSet.noneOf(Family.class);

  private final Map<String, SecurityGroup> groups = new HashMap<>();

  private final Map<String, NetworkInterface> interfaces = new ConcurrentHashMap<>();

  /** For whom the server sends under others' addresses. */
  private final Map<String, NetworkInterface> speakers = new ConcurrentHashMap<>();

  /** Lists of groups for which the filters have chains. */
  private final Set<Set<String>> lists = ConcurrentHashMap.newKeySet();

  /**
   * Groups that are gone, of which the kernel keeps empty chains and sets: others may lead there.
   */
  private int husks;

  /** Whether all that is in use is known here: not before who adopts has been told of it. */
  private boolean complete;

  VpcNamespace(KernelNames names, NetworkNamespaces maker, Vpc vpc) {
    this.names = names;
    this.vpc = vpc;
    this.namespace = names.namespace(vpc.id());
    this.inside = new NetworkNamespace(namespace);
    this.filters = new Filters(inside);
    this.uplink = new Uplink(names, vpc.id(), namespace);
    this.adopting = Files.exists(inside.path());
    this.complete = !adopting;
    this.plugs = new Plugs(names, namespace, inside, maker);
    this.ways = new Ways(namespace, adopting, this::vpc, uplink, plugs, interfaces);
    this.flows = new FlowCounters(vpc, filters);
    this.packets = new PacketCounters(filters);
    this.guests = new Guests(filters);
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  String resolver() {
    return vpc.cidrs().getFirst().at(2);
  }

  Vpc vpc() {
    return vpc;
  }

  /** Makes the namespace, or adopts the one that an earlier server left running. */
  void create() {
    if (!adopting) {
      Command.run("ip", "netns", "add", namespace);
    }
    StringBuilder links = new StringBuilder("link set lo up\n");
    for (String service : SERVICES) {
      links.append("addr replace ").append(service).append("/32 dev lo\n");
    }
    links.append("addr replace ").append(resolver()).append("/32 dev lo\n");
    // What no route knows is dropped without a word, as in a VPC.
    links.append("route replace blackhole default metric 4000000000\n");
    Command.runWith(links.toString(), "ip", "-n", namespace, "-batch", "-");
    routeAsItWasTold();
    if (enter("nft", "list", "tables").contains(Ruleset.TABLE)) {
      filters.apply(FlowCounters.missing() + PacketCounters.missing() + Ruleset.missing());
      flows.adopt(filters.sets());
      // Those of now: what an earlier server knew as the VPC's own is replaced by retain.
      filters.apply(Ruleset.inside(List.of(), vpc.cidrs6()));
      adopted.read(this::listed);
    } else {
      filters.apply(Ruleset.base(vpc, List.of()));
    }
    routeIpv6();
  }

  /** Says which IPv6 blocks the VPC has from now on. */
  void put(Vpc wanted) {
    whole.writeLock().lock();
    try {
      Vpc before = vpc;
      vpc = wanted;
      if (!wanted.cidrs6().equals(before.cidrs6())) {
        filters.apply(Ruleset.inside(before.cidrs6(), wanted.cidrs6()));
        routeIpv6();
        reroute();
      }
    } finally {
      whole.writeLock().unlock();
    }
  }

  /** A VPC without IPv6 pays nothing for it. */
  private void routeIpv6() {
    if (vpc.cidrs6().isEmpty() || !Family.knowsIpv6()) {
      return;
    }
    Command.run(
        "ip",
        "-6",
        "-n",
        namespace,
        "route",
        "replace",
        "blackhole",
        "default",
        "metric",
        "4000000000");
    try {
      inside.call(() -> Files.writeString(Family.settings("conf/all/forwarding"), "1"));
    } catch (Exception e) {
      throw new IllegalStateException("no forwarding of IPv6 in " + namespace, e);
    }
  }

  /** It forwards, and does not judge by the way back; the kernel shows each namespace its own. */
  private void routeAsItWasTold() {
    Path ipv4 = Path.of("/proc/sys/net/ipv4");
    try {
      inside.call(() -> {
        withoutOwnAddresses();
        Files.writeString(ipv4.resolve("conf/all/rp_filter"), "0");
        return Files.writeString(ipv4.resolve("ip_forward"), "1");
      });
    } catch (Exception e) {
      throw new IllegalStateException("no forwarding in " + namespace, e);
    }
  }

  /**
   * Links that come into the calling thread's namespace from now on get no IPv6 addresses of their
   * own making; see {@link RouteSocket#withoutOwnAddress}.
   *
   * @see <a href="https://docs.kernel.org/networking/ip-sysctl.html">addr_gen_mode</a>
   */
  private static void withoutOwnAddresses() {
    Path mode = Path.of("/proc/sys/net/ipv6/conf/default/addr_gen_mode");
    try {
      if (Files.exists(mode)) {
        Files.writeString(mode, "1");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void put(Subnet subnet) {
    whole.readLock().lock();
    lock.lock();
    try {
      Subnet before = ways.subnet(subnet.cidr());
      if (subnet.equals(before)) {
        return;
      }
      boolean same =
          before != null
              && before.acl().equals(subnet.acl())
              && Objects.equals(before.cidr6(), subnet.cidr6())
              && before.reached() == subnet.reached();
      boolean untouched = before == null && !adopting && subnet.open() && !subnet.reached();
      if (!same && !untouched) {
        filters.apply(SubnetRules.of(subnet, before == null ? null : before.cidr6()));
      }
      ways.put(subnet);
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  /**
   * Knows its end of a peering, which is there.
   *
   * @param other who is at the other end
   * @param next the link address of the other end
   * @param next6 its link-local one
   */
  void peer(String peeringId, VpcNamespace other, String next, String next6) {
    whole.readLock().lock();
    lock.lock();
    try {
      ways.peer(peeringId, next, next6);
      guests.peer(peeringId, Collections.unmodifiableMap(other.interfaces));
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  void unpeer(String peeringId) {
    whole.readLock().lock();
    lock.lock();
    try {
      ways.unpeer(peeringId);
      guests.unpeer(peeringId);
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  /** An interface at the other end of a peering has changed, come or gone. */
  void guest(String peeringId, String interfaceId) {
    whole.readLock().lock();
    lock.lock();
    try {
      guests.follow(peeringId, interfaceId);
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  /** The groups whose rules may name others' have changed. */
  private void nameGuests(Stream<SecurityGroup> changed) {
    if (!changed.allMatch(group -> Guests.named(group).isEmpty())) {
      guests.name(
          groups.values().stream()
              .flatMap(group -> Guests.named(group).stream())
              .collect(Collectors.toSet()));
    }
  }

  /** Something that routes lead to has come or gone. */
  private void reroute() {
    lock.lock();
    try {
      ways.again();
    } finally {
      lock.unlock();
    }
  }

  void removeSubnet(Cidr cidr) {
    whole.readLock().lock();
    lock.lock();
    try {
      Subnet gone = ways.remove(cidr);
      if (gone != null) {
        filters.apply(SubnetRules.without(cidr, gone.cidr6()));
      }
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  void put(SecurityGroup group) {
    whole.readLock().lock();
    lock.lock();
    try {
      SecurityGroup before = groups.get(group.id());
      if (!group.equals(before)) {
        filters.apply(new GroupRules(group).script(before == null ? null : new GroupRules(before)));
        groups.put(group.id(), group); // only now: what failed is to be tried again
      }
      nameGuests(Stream.concat(Stream.ofNullable(before), Stream.of(group)));
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  void removeGroup(String groupId) {
    whole.readLock().lock();
    lock.lock();
    try {
      SecurityGroup gone = groups.get(groupId);
      if (gone == null) {
        return;
      }
      filters.apply(new GroupRules(gone).removal());
      groups.remove(groupId); // only now, as above
      nameGuests(Stream.of(gone));
      husks++;
      if (husks < MOST_HUSKS) {
        return;
      }
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
    withoutHusks();
  }

  /** The kernel holds what is in use, and nothing else, from now on. */
  private void withoutHusks() {
    whole.writeLock().lock();
    try {
      if (husks >= MOST_HUSKS && complete) {
        sayAnew();
      }
    } finally {
      whole.writeLock().unlock();
    }
  }

  /** Changes one interface. */
  private void alone(String interfaceId, Runnable work) {
    ReentrantLock mine = locks[Math.floorMod(interfaceId.hashCode(), LOCKS)];
    whole.readLock().lock();
    mine.lock();
    try {
      work.run();
    } finally {
      mine.unlock();
      whole.readLock().unlock();
    }
  }

  void put(NetworkInterface eni) {
    alone(eni.id(), () -> putNow(eni));
  }

  private void putNow(NetworkInterface eni) {
    NetworkInterface before = interfaces.get(eni.id());
    if (eni.equals(before)) {
      return;
    }
    String gone;
    lock.lock();
    try {
      gone = before != null ? Ruleset.withoutInterface(before) : adopted.forgetting(eni);
      use(eni.id(), Set.copyOf(eni.publicAddresses().values()));
    } finally {
      lock.unlock();
    }
    Set<String> list = Set.copyOf(eni.securityGroups());
    String chains =
        list.isEmpty() || lists.contains(list) ? "" : Ruleset.chains(eni.securityGroups());
    filters.apply(gone + chains + Ruleset.networkInterface(eni) + speaks(eni));
    speakers.replace(eni.id(), eni);
    plugs.readdress(eni, before == null ? List.of() : before.further());
    lists.add(list); // only now, and so the rest: what failed is to be tried again
    interfaces.put(eni.id(), eni);
    lock.lock();
    try {
      adopted.learnt(eni.all());
      flows.know(eni.id(), eni.all());
      packets.change(eni);
    } finally {
      lock.unlock();
    }
    if (before == null ? eni.forwards() : before.forwards() != eni.forwards()) {
      reroute();
    }
    if (before == null && NetworkNamespaces.exists(names.namespace(eni.id()))) {
      if (leads(eni, plugs.adopt(eni))) { // what an earlier server plugged is plugged still
        reroute();
      }
    }
  }

  /** Whoever sends for an interface goes by the groups that it has from now on. */
  private String speaks(NetworkInterface eni) {
    NetworkInterface before = speakers.get(eni.id());
    return before == null ? "" : Ruleset.speaker("delete", before) + Ruleset.speaker("add", eni);
  }

  /** Whether routes lead to an interface, if they say so. */
  private static boolean leads(NetworkInterface eni, Use use) {
    return use == Use.NAT_GATEWAY || eni.forwards();
  }

  /** Routes that lead out follow the uplink's coming and going. */
  private void use(String interfaceId, Set<String> outside) {
    boolean before = uplink.present();
    uplink.use(interfaceId, outside);
    if (uplink.present() != before) {
      reroute();
    }
  }

  /** The path of an interface's own namespace. */
  Path taskNamespace(String interfaceId) {
    return plugs.namespace(interfaceId);
  }

  void plug(NetworkInterface eni, Use use) {
    alone(
        eni.id(),
        () -> {
          if (plugs.plug(eni, use) && leads(eni, use)) {
            reroute();
          }
        });
  }

  /** Makes an interface a further device of a plugged one's namespace. */
  void attach(NetworkInterface eni, String hostId, int number) {
    alone(
        eni.id(),
        () -> {
          if (plugs.attach(eni, hostId, number) && eni.forwards()) {
            reroute();
          }
        });
  }

  void unplug(String interfaceId) {
    alone(interfaceId, () -> unplugNow(interfaceId));
  }

  private void unplugNow(String interfaceId) {
    NetworkInterface eni = interfaces.get(interfaceId);
    Use use = plugs.release(interfaceId);
    if (eni == null || use == null) {
      return;
    }
    if (leads(eni, use)) {
      reroute(); // first nobody is led there any more
    }
    plugs.takeDown(eni, use);
    if (use == Use.SERVER) {
      lock.lock();
      try {
        packets.stop(interfaceId);
      } finally {
        lock.unlock();
      }
    }
  }

  void removeInterface(String interfaceId) {
    alone(interfaceId, () -> removeNow(interfaceId));
  }

  private void removeNow(String interfaceId) {
    unplugNow(interfaceId);
    NetworkInterface eni = interfaces.get(interfaceId);
    if (eni != null) {
      NetworkInterface speaker = speakers.get(interfaceId);
      filters.apply(
          (speaker == null ? "" : Ruleset.speaker("delete", speaker))
              + Ruleset.withoutInterface(eni));
      speakers.remove(interfaceId);
      interfaces.remove(interfaceId);
      lock.lock();
      try {
        use(interfaceId, Set.of());
      } finally {
        lock.unlock();
      }
    }
  }

  /** The mark of sockets that send for this interface under others' addresses. */
  int onBehalf(String interfaceId) {
    alone(
        interfaceId,
        () -> {
          NetworkInterface eni = known(interfaceId);
          lock.lock();
          try {
            divert(Family.IPV4);
            if (!eni.ipv6().isEmpty()) {
              divert(Family.IPV6);
            }
          } finally {
            lock.unlock();
          }
          if (!speakers.containsKey(interfaceId)) {
            filters.apply(Ruleset.speaker("add", eni));
            speakers.put(interfaceId, eni);
          }
        });
    return Ruleset.onBehalf(known(interfaceId));
  }

  private NetworkInterface known(String interfaceId) {
    return find(interfaceId)
        .orElseThrow(() -> new IllegalArgumentException("no interface " + interfaceId));
  }

  /** Answers to what was sent on somebody's behalf come to the server. */
  private void divert(Family family) {
    if (!diverts.add(family)) {
      return;
    }
    String table = String.valueOf(Ruleset.DIVERTED);
    String mark = "0x" + Integer.toHexString(Ruleset.DIVERTED);
    String[] ip = {"ip", family.option(), "-n", namespace};
    Command.run(with(ip, "route", "replace", "local", "default", "dev", "lo", "table", table));
    if (!Command.run(with(ip, "rule", "show")).contains("fwmark " + mark + " ")) {
      Command.run(with(ip, "rule", "add", "fwmark", mark, "lookup", table, "pref", "900"));
    }
  }

  private static String[] with(String[] command, String... more) {
    return Stream.concat(Stream.of(command), Stream.of(more)).toArray(String[]::new);
  }

  Optional<NetworkInterface> find(String interfaceId) {
    return Optional.ofNullable(interfaces.get(interfaceId));
  }

  Optional<String> owner(String publicAddress) {
    return uplink.owner(publicAddress);
  }

  Optional<Use> plugged(String interfaceId) {
    return plugs.use(interfaceId);
  }

  /**
   * What the devices of interfaces carry: the kernel counts at this end what the other one does.
   */
  Map<String, Link> links() {
    return plugs.links();
  }

  /** Counts the flows of interfaces with addresses in these blocks from now on. */
  void countFlows(Set<AddressBlock> blocks, Instant now) {
    whole.readLock().lock();
    lock.lock();
    try {
      flows.count(blocks, now, filters::elements);
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  List<FlowWindow> takeFlows(Instant now) {
    whole.readLock().lock();
    lock.lock();
    try {
      List<FlowWindow> taken = flows.take(now, filters::elements);
      flows.forget(interfaces.keySet());
      return taken;
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  /** Counts the packets of an interface at which the server answers, until it is unplugged. */
  void countPackets(String interfaceId) {
    alone(
        interfaceId,
        () -> {
          NetworkInterface eni = known(interfaceId);
          if (plugs.use(interfaceId).filter(Use.SERVER::equals).isEmpty()) {
            throw new IllegalStateException(interfaceId + " is not plugged for the server");
          }
          lock.lock();
          try {
            packets.count(eni);
          } finally {
            lock.unlock();
          }
        });
  }

  Map<String, Packets> packets() {
    whole.readLock().lock();
    lock.lock();
    try {
      return packets.packets();
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  /** Drops what the filters still say of things that are gone. */
  void retain() {
    whole.writeLock().lock();
    try {
      if (adopting) {
        plugs.detachForgotten(interfaces.values());
      }
      sayAnew();
      complete = true;
      if (adopting) {
        ways.retain();
      }
      uplink.retain();
    } finally {
      whole.writeLock().unlock();
    }
  }

  /** Tells the kernel all that is known in place of all that it was told before. */
  private void sayAnew() {
    filters.apply(
        Ruleset.whole(vpc, ways.subnets(), groups.values(), interfaces.values())
            + speakers.values().stream()
                .map(eni -> Ruleset.speaker("add", eni))
                .collect(Collectors.joining())
            + guests.anew()
            + flows.anew(filters::elements)
            + packets.anew(filters::elements));
    lists.clear();
    husks = 0;
  }

  void remove() {
    whole.writeLock().lock();
    try {
      plugs.removeAll();
      interfaces.clear();
      uplink.remove();
      close();
      deleteVpcNamespace();
    } finally {
      whole.writeLock().unlock();
    }
  }

  private void deleteVpcNamespace() {
    if (Files.exists(inside.path())) {
      Command.run("ip", "netns", "del", namespace);
    }
  }

  @Override
  public <T> T call(Callable<T> birth) throws Exception {
    return inside.call(birth);
  }

  void close() {
    lock.lock();
    try {
      plugs.close();
      filters.close();
      uplink.close();
      inside.close();
    } finally {
      lock.unlock();
    }
  }

  private String enter(String... command) {
    return Command.run(entered(command).toArray(String[]::new));
  }

  /** A map of the filters; empty if there is none: an older server's table has fewer. */
  private String listed(String map) {
    List<String> list = entered("nft", "list", "map", "inet", Ruleset.NAME, map);
    Command.Result result = Command.attempt(list, Map.of(), "", PATIENCE);
    if (!result.ok() && !result.error().contains("No such file or directory")) {
      throw new IllegalStateException(result.error());
    }
    return result.output();
  }

  private List<String> entered(String... command) {
    List<String> whole = new ArrayList<>(List.of("nsenter", "--net=" + inside.path()));
    whole.addAll(List.of(command));
    return whole;
  }
}
