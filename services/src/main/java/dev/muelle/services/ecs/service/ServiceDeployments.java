package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentRollbackMonitorsStatus;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;
import software.amazon.awssdk.services.ecs.model.ServiceRevisionSummary;

/**
 * The history of a service: its service deployments as they are written down, each from PENDING to
 * one of the states in which it is over. Its counts are those of the moment as long as it goes on,
 * and afterwards those of its end.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html">View
 *     service history using Amazon ECS service deployments</a>
 */
final class ServiceDeployments {

  /** Keyed {@code cluster/service/id}. */
  static final Table<ServiceDeployment> TABLE =
      Table.of("ecs.service_deployments", StoredJson.codec(ServiceDeployment.class)).remember();

  private static final Duration KEPT = Duration.ofDays(90);
  private static final int MOST_KEPT = 1_000;

  private static final Set<ServiceDeploymentStatus> OVER =
      Set.of(
          ServiceDeploymentStatus.SUCCESSFUL,
          ServiceDeploymentStatus.STOPPED,
          ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL,
          ServiceDeploymentStatus.ROLLBACK_FAILED);

  private ServiceDeployments() {}

  static boolean over(ServiceDeployment deployment) {
    return OVER.contains(deployment.status());
  }

  /** The deployment that is going on, if any. */
  static Optional<ServiceDeployment> ongoing(Tx tx, Service service) {
    return Optional.ofNullable(service.currentServiceDeployment())
        .flatMap(arn -> tx.get(TABLE, Revisions.keyOf(arn)))
        .map(Row::value)
        .filter(deployment -> !over(deployment));
  }

  /** Writes down that a deployment from what the service has to its new primary one begins. */
  static ServiceDeployment add(
      Tx tx, Scope scope, Ids ids, Service before, Deployment primary, Instant now) {
    String service = Revisions.keyOf(before.serviceArn());
    forgetOld(tx, service, now);
    // Two within one instant have an order, too.
    Instant at =
        newestFirst(tx, service).stream()
            .findFirst()
            .map(last -> last.createdAt().plusMillis(1))
            .filter(now::isBefore)
            .orElse(now);
    String id =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(HexFormat.of().parseHex(ids.hex(32)));
    ServiceDeployment made =
        ServiceDeployment.builder()
            .serviceDeploymentArn(scope.arn("ecs", "service-deployment/" + service + "/" + id))
            .serviceArn(before.serviceArn())
            .clusterArn(before.clusterArn())
            .createdAt(at)
            .updatedAt(at)
            .sourceServiceRevisions(
                before.deployments().stream()
                    .map(old -> Revisions.summary(before.serviceArn(), old))
                    .toList())
            .targetServiceRevision(Revisions.summary(before.serviceArn(), primary))
            .status(ServiceDeploymentStatus.PENDING)
            .deploymentConfiguration(before.deploymentConfiguration())
            .build();
    tx.insert(TABLE, Revisions.keyOf(made.serviceDeploymentArn()), made);
    return made;
  }

  static void change(
      Tx tx,
      ServiceDeployment deployment,
      UnaryOperator<ServiceDeployment.Builder> change,
      Instant now) {
    tx.put(
        TABLE,
        Revisions.keyOf(deployment.serviceDeploymentArn()),
        change.apply(deployment.toBuilder()).updatedAt(now).build());
  }

  /** Ends what is going on, with what its tasks did at the end. */
  static void close(
      Tx tx,
      ServiceRecord record,
      ServiceDeploymentStatus status,
      @Nullable String reason,
      Instant now) {
    Optional<ServiceDeployment> found = ongoing(tx, record.service());
    if (found.isEmpty()) {
      return;
    }
    ServiceDeployment last = counted(tx, found.get(), record);
    ServiceDeploymentCircuitBreaker breaker = last.deploymentCircuitBreaker();
    ServiceDeploymentAlarms alarms = last.alarms();
    change(
        tx,
        last,
        d ->
            d.status(status)
                .statusReason(reason == null ? last.statusReason() : reason)
                .deploymentCircuitBreaker(
                    breaker.toBuilder().status(ended(breaker.status())).build())
                .alarms(
                    alarms == null
                        ? null
                        : alarms.toBuilder().status(ended(alarms.status())).build())
                .stoppedAt(status == ServiceDeploymentStatus.STOPPED ? now : null)
                .finishedAt(now),
        now);
  }

