package dev.muelle.services.ecs.event;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.ecs.event.WatchedTx.Change;
import dev.muelle.services.ecs.placement.Reason;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.service.TaskSets;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceEvent;
import software.amazon.awssdk.services.ecs.model.TaskSet;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/**
 * What the scheduler does for services, as events. Most of it is what the service's own events say.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html">Service
 *     action events</a>
 */
final class ServiceActions {

  private static final String INFO = "INFO";
  private static final String WARN = "WARN";
  private static final String ERROR = "ERROR";
  private static final String BECAUSE = "Reason: ";
  private static final String DESIRED = "SERVICE_DESIRED_COUNT_UPDATED";

  private ServiceActions() {}

  /**
   * One event.
   *
   * @param more the members that this kind of event has beside those that all have
   */
  record Action(String type, String name, String clusterArn, ObjectNode more) {

    ObjectNode detail(Instant now) {
      ObjectNode detail =
          JsonNodeFactory.instance
              .objectNode()
              .put("eventType", type)
              .put("eventName", name)
              .put("clusterArn", clusterArn);
      detail.setAll(more);
      return detail.put("createdAt", Details.time(now));
    }
  }

  static List<Action> of(
      @Nullable ServiceRecord before, ServiceRecord after, List<Change<TaskRecord>> tasks) {
    List<Action> actions = new ArrayList<>();
    stopped(after, tasks).ifPresent(actions::add);
    if (before != null && after.daemon()) {
      int desired = after.service().desiredCount();
      if (desired != before.service().desiredCount() && active(after)) {
        actions.add(action(after.service(), INFO, DESIRED, none().put("desiredCount", desired)));
      }
    }
    fresh(before, after).forEach(event -> actions.addAll(said(after.service(), event.message())));
    return actions;
  }

  /** A task set's share, computed anew as the service's desired count changed. */
  static Optional<Action> of(Change<TaskSet> change) {
    TaskSet before = change.before();
    TaskSet after = change.after();
    if (before == null
        || after == null
        || !before.scale().equals(after.scale()) // somebody asked for it
        || before.computedDesiredCount().equals(after.computedDesiredCount())) {
      return Optional.empty();
    }
    ObjectNode share = none().put("desiredCount", after.computedDesiredCount());
    share.set("taskSetArns", Details.array(List.of(after.taskSetArn())));
    return Optional.of(new Action(INFO, DESIRED, after.clusterArn(), share));
  }

  private static boolean active(ServiceRecord record) {
    return record.service().status().equals(ServiceRecord.ACTIVE);
  }

  /** The tasks that the scheduler told to stop. */
  private static Optional<Action> stopped(ServiceRecord record, List<Change<TaskRecord>> tasks) {
    List<String> arns = new ArrayList<>();
    for (Change<TaskRecord> change : tasks) {
      TaskRecord before = change.before();
      TaskRecord after = change.after();
      if (before != null
          && after != null
          && before.wanted()
          && !after.wanted()
          && record.key().equals(after.serviceKey())
          && after.task().stopCode() == TaskStopCode.SERVICE_SCHEDULER_INITIATED) {
        arns.add(after.task().taskArn());
      }
    }
    return arns.isEmpty()
        ? Optional.empty()
        : Optional.of(
            action(
                record.service(),
                INFO,
                "TASKS_STOPPED",
                none().set("taskArns", Details.array(arns))));
  }

  /** The service's events that it did not have before, the oldest first. */
  private static List<ServiceEvent> fresh(@Nullable ServiceRecord before, ServiceRecord after) {
    List<ServiceEvent> known = before == null ? List.of() : before.service().events();
    String last = known.isEmpty() ? null : known.getFirst().id();
    return after.service().events().stream()
        .takeWhile(event -> !event.id().equals(last))
        .toList()
        .reversed();
  }

  private static List<Action> said(Service service, String message) {
    if (message.endsWith(ServiceRecord.STEADY)) {
      return steady(service, message);
    }
    if (message.contains(ServiceRecord.IMPAIRED)) {
      return List.of(action(service, WARN, "SERVICE_TASK_START_IMPAIRED", none()));
    }
    if (message.contains(Verdict.Refused.UNPLACED)) {
      ObjectNode why = providers(service);
      Verdict.Refused.closestOf(message)
          .ifPresent(id ->
              why.set("containerInstanceArns", Details.array(List.of(instance(service, id)))));
      why.put("reason", reason(message));
      return List.of(action(service, ERROR, "SERVICE_TASK_PLACEMENT_FAILURE", why));
    }
    return List.of();
  }

  private static List<Action> steady(Service service, String message) {
    Optional<String> set = ServiceRecord.taskSetOf(message);
    if (set.isPresent()) {
      ObjectNode sets =
          none().set("taskSetArns", Details.array(List.of(TaskSets.arn(service, set.get()))));
      return List.of(action(service, INFO, "TASKSET_STEADY_STATE", sets));
    }
    Action steady = action(service, INFO, "SERVICE_STEADY_STATE", none());
    return service.capacityProviderStrategy().isEmpty()
        ? List.of(steady)
        : List.of(
            steady, action(service, INFO, "CAPACITY_PROVIDER_STEADY_STATE", providers(service)));
  }

  /** As RunTask's failures say it, or in the event's own words if it was about no instance. */
  private static String reason(String message) {
    int because = message.indexOf(BECAUSE);
    return Reason.told(message)
        .map(Reason::failure)
        .orElseGet(() -> {
          String rest = message.substring(because + BECAUSE.length());
          return rest.substring(0, rest.indexOf('.') + 1);
        });
  }

  private static String instance(Service service, String id) {
    return service.clusterArn().replace(":cluster/", ":container-instance/") + "/" + id;
  }

  private static ObjectNode providers(Service service) {
    List<CapacityProviderStrategyItem> strategy = service.capacityProviderStrategy();
    if (strategy.isEmpty()) {
      return none();
    }
    String prefix =
        service.clusterArn().substring(0, service.clusterArn().indexOf(":cluster/"))
            + ":capacity-provider/";
    return none()
        .set(
            "capacityProviderArns",
            Details.array(
                strategy.stream().map(item -> prefix + item.capacityProvider()).toList()));
  }

  private static Action action(Service service, String type, String name, ObjectNode more) {
    return new Action(type, name, service.clusterArn(), more);
  }

  private static ObjectNode none() {
    return JsonNodeFactory.instance.objectNode();
  }
}
