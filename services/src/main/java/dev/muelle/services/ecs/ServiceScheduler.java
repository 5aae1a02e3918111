package dev.muelle.services.ecs;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.ecs.Rollout.Health;
import dev.muelle.services.ecs.Rollout.Member;
import dev.muelle.services.ecs.Rollout.Plan;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskOverride;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/**
 * Keeps each service's tasks as {@link Rollout} wants them. One look at a service: read it and its
 * tasks, ask the load balancer for their health, decide, write tasks to start and to stop. It only
 * writes what is wanted; {@link TaskAgent} does it.
 */
final class ServiceScheduler {

  /** Marks a deployment's tasks on draining instances, which are none of its own any more. */
  private static final String LEAVING = "draining ";

  private static final String FAILED_CHECKS = "Task failed ELB health checks";

  /** While anything is in motion. */
  private static final Duration SOON = Duration.ofSeconds(1);

  /** When settled: changes wake us, this only guards against a lost one. */
  private static final Duration LATER = Duration.ofSeconds(30);

  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Services services;
  private final Tasks tasks;
  private final Networks networks;
  private final TaskFactory factory;
  private final InstanceTasks onInstances;
  private final ElasticLoadBalancingV2Client elb;

  ServiceScheduler(
      Store store,
      Timers clock,
      Ids ids,
      Services services,
      Tasks tasks,
      Networks networks,
      TaskFactory factory,
      InstanceTasks onInstances,
      ElasticLoadBalancingV2Client elb) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.services = services;
    this.tasks = tasks;
    this.networks = networks;
    this.factory = factory;
    this.onInstances = onInstances;
    this.elb = elb;
  }

  /** One look; gives when to look again, or null for "when something changes". */
  @Nullable Duration look(String key) {
    Optional<ServiceRecord> found =
        store.read(tx -> tx.get(ServiceRecord.TABLE, key)).map(Row::value);
    if (found.isEmpty() || found.get().service().status().equals(Services.INACTIVE)) {
      return null;
    }
    ServiceRecord record = found.get();
    Map<String, Map<String, TargetHealthDescription>> health = health(record.service());
    List<String> subnets = record.service().networkConfiguration().awsvpcConfiguration().subnets();
    boolean active = record.service().status().equals(Services.ACTIVE);
    Map<String, String> zones = active ? networks.zones(subnets) : Map.of();
    return onInstances.write(
        record.service().clusterArn(), tx -> decideAndWrite(tx, key, health, zones));
  }

  private Duration decideAndWrite(
      Tx tx,
      String key,
      Map<String, Map<String, TargetHealthDescription>> health,
      Map<String, String> zones) {
    ServiceRecord before = tx.get(ServiceRecord.TABLE, key).orElseThrow().value();
    Instant now = clock.instant();
    List<TaskRecord> all =
        tx.find(TaskRecord.TABLE, "service", key).stream().map(Row::value).toList();
    List<TaskRecord> alive = all.stream().filter(TaskRecord::wanted).toList();
    ServiceRecord record = breaker(before);
    Service service = record.service();
    DeploymentConfiguration rules = service.deploymentConfiguration();
    boolean throttled = record.notBefore() != null && now.isBefore(record.notBefore());
    boolean failed = record.primary().rolloutState() == DeploymentRolloutState.FAILED;
    Set<String> leaving = InstanceTasks.leaving(tx, alive);
    List<Member> members =
        alive.stream()
            .map(task -> member(task, service, health, now))
            .map(member -> leaving.contains(member.id()) ? leaving(member) : member)
            .toList();
    Plan plan =
        Rollout.plan(
            new Rollout.Want(
                service.desiredCount(),
                rules.minimumHealthyPercent(),
                rules.maximumPercent(),
                record.primary().id(),
                throttled || failed),
            members);
    record = stop(tx, record, plan, alive, now);
    record = start(tx, record, plan, alive, zones, now);
    boolean allGone = all.stream().allMatch(task -> task.status() == TaskStatus.STOPPED);
    if (service.status().equals(Services.DRAINING) && allGone) {
      record = record.with(s -> s.status(Services.INACTIVE).deployments(List.of()));
    } else {
      record = conclude(record, plan, all, now);
    }
    if (!record.equals(before)) {
      tx.put(ServiceRecord.TABLE, key, record);
    }
    boolean inMotion =
        !plan.settled()
            || all.stream().anyMatch(t -> !t.wanted() && t.status() != TaskStatus.STOPPED);
    return inMotion ? SOON : LATER;
  }

  /** A task on a draining instance is replaced as one of a deployment that goes. */
  private static Member leaving(Member member) {
    return new Member(
        member.id(),
        LEAVING + member.deployment(),
        member.zone(),
        member.health(),
        member.failure(),
        member.createdAt());
  }

  /** Stops giving new tasks to a deployment that keeps failing, and rolls it back if so wanted. */
  private ServiceRecord breaker(ServiceRecord record) {
    Service service = record.service();
    DeploymentCircuitBreaker breaker = service.deploymentConfiguration().deploymentCircuitBreaker();
    Deployment primary = record.primary();
    boolean tripped =
        breaker != null
            && Boolean.TRUE.equals(breaker.enable())
            && primary.rolloutState() == DeploymentRolloutState.IN_PROGRESS
            && primary.failedTasks() >= Rollout.breakerThreshold(service.desiredCount());
    if (!tripped) {
      return record;
    }
    Deployment failed =
        primary.toBuilder()
            .rolloutState(DeploymentRolloutState.FAILED)
            .rolloutStateReason("ECS deployment circuit breaker: tasks failed to start.")
            .updatedAt(clock.instant())
            .build();
    ServiceRecord after =
        record
            .with(s -> s.deployments(replaceFirst(service.deployments(), failed)))
            .withEvent(
                ids.uuid(),
                clock.instant(),
                "(deployment " + primary.id() + ") deployment failed: tasks failed to start.");
    String target = record.lastCompleted();
    if (!Boolean.TRUE.equals(breaker.rollback())
        || target == null
        || target.equals(primary.taskDefinition())) {
      return after;
    }
    ServiceRecord rolled = services.redeploy(after, target).withFailures(0, null);
    Deployment rollback =
        rolled.primary().toBuilder()
            .rolloutStateReason(
                "ECS deployment circuit breaker: rolling back to deploymentId "
                    + rolled.primary().id()
                    + ".")
            .build();
    return rolled
        .with(s -> s.deployments(replaceFirst(rolled.service().deployments(), rollback)))
        .withEvent(
            ids.uuid(), clock.instant(), "rolling back to (deployment " + rollback.id() + ").");
  }

  private static List<Deployment> replaceFirst(List<Deployment> deployments, Deployment first) {
    List<Deployment> replaced = new ArrayList<>(deployments);
    replaced.set(0, first);
    return replaced;
  }

  private ServiceRecord stop(
      Tx tx, ServiceRecord record, Plan plan, List<TaskRecord> alive, Instant now) {
    if (plan.stop().isEmpty()) {
      return record;
    }
    ServiceRecord after = record;
    Map<String, TaskRecord> byId =
        alive.stream().collect(Collectors.toMap(TaskRecord::id, task -> task));
    for (Rollout.Stop stop : plan.stop()) {
      TaskRecord task = byId.get(stop.taskId());
      if (task != null) {
        tx.put(
            TaskRecord.TABLE,
            task.id(),
            tasks.stopping(
                task,
                TaskStopCode.SERVICE_SCHEDULER_INITIATED,
                stop.reason().replace("(deployment " + LEAVING, "(deployment ")));
        if (stop.reason().startsWith(FAILED_CHECKS)) {
          after = after.withFailedTask(task.task().startedBy());
        }
      }
    }
    String named =
        plan.stop().stream()
            .map(stop -> "(task " + stop.taskId() + ")")
            .collect(Collectors.joining(" "));
    if (!record.service().loadBalancers().isEmpty()) {
      after =
          after.withEvent(
              ids.uuid(),
              now,
              "has begun draining connections on " + plan.stop().size() + " tasks.");
    }
    return after
        .withEvent(
            ids.uuid(), now, "has stopped " + plan.stop().size() + " running tasks: " + named + ".")
        .withSteady(false);
  }

  private ServiceRecord start(
      Tx tx,
      ServiceRecord record,
      Plan plan,
      List<TaskRecord> alive,
      Map<String, String> zones,
      Instant now) {
    if (plan.start() == 0) {
      return record;
    }
    Service service = record.service();
    Deployment primary = record.primary();
    TaskDefinitions.Registered definition =
        tx.get(
                TaskDefinitions.TABLE,
                TaskDefinitions.keyOf(TaskRecord.idOf(primary.taskDefinition())))
            .orElseThrow()
            .value();
    AwsVpcConfiguration network = primary.networkConfiguration().awsvpcConfiguration();
    List<String> taken = new ArrayList<>(alive.stream().map(TaskRecord::subnet).toList());
    List<String> started = new ArrayList<>();
    boolean ec2 = service.launchType() == LaunchType.EC2;
    Optional<String> refused = Optional.empty();
    for (int i = 0; i < plan.start() && refused.isEmpty(); i++) {
      String subnet = Rollout.subnet(network.subnets(), taken);
      taken.add(subnet);
      TaskFactory.Order order =
          new TaskFactory.Order(
              TaskRecord.idOf(service.clusterArn()),
              service.clusterArn(),
              definition.definition(),
              TaskOverride.builder().containerOverrides(List.of()).build(),
              network,
              subnet,
              zones.getOrDefault(subnet, ""),
              "service:" + service.serviceName(),
              primary.id(),
              record.key(),
              service.loadBalancers(),
              tags(service, definition.tags()),
              false);
      if (!ec2) {
        TaskRecord task = factory.make(order, now);
        tx.insert(TaskRecord.TABLE, task.id(), task);
        started.add("(task " + task.id() + ")");
        continue;
      }
      Request wanted =
          PlacementRules.request(
              order.group(),
              order.definition(),
              order.overrides(),
              zones.values(),
              PlacementRules.constraints(service.placementConstraints()),
              PlacementRules.strategies(service.placementStrategy(), true));
      refused =
          switch (onInstances.place(tx, order, wanted, zones)) {
            case InstanceTasks.Outcome.Made made -> {
              started.add("(task " + made.task().id() + ")");
              yield Optional.empty();
            }
            case InstanceTasks.Outcome.Refused why -> Optional.of(why.why().event());
          };
    }
    ServiceRecord after = record.withSteady(false);
    if (!started.isEmpty()) {
      after =
          after.withEvent(
              ids.uuid(),
              now,
              "has started " + started.size() + " tasks: " + String.join(" ", started) + ".");
    }
    return refused.isEmpty() ? after : after.withEventOnce(ids.uuid(), now, refused.get());
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

  /** What has come to its end: old deployments whose tasks are gone, and the rollout itself. */
  private ServiceRecord conclude(
      ServiceRecord record, Plan plan, List<TaskRecord> all, Instant now) {
    List<Deployment> deployments = new ArrayList<>();
    for (Deployment deployment : record.service().deployments()) {
      boolean used =
          all.stream()
              .anyMatch(task ->
                  deployment.id().equals(task.task().startedBy())
                      && task.status() != TaskStatus.STOPPED);
      if (deployment.status().equals("PRIMARY") || used) {
        deployments.add(deployment);
      }
    }
    ServiceRecord after = record.with(s -> s.deployments(deployments));
    if (!plan.settled() || deployments.size() > 1) {
      return after;
    }
    Deployment primary = deployments.getFirst();
    if (primary.rolloutState() == DeploymentRolloutState.IN_PROGRESS) {
      Deployment completed =
          primary.toBuilder()
              .rolloutState(DeploymentRolloutState.COMPLETED)
              .rolloutStateReason("ECS deployment " + primary.id() + " completed.")
              .updatedAt(now)
              .build();
      after =
          after
              .with(s -> s.deployments(completed))
              .withCompleted(primary.taskDefinition())
              .withEvent(
                  ids.uuid(), now, "(deployment " + primary.id() + ") deployment completed.");
    }
    if (!record.steady()) {
      after = after.withEvent(ids.uuid(), now, "has reached a steady state.").withSteady(true);
    }
    return after;
  }

  private Member member(
      TaskRecord task,
      Service service,
      Map<String, Map<String, TargetHealthDescription>> health,
      Instant now) {
    Health state = task.status() == TaskStatus.RUNNING ? Health.HEALTHY : Health.WAITING;
    String failure = "";
    if (task.status() == TaskStatus.RUNNING) {
      for (LoadBalancer target : task.targets()) {
        TargetHealthDescription seen =
            health
                .getOrDefault(target.targetGroupArn(), Map.of())
                .get(Eni.address(task) + ":" + target.containerPort());
        TargetHealthStateEnum targetState = seen == null ? null : seen.targetHealth().state();
        if (targetState == TargetHealthStateEnum.UNHEALTHY && graceIsOver(task, service, now)) {
          state = Health.UNHEALTHY;
          failure = FAILED_CHECKS + " in (target-group " + target.targetGroupArn() + ")";
        } else if (targetState != TargetHealthStateEnum.HEALTHY && state != Health.UNHEALTHY) {
          boolean checked =
              targetState == TargetHealthStateEnum.INITIAL
                  || targetState == TargetHealthStateEnum.UNHEALTHY;
          state = checked && state != Health.WAITING ? Health.CHECKING : Health.WAITING;
        }
      }
    }
    return new Member(
        task.id(),
        Objects.requireNonNullElse(task.task().startedBy(), ""),
        Objects.requireNonNullElse(task.task().availabilityZone(), ""),
        state,
        failure,
        task.task().createdAt());
  }

  private static boolean graceIsOver(TaskRecord task, Service service, Instant now) {
    int grace = Objects.requireNonNullElse(service.healthCheckGracePeriodSeconds(), 0);
    Instant started = task.task().startedAt();
    return started != null && !now.isBefore(started.plusSeconds(grace));
  }

  /** The targets of each of the service's groups, by {@code address:port}. */
  private Map<String, Map<String, TargetHealthDescription>> health(Service service) {
    Map<String, Map<String, TargetHealthDescription>> all = new HashMap<>();
    for (LoadBalancer balancer : service.loadBalancers()) {
      Map<String, TargetHealthDescription> group = new HashMap<>();
      try {
        elb.describeTargetHealth(request -> request.targetGroupArn(balancer.targetGroupArn()))
            .targetHealthDescriptions()
            .forEach(
                target -> group.put(target.target().id() + ":" + target.target().port(), target));
      } catch (TargetGroupNotFoundException e) {
        // Deleted under the service: none of its tasks can become healthy in it.
      }
      all.put(balancer.targetGroupArn(), group);
    }
    return all;
  }
}