  private static ServiceDeploymentRollbackMonitorsStatus ended(
      ServiceDeploymentRollbackMonitorsStatus status) {
    return status == ServiceDeploymentRollbackMonitorsStatus.MONITORING
        ? ServiceDeploymentRollbackMonitorsStatus.MONITORING_COMPLETE
        : status;
  }

  /** The deployment as it is told, with what its tasks do now. */
  static ServiceDeployment shown(Tx tx, ServiceDeployment deployment) {
    Optional<ServiceRecord> service =
        tx.get(ServiceRecord.TABLE, Revisions.keyOf(deployment.serviceArn())).map(Row::value);
    return over(deployment) || service.isEmpty()
        ? deployment
        : counted(tx, deployment, service.get());
  }

  /** An ongoing deployment with its service's counts. */
  static ServiceDeployment counted(Tx tx, ServiceDeployment deployment, ServiceRecord record) {
    Service service = Services.counted(tx, record.service());
    List<ServiceRevisionSummary> sources = new ArrayList<>();
    ServiceRevisionSummary target = deployment.targetServiceRevision();
    for (Deployment one : service.deployments()) {
      ServiceRevisionSummary summary = Revisions.summary(service.serviceArn(), one);
      if (summary.arn().equals(target.arn())) {
        target = summary;
      } else {
        sources.add(summary);
      }
    }
    ServiceDeployment.Builder counted =
        deployment.toBuilder().sourceServiceRevisions(sources).targetServiceRevision(target);
    if (deployment.rollback() == null) { // afterwards it stays what made the rollback begin
      counted.deploymentCircuitBreaker(breaker(service)).alarms(alarms(deployment, service));
    }
    return counted.build();
  }

  private static ServiceDeploymentCircuitBreaker breaker(Service service) {
    DeploymentCircuitBreaker breaker = service.deploymentConfiguration().deploymentCircuitBreaker();
    int failures = service.deployments().getFirst().failedTasks();
    int threshold = Rollout.breakerThreshold(service.desiredCount());
    boolean watches = breaker != null && Boolean.TRUE.equals(breaker.enable());
    return ServiceDeploymentCircuitBreaker.builder()
        .status(
            !watches
                ? ServiceDeploymentRollbackMonitorsStatus.DISABLED
                : failures >= threshold
                    ? ServiceDeploymentRollbackMonitorsStatus.TRIGGERED
                    : ServiceDeploymentRollbackMonitorsStatus.MONITORING)
        .failureCount(failures)
        .threshold(threshold)
        .build();
  }

  /** What was written down of the alarms, or that there are none. */
  private static ServiceDeploymentAlarms alarms(ServiceDeployment deployment, Service service) {
    DeploymentAlarms alarms = service.deploymentConfiguration().alarms();
    if (deployment.alarms() != null) {
      return deployment.alarms();
    }
    return ServiceDeploymentAlarms.builder()
        .status(
            Alarms.watched(alarms)
                ? ServiceDeploymentRollbackMonitorsStatus.MONITORING
                : ServiceDeploymentRollbackMonitorsStatus.DISABLED)
        .alarmNames(alarms == null ? List.of() : alarms.alarmNames())
        .triggeredAlarmNames(List.of())
        .build();
  }

  /** History is kept for 90 days; of a service that is deployed all the time, the newest part. */
  private static void forgetOld(Tx tx, String service, Instant now) {
    List<ServiceDeployment> all = newestFirst(tx, service);
    for (int i = 0; i < all.size(); i++) {
      ServiceDeployment one = all.get(i);
      if (over(one) && (i >= MOST_KEPT || one.createdAt().isBefore(now.minus(KEPT)))) {
        tx.delete(TABLE, Revisions.keyOf(one.serviceDeploymentArn()));
      }
    }
  }

  /**
   * The deployments of a service.
   *
   * @param service {@code cluster/service}
   */
  static List<ServiceDeployment> newestFirst(Tx tx, String service) {
    return tx.list(TABLE, service + "/").stream()
        .map(Row::value)
        .sorted(Comparator.comparing(ServiceDeployment::createdAt).reversed())
        .toList();
  }
}
