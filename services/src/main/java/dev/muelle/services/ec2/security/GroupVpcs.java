package dev.muelle.services.ec2.security;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.AssociateSecurityGroupVpcRequest;
import software.amazon.awssdk.services.ec2.model.AssociateSecurityGroupVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupVpcAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupVpcAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateSecurityGroupVpcRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateSecurityGroupVpcResponse;
import software.amazon.awssdk.services.ec2.model.GetSecurityGroupsForVpcRequest;
import software.amazon.awssdk.services.ec2.model.GetSecurityGroupsForVpcResponse;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupForVpc;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociation;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociationState;

/**
 * Security groups in further VPCs than their own: there their rules are the same, and a group that
 * a rule names is its members in the VPC where the rule is judged.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html">Associate
 *     security groups with multiple VPCs</a>
 */
public final class GroupVpcs {

  private static final Filters<SecurityGroupVpcAssociation> FILTERS =
      new Filters<SecurityGroupVpcAssociation>()
          .by("group-id", SecurityGroupVpcAssociation::groupId)
          .by("group-owner-id", SecurityGroupVpcAssociation::groupOwnerId)
          .by("state", SecurityGroupVpcAssociation::stateAsString)
          .by("vpc-id", SecurityGroupVpcAssociation::vpcId)
          .by("vpc-owner-id", SecurityGroupVpcAssociation::vpcOwnerId);

  private static final Filters<SecurityGroupForVpc> USABLE_FILTERS =
      new Filters<SecurityGroupForVpc>()
          .by("description", SecurityGroupForVpc::description)
          .by("group-id", SecurityGroupForVpc::groupId)
          .by("group-name", SecurityGroupForVpc::groupName)
          .by("owner-id", SecurityGroupForVpc::ownerId)
          .by("primary-vpc-id", SecurityGroupForVpc::primaryVpcId);

  private final Scope scope;
  private final Store store;
  private final DataPlane plane;

  public GroupVpcs(Scope scope, Store store, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.plane = plane;
  }

  private static String key(String groupId, String vpcId) {
    return groupId + "/" + vpcId;
  }

  /** Whether interfaces in a VPC can have a group, and rules of groups there can name it. */
  public static boolean usable(Tx tx, SecurityGroup group, String vpcId) {
    return group.vpcId().equals(vpcId)
        || tx.get(Tables.GROUP_VPCS, key(group.groupId(), vpcId)).isPresent();
  }

  /** Whether a group can be used in other VPCs than its own. */
  static boolean associated(Tx tx, String groupId) {
    return !tx.find(Tables.GROUP_VPCS, "group", groupId).isEmpty();
  }

  /** In force when it returns. One that is associated already is no fault. */
  public AssociateSecurityGroupVpcResponse associate(AssociateSecurityGroupVpcRequest request) {
    String groupId = Refuse.required(request.groupId(), "GroupId");
    String vpcId = Refuse.required(request.vpcId(), "VpcId");
    SecurityGroups.wellFormed(groupId);
    plane.alone(
        groupId,
        () -> {
          store.write(tx -> {
            mayBeAssociated(tx, Kind.GROUP.get(tx, groupId), vpcId);
            tx.put(
                Tables.GROUP_VPCS,
                key(groupId, vpcId),
                SecurityGroupVpcAssociation.builder()
                    .groupId(groupId)
                    .groupOwnerId(scope.account())
                    .vpcId(vpcId)
                    .vpcOwnerId(scope.account())
                    .state(SecurityGroupVpcAssociationState.ASSOCIATED)
                    .build());
            Refuse.ifDryRun(request.dryRun());
            return true;
          });
          plane.group(groupId);
          return true;
        });
    return AssociateSecurityGroupVpcResponse.builder()
        .state(SecurityGroupVpcAssociationState.ASSOCIATING)
        .build();
  }

  /** Neither default groups nor default VPCs may be, as AWS documents it. */
  private static void mayBeAssociated(Tx tx, SecurityGroup group, String vpcId) {
    VpcRecord vpc = Kind.VPC.get(tx, vpcId);
    if (group.groupName().equals(SecurityGroups.DEFAULT)) {
      throw Refuse.unsupported("Default security groups cannot be associated with other VPCs.");
    }
    if (vpc.vpc().isDefault() || Kind.VPC.get(tx, group.vpcId()).vpc().isDefault()) {
      throw Refuse.unsupported(
          "Security groups cannot be associated with, or be of, the default VPC.");
    }
    if (group.vpcId().equals(vpcId)) {
      throw Refuse.invalidValue(
          vpcId, "vpcId", "It is the VPC in which the security group was created.");
    }
  }

