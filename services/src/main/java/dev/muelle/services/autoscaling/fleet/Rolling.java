package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.refresh.RefreshEvents;
import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.RefreshPreferences;
import software.amazon.awssdk.services.autoscaling.model.ScaleInProtectedInstances;
import software.amazon.awssdk.services.autoscaling.model.StandbyInstances;

/**
 * Carries instance refreshes on: as many old instances are terminated as may be missing; that they
 * are replaced is the group's usual business. Where the group may be larger for a while, others are
 * launched before they go.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html">How
 *     an instance refresh works</a>
 */
final class Rolling {

  /** For which a refresh waits that does not come further. */
  private static final Duration PATIENCE = Duration.ofHours(1);

  private static final int ALL = 100; // percent

  private final Arrivals arrivals;
  private final Departures departures;
  private final RefreshEvents events;

  Rolling(Arrivals arrivals, Departures departures, RefreshEvents events) {
    this.arrivals = arrivals;
    this.departures = departures;
    this.events = events;
  }

  /**
   * One step of a group's refresh, if there is one.
   *
   * @param ringing the alarms that it watches and that ring
   */
  void step(Tx tx, GroupRecord group, List<Place> places, List<String> ringing, Instant now) {
    Optional<RefreshRecord> active = RefreshRecord.active(tx, group.name());
    if (active.isEmpty() || group.deleting()) {
      return;
    }
    RefreshRecord refresh = active.get();
    List<Member> members = Member.live(tx, group.name());
    if (refresh.status() == InstanceRefreshStatus.CANCELLING) {
      if (members.stream().allMatch(Rolling::rests)) {
        end(tx, group, refresh, InstanceRefreshStatus.CANCELLED, null, now);
      }
    } else if (!ringing.isEmpty() && !refresh.turnsBack()) {
      fail(tx, group, refresh, "CloudWatch alarms in ALARM: " + String.join(", ", ringing), now);
    } else if (refresh.status() == InstanceRefreshStatus.BAKING) {
      if (refresh.heldUntil().filter(now::isBefore).isEmpty()) {
        succeed(tx, group, refresh, now);
      }
    } else {
      roll(tx, group, refresh, members, places, now);
    }
  }

  private void roll(
      Tx tx,
      GroupRecord group,
      RefreshRecord refresh,
      List<Member> members,
      List<Place> places,
      Instant now) {
    RefreshPreferences how = refresh.refresh().preferences();
    List<Member> left =
        members.stream().filter(m -> refresh.concerns(m) && counts(m, how)).toList();
    List<Member> pool =
        Member.of(tx, group.name()).stream().filter(m -> m.pooled() && !m.going()).toList();
    List<Member> cold = pool.stream().filter(refresh::concerns).toList();
    RefreshRecord next = refresh.left(left.size(), cold.size(), now);
    if (next.status() == InstanceRefreshStatus.PENDING) {
      next = next.with(r -> r.status(InstanceRefreshStatus.IN_PROGRESS));
    }
    if (next.heldUntil().isPresent()) {
      if (next.heldUntil().filter(now::isBefore).isPresent()) {
        next.put(tx);
        return; // it waits at a checkpoint
      }
      next = next.released(now);
    }
    int desired = group.group().desiredCapacity();
    Duration warmup = warmup(group, how);
    RefreshRecord current = next;
    int ready = (int) members.stream().filter(m -> current.isReady(m, warmup, now)).count();
    boolean steady = ready >= desired && members.stream().allMatch(Rolling::rests);
    boolean prepared =
        cold.isEmpty() && pool.size() >= Pool.wanted(group) && pool.stream().allMatch(Member::warm);
    if (steady && next.hasCheckpoint() && next.untilCheckpoint(left.size()) == 0) {
      int checkpoint = next.reached() + 1;
      RefreshRecord there = next.held(checkpoint, now).put(tx);
      events.reached(tx, group, there, now);
      if (there.endsAt(checkpoint)) { // be it that not all of them were to be replaced
        finish(tx, group, there.released(now), now);
      }
    } else if (left.isEmpty() && prepared && steady) {
      finish(tx, group, next, now);
    } else if (now.isAfter(next.progressAt().plus(PATIENCE).plus(warmup))) {
      fail(tx, group, next, stuck(next), now);
    } else {
      if (!next.equals(refresh)) {
        next.put(tx);
      }
      if (replaces(group)) {
        replace(tx, group, next, members, left, places, ready, now);
        // nobody is served by what waits in the pool
        cold.stream().filter(m -> m.id() != null).forEach(m -> terminate(tx, group, m, now));
      }
    }
  }

  private static boolean rests(Member member) {
    return !member.coming() && !member.going();
  }

  /** Whether an instance is waited for, if it is not as it should be. */
  private static boolean counts(Member member, RefreshPreferences how) {
    boolean ignored =
        (member.isProtected()
                && how.scaleInProtectedInstances() == ScaleInProtectedInstances.IGNORE)
            || (stands(member) && how.standbyInstances() == StandbyInstances.IGNORE);
    return !ignored && !member.going();
  }

  private static boolean stands(Member member) {
    return member.state() == LifecycleState.STANDBY
        || member.state() == LifecycleState.ENTERING_STANDBY;
  }

  /** A preference, or else the group's warm-up, or else its grace period. */
  private static Duration warmup(GroupRecord group, RefreshPreferences how) {
    return Duration.ofSeconds(
        Stream.of(
                Optional.ofNullable(how.instanceWarmup()),
                Optional.ofNullable(group.group().defaultInstanceWarmup()).filter(w -> w >= 0),
                Optional.ofNullable(group.group().healthCheckGracePeriod()))
            .flatMap(Optional::stream)
            .findFirst()
            .orElse(0));
  }

