package dev.muelle.services.ec2.metadata;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Tx;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.MonitoringState;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * What an instance's metadata says now: texts by their paths, without the version before them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html#instancedata-data-categories">Instance
 *     metadata categories</a>
 */
final class MetadataTree {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String KEYS = "meta-data/public-keys/";

  private final SortedMap<String, Supplier<String>> texts = new TreeMap<>();
  private final @Nullable String keyName;

  private MetadataTree(@Nullable String keyName) {
    this.keyName = keyName;
  }

  /** The tree of a running instance. */
  static MetadataTree of(
      Tx tx,
      Scope scope,
      InstanceRecord record,
      NetworkInterfaces interfaces,
      InstanceCredentials credentials,
      Optional<Role> role,
      Optional<String> target) {
    Instance instance = record.instance();
    MetadataTree tree = new MetadataTree(instance.keyName());
    List<NetworkInterface> all =
        Tables.of(tx, Tables.INTERFACES, "instance", record.id()).stream()
            .map(eni -> interfaces.shown().of(tx, eni))
            .sorted(Comparator.comparing(eni -> eni.attachment().deviceIndex()))
            .toList();
    if (all.isEmpty()) {
      return tree; // it ends just now
    }
    tree.instance(record);
    tree.place(tx, scope, instance);
    tree.first(all.getFirst());
    all.forEach(eni -> tree.networkInterface(tx, eni));
    tree.role(instance, credentials, role);
    tree.key(record);
    target.ifPresent(state -> tree.put("meta-data/autoscaling/target-lifecycle-state", state));
    if (record.tagsInMetadata()) {
      for (Tag tag : Tags.of(tx, record.id())) {
        tree.put("meta-data/tags/instance/" + tag.key(), tag.value());
      }
    }
    tree.dynamic(scope, instance, all.getFirst().privateIpAddress());
    return tree;
  }

  private void put(String path, @Nullable Object text) {
    if (text != null) {
      String said = text.toString();
      texts.put(path, () -> said);
    }
  }

  private void instance(InstanceRecord record) {
    Instance instance = record.instance();
    put("meta-data/ami-id", instance.imageId());
    put("meta-data/ami-launch-index", instance.amiLaunchIndex());
    put("meta-data/ami-manifest-path", "(unknown)");
    put("meta-data/instance-action", "none");
    put("meta-data/instance-id", instance.instanceId());
    put("meta-data/instance-life-cycle", "on-demand");
    put("meta-data/instance-type", instance.instanceTypeAsString());
    put("meta-data/profile", "default-hvm");
    put("meta-data/reservation-id", record.reservation());
    put("meta-data/services/domain", "amazonaws.com");
    put("meta-data/services/partition", "aws");
  }

  private void place(Tx tx, Scope scope, Instance instance) {
    Subnet subnet = Kind.SUBNET.get(tx, instance.subnetId());
    put("meta-data/placement/availability-zone", subnet.availabilityZone());
    put("meta-data/placement/availability-zone-id", subnet.availabilityZoneId());
    put("meta-data/placement/region", scope.region());
  }

  private void first(NetworkInterface eni) {
    put("meta-data/hostname", eni.privateDnsName());
    put("meta-data/local-hostname", eni.privateDnsName());
    put("meta-data/local-ipv4", eni.privateIpAddress());
    if (eni.ipv6Address() != null) {
      put("meta-data/ipv6", eni.ipv6Address());
    }
    put("meta-data/mac", eni.macAddress());
    put("meta-data/security-groups", groupNames(eni));
    if (eni.association() != null) {
      put("meta-data/public-ipv4", eni.association().publicIp());
      put("meta-data/public-hostname", eni.association().publicDnsName());
    }
  }

  /** Nothing, where there is none. */
  private void putAll(String path, List<?> all) {
    if (!all.isEmpty()) {
      put(path, lines(all.stream().map(Object::toString).toList()));
    }
  }

  private static String groupNames(NetworkInterface eni) {
    return lines(eni.groups().stream().map(GroupIdentifier::groupName).toList());
  }

  private static String lines(List<String> lines) {
    return String.join("\n", lines);
  }

