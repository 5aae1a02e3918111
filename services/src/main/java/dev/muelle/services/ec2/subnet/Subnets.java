package dev.muelle.services.ec2.subnet;

import dev.muelle.network.Cidr;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.acl.NetworkAcls;
import dev.muelle.services.ec2.address.Addresses;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.route.RouteTables;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Flags;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.services.ec2.zone.Zones;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.CreateDefaultSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateDefaultSubnetResponse;
import software.amazon.awssdk.services.ec2.model.CreateSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.HostnameType;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeResponse;
import software.amazon.awssdk.services.ec2.model.NatGatewayState;
import software.amazon.awssdk.services.ec2.model.PrivateDnsNameOptionsOnLaunch;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.SubnetState;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * Subnets. They exist only here: to packets a VPC is one network, and who may speak to whom is the
 * security groups' matter.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html">Subnets</a>
 */
public final class Subnets {

  private static final int MOST = 200;

  private static final Filters<Subnet> FILTERS =
      new Filters<>(Subnet::tags)
          .by("availability-zone", Subnet::availabilityZone)
          .by("availabilityZone", Subnet::availabilityZone)
          .by("availability-zone-id", Subnet::availabilityZoneId)
          .by("availabilityZoneId", Subnet::availabilityZoneId)
          .by("available-ip-address-count", Subnet::availableIpAddressCount)
          .by("cidr-block", Subnet::cidrBlock)
          .by("cidr", Subnet::cidrBlock)
          .by("cidrBlock", Subnet::cidrBlock)
          .by("default-for-az", Subnet::defaultForAz)
          .by("defaultForAz", Subnet::defaultForAz)
          .by("map-public-ip-on-launch", Subnet::mapPublicIpOnLaunch)
          .by("owner-id", Subnet::ownerId)
          .by("state", Subnet::stateAsString)
          .by("subnet-arn", Subnet::subnetArn)
          .by("subnet-id", Subnet::subnetId)
          .by("vpc-id", Subnet::vpcId)
          .by("private-dns-name-options-on-launch.hostname-type", subnet -> "ip-name")
          .never(
              "enable-dns64",
              "ipv6-native",
              "map-customer-owned-ip-on-launch",
              "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
              "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record")
          .byAny(
              "ipv6-cidr-block-association.association-id",
              ofBlocks(SubnetIpv6CidrBlockAssociation::associationId))
          .byAny(
              "ipv6-cidr-block-association.ipv6-cidr-block",
              ofBlocks(SubnetIpv6CidrBlockAssociation::ipv6CidrBlock))
          .byAny(
              "ipv6-cidr-block-association.state",
              ofBlocks(block -> block.ipv6CidrBlockState().stateAsString()))
          .none("customer-owned-ipv4-pool", "enable-lni-at-device-index", "outpost-arn");

  /** The size of default subnets. */
  public static final int DEFAULT_PREFIX = 20;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final Zones zones;
  private final NetworkAcls acls;
  private final SubnetBlocks blocks;

