package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Filters;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Address;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.InstancePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.PrivateDnsNameOptionsResponse;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * What instances can be found by.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html">DescribeInstances</a>
 */
final class InstanceFilters {

  private InstanceFilters() {}

  /**
   * An instance as it is shown, with what is shown around it.
   *
   * @param reservation the launch that it came of
   * @param devices its interfaces as they are stored, with their tags: more than instances show
   */
  record Shown(
      String reservation, String owner, Instance instance, List<NetworkInterface> devices) {}

  static Filters<Shown> all() {
    Filters<Shown> filters = new Filters<>(shown -> shown.instance().tags());
    filters.by("owner-id", Shown::owner).by("reservation-id", Shown::reservation);
    own(filters);
    launch(filters);
    metadata(filters);
    interfaces(filters);
    addresses(filters);
    devices(filters);
    filters
        .never(
            "enclave-options.enabled",
            "hibernation-options.configured",
            "network-interface.ipv6-native",
            "network-interface.operator.managed",
            "operator.managed")
        .none(
            "affinity",
            "block-device-mapping.attach-time",
            "block-device-mapping.delete-on-termination",
            "block-device-mapping.device-name",
            "block-device-mapping.status",
            "block-device-mapping.volume-id",
            "capacity-reservation-id",
            "host-id",
            "instance-lifecycle",
            "kernel-id",
            "network-interface.addresses.association.carrier-ip",
            "network-interface.addresses.association.customer-owned-ip",
            "network-interface.association.carrier-ip",
            "network-interface.association.customer-owned-ip",
            "network-interface.ipv4-prefixes.ipv4-prefix",
            "network-interface.ipv6-prefixes.ipv6-prefix",
            "network-interface.operator.principal",
            "network-interface.outpost-arn",
            "network-interface.requester-id",
            "operator.principal",
            "outpost-arn",
            "placement-partition-number",
            "platform",
            "product-code",
            "product-code.type",
            "ramdisk-id",
            "requester-id",
            "spot-instance-request-id",
            "tpm-support");
    return filters;
  }

  private static void by(
      Filters<Shown> filters, String name, Function<Instance, @Nullable Object> value) {
    filters.by(name, shown -> value.apply(shown.instance()));
  }

  private static void byAny(
      Filters<Shown> filters, String name, Function<Instance, List<String>> values) {
    filters.byAny(name, shown -> values.apply(shown.instance()));
  }

  private static void own(Filters<Shown> filters) {
    by(filters, "architecture", Instance::architectureAsString);
    by(filters, "availability-zone", i -> i.placement().availabilityZone());
    by(filters, "availability-zone-id", i -> i.placement().availabilityZoneId());
    by(filters, "dns-name", Instance::publicDnsName);
    by(filters, "ebs-optimized", Instance::ebsOptimized);
    by(filters, "ena-support", Instance::enaSupport);
    by(filters, "hypervisor", Instance::hypervisorAsString);
    by(filters, "instance-id", Instance::instanceId);
    by(filters, "instance-state-code", i -> i.state().code());
    by(filters, "instance-state-name", i -> i.state().nameAsString());
    by(filters, "ip-address", Instance::publicIpAddress);
    by(filters, "ipv6-address", Instance::ipv6Address);
    by(filters, "monitoring-state", i -> i.monitoring().stateAsString());
    by(filters, "placement-group-name", i -> i.placement().groupName());
    by(filters, "platform-details", Instance::platformDetails);
    by(filters, "private-dns-name", Instance::privateDnsName);
    dnsNames(filters, "enable-resource-name-dns-a-record", o -> o.enableResourceNameDnsARecord());
    dnsNames(
        filters, "enable-resource-name-dns-aaaa-record", o -> o.enableResourceNameDnsAAAARecord());
    dnsNames(filters, "hostname-type", o -> o.hostnameTypeAsString());
    by(filters, "private-ip-address", Instance::privateIpAddress);
    by(filters, "reason", Instance::stateTransitionReason);
    by(filters, "root-device-name", Instance::rootDeviceName);
    by(filters, "root-device-type", Instance::rootDeviceTypeAsString);
    by(filters, "source-dest-check", Instance::sourceDestCheck);
    by(filters, "state-reason-code", i -> i.stateReason() == null ? null : i.stateReason().code());
    by(
        filters,
        "state-reason-message",
        i -> i.stateReason() == null ? null : i.stateReason().message());
    by(filters, "subnet-id", Instance::subnetId);
    by(filters, "tenancy", i -> i.placement().tenancyAsString());
    by(filters, "virtualization-type", Instance::virtualizationTypeAsString);
    by(filters, "vpc-id", Instance::vpcId);
    for (String name : List.of("group-id", "instance.group-id")) {
      byAny(filters, name, i -> i.securityGroups().stream().map(GroupIdentifier::groupId).toList());
    }
    for (String name : List.of("group-name", "instance.group-name")) {
      byAny(
          filters, name, i -> i.securityGroups().stream().map(GroupIdentifier::groupName).toList());
    }
  }

