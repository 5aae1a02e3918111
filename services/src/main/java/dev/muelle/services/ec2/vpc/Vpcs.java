package dev.muelle.services.ec2.vpc;

import dev.muelle.network.Cidr;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.acl.NetworkAcls;
import dev.muelle.services.ec2.dhcp.DhcpOptionSets;
import dev.muelle.services.ec2.gateway.InternetGateways;
import dev.muelle.services.ec2.peering.VpcPeerings;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.route.RouteTables;
import dev.muelle.services.ec2.route.Routes;
import dev.muelle.services.ec2.security.SecurityGroups;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Flags;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.services.ec2.subnet.Subnets;
import dev.muelle.services.ec2.zone.Zones;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Tenancy;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockState;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockStateCode;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.VpcState;

/**
 * VPCs. Each is born with a main route table and a default security group.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html">
 *     Default VPCs</a>
 */
public final class Vpcs {

  private static final String DEFAULT_CIDR = "172.31.0.0/16";
  private static final int MOST = 5;

  /** Blocks that no VPC may touch: "this" network, loopback, link-local, multicast and beyond. */
  private static final List<Cidr> FORBIDDEN =
      List.of(
          Cidr.parse("0.0.0.0/8"),
          Cidr.parse("127.0.0.0/8"),
          Cidr.parse("169.254.0.0/16"),
          Cidr.parse("224.0.0.0/3"));

  private static final Filters<Vpc> FILTERS =
      new Filters<>(Vpc::tags)
          .by("cidr", Vpc::cidrBlock)
          .by("cidr-block", Vpc::cidrBlock)
          .by("cidrBlock", Vpc::cidrBlock)
          .byAny(
              "cidr-block-association.cidr-block",
              vpc ->
                  vpc.cidrBlockAssociationSet().stream()
                      .map(VpcCidrBlockAssociation::cidrBlock)
                      .toList())
          .byAny(
              "cidr-block-association.association-id",
              vpc ->
                  vpc.cidrBlockAssociationSet().stream()
                      .map(VpcCidrBlockAssociation::associationId)
                      .toList())
          .byAny(
              "cidr-block-association.state",
              vpc ->
                  vpc.cidrBlockAssociationSet().stream()
                      .map(block -> block.cidrBlockState().stateAsString())
                      .toList())
          .by("dhcp-options-id", Vpc::dhcpOptionsId)
          .by("instance-tenancy", Vpc::instanceTenancyAsString)
          .by("is-default", Vpc::isDefault)
          .by("isDefault", Vpc::isDefault)
          .by("owner-id", Vpc::ownerId)
          .by("state", Vpc::stateAsString)
          .by("vpc-id", Vpc::vpcId)
          .byAny(
              "ipv6-cidr-block-association.association-id",
              ofBlocks(VpcIpv6CidrBlockAssociation::associationId))
          .byAny(
              "ipv6-cidr-block-association.ipv6-cidr-block",
              ofBlocks(VpcIpv6CidrBlockAssociation::ipv6CidrBlock))
          .byAny(
              "ipv6-cidr-block-association.ipv6-pool",
              ofBlocks(VpcIpv6CidrBlockAssociation::ipv6Pool))
          .byAny(
              "ipv6-cidr-block-association.state",
              ofBlocks(block -> block.ipv6CidrBlockState().stateAsString()));

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final Zones zones;
  private final DhcpOptionSets dhcp;
  private final InternetGateways gateways;
  private final RouteTables tables;
  private final NetworkAcls acls;
  private final SecurityGroups groups;
  private final Subnets subnets;
  private final VpcBlocks blocks;

