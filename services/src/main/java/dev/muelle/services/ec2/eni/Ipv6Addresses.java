package dev.muelle.services.ec2.eni;

import dev.muelle.network.Cidr6;
import dev.muelle.services.Ids;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Address;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesResponse;

/**
 * IPv6 addresses of interfaces: picked at random out of the subnet's block, or asked for. What is
 * plugged has a new one at once.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/working-with-ipv6-addresses.html">IPv6
 *     addresses</a>
 */
public final class Ipv6Addresses {

  /** A subnet's first addresses, and its last, are nobody's. */
  private static final int RESERVED = 4;

  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final Ipv6Prefixes prefixes;

  Ipv6Addresses(Store store, Ids ids, DataPlane plane) {
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    prefixes = new Ipv6Prefixes(store, plane);
  }

  /**
   * What a new interface is to have.
   *
   * @param count null if nobody said: then the subnet does
   */
  public record Asked(List<String> addresses, @Nullable Integer count) {

    public static final Asked NOTHING = new Asked(List.of(), null);

    public static Asked of(List<InstanceIpv6Address> addresses, @Nullable Integer count) {
      if (!addresses.isEmpty() && count != null) {
        throw Refuse.combination(
            "The parameter ipv6Addresses cannot be used with the parameter ipv6AddressCount");
      }
      if (count != null && count < 0) {
        throw Refuse.invalidValue(
            String.valueOf(count), "ipv6AddressCount", "It must not be negative.");
      }
      return new Asked(
          addresses.stream()
              .map(one -> Ipv6.normal(Refuse.required(one.ipv6Address(), "Ipv6Address")))
              .distinct()
              .toList(),
          count);
    }

    /** So many, beside those that are named. */
    private int more(boolean bySubnet) {
      return count != null ? count : bySubnet && addresses.isEmpty() ? 1 : 0;
    }
  }

  /** Refuses more than an interface of an instance that is to be may have. */
  public static void limit(Asked asked, int most) {
    if (asked.addresses().size() + asked.more(false) > most) {
      throw full(most);
    }
  }

  private static RuntimeException full(int most) {
    return Refuse.because(
        "PrivateIpAddressLimitExceeded",
        "Number of IPv6 addresses will exceed limit (" + most + ").");
  }

  /**
   * Gives a stored interface addresses; tells which.
   *
   * @param bySubnet whether the subnet has a say if the request has none
   */
  List<String> take(Tx tx, String id, Asked asked, boolean bySubnet) {
    NetworkInterface eni = Kind.INTERFACE.get(tx, id);
    Subnet subnet = Kind.SUBNET.get(tx, eni.subnetId());
    int more = asked.more(bySubnet && subnet.assignIpv6AddressOnCreation());
    List<String> taken = new ArrayList<>();
    if (more == 0 && asked.addresses().isEmpty()) {
      return taken;
    }
    Cidr6 block =
        Ipv6.block(subnet)
            .orElseThrow(() ->
                Refuse.invalidValue(
                    "The subnet "
                        + subnet.subnetId()
                        + " does not have an IPv6 CIDR block associated with it."));
    int most = SecondaryAddresses.most(tx, eni);
    if (eni.ipv6Addresses().size() + asked.addresses().size() + more > most) {
      throw full(most);
    }
    for (String address : asked.addresses()) {
      taken.add(exactly(tx, subnet, block, address, id));
    }
    for (int i = 0; i < more; i++) {
      taken.add(any(tx, subnet, block, id));
    }
    List<NetworkInterfaceIpv6Address> all = new ArrayList<>(eni.ipv6Addresses());
    taken.forEach(address -> all.add(shown(address)));
    tx.put(Tables.INTERFACES, id, eni.toBuilder().ipv6Addresses(all).build());
    return taken;
  }

  private static NetworkInterfaceIpv6Address shown(String address) {
    return NetworkInterfaceIpv6Address.builder().ipv6Address(address).isPrimaryIpv6(false).build();
  }

  private static String key(Subnet subnet, String address) {
    return subnet.vpcId() + "/" + address;
  }

  private static boolean reserved(Cidr6 block, String address) {
    for (int i = 0; i < RESERVED; i++) {
      if (block.at(i).equals(address)) {
        return true;
      }
    }
    return block.at(-1).equals(address);
  }

  private static boolean free(Tx tx, Subnet subnet, String address) {
    return tx.get(Tables.ADDRESSES, key(subnet, address)).isEmpty()
        && tx.get(Tables.ADDRESSES, key(subnet, Ipv6Prefixes.around(address))).isEmpty();
  }

