package dev.muelle.services.ec2.plane;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.network.Network.Link;
import dev.muelle.network.Network.Peering;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.Subnet.Route;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.PeeringRecord;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociation;
import software.amazon.awssdk.services.ec2.model.Subnet;

/**
 * Brings the network to what is stored. Each method re-reads one resource and states it to the
 * network as a whole, so that repeating one does no harm; a change and its application happen
 * within {@link #alone}, so that two changes of one resource are applied in the order in which they
 * were stored.
 */
public final class DataPlane {

  /** Stands for no group at all: nothing is judged there. Nobody can name it. */
  private static final String UNFILTERED = "unfiltered";

  private static final Rule EVERYTHING =
      new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));

  private static final int LOCKS = 256;

  private final Store store;
  private final Network network;
  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  public DataPlane(Store store, Network network) {
    this.store = store;
    this.network = network;
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /** Runs work during which nobody else changes the resource with this id. Does not nest. */
  public <R> R alone(String id, Supplier<R> work) {
    ReentrantLock lock = locks[Math.floorMod(id.hashCode(), LOCKS)];
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  public void vpc(String id) {
    Optional<VpcRecord> stored = store.read(tx -> tx.get(Tables.VPCS, id)).map(Row::value);
    stored.ifPresentOrElse(
        vpc ->
            network.putVpc(
                new Vpc(
                    id,
                    List.of(Cidr.parse(vpc.vpc().cidrBlock())),
                    Ipv6.blocks(vpc.vpc()),
                    !vpc.withoutDns())),
        () -> network.removeVpc(id));
  }

  /** In its own VPC, and in each that it is associated with. */
  public void group(String id) {
    List<dev.muelle.network.SecurityGroup> everywhere =
        store.read(tx -> {
          SecurityGroup stored = Kind.GROUP.get(tx, id);
          List<SecurityGroupRule> rules = Tables.of(tx, Tables.RULES, "group", id);
          List<Rule> in = Permits.packets(tx, rules, false);
          List<Rule> out = Permits.packets(tx, rules, true);
          return Stream.concat(
                  Stream.of(stored.vpcId()),
                  Tables.of(tx, Tables.GROUP_VPCS, "group", id).stream()
                      .map(SecurityGroupVpcAssociation::vpcId))
              .map(vpc -> new dev.muelle.network.SecurityGroup(id, vpc, in, out))
              .toList();
        });
    everywhere.forEach(network::putSecurityGroup);
  }

  /** Something changed that a group's rules depend on. Not to be called within {@link #alone}. */
  public void groupAlone(String id) {
    alone(
        id,
        () -> {
          boolean there = store.read(tx -> tx.get(Tables.GROUPS, id)).isPresent();
          if (there) {
            group(id);
          }
          return there;
        });
  }

  public void groupGone(String vpcId, String id) {
    network.removeSecurityGroup(vpcId, id);
  }

  public void networkInterface(String id) {
    networkInterfaceWithout(id, List.of());
  }

  /** States an interface without some of its further addresses, which it is about to lose. */
  public void networkInterfaceWithout(String id, List<String> gone) {
    NetworkInterface stored = store.read(tx -> Kind.INTERFACE.get(tx, id));
    boolean unfiltered = unfiltered(stored);
    if (unfiltered) {
      network.putSecurityGroup(
          new dev.muelle.network.SecurityGroup(
              UNFILTERED, stored.vpcId(), List.of(EVERYTHING), List.of(EVERYTHING)));
    }
    network.putInterface(
        store.read(tx -> {
          NetworkInterface eni = Kind.INTERFACE.get(tx, id);
          return new Network.NetworkInterface(
              id,
              eni.vpcId(),
              Cidr.parse(Kind.SUBNET.get(tx, eni.subnetId()).cidrBlock()),
              eni.privateIpAddress(),
              eni.macAddress(),
              unfiltered
                  ? List.of(UNFILTERED)
                  : eni.groups().stream().map(GroupIdentifier::groupId).toList(),
              publicAddresses(tx, eni, gone),
              eni.privateIpAddresses().stream()
                  .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
                  .filter(address -> !gone.contains(address))
                  .toList(),
              Ipv6.addresses(eni).stream().filter(address -> !gone.contains(address)).toList(),
              !unfiltered && !eni.groups().isEmpty() && !eni.sourceDestCheck());
        }));
  }

  /** A network load balancer without security groups lets everybody in, as on AWS. */
  private static boolean unfiltered(NetworkInterface eni) {
    return eni.groups().isEmpty() && "network_load_balancer".equals(eni.interfaceTypeAsString());
  }

  /**
   * Addresses that the world reaches, or that may reach it; without a gateway there are none. One
   * of IPv6 is public by itself, unless its interface denies all that comes through gateways.
   */
  private static Map<String, String> publicAddresses(
      Tx tx, NetworkInterface eni, List<String> gone) {
    Map<String, String> all = new HashMap<>();
    if (Ways.gateway(tx, eni.vpcId()).isPresent()) {
      Associations.of(eni).forEach((address, one) -> all.put(address, one.publicIp()));
    }
    if (!eni.ipv6Addresses().isEmpty()
        && !Boolean.TRUE.equals(eni.denyAllIgwTraffic())
        && (Ways.gateway(tx, eni.vpcId()).isPresent()
            || Ways.egressOnly(tx, eni.vpcId()).isPresent())) {
      Ipv6.addresses(eni).forEach(address -> all.put(address, address));
    }
    all.keySet().removeAll(gone);
    return all;
  }

  private void subnet(String id) {
    Optional<dev.muelle.network.Subnet> wanted =
        store.read(tx -> tx.get(Tables.SUBNETS, id).map(row -> packets(tx, row.value())));
    wanted.ifPresent(network::putSubnet);
  }

  private static dev.muelle.network.Subnet packets(Tx tx, Subnet subnet) {
    RouteTable table = Ways.table(tx, subnet);
    List<Route> routes = new ArrayList<>();
    Ways.routes(tx, table)
        .forEach((block, route) -> {
          if (!Ways.LOCAL.equals(route.gatewayId())) {
            routes.add(new Route(block, Ways.target(tx, table, route)));
          }
        });
    return new dev.muelle.network.Subnet(
        subnet.vpcId(),
        Cidr.parse(subnet.cidrBlock()),
        Ipv6.block(subnet).orElse(null),
        routes,
        Edges.packets(Edges.acl(tx, subnet).entries()));
  }

  /** Something changed in a subnet's ways. Not to be called within {@link #alone}. */
  public void subnetAlone(String id) {
    alone(id, () -> applied(() -> subnet(id)));
  }

  /** A peering came to life or to its end. Not to be called within {@link #alone}. */
  public void peeringAlone(String id) {
    alone(
        id,
        () -> {
          Optional<PeeringRecord> active =
              store
                  .read(tx -> tx.get(Tables.PEERINGS, id))
                  .map(Row::value)
                  .filter(PeeringRecord::active);
          active.ifPresentOrElse(
              one ->
                  network.putPeering(
                      new Peering(
                          id,
                          one.connection().requesterVpcInfo().vpcId(),
                          one.connection().accepterVpcInfo().vpcId())),
              () -> network.removePeering(id));
          return true;
        });
  }

  public void subnetGone(Subnet subnet) {
    network.removeSubnet(subnet.vpcId(), Cidr.parse(subnet.cidrBlock()));
  }

  /**
   * Something changed that many ways of a VPC depend on: a route, or a gateway. Not to be called
   * within {@link #alone}.
   */
  public void ways(String vpcId) {
    List<String> addressed =
        store.read(tx ->
            Tables.of(tx, Tables.INTERFACES, "vpc", vpcId).stream()
                .filter(eni -> !Associations.of(eni).isEmpty() || !eni.ipv6Addresses().isEmpty())
                .map(NetworkInterface::networkInterfaceId)
                .toList());
    addressed.forEach(this::interfaceAlone);
    subnets(vpcId);
  }

  /** Something changed about an interface that may be gone by now. Not within {@link #alone}. */
  public void interfaceAlone(String id) {
    alone(
        id,
        () -> {
          boolean there = store.read(tx -> tx.get(Tables.INTERFACES, id)).isPresent();
          if (there) {
            networkInterface(id);
          }
          return there;
        });
  }

  private void subnets(String vpcId) {
    store.read(tx -> tx.find(Tables.SUBNETS, "vpc", vpcId)).forEach(row -> subnetAlone(row.key()));
  }

  /** Whether an interface has a public address now, in this region or another of this server. */
  public boolean taken(String publicAddress) {
    return network.owner(publicAddress).isPresent();
  }

  public void interfaceGone(String id) {
    network.removeInterface(id);
  }

  /** Brings an instance's interface to life. */
  public void plugInstance(String interfaceId) {
    network.plug(interfaceId, Use.NAMESPACE);
  }

  /** Brings an interface to life as a further device of an instance. */
  public void attach(String interfaceId, String hostId, int device) {
    network.attach(interfaceId, hostId, device);
  }

  /** Takes an interface down that stays. */
  public void unplug(String interfaceId) {
    network.unplug(interfaceId);
  }

  /** Brings a NAT gateway's interface to life. */
  public void plugGateway(String interfaceId) {
    network.plug(interfaceId, Use.NAT_GATEWAY);
  }

  /** Brings an interface to life at whose addresses the server answers. */
  public void plugServer(String interfaceId) {
    network.plug(interfaceId, Use.SERVER);
  }

  public Optional<Use> plugged(String interfaceId) {
    return network.plugged(interfaceId);
  }

  /** What the devices of a VPC's interfaces carry. */
  public Map<String, Link> links(String vpcId) {
    return network.links(vpcId);
  }

  /** Says whose flows in a VPC are to be counted. */
  public void countFlows(String vpcId, Set<AddressBlock> blocks, Instant now) {
    network.countFlows(vpcId, blocks, now);
  }

  /** What was counted of a VPC's flows since the last time. */
  public List<FlowWindow> takeFlows(String vpcId, Instant now) {
    return network.takeFlows(vpcId, now);
  }

  /** States everything that is stored, after a start; what runs is adopted by the network. */
  public void everything() {
    Known known = known();
    known.vpcs().forEach(id -> alone(id, () -> applied(() -> vpc(id))));
    known.groups().forEach(id -> alone(id, () -> applied(() -> group(id))));
    known.interfaces().forEach(id -> alone(id, () -> applied(() -> networkInterface(id))));
    store.read(tx -> tx.list(Tables.PEERINGS)).forEach(row -> peeringAlone(row.key()));
    known.vpcs().forEach(this::subnets); // last: routes lead to interfaces and peers
  }

  private static boolean applied(Runnable work) {
    work.run();
    return true;
  }

  public Known known() {
    return store.read(tx ->
        new Known(
            keys(tx.list(Tables.VPCS)),
            keys(tx.list(Tables.GROUPS)),
            keys(tx.list(Tables.INTERFACES))));
  }

  private static <T> Set<String> keys(List<Row<T>> rows) {
    Set<String> keys = new HashSet<>();
    rows.forEach(row -> keys.add(row.key()));
    return keys;
  }

  public record Known(Set<String> vpcs, Set<String> groups, Set<String> interfaces) {}
}
