package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Begins to launch and to terminate, until a group has as many instances as are desired. */
final class Sizing {

  private final Arrivals arrivals;
  private final Departures departures;

  Sizing(Arrivals arrivals, Departures departures) {
    this.arrivals = arrivals;
    this.departures = departures;
  }

  /** What there is in the warm pool is no part of these members. */
  void settle(Tx tx, GroupRecord group, List<Member> members, Seen seen, Instant now) {
    int present = (int) members.stream().filter(Member::counts).count();
    int desired = group.group().desiredCapacity();
    if (present < desired) {
      grow(tx, group, members, seen.places(), desired - present, now);
    } else if (present > desired + spare(tx, group, members)) {
      shrink(tx, group, members, seen.places(), present - desired, now);
    } else if (present == desired && members.stream().allMatch(Member::inService)) {
      if (!group.causes().isEmpty()) {
        group.withCauses(List.of()).put(tx);
      }
      balance(tx, group, members, seen.places(), now);
    }
  }

  /** So many an instance refresh has launched for those that it will take out. */
  private static int spare(Tx tx, GroupRecord group, List<Member> members) {
    return RefreshRecord.active(tx, group.name())
        .map(refresh ->
            Math.min(
                refresh.spare(group.group().desiredCapacity()),
                (int) members.stream().filter(m -> refresh.concerns(m) && m.counts()).count()))
        .orElse(0);
  }

  private void grow(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int more, Instant now) {
    if (!ScalingProcess.LAUNCH.runs(group.group())) {
      return;
    }
    int desired = group.group().desiredCapacity();
    Optional<RefreshRecord> refresh = RefreshRecord.active(tx, group.name());
    String cause =
        group.causes().isEmpty()
            ? refresh.isPresent() ? Causes.refreshing(now) : Causes.replacing(now)
            : said(group) + Causes.growing(now, desired - more, desired);
    List<Member> all = new ArrayList<>(members);
    List<Member> warm = new ArrayList<>(Member.of(tx, group.name()));
    warm.removeIf(m -> !m.warm() || refresh.filter(one -> one.concerns(m)).isPresent());
    int missing = more;
    for (; missing > 0 && !warm.isEmpty(); missing--) {
      Member next = Zones.best(warm, all);
      warm.remove(next);
      all.add(arrivals.draw(tx, group, next, cause, now));
    }
    if (missing > 0 && Arrivals.mayLaunch(group, now)) {
      launch(tx, group, all, places, group.failures() > 0 ? 1 : missing, cause, now);
    }
    if (all.size() > members.size()) {
      group.changed(now).put(tx);
    }
  }

  /**
   * New ones; after launches that failed one as a try, before the others follow.
   *
   * @param all those that there are, to which the new ones are added
   */
  private void launch(
      Tx tx,
      GroupRecord group,
      List<Member> all,
      List<Place> places,
      int count,
      String cause,
      Instant now) {
    for (int i = 0; i < count; i++) {
      Optional<Place> place = Zones.next(places, all, group.failedSubnets());
      if (place.isEmpty()) {
        return; // its subnets are gone
      }
      all.add(arrivals.launch(tx, group, place.get(), cause, false, now));
    }
  }

  private static String said(GroupRecord group) {
    return group.causes().isEmpty() ? "" : String.join("  ", group.causes()) + "  ";
  }

  private void shrink(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int less, Instant now) {
    if (!ScalingProcess.TERMINATE.runs(group.group())) {
      return;
    }
    int desired = group.group().desiredCapacity();
    int room = Pool.reuses(group) ? Pool.wanted(group) - Member.inPool(tx, group.name()) : 0;
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
      if (member.inService() && room > 0) {
        departures.giveBack(tx, group, member, cause, now);
        room--;
      } else {
        departures.terminate(tx, group, member, cause, now);
      }
      group.changed(now).put(tx);
    }
  }

  private void balance(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, Instant now) {
    boolean may =
        ScalingProcess.AZ_REBALANCE.runs(group.group())
            && ScalingProcess.TERMINATE.runs(group.group())
            && Arrivals.mayLaunch(group, now)
            && group.failures() == 0;
    if (may) {
      Zones.uneven(places, members)
          .ifPresent(place ->
              arrivals.launch(tx, group, place, Causes.balancing(now, place.zone()), true, now));
    }
  }
}
