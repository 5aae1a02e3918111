package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.hook.Hooks;
import dev.muelle.services.autoscaling.hook.Waiting;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.services.autoscaling.state.Side;
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
      case PENDING_WAIT, TERMINATING_WAIT, WARMED_PENDING_WAIT, WARMED_TERMINATING_WAIT ->
          overdue(tx, member, now);
      case PENDING_PROCEED -> {
        return serve(tx, group, member, seen, now);
      }
      case ENTERING_STANDBY -> {
        if (!seen.isTarget(member)) {
          activities.succeed(tx, group, member, now);
          member.doing(null).in(LifecycleState.STANDBY).put(tx);
        }
      }
      case WARMED_PENDING -> enter(tx, group, member, seen, now);
      case WARMED_PENDING_PROCEED -> {
        return rest(tx, group, member, seen, now);
      }
      case TERMINATING, WARMED_TERMINATING -> leave(tx, group, member, seen, now);
      case TERMINATING_PROCEED, WARMED_TERMINATING_PROCEED -> {
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
      forget(tx, group, member, now);
    } else if (seen.running(member)) {
      List<Member.Wait> waits = waiting.begin(tx, group, member, Hooks.LAUNCHING, now);
      Stage wait = new Stage(LifecycleState.PENDING_WAIT, LifecycleState.PENDING_PROCEED);
      halfWay(tx, member, waits, wait, ScalingActivityStatusCode.PRE_IN_SERVICE);
    }
  }

  /** EC2 was not asked for it yet, and need not be. */
  private void forget(Tx tx, GroupRecord group, Member member, Instant now) {
    if (group.deleting() && member.launch() == null) {
      activities.cancel(tx, group, member, "The group is deleted.", now);
      tx.delete(Member.TABLE, member.token());
    }
  }

  /** Where an instance waits at hooks, and where it goes on. */
  private record Stage(LifecycleState waits, LifecycleState proceeds) {}

  private void halfWay(
      Tx tx,
      Member member,
      List<Member.Wait> waits,
      Stage stage,
      ScalingActivityStatusCode otherwise) {
    if (waits.isEmpty()) {
      member.in(stage.proceeds()).put(tx);
      activities.proceed(tx, member, otherwise, HALF);
    } else {
      member.waiting(waits).in(stage.waits()).put(tx);
      activities.proceed(tx, member, ScalingActivityStatusCode.MID_LIFECYCLE_ACTION, HALF);
    }
  }

  /**
   * Into the warm pool: a new one as into the group, one that comes back as out of it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html">Lifecycle
   *     hooks with a warm pool</a>
   */
  private void enter(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    boolean back = member.from() == Side.GROUP;
    if (member.id() == null) {
      forget(tx, group, member, now);
    } else if (back && seen.isTarget(member)) {
      activities.proceed(
          tx, member, ScalingActivityStatusCode.WAITING_FOR_ELB_CONNECTION_DRAINING, HALF);
    } else if (seen.running(member)) {
      List<Member.Wait> waits =
          waiting.begin(tx, group, member, back ? Hooks.TERMINATING : Hooks.LAUNCHING, now);
      Stage wait =
          new Stage(LifecycleState.WARMED_PENDING_WAIT, LifecycleState.WARMED_PENDING_PROCEED);
      halfWay(tx, member, waits, wait, ScalingActivityStatusCode.IN_PROGRESS);
    }
  }

  /** It is prepared, and waits until it is needed. */
  private GroupRecord rest(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    if (!seen.stopped(member) && (Pool.stops(group) || !seen.running(member))) {
      return group;
    }
    activities.succeed(tx, group, member, now);
    member
        .doing(null)
        .comingFrom(null)
        .in(seen.stopped(member) ? LifecycleState.WARMED_STOPPED : LifecycleState.WARMED_RUNNING)
        .put(tx);
    return hopeful(tx, group);
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
    return hopeful(tx, group);
  }

  private static GroupRecord hopeful(Tx tx, GroupRecord group) {
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
    boolean pooled = member.pooled();
    boolean speechless = pooled ? !seen.present(member) : !seen.alive(member);
    List<Member.Wait> hooks =
        group.deleting() || speechless
            ? List.of()
            : waiting.begin(tx, group, member, Hooks.TERMINATING, now);
    Stage stage =
        pooled
            ? new Stage(
                LifecycleState.WARMED_TERMINATING_WAIT, LifecycleState.WARMED_TERMINATING_PROCEED)
            : new Stage(LifecycleState.TERMINATING_WAIT, LifecycleState.TERMINATING_PROCEED);
    halfWay(tx, member, hooks, stage, ScalingActivityStatusCode.IN_PROGRESS);
  }
}