  private static void dnsNames(
      Filters<Shown> filters,
      String name,
      Function<PrivateDnsNameOptionsResponse, @Nullable Object> value) {
    by(
        filters,
        "private-dns-name-options." + name,
        i -> i.privateDnsNameOptions() == null ? null : value.apply(i.privateDnsNameOptions()));
  }

  /** What interfaces have that instances do not show. */
  private static void devices(Filters<Shown> filters) {
    for (String before : List.of("association.", "addresses.association.")) {
      ofDevices(
          filters,
          before + "allocation-id",
          eni -> Associations.each(eni).map(NetworkInterfaceAssociation::allocationId));
      ofDevices(
          filters,
          before + "association-id",
          eni -> Associations.each(eni).map(NetworkInterfaceAssociation::associationId));
    }
    ofDevices(
        filters,
        "deny-all-igw-traffic",
        eni -> Stream.of(String.valueOf(Boolean.TRUE.equals(eni.denyAllIgwTraffic()))));
    ofDevices(
        filters,
        "requester-managed",
        eni -> Stream.of(String.valueOf(Boolean.TRUE.equals(eni.requesterManaged()))));
    ofDevices(filters, "tag-key", eni -> eni.tagSet().stream().map(Tag::key));
    ofDevices(filters, "tag-value", eni -> eni.tagSet().stream().map(Tag::value));
  }

  private static void ofDevices(
      Filters<Shown> filters, String name, Function<NetworkInterface, Stream<String>> values) {
    filters.byAny(
        "network-interface." + name,
        shown -> shown.devices().stream().flatMap(values).filter(Objects::nonNull).toList());
  }

  private static void launch(Filters<Shown> filters) {
    by(filters, "client-token", Instance::clientToken);
    by(
        filters,
        "iam-instance-profile.arn",
        i -> i.iamInstanceProfile() == null ? null : i.iamInstanceProfile().arn());
    by(
        filters,
        "iam-instance-profile.id",
        i -> i.iamInstanceProfile() == null ? null : i.iamInstanceProfile().id());
    by(
        filters,
        "iam-instance-profile.name",
        i -> {
          String arn = i.iamInstanceProfile() == null ? null : i.iamInstanceProfile().arn();
          return arn == null ? null : arn.substring(arn.lastIndexOf('/') + 1);
        });
    by(filters, "image-id", Instance::imageId);
    by(filters, "instance-type", Instance::instanceTypeAsString);
    by(filters, "key-name", Instance::keyName);
    by(filters, "launch-index", Instance::amiLaunchIndex);
    by(filters, "launch-time", Instance::launchTime);
  }

  private static void metadata(Filters<Shown> filters) {
    by(filters, "metadata-options.http-endpoint", i -> i.metadataOptions().httpEndpointAsString());
    by(
        filters,
        "metadata-options.http-protocol-ipv6",
        i -> i.metadataOptions().httpProtocolIpv6AsString());
    by(
        filters,
        "metadata-options.http-put-response-hop-limit",
        i -> i.metadataOptions().httpPutResponseHopLimit());
    by(filters, "metadata-options.state", i -> i.metadataOptions().stateAsString());
    by(filters, "metadata-options.http-tokens", i -> i.metadataOptions().httpTokensAsString());
    by(
        filters,
        "metadata-options.instance-metadata-tags",
        i -> i.metadataOptions().instanceMetadataTagsAsString());
  }

  private static void ofEach(
      Filters<Shown> filters,
      String name,
      Function<InstanceNetworkInterface, @Nullable Object> value) {
    byAny(
        filters,
        "network-interface." + name,
        i ->
            i.networkInterfaces().stream()
                .map(value)
                .filter(Objects::nonNull)
                .map(Object::toString)
                .toList());
  }

  private static void ofEachIpv6(
      Filters<Shown> filters, String name, Function<InstanceIpv6Address, String> value) {
    byAny(
        filters,
        "network-interface." + name,
        i ->
            i.networkInterfaces().stream()
                .flatMap(eni -> eni.ipv6Addresses().stream())
                .map(value)
                .toList());
  }

