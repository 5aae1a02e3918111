package dev.muelle.services.ec2.eni;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.address.Addresses;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.AllocateAddressRequest;
import software.amazon.awssdk.services.ec2.model.AllocateAddressResponse;
import software.amazon.awssdk.services.ec2.model.AssociateAddressRequest;
import software.amazon.awssdk.services.ec2.model.AssociateAddressResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateAddressRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateAddressResponse;
import software.amazon.awssdk.services.ec2.model.DomainType;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.ReleaseAddressRequest;
import software.amazon.awssdk.services.ec2.model.ReleaseAddressResponse;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Elastic IP addresses. Which interface has one is stored with the interface; here is only what was
 * allocated.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html">Elastic IP
 *     addresses</a>
 */
public final class ElasticAddresses {

  /** A region's quota. */
  private static final int MOST = 5;

  private static final String POOL = "amazon";

  private static final Filters<Address> FILTERS =
      new Filters<>(Address::tags)
          .by("allocation-id", Address::allocationId)
          .by("association-id", Address::associationId)
          .by("domain", Address::domainAsString)
          .by("instance-id", Address::instanceId)
          .by("network-border-group", Address::networkBorderGroup)
          .by("network-interface-id", Address::networkInterfaceId)
          .by("network-interface-owner-id", Address::networkInterfaceOwnerId)
          .by("private-ip-address", Address::privateIpAddress)
          .by("public-ip", Address::publicIp);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final Addresses addresses;

  public ElasticAddresses(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    addresses = new Addresses(ids, plane);
  }

