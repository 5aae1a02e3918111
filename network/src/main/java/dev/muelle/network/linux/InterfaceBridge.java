package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Network.Behind;
import dev.muelle.network.Network.Lent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is behind one interface: namespaces on routed links of their own, whose packets leave under
 * the interface's address, and ports of that address that lead to them. All of it lies in the
 * interface's own namespace, and goes with it.
 *
 * @see <a href="https://docs.docker.com/engine/network/packet-filtering-firewalls/">What Docker's
 *     bridge does</a>
 */
final class InterfaceBridge {

  private static final String NEXT_HOP = Behind.BEHIND.at(1);
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Between an interface's id and the name of something behind it. */
  private static final char DOT = '.';

  /** In what nft prints of a map: {@code 49153 : 172.17.0.2 . 80}. */
  private static final Pattern ELEMENT = Pattern.compile("([0-9]+) : ([0-9.]+) \\. [0-9]+");

  private final KernelNames names;
  private final String interfaceId;
  private final String namespace;

  /** Names of what is here, put by this process or adopted from an earlier one. */
  private final Set<String> present = new HashSet<>();

  InterfaceBridge(KernelNames names, String interfaceId) {
    this.names = names;
    this.interfaceId = interfaceId;
    this.namespace = names.namespace(interfaceId);
  }

  /** The interface of a namespace's id; an interface's own is given as it is. */
  static String interfaceOf(String id) {
    int dot = id.indexOf(DOT);
    return dot < 0 ? id : id.substring(0, dot);
  }

  /** Knows what an earlier server left behind this interface, by the id of its namespace. */
  synchronized void adopt(String id) {
    present.add(id.substring(id.indexOf(DOT) + 1));
  }

  private String own(String name) {
    return names.namespace(interfaceId + DOT + name);
  }

  /** Every step can be repeated, so one that a crash cut off is made whole by the next. */
  synchronized Path put(Behind behind) {
    prepare();
    present.add(behind.name());
    String own = own(behind.name());
    Path path = NetworkNamespace.DIRECTORY.resolve(own);
    String link = KernelNames.veth(behind.name());
    if (!Files.exists(path)) {
      Command.run("ip", "netns", "add", own);
    }
    if (!attempt("ip", "-n", own, "link", "show", "dev", "eth0")) {
      Command.run(
          "ip", "link", "add", link, "netns", namespace, "type", "veth", "peer", "name", "eth0",
          "netns", own);
    }
    batch(
        namespace,
        """
        link set %1$s up
        route replace %2$s/32 dev %1$s
        """
            .formatted(link, behind.address()));
    batch(
        own,
        """
        link set lo up
        addr replace %1$s/32 dev eth0
        link set eth0 up
        route replace %2$s dev eth0 scope link
        route replace default via %2$s dev eth0 src %1$s
        """
            .formatted(behind.address(), NEXT_HOP));
    StringBuilder lent = new StringBuilder();
    for (Lent port : behind.ports()) {
      // Whatever it led to before: who lends a port twice has made sure that it is free.
      lent.append(
          "add element ip behind %s { %d : %s . %d }\n"
              .formatted(map(port.protocol()), port.port(), behind.address(), port.to()));
    }
    forget(behind.address());
    nft(lent.toString());
    return path;
  }

  private void prepare() {
    batch(namespace, "addr replace " + NEXT_HOP + "/32 dev lo\n");
    Path ipv4 = Path.of("/proc/sys/net/ipv4");
    try (NetworkNamespace inside = new NetworkNamespace(namespace)) {
      inside.call(() -> {
        Files.writeString(ipv4.resolve("conf/all/rp_filter"), "0");
        return Files.writeString(ipv4.resolve("ip_forward"), "1");
      });
    } catch (Exception e) {
      throw new IllegalStateException("no forwarding in " + namespace, e);
    }
    if (!enter("nft", "list", "tables").contains("table ip behind")) {
      nft(
          """
          table ip behind {
            map lent_tcp { type inet_service : ipv4_addr . inet_service; }
            map lent_udp { type inet_service : ipv4_addr . inet_service; }
            chain lend {
              fib daddr type != local return
              dnat ip to tcp dport map @lent_tcp
              dnat ip to udp dport map @lent_udp
            }
            chain prerouting {
              type nat hook prerouting priority dstnat; policy accept;
              jump lend
            }
            chain output {
              type nat hook output priority -100; policy accept;
              jump lend
            }
            chain postrouting {
              type nat hook postrouting priority srcnat; policy accept;
              ip saddr %s oifname "eth0" masquerade
            }
          }
          """
              .formatted(Behind.BEHIND));
    }
  }

  private static String map(int protocol) {
    return switch (protocol) {
      case TCP -> "lent_tcp";
      case UDP -> "lent_udp";
      default -> throw new IllegalArgumentException("protocol " + protocol);
    };
  }

  synchronized void remove(String name) {
    present.remove(name);
    String own = own(name);
    if (!Files.exists(NetworkNamespace.DIRECTORY.resolve(own))) {
      return;
    }
    if (Files.exists(NetworkNamespace.DIRECTORY.resolve(namespace))) {
      String route = attemptOutput("ip", "-n", own, "-4", "-o", "addr", "show", "dev", "eth0");
      Matcher address = Pattern.compile("inet ([0-9.]+)").matcher(route);
      if (address.find()) {
        forget(address.group(1));
      }
    }
    // With the one end of the veth goes the other, even if a dying process still holds it.
    attempt("ip", "-n", own, "link", "del", "eth0");
    Command.run("ip", "netns", "del", own);
  }

  /** Takes everything away that is here. */
  synchronized void removeAll() {
    Set.copyOf(present).forEach(this::remove);
  }

  /** No port leads to this address any more. */
  private void forget(String address) {
    if (!enter("nft", "list", "tables").contains("table ip behind")) {
      return;
    }
    for (String map : List.of("lent_tcp", "lent_udp")) {
      List<String> ports = new ArrayList<>();
      Matcher element = ELEMENT.matcher(enter("nft", "-n", "list", "map", "ip", "behind", map));
      while (element.find()) {
        if (element.group(2).equals(address)) {
          ports.add(element.group(1));
        }
      }
      if (!ports.isEmpty()) {
        nft("delete element ip behind %s { %s }\n".formatted(map, String.join(", ", ports)));
      }
    }
  }

  private void nft(String script) {
    if (!script.isEmpty()) {
      Command.runWith(
          script,
          "nsenter",
          "--net=" + NetworkNamespace.DIRECTORY.resolve(namespace),
          "nft",
          "-f",
          "-");
    }
  }

  private String enter(String... command) {
    List<String> whole = new ArrayList<>();
    whole.add("nsenter");
    whole.add("--net=" + NetworkNamespace.DIRECTORY.resolve(namespace));
    whole.addAll(List.of(command));
    return Command.run(whole.toArray(String[]::new));
  }

  private static void batch(String inNamespace, String batch) {
    Command.runWith(batch, "ip", "-n", inNamespace, "-batch", "-");
  }

  private static boolean attempt(String... command) {
    return Command.attempt(List.of(command), Map.of(), "", PATIENCE).ok();
  }

  private static String attemptOutput(String... command) {
    return Command.attempt(List.of(command), Map.of(), "", PATIENCE).output();
  }
}
