package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.state.Causes;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolConfiguration;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolStatus;

/** Keeps as many instances in a group's warm pool as there are to be. */
final class Pooling {

  private final Arrivals arrivals;
  private final Departures departures;

  Pooling(Arrivals arrivals, Departures departures) {
    this.arrivals = arrivals;
    this.departures = departures;
  }

  void settle(Tx tx, GroupRecord group, List<Member> members, List<Place> places, Instant now) {
    List<Member> pool = members.stream().filter(m -> m.pooled() && !m.going()).toList();
    int wanted = Pool.wanted(group);
    if (pool.size() < wanted) {
      fill(tx, group, members, places, pool.size(), now);
    } else if (pool.size() > wanted) {
      drain(tx, group, pool, wanted, now);
    }
    WarmPoolConfiguration configuration = group.group().warmPoolConfiguration();
    boolean over =
        configuration != null
            && configuration.status() == WarmPoolStatus.PENDING_DELETE
            && members.stream().noneMatch(Member::pooled);
    if (over) {
      GroupRecord.get(tx, group.name())
          .with(g -> g.warmPoolConfiguration((WarmPoolConfiguration) null))
          .put(tx);
    }
  }

  /**
   * Where there are fewest of the group and of its pool together, since they will serve with it.
   */
  private void fill(
      Tx tx, GroupRecord group, List<Member> members, List<Place> places, int there, Instant now) {
    if (!Arrivals.mayLaunch(group, now)) {
      return;
    }
    int wanted = Pool.wanted(group);
    int missing = group.failures() > 0 ? 1 : wanted - there; // a try, before the others follow
    List<Member> all = new ArrayList<>(members);
    for (int i = 0; i < missing; i++) {
      Optional<Place> place = Zones.next(places, all, group.failedSubnets());
      if (place.isEmpty()) {
        return; // its subnets are gone
      }
      all.add(arrivals.warm(tx, group, place.get(), Causes.pooling(now, there, wanted), now));
    }
  }

  /** Those that are not prepared yet go first. */
  private void drain(Tx tx, GroupRecord group, List<Member> pool, int wanted, Instant now) {
    if (!ScalingProcess.TERMINATE.runs(group.group())) {
      return;
    }
    pool.stream()
        .filter(member -> member.id() != null)
        .sorted(
            Comparator.comparing(Member::warm)
                .thenComparing(Member::since)
                .thenComparing(Member::token))
        .limit(pool.size() - wanted)
        .forEach(member ->
            departures.terminate(tx, group, member, Causes.pooling(now, pool.size(), wanted), now));
  }
}
