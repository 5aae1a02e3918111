package dev.muelle.services.ec2;

import dev.muelle.network.Cidr;
import dev.muelle.network.NameSource;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

/** Elastic network interfaces: an address in a subnet, and the groups that guard it. */
final class NetworkInterfaces implements NameSource {

  static final Table<NetworkInterface> TABLE =
      Table.of("ec2.network_interfaces", StoredJson.codec(NetworkInterface.class))
          .index("subnet", NetworkInterface::subnetId)
          .index("name", NetworkInterface::privateDnsName);

  /** Which interface a client token has made. */
  record Token(String interfaceId) {}

  private static final Table<Token> TOKENS =
      Table.of("ec2.interface_tokens", StoredJson.codec(Token.class));

  private static final int MAX_GROUPS = 16;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Network network;
  private final Gateways gateways;

  NetworkInterfaces(Scope scope, Store store, Ids ids, Network network, Gateways gateways) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.network = network;
    this.gateways = gateways;
  }

  CreateNetworkInterfaceResponse create(CreateNetworkInterfaceRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.subnetId() == null) {
      throw Faults.missing("subnetId");
    }
    refuseUnsupported(request);
    NetworkInterface eni = store.write(tx -> make(tx, request));
    apply(eni.networkInterfaceId());
    return CreateNetworkInterfaceResponse.builder()
        .networkInterface(shown(eni, eni.tagSet()))
        .clientToken(request.clientToken())
        .build();
  }

  private static void refuseUnsupported(CreateNetworkInterfaceRequest request) {
    if (request.secondaryPrivateIpAddressCount() != null
        || request.privateIpAddresses().size() > 1) {
      throw Faults.unsupported("SecondaryPrivateIpAddressCount");
    }
    if (request.ipv6AddressCount() != null || !request.ipv6Addresses().isEmpty()) {
      throw Faults.unsupported("Ipv6AddressCount");
    }
    if (request.ipv4PrefixCount() != null || !request.ipv4Prefixes().isEmpty()) {
      throw Faults.unsupported("Ipv4PrefixCount");
    }
    if (request.interfaceType() != null && !request.interfaceTypeAsString().equals("interface")) {
      throw Faults.unsupported("InterfaceType");
    }
  }

  private NetworkInterface make(Tx tx, CreateNetworkInterfaceRequest request) {
    String token = request.clientToken();
    if (token != null) {
      Optional<NetworkInterface> made =
          tx.get(TOKENS, token)
              .flatMap(row -> tx.get(TABLE, row.value().interfaceId()))
              .map(Row::value);
      if (made.isPresent()) {
        return made.get();
      }
    }
    Subnet subnet = Subnets.require(tx, request.subnetId());
    List<String> groups =
        request.groups().isEmpty() ? List.of(defaultGroup(tx, subnet.vpcId())) : request.groups();
    String wanted =
        request.privateIpAddress() != null
            ? request.privateIpAddress()
            : request.privateIpAddresses().stream()
                .findFirst()
                .map(address -> address.privateIpAddress())
                .orElse(null);
    String address = address(tx, subnet, wanted);
    String id = ids.ec2("eni");
    NetworkInterface eni =
        NetworkInterface.builder()
            .networkInterfaceId(id)
            .subnetId(subnet.subnetId())
            .vpcId(subnet.vpcId())
            .availabilityZone(subnet.availabilityZone())
            .description(request.description() == null ? "" : request.description())
            .groups(groups(tx, groups, subnet.vpcId()))
            .interfaceType("interface")
            .macAddress(mac())
            .ownerId(scope.account())
            .privateIpAddress(address)
            .privateDnsName(name(address))
            .privateIpAddresses(
                List.of(
                    NetworkInterfacePrivateIpAddress.builder()
                        .primary(true)
                        .privateIpAddress(address)
                        .privateDnsName(name(address))
                        .build()))
            .requesterManaged(false)
            .sourceDestCheck(true)
            .status(NetworkInterfaceStatus.AVAILABLE)
            .ipv6Addresses(List.of())
            .build();
    tx.insert(TABLE, id, eni);
    if (token != null) {
      tx.put(TOKENS, token, new Token(id));
    }
    List<Tag> tags = TagSets.put(tx, id, "network-interface", request.tagSpecifications());
    return eni.toBuilder().tagSet(tags).build();
  }

  /** A free address of the subnet: the wanted one, or the first after the reserved ones. */
  private static String address(Tx tx, Subnet subnet, @Nullable String wanted) {
    Cidr block = Cidr.parse(subnet.cidrBlock());
    Set<String> taken = new HashSet<>();
    tx.find(TABLE, "subnet", subnet.subnetId())
        .forEach(row -> taken.add(row.value().privateIpAddress()));
    if (wanted != null) {
      int address;
      try {
        address = Cidr.address(wanted);
      } catch (IllegalArgumentException e) {
        throw Faults.invalid("invalid value for parameter address: " + wanted);
      }
      long offset = address - block.base();
      if (!block.contains(address)
          || offset < Subnets.RESERVED_FIRST
          || offset == block.size() - 1) {
        throw Faults.invalid(
            block.contains(address)
                ? "Address " + wanted + " is in subnet's reserved address range"
                : "Address does not fall within the subnet's address range");
      }
      if (taken.contains(wanted)) {
        throw Faults.of("InvalidIPAddress.InUse", "Address " + wanted + " is in use.");
      }
      return wanted;
    }
    for (long offset = Subnets.RESERVED_FIRST; offset < block.size() - 1; offset++) {
      String address = block.at(offset);
      if (!taken.contains(address)) {
        return address;
      }
    }
    throw Faults.of(
        "InsufficientFreeAddressesInSubnet",
        "The specified subnet does not have enough free addresses to satisfy the request.");
  }

  private static List<GroupIdentifier> groups(Tx tx, List<String> groupIds, String vpcId) {
    if (groupIds.size() > MAX_GROUPS) {
      throw Faults.of(
          "SecurityGroupsPerInterfaceLimitExceeded",
          "The maximum number of security groups per interface has been reached.");
    }
    List<GroupIdentifier> groups = new ArrayList<>();
    for (String id : groupIds) {
      var group = SecurityGroups.require(tx, id);
      if (!group.vpcId().equals(vpcId)) {
        throw Faults.of(
            "InvalidParameter",
            "You have specified two resources that belong to different networks.");
      }
      groups.add(GroupIdentifier.builder().groupId(id).groupName(group.groupName()).build());
    }
    return groups;
  }

  private static String defaultGroup(Tx tx, String vpcId) {
    return tx.find(SecurityGroups.TABLE, "vpc", vpcId).stream()
        .filter(row -> row.value().groupName().equals("default"))
        .findFirst()
        .orElseThrow()
        .key();
  }

  /** A locally administered address, as EC2's interfaces have. */
  private String mac() {
    String hex = ids.hex(10);
    return "02:" + String.join(":", hex.split("(?<=\\G..)"));
  }

  private String name(String address) {
    String domain =
        scope.region().equals("us-east-1")
            ? ".ec2.internal"
            : "." + scope.region() + ".compute.internal";
    return "ip-" + address.replace('.', '-') + domain;
  }

  /** Tells the network what the store says of one interface; repeatable. */
  synchronized void apply(String id) {
    Optional<Network.NetworkInterface> wanted =
        store.read(tx ->
            tx.get(TABLE, id)
                .map(Row::value)
                .map(eni ->
                    new Network.NetworkInterface(
                        id,
                        eni.vpcId(),
                        Cidr.parse(Subnets.require(tx, eni.subnetId()).cidrBlock()),
                        eni.privateIpAddress(),
                        eni.macAddress(),
                        eni.groups().stream().map(GroupIdentifier::groupId).toList(),
                        eni.association() != null && gateways.routesToInternet(tx, eni.vpcId()))));
    wanted.ifPresent(network::putInterface);
  }

  DeleteNetworkInterfaceResponse delete(DeleteNetworkInterfaceRequest request) {
    Faults.dryRun(request.dryRun());
    String id = request.networkInterfaceId();
    if (id == null) {
      throw Faults.missing("networkInterfaceId");
    }
    store.write(tx -> {
      require(tx, id);
      if (network.plugged(id).isPresent()) {
        throw Faults.of("InvalidNetworkInterface.InUse", "Interface: [" + id + "] in use.");
      }
      TagSets.remove(tx, id);
      for (Row<Token> token : tx.list(TOKENS)) {
        if (token.value().interfaceId().equals(id)) {
          tx.delete(TOKENS, token.key());
        }
      }
      return tx.delete(TABLE, id);
    });
    network.removeInterface(id);
    return DeleteNetworkInterfaceResponse.builder().build();
  }

  ModifyNetworkInterfaceAttributeResponse modify(ModifyNetworkInterfaceAttributeRequest request) {
    Faults.dryRun(request.dryRun());
    String id = request.networkInterfaceId();
    if (id == null) {
      throw Faults.missing("networkInterfaceId");
    }
    if (request.sourceDestCheck() != null) {
      throw Faults.unsupported("SourceDestCheck");
    }
    if (request.attachment() != null) {
      throw Faults.unsupported("Attachment");
    }
    store.write(tx -> {
      NetworkInterface eni = require(tx, id);
      NetworkInterface.Builder changed = eni.toBuilder();
      if (!request.groups().isEmpty()) {
        changed.groups(groups(tx, request.groups(), eni.vpcId()));
      }
      if (request.description() != null) {
        changed.description(request.description().value());
      }
      if (request.associatePublicIpAddress() != null) {
        associate(changed, eni, request.associatePublicIpAddress());
      }
      return tx.put(TABLE, id, changed.build());
    });
    apply(id);
    return ModifyNetworkInterfaceAttributeResponse.builder().build();
  }

  /**
   * Gives a public address. It stands for "may use the way out": packets leave with the host's own
   * address, so the number shown is one that documentation is free to use (RFC 5737).
   */
  private static void associate(
      NetworkInterface.Builder changed, NetworkInterface eni, boolean wanted) {
    if (wanted && eni.association() == null) {
      int low = Cidr.address(eni.privateIpAddress()) & 0xFF;
      String address = "203.0.113." + low;
      changed.association(a ->
          a.publicIp(address)
              .ipOwnerId("amazon")
              .publicDnsName("ec2-" + address.replace('.', '-') + ".compute-1.amazonaws.com"));
    } else if (!wanted) {
      changed.association(
          (software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation) null);
    }
  }

  DescribeNetworkInterfacesResponse describe(DescribeNetworkInterfacesRequest request) {
    Faults.dryRun(request.dryRun());
    List<NetworkInterface> all =
        store.read(tx -> {
          if (!request.networkInterfaceIds().isEmpty()) {
            return request.networkInterfaceIds().stream()
                .map(id -> shown(require(tx, id), TagSets.of(tx, id)))
                .toList();
          }
          Map<String, List<Tag>> tags = TagSets.all(tx);
          return tx.list(TABLE).stream()
              .map(row -> shown(row.value(), tags.getOrDefault(row.key(), List.of())))
              .toList();
        });
    Filters<NetworkInterface> filters =
        new Filters<NetworkInterface>(NetworkInterface::tagSet)
            .one("network-interface-id", NetworkInterface::networkInterfaceId)
            .one("subnet-id", NetworkInterface::subnetId)
            .one("vpc-id", NetworkInterface::vpcId)
            .one("availability-zone", NetworkInterface::availabilityZone)
            .one("description", NetworkInterface::description)
            .one("status", NetworkInterface::statusAsString)
            .one("mac-address", NetworkInterface::macAddress)
            .one("owner-id", NetworkInterface::ownerId)
            .one("interface-type", NetworkInterface::interfaceTypeAsString)
            .one("requester-managed", NetworkInterface::requesterManaged)
            .one("private-ip-address", NetworkInterface::privateIpAddress)
            .one("addresses.private-ip-address", NetworkInterface::privateIpAddress)
            .one("private-dns-name", NetworkInterface::privateDnsName)
            .one(
                "association.public-ip",
                eni -> eni.association() == null ? null : eni.association().publicIp())
            .many("group-id", eni -> eni.groups().stream().map(GroupIdentifier::groupId).toList())
            .many(
                "group-name",
                eni -> eni.groups().stream().map(GroupIdentifier::groupName).toList());
    Filters.Page<NetworkInterface> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeNetworkInterfacesResponse.builder()
        .networkInterfaces(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** With its state now: an interface is in use while something is plugged into it. */
  private NetworkInterface shown(NetworkInterface eni, List<Tag> tags) {
    NetworkInterface.Builder shown = eni.toBuilder().tagSet(tags);
    Optional<Network.Use> use = network.plugged(eni.networkInterfaceId());
    if (use.isPresent()) {
      String owner =
          switch (use.get()) {
            case NAMESPACE -> "amazon-aws";
            case SERVER -> "amazon-elb";
          };
      shown
          .status(NetworkInterfaceStatus.IN_USE)
          .requesterManaged(true)
          .attachment(a ->
              a.attachmentId(eni.networkInterfaceId().replace("eni-", "eni-attach-"))
                  .instanceOwnerId(owner)
                  .deviceIndex(1)
                  .deleteOnTermination(false)
                  .status("attached"));
    }
    return shown.build();
  }

  /** Private DNS names, inside their VPC. */
  @Override
  public Optional<List<String>> lookup(String vpcId, String name) {
    if (!name.startsWith("ip-")) {
      return Optional.empty();
    }
    List<String> addresses =
        store.read(tx -> tx.find(TABLE, "name", name)).stream()
            .map(Row::value)
            .filter(eni -> eni.vpcId().equals(vpcId))
            .map(NetworkInterface::privateIpAddress)
            .toList();
    return addresses.isEmpty() ? Optional.empty() : Optional.of(addresses);
  }

  private static NetworkInterface require(Tx tx, String id) {
    return tx.get(TABLE, id)
        .map(Row::value)
        .orElseThrow(() ->
            Faults.of(
                "InvalidNetworkInterfaceID.NotFound",
                "The networkInterface ID '" + id + "' does not exist"));
  }
}