  public Vpcs(
      Scope scope,
      Store store,
      Ids ids,
      DataPlane plane,
      Zones zones,
      DhcpOptionSets dhcp,
      InternetGateways gateways,
      RouteTables tables,
      NetworkAcls acls,
      SecurityGroups groups,
      Subnets subnets) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    this.zones = zones;
    this.dhcp = dhcp;
    this.gateways = gateways;
    this.tables = tables;
    this.acls = acls;
    this.groups = groups;
    this.subnets = subnets;
    blocks = new VpcBlocks(scope, store, ids, plane, tables, acls, groups);
  }

  /** IPv6 blocks of VPCs that are there. */
  public VpcBlocks blocks() {
    return blocks;
  }

  private static Function<Vpc, List<String>> ofBlocks(
      Function<VpcIpv6CidrBlockAssociation, String> part) {
    return vpc -> vpc.ipv6CidrBlockAssociationSet().stream().map(part).toList();
  }

  /** Furnishes a region that nobody used before. */
  public void found() {
    store.write(tx -> {
      acls.makeMissing(tx);
      if (tx.get(Tables.FOUNDED, "region").isEmpty()) {
        tx.put(Tables.FOUNDED, "region", scope.region());
        makeDefault(tx);
      }
      return true;
    });
  }

  private Vpc makeDefault(Tx tx) {
    Cidr block = Cidr.parse(DEFAULT_CIDR);
    Vpc vpc = make(tx, block, true, List.of());
    Routes.addDefault(tx, mainTable(tx, vpc.vpcId()), gateways.makeFor(tx, vpc.vpcId()));
    long offset = 0;
    for (AvailabilityZone zone : zones.all()) {
      Cidr part = new Cidr(Cidr.address(block.at(offset)), Subnets.DEFAULT_PREFIX);
      subnets.make(tx, vpc.vpcId(), part, zone, true, List.of());
      offset += part.size();
    }
    return vpc;
  }

  private static String mainTable(Tx tx, String vpcId) {
    return tx.find(Tables.ROUTE_TABLES, "vpc", vpcId).getFirst().key();
  }

  private Vpc make(Tx tx, Cidr block, boolean isDefault, List<Tag> tags) {
    if (tx.count(Tables.VPCS) >= MOST) {
      throw Refuse.because("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
    }
    String id = ids.ec2("vpc");
    Vpc vpc =
        Vpc.builder()
            .vpcId(id)
            .ownerId(scope.account())
            .state(VpcState.AVAILABLE)
            .cidrBlock(block.toString())
            .dhcpOptionsId(dhcp.shared(tx))
            .instanceTenancy(Tenancy.DEFAULT)
            .isDefault(isDefault)
            .ipv6CidrBlockAssociationSet(List.of())
            .cidrBlockAssociationSet(
                VpcCidrBlockAssociation.builder()
                    .associationId(ids.ec2("vpc-cidr-assoc"))
                    .cidrBlock(block.toString())
                    .cidrBlockState(
                        VpcCidrBlockState.builder().state(VpcCidrBlockStateCode.ASSOCIATED).build())
                    .build())
            .build();
    tx.insert(Tables.VPCS, id, new VpcRecord(vpc, isDefault, false));
    Tags.put(tx, id, tags);
    tables.makeMain(tx, id, block);
    acls.makeDefault(tx, id);
    groups.makeDefault(tx, id);
    return vpc;
  }

  public CreateVpcResponse create(CreateVpcRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "CidrBlock",
            "AmazonProvidedIpv6CidrBlock",
            "InstanceTenancy",
            "TagSpecifications",
            "DryRun"));
    if (request.instanceTenancy() != null && request.instanceTenancy() != Tenancy.DEFAULT) {
      throw Refuse.unsupported(
          "The instance tenancy "
              + request.instanceTenancyAsString()
              + " is not supported by this region yet.");
    }
    Cidr block = Blocks.of(Refuse.required(request.cidrBlock(), "cidrBlock"));
    if (block.prefix() < 16
        || block.prefix() > 28
        || FORBIDDEN.stream().anyMatch(forbidden -> forbidden.overlaps(block))) {
      throw Refuse.because(
          "InvalidVpc.Range", "The CIDR '" + request.cidrBlock() + "' is invalid.");
    }
    List<Tag> tags = Tags.given("vpc", request.tagSpecifications());
    Vpc vpc =
        store.write(tx -> {
          Vpc made = make(tx, block, false, tags);
          if (Boolean.TRUE.equals(request.amazonProvidedIpv6CidrBlock())) {
            blocks.give(tx, made.vpcId());
            made = Kind.VPC.get(tx, made.vpcId()).vpc();
          }
          Refuse.ifDryRun(request.dryRun());
          return made;
        });
    apply(vpc.vpcId());
    return CreateVpcResponse.builder()
        .vpc(vpc.toBuilder().state(VpcState.PENDING).tags(tags).build())
        .build();
  }

  private void apply(String vpcId) {
    plane.alone(
        vpcId,
        () -> {
          plane.vpc(vpcId);
          return true;
        });
    String group = store.read(tx -> SecurityGroups.defaultOf(tx, vpcId)).groupId();
    plane.alone(
        group,
        () -> {
          plane.group(group);
          return true;
        });
    plane.ways(vpcId);
  }

  public CreateDefaultVpcResponse createDefault(CreateDefaultVpcRequest request) {
    Vpc vpc =
        store.write(tx -> {
          if (VpcRecord.findDefault(tx).isPresent()) {
            throw Refuse.because(
                "DefaultVpcAlreadyExists",
                "A Default VPC already exists for this account in this region.");
          }
          Vpc made = makeDefault(tx);
          Refuse.ifDryRun(request.dryRun());
          return made;
        });
    apply(vpc.vpcId());
    return CreateDefaultVpcResponse.builder()
        .vpc(vpc.toBuilder().state(VpcState.PENDING).tags(List.of()).build())
        .build();
  }

  public DeleteVpcResponse delete(DeleteVpcRequest request) {
    String id = Refuse.required(request.vpcId(), "vpcId");
    plane.alone(
        id,
        () -> {
          store.write(tx -> {
            Kind.VPC.get(tx, id);
            boolean used =
                !tx.find(Tables.SUBNETS, "vpc", id).isEmpty()
                    || !tx.find(Tables.GATEWAYS, "vpc", id).isEmpty()
                    || !tx.find(Tables.EGRESS_ONLY, "vpc", id).isEmpty()
                    || tx.find(Tables.GROUPS, "vpc", id).size() > 1
                    || !tx.find(Tables.GROUP_VPCS, "vpc", id).isEmpty()
                    || tx.find(Tables.ROUTE_TABLES, "vpc", id).size() > 1
                    || tx.find(Tables.ACLS, "vpc", id).size() > 1
                    || !tx.find(Tables.ENDPOINTS, "vpc", id).isEmpty()
                    || VpcPeerings.connected(tx, id);
            if (used) {
              throw Refuse.dependency(
                  "The vpc '" + id + "' has dependencies and cannot be deleted.");
            }
            groups.forget(tx, SecurityGroups.defaultOf(tx, id).groupId());
            RouteTables.forgetAll(tx, id);
            NetworkAcls.forgetAll(tx, id);
            Tags.forget(tx, id);
            tx.delete(Tables.VPCS, id);
            Refuse.ifDryRun(request.dryRun());
            return true;
          });
          plane.vpc(id);
          return true;
        });
    return DeleteVpcResponse.builder().build();
  }

  public DescribeVpcsResponse describe(DescribeVpcsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<Vpc> all =
        store.read(tx ->
            Kind.VPC.list(tx, request.vpcIds()).stream()
                .map(vpc -> vpc.vpc().toBuilder().tags(Tags.of(tx, vpc.vpc().vpcId())).build())
                .toList());
    Pages<Vpc> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            Vpc::vpcId,
            request.vpcIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeVpcsResponse.builder().vpcs(page.items()).nextToken(page.nextToken()).build();
  }

  public DescribeVpcAttributeResponse attribute(DescribeVpcAttributeRequest request) {
    Refuse.ifDryRun(request.dryRun());
    String id = Refuse.required(request.vpcId(), "vpcId");
    Refuse.required(request.attributeAsString(), "attribute");
    VpcRecord vpc = store.read(tx -> Kind.VPC.get(tx, id));
    DescribeVpcAttributeResponse.Builder response =
        DescribeVpcAttributeResponse.builder().vpcId(id);
    return switch (request.attribute()) {
      case ENABLE_DNS_SUPPORT -> response.enableDnsSupport(Flags.of(!vpc.withoutDns())).build();
      case ENABLE_DNS_HOSTNAMES ->
          response.enableDnsHostnames(Flags.of(vpc.dnsHostnames())).build();
      case ENABLE_NETWORK_ADDRESS_USAGE_METRICS ->
          response.enableNetworkAddressUsageMetrics(Flags.of(false)).build();
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.invalidValue(
              request.attributeAsString(), "attribute", "Unknown VPC attribute.");
    };
  }

  public ModifyVpcAttributeResponse modify(ModifyVpcAttributeRequest request) {
    String id = Refuse.required(request.vpcId(), "vpcId");
    Boolean support = Flags.value(request.enableDnsSupport());
    Boolean hostnames = Flags.value(request.enableDnsHostnames());
    Boolean metrics = Flags.value(request.enableNetworkAddressUsageMetrics());
    if (support == null && hostnames == null && metrics == null) {
      throw Refuse.combination("No attributes specified.");
    }
    if ((support != null && hostnames != null)
        || (metrics != null && (support != null || hostnames != null))) {
      throw Refuse.combination("Fields for multiple attribute types specified");
    }
    if (Boolean.TRUE.equals(metrics)) {
      throw Refuse.unsupported(
          "The value true of the parameter EnableNetworkAddressUsageMetrics is not supported by"
              + " this region yet.");
    }
    plane.alone(
        id,
        () -> {
          store.write(tx -> {
            VpcRecord vpc = Kind.VPC.get(tx, id);
            tx.put(
                Tables.VPCS,
                id,
                new VpcRecord(
                    vpc.vpc(),
                    Objects.requireNonNullElse(hostnames, vpc.dnsHostnames()),
                    support == null ? vpc.withoutDns() : !support));
            return true;
          });
          plane.vpc(id);
          return true;
        });
    return ModifyVpcAttributeResponse.builder().build();
  }
}