  /** Not as long as an interface or an endpoint in the VPC has the group. */
  public DisassociateSecurityGroupVpcResponse disassociate(
      DisassociateSecurityGroupVpcRequest request) {
    String groupId = Refuse.required(request.groupId(), "GroupId");
    String vpcId = Refuse.required(request.vpcId(), "VpcId");
    SecurityGroups.wellFormed(groupId);
    plane.alone(
        groupId,
        () -> {
          store.write(tx -> {
            Kind.GROUP.get(tx, groupId);
            Kind.VPC.get(tx, vpcId);
            if (!tx.delete(Tables.GROUP_VPCS, key(groupId, vpcId))) {
              throw Refuse.because(
                  "InvalidSecurityGroupVpcAssociation.NotFound",
                  "The security group '"
                      + groupId
                      + "' is not associated with the VPC '"
                      + vpcId
                      + "'");
            }
            if (used(tx, groupId, vpcId)) {
              throw Refuse.dependency("resource " + groupId + " has a dependent object");
            }
            Refuse.ifDryRun(request.dryRun());
            return true;
          });
          plane.groupGone(vpcId, groupId);
          return true;
        });
    return DisassociateSecurityGroupVpcResponse.builder()
        .state(SecurityGroupVpcAssociationState.DISASSOCIATING)
        .build();
  }

  /** Whether an interface or an endpoint in a VPC has a group. */
  static boolean used(Tx tx, String groupId, String vpcId) {
    return Tables.of(tx, Tables.INTERFACES, "vpc", vpcId).stream()
            .flatMap(eni -> eni.groups().stream())
            .anyMatch(one -> one.groupId().equals(groupId))
        || Tables.of(tx, Tables.ENDPOINTS, "vpc", vpcId).stream()
            .flatMap(one -> one.endpoint().groups().stream())
            .anyMatch(one -> one.groupId().equals(groupId));
  }

  public DescribeSecurityGroupVpcAssociationsResponse describe(
      DescribeSecurityGroupVpcAssociationsRequest request) {
    List<SecurityGroupVpcAssociation> all =
        store.read(tx -> Tables.values(tx.list(Tables.GROUP_VPCS)));
    Pages<SecurityGroupVpcAssociation> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            one -> key(one.groupId(), one.vpcId()),
            List.of(),
            request.nextToken(),
            request.maxResults());
    Refuse.ifDryRun(request.dryRun());
    return DescribeSecurityGroupVpcAssociationsResponse.builder()
        .securityGroupVpcAssociations(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** The groups that interfaces in a VPC can have. */
  public GetSecurityGroupsForVpcResponse forVpc(GetSecurityGroupsForVpcRequest request) {
    String vpcId = Refuse.required(request.vpcId(), "VpcId");
    List<SecurityGroupForVpc> all =
        store.read(tx -> {
          Kind.VPC.get(tx, vpcId);
          return Stream.concat(
                  Tables.of(tx, Tables.GROUPS, "vpc", vpcId).stream(),
                  Tables.of(tx, Tables.GROUP_VPCS, "vpc", vpcId).stream()
                      .map(one -> Kind.GROUP.get(tx, one.groupId())))
              .sorted((a, b) -> a.groupId().compareTo(b.groupId()))
              .map(group -> shown(tx, group))
              .toList();
        });
    Pages<SecurityGroupForVpc> page =
        Pages.of(
            USABLE_FILTERS.select(all, request.filters()),
            SecurityGroupForVpc::groupId,
            List.of(),
            request.nextToken(),
            request.maxResults());
    Refuse.ifDryRun(request.dryRun());
    return GetSecurityGroupsForVpcResponse.builder()
        .securityGroupForVpcs(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static SecurityGroupForVpc shown(Tx tx, SecurityGroup group) {
    return SecurityGroupForVpc.builder()
        .groupId(group.groupId())
        .groupName(group.groupName())
        .description(group.description())
        .ownerId(group.ownerId())
        .primaryVpcId(group.vpcId())
        .tags(Tags.of(tx, group.groupId()))
        .build();
  }
}
