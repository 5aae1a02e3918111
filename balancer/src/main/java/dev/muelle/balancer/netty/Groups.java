package dev.muelle.balancer.netty;

import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.health.HealthRules;
import dev.muelle.balancer.probes.Checks;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.MemberState;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The target groups of all load balancers. Changes are made by one caller at a time. */
final class Groups {

  private final InstantSource clock;
  private final EventLoopGroup loops;
  private final Checks checks;
  private final Consumer<String> listener;
  private final Map<String, GroupState> groups = new ConcurrentHashMap<>();

  /**
   * None yet.
   *
   * @param listener hears the id of a group in which something changed
   */
  Groups(InstantSource clock, EventLoopGroup loops, Checks checks, Consumer<String> listener) {
    this.clock = clock;
    this.loops = loops;
    this.checks = checks;
    this.listener = listener;
  }

  @Nullable GroupState get(String id) {
    return groups.get(id);
  }

  void weigh() {
    groups.values().forEach(GroupState::weigh);
  }

  /** Makes a load balancer's groups these; those that nobody has any more are forgotten. */
  void put(BalancerState state, LoadBalancer wanted, Collection<BalancerState> balancers) {
    Map<String, GroupState> old = state.groups;
    Map<String, GroupState> now = new HashMap<>();
    for (TargetGroup group : wanted.groups().values()) {
      now.put(
          group.id(),
          groups.computeIfAbsent(
              group.id(),
              id ->
                  new GroupState(
                      id, group.version(), group.secure(), group.healthCheck(), listener)));
    }
    state.wanted = wanted;
    state.groups = Map.copyOf(now);
    wanted.groups().values().forEach(group -> members(state, now.get(group.id()), group));
    old.forEach((id, group) -> {
      if (!now.containsKey(id)) {
        forget(group, balancers);
      }
    });
  }

  private void members(BalancerState balancer, @Nullable GroupState group, TargetGroup wanted) {
    if (group == null) {
      return;
    }
    group.check = wanted.healthCheck();
    group.choice(wanted.choice());
    group.delivery = wanted.delivery();
    Map<Target, MemberState> present = new HashMap<>();
    group.members().forEach(member -> present.put(member.target, member));
    boolean empty = present.isEmpty();
    List<MemberState> now = new ArrayList<>();
    List<MemberState> fresh = new ArrayList<>();
    for (Member member : wanted.members()) {
      MemberState state = present.remove(member.target());
      if (state != null && state.draining() && member.drainUntil() == null) {
        state.stop(); // registered again: a new life
        state = null;
      }
      if (state == null) {
        state =
            new MemberState(
                group,
                member.target(),
                member.zone(),
                empty,
                member.knownHealthy()
                    ? HealthRules.knownHealthy(clock.instant())
                    : HealthRules.fresh(clock.instant()));
        if (member.drainUntil() == null) {
          fresh.add(state);
        }
      }
      state.avoided = member.avoided();
      now.add(state);
    }
    group.members(now);
    for (int i = 0; i < now.size(); i++) {
      Instant until = wanted.members().get(i).drainUntil();
      if (until != null) {
        drain(now.get(i), until);
      }
    }
    for (MemberState removed : present.values()) {
      removed.stop();
      if (!removed.drain(clock.instant())) {
        removed.cut(clock.instant()); // its time was over a moment before its timer said so
      }
    }
    fresh.forEach(state -> checks.begin(balancer, state));
  }

  private void drain(MemberState member, Instant until) {
    if (member.drain(clock.instant())) {
      long left = Math.max(0, Duration.between(clock.instant(), until).toMillis());
      member.deadline =
          loops.schedule(() -> member.cut(clock.instant()), left, TimeUnit.MILLISECONDS);
    }
  }

  /** Forgets a group, unless one of these load balancers has it. */
  void forget(GroupState group, Collection<BalancerState> balancers) {
    boolean used = balancers.stream().anyMatch(other -> other.groups.containsValue(group));
    if (!used && groups.remove(group.id, group)) {
      for (MemberState member : group.members()) {
        member.stop();
        member.drain(clock.instant());
      }
    }
  }
}
