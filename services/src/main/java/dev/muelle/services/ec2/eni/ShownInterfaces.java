package dev.muelle.services.ec2.eni;

import dev.muelle.network.Network.Use;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttachmentStatus;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;

/**
 * Interfaces as they are described: who uses them, the network says.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html">DescribeNetworkInterfaces</a>
 */
public final class ShownInterfaces {

  private static final Pattern WILDCARDS = Pattern.compile("[*?\\\\]");

  private static final Filters<NetworkInterface> FILTERS =
      new Filters<>(NetworkInterface::tagSet)
          .byAny("addresses.private-ip-address", NetworkInterfaces::addresses)
          .byAny(
              "addresses.primary",
              eni ->
                  eni.privateIpAddresses().stream().map(one -> one.primary().toString()).toList())
          .byAny(
              "addresses.association.owner-id",
              ofAssociations(NetworkInterfaceAssociation::ipOwnerId))
          .byAny(
              "addresses.association.public-ip",
              ofAssociations(NetworkInterfaceAssociation::publicIp))
          .byAny(
              "association.allocation-id",
              ofAssociations(NetworkInterfaceAssociation::allocationId))
          .byAny(
              "association.association-id",
              ofAssociations(NetworkInterfaceAssociation::associationId))
          .byAny("association.ip-owner-id", ofAssociations(NetworkInterfaceAssociation::ipOwnerId))
          .byAny(
              "association.public-dns-name",
              ofAssociations(NetworkInterfaceAssociation::publicDnsName))
          .byAny("association.public-ip", ofAssociations(NetworkInterfaceAssociation::publicIp))
          .by(
              "attachment.attach-time",
              eni -> eni.attachment() == null ? null : eni.attachment().attachTime())
          .by(
              "attachment.delete-on-termination",
              eni -> eni.attachment() == null ? null : eni.attachment().deleteOnTermination())
          .by(
              "attachment.attachment-id",
              eni -> eni.attachment() == null ? null : eni.attachment().attachmentId())
          .by(
              "attachment.instance-id",
              eni -> eni.attachment() == null ? null : eni.attachment().instanceId())
          .by(
              "attachment.instance-owner-id",
              eni -> eni.attachment() == null ? null : eni.attachment().instanceOwnerId())
          .by(
              "attachment.status",
              eni -> eni.attachment() == null ? null : eni.attachment().statusAsString())
          .by(
              "attachment.device-index",
              eni -> eni.attachment() == null ? null : eni.attachment().deviceIndex())
          .by("availability-zone", NetworkInterface::availabilityZone)
          .by("availability-zone-id", NetworkInterface::availabilityZoneId)
          .by("description", NetworkInterface::description)
          .byAny("group-id", eni -> eni.groups().stream().map(GroupIdentifier::groupId).toList())
          .byAny(
              "group-name", eni -> eni.groups().stream().map(GroupIdentifier::groupName).toList())
          .by("interface-type", NetworkInterface::interfaceTypeAsString)
          .by("mac-address", NetworkInterface::macAddress)
          .by("network-interface-id", NetworkInterface::networkInterfaceId)
          .by("owner-id", NetworkInterface::ownerId)
          .by("private-dns-name", NetworkInterface::privateDnsName)
          .byAny("private-ip-address", NetworkInterfaces::addresses)
          .by("requester-id", NetworkInterface::requesterId)
          .by("requester-managed", NetworkInterface::requesterManaged)
          .by("source-dest-check", NetworkInterface::sourceDestCheck)
          .by("status", NetworkInterface::statusAsString)
          .by("subnet-id", NetworkInterface::subnetId)
          .by("vpc-id", NetworkInterface::vpcId)
          .never("operator.managed")
          .byAny("ipv6-addresses.ipv6-address", Ipv6::addresses)
          .none("operator.principal");

  private final Scope scope;
  private final Store store;
  private final DataPlane plane;

  ShownInterfaces(Scope scope, Store store, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.plane = plane;
  }

  private static Function<NetworkInterface, List<String>> ofAssociations(
      Function<NetworkInterfaceAssociation, @Nullable String> value) {
    return eni -> Associations.each(eni).map(value).filter(Objects::nonNull).toList();
  }

