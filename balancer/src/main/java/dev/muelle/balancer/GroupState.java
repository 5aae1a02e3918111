package dev.muelle.balancer;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A target group as it runs: whose turn it is. */
final class GroupState {

  final String id;
  final Metrics metrics = new Metrics();

  /** It never changes. */
  final LoadBalancer.Version version;

  volatile LoadBalancer.Choice choice = LoadBalancer.Choice.DEFAULT;
  volatile LoadBalancer.HealthCheck check;
  volatile List<MemberState> members = List.of();

  private final AtomicInteger turn = new AtomicInteger();
  private final Consumer<String> listener;

  GroupState(
      String id,
      LoadBalancer.Version version,
      LoadBalancer.HealthCheck check,
      Consumer<String> listener) {
    this.id = id;
    this.version = version;
    this.check = check;
    this.listener = listener;
  }

  void changed() {
    listener.accept(id);
  }

  /**
   * A target that was not tried yet, with a place taken on it: a healthy one, or any registered one
   * if too few are healthy (fail-open). Null if there is none.
   *
   * @param cookie which one the client had before, if it brings that
   * @param zone of the targets; null if it does not matter
   */
  @Nullable MemberState pick(
      Collection<MemberState> tried,
      @Nullable String cookie,
      @Nullable String zone,
      RandomGenerator random,
      Instant now) {
    LoadBalancer.Choice how = choice;
    Wanted wanted = new Wanted(failsOpen(zone), tried, zone);
    int eligible = 0;
    for (MemberState member : members) {
      if (wanted.is(member)) {
        eligible++;
        if (cookie != null && Sticky.means(cookie, mark(member), now) && member.enter()) {
          return member;
        }
      }
    }
    if (eligible == 0) {
      return null;
    }
    return switch (how.algorithm()) {
      case ROUND_ROBIN -> first(wanted, turn(eligible), Integer.MAX_VALUE, random, now);
      case LEAST_OUTSTANDING_REQUESTS -> first(wanted, turn(eligible), least(wanted), random, now);
      case WEIGHTED_RANDOM -> {
        MemberState chosen = how.mitigates() ? weighted(wanted, random) : null;
        yield chosen != null
            ? chosen
            : first(wanted, random.nextInt(eligible), Integer.MAX_VALUE, random, now);
      }
    };
  }

  private int turn(int eligible) {
    return Math.floorMod(turn.getAndIncrement(), eligible);
  }

  /** Whether too few targets are healthy to leave the others out. */
  private boolean failsOpen(@Nullable String zone) {
    int healthy = 0;
    int total = 0;
    for (MemberState member : members) {
      if (!member.draining() && member.serves(zone)) {
        total++;
        if (member.healthy()) {
          healthy++;
        }
      }
    }
    return !choice.healthy().reached(healthy, total);
  }

  private int least(Wanted wanted) {
    int least = Integer.MAX_VALUE;
    for (MemberState member : members) {
      if (wanted.is(member)) {
        least = Math.min(least, member.outstanding());
      }
    }
    return least;
  }

  /** Of those with at most so much to do, whose turn it is; if others were quicker, whoever. */
  private @Nullable MemberState first(
      Wanted wanted, int turn, int most, RandomGenerator random, Instant now) {
    int skip = turn;
    for (int round = 0; round < 3; round++) {
      for (MemberState member : members) {
        if (wanted.is(member)
            && skip-- <= 0
            && (round == 2
                || member.outstanding() <= most && member.warm(random, choice.slowStart(), now))
            && member.enter()) {
          return member;
        }
      }
    }
    return null;
  }

  private @Nullable MemberState weighted(Wanted wanted, RandomGenerator random) {
    double total = 0;
    for (MemberState member : members) {
      total += wanted.is(member) ? member.weight() : 0;
    }
    double ticket = random.nextDouble() * total;
    for (MemberState member : members) {
      if (wanted.is(member)) {
        ticket -= member.weight();
        if (ticket < 0 && member.enter()) {
          return member;
        }
      }
    }
    return null;
  }

  /** Looks who fails more often than the others, and gives those less; once a second. */
  void weigh() {
    List<MemberState> healthy =
        members.stream().filter(member -> member.healthy() && !member.draining()).toList();
    healthy.forEach(MemberState::sample);
    List<Anomalies.Sample> samples = healthy.stream().map(MemberState::sampled).toList();
    healthy.forEach(member -> member.weigh(Anomalies.anomalous(member.sampled(), samples)));
  }

  /** Whether a target that has become healthy is to be given its share slowly. */
  boolean startsSlowly(MemberState fresh) {
    return !choice.slowStart().isZero()
        && members.stream()
            .anyMatch(other -> !other.equals(fresh) && other.healthy() && !other.warming());
  }

  /** What a cookie says of a target. */
  static String mark(MemberState member) {
    return member.group.id + " " + member.target.address() + " " + member.target.port();
  }

  /** Who may be chosen now. */
  private record Wanted(boolean open, Collection<MemberState> tried, @Nullable String zone) {

    boolean is(MemberState member) {
      return !member.draining()
          && (open || member.healthy())
          && member.serves(zone)
          && (tried.isEmpty() || !tried.contains(member));
    }
  }
}
