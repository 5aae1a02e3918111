package dev.muelle.services.ec2.state;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnection;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionStateReason;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionStateReasonCode;

/**
 * A connection.
 *
 * @param ended when it came to its end; null if it has not
 */
public record PeeringRecord(VpcPeeringConnection connection, @Nullable Instant ended) {

  public VpcPeeringConnectionStateReasonCode state() {
    return connection.status().code();
  }

  public boolean active() {
    return state() == VpcPeeringConnectionStateReasonCode.ACTIVE;
  }

  /** Whether it is between these two VPCs. */
  public boolean connects(String vpcId, String otherId) {
    return !vpcId.equals(otherId) && concerns(vpcId) && concerns(otherId);
  }

  public boolean concerns(String vpcId) {
    return connection.requesterVpcInfo().vpcId().equals(vpcId)
        || connection.accepterVpcInfo().vpcId().equals(vpcId);
  }

  public PeeringRecord in(
      VpcPeeringConnectionStateReasonCode code, String message, @Nullable Instant end) {
    return new PeeringRecord(
        connection.toBuilder()
            .status(VpcPeeringConnectionStateReason.builder().code(code).message(message).build())
            .expirationTime(
                code == VpcPeeringConnectionStateReasonCode.PENDING_ACCEPTANCE
                    ? connection.expirationTime()
                    : null)
            .build(),
        end);
  }
}