  private static String exactly(Tx tx, Subnet subnet, Cidr6 block, String address, String owner) {
    if (!block.contains(address)) {
      throw Refuse.invalidValue(
          "Address " + address + " does not fall within the subnet's address range");
    }
    if (reserved(block, address)) {
      throw Refuse.invalidValue("Address " + address + " is in subnet's reserved address range");
    }
    if (!free(tx, subnet, address)) {
      throw Refuse.because("InvalidIPAddress.InUse", "Address " + address + " is in use.");
    }
    tx.insert(Tables.ADDRESSES, key(subnet, address), owner);
    return address;
  }

  private String any(Tx tx, Subnet subnet, Cidr6 block, String owner) {
    while (true) { // out of 2^64
      String address = block.at(Long.parseUnsignedLong(ids.hex(16), 16));
      if (!reserved(block, address) && free(tx, subnet, address)) {
        tx.insert(Tables.ADDRESSES, key(subnet, address), owner);
        return address;
      }
    }
  }

  /** An interface that goes gives back what it had. */
  static void giveBack(Tx tx, NetworkInterface eni) {
    Ipv6.addresses(eni)
        .forEach(address -> tx.delete(Tables.ADDRESSES, eni.vpcId() + "/" + address));
    Ipv6Prefixes.giveBack(tx, eni);
  }

  public AssignIpv6AddressesResponse assign(AssignIpv6AddressesRequest request) {
    if (NetworkInterfaces.byLoadBalancers() && !request.ipv6Prefixes().isEmpty()) {
      return prefixes.assign(request);
    }
    Refuse.unlessEffective(
        request, Set.of("NetworkInterfaceId", "Ipv6Addresses", "Ipv6AddressCount"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    List<InstanceIpv6Address> named =
        request.ipv6Addresses().stream()
            .map(one -> InstanceIpv6Address.builder().ipv6Address(one).build())
            .toList();
    Asked asked = Asked.of(named, request.ipv6AddressCount());
    if (asked.addresses().isEmpty() && Objects.requireNonNullElse(asked.count(), 0) == 0) {
      throw Refuse.missing("ipv6Addresses or ipv6AddressCount");
    }
    List<String> taken =
        plane.alone(
            id,
            () -> {
              List<String> given =
                  store.write(tx -> {
                    NetworkInterface eni =
                        SecondaryAddresses.notManaged(Kind.INTERFACE.get(tx, id));
                    List<String> fresh = new ArrayList<>(asked.addresses());
                    fresh.removeAll(Ipv6.addresses(eni)); // what it has already is no fault
                    return take(tx, id, new Asked(fresh, asked.count()), false);
                  });
              plane.networkInterface(id);
              return given;
            });
    return AssignIpv6AddressesResponse.builder()
        .networkInterfaceId(id)
        .assignedIpv6Addresses(asked.addresses().isEmpty() ? taken : asked.addresses())
        .build();
  }

  public UnassignIpv6AddressesResponse unassign(UnassignIpv6AddressesRequest request) {
    if (NetworkInterfaces.byLoadBalancers() && !request.ipv6Prefixes().isEmpty()) {
      return prefixes.unassign(request);
    }
    Refuse.unlessEffective(request, Set.of("NetworkInterfaceId", "Ipv6Addresses"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    List<String> gone = request.ipv6Addresses().stream().map(Ipv6::normal).distinct().toList();
    if (gone.isEmpty()) {
      throw Refuse.missing("ipv6Addresses");
    }
    plane.alone(
        id,
        () -> {
          NetworkInterface eni =
              store.read(tx -> SecondaryAddresses.notManaged(Kind.INTERFACE.get(tx, id)));
          if (!Ipv6.addresses(eni).containsAll(gone)) {
            throw SecondaryAddresses.notIts(id);
          }
          // First from the packets' world: as soon as it is no longer stored, another may have it.
          plane.networkInterfaceWithout(id, gone);
          store.write(tx -> {
            NetworkInterface present = Kind.INTERFACE.get(tx, id);
            gone.forEach(one -> tx.delete(Tables.ADDRESSES, present.vpcId() + "/" + one));
            List<NetworkInterfaceIpv6Address> left =
                present.ipv6Addresses().stream()
                    .filter(one -> !gone.contains(one.ipv6Address()))
                    .toList();
            tx.put(Tables.INTERFACES, id, present.toBuilder().ipv6Addresses(left).build());
            return true;
          });
          return true;
        });
    return UnassignIpv6AddressesResponse.builder()
        .networkInterfaceId(id)
        .unassignedIpv6Addresses(gone)
        .build();
  }
}
