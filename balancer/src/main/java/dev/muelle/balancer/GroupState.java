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
   * if none is healthy (fail-open). Null if there is none.
   *
   * @param cookie which one the client had before, if it brings that
   */
  @Nullable MemberState pick(
      Collection<MemberState> tried, @Nullable String cookie, RandomGenerator random, Instant now) {
    List<MemberState> all = members;
    boolean anyHealthy = false;
    for (MemberState member : all) {
      anyHealthy |= member.healthy();
    }
    int eligible = 0;
    for (MemberState member : all) {
      if (eligible(member, anyHealthy, tried)) {
        eligible++;
        if (cookie != null && Sticky.means(cookie, mark(member), now) && member.enter()) {
          return member;
        }
      }
    }
    if (eligible == 0) {
      return null;
    }
    LoadBalancer.Algorithm algorithm = choice.algorithm();
    int skip =
        algorithm == LoadBalancer.Algorithm.WEIGHTED_RANDOM
            ? random.nextInt(eligible) // as long as no target's weight was lowered
            : Math.floorMod(turn.getAndIncrement(), eligible);
    int least = Integer.MAX_VALUE;
    if (algorithm == LoadBalancer.Algorithm.LEAST_OUTSTANDING_REQUESTS) {
      for (MemberState member : all) {
        if (eligible(member, anyHealthy, tried)) {
          least = Math.min(least, member.outstanding());
        }
      }
    }
    // Of those with the least, whose turn it is; if others were quicker, whoever comes first.
    for (int round = 0; round < 3; round++) {
      for (MemberState member : all) {
        if (eligible(member, anyHealthy, tried)
            && skip-- <= 0
            && (round == 2 || member.outstanding() <= least)
            && member.enter()) {
          return member;
        }
      }
    }
    return null;
  }

  /** What a cookie says of a target. */
  static String mark(MemberState member) {
    return member.group.id + " " + member.target.address() + " " + member.target.port();
  }

  private static boolean eligible(
      MemberState member, boolean anyHealthy, Collection<MemberState> tried) {
    return !member.draining()
        && (member.healthy() || !anyHealthy)
        && (tried.isEmpty() || !tried.contains(member));
  }
}
