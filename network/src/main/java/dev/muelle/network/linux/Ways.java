package dev.muelle.network.linux;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.Subnet;
import dev.muelle.network.Subnet.Target;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where the packets of one VPC's subnets go: their routes in the kernel, which lead nowhere as long
 * as what they lead to is not there. One caller at a time.
 */
final class Ways {

  /** The VPC's. */
  private final String namespace;

  private final RouteTables routes;
  private final RouteTables routes6;
  private final Supplier<Vpc> vpc;
  private final Uplink uplink;
  private final Plugs plugs;

  /** Those of the VPC, as they are at any time. */
  private final Map<String, NetworkInterface> interfaces;

  private final Map<Cidr, Subnet> subnets = new HashMap<>();

  /** How routes lead to peers, by the peering's id. */
  private final Map<String, Map<Family, String>> peers = new HashMap<>();

  Ways(
      String namespace,
      boolean adopting,
      Supplier<Vpc> vpc,
      Uplink uplink,
      Plugs plugs,
      Map<String, NetworkInterface> interfaces) {
    this.namespace = namespace;
    this.routes = new RouteTables(namespace, Family.IPV4, adopting);
    this.routes6 = new RouteTables(namespace, Family.IPV6, adopting);
    this.vpc = vpc;
    this.uplink = uplink;
    this.plugs = plugs;
    this.interfaces = interfaces;
  }

  @Nullable Subnet subnet(Cidr cidr) {
    return subnets.get(cidr);
  }

  Collection<Subnet> subnets() {
    return subnets.values();
  }

  void put(Subnet subnet) {
    route(subnet);
    Subnet before = subnets.put(subnet.cidr(), subnet);
    if (before != null && before.cidr6() != null && subnet.cidr6() == null) {
      routes6.remove(subnet.cidr());
    }
  }

  @Nullable Subnet remove(Cidr cidr) {
    Subnet gone = subnets.remove(cidr);
    if (gone != null) {
      routes.remove(cidr);
      routes6.remove(cidr);
    }
    return gone;
  }

  /**
   * A peering is there.
   *
   * @param next the link address of the other end
   * @param next6 its link-local one
   */
  void peer(String peeringId, String next, String next6) {
    String there = " dev " + KernelNames.peering(peeringId) + " onlink";
    peers.put(
        peeringId, Map.of(Family.IPV4, "via " + next + there, Family.IPV6, "via " + next6 + there));
    again();
  }

  void unpeer(String peeringId) {
    if (peers.remove(peeringId) != null) {
      again();
    }
  }

  /** Something that routes lead to has come or gone. */
  void again() {
    subnets.values().forEach(this::route);
  }

  private void route(Subnet subnet) {
    routes.put(subnet.cidr(), subnet.cidr(), vpc.get().cidrs(), ways(subnet, Family.IPV4));
    Cidr6 cidr6 = subnet.cidr6();
    if (cidr6 != null) {
      routes6.put(subnet.cidr(), cidr6, vpc.get().cidrs6(), ways(subnet, Family.IPV6));
    }
  }

  private Map<AddressBlock, String> ways(Subnet subnet, Family family) {
    Map<AddressBlock, String> ways = new HashMap<>();
    subnet.routes().stream()
        .filter(route -> Family.of(route.destination()) == family)
        .forEach(route -> ways.put(route.destination(), way(family, route.target())));
    return ways;
  }

  /** How a route leads to its target now, in the words of ip-route(8); empty if nowhere. */
  private String way(Family family, Target target) {
    return switch (target) {
      case Target.Internet() -> uplink.present() ? uplink.way(family) : "";
      case Target.EgressOnly() -> uplink.present() ? uplink.way(family) : "";
      case Target.Gateway(String id) -> {
        NetworkInterface eni = interfaces.get(id);
        yield eni != null && family == Family.IPV4 && is(id, Use.NAT_GATEWAY)
            ? "via " + eni.address() + " dev " + KernelNames.gateway(id) + " onlink"
            : "";
      }
      case Target.Interface(String id) -> {
        NetworkInterface eni = interfaces.get(id);
        boolean there = is(id, Use.NAMESPACE) || is(id, Use.ATTACHED);
        List<String> own = eni == null ? List.of() : Family.only(family, eni.all());
        yield eni != null && eni.forwards() && there && !own.isEmpty()
            ? "via " + own.getFirst() + " dev " + KernelNames.veth(id) + " onlink"
            : "";
      }
      case Target.Peer(String id) -> peers.getOrDefault(id, Map.of()).getOrDefault(family, "");
      case Target.Nowhere() -> "";
    };
  }

  private boolean is(String interfaceId, Use use) {
    return plugs.use(interfaceId).filter(use::equals).isPresent();
  }

  /** Drops what the kernel still has of an earlier server's subnets and peerings. */
  void retain() {
    routes.retain(subnets.keySet());
    routes6.retain(
        subnets.values().stream()
            .filter(subnet -> subnet.cidr6() != null)
            .map(Subnet::cidr)
            .toList());
    Peerings.retain(namespace, peers.keySet());
  }
}
