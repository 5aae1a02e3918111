package dev.muelle.services.ecs.service;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.ecs.agent.TaskAgent;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.Situation.Step;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.Traffic;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.Protections;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceEvent;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;

/**
 * Keeps each service's tasks as they are wanted. One look at a service: read it and its tasks, ask
 * the load balancer for their health, decide, write tasks to start and to stop. It only writes what
 * is wanted; {@link TaskAgent} does it.
 */
public final class ServiceScheduler {

  /** Marks a deployment's tasks on draining instances, which are none of its own any more. */
  static final String LEAVING = "draining ";

  /** A steady state is told again after so long. */
  private static final Duration STILL_STEADY = Duration.ofHours(6);

  /** While anything is in motion. */
  private static final Duration SOON = Duration.ofSeconds(1);

  /** When settled: changes wake us, this only guards against a lost one. */
  private static final Duration LATER = Duration.ofSeconds(30);

  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Deployments deployments;
  private final Alarms alarms;
  private final Networks networks;
  private final InstanceTasks onInstances;
  private final ElasticLoadBalancingV2Client elb;
  private final ServiceTasks tasks;
  private final RollingUpdate rolling;
  private final DaemonUpdate daemons;
  private final TaskSetUpdate taskSets;
  private final TrafficUpdate shifting;
  private final ListenerRules listenerRules;

