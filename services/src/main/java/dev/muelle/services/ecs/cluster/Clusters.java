package dev.muelle.services.ecs.cluster;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterConfiguration;
import software.amazon.awssdk.services.ecs.model.ClusterContainsContainerInstancesException;
import software.amazon.awssdk.services.ecs.model.ClusterContainsServicesException;
import software.amazon.awssdk.services.ecs.model.ClusterContainsTasksException;
import software.amazon.awssdk.services.ecs.model.ClusterField;
import software.amazon.awssdk.services.ecs.model.ClusterSetting;
import software.amazon.awssdk.services.ecs.model.CreateClusterRequest;
import software.amazon.awssdk.services.ecs.model.CreateClusterResponse;
import software.amazon.awssdk.services.ecs.model.DeleteClusterRequest;
import software.amazon.awssdk.services.ecs.model.DeleteClusterResponse;
import software.amazon.awssdk.services.ecs.model.DescribeClustersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeClustersResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ListClustersRequest;
import software.amazon.awssdk.services.ecs.model.ListClustersResponse;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.SettingName;
import software.amazon.awssdk.services.ecs.model.UpdateClusterRequest;
import software.amazon.awssdk.services.ecs.model.UpdateClusterResponse;
import software.amazon.awssdk.services.ecs.model.UpdateClusterSettingsRequest;
import software.amazon.awssdk.services.ecs.model.UpdateClusterSettingsResponse;

/**
 * Makes, changes, shows and deletes clusters.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html">
 *     CreateCluster</a>
 */
public final class Clusters {

  private static final String INACTIVE = "INACTIVE";
  private static final Set<ClusterField> EVERYTHING =
      Set.of(
          ClusterField.ATTACHMENTS,
          ClusterField.CONFIGURATIONS,
          ClusterField.SETTINGS,
          ClusterField.TAGS);

  private final ClusterNames names;
  private final Store store;
  private final Ids ids;
  private final AccountSettings settings;

  public Clusters(ClusterNames names, Store store, Ids ids, AccountSettings settings) {
    this.names = names;
    this.store = store;
    this.ids = ids;
    this.settings = settings;
  }

  public CreateClusterResponse create(CreateClusterRequest request) {
    Refuse.unlessEffective(
        "CreateCluster",
        request,
        Set.of(
            "clusterName",
            "tags",
            "capacityProviders",
            "defaultCapacityProviderStrategy",
            "settings",
            "configuration"));
    String name = request.clusterName() == null ? ClusterNames.DEFAULT : request.clusterName();
    if (!ClusterNames.isValid(name)) {
      throw Refuse.invalid(
          "Cluster names can have up to 255 letters (uppercase and lowercase), numbers,"
              + " underscores, and hyphens.");
    }
    ClusterSettings.check(request.settings());
    ClusterSettings.check(request.configuration());
    Tags.check(request.tags());
    Cluster cluster =
        store.write(tx -> {
          CapacityProviders.checkNames(tx, request.capacityProviders());
          Cluster wanted =
              Cluster.builder()
                  .clusterName(name)
                  .clusterArn(names.arn(name))
                  .status(ClusterNames.ACTIVE)
                  .tags(request.tags())
                  .capacityProviders(
                      request.capacityProviders().stream()
                          .map(CapacityProviders::nameOf)
                          .distinct()
                          .toList())
                  .settings(
                      ClusterSettings.initial(
                          request.settings(),
                          settings.effective(tx, SettingName.CONTAINER_INSIGHTS)))
                  .configuration(request.configuration())
                  .defaultCapacityProviderStrategy(request.defaultCapacityProviderStrategy())
                  .build();
          CapacityProviders.check(tx, request.defaultCapacityProviderStrategy(), wanted);
          Optional<Row<Cluster>> present = tx.get(ClusterNames.TABLE, name);
          // A second creation of an active cluster gives the one that is there.
          return present.isPresent() && ClusterNames.isActive(present.get().value())
              ? present.get().value()
              : tx.put(
                      ClusterNames.TABLE, name, CapacityProviders.attached(tx, wanted, wanted, ids))
                  .value();
        });
    return CreateClusterResponse.builder().cluster(shown(cluster, EVERYTHING)).build();
  }

  /** Sets what is given; the rest stays. */
  public UpdateClusterResponse update(UpdateClusterRequest request) {
    Refuse.unlessEffective(
        "UpdateCluster", request, Set.of("cluster", "settings", "configuration"));
    ClusterSettings.check(request.configuration());
    Cluster updated =
        change(
            request.cluster(),
            request.settings(),
            next -> {
              if (request.configuration() != null) {
                next.configuration(request.configuration());
              }
            });
    return UpdateClusterResponse.builder().cluster(updated).build();
  }

  public UpdateClusterSettingsResponse updateSettings(UpdateClusterSettingsRequest request) {
    if (request.settings().isEmpty()) {
      throw Refuse.invalid("Settings cannot be empty.");
    }
    Cluster updated = change(request.cluster(), request.settings(), next -> {});
    return UpdateClusterSettingsResponse.builder().cluster(updated).build();
  }

