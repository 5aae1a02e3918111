package dev.muelle.services.ecs.capacity;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.scaling.ClusterCapacity;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AutoScalingGroupProvider;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.CapacityProviderField;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStatus;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.CapacityProviderType;
import software.amazon.awssdk.services.ecs.model.CapacityProviderUpdateStatus;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.CreateCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.CreateCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.DeleteCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.DeleteCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.ResourceInUseException;
import software.amazon.awssdk.services.ecs.model.UpdateCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.UpdateCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.UpdateInProgressException;

/**
 * Where clusters' tasks get their capacity from: Fargate, Fargate Spot, whose tasks can be
 * interrupted, and Auto Scaling groups, which {@link ClusterCapacity} scales.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html">Amazon
 *     ECS capacity providers</a>
 */
public final class CapacityProviders {

  /** Of Auto Scaling groups, by name; those of Fargate are always there. */
  public static final Table<CapacityProvider> TABLE =
      Table.of("ecs.capacity_providers", StoredJson.codec(CapacityProvider.class)).remember();

  static final String FARGATE = "FARGATE";
  public static final String SPOT = "FARGATE_SPOT";

  /** The reserved ones. */
  public static final List<String> FARGATES = List.of(FARGATE, SPOT);

  private static final int MOST_OF_A_CLUSTER = 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final Pattern RESERVED = Pattern.compile("(?i)(aws|ecs|fargate).*");
  private static final String NOT_FOUND =
      "The specified capacity provider was not found. Specify a valid capacity provider and try"
          + " again.";

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final ClusterNames clusters;
  private final AutoScalingGroups groups;

