package dev.muelle.services.ecs.placement;

import dev.muelle.services.ecs.placement.Fleet.Slot;
import dev.muelle.services.ecs.placement.Verdict.Placed;
import dev.muelle.services.ecs.placement.Verdict.Refused;
import dev.muelle.services.ecs.placement.Verdict.Rejection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the container instance for a task: those that no {@link Reason} speaks against, and of
 * them the one that the strategies prefer; among equals the one with the lowest id. Booking it is
 * the caller's.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement.html">Task
 *     placement</a>
 */
public final class Placement {

  private static final Reason[] CHECKS = Reason.values();

  private Placement() {}

  /** One decision that remembers the ones before it; the same as {@link #search}. */
  public static Verdict place(Fleet fleet, Request request, RandomGenerator random) {
    Optional<Slot> best = fleet.ranking(request).best(random);
    // Why there is none is worth a look at each of them.
    return best.isPresent()
        ? new Placed(best.get().machine().id())
        : search(fleet, request, random);
  }

  /** One decision; looks at every instance once. */
  static Verdict search(Fleet fleet, Request request, RandomGenerator random) {
    List<Slot> fitting = new ArrayList<>();
    List<Rejection> rejections = new ArrayList<>();
    for (Slot slot : fleet.slots()) {
      if (!slot.known() || !request.concerns(slot.machine())) {
        continue;
      }
      Reason against = against(slot, request);
      if (against == null) {
        fitting.add(slot);
      } else if (fitting.isEmpty() && against != Reason.DRAINING) {
        rejections.add(new Rejection(slot.machine().id(), against));
      }
    }
    return fitting.isEmpty()
        ? refused(rejections)
        : new Placed(best(fleet, request, fitting, random).machine().id());
  }

  /** What speaks against one instance, as for StartTask and before booking; empty if nothing. */
  public static Optional<Reason> against(Fleet fleet, String machine, Request request) {
    return fleet.slot(machine).map(slot -> against(slot, request));
  }

  static @Nullable Reason against(Slot slot, Request request) {
    for (Reason check : CHECKS) {
      if (!check.admits(slot, request)) {
        return check;
      }
    }
    return null;
  }

  private static Refused refused(List<Rejection> rejections) {
    List<Rejection> closestFirst =
        rejections.stream()
            .sorted(Comparator.comparing(Rejection::reason).reversed())
            .limit(Refused.MOST)
            .toList();
    return new Refused(closestFirst.isEmpty() ? null : closestFirst.getFirst(), closestFirst);
  }

  private static Slot best(
      Fleet fleet, Request request, List<Slot> fitting, RandomGenerator random) {
    List<Slot> left = fitting;
    for (Strategy strategy : request.strategies()) {
      if (left.size() == 1) {
        break;
      }
      left =
          switch (strategy) {
            case Strategy.SpreadInstances spread ->
                least(left, slot -> slot.tasksOf(request.group()));
            case Strategy.SpreadAttribute spread -> {
              Map<String, Integer> tasks = tasksBy(fleet, request.group(), spread.attribute());
              yield least(left, slot -> tasks.getOrDefault(value(slot, spread.attribute()), 0));
            }
            case Strategy.BinpackCpu binpack -> least(left, Slot::freeCpu);
            case Strategy.BinpackMemory binpack -> least(left, Slot::freeMemory);
            case Strategy.AtRandom atRandom -> List.of(left.get(random.nextInt(left.size())));
          };
    }
    return left.getFirst();
  }

  private static List<Slot> least(List<Slot> slots, ToIntFunction<Slot> measure) {
    int least = Integer.MAX_VALUE;
    List<Slot> chosen = new ArrayList<>();
    for (Slot slot : slots) {
      int value = measure.applyAsInt(slot);
      if (value < least) {
        least = value;
        chosen.clear();
      }
      if (value == least) {
        chosen.add(slot);
      }
    }
    return chosen;
  }

  /** How many tasks of a group there are at each value of an attribute. */
  private static Map<String, Integer> tasksBy(Fleet fleet, String group, String attribute) {
    Map<String, Integer> tasks = new HashMap<>();
    fleet
        .placesOf(group)
        .forEach((slot, count) -> {
          if (slot.known()) {
            tasks.merge(value(slot, attribute), count, Integer::sum);
          }
        });
    return tasks;
  }

  /** Instances without the attribute are one place of their own. */
  static String value(Slot slot, String attribute) {
    return slot.machine().attributes().getOrDefault(attribute, "");
  }
}
