package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.hook.Hooks;
import dev.muelle.services.autoscaling.hook.Waiting;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.ScalingActivityStatusCode;

/**
 * Brings an instance one step further in its life, as far as what is seen allows.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html">Instance
 *     lifecycle</a>
 */
final class Advance {

  private static final int HALF = 50; // percent

  private final Activities activities;
  private final Waiting waiting;

  Advance(Activities activities, Waiting waiting) {
    this.activities = activities;
    this.waiting = waiting;
  }

  /** One step; gives the group, which a success makes hopeful again. */
  GroupRecord step(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    switch (member.state()) {
      case PENDING -> arrived(tx, group, member, seen, now);
      case PENDING_WAIT, TERMINATING_WAIT -> overdue(tx, member, now);
      case PENDING_PROCEED -> {
        return serve(tx, group, member, seen, now);
      }
      case ENTERING_STANDBY -> {
        if (!seen.isTarget(member)) {
          activities.succeed(tx, group, member, now);
          member.doing(null).in(LifecycleState.STANDBY).put(tx);
        }
      }
      case TERMINATING -> leave(tx, group, member, seen, now);
      case TERMINATING_PROCEED -> {
        if (seen.gone(member)) {
          activities.succeed(tx, group, member, now);
          tx.delete(Member.TABLE, member.token());
        }
      }
      default -> {} // nothing happens to it by itself
    }
    return group;
  }

  private void arrived(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    if (member.id() == null) {
      if (group.deleting() && member.launch() == null) { // EC2 was not asked for it yet
        activities.cancel(tx, group, member, "The group is deleted.", now);
        tx.delete(Member.TABLE, member.token());
      }
      return;
    }
    if (!seen.running(member)) {
      return;
    }
    List<Member.Wait> waits = waiting.begin(tx, group, member, Hooks.LAUNCHING, now);
    if (waits.isEmpty()) {
      member.in(LifecycleState.PENDING_PROCEED).put(tx);
      activities.proceed(tx, member, ScalingActivityStatusCode.PRE_IN_SERVICE, HALF);
    } else {
      member.waiting(waits).in(LifecycleState.PENDING_WAIT).put(tx);
      activities.proceed(tx, member, ScalingActivityStatusCode.MID_LIFECYCLE_ACTION, HALF);
    }
  }

  /** Nobody answered in time: each hook has said what happens then. */
  private static void overdue(Tx tx, Member member, Instant now) {
    Member next = member;
    for (Member.Wait wait : member.waits()) {
      if (!now.isBefore(wait.until()) && next.waits().contains(wait)) {
        next = Waiting.settle(next, wait, wait.result());
      }
    }
    if (!next.equals(member)) {
      next.put(tx);
    }
  }

  private GroupRecord serve(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    boolean balanced = ScalingProcess.ADD_TO_LOAD_BALANCER.runs(group.group());
    if (balanced && !seen.isTarget(member, group.group().targetGroupARNs())) {
      return group; // the next look sees it registered
    }
    activities.succeed(tx, group, member, now);
    member.served(now).put(tx);
    return group.failures() == 0 ? group : group.hopeful().put(tx);
  }

  /**
   * Load balancers let it go first, then hooks. One that is dead need not drain, but still has to
   * be taken out: the server may have died before it did that.
   */
  private void leave(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    boolean waits = seen.alive(member) ? seen.isTarget(member) : seen.takesTraffic(member);
    if (waits) {
      activities.proceed(
          tx, member, ScalingActivityStatusCode.WAITING_FOR_ELB_CONNECTION_DRAINING, HALF);
      return;
    }
    List<Member.Wait> hooks =
        group.deleting() || !seen.alive(member)
            ? List.of()
            : waiting.begin(tx, group, member, Hooks.TERMINATING, now);
    if (hooks.isEmpty()) {
      member.in(LifecycleState.TERMINATING_PROCEED).put(tx);
      activities.proceed(tx, member, ScalingActivityStatusCode.IN_PROGRESS, HALF);
    } else {
      member.waiting(hooks).in(LifecycleState.TERMINATING_WAIT).put(tx);
      activities.proceed(tx, member, ScalingActivityStatusCode.MID_LIFECYCLE_ACTION, HALF);
    }
  }
}
