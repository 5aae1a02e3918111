package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.Ids;
import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.activity.Kind;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.services.autoscaling.state.Side;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

/** How an instance begins to come: a new one, or one out of the warm pool. */
final class Arrivals {

  private final Ids ids;
  private final Activities activities;

  Arrivals(Ids ids, Activities activities) {
    this.ids = ids;
    this.activities = activities;
  }

  /** Whether EC2 may be asked for one, as far as earlier launches say. */
  static boolean mayLaunch(GroupRecord group, Instant now) {
    return ScalingProcess.LAUNCH.runs(group.group())
        && (group.launchAfter() == null || !now.isBefore(group.launchAfter()));
  }

  /** A new one for the group. */
  Member launch(Tx tx, GroupRecord group, Place place, String cause, boolean extra, Instant now) {
    return begin(tx, group, place, LifecycleState.PENDING, Kind.LAUNCH, cause, extra, now);
  }

  /** A new one for the warm pool. */
  Member warm(Tx tx, GroupRecord group, Place place, String cause, Instant now) {
    return begin(tx, group, place, LifecycleState.WARMED_PENDING, Kind.WARM, cause, false, now);
  }

  private Member begin(
      Tx tx,
      GroupRecord group,
      Place place,
      LifecycleState state,
      Kind kind,
      String cause,
      boolean extra,
      Instant now) {
    Member slot =
        new Member(
            ids.uuid(),
            group.name(),
            Instance.builder()
                .availabilityZone(place.zone())
                .lifecycleState(state)
                .healthStatus(Member.HEALTHY)
                .protectedFromScaleIn(group.group().newInstancesProtectedFromScaleIn())
                .build(),
            place.subnet(),
            now,
            null,
            null,
            null,
            extra,
            List.of(),
            null,
            null);
    return slot.doing(activities.begin(tx, group, slot, kind, cause, now)).put(tx);
  }

  /** One that waits in the warm pool for the group. */
  Member draw(Tx tx, GroupRecord group, Member warm, String cause, Instant now) {
    Member next = warm.comingFrom(Side.POOL).in(LifecycleState.PENDING);
    return next.doing(activities.begin(tx, group, next, Kind.DRAW, cause, now)).put(tx);
  }
}
