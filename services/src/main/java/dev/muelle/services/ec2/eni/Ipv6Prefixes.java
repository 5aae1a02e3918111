package dev.muelle.services.ec2.eni;

import dev.muelle.network.Cidr6;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesResponse;

/**
 * Prefixes of IPv6 that interfaces of load balancers have: out of each no other interface has an
 * address. Packets know nothing of them, since load balancers send from there on behalf of others.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html">Prefix
 *     delegation</a>
 */
final class Ipv6Prefixes {

  /** What every prefix has. */
  private static final int LENGTH = 80;

  private final Store store;
  private final DataPlane plane;

  Ipv6Prefixes(Store store, DataPlane plane) {
    this.store = store;
    this.plane = plane;
  }

  /** The one prefix that an address can be in. */
  static String around(String address) {
    return Cidr6.around(address, LENGTH).toString();
  }

  /** What an interface has. */
  private static List<String> of(NetworkInterface eni) {
    return eni.ipv6Prefixes().stream().map(Ipv6PrefixSpecification::ipv6Prefix).toList();
  }

  private static String key(NetworkInterface eni, String prefix) {
    return eni.vpcId() + "/" + prefix;
  }

  /** An interface that goes gives back what it had. */
  static void giveBack(Tx tx, NetworkInterface eni) {
    of(eni).forEach(prefix -> tx.delete(Tables.ADDRESSES, key(eni, prefix)));
  }

  AssignIpv6AddressesResponse assign(AssignIpv6AddressesRequest request) {
    Refuse.unlessEffective(request, Set.of("NetworkInterfaceId", "Ipv6Prefixes"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    change(
        id,
        (tx, eni, all) -> {
          for (String prefix : request.ipv6Prefixes()) {
            if (!all.contains(prefix)) {
              take(tx, eni, prefix);
              all.add(prefix);
            }
          }
        });
    return AssignIpv6AddressesResponse.builder()
        .networkInterfaceId(id)
        .assignedIpv6Prefixes(request.ipv6Prefixes())
        .build();
  }

  private static void take(Tx tx, NetworkInterface eni, String prefix) {
    Subnet subnet = Kind.SUBNET.get(tx, eni.subnetId());
    Cidr6 block = Cidr6.parse(prefix);
    Cidr6 own =
        Ipv6.block(subnet)
            .filter(whole -> whole.contains(block) && block.prefix() == LENGTH)
            .orElseThrow(() ->
                Refuse.invalidValue(
                    "The prefix "
                        + prefix
                        + " is none of 80 bits within the subnet's address range"));
    boolean taken =
        block.contains(own.at(0))
            || block.contains(own.at(-1))
            || tx.get(Tables.ADDRESSES, key(eni, prefix)).isPresent()
            || tx.find(Tables.INTERFACES, "subnet", subnet.subnetId()).stream()
                .map(Row::value)
                .flatMap(one -> Ipv6.addresses(one).stream())
                .anyMatch(block::contains);
    if (taken) {
      throw Refuse.because("InvalidIPAddress.InUse", "Prefix " + prefix + " is in use.");
    }
    tx.insert(Tables.ADDRESSES, key(eni, prefix), eni.networkInterfaceId());
  }

  UnassignIpv6AddressesResponse unassign(UnassignIpv6AddressesRequest request) {
    Refuse.unlessEffective(request, Set.of("NetworkInterfaceId", "Ipv6Prefixes"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    change(
        id,
        (tx, eni, all) -> {
          if (!all.containsAll(request.ipv6Prefixes())) {
            throw SecondaryAddresses.notIts(id);
          }
          all.removeAll(request.ipv6Prefixes());
          request.ipv6Prefixes().forEach(one -> tx.delete(Tables.ADDRESSES, key(eni, one)));
        });
    return UnassignIpv6AddressesResponse.builder()
        .networkInterfaceId(id)
        .unassignedIpv6Prefixes(request.ipv6Prefixes())
        .build();
  }

  @FunctionalInterface
  private interface Change {

    void make(Tx tx, NetworkInterface eni, List<String> prefixes);
  }

  private void change(String id, Change change) {
    plane.alone(
        id,
        () ->
            store.write(tx -> {
              NetworkInterface eni = Kind.INTERFACE.get(tx, id);
              List<String> prefixes = new ArrayList<>(of(eni));
              change.make(tx, eni, prefixes);
              List<Ipv6PrefixSpecification> all =
                  prefixes.stream()
                      .map(one -> Ipv6PrefixSpecification.builder().ipv6Prefix(one).build())
                      .toList();
              return tx.put(Tables.INTERFACES, id, eni.toBuilder().ipv6Prefixes(all).build());
            }));
  }
}
