package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The "internet": a namespace of the test's behind the host, at a documentation address (RFC 5737)
 * that no other test's has: several may run at once. It has one of IPv6, too (RFC 3849).
 */
final class World implements AutoCloseable {

  /** Blocks of four addresses, two of which are used. */
  private static final int BLOCKS = 1 << 6;

  private final Cidr block;
  private final String namespace;
  private final String link;
  private final String net6 =
      "2001:db8:" + Integer.toHexString(1 + ThreadLocalRandom.current().nextInt(0xffff)) + "::";

  World(String instance) {
    block = free();
    namespace = "world-" + instance; // not our own: those that nobody knows are removed
    link = instance + "w";
    Command.run("ip", "netns", "add", namespace);
    Command.runWith(
        """
        link add %1$s type veth peer name eth0 netns %2$s
        addr add %3$s/30 dev %1$s
        addr add %4$s/64 dev %1$s nodad
        link set %1$s up
        """
            .formatted(link, namespace, host(), host6()),
        "ip",
        "-batch",
        "-");
    Command.runWith(
        """
        link set lo up
        addr add %s/30 dev eth0
        addr add %s/64 dev eth0 nodad
        link set eth0 up
        route add default via %s
        route add ::/0 via %s
        """
            .formatted(address(), address6(), host(), host6()),
        "ip",
        "-n",
        namespace,
        "-batch",
        "-");
  }

  private static Cidr free() {
    String taken = Command.run("ip", "-o", "-4", "addr", "show");
    while (true) {
      String net = ThreadLocalRandom.current().nextBoolean() ? "198.51.100." : "203.0.113.";
      Cidr block = Cidr.parse(net + 4 * ThreadLocalRandom.current().nextInt(BLOCKS) + "/30");
      if (!taken.contains(" " + block.at(1) + "/")) {
        return block;
      }
    }
  }

  /** The world's. */
  String address() {
    return block.at(2);
  }

  /** The host's, on the way there. */
  String host() {
    return block.at(1);
  }

  String address6() {
    return net6 + "2";
  }

  String host6() {
    return net6 + "1";
  }

  Path path() {
    return NetworkNamespace.DIRECTORY.resolve(namespace);
  }

  @Override
  public void close() {
    Command.run("ip", "link", "del", link);
    Command.run("ip", "netns", "del", namespace);
  }
}
