package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.Subnet.Target;
import dev.muelle.network.sim.SimNetwork;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.AddPrefixListEntry;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Address;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.NetworkAclEntry;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.ec2.model.PrefixListId;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;

/** IPv6 in a VPC, as EC2 is told of it and tells the network. */
class Ipv6Test extends Ec2InMemory {

  private static final String EVERYWHERE = "::/0";

  private String vpc;
  private String block;
  private String subnet;

  @BeforeEach
  void furnish() {
    Vpc made =
        ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16").amazonProvidedIpv6CidrBlock(true)).vpc();
    vpc = made.vpcId();
    block = made.ipv6CidrBlockAssociationSet().getFirst().ipv6CidrBlock();
    subnet =
        ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.1.0/24").ipv6CidrBlock(block6()))
            .subnet()
            .subnetId();
  }

  /** The subnet's, the first of the VPC's. */
  private String block6() {
    return block.replace("/56", "/64");
  }

  private String address(int number) {
    return Cidr6.parse(block6()).at(number);
  }

  private Vpc described() {
    return ec2.describeVpcs(r -> r.vpcIds(vpc)).vpcs().getFirst();
  }

  private String eni(String... addresses) {
    return ec2.createNetworkInterface(r ->
            r.subnetId(subnet)
                .ipv6Addresses(
                    List.of(addresses).stream()
                        .map(one -> InstanceIpv6Address.builder().ipv6Address(one).build())
                        .toList()))
        .networkInterface()
        .networkInterfaceId();
  }

  private NetworkInterface shown(String id) {
    return ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
        .networkInterfaces()
        .getFirst();
  }

  private static List<String> addresses(NetworkInterface eni) {
    return eni.ipv6Addresses().stream().map(NetworkInterfaceIpv6Address::ipv6Address).toList();
  }

  private String mainTable() {
    return ec2.describeRouteTables(r -> r.filters(filter("vpc-id", vpc)))
        .routeTables()
        .getFirst()
        .routeTableId();
  }

  private List<Route> routes6(String table) {
    return ec2
        .describeRouteTables(r -> r.routeTableIds(table))
        .routeTables()
        .getFirst()
        .routes()
        .stream()
        .filter(route -> route.destinationIpv6CidrBlock() != null)
        .toList();
  }

  /** Where the network sends what goes everywhere. */
  private Optional<Target> way() {
    return network.subnet(vpc, "10.0.1.0/24").orElseThrow().routes().stream()
        .filter(route -> route.destination().equals(Cidr6.parse(EVERYWHERE)))
        .map(dev.muelle.network.Subnet.Route::target)
        .findFirst();
  }

  @Test
  void aVpcIsGivenBlocksOutOfTheRegions() {
    VpcIpv6CidrBlockAssociation one = described().ipv6CidrBlockAssociationSet().getFirst();
    assertEquals("associated", one.ipv6CidrBlockState().stateAsString());
    assertEquals("Amazon", one.ipv6Pool());
    assertEquals("us-east-1", one.networkBorderGroup());
    assertTrue(Network.PUBLIC6.contains(Cidr6.parse(one.ipv6CidrBlock())), one::toString);
    assertEquals(56, Cidr6.parse(one.ipv6CidrBlock()).prefix());

    VpcIpv6CidrBlockAssociation second =
        ec2.associateVpcCidrBlock(r -> r.vpcId(vpc).amazonProvidedIpv6CidrBlock(true))
            .ipv6CidrBlockAssociation();
    assertEquals("associating", second.ipv6CidrBlockState().stateAsString());
    assertEquals(2, described().ipv6CidrBlockAssociationSet().size());
    assertEquals(2, routes6(mainTable()).size(), "a local route for each");
    assertEquals(
        "disassociating",
        ec2.disassociateVpcCidrBlock(r -> r.associationId(second.associationId()))
            .ipv6CidrBlockAssociation()
            .ipv6CidrBlockState()
            .stateAsString());
    assertEquals(List.of(one), described().ipv6CidrBlockAssociationSet());
    assertEquals(1, routes6(mainTable()).size());
    refused(
        "InvalidCidrBlock.InUse",
        "The vpc " + vpc + " currently has a subnet within CIDR block " + block,
        () -> ec2.disassociateVpcCidrBlock(r -> r.associationId(one.associationId())));
    refused(
        "InvalidVpcCidrBlockAssociationID.NotFound",
        () -> ec2.disassociateVpcCidrBlock(r -> r.associationId("vpc-cidr-assoc-0")));
    refused(
        "OperationNotPermitted",
        () ->
            ec2.disassociateVpcCidrBlock(r ->
                r.associationId(described().cidrBlockAssociationSet().getFirst().associationId())));
    refused(
        "UnsupportedOperation",
        () -> ec2.associateVpcCidrBlock(r -> r.vpcId(vpc).cidrBlock("10.1.0.0/16")));
    refused(
        "UnsupportedOperation",
        () ->
            ec2.createVpc(
                r -> r.cidrBlock("10.9.0.0/16").ipv6CidrBlockNetworkBorderGroup("us-east-1")));
  }

