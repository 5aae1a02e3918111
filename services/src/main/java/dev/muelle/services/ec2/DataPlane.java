package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;

/**
 * Brings the network to what is stored. Each method re-reads one resource and states it to the
 * network as a whole, so that repeating one does no harm; a change and its application happen
 * within {@link #alone}, so that two changes of one resource are applied in the order in which they
 * were stored.
 */
final class DataPlane {

  private static final int LOCKS = 256;

  private final Store store;
  private final Network network;
  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  DataPlane(Store store, Network network) {
    this.store = store;
    this.network = network;
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /** Runs work during which nobody else changes the resource with this id. Does not nest. */
  <R> R alone(String id, Supplier<R> work) {
    ReentrantLock lock = locks[Math.floorMod(id.hashCode(), LOCKS)];
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  void vpc(String id) {
    Optional<VpcRecord> stored = store.read(tx -> tx.get(Tables.VPCS, id)).map(Row::value);
    stored.ifPresentOrElse(
        vpc -> network.putVpc(new Vpc(id, List.of(Cidr.parse(vpc.vpc().cidrBlock())))),
        () -> network.removeVpc(id));
  }

  void group(String id) {
    dev.muelle.network.SecurityGroup group =
        store.read(tx -> {
          SecurityGroup stored = Kind.GROUP.get(tx, id);
          List<SecurityGroupRule> rules = Tables.of(tx, Tables.RULES, "group", id);
          return new dev.muelle.network.SecurityGroup(
              id, stored.vpcId(), packets(rules, false), packets(rules, true));
        });
    network.putSecurityGroup(group);
  }

  private static List<Rule> packets(List<SecurityGroupRule> rules, boolean egress) {
    return rules.stream()
        .filter(rule -> rule.isEgress() == egress)
        .flatMap(rule -> Permissions.packets(rule).stream())
        .toList();
  }

  void groupGone(String vpcId, String id) {
    network.removeSecurityGroup(vpcId, id);
  }

  void networkInterface(String id) {
    network.putInterface(
        store.read(tx -> {
          NetworkInterface eni = Kind.INTERFACE.get(tx, id);
          return new Network.NetworkInterface(
              id,
              eni.vpcId(),
              Cidr.parse(Kind.SUBNET.get(tx, eni.subnetId()).cidrBlock()),
              eni.privateIpAddress(),
              eni.macAddress(),
              eni.groups().stream().map(GroupIdentifier::groupId).toList(),
              eni.association() != null && leadsOut(tx, eni));
        }));
  }

  void interfaceGone(String id) {
    network.removeInterface(id);
  }

  /** Brings an instance's interface to life. */
  void plugInstance(String interfaceId) {
    network.plug(interfaceId, Use.NAMESPACE);
  }

  Optional<Use> plugged(String interfaceId) {
    return network.plugged(interfaceId);
  }

  /** Whether the default route of the interface's subnet goes to an internet gateway. */
  private static boolean leadsOut(Tx tx, NetworkInterface eni) {
    return table(tx, eni.vpcId(), eni.subnetId()).stream()
        .flatMap(table -> table.routes().stream())
        .anyMatch(route ->
            "0.0.0.0/0".equals(route.destinationCidrBlock())
                && route.gatewayId() != null
                && route.gatewayId().startsWith("igw-"));
  }

  /** The subnet's own route table, otherwise the VPC's main one. */
  private static Optional<RouteTable> table(Tx tx, String vpcId, String subnetId) {
    List<RouteTable> tables = Tables.of(tx, Tables.ROUTE_TABLES, "vpc", vpcId);
    Stream<RouteTable> own =
        tables.stream()
            .filter(table ->
                table.associations().stream()
                    .anyMatch(association -> subnetId.equals(association.subnetId())));
    Stream<RouteTable> main =
        tables.stream()
            .filter(table ->
                table.associations().stream()
                    .anyMatch(association -> Boolean.TRUE.equals(association.main())));
    return Stream.concat(own, main).findFirst();
  }

  /** States everything that is stored, after a start; what runs is adopted by the network. */
  void everything() {
    Known known = known();
    known.vpcs().forEach(id -> alone(id, () -> applied(() -> vpc(id))));
    known.groups().forEach(id -> alone(id, () -> applied(() -> group(id))));
    known.interfaces().forEach(id -> alone(id, () -> applied(() -> networkInterface(id))));
  }

  private static boolean applied(Runnable work) {
    work.run();
    return true;
  }

  Known known() {
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

  record Known(Set<String> vpcs, Set<String> groups, Set<String> interfaces) {}
}
