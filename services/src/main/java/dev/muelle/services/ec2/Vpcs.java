package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttributeBooleanValue;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockAssociation;

/** VPCs, the default one among them. */
final class Vpcs {

  static final Table<Vpc> TABLE = Table.of("ec2.vpcs", StoredJson.codec(Vpc.class));

  private static final String DEFAULT_BLOCK = "172.31.0.0/16";
  private static final int MOST = 100;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Network network;
  private final Zones zones;
  private final SecurityGroups groups;
  private final Gateways gateways;

  Vpcs(
      Scope scope,
      Store store,
      Ids ids,
      Network network,
      Zones zones,
      SecurityGroups groups,
      Gateways gateways) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.network = network;
    this.zones = zones;
    this.groups = groups;
    this.gateways = gateways;
  }

  /** Makes the region's default VPC with a default subnet in each zone, if it was never made. */
  void ensureDefault() {
    if (store.read(tx -> tx.count(Gateways.ROUTE_TABLES)) == 0) {
      store.write(this::makeDefault);
    }
  }

  private Vpc makeDefault(Tx tx) {
    Vpc vpc = make(tx, Cidr.parse(DEFAULT_BLOCK), true, "default");
    gateways.attachDefault(tx, vpc.vpcId());
    List<AvailabilityZone> all = zones.all();
    for (int i = 0; i < all.size(); i++) {
      Cidr block = new Cidr(Cidr.address("172.31.0.0") + i * 16 * 256, 20);
      Subnets.make(tx, ids, scope, vpc.vpcId(), block, all.get(i), true);
    }
    return vpc;
  }

  private Vpc make(Tx tx, Cidr block, boolean isDefault, @Nullable String tenancy) {
    String id = ids.ec2("vpc");
    Vpc vpc =
        Vpc.builder()
            .vpcId(id)
            .ownerId(scope.account())
            .cidrBlock(block.toString())
            .cidrBlockAssociationSet(
                VpcCidrBlockAssociation.builder()
                    .associationId(ids.ec2("vpc-cidr-assoc"))
                    .cidrBlock(block.toString())
                    .cidrBlockState(s -> s.state("associated"))
                    .build())
            .dhcpOptionsId("default")
            .instanceTenancy(Objects.requireNonNullElse(tenancy, "default"))
            .isDefault(isDefault)
            .state("available")
            .build();
    tx.insert(TABLE, id, vpc);
    gateways.makeMain(tx, id, block);
    groups.makeDefault(tx, id);
    return vpc;
  }

  /** Tells the network of everything in this VPC; repeatable. */
  void apply(Vpc vpc) {
    network.putVpc(new Network.Vpc(vpc.vpcId(), List.of(Cidr.parse(vpc.cidrBlock()))));
    groups.applyAll(vpc.vpcId());
  }

  CreateVpcResponse create(CreateVpcRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.cidrBlock() == null) {
      throw Faults.missing("cidrBlock");
    }
    if (Boolean.TRUE.equals(request.amazonProvidedIpv6CidrBlock())) {
      throw Faults.unsupported("amazonProvidedIpv6CidrBlock");
    }
    if (request.ipv4IpamPoolId() != null) {
      throw Faults.unsupported("ipv4IpamPoolId");
    }
    if (request.instanceTenancy() != null && !request.instanceTenancyAsString().equals("default")) {
      throw Faults.unsupported("instanceTenancy");
    }
    Cidr block = block(request.cidrBlock());
    if (block.prefix() < 16 || block.prefix() > 28) {
      throw Faults.of("InvalidVpc.Range", "The CIDR '" + block + "' is invalid.");
    }
    Vpc vpc =
        store.write(tx -> {
          if (tx.count(TABLE) >= MOST) {
            throw Faults.of("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
          }
          Vpc made = make(tx, block, false, "default");
          List<Tag> tags = TagSets.put(tx, made.vpcId(), "vpc", request.tagSpecifications());
          return made.toBuilder().tags(tags).build();
        });
    apply(vpc);
    return CreateVpcResponse.builder().vpc(vpc.toBuilder().state("pending").build()).build();
  }

  CreateDefaultVpcResponse createDefault() {
    Vpc vpc =
        store.write(tx -> {
          if (tx.list(TABLE).stream().anyMatch(row -> row.value().isDefault())) {
            throw Faults.of(
                "DefaultVpcAlreadyExists",
                "A Default VPC already exists for this account in this region.");
          }
          return makeDefault(tx);
        });
    apply(vpc);
    return CreateDefaultVpcResponse.builder().vpc(vpc).build();
  }

  DeleteVpcResponse delete(DeleteVpcRequest request) {
    Faults.dryRun(request.dryRun());
    String id = id(request.vpcId());
    store.write(tx -> {
      Vpc vpc = require(tx, id);
      boolean used =
          tx.list(Subnets.TABLE).stream().anyMatch(row -> row.value().vpcId().equals(id))
              || tx.list(NetworkInterfaces.TABLE).stream()
                  .anyMatch(row -> row.value().vpcId().equals(id))
              || groups.hasOwnGroups(tx, id)
              || gateways.attached(tx, id);
      if (used) {
        throw Faults.inUse("vpc", id);
      }
      groups.removeDefault(tx, id);
      gateways.removeMain(tx, id);
      TagSets.remove(tx, id);
      return tx.delete(TABLE, vpc.vpcId());
    });
    network.removeVpc(id);
    return DeleteVpcResponse.builder().build();
  }

  DescribeVpcsResponse describe(DescribeVpcsRequest request) {
    Faults.dryRun(request.dryRun());
    List<Vpc> all =
        store.read(tx -> {
          request.vpcIds().forEach(id -> require(tx, id));
          Map<String, List<Tag>> tags = TagSets.all(tx);
          List<Vpc> found = new ArrayList<>();
          for (Row<Vpc> row : tx.list(TABLE)) {
            Vpc vpc = row.value();
            if (request.vpcIds().isEmpty() || request.vpcIds().contains(vpc.vpcId())) {
              found.add(vpc.toBuilder().tags(tags.getOrDefault(vpc.vpcId(), List.of())).build());
            }
          }
          return found;
        });
    Filters<Vpc> filters =
        new Filters<Vpc>(Vpc::tags)
            .one("vpc-id", Vpc::vpcId)
            .one("cidr", Vpc::cidrBlock)
            .one("cidr-block-association.cidr-block", Vpc::cidrBlock)
            .one("state", Vpc::stateAsString)
            .one("is-default", Vpc::isDefault)
            .one("isDefault", Vpc::isDefault)
            .one("owner-id", Vpc::ownerId)
            .one("dhcp-options-id", Vpc::dhcpOptionsId);
    Filters.Page<Vpc> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeVpcsResponse.builder().vpcs(page.items()).nextToken(page.nextToken()).build();
  }

  /** Names are resolved in every VPC, and tasks have names: both attributes are on, and stay so. */
  DescribeVpcAttributeResponse attribute(DescribeVpcAttributeRequest request) {
    Faults.dryRun(request.dryRun());
    String id = id(request.vpcId());
    store.read(tx -> require(tx, id));
    DescribeVpcAttributeResponse.Builder response =
        DescribeVpcAttributeResponse.builder().vpcId(id);
    AttributeBooleanValue on = AttributeBooleanValue.builder().value(true).build();
    AttributeBooleanValue off = AttributeBooleanValue.builder().value(false).build();
    return switch (request.attribute()) {
      case ENABLE_DNS_SUPPORT -> response.enableDnsSupport(on).build();
      case ENABLE_DNS_HOSTNAMES -> response.enableDnsHostnames(on).build();
      case ENABLE_NETWORK_ADDRESS_USAGE_METRICS ->
          response.enableNetworkAddressUsageMetrics(off).build();
      case null -> throw Faults.missing("attribute");
      case UNKNOWN_TO_SDK_VERSION ->
          throw Faults.invalid(
              "Value (" + request.attributeAsString() + ") for parameter attribute is invalid.");
    };
  }

  static Vpc require(Tx tx, String id) {
    return tx.get(TABLE, id)
        .map(Row::value)
        .orElseThrow(
            () -> Faults.of("InvalidVpcID.NotFound", "The vpc ID '" + id + "' does not exist"));
  }

  static Cidr block(String text) {
    try {
      return Cidr.parse(text);
    } catch (IllegalArgumentException e) {
      throw Faults.invalid(
          "Value ("
              + text
              + ") for parameter cidrBlock is invalid. This is not a valid CIDR block.");
    }
  }

  private static String id(@Nullable String id) {
    if (id == null) {
      throw Faults.missing("vpcId");
    }
    return id;
  }
}
