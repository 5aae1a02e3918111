package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * A VPC's way out through the host, there as long as some interface may use it. What comes in from
 * it is never meant for the host itself: it is forwarded, masqueraded, or dropped.
 */
final class Uplink {

  private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");

  private final KernelNames names;
  private final String vpcId;
  private final String namespace;
  private final Set<String> users = new HashSet<>();

  Uplink(KernelNames names, String vpcId, String namespace) {
    this.names = names;
    this.vpcId = vpcId;
    this.namespace = namespace;
  }

  /** Says whether an interface may use the uplink. */
  void use(String interfaceId, boolean may) {
    if (may) {
      if (users.isEmpty()) {
        create();
      }
      users.add(interfaceId);
    } else if (users.remove(interfaceId) && users.isEmpty()) {
      remove();
    }
  }

  private void create() {
    String link = names.uplink(vpcId);
    String[] addresses = names.uplinkAddresses(vpcId);
    if (!Files.exists(Path.of("/sys/class/net", link))) {
      Command.runWith(
          """
          link add %1$s type veth peer name uplink0 netns %2$s
          addr add %3$s peer %4$s dev %1$s
          link set %1$s up
          """
              .formatted(link, namespace, addresses[0], addresses[1]),
          "ip",
          "-batch",
          "-");
      Command.runWith(
          """
          addr add %2$s peer %1$s dev uplink0
          link set uplink0 up
          route add default via %1$s dev uplink0
          """
              .formatted(addresses[0], addresses[1]),
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
          set sources { type ipv4_addr; }
          chain input {
            type filter hook input priority filter; policy accept;
          }
          chain nat {
            type nat hook postrouting priority srcnat; policy accept;
          }
        }
        flush chain inet %1$s input
        flush chain inet %1$s nat
        add rule inet %1$s input iifname @uplinks drop
        add rule inet %1$s nat ip saddr @sources masquerade
        add element inet %1$s uplinks { "%2$s" }
        add element inet %1$s sources { %3$s }
        """
            .formatted(names.hostTable(), link, addresses[1]),
        "nft",
        "-f",
        "-");
    forward();
  }

  /** Remembers in /run, which a reboot clears as it clears the setting, that we switched it on. */
  private void forward() {
    try {
      if (Files.readString(FORWARDING).trim().equals("0")) {
        Files.writeString(forwardedMark(names), "");
        Files.writeString(FORWARDING, "1");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("packets cannot be forwarded", e);
    }
  }

  void remove() {
    String link = names.uplink(vpcId);
    if (Files.exists(Path.of("/sys/class/net", link))) {
      Command.run("ip", "link", "del", link);
    }
    users.clear();
    String[] addresses = names.uplinkAddresses(vpcId);
    if (Command.run("nft", "list", "tables").contains("table inet " + names.hostTable() + "\n")) {
      Command.runWith(
          """
          add element inet %1$s uplinks { "%2$s" }
          delete element inet %1$s uplinks { "%2$s" }
          add element inet %1$s sources { %3$s }
          delete element inet %1$s sources { %3$s }
          """
              .formatted(names.hostTable(), link, addresses[1]),
          "nft",
          "-f",
          "-");
      String rest = Command.run("nft", "list", "set", "inet", names.hostTable(), "sources");
      if (!rest.contains("elements")) {
        removeHostPart(names);
      }
    }
  }

  /** Takes the host's table away, and switches forwarding off again if it was we who did. */
  static void removeHostPart(KernelNames names) {
    if (Command.run("nft", "list", "tables").contains("table inet " + names.hostTable() + "\n")) {
      Command.run("nft", "delete", "table", "inet", names.hostTable());
    }
    try {
      if (Files.deleteIfExists(forwardedMark(names))) {
        Files.writeString(FORWARDING, "0");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("forwarding cannot be switched off", e);
    }
  }

  private static Path forwardedMark(KernelNames names) {
    return Path.of("/run", names.instance() + "-forwarding");
  }
}
