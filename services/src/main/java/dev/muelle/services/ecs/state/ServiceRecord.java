package dev.muelle.services.ecs.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceEvent;

/**
 * A service as stored; its counts are computed when it is described.
 *
 * @param failedStarts tasks in a row that never reached RUNNING
 * @param notBefore when the next task may be started, after repeated failures; null for at once
 * @param steady whether "has reached a steady state" was said since the last change
 * @param lastCompleted id of the last deployment that completed: where a rollback goes; null if
 *     there is none
 * @param proven when the newest task was made that became healthy in the primary deployment
 * @param bakedAt until when alarms watch over a deployment whose tasks are all there; null before
 * @param traffic where it goes, of a service that is deployed by shifting it; null of others
 * @param moves tasks made to balance the zones; null as long as the zones are balanced
 * @param unplaced when it was last counted as a failure that a task could not be placed; null
 *     before
 */
public record ServiceRecord(
    Service service,
    int failedStarts,
    @Nullable Instant notBefore,
    boolean steady,
    @Nullable String lastCompleted,
    @Nullable Instant proven,
    @Nullable Instant bakedAt,
    @Nullable Traffic traffic,
    @Nullable Set<String> moves,
    @Nullable Instant unplaced) {

  public static final String ACTIVE = "ACTIVE";
  public static final String DRAINING = "DRAINING";
  public static final String INACTIVE = "INACTIVE";

  /** How events say that all is as wanted. */
  public static final String STEADY = "has reached a steady state.";

  /** How events say that tasks fail before they run, again and again. */
  public static final String IMPAIRED = "is unable to consistently start tasks successfully.";

  private static final String TASK_SET = ", taskSet ";
  static final int MAX_EVENTS = 100;
  private static final Duration REPEATED = Duration.ofHours(6);

  /** Keyed {@code cluster/service}, by their names. */
  public static final Table<ServiceRecord> TABLE =
      Table.of("ecs.services", StoredJson.codec(ServiceRecord.class))
          .index("cluster", service -> service.service().clusterArn())
          .remember();

  /** A service that was just made. */
  public static ServiceRecord of(Service service) {
    return new ServiceRecord(service, 0, null, false, null, null, null, null, null, null);
  }

  public String key() {
    return key(TaskRecord.idOf(service.clusterArn()), service.serviceName());
  }

  public static String key(String cluster, String service) {
    return cluster + "/" + service;
  }

  /** The deployment that is to stay; only of a service that ECS deploys. */
  public Deployment primary() {
    return service.deployments().getFirst();
  }

  public boolean daemon() {
    return service.schedulingStrategy() == SchedulingStrategy.DAEMON;
  }

  /** Whether somebody else deploys it, by task sets. */
  public boolean external() {
    return external(service.deploymentController());
  }

  public static boolean external(@Nullable DeploymentController controller) {
    return controller != null && controller.type() == DeploymentControllerType.EXTERNAL;
  }

  /** The ARNs of the task definitions that it runs or may run again; none once it is INACTIVE. */
  public Stream<String> definitions() {
    return service.status().equals(INACTIVE)
        ? Stream.empty()
        : Stream.concat(
                Stream.ofNullable(service.taskDefinition()),
                service.deployments().stream().map(Deployment::taskDefinition))
            .distinct();
  }

  public ServiceRecord with(UnaryOperator<Service.Builder> change) {
    return change(d -> d.service = change.apply(service.toBuilder()).build());
  }

  public ServiceRecord withFailures(int failures, @Nullable Instant next) {
    return change(d -> {
      d.failedStarts = failures;
      d.notBefore = next;
    });
  }

  /** With one failed task more in a deployment, as long as that one is rolled out. */
  public ServiceRecord withFailedTask(@Nullable String deployment) {
    return with(s ->
        s.deployments(
            service.deployments().stream()
                .map(d ->
                    d.id().equals(deployment)
                            && d.rolloutState() == DeploymentRolloutState.IN_PROGRESS
                        ? d.toBuilder().failedTasks(d.failedTasks() + 1).build()
                        : d)
                .toList()));
  }

  /**
   * A task of a deployment could not be placed, which is a failure of it as another; what is tried
   * each second is counted as the attempts that are some time apart.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html">Deployment</a>,
   *     failedTasks: a task is considered a failure if the scheduler cannot launch it
   */
  public ServiceRecord withUnplaced(String deployment, Instant now) {
    if (unplaced != null && now.isBefore(unplaced.plus(Throttle.PLACEMENT_ATTEMPT))) {
      return this;
    }
    ServiceRecord counted = withFailedTask(deployment);
    return change(d -> {
      d.service = counted.service;
      d.unplaced = now;
    });
  }

  public ServiceRecord withSteady(boolean now) {
    return change(d -> d.steady = now);
  }

  public ServiceRecord withCompleted(String deployment) {
    return change(d -> d.lastCompleted = deployment);
  }

  public ServiceRecord withBakedAt(Instant at) {
    return change(d -> d.bakedAt = at);
  }

  public ServiceRecord withTraffic(@Nullable Traffic next) {
    return change(d -> d.traffic = next);
  }

  public ServiceRecord withMoves(@Nullable Set<String> tasks) {
    return change(d -> d.moves = tasks);
  }

  /**
   * A task of the primary deployment that was made then is healthy: failures before it were not in
   * a row with those after it, and count no more.
   */
  public ServiceRecord withProven(Instant made) {
    Service reset = withPrimary(primary().toBuilder().failedTasks(0).build()).service();
    return change(d -> {
      d.service = reset;
      d.proven = made;
    });
  }

  /** About to be deployed anew: nothing of what was learned of the tasks before counts. */
  public ServiceRecord unproven() {
    return change(d -> {
      d.failedStarts = 0;
      d.notBefore = null;
      d.steady = false;
      d.proven = null;
      d.bakedAt = null;
      d.moves = null;
      d.unplaced = null;
    });
  }

  /** With another number of tasks for the deployment that is to stay, if ECS deploys it. */
  public ServiceRecord rescaled(int desired, Instant now) {
    return service.deployments().isEmpty()
        ? this
        : withPrimary(primary().toBuilder().desiredCount(desired).updatedAt(now).build());
  }

  /** With this deployment in the place of the primary one. */
  public ServiceRecord withPrimary(Deployment changed) {
    List<Deployment> deployments = new ArrayList<>(service.deployments());
    deployments.set(0, changed);
    return with(s -> s.deployments(deployments));
  }

  /** With one event more, unless the last six hours already said so and nothing else since. */
  public ServiceRecord withEventOnce(String id, Instant at, String text) {
    ServiceEvent last = service.events().isEmpty() ? null : service.events().getFirst();
    boolean said =
        last != null
            && last.message().equals("(service " + service.serviceName() + ") " + text)
            && at.isBefore(last.createdAt().plus(REPEATED));
    return said ? this : withEvent(id, at, text);
  }

  /** With one event more, in ECS's form: {@code (service NAME) …}. */
  public ServiceRecord withEvent(String id, Instant at, String text) {
    return withEvent(id, at, null, text);
  }

  /** The id of the task set that an event's message is about; empty if it is of none. */
  public static Optional<String> taskSetOf(String message) {
    int set = message.indexOf(TASK_SET);
    return set < 0 || set > message.indexOf(')')
        ? Optional.empty()
        : Optional.of(message.substring(set + TASK_SET.length(), message.indexOf(')')));
  }

  /** With one event more of a task set: {@code (service NAME, taskSet ID) …}. */
  public ServiceRecord withEvent(String id, Instant at, @Nullable String taskSet, String text) {
    String of = taskSet == null ? "" : TASK_SET + taskSet;
    List<ServiceEvent> events = new ArrayList<>();
    events.add(
        ServiceEvent.builder()
            .id(id)
            .createdAt(at)
            .message("(service " + service.serviceName() + of + ") " + text)
            .build());
    events.addAll(service.events());
    return with(s -> s.events(events.subList(0, Math.min(events.size(), MAX_EVENTS))));
  }

  private ServiceRecord change(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** The same parts, to be changed. */
  private static final class Draft {
    Service service;
    int failedStarts;
    @Nullable Instant notBefore;
    boolean steady;
    @Nullable String lastCompleted;
    @Nullable Instant proven;
    @Nullable Instant bakedAt;
    @Nullable Traffic traffic;
    @Nullable Set<String> moves;
    @Nullable Instant unplaced;

    Draft(ServiceRecord from) {
      service = from.service;
      failedStarts = from.failedStarts;
      notBefore = from.notBefore;
      steady = from.steady;
      lastCompleted = from.lastCompleted;
      proven = from.proven;
      bakedAt = from.bakedAt;
      traffic = from.traffic;
      moves = from.moves;
      unplaced = from.unplaced;
    }

    ServiceRecord done() {
      return new ServiceRecord(
          service,
          failedStarts,
          notBefore,
          steady,
          lastCompleted,
          proven,
          bakedAt,
          traffic,
          moves,
          unplaced);
    }
  }
}
