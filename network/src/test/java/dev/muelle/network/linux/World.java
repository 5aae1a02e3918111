package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import java.nio.file.Path;

/** The "internet": a namespace of the test's behind the host, at a documentation address. */
final class World implements AutoCloseable {

  static final String ADDRESS = "198.51.100.2";

  /** The host's, on the way there. */
  static final String HOST = "198.51.100.1";

  private final String namespace;
  private final String link;

  World(String instance) {
    namespace = "world-" + instance; // not our own: those that nobody knows are removed
    link = instance + "w";
    Command.run("ip", "netns", "add", namespace);
    Command.runWith(
        """
        link add %1$s type veth peer name eth0 netns %2$s
        addr add %3$s/24 dev %1$s
        link set %1$s up
        """
            .formatted(link, namespace, HOST),
        "ip",
        "-batch",
        "-");
    Command.runWith(
        """
        link set lo up
        addr add %s/24 dev eth0
        link set eth0 up
        route add default via %s
        """
            .formatted(ADDRESS, HOST),
        "ip",
        "-n",
        namespace,
        "-batch",
        "-");
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
