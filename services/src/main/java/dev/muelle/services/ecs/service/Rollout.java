package dev.muelle.services.ecs.service;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which tasks of a service to start and to stop now: a pure function.
 *
 * <p>The rules of the rolling update: at most {@code floor(desired × maximumPercent)} tasks are
 * pending or running, and no task is stopped whose stopping would leave fewer than {@code
 * ceil(desired × minimumHealthyPercent)} healthy ones.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html">Rolling
 *     update</a>
 */
public final class Rollout {

  private Rollout() {}

  private static final Comparator<Member> ROOMIEST =
      Comparator.comparingInt((Member member) -> -member.room())
          .thenComparing(Member::createdAt)
          .thenComparing(Member::id);

  /** How a task stands towards its load balancers. */
  public enum Health {
    /** Not running yet, or nobody's target: it serves nobody. */
    WAITING,
    /** It runs, and its targets are being checked: it may serve, as after a restart of ours. */
    CHECKING,
    HEALTHY,
    /** Its targets failed their checks after the grace period. */
    UNHEALTHY
  }

  /**
   * A task that is neither stopped nor asked to stop.
   *
   * @param zone empty where it does not matter from which one a task goes
   * @param failure why it is unhealthy, in ECS's words; empty otherwise
   * @param room how much its instance has left, where the instances with most are to be emptied
   *     first
   */
  public record Member(
      String id,
      String deployment,
      String zone,
      Health health,
      String failure,
      Instant createdAt,
      int room) {

    public Member(
        String id,
        String deployment,
        String zone,
        Health health,
        String failure,
        Instant createdAt) {
      this(id, deployment, zone, health, failure, createdAt, 0);
    }

    /** Of a service whose tasks are packed: wherever there is most room it goes first. */
    Member packed(int left) {
      return new Member(id, deployment, "", health, failure, createdAt, left);
    }
  }

  /**
   * What is wanted.
   *
   * @param primary the id of the deployment that is to stay
   * @param held whether no new task may be started (a failed deployment, or throttling)
   * @param moving how many tasks of the primary deployment were made beyond the wanted number, to
   *     take the place of others once they are healthy
   */
  record Want(
      int desired,
      int minimumPercent,
      int maximumPercent,
      String primary,
      boolean held,
      int moving) {

    Want(int desired, int minimumPercent, int maximumPercent, String primary, boolean held) {
      this(desired, minimumPercent, maximumPercent, primary, held, 0);
    }

    int minimum() {
      return Math.ceilDiv(desired * minimumPercent, 100);
    }

    int maximum() {
      return Math.floorDiv(desired * maximumPercent, 100);
    }
  }

  /** A task to stop, and the reason that it will show. */
  public record Stop(String taskId, String reason) {}

  /**
   * What to do.
   *
   * @param start how many tasks of the primary deployment
   * @param settled whether there is nothing left to do: the wanted number of healthy tasks of the
   *     primary deployment, and no others
   * @param blocked whether the percentages allow neither to start a new task nor to stop an old one
   */
  record Plan(int start, List<Stop> stop, boolean settled, boolean blocked) {

    Plan(int start, List<Stop> stop, boolean settled) {
      this(start, stop, settled, false);
    }
  }

  static Plan plan(Want want, List<Member> members) {
    return plan(want, members, Set.of());
  }

