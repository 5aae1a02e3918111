package dev.muelle.services.ecs.scaling;

import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Group;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Life;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Member;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.capacity.ClusterAttachments;
import dev.muelle.services.ecs.capacity.GroupRules;
import dev.muelle.services.ecs.instance.InstanceAgents;
import dev.muelle.services.ecs.placement.Offer;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.TaskChanges;
import dev.muelle.services.ecs.task.WaitingTasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/**
 * Looks after the Auto Scaling groups of a cluster's capacity providers. One look: see the groups,
 * place the tasks that wait, decide, and then tell the groups what was decided. What a look did not
 * get to tell, the next one decides anew from what it sees.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html">Automatically
 *     manage Amazon ECS capacity with cluster auto scaling</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-termination-protection.html">Managed
 *     termination protection</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-instance-draining.html">Managed
 *     instance draining</a>
 */
public final class ClusterCapacity {

  private static final Logger LOG = LoggerFactory.getLogger(ClusterCapacity.class);

  /** While an instance comes or goes, which nobody but the group knows of. */
  private static final Duration SOON = Duration.ofSeconds(5);

  private static final String NAMESPACE = "AWS/ECS/ManagedScaling";
  private static final String METRIC = "CapacityProviderReservation";

  private final Store store;
  private final InstantSource clock;
  private final Networks networks;
  private final InstanceTasks onInstances;
  private final WaitingTasks waiting;
  private final TaskChanges changes;
  private final Ec2Client ec2;
  private final AutoScalingGroups groups;
  private final @Nullable CloudWatchClient cloudWatch;

  public ClusterCapacity(
      Store store,
      InstantSource clock,
      Networks networks,
      InstanceTasks onInstances,
      TaskChanges changes,
      Ec2Client ec2,
      AutoScalingGroups groups,
      @Nullable CloudWatchClient cloudWatch) {
    this.store = store;
    this.clock = clock;
    this.networks = networks;
    this.onInstances = onInstances;
    this.waiting = new WaitingTasks(onInstances);
    this.changes = changes;
    this.ec2 = ec2;
    this.groups = groups;
    this.cloudWatch = cloudWatch;
  }

  /** A provider, its group, and what an instance of each of the group's types has. */
  private record Seen(CapacityProvider provider, Group group, List<Offer> types) {}

  /** What the groups are to be told, and which tasks have waited in vain. */
  private record Plan(
      List<Runnable> calls, Map<String, String> overdue, boolean soon, List<Runnable> metrics) {}

  /** One look at a cluster; gives when to look again, or null for "when something changes". */
  public @Nullable Duration look(String name) {
    Optional<Cluster> found = store.read(tx -> tx.get(ClusterNames.TABLE, name)).map(Row::value);
    if (found.isEmpty()) {
      return null;
    }
    Cluster cluster = found.get();
    List<CapacityProvider> providers =
        store.read(tx ->
            cluster.capacityProviders().stream()
                .flatMap(one -> CapacityProviders.find(tx, one).stream())
                .toList());
    if (ClusterAttachments.busy(cluster)) {
      attach(cluster, providers);
    }
    if (providers.isEmpty()) {
      return null;
    }
    List<Seen> seen = new ArrayList<>();
    for (CapacityProvider provider : providers) {
      see(provider).ifPresent(seen::add);
    }
    Map<String, String> zones =
        zones(store.read(tx -> WaitingTasks.subnets(tx, cluster.clusterArn())));
    Plan plan = onInstances.write(cluster.clusterArn(), tx -> decide(tx, cluster, seen, zones));
    plan.calls().forEach(Runnable::run);
    plan.metrics().forEach(Runnable::run);
    plan.overdue()
        .forEach((task, why) -> changes.stopFaulty(task, TaskStopCode.TASK_FAILED_TO_START, why));
    return plan.soon() ? SOON : ScalingState.PERIOD;
  }

  /** Of those subnets that are still there: one that is gone is its own tasks' trouble only. */
  private Map<String, String> zones(List<String> subnets) {
    Map<String, String> zones = new HashMap<>();
    for (String subnet : subnets) {
      try {
        zones.putAll(networks.zones(List.of(subnet)));
      } catch (EcsException e) {
        LOG.warn("a task waits for an instance in a subnet that is gone: {}", e.getMessage());
      }
    }
    return zones;
  }