  public Subnets(
      Scope scope, Store store, Ids ids, DataPlane plane, Zones zones, NetworkAcls acls) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    this.zones = zones;
    this.acls = acls;
    blocks = new SubnetBlocks(store, ids, plane);
  }

  /** IPv6 blocks of subnets that are there. */
  public SubnetBlocks blocks() {
    return blocks;
  }

  private static Function<Subnet, List<String>> ofBlocks(
      Function<SubnetIpv6CidrBlockAssociation, String> part) {
    return subnet -> subnet.ipv6CidrBlockAssociationSet().stream().map(part).toList();
  }

  public Subnet make(
      Tx tx, String vpcId, Cidr block, AvailabilityZone zone, boolean isDefault, List<Tag> tags) {
    String id = ids.ec2("subnet");
    Subnet subnet =
        Subnet.builder()
            .subnetId(id)
            .subnetArn(scope.arn("ec2", "subnet/" + id))
            .ownerId(scope.account())
            .vpcId(vpcId)
            .cidrBlock(block.toString())
            .availabilityZone(zone.zoneName())
            .availabilityZoneId(zone.zoneId())
            .availableIpAddressCount((int) Addresses.usable(block))
            .defaultForAz(isDefault)
            .mapPublicIpOnLaunch(isDefault)
            .mapCustomerOwnedIpOnLaunch(false)
            .assignIpv6AddressOnCreation(false)
            .ipv6CidrBlockAssociationSet(List.of())
            .enableDns64(false)
            .ipv6Native(false)
            .privateDnsNameOptionsOnLaunch(
                PrivateDnsNameOptionsOnLaunch.builder()
                    .hostnameType(HostnameType.IP_NAME)
                    .enableResourceNameDnsARecord(false)
                    .enableResourceNameDnsAAAARecord(false)
                    .build())
            .state(SubnetState.AVAILABLE)
            .build();
    tx.insert(Tables.SUBNETS, id, subnet);
    acls.takeIn(tx, subnet);
    Tags.put(tx, id, tags);
    return subnet;
  }

  public CreateSubnetResponse create(CreateSubnetRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "VpcId",
            "CidrBlock",
            "Ipv6CidrBlock",
            "AvailabilityZone",
            "AvailabilityZoneId",
            "TagSpecifications",
            "DryRun"));
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    Cidr block = Blocks.of(Refuse.required(request.cidrBlock(), "cidrBlock"));
    AvailabilityZone zone = zone(request.availabilityZone(), request.availabilityZoneId());
    List<Tag> tags = Tags.given("subnet", request.tagSpecifications());
    // Held against DeleteVpc, and against another subnet that takes the same addresses.
    Subnet subnet =
        plane.alone(
            vpcId,
            () ->
                store.write(tx -> {
                  Cidr vpc = Cidr.parse(Kind.VPC.get(tx, vpcId).vpc().cidrBlock());
                  if (!vpc.contains(block) || block.prefix() > 28) {
                    throw Refuse.because(
                        "InvalidSubnet.Range",
                        "The CIDR '" + request.cidrBlock() + "' is invalid.");
                  }
                  List<Subnet> present = Tables.of(tx, Tables.SUBNETS, "vpc", vpcId);
                  if (present.stream()
                      .anyMatch(other -> Cidr.parse(other.cidrBlock()).overlaps(block))) {
                    throw Refuse.because(
                        "InvalidSubnet.Conflict",
                        "The CIDR '" + block + "' conflicts with another subnet");
                  }
                  if (present.size() >= MOST) {
                    throw Refuse.because(
                        "SubnetLimitExceeded",
                        "The maximum number of subnets per VPC has been reached.");
                  }
                  Subnet made = make(tx, vpcId, block, zone, false, tags);
                  if (request.ipv6CidrBlock() != null) {
                    made = blocks.with(tx, made, request.ipv6CidrBlock());
                    tx.put(Tables.SUBNETS, made.subnetId(), made);
                  }
                  Refuse.ifDryRun(request.dryRun());
                  return made;
                }));
    plane.subnetAlone(subnet.subnetId());
    return CreateSubnetResponse.builder().subnet(subnet.toBuilder().tags(tags).build()).build();
  }

  /** In the first part of the default VPC that is free. */
  public CreateDefaultSubnetResponse createDefault(CreateDefaultSubnetRequest request) {
    Refuse.unlessEffective(request, Set.of("AvailabilityZone", "AvailabilityZoneId", "DryRun"));
    if (request.availabilityZone() == null && request.availabilityZoneId() == null) {
      throw Refuse.missing("availabilityZone");
    }
    AvailabilityZone zone = zone(request.availabilityZone(), request.availabilityZoneId());
    Subnet subnet =
        store.write(tx -> {
          Vpc vpc =
              VpcRecord.findDefault(tx)
                  .orElseThrow(() ->
                      Refuse.because(
                          "DefaultVpcDoesNotExist", "No default VPC exists in this region."));
          List<Subnet> present = Tables.of(tx, Tables.SUBNETS, "vpc", vpc.vpcId());
          if (present.stream()
              .anyMatch(
                  one -> one.defaultForAz() && one.availabilityZone().equals(zone.zoneName()))) {
            throw Refuse.because(
                "DefaultSubnetAlreadyExistsInAvailabilityZone",
                "A default subnet already exists in the availability zone: " + zone.zoneName());
          }
          Cidr free = free(Cidr.parse(vpc.cidrBlock()), present);
          Subnet made = make(tx, vpc.vpcId(), free, zone, true, List.of());
          Refuse.ifDryRun(request.dryRun());
          return made;
        });
    plane.subnetAlone(subnet.subnetId());
    return CreateDefaultSubnetResponse.builder().subnet(subnet).build();
  }

  private static Cidr free(Cidr vpc, List<Subnet> present) {
    for (long offset = 0; offset < vpc.size(); offset += 1L << (32 - DEFAULT_PREFIX)) {
      Cidr part = new Cidr(Cidr.address(vpc.at(offset)), DEFAULT_PREFIX);
      if (present.stream().noneMatch(other -> Cidr.parse(other.cidrBlock()).overlaps(part))) {
        return part;
      }
    }
    throw Refuse.because(
        "InsufficientFreeAddressesInVpc",
        "The default VPC has no free block of the size /" + DEFAULT_PREFIX + ".");
  }

  private AvailabilityZone zone(@Nullable String name, @Nullable String id) {
    if (name != null && id != null) {
      throw Refuse.combination(
          "The parameters availabilityZone and availabilityZoneId cannot be used together");
    }
    List<AvailabilityZone> all = zones.all();
    if (name != null) {
      return zones
          .byName(name)
          .orElseThrow(() ->
              Refuse.invalidValue(
                  name,
                  "availabilityZone",
                  choice(all.stream().map(AvailabilityZone::zoneName).toList())));
    }
    if (id != null) {
      return zones
          .byId(id)
          .orElseThrow(() ->
              Refuse.invalidValue(
                  id,
                  "availabilityZoneId",
                  choice(all.stream().map(AvailabilityZone::zoneId).toList())));
    }
    return all.getFirst();
  }

  private static String choice(List<String> zones) {
    return "Subnets can currently only be created in the following availability zones: "
        + String.join(", ", zones)
        + ".";
  }

  public DeleteSubnetResponse delete(DeleteSubnetRequest request) {
    String id = Refuse.required(request.subnetId(), "subnetId");
    plane.alone(
        id,
        () -> {
          Subnet gone =
              store.write(tx -> {
                Subnet subnet = Kind.SUBNET.get(tx, id);
                if (!tx.find(Tables.INTERFACES, "subnet", id).isEmpty()) {
                  throw Refuse.dependency(
                      "The subnet '" + id + "' has dependencies and cannot be deleted.");
                }
                if (Kind.NAT_GATEWAY.list(tx, List.of()).stream()
                    .anyMatch(nat ->
                        nat.subnetId().equals(id) && nat.state() == NatGatewayState.PENDING)) {
                  throw Refuse.dependency(
                      "The subnet '" + id + "' has dependencies and cannot be deleted.");
                }
                RouteTables.forgetSubnet(tx, id);
                NetworkAcls.forgetSubnet(tx, subnet);
                Tags.forget(tx, id);
                tx.delete(Tables.SUBNETS, id);
                Refuse.ifDryRun(request.dryRun());
                return subnet;
              });
          plane.subnetGone(gone);
          return true;
        });
    return DeleteSubnetResponse.builder().build();
  }

  public ModifySubnetAttributeResponse modify(ModifySubnetAttributeRequest request) {
    Refuse.unlessEffective(
        request, Set.of("SubnetId", "MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation"));
    String id = Refuse.required(request.subnetId(), "subnetId");
    Boolean map = Flags.value(request.mapPublicIpOnLaunch());
    Boolean assign = Flags.value(request.assignIpv6AddressOnCreation());
    if (map == null && assign == null) {
      throw Refuse.combination("No attributes specified.");
    }
    if (map != null && assign != null) {
      throw Refuse.combination("Fields for multiple attribute types specified");
    }
    store.write(tx -> {
      Subnet subnet = Kind.SUBNET.get(tx, id);
      if (Boolean.TRUE.equals(assign) && Ipv6.block(subnet).isEmpty()) {
        throw Refuse.invalidValue(
            "Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set"
                + " assign-ipv6-address-on-creation to true unless the subnet ("
                + id
                + ") has an IPv6 CIDR block associated with it.");
      }
      Subnet.Builder changed = subnet.toBuilder();
      if (map != null) {
        changed.mapPublicIpOnLaunch(map);
      } else {
        changed.assignIpv6AddressOnCreation(assign);
      }
      return tx.put(Tables.SUBNETS, id, changed.build());
    });
    return ModifySubnetAttributeResponse.builder().build();
  }

  public DescribeSubnetsResponse describe(DescribeSubnetsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<Subnet> all =
        store.read(tx ->
            Kind.SUBNET.list(tx, request.subnetIds()).stream()
                .map(subnet -> subnet.toBuilder().tags(Tags.of(tx, subnet.subnetId())).build())
                .toList());
    Pages<Subnet> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            Subnet::subnetId,
            request.subnetIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeSubnetsResponse.builder()
        .subnets(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
