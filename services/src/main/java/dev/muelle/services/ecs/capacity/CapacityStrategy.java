package dev.muelle.services.ecs.capacity;

import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.TaskRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.Service;

/**
 * How tasks are shared out among capacity providers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html">CapacityProviderStrategyItem</a>
 */
public final class CapacityStrategy {

  private static final int MOST_ITEMS = 20;
  private static final int MOST_WEIGHT = 1_000;
  private static final int MOST_BASE = 100_000;

  private CapacityStrategy() {}

  /** Checks a strategy on its own. */
  public static void check(List<CapacityProviderStrategyItem> strategy) {
    if (strategy.isEmpty()) {
      return;
    }
    if (strategy.size() > MOST_ITEMS) {
      throw Refuse.invalid("A capacity provider strategy can have at most 20 items.");
    }
    Set<String> seen = new HashSet<>();
    int bases = 0;
    int weights = 0;
    int fargate = 0;
    for (CapacityProviderStrategyItem item : strategy) {
      if (!seen.add(name(item))) {
        throw Refuse.invalid(
            "The capacity provider "
                + item.capacityProvider()
                + " is specified more than once in the capacity provider strategy.");
      }
      if (weight(item) < 0 || weight(item) > MOST_WEIGHT) {
        throw Refuse.invalid("weight must be between 0 and 1000.");
      }
      if (base(item) < 0 || base(item) > MOST_BASE) {
        throw Refuse.invalid("base must be between 0 and 100000.");
      }
      bases += base(item) > 0 ? 1 : 0;
      weights += weight(item);
      fargate += CapacityProviders.FARGATES.contains(name(item)) ? 1 : 0;
    }
    if (bases > 1) {
      throw Refuse.invalid(
          "Only one capacity provider in a capacity provider strategy can have a base defined.");
    }
    if (strategy.size() > 1 && weights == 0) {
      throw Refuse.invalid(
          "A capacity provider strategy with more than one capacity provider must have at least one"
              + " with a weight greater than zero.");
    }
    if (fargate > 0 && fargate < strategy.size()) {
      throw Refuse.invalid(
          "A capacity provider strategy cannot contain a mix of capacity providers using Auto"
              + " Scaling groups and Fargate providers. Specify one or the other and try again.");
    }
  }

  /** The provider that an item means. */
  static String name(CapacityProviderStrategyItem item) {
    return CapacityProviders.nameOf(item.capacityProvider());
  }

  private static int weight(CapacityProviderStrategyItem item) {
    return Objects.requireNonNullElse(item.weight(), 0);
  }

  private static int base(CapacityProviderStrategyItem item) {
    return Objects.requireNonNullElse(item.base(), 0);
  }

  /** Whether it places tasks on instances of Auto Scaling groups: it names no Fargate then. */
  public static boolean ofGroups(List<CapacityProviderStrategyItem> strategy) {
    return !strategy.isEmpty() && !CapacityProviders.FARGATES.contains(name(strategy.getFirst()));
  }

  /** Whether tasks with these are placed on instances. */
  public static boolean onInstances(
      @Nullable LaunchType launchType, List<CapacityProviderStrategyItem> strategy) {
    return launchType == LaunchType.EC2 || ofGroups(strategy);
  }

  /** Whether a service's tasks are placed on instances. */
  public static boolean onInstances(Service service) {
    return onInstances(service.launchType(), service.capacityProviderStrategy());
  }

  /**
   * Which provider the next task gets: the one with a base until it has it, then whichever is
   * furthest behind its weight.
   *
   * @param counts tasks that each provider has already
   * @return null without a strategy
   */
  public static @Nullable String next(
      List<CapacityProviderStrategyItem> strategy, Map<String, Integer> counts) {
    String best = null;
    double least = Double.POSITIVE_INFINITY;
    for (CapacityProviderStrategyItem item : strategy) {
      String name = name(item);
      int beyond = counts.getOrDefault(name, 0) - base(item);
      if (beyond < 0) {
        return name;
      }
      int weight = strategy.size() == 1 ? 1 : weight(item);
      double share = weight == 0 ? Double.POSITIVE_INFINITY : (beyond + 1.0) / weight;
      if (share < least) {
        least = share;
        best = name;
      }
    }
    return best;
  }

  /** How many of these tasks each provider has. */
  public static Map<String, Integer> counts(List<TaskRecord> tasks) {
    Map<String, Integer> counts = new HashMap<>();
    for (TaskRecord task : tasks) {
      String provider = task.task().capacityProviderName();
      if (provider != null) {
        counts.merge(provider, 1, Integer::sum);
      }
    }
    return counts;
  }
}
