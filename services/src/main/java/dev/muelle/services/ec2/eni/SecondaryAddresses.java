package dev.muelle.services.ec2.eni;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.address.Addresses;
import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.AssignedPrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.PrivateIpAddressSpecification;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesResponse;

/**
 * Secondary private addresses of interfaces. What is plugged has a new one at once: nobody has to
 * configure it inside, as nobody has to on Amazon Linux.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-secondary-ip-addresses.html">Secondary
 *     IP addresses</a>
 */
public final class SecondaryAddresses {

  /** With the primary one, as many as the largest type of instance has. */
  private static final int MOST = 50;

  private final Scope scope;
  private final Store store;
  private final Addresses addresses;
  private final DataPlane plane;

  /** An address that moves is to leave one interface before it comes to another. */
  private final ReentrantLock moving = new ReentrantLock();

  SecondaryAddresses(Scope scope, Store store, Addresses addresses, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.addresses = addresses;
    this.plane = plane;
  }

  /** Which addresses a new interface is to have: a primary one, others, and any so many more. */
  record Asked(@Nullable String primary, List<String> secondary, int count) {}

  static Asked asked(CreateNetworkInterfaceRequest request) {
    int count = count(request.secondaryPrivateIpAddressCount());
    List<PrivateIpAddressSpecification> several = request.privateIpAddresses();
    if (several.isEmpty()) {
      return new Asked(request.privateIpAddress(), List.of(), count);
    }
    if (request.privateIpAddress() != null) {
      throw Refuse.combination(
          "The parameter privateIpAddresses cannot be used with the parameter privateIpAddress");
    }
    if (count > 0) {
      throw Refuse.combination(
          "The parameter privateIpAddresses cannot be used with the parameter"
              + " secondaryPrivateIpAddressCount");
    }
    List<String> primary = new ArrayList<>();
    List<String> secondary = new ArrayList<>();
    for (PrivateIpAddressSpecification one : several) {
      String address = Refuse.required(one.privateIpAddress(), "PrivateIpAddress");
      (Boolean.TRUE.equals(one.primary()) ? primary : secondary).add(address);
    }
    if (primary.size() != 1) {
      throw Refuse.combination("One of the private addresses must be the primary one");
    }
    return new Asked(primary.getFirst(), secondary, 0);
  }

  private static int count(@Nullable Integer asked) {
    int count = Objects.requireNonNullElse(asked, 0);
    if (count < 0 || count >= MOST) {
      throw Refuse.invalidValue(
          String.valueOf(count),
          "secondaryPrivateIpAddressCount",
          "It must be between 1 and " + (MOST - 1) + ".");
    }
    return count;
  }

  /** Gives a stored interface these addresses and so many more; tells which. */
  List<String> take(Tx tx, String id, List<String> wanted, int count) {
    List<String> taken = new ArrayList<>();
    NetworkInterface eni = Kind.INTERFACE.get(tx, id);
    int present = NetworkInterfaces.addresses(eni).size();
    if (present + wanted.size() + count > most(tx, eni)) {
      throw Refuse.because(
          "PrivateIpAddressLimitExceeded",
          "Number of private addresses will exceed limit (" + most(tx, eni) + ").");
    }
    for (String address : wanted) {
      // The subnet counts its free addresses: it is another one after each.
      taken.add(addresses.exactly(tx, Kind.SUBNET.get(tx, eni.subnetId()), address, id));
    }
    for (int i = 0; i < count; i++) {
      taken.add(addresses.any(tx, Kind.SUBNET.get(tx, eni.subnetId()), id));
    }
    List<NetworkInterfacePrivateIpAddress> all = new ArrayList<>(eni.privateIpAddresses());
    for (String address : taken) {
      all.add(
          NetworkInterfacePrivateIpAddress.builder()
              .primary(false)
              .privateIpAddress(address)
              .privateDnsName(HostNames.inside(scope, address))
              .build());
    }
    tx.put(Tables.INTERFACES, id, eni.toBuilder().privateIpAddresses(all).build());
    return taken;
  }

  static int most(Tx tx, NetworkInterface eni) {
    String instance = eni.attachment() == null ? null : eni.attachment().instanceId();
    return instance == null
        ? MOST
        : tx.get(Tables.INSTANCES, instance) // not yet, while it is launched
            .flatMap(row -> InstanceTypes.find(row.value().instance().instanceTypeAsString()))
            .map(InstanceTypes.Type::addresses)
            .orElse(MOST);
  }

