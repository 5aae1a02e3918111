package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.linux.NetworkNamespaces;
import dev.muelle.linux.RouteSocket;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Link;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where the interfaces of one VPC are: in namespaces of their own, as further devices of others',
 * or on the loopback device of the VPC's namespace, where the server answers. One change of an
 * interface at a time; those of several may be at once.
 */
final class Plugs implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final KernelNames names;

  /** The VPC's. */
  private final String namespace;

  private final NetworkNamespace inside;
  private final NetworkNamespaces maker;
  private final Together<Plugged> leaving = new Together<>(this::deleteNamespaces);
  private final Map<String, Use> uses = new ConcurrentHashMap<>();

  /** Those of interfaces that are devices of namespaces. */
  private final Map<String, Device> devices = new ConcurrentHashMap<>();

  /** For the socket. */
  private final ReentrantLock lock = new ReentrantLock();

  private @Nullable RouteSocket socket;

  Plugs(KernelNames names, String namespace, NetworkNamespace inside, NetworkNamespaces maker) {
    this.names = names;
    this.namespace = namespace;
    this.inside = inside;
    this.maker = maker;
  }

  Optional<Use> use(String interfaceId) {
    return Optional.ofNullable(uses.get(interfaceId));
  }

  /** The path of an interface's own namespace. */
  Path namespace(String interfaceId) {
    return NetworkNamespace.DIRECTORY.resolve(names.namespace(interfaceId));
  }

  /** Brings an interface to life; false if it was plugged so before. */
  boolean plug(NetworkInterface eni, Use use) {
    if (is(eni, use)) {
      return false;
    }
    switch (use) {
      case SERVER -> eni.all().forEach(this::addToLoopback);
      case NAMESPACE -> {
        make(eni, KernelNames.veth(eni.id()));
        devices.put(eni.id(), own(eni.id()));
        own(eni.id()).addresses(eni, eni.further(), Set.of());
      }
      case ATTACHED -> throw new IllegalArgumentException("attached, not plugged");
      case NAT_GATEWAY -> {
        make(eni, KernelNames.gateway(eni.id()));
        NatGateway.furnish(names.namespace(eni.id()), eni.address());
      }
    }
    uses.put(eni.id(), use);
    return true;
  }

  private boolean is(NetworkInterface eni, Use use) {
    Use present = uses.get(eni.id());
    if (present != null && present != use) {
      throw new IllegalStateException(eni.id() + " is in use as " + present);
    }
    return present != null;
  }

  private void make(NetworkInterface eni, String veth) {
    String own = names.namespace(eni.id());
    int address = Cidr.address(eni.address());
    maker.create(
        own,
        fd -> {
          RouteSocket here = routeSocket();
          here.addPair(veth, "eth0", eni.macAddress(), fd);
          here.routeTo(address, here.link(veth));
          try (RouteSocket there = RouteSocket.open()) {
            there.up(there.link("lo"));
            int eth0 = there.link("eth0");
            there.withoutOwnAddress(eth0);
            there.address(eth0, address);
            there.up(eth0);
            int gateway = Cidr.address(VpcNamespace.GATEWAY);
            there.routeTo(gateway, eth0);
            there.defaultRoute(gateway, eth0, address);
          }
        });
  }

  private RouteSocket routeSocket() {
    lock.lock();
    try {
      if (socket == null) {
        socket = inside.call(RouteSocket::open);
      }
      return socket;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      lock.unlock();
    }
  }

  /** Makes an interface a further device of a plugged one's namespace; false if it was before. */
  boolean attach(NetworkInterface eni, String hostId, int number) {
    if (is(eni, Use.ATTACHED)) {
      return false;
    }
    Device device =
        new Device(namespace, KernelNames.veth(eni.id()), names.namespace(hostId), number);
    device.make(eni);
    devices.put(eni.id(), device);
    uses.put(eni.id(), Use.ATTACHED);
    return true;
  }

  /** Knows what an earlier server plugged with a namespace of its own, and says as what. */
  Use adopt(NetworkInterface eni) {
    if (eni.securityGroups().isEmpty()) {
      NatGateway.furnish(names.namespace(eni.id()), eni.address());
      uses.put(eni.id(), Use.NAT_GATEWAY);
      return Use.NAT_GATEWAY;
    }
    devices.put(eni.id(), own(eni.id()));
    uses.put(eni.id(), Use.NAMESPACE);
    own(eni.id()).addresses(eni, eni.further(), Set.of());
    return Use.NAMESPACE;
  }

  private Device own(String interfaceId) {
    return new Device(namespace, KernelNames.veth(interfaceId), names.namespace(interfaceId), 0);
  }

  /** Gives a plugged interface the further addresses that it is to have. */
  void readdress(NetworkInterface eni, List<String> before) {
    if (eni.further().equals(before)) {
      return;
    }
    Use use = uses.get(eni.id());
    if (use == Use.SERVER) {
      Set<String> gone = new HashSet<>(before);
      eni.further().forEach(gone::remove);
      gone.forEach(this::removeFromLoopback);
      eni.further().forEach(this::addToLoopback);
    } else if (use != null) {
      Objects.requireNonNull(devices.get(eni.id())).addresses(eni, eni.further(), before);
    }
  }

  private void addToLoopback(String address) {
    Family family = Family.of(address);
    String atOnce = family == Family.IPV6 ? " nodad\n" : "\n";
    Command.runWith(
        "addr replace " + family.whole(address) + " dev lo" + atOnce,
        "ip",
        "-n",
        namespace,
        "-batch",
        "-");
  }

  private void removeFromLoopback(String address) {
    Command.attempt(
        List.of(
            "ip", "-n", namespace, "addr", "del", Family.of(address).whole(address), "dev", "lo"),
        Map.of(),
        "",
        PATIENCE);
  }

  /** From now on an interface is not plugged; how it was, if it was, is for {@link #takeDown}. */
  @Nullable Use release(String interfaceId) {
    return uses.remove(interfaceId);
  }

  /** Takes away what there is of an interface that is released. */
  void takeDown(NetworkInterface eni, Use use) {
    switch (use) {
      case SERVER -> eni.all().forEach(this::removeFromLoopback);
      case NAMESPACE -> {
        devices.remove(eni.id());
        leaving.serve(task(eni.id()));
      }
      case ATTACHED -> Objects.requireNonNull(devices.remove(eni.id())).take(eni);
      case NAT_GATEWAY -> leaving.serve(gateway(eni.id()));
    }
  }

  /**
   * An interface with a namespace of its own.
   *
   * @param veth its other end
   */
  private record Plugged(String namespace, String veth) {}

  private Plugged gateway(String interfaceId) {
    return new Plugged(names.namespace(interfaceId), KernelNames.gateway(interfaceId));
  }

  private Plugged task(String interfaceId) {
    return new Plugged(names.namespace(interfaceId), KernelNames.veth(interfaceId));
  }

  /** With a veth's one end both go, even if a dying process still holds the namespace. */
  private void deleteNamespaces(List<Plugged> all) {
    maker.delete(all.stream().map(Plugged::namespace).toList());
    routeSocket().deleteLinks(all.stream().map(Plugged::veth).toList());
  }

  /**
   * What the devices of interfaces carry: the kernel counts at this end what the other one does.
   */
  Map<String, Link> links() {
    Map<String, String> veths = new HashMap<>();
    uses.forEach((id, use) -> {
      if (use == Use.NAMESPACE || use == Use.ATTACHED) {
        veths.put(KernelNames.veth(id), id);
      }
    });
    return new LinkCounters(inside).read(veths);
  }

  /** Takes away what an earlier server had attached, and nobody attached since. */
  void detachForgotten(Collection<NetworkInterface> all) {
    String links = Command.run("ip", "-n", namespace, "-o", "link", "show");
    for (NetworkInterface eni : all) {
      String veth = KernelNames.veth(eni.id());
      if (!uses.containsKey(eni.id()) && links.contains(" " + veth + "@")) {
        new Device(namespace, veth, namespace, 0).take(eni);
      }
    }
  }

  /** Takes down all that has a namespace of its own; the rest goes with the VPC's. */
  void removeAll() {
    List<Plugged> all = new ArrayList<>();
    uses.forEach((id, use) -> {
      if (use == Use.NAMESPACE || use == Use.NAT_GATEWAY) {
        all.add(use == Use.NAMESPACE ? task(id) : gateway(id));
      }
    });
    uses.clear();
    if (!all.isEmpty()) {
      deleteNamespaces(all);
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (socket != null) {
        socket.close();
        socket = null;
      }
    } finally {
      lock.unlock();
    }
  }
}