  /**
   * Decides.
   *
   * @param shielded ids of those that stay as long as they are healthy, however many are too many
   */
  static Plan plan(Want want, List<Member> members, Set<String> shielded) {
    List<Stop> stop = new ArrayList<>();
    List<Member> primary = new ArrayList<>();
    List<Member> old = new ArrayList<>();
    for (Member member : members) {
      if (member.health() == Health.UNHEALTHY) {
        stop.add(new Stop(member.id(), member.failure()));
      } else if (member.deployment().equals(want.primary())) {
        primary.add(member);
      } else {
        old.add(member);
      }
    }
    int surplus = primary.size() - want.desired() - want.moving();
    if (surplus > 0) {
      List<Member> leaving = leaving(without(primary, shielded), surplus);
      leaving.forEach(member -> stop.add(new Stop(member.id(), scaling(member))));
      primary.removeAll(Set.copyOf(leaving));
    }
    // Old tasks that serve nobody may go at once; of those that serve, as many as can be spared;
    // those that may serve, once there are enough of which that is known.
    int spare = healthy(primary) + healthy(old) - want.minimum();
    List<Member> leaving = new ArrayList<>();
    for (Member member : leavingOrder(without(old, shielded))) {
      switch (member.health()) {
        case WAITING -> leaving.add(member);
        case CHECKING -> {
          if (spare >= 0) {
            leaving.add(member);
          }
        }
        case HEALTHY -> {
          if (spare > 0) {
            leaving.add(member);
            spare--;
          }
        }
        case UNHEALTHY -> throw new IllegalStateException(member + " is stopped anyway");
      }
    }
    if (want.held()) {
      // What would replace them cannot be started: as many stay as are missing.
      int missing = Math.max(0, want.desired() - primary.size());
      leaving = leaving.subList(0, Math.clamp(old.size() - missing, 0, leaving.size()));
    }
    leaving.forEach(member -> stop.add(new Stop(member.id(), scaling(member))));
    old.removeAll(Set.copyOf(leaving));
    int room = want.maximum() - primary.size() - old.size();
    int start = want.held() ? 0 : Math.max(0, Math.min(want.desired() - primary.size(), room));
    boolean settled =
        stop.isEmpty() && start == 0 && old.isEmpty() && healthy(primary) == want.desired();
    boolean blocked =
        stop.isEmpty()
            && start == 0
            && !want.held()
            && primary.size() < want.desired()
            && healthy(primary) + healthy(old) == members.size();
    return new Plan(start, List.copyOf(stop), settled, blocked);
  }

  private static List<Member> without(List<Member> members, Set<String> shielded) {
    return members.stream().filter(member -> !shielded.contains(member.id())).toList();
  }

  private static int healthy(List<Member> members) {
    return (int) members.stream().filter(member -> member.health() == Health.HEALTHY).count();
  }

  private static String scaling(Member member) {
    return "Scaling activity initiated by (deployment " + member.deployment() + ")";
  }

  /**
   * Those to stop first: not serving, then from the zone that is the fullest without those chosen
   * before, then where there is most room, then the oldest.
   */
  private static List<Member> leaving(List<Member> members, int count) {
    Map<String, Integer> zones = new HashMap<>();
    Map<Health, Map<String, Deque<Member>>> waiting = new EnumMap<>(Health.class);
    members.stream()
        .sorted(ROOMIEST)
        .forEach(member -> {
          zones.merge(member.zone(), 1, Integer::sum);
          waiting
              .computeIfAbsent(member.health(), health -> new HashMap<>())
              .computeIfAbsent(member.zone(), zone -> new ArrayDeque<>())
              .add(member);
        });
    List<Member> chosen = new ArrayList<>();
    for (Map<String, Deque<Member>> alike : waiting.values()) {
      while (chosen.size() < count && !alike.isEmpty()) {
        Member next =
            alike.values().stream()
                .map(Deque::getFirst)
                .min(
                    Comparator.comparingInt((Member first) -> -zones.getOrDefault(first.zone(), 0))
                        .thenComparing(ROOMIEST))
                .orElseThrow();
        Deque<Member> there = Objects.requireNonNull(alike.get(next.zone()));
        there.removeFirst();
        if (there.isEmpty()) {
          alike.remove(next.zone());
        }
        zones.merge(next.zone(), -1, Integer::sum);
        chosen.add(next);
      }
    }
    return chosen;
  }

  private static List<Member> leavingOrder(List<Member> members) {
    Map<String, Long> zones =
        members.stream().collect(Collectors.groupingBy(Member::zone, Collectors.counting()));
    return members.stream()
        .sorted(
            Comparator.comparing(Member::health)
                .thenComparingLong(member -> -zones.getOrDefault(member.zone(), 0L))
                .thenComparing(Member::createdAt)
                .thenComparing(Member::id))
        .toList();
  }

  /**
   * How many failed tasks trip the deployment circuit breaker: half of the desired ones, at least
   * 3, at most 200. Those that could not be placed are among them (AWS re:Post, "How do I
   * troubleshoot failed deployments": container instances that did not meet the placement
   * criteria).
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html">Deployment
   *     circuit breaker</a>
   */
  static int breakerThreshold(int desired) {
    return Math.clamp(Math.ceilDiv(desired, 2), 3, 200);
  }
}
