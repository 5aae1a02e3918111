package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.service.Rollout.Stop;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.PlacementRules;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.services.ecs.task.WaitingTasks;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskOverride;
import software.amazon.awssdk.services.ecs.model.TaskSet;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/** Writes down which tasks a service is to have more, and which ones it is to have no longer. */
final class ServiceTasks {

  /** How many tasks one look starts or stops, so that no transaction keeps others waiting. */
  private static final int AT_ONCE = 500;

  /** How many of them an event names. */
  private static final int NAMED = 50;

  private final Ids ids;
  private final Tasks tasks;
  private final TaskFactory factory;
  private final InstanceTasks onInstances;

  ServiceTasks(Ids ids, Tasks tasks, TaskFactory factory, InstanceTasks onInstances) {
    this.ids = ids;
    this.tasks = tasks;
    this.factory = factory;
    this.onInstances = onInstances;
  }

  /**
   * What a deployment's or a task set's tasks are made of.
   *
   * @param taskSet whether it is a task set, for the events
   */
  record Kind(
      String id,
      String taskDefinition,
      AwsVpcConfiguration network,
      boolean onInstances,
      List<LoadBalancer> targets,
      List<CapacityProviderStrategyItem> strategy,
      boolean taskSet) {

    static Kind of(Tx tx, Service service, Deployment deployment) {
      List<String> groups = Revisions.groups(tx, service, deployment.id());
      List<LoadBalancer> targets = new ArrayList<>();
      for (int i = 0; i < groups.size(); i++) {
        targets.add(
            service.loadBalancers().get(i).toBuilder()
                .targetGroupArn(groups.get(i))
                .advancedConfiguration((AdvancedConfiguration) null)
                .build());
      }
      return new Kind(
          deployment.id(),
          deployment.taskDefinition(),
          deployment.networkConfiguration().awsvpcConfiguration(),
          CapacityStrategy.onInstances(service.launchType(), deployment.capacityProviderStrategy()),
          targets,
          deployment.capacityProviderStrategy(),
          false);
    }

    static Kind of(TaskSet set) {
      return new Kind(
          set.id(),
          set.taskDefinition(),
          set.networkConfiguration().awsvpcConfiguration(),
          CapacityStrategy.onInstances(set.launchType(), set.capacityProviderStrategy()),
          set.loadBalancers(),
          set.capacityProviderStrategy(),
          true);
    }

    @Nullable String inEvents() {
      return taskSet ? id : null;
    }
  }

  /**
   * What came of starting tasks.
   *
   * @param refused why no more could be placed; empty if all were
   */
  record Started(List<TaskRecord> tasks, Optional<String> refused) {

    String named() {
      return ServiceTasks.named(tasks.stream().map(TaskRecord::id).toList());
    }
  }

  /** As service events name tasks; of very many the first ones. */
  private static String named(List<String> ids) {
    String first =
        ids.stream().limit(NAMED).map(id -> "(task " + id + ")").collect(Collectors.joining(" "));
    return ids.size() > NAMED ? first + " and " + (ids.size() - NAMED) + " more" : first;
  }

  /**
   * Starts tasks, spread over the zones: at most {@value #AT_ONCE}, what is missing then is for the
   * next look.
   *
   * @param allowed the zones of the subnets that they may be in
   */
  Started start(
      Tx tx,
      ServiceRecord record,
      Kind kind,
      int count,
      Map<String, String> allowed,
      Situation seen) {
    Service service = record.service();
    Map<String, String> zones = new HashMap<>(allowed);
    if (!kind.network().subnets().isEmpty()) {
      zones.keySet().retainAll(kind.network().subnets());
    }
    List<TaskRecord> there = seen.aliveOf(kind.id());
    Zones.Taken taken = new Zones.Taken(zones, there.stream().map(TaskRecord::subnet).toList());
    List<String> subnets = kind.network().subnets().stream().filter(zones::containsKey).toList();
    List<TaskRecord> started = new ArrayList<>();
    Optional<String> refused = Optional.empty();
    Map<String, Integer> counts = CapacityStrategy.counts(there);
    // What is to be in some of the zones only is not worth new instances.
    WaitingTasks.Wish wish =
        allowed.equals(seen.zones())
            ? new WaitingTasks.Wish(service.placementConstraints(), service.placementStrategy())
            : null;
    Optional<TaskFactory.Order> order = count == 0 ? Optional.empty() : order(tx, record, kind);
    for (int i = 0; i < Math.min(count, AT_ONCE) && refused.isEmpty(); i++) {
      String subnet = subnets.isEmpty() ? "" : taken.next(subnets);
      TaskFactory.Order one = order.orElseThrow().in(subnet, zones.getOrDefault(subnet, ""));
      String provider = CapacityStrategy.next(kind.strategy(), counts);
      if (provider != null) {
        counts.merge(provider, 1, Integer::sum);
      }
      if (!kind.onInstances()) {
        TaskRecord task = factory.make(one, seen.now()).by(provider);
        tx.insert(TaskRecord.TABLE, task.id(), task);
        started.add(task);
        continue;
      }
      Request wanted = request(service, one, zones.values()).of(provider);
      switch (onInstances.place(tx, one, wanted, zones, wish)) {
        case InstanceTasks.Outcome.Made made -> started.add(made.task());
        case InstanceTasks.Outcome.Refused why -> refused = Optional.of(why.event());
        case InstanceTasks.Outcome.Crowded crowded ->
            refused =
                Optional.of(Verdict.Refused.UNPLACED + ". Reason: " + WaitingTasks.CROWDED + ".");
      }
    }
    return new Started(started, refused);
  }

