package dev.muelle.services.ec2;

import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.HashSet;
import java.util.Set;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcResponse;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.CreateSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateSubnetResponse;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.CreateTagsResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DeleteTagsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteTagsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressResponse;

/** The networking part of Amazon EC2, of one account in one region. */
public final class Ec2 implements Ec2Client {

  private final Store store;
  private final Zones zones;
  private final Gateways gateways;
  private final SecurityGroups groups;
  private final Vpcs vpcs;
  private final Subnets subnets;
  private final NetworkInterfaces interfaces;
  private final TagSets tags;

  public Ec2(Scope scope, Store store, Ids ids, Network network) {
    this.store = store;
    zones = new Zones(scope);
    gateways = new Gateways(scope, store, ids);
    groups = new SecurityGroups(scope, store, ids, network);
    vpcs = new Vpcs(scope, store, ids, network, zones, groups, gateways);
    subnets = new Subnets(scope, store, ids, zones);
    interfaces = new NetworkInterfaces(scope, store, ids, network, gateways);
    tags = new TagSets(store, this::exists);
    network.addNames(interfaces);
  }

  /** Makes the default VPC if this is new, and tells the network of everything there is. */
  public void start() {
    vpcs.ensureDefault();
    store.read(tx -> tx.list(Vpcs.TABLE)).forEach(row -> vpcs.apply(row.value()));
    store.read(tx -> tx.list(NetworkInterfaces.TABLE)).forEach(row -> interfaces.apply(row.key()));
  }

  /** The ids of all VPCs; what the network has beyond them is left over. */
  public Set<String> vpcIds() {
    return keys(store.read(tx -> tx.list(Vpcs.TABLE)));
  }

  /** The ids of all interfaces; what the network has beyond them is left over. */
  public Set<String> interfaceIds() {
    return keys(store.read(tx -> tx.list(NetworkInterfaces.TABLE)));
  }

  private static <T> Set<String> keys(java.util.List<Row<T>> rows) {
    Set<String> keys = new HashSet<>();
    rows.forEach(row -> keys.add(row.key()));
    return keys;
  }

  private boolean exists(Tx tx, String type, String id) {
    return switch (type) {
      case "vpc" -> tx.get(Vpcs.TABLE, id).isPresent();
      case "subnet" -> tx.get(Subnets.TABLE, id).isPresent();
      case "security-group" -> tx.get(SecurityGroups.TABLE, id).isPresent();
      case "security-group-rule" -> tx.get(SecurityGroups.RULES, id).isPresent();
      case "network-interface" -> tx.get(NetworkInterfaces.TABLE, id).isPresent();
      default -> gateways.exists(tx, id);
    };
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    // Nothing of its own runs.
  }

  @Override
  public CreateDefaultVpcResponse createDefaultVpc(CreateDefaultVpcRequest request) {
    Faults.dryRun(request.dryRun());
    return vpcs.createDefault();
  }

  @Override
  public CreateVpcResponse createVpc(CreateVpcRequest request) {
    return vpcs.create(request);
  }

  @Override
  public DeleteVpcResponse deleteVpc(DeleteVpcRequest request) {
    return vpcs.delete(request);
  }

  @Override
  public DescribeVpcsResponse describeVpcs(DescribeVpcsRequest request) {
    return vpcs.describe(request);
  }

  @Override
  public DescribeVpcAttributeResponse describeVpcAttribute(DescribeVpcAttributeRequest request) {
    return vpcs.attribute(request);
  }

  @Override
  public CreateSubnetResponse createSubnet(CreateSubnetRequest request) {
    return subnets.create(request);
  }

  @Override
  public DeleteSubnetResponse deleteSubnet(DeleteSubnetRequest request) {
    return subnets.delete(request);
  }

  @Override
  public DescribeSubnetsResponse describeSubnets(DescribeSubnetsRequest request) {
    return subnets.describe(request);
  }

  @Override
  public DescribeAvailabilityZonesResponse describeAvailabilityZones(
      DescribeAvailabilityZonesRequest request) {
    return zones.describe(request);
  }

  @Override
  public DescribeRegionsResponse describeRegions(DescribeRegionsRequest request) {
    return zones.regions(request);
  }

  @Override
  public CreateSecurityGroupResponse createSecurityGroup(CreateSecurityGroupRequest request) {
    return groups.create(request);
  }

  @Override
  public DeleteSecurityGroupResponse deleteSecurityGroup(DeleteSecurityGroupRequest request) {
    return groups.delete(request);
  }

  @Override
  public DescribeSecurityGroupsResponse describeSecurityGroups(
      DescribeSecurityGroupsRequest request) {
    return groups.describe(request);
  }

  @Override
  public DescribeSecurityGroupRulesResponse describeSecurityGroupRules(
      DescribeSecurityGroupRulesRequest request) {
    return groups.describeRules(request);
  }

  @Override
  public AuthorizeSecurityGroupIngressResponse authorizeSecurityGroupIngress(
      AuthorizeSecurityGroupIngressRequest request) {
    return groups.authorize(request);
  }

  @Override
  public AuthorizeSecurityGroupEgressResponse authorizeSecurityGroupEgress(
      AuthorizeSecurityGroupEgressRequest request) {
    return groups.authorize(request);
  }

  @Override
  public RevokeSecurityGroupIngressResponse revokeSecurityGroupIngress(
      RevokeSecurityGroupIngressRequest request) {
    return groups.revoke(request);
  }

  @Override
  public RevokeSecurityGroupEgressResponse revokeSecurityGroupEgress(
      RevokeSecurityGroupEgressRequest request) {
    return groups.revoke(request);
  }

  @Override
  public CreateNetworkInterfaceResponse createNetworkInterface(
      CreateNetworkInterfaceRequest request) {
    return interfaces.create(request);
  }

  @Override
  public DeleteNetworkInterfaceResponse deleteNetworkInterface(
      DeleteNetworkInterfaceRequest request) {
    return interfaces.delete(request);
  }

  @Override
  public DescribeNetworkInterfacesResponse describeNetworkInterfaces(
      DescribeNetworkInterfacesRequest request) {
    return interfaces.describe(request);
  }

  @Override
  public ModifyNetworkInterfaceAttributeResponse modifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) {
    return interfaces.modify(request);
  }

  @Override
  public DescribeInternetGatewaysResponse describeInternetGateways(
      DescribeInternetGatewaysRequest request) {
    return gateways.gateways(request);
  }

  @Override
  public DescribeRouteTablesResponse describeRouteTables(DescribeRouteTablesRequest request) {
    return gateways.routeTables(request);
  }

  @Override
  public CreateTagsResponse createTags(CreateTagsRequest request) {
    return tags.create(request);
  }

  @Override
  public DeleteTagsResponse deleteTags(DeleteTagsRequest request) {
    return tags.delete(request);
  }

  @Override
  public DescribeTagsResponse describeTags(DescribeTagsRequest request) {
    return tags.describe(request);
  }
}