  private void networkInterface(Tx tx, NetworkInterface eni) {
    String at = "meta-data/network/interfaces/macs/" + eni.macAddress() + "/";
    Subnet subnet = Kind.SUBNET.get(tx, eni.subnetId());
    Vpc vpc = Kind.VPC.get(tx, eni.vpcId()).vpc();
    put(at + "device-number", eni.attachment().deviceIndex());
    put(at + "interface-id", eni.networkInterfaceId());
    put(at + "local-hostname", eni.privateDnsName());
    put(
        at + "local-ipv4s",
        lines(
            eni.privateIpAddresses().stream()
                .map(NetworkInterfacePrivateIpAddress::privateIpAddress)
                .toList()));
    put(at + "mac", eni.macAddress());
    put(at + "owner-id", eni.ownerId());
    put(
        at + "security-group-ids",
        lines(eni.groups().stream().map(GroupIdentifier::groupId).toList()));
    put(at + "security-groups", groupNames(eni));
    put(at + "subnet-id", eni.subnetId());
    put(at + "subnet-ipv4-cidr-block", subnet.cidrBlock());
    put(at + "vpc-id", eni.vpcId());
    put(at + "vpc-ipv4-cidr-block", vpc.cidrBlock());
    put(at + "vpc-ipv4-cidr-blocks", vpc.cidrBlock());
    putAll(at + "ipv6s", Ipv6.addresses(eni));
    putAll(at + "subnet-ipv6-cidr-blocks", Ipv6.block(subnet).stream().toList());
    putAll(at + "vpc-ipv6-cidr-blocks", Ipv6.blocks(vpc));
    if (eni.association() != null) {
      put(at + "public-hostname", eni.association().publicDnsName());
    }
    Map<String, NetworkInterfaceAssociation> outside = Associations.of(eni);
    if (!outside.isEmpty()) {
      put(
          at + "public-ipv4s",
          lines(outside.values().stream().map(NetworkInterfaceAssociation::publicIp).toList()));
    }
    outside.forEach((address, one) -> put(at + "ipv4-associations/" + one.publicIp(), address));
  }

  private void role(Instance instance, InstanceCredentials credentials, Optional<Role> role) {
    if (instance.iamInstanceProfile() == null) {
      return;
    }
    put("meta-data/iam/info", credentials.info(instance.iamInstanceProfile()));
    role.ifPresent(one ->
        texts.put(
            "meta-data/iam/security-credentials/" + one.roleName(),
            () -> credentials.keys(instance, one)));
  }

  private void key(InstanceRecord record) {
    put(KEYS + "0/openssh-key", record.publicKey());
  }

  private void dynamic(Scope scope, Instance instance, String address) {
    boolean detailed =
        instance.monitoring() != null && instance.monitoring().state() == MonitoringState.ENABLED;
    put("dynamic/fws/instance-monitoring", detailed ? "enabled" : "disabled");
    ObjectNode document = JSON.createObjectNode();
    document.put("accountId", scope.account());
    document.put("architecture", instance.architectureAsString());
    document.put("availabilityZone", instance.placement().availabilityZone());
    document.putNull("billingProducts");
    document.putNull("devpayProductCodes");
    document.putNull("marketplaceProductCodes");
    document.put("imageId", instance.imageId());
    document.put("instanceId", instance.instanceId());
    document.put("instanceType", instance.instanceTypeAsString());
    document.putNull("kernelId");
    document.put("pendingTime", instance.launchTime().truncatedTo(ChronoUnit.SECONDS).toString());
    document.put("privateIp", address);
    document.putNull("ramdiskId");
    document.put("region", scope.region());
    document.put("version", "2017-09-30");
    put("dynamic/instance-identity/document", document.toPrettyString());
  }

  /**
   * What is at a path: a text, or the names of what is below it, those of folders with a slash.
   *
   * @param path without a slash at either end; the empty one is the root
   */
  Optional<String> at(String path) {
    Supplier<String> text = texts.get(path);
    if (text != null) {
      return Optional.of(text.get());
    }
    String folder = path.isEmpty() ? "" : path + "/";
    TreeSet<String> names = new TreeSet<>();
    for (String below : texts.tailMap(folder).keySet()) {
      if (!below.startsWith(folder)) {
        break;
      }
      String rest = below.substring(folder.length());
      int slash = rest.indexOf('/');
      names.add(slash < 0 ? rest : rest.substring(0, slash + 1));
    }
    if (names.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        names.stream()
            .map(name -> folder.equals(KEYS) ? "0=" + Objects.requireNonNull(keyName) : name)
            .collect(Collectors.joining("\n")));
  }
}
