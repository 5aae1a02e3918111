package dev.muelle.services.ecs.scaling;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ManagedScaling;

/**
 * The target tracking of one capacity provider, as the two alarms of its scaling policy would have
 * it: a minute with more than the target scales out, fifteen minutes with less scale in.
 *
 * @param lookedAt when the metric was last computed
 * @param lowSince since when it is below the target; null if it is not
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html">Automatically
 *     manage Amazon ECS capacity with cluster auto scaling</a>
 */
record ScalingState(Instant lookedAt, @Nullable Instant lowSince) {

  /** By the cluster's and the provider's name. */
  static final Table<ScalingState> TABLE =
      Table.of("ecs.managed_scaling", StoredJson.codec(ScalingState.class));

  static final Duration PERIOD = Duration.ofMinutes(1);
  private static final Duration LOW_FOR = Duration.ofMinutes(15);

  /**
   * What to do.
   *
   * @param desired the group's new desired capacity, if it is to change
   */
  record Decision(ScalingState next, OptionalInt desired) {}

  /** Decides, a period after the last time. */
  static Decision decide(
      @Nullable ScalingState before,
      CapacityReservation reservation,
      AutoScalingGroups.Group group,
      ManagedScaling settings,
      Instant now) {
    double percent = reservation.percent();
    boolean idle = reservation.needed() == 0 && reservation.present() == 0;
    if (idle || percent == settings.targetCapacity()) {
      return new Decision(new ScalingState(now, null), OptionalInt.empty());
    }
    if (percent > settings.targetCapacity()) {
      return new Decision(new ScalingState(now, null), more(reservation, group, settings, now));
    }
    Instant since = before == null || before.lowSince() == null ? now : before.lowSince();
    ScalingState next = new ScalingState(now, since);
    return now.isBefore(since.plus(LOW_FOR))
        ? new Decision(next, OptionalInt.empty())
        : new Decision(next, fewer(reservation, group, settings));
  }

  /** From zero, the group counts as one instance. Instances that warm up are waited for. */
  private static OptionalInt more(
      CapacityReservation reservation,
      AutoScalingGroups.Group group,
      ManagedScaling settings,
      Instant now) {
    Instant warm = now.minusSeconds(settings.instanceWarmupPeriod());
    List<AutoScalingGroups.Member> coming = group.members(AutoScalingGroups.Life.PENDING);
    boolean warming =
        !coming.isEmpty()
            || group.members(AutoScalingGroups.Life.IN_SERVICE).stream()
                .anyMatch(member -> member.launchedAt().isAfter(warm));
    if (warming) {
      return OptionalInt.empty();
    }
    int wanted = Math.min(wanted(reservation, settings), group.maximum());
    return wanted > group.desired() ? OptionalInt.of(wanted) : OptionalInt.empty();
  }

  /** At least one less, and at most half of them at a time. */
  private static OptionalInt fewer(
      CapacityReservation reservation, AutoScalingGroups.Group group, ManagedScaling settings) {
    int present = reservation.present();
    int wanted = Math.max(wanted(reservation, settings), present / 2);
    int bounded = Math.max(Math.min(wanted, present), group.minimum());
    return bounded < Math.min(present, group.desired())
        ? OptionalInt.of(bounded)
        : OptionalInt.empty();
  }

  private static int wanted(CapacityReservation reservation, ManagedScaling settings) {
    return reservation.present() == 0
        ? (int) Math.ceil(reservation.percent() / settings.targetCapacity())
        : Math.ceilDiv(100 * reservation.needed(), settings.targetCapacity());
  }
}
