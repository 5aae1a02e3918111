package dev.muelle.balancer;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A target group as it runs: whose turn it is. */
final class GroupState {

  final String id;
  final Metrics metrics = new Metrics();

  /** It never changes. */
  final LoadBalancer.Version version;

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
   * The next target in turn that was not tried yet, with a place taken on it: a healthy one, or any
   * registered one if none is healthy (fail-open). Null if there is none.
   */
  @Nullable MemberState pick(Collection<MemberState> tried) {
    List<MemberState> all = members;
    boolean anyHealthy = false;
    for (MemberState member : all) {
      anyHealthy |= member.healthy();
    }
    int eligible = 0;
    for (MemberState member : all) {
      if (eligible(member, anyHealthy, tried)) {
        eligible++;
      }
    }
    if (eligible == 0) {
      return null;
    }
    int skip = Math.floorMod(turn.getAndIncrement(), eligible);
    for (int round = 0; round < 2; round++) {
      for (MemberState member : all) {
        if (eligible(member, anyHealthy, tried) && skip-- <= 0 && member.enter()) {
          return member;
        }
      }
    }
    return null;
  }

  private static boolean eligible(
      MemberState member, boolean anyHealthy, Collection<MemberState> tried) {
    return !member.draining()
        && (member.healthy() || !anyHealthy)
        && (tried.isEmpty() || !tried.contains(member));
  }
}
