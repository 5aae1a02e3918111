package dev.muelle.services.autoscaling.state;

import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolConfiguration;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolState;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolStatus;

/**
 * What a group's warm pool is to be.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html">Warm
 *     pools</a>
 */
public final class Pool {

  private Pool() {}

  /** The pool that a group has, and that is not being deleted. */
  private static Optional<WarmPoolConfiguration> of(GroupRecord group) {
    return Optional.ofNullable(group.group().warmPoolConfiguration())
        .filter(pool -> pool.status() != WarmPoolStatus.PENDING_DELETE && !group.deleting());
  }

  /** How many instances it is to have: what is missing to the capacity that is to be prepared. */
  public static int wanted(GroupRecord group) {
    AutoScalingGroup of = group.group();
    return of(group)
        .map(pool ->
            Math.max(
                Objects.requireNonNullElse(pool.minSize(), 0),
                Objects.requireNonNullElse(pool.maxGroupPreparedCapacity(), of.maxSize())
                    - of.desiredCapacity()))
        .orElse(0);
  }

  /** Whether its instances are stopped when they are prepared. */
  public static boolean stops(GroupRecord group) {
    return of(group).filter(pool -> pool.poolState() == WarmPoolState.STOPPED).isPresent();
  }

  /** Whether what a group does not need any more goes back into it. */
  public static boolean reuses(GroupRecord group) {
    return of(group)
        .map(WarmPoolConfiguration::instanceReusePolicy)
        .filter(policy -> Boolean.TRUE.equals(policy.reuseOnScaleIn()))
        .isPresent();
  }
}