  public DescribeNetworkInterfacesResponse describe(DescribeNetworkInterfacesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    request.networkInterfaceIds().forEach(NetworkInterfaces::wellFormed);
    List<NetworkInterface> all =
        store.read(tx -> candidates(tx, request).stream().map(eni -> of(tx, eni)).toList());
    Pages<NetworkInterface> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            NetworkInterface::networkInterfaceId,
            request.networkInterfaceIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeNetworkInterfacesResponse.builder()
        .networkInterfaces(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** All that may be meant; whoever asks for one description does not wait for a look at all. */
  private static List<NetworkInterface> candidates(
      Tx tx, DescribeNetworkInterfacesRequest request) {
    Optional<String> description =
        request.filters().stream()
            .filter(filter -> "description".equals(filter.name()) && filter.values().size() == 1)
            .map(filter -> filter.values().getFirst())
            .filter(value -> !WILDCARDS.matcher(value).find())
            .findFirst();
    return request.networkInterfaceIds().isEmpty() && description.isPresent()
        ? Tables.of(tx, Tables.INTERFACES, "description", description.get())
        : Kind.INTERFACE.list(tx, request.networkInterfaceIds());
  }

  /** As it is described: with what the network and the VPC's attributes say about it. */
  public NetworkInterface of(Tx tx, NetworkInterface eni) {
    Optional<Use> use = plane.plugged(eni.networkInterfaceId());
    NetworkInterfaceAssociation association = named(tx, eni, eni.association());
    NetworkInterfaceAttachment own = eni.attachment(); // an instance's
    return eni.toBuilder()
        .association(association)
        .attachment(
            own != null
                ? own
                : use.map(how -> attachment(eni.networkInterfaceId(), how)).orElse(null))
        .status(
            own != null || use.isPresent()
                ? NetworkInterfaceStatus.IN_USE
                : NetworkInterfaceStatus.AVAILABLE)
        .requesterManaged(
            Boolean.TRUE.equals(eni.requesterManaged()) || (own == null && use.isPresent()))
        .requesterId(own != null ? eni.requesterId() : use.map(ShownInterfaces::owner).orElse(null))
        .ipv6Address(Ipv6.addresses(eni).stream().findFirst().orElse(null))
        .ipv6Addresses(List.copyOf(eni.ipv6Addresses()))
        .ipv6Prefixes(List.copyOf(eni.ipv6Prefixes()))
        .privateIpAddresses(
            Stream.concat(
                    Stream.of(
                        NetworkInterfacePrivateIpAddress.builder()
                            .primary(true)
                            .privateIpAddress(eni.privateIpAddress())
                            .privateDnsName(eni.privateDnsName())
                            .association(association)
                            .build()),
                    eni.privateIpAddresses().stream()
                        .map(one ->
                            one.toBuilder().association(named(tx, eni, one.association())).build()))
                .toList())
        .tagSet(Tags.of(tx, eni.networkInterfaceId()))
        .build();
  }

  /** With the public address's name, where the VPC has such. */
  private @Nullable NetworkInterfaceAssociation named(
      Tx tx, NetworkInterface eni, @Nullable NetworkInterfaceAssociation association) {
    return association == null || !Kind.VPC.get(tx, eni.vpcId()).dnsHostnames()
        ? association
        : association.toBuilder()
            .publicDnsName(HostNames.outside(scope, association.publicIp()))
            .build();
  }

  static NetworkInterfaceAttachment attachment(String id, Use use) {
    return NetworkInterfaceAttachment.builder()
        .attachmentId("eni-attach-" + id.substring("eni-".length()))
        .deleteOnTermination(false)
        .deviceIndex(1)
        .networkCardIndex(0)
        .instanceOwnerId(owner(use))
        .status(AttachmentStatus.ATTACHED)
        .build();
  }

  /** The service that holds an interface which is none of an instance. */
  static String owner(Use use) {
    return switch (use) {
      case NAMESPACE, NAT_GATEWAY, ATTACHED -> "amazon-aws";
      case SERVER -> "amazon-elb";
    };
  }
}