  public ServiceScheduler(
      Store store,
      Timers clock,
      Ids ids,
      Deployments deployments,
      Alarms alarms,
      Tasks tasks,
      Networks networks,
      TaskFactory factory,
      InstanceTasks onInstances,
      ElasticLoadBalancingV2Client elb) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.deployments = deployments;
    this.alarms = alarms;
    this.networks = networks;
    this.onInstances = onInstances;
    this.elb = elb;
    this.tasks = new ServiceTasks(ids, tasks, factory, onInstances);
    rolling = new RollingUpdate(ids, this.tasks);
    daemons = new DaemonUpdate(ids, this.tasks, onInstances);
    taskSets = new TaskSetUpdate(ids, this.tasks);
    shifting = new TrafficUpdate(this.tasks);
    listenerRules = new ListenerRules(elb);
  }

  /** What a look has to ask others for, before it decides. */
  private record Asked(
      Map<String, Map<String, TargetHealthDescription>> targets,
      Map<String, String> zones,
      Alarms.State alarms,
      Shifted shifted) {}

  /**
   * Which step of a shift the load balancer was brought to.
   *
   * @param traffic null if there was nothing to shift, or it could not be
   * @param problem why it could not be
   */
  private record Shifted(
      @Nullable String primary, @Nullable Traffic traffic, @Nullable String problem) {

    boolean is(ServiceRecord record) {
      return Objects.equals(traffic, record.traffic()) && record.primary().id().equals(primary);
    }
  }

  /** One look; gives when to look again, or null for "when something changes". */
  public @Nullable Duration look(String key) {
    Optional<ServiceRecord> found =
        store.read(tx -> tx.get(ServiceRecord.TABLE, key)).map(Row::value);
    if (found.isEmpty() || found.get().service().status().equals(ServiceRecord.INACTIVE)) {
      return null;
    }
    Service service = found.get().service();
    boolean active = service.status().equals(ServiceRecord.ACTIVE);
    Set<String> subnets = new LinkedHashSet<>(subnets(service.networkConfiguration()));
    store
        .read(tx -> TaskSets.of(tx, service, List.of()))
        .forEach(set -> subnets.addAll(subnets(set.networkConfiguration())));
    Asked asked =
        new Asked(
            ServiceHealth.targets(elb, store.read(tx -> groups(tx, service))),
            active ? zones(service, subnets) : Map.of(),
            active && deploying(found.get())
                ? alarms.state(service.deploymentConfiguration().alarms())
                : Alarms.State.NONE,
            active ? shift(found.get()) : new Shifted(null, null, null));
    return onInstances.write(service.clusterArn(), tx -> decideAndWrite(tx, key, asked));
  }

  /** The keys of the services whose tasks are, or may be, targets of a group. */
  public List<String> behind(String targetGroupArn) {
    return store.read(tx ->
        tx.list(ServiceRecord.TABLE).stream()
            .filter(row -> groups(tx, row.value().service()).contains(targetGroupArn))
            .map(Row::key)
            .toList());
  }

  /** The target groups of a service, of all its deployments and of its task sets. */
  private static Set<String> groups(Tx tx, Service service) {
    Set<String> groups = new HashSet<>(Revisions.allGroups(tx, service));
    service.loadBalancers().forEach(balancer -> groups.add(balancer.targetGroupArn()));
    TaskSets.of(tx, service, List.of()).stream()
        .flatMap(set -> set.loadBalancers().stream())
        .forEach(balancer -> groups.add(balancer.targetGroupArn()));
    return groups;
  }

  /** Makes the load balancer do what was decided for the service's traffic. */
  private Shifted shift(ServiceRecord record) {
    Traffic traffic = record.traffic();
    if (traffic == null) {
      return new Shifted(null, null, null);
    }
    Service service = record.service();
    String primary = record.primary().id();
    List<String> groups = store.read(tx -> Revisions.groups(tx, service, primary));
    String problem =
        listenerRules.apply(ListenerRules.shares(service.loadBalancers(), groups, traffic));
    return new Shifted(primary, problem == null ? traffic : null, problem);
  }

  /** Of each subnet; without subnets, tasks can be wherever there are instances. */
  private Map<String, String> zones(Service service, Set<String> subnets) {
    if (!subnets.isEmpty()) {
      return networks.zones(List.copyOf(subnets));
    }
    Map<String, String> zones = new HashMap<>();
    store
        .read(tx -> tx.find(InstanceRecord.TABLE, "cluster", service.clusterArn()))
        .forEach(row -> zones.put(row.value().zone(), row.value().zone()));
    return zones;
  }

  private static List<String> subnets(@Nullable NetworkConfiguration network) {
    return network == null ? List.of() : network.awsvpcConfiguration().subnets();
  }

  private static boolean deploying(ServiceRecord record) {
    return !record.external()
        && record.primary().rolloutState() == DeploymentRolloutState.IN_PROGRESS;
  }

  private Duration decideAndWrite(Tx tx, String key, Asked asked) {
    ServiceRecord before = tx.get(ServiceRecord.TABLE, key).orElseThrow().value();
    Instant now = clock.instant();
    boolean active = before.service().status().equals(ServiceRecord.ACTIVE);
    ServiceRecord record = active ? deployments.advance(tx, before, asked.alarms(), now) : before;
    Situation seen = situation(tx, record, asked, now);
    Step step = active ? step(tx, record, asked.shifted(), seen) : drain(tx, record, seen);
    record = step.record();
    if (active) {
      record = record.external() ? record : conclude(tx, record, step.settled(), seen);
    } else if (seen.all().isEmpty()) {
      record = record.with(s -> s.status(ServiceRecord.INACTIVE).deployments(List.of()));
      TaskSets.forget(tx, key);
    }
    if (!record.equals(before)) {
      tx.put(ServiceRecord.TABLE, key, record);
      before.definitions().forEach(arn -> TaskDefinitions.release(tx, arn));
    }
    boolean inMotion = !step.settled() || seen.all().size() > seen.alive().size();
    return inMotion ? SOON : LATER;
  }

  private Situation situation(Tx tx, ServiceRecord record, Asked asked, Instant now) {
    List<TaskRecord> all =
        tx.find(TaskRecord.TABLE, "service", record.key()).stream().map(Row::value).toList();
    List<TaskRecord> alive = all.stream().filter(TaskRecord::wanted).toList();
    ServiceHealth health =
        new ServiceHealth(asked.targets(), checked(tx, alive), record.service(), this::running);
    Set<String> leaving = record.daemon() ? Set.of() : InstanceTasks.leaving(tx, alive);
    List<Member> members =
        alive.stream()
            .map(health::member)
            .map(member -> leaving.contains(member.id()) ? leaving(member) : member)
            .toList();
    if (alive.size() > record.service().desiredCount()) {
      Map<String, Integer> room = InstanceTasks.room(tx, record.service(), alive);
      members =
          members.stream()
              .map(member -> {
                Integer left = room.get(member.id());
                return left == null ? member : member.packed(left);
              })
              .toList();
    }
    Set<String> shielded = Protections.of(tx, alive, now);
    return new Situation(all, alive, members, shielded, health, asked.zones(), asked.alarms(), now);
  }

  /** How long a task has had, by the machine's clock: programs start no faster by the region's. */
  private Duration running(Instant since) {
    return Duration.between(clock.toMachine(since), clock.machine().instant());
  }

  /** Of the definitions of these tasks, the ones whose tasks are checked. */
  private static Set<String> checked(Tx tx, List<TaskRecord> tasks) {
    return tasks.stream()
        .map(task -> task.task().taskDefinitionArn())
        .distinct()
        .filter(arn ->
            tx.get(TaskDefinitions.TABLE, TaskDefinitions.keyOf(TaskRecord.idOf(arn)))
                .filter(row -> ServiceHealth.isChecked(row.value().definition()))
                .isPresent())
        .collect(Collectors.toSet());
  }

  /** A task on a draining instance is replaced as one of a deployment that goes. */
  private static Member leaving(Member member) {
    return new Member(
        member.id(),
        LEAVING + member.deployment(),
        member.zone(),
        member.health(),
        member.failure(),
        member.createdAt(),
        member.room());
  }

  private Step step(Tx tx, ServiceRecord before, Shifted shifted, Situation seen) {
    boolean throttled = before.notBefore() != null && seen.now().isBefore(before.notBefore());
    if (before.external()) {
      return taskSets.step(tx, before, throttled, seen);
    }
    ServiceRecord record = proven(before, seen);
    boolean failed = record.primary().rolloutState() == DeploymentRolloutState.FAILED;
    boolean held = throttled || failed;
    if (record.traffic() != null) {
      ServiceRecord told =
          shifted.problem() == null
              ? record
              : record.withEventOnce(ids.uuid(), seen.now(), shifted.problem());
      return shifting.step(tx, told, held, shifted.is(record), seen);
    }
    return record.daemon()
        ? daemons.step(tx, record, held, seen)
        : rolling.step(tx, record, held, seen);
  }

  /** A task that became healthy ends the row of failures before it. */
  private static ServiceRecord proven(ServiceRecord record, Situation seen) {
    Optional<Instant> newest =
        seen.members().stream()
            .filter(member -> member.deployment().equals(record.primary().id()))
            .filter(member -> member.health() == Health.HEALTHY)
            .map(Member::createdAt)
            .max(Comparator.naturalOrder());
    return newest
        .filter(made -> record.proven() == null || made.isAfter(record.proven()))
        .map(record::withProven)
        .orElse(record);
  }

  /** The service was deleted: all its tasks go at once. */
  private Step drain(Tx tx, ServiceRecord record, Situation seen) {
    List<Rollout.Stop> stops =
        seen.alive().stream()
            .map(task ->
                new Rollout.Stop(
                    task.id(),
                    "Scaling activity initiated by (deployment " + task.task().startedBy() + ")"))
            .toList();
    return new Step(tasks.stop(tx, record, stops, seen, null, ""), false);
  }

  /** What has come to its end: old deployments whose tasks are gone, and the rollout itself. */
  private ServiceRecord conclude(Tx tx, ServiceRecord record, boolean settled, Situation seen) {
    Revisions.note(tx, record, seen.alive());
    List<Deployment> left = new ArrayList<>();
    for (Deployment deployment : record.service().deployments()) {
      if (deployment.status().equals("PRIMARY")
          || seen.used(deployment.id())
          || failedNow(deployment, seen.now())) {
        left.add(deployment);
      }
    }
    ServiceRecord after = record.with(s -> s.deployments(left));
    if (!settled || left.size() > 1) {
      return after;
    }
    if (after.primary().rolloutState() == DeploymentRolloutState.IN_PROGRESS) {
      after = deployments.complete(tx, after, seen.alarms(), seen.now());
    }
    return steady(after, seen.now());
  }

  /** A deployment is to be seen as failed once, also if it has no task any more. */
  private static boolean failedNow(Deployment deployment, Instant now) {
    return deployment.rolloutState() == DeploymentRolloutState.FAILED
        && now.equals(deployment.updatedAt());
  }

  private ServiceRecord steady(ServiceRecord record, Instant now) {
    List<ServiceEvent> events = record.service().events();
    boolean again =
        !events.isEmpty()
            && events.getFirst().message().endsWith(ServiceRecord.STEADY)
            && !now.isBefore(events.getFirst().createdAt().plus(STILL_STEADY));
    return record.steady() && !again
        ? record
        : record.withEvent(ids.uuid(), now, ServiceRecord.STEADY).withSteady(true);
  }
}
