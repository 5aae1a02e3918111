package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.ContainerImage;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceCurrentRevisionSummary;
import software.amazon.awssdk.services.ecs.model.ServiceRevision;
import software.amazon.awssdk.services.ecs.model.ServiceRevisionLoadBalancer;
import software.amazon.awssdk.services.ecs.model.ServiceRevisionSummary;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * Service revisions: what a service was at each of its deployments. A revision and the deployment
 * that brings it share their number: {@code ecs-svc/NUMBER} is the deployment in {@code
 * deployments[]}, and what its tasks were started by.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html">Service
 *     revisions</a>
 */
public final class Revisions {

  /** Keyed {@code cluster/service/number}. */
  static final Table<ServiceRevision> TABLE =
      Table.of("ecs.service_revisions", StoredJson.codec(ServiceRevision.class)).remember();

  private static final String DEPLOYMENT = "ecs-svc/";
  private static final long NUMBERS = 9_000_000_000_000_000_000L;

  private Revisions() {}

  /** The id of a new deployment or task set. */
  static String newId(Ids ids) {
    return DEPLOYMENT + Math.floorMod(Long.parseUnsignedLong(ids.hex(16), 16), NUMBERS);
  }

  static String idOf(ServiceRevision revision) {
    return DEPLOYMENT + TaskRecord.idOf(revision.serviceRevisionArn());
  }

  /** {@code cluster/service/number} of a revision's ARN, and likewise of the ARNs beside it. */
  public static String keyOf(String arn) {
    return arn.substring(arn.indexOf('/') + 1);
  }

  static String arn(String serviceArn, String deploymentId) {
    return serviceArn.replace(":service/", ":service-revision/")
        + "/"
        + TaskRecord.idOf(deploymentId);
  }

  public static Optional<ServiceRevision> of(Tx tx, String serviceArn, String deploymentId) {
    return tx.get(TABLE, keyOf(arn(serviceArn, deploymentId))).map(Row::value);
  }

  /**
   * What the service is now, as the revision of a new deployment.
   *
   * @param groups the target groups that its tasks are registered with, in the order of the
   *     service's load balancers
   */
  static ServiceRevision add(
      Tx tx,
      Service service,
      String deploymentId,
      TaskDefinition definition,
      List<String> groups,
      Instant now) {
    ServiceRevision revision =
        ServiceRevision.builder()
            .serviceRevisionArn(arn(service.serviceArn(), deploymentId))
            .serviceArn(service.serviceArn())
            .clusterArn(service.clusterArn())
            .taskDefinition(service.taskDefinition())
            .capacityProviderStrategy(service.capacityProviderStrategy())
            .launchType(service.launchType())
            .platformVersion(
                service.platformVersion() == null ? null : TaskFactory.PLATFORM_VERSION)
            .platformFamily(service.platformFamily())
            .loadBalancers(service.loadBalancers())
            .serviceRegistries(List.of())
            .networkConfiguration(service.networkConfiguration())
            .containerImages(
                definition.containerDefinitions().stream()
                    .map(c ->
                        ContainerImage.builder().containerName(c.name()).image(c.image()).build())
                    .toList())
            .resolvedConfiguration(r -> r.loadBalancers(resolved(service.loadBalancers(), groups)))
            .guardDutyEnabled(false)
            .createdAt(now)
            .build();
    tx.insert(TABLE, keyOf(revision.serviceRevisionArn()), revision);
    return revision;
  }

  /** A revision whose tasks are registered with these target groups from now on. */
  static ServiceRevision resolve(Tx tx, ServiceRevision revision, List<String> groups) {
    ServiceRevision changed =
        revision.toBuilder()
            .resolvedConfiguration(r -> r.loadBalancers(resolved(revision.loadBalancers(), groups)))
            .build();
    tx.put(TABLE, keyOf(revision.serviceRevisionArn()), changed);
    return changed;
  }

  private static List<ServiceRevisionLoadBalancer> resolved(
      List<LoadBalancer> balancers, List<String> groups) {
    List<ServiceRevisionLoadBalancer> resolved = new ArrayList<>();
    for (int i = 0; i < groups.size(); i++) {
      AdvancedConfiguration advanced = balancers.get(i).advancedConfiguration();
      resolved.add(
          ServiceRevisionLoadBalancer.builder()
              .targetGroupArn(groups.get(i))
              .productionListenerRule(advanced == null ? null : advanced.productionListenerRule())
              .build());
    }
    return resolved;
  }

  /** The target groups of a deployment's tasks, in the order of the service's load balancers. */
  static List<String> groups(Tx tx, Service service, String deploymentId) {
    List<String> resolved =
        of(tx, service.serviceArn(), deploymentId).stream()
            .filter(revision -> revision.resolvedConfiguration() != null)
            .flatMap(revision -> revision.resolvedConfiguration().loadBalancers().stream())
            .map(ServiceRevisionLoadBalancer::targetGroupArn)
            .toList();
    return resolved.size() == service.loadBalancers().size()
        ? resolved
        : service.loadBalancers().stream().map(LoadBalancer::targetGroupArn).toList();
  }

  /** The target groups of all the deployments that a service has. */
  static Set<String> allGroups(Tx tx, Service service) {
    Set<String> groups = new HashSet<>();
    for (Deployment deployment : service.deployments()) {
      of(tx, service.serviceArn(), deployment.id()).stream()
          .filter(revision -> revision.resolvedConfiguration() != null)
          .flatMap(revision -> revision.resolvedConfiguration().loadBalancers().stream())
          .forEach(balancer -> groups.add(balancer.targetGroupArn()));
    }
    return groups;
  }

  /** Notes which images the tasks of the primary deployment really run. */
  static void note(Tx tx, ServiceRecord record, List<TaskRecord> tasks) {
    String id = record.primary().id();
    Optional<ServiceRevision> found = of(tx, record.service().serviceArn(), id);
    if (found.isEmpty()
        || found.get().containerImages().stream().allMatch(c -> c.imageDigest() != null)) {
      return;
    }
    Optional<TaskRecord> pulled =
        tasks.stream()
            .filter(task -> id.equals(task.task().startedBy()))
            .filter(task -> task.status() == TaskStatus.RUNNING)
            .findFirst();
    if (pulled.isEmpty()) {
      return;
    }
    List<ContainerImage> images =
        pulled.get().task().containers().stream()
            .map(c ->
                ContainerImage.builder()
                    .containerName(c.name())
                    .image(c.image())
                    .imageDigest(c.imageDigest())
                    .build())
            .toList();
    if (!images.equals(found.get().containerImages())) {
      tx.put(
          TABLE,
          keyOf(found.get().serviceRevisionArn()),
          found.get().toBuilder().containerImages(images).build());
    }
  }

  static ServiceRevisionSummary summary(String serviceArn, Deployment deployment) {
    return ServiceRevisionSummary.builder()
        .arn(arn(serviceArn, deployment.id()))
        .requestedTaskCount(deployment.desiredCount())
        .runningTaskCount(Objects.requireNonNullElse(deployment.runningCount(), 0))
        .pendingTaskCount(Objects.requireNonNullElse(deployment.pendingCount(), 0))
        .build();
  }

  static ServiceCurrentRevisionSummary current(String serviceArn, Deployment deployment) {
    ServiceRevisionSummary summary = summary(serviceArn, deployment);
    return ServiceCurrentRevisionSummary.builder()
        .arn(summary.arn())
        .requestedTaskCount(summary.requestedTaskCount())
        .runningTaskCount(summary.runningTaskCount())
        .pendingTaskCount(summary.pendingTaskCount())
        .build();
  }
}
