package dev.muelle.services.ec2.security;

import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupReferencesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupReferencesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeStaleSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeStaleSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupReference;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.StaleIpPermission;
import software.amazon.awssdk.services.ec2.model.StaleSecurityGroup;

/**
 * Who names groups of other VPCs in rules, and which rules mean nobody any more.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStaleSecurityGroups.html">DescribeStaleSecurityGroups</a>
 */
public final class StaleGroups {

  private static final Pages.Sizes SIZES = new Pages.Sizes(5, 255);

  private final Store store;

  public StaleGroups(Store store) {
    this.store = store;
  }

  /**
   * The VPCs whose rules name one of these groups through a peering that is active.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupReferences.html">DescribeSecurityGroupReferences</a>
   */
  public DescribeSecurityGroupReferencesResponse references(
      DescribeSecurityGroupReferencesRequest request) {
    if (request.groupId().isEmpty()) {
      throw Refuse.missing("GroupId");
    }
    request.groupId().forEach(SecurityGroups::wellFormed);
    List<SecurityGroupReference> all =
        store.read(tx ->
            Kind.GROUP.list(tx, request.groupId()).stream() // all of them must exist
                .flatMap(group -> references(tx, group))
                .toList());
    Refuse.ifDryRun(request.dryRun());
    return DescribeSecurityGroupReferencesResponse.builder().securityGroupReferenceSet(all).build();
  }

  private static Stream<SecurityGroupReference> references(Tx tx, SecurityGroup group) {
    return Tables.of(tx, Tables.RULES, "referenced", group.groupId()).stream()
        .filter(rule -> {
          String peering = PeerGroups.peering(rule);
          return peering != null && PeerGroups.active(tx, peering);
        })
        .map(rule ->
            SecurityGroupReference.builder()
                .groupId(group.groupId())
                .referencingVpcId(Kind.GROUP.get(tx, rule.groupId()).vpcId())
                .vpcPeeringConnectionId(PeerGroups.peering(rule))
                .build())
        .distinct()
        .sorted(Comparator.comparing(SecurityGroupReference::referencingVpcId));
  }

  /**
   * Rules become stale when a group that they name is deleted, can be used in their VPC no longer,
   * or is at the other end of a peering that is no longer active.
   */
  public DescribeStaleSecurityGroupsResponse stale(DescribeStaleSecurityGroupsRequest request) {
    String vpcId = Refuse.required(request.vpcId(), "VpcId");
    List<StaleSecurityGroup> all =
        store.read(tx -> {
          Kind.VPC.get(tx, vpcId);
          return Tables.of(tx, Tables.GROUPS, "vpc", vpcId).stream()
              .flatMap(group -> stale(tx, group).stream())
              .toList();
        });
    Pages<StaleSecurityGroup> page =
        Pages.of(
            all,
            StaleSecurityGroup::groupId,
            List.of(),
            request.nextToken(),
            request.maxResults(),
            SIZES);
    Refuse.ifDryRun(request.dryRun());
    return DescribeStaleSecurityGroupsResponse.builder()
        .staleSecurityGroupSet(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** A group as it is told if it has such rules. */
  private static Optional<StaleSecurityGroup> stale(Tx tx, SecurityGroup group) {
    List<SecurityGroupRule> rules =
        Tables.of(tx, Tables.RULES, "group", group.groupId()).stream()
            .filter(rule -> stale(tx, group, rule))
            .map(rule -> PeerGroups.shown(tx, rule))
            .toList();
    return rules.isEmpty()
        ? Optional.empty()
        : Optional.of(
            StaleSecurityGroup.builder()
                .groupId(group.groupId())
                .groupName(group.groupName())
                .description(group.description())
                .vpcId(group.vpcId())
                .staleIpPermissions(permissions(rules, false))
                .staleIpPermissionsEgress(permissions(rules, true))
                .build());
  }

  private static boolean stale(Tx tx, SecurityGroup group, SecurityGroupRule rule) {
    String peering = PeerGroups.peering(rule);
    return rule.referencedGroupInfo() != null
        && tx.get(Tables.GROUPS, rule.referencedGroupInfo().groupId())
            .map(Row::value)
            .filter(other ->
                peering == null
                    ? GroupVpcs.usable(tx, other, group.vpcId())
                    : PeerGroups.active(tx, peering))
            .isEmpty();
  }

  private static List<StaleIpPermission> permissions(
      List<SecurityGroupRule> rules, boolean egress) {
    List<IpPermission> bundled =
        Permissions.bundled(rules.stream().filter(rule -> rule.isEgress() == egress).toList());
    return bundled.stream()
        .map(one ->
            StaleIpPermission.builder()
                .ipProtocol(one.ipProtocol())
                .fromPort(one.fromPort())
                .toPort(one.toPort())
                .ipRanges(List.of())
                .prefixListIds(List.of())
                .userIdGroupPairs(one.userIdGroupPairs())
                .build())
        .toList();
  }
}