  /** Gives the groups what their providers need, and takes it from those of the others. */
  private void attach(Cluster cluster, List<CapacityProvider> providers) {
    Set<String> failed = new HashSet<>();
    Set<String> gone = new HashSet<>(ClusterAttachments.names(cluster));
    for (CapacityProvider provider : providers) {
      gone.remove(provider.name());
      if (see(provider).isEmpty()) {
        failed.add(provider.name());
      }
    }
    for (String name : gone) {
      store
          .read(tx -> tx.get(CapacityProviders.TABLE, name))
          .flatMap(row -> groups.find(groupOf(row.value())))
          .ifPresent(group -> groups.release(group.name()));
    }
    store.write(tx -> {
      gone.forEach(name -> tx.delete(ScalingState.TABLE, key(cluster, name)));
      Cluster now = tx.get(ClusterNames.TABLE, cluster.clusterName()).orElseThrow().value();
      return now.attachments().equals(cluster.attachments())
          ? tx.put(ClusterNames.TABLE, now.clusterName(), ClusterAttachments.settled(now, failed))
          : now; // it was changed meanwhile, and is looked at again
    });
  }

  private static String key(Cluster cluster, String provider) {
    return cluster.clusterName() + "/" + provider;
  }

  private static String groupOf(CapacityProvider provider) {
    return provider.autoScalingGroupProvider().autoScalingGroupArn();
  }

  /** A provider's group, which is managed as the provider wants; empty if there is none. */
  private Optional<Seen> see(CapacityProvider provider) {
    Optional<Group> group = groups.find(groupOf(provider));
    if (group.isEmpty()) {
      LOG.warn("capacity provider {} has lost its Auto Scaling group", provider.name());
      return Optional.empty();
    }
    boolean draining = GroupRules.drains(provider);
    if (!group.get().managed() || group.get().draining() != draining) {
      groups.manage(group.get().name(), draining);
    }
    List<Offer> types =
        ec2
            .describeInstanceTypes(r -> r.instanceTypesWithStrings(group.get().instanceTypes()))
            .instanceTypes()
            .stream()
            .map(InstanceAgents::size)
            .toList();
    return Optional.of(new Seen(provider, group.get(), types));
  }

  private Plan decide(Tx tx, Cluster cluster, List<Seen> seen, Map<String, String> zones) {
    Instant now = clock.instant();
    Map<String, InstanceRecord> instances = instances(tx, cluster);
    seen.forEach(one -> associate(tx, one, instances));
    List<WaitingTasks.Unplaced> left = waiting.place(tx, cluster.clusterArn(), zones);
    Plan plan = new Plan(new ArrayList<>(), new HashMap<>(), !left.isEmpty(), new ArrayList<>());
    for (WaitingTasks.Unplaced task : left) {
      if (task.overdue(now)) {
        plan.overdue().put(task.task().id(), task.reason());
      }
    }
    boolean soon = plan.soon();
    for (Seen one : seen) {
      Set<String> used = used(tx, one.group(), instances);
      OptionalInt desired = scale(tx, cluster, one, used.size(), left, plan, now);
      protect(one, used, desired.orElse(one.group().desired()), plan);
      String group = one.group().name();
      desired.ifPresent(count -> plan.calls().add(() -> groups.setDesiredCapacity(group, count)));
      drain(tx, one, instances, plan);
      soon |= one.group().members().stream().anyMatch(member -> member.life() != Life.IN_SERVICE);
    }
    return new Plan(plan.calls(), plan.overdue(), soon, plan.metrics());
  }

