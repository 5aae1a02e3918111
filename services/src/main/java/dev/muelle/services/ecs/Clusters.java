package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterContainsContainerInstancesException;
import software.amazon.awssdk.services.ecs.model.ClusterContainsServicesException;
import software.amazon.awssdk.services.ecs.model.ClusterContainsTasksException;
import software.amazon.awssdk.services.ecs.model.ClusterField;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.CreateClusterRequest;
import software.amazon.awssdk.services.ecs.model.CreateClusterResponse;
import software.amazon.awssdk.services.ecs.model.DeleteClusterRequest;
import software.amazon.awssdk.services.ecs.model.DeleteClusterResponse;
import software.amazon.awssdk.services.ecs.model.DescribeClustersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeClustersResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.ListClustersRequest;
import software.amazon.awssdk.services.ecs.model.ListClustersResponse;

/**
 * Clusters, keyed by name.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html">
 *     CreateCluster</a>
 */
final class Clusters {

  static final Table<Cluster> TABLE =
      Table.of("ecs.clusters", StoredJson.codec(Cluster.class)).remember();

  static final String DEFAULT = "default";
  private static final String ACTIVE = "ACTIVE";
  private static final String INACTIVE = "INACTIVE";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,254}");

  private final Scope scope;
  private final Store store;

  Clusters(Scope scope, Store store) {
    this.scope = scope;
    this.store = store;
  }

  CreateClusterResponse create(CreateClusterRequest request) {
    Refuse.unlessEffective(
        "CreateCluster",
        request,
        Set.of("clusterName", "tags", "capacityProviders", "defaultCapacityProviderStrategy"));
    String name = request.clusterName() == null ? DEFAULT : request.clusterName();
    if (!NAME.matcher(name).matches()) {
      throw Refuse.invalid(
          "Cluster names can have up to 255 letters (uppercase and lowercase), numbers,"
              + " underscores, and hyphens.");
    }
    CapacityProviders.checkNames(request.capacityProviders());
    Tags.check(request.tags());
    Cluster wanted =
        Cluster.builder()
            .clusterName(name)
            .clusterArn(arn(name))
            .status(ACTIVE)
            .tags(request.tags())
            .capacityProviders(request.capacityProviders())
            .settings(List.of())
            .defaultCapacityProviderStrategy(request.defaultCapacityProviderStrategy())
            .build();
    CapacityProviders.check(request.defaultCapacityProviderStrategy(), wanted);
    Cluster cluster =
        store.write(tx -> {
          Optional<Row<Cluster>> present = tx.get(TABLE, name);
          // A second creation of an active cluster gives the one that is there.
          return present.isPresent() && present.get().value().status().equals(ACTIVE)
              ? present.get().value()
              : tx.put(TABLE, name, wanted).value();
        });
    return CreateClusterResponse.builder().cluster(shown(cluster, true)).build();
  }

  /** Makes the default cluster if there is none. */
  void ensureDefault() {
    create(CreateClusterRequest.builder().build());
  }

  DeleteClusterResponse delete(DeleteClusterRequest request) {
    String name = name(request.cluster());
    Cluster deleted =
        store.write(tx -> {
          Cluster cluster = active(tx, name);
          List<ServiceRecord> services =
              tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
                  .map(Row::value)
                  .filter(service -> !service.service().status().equals(INACTIVE))
                  .toList();
          if (!services.isEmpty()) {
            throw ClusterContainsServicesException.builder()
                .message("The Cluster cannot be deleted while Services are active.")
                .build();
          }
          boolean tasks =
              tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn()).stream()
                  .anyMatch(task -> task.value().status() != TaskStatus.STOPPED);
          if (tasks) {
            throw ClusterContainsTasksException.builder()
                .message("The Cluster cannot be deleted while Tasks are active.")
                .build();
          }
          if (InstanceTasks.any(tx, cluster.clusterArn())) {
            throw ClusterContainsContainerInstancesException.builder()
                .message(
                    "The Cluster cannot be deleted while Container Instances are active or"
                        + " draining.")
                .build();
          }
          Cluster inactive = cluster.toBuilder().status(INACTIVE).build();
          return tx.put(TABLE, name, inactive).value();
        });
    return DeleteClusterResponse.builder().cluster(shown(deleted, true)).build();
  }

  DescribeClustersResponse describe(DescribeClustersRequest request) {
    boolean tags = request.include().contains(ClusterField.TAGS);
    List<String> asked = request.clusters().isEmpty() ? List.of(DEFAULT) : request.clusters();
    if (asked.size() > 100) {
      throw Refuse.invalid("Clusters cannot have more than 100 elements.");
    }
    List<Cluster> found = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : asked) {
      String name = name(reference);
      Optional<Cluster> cluster = store.read(tx -> tx.get(TABLE, name)).map(Row::value);
      if (cluster.isPresent()) {
        found.add(shown(cluster.get(), tags));
      } else {
        failures.add(Failure.builder().arn(arn(name)).reason("MISSING").build());
      }
    }
    return DescribeClustersResponse.builder().clusters(found).failures(failures).build();
  }

  ListClustersResponse list(ListClustersRequest request) {
    List<String> arns =
        store.read(tx -> tx.list(TABLE)).stream()
            .map(Row::value)
            .filter(cluster -> cluster.status().equals(ACTIVE))
            .map(Cluster::clusterArn)
            .toList();
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), request.maxResults());
    return ListClustersResponse.builder()
        .clusterArns(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /**
   * The active cluster that a request means.
   *
   * @param reference a name or an ARN; null for the default cluster
   */
  Cluster active(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference))
        .map(Row::value)
        .filter(cluster -> cluster.status().equals(ACTIVE))
        .orElseThrow(Clusters::notFound);
  }

  /** As {@link #active}, but an inactive one is shown too. */
  Cluster known(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference)).map(Row::value).orElseThrow(Clusters::notFound);
  }

  private static ClusterNotFoundException notFound() {
    return ClusterNotFoundException.builder().message("Cluster not found.").build();
  }

  private String name(@Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      return DEFAULT;
    }
    if (reference.startsWith("arn:")) {
      String prefix = arn("");
      if (!reference.startsWith(prefix)) {
        throw notFound(); // another account's or region's
      }
      return reference.substring(prefix.length());
    }
    if (!NAME.matcher(reference).matches()) {
      throw Refuse.invalid("Invalid identifier: Unexpected number of separators");
    }
    return reference;
  }

  private String arn(String name) {
    return scope.arn("ecs", "cluster/" + name);
  }

  private Cluster shown(Cluster cluster, boolean tags) {
    List<TaskRecord> tasks =
        store.read(tx -> tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn())).stream()
            .map(Row::value)
            .toList();
    long services =
        store.read(tx -> tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn())).stream()
            .filter(row -> row.value().service().status().equals(ACTIVE))
            .count();
    Cluster.Builder shown =
        cluster.toBuilder()
            .registeredContainerInstancesCount(
                store
                    .read(tx -> tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn()))
                    .size())
            .activeServicesCount((int) services)
            .runningTasksCount(
                (int) tasks.stream().filter(t -> t.status() == TaskStatus.RUNNING).count())
            .pendingTasksCount((int) tasks.stream().filter(t -> t.status().pending()).count());
    return tags ? shown.build() : shown.tags(List.of()).build();
  }
}
