package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.linux.NetworkNamespaces;
import dev.muelle.linux.RouteSocket;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SocketSpace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One VPC in the kernel: its routing namespace, its filters, and the interfaces behind it. */
final class VpcNamespace implements SocketSpace {

  /** The next hop of every interface: local to the VPC's namespace, which answers ARP for it. */
  private static final String GATEWAY = "169.254.1.1";

  private static final int LOCKS = 64;

  private static final Pattern ADDRESS = Pattern.compile("([0-9.]+) : jump");

  private static final Set<String> SERVICES =
      Set.of(GATEWAY, "169.254.169.253", "169.254.169.254", "169.254.170.2");

  private final KernelNames names;
  private final Vpc vpc;
  private final String namespace;
  private final NetworkNamespace inside;
  private final NetworkNamespaces maker;
  private final Filters filters;
  private final Uplink uplink;

  /** Addresses that the filters of an earlier server still know. */
  private final Set<String> adopted = new HashSet<>();

  /** Held for reading by every change, for writing by who states everything anew. */
  private final ReentrantReadWriteLock whole = new ReentrantReadWriteLock();

  /** One interface's changes wait for each other, but not for another's. */
  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  /** For groups, the uplink, and what was adopted. */
  private final ReentrantLock lock = new ReentrantLock();

  private @Nullable RouteSocket links;
  private final Map<String, SecurityGroup> groups = new HashMap<>();
  private final Map<String, NetworkInterface> interfaces = new ConcurrentHashMap<>();
  private final Map<String, Use> plugged = new ConcurrentHashMap<>();

  /** Lists of groups for which the filters have chains. */
  private final Set<Set<String>> lists = ConcurrentHashMap.newKeySet();

  VpcNamespace(KernelNames names, NetworkNamespaces maker, Vpc vpc) {
    this.names = names;
    this.maker = maker;
    this.vpc = vpc;
    this.namespace = names.namespace(vpc.id());
    this.inside = new NetworkNamespace(namespace);
    this.filters = new Filters(inside);
    this.uplink = new Uplink(names, vpc.id(), namespace);
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
    if (!Files.exists(inside.path())) {
      Command.run("ip", "netns", "add", namespace);
    }
    StringBuilder links = new StringBuilder("link set lo up\n");
    for (String service : SERVICES) {
      links.append("addr replace ").append(service).append("/32 dev lo\n");
    }
    links.append("addr replace ").append(resolver()).append("/32 dev lo\n");
    // What no route knows is dropped without a word, as in a VPC.
    links.append("route replace blackhole default metric 4000000000\n");
    ip(namespace, links.toString());
    routeAsItWasTold();
    if (enter("nft", "list", "tables").contains(Ruleset.TABLE)) {
      String known = enter("nft", "list", "map", "inet", "vpc", "egress");
      ADDRESS.matcher(known).results().map(found -> found.group(1)).forEach(adopted::add);
    } else {
      filters.apply(Ruleset.base(resolver()));
    }
  }

  /** It forwards, and does not judge by the way back; the kernel shows each namespace its own. */
  private void routeAsItWasTold() {
    Path ipv4 = Path.of("/proc/sys/net/ipv4");
    try {
      inside.call(() -> {
        Files.writeString(ipv4.resolve("conf/all/rp_filter"), "0");
        return Files.writeString(ipv4.resolve("ip_forward"), "1");
      });
    } catch (Exception e) {
      throw new IllegalStateException("no forwarding in " + namespace, e);
    }
  }

  void put(SecurityGroup group) {
    whole.readLock().lock();
    lock.lock();
    try {
      if (!group.equals(groups.get(group.id()))) {
        filters.apply(Ruleset.group(group));
        groups.put(group.id(), group); // only now: what failed is to be tried again
      }
    } finally {
      lock.unlock();
      whole.readLock().unlock();
    }
  }

  void removeGroup(String groupId) {
    whole.readLock().lock();
    lock.lock();
    try {
      if (groups.remove(groupId) != null) {
        filters.apply(Ruleset.withoutGroup(groupId));
      }
    } finally {
      lock.unlock();
      whole.readLock().unlock();
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
      gone =
          before != null
              ? Ruleset.withoutInterface(before)
              : adopted.contains(eni.address()) ? Ruleset.withoutAddress(eni.address()) : "";
      uplink.use(eni.id(), eni.internet());
    } finally {
      lock.unlock();
    }
    Set<String> list = Set.copyOf(eni.securityGroups());
    String chains = lists.contains(list) ? "" : Ruleset.chains(eni.securityGroups());
    filters.apply(gone + chains + Ruleset.networkInterface(eni));
    lists.add(list); // only now, and so the rest: what failed is to be tried again
    interfaces.put(eni.id(), eni);
    lock.lock();
    try {
      adopted.remove(eni.address());
    } finally {
      lock.unlock();
    }
    if (before == null && NetworkNamespaces.exists(names.namespace(eni.id()))) {
      plugged.put(eni.id(), Use.NAMESPACE); // what an earlier server plugged is plugged still
    }
  }

