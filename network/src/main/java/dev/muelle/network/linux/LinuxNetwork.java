package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.linux.NetworkNamespaces;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.NameSource;
import dev.muelle.network.Network;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SocketSpace;
import dev.muelle.network.Subnet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** The VPC data plane in this machine's kernel. Needs root, iproute2 and nftables. */
public final class LinuxNetwork implements Network {

  /** Most of it happens under the kernel's one lock for links. */
  private static final int PLUGGED_AT_ONCE = 4;

  private final KernelNames names;
  private final NetworkNamespaces namespaces;
  private final Peerings peerings;
  private final OuterDoor door;
  private final Map<String, VpcNamespace> vpcs = new ConcurrentHashMap<>();
  private final Map<String, Resolver> resolvers = new ConcurrentHashMap<>();
  private final Map<String, String> vpcOfInterface = new ConcurrentHashMap<>();
  private final Map<String, InterfaceBridge> bridges = new ConcurrentHashMap<>();
  private final List<NameSource> sources = new CopyOnWriteArrayList<>();

  /**
   * A network of one server.
   *
   * @param instance at most 8 letters and digits: starts the name of everything made in the kernel
   */
  public LinuxNetwork(String instance) {
    if (!instance.matches("[a-z][a-z0-9]{1,7}")) {
      throw new IllegalArgumentException("instance " + instance + ": expected [a-z][a-z0-9]{1,7}");
    }
    names = new KernelNames(instance);
    peerings = new Peerings(names, this::vpc);
    door = new OuterDoor(names);
    namespaces = new NetworkNamespaces("net-" + instance, PLUGGED_AT_ONCE);
  }

  @Override
  public synchronized void putVpc(Vpc vpc) {
    VpcNamespace namespace = vpcs.get(vpc.id());
    if (namespace == null) {
      namespace = new VpcNamespace(names, namespaces, vpc);
      namespace.create();
      vpcs.put(vpc.id(), namespace);
    } else {
      namespace.put(vpc);
    }
    if (vpc.resolves() && !resolvers.containsKey(vpc.id())) {
      Resolver resolver =
          new Resolver(
              vpc.id(), sources, namespace, List.of(namespace.resolver(), "169.254.169.253"));
      resolver.start();
      resolvers.put(vpc.id(), resolver);
    } else if (!vpc.resolves()) {
      silence(vpc.id());
    }
  }

  private void silence(String vpcId) {
    Resolver resolver = resolvers.remove(vpcId);
    if (resolver != null) {
      resolver.close();
    }
  }

  @Override
  public synchronized void removeVpc(String vpcId) {
    silence(vpcId);
    peerings.forget(vpcId);
    VpcNamespace namespace = vpcs.remove(vpcId);
    if (namespace != null) {
      namespace.remove();
    }
    vpcOfInterface.values().removeIf(vpcId::equals);
  }

  @Override
  public void putSecurityGroup(SecurityGroup group) {
    vpc(group.vpcId()).put(group);
  }

  @Override
  public void removeSecurityGroup(String vpcId, String groupId) {
    VpcNamespace namespace = vpcs.get(vpcId);
    if (namespace != null) {
      namespace.removeGroup(groupId);
    }
  }

  @Override
  public void putSubnet(Subnet subnet) {
    vpc(subnet.vpcId()).put(subnet);
  }

  @Override
  public void removeSubnet(String vpcId, Cidr cidr) {
    VpcNamespace namespace = vpcs.get(vpcId);
    if (namespace != null) {
      namespace.removeSubnet(cidr);
    }
  }

  @Override
  public synchronized void putPeering(Peering peering) {
    peerings.put(peering);
  }

  @Override
  public synchronized void removePeering(String peeringId) {
    peerings.remove(peeringId);
  }

  @Override
  public void putInterface(NetworkInterface networkInterface) {
    vpc(networkInterface.vpcId()).put(networkInterface);
    vpcOfInterface.put(networkInterface.id(), networkInterface.vpcId());
    peerings.changed(networkInterface.vpcId(), networkInterface.id());
  }

  @Override
  public Optional<String> owner(String publicAddress) {
    return vpcs.values().stream().flatMap(vpc -> vpc.owner(publicAddress).stream()).findFirst();
  }

  @Override
  public void removeInterface(String interfaceId) {
    String vpcId = vpcOfInterface.remove(interfaceId);
    removeAllBehind(interfaceId);
    VpcNamespace namespace = vpcId == null ? null : vpcs.get(vpcId);
    if (namespace != null) {
      namespace.removeInterface(interfaceId);
      peerings.changed(namespace.vpc().id(), interfaceId);
    }
  }

  @Override
  public Optional<Path> plug(String interfaceId, Use use) {
    VpcNamespace namespace = ofInterface(interfaceId);
    NetworkInterface eni = namespace.find(interfaceId).orElseThrow(() -> unknown(interfaceId));
    namespace.plug(eni, use);
    return switch (use) {
      case NAMESPACE -> Optional.of(namespace.taskNamespace(interfaceId));
      case SERVER, NAT_GATEWAY -> Optional.empty();
      case ATTACHED -> throw new IllegalArgumentException("attached, not plugged");
    };
  }

  @Override
  public void attach(String interfaceId, String hostId, int device) {
    VpcNamespace namespace = ofInterface(interfaceId);
    NetworkInterface eni = namespace.find(interfaceId).orElseThrow(() -> unknown(interfaceId));
    if (namespace.plugged(hostId).filter(Use.NAMESPACE::equals).isEmpty()) {
      throw new IllegalStateException("interface " + hostId + " is not plugged");
    }
    namespace.attach(eni, hostId, device);
  }