  public AssignPrivateIpAddressesResponse assign(AssignPrivateIpAddressesRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "NetworkInterfaceId",
            "PrivateIpAddresses",
            "SecondaryPrivateIpAddressCount",
            "AllowReassignment"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    int count = count(request.secondaryPrivateIpAddressCount());
    List<String> wanted = request.privateIpAddresses().stream().distinct().toList();
    if (wanted.isEmpty() == (count == 0)) {
      throw count == 0
          ? Refuse.missing("privateIpAddress or secondaryPrivateIpAddressCount")
          : Refuse.combination(
              "The parameter privateIpAddresses cannot be used with the parameter"
                  + " secondaryPrivateIpAddressCount");
    }
    boolean move = Boolean.TRUE.equals(request.allowReassignment());
    Set<String> changed = new LinkedHashSet<>();
    moving.lock();
    try {
      List<String> taken =
          store.write(tx -> {
            changed.clear();
            NetworkInterface eni = notManaged(Kind.INTERFACE.get(tx, id));
            List<String> fresh = new ArrayList<>(wanted);
            fresh.removeAll(secondary(eni)); // what it has already is no fault
            Map<String, NetworkInterfaceAssociation> moved = new HashMap<>();
            if (move) {
              for (String address : fresh) {
                tx.get(Tables.ADDRESSES, eni.vpcId() + "/" + address)
                    .map(Row::value)
                    .ifPresent(owner -> {
                      moved.putAll(leave(tx, owner, List.of(address), inUse(address)));
                      changed.add(owner);
                    });
              }
            }
            changed.add(id);
            take(tx, id, fresh, count);
            moved.forEach(
                (address, outside) -> // goes with it
                tx.put(
                        Tables.INTERFACES,
                        id,
                        Associations.with(Kind.INTERFACE.get(tx, id), address, outside)));
            return count == 0 ? wanted : last(Kind.INTERFACE.get(tx, id), count);
          });
      changed.forEach(plane::interfaceAlone);
      return AssignPrivateIpAddressesResponse.builder()
          .networkInterfaceId(id)
          .assignedPrivateIpAddresses(
              taken.stream()
                  .map(one -> AssignedPrivateIpAddress.builder().privateIpAddress(one).build())
                  .toList())
          .build();
    } finally {
      moving.unlock();
    }
  }

  private static List<String> last(NetworkInterface eni, int count) {
    List<String> all = secondary(eni);
    return all.subList(all.size() - count, all.size());
  }

  private static List<String> secondary(NetworkInterface eni) {
    return eni.privateIpAddresses().stream()
        .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
        .toList();
  }

  private static Ec2Exception inUse(String address) {
    return Refuse.because("InvalidIPAddress.InUse", "Address " + address + " is in use.");
  }

  static NetworkInterface notManaged(NetworkInterface eni) {
    if (NetworkInterfaces.isManaged(eni) || NetworkInterfaces.isOthers(eni)) {
      throw Refuse.because(
          "AuthFailure", "You do not have permission to access the specified resource.");
    }
    return eni;
  }

  /**
   * Takes secondary addresses from an interface that must have them; tells which public ones they
   * had, which nobody has now.
   */
  private Map<String, NetworkInterfaceAssociation> leave(
      Tx tx, String id, List<String> gone, Ec2Exception otherwise) {
    NetworkInterface eni =
        tx.get(Tables.INTERFACES, id).map(Row::value).orElseThrow(() -> otherwise);
    if (!secondary(eni).containsAll(gone)) {
      throw otherwise;
    }
    List<NetworkInterfacePrivateIpAddress> left =
        eni.privateIpAddresses().stream()
            .filter(one -> !gone.contains(one.privateIpAddress()))
            .toList();
    tx.put(Tables.INTERFACES, id, eni.toBuilder().privateIpAddresses(left).build());
    for (String address : gone) {
      addresses.giveBack(tx, Kind.SUBNET.get(tx, eni.subnetId()), address);
    }
    Map<String, NetworkInterfaceAssociation> outside = Associations.of(eni);
    outside.keySet().retainAll(gone);
    return outside;
  }

  public UnassignPrivateIpAddressesResponse unassign(UnassignPrivateIpAddressesRequest request) {
    Refuse.unlessEffective(request, Set.of("NetworkInterfaceId", "PrivateIpAddresses"));
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    List<String> gone = request.privateIpAddresses().stream().distinct().toList();
    if (gone.isEmpty()) {
      throw Refuse.missing("privateIpAddress");
    }
    plane.alone(
        id,
        () -> {
          // First from the packets' world: as soon as it is no longer stored, another may have it.
          NetworkInterface eni = store.read(tx -> notManaged(Kind.INTERFACE.get(tx, id)));
          if (!secondary(eni).containsAll(gone)) {
            throw notIts(id);
          }
          plane.networkInterfaceWithout(id, gone);
          store.write(tx -> {
            leave(tx, id, gone, notIts(id));
            return true;
          });
          return true;
        });
    return UnassignPrivateIpAddressesResponse.builder().build();
  }

  static Ec2Exception notIts(String id) {
    return Refuse.invalidValue(
        "Some of the specified addresses are not assigned to interface " + id);
  }
}
