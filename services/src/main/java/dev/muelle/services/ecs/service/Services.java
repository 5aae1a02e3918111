package dev.muelle.services.ecs.service;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Identifiers;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.DeleteServiceRequest;
import software.amazon.awssdk.services.ecs.model.DeleteServiceResponse;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.ListServicesByNamespaceRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesResponse;
import software.amazon.awssdk.services.ecs.model.NamespaceNotFoundException;
import software.amazon.awssdk.services.ecs.model.ResourceManagementType;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceField;
import software.amazon.awssdk.services.ecs.model.ServiceNotActiveException;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;

/**
 * Services as callers see them: found, described, listed and deleted. {@link ServiceCreation} makes
 * them, {@link ServiceUpdates} changes them, and {@link ServiceScheduler} keeps their tasks
 * running.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html">DescribeServices</a>
 */
public final class Services {

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Deployments deployments;
  private final ClusterNames clusters;

  public Services(
      Scope scope,
      Store store,
      InstantSource clock,
      Deployments deployments,
      ClusterNames clusters) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.deployments = deployments;
    this.clusters = clusters;
  }

  public DeleteServiceResponse delete(DeleteServiceRequest request) {
    Service deleted =
        store.write(tx -> {
          ServiceRecord present = active(tx, request.cluster(), request.service());
          if (present.service().desiredCount() > 0
              && !present.daemon()
              && !Boolean.TRUE.equals(request.force())) {
            throw Refuse.invalid("The service cannot be stopped while it is scaled above 0.");
          }
          ServiceRecord draining =
              present
                  .with(s -> s.status(ServiceRecord.DRAINING).desiredCount(0))
                  .rescaled(0, clock.instant())
                  .withSteady(false);
          deployments.end(tx, present, clock.instant());
          tx.put(ServiceRecord.TABLE, draining.key(), draining);
          return counted(tx, draining.service());
        });
    return DeleteServiceResponse.builder().service(deleted).build();
  }

  public DescribeServicesResponse describe(DescribeServicesRequest request) {
    if (request.services().isEmpty()) {
      throw Refuse.invalid("Services cannot be empty.");
    }
    if (request.services().size() > 10) {
      throw Refuse.invalid("Services cannot have more than 10 elements.");
    }
    boolean tags = request.include().contains(ServiceField.TAGS);
    return store.read(tx -> {
      Cluster cluster = clusters.known(tx, request.cluster());
      List<Service> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String reference : request.services()) {
        Optional<ServiceRecord> service =
            tx.get(ServiceRecord.TABLE, key(cluster, reference)).map(Row::value);
        if (service.isPresent()) {
          Service shown = counted(tx, service.get().service());
          found.add(tags ? shown : untagged(shown));
        } else {
          failures.add(
              Failure.builder()
                  .arn(scope.arn("ecs", "service/" + key(cluster, reference)))
                  .reason("MISSING")
                  .build());
        }
      }
      return DescribeServicesResponse.builder().services(found).failures(failures).build();
    });
  }

  private static Service untagged(Service service) {
    return service.toBuilder()
        .tags(List.of())
        .taskSets(
            service.taskSets().stream()
                .map(set -> set.toBuilder().tags(List.of()).build())
                .toList())
        .build();
  }

  /** Namespaces are AWS Cloud Map's; as long as there is none, none is found. */
  public static EcsException notFound(ListServicesByNamespaceRequest request) {
    if (request.namespace() == null || request.namespace().isBlank()) {
      return Refuse.invalid("Namespace can not be blank.");
    }
    return NamespaceNotFoundException.builder()
        .message("The specified namespace was not found: " + request.namespace())
        .build();
  }

  public ListServicesResponse list(ListServicesRequest request) {
    List<String> arns =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          return tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(row -> row.value().service())
              .filter(service -> !service.status().equals(ServiceRecord.INACTIVE))
              .filter(service ->
                  request.launchType() == null || request.launchType() == service.launchType())
              .filter(
                  service -> // the caller's own: ECS manages none for itself here
                  request.resourceManagementType() == null
                          || request.resourceManagementType() == ResourceManagementType.CUSTOMER)
              .filter(service ->
                  request.schedulingStrategy() == null
                      || request.schedulingStrategy() == service.schedulingStrategy())
              .map(Service::serviceArn)
              .toList();
        });
    int size = request.maxResults() == null ? 10 : request.maxResults();
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), size);
    return ListServicesResponse.builder()
        .serviceArns(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  ServiceRecord active(Tx tx, @Nullable String clusterReference, @Nullable String reference) {
    Cluster cluster = clusters.active(tx, clusterReference);
    ServiceRecord record =
        tx.get(ServiceRecord.TABLE, key(cluster, reference))
            .map(Row::value)
            .orElseThrow(
                () -> ServiceNotFoundException.builder().message("Service not found.").build());
    if (!record.service().status().equals(ServiceRecord.ACTIVE)) {
      throw ServiceNotActiveException.builder().message("Service was not ACTIVE.").build();
    }
    return record;
  }

  static String key(Cluster cluster, @Nullable String reference) {
    return ServiceRecord.key(
        cluster.clusterName(), Identifiers.of(cluster.clusterArn(), "service", reference));
  }

  /** The service with its counts, and each deployment with its own. */
  static Service counted(Tx tx, Service service) {
    String key = ServiceRecord.key(TaskRecord.idOf(service.clusterArn()), service.serviceName());
    List<TaskRecord> tasks =
        tx.find(TaskRecord.TABLE, "service", key).stream()
            .map(Row::value)
            .filter(TaskRecord::wanted)
            .toList();
    List<Deployment> deployments =
        service.deployments().stream()
            .map(deployment -> {
              List<TaskRecord> own =
                  tasks.stream()
                      .filter(task -> deployment.id().equals(task.task().startedBy()))
                      .toList();
              return deployment.toBuilder()
                  .networkConfiguration(Networks.shown(deployment.networkConfiguration()))
                  .runningCount(running(own))
                  .pendingCount(own.size() - running(own))
                  .build();
            })
            .toList();
    return service.toBuilder()
        .networkConfiguration(Networks.shown(service.networkConfiguration()))
        .deployments(deployments)
        .taskSets(TaskSets.of(tx, service, tasks))
        .currentServiceRevisions(
            deployments.stream()
                .map(deployment -> Revisions.current(service.serviceArn(), deployment))
                .toList())
        .runningCount(running(tasks))
        .pendingCount(tasks.size() - running(tasks))
        .build();
  }

  static int running(List<TaskRecord> tasks) {
    return (int) tasks.stream().filter(task -> task.status() == TaskStatus.RUNNING).count();
  }
}