  @Test
  void aSubnetHasOneBlockOfItsVpcs() {
    refused(
        "InvalidSubnet.Conflict",
        () -> ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.2.0/24").ipv6CidrBlock(block6())));
    for (String bad : List.of(block, "2001:db8::/64", "2001:db8::1/64", "10.0.0.0/24")) {
      String code =
          bad.contains("::1/") || bad.contains("10.")
              ? "InvalidParameterValue"
              : "InvalidSubnet.Range";
      refused(
          code,
          () -> ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.2.0/24").ipv6CidrBlock(bad)));
    }
    refused(
        "UnsupportedOperation",
        () -> ec2.createSubnet(r -> r.vpcId(vpc).ipv6CidrBlock(block6()).ipv6Native(true)));
    refused(
        "UnsupportedOperation",
        () -> ec2.modifySubnetAttribute(r -> r.subnetId(subnet).enableDns64(v -> v.value(true))));

    String other = ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.2.0/24")).subnet().subnetId();
    refused(
        "InvalidParameterValue",
        () ->
            ec2.modifySubnetAttribute(
                r -> r.subnetId(other).assignIpv6AddressOnCreation(v -> v.value(true))));
    String second = Cidr6.parse(block).toString().replace("00::/56", "01::/64");
    String association =
        ec2.associateSubnetCidrBlock(r -> r.subnetId(other).ipv6CidrBlock(second))
            .ipv6CidrBlockAssociation()
            .associationId();
    assertEquals(Cidr6.parse(second), network.subnet(vpc, "10.0.2.0/24").orElseThrow().cidr6());
    refused(
        "InvalidSubnet.Conflict",
        () -> ec2.associateSubnetCidrBlock(r -> r.subnetId(other).ipv6CidrBlock(second)));
    ec2.modifySubnetAttribute(
        r -> r.subnetId(other).assignIpv6AddressOnCreation(v -> v.value(true)));
    refused(
        "InvalidCidrBlock.InUse",
        () -> ec2.disassociateSubnetCidrBlock(r -> r.associationId(association)));
    String eni =
        ec2.createNetworkInterface(r -> r.subnetId(other)).networkInterface().networkInterfaceId();
    assertTrue(Cidr6.parse(second).contains(addresses(shown(eni)).getFirst()), "by its subnet");
    assertEquals(
        List.of(),
        addresses(
            ec2.createNetworkInterface(r -> r.subnetId(other).ipv6AddressCount(0))
                .networkInterface()),
        "the request has the last word");
    ec2.modifySubnetAttribute(
        r -> r.subnetId(other).assignIpv6AddressOnCreation(v -> v.value(false)));
    refused(
        "InvalidCidrBlock.InUse",
        () -> ec2.disassociateSubnetCidrBlock(r -> r.associationId(association)));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(eni));
    ec2.disassociateSubnetCidrBlock(r -> r.associationId(association));
    assertNull(network.subnet(vpc, "10.0.2.0/24").orElseThrow().cidr6());
    refused(
        "InvalidSubnetCidrBlockAssociationID.NotFound",
        () -> ec2.disassociateSubnetCidrBlock(r -> r.associationId(association)));
    refused(
        "InvalidSubnetCidrBlockAssociationId.Malformed",
        () -> ec2.disassociateSubnetCidrBlock(r -> r.associationId("x")));
  }

  @Test
  void interfacesAreGivenAddressesAndLoseThem() {
    String id = eni(address(16).replace("::", ":0:0:0:"), address(17));
    assertEquals(List.of(address(16), address(17)), addresses(shown(id)), "in their normal form");
    assertEquals(List.of(address(16), address(17)), network.interfaces().get(id).ipv6());
    List<String> more =
        ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6AddressCount(2))
            .assignedIpv6Addresses();
    assertEquals(2, more.size());
    assertTrue(more.stream().allMatch(Cidr6.parse(block6())::contains), more::toString);
    assertEquals(4, network.interfaces().get(id).ipv6().size());
    assertEquals(
        List.of(id),
        ec2
            .describeNetworkInterfaces(
                r -> r.filters(filter("ipv6-addresses.ipv6-address", more.getFirst())))
            .networkInterfaces()
            .stream()
            .map(NetworkInterface::networkInterfaceId)
            .toList());
    refused("InvalidIPAddress.InUse", () -> eni(address(17)));
    for (String bad :
        List.of(address(0), address(3), address(-1), "2001:db8::9", "10.0.1.9", "x")) {
      refused("InvalidParameterValue", () -> eni(bad));
    }
    refused(
        "InvalidParameterCombination",
        () ->
            ec2.assignIpv6Addresses(
                r -> r.networkInterfaceId(id).ipv6AddressCount(1).ipv6Addresses(address(20))));
    refused("MissingParameter", () -> ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id)));
    refused(
        "UnsupportedOperation",
        () -> ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6PrefixCount(1)));
    refused(
        "PrivateIpAddressLimitExceeded",
        () -> ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6AddressCount(47)));

    ec2.unassignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6Addresses(address(17)));
    assertFalse(network.interfaces().get(id).ipv6().contains(address(17)));
    refused(
        "InvalidParameterValue",
        () -> ec2.unassignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6Addresses(address(17))));
    String other = eni(address(17));
    ec2.deleteNetworkInterface(r -> r.networkInterfaceId(other));
    assertEquals(List.of(address(17)), addresses(shown(eni(address(17)))), "free again");

    String plain = ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.0.3.0/24")).subnet().subnetId();
    refused(
        "InvalidParameterValue",
        () -> ec2.createNetworkInterface(r -> r.subnetId(plain).ipv6AddressCount(1)));
  }

  private Instance launched(
      @Nullable Integer count, String @Nullable [] addresses, @Nullable String template) {
    String image = ec2.describeImages(r -> {}).images().getFirst().imageId();
    return ec2.runInstances(
            r -> {
              r.minCount(1).maxCount(1);
              if (template == null) {
                r.imageId(image).instanceType("t3.micro").subnetId(subnet).ipv6AddressCount(count);
              } else {
                r.launchTemplate(t -> t.launchTemplateId(template));
              }
              if (addresses != null) {
                r.ipv6Addresses(
                    List.of(addresses).stream()
                        .map(one -> InstanceIpv6Address.builder().ipv6Address(one).build())
                        .toList());
              }
            })
        .instances()
        .getFirst();
  }

  @Test
  void instancesHaveAddressesAsTheirLaunchOrTemplateSays() {
    Instance counted = launched(2, null, null);
    assertEquals(2, counted.networkInterfaces().getFirst().ipv6Addresses().size());
    assertEquals(
        counted.ipv6Address(),
        counted.networkInterfaces().getFirst().ipv6Addresses().getFirst().ipv6Address());
    assertEquals(address(30), launched(null, new String[] {address(30)}, null).ipv6Address());
    assertNull(launched(null, null, null).ipv6Address());
    refused("PrivateIpAddressLimitExceeded", () -> launched(3, null, null)); // a t3.micro has two
    assertEquals(
        List.of(counted.instanceId()),
        ec2
            .describeInstances(r -> r.filters(filter("ipv6-address", counted.ipv6Address())))
            .reservations()
            .stream()
            .flatMap(one -> one.instances().stream())
            .map(Instance::instanceId)
            .toList());
    String image = counted.imageId();
    String template =
        ec2.createLaunchTemplate(r ->
                r.launchTemplateName("six")
                    .launchTemplateData(d ->
                        d.imageId(image)
                            .instanceType("t3.micro")
                            .networkInterfaces(
                                LaunchTemplateInstanceNetworkInterfaceSpecificationRequest.builder()
                                    .deviceIndex(0)
                                    .subnetId(subnet)
                                    .ipv6AddressCount(1)
                                    .build())))
            .launchTemplate()
            .launchTemplateId();
    assertEquals(
        1, launched(null, null, template).networkInterfaces().getFirst().ipv6Addresses().size());
  }

  @Test
  void whatDeniesGatewaysIsReachedThroughNone() {
    String igw = ec2.createInternetGateway(r -> {}).internetGateway().internetGatewayId();
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    String eni = eni(address(16));
    Map<String, String> itself = Map.of(address(16), address(16));
    assertEquals(itself, network.interfaces().get(eni).publicAddresses());

    ec2.denyAllIgwTraffic(eni, true);
    assertEquals(Map.of(), network.interfaces().get(eni).publicAddresses());
    assertTrue(shown(eni).denyAllIgwTraffic());
    assertEquals(List.of(address(16)), network.interfaces().get(eni).ipv6(), "it keeps it");
    String elastic = ec2.allocateAddress(r -> {}).allocationId();
    refused(
        "OperationNotPermitted",
        () -> ec2.associateAddress(r -> r.allocationId(elastic).networkInterfaceId(eni)));
    ec2.close();
    network = new SimNetwork(timers);
    ec2 = started();
    assertEquals(Map.of(), network.interfaces().get(eni).publicAddresses(), "a new server knows");

    ec2.denyAllIgwTraffic(eni, false);
    assertEquals(itself, network.interfaces().get(eni).publicAddresses());
  }

  @Test
  void routesLeadOutThroughGatewaysOrOnlyOut() {
    String table = mainTable();
    String eni = eni(address(16));
    assertEquals(Map.of(), network.interfaces().get(eni).publicAddresses(), "no gateway yet");
    String eigw =
        ec2.createEgressOnlyInternetGateway(r -> r.vpcId(vpc).clientToken("once"))
            .egressOnlyInternetGateway()
            .egressOnlyInternetGatewayId();
    assertEquals(
        eigw,
        ec2.createEgressOnlyInternetGateway(r -> r.vpcId(vpc).clientToken("once"))
            .egressOnlyInternetGateway()
            .egressOnlyInternetGatewayId());
    refused("InvalidParameterValue", () -> ec2.createEgressOnlyInternetGateway(r -> r.vpcId(vpc)));
    refused(
        "InvalidVpcID.NotFound", () -> ec2.createEgressOnlyInternetGateway(r -> r.vpcId("vpc-0")));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationCidrBlock("0.0.0.0/0")
                    .egressOnlyInternetGatewayId(eigw)));
    ec2.createRoute(r ->
        r.routeTableId(table)
            .destinationIpv6CidrBlock(EVERYWHERE)
            .egressOnlyInternetGatewayId(eigw));
    assertEquals(Optional.of(new Target.EgressOnly()), way());
    assertEquals(Map.of(address(16), address(16)), network.interfaces().get(eni).publicAddresses());
    refused(
        "RouteAlreadyExists",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationIpv6CidrBlock(EVERYWHERE)
                    .networkInterfaceId(eni)));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.createRoute(r ->
                r.routeTableId(table)
                    .destinationIpv6CidrBlock(block6())
                    .egressOnlyInternetGatewayId(eigw)));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(vpc)));

    ec2.deleteEgressOnlyInternetGateway(r -> r.egressOnlyInternetGatewayId(eigw));
    assertEquals("blackhole", routes6(table).getLast().stateAsString());
    assertEquals(Optional.of(new Target.Nowhere()), way());
    refused(
        "InvalidGatewayID.NotFound",
        () -> ec2.deleteEgressOnlyInternetGateway(r -> r.egressOnlyInternetGatewayId(eigw)));
    String igw = ec2.createInternetGateway().internetGateway().internetGatewayId();
    ec2.attachInternetGateway(r -> r.internetGatewayId(igw).vpcId(vpc));
    ec2.replaceRoute(
        r -> r.routeTableId(table).destinationIpv6CidrBlock(EVERYWHERE).gatewayId(igw));
    assertEquals(Optional.of(new Target.Internet()), way());
    assertTrue(network.subnet(vpc, "10.0.1.0/24").orElseThrow().reached());
    ec2.deleteRoute(r -> r.routeTableId(table).destinationIpv6CidrBlock(EVERYWHERE));
    assertEquals(Optional.empty(), way());
    refused(
        "InvalidRoute.NotFound",
        () -> ec2.deleteRoute(r -> r.routeTableId(table).destinationIpv6CidrBlock(EVERYWHERE)));
    refused(
        "InvalidParameterValue",
        () -> ec2.deleteRoute(r -> r.routeTableId(table).destinationIpv6CidrBlock(block)));
    String made = ec2.createRouteTable(r -> r.vpcId(vpc)).routeTable().routeTableId();
    assertEquals(block, routes6(made).getFirst().destinationIpv6CidrBlock());
  }

  private Set<String> entries(String vpcId) {
    return ec2.describeNetworkAcls(r -> r.filters(filter("vpc-id", vpcId))).networkAcls().stream()
        .flatMap(acl -> acl.entries().stream())
        .filter(NetworkAclEntry::egress)
        .map(entry ->
            entry.ruleNumber() + " " + entry.ruleActionAsString() + " " + entry.ipv6CidrBlock())
        .filter(text -> !text.endsWith("null"))
        .collect(Collectors.toSet());
  }

  private List<String> out(String group) {
    return ec2
        .describeSecurityGroupRules(r -> r.filters(filter("group-id", group)))
        .securityGroupRules()
        .stream()
        .filter(SecurityGroupRule::isEgress)
        .map(rule -> rule.cidrIpv4() == null ? rule.cidrIpv6() : rule.cidrIpv4())
        .sorted()
        .toList();
  }

  private String defaultGroup(String vpcId) {
    return ec2.describeSecurityGroups(
            r -> r.filters(filter("vpc-id", vpcId), filter("group-name", "default")))
        .securityGroups()
        .getFirst()
        .groupId();
  }

  @Test
  void defaultsLetIpv6PassOnceTheVpcCarriesIt() {
    Set<String> both = Set.of("101 allow ::/0", "32768 deny ::/0");
    assertEquals(both, entries(vpc));
    assertEquals(List.of("0.0.0.0/0", EVERYWHERE), out(defaultGroup(vpc)));
    String group =
        ec2.createSecurityGroup(r -> r.groupName("web").description("web").vpcId(vpc)).groupId();
    assertEquals(List.of("0.0.0.0/0", EVERYWHERE), out(group));

    String late = ec2.createVpc(r -> r.cidrBlock("10.5.0.0/16")).vpc().vpcId();
    assertEquals(Set.of(), entries(late));
    assertEquals(List.of("0.0.0.0/0"), out(defaultGroup(late)));
    ec2.associateVpcCidrBlock(r -> r.vpcId(late).amazonProvidedIpv6CidrBlock(true));
    assertEquals(both, entries(late));
    assertEquals(List.of("0.0.0.0/0", EVERYWHERE), out(defaultGroup(late)));

    String changed = ec2.createVpc(r -> r.cidrBlock("10.6.0.0/16")).vpc().vpcId();
    String acl =
        ec2.describeNetworkAcls(r -> r.filters(filter("vpc-id", changed)))
            .networkAcls()
            .getFirst()
            .networkAclId();
    ec2.deleteNetworkAclEntry(r -> r.networkAclId(acl).ruleNumber(100).egress(true));
    ec2.revokeSecurityGroupEgress(r ->
        r.groupId(defaultGroup(changed))
            .ipPermissions(
                IpPermission.builder()
                    .ipProtocol("-1")
                    .ipRanges(IpRange.builder().cidrIp("0.0.0.0/0").build())
                    .build()));
    ec2.associateVpcCidrBlock(r -> r.vpcId(changed).amazonProvidedIpv6CidrBlock(true));
    assertEquals(Set.of("32768 deny ::/0"), entries(changed), "what was changed stays as it is");
    assertEquals(List.of(), out(defaultGroup(changed)));
  }

  @Test
  void rulesAndEntriesOfIpv6ReachTheNetwork() {
    String acl =
        ec2.describeNetworkAcls(r -> r.filters(filter("vpc-id", vpc)))
            .networkAcls()
            .getFirst()
            .networkAclId();
    ec2.createNetworkAclEntry(r ->
        r.networkAclId(acl)
            .ruleNumber(50)
            .egress(false)
            .ruleAction("deny")
            .protocol("58")
            .icmpTypeCode(icmp -> icmp.type(128).code(-1))
            .ipv6CidrBlock("2001:DB8::/32"));
    assertEquals(
        AddressBlock.parse("2001:db8::/32"),
        network.subnet(vpc, "10.0.1.0/24").orElseThrow().acl().ingress().getFirst().peer());
    refused(
        "InvalidParameterValue",
        () -> ec2.deleteNetworkAclEntry(r -> r.networkAclId(acl).ruleNumber(32_768).egress(false)));

    String group =
        ec2.createSecurityGroup(r -> r.groupName("web").description("web").vpcId(vpc)).groupId();
    ec2.authorizeSecurityGroupIngress(r ->
        r.groupId(group)
            .ipPermissions(
                IpPermission.builder()
                    .ipProtocol("tcp")
                    .fromPort(80)
                    .toPort(80)
                    .ipv6Ranges(Ipv6Range.builder().cidrIpv6("2001:db8::/32").build())
                    .build()));
    String list =
        ec2.createManagedPrefixList(r ->
                r.prefixListName("six")
                    .maxEntries(1)
                    .addressFamily("IPv6")
                    .entries(AddPrefixListEntry.builder().cidr("2001:db8:1::/48").build()))
            .prefixList()
            .prefixListId();
    ec2.authorizeSecurityGroupIngress(r ->
        r.groupId(group)
            .ipPermissions(
                IpPermission.builder()
                    .ipProtocol("tcp")
                    .fromPort(81)
                    .toPort(81)
                    .prefixListIds(PrefixListId.builder().prefixListId(list).build())
                    .build()));
    assertEquals(
        Set.of("2001:db8::/32 80", "2001:db8:1::/48 81"),
        network.securityGroup(group).orElseThrow().ingress().stream()
            .map(rule -> ((Peer.Block) rule.peer()).cidr() + " " + rule.fromPort())
            .collect(Collectors.toSet()));
  }
}
