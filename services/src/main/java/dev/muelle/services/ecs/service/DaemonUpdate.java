package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.placement.Reason;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.service.ServiceTasks.Kind;
import dev.muelle.services.ecs.service.ServiceTasks.Started;
import dev.muelle.services.ecs.service.Situation.Step;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.Fleets;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.Service;

/** One look's work for a DAEMON service: one task on each instance that meets its constraints. */
final class DaemonUpdate {

  private final Ids ids;
  private final ServiceTasks tasks;
  private final InstanceTasks onInstances;

  DaemonUpdate(Ids ids, ServiceTasks tasks, InstanceTasks onInstances) {
    this.ids = ids;
    this.tasks = tasks;
    this.onInstances = onInstances;
  }

  Step step(Tx tx, ServiceRecord before, boolean held, Situation seen) {
    Service service = before.service();
    Kind kind = Kind.of(tx, service, before.primary());
    Optional<TaskFactory.Order> order = ServiceTasks.order(tx, before, kind);
    if (order.isEmpty()) {
      return new Step(before, false);
    }
    Request request = ServiceTasks.request(service, order.get(), seen.zones().values());
    Set<String> wanted = new HashSet<>();
    Set<String> left = new HashSet<>(); // alone, as they are
    for (var row : tx.find(InstanceRecord.TABLE, "cluster", service.clusterArn())) {
      InstanceRecord instance = row.value();
      Optional<Reason> against = Fleets.against(tx, instance, request);
      switch (against.orElse(null)) {
        case DRAINING -> {
          // A daemon is the last one to go.
          if (othersStay(tx, instance)) {
            left.add(instance.id());
          }
        }
        case AGENT -> left.add(instance.id()); // nobody there could be asked
        case ATTRIBUTE, MEMBER_OF -> {}
        case DISTINCT_INSTANCE, CPU, MEMORY, PORTS, INTERFACES, GPU -> wanted.add(instance.id());
        case null -> wanted.add(instance.id());
      }
    }
    Map<String, List<Member>> members = new TreeMap<>();
    Map<String, String> machines = new TreeMap<>();
    seen.alive().forEach(task -> machines.put(task.id(), machine(task)));
    for (Member member : seen.members()) {
      String machine = Objects.requireNonNull(machines.get(member.id()));
      if (!left.contains(machine)) {
        members.computeIfAbsent(machine, m -> new ArrayList<>()).add(member);
      }
    }
    Set<String> busy = new HashSet<>();
    seen.all().stream().filter(task -> !task.wanted()).forEach(task -> busy.add(machine(task)));
    Daemons.Plan plan =
        Daemons.plan(
            new Daemons.Want(
                wanted,
                busy,
                service.deploymentConfiguration().minimumHealthyPercent(),
                before.primary().id(),
                held),
            members,
            seen.shielded());
    ServiceRecord record = counted(before, wanted.size());
    record = tasks.stop(tx, record, plan.stop(), seen, null, "");
    record = start(tx, record, kind, order.get(), request, plan.start(), seen);
    if (plan.blocked()) {
      record = record.withEventOnce(ids.uuid(), seen.now(), RollingUpdate.BLOCKED);
    }
    return new Step(record, plan.settled());
  }

  private static String machine(TaskRecord task) {
    return Objects.requireNonNullElse(task.bookedOn(), "");
  }

  /** As many as there are instances for. */
  private static ServiceRecord counted(ServiceRecord record, int desired) {
    if (record.service().desiredCount() == desired) {
      return record;
    }
    Deployment primary = record.primary().toBuilder().desiredCount(desired).build();
    return record.with(s -> s.desiredCount(desired)).withPrimary(primary).withSteady(false);
  }

  /** Whether an instance that drains has tasks of other services, of the kind that go before. */
  private static boolean othersStay(Tx tx, InstanceRecord instance) {
    return tx.find(TaskRecord.TABLE, "instance", instance.id()).stream()
        .map(row -> row.value().serviceKey())
        .filter(Objects::nonNull)
        .distinct()
        .anyMatch(key ->
            tx.get(ServiceRecord.TABLE, key).filter(row -> !row.value().daemon()).isPresent());
  }

  private ServiceRecord start(
      Tx tx,
      ServiceRecord record,
      Kind kind,
      TaskFactory.Order order,
      Request request,
      List<String> instances,
      Situation seen) {
    List<TaskRecord> started = new ArrayList<>();
    Optional<String> refused = Optional.empty();
    for (String id : instances) {
      InstanceRecord instance = tx.get(InstanceRecord.TABLE, id).orElseThrow().value();
      Optional<Reason> against = Fleets.against(tx, instance, request);
      if (against.isPresent()) {
        Verdict.Rejection why = new Verdict.Rejection(id, against.get());
        refused = Optional.of(new Verdict.Refused(why, List.of()).event());
        continue;
      }
      onInstances
          .start(tx, List.of(id), order, request, seen.zones())
          .tasks()
          .forEach(task ->
              started.add(
                  tx.get(TaskRecord.TABLE, TaskRecord.idOf(task.taskArn())).orElseThrow().value()));
    }
    return started.isEmpty() && refused.isEmpty()
        ? record
        : tasks.saying(record, kind, new Started(started, refused), seen);
  }
}
