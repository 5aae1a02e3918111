package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.RouteSocket;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A VPC's way to the world through the host, there as long as some interface has a public address.
 * The host routes these addresses here; what comes from here bears one of them, is never meant for
 * the host itself, and leaves the machine under the host's own address.
 */
final class Uplink {

  /** The VPC's end. */
  static final String INNER = "uplink0";

  private static final Path LINKS = Path.of("/sys/class/net");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** In what ip prints of routes: {@code 198.18.3.4 via 100.64.0.1}. */
  private static final Pattern ROUTE = Pattern.compile("(?m)^([0-9a-f.:]+) via ");

  private final KernelNames names;
  private final String vpcId;
  private final String namespace;

  /** Public addresses by interface; who only looks does not wait for who changes something. */
  private final Map<String, Set<String>> users = new ConcurrentHashMap<>();

  private @Nullable RouteSocket host;

  Uplink(KernelNames names, String vpcId, String namespace) {
    this.names = names;
    this.vpcId = vpcId;
    this.namespace = namespace;
  }

  /** Whether there is a way out now. */
  boolean present() {
    return !users.isEmpty();
  }

  Optional<String> owner(String outside) {
    return users.entrySet().stream()
        .filter(user -> user.getValue().contains(outside))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** How a route of the VPC leads out, in the words of ip-route(8). */
  String way(Family family) {
    return "via " + ends(family)[0] + " dev " + INNER;
  }

  /** The host's address on the link, and the VPC's. */
  private String[] ends(Family family) {
    return switch (family) {
      case IPV4 -> names.linkAddresses(vpcId);
      case IPV6 -> names.linkAddresses6(vpcId);
    };
  }

  /**
   * Says which public addresses an interface has.
   *
   * @throws IllegalStateException if one of them is another's on this machine
   */
  void use(String interfaceId, Set<String> outside) {
    Set<String> before = users.getOrDefault(interfaceId, Set.of());
    if (before.equals(outside)) {
      return;
    }
    if (users.isEmpty()) {
      create();
    }
    Set<String> routed = new HashSet<>(before);
    for (String address : outside) {
      if (routed.add(address)) {
        route(address);
        users.put(interfaceId, Set.copyOf(routed)); // also if the next one is another's
      }
    }
    if (outside.isEmpty()) {
      users.remove(interfaceId);
    } else {
      users.put(interfaceId, outside);
    }
    if (!users.isEmpty()) {
      before.stream().filter(address -> !outside.contains(address)).forEach(this::unroute);
    }
    if (users.isEmpty()) {
      remove(); // and with it its routes
    }
  }

  private void route(String outside) {
    Family family = Family.of(outside);
    if (family == Family.IPV6) {
      HostForwarding.ipv6(names);
    }
    RouteSocket routes = host();
    int link = routes.link(names.uplink(vpcId));
    try {
      routes.routeVia(address(outside), address(ends(family)[1]), link);
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.EEXIST) {
        throw e;
      }
      // An earlier server's, if it leads here.
      String present = Command.run("ip", family.option(), "route", "show", family.whole(outside));
      if (!present.contains("dev " + names.uplink(vpcId) + " ")) {
        throw new IllegalStateException(outside + " is in use on this machine: " + present, e);
      }
    }
  }

