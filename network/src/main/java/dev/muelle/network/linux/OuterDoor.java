package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Door;
import java.nio.file.Files;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The server's own place in the world outside: a namespace behind the host, linked and routed as a
 * VPC is, in which the server opens sockets. What comes from VPCs under public addresses may come
 * in; nothing goes out but answers.
 */
final class OuterDoor implements AutoCloseable {

  /** In the namespace's name where others have a VPC's or an interface's id. */
  private static final String ID = "door";

  private final KernelNames names;
  private final String namespace;
  private final NetworkNamespace inside;
  private final Uplink uplink;
  private @Nullable Door opened;

  OuterDoor(KernelNames names) {
    this.names = names;
    namespace = names.namespace(ID);
    inside = new NetworkNamespace(namespace);
    uplink = new Uplink(names, ID, namespace);
  }

  /** Whether this is the open door's namespace. */
  synchronized boolean is(String id) {
    return opened != null && id.equals(ID);
  }

  synchronized Door open(int port) {
    if (opened == null) {
      if (!Files.exists(inside.path())) {
        Command.run("ip", "netns", "add", namespace);
      }
      String address = address();
      Command.runWith(
          """
          link set lo up
          addr replace %1$s/32 dev lo
          route replace default %2$s
          """
              .formatted(address, uplink.way(Family.IPV4)),
          "ip",
          "-n",
          namespace,
          "-batch",
          "-");
      admit(port);
      uplink.retain();
      opened = new Door(address, inside::call);
    }
    return opened;
  }

  /** The first address that is no other server's on this machine; each begins at one of its own. */
  private String address() {
    Cidr all = Network.DOORS;
    long first = Long.parseLong(KernelNames.hash(names.instance(), 8), 16);
    IllegalStateException taken = null;
    for (long i = 0; i < all.size(); i++) {
      String address = all.at((first + i) % all.size());
      try {
        uplink.use(ID, Set.of(address));
        return address;
      } catch (IllegalStateException e) {
        taken = e;
      }
    }
    throw new IllegalStateException("no address of " + all + " is free", taken);
  }

  private void admit(int port) {
    Command.runWith(
        """
        table inet door
        delete table inet door
        table inet door {
          chain input {
            type filter hook input priority filter; policy drop;
            ct state established,related accept
            iifname "uplink0" ip saddr %1$s tcp dport %2$d accept
          }
          chain forward {
            type filter hook forward priority filter; policy drop;
          }
          chain output {
            type filter hook output priority filter; policy drop;
            ct state established,related accept
          }
        }
        """
            .formatted(Network.PUBLIC, port),
        "nsenter",
        "--net=" + inside.path(),
        "nft",
        "-f",
        "-");
  }

  @Override
  public synchronized void close() {
    uplink.close();
    inside.close();
  }
}
