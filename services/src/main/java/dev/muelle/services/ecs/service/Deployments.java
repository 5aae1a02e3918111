package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Traffic;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentLifecycleStage;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentRollbackMonitorsStatus;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;
import software.amazon.awssdk.services.ecs.model.ServiceRevision;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * How a service comes from one revision to the next: a deployment begins, completes, fails, and is
 * rolled back to the last one that completed. Everything happens in the caller's transaction, and
 * is written down in the service's history.
 *
 * <p>A rollback takes the old deployment up again, so that what still runs of it stays.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html">Deployment
 *     circuit breaker</a>
 */
public final class Deployments {

  private final Scope scope;
  private final Ids ids;

  public Deployments(Scope scope, Ids ids) {
    this.scope = scope;
    this.ids = ids;
  }

  /**
   * Why a deployment is given up, in the words of each place that tells it.
   *
   * @param by what notices it, in the rollout state's reason
   */
  private record Failure(String by, String rollout, String event, String history) {}

  private static final Failure BREAKER =
      new Failure(
          "ECS deployment circuit breaker",
          "tasks failed to start.",
          "deployment failed: tasks failed to start.",
          "because the circuit breaker threshold was exceeded.");
  private static final Failure ALARM =
      new Failure(
          "ECS deployment alarms",
          "alarm detected.",
          "deployment failed: alarm detected.",
          "because a CloudWatch alarm was detected.");
  private static final Failure STOP =
      new Failure(
          "ECS deployment",
          "stopped by user.",
          "deployment failed: stopped by user.",
          "because StopServiceDeployment was called.");

  /**
   * The service with a new primary deployment of what it is now; the ones before become ACTIVE, to
   * be drained, and what was still going on stops.
   */
  ServiceRecord begin(Tx tx, ServiceRecord record, TaskDefinition definition, Instant now) {
    ServiceDeployments.close(
        tx,
        record,
        ServiceDeploymentStatus.STOPPED,
        "Service deployment stopped because a new service deployment was started.",
        now);
    Service service = record.service();
    String id = Revisions.newId(ids);
    Traffic traffic = Traffic.shifted(service.deploymentConfiguration()) ? away(record, now) : null;
    ServiceRevision revision =
        Revisions.add(tx, service, id, definition, groups(tx, record, traffic), now);
    Deployment primary =
        deployment(revision, service.desiredCount(), "ECS deployment " + id + " in progress.", now);
    List<Deployment> deployments = new ArrayList<>();
    deployments.add(primary);
    for (Deployment old : service.deployments()) {
      deployments.add(old.toBuilder().status("ACTIVE").desiredCount(0).updatedAt(now).build());
    }
    ServiceDeployment made = ServiceDeployments.add(tx, scope, ids, service, primary, now);
    return record
        .with(s -> s.deployments(deployments).currentServiceDeployment(made.serviceDeploymentArn()))
        .withTraffic(traffic)
        .unproven();
  }

  /** All traffic stays with, or goes back to, the deployment that carries it now. */
  private static Traffic away(ServiceRecord record, Instant now) {
    Traffic traffic = record.traffic();
    String carrier =
        traffic == null ? record.lastCompleted() : traffic.carrier(record.primary().id());
    return Traffic.begin(carrier, 0, now);
  }

  /**
   * The deployment before has what it had. One before that has lost its tasks, and its target
   * groups to the one that is given up: it comes back as a new deployment comes.
   */
  private static @Nullable Traffic back(ServiceRecord record, String to, Instant now) {
    Traffic traffic = record.traffic();
    if (traffic == null) {
      return null;
    }
    return to.equals(traffic.from())
        ? Traffic.begin(record.primary().id(), 100 - traffic.percent(), now)
        : away(record, now);
  }

