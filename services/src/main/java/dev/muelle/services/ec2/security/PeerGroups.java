package dev.muelle.services.ec2.security;

import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.PeeringRecord;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionStateReasonCode;

/**
 * Groups of peered VPCs that rules name. Such a rule is made while the peering is active and is
 * that peering's: it means the group's members at the other end as long as it is active, and stays
 * without effect afterwards.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html">Update
 *     your security groups to reference peer security groups</a>
 */
final class PeerGroups {

  private PeerGroups() {}

  /**
   * How a rule of a group in a VPC names another group: one that can be used there, or one of a
   * peer.
   *
   * @param asked the VPC and the peering may be told, or left out
   */
  static ReferencedSecurityGroup reference(
      Tx tx, String vpcId, SecurityGroup other, ReferencedSecurityGroup asked) {
    if (asked.vpcId() != null && !asked.vpcId().equals(other.vpcId())) {
      throw Refuse.invalidValue(
          asked.vpcId(), "vpcId", "The security group belongs to '" + other.vpcId() + "'.");
    }
    ReferencedSecurityGroup.Builder reference =
        ReferencedSecurityGroup.builder().groupId(other.groupId()).userId(other.ownerId());
    String told = asked.vpcPeeringConnectionId();
    if (told == null && GroupVpcs.usable(tx, other, vpcId)) {
      return reference.build();
    }
    if (told != null) {
      Kind.PEERING.get(tx, told);
    }
    return tx.list(Tables.PEERINGS).stream()
        .filter(row -> told == null || row.key().equals(told))
        .map(Row::value)
        .filter(PeeringRecord::active)
        .filter(one -> one.connects(vpcId, other.vpcId()))
        .map(one ->
            reference
                .vpcId(other.vpcId())
                .vpcPeeringConnectionId(one.connection().vpcPeeringConnectionId())
                .build())
        .findFirst()
        .orElseThrow(() ->
            Refuse.because(
                "InvalidGroup.NotFound",
                "You have specified two resources that belong to different networks."));
  }

  /** The peering through which a rule names a group; null if it needs none, or names no group. */
  static @Nullable String peering(SecurityGroupRule rule) {
    return rule.referencedGroupInfo() == null
        ? null
        : rule.referencedGroupInfo().vpcPeeringConnectionId();
  }

  static boolean active(Tx tx, String peeringId) {
    return tx.get(Tables.PEERINGS, peeringId)
        .map(Row::value)
        .filter(PeeringRecord::active)
        .isPresent();
  }

  /** A rule with what its peering is now; one that is shown no longer was deleted. */
  static SecurityGroupRule shown(Tx tx, SecurityGroupRule rule) {
    String peering = peering(rule);
    if (peering == null) {
      return rule;
    }
    String status =
        tx.get(Tables.PEERINGS, peering)
            .map(row -> row.value().state())
            .orElse(VpcPeeringConnectionStateReasonCode.DELETED)
            .toString();
    return rule.toBuilder()
        .referencedGroupInfo(rule.referencedGroupInfo().toBuilder().peeringStatus(status).build())
        .build();
  }
}
