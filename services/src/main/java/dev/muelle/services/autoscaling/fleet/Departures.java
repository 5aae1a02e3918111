package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.activity.Kind;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Side;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

/** How an instance begins to leave, be it that it goes back into the warm pool. */
public final class Departures {

  private final Activities activities;

  public Departures(Activities activities) {
    this.activities = activities;
  }

  /** It is to be terminated; what was being done to it until now is called off. */
  public Member terminate(Tx tx, GroupRecord group, Member member, String cause, Instant now) {
    if (member.activity() != null) {
      String why = member.sick();
      if (why == null) {
        activities.cancel(tx, group, member, "The instance is terminated.", now);
      } else {
        activities.fail(tx, group, member, "The instance was terminated because of " + why, now);
      }
    }
    boolean pooled = member.pooled();
    Member next =
        member
            .waiting(List.of())
            .in(pooled ? LifecycleState.WARMED_TERMINATING : LifecycleState.TERMINATING);
    Kind kind = pooled ? Kind.DROP : Kind.TERMINATE;
    return next.doing(activities.begin(tx, group, next, kind, cause, now)).put(tx);
  }

  /** It goes back into the warm pool. */
  void giveBack(Tx tx, GroupRecord group, Member member, String cause, Instant now) {
    Member next = member.comingFrom(Side.GROUP).in(LifecycleState.WARMED_PENDING);
    next.doing(activities.begin(tx, group, next, Kind.RETURN, cause, now)).put(tx);
  }
}