  /**
   * The target groups of a new deployment: where traffic is shifted, those that the one before does
   * not have; where it is not, those where the traffic is. That may be the alternate ones of a
   * service which was deployed in another way before.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-bluegreen-to-rolling.html">Update
   *     the deployment strategy from blue/green to rolling update</a>
   */
  private static List<String> groups(Tx tx, ServiceRecord record, @Nullable Traffic traffic) {
    Service service = record.service();
    Optional<String> before =
        traffic != null
            ? Optional.ofNullable(traffic.from())
            : service.deployments().stream().findFirst().map(Deployment::id);
    List<String> taken = before.map(id -> Revisions.groups(tx, service, id)).orElse(List.of());
    List<String> groups = new ArrayList<>();
    for (int i = 0; i < service.loadBalancers().size(); i++) {
      LoadBalancer balancer = service.loadBalancers().get(i);
      if (taken.isEmpty()) {
        groups.add(balancer.targetGroupArn());
      } else if (traffic != null) {
        groups.add(ListenerRules.other(balancer, taken.get(i)));
      } else {
        groups.add(
            ListenerRules.isOf(balancer, taken.get(i)) ? taken.get(i) : balancer.targetGroupArn());
      }
    }
    return groups;
  }

  /** The load balancers to go back to; where traffic is shifted, the way of the shift stays. */
  private static List<LoadBalancer> balancers(ServiceRecord record, ServiceRevision to) {
    List<LoadBalancer> now = record.service().loadBalancers();
    if (record.traffic() == null || now.size() != to.loadBalancers().size()) {
      return to.loadBalancers();
    }
    List<LoadBalancer> back = new ArrayList<>();
    for (int i = 0; i < now.size(); i++) {
      LoadBalancer old = to.loadBalancers().get(i);
      back.add(
          now.get(i).toBuilder()
              .containerName(old.containerName())
              .containerPort(old.containerPort())
              .build());
    }
    return back;
  }

  /** What the deployment's state, without a look at its tasks, makes it do: start, or give up. */
  ServiceRecord advance(Tx tx, ServiceRecord record, Alarms.State alarms, Instant now) {
    Optional<ServiceDeployment> found = ServiceDeployments.ongoing(tx, record.service());
    if (found.isEmpty()) {
      return record;
    }
    ServiceDeployment ongoing = found.get();
    return switch (ongoing.status()) {
      case PENDING -> {
        start(tx, record, ongoing, alarms, now);
        yield record;
      }
      case ROLLBACK_REQUESTED -> rollBack(tx, record, STOP, ongoing, now);
      case IN_PROGRESS -> watch(tx, record, ongoing, alarms, now);
      // A rollback is not rolled back: it fails.
      case ROLLBACK_IN_PROGRESS -> tripped(record) ? giveUp(tx, record, BREAKER, now) : record;
      case STOP_REQUESTED,
          SUCCESSFUL,
          STOPPED,
          ROLLBACK_SUCCESSFUL,
          ROLLBACK_FAILED,
          UNKNOWN_TO_SDK_VERSION ->
          record;
    };
  }

  /** Alarms that ring before it starts say nothing about it: they do not watch over it. */
  private static void start(
      Tx tx, ServiceRecord record, ServiceDeployment deployment, Alarms.State state, Instant now) {
    DeploymentAlarms alarms = record.service().deploymentConfiguration().alarms();
    boolean watch = Alarms.watched(alarms) && state.ringing().isEmpty();
    ServiceDeployments.change(
        tx,
        deployment,
        d ->
            d.status(ServiceDeploymentStatus.IN_PROGRESS)
                .startedAt(now)
                .lifecycleStage(stage(record.traffic()))
                .alarms(
                    ServiceDeploymentAlarms.builder()
                        .status(
                            watch
                                ? ServiceDeploymentRollbackMonitorsStatus.MONITORING
                                : ServiceDeploymentRollbackMonitorsStatus.DISABLED)
                        .alarmNames(alarms == null ? List.of() : alarms.alarmNames())
                        .triggeredAlarmNames(List.of())
                        .build()),
        now);
  }

