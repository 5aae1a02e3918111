package dev.muelle.services.ec2;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.util.Set;
import java.util.random.RandomGenerator;
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
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeImagesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeImagesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
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
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RunInstancesResponse;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesResponse;
import software.amazon.awssdk.services.iam.IamClient;

/**
 * Amazon EC2 of one account in one region: its virtual networks, and instances in them.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html">EC2 API</a>
 */
public final class Ec2 implements Ec2Client {

  private static final int INSTANCES_AT_ONCE = 16;

  private final Vpcs vpcs;
  private final Subnets subnets;
  private final Zones zones;
  private final AccountAttributes attributes;
  private final SecurityGroups groups;
  private final SecurityGroupRules rules;
  private final NetworkInterfaces interfaces;
  private final Instances instances;
  private final MachineImages images;
  private final Loop<String> instanceLoop;
  private final Routes routes;
  private final Tags tags;
  private final DataPlane plane;

  /**
   * EC2 of one scope; {@link #start} is to be called before it is asked anything.
   *
   * @param store of this account's region
   */
  public Ec2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      IamClient iam,
      Network network) {
    this(scope, store, timers, ids, random, iam, network, NetworkInterfaces.MOST);
  }

  /**
   * EC2 with a raised quota.
   *
   * @param mostInterfaces how many network interfaces there may be
   */
  public Ec2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      IamClient iam,
      Network network,
      int mostInterfaces) {
    plane = new DataPlane(store, network);
    zones = new Zones(scope);
    attributes = new AccountAttributes(store);
    routes = new Routes(scope, store, ids);
    groups = new SecurityGroups(scope, store, ids, plane);
    rules = new SecurityGroupRules(scope, store, groups, plane);
    subnets = new Subnets(scope, store, ids, plane, zones);
    vpcs = new Vpcs(scope, store, ids, plane, zones, routes, groups, subnets);
    interfaces = new NetworkInterfaces(scope, store, ids, plane, mostInterfaces);
    images = new MachineImages(scope);
    Launches launches = new Launches(store, timers, ids, iam, images, interfaces);
    instances =
        new Instances(scope, store, timers, launches, interfaces, plane, this::wakeInstance);
    instanceLoop = new Loop<>("ec2-instance", timers, random, INSTANCES_AT_ONCE, instances::look);
    tags = new Tags(store);
    network.addNames(interfaces);
  }

  /**
   * Furnishes a new region with its default VPC, and states to the network all that is stored, so
   * that what runs since before a restart is taken over.
   */
  public void start() {
    vpcs.found();
    plane.everything();
    instances.ids().forEach(this::wakeInstance);
  }

  private void wakeInstance(String id) {
    instanceLoop.wake(id);
  }

  /** The VPCs that are stored; for {@link Network#retain}, together with other regions'. */
  public Set<String> vpcIds() {
    return plane.known().vpcs();
  }

  /** The interfaces that are stored; for {@link Network#retain}, together with other regions'. */
  public Set<String> interfaceIds() {
    return plane.known().interfaces();
  }

  @Override
  public DescribeVpcsResponse describeVpcs(DescribeVpcsRequest request) {
    return vpcs.describe(request);
  }

  @Override
  public CreateVpcResponse createVpc(CreateVpcRequest request) {
    return vpcs.create(request);
  }

  @Override
  public CreateDefaultVpcResponse createDefaultVpc(CreateDefaultVpcRequest request) {
    return vpcs.createDefault(request);
  }

  @Override
  public DeleteVpcResponse deleteVpc(DeleteVpcRequest request) {
    return vpcs.delete(request);
  }

  @Override
  public DescribeVpcAttributeResponse describeVpcAttribute(DescribeVpcAttributeRequest request) {
    return vpcs.attribute(request);
  }

  @Override
  public ModifyVpcAttributeResponse modifyVpcAttribute(ModifyVpcAttributeRequest request) {
    return vpcs.modify(request);
  }

  @Override
  public DescribeSubnetsResponse describeSubnets(DescribeSubnetsRequest request) {
    return subnets.describe(request);
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
  public ModifySubnetAttributeResponse modifySubnetAttribute(ModifySubnetAttributeRequest request) {
    return subnets.modify(request);
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
  public DescribeAccountAttributesResponse describeAccountAttributes(
      DescribeAccountAttributesRequest request) {
    return attributes.describe(request);
  }

  @Override
  public DescribeSecurityGroupsResponse describeSecurityGroups(
      DescribeSecurityGroupsRequest request) {
    return groups.describe(request);
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
  public AuthorizeSecurityGroupIngressResponse authorizeSecurityGroupIngress(
      AuthorizeSecurityGroupIngressRequest request) {
    return rules.authorizeIngress(request);
  }

  @Override
  public AuthorizeSecurityGroupEgressResponse authorizeSecurityGroupEgress(
      AuthorizeSecurityGroupEgressRequest request) {
    return rules.authorizeEgress(request);
  }

  @Override
  public RevokeSecurityGroupIngressResponse revokeSecurityGroupIngress(
      RevokeSecurityGroupIngressRequest request) {
    return rules.revokeIngress(request);
  }

  @Override
  public RevokeSecurityGroupEgressResponse revokeSecurityGroupEgress(
      RevokeSecurityGroupEgressRequest request) {
    return rules.revokeEgress(request);
  }

  @Override
  public DescribeSecurityGroupRulesResponse describeSecurityGroupRules(
      DescribeSecurityGroupRulesRequest request) {
    return rules.describe(request);
  }

  @Override
  public ModifySecurityGroupRulesResponse modifySecurityGroupRules(
      ModifySecurityGroupRulesRequest request) {
    return rules.modify(request);
  }

  @Override
  public CreateNetworkInterfaceResponse createNetworkInterface(
      CreateNetworkInterfaceRequest request) {
    return interfaces.create(request);
  }

  @Override
  public DescribeNetworkInterfacesResponse describeNetworkInterfaces(
      DescribeNetworkInterfacesRequest request) {
    return interfaces.describe(request);
  }

  @Override
  public DeleteNetworkInterfaceResponse deleteNetworkInterface(
      DeleteNetworkInterfaceRequest request) {
    return interfaces.delete(request);
  }

  @Override
  public ModifyNetworkInterfaceAttributeResponse modifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) {
    return interfaces.modify(request);
  }

  @Override
  public RunInstancesResponse runInstances(RunInstancesRequest request) {
    return instances.run(request);
  }

  @Override
  public DescribeInstancesResponse describeInstances(DescribeInstancesRequest request) {
    return instances.describe(request);
  }

  @Override
  public TerminateInstancesResponse terminateInstances(TerminateInstancesRequest request) {
    return instances.terminate(request);
  }

  @Override
  public DescribeInstanceAttributeResponse describeInstanceAttribute(
      DescribeInstanceAttributeRequest request) {
    return instances.attribute(request);
  }

  @Override
  public DescribeInstanceStatusResponse describeInstanceStatus(
      DescribeInstanceStatusRequest request) {
    return instances.status(request);
  }

  @Override
  public DescribeInstanceTypesResponse describeInstanceTypes(DescribeInstanceTypesRequest request) {
    return InstanceTypes.describe(request);
  }

  @Override
  public DescribeImagesResponse describeImages(DescribeImagesRequest request) {
    return images.describe(request);
  }

  @Override
  public DescribeInternetGatewaysResponse describeInternetGateways(
      DescribeInternetGatewaysRequest request) {
    return routes.gateways(request);
  }

  @Override
  public DescribeRouteTablesResponse describeRouteTables(DescribeRouteTablesRequest request) {
    return routes.tables(request);
  }

  @Override
  public DescribeDhcpOptionsResponse describeDhcpOptions(DescribeDhcpOptionsRequest request) {
    return routes.dhcpOptions(request);
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

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  /** Lets go: the network goes on without us. */
  @Override
  public void close() {
    instanceLoop.close();
  }
}
