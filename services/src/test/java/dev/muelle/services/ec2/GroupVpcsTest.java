package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network.Use;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.SecurityGroupForVpc;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociation;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociationState;
import software.amazon.awssdk.services.ec2.model.StaleSecurityGroup;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;

/** Security groups in further VPCs than their own. */
class GroupVpcsTest extends Ec2InMemory {

  private static final int TCP = 6;

  private String home = "";
  private String away = "";
  private String subnet = "";
  private String shared = "";
  private String local = "";

  @BeforeEach
  void twoVpcs() {
    home = ec2.createVpc(r -> r.cidrBlock("10.1.0.0/16")).vpc().vpcId();
    away = ec2.createVpc(r -> r.cidrBlock("10.2.0.0/16")).vpc().vpcId();
    subnet = ec2.createSubnet(r -> r.vpcId(away).cidrBlock("10.2.1.0/24")).subnet().subnetId();
    shared = group("shared", home);
    local = group("local", away);
  }

  private String group(String name, String vpc) {
    return ec2.createSecurityGroup(r -> r.groupName(name).description(name).vpcId(vpc)).groupId();
  }

  private String plugged(String group) {
    String eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).groups(group))
            .networkInterface()
            .networkInterfaceId();
    network.plug(eni, Use.NAMESPACE);
    return eni;
  }

  private static IpPermission from(String group) {
    return IpPermission.builder()
        .ipProtocol("tcp")
        .fromPort(80)
        .toPort(80)
        .userIdGroupPairs(UserIdGroupPair.builder().groupId(group).build())
        .build();
  }

  private List<SecurityGroupVpcAssociation> associations() {
    return ec2.describeSecurityGroupVpcAssociations(r -> {}).securityGroupVpcAssociations();
  }

  private Set<String> usable(String vpc) {
    return ec2.getSecurityGroupsForVpc(r -> r.vpcId(vpc)).securityGroupForVpcs().stream()
        .map(SecurityGroupForVpc::groupName)
        .collect(Collectors.toSet());
  }

  @Test
  void aGroupsRulesHoldInEachVpcThatItIsAssociatedWith() {
    refused("InvalidParameterValue", () -> plugged(shared));
    assertEquals(
        SecurityGroupVpcAssociationState.ASSOCIATING,
        ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)).state());
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)); // no fault
    assertEquals(
        List.of(
            SecurityGroupVpcAssociation.builder()
                .groupId(shared)
                .groupOwnerId(SCOPE.account())
                .vpcId(away)
                .vpcOwnerId(SCOPE.account())
                .state("associated")
                .build()),
        associations());
    assertEquals(Set.of("default", "local", "shared"), usable(away));
    assertEquals(Set.of("default", "shared"), usable(home));

    String one = plugged(shared);
    String two = plugged(shared);
    String three = plugged(local);
    assertFalse(network.admits(one, two, TCP, 80));
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(shared).ipPermissions(from(shared)));
    assertTrue(network.admits(one, two, TCP, 80));
    assertFalse(network.admits(three, two, TCP, 80));
    assertFalse(network.admits(two, three, TCP, 80));
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(local).ipPermissions(from(shared)));
    assertTrue(network.admits(two, three, TCP, 80), "a rule there names it");

    ec2.close();
    ec2 = started();
    assertTrue(network.securityGroup(away, shared).isPresent(), "after a restart");
    ec2.revokeSecurityGroupIngress(r -> r.groupId(shared).ipPermissions(from(shared)));
    assertFalse(network.admits(one, two, TCP, 80));
    assertTrue(network.securityGroup(home, shared).orElseThrow().ingress().isEmpty());
  }

  @Test
  void whatIsInUseStaysAssociated() {
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    String eni = plugged(shared);
    refused(
        "DependencyViolation",
        () -> ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)));
    assertEquals(1, associations().size(), "it stays");
    refused("DependencyViolation", () -> ec2.deleteSecurityGroup(r -> r.groupId(shared)));
    ec2.modifyNetworkInterfaceAttribute(r -> r.networkInterfaceId(eni).groups(local));
    refused("DependencyViolation", () -> ec2.deleteSecurityGroup(r -> r.groupId(shared)));
    assertEquals(
        SecurityGroupVpcAssociationState.DISASSOCIATING,
        ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)).state());
    assertEquals(List.of(), associations());
    assertEquals(Optional.empty(), network.securityGroup(away, shared));
    assertTrue(network.securityGroup(home, shared).isPresent());
    refused("InvalidParameterValue", () -> plugged(shared));
    ec2.deleteSecurityGroup(r -> r.groupId(shared));
  }

  @Test
  void aVpcWithAssociationsIsNotDeleted() {
    String empty = ec2.createVpc(r -> r.cidrBlock("10.3.0.0/16")).vpc().vpcId();
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(empty));
    refused("DependencyViolation", () -> ec2.deleteVpc(r -> r.vpcId(empty)));
    ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(empty));
    ec2.deleteVpc(r -> r.vpcId(empty));
  }

  @Test
  void rulesAreStaleWhenTheirGroupIsGone() {
    ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(local).ipPermissions(from(shared)));
    assertEquals(
        List.of(), ec2.describeStaleSecurityGroups(r -> r.vpcId(away)).staleSecurityGroupSet());
    ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away));
    StaleSecurityGroup stale = stale();
    assertEquals(local, stale.groupId());
    assertEquals("local", stale.groupName());
    assertEquals(80, stale.staleIpPermissions().getFirst().fromPort());
    assertEquals(
        shared, stale.staleIpPermissions().getFirst().userIdGroupPairs().getFirst().groupId());
    assertEquals(List.of(), stale.staleIpPermissionsEgress());
    ec2.deleteSecurityGroup(r -> r.groupId(shared)); // only a rule elsewhere names it
    assertEquals(stale, stale());
    ec2.revokeSecurityGroupIngress(r ->
        r.groupId(local)
            .securityGroupRuleIds(
                ec2
                    .describeSecurityGroupRules(f -> f.filters(filter("group-id", local)))
                    .securityGroupRules()
                    .stream()
                    .filter(rule -> !rule.isEgress())
                    .findFirst()
                    .orElseThrow()
                    .securityGroupRuleId()));
    assertEquals(
        List.of(), ec2.describeStaleSecurityGroups(r -> r.vpcId(away)).staleSecurityGroupSet());

    refused("InvalidVpcID.NotFound", () -> ec2.describeStaleSecurityGroups(r -> r.vpcId("vpc-0")));
    refused("MissingParameter", () -> ec2.describeStaleSecurityGroups(r -> {}));
    refused(
        "InvalidParameterValue",
        () -> ec2.describeStaleSecurityGroups(r -> r.vpcId(away).maxResults(256)));
    refused(
        "DryRunOperation", () -> ec2.describeStaleSecurityGroups(r -> r.vpcId(away).dryRun(true)));
  }

  private StaleSecurityGroup stale() {
    return ec2.describeStaleSecurityGroups(r -> r.vpcId(away)).staleSecurityGroupSet().getFirst();
  }

  @Test
  void whatCannotBeAssociatedIsRefused() {
    String usual =
        ec2.describeVpcs(r -> r.filters(filter("is-default", "true"))).vpcs().getFirst().vpcId();
    String born =
        ec2.describeSecurityGroups(
                r -> r.filters(filter("vpc-id", home), filter("group-name", "default")))
            .securityGroups()
            .getFirst()
            .groupId();
    refused(
        "UnsupportedOperation",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(born).vpcId(away)));
    refused(
        "UnsupportedOperation",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(usual)));
    String ofUsual = group("usual", usual);
    refused(
        "UnsupportedOperation",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(ofUsual).vpcId(away)));
    refused(
        "InvalidParameterValue",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(home)));
    refused(
        "InvalidVpcID.NotFound",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId("vpc-0")));
    refused(
        "InvalidGroup.NotFound",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId("sg-0").vpcId(away)));
    refused(
        "InvalidGroupId.Malformed",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId("mine").vpcId(away)));
    refused(
        "DryRunOperation",
        () -> ec2.associateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away).dryRun(true)));
    assertEquals(List.of(), associations());
    refused(
        "InvalidSecurityGroupVpcAssociation.NotFound",
        () -> ec2.disassociateSecurityGroupVpc(r -> r.groupId(shared).vpcId(away)));

    assertEquals(
        List.of(),
        ec2.describeSecurityGroupReferences(r -> r.groupId(shared)).securityGroupReferenceSet());
    refused(
        "InvalidGroup.NotFound", () -> ec2.describeSecurityGroupReferences(r -> r.groupId("sg-0")));
    refused("MissingParameter", () -> ec2.describeSecurityGroupReferences(r -> {}));
    refused(
        "InvalidVpcEndpointId.NotFound",
        () -> ec2.describeVpcEndpointAssociations(r -> r.vpcEndpointIds("vpce-0")));
    refused(
        "InvalidPrefixListID.NotFound",
        () -> ec2.describePrefixLists(r -> r.prefixListIds("pl-0")));
  }
}
