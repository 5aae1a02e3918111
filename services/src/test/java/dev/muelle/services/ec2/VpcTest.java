package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.Subnet.Acl;
import dev.muelle.network.Subnet.Entry;
import dev.muelle.network.Subnet.Route;
import dev.muelle.network.Subnet.Target;
import dev.muelle.network.sim.SimNetwork;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.AddPrefixListEntry;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.AllocateAddressResponse;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkAclAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NewDhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.PrefixListEntry;
import software.amazon.awssdk.services.ec2.model.PrefixListId;
import software.amazon.awssdk.services.ec2.model.RemovePrefixListEntry;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.RouteTableAssociation;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRuleDescription;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** What leads out of subnets and in, and what may cross their edges, as EC2 is told of it. */
class VpcTest extends Ec2InMemory {

  private static final String EVERYWHERE = "0.0.0.0/0";

  /** What lets everything of IPv4 pass, which is all that this VPC carries. */
  private static final Acl OPEN =
      new Acl(Acl.OPEN.ingress().subList(0, 1), Acl.OPEN.egress().subList(0, 1));

  private String vpc;
  private String subnet;

  @BeforeEach
  void furnish() {
    vpc = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    subnet = subnet("10.0.1.0/24");
  }

  private String subnet(String cidr) {
    return ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock(cidr)).subnet().subnetId();
  }

  private String gateway() {
    return ec2.createInternetGateway(r -> {}).internetGateway().internetGatewayId();
  }

  private String attached() {
    String id = gateway();
    ec2.attachInternetGateway(r -> r.internetGatewayId(id).vpcId(vpc));
    return id;
  }

  private String table() {
    return ec2.createRouteTable(r -> r.vpcId(vpc)).routeTable().routeTableId();
  }

  private String mainTable() {
    return ec2.describeRouteTables(
            r -> r.filters(filter("vpc-id", vpc), filter("association.main", "true")))
        .routeTables()
        .getFirst()
        .routeTableId();
  }

  private RouteTable described(String tableId) {
    return ec2.describeRouteTables(r -> r.routeTableIds(tableId)).routeTables().getFirst();
  }

  /** A table's routes beyond the local one: destination, target, state. */
  private Set<String> routes(String tableId) {
    return described(tableId).routes().stream()
        .filter(route -> !"local".equals(route.gatewayId()))
        .map(route ->
            route.destinationCidrBlock()
                + " "
                + (route.gatewayId() != null ? route.gatewayId() : route.natGatewayId())
                + " "
                + route.stateAsString())
        .collect(Collectors.toSet());
  }

  /** Where the network would send what goes everywhere; empty without a route. */
  private Optional<Target> way(String cidr) {
    return network.subnet(vpc, cidr).stream()
        .flatMap(put -> put.routes().stream())
        .filter(route -> route.destination().equals(Cidr.parse(EVERYWHERE)))
        .map(Route::target)
        .findFirst();
  }

  @Test
  void aSubnetIsPublicByItsRouteTable() {
    String igw = gateway();
    refused(
        "Gateway.NotAttached",
        "resource " + igw + " is not attached to network " + vpc,
        () -> ec2.detachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc)));
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    refused(
        "Resource.AlreadyAssociated",
        "resource " + igw + " is already attached to network " + vpc,
        () -> ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc)));
    String second = gateway();
    refused(
        "InvalidParameterValue",
        "Network " + vpc + " already has an internet gateway attached",
        () -> ec2.attachInternetGateway(r -> r.internetGatewayId(second).vpcId(vpc)));

    String table = table();
    assertEquals(Optional.empty(), way("10.0.1.0/24"));
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).gatewayId(igw));
    assertEquals(Optional.empty(), way("10.0.1.0/24"), "it is no subnet's yet");
    String association =
        ec2.associateRouteTable(r -> r.routeTableId(table).subnetId(subnet)).associationId();
    assertEquals(Optional.of(new Target.Internet()), way("10.0.1.0/24"));
    assertEquals(
        association,
        ec2.associateRouteTable(r -> r.routeTableId(table).subnetId(subnet)).associationId());
    refused(
        "Resource.AlreadyAssociated",
        () -> ec2.associateRouteTable(r -> r.routeTableId(mainTable()).subnetId(subnet)));
    refused("DependencyViolation", () -> ec2.deleteRouteTable(r -> r.routeTableId(table)));

    String next =
        ec2.replaceRouteTableAssociation(
                r -> r.associationId(association).routeTableId(mainTable()))
            .newAssociationId();
    assertNotEquals(association, next);
    assertEquals(Optional.empty(), way("10.0.1.0/24"));
    refused(
        "InvalidAssociationID.NotFound",
        () -> ec2.disassociateRouteTable(r -> r.associationId(association)));
    ec2.disassociateRouteTable(r -> r.associationId(next));

    // Another table becomes the main one, for every subnet without one of its own.
    String mainAssociation =
        described(mainTable()).associations().stream()
            .filter(RouteTableAssociation::main)
            .findFirst()
            .orElseThrow()
            .routeTableAssociationId();
    String before = mainTable();
    refused(
        "InvalidParameterValue",
        () -> ec2.disassociateRouteTable(r -> r.associationId(mainAssociation)));
    ec2.replaceRouteTableAssociation(r -> r.associationId(mainAssociation).routeTableId(table));
    assertEquals(table, mainTable());
    assertEquals(Optional.of(new Target.Internet()), way("10.0.1.0/24"));
    subnet("10.0.2.0/24");
    assertEquals(Optional.of(new Target.Internet()), way("10.0.2.0/24"));
    ec2.deleteRouteTable(r -> r.routeTableId(before));

    // What the gateway leaves behind is a black hole.
    refused("DependencyViolation", () -> ec2.deleteInternetGateway(r -> r.internetGatewayId(igw)));
    ec2.detachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    assertEquals(Set.of("0.0.0.0/0 " + igw + " blackhole"), routes(table));
    assertEquals(Optional.of(new Target.Nowhere()), way("10.0.1.0/24"));
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    assertEquals(Set.of("0.0.0.0/0 " + igw + " active"), routes(table));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(vpc)));
  }

  @Test
  void routesAreCreatedReplacedAndDeleted() {
    String igw = attached();
    String table = mainTable();
    refused(
        "InvalidGatewayID.NotFound",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).gatewayId("igw-0")));
    String loose = gateway();
    refused(
        "InvalidParameterValue",
        "route table " + table + " and network gateway " + loose + " belong to different networks",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).gatewayId(loose)));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.replaceRoute(
                r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).gatewayId(igw)));
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock("9.9.9.9/8").gatewayId(igw));
    assertEquals(Set.of("9.0.0.0/8 " + igw + " active"), routes(table), "host bits are cleared");
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock("9.0.0.0/8").gatewayId(igw));
    refused(
        "InvalidNatGatewayID.NotFound",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).natGatewayId("nat-0")));
    refused(
        "InvalidParameterCombination",
        () -> ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE)));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock("10.0.1.0/24").gatewayId(igw)));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationCidrBlock("300.0.0.0/8").gatewayId(igw)));
    refused(
        "UnsupportedOperation",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table).destinationCidrBlock(EVERYWHERE).transitGatewayId("tgw-1")));
    refused(
        "InvalidParameterValue",
        "cannot remove local route 10.0.0.0/16 in route table " + table,
        () -> ec2.deleteRoute(r -> r.routeTableId(table).destinationCidrBlock("10.0.0.0/16")));
    ec2.deleteRoute(r -> r.routeTableId(table).destinationCidrBlock("9.0.0.0/8"));
    refused(
        "InvalidRoute.NotFound",
        () -> ec2.deleteRoute(r -> r.routeTableId(table).destinationCidrBlock("9.0.0.0/8")));
    refused("InvalidRouteTableID.NotFound", () -> described("rtb-0"));
    refused(
        "DryRunOperation",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationCidrBlock(EVERYWHERE)
                    .gatewayId(igw)
                    .dryRun(true)));
    assertEquals(Set.of(), routes(table));
  }

  @Test
  void aTokenMakesOneAndTagsAreKept() {
    TagSpecification name =
        TagSpecification.builder()
            .resourceType(ResourceType.ROUTE_TABLE)
            .tags(Tag.builder().key("Name").value("private").build())
            .build();
    String first =
        ec2.createRouteTable(r -> r.vpcId(vpc).clientToken("t").tagSpecifications(name))
            .routeTable()
            .routeTableId();
    assertEquals(
        first,
        ec2.createRouteTable(r -> r.vpcId(vpc).clientToken("t").tagSpecifications(name))
            .routeTable()
            .routeTableId());
    refused(
        "IdempotentParameterMismatch",
        () -> ec2.createRouteTable(r -> r.vpcId(vpc).clientToken("t")));
    assertEquals(
        List.of(first),
        ec2
            .describeRouteTables(r -> r.filters(filter("tag:Name", "private")))
            .routeTables()
            .stream()
            .map(RouteTable::routeTableId)
            .toList());
    ec2.deleteRouteTable(r -> r.routeTableId(first));
    assertEquals(List.of(), ec2.describeTags(r -> r.filters(filter("value", "private"))).tags());
  }

  private String eni(String inSubnet) {
    return ec2.createNetworkInterface(r -> r.subnetId(inSubnet))
        .networkInterface()
        .networkInterfaceId();
  }

  private Address address(String allocation) {
    return ec2.describeAddresses(r -> r.allocationIds(allocation)).addresses().getFirst();
  }

  @Test
  void elasticAddressesMoveBetweenInterfaces() {
    AllocateAddressResponse allocated = ec2.allocateAddress(r -> r.domain("vpc"));
    String id = allocated.allocationId();
    assertTrue(dev.muelle.network.Network.PUBLIC.contains(Cidr.address(allocated.publicIp())));
    String one = eni(subnet);
    String two = eni(subnet);
    refused(
        "Gateway.NotAttached",
        () -> ec2.associateAddress(r -> r.allocationId(id).networkInterfaceId(one)));
    String igw = attached();
    String association =
        ec2.associateAddress(r -> r.allocationId(id).networkInterfaceId(one)).associationId();
    assertEquals(allocated.publicIp(), network.interfaces().get(one).publicAddress());
    assertEquals(one, address(id).networkInterfaceId());
    assertEquals(association, address(id).associationId());
    assertEquals(
        "000000000000",
        ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(one))
            .networkInterfaces()
            .getFirst()
            .association()
            .ipOwnerId());
    refused("InvalidIPAddress.InUse", () -> ec2.releaseAddress(r -> r.allocationId(id)));
    refused(
        "Resource.AlreadyAssociated",
        () ->
            ec2.associateAddress(
                r -> r.allocationId(id).networkInterfaceId(two).allowReassociation(false)));
    refused(
        "DependencyViolation",
        "Network "
            + vpc
            + " has some mapped public address(es). Please unmap those public address(es) before"
            + " detaching the gateway.",
        () -> ec2.detachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc)));

    ec2.associateAddress(r -> r.allocationId(id).networkInterfaceId(two)); // it is automatic
    assertNull(network.interfaces().get(one).publicAddress());
    assertEquals(allocated.publicIp(), network.interfaces().get(two).publicAddress());
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(two));
    assertNull(address(id).associationId(), "it goes back to its owner with its interface");

    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(one).associatePublicIpAddress(true));
    ec2.associateAddress(r -> r.publicIp(allocated.publicIp()).networkInterfaceId(one));
    assertEquals(allocated.publicIp(), network.interfaces().get(one).publicAddress());
    String last = address(id).associationId();
    ec2.disassociateAddress(r -> r.associationId(last));
    assertNull(network.interfaces().get(one).publicAddress());
    refused(
        "InvalidAssociationID.NotFound", () -> ec2.disassociateAddress(r -> r.associationId(last)));
    ec2.releaseAddress(r -> r.allocationId(id));
    refused("InvalidAllocationID.NotFound", () -> address(id));
    refused("InvalidAddress.NotFound", () -> ec2.releaseAddress(r -> r.publicIp("198.18.0.9")));
    for (int i = 0; i < 5; i++) {
      ec2.allocateAddress(r -> {});
    }
    refused("AddressLimitExceeded", () -> ec2.allocateAddress(r -> {}));
  }

  @Test
  void anElasticAddressIsThatOfASecondaryAddressAndMovesWithIt() {
    attached();
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(true)));
    String one = eni(subnet);
    String two = eni(subnet);
    ec2.assignPrivateIpAddresses(r -> r.networkInterfaceId(one).privateIpAddresses("10.0.1.77"));
    AllocateAddressResponse allocated = ec2.allocateAddress(r -> r.domain("vpc"));
    String outside = allocated.publicIp();
    String id = allocated.allocationId();
    refused(
        "InvalidParameterValue",
        "Value (10.0.1.78) for parameter privateIpAddress is invalid. It is no address of "
            + one
            + ".",
        () ->
            ec2.associateAddress(
                r -> r.allocationId(id).networkInterfaceId(one).privateIpAddress("10.0.1.78")));
    String association =
        ec2.associateAddress(
                r -> r.allocationId(id).networkInterfaceId(one).privateIpAddress("10.0.1.77"))
            .associationId();
    ec2.modifyNetworkInterfaceAttribute(
        r -> r.networkInterfaceId(one).associatePublicIpAddress(true));
    String own = network.interfaces().get(one).publicAddress();
    NetworkInterface shown = shown(one);
    assertEquals(own, shown.association().publicIp());
    assertEquals(
        Map.of(shown.privateIpAddress(), own, "10.0.1.77", outside),
        network.interfaces().get(one).publicAddresses());
    assertEquals("10.0.1.77", address(id).privateIpAddress());
    assertEquals(association, shown.privateIpAddresses().get(1).association().associationId());
    assertEquals(
        List.of(one),
        ec2
            .describeNetworkInterfaces(
                r -> r.filters(filter("addresses.association.public-ip", outside)))
            .networkInterfaces()
            .stream()
            .map(NetworkInterface::networkInterfaceId)
            .toList());
    String name = shown.privateIpAddresses().get(1).association().publicDnsName();
    assertEquals(Optional.of(List.of("10.0.1.77")), network.resolve(vpc, name));

    ec2.assignPrivateIpAddresses(
        r -> r.networkInterfaceId(two).privateIpAddresses("10.0.1.77").allowReassignment(true));
    assertEquals(
        Map.of("10.0.1.77", outside), network.interfaces().get(two).publicAddresses(), "with it");
    assertEquals(own, network.interfaces().get(one).publicAddress());
    assertEquals(two, address(id).networkInterfaceId());
    assertEquals(association, address(id).associationId());

    ec2.associateAddress(r -> r.allocationId(id).networkInterfaceId(two));
    assertEquals(
        Map.of(shown(two).privateIpAddress(), outside),
        network.interfaces().get(two).publicAddresses(),
        "from one address of an interface to another");
    ec2.associateAddress(
        r -> r.allocationId(id).networkInterfaceId(two).privateIpAddress("10.0.1.77"));
    ec2.unassignPrivateIpAddresses(r -> r.networkInterfaceId(two).privateIpAddresses("10.0.1.77"));
    assertEquals(Map.of(), network.interfaces().get(two).publicAddresses());
    assertNull(address(id).associationId());
    ec2.releaseAddress(r -> r.allocationId(id));
  }

  private NetworkInterface shown(String eni) {
    return ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(eni))
        .networkInterfaces()
        .getFirst();
  }

  @Test
  void anAddressThatAnotherRegionHasIsNotGivenTwice() {
    attached();
    AllocateAddressResponse allocated = ec2.allocateAddress(r -> {});
    network.putVpc(new Vpc("vpc-other", List.of(Cidr.parse("10.0.0.0/16"))));
    network.putInterface(
        new dev.muelle.network.Network.NetworkInterface(
            "eni-other",
            "vpc-other",
            Cidr.parse("10.0.1.0/24"),
            "10.0.1.9",
            "02:00:00:00:00:01",
            List.of("sg-other"),
            allocated.publicIp()));
    String one = eni(subnet);
    refused(
        "InvalidIPAddress.InUse",
        () ->
            ec2.associateAddress(
                r -> r.allocationId(allocated.allocationId()).networkInterfaceId(one)));
    String nat =
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(allocated.allocationId()))
            .natGateway()
            .natGatewayId();
    awaitState(nat, "failed");
    network.removeInterface("eni-other");
    ec2.associateAddress(r -> r.allocationId(allocated.allocationId()).networkInterfaceId(one));
  }

  private NatGateway nat(String id) {
    return ec2.describeNatGateways(r -> r.natGatewayIds(id)).natGateways().getFirst();
  }

  private void awaitState(String id, String state) {
    await(() -> nat(id).stateAsString().equals(state));
  }

  @Test
  void aNatGatewayLeadsAPrivateSubnetOut() {
    String allocation = ec2.allocateAddress(r -> {}).allocationId();
    String fated =
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(allocation))
            .natGateway()
            .natGatewayId();
    awaitState(fated, "failed");
    assertEquals("Gateway.NotAttached", nat(fated).failureCode());
    assertEquals(
        "Network " + vpc + " has no Internet gateway attached", nat(fated).failureMessage());

    attached();
    String privately = subnet("10.0.2.0/24");
    NatGateway made =
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(allocation).clientToken("once"))
            .natGateway();
    String id = made.natGatewayId();
    assertEquals("pending", made.stateAsString());
    String table = table();
    ec2.associateRouteTable(r -> r.routeTableId(table).subnetId(privately));
    ec2.createRoute(r -> r.routeTableId(table).destinationCidrBlock(EVERYWHERE).natGatewayId(id));
    awaitState(id, "available");
    String eni = nat(id).natGatewayAddresses().getFirst().networkInterfaceId();
    await(() -> way("10.0.2.0/24").equals(Optional.of(new Target.Gateway(eni))));
    assertEquals(Optional.of(Use.NAT_GATEWAY), network.plugged(eni));
    assertEquals(address(allocation).publicIp(), network.interfaces().get(eni).publicAddress());
    assertEquals(
        id,
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(allocation).clientToken("once"))
            .natGateway()
            .natGatewayId());
    NetworkInterface shown =
        ec2.describeNetworkInterfaces(r -> r.filters(filter("interface-type", "nat_gateway")))
            .networkInterfaces()
            .getFirst();
    assertEquals("Interface for NAT Gateway " + id, shown.description());
    assertEquals("in-use", shown.statusAsString());
    assertTrue(shown.requesterManaged());

    refused(
        "InvalidParameterValue", () -> ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni)));
    refused("DependencyViolation", () -> ec2.deleteSubnet(r -> r.subnetId(subnet)));
    String association = address(allocation).associationId();
    refused("AuthFailure", () -> ec2.disassociateAddress(r -> r.associationId(association)));
    refused("InvalidIPAddress.InUse", () -> ec2.releaseAddress(r -> r.allocationId(allocation)));
    String twin =
        ec2.createNatGateway(r -> r.subnetId(subnet).allocationId(allocation))
            .natGateway()
            .natGatewayId();
    awaitState(twin, "failed");
    assertEquals("Resource.AlreadyAssociated", nat(twin).failureCode());

    // A server that starts anew brings it back to life.
    ec2.close();
    network = new SimNetwork(timers);
    ec2 = started();
    await(() -> network.plugged(eni).isPresent());

    ec2.deleteNatGateway(r -> r.natGatewayId(id));
    awaitState(id, "deleted");
    assertEquals(Set.of("0.0.0.0/0 " + id + " blackhole"), routes(table));
    assertEquals(Optional.of(new Target.Nowhere()), way("10.0.2.0/24"));
    assertEquals(Optional.empty(), network.plugged(eni));
    assertNull(address(allocation).associationId());
    ec2.releaseAddress(r -> r.allocationId(allocation));
    ec2.deleteSubnet(r -> r.subnetId(subnet));
    refused("NatGatewayNotFound", () -> ec2.deleteNatGateway(r -> r.natGatewayId(id)));
    refused("NatGatewayNotFound", () -> nat("nat-0"));
  }

  @Test
  void aPrivateNatGatewayHasNoElasticAddress() {
    refused("MissingParameter", () -> ec2.createNatGateway(r -> r.subnetId(subnet)));
    String id =
        ec2.createNatGateway(
                r -> r.subnetId(subnet).connectivityType("private").privateIpAddress("10.0.1.77"))
            .natGateway()
            .natGatewayId();
    awaitState(id, "available");
    assertEquals("10.0.1.77", nat(id).natGatewayAddresses().getFirst().privateIp());
    refused(
        "InvalidAllocationID.NotFound",
        () -> ec2.createNatGateway(r -> r.subnetId(subnet).allocationId("eipalloc-0")));
    refused(
        "InvalidSubnetID.NotFound",
        () -> ec2.createNatGateway(r -> r.subnetId("subnet-0").allocationId("eipalloc-0")));
    String taken =
        ec2.createNatGateway(
                r -> r.subnetId(subnet).connectivityType("private").privateIpAddress("10.0.1.77"))
            .natGateway()
            .natGatewayId();
    awaitState(taken, "failed");
    assertEquals("InvalidIPAddress.InUse", nat(taken).failureCode());
  }

  private NetworkAcl acl(String id) {
    return ec2.describeNetworkAcls(r -> r.networkAclIds(id)).networkAcls().getFirst();
  }

  private NetworkAcl aclOf(String subnetId) {
    return ec2.describeNetworkAcls(r -> r.filters(filter("association.subnet-id", subnetId)))
        .networkAcls()
        .getFirst();
  }

  private Acl edges() {
    return network.subnet(vpc, "10.0.1.0/24").orElseThrow().acl();
  }

  @Test
  void everySubnetHasAnAclWhoseEntriesActInTheirOrder() {
    NetworkAcl usual = aclOf(subnet);
    assertTrue(usual.isDefault());
    assertEquals(
        List.of("true 100 allow", "true 32767 deny", "false 100 allow", "false 32767 deny"),
        usual.entries().stream()
            .map(entry ->
                entry.egress() + " " + entry.ruleNumber() + " " + entry.ruleActionAsString())
            .toList());
    assertEquals(OPEN, edges());
    refused(
        "InvalidParameterValue",
        "cannot delete default network ACL " + usual.networkAclId(),
        () -> ec2.deleteNetworkAcl(r -> r.networkAclId(usual.networkAclId())));

    String id = ec2.createNetworkAcl(r -> r.vpcId(vpc)).networkAcl().networkAclId();
    String association =
        usual.associations().stream()
            .filter(one -> one.subnetId().equals(subnet))
            .findFirst()
            .orElseThrow()
            .networkAclAssociationId();
    String fresh =
        ec2.replaceNetworkAclAssociation(r -> r.associationId(association).networkAclId(id))
            .newAssociationId();
    assertEquals(fresh, acl(id).associations().getFirst().networkAclAssociationId());
    assertEquals(new Acl(List.of(), List.of()), edges(), "a new one denies everything");
    refused(
        "InvalidAssociationID.NotFound",
        () -> ec2.replaceNetworkAclAssociation(r -> r.associationId(association).networkAclId(id)));
    refused("DependencyViolation", () -> ec2.deleteNetworkAcl(r -> r.networkAclId(id)));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(vpc)));

    entry(id, 200, "deny", "10.0.2.0/24");
    entry(id, 100, "allow", "10.0.2.5/24");
    Cidr peer = Cidr.parse("10.0.2.0/24");
    Entry allow = new Entry(true, 6, 80, 90, peer);
    Entry deny = new Entry(false, 6, 80, 90, peer);
    assertEquals(new Acl(List.of(allow, deny), List.of()), edges(), "host bits are cleared");
    refused(
        "NetworkAclEntryAlreadyExists",
        "The network acl entry identified by 100 already exists.",
        () -> entry(id, 100, "deny", "10.0.2.0/24"));
    ec2.replaceNetworkAclEntry(r ->
        r.networkAclId(id)
            .ruleNumber(100)
            .egress(false)
            .protocol("-1")
            .ruleAction("deny")
            .cidrBlock("10.0.2.0/24"));
    assertEquals(List.of(new Entry(false, -1, -1, -1, peer), deny), edges().ingress());
    ec2.deleteNetworkAclEntry(r -> r.networkAclId(id).ruleNumber(100).egress(false));
    assertEquals(List.of(deny), edges().ingress());
    refused(
        "InvalidNetworkAclEntry.NotFound",
        () -> ec2.deleteNetworkAclEntry(r -> r.networkAclId(id).ruleNumber(100).egress(false)));
    refused(
        "InvalidParameterValue",
        () -> ec2.deleteNetworkAclEntry(r -> r.networkAclId(id).ruleNumber(32767).egress(true)));
    refused("InvalidParameterValue", () -> entry(id, 0, "allow", EVERYWHERE));
    refused("InvalidParameterValue", () -> entry(id, 1, "perhaps", EVERYWHERE));
    refused("InvalidParameterValue", () -> entry(id, 1, "allow", "300.0.0.0/8"));
    refused(
        "MissingParameter",
        () ->
            ec2.createNetworkAclEntry(r ->
                r.networkAclId(id)
                    .ruleNumber(1)
                    .egress(true)
                    .protocol("tcp")
                    .ruleAction("allow")
                    .cidrBlock(EVERYWHERE)));
    for (int number = 1; number < 20; number++) {
      entry(id, number, "allow", EVERYWHERE);
    }
    refused("NetworkAclEntryLimitExceeded", () -> entry(id, 30, "allow", EVERYWHERE));

    ec2.replaceNetworkAclAssociation(
        r -> r.associationId(fresh).networkAclId(usual.networkAclId()));
    assertEquals(OPEN, edges());
    ec2.deleteNetworkAcl(r -> r.networkAclId(id));
    refused("InvalidNetworkAclID.NotFound", () -> acl(id));
    ec2.deleteSubnet(r -> r.subnetId(subnet));
    assertEquals(List.of(), acl(usual.networkAclId()).associations());
    ec2.deleteVpc(r -> r.vpcId(vpc));
    refused("InvalidNetworkAclID.NotFound", () -> acl(usual.networkAclId()));
  }

  private void entry(String aclId, int number, String action, String cidr) {
    ec2.createNetworkAclEntry(r ->
        r.networkAclId(aclId)
            .ruleNumber(number)
            .egress(false)
            .protocol("tcp")
            .portRange(ports -> ports.from(80).to(90))
            .ruleAction(action)
            .cidrBlock(cidr));
  }

  private String group() {
    return ec2.createSecurityGroup(r -> r.vpcId(vpc).groupName("g").description("g")).groupId();
  }

  private String plugged(String group) {
    String id =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).groups(group))
            .networkInterface()
            .networkInterfaceId();
    network.plug(id, Use.NAMESPACE);
    return id;
  }

  @Test
  void aRuleMeansTheNewestVersionOfItsPrefixList() {
    String list =
        ec2.createManagedPrefixList(r ->
                r.prefixListName("partners")
                    .addressFamily("IPv4")
                    .maxEntries(10)
                    .entries(block("192.0.2.0/24")))
            .prefixList()
            .prefixListId();
    String group = group();
    IpPermission permission =
        IpPermission.builder()
            .ipProtocol("tcp")
            .fromPort(80)
            .toPort(80)
            .prefixListIds(PrefixListId.builder().prefixListId(list).build())
            .build();
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permission));
    refused(
        "InvalidPermission.Duplicate",
        () -> ec2.authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permission)));
    String caller = plugged(group);
    String called = plugged(group);
    assertFalse(network.admits(caller, called, 6, 80));
    refused(
        "PrefixListVersionMismatch",
        () ->
            ec2.modifyManagedPrefixList(
                r -> r.prefixListId(list).currentVersion(7L).addEntries(block("10.0.0.0/16"))));
    ec2.modifyManagedPrefixList(
        r -> r.prefixListId(list).currentVersion(1L).addEntries(block("10.0.0.0/16")));
    assertTrue(network.admits(caller, called, 6, 80));
    AddPrefixListEntry renamed = block("10.0.0.0/16").toBuilder().description("two").build();
    refused(
        "InvalidRequest",
        () ->
            ec2.modifyManagedPrefixList(
                r -> r.prefixListId(list).currentVersion(2L).addEntries(renamed)));
    refused(
        "InvalidParameterValue",
        "Request cannot contain Cidr 10.0.0.0/16 in both AddPrefixListEntries and"
            + " RemovePrefixListEntries",
        () -> entries(list, 2, "10.0.0.0/16", "10.0.0.0/16"));
    refused(
        "InvalidParameterCombination",
        () ->
            ec2.modifyManagedPrefixList(
                r -> r.prefixListId(list).currentVersion(2L).addEntries(renamed).maxEntries(11)));
    assertEquals(
        List.of("10.0.0.0/16", "192.0.2.0/24"),
        ec2.getManagedPrefixListEntries(r -> r.prefixListId(list)).entries().stream()
            .map(PrefixListEntry::cidr)
            .toList());
    assertEquals(
        1,
        ec2.getManagedPrefixListEntries(r -> r.prefixListId(list).targetVersion(1L))
            .entries()
            .size());
    refused(
        "PrefixListVersionNotFound",
        () -> ec2.getManagedPrefixListEntries(r -> r.prefixListId(list).targetVersion(9L)));
    ec2.restoreManagedPrefixListVersion(
        r -> r.prefixListId(list).previousVersion(1L).currentVersion(2L));
    assertFalse(network.admits(caller, called, 6, 80));
    assertEquals(
        group,
        ec2.getManagedPrefixListAssociations(r -> r.prefixListId(list))
            .prefixListAssociations()
            .getFirst()
            .resourceId());
    refused("DependencyViolation", () -> ec2.deleteManagedPrefixList(r -> r.prefixListId(list)));
    refused(
        "RulesPerSecurityGroupLimitExceeded",
        () -> ec2.modifyManagedPrefixList(r -> r.prefixListId(list).maxEntries(61)));
    refused(
        "PrefixListMaxEntriesExceeded",
        () ->
            ec2.createManagedPrefixList(r ->
                r.prefixListName("small")
                    .addressFamily("IPv4")
                    .maxEntries(1)
                    .entries(block("192.0.2.0/24"), block("192.0.3.0/24"))));
    ec2.revokeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permission));
    ec2.deleteManagedPrefixList(r -> r.prefixListId(list));
    refused(
        "InvalidPrefixListID.NotFound",
        () -> ec2.authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permission)));
  }

  private String list(String name, int most, AddPrefixListEntry... entries) {
    return ec2.createManagedPrefixList(
            r -> r.prefixListName(name).addressFamily("IPv4").maxEntries(most).entries(entries))
        .prefixList()
        .prefixListId();
  }

  private void entries(String list, long version, String added, String removed) {
    ec2.modifyManagedPrefixList(r ->
        r.prefixListId(list)
            .currentVersion(version)
            .addEntries(block(added))
            .removeEntries(RemovePrefixListEntry.builder().cidr(removed).build()));
  }

  /** Where the network would send what goes to each block that a subnet's routes name. */
  private Map<String, Target> ways() {
    Map<String, Target> ways = new HashMap<>();
    network
        .subnet(vpc, "10.0.1.0/24")
        .orElseThrow()
        .routes()
        .forEach(route -> ways.put(route.destination().toString(), route.target()));
    return ways;
  }

  @Test
  void aRouteMeansTheNewestVersionOfItsPrefixList() {
    Target out = new Target.Internet();
    Target nowhere = new Target.Nowhere();
    String igw = attached();
    String table = mainTable();
    String list = list("partners", 4, block("192.0.2.0/24"), block("198.51.100.0/24"));
    refused(
        "InvalidPrefixListID.NotFound",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationPrefixListId("pl-0").gatewayId(igw)));
    refused(
        "InvalidPrefixListID.NotFound",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationPrefixListId("192.0.2.0/24").gatewayId(igw)));
    refused(
        "InvalidParameterCombination",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationPrefixListId(list)
                    .destinationCidrBlock(EVERYWHERE)
                    .gatewayId(igw)));
    String eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet)).networkInterface().networkInterfaceId();
    ec2.createRoute(
        r -> r.routeTableId(table).destinationPrefixListId(list).networkInterfaceId(eni));
    refused(
        "RouteAlreadyExists",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationPrefixListId(list).gatewayId(igw)));
    assertEquals(
        "blackhole", described(table).routes().getLast().stateAsString(), "nobody's interface");
    assertEquals(Map.of("192.0.2.0/24", nowhere, "198.51.100.0/24", nowhere), ways());
    ec2.replaceRoute(r -> r.routeTableId(table).destinationPrefixListId(list).gatewayId(igw));
    assertEquals("active", described(table).routes().getLast().stateAsString());
    assertEquals(Map.of("192.0.2.0/24", out, "198.51.100.0/24", out), ways());
    assertEquals(
        List.of(table),
        ec2
            .describeRouteTables(r -> r.filters(filter("route.destination-prefix-list-id", list)))
            .routeTables()
            .stream()
            .map(RouteTable::routeTableId)
            .toList());

    entries(list, 1L, "203.0.113.0/24", "192.0.2.0/24");
    assertEquals(Map.of("203.0.113.0/24", out, "198.51.100.0/24", out), ways());
    ec2.createRoute(
        r -> r.routeTableId(table).destinationCidrBlock("203.0.113.0/24").networkInterfaceId(eni));
    assertEquals(
        Map.of("203.0.113.0/24", nowhere, "198.51.100.0/24", out),
        ways(),
        "a block's own route comes before a list's");
    refused("InvalidParameterValue", () -> entries(list, 2L, "10.0.1.0/24", "203.0.113.0/24"));
    assertEquals(2L, ec2.describeManagedPrefixLists(r -> {}).prefixLists().getFirst().version());
    ec2.restoreManagedPrefixListVersion(
        r -> r.prefixListId(list).previousVersion(1L).currentVersion(2L));
    assertEquals(
        Map.of("192.0.2.0/24", out, "198.51.100.0/24", out, "203.0.113.0/24", nowhere), ways());
    ec2.close();
    network = new SimNetwork(timers);
    ec2 = started();
    assertEquals(out, ways().get("192.0.2.0/24"), "a new server states it again");

    assertEquals(
        table,
        ec2.getManagedPrefixListAssociations(r -> r.prefixListId(list))
            .prefixListAssociations()
            .getFirst()
            .resourceId());
    refused("DependencyViolation", () -> ec2.deleteManagedPrefixList(r -> r.prefixListId(list)));
    refused(
        "RouteLimitExceeded",
        () -> ec2.modifyManagedPrefixList(r -> r.prefixListId(list).maxEntries(499)));
    String wide = list("wide", 495);
    refused(
        "RouteLimitExceeded",
        () ->
            ec2.createRoute(
                r -> r.routeTableId(table).destinationPrefixListId(wide).gatewayId(igw)));
    refused(
        "InvalidParameterValue",
        () ->
            list(
                "toomany",
                1000,
                IntStream.range(0, 101)
                    .mapToObj(i -> block("192.0.2." + i + "/32"))
                    .toArray(AddPrefixListEntry[]::new)));

    ec2.deleteRoute(r -> r.routeTableId(table).destinationPrefixListId(list));
    refused(
        "InvalidRoute.NotFound",
        "no route with destination-prefix-list-id " + list + " in route table " + table,
        () -> ec2.deleteRoute(r -> r.routeTableId(table).destinationPrefixListId(list)));
    assertEquals(Map.of("203.0.113.0/24", nowhere), ways());
    ec2.deleteManagedPrefixList(r -> r.prefixListId(list));
  }

  @Test
  void rulesAreDescribedAnew() {
    String group = group();
    IpPermission permission =
        IpPermission.builder()
            .ipProtocol("tcp")
            .fromPort(80)
            .toPort(80)
            .ipRanges(IpRange.builder().cidrIp("10.0.0.0/16").description("before").build())
            .ipv6Ranges(Ipv6Range.builder().cidrIpv6("2001:db8::/32").build())
            .build();
    String rule =
        ec2.authorizeSecurityGroupIngress(r -> r.groupId(group).ipPermissions(permission))
            .securityGroupRules()
            .getFirst()
            .securityGroupRuleId();
    ec2.updateSecurityGroupRuleDescriptionsIngress(r ->
        r.groupId(group)
            .ipPermissions(
                permission.toBuilder()
                    .ipv6Ranges(List.of())
                    .ipRanges(IpRange.builder().cidrIp("10.0.0.0/16").description("after").build())
                    .build()));
    assertEquals("after", description(rule));
    ec2.updateSecurityGroupRuleDescriptionsIngress(
        r -> r.groupId(group).securityGroupRuleDescriptions(words(rule, "last")));
    assertEquals("last", description(rule));
    refused(
        "InvalidSecurityGroupRuleId.NotFound",
        () ->
            ec2.updateSecurityGroupRuleDescriptionsEgress(
                r -> r.groupId(group).securityGroupRuleDescriptions(words(rule, "none"))));
    refused(
        "MissingParameter",
        () -> ec2.updateSecurityGroupRuleDescriptionsIngress(r -> r.groupId(group)));
  }

  private static AddPrefixListEntry block(String cidr) {
    return AddPrefixListEntry.builder().cidr(cidr).description("one").build();
  }

  private static SecurityGroupRuleDescription words(String rule, String words) {
    return SecurityGroupRuleDescription.builder()
        .securityGroupRuleId(rule)
        .description(words)
        .build();
  }

  private String description(String rule) {
    return ec2.describeSecurityGroupRules(r -> r.securityGroupRuleIds(rule))
        .securityGroupRules()
        .getFirst()
        .description();
  }

  private String state(String peering) {
    return ec2.describeVpcPeeringConnections(r -> r.vpcPeeringConnectionIds(peering))
        .vpcPeeringConnections()
        .getFirst()
        .status()
        .codeAsString();
  }

  private String peering(String other) {
    return ec2.createVpcPeeringConnection(r -> r.vpcId(vpc).peerVpcId(other))
        .vpcPeeringConnection()
        .vpcPeeringConnectionId();
  }

  @Test
  void aPeeringIsAcceptedRoutedAndDeleted() {
    String other = ec2.createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().vpcId();
    String twin = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    assertEquals("failed", state(peering(twin)));
    String id = peering(other);
    assertEquals("pending-acceptance", state(id));
    String table = mainTable();
    ec2.createRoute(
        r -> r.routeTableId(table).destinationCidrBlock("10.9.0.0/16").vpcPeeringConnectionId(id));
    assertEquals(
        "blackhole", described(table).routes().getLast().stateAsString(), "until it is accepted");
    refused(
        "InvalidParameterValue",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(ec2.createRouteTable(t -> t.vpcId(twin)).routeTable().routeTableId())
                    .destinationCidrBlock("10.9.0.0/16")
                    .vpcPeeringConnectionId(id)));
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(id));
    assertEquals("active", state(id));
    assertEquals(
        List.of(new Route(Cidr.parse("10.9.0.0/16"), new Target.Peer(id))),
        network.subnet(vpc, "10.0.1.0/24").orElseThrow().routes());
    assertEquals(Set.of(id), network.peerings().keySet());
    refused(
        "InvalidStateTransition",
        () -> ec2.rejectVpcPeeringConnection(r -> r.vpcPeeringConnectionId(id)));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(other)));

    ec2.close();
    network = new SimNetwork(timers);
    ec2 = started();
    assertEquals(Set.of(id), network.peerings().keySet(), "a new server states it again");

    ec2.deleteVpcPeeringConnection(r -> r.vpcPeeringConnectionId(id));
    assertEquals("deleted", state(id));
    assertEquals(Set.of(), network.peerings().keySet());
    assertEquals("blackhole", described(table).routes().getLast().stateAsString());
    refused(
        "InvalidStateTransition",
        () -> ec2.deleteVpcPeeringConnection(r -> r.vpcPeeringConnectionId(id)));
    ec2.deleteVpc(r -> r.vpcId(other));
    String unwanted = peering(defaultVpc());
    ec2.rejectVpcPeeringConnection(r -> r.vpcPeeringConnectionId(unwanted));
    assertEquals("rejected", state(unwanted));
    refused("InvalidVpcPeeringConnectionID.NotFound", () -> state("pcx-0"));
  }

  private String defaultVpc() {
    return ec2.describeVpcs(r -> r.filters(filter("is-default", "true"))).vpcs().getFirst().vpcId();
  }

  @Test
  void aDefaultSubnetIsMadeAgainInItsZone() {
    refused(
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
        () -> ec2.createDefaultSubnet(r -> r.availabilityZone("us-east-1b")));
    String gone =
        ec2.describeSubnets(r ->
                r.filters(
                    filter("default-for-az", "true"), filter("availability-zone", "us-east-1b")))
            .subnets()
            .getFirst()
            .subnetId();
    ec2.deleteSubnet(r -> r.subnetId(gone));
    Subnet made = ec2.createDefaultSubnet(r -> r.availabilityZone("us-east-1b")).subnet();
    assertEquals("172.31.16.0/20", made.cidrBlock());
    assertTrue(made.mapPublicIpOnLaunch());
    assertEquals(made.subnetId(), subnetsOf(aclOf(made.subnetId())).getLast());
    refused(
        "InvalidParameterValue",
        () -> ec2.createDefaultSubnet(r -> r.availabilityZone("us-east-1z")));
    refused("MissingParameter", () -> ec2.createDefaultSubnet(r -> {}));
  }

  private static List<String> subnetsOf(NetworkAcl acl) {
    return acl.associations().stream().map(NetworkAclAssociation::subnetId).toList();
  }

  private String dhcp(String key, String... values) {
    return ec2.createDhcpOptions(r ->
            r.dhcpConfigurations(NewDhcpConfiguration.builder().key(key).values(values).build()))
        .dhcpOptions()
        .dhcpOptionsId();
  }

  private String optionsOf(String vpcId) {
    return ec2.describeVpcs(r -> r.vpcIds(vpcId)).vpcs().getFirst().dhcpOptionsId();
  }

  @Test
  void aVpcHasDhcpOptionsOfItsOwn() {
    String usual = optionsOf(vpc);
    String mine = dhcp("domain-name-servers", "10.0.0.53,AmazonProvidedDNS");
    assertEquals(
        List.of("10.0.0.53", "AmazonProvidedDNS"),
        ec2
            .describeDhcpOptions(r -> r.filters(filter("value", "10.0.0.53")))
            .dhcpOptions()
            .getFirst()
            .dhcpConfigurations()
            .getFirst()
            .values()
            .stream()
            .map(value -> value.value())
            .toList());
    ec2.associateDhcpOptions(r -> r.dhcpOptionsId(mine).vpcId(vpc));
    assertEquals(mine, optionsOf(vpc));
    assertEquals(
        usual,
        ec2.createVpc(r -> r.cidrBlock("10.9.0.0/16")).vpc().dhcpOptionsId(),
        "a new one has the region's");
    refused(
        "DependencyViolation",
        "The dhcpOptions '" + mine + "' has dependencies and cannot be deleted.",
        () -> ec2.deleteDhcpOptions(r -> r.dhcpOptionsId(mine)));
    ec2.associateDhcpOptions(r -> r.dhcpOptionsId("default").vpcId(vpc));
    assertEquals("default", optionsOf(vpc));
    ec2.deleteDhcpOptions(r -> r.dhcpOptionsId(mine));
    refused(
        "InvalidDhcpOptionID.NotFound",
        "The dhcpOption ID '" + mine + "' does not exist",
        () -> ec2.associateDhcpOptions(r -> r.dhcpOptionsId(mine).vpcId(vpc)));
    refused(
        "UnsupportedOperation",
        "The DHCP option ntp-servers is not supported by this region yet.",
        () -> dhcp("ntp-servers", "10.0.0.1"));
    refused(
        "InvalidParameterValue",
        "Value (a b;c) for parameter domain-name is invalid. It must be one domain name.",
        () -> dhcp("domain-name", "a b;c"));
    refused(
        "InvalidParameterValue",
        "Value (ns.example) for parameter domain-name-servers is invalid. It must be an IPv4"
            + " address.",
        () -> dhcp("domain-name-servers", "ns.example"));
    refused(
        "MissingParameter",
        "The request must contain the parameter dhcpConfiguration.value",
        () -> dhcp("domain-name"));
    refused(
        "MissingParameter",
        "The request must contain the parameter dhcpConfiguration",
        () -> ec2.createDhcpOptions(r -> r.dryRun(true)));
  }

  @Test
  void namesAreAnsweredAsTheVpcsAttributesSay() {
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(true)));
    attached();
    NetworkInterface eni = ec2.createNetworkInterface(r -> r.subnetId(subnet)).networkInterface();
    String allocation = ec2.allocateAddress().allocationId();
    ec2.associateAddress(
        r -> r.allocationId(allocation).networkInterfaceId(eni.networkInterfaceId()));
    String outside =
        ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(eni.networkInterfaceId()))
            .networkInterfaces()
            .getFirst()
            .association()
            .publicDnsName();
    String other =
        ec2.describeVpcs(r -> r.filters(filter("is-default", "true"))).vpcs().getFirst().vpcId();
    Optional<List<String>> here = Optional.of(List.of(eni.privateIpAddress()));
    assertEquals(here, network.resolve(vpc, eni.privateDnsName()));
    assertEquals(here, network.resolve(vpc, outside));
    assertEquals(
        Optional.of(List.of(ec2.describeAddresses().addresses().getFirst().publicIp())),
        network.resolve(other, outside));
    assertEquals(Optional.empty(), network.resolve(other, eni.privateDnsName()));

    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(false)));
    assertEquals(Optional.empty(), network.resolve(vpc, outside));

    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsSupport(v -> v.value(false)));
    assertEquals(
        false,
        ec2.describeVpcAttribute(r -> r.vpcId(vpc).attribute("enableDnsSupport"))
            .enableDnsSupport()
            .value());
    assertEquals(Optional.empty(), network.resolve(vpc, eni.privateDnsName()));
    ec2.close();
    ec2 = started();
    assertEquals(Optional.empty(), network.resolve(vpc, eni.privateDnsName()), "after a restart");
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsSupport(v -> v.value(true)));
    assertEquals(here, network.resolve(vpc, eni.privateDnsName()));
  }
}
