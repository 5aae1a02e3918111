package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.activity.Kind;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

/** How an instance begins to leave. */
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
    Member next = member.waiting(List.of()).in(LifecycleState.TERMINATING);
    return next.doing(activities.begin(tx, group, next, Kind.TERMINATE, cause, now)).put(tx);
  }
}