  public CapacityProviders(
      Scope scope, Store store, Ids ids, ClusterNames clusters, AutoScalingGroups groups) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.clusters = clusters;
    this.groups = groups;
  }

  public static String nameOf(@Nullable String reference) {
    return reference == null ? "" : reference.substring(reference.lastIndexOf('/') + 1);
  }

  /** The provider of a group with a name, unless it was deleted. */
  public static Optional<CapacityProvider> find(Tx tx, @Nullable String name) {
    return name == null
        ? Optional.empty()
        : tx.get(TABLE, name)
            .map(Row::value)
            .filter(provider -> provider.status() == CapacityProviderStatus.ACTIVE);
  }

  /** Whether tasks may wait for it to have room: it gets more instances for them. */
  public static boolean scales(Tx tx, @Nullable String name) {
    return find(tx, name).filter(GroupRules::scales).isPresent();
  }

  /** Refuses what is no provider. */
  public static void checkNames(Tx tx, List<String> names) {
    for (String reference : names) {
      String name = nameOf(reference);
      if (!FARGATES.contains(name) && find(tx, name).isEmpty()) {
        throw Refuse.invalid(
            "The specified capacity provider "
                + reference
                + " was not found. Specify a valid name or ARN and try again.");
      }
    }
  }

  /** Refuses a strategy that names what is none, or what the cluster does not have. */
  public static void check(Tx tx, List<CapacityProviderStrategyItem> strategy, Cluster cluster) {
    CapacityStrategy.check(strategy);
    checkNames(tx, strategy.stream().map(CapacityProviderStrategyItem::capacityProvider).toList());
    for (CapacityProviderStrategyItem item : strategy) {
      if (!cluster.capacityProviders().contains(CapacityStrategy.name(item))) {
        throw Refuse.invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is"
                + " not associated with the cluster. Associate the capacity provider with the"
                + " cluster and try again.");
      }
    }
  }

  /**
   * The strategy of a request: its own, or the cluster's default where it says neither that nor a
   * launch type.
   */
  public List<CapacityProviderStrategyItem> effective(
      @Nullable String clusterReference,
      @Nullable LaunchType launchType,
      List<CapacityProviderStrategyItem> given) {
    return store.read(tx -> {
      Cluster cluster = clusters.active(tx, clusterReference);
      check(tx, given, cluster);
      return !given.isEmpty() || launchType != null
          ? given
          : cluster.defaultCapacityProviderStrategy();
    });
  }

  public CreateCapacityProviderResponse create(CreateCapacityProviderRequest request) {
    Refuse.unlessEffective(
        "CreateCapacityProvider", request, Set.of("name", "autoScalingGroupProvider", "tags"));
    Tags.check(request.tags());
    String name = request.name() == null ? "" : request.name();
    if (!NAME.matcher(name).matches() || RESERVED.matcher(name).matches()) {
      throw Refuse.client(
          "The specified capacity provider name is invalid. Up to 255 characters are allowed,"
              + " including letters (upper and lowercase), numbers, underscores (_), and hyphens"
              + " (-). The name can't be prefixed with \"aws\", \"ecs\", or \"fargate\". Specify a"
              + " valid name and try again.");
    }
    AutoScalingGroupProvider asked = request.autoScalingGroupProvider();
    if (asked == null) {
      throw Refuse.client("An Auto Scaling group provider must be specified.");
    }
    String reference = asked.autoScalingGroupArn() == null ? "" : asked.autoScalingGroupArn();
    AutoScalingGroups.Group group =
        groups
            .find(reference)
            .orElseThrow(() ->
                Refuse.client(
                    "The specified Auto Scaling group "
                        + reference
                        + " was not found. Specify a valid Auto Scaling group and try again."));
    AutoScalingGroupProvider settings =
        GroupRules.settled(asked.toBuilder().autoScalingGroupArn(group.arn()).build());
    GroupRules.check(settings, group);
    CapacityProvider made =
        CapacityProvider.builder()
            .name(name)
            .capacityProviderArn(arn(name))
            .type(CapacityProviderType.EC2_AUTOSCALING)
            .status(CapacityProviderStatus.ACTIVE)
            .updateStatus(CapacityProviderUpdateStatus.CREATE_COMPLETE)
            .autoScalingGroupProvider(settings)
            .tags(request.tags())
            .build();
    store.write(tx -> {
      if (find(tx, name).isPresent()) {
        throw Refuse.client(
            "The specified capacity provider already exists. To change the configuration of an"
                + " existing capacity provider, update the capacity provider.");
      }
      boolean taken =
          tx.list(TABLE).stream()
              .map(Row::value)
              .filter(other -> other.status() == CapacityProviderStatus.ACTIVE)
              .map(other -> other.autoScalingGroupProvider().autoScalingGroupArn())
              .anyMatch(group.arn()::equals);
      if (taken) {
        throw Refuse.client(
            "The specified Auto Scaling group ARN is already being used by another capacity"
                + " provider. Specify a unique Auto Scaling group ARN and try again.");
      }
      return tx.put(TABLE, name, made);
    });
    return CreateCapacityProviderResponse.builder().capacityProvider(made).build();
  }

  public UpdateCapacityProviderResponse update(UpdateCapacityProviderRequest request) {
    Refuse.unlessEffective(
        "UpdateCapacityProvider", request, Set.of("name", "autoScalingGroupProvider"));
    String name = nameOf(request.name());
    refuseReserved(name, "updated");
    CapacityProvider before = store.read(tx -> existing(tx, name));
    String arn = before.autoScalingGroupProvider().autoScalingGroupArn();
    Optional<AutoScalingGroups.Group> group = groups.find(arn);
    CapacityProvider changed =
        store.write(tx -> {
          CapacityProvider old = existing(tx, name);
          AutoScalingGroupProvider settings =
              GroupRules.updated(
                  old.autoScalingGroupProvider(), request.autoScalingGroupProvider());
          group.ifPresent(found -> GroupRules.check(settings, found));
          if (GroupRules.scales(settings) && clustersOf(tx, name).size() > 1) {
            throw onlyOneCluster(name);
          }
          CapacityProvider next =
              old.toBuilder()
                  .autoScalingGroupProvider(settings)
                  .updateStatus(CapacityProviderUpdateStatus.UPDATE_COMPLETE)
                  .updateStatusReason(null)
                  .build();
          tx.put(TABLE, name, next);
          for (String in : clustersOf(tx, name)) {
            Cluster cluster = tx.get(ClusterNames.TABLE, in).orElseThrow().value();
            tx.put(ClusterNames.TABLE, in, attached(tx, cluster, cluster, ids));
          }
          return next;
        });
    return UpdateCapacityProviderResponse.builder().capacityProvider(changed).build();
  }

  /**
   * Deletes a provider that no cluster has; of one that some cluster has, the answer says why not.
   */
  public DeleteCapacityProviderResponse delete(DeleteCapacityProviderRequest request) {
    Refuse.unlessEffective("DeleteCapacityProvider", request, Set.of("capacityProvider"));
    String name = nameOf(request.capacityProvider());
    refuseReserved(name, "deleted");
    CapacityProvider deleted =
        store.write(tx -> {
          CapacityProvider old = existing(tx, name);
          List<String> in = clustersOf(tx, name);
          CapacityProvider.Builder next = old.toBuilder();
          if (in.isEmpty()) {
            next.status(CapacityProviderStatus.INACTIVE)
                .updateStatus(CapacityProviderUpdateStatus.DELETE_COMPLETE)
                .updateStatusReason(null);
          } else {
            next.updateStatus(CapacityProviderUpdateStatus.DELETE_FAILED)
                .updateStatusReason(
                    "The capacity provider cannot be deleted because it is associated with"
                        + " cluster: "
                        + String.join(", ", in)
                        + ". Remove the capacity provider from the cluster and try again.");
          }
          return tx.put(TABLE, name, next.build()).value();
        });
    return DeleteCapacityProviderResponse.builder().capacityProvider(deleted).build();
  }

  private static void refuseReserved(String name, String done) {
    if (FARGATES.contains(name)) {
      throw Refuse.client(
          "The specified capacity provider is reserved by Amazon ECS and cannot be " + done + ".");
    }
  }

  private static CapacityProvider existing(Tx tx, String name) {
    return find(tx, name).orElseThrow(() -> Refuse.client(NOT_FOUND));
  }

  /** The names of the clusters that have a provider, or are about to be rid of it. */
  private static List<String> clustersOf(Tx tx, String name) {
    return tx.list(ClusterNames.TABLE).stream()
        .map(Row::value)
        .filter(ClusterNames::isActive)
        .filter(cluster ->
            cluster.capacityProviders().contains(name)
                || ClusterAttachments.names(cluster).contains(name))
        .map(Cluster::clusterName)
        .toList();
  }

  private static RuntimeException onlyOneCluster(String name) {
    return Refuse.invalid(
        "The capacity provider "
            + name
            + " has managed scaling enabled and can be associated with only one cluster.");
  }

  public DescribeCapacityProvidersResponse describe(DescribeCapacityProvidersRequest request) {
    Refuse.unlessEffective(
        "DescribeCapacityProviders",
        request,
        Set.of("capacityProviders", "maxResults", "nextToken", "cluster", "include"));
    if (request.capacityProviders().size() > 100) {
      throw Refuse.invalid("capacityProviders cannot have more than 100 elements.");
    }
    if (request.maxResults() != null && (request.maxResults() < 1 || request.maxResults() > 10)) {
      throw Refuse.invalid("maxResults must be between 1 and 10.");
    }
    boolean tags = request.include().contains(CapacityProviderField.TAGS);
    List<CapacityProvider> found = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    store.read(tx -> {
      List<String> associated =
          request.cluster() == null
              ? null
              : clusters.active(tx, request.cluster()).capacityProviders();
      List<String> asked =
          request.capacityProviders().isEmpty() ? known(tx) : request.capacityProviders();
      for (String reference : asked) {
        Optional<CapacityProvider> provider =
            any(tx, nameOf(reference))
                .filter(one -> associated == null || associated.contains(one.name()));
        if (provider.isPresent()) {
          found.add(tags ? provider.get() : provider.get().toBuilder().tags(List.of()).build());
        } else if (!request.capacityProviders().isEmpty()) {
          failures.add(
              Failure.builder()
                  .arn(reference.startsWith("arn:") ? reference : arn(reference))
                  .reason("MISSING")
                  .build());
        }
      }
      return found;
    });
    Pages.Page<CapacityProvider> page =
        Pages.of(
            found,
            CapacityProvider::name,
            Comparator.naturalOrder(),
            request.nextToken(),
            request.maxResults());
    return DescribeCapacityProvidersResponse.builder()
        .capacityProviders(page.items())
        .failures(failures)
        .nextToken(page.nextToken())
        .build();
  }

  private static List<String> known(Tx tx) {
    List<String> names = new ArrayList<>(FARGATES);
    tx.list(TABLE).stream()
        .filter(row -> row.value().status() == CapacityProviderStatus.ACTIVE)
        .forEach(row -> names.add(row.key()));
    return names;
  }

  /** Also one that was deleted. */
  private Optional<CapacityProvider> any(Tx tx, String name) {
    return FARGATES.contains(name)
        ? Optional.of(
            CapacityProvider.builder()
                .name(name)
                .capacityProviderArn(arn(name))
                .type(
                    name.equals(FARGATE)
                        ? CapacityProviderType.FARGATE
                        : CapacityProviderType.FARGATE_SPOT)
                .status(CapacityProviderStatus.ACTIVE)
                .tags(List.of())
                .build())
        : tx.get(TABLE, name).map(Row::value);
  }

  private String arn(String name) {
    return scope.arn("ecs", "capacity-provider/" + name);
  }

  /** Replaces what the cluster has, and its default; what has tasks on it cannot be taken away. */
  public PutClusterCapacityProvidersResponse put(PutClusterCapacityProvidersRequest request) {
    List<String> names =
        request.capacityProviders().stream().map(CapacityProviders::nameOf).distinct().toList();
    if (names.size() > MOST_OF_A_CLUSTER) {
      throw Refuse.invalid(
          "The maximum number of capacity providers per cluster has been exceeded.");
    }
    Cluster changed =
        store.write(tx -> {
          Cluster old = clusters.active(tx, request.cluster());
          checkNames(tx, request.capacityProviders());
          if (ClusterAttachments.busy(old)) {
            throw UpdateInProgressException.builder()
                .message(
                    "The specified cluster is in a busy state. Cluster attachments must be in"
                        + " UPDATE_COMPLETE or UPDATE_FAILED state before they can be updated. Wait"
                        + " and try again.")
                .build();
          }
          Cluster next =
              old.toBuilder()
                  .capacityProviders(names)
                  .defaultCapacityProviderStrategy(request.defaultCapacityProviderStrategy())
                  .build();
          check(tx, request.defaultCapacityProviderStrategy(), next);
          refuseUsed(tx, old, names);
          return tx.put(ClusterNames.TABLE, old.clusterName(), attached(tx, old, next, ids))
              .value();
        });
    return PutClusterCapacityProvidersResponse.builder().cluster(changed).build();
  }

  private static void refuseUsed(Tx tx, Cluster cluster, List<String> names) {
    List<TaskRecord> live =
        tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn()).stream()
            .map(Row::value)
            .filter(task -> task.status() != TaskStatus.STOPPED)
            .toList();
    Set<String> used = new HashSet<>(CapacityStrategy.counts(live).keySet());
    tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
        .map(row -> row.value().service())
        .filter(service -> service.status().equals(ServiceRecord.ACTIVE))
        .flatMap(service -> service.capacityProviderStrategy().stream())
        .forEach(item -> used.add(CapacityStrategy.name(item)));
    names.forEach(used::remove);
    if (!used.isEmpty()) {
      throw ResourceInUseException.builder()
          .message(
              "The specified capacity provider is in use and cannot be removed: "
                  + String.join(", ", used.stream().sorted().toList()))
          .build();
    }
  }

  /** With what its providers' groups need; {@link ClusterCapacity} sees to it that they get it. */
  public static Cluster attached(Tx tx, Cluster old, Cluster next, Ids ids) {
    List<CapacityProvider> providers = new ArrayList<>();
    for (String name : next.capacityProviders()) {
      Optional<CapacityProvider> provider = find(tx, name);
      if (provider.isEmpty()) {
        continue;
      }
      providers.add(provider.get());
      List<String> others = new ArrayList<>(clustersOf(tx, name));
      others.remove(next.clusterName());
      if (GroupRules.scales(provider.get()) && !others.isEmpty()) {
        throw onlyOneCluster(name);
      }
    }
    return ClusterAttachments.wanted(old, next, providers, ids);
  }
}