  private static void interfaces(Filters<Shown> filters) {
    ofEach(filters, "attachment.attach-time", eni -> eni.attachment().attachTime());
    ofEach(filters, "attachment.attachment-id", eni -> eni.attachment().attachmentId());
    ofEach(
        filters, "attachment.delete-on-termination", eni -> eni.attachment().deleteOnTermination());
    ofEach(filters, "attachment.device-index", eni -> eni.attachment().deviceIndex());
    ofEach(filters, "attachment.network-card-index", eni -> eni.attachment().networkCardIndex());
    ofEach(filters, "attachment.status", eni -> eni.attachment().statusAsString());
    ofEachIpv6(filters, "ipv6-address", InstanceIpv6Address::ipv6Address);
    ofEachIpv6(filters, "ipv6-addresses.ipv6-address", InstanceIpv6Address::ipv6Address);
    ofEachIpv6(
        filters, "ipv6-addresses.is-primary-ipv6", one -> String.valueOf(one.isPrimaryIpv6()));
    byAny(
        filters,
        "network-interface.attachment.instance-id",
        i -> i.networkInterfaces().isEmpty() ? List.of() : List.of(i.instanceId()));
    ofEach(filters, "attachment.instance-owner-id", InstanceNetworkInterface::ownerId);
    byAny(
        filters,
        "network-interface.availability-zone",
        i ->
            i.networkInterfaces().isEmpty()
                ? List.of()
                : List.of(i.placement().availabilityZone()));
    ofEach(filters, "description", InstanceNetworkInterface::description);
    ofEach(filters, "mac-address", InstanceNetworkInterface::macAddress);
    ofEach(filters, "network-interface-id", InstanceNetworkInterface::networkInterfaceId);
    ofEach(filters, "owner-id", InstanceNetworkInterface::ownerId);
    ofEach(filters, "private-dns-name", InstanceNetworkInterface::privateDnsName);
    ofEach(filters, "source-dest-check", InstanceNetworkInterface::sourceDestCheck);
    ofEach(filters, "status", InstanceNetworkInterface::statusAsString);
    ofEach(filters, "subnet-id", InstanceNetworkInterface::subnetId);
    ofEach(filters, "vpc-id", InstanceNetworkInterface::vpcId);
    byAny(
        filters,
        "network-interface.group-id",
        i ->
            i.networkInterfaces().stream()
                .flatMap(eni -> eni.groups().stream())
                .map(GroupIdentifier::groupId)
                .toList());
    byAny(
        filters,
        "network-interface.group-name",
        i ->
            i.networkInterfaces().stream()
                .flatMap(eni -> eni.groups().stream())
                .map(GroupIdentifier::groupName)
                .toList());
  }

  private static List<InstancePrivateIpAddress> addresses(Instance instance) {
    return instance.networkInterfaces().stream()
        .flatMap(eni -> eni.privateIpAddresses().stream())
        .toList();
  }

  private static void addresses(Filters<Shown> filters) {
    byAny(
        filters,
        "network-interface.addresses.primary",
        i -> addresses(i).stream().map(one -> one.primary().toString()).toList());
    for (String name :
        List.of(
            "network-interface.addresses.private-ip-address",
            "network-interface.private-ip-address")) {
      byAny(
          filters,
          name,
          i -> addresses(i).stream().map(InstancePrivateIpAddress::privateIpAddress).toList());
    }
    for (String before : List.of("network-interface.", "network-interface.addresses.")) {
      byAny(
          filters,
          before + "association.public-ip",
          i -> outside(i, InstanceNetworkInterfaceAssociation::publicIp));
      byAny(
          filters,
          before + "association.ip-owner-id",
          i -> outside(i, InstanceNetworkInterfaceAssociation::ipOwnerId));
      byAny(
          filters,
          before + "association.public-dns-name",
          i -> outside(i, InstanceNetworkInterfaceAssociation::publicDnsName));
    }
    byAny(
        filters,
        "network-interface.public-dns-name",
        i -> outside(i, InstanceNetworkInterfaceAssociation::publicDnsName));
    byAny(
        filters,
        "network-interface.addresses.private-dns-name",
        i -> addresses(i).stream().map(InstancePrivateIpAddress::privateDnsName).toList());
  }

  /** What is said of the public addresses of an instance. */
  private static List<String> outside(
      Instance instance, Function<InstanceNetworkInterfaceAssociation, @Nullable String> value) {
    return addresses(instance).stream()
        .map(InstancePrivateIpAddress::association)
        .filter(Objects::nonNull)
        .map(value)
        .filter(Objects::nonNull)
        .toList();
  }
}
