package dev.muelle.services.ecs.placement;

import dev.muelle.services.ecs.placement.Fleet.Slot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The instances that fit one request, in the order of its strategies. It is kept from one decision
 * to the next: only instances of which something changed in between are looked at again, so that a
 * decision costs the same among thousands as among a few. What it gives is what {@link
 * Placement#place} finds by looking at every instance.
 *
 * <p>How many tasks a group has in a zone concerns all instances of the zone. So instances with the
 * same values of the attributes that tasks are spread over are ranked among themselves, by what
 * concerns each alone, and only the first ones of each such place are compared by all strategies.
 */
final class Ranking {

  /** An instance as it stood when it was last looked at; it fits if it has measures. */
  private record Standing(
      String id, Slot slot, List<String> place, int groupTasks, int @Nullable [] own) {}

  private final Request request;

  /** Up to a random choice, which leaves nothing for those after it. */
  private final List<Strategy> strategies = new ArrayList<>();

  private final boolean random;
  private final List<String> attributes = new ArrayList<>();
  private final Comparator<Standing> order;
  private final Map<Slot, Standing> standings = new HashMap<>();
  private final Map<List<String>, NavigableSet<Standing>> fitting = new HashMap<>();

  /** For each of the attributes: how many tasks of the group there are at each of its values. */
  private final List<Map<String, Integer>> groupTasks = new ArrayList<>();

  private final Set<Slot> touched = new HashSet<>();
  private long looks;

  Ranking(Fleet fleet, Request request) {
    this.request = request;
    boolean ends = false;
    for (Strategy strategy : request.strategies()) {
      if (strategy instanceof Strategy.AtRandom) {
        ends = true;
        break;
      }
      strategies.add(strategy);
      if (strategy instanceof Strategy.SpreadAttribute spread) {
        attributes.add(spread.attribute());
        groupTasks.add(new HashMap<>());
      }
    }
    random = ends;
    order =
        Comparator.comparing(
                (Standing standing) -> Objects.requireNonNull(standing.own()), Arrays::compare)
            .thenComparing(Standing::id);
    touched.addAll(fleet.slots());
  }

  /** Something changed of an instance, or of what is booked on it. */
  void touch(Slot slot) {
    touched.add(slot);
  }

  /** How many instances were looked at, since it was made. */
  long looks() {
    return looks;
  }

  /** The instance for one task; empty if none fits. */
  Optional<Slot> best(RandomGenerator generator) {
    looks += touched.size();
    touched.forEach(this::forget);
    touched.forEach(this::look);
    touched.clear();
    int[] least = null;
    List<NavigableSet<Standing>> best = new ArrayList<>();
    for (NavigableSet<Standing> place : fitting.values()) {
      int[] measures = measures(place.first());
      int sign = least == null ? -1 : Arrays.compare(measures, least);
      if (sign < 0) {
        least = measures;
        best.clear();
      }
      if (sign <= 0) {
        best.add(place);
      }
    }
    if (best.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(random ? anyOf(best, generator) : lowest(best));
  }

  private static Slot lowest(List<NavigableSet<Standing>> best) {
    return best.stream()
        .map(place -> place.first().slot())
        .min(Comparator.comparing(slot -> slot.machine().id()))
        .orElseThrow();
  }

  private static Slot anyOf(List<NavigableSet<Standing>> best, RandomGenerator generator) {
    List<Slot> equal = new ArrayList<>();
    for (NavigableSet<Standing> place : best) {
      int[] own = Objects.requireNonNull(place.first().own());
      for (Standing standing : place) {
        if (Arrays.compare(own, Objects.requireNonNull(standing.own())) != 0) {
          break;
        }
        equal.add(standing.slot());
      }
    }
    if (best.size() > 1) {
      equal.sort(Comparator.comparing(slot -> slot.machine().id()));
    }
    return equal.size() == 1 ? equal.getFirst() : equal.get(generator.nextInt(equal.size()));
  }

  private void forget(Slot slot) {
    Standing before = standings.remove(slot);
    if (before != null) {
      count(before.place(), -before.groupTasks());
      NavigableSet<Standing> place = fitting.get(before.place());
      if (place != null && before.own() != null) {
        place.remove(before);
        if (place.isEmpty()) {
          fitting.remove(before.place());
        }
      }
    }
  }

  private void look(Slot slot) {
    if (!slot.known()) {
      return;
    }
    List<String> values =
        attributes.stream().map(attribute -> Placement.value(slot, attribute)).toList();
    boolean fits = request.concerns(slot.machine()) && Placement.against(slot, request) == null;
    Standing now =
        new Standing(
            slot.machine().id(),
            slot,
            values,
            slot.tasksOf(request.group()),
            fits ? own(slot) : null);
    standings.put(slot, now);
    count(values, now.groupTasks());
    if (fits) {
      fitting.computeIfAbsent(values, v -> new TreeSet<>(order)).add(now);
    }
  }

  private void count(List<String> values, int more) {
    if (more != 0) {
      for (int i = 0; i < values.size(); i++) {
        groupTasks.get(i).merge(values.get(i), more, (a, b) -> a + b == 0 ? null : a + b);
      }
    }
  }

  /** What concerns the instance alone, in the order of the strategies. */
  private int[] own(Slot slot) {
    return strategies.stream()
        .filter(strategy -> !(strategy instanceof Strategy.SpreadAttribute))
        .mapToInt(strategy -> own(strategy, slot))
        .toArray();
  }

  private int own(Strategy strategy, Slot slot) {
    return switch (strategy) {
      case Strategy.SpreadInstances spread -> slot.tasksOf(request.group());
      case Strategy.BinpackCpu binpack -> slot.freeCpu();
      case Strategy.BinpackMemory binpack -> slot.freeMemory();
      case Strategy.SpreadAttribute spread -> throw new IllegalStateException("not its alone");
      case Strategy.AtRandom atRandom -> throw new IllegalStateException("no measure");
    };
  }

  /** By all strategies. */
  private int[] measures(Standing standing) {
    int[] own = Objects.requireNonNull(standing.own());
    int[] all = new int[strategies.size()];
    int alone = 0;
    int spread = 0;
    for (int i = 0; i < all.length; i++) {
      if (strategies.get(i) instanceof Strategy.SpreadAttribute) {
        all[i] = groupTasks.get(spread).getOrDefault(standing.place().get(spread), 0);
        spread++;
      } else {
        all[i] = own[alone++];
      }
    }
    return all;
  }
}
