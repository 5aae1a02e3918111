package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network.Use;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupReference;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRuleUpdate;
import software.amazon.awssdk.services.ec2.model.StaleIpPermission;
import software.amazon.awssdk.services.ec2.model.StaleSecurityGroup;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;

/** Rules that name security groups of peered VPCs. */
class PeerGroupsTest extends Ec2InMemory {

  private static final int TCP = 6;

  private String home = "";
  private String away = "";
  private String webs = "";
  private String callers = "";

  @BeforeEach
  void twoVpcs() {
    home = ec2.createVpc(r -> r.cidrBlock("10.1.0.0/16")).vpc().vpcId();
    away = ec2.createVpc(r -> r.cidrBlock("10.2.0.0/16")).vpc().vpcId();
    webs = group("webs", home);
    callers = group("callers", away);
  }

  private String group(String name, String vpc) {
    return ec2.createSecurityGroup(r -> r.groupName(name).description(name).vpcId(vpc)).groupId();
  }

  private String peering() {
    return ec2.createVpcPeeringConnection(r -> r.vpcId(home).peerVpcId(away))
        .vpcPeeringConnection()
        .vpcPeeringConnectionId();
  }

  private String accepted() {
    String id = peering();
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(id));
    return id;
  }

  private static IpPermission from(Consumer<UserIdGroupPair.Builder> group) {
    return IpPermission.builder()
        .ipProtocol("tcp")
        .fromPort(80)
        .toPort(80)
        .userIdGroupPairs(UserIdGroupPair.builder().applyMutation(group).build())
        .build();
  }

  private void authorize(Consumer<UserIdGroupPair.Builder> group) {
    ec2.authorizeSecurityGroupIngress(r -> r.groupId(webs).ipPermissions(from(group)));
  }

  private UserIdGroupPair pair(String peering, String status) {
    return UserIdGroupPair.builder()
        .groupId(callers)
        .userId(SCOPE.account())
        .vpcId(away)
        .vpcPeeringConnectionId(peering)
        .peeringStatus(status)
        .build();
  }

  /** How the group's permissions name groups. */
  private List<UserIdGroupPair> pairs() {
    return ec2
        .describeSecurityGroups(r -> r.groupIds(webs))
        .securityGroups()
        .getFirst()
        .ipPermissions()
        .stream()
        .flatMap(permission -> permission.userIdGroupPairs().stream())
        .toList();
  }

  private SecurityGroupRule rule() {
    return ec2
        .describeSecurityGroupRules(r -> r.filters(filter("group-id", webs)))
        .securityGroupRules()
        .stream()
        .filter(rule -> !rule.isEgress())
        .findFirst()
        .orElseThrow();
  }

  private List<StaleSecurityGroup> stale() {
    return ec2.describeStaleSecurityGroups(r -> r.vpcId(home)).staleSecurityGroupSet();
  }

  private List<SecurityGroupReference> references() {
    return ec2.describeSecurityGroupReferences(r -> r.groupId(callers, webs))
        .securityGroupReferenceSet();
  }

  private String plugged(String vpc, String block, String group) {
    String subnet = ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock(block)).subnet().subnetId();
    String eni =
        ec2.createNetworkInterface(r -> r.subnetId(subnet).groups(group))
            .networkInterface()
            .networkInterfaceId();
    network.plug(eni, Use.NAMESPACE);
    return eni;
  }

  @Test
  void aRuleNamesAPeersGroupWhileThePeeringIsActive() {
    String apart = "You have specified two resources that belong to different networks.";
    refused("InvalidGroup.NotFound", apart, () -> authorize(g -> g.groupId(callers)));
    String peering = peering();
    refused("InvalidGroup.NotFound", apart, () -> authorize(g -> g.groupId(callers)));
    ec2.acceptVpcPeeringConnection(r -> r.vpcPeeringConnectionId(peering));
    ReferencedSecurityGroup expected =
        ReferencedSecurityGroup.builder()
            .groupId(callers)
            .userId(SCOPE.account())
            .vpcId(away)
            .vpcPeeringConnectionId(peering)
            .peeringStatus("active")
            .build();
    assertEquals(
        expected,
        ec2.authorizeSecurityGroupIngress(
                r -> r.groupId(webs).ipPermissions(from(g -> g.groupId(callers))))
            .securityGroupRules()
            .getFirst()
            .referencedGroupInfo());
    assertEquals(expected, rule().referencedGroupInfo());
    assertEquals(List.of(pair(peering, "active")), pairs());
    refused("InvalidPermission.Duplicate", () -> authorize(g -> g.groupId(callers)));

    String web = plugged(home, "10.1.1.0/24", webs);
    String caller = plugged(away, "10.2.1.0/24", callers);
    String stranger = plugged(away, "10.2.2.0/24", group("strangers", away));
    assertTrue(network.admits(caller, web, TCP, 80));
    assertFalse(network.admits(stranger, web, TCP, 80));
    assertFalse(network.admits(web, caller, TCP, 80));
    ec2.close();
    ec2 = started();
    assertTrue(network.admits(caller, web, TCP, 80), "after a restart");
    assertEquals(
        List.of(
            SecurityGroupReference.builder()
                .groupId(callers)
                .referencingVpcId(home)
                .vpcPeeringConnectionId(peering)
                .build()),
        references());
    assertEquals(List.of(), stale());
    ec2.revokeSecurityGroupIngress(
        r -> r.groupId(webs).ipPermissions(from(g -> g.groupId(callers))));
    assertFalse(network.admits(caller, web, TCP, 80));
    assertEquals(List.of(), references());
  }

  @Test
  void whatNamesAGroupThroughADeletedPeeringIsStale() {
    String first = accepted();
    authorize(g -> g.groupId(callers));
    String web = plugged(home, "10.1.1.0/24", webs);
    String caller = plugged(away, "10.2.1.0/24", callers);
    ec2.deleteVpcPeeringConnection(r -> r.vpcPeeringConnectionId(first));
    assertFalse(network.admits(caller, web, TCP, 80));
    assertEquals(List.of(pair(first, "deleted")), pairs());
    assertEquals("deleted", rule().referencedGroupInfo().peeringStatus());
    assertEquals(
        List.of(
            StaleSecurityGroup.builder()
                .groupId(webs)
                .groupName("webs")
                .description("webs")
                .vpcId(home)
                .staleIpPermissions(
                    StaleIpPermission.builder()
                        .ipProtocol("tcp")
                        .fromPort(80)
                        .toPort(80)
                        .ipRanges(List.of())
                        .prefixListIds(List.of())
                        .userIdGroupPairs(pair(first, "deleted"))
                        .build())
                .staleIpPermissionsEgress(List.of())
                .build()),
        stale());
    assertEquals(List.of(), references());

    // Another peering brings nothing back: its rule is another one.
    String second = accepted();
    assertFalse(network.admits(caller, web, TCP, 80));
    authorize(g -> g.groupId(callers));
    assertTrue(network.admits(caller, web, TCP, 80));
    assertEquals(2, pairs().size());
    ec2.revokeSecurityGroupIngress(r -> r.groupId(webs).ipPermissions(from(as(first))));
    assertEquals(List.of(pair(second, "active")), pairs());
    assertTrue(network.admits(caller, web, TCP, 80));
    assertEquals(List.of(), stale());
  }

  /** A stale rule's group, as it is described. */
  private Consumer<UserIdGroupPair.Builder> as(String peering) {
    return group ->
        group
            .groupId(callers)
            .userId(SCOPE.account())
            .vpcId(away)
            .vpcPeeringConnectionId(peering)
            .peeringStatus("deleted");
  }

  @Test
  void aPeersRuleKeepsNoGroupFromBeingDeleted() {
    String peering = accepted();
    authorize(g -> g.groupId(callers).description("old"));
    ec2.deleteSecurityGroup(r -> r.groupId(callers));
    assertEquals(webs, stale().getFirst().groupId());
    assertEquals(
        List.of(pair(peering, "active").toBuilder().description("old").build()),
        stale().getFirst().staleIpPermissions().getFirst().userIdGroupPairs());
    ec2.updateSecurityGroupRuleDescriptionsIngress(
        r -> r.groupId(webs).ipPermissions(from(g -> g.groupId(callers).description("stale"))));
    assertEquals("stale", rule().description());
    refused("InvalidGroup.NotFound", () -> authorize(g -> g.groupId(callers)));
    refused(
        "InvalidPermission.NotFound",
        () ->
            ec2.revokeSecurityGroupIngress(r ->
                r.groupId(webs)
                    .ipPermissions(from(g -> g.groupId(callers).userId("111111111111")))));
    ec2.revokeSecurityGroupIngress(
        r -> r.groupId(webs).ipPermissions(from(g -> g.groupId(callers))));
    assertEquals(List.of(), pairs());
    assertEquals(List.of(), stale());
  }

  @Test
  void theVpcAndThePeeringMayBeTold() {
    String peering = accepted();
    refused(
        "InvalidVpcPeeringConnectionID.NotFound",
        () -> authorize(g -> g.groupId(callers).vpcPeeringConnectionId("pcx-0")));
    refused("InvalidParameterValue", () -> authorize(g -> g.groupId(callers).vpcId(home)));
    String third = ec2.createVpc(r -> r.cidrBlock("10.3.0.0/16")).vpc().vpcId();
    String elsewhere = group("elsewhere", third);
    refused(
        "InvalidGroup.NotFound",
        () -> authorize(g -> g.groupId(elsewhere).vpcPeeringConnectionId(peering)));
    refused(
        "InvalidGroup.NotFound",
        () -> authorize(g -> g.groupId(webs).vpcPeeringConnectionId(peering)));
    refused(
        "InvalidGroup.NotFound", () -> authorize(g -> g.groupId(callers).userId("111111111111")));
    authorize(g -> g.groupId(callers).vpcId(away).vpcPeeringConnectionId(peering));
    assertEquals(List.of(pair(peering, "active")), pairs());

    // A rule that is changed may name it, too; egress as well.
    ec2.revokeSecurityGroupIngress(
        r -> r.groupId(webs).ipPermissions(from(g -> g.groupId(callers))));
    authorize(g -> g.groupId(webs));
    String id = rule().securityGroupRuleId();
    ec2.modifySecurityGroupRules(r ->
        r.groupId(webs)
            .securityGroupRules(
                SecurityGroupRuleUpdate.builder()
                    .securityGroupRuleId(id)
                    .securityGroupRule(rule ->
                        rule.ipProtocol("tcp").fromPort(80).toPort(80).referencedGroupId(callers))
                    .build()));
    assertEquals(List.of(pair(peering, "active")), pairs());
    ec2.authorizeSecurityGroupEgress(
        r -> r.groupId(callers).ipPermissions(from(g -> g.groupId(webs))));
    assertEquals(
        Set.of(callers, webs),
        references().stream().map(SecurityGroupReference::groupId).collect(Collectors.toSet()));
  }
}
