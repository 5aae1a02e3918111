package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network.Use;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.DnsEntry;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceType;
import software.amazon.awssdk.services.ec2.model.ServiceDetail;
import software.amazon.awssdk.services.ec2.model.SubnetConfiguration;
import software.amazon.awssdk.services.ec2.model.VpcEndpoint;
import software.amazon.awssdk.services.ec2.model.VpcEndpointType;

/** VPC endpoints: what becomes of them, what the resolver says, and what is refused. */
class VpcEndpointsTest extends Ec2InMemory {

  private static final String ECS = "com.amazonaws.us-east-1.ecs";
  private static final String LOGS = "com.amazonaws.us-east-1.logs";
  private static final String HOST = "ecs.us-east-1.amazonaws.com";

  private String vpc = "";
  private String zoneA = "";
  private String zoneB = "";
  private String group = "";

  @BeforeEach
  void furnish() {
    vpc = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(true)));
    zoneA = subnet("10.0.1.0/24", "us-east-1a");
    zoneB = subnet("10.0.2.0/24", "us-east-1b");
    group =
        ec2.createSecurityGroup(r -> r.groupName("door").description("door").vpcId(vpc)).groupId();
  }

  private String subnet(String block, String zone) {
    return ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock(block).availabilityZone(zone))
        .subnet()
        .subnetId();
  }

  private VpcEndpoint make(String service, String... subnets) {
    return ec2.createVpcEndpoint(r ->
            r.vpcEndpointType(VpcEndpointType.INTERFACE)
                .vpcId(vpc)
                .serviceName(service)
                .subnetIds(subnets)
                .securityGroupIds(group))
        .vpcEndpoint();
  }

  private VpcEndpoint now(String id) {
    return ec2.describeVpcEndpoints(r -> r.vpcEndpointIds(id)).vpcEndpoints().getFirst();
  }

  private VpcEndpoint available(String id) {
    await(() -> now(id).stateAsString().equals("available"));
    return now(id);
  }

  private List<NetworkInterface> interfaces() {
    return ec2.describeNetworkInterfaces(
            r -> r.filters(filter("interface-type", "vpc_endpoint"), filter("vpc-id", vpc)))
        .networkInterfaces();
  }

  private Optional<List<String>> resolved(String name) {
    return network.resolve(vpc, name);
  }

  @Test
  void anEndpointHasAnInterfaceInEachSubnetAndNames() {
    VpcEndpoint asked = make(ECS, zoneA, zoneB);
    assertEquals("pending", asked.stateAsString());
    String id = asked.vpcEndpointId();
    VpcEndpoint made = available(id);
    assertEquals(List.of(zoneA, zoneB), made.subnetIds());
    assertEquals(2, made.networkInterfaceIds().size());
    assertEquals("door", made.groups().getFirst().groupName());
    assertTrue(made.privateDnsEnabled());

    List<NetworkInterface> enis = interfaces();
    assertEquals(2, enis.size());
    for (NetworkInterface eni : enis) {
      assertEquals(NetworkInterfaceType.VPC_ENDPOINT, eni.interfaceType());
      assertTrue(eni.requesterManaged());
      assertEquals("VPC Endpoint Interface " + id, eni.description());
      assertEquals(group, eni.groups().getFirst().groupId());
      assertEquals(Optional.of(Use.SERVER), network.plugged(eni.networkInterfaceId()));
    }
    List<String> addresses =
        enis.stream().map(NetworkInterface::privateIpAddress).sorted().toList();
    assertEquals(addresses, List.copyOf(apis.served.keySet()));
    assertEquals(List.of("us-east-1/ecs"), apis.served.values().stream().distinct().toList());

    List<String> names = made.dnsEntries().stream().map(DnsEntry::dnsName).toList();
    assertEquals(4, names.size(), names::toString);
    assertEquals(HOST, names.getLast());
    for (String name : List.of(names.getFirst(), HOST)) {
      assertEquals(addresses, resolved(name).orElseThrow().stream().sorted().toList(), name);
    }
    String inZone = names.get(1);
    assertTrue(inZone.matches("vpce-0[0-9a-f]{16}-[0-9a-f]{8}-us-east-1a\\.ecs\\..*"), inZone);
    assertEquals(1, resolved(inZone).orElseThrow().size());
    assertEquals(Optional.empty(), resolved(inZone.replace("1a.", "1c.")));
    assertEquals(Optional.empty(), resolved(names.getFirst().replace(".ecs.", ".logs.")));

    refused(
        "AuthFailure",
        () ->
            ec2.modifyNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(enis.getFirst().networkInterfaceId()).groups(group)));
    refused(
        "InvalidParameterValue",
        () ->
            ec2.deleteNetworkInterface(
                r -> r.networkInterfaceId(enis.getFirst().networkInterfaceId())));
  }

  @Test
  void withoutOneTheNamesMeanThePublicAddress() {
    assertEquals(Optional.of(List.of(ListedApis.OUTSIDE)), resolved(HOST));
    assertEquals(Optional.of(List.of(ListedApis.OUTSIDE)), resolved("ecs.eu-west-1.amazonaws.com"));
    assertEquals(Optional.of(List.of(ListedApis.OUTSIDE)), resolved("iam.amazonaws.com"));
    assertEquals(
        Optional.of(List.of(ListedApis.OUTSIDE)),
        resolved("000000000000.dkr.ecr.us-east-1.amazonaws.com"));
    assertEquals(Optional.empty(), resolved("s3.us-east-1.amazonaws.com"), "not ours");
    String id = make("com.amazonaws.us-east-1.ecr.dkr", zoneA).vpcEndpointId();
    available(id);
    assertEquals(
        List.copyOf(apis.served.keySet()),
        resolved("123456789012.dkr.ecr.us-east-1.amazonaws.com").orElseThrow());
    assertEquals(
        Optional.of(List.of(ListedApis.OUTSIDE)),
        resolved("123456789012.dkr.ecr.us-west-2.amazonaws.com"));
  }

  @Test
  void privateNamesComeAndGo() {
    String id = make(ECS, zoneA).vpcEndpointId();
    available(id);
    String inside = apis.served.keySet().iterator().next();
    ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).privateDnsEnabled(false));
    assertEquals(Optional.of(List.of(ListedApis.OUTSIDE)), resolved(HOST));
    assertEquals(Optional.of(List.of(inside)), resolved(now(id).dnsEntries().getFirst().dnsName()));
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(false)));
    Ec2Exception why =
        refused(
            "InvalidParameter",
            () -> ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).privateDnsEnabled(true)));
    assertTrue(why.getMessage().contains("enableDnsHostnames"), why::getMessage);
    ec2.modifyVpcAttribute(r -> r.vpcId(vpc).enableDnsHostnames(v -> v.value(true)));
    ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).privateDnsEnabled(true));
    assertEquals(Optional.of(List.of(inside)), resolved(HOST));
    why = refused("InvalidParameter", () -> make(ECS, zoneB));
    assertTrue(why.getMessage().contains("conflicting DNS domain for " + HOST), why::getMessage);
  }

  @Test
  void subnetsAndGroupsAreAddedAndTakenAway() {
    String id = make(ECS, zoneA).vpcEndpointId();
    available(id);
    String first = interfaces().getFirst().networkInterfaceId();
    String other =
        ec2.createSecurityGroup(r -> r.groupName("other").description("other").vpcId(vpc))
            .groupId();
    ec2.modifyVpcEndpoint(r ->
        r.vpcEndpointId(id)
            .addSubnetIds(zoneB)
            .removeSubnetIds(zoneA)
            .addSecurityGroupIds(other)
            .removeSecurityGroupIds(group)
            .subnetConfigurations(
                SubnetConfiguration.builder().subnetId(zoneB).ipv4("10.0.2.77").build()));
    await(() -> apis.served.keySet().equals(java.util.Set.of("10.0.2.77")));
    await(() -> interfaces().size() == 1);
    assertEquals(other, interfaces().getFirst().groups().getFirst().groupId());
    assertEquals(Optional.empty(), network.plugged(first));
    assertEquals(List.of("10.0.2.77"), resolved(HOST).orElseThrow());
    ec2.deleteSubnet(r -> r.subnetId(zoneA));
    ec2.deleteSecurityGroup(r -> r.groupId(group));
    refused("DependencyViolation", () -> ec2.deleteSecurityGroup(r -> r.groupId(other)));
    refused(
        "InvalidParameter",
        () -> ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).removeSecurityGroupIds(other)));
    refused(
        "InvalidParameter",
        () -> ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).removeSubnetIds(zoneA)));
    String third = subnet("10.0.3.0/24", "us-east-1b");
    refused(
        "DuplicateSubnetsInSameZone",
        () -> ec2.modifyVpcEndpoint(r -> r.vpcEndpointId(id).addSubnetIds(third)));
  }

  @Test
  void whatIsDeletedGivesEverythingBack() {
    String id = make(ECS, zoneA, zoneB).vpcEndpointId();
    available(id);
    refused("DependencyViolation", () -> ec2.deleteSubnet(r -> r.subnetId(zoneA)));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(vpc)));
    var gone = ec2.deleteVpcEndpoints(r -> r.vpcEndpointIds(id, "vpce-00000000000000000"));
    assertEquals(
        Map.of("vpce-00000000000000000", "InvalidVpcEndpoint.NotFound"),
        Map.of(
            gone.unsuccessful().getFirst().resourceId(),
            gone.unsuccessful().getFirst().error().code()));
    await(() -> ec2.describeVpcEndpoints(r -> {}).vpcEndpoints().isEmpty());
    assertEquals(List.of(), interfaces());
    assertTrue(apis.served.isEmpty());
    ec2.deleteSubnet(r -> r.subnetId(zoneA));
    ec2.deleteSubnet(r -> r.subnetId(zoneB));
    ec2.deleteSecurityGroup(r -> r.groupId(group));
    ec2.deleteVpc(r -> r.vpcId(vpc));
    refused(
        "InvalidVpcEndpointId.NotFound",
        "The Vpc Endpoint Id '" + id + "' does not exist",
        () -> now(id));
  }

  @Test
  void anotherServerTakesThemUp() {
    String kept = make(ECS, zoneA).vpcEndpointId();
    available(kept);
    String address = apis.served.keySet().iterator().next();
    ec2.close();
    assertTrue(apis.served.isEmpty());
    network.removeVpc(vpc); // as after the machine's restart
    ec2 = started();
    await(() -> apis.served.containsKey(address));
    ec2.deleteVpcEndpoints(r -> r.vpcEndpointIds(kept));
    await(() -> apis.served.isEmpty());
  }

  @Test
  void servicesAreDescribed() {
    var all = ec2.describeVpcEndpointServices(r -> {});
    assertEquals(
        List.of("com.amazonaws.us-east-1.ecr.api", "com.amazonaws.us-east-1.ecr.dkr", ECS, LOGS),
        all.serviceNames());
    ServiceDetail images =
        ec2.describeVpcEndpointServices(r -> r.serviceNames("com.amazonaws.us-east-1.ecr.dkr"))
            .serviceDetails()
            .getFirst();
    assertEquals("*.dkr.ecr.us-east-1.amazonaws.com", images.privateDnsName());
    assertEquals(List.of("dkr.ecr.us-east-1.vpce.amazonaws.com"), images.baseEndpointDnsNames());
    assertFalse(images.vpcEndpointPolicySupported());
    assertEquals(
        List.of(),
        ec2.describeVpcEndpointServices(r -> r.filters(filter("service-type", "Gateway")))
            .serviceNames());
    refused(
        "InvalidServiceName",
        "The Vpc Endpoint Service 'com.amazonaws.us-east-1.s3' does not exist",
        () -> ec2.describeVpcEndpointServices(r -> r.serviceNames("com.amazonaws.us-east-1.s3")));
  }

  @Test
  void whatIsNotAnEndpointIsRefused() {
    refused(
        "InvalidServiceName",
        () -> ec2.createVpcEndpoint(r -> r.vpcId(vpc).serviceName("com.amazonaws.us-east-1.s3")));
    refused(
        "InvalidParameter",
        "Endpoint type (Gateway) does not match available service types ([Interface]).",
        () -> ec2.createVpcEndpoint(r -> r.vpcId(vpc).serviceName(ECS)));
    refused(
        "InvalidVpcID.NotFound",
        () ->
            ec2.createVpcEndpoint(
                r -> r.vpcId("vpc-1").serviceName(ECS).vpcEndpointType("Interface")));
    refused("InvalidSubnetID.NotFound", () -> make(ECS, "subnet-1"));
    refused(
        "DuplicateSubnetsInSameZone", () -> make(ECS, zoneA, subnet("10.0.9.0/24", "us-east-1a")));
    String elsewhere =
        ec2.describeSubnets(r -> r.filters(filter("default-for-az", "true")))
            .subnets()
            .getFirst()
            .subnetId();
    refused("InvalidParameter", () -> make(ECS, elsewhere));
    for (String policy :
        List.of(
            "{\"Statement\":[{\"Action\":\"ecs:List*\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}]}",
            "{\"Statement\":[]}")) {
      Ec2Exception why =
          refused(
              "UnsupportedOperation",
              () ->
                  ec2.createVpcEndpoint(r ->
                      r.vpcId(vpc)
                          .serviceName(ECS)
                          .vpcEndpointType("Interface")
                          .policyDocument(policy)));
      assertTrue(why.getMessage().contains("PolicyDocument"), why::getMessage);
    }
    refused(
        "UnsupportedOperation",
        () ->
            ec2.createVpcEndpoint(
                r -> r.vpcId(vpc).serviceName(ECS).vpcEndpointType("GatewayLoadBalancer")));
    refused(
        "UnsupportedOperation",
        () ->
            ec2.createVpcEndpoint(r ->
                r.vpcId(vpc)
                    .serviceName(ECS)
                    .vpcEndpointType("Interface")
                    .ipAddressType("dualstack")));
    refused(
        "InvalidVpcEndpointId.NotFound",
        () -> ec2.modifyVpcEndpoint(r -> r.vpcEndpointId("vpce-1").resetPolicy(true)));
    assertEquals(List.of(), ec2.describeVpcEndpoints(r -> {}).vpcEndpoints());
    assertEquals(List.of(), interfaces(), "what is refused leaves nothing");
  }

  @Test
  void theSameTokenMakesOne() {
    for (int time = 0; time < 2; time++) {
      ec2.createVpcEndpoint(r ->
          r.vpcId(vpc)
              .serviceName(ECS)
              .vpcEndpointType("Interface")
              .subnetIds(zoneA)
              .clientToken("once"));
    }
    assertEquals(1, ec2.describeVpcEndpoints(r -> {}).vpcEndpoints().size());
    refused(
        "IdempotentParameterMismatch",
        () ->
            ec2.createVpcEndpoint(r ->
                r.vpcId(vpc).serviceName(LOGS).vpcEndpointType("Interface").clientToken("once")));
  }
}
