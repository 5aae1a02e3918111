package dev.muelle.services.ec2.eni;

import dev.muelle.network.Network.Use;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.address.Addresses;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.security.GroupVpcs;
import dev.muelle.services.ec2.security.SecurityGroups;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Flags;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import dev.muelle.wire.Caller;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttachmentStatus;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachmentChanges;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceCreationType;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceType;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Elastic network interfaces. Whether one is in use is not stored: the network knows.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html">Elastic network
 *     interfaces</a>
 */
public final class NetworkInterfaces {

  /**
   * As many as a region may have, unless more were granted.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-enis">Network
   *     interfaces quotas</a>
   */
  public static final int MOST = 5000;

  /** The API's word; the model has another one that the API does not use. */
  private static final String NETWORK_LOAD_BALANCER = "network_load_balancer";

  private static final String NAT_GATEWAY = "nat_gateway";

  private static final int MOST_GROUPS = 5;
  private static final int MAX_DESCRIPTION = 255;

  private static final Codec<CreateNetworkInterfaceRequest> REQUEST =
      StoredJson.codec(CreateNetworkInterfaceRequest.class);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Addresses addresses;
  private final SecondaryAddresses secondary;
  private final Ipv6Addresses ipv6;
  private final ShownInterfaces shown;
  private final DataPlane plane;
  private final int most;

  public NetworkInterfaces(Scope scope, Store store, Ids ids, DataPlane plane, int most) {
    this.most = most;
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    addresses = new Addresses(ids, plane);
    secondary = new SecondaryAddresses(scope, store, addresses, plane);
    ipv6 = new Ipv6Addresses(store, ids, plane);
    shown = new ShownInterfaces(scope, store, plane);
  }

  public Ipv6Addresses ipv6() {
    return ipv6;
  }

  public ShownInterfaces shown() {
    return shown;
  }

  public SecondaryAddresses secondary() {
    return secondary;
  }

  /** Services say themselves what their interfaces are to have, whatever the subnet does. */
  private static boolean byService() {
    return Caller.CURRENT.isBound() && Caller.CURRENT.get().arn().contains("/AWSServiceRoleFor");
  }

  /**
   * Only they make interfaces of this type, which may be without groups, and have prefixes of IPv6.
   */
  static boolean byLoadBalancers() {
    return Caller.CURRENT.isBound()
        && Caller.CURRENT.get().arn().endsWith("/AWSServiceRoleForElasticLoadBalancing");
  }

  /** Whether it is a NAT gateway's or a VPC endpoint's, which nobody else may change. */
  static boolean isManaged(NetworkInterface eni) {
    return NAT_GATEWAY.equals(eni.interfaceTypeAsString())
        || eni.interfaceType() == NetworkInterfaceType.VPC_ENDPOINT;
  }

  /** Whether it is a network load balancer's, and somebody else asks. */
  static boolean isOthers(NetworkInterface eni) {
    return NETWORK_LOAD_BALANCER.equals(eni.interfaceTypeAsString()) && !byLoadBalancers();
  }

  /** All private addresses of an interface as it is stored or shown; the primary one is first. */
  static List<String> addresses(NetworkInterface eni) {
    return Stream.concat(
            Stream.of(eni.privateIpAddress()),
            eni.privateIpAddresses().stream()
                .map(NetworkInterfacePrivateIpAddress::privateIpAddress))
        .distinct()
        .toList();
  }

