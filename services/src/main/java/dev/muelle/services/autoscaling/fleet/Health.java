package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.services.autoscaling.state.Side;
import java.time.Instant;
import java.util.Optional;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;

/**
 * Whether an instance is well.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html">Health
 *     checks</a>
 */
final class Health {

  static final String EC2 = "an EC2 health check indicating it has been terminated or stopped";
  static final String BALANCER = "an ELB system health check failure";

  private Health() {}

  /** What an instance is found to have now, in the words of a cause; empty if nothing new. */
  static Optional<String> finding(AutoScalingGroup group, Member member, Seen seen, Instant now) {
    boolean looked =
        member.id() != null
            && member.sick() == null
            && (member.inService() || member.coming() || (member.pooled() && !member.going()))
            && ScalingProcess.HEALTH_CHECK.runs(group);
    if (!looked) {
      return Optional.empty();
    }
    if (!(mayBeStopped(member) ? seen.present(member) : seen.alive(member))) {
      return Optional.of(EC2);
    }
    boolean fails =
        member.inService()
            && group.healthCheckType().contains("ELB")
            && !now.isBefore(graceEnds(group, member))
            && seen.failsAtBalancer(member);
    return fails ? Optional.of(BALANCER) : Optional.empty();
  }

  /** In the warm pool, and on its way out of it, until it is started. */
  private static boolean mayBeStopped(Member member) {
    return switch (member.state()) {
      case WARMED_PENDING_PROCEED, WARMED_STOPPED -> true;
      case PENDING -> member.from() == Side.POOL;
      default -> false;
    };
  }

  private static Instant graceEnds(AutoScalingGroup group, Member member) {
    Instant from = member.inServiceAt() == null ? member.since() : member.inServiceAt();
    return from.plusSeconds(group.healthCheckGracePeriod());
  }
}
