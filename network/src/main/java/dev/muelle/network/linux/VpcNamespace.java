package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One VPC in the kernel: its routing namespace, its filters, and the interfaces behind it. */
final class VpcNamespace implements SocketSpace {

  /** The next hop of every interface: local to the VPC's namespace, which answers ARP for it. */
  private static final String GATEWAY = "169.254.1.1";

  private static final Pattern ADDRESS = Pattern.compile("([0-9.]+) : jump");

  private static final Set<String> SERVICES =
      Set.of(GATEWAY, "169.254.169.253", "169.254.169.254", "169.254.170.2");

  private final KernelNames names;
  private final Vpc vpc;
  private final String namespace;
  private final NetworkNamespace inside;
  private final Uplink uplink;

  /** Addresses that the filters of an earlier server still know. */
  private final Set<String> adopted = new HashSet<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, SecurityGroup> groups = new HashMap<>();
  private final Map<String, NetworkInterface> interfaces = new LinkedHashMap<>();

  /** Written under the lock, read without it: nobody who only asks waits for a device. */
  private final Map<String, Use> plugged = new ConcurrentHashMap<>();

  VpcNamespace(KernelNames names, Vpc vpc) {
    this.names = names;
    this.vpc = vpc;
    this.namespace = names.namespace(vpc.id());
    this.inside = new NetworkNamespace(namespace);
    this.uplink = new Uplink(names, vpc.id(), namespace);
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
      nft(Ruleset.base(resolver()));
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
    lock.lock();
    try {
      if (!group.equals(groups.get(group.id()))) {
        nft(Ruleset.group(group));
        groups.put(group.id(), group); // only now: what failed is to be tried again
      }
    } finally {
      lock.unlock();
    }
  }

  void removeGroup(String groupId) {
    lock.lock();
    try {
      if (groups.remove(groupId) != null) {
        nft(Ruleset.withoutGroup(groupId));
      }
    } finally {
      lock.unlock();
    }
  }

  void put(NetworkInterface eni) {
    lock.lock();
    try {
      NetworkInterface before = interfaces.get(eni.id());
      if (eni.equals(before)) {
        return;
      }
      String gone =
          before != null
              ? Ruleset.withoutInterface(before)
              : adopted.remove(eni.address()) ? Ruleset.withoutAddress(eni.address()) : "";
      uplink.use(eni.id(), eni.internet());
      nft(gone + Ruleset.networkInterface(eni));
      interfaces.put(eni.id(), eni); // only now: what failed is to be tried again
      if (before == null) {
        adopt(eni);
      }
    } finally {
      lock.unlock();
    }
  }

  /** What an earlier server plugged is plugged still. */
  private void adopt(NetworkInterface eni) {
    if (Files.exists(taskNamespace(eni.id()))) {
      nft(Ruleset.bind(eni));
      plugged.put(eni.id(), Use.NAMESPACE);
    }
  }

  /** The path of an interface's own namespace. */
  Path taskNamespace(String interfaceId) {
    return NetworkNamespace.DIRECTORY.resolve(names.namespace(interfaceId));
  }

  void plug(NetworkInterface eni, Use use) {
    lock.lock();
    try {
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
    } finally {
      lock.unlock();
    }
  }

  private void plugNamespace(NetworkInterface eni) {
    String own = names.namespace(eni.id());
    String veth = KernelNames.veth(eni.id());
    try {
      ip(
          null,
          """
          netns add %1$s
          link add %2$s netns %3$s type veth peer name eth0 netns %1$s
          """
              .formatted(own, veth, namespace));
      ip(
          namespace,
          """
          link set %1$s up
          route replace %2$s/32 dev %1$s
          """
              .formatted(veth, eni.address()));
      ip(
          own,
          """
          link set lo up
          link set eth0 address %1$s
          addr add %2$s/32 dev eth0
          link set eth0 up
          route add %3$s dev eth0 scope link
          route add default via %3$s dev eth0 src %2$s
          """
              .formatted(eni.macAddress(), eni.address(), GATEWAY));
      nft(Ruleset.bind(eni));
    } catch (RuntimeException e) {
      deleteNamespace(own);
      throw e;
    }
  }

  void unplug(String interfaceId) {
    lock.lock();
    try {
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
        case NAMESPACE -> {
          nft(Ruleset.unbind(eni));
          deleteNamespace(names.namespace(interfaceId));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** With the namespace both ends of the veth go, even if a dying process still holds it. */
  private void deleteNamespace(String own) {
    if (Files.exists(NetworkNamespace.DIRECTORY.resolve(own))) {
      // A process that is not reaped yet keeps the namespace alive without its name.
      Command.attempt(
          List.of("ip", "-n", own, "link", "del", "eth0"), Map.of(), "", Duration.ofSeconds(10));
      Command.run("ip", "netns", "del", own);
    }
  }

  void removeInterface(String interfaceId) {
    lock.lock();
    try {
      unplug(interfaceId);
      NetworkInterface eni = interfaces.get(interfaceId);
      if (eni != null) {
        nft(Ruleset.withoutInterface(eni));
        interfaces.remove(interfaceId);
        uplink.use(interfaceId, false);
      }
    } finally {
      lock.unlock();
    }
  }

  Optional<NetworkInterface> find(String interfaceId) {
    lock.lock();
    try {
      return Optional.ofNullable(interfaces.get(interfaceId));
    } finally {
      lock.unlock();
    }
  }

  Optional<Use> plugged(String interfaceId) {
    return Optional.ofNullable(plugged.get(interfaceId));
  }

  /** Drops what the filters still say of things that are gone. */
  void retain(Set<String> interfaceIds) {
    lock.lock();
    try {
      for (String id : Set.copyOf(interfaces.keySet())) {
        if (!interfaceIds.contains(id)) {
          removeInterface(id);
        }
      }
      nft(
          Ruleset.whole(
              resolver(),
              groups.values(),
              interfaces.values(),
              interfaces.values().stream()
                  .filter(eni -> plugged.get(eni.id()) == Use.NAMESPACE)
                  .toList()));
    } finally {
      lock.unlock();
    }
  }

  void remove() {
    lock.lock();
    try {
      for (String id : Set.copyOf(interfaces.keySet())) {
        if (plugged.remove(id) == Use.NAMESPACE) {
          deleteNamespace(names.namespace(id));
        }
      }
      interfaces.clear();
      uplink.remove();
      inside.close();
      deleteVpcNamespace();
    } finally {
      lock.unlock();
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
    inside.close();
  }

  private void nft(String script) {
    Command.runWith(script, "nsenter", "--net=" + inside.path(), "nft", "-f", "-");
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