  /** What cannot be launched is not to replace what is there. */
  private static boolean replaces(GroupRecord group) {
    return group.failures() == 0
        && Stream.of(
                ScalingProcess.INSTANCE_REFRESH, ScalingProcess.LAUNCH, ScalingProcess.TERMINATE)
            .allMatch(process -> process.runs(group.group()));
  }

  private void replace(
      Tx tx,
      GroupRecord group,
      RefreshRecord refresh,
      List<Member> members,
      List<Member> left,
      List<Place> places,
      int ready,
      Instant now) {
    RefreshPreferences how = refresh.refresh().preferences();
    int desired = group.group().desiredCapacity();
    int least = Math.ceilDiv(desired * how.minHealthyPercentage(), ALL);
    int spare = refresh.spare(desired);
    List<Member> due =
        left.stream()
            .filter(m -> mayGo(m, how))
            .limit(refresh.untilCheckpoint(left.size()))
            .toList();
    int there = (int) members.stream().filter(m -> m.inService() || m.coming()).count();
    int ahead = Math.max(0, there - desired);
    launch(tx, group, members, places, Math.min(spare, due.size()) - ahead, now);
    int may =
        spare > 0 ? ready - least : Math.max(1, desired - least) - Math.max(0, desired - ready);
    due.stream().limit(Math.max(0, may)).forEach(m -> terminate(tx, group, m, now));
  }

  /** So that they serve before others go. */
  private void launch(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int count, Instant now) {
    List<Member> all = new ArrayList<>(members);
    for (int i = 0; i < count; i++) {
      Optional<Place> place = Zones.next(places, all, group.failedSubnets());
      if (place.isEmpty()) {
        return; // its subnets are gone
      }
      all.add(arrivals.launch(tx, group, place.get(), Causes.refreshing(now), true, now));
    }
  }

  private void terminate(Tx tx, GroupRecord group, Member member, Instant now) {
    departures.terminate(tx, group, member, Causes.outOfService(now, "an instance refresh"), now);
  }

  private static boolean mayGo(Member member, RefreshPreferences how) {
    boolean unprotected =
        !member.isProtected()
            || how.scaleInProtectedInstances() == ScaleInProtectedInstances.REFRESH;
    boolean serves = member.inService() && member.id() != null;
    boolean standing =
        member.state() == LifecycleState.STANDBY
            && how.standbyInstances() == StandbyInstances.TERMINATE;
    return unprotected && (serves || standing);
  }

  /** All is replaced; what was to be watched for a while is. */
  private void finish(Tx tx, GroupRecord group, RefreshRecord refresh, Instant now) {
    Integer bake = refresh.refresh().preferences().bakeTime();
    if (bake == null || bake == 0 || refresh.turnsBack()) {
      succeed(tx, group, refresh, now);
    } else {
      RefreshRecord baking =
          refresh
              .with(r -> r.status(InstanceRefreshStatus.BAKING))
              .held(refresh.reached(), now)
              .put(tx);
      events.tell(tx, group, baking, "Started Baking", now);
    }
  }

  /** The group is from now on as its instances are. */
  private void succeed(Tx tx, GroupRecord group, RefreshRecord refresh, Instant now) {
    if (refresh.turnsBack()) {
      end(tx, group, refresh, InstanceRefreshStatus.ROLLBACK_SUCCESSFUL, null, now);
      return;
    }
    AutoScalingGroup wanted =
        RefreshRecord.configured(group.group(), refresh.refresh().desiredConfiguration());
    GroupRecord.get(tx, group.name())
        .with(g ->
            g.launchTemplate(wanted.launchTemplate())
                .launchConfigurationName(wanted.launchConfigurationName())
                .mixedInstancesPolicy(wanted.mixedInstancesPolicy()))
        .put(tx);
    end(tx, group, refresh, InstanceRefreshStatus.SUCCESSFUL, null, now);
  }

  private static String stuck(RefreshRecord refresh) {
    return "No instance could be replaced for "
        + PATIENCE.toMinutes()
        + " minutes. "
        + refresh.refresh().instancesToUpdate()
        + " instances are left.";
  }

  private void fail(Tx tx, GroupRecord group, RefreshRecord refresh, String why, Instant now) {
    if (refresh.turnsBack()) {
      end(tx, group, refresh, InstanceRefreshStatus.ROLLBACK_FAILED, why, now);
    } else if (Boolean.TRUE.equals(refresh.refresh().preferences().autoRollback())) {
      RefreshRecord back = refresh.turnedBack(why, Member.of(tx, group.name()), now).put(tx);
      events.tell(tx, group, back, "Rollback Started", now);
    } else {
      end(tx, group, refresh, InstanceRefreshStatus.FAILED, why, now);
    }
  }

  private void end(
      Tx tx,
      GroupRecord group,
      RefreshRecord refresh,
      InstanceRefreshStatus status,
      @Nullable String why,
      Instant now) {
    RefreshRecord over = refresh.with(r -> r.status(status).statusReason(why).endTime(now)).put(tx);
    String what =
        switch (status) {
          case SUCCESSFUL -> "Succeeded";
          case FAILED -> "Failed";
          case CANCELLED -> "Cancelled";
          case ROLLBACK_SUCCESSFUL -> "Rollback Succeeded";
          case ROLLBACK_FAILED -> "Rollback Failed";
          default -> throw new IllegalStateException(status.toString());
        };
    events.tell(tx, group, over, what, now);
  }
}
