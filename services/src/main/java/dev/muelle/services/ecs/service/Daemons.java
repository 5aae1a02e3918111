package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.Rollout.Stop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which tasks of a DAEMON service to start and to stop now: a pure function. Each instance has
 * exactly one task; in an update the old one stops before the new one starts, and no more of them
 * at a time than may be missing.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html#service_scheduler_daemon">Daemon
 *     scheduling strategy</a>
 */
public final class Daemons {

  private Daemons() {}

  /**
   * What is wanted.
   *
   * @param instances those that are to have a task, by id
   * @param busy instances on which a task is still stopping
   * @param held whether no new task may be started
   */
  public record Want(
      Set<String> instances, Set<String> busy, int minimumPercent, String primary, boolean held) {

    public int minimum() {
      return Math.ceilDiv(instances.size() * minimumPercent, 100);
    }
  }

  /**
   * What to do.
   *
   * @param start on which instances
   * @param blocked whether the percentage does not allow to stop any task of an old deployment
   */
  public record Plan(List<String> start, List<Stop> stop, boolean settled, boolean blocked) {}

  /**
   * Decides.
   *
   * @param members by the instance that they are on
   * @param shielded ids of those that stay as long as they are healthy
   */
  public static Plan plan(Want want, Map<String, List<Member>> members, Set<String> shielded) {
    List<Stop> stop = new ArrayList<>();
    List<String> start = new ArrayList<>();
    List<Member> old = new ArrayList<>();
    int healthy = 0;
    boolean settled = true;
    members.forEach((instance, there) -> {
      if (!want.instances().contains(instance)) {
        there.stream()
            .filter(member -> !stays(member, shielded))
            .forEach(member -> stop.add(stop(member)));
      }
    });
    for (String instance : want.instances().stream().sorted().toList()) {
      List<Member> left = new ArrayList<>();
      for (Member member : members.getOrDefault(instance, List.of())) {
        if (member.health() == Health.UNHEALTHY) {
          stop.add(new Stop(member.id(), member.failure()));
        } else {
          left.add(member);
        }
      }
      left.sort(
          Comparator.comparing((Member member) -> stays(member, shielded))
              .thenComparing(member -> member.deployment().equals(want.primary()))
              .thenComparing(Member::health)
              .reversed()
              .thenComparing(Member::createdAt)
              .thenComparing(Member::id));
      left.stream()
          .skip(1)
          .filter(member -> !stays(member, shielded))
          .forEach(member -> stop.add(stop(member)));
      if (left.isEmpty()) {
        if (!want.held() && !want.busy().contains(instance) && !stopsOn(members, instance)) {
          start.add(instance);
        }
        settled = false;
        continue;
      }
      Member kept = left.getFirst();
      healthy += kept.health() == Health.HEALTHY ? 1 : 0;
      if (!kept.deployment().equals(want.primary())) {
        old.add(kept);
      }
    }
    settled &= old.isEmpty() && healthy == want.instances().size();
    old.removeIf(member -> stays(member, shielded)); // they are waited for
    int spare = healthy - want.minimum();
    for (Member member : old.stream().sorted(Comparator.comparing(Member::health)).toList()) {
      if (want.held()) {
        break; // what would replace it cannot be started
      }
      if (member.health() != Health.HEALTHY) {
        stop.add(stop(member));
      } else if (spare > 0) {
        stop.add(stop(member));
        spare--;
      }
    }
    boolean blocked =
        !old.isEmpty()
            && stop.isEmpty()
            && start.isEmpty()
            && !want.held()
            && healthy == want.instances().size();
    return new Plan(start, List.copyOf(stop), settled && stop.isEmpty(), blocked);
  }

  private static boolean stays(Member member, Set<String> shielded) {
    return member.health() != Health.UNHEALTHY && shielded.contains(member.id());
  }

  /** Whether there is a task that this same look stops. */
  private static boolean stopsOn(Map<String, List<Member>> members, String instance) {
    return !members.getOrDefault(instance, List.of()).isEmpty();
  }

  private static Stop stop(Member member) {
    return new Stop(
        member.id(), "Scaling activity initiated by (deployment " + member.deployment() + ")");
  }
}