  /** Rolling deployments have no stages. */
  private static @Nullable ServiceDeploymentLifecycleStage stage(@Nullable Traffic traffic) {
    return traffic == null ? null : traffic.stage();
  }

  private ServiceRecord watch(
      Tx tx, ServiceRecord record, ServiceDeployment ongoing, Alarms.State state, Instant now) {
    DeploymentCircuitBreaker breaker =
        record.service().deploymentConfiguration().deploymentCircuitBreaker();
    if (tripped(record)) {
      return Boolean.TRUE.equals(breaker.rollback())
          ? rollBack(tx, record, BREAKER, ongoing, now)
          : giveUp(tx, record, BREAKER, now);
    }
    Set<String> ringing = state.ringing();
    if (watchedByAlarms(ongoing) && !ringing.isEmpty()) {
      ServiceDeployment seen =
          ongoing.toBuilder()
              .alarms(
                  ongoing.alarms().toBuilder()
                      .status(ServiceDeploymentRollbackMonitorsStatus.TRIGGERED)
                      .triggeredAlarmNames(ringing)
                      .build())
              .build();
      ServiceDeployments.change(tx, seen, d -> d, now);
      DeploymentAlarms alarms = record.service().deploymentConfiguration().alarms();
      return alarms != null && Boolean.TRUE.equals(alarms.rollback())
          ? rollBack(tx, record, ALARM, seen, now)
          : giveUp(tx, record, ALARM, now);
    }
    return record;
  }

  private static boolean tripped(ServiceRecord record) {
    DeploymentCircuitBreaker breaker =
        record.service().deploymentConfiguration().deploymentCircuitBreaker();
    return breaker != null
        && Boolean.TRUE.equals(breaker.enable())
        && record.primary().failedTasks()
            >= Rollout.breakerThreshold(record.service().desiredCount());
  }

  private static boolean watchedByAlarms(ServiceDeployment deployment) {
    return deployment.alarms() != null
        && deployment.alarms().status() == ServiceDeploymentRollbackMonitorsStatus.MONITORING;
  }

  /**
   * The primary deployment's tasks are all there and healthy: it is complete, unless alarms watch
   * over it and it still bakes.
   */
  ServiceRecord complete(Tx tx, ServiceRecord record, Alarms.State alarms, Instant now) {
    Optional<ServiceDeployment> ongoing = ServiceDeployments.ongoing(tx, record.service());
    if (record.traffic() == null && ongoing.filter(Deployments::watchedByAlarms).isPresent()) {
      if (record.bakedAt() == null) {
        return record.withBakedAt(now.plus(alarms.bake()));
      }
      if (now.isBefore(record.bakedAt())) {
        return record;
      }
    }
    boolean back =
        ongoing.filter(d -> d.status() == ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS).isPresent();
    ServiceDeployments.close(
        tx,
        record,
        back ? ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL : ServiceDeploymentStatus.SUCCESSFUL,
        null,
        now);
    Deployment primary = record.primary();
    return record
        .withPrimary(
            primary.toBuilder()
                .rolloutState(DeploymentRolloutState.COMPLETED)
                .rolloutStateReason("ECS deployment " + primary.id() + " completed.")
                .failedTasks(0)
                .updatedAt(now)
                .build())
        .withTraffic(record.traffic() == null ? null : record.traffic().whole())
        .withCompleted(primary.id())
        .withEvent(ids.uuid(), now, "(deployment " + primary.id() + ") deployment completed.");
  }

  /** The service goes away: nothing is deployed any more. */
  void end(Tx tx, ServiceRecord record, Instant now) {
    ServiceDeployments.close(
        tx,
        record,
        ServiceDeploymentStatus.STOPPED,
        "Service deployment stopped because the service was deleted.",
        now);
  }