  /** The path of an interface's own namespace. */
  Path taskNamespace(String interfaceId) {
    return NetworkNamespace.DIRECTORY.resolve(names.namespace(interfaceId));
  }

  void plug(NetworkInterface eni, Use use) {
    alone(eni.id(), () -> plugNow(eni, use));
  }

  private void plugNow(NetworkInterface eni, Use use) {
    Use present = plugged.get(eni.id());
    if (present == use) {
      return;
    }
    if (present != null) {
      throw new IllegalStateException(eni.id() + " is in use as " + present);
    }
    switch (use) {
      case SERVER -> ip(namespace, "addr replace " + eni.address() + "/32 dev lo\n");
      case NAMESPACE -> plugNamespace(eni);
    }
    plugged.put(eni.id(), use);
  }

  private void plugNamespace(NetworkInterface eni) {
    String own = names.namespace(eni.id());
    String veth = KernelNames.veth(eni.id());
    int address = Cidr.address(eni.address());
    maker.create(
        own,
        fd -> {
          RouteSocket here = links();
          here.addPair(veth, "eth0", eni.macAddress(), fd);
          here.routeTo(address, here.link(veth));
          try (RouteSocket there = RouteSocket.open()) {
            there.up(there.link("lo"));
            int eth0 = there.link("eth0");
            there.address(eth0, address);
            there.up(eth0);
            int gateway = Cidr.address(GATEWAY);
            there.routeTo(gateway, eth0);
            there.defaultRoute(gateway, eth0, address);
          }
        });
  }

  private RouteSocket links() {
    lock.lock();
    try {
      if (links == null) {
        links = inside.call(RouteSocket::open);
      }
      return links;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      lock.unlock();
    }
  }

  void unplug(String interfaceId) {
    alone(interfaceId, () -> unplugNow(interfaceId));
  }

  private void unplugNow(String interfaceId) {
    NetworkInterface eni = interfaces.get(interfaceId);
    Use use = plugged.remove(interfaceId);
    if (eni == null || use == null) {
      return;
    }
    switch (use) {
      case SERVER ->
          Command.attempt(
              List.of("ip", "-n", namespace, "addr", "del", eni.address() + "/32", "dev", "lo"),
              Map.of(),
              "",
              Duration.ofSeconds(10));
      case NAMESPACE -> deleteNamespace(interfaceId);
    }
  }

  /** With the veth's one end both go, even if a dying process still holds the namespace. */
  private void deleteNamespace(String interfaceId) {
    maker.delete(
        names.namespace(interfaceId),
        () -> {
          try {
            links().deleteLink(KernelNames.veth(interfaceId));
          } catch (LinuxException e) {
            if (e.errno() != LinuxException.ENODEV) {
              throw e;
            }
            // It went with its namespace.
          }
        });
  }

  void removeInterface(String interfaceId) {
    alone(interfaceId, () -> removeNow(interfaceId));
  }

  private void removeNow(String interfaceId) {
    unplugNow(interfaceId);
    NetworkInterface eni = interfaces.get(interfaceId);
    if (eni != null) {
      filters.apply(Ruleset.withoutInterface(eni));
      interfaces.remove(interfaceId);
      lock.lock();
      try {
        uplink.use(interfaceId, false);
      } finally {
        lock.unlock();
      }
    }
  }

  Optional<NetworkInterface> find(String interfaceId) {
    return Optional.ofNullable(interfaces.get(interfaceId));
  }

  Optional<Use> plugged(String interfaceId) {
    return Optional.ofNullable(plugged.get(interfaceId));
  }

  /** Drops what the filters still say of things that are gone. */
  void retain(Set<String> interfaceIds) {
    whole.writeLock().lock();
    try {
      for (String id : Set.copyOf(interfaces.keySet())) {
        if (!interfaceIds.contains(id)) {
          removeNow(id);
        }
      }
      filters.apply(Ruleset.whole(resolver(), groups.values(), interfaces.values()));
      lists.clear();
    } finally {
      whole.writeLock().unlock();
    }
  }

  void remove() {
    whole.writeLock().lock();
    try {
      for (String id : Set.copyOf(interfaces.keySet())) {
        if (plugged.remove(id) == Use.NAMESPACE) {
          deleteNamespace(id);
        }
      }
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
      if (links != null) {
        links.close();
        links = null;
      }
      filters.close();
      inside.close();
    } finally {
      lock.unlock();
    }
  }

  private String enter(String... command) {
    String[] whole = new String[command.length + 2];
    whole[0] = "nsenter";
    whole[1] = "--net=" + inside.path();
    System.arraycopy(command, 0, whole, 2, command.length);
    return Command.run(whole);
  }

  private static void ip(@Nullable String inNamespace, String batch) {
    if (inNamespace == null) {
      Command.runWith(batch, "ip", "-batch", "-");
    } else {
      Command.runWith(batch, "ip", "-n", inNamespace, "-batch", "-");
    }
  }
}
