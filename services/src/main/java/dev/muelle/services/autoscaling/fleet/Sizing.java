package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.Ids;
import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.activity.Kind;
import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

/** Begins to launch and to terminate, until a group has as many instances as are desired. */
final class Sizing {

  private final Ids ids;
  private final Activities activities;
  private final Departures departures;

  Sizing(Ids ids, Activities activities, Departures departures) {
    this.ids = ids;
    this.activities = activities;
    this.departures = departures;
  }

  void settle(Tx tx, GroupRecord group, List<Member> members, Seen seen, Instant now) {
    int present = (int) members.stream().filter(Member::counts).count();
    int desired = group.group().desiredCapacity();
    if (present < desired) {
      grow(tx, group, members, seen.places(), desired - present, now);
    } else if (present > desired) {
      shrink(tx, group, members, seen.places(), present - desired, now);
    } else if (members.stream().allMatch(Member::inService)) {
      if (!group.causes().isEmpty()) {
        group.withCauses(List.of()).put(tx);
      }
      balance(tx, group, members, seen.places(), now);
    }
  }

  private static boolean mayLaunch(GroupRecord group, Instant now) {
    return ScalingProcess.LAUNCH.runs(group.group())
        && (group.launchAfter() == null || !now.isBefore(group.launchAfter()));
  }

  private void grow(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int more, Instant now) {
    if (!mayLaunch(group, now)) {
      return;
    }
    int count = group.failures() > 0 ? 1 : more; // a try, before the others follow
    int desired = group.group().desiredCapacity();
    String cause =
        group.causes().isEmpty()
            ? RefreshRecord.active(tx, group.name()).isPresent()
                ? Causes.refreshing(now)
                : Causes.replacing(now)
            : said(group) + Causes.growing(now, desired - more, desired);
    List<Member> all = new ArrayList<>(members);
    for (int i = 0; i < count; i++) {
      Optional<Place> place = Zones.next(places, all, group.failedSubnets());
      if (place.isEmpty()) {
        return; // its subnets are gone
      }
      all.add(begin(tx, group, place.get(), cause, false, now));
    }
    group.changed(now).put(tx);
  }

  private static String said(GroupRecord group) {
    return group.causes().isEmpty() ? "" : String.join("  ", group.causes()) + "  ";
  }

  private Member begin(
      Tx tx, GroupRecord group, Place place, String cause, boolean extra, Instant now) {
    Member slot =
        new Member(
            ids.uuid(),
            group.name(),
            Instance.builder()
                .availabilityZone(place.zone())
                .lifecycleState(LifecycleState.PENDING)
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
            null);
    return slot.doing(activities.begin(tx, group, slot, Kind.LAUNCH, cause, now)).put(tx);
  }

  private void shrink(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int less, Instant now) {
    if (!ScalingProcess.TERMINATE.runs(group.group())) {
      return;
    }
    int desired = group.group().desiredCapacity();
    List<Member> left = new ArrayList<>(members);
    for (int i = 0; i < less; i++) {
      Optional<Member> chosen = TerminationOrder.choose(group.group(), places, left, now);
      if (chosen.isEmpty()) {
        return; // all that are left are protected, or EC2 has not named them yet
      }
      Member member = chosen.get();
      left.remove(member);
      String cause =
          said(group)
              + Causes.shrinking(now, desired + less, desired)
              + "  "
              + Causes.selected(now, String.valueOf(member.id()));
      departures.terminate(tx, group, member, cause, now);
      group.changed(now).put(tx);
    }
  }

  private void balance(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, Instant now) {
    boolean may =
        ScalingProcess.AZ_REBALANCE.runs(group.group())
            && ScalingProcess.TERMINATE.runs(group.group())
            && mayLaunch(group, now)
            && group.failures() == 0;
    if (may) {
      Zones.uneven(places, members)
          .ifPresent(
              place -> begin(tx, group, place, Causes.balancing(now, place.zone()), true, now));
    }
  }
}