  private ServiceRecord rollBack(
      Tx tx, ServiceRecord record, Failure why, ServiceDeployment ongoing, Instant now) {
    Service service = record.service();
    String last = record.lastCompleted();
    Optional<ServiceRevision> found =
        last == null ? Optional.empty() : Revisions.of(tx, service.serviceArn(), last);
    if (found.isEmpty()) {
      return giveUp(tx, record, why, now); // there is nothing to go back to
    }
    Traffic traffic = back(record, Revisions.idOf(found.get()), now);
    ServiceRevision to =
        traffic != null && found.get().loadBalancers().size() == service.loadBalancers().size()
            ? Revisions.resolve(tx, found.get(), groups(tx, record, traffic))
            : found.get();
    String reason = "Service deployment rolled back " + why.history();
    ServiceDeployments.change(
        tx,
        ServiceDeployments.counted(tx, ongoing, record),
        d ->
            d.status(ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS)
                .statusReason(reason)
                .lifecycleStage(stage(traffic))
                .rollback(r ->
                    r.reason(reason).startedAt(now).serviceRevisionArn(to.serviceRevisionArn())),
        now);
    Deployment failed = failed(record.primary(), why, now);
    List<Deployment> deployments = new ArrayList<>();
    deployments.add(
        deployment(
            to,
            service.desiredCount(),
            why.by() + ": rolling back to deploymentId " + last + ".",
            now));
    deployments.add(failed.toBuilder().status("ACTIVE").desiredCount(0).build());
    service.deployments().stream()
        .skip(1)
        .filter(old -> !old.id().equals(last))
        .forEach(deployments::add);
    return record
        .with(s ->
            s.taskDefinition(to.taskDefinition())
                .networkConfiguration(to.networkConfiguration())
                .loadBalancers(balancers(record, to))
                .capacityProviderStrategy(to.capacityProviderStrategy())
                .launchType(to.launchType())
                .deployments(deployments))
        .withTraffic(traffic)
        .unproven()
        .withEvent(ids.uuid(), now, "(deployment " + failed.id() + ") " + why.event())
        .withEvent(ids.uuid(), now, "rolling back to deployment " + last + ".");
  }

  /** No new tasks are started for it; what runs stays. */
  private ServiceRecord giveUp(Tx tx, ServiceRecord record, Failure why, Instant now) {
    boolean back =
        ServiceDeployments.ongoing(tx, record.service())
            .filter(d ->
                d.status() == ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS
                    || d.status() == ServiceDeploymentStatus.ROLLBACK_REQUESTED)
            .isPresent();
    ServiceDeployments.close(
        tx,
        record,
        back ? ServiceDeploymentStatus.ROLLBACK_FAILED : ServiceDeploymentStatus.STOPPED,
        "Service deployment " + (back ? "rollback failed " : "stopped ") + why.history(),
        now);
    Deployment failed = failed(record.primary(), why, now);
    return record
        .withPrimary(failed)
        .withEvent(ids.uuid(), now, "(deployment " + failed.id() + ") " + why.event());
  }

  private static Deployment failed(Deployment primary, Failure why, Instant now) {
    return primary.toBuilder()
        .rolloutState(DeploymentRolloutState.FAILED)
        .rolloutStateReason(why.by() + ": " + why.rollout())
        .updatedAt(now)
        .build();
  }

  private static Deployment deployment(
      ServiceRevision revision, int desired, String reason, Instant now) {
    return Deployment.builder()
        .id(Revisions.idOf(revision))
        .status("PRIMARY")
        .taskDefinition(revision.taskDefinition())
        .desiredCount(desired)
        .pendingCount(0)
        .runningCount(0)
        .failedTasks(0)
        .createdAt(now)
        .updatedAt(now)
        .launchType(revision.launchType())
        .capacityProviderStrategy(revision.capacityProviderStrategy())
        .platformVersion(revision.platformVersion())
        .platformFamily(revision.platformFamily())
        .networkConfiguration(revision.networkConfiguration())
        .rolloutState(DeploymentRolloutState.IN_PROGRESS)
        .rolloutStateReason(reason)
        .build();
  }
}