  public AllocateAddressResponse allocate(AllocateAddressRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of("Domain", "PublicIpv4Pool", "NetworkBorderGroup", "TagSpecifications", "DryRun"));
    if (request.domain() == DomainType.STANDARD) {
      throw Refuse.unsupported("EC2-Classic is retired: an address is for use in a VPC.");
    }
    only("domain", request.domainAsString(), "vpc");
    only("publicIpv4Pool", request.publicIpv4Pool(), POOL);
    only("networkBorderGroup", request.networkBorderGroup(), scope.region());
    List<Tag> tags = Tags.given("elastic-ip", request.tagSpecifications());
    String id = ids.ec2("eipalloc");
    Address made =
        store.write(tx -> {
          if (tx.count(Tables.ELASTIC) >= MOST) {
            throw Refuse.because(
                "AddressLimitExceeded", "The maximum number of addresses has been reached.");
          }
          Address address =
              Address.builder()
                  .allocationId(id)
                  .publicIp(addresses.anyPublic(tx, id))
                  .domain(DomainType.VPC)
                  .publicIpv4Pool(POOL)
                  .networkBorderGroup(scope.region())
                  .build();
          tx.insert(Tables.ELASTIC, id, address);
          Tags.put(tx, id, tags);
          Refuse.ifDryRun(request.dryRun());
          return address;
        });
    return AllocateAddressResponse.builder()
        .allocationId(id)
        .publicIp(made.publicIp())
        .domain(made.domain())
        .publicIpv4Pool(made.publicIpv4Pool())
        .networkBorderGroup(made.networkBorderGroup())
        .build();
  }

  private static void only(String parameter, @Nullable String given, String possible) {
    if (given != null && !given.equals(possible)) {
      throw Refuse.invalidValue(given, parameter, "The only possible value is " + possible + ".");
    }
  }

  /** The address that a request means by its allocation or, as in older requests, by itself. */
  private static Address meant(Tx tx, @Nullable String allocation, @Nullable String address) {
    if (allocation != null && address != null) {
      throw Refuse.combination(
          "You may specify public IP or allocation id, but not both in the same call");
    }
    if (allocation != null) {
      return Kind.ELASTIC.get(tx, allocation);
    }
    String wanted = Refuse.required(address, "allocationId");
    return Kind.ELASTIC.list(tx, List.of()).stream()
        .filter(one -> one.publicIp().equals(wanted))
        .findFirst()
        .orElseThrow(
            () -> Refuse.because("InvalidAddress.NotFound", "Address '" + wanted + "' not found."));
  }

  /** The private address that an Elastic IP address leads to. */
  private record User(
      NetworkInterface eni, String address, NetworkInterfaceAssociation association) {}

  private static Stream<User> users(Tx tx) {
    return Tables.of(tx, Tables.INTERFACES, "elastic", "true").stream()
        .flatMap(eni ->
            Associations.of(eni).entrySet().stream()
                .map(one -> new User(eni, one.getKey(), one.getValue())));
  }

  private static Optional<User> user(Tx tx, String allocation) {
    return users(tx).filter(one -> allocation.equals(one.association().allocationId())).findFirst();
  }

  public ReleaseAddressResponse release(ReleaseAddressRequest request) {
    only("networkBorderGroup", request.networkBorderGroup(), scope.region());
    store.write(tx -> {
      Address address = meant(tx, request.allocationId(), request.publicIp());
      if (user(tx, address.allocationId()).isPresent()) {
        throw inUse(address);
      }
      if (tx.get(Tables.REVERSE_NAMES, address.publicIp()).isPresent()) {
        throw Refuse.because(
            "InvalidAddress.Locked",
            "The address with allocation id ["
                + address.allocationId()
                + "] cannot be released because it is locked to your account.");
      }
      addresses.giveBackPublic(tx, address.publicIp());
      Tags.forget(tx, address.allocationId());
      tx.delete(Tables.ELASTIC, address.allocationId());
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return ReleaseAddressResponse.builder().build();
  }

  public AssociateAddressResponse associate(AssociateAddressRequest request) {
    Set<String> changed = new LinkedHashSet<>();
    String association =
        store.write(tx -> {
          changed.clear();
          Address address = meant(tx, request.allocationId(), request.publicIp());
          NetworkInterface eni = target(tx, request);
          unlessDenied(eni);
          String inside = privateAddress(request, eni);
          Optional<User> before = user(tx, address.allocationId());
          if (before
              .filter(one -> one.eni().equals(eni) && one.address().equals(inside))
              .isPresent()) {
            return before.get().association().associationId();
          }
          if (before.isEmpty() && plane.taken(address.publicIp())) { // by another region
            throw inUse(address);
          }
          boolean may = !Boolean.FALSE.equals(request.allowReassociation());
          if (before.isPresent() && !may) {
            throw alreadyAssociated(address, before.get());
          }
          NetworkInterfaceAssociation present = Associations.of(eni).get(inside);
          if (present != null && present.allocationId() != null && !may) {
            throw Refuse.because(
                "Resource.AlreadyAssociated",
                "resource "
                    + eni.networkInterfaceId()
                    + " is already associated with associate-id "
                    + present.associationId());
          }
          before.ifPresent(other -> {
            notManaged(other.eni());
            put(tx, other.eni(), other.address(), null);
            changed.add(other.eni().networkInterfaceId());
          });
          changed.add(eni.networkInterfaceId());
          String made = give(tx, address, Kind.INTERFACE.get(tx, eni.networkInterfaceId()), inside);
          Refuse.ifDryRun(request.dryRun());
          return made;
        });
    changed.forEach(plane::interfaceAlone);
    return AssociateAddressResponse.builder().associationId(association).build();
  }

  private static RuntimeException inUse(Address address) {
    return Refuse.because(
        "InvalidIPAddress.InUse", "Address " + address.publicIp() + " is in use.");
  }

  /** The primary private address, unless the request says another one. */
  private static String privateAddress(AssociateAddressRequest request, NetworkInterface eni) {
    String asked = request.privateIpAddress();
    if (asked == null) {
      return eni.privateIpAddress();
    }
    if (!NetworkInterfaces.addresses(eni).contains(asked)) {
      throw Refuse.invalidValue(
          asked, "privateIpAddress", "It is no address of " + eni.networkInterfaceId() + ".");
    }
    return asked;
  }

  private static RuntimeException alreadyAssociated(Address address, User user) {
    return Refuse.because(
        "Resource.AlreadyAssociated",
        "resource "
            + address.allocationId()
            + " is already associated with associate-id "
            + user.association().associationId());
  }

  /**
   * The interface that a request means, which must not go at this moment.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html">AssociateAddress</a>
   */
  private static NetworkInterface target(Tx tx, AssociateAddressRequest request) {
    if ((request.networkInterfaceId() == null) == (request.instanceId() == null)) {
      throw request.instanceId() == null
          ? Refuse.missing("instanceId or networkInterfaceId")
          : Refuse.combination(
              "You may specify either instanceId or networkInterfaceId, but not both");
    }
    NetworkInterface eni =
        request.instanceId() == null
            ? Kind.INTERFACE.get(tx, request.networkInterfaceId())
            : only(tx, Kind.INSTANCE.get(tx, request.instanceId()));
    mustStay(tx, eni);
    notManaged(eni);
    mustLeadOut(tx, eni.vpcId());
    return eni;
  }

  /** The only interface of an instance that has one still. */
  private static NetworkInterface only(Tx tx, InstanceRecord instance) {
    if (ending(instance)) { // its interface may be gone already
      throw Refuse.because(
          "InvalidInstanceID",
          "The "
              + instance.instance().state().nameAsString()
              + " instance '"
              + instance.id()
              + "' is not in a valid state for this operation.");
    }
    List<NetworkInterface> all = Tables.of(tx, Tables.INTERFACES, "instance", instance.id());
    if (all.size() > 1) {
      throw Refuse.because(
          "InvalidInstanceID",
          "There are multiple interfaces attached to instance '"
              + instance.id()
              + "'. Please specify an interface ID for the operation instead.");
    }
    return all.getFirst();
  }

  private static boolean ending(InstanceRecord instance) {
    return instance.state() == InstanceStateName.SHUTTING_DOWN
        || instance.state() == InstanceStateName.TERMINATED;
  }

  private static void mustStay(Tx tx, NetworkInterface eni) {
    String id = eni.attachment() == null ? null : eni.attachment().instanceId();
    if (id != null && tx.get(Tables.INSTANCES, id).filter(row -> ending(row.value())).isPresent()) {
      throw Refuse.because(
          "IncorrectInstanceState",
          "The shutting-down instance to which '"
              + eni.networkInterfaceId()
              + "' is attached is not in a valid state for this operation");
    }
  }

  /** What a NAT gateway or a VPC endpoint has is its own until it goes. */
  private static void notManaged(NetworkInterface eni) {
    if (NetworkInterfaces.isManaged(eni)) {
      throw Refuse.because(
          "AuthFailure", "You do not have permission to access the specified resource.");
    }
  }

  /** What no internet gateway leads to has no Elastic IP, but those that its own service gives. */
  private static void unlessDenied(NetworkInterface eni) {
    if (Boolean.TRUE.equals(eni.denyAllIgwTraffic()) && !NetworkInterfaces.byLoadBalancers()) {
      throw Refuse.because(
          "OperationNotPermitted",
          "The network interface '"
              + eni.networkInterfaceId()
              + "' denies all traffic of internet gateways and cannot have an Elastic IP address");
    }
  }

  private static void mustLeadOut(Tx tx, String vpcId) {
    if (Ways.gateway(tx, vpcId).isEmpty()) {
      throw Refuse.because(
          "Gateway.NotAttached", "Network " + vpcId + " is not attached to any internet gateway");
    }
  }

  /** The address of a NAT gateway that is being made; empty if another interface has it. */
  public Optional<NetworkInterfaceAssociation> giveToGateway(
      Tx tx, String allocation, String eniId) {
    Address address = Kind.ELASTIC.get(tx, allocation);
    if (user(tx, allocation).isPresent() || plane.taken(address.publicIp())) {
      return Optional.empty();
    }
    NetworkInterface eni = Kind.INTERFACE.get(tx, eniId);
    give(tx, address, eni, eni.privateIpAddress());
    return Optional.of(Kind.INTERFACE.get(tx, eniId).association());
  }

  private String give(Tx tx, Address address, NetworkInterface eni, String inside) {
    NetworkInterfaceAssociation present = Associations.of(eni).get(inside);
    if (present != null && present.allocationId() == null) {
      addresses.giveBackPublic(tx, present.publicIp());
    }
    String id = ids.ec2("eipassoc");
    put(
        tx,
        eni,
        inside,
        NetworkInterfaceAssociation.builder()
            .allocationId(address.allocationId())
            .associationId(id)
            .ipOwnerId(scope.account())
            .publicIp(address.publicIp())
            .build());
    return id;
  }

  private static void put(
      Tx tx,
      NetworkInterface eni,
      String inside,
      @Nullable NetworkInterfaceAssociation association) {
    tx.put(
        Tables.INTERFACES, eni.networkInterfaceId(), Associations.with(eni, inside, association));
  }

  public DisassociateAddressResponse disassociate(DisassociateAddressRequest request) {
    String changed =
        store.write(tx -> {
          User user =
              request.associationId() == null
                  ? user(tx, meant(tx, null, request.publicIp()).allocationId())
                      .orElseThrow(() -> notFound(String.valueOf(request.publicIp())))
                  : users(tx)
                      .filter(
                          one -> request.associationId().equals(one.association().associationId()))
                      .findFirst()
                      .orElseThrow(() -> notFound(request.associationId()));
          notManaged(user.eni());
          put(tx, user.eni(), user.address(), null);
          Refuse.ifDryRun(request.dryRun());
          return user.eni().networkInterfaceId();
        });
    plane.interfaceAlone(changed);
    return DisassociateAddressResponse.builder().build();
  }

  private static RuntimeException notFound(String association) {
    return Refuse.because(
        "InvalidAssociationID.NotFound", "The association ID '" + association + "' does not exist");
  }

  private Address shown(Tx tx, Address address) {
    Address.Builder shown = address.toBuilder().tags(Tags.of(tx, address.allocationId()));
    user(tx, address.allocationId())
        .ifPresent(user -> {
          NetworkInterface eni = user.eni();
          NetworkInterfaceAttachment attachment = eni.attachment();
          shown
              .associationId(user.association().associationId())
              .networkInterfaceId(eni.networkInterfaceId())
              .networkInterfaceOwnerId(eni.ownerId())
              .privateIpAddress(user.address())
              .instanceId(attachment == null ? null : attachment.instanceId());
        });
    return shown.build();
  }

  /** All at once: this operation knows no pages. */
  public DescribeAddressesResponse describe(DescribeAddressesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<Address> all =
        store.read(tx -> {
          for (String wanted : request.publicIps()) {
            meant(tx, null, wanted);
          }
          return Kind.ELASTIC.list(tx, request.allocationIds()).stream()
              .filter(one ->
                  request.publicIps().isEmpty() || request.publicIps().contains(one.publicIp()))
              .map(one -> shown(tx, one))
              .toList();
        });
    return DescribeAddressesResponse.builder()
        .addresses(FILTERS.select(all, request.filters()))
        .build();
  }
}
