package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.CreatedAt;
import software.amazon.awssdk.services.ecs.model.DescribeServiceDeploymentsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServiceDeploymentsResponse;
import software.amazon.awssdk.services.ecs.model.DescribeServiceRevisionsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServiceRevisionsResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.ListServiceDeploymentsRequest;
import software.amazon.awssdk.services.ecs.model.ListServiceDeploymentsResponse;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentBrief;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentNotFoundException;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.ServiceRevision;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentRequest;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentResponse;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentStopType;

/**
 * Service deployments and service revisions as callers see them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html">DescribeServiceDeployments</a>
 */
public final class ServiceHistory {

  private static final int MOST_DESCRIBED = 20;
  private static final int DEFAULT_PAGE = 20;

  private final Store store;
  private final InstantSource clock;
  private final ClusterNames clusters;

  public ServiceHistory(Store store, InstantSource clock, ClusterNames clusters) {
    this.store = store;
    this.clock = clock;
    this.clusters = clusters;
  }

  public ListServiceDeploymentsResponse list(ListServiceDeploymentsRequest request) {
    List<ServiceDeploymentBrief> briefs =
        store.read(tx -> {
          Cluster cluster = clusters.known(tx, request.cluster());
          String key = Services.key(cluster, request.service());
          if (tx.get(ServiceRecord.TABLE, key).isEmpty()) {
            throw ServiceNotFoundException.builder().message("Service not found.").build();
          }
          return ServiceDeployments.newestFirst(tx, key).stream()
              .filter(deployment ->
                  request.status().isEmpty() || request.status().contains(deployment.status()))
              .filter(deployment -> within(request.createdAt(), deployment.createdAt()))
              .map(ServiceHistory::brief)
              .toList();
        });
    int size = request.maxResults() == null ? DEFAULT_PAGE : request.maxResults();
    Pages.Page<ServiceDeploymentBrief> page =
        Pages.of(
            briefs,
            brief ->
                "%020d %s"
                    .formatted(brief.createdAt().toEpochMilli(), brief.serviceDeploymentArn()),
            Comparator.reverseOrder(), // the newest first
            request.nextToken(),
            size);
    return ListServiceDeploymentsResponse.builder()
        .serviceDeployments(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static boolean within(@Nullable CreatedAt wanted, Instant at) {
    return wanted == null
        || ((wanted.after() == null || at.isAfter(wanted.after()))
            && (wanted.before() == null || at.isBefore(wanted.before())));
  }

  private static ServiceDeploymentBrief brief(ServiceDeployment deployment) {
    return ServiceDeploymentBrief.builder()
        .serviceDeploymentArn(deployment.serviceDeploymentArn())
        .serviceArn(deployment.serviceArn())
        .clusterArn(deployment.clusterArn())
        .createdAt(deployment.createdAt())
        .startedAt(deployment.startedAt())
        .finishedAt(deployment.finishedAt())
        .targetServiceRevisionArn(deployment.targetServiceRevision().arn())
        .status(deployment.status())
        .statusReason(deployment.statusReason())
        .build();
  }

  public DescribeServiceDeploymentsResponse deployments(DescribeServiceDeploymentsRequest request) {
    Described<ServiceDeployment> described =
        describe(
            "serviceDeploymentArns",
            request.serviceDeploymentArns(),
            ServiceDeployments.TABLE,
            ServiceDeployments::shown);
    return DescribeServiceDeploymentsResponse.builder()
        .serviceDeployments(described.found())
        .failures(described.failures())
        .build();
  }

  public DescribeServiceRevisionsResponse revisions(DescribeServiceRevisionsRequest request) {
    Described<ServiceRevision> described =
        describe(
            "serviceRevisionArns",
            request.serviceRevisionArns(),
            Revisions.TABLE,
            (tx, revision) -> revision);
    return DescribeServiceRevisionsResponse.builder()
        .serviceRevisions(described.found())
        .failures(described.failures())
        .build();
  }

  private record Described<T>(List<T> found, List<Failure> failures) {}

  private <T> Described<T> describe(
      String member, List<String> arns, Table<T> table, BiFunction<Tx, T, T> shown) {
    if (arns.isEmpty() || arns.size() > MOST_DESCRIBED) {
      throw Refuse.invalid(
          member + (arns.isEmpty() ? " cannot be empty." : " cannot have more than 20 elements."));
    }
    return store.read(tx -> {
      List<T> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String arn : arns) {
        tx.get(table, Revisions.keyOf(arn))
            .ifPresentOrElse(
                row -> found.add(shown.apply(tx, row.value())),
                () -> failures.add(Failure.builder().arn(arn).reason("MISSING").build()));
      }
      return new Described<>(found, failures);
    });
  }

  /**
   * Asks for the rollback of what is going on; the service's next look begins it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html">Stopping
   *     service deployments</a>
   */
  public StopServiceDeploymentResponse stop(StopServiceDeploymentRequest request) {
    if (request.stopType() != null
        && request.stopType() != StopServiceDeploymentStopType.ROLLBACK) {
      throw Refuse.invalid(
          "Stop type " + request.stopTypeAsString() + " is not supported. Use ROLLBACK.");
    }
    String arn = request.serviceDeploymentArn();
    if (arn == null || arn.isEmpty()) {
      throw Refuse.invalid("serviceDeploymentArn can not be blank.");
    }
    return store.write(tx -> {
      Optional<ServiceDeployment> found =
          tx.get(ServiceDeployments.TABLE, Revisions.keyOf(arn)).map(Row::value);
      ServiceDeployment deployment =
          found.orElseThrow(() ->
              ServiceDeploymentNotFoundException.builder()
                  .message(
                      "The service deployment ARN that you specified in the StopServiceDeployment"
                          + " doesn't exist. You can use ListServiceDeployments to retrieve the"
                          + " service deployment ARNs.")
                  .build());
      if (ServiceDeployments.over(deployment)) {
        throw ConflictException.builder()
            .message(
                "The service deployment cannot be stopped because its status is "
                    + deployment.statusAsString()
                    + ".")
            .build();
      }
      if (deployment.status() == ServiceDeploymentStatus.PENDING
          || deployment.status() == ServiceDeploymentStatus.IN_PROGRESS) {
        ServiceDeployments.change(
            tx,
            deployment,
            d -> d.status(ServiceDeploymentStatus.ROLLBACK_REQUESTED),
            clock.instant());
      }
      return StopServiceDeploymentResponse.builder().serviceDeploymentArn(arn).build();
    });
  }
}
