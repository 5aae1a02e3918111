package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.service.Rollout.Member;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where a service's tasks are spread, and how they get there: pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html">Balancing
 *     an Amazon ECS service across Availability Zones</a>
 */
final class Zones {

  private Zones() {}

  /** How many tasks there are in each zone and each subnet, as more of them are made. */
  static final class Taken {
    private final Map<String, String> zones;
    private final Map<String, Integer> inZone = new HashMap<>();
    private final Map<String, Integer> inSubnet = new HashMap<>();

    /**
     * Those of the tasks that there are.
     *
     * @param zones of each subnet
     */
    Taken(Map<String, String> zones, List<String> subnets) {
      this.zones = Map.copyOf(zones);
      subnets.forEach(this::add);
    }

    private String zone(String subnet) {
      return zones.getOrDefault(subnet, "");
    }

    private void add(String subnet) {
      inZone.merge(zone(subnet), 1, Integer::sum);
      inSubnet.merge(subnet, 1, Integer::sum);
    }

    /**
     * The subnet for one more task: of the zone with the fewest tasks the one with the fewest, the
     * first of equals.
     */
    String next(List<String> subnets) {
      String subnet =
          subnets.stream()
              .min(
                  Comparator.comparingInt((String one) -> inZone.getOrDefault(zone(one), 0))
                      .thenComparingInt(one -> inSubnet.getOrDefault(one, 0)))
              .orElseThrow();
      add(subnet);
      return subnet;
    }
  }

  /** How many tasks each zone has, also those that could have some. */
  static Map<String, Integer> spread(Collection<String> zones, List<Member> members) {
    Map<String, Integer> spread = new TreeMap<>();
    zones.forEach(zone -> spread.put(zone, 0));
    members.forEach(member -> spread.merge(member.zone(), 1, Integer::sum));
    return spread;
  }

  /** Tasks to start in a zone; others are stopped once these are healthy. */
  record Move(String zone, int tasks) {}

  /**
   * What would make the zones more even; empty if none has two tasks more than another.
   *
   * @param room how many tasks more there may be
   */
  static Optional<Move> balance(Map<String, Integer> spread, int room) {
    String emptiest = null;
    int least = Integer.MAX_VALUE;
    int most = 0;
    for (Map.Entry<String, Integer> zone : spread.entrySet()) {
      most = Math.max(most, zone.getValue());
      if (zone.getValue() < least) {
        least = zone.getValue();
        emptiest = zone.getKey();
      }
    }
    return emptiest == null || most - least < 2 || room < 1
        ? Optional.empty()
        : Optional.of(new Move(emptiest, Math.min(room, (most - least) / 2)));
  }

  static boolean even(Map<String, Integer> spread) {
    return balance(spread, 1).isEmpty();
  }

  /** As service events tell it: {@code 2 tasks in a, 1 tasks in b, and 0 tasks in c}. */
  static String told(Map<String, Integer> spread) {
    List<String> parts = new ArrayList<>();
    spread.forEach((zone, tasks) -> parts.add(tasks + " tasks in " + zone));
    int last = parts.size() - 1;
    return last < 1
        ? String.join("", parts)
        : String.join(", ", parts.subList(0, last)) + ", and " + parts.get(last);
  }
}