  public CreateNetworkInterfaceResponse create(CreateNetworkInterfaceRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "SubnetId",
            "Groups",
            "Description",
            "PrivateIpAddress",
            "PrivateIpAddresses",
            "SecondaryPrivateIpAddressCount",
            "Ipv6Addresses",
            "Ipv6AddressCount",
            "InterfaceType",
            "ClientToken",
            "TagSpecifications",
            "DryRun"));
    String subnetId = Refuse.required(request.subnetId(), "subnetId");
    if (request.interfaceType() != null
        && request.interfaceType() != NetworkInterfaceCreationType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.unsupported(
          "The interface type "
              + request.interfaceTypeAsString()
              + " is not supported by this region yet.");
    }
    boolean balancers =
        NETWORK_LOAD_BALANCER.equals(request.interfaceTypeAsString()) && byLoadBalancers();
    if (request.interfaceType() != null
        && !request.interfaceTypeAsString().equals("interface")
        && !balancers) {
      throw Refuse.invalidValue(
          request.interfaceTypeAsString(), "interfaceType", "Unknown interface type.");
    }
    description(request.description());
    SecondaryAddresses.Asked wanted = SecondaryAddresses.asked(request);
    Ipv6Addresses.Asked wanted6 =
        Ipv6Addresses.Asked.of(request.ipv6Addresses(), request.ipv6AddressCount());
    List<Tag> tags = Tags.given("network-interface", request.tagSpecifications());
    String token = request.clientToken();
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    String fresh = ids.ec2("eni");
    String mac = mac();
    String id =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, token, asked);
          if (done.isPresent()) {
            return done.get();
          }
          Subnet subnet = Kind.SUBNET.get(tx, subnetId);
          NetworkInterface eni =
              make(
                  tx,
                  fresh,
                  mac,
                  subnet,
                  request.groups(),
                  wanted.primary(),
                  request.description());
          if (balancers) {
            eni =
                eni.toBuilder()
                    .interfaceType(NETWORK_LOAD_BALANCER)
                    .groups(request.groups().isEmpty() ? List.of() : eni.groups())
                    .build();
          }
          tx.insert(Tables.INTERFACES, fresh, eni);
          secondary.take(tx, fresh, wanted.secondary(), wanted.count());
          ipv6.take(tx, fresh, wanted6, !byService());
          Tags.put(tx, fresh, tags);
          ClientToken.put(tx, token, asked, fresh);
          Refuse.ifDryRun(request.dryRun());
          return fresh;
        });
    // Also when it was made before: whoever made it may have died between storing and this.
    return plane.alone(
        id,
        () -> {
          plane.networkInterface(id);
          NetworkInterface made = store.read(tx -> shown.of(tx, Kind.INTERFACE.get(tx, id)));
          return CreateNetworkInterfaceResponse.builder()
              .clientToken(token)
              .networkInterface(
                  id.equals(fresh) ? made.toBuilder().status("pending").build() : made)
              .build();
        });
  }

  /** An interface with an address of its own, that nobody has stored yet. */
  private NetworkInterface make(
      Tx tx,
      String id,
      String mac,
      Subnet subnet,
      List<String> groups,
      @Nullable String wanted,
      @Nullable String description) {
    if (tx.count(Tables.INTERFACES) >= most) {
      throw Refuse.because(
          "NetworkInterfaceLimitExceeded",
          "The maximum number of network interfaces has been reached.");
    }
    List<GroupIdentifier> identified = groups(tx, subnet.vpcId(), groups);
    String address =
        wanted == null ? addresses.any(tx, subnet, id) : addresses.exactly(tx, subnet, wanted, id);
    return NetworkInterface.builder()
        .networkInterfaceId(id)
        .ownerId(scope.account())
        .vpcId(subnet.vpcId())
        .subnetId(subnet.subnetId())
        .availabilityZone(subnet.availabilityZone())
        .availabilityZoneId(subnet.availabilityZoneId())
        .description(Objects.requireNonNullElse(description, ""))
        .groups(identified)
        .interfaceType(NetworkInterfaceType.INTERFACE)
        .macAddress(mac)
        .privateIpAddress(address)
        .privateDnsName(HostNames.inside(scope, address))
        .sourceDestCheck(true)
        .build();
  }

  /**
   * The first interface of an instance: stored with it, and gone with it.
   *
   * @param publicAddress whether it has one
   * @param wanted6 what it is to have of IPv6; if nobody said, its subnet does
   */
  public NetworkInterface makeFirst(
      Tx tx,
      String instanceId,
      Subnet subnet,
      List<String> groups,
      @Nullable String wanted,
      boolean publicAddress,
      Ipv6Addresses.Asked wanted6,
      List<Tag> tags,
      Instant now) {
    String id = ids.ec2("eni");
    NetworkInterface made = make(tx, id, mac(), subnet, groups, wanted, "");
    NetworkInterface attached =
        made.toBuilder()
            .association(publicAddress ? association(tx, made, true) : null)
            .attachment(
                NetworkInterfaceAttachment.builder()
                    .attachmentId("eni-attach-" + id.substring("eni-".length()))
                    .attachTime(now)
                    .deleteOnTermination(true)
                    .deviceIndex(0)
                    .networkCardIndex(0)
                    .instanceId(instanceId)
                    .instanceOwnerId(scope.account())
                    .status(AttachmentStatus.ATTACHED)
                    .build())
            .build();
    tx.insert(Tables.INTERFACES, id, attached);
    ipv6.take(tx, id, wanted6, true);
    Tags.put(tx, id, tags);
    return attached;
  }

  /** The interface of a NAT gateway: without groups, stored with it, and gone with it. */
  public NetworkInterface makeForGateway(
      Tx tx, String gatewayId, String subnetId, @Nullable String wanted, Instant now) {
    String id = ids.ec2("eni");
    NetworkInterface made =
        make(
                tx,
                id,
                mac(),
                Kind.SUBNET.get(tx, subnetId),
                List.of(),
                wanted,
                "Interface for NAT Gateway " + gatewayId)
            .toBuilder()
            .groups(List.of())
            .interfaceType(NAT_GATEWAY)
            .sourceDestCheck(false)
            .requesterManaged(true)
            .requesterId(ShownInterfaces.owner(Use.NAT_GATEWAY))
            .attachment(
                ShownInterfaces.attachment(id, Use.NAT_GATEWAY).toBuilder().attachTime(now).build())
            .build();
    tx.insert(Tables.INTERFACES, id, made);
    return made;
  }

  /**
   * An interface of a VPC endpoint, stored with it, and gone with it.
   *
   * @param groups without any it has the VPC's default one
   */
  public NetworkInterface makeForEndpoint(
      Tx tx,
      String endpointId,
      Subnet subnet,
      List<String> groups,
      @Nullable String wanted,
      Instant now) {
    String id = ids.ec2("eni");
    NetworkInterface made =
        make(tx, id, mac(), subnet, groups, wanted, ofEndpoint(endpointId)).toBuilder()
            .interfaceType(NetworkInterfaceType.VPC_ENDPOINT)
            .requesterManaged(true)
            .requesterId(ShownInterfaces.owner(Use.NAT_GATEWAY))
            .attachment(
                ShownInterfaces.attachment(id, Use.NAT_GATEWAY).toBuilder()
                    .attachmentId("ela-attach-" + id.substring("eni-".length()))
                    .attachTime(now)
                    .build())
            .build();
    tx.insert(Tables.INTERFACES, id, made);
    return made;
  }

  /** The description by which the interfaces of a VPC endpoint are found. */
  public static String ofEndpoint(String endpointId) {
    return "VPC Endpoint Interface " + endpointId;
  }

  /** Puts other groups in the place of those of a VPC endpoint's interface. */
  public void regroup(Tx tx, String id, List<String> groups) {
    NetworkInterface eni = Kind.INTERFACE.get(tx, id);
    tx.put(Tables.INTERFACES, id, eni.toBuilder().groups(groups(tx, eni.vpcId(), groups)).build());
  }

  /** Gives back what an interface had, and forgets it; packets know nothing of it any more. */
  public void forget(Tx tx, String id) {
    NetworkInterface eni = Kind.INTERFACE.get(tx, id);
    for (String address : addresses(eni)) {
      addresses.giveBack(tx, Kind.SUBNET.get(tx, eni.subnetId()), address);
    }
    Ipv6Addresses.giveBack(tx, eni);
    if (eni.association() != null && eni.association().allocationId() == null) {
      addresses.giveBackPublic(tx, eni.association().publicIp());
    }
    ClientToken.forget(tx, id);
    Tags.forget(tx, id);
    tx.delete(Tables.INTERFACES, id);
  }

  /** Gives a public address back that is not an Elastic one; says whether there was one. */
  public boolean withoutPublic(Tx tx, String id) {
    NetworkInterface eni = Kind.INTERFACE.get(tx, id);
    boolean has = eni.association() != null && eni.association().allocationId() == null;
    if (has) {
      addressed(tx, eni, false);
    }
    return has;
  }

  /** Gives a public address, unless there is one. */
  public void withPublic(Tx tx, String id) {
    addressed(tx, Kind.INTERFACE.get(tx, id), true);
  }

  private void addressed(Tx tx, NetworkInterface eni, boolean wanted) {
    tx.put(
        Tables.INTERFACES,
        eni.networkInterfaceId(),
        eni.toBuilder().association(association(tx, eni, wanted)).build());
  }

  /** A locally administered unicast address. */
  private String mac() {
    return "02:" + String.join(":", ids.hex(10).split("(?<=\\G..)"));
  }

  private static void description(@Nullable String text) {
    if (text != null && text.length() > MAX_DESCRIPTION) {
      throw Refuse.invalidValue(
          "The description exceeds the maximum length of " + MAX_DESCRIPTION + " characters");
    }
  }

  /** The groups that are asked for; without any, the VPC's default one. */
  public static List<GroupIdentifier> groups(Tx tx, String vpcId, List<String> asked) {
    if (asked.isEmpty()) {
      return List.of(identifier(SecurityGroups.defaultOf(tx, vpcId)));
    }
    List<String> distinct = asked.stream().distinct().toList();
    if (distinct.size() > MOST_GROUPS) {
      throw Refuse.because(
          "SecurityGroupsPerInterfaceLimitExceeded",
          "The maximum number of security groups per interface has been reached.");
    }
    List<GroupIdentifier> groups = new ArrayList<>();
    for (String id : distinct) {
      SecurityGroup group = SecurityGroups.meant(tx, id, null);
      if (!GroupVpcs.usable(tx, group, vpcId)) {
        throw Refuse.invalidValue(
            "You have specified two resources that belong to different networks.");
      }
      groups.add(identifier(group));
    }
    return List.copyOf(groups);
  }

  private static GroupIdentifier identifier(SecurityGroup group) {
    return GroupIdentifier.builder().groupId(group.groupId()).groupName(group.groupName()).build();
  }

  public DeleteNetworkInterfaceResponse delete(DeleteNetworkInterfaceRequest request) {
    String id = wellFormed(Refuse.required(request.networkInterfaceId(), "networkInterfaceId"));
    return plane.alone(
        id,
        () -> {
          NetworkInterface eni = store.read(tx -> Kind.INTERFACE.get(tx, id));
          if (eni.attachment() != null || plane.plugged(id).isPresent()) {
            throw Refuse.invalidValue("Network interface '" + id + "' is currently in use.");
          }
          Refuse.ifDryRun(request.dryRun());
          // First from the packets' world: as soon as it is no longer stored, another may have its
          // address.
          plane.interfaceGone(id);
          store.write(tx -> {
            forget(tx, id);
            return true;
          });
          return DeleteNetworkInterfaceResponse.builder().build();
        });
  }

  /**
   * Keeps the world from an interface's IPv6 addresses, or no longer. Only the service that the
   * interface is of can say so, and no operation of EC2 does.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html">NetworkInterface</a>
   */
  public void denyAllIgwTraffic(String id, boolean deny) {
    plane.alone(
        id,
        () -> {
          store.write(tx -> {
            NetworkInterface eni = Kind.INTERFACE.get(tx, id);
            tx.put(Tables.INTERFACES, id, eni.toBuilder().denyAllIgwTraffic(deny).build());
            return true;
          });
          plane.networkInterface(id);
          return true;
        });
  }

  static String wellFormed(String id) {
    if (!id.matches("eni-[0-9a-f]+")) {
      throw Refuse.because(
          "InvalidNetworkInterfaceId.Malformed",
          "Invalid id: \"" + id + "\" (expecting \"eni-...\")");
    }
    return id;
  }

  public ModifyNetworkInterfaceAttributeResponse modify(
      ModifyNetworkInterfaceAttributeRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "NetworkInterfaceId",
            "Description",
            "Groups",
            "SourceDestCheck",
            "AssociatePublicIpAddress",
            "Attachment",
            "DryRun"));
    String id = wellFormed(Refuse.required(request.networkInterfaceId(), "networkInterfaceId"));
    Boolean check = Flags.value(request.sourceDestCheck());
    Boolean associate = request.associatePublicIpAddress();
    String description = request.description() == null ? null : request.description().value();
    long attributes =
        Stream.of(
                check != null,
                associate != null,
                description != null,
                request.attachment() != null,
                !request.groups().isEmpty())
            .filter(given -> given)
            .count();
    if (attributes == 0) {
      throw Refuse.combination("No attributes specified.");
    }
    if (attributes > 1) {
      throw Refuse.combination("Fields for multiple attribute types specified");
    }
    description(description);
    return plane.alone(
        id,
        () -> {
          store.write(tx -> {
            NetworkInterface eni = Kind.INTERFACE.get(tx, id);
            if (isManaged(eni)) {
              throw Refuse.because(
                  "AuthFailure", "You do not have permission to access the specified resource.");
            }
            NetworkInterface.Builder changed = eni.toBuilder();
            if (description != null) {
              changed.description(description);
            }
            if (!request.groups().isEmpty()) {
              changed.groups(groups(tx, eni.vpcId(), request.groups()));
            }
            if (check != null) {
              changed.sourceDestCheck(check);
            }
            if (request.attachment() != null) {
              changed.attachment(kept(eni, request.attachment()));
            }
            if (associate != null) {
              changed.association(association(tx, eni, associate));
            }
            tx.put(Tables.INTERFACES, id, changed.build());
            Refuse.ifDryRun(request.dryRun());
            return true;
          });
          if (description == null) {
            plane.networkInterface(id);
          }
          return ModifyNetworkInterfaceAttributeResponse.builder().build();
        });
  }

  /** The attachment with another say on what becomes of the interface at its instance's end. */
  private static NetworkInterfaceAttachment kept(
      NetworkInterface eni, NetworkInterfaceAttachmentChanges changes) {
    NetworkInterfaceAttachment present = eni.attachment();
    String id = Refuse.required(changes.attachmentId(), "attachment.attachmentId");
    if (present == null || !id.equals(present.attachmentId())) {
      throw Refuse.because(
          "InvalidAttachmentID.NotFound",
          "The attachment '" + id + "' does not exist for " + eni.networkInterfaceId());
    }
    Refuse.unlessEffective(changes, Set.of("AttachmentId", "DeleteOnTermination"));
    boolean delete =
        Refuse.required(changes.deleteOnTermination(), "attachment.deleteOnTermination");
    return present.toBuilder().deleteOnTermination(delete).build();
  }

  /** The interface's public address from now on; a present one is kept. */
  private @Nullable NetworkInterfaceAssociation association(
      Tx tx, NetworkInterface eni, boolean wanted) {
    NetworkInterfaceAssociation present = eni.association();
    if (wanted && present == null) {
      return NetworkInterfaceAssociation.builder()
          .ipOwnerId("amazon")
          .publicIp(addresses.anyPublic(tx, eni.networkInterfaceId()))
          .build();
    }
    if (!wanted && present != null && present.allocationId() != null) {
      throw Refuse.invalidValue(
          "The network interface "
              + eni.networkInterfaceId()
              + " has an Elastic IP address, which is to be disassociated instead.");
    }
    if (!wanted && present != null) {
      addresses.giveBackPublic(tx, present.publicIp());
      return null;
    }
    return present;
  }
}