  /** The cluster's instances, by the ids that EC2 gave them. */
  private static Map<String, InstanceRecord> instances(Tx tx, Cluster cluster) {
    Map<String, InstanceRecord> instances = new HashMap<>();
    for (Row<InstanceRecord> row : tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn())) {
      String id = row.value().instance().ec2InstanceId();
      if (id != null) {
        instances.put(id, row.value());
      }
    }
    return instances;
  }

  /** An instance of a group is its provider's from when it has registered. */
  private static void associate(Tx tx, Seen seen, Map<String, InstanceRecord> instances) {
    for (Member member : seen.group().members()) {
      InstanceRecord instance = instances.get(member.instanceId());
      String name = seen.provider().name();
      if (instance != null && !name.equals(instance.instance().capacityProviderName())) {
        InstanceRecord next = instance.with(i -> i.capacityProviderName(name));
        tx.put(InstanceRecord.TABLE, next.id(), next);
        instances.put(member.instanceId(), next);
      }
    }
  }

  /** Those of a group's instances in service that have a task, other than a daemon's. */
  private static Set<String> used(Tx tx, Group group, Map<String, InstanceRecord> instances) {
    Set<String> used = new HashSet<>();
    for (Member member : group.members(Life.IN_SERVICE)) {
      InstanceRecord instance = instances.get(member.instanceId());
      boolean busy =
          instance != null
              && tx.find(TaskRecord.TABLE, "instance", instance.id()).stream()
                  .map(row -> row.value().serviceKey())
                  .anyMatch(key -> key == null || !isDaemon(tx, key));
      if (busy) {
        used.add(member.instanceId());
      }
    }
    return used;
  }

  private static boolean isDaemon(Tx tx, String serviceKey) {
    return tx.get(ServiceRecord.TABLE, serviceKey).filter(row -> row.value().daemon()).isPresent();
  }

  /** The group's new desired capacity, if it is time to decide and something is to change. */
  private OptionalInt scale(
      Tx tx,
      Cluster cluster,
      Seen seen,
      int used,
      List<WaitingTasks.Unplaced> left,
      Plan plan,
      Instant now) {
    CapacityProvider provider = seen.provider();
    String key = key(cluster, provider.name());
    if (!GroupRules.scales(provider)) {
      tx.delete(ScalingState.TABLE, key);
      return OptionalInt.empty();
    }
    ScalingState before = tx.get(ScalingState.TABLE, key).map(Row::value).orElse(null);
    if (before != null && now.isBefore(before.lookedAt().plus(ScalingState.PERIOD))) {
      return OptionalInt.empty();
    }
    var settings = provider.autoScalingGroupProvider().managedScaling();
    CapacityReservation reservation =
        CapacityReservation.of(
            seen.group().members(Life.IN_SERVICE).size(),
            used,
            left.stream().filter(task -> task.provider().equals(provider.name())).toList(),
            seen.types(),
            settings);
    plan.metrics()
        .add(() -> publish(cluster.clusterName(), provider.name(), reservation.percent(), now));
    ScalingState.Decision decision =
        ScalingState.decide(before, reservation, seen.group(), settings, now);
    tx.put(ScalingState.TABLE, key, decision.next());
    return decision.desired();
  }

  private void publish(String cluster, String provider, double percent, Instant now) {
    if (cloudWatch != null) {
      MetricDatum datum =
          MetricDatum.builder()
              .metricName(METRIC)
              .dimensions(
                  Dimension.builder().name("CapacityProviderName").value(provider).build(),
                  Dimension.builder().name("ClusterName").value(cluster).build())
              .timestamp(now)
              .unit(StandardUnit.PERCENT)
              .value(percent)
              .build();
      cloudWatch.putMetricData(r -> r.namespace(NAMESPACE).metricData(datum));
    }
  }

  /** Only instances without tasks may be chosen, and only when the group is to become smaller. */
  private void protect(Seen seen, Set<String> used, int desired, Plan plan) {
    if (!GroupRules.protects(seen.provider())) {
      return;
    }
    List<Member> members = seen.group().members(Life.IN_SERVICE);
    boolean shrinking = desired < members.size();
    Map<Boolean, List<String>> changes =
        members.stream()
            .filter(member ->
                member.isProtected() != (!shrinking || used.contains(member.instanceId())))
            .collect(
                Collectors.partitioningBy(
                    member -> !member.isProtected(),
                    Collectors.mapping(Member::instanceId, Collectors.toList())));
    String group = seen.group().name();
    changes.forEach((wanted, ids) -> {
      if (!ids.isEmpty()) {
        plan.calls().add(() -> groups.setScaleInProtection(group, ids, wanted));
      }
    });
  }

  /** An instance that is to be terminated gives its tasks away first. */
  private void drain(Tx tx, Seen seen, Map<String, InstanceRecord> instances, Plan plan) {
    for (Member member : seen.group().members(Life.TERMINATING_WAIT)) {
      InstanceRecord instance = instances.get(member.instanceId());
      if (instance != null && !instance.draining() && !instance.inactive()) {
        InstanceRecord next = instance.with(i -> i.status(InstanceRecord.DRAINING));
        tx.put(InstanceRecord.TABLE, next.id(), next);
      }
      boolean empty =
          instance == null || tx.find(TaskRecord.TABLE, "instance", instance.id()).isEmpty();
      if (empty || !GroupRules.drains(seen.provider())) {
        String group = seen.group().name();
        plan.calls().add(() -> groups.completeTermination(group, member.instanceId()));
      }
    }
  }
}