  private void removeAllBehind(String interfaceId) {
    InterfaceBridge bridge = bridges.remove(interfaceId);
    if (bridge != null) {
      bridge.removeAll();
    }
  }

  @Override
  public void unplug(String interfaceId) {
    removeAllBehind(interfaceId);
    String vpcId = vpcOfInterface.get(interfaceId);
    VpcNamespace namespace = vpcId == null ? null : vpcs.get(vpcId);
    if (namespace != null) {
      namespace.unplug(interfaceId);
    }
  }

  @Override
  public Map<String, Link> links(String vpcId) {
    VpcNamespace namespace = vpcs.get(vpcId);
    return namespace == null ? Map.of() : namespace.links();
  }

  @Override
  public void countFlows(String vpcId, Set<AddressBlock> blocks, Instant now) {
    VpcNamespace namespace = vpcs.get(vpcId);
    if (namespace != null) {
      namespace.countFlows(blocks, now);
    }
  }

  @Override
  public List<FlowWindow> takeFlows(String vpcId, Instant now) {
    VpcNamespace namespace = vpcs.get(vpcId);
    return namespace == null ? List.of() : namespace.takeFlows(now);
  }

  @Override
  public void countPackets(String interfaceId) {
    ofInterface(interfaceId).countPackets(interfaceId);
  }

  @Override
  public Map<String, Packets> packets(String vpcId) {
    VpcNamespace namespace = vpcs.get(vpcId);
    return namespace == null ? Map.of() : namespace.packets();
  }

  @Override
  public Optional<Use> plugged(String interfaceId) {
    String vpcId = vpcOfInterface.get(interfaceId);
    VpcNamespace namespace = vpcId == null ? null : vpcs.get(vpcId);
    return namespace == null ? Optional.empty() : namespace.plugged(interfaceId);
  }

  @Override
  public Path putBehind(String interfaceId, Behind behind) {
    VpcNamespace namespace = ofInterface(interfaceId);
    if (namespace.plugged(interfaceId).filter(Use.NAMESPACE::equals).isEmpty()) {
      throw new IllegalStateException("interface " + interfaceId + " is not plugged");
    }
    return bridge(interfaceId).put(behind);
  }

  @Override
  public void removeBehind(String interfaceId, String name) {
    bridge(interfaceId).remove(name);
  }

  private InterfaceBridge bridge(String interfaceId) {
    return bridges.computeIfAbsent(interfaceId, id -> new InterfaceBridge(names, id));
  }

  @Override
  public int onBehalf(String interfaceId) {
    return ofInterface(interfaceId).onBehalf(interfaceId);
  }

  @Override
  public Door openDoor(int port) {
    return door.open(port);
  }

  @Override
  public SocketSpace sockets(String vpcId) {
    return vpc(vpcId);
  }

  @Override
  public void addNames(NameSource source) {
    sources.add(source);
  }

  @Override
  public List<String> outside(String name) {
    try {
      return Stream.of(InetAddress.getAllByName(name)).map(InetAddress::getHostAddress).toList();
    } catch (UnknownHostException e) {
      return List.of();
    }
  }

  @Override
  public void retain(Set<String> vpcIds, Set<String> interfaceIds) {
    for (String id : Set.copyOf(vpcs.keySet())) {
      if (!vpcIds.contains(id)) {
        removeVpc(id);
      }
    }
    for (String id : Set.copyOf(vpcOfInterface.keySet())) {
      if (!interfaceIds.contains(id)) {
        removeInterface(id);
      }
    }
    vpcs.values().forEach(VpcNamespace::retain);
    String prefix = names.namespace("");
    for (String left : namespaces()) {
      String whole = left.substring(prefix.length());
      if (door.is(whole)) {
        continue;
      }
      String id = InterfaceBridge.interfaceOf(whole);
      if (!vpcIds.contains(id) && !interfaceIds.contains(id)) {
        Command.run("ip", "netns", "del", left);
      } else if (!whole.equals(id)) {
        bridge(id).adopt(whole);
      }
    }
  }

  @Override
  public void removeAll() {
    for (String id : Set.copyOf(vpcs.keySet())) {
      removeVpc(id);
    }
    for (String left : namespaces()) {
      Command.run("ip", "netns", "del", left);
    }
    hostLinks().forEach(Uplink::removeLink);
    Uplink.removeHostPart(names);
  }

  /** Namespaces on this machine that carry our name, whoever made them. */
  private List<String> namespaces() {
    return entries(NetworkNamespace.DIRECTORY, names.namespace(""));
  }

  private List<String> hostLinks() {
    return entries(Path.of("/sys/class/net"), names.instance() + "u");
  }

  private static List<String> entries(Path directory, String prefix) {
    if (!Files.exists(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith(prefix))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    resolvers.values().forEach(Resolver::close);
    vpcs.values().forEach(VpcNamespace::close);
    door.close();
    namespaces.close();
  }

  private VpcNamespace ofInterface(String interfaceId) {
    String vpcId = vpcOfInterface.get(interfaceId);
    if (vpcId == null) {
      throw unknown(interfaceId);
    }
    return vpc(vpcId);
  }

  private VpcNamespace vpc(String vpcId) {
    VpcNamespace namespace = vpcs.get(vpcId);
    if (namespace == null) {
      throw new IllegalArgumentException("no VPC " + vpcId);
    }
    return namespace;
  }

  private static IllegalArgumentException unknown(String interfaceId) {
    return new IllegalArgumentException("no interface " + interfaceId);
  }
}
