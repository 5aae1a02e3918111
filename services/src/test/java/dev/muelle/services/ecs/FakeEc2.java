package dev.muelle.services.ecs;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;

/** A default VPC with its three subnets, its group, and the interfaces that tasks ask for. */
final class FakeEc2 implements Ec2Client {

  static final String VPC = "vpc-0123456789abcdef0";
  static final String GROUP = "sg-0123456789abcdef0";
  static final List<String> SUBNETS =
      List.of("subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc");

  private final Network network;
  private final Map<String, Subnet> subnets = new LinkedHashMap<>();
  private final Map<String, NetworkInterface> interfaces = new LinkedHashMap<>();
  private final Map<String, String> tokens = new HashMap<>();
  private final Map<String, Integer> hosts = new HashMap<>();
  private int made;

  FakeEc2(Network network) {
    this.network = network;
    network.putVpc(new Vpc(VPC, List.of(Cidr.parse("172.31.0.0/16"))));
    Rule everything = new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));
    network.putSecurityGroup(
        new SecurityGroup(GROUP, VPC, List.of(everything), List.of(everything)));
    for (int i = 0; i < SUBNETS.size(); i++) {
      String zone = "us-east-1" + (char) ('a' + i);
      String block = "172.31." + 16 * i + ".0/20";
      String id = SUBNETS.get(i);
      subnets.put(
          id,
          Subnet.builder()
              .subnetId(id)
              .vpcId(VPC)
              .availabilityZone(zone)
              .cidrBlock(block)
              .mapPublicIpOnLaunch(true)
              .build());
    }
  }

  /** The first subnet carries IPv6 from now on. */
  void carryIpv6() {
    subnets.computeIfPresent(
        SUBNETS.getFirst(),
        (id, subnet) ->
            subnet.toBuilder()
                .ipv6CidrBlockAssociationSet(
                    SubnetIpv6CidrBlockAssociation.builder()
                        .ipv6CidrBlock("3fff:1:2:3::/64")
                        .build())
                .build());
  }

  Map<String, NetworkInterface> interfaces() {
    return interfaces;
  }

  @Override
  public DescribeVpcsResponse describeVpcs(DescribeVpcsRequest request) {
    return DescribeVpcsResponse.builder()
        .vpcs(
            software.amazon.awssdk.services.ec2.model.Vpc.builder()
                .vpcId(VPC)
                .dhcpOptionsId("dopt-0123456789abcdef0")
                .build())
        .build();
  }

  @Override
  public DescribeDhcpOptionsResponse describeDhcpOptions(DescribeDhcpOptionsRequest request) {
    return DescribeDhcpOptionsResponse.builder()
        .dhcpOptions(
            DhcpOptions.builder()
                .dhcpConfigurations(
                    option("domain-name", "ec2.internal"),
                    option("domain-name-servers", "AmazonProvidedDNS"))
                .build())
        .build();
  }

  private static DhcpConfiguration option(String key, String value) {
    return DhcpConfiguration.builder()
        .key(key)
        .values(AttributeValue.builder().value(value).build())
        .build();
  }

  /** Instances are tried with the real EC2. */
  @Override
  public DescribeInstancesResponse describeInstances(DescribeInstancesRequest request) {
    return DescribeInstancesResponse.builder().build();
  }

  /** Whatever is asked for has four cores and 16 GiB. */
  @Override
  public DescribeInstanceTypesResponse describeInstanceTypes(DescribeInstanceTypesRequest request) {
    return DescribeInstanceTypesResponse.builder()
        .instanceTypes(
            request.instanceTypesAsStrings().stream()
                .map(type ->
                    InstanceTypeInfo.builder()
                        .instanceType(type)
                        .vCpuInfo(cpu -> cpu.defaultVCpus(4))
                        .memoryInfo(memory -> memory.sizeInMiB(16_384L))
                        .build())
                .toList())
        .build();
  }

  @Override
  public DescribeSubnetsResponse describeSubnets(DescribeSubnetsRequest request) {
    List<Subnet> found = new ArrayList<>();
    for (String id : request.subnetIds()) {
      found.add(subnet(id));
    }
    return DescribeSubnetsResponse.builder()
        .subnets(request.subnetIds().isEmpty() ? List.copyOf(subnets.values()) : found)
        .build();
  }

  private Subnet subnet(String id) {
    Subnet subnet = subnets.get(id);
    if (subnet == null) {
      throw fault("InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist");
    }
    return subnet;
  }

  @Override
  public DescribeSecurityGroupsResponse describeSecurityGroups(
      DescribeSecurityGroupsRequest request) {
    for (String id : request.groupIds()) {
      if (!id.equals(GROUP)) {
        throw fault("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
      }
    }
    software.amazon.awssdk.services.ec2.model.SecurityGroup group =
        software.amazon.awssdk.services.ec2.model.SecurityGroup.builder()
            .groupId(GROUP)
            .groupName("default")
            .vpcId(VPC)
            .build();
    return DescribeSecurityGroupsResponse.builder().securityGroups(List.of(group)).build();
  }

  @Override
  public CreateNetworkInterfaceResponse createNetworkInterface(
      CreateNetworkInterfaceRequest request) {
    String known = request.clientToken() == null ? null : tokens.get(request.clientToken());
    if (known != null && interfaces.containsKey(known)) {
      return answer(interfaces.get(known));
    }
    Subnet subnet = subnet(request.subnetId());
    String id = "eni-%017x".formatted(++made);
    int host = 3 + hosts.merge(subnet.subnetId(), 1, Integer::sum);
    Cidr cidr = Cidr.parse(subnet.cidrBlock());
    String address = cidr.at(host);
    String mac = "02:00:00:00:%02x:%02x".formatted(made >> 8, made & 255);
    List<String> groups = request.groups().isEmpty() ? List.of(GROUP) : request.groups();
    NetworkInterface made =
        NetworkInterface.builder()
            .networkInterfaceId(id)
            .subnetId(subnet.subnetId())
            .vpcId(VPC)
            .availabilityZone(subnet.availabilityZone())
            .privateIpAddress(address)
            .ipv6Address(
                Objects.requireNonNullElse(request.ipv6AddressCount(), 0) > 0
                    ? "3fff:1:2:3::" + host
                    : null)
            .privateDnsName("ip-" + address.replace('.', '-') + ".ec2.internal")
            .macAddress(mac)
            .description(request.description())
            .groups(groups.stream().map(FakeEc2::group).toList())
            .status("available")
            .tagSet(
                request.tagSpecifications().stream().flatMap(spec -> spec.tags().stream()).toList())
            .build();
    network.putInterface(new Network.NetworkInterface(id, VPC, cidr, address, mac, groups, null));
    interfaces.put(id, made);
    if (request.clientToken() != null) {
      tokens.put(request.clientToken(), id);
    }
    return answer(made);
  }

  private static software.amazon.awssdk.services.ec2.model.GroupIdentifier group(String id) {
    return software.amazon.awssdk.services.ec2.model.GroupIdentifier.builder().groupId(id).build();
  }

  private static CreateNetworkInterfaceResponse answer(NetworkInterface made) {
    return CreateNetworkInterfaceResponse.builder().networkInterface(made).build();
  }

  @Override
  public ModifyNetworkInterfaceAttributeResponse modifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) {
    require(request.networkInterfaceId());
    return ModifyNetworkInterfaceAttributeResponse.builder().build();
  }

  @Override
  public DescribeNetworkInterfacesResponse describeNetworkInterfaces(
      DescribeNetworkInterfacesRequest request) {
    request.networkInterfaceIds().forEach(this::require);
    List<NetworkInterface> found =
        interfaces.values().stream()
            .filter(eni ->
                request.networkInterfaceIds().isEmpty()
                    || request.networkInterfaceIds().contains(eni.networkInterfaceId()))
            .filter(eni -> request.filters().stream().allMatch(filter -> matches(filter, eni)))
            .toList();
    return DescribeNetworkInterfacesResponse.builder().networkInterfaces(found).build();
  }

  private static boolean matches(Filter filter, NetworkInterface eni) {
    if (filter.name().equals("description")) {
      return filter.values().contains(eni.description());
    }
    if (filter.name().startsWith("tag:")) {
      String key = filter.name().substring("tag:".length());
      return eni.tagSet().stream()
          .anyMatch(tag -> tag.key().equals(key) && filter.values().contains(tag.value()));
    }
    throw new UnsupportedOperationException("filter " + filter.name());
  }

  @Override
  public DeleteNetworkInterfaceResponse deleteNetworkInterface(
      DeleteNetworkInterfaceRequest request) {
    require(request.networkInterfaceId());
    interfaces.remove(request.networkInterfaceId());
    network.removeInterface(request.networkInterfaceId());
    return DeleteNetworkInterfaceResponse.builder().build();
  }

  private void require(String id) {
    if (!interfaces.containsKey(id)) {
      throw fault(
          "InvalidNetworkInterfaceID.NotFound",
          "The networkInterface ID '" + id + "' does not exist");
    }
  }

  private static Ec2Exception fault(String code, String message) {
    return (Ec2Exception)
        Ec2Exception.builder()
            .message(message)
            .statusCode(400)
            .awsErrorDetails(
                AwsErrorDetails.builder().errorCode(code).errorMessage(message).build())
            .build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
