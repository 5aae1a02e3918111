package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
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
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.CreateSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;

/** Subnets: each a block of its VPC's addresses in one zone. */
final class Subnets {

  static final Table<Subnet> TABLE = Table.of("ec2.subnets", StoredJson.codec(Subnet.class));

  /** The first four addresses and the last one of a subnet are not given out. */
  static final int RESERVED_FIRST = 4;

  private static final int RESERVED = 5;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Zones zones;

  Subnets(Scope scope, Store store, Ids ids, Zones zones) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.zones = zones;
  }

  static Subnet make(
      Tx tx,
      Ids ids,
      Scope scope,
      String vpcId,
      Cidr block,
      AvailabilityZone zone,
      boolean isDefault) {
    String id = ids.ec2("subnet");
    Subnet subnet =
        Subnet.builder()
            .subnetId(id)
            .subnetArn(scope.arn("ec2", "subnet/" + id))
            .vpcId(vpcId)
            .ownerId(scope.account())
            .cidrBlock(block.toString())
            .availabilityZone(zone.zoneName())
            .availabilityZoneId(zone.zoneId())
            .defaultForAz(isDefault)
            .mapPublicIpOnLaunch(isDefault)
            .assignIpv6AddressOnCreation(false)
            .mapCustomerOwnedIpOnLaunch(false)
            .enableDns64(false)
            .ipv6Native(false)
            .state("available")
            .build();
    return tx.insert(TABLE, id, subnet).value();
  }

  CreateSubnetResponse create(CreateSubnetRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.vpcId() == null) {
      throw Faults.missing("vpcId");
    }
    if (request.cidrBlock() == null) {
      throw Faults.missing("cidrBlock");
    }
    if (request.ipv6CidrBlock() != null || Boolean.TRUE.equals(request.ipv6Native())) {
      throw Faults.unsupported("ipv6CidrBlock");
    }
    if (request.outpostArn() != null) {
      throw Faults.unsupported("outpostArn");
    }
    Cidr block = Vpcs.block(request.cidrBlock());
    String zoneName =
        request.availabilityZone() != null
            ? request.availabilityZone()
            : request.availabilityZoneId() != null
                ? request.availabilityZoneId()
                : zones.all().getFirst().zoneName();
    AvailabilityZone zone =
        zones
            .find(zoneName)
            .orElseThrow(() ->
                Faults.invalid(
                    "Value ("
                        + zoneName
                        + ") for parameter availabilityZone is invalid."
                        + " Subnets can currently only be created in the following availability zones: "
                        + String.join(
                            ", ", zones.all().stream().map(AvailabilityZone::zoneName).toList())
                        + "."));
    Subnet subnet =
        store.write(tx -> {
          Vpc vpc = Vpcs.require(tx, request.vpcId());
          if (block.prefix() > 28 || !Cidr.parse(vpc.cidrBlock()).contains(block)) {
            throw Faults.of("InvalidSubnet.Range", "The CIDR '" + block + "' is invalid.");
          }
          for (Row<Subnet> other : tx.list(TABLE)) {
            if (other.value().vpcId().equals(vpc.vpcId())
                && Cidr.parse(other.value().cidrBlock()).overlaps(block)) {
              throw Faults.of(
                  "InvalidSubnet.Conflict",
                  "The CIDR '" + block + "' conflicts with another subnet");
            }
          }
          Subnet made = make(tx, ids, scope, vpc.vpcId(), block, zone, false);
          List<Tag> tags = TagSets.put(tx, made.subnetId(), "subnet", request.tagSpecifications());
          return shown(tx, made, tags);
        });
    return CreateSubnetResponse.builder().subnet(subnet).build();
  }

  DeleteSubnetResponse delete(DeleteSubnetRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.subnetId() == null) {
      throw Faults.missing("subnetId");
    }
    store.write(tx -> {
      Subnet subnet = require(tx, request.subnetId());
      if (!tx.find(NetworkInterfaces.TABLE, "subnet", subnet.subnetId()).isEmpty()) {
        throw Faults.inUse("subnet", subnet.subnetId());
      }
      TagSets.remove(tx, subnet.subnetId());
      return tx.delete(TABLE, subnet.subnetId());
    });
    return DeleteSubnetResponse.builder().build();
  }

  DescribeSubnetsResponse describe(DescribeSubnetsRequest request) {
    Faults.dryRun(request.dryRun());
    List<Subnet> all =
        store.read(tx -> {
          request.subnetIds().forEach(id -> require(tx, id));
          Map<String, List<Tag>> tags = TagSets.all(tx);
          List<Subnet> found = new ArrayList<>();
          for (Row<Subnet> row : tx.list(TABLE)) {
            Subnet subnet = row.value();
            if (request.subnetIds().isEmpty() || request.subnetIds().contains(subnet.subnetId())) {
              found.add(shown(tx, subnet, tags.getOrDefault(subnet.subnetId(), List.of())));
            }
          }
          return found.stream()
              .sorted(java.util.Comparator.comparing(Subnet::availabilityZone))
              .toList();
        });
    Filters<Subnet> filters =
        new Filters<Subnet>(Subnet::tags)
            .one("subnet-id", Subnet::subnetId)
            .one("vpc-id", Subnet::vpcId)
            .one("availability-zone", Subnet::availabilityZone)
            .one("availabilityZone", Subnet::availabilityZone)
            .one("availability-zone-id", Subnet::availabilityZoneId)
            .one("cidr-block", Subnet::cidrBlock)
            .one("cidr", Subnet::cidrBlock)
            .one("cidrBlock", Subnet::cidrBlock)
            .one("default-for-az", Subnet::defaultForAz)
            .one("defaultForAz", Subnet::defaultForAz)
            .one("map-public-ip-on-launch", Subnet::mapPublicIpOnLaunch)
            .one("owner-id", Subnet::ownerId)
            .one("subnet-arn", Subnet::subnetArn)
            .one("state", Subnet::stateAsString)
            .one("available-ip-address-count", Subnet::availableIpAddressCount);
    Filters.Page<Subnet> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeSubnetsResponse.builder()
        .subnets(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static Subnet shown(Tx tx, Subnet subnet, List<Tag> tags) {
    int used = tx.find(NetworkInterfaces.TABLE, "subnet", subnet.subnetId()).size();
    long size = Cidr.parse(subnet.cidrBlock()).size();
    return subnet.toBuilder()
        .availableIpAddressCount((int) (size - RESERVED - used))
        .tags(tags)
        .build();
  }

  static Subnet require(Tx tx, String id) {
    return tx.get(TABLE, id)
        .map(Row::value)
        .orElseThrow(() ->
            Faults.of("InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist"));
  }
}
