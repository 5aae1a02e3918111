package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.Ids;
import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.hook.Hooks;
import dev.muelle.services.autoscaling.hook.Waiting;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.notice.Notices;
import dev.muelle.services.autoscaling.policy.Policies;
import dev.muelle.services.autoscaling.refresh.RefreshEvents;
import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.schedule.ScheduledActions;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * Looks after groups. One look: see what is, decide in one transaction, then do what was decided.
 * What a look did not get to do, the next one sees is still to be done.
 */
public final class Keeper {

  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Duration SOON = Duration.ofSeconds(2);
  private static final Duration CHECKING = Duration.ofSeconds(10); // health at load balancers
  private static final Duration NOW_AND_THEN = Duration.ofMinutes(1);

  private final Store store;
  private final InstantSource clock;
  private final Observer observer;
  private final RefreshAlarms alarms;
  private final Advance advance;
  private final Departures departures;
  private final Sizing sizing;
  private final Pooling pooling;
  private final Rolling rolling;
  private final Hands hands;

  public Keeper(
      Store store,
      InstantSource clock,
      Ids ids,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb,
      Observer observer,
      Recipes recipes,
      Activities activities,
      Departures departures,
      Waiting waiting,
      RefreshEvents refreshes,
      RefreshAlarms alarms) {
    this.alarms = alarms;
    this.store = store;
    this.clock = clock;
    this.observer = observer;
    this.departures = departures;
    this.advance = new Advance(activities, waiting);
    Arrivals arrivals = new Arrivals(ids, activities);
    this.sizing = new Sizing(arrivals, departures);
    this.pooling = new Pooling(arrivals, departures);
    this.rolling = new Rolling(arrivals, departures, refreshes);
    this.hands = new Hands(store, clock, ec2, elb, recipes, activities);
  }

  /** One look at a group; gives when to look again, or null for "when something changes". */
  public @Nullable Duration look(String name) {
    Optional<GroupRecord> found = store.read(tx -> GroupRecord.find(tx, name));
    if (found.isEmpty()) {
      return null;
    }
    List<Member> before = store.read(tx -> Member.of(tx, name));
    Seen seen = observer.see(found.get(), before);
    List<String> ringing = alarms.ringing(name);
    Instant now = clock.instant();
    boolean alive = store.write(tx -> decide(tx, name, before, seen, ringing, now));
    if (!alive) {
      return null;
    }
    GroupRecord group = store.read(tx -> GroupRecord.get(tx, name));
    List<Member> members = store.read(tx -> Member.of(tx, name));
    boolean changed = !members.equals(before);
    for (Member member : members) {
      changed |= hands.tend(group, member, seen);
    }
    hands.traffic(group, members, seen);
    boolean refreshing = store.read(tx -> RefreshRecord.active(tx, name)).isPresent();
    return changed ? AT_ONCE : next(group, members, refreshing, now);
  }

  /** Says whether the group is still there. */
  private boolean decide(
      Tx tx, String name, List<Member> known, Seen seen, List<String> ringing, Instant now) {
    Optional<GroupRecord> found = GroupRecord.find(tx, name);
    if (found.isEmpty()) {
      return false;
    }
    GroupRecord group = found.get();
    List<Member> members = Member.of(tx, name);
    if (group.deleting() && members.isEmpty()) {
      Hooks.forget(tx, name);
      Notices.forget(tx, name);
      RefreshRecord.forget(tx, name);
      ScheduledActions.forget(tx, name);
      Policies.forget(tx, name);
      tx.delete(GroupRecord.TABLE, name);
      return false;
    }
    List<String> seenTokens = known.stream().map(Member::token).toList();
    for (Member member : members) {
      boolean unseen =
          !seenTokens.contains(member.token())
              || known.stream()
                  .noneMatch(k -> k.token().equals(member.token()) && sameId(k, member));
      if (!unseen) { // what came since is for the next look
        group = tend(tx, group, member, seen, now);
      }
    }
    sizing.settle(tx, group, Member.live(tx, name), seen, now);
    pooling.settle(tx, GroupRecord.get(tx, name), Member.of(tx, name), seen.places(), now);
    rolling.step(tx, GroupRecord.get(tx, name), seen.places(), ringing, now);
    return true;
  }

  private static boolean sameId(Member one, Member other) {
    return java.util.Objects.equals(one.id(), other.id());
  }

  private GroupRecord tend(Tx tx, GroupRecord group, Member member, Seen seen, Instant now) {
    Optional<String> finding = Health.finding(group.group(), member, seen, now);
    Member looked = finding.map(why -> member.sick(why).put(tx)).orElse(member);
    boolean leaves =
        (looked.sick() != null || (group.deleting() && looked.id() != null))
            && (looked.inService()
                || looked.coming()
                || (looked.pooled() && !looked.going())
                || standsBy(group, looked));
    if (!leaves) {
      return advance.step(tx, group, looked, seen, now);
    }
    boolean may =
        group.deleting()
            || looked.coming()
            || looked.pooled()
            || (ScalingProcess.REPLACE_UNHEALTHY.runs(group.group())
                && ScalingProcess.TERMINATE.runs(group.group()));
    if (may) {
      String cause =
          looked.sick() == null
              ? Causes.outOfService(now, "the deletion of its Auto Scaling group")
              : Causes.outOfService(now, looked.sick());
      departures.terminate(tx, group, looked, cause, now);
    }
    return group;
  }

  private static boolean standsBy(GroupRecord group, Member member) {
    return group.deleting()
        && (member.state() == LifecycleState.STANDBY
            || member.state() == LifecycleState.ENTERING_STANDBY);
  }

  private static @Nullable Duration next(
      GroupRecord group, List<Member> members, boolean refreshing, Instant now) {
    if (members.stream().anyMatch(Hands::busy)
        || !group.joining().isEmpty()
        || !group.leaving().isEmpty()) {
      return SOON;
    }
    Duration usual =
        group.group().targetGroupARNs().isEmpty() && !refreshing ? NOW_AND_THEN : CHECKING;
    Stream<Instant> deadlines =
        Stream.concat(
            members.stream().flatMap(m -> m.waits().stream().map(Member.Wait::until)),
            Stream.ofNullable(group.launchAfter()).filter(now::isBefore));
    return deadlines
        .map(due -> Duration.between(now, due))
        .map(left -> left.isNegative() ? SOON : left)
        .filter(left -> left.compareTo(usual) < 0)
        .min(Duration::compareTo)
        .orElse(usual);
  }
}
