package dev.muelle.services.ecs;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceEvent;

/**
 * A service as stored; its counts are computed when it is described.
 *
 * @param failedStarts tasks in a row that never reached RUNNING
 * @param notBefore when the next task may be started, after repeated failures; null for at once
 * @param steady whether "has reached a steady state" was said since the last change
 * @param lastCompleted task definition of the last deployment that completed: where a rollback goes
 */
record ServiceRecord(
    Service service,
    int failedStarts,
    @Nullable Instant notBefore,
    boolean steady,
    @Nullable String lastCompleted) {

  static final int MAX_EVENTS = 100;
  private static final Duration REPEATED = Duration.ofHours(6);

  /** Keyed {@code cluster/service}, by their names. */
  static final Table<ServiceRecord> TABLE =
      Table.of("ecs.services", StoredJson.codec(ServiceRecord.class))
          .index("cluster", service -> service.service().clusterArn());

  String key() {
    return key(TaskRecord.idOf(service.clusterArn()), service.serviceName());
  }

  static String key(String cluster, String service) {
    return cluster + "/" + service;
  }

  Deployment primary() {
    return service.deployments().getFirst();
  }

  ServiceRecord with(UnaryOperator<Service.Builder> change) {
    return new ServiceRecord(
        change.apply(service.toBuilder()).build(), failedStarts, notBefore, steady, lastCompleted);
  }

  ServiceRecord withFailures(int failures, @Nullable Instant next) {
    return new ServiceRecord(service, failures, next, steady, lastCompleted);
  }

  /** With one failed task more in a deployment. */
  ServiceRecord withFailedTask(@Nullable String deployment) {
    return with(s ->
        s.deployments(
            service.deployments().stream()
                .map(d ->
                    d.id().equals(deployment)
                        ? d.toBuilder().failedTasks(d.failedTasks() + 1).build()
                        : d)
                .toList()));
  }

  ServiceRecord withSteady(boolean now) {
    return new ServiceRecord(service, failedStarts, notBefore, now, lastCompleted);
  }

  ServiceRecord withCompleted(String taskDefinition) {
    return new ServiceRecord(service, failedStarts, notBefore, steady, taskDefinition);
  }

  /** With one event more, unless the last six hours already said so and nothing else since. */
  ServiceRecord withEventOnce(String id, Instant at, String text) {
    ServiceEvent last = service.events().isEmpty() ? null : service.events().getFirst();
    boolean said =
        last != null
            && last.message().equals("(service " + service.serviceName() + ") " + text)
            && at.isBefore(last.createdAt().plus(REPEATED));
    return said ? this : withEvent(id, at, text);
  }

  /** With one event more, in ECS's form: {@code (service NAME) …}. */
  ServiceRecord withEvent(String id, Instant at, String text) {
    List<ServiceEvent> events = new ArrayList<>();
    events.add(
        ServiceEvent.builder()
            .id(id)
            .createdAt(at)
            .message("(service " + service.serviceName() + ") " + text)
            .build());
    events.addAll(service.events());
    return with(s -> s.events(events.subList(0, Math.min(events.size(), MAX_EVENTS))));
  }
}
