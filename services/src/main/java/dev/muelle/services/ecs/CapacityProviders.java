package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStatus;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.ResourceInUseException;

/**
 * Where a cluster's tasks get their capacity from, and how they are shared out: Fargate, and
 * Fargate Spot, whose tasks can be interrupted. Providers of Auto Scaling groups come with Auto
 * Scaling; until then no other name is found.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html">Amazon
 *     ECS clusters for Fargate</a>
 */
final class CapacityProviders {

  static final String FARGATE = "FARGATE";
  static final String SPOT = "FARGATE_SPOT";

  private static final List<String> ALL = List.of(FARGATE, SPOT);
  private static final int MOST_ITEMS = 20;
  private static final int MOST_WEIGHT = 1_000;
  private static final int MOST_BASE = 100_000;

  private final Scope scope;
  private final Store store;
  private final Clusters clusters;

  CapacityProviders(Scope scope, Store store, Clusters clusters) {
    this.scope = scope;
    this.store = store;
    this.clusters = clusters;
  }

  /** Refuses what is no provider. */
  static void checkNames(List<String> names) {
    for (String name : names) {
      if (!ALL.contains(nameOf(name))) {
        throw Refuse.invalid(
            "The specified capacity provider "
                + name
                + " was not found. Specify a valid name or ARN and try again.");
      }
    }
  }

  private static String nameOf(@Nullable String reference) {
    return reference == null ? "" : reference.substring(reference.lastIndexOf('/') + 1);
  }

  /**
   * Checks a strategy on its own.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html">CapacityProviderStrategyItem</a>
   */
  static void check(List<CapacityProviderStrategyItem> strategy) {
    if (strategy.isEmpty()) {
      return;
    }
    if (strategy.size() > MOST_ITEMS) {
      throw Refuse.invalid("A capacity provider strategy can have at most 20 items.");
    }
    checkNames(strategy.stream().map(CapacityProviderStrategyItem::capacityProvider).toList());
    Set<String> seen = new HashSet<>();
    int bases = 0;
    int weights = 0;
    for (CapacityProviderStrategyItem item : strategy) {
      if (!seen.add(nameOf(item.capacityProvider()))) {
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
  }

  /** Refuses a strategy that names what the cluster does not have. */
  static void check(List<CapacityProviderStrategyItem> strategy, Cluster cluster) {
    check(strategy);
    for (CapacityProviderStrategyItem item : strategy) {
      if (!cluster.capacityProviders().contains(nameOf(item.capacityProvider()))) {
        throw Refuse.invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is"
                + " not associated with the cluster. Associate the capacity provider with the"
                + " cluster and try again.");
      }
    }
  }

  private static int weight(CapacityProviderStrategyItem item) {
    return Objects.requireNonNullElse(item.weight(), 0);
  }

  private static int base(CapacityProviderStrategyItem item) {
    return Objects.requireNonNullElse(item.base(), 0);
  }

  /**
   * The strategy of a request: its own, or the cluster's default where it says neither that nor a
   * launch type.
   */
  List<CapacityProviderStrategyItem> effective(
      @Nullable String clusterReference,
      @Nullable LaunchType launchType,
      List<CapacityProviderStrategyItem> given) {
    Cluster cluster = store.read(tx -> clusters.active(tx, clusterReference));
    check(given, cluster);
    return !given.isEmpty() || launchType != null
        ? given
        : cluster.defaultCapacityProviderStrategy();
  }

  /**
   * Which provider the next task gets: the one with a base until it has it, then whichever is
   * furthest behind its weight.
   *
   * @param counts tasks that each provider has already
   * @return null without a strategy
   */
  static @Nullable String next(
      List<CapacityProviderStrategyItem> strategy, Map<String, Integer> counts) {
    String best = null;
    double least = Double.POSITIVE_INFINITY;
    for (CapacityProviderStrategyItem item : strategy) {
      String name = nameOf(item.capacityProvider());
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
  static Map<String, Integer> counts(List<TaskRecord> tasks) {
    Map<String, Integer> counts = new HashMap<>();
    for (TaskRecord task : tasks) {
      String provider = task.task().capacityProviderName();
      if (provider != null) {
        counts.merge(provider, 1, Integer::sum);
      }
    }
    return counts;
  }

  DescribeCapacityProvidersResponse describe(DescribeCapacityProvidersRequest request) {
    Refuse.unlessEffective(
        "DescribeCapacityProviders",
        request,
        Set.of("capacityProviders", "maxResults", "nextToken", "cluster", "include"));
    List<String> asked = request.capacityProviders().isEmpty() ? ALL : request.capacityProviders();
    List<CapacityProvider> found = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : asked) {
      String name = nameOf(reference);
      if (ALL.contains(name)) {
        found.add(
            CapacityProvider.builder()
                .name(name)
                .capacityProviderArn(arn(name))
                .status(CapacityProviderStatus.ACTIVE)
                .tags(List.of())
                .build());
      } else {
        failures.add(
            Failure.builder()
                .arn(reference.startsWith("arn:") ? reference : arn(reference))
                .reason("MISSING")
                .build());
      }
    }
    Pages.Page<CapacityProvider> page = Pages.of(found, request.nextToken(), request.maxResults());
    return DescribeCapacityProvidersResponse.builder()
        .capacityProviders(page.items())
        .failures(failures)
        .nextToken(page.nextToken())
        .build();
  }

  private String arn(String name) {
    return scope.arn("ecs", "capacity-provider/" + name);
  }

  /** Replaces what the cluster has, and its default; what has tasks on it cannot be taken away. */
  PutClusterCapacityProvidersResponse put(PutClusterCapacityProvidersRequest request) {
    List<String> names =
        request.capacityProviders().stream().map(CapacityProviders::nameOf).distinct().toList();
    checkNames(request.capacityProviders());
    Cluster changed =
        store.write(tx -> {
          Cluster old = clusters.active(tx, request.cluster());
          Cluster next =
              old.toBuilder()
                  .capacityProviders(names)
                  .defaultCapacityProviderStrategy(request.defaultCapacityProviderStrategy())
                  .build();
          check(request.defaultCapacityProviderStrategy(), next);
          List<TaskRecord> live =
              tx.find(TaskRecord.TABLE, "cluster", old.clusterArn()).stream()
                  .map(row -> row.value())
                  .filter(task -> task.status() != TaskStatus.STOPPED)
                  .toList();
          Set<String> used = new HashSet<>(counts(live).keySet());
          tx.find(ServiceRecord.TABLE, "cluster", old.clusterArn()).stream()
              .map(row -> row.value().service())
              .filter(service -> service.status().equals(Services.ACTIVE))
              .flatMap(service -> service.capacityProviderStrategy().stream())
              .forEach(item -> used.add(nameOf(item.capacityProvider())));
          names.forEach(used::remove);
          if (!used.isEmpty()) {
            throw ResourceInUseException.builder()
                .message(
                    "The specified capacity provider is in use and cannot be removed: "
                        + String.join(", ", used.stream().sorted().toList()))
                .build();
          }
          return tx.put(Clusters.TABLE, old.clusterName(), next).value();
        });
    return PutClusterCapacityProvidersResponse.builder().cluster(changed).build();
  }
}