  /** What one task of a kind asks of the instance that it is placed on. */
  static Request request(Service service, TaskFactory.Order order, Collection<String> zones) {
    return PlacementRules.request(
        order.group(),
        order.definition(),
        order.overrides(),
        zones,
        PlacementRules.constraints(service.placementConstraints()),
        service.schedulingStrategy() == SchedulingStrategy.DAEMON
            ? List.of()
            : PlacementRules.strategies(service.placementStrategy(), true));
  }

  /** A task of a kind, in its first subnet; none if its definition is gone. */
  static Optional<TaskFactory.Order> order(Tx tx, ServiceRecord record, Kind kind) {
    Service service = record.service();
    return tx.get(
            TaskDefinitions.TABLE, TaskDefinitions.keyOf(TaskRecord.idOf(kind.taskDefinition())))
        .map(row -> row.value())
        .map(definition ->
            new TaskFactory.Order(
                TaskRecord.idOf(service.clusterArn()),
                service.clusterArn(),
                definition.definition(),
                TaskOverride.builder().containerOverrides(List.of()).build(),
                kind.network(),
                kind.network().subnets().isEmpty() ? "" : kind.network().subnets().getFirst(),
                "",
                "service:" + service.serviceName(),
                kind.id(),
                record.key(),
                kind.targets(),
                tags(service, definition.tags()),
                Boolean.TRUE.equals(service.enableExecuteCommand())));
  }

  private static List<Tag> tags(Service service, List<Tag> definitionTags) {
    Map<String, Tag> tags = new LinkedHashMap<>();
    if (service.propagateTags() == PropagateTags.SERVICE) {
      service.tags().forEach(tag -> tags.put(tag.key(), tag));
    } else if (service.propagateTags() == PropagateTags.TASK_DEFINITION) {
      definitionTags.forEach(tag -> tags.put(tag.key(), tag));
    }
    if (Boolean.TRUE.equals(service.enableECSManagedTags())) {
      Map<String, String> managed =
          Map.of(
              "aws:ecs:clusterName", TaskRecord.idOf(service.clusterArn()),
              "aws:ecs:serviceName", service.serviceName());
      managed.forEach((key, value) -> tags.put(key, Tag.builder().key(key).value(value).build()));
    }
    return List.copyOf(tags.values());
  }

  /** The service's words for what was started, and for what could not be. */
  ServiceRecord saying(ServiceRecord record, Kind kind, Started started, Situation seen) {
    ServiceRecord after = record.withSteady(false);
    if (!started.tasks().isEmpty()) {
      after =
          after.withEvent(
              ids.uuid(),
              seen.now(),
              kind.inEvents(),
              "has started " + started.tasks().size() + " tasks: " + started.named() + ".");
    }
    return started.refused().isEmpty()
        ? after
        : after
            .withEventOnce(ids.uuid(), seen.now(), started.refused().get())
            .withUnplaced(kind.id(), seen.now());
  }

  /**
   * Asks tasks to stop, and says so: at most {@value #AT_ONCE}, the first ones of those to stop.
   *
   * @param taskSet whose tasks they are; null if a deployment's
   * @param why a part of the sentence about the stopped tasks, as {@code " in ZONE due to …"}
   */
  ServiceRecord stop(
      Tx tx,
      ServiceRecord record,
      List<Stop> all,
      Situation seen,
      @Nullable String taskSet,
      String why) {
    if (all.isEmpty()) {
      return record;
    }
    List<Stop> stops = all.subList(0, Math.min(all.size(), AT_ONCE));
    ServiceRecord after = record;
    Map<String, TaskRecord> byId =
        seen.alive().stream().collect(Collectors.toMap(TaskRecord::id, task -> task));
    boolean targets = false;
    for (Stop stop : stops) {
      TaskRecord task = Objects.requireNonNull(byId.get(stop.taskId()));
      targets |= !task.targets().isEmpty();
      tx.put(
          TaskRecord.TABLE,
          task.id(),
          tasks.stopping(
              task,
              TaskStopCode.SERVICE_SCHEDULER_INITIATED,
              stop.reason().replace("(deployment " + ServiceScheduler.LEAVING, "(deployment ")));
      Optional<String> complaint = seen.health().complaint(task.id());
      if (complaint.isPresent()) {
        after =
            after
                .withFailedTask(task.task().startedBy())
                .withEvent(ids.uuid(), seen.now(), taskSet, complaint.get());
      }
    }
    if (targets) {
      after =
          after.withEvent(
              ids.uuid(),
              seen.now(),
              taskSet,
              "has begun draining connections on " + stops.size() + " tasks.");
    }
    String named = named(stops.stream().map(Stop::taskId).toList());
    return after
        .withEvent(
            ids.uuid(),
            seen.now(),
            taskSet,
            "has stopped " + stops.size() + " running tasks" + why + ": " + named + ".")
        .withSteady(false);
  }
}