  private void unroute(String outside) {
    RouteSocket routes = host();
    try {
      routes.deleteRouteVia(
          address(outside), address(ends(Family.of(outside))[1]), routes.link(names.uplink(vpcId)));
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.ESRCH) {
        throw e;
      }
      // It is gone already.
    }
  }

  private static byte[] address(String text) {
    return switch (Family.of(text)) {
      case IPV4 -> ByteBuffer.allocate(Integer.BYTES).putInt(Cidr.address(text)).array();
      case IPV6 -> Cidr6.address(text);
    };
  }

  private RouteSocket host() {
    RouteSocket present = host;
    if (present == null) {
      present = RouteSocket.open();
      host = present;
    }
    return present;
  }

  /** Takes away what an earlier server left: routes of addresses that nobody has, or everything. */
  void retain() {
    if (users.isEmpty()) {
      if (Files.exists(LINKS.resolve(names.uplink(vpcId)))) {
        remove();
      }
      return;
    }
    String left =
        Command.run("ip", "-4", "route", "show", "dev", names.uplink(vpcId))
            + Command.run("ip", "-6", "route", "show", "dev", names.uplink(vpcId));
    ROUTE
        .matcher(left)
        .results()
        .map(route -> route.group(1))
        .filter(outside -> owner(outside).isEmpty())
        .forEach(this::unroute);
  }

  private void create() {
    String link = names.uplink(vpcId);
    String[] addresses = names.linkAddresses(vpcId);
    String[] addresses6 = names.linkAddresses6(vpcId);
    boolean ipv6 = Family.knowsIpv6();
    if (!Files.exists(LINKS.resolve(link))) {
      Command.runWith(
          """
          link add %1$s type veth peer name uplink0 netns %2$s
          addr add %3$s peer %4$s dev %1$s
          link set %1$s up
          """
                  .formatted(link, namespace, addresses[0], addresses[1])
              + (ipv6 ? link(addresses6[0], addresses6[1], "fe80::1", link) : ""),
          "ip",
          "-batch",
          "-");
      Command.runWith(
          """
          addr add %2$s peer %1$s dev uplink0
          link set uplink0 up
          """
                  .formatted(addresses[0], addresses[1])
              + (ipv6 ? link(addresses6[1], addresses6[0], "fe80::2", INNER) : ""),
          "ip",
          "-n",
          namespace,
          "-batch",
          "-");
    }
    Command.runWith(
        """
        table inet %1$s {
          set uplinks { type ifname; }
          chain input {
            type filter hook input priority filter; policy accept;
          }
          chain nat {
            type nat hook postrouting priority srcnat; policy accept;
          }
        }
        flush chain inet %1$s input
        flush chain inet %1$s nat
        add rule inet %1$s input iifname @uplinks ct state established,related accept
        add rule inet %1$s input iifname @uplinks icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
        add rule inet %1$s input iifname @uplinks drop
        add rule inet %1$s nat iifname @uplinks oifname != @uplinks ip saddr %3$s masquerade
        add rule inet %1$s nat iifname @uplinks oifname != @uplinks ip6 saddr %4$s masquerade
        add element inet %1$s uplinks { "%2$s" }
        """
            .formatted(names.hostTable(), link, Network.PUBLIC, Network.PUBLIC6),
        "nft",
        "-f",
        "-");
    HostForwarding.ipv4(names);
  }

  /**
   * The link's addresses of IPv6. The route to the other end is stated: the one that the kernel
   * makes for a peer's address comes a moment later, when routes by way of it may have been
   * refused.
   *
   * @param local under which this end asks for the other on behalf of those whom it forwards
   */
  private static String link(String own, String other, String local, String device) {
    return """
    addr add %1$s/128 dev %4$s nodad
    addr add %3$s/128 dev %4$s nodad
    route add %2$s/128 dev %4$s
    """
        .formatted(own, other, local, device);
  }

  /**
   * Takes an end on the host away, if it is still there: the kernel does the same, a moment after
   * the namespace of the other end has gone.
   */
  static void removeLink(String link) {
    boolean removed =
        Command.attempt(List.of("ip", "link", "del", link), Map.of(), "", PATIENCE).ok();
    if (!removed && Files.exists(LINKS.resolve(link))) {
      Command.run("ip", "link", "del", link);
    }
  }

  void remove() {
    String link = names.uplink(vpcId);
    removeLink(link);
    users.clear();
    if (Command.run("nft", "list", "tables").contains("table inet " + names.hostTable() + "\n")) {
      Command.runWith(
          """
          add element inet %1$s uplinks { "%2$s" }
          delete element inet %1$s uplinks { "%2$s" }
          """
              .formatted(names.hostTable(), link),
          "nft",
          "-f",
          "-");
      String rest = Command.run("nft", "list", "set", "inet", names.hostTable(), "uplinks");
      if (!rest.contains("elements")) {
        removeHostPart(names);
      }
    }
  }

  void close() {
    if (host != null) {
      host.close();
      host = null;
    }
  }

  /** Takes the host's table away, and with it this server's need of forwarding. */
  static void removeHostPart(KernelNames names) {
    if (Command.run("nft", "list", "tables").contains("table inet " + names.hostTable() + "\n")) {
      Command.run("nft", "delete", "table", "inet", names.hostTable());
    }
    HostForwarding.release(names);
  }
}