  private Cluster change(
      @Nullable String reference, List<ClusterSetting> given, Consumer<Cluster.Builder> more) {
    ClusterSettings.check(given);
    Cluster changed =
        store.write(tx -> {
          Cluster old = names.active(tx, reference);
          Cluster.Builder next = old.toBuilder();
          if (!given.isEmpty()) {
            next.settings(given);
          }
          more.accept(next);
          return tx.put(ClusterNames.TABLE, old.clusterName(), next.build()).value();
        });
    return shown(changed, EVERYTHING);
  }

  /** Makes the default cluster if there is none. */
  public void ensureDefault() {
    create(CreateClusterRequest.builder().build());
  }

  public DeleteClusterResponse delete(DeleteClusterRequest request) {
    String name = names.name(request.cluster());
    Cluster deleted =
        store.write(tx -> {
          Cluster cluster = names.active(tx, name);
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
          Cluster inactive =
              cluster.toBuilder()
                  .status(INACTIVE)
                  .capacityProviders(List.of())
                  .defaultCapacityProviderStrategy(List.of())
                  .build();
          return tx.put(
                  ClusterNames.TABLE, name, CapacityProviders.attached(tx, cluster, inactive, ids))
              .value();
        });
    return DeleteClusterResponse.builder().cluster(shown(deleted, EVERYTHING)).build();
  }

  public DescribeClustersResponse describe(DescribeClustersRequest request) {
    Set<ClusterField> include = Set.copyOf(request.include());
    if (include.contains(ClusterField.UNKNOWN_TO_SDK_VERSION)) {
      throw Refuse.invalid("Invalid include: " + request.includeAsStrings());
    }
    List<String> asked =
        request.clusters().isEmpty() ? List.of(ClusterNames.DEFAULT) : request.clusters();
    if (asked.size() > 100) {
      throw Refuse.invalid("Clusters cannot have more than 100 elements.");
    }
    List<Cluster> found = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : asked) {
      String name = names.name(reference);
      Optional<Cluster> cluster =
          store.read(tx -> tx.get(ClusterNames.TABLE, name)).map(Row::value);
      if (cluster.isPresent()) {
        found.add(shown(cluster.get(), include));
      } else {
        failures.add(Failure.builder().arn(names.arn(name)).reason("MISSING").build());
      }
    }
    return DescribeClustersResponse.builder().clusters(found).failures(failures).build();
  }

  public ListClustersResponse list(ListClustersRequest request) {
    List<String> arns =
        store.read(tx -> tx.list(ClusterNames.TABLE)).stream()
            .map(Row::value)
            .filter(ClusterNames::isActive)
            .map(Cluster::clusterArn)
            .toList();
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), request.maxResults());
    return ListClustersResponse.builder()
        .clusterArns(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private Cluster shown(Cluster cluster, Set<ClusterField> include) {
    return store.read(tx -> {
      List<TaskRecord> tasks =
          tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(Row::value)
              .toList();
      List<Service> services =
          tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(row -> row.value().service())
              .toList();
      Cluster.Builder shown =
          cluster.toBuilder()
              .registeredContainerInstancesCount(
                  tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn()).size())
              .activeServicesCount(count(services, s -> s.status().equals(ServiceRecord.ACTIVE)))
              .runningTasksCount(count(tasks, t -> t.status() == TaskStatus.RUNNING))
              .pendingTasksCount(count(tasks, t -> t.status().pending()));
      if (!include.contains(ClusterField.TAGS)) {
        shown.tags(List.of());
      }
      if (!include.contains(ClusterField.SETTINGS)) {
        shown.settings(List.of());
      }
      if (!include.contains(ClusterField.CONFIGURATIONS)) {
        shown.configuration((ClusterConfiguration) null);
      }
      if (!include.contains(ClusterField.ATTACHMENTS)) {
        shown.attachments(List.of()).attachmentsStatus(null);
      }
      return shown
          .statistics(
              include.contains(ClusterField.STATISTICS) ? statistics(tasks, services) : List.of())
          .build();
    });
  }

  /** By launch type, as DescribeClusters names them. */
  private static List<KeyValuePair> statistics(List<TaskRecord> tasks, List<Service> services) {
    List<KeyValuePair> all = new ArrayList<>();
    for (LaunchType type : List.of(LaunchType.EC2, LaunchType.FARGATE)) {
      String name = type == LaunchType.EC2 ? "EC2" : "Fargate";
      List<TaskRecord> own = tasks.stream().filter(t -> t.task().launchType() == type).toList();
      List<Service> of =
          services.stream()
              .filter(s -> CapacityStrategy.onInstances(s) == (type == LaunchType.EC2))
              .toList();
      put(all, "running" + name + "TasksCount", count(own, t -> t.status() == TaskStatus.RUNNING));
      put(all, "pending" + name + "TasksCount", count(own, t -> t.status().pending()));
      put(
          all,
          "active" + name + "ServiceCount",
          count(of, s -> s.status().equals(ServiceRecord.ACTIVE)));
      put(
          all,
          "draining" + name + "ServiceCount",
          count(of, s -> s.status().equals(ServiceRecord.DRAINING)));
    }
    return all;
  }

  private static void put(List<KeyValuePair> all, String name, int value) {
    all.add(KeyValuePair.builder().name(name).value(Integer.toString(value)).build());
  }

  private static <T> int count(List<T> all, Predicate<T> which) {
    return (int) all.stream().filter(which).count();
  }
}
