package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.Rollout.Plan;
import dev.muelle.services.ecs.service.ServiceTasks.Kind;
import dev.muelle.services.ecs.service.ServiceTasks.Started;
import dev.muelle.services.ecs.service.Situation.Step;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.Service;

/** One look's work for a REPLICA service: the wanted number of tasks, evenly over the zones. */
final class RollingUpdate {

  static final String BLOCKED =
      "was unable to stop or start tasks during a deployment because of the service deployment"
          + " configuration. Update the minimumHealthyPercent or maximumPercent value and try"
          + " again.";

  private final Ids ids;
  private final ServiceTasks tasks;

  RollingUpdate(Ids ids, ServiceTasks tasks) {
    this.ids = ids;
    this.tasks = tasks;
  }

  Step step(Tx tx, ServiceRecord before, boolean held, Situation seen) {
    Service service = before.service();
    DeploymentConfiguration rules = service.deploymentConfiguration();
    String primary = before.primary().id();
    Set<String> moving = moving(before, seen);
    Plan plan =
        Rollout.plan(
            new Rollout.Want(
                service.desiredCount(),
                rules.minimumHealthyPercent(),
                rules.maximumPercent(),
                primary,
                held,
                moving.size()),
            seen.members(),
            seen.shielded());
    ServiceRecord record = stop(tx, before, plan, seen);
    if (plan.start() > 0) {
      Kind kind = Kind.of(tx, service, before.primary());
      Started started = tasks.start(tx, record, kind, plan.start(), seen.zones(), seen);
      record = tasks.saying(record, kind, started, seen);
    }
    if (plan.blocked()) {
      record = record.withEventOnce(ids.uuid(), seen.now(), BLOCKED);
    }
    if (plan.settled()
        && moving.isEmpty()
        && before.primary().rolloutState() == DeploymentRolloutState.COMPLETED
        && service.availabilityZoneRebalancing() == AvailabilityZoneRebalancing.ENABLED) {
      return balance(tx, record, seen);
    }
    return new Step(record, plan.settled() && moving.isEmpty());
  }

  /** Those of the tasks made to balance the zones that do not take another's place yet. */
  private static Set<String> moving(ServiceRecord record, Situation seen) {
    Set<String> moves = record.moves();
    return moves == null
        ? Set.of()
        : seen.members().stream()
            .filter(member -> moves.contains(member.id()) && member.health() != Health.HEALTHY)
            .map(Member::id)
            .collect(Collectors.toSet());
  }

  private ServiceRecord stop(Tx tx, ServiceRecord record, Plan plan, Situation seen) {
    Map<String, String> zones = new HashMap<>();
    for (Member member : seen.members()) {
      if (member.health() == Health.HEALTHY && member.deployment().equals(record.primary().id())) {
        zones.put(member.id(), member.zone());
      }
    }
    boolean moved =
        record.moves() != null
            && !plan.stop().isEmpty()
            && plan.stop().stream().allMatch(stop -> zones.containsKey(stop.taskId()));
    String why =
        moved ? " in " + zones.get(plan.stop().getFirst().taskId()) + " due to AZ rebalancing" : "";
    return tasks.stop(tx, record, plan.stop(), seen, null, why);
  }

  private Step balance(Tx tx, ServiceRecord record, Situation seen) {
    Service service = record.service();
    Collection<String> usable = usable(tx, service, seen.zones().values());
    Map<String, Integer> spread = Zones.spread(usable, seen.members());
    int most =
        Math.floorDiv(
            service.desiredCount() * service.deploymentConfiguration().maximumPercent(), 100);
    Optional<Zones.Move> move = Zones.balance(spread, most - seen.members().size());
    Instant now = seen.now();
    if (move.isEmpty()) {
      return new Step(
          record.moves() != null && Zones.even(spread)
              ? record
                  .withMoves(null)
                  .withEvent(ids.uuid(), now, "is AZ balanced with " + Zones.told(spread) + ".")
              : record,
          true);
    }
    ServiceRecord after =
        record.moves() != null
            ? record
            : record
                .withMoves(Set.of())
                .withEvent(
                    ids.uuid(),
                    now,
                    "is not AZ balanced with "
                        + Zones.told(spread)
                        + ". AZ Rebalancing in progress.");
    String zone = move.get().zone();
    Map<String, String> there = new HashMap<>(seen.zones());
    there.values().removeIf(other -> !other.equals(zone));
    Started started =
        tasks.start(
            tx, after, Kind.of(tx, service, record.primary()), move.get().tasks(), there, seen);
    if (!started.tasks().isEmpty()) {
      Set<String> moves = new HashSet<>();
      started.tasks().forEach(task -> moves.add(task.id()));
      after =
          after
              .withMoves(moves)
              .withEvent(
                  ids.uuid(),
                  now,
                  "has started "
                      + started.tasks().size()
                      + " tasks in "
                      + zone
                      + " to AZ Rebalance: "
                      + started.named()
                      + ".");
    }
    if (started.refused().isPresent()) {
      after =
          after.withEventOnce(
              ids.uuid(),
              now,
              "is unable to place a task in "
                  + zone
                  + " because no container instance met all of its requirements.");
    }
    return new Step(after, started.tasks().isEmpty());
  }

  /** The zones in which a task could be: on instances, those that have any. */
  private static Collection<String> usable(Tx tx, Service service, Collection<String> zones) {
    if (!CapacityStrategy.onInstances(service)) {
      return zones;
    }
    List<String> usable = new ArrayList<>();
    tx.find(InstanceRecord.TABLE, "cluster", service.clusterArn()).stream()
        .map(row -> row.value())
        .filter(instance -> instance.instance().status().equals(InstanceRecord.ACTIVE))
        .map(InstanceRecord::zone)
        .filter(zones::contains)
        .forEach(usable::add);
    return usable;
  }
}
