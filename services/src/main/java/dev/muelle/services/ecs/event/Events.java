package dev.muelle.services.ecs.event;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.ecs.event.WatchedTx.Change;
import dev.muelle.services.ecs.event.WatchedTx.Changes;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.RoomChanges;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.TaskSet;

/** Which events the changes of one transaction are. */
final class Events {

  static final String TASK = "ECS Task State Change";
  static final String INSTANCE = "ECS Container Instance State Change";
  static final String SERVICE = "ECS Service Action";
  static final String DEPLOYMENT = "ECS Deployment State Change";

  private static final String SOURCE = "aws.ecs";
  private static final List<String> ALL = List.of(TASK, INSTANCE, SERVICE, DEPLOYMENT);

  private final Tx tx;
  private final EventOutbox outbox;
  private final Instant now;

  private Events(Tx tx, EventOutbox outbox, Instant now) {
    this.tx = tx;
    this.outbox = outbox;
    this.now = now;
  }

  /** Whether any event of ECS could match a rule. */
  static boolean wanted(EventOutbox outbox) {
    return ALL.stream().anyMatch(type -> outbox.wants(SOURCE, type));
  }

  static void tell(Changes changes, Tx tx, EventOutbox outbox, Instant now) {
    Events events = new Events(tx, outbox, now);
    changes.tasks().forEach(events::task);
    events.instances(changes);
    changes.services().forEach(change -> events.service(change, changes.tasks()));
    changes.taskSets().forEach(events::taskSet);
  }

  private void put(String type, String arn, Supplier<ObjectNode> detail) {
    outbox.put(tx, SOURCE, type, List.of(arn), now, () -> detail.get().toString());
  }

  /** A task that is forgotten, an hour after it stopped, is no event. */
  private void task(Change<TaskRecord> change) {
    TaskRecord after = change.after();
    if (after == null) {
      return;
    }
    TaskRecord before = change.before();
    if (before == null || !Details.same(before.task(), after.task())) {
      put(TASK, after.task().taskArn(), () -> Details.of(after.task(), now));
    }
  }

  /** What is left of an instance changes with its tasks; its own row, with everything else. */
  private void instances(Changes changes) {
    Set<String> told = new LinkedHashSet<>();
    for (Change<InstanceRecord> change : changes.instances()) {
      InstanceRecord before = change.before();
      InstanceRecord after = change.after();
      if (after == null) {
        RoomChanges.forget(tx, Objects.requireNonNull(before).id());
      } else if (before == null || !Details.same(before.instance(), after.instance())) {
        told.add(after.id());
      }
    }
    for (Change<TaskRecord> change : changes.tasks()) {
      String before = bookedOn(change.before());
      String after = bookedOn(change.after());
      if (!Objects.equals(before, after)) {
        room(before, told);
        room(after, told);
      }
    }
    told.forEach(this::instance);
  }

  private static @Nullable String bookedOn(@Nullable TaskRecord task) {
    return task == null ? null : task.bookedOn();
  }

  private void room(@Nullable String instance, Set<String> told) {
    if (instance != null) {
      told.add(instance);
      RoomChanges.count(tx, instance);
    }
  }

  private void instance(String id) {
    tx.get(InstanceRecord.TABLE, id)
        .map(Row::value)
        .ifPresent(record ->
            put(
                INSTANCE,
                record.instance().containerInstanceArn(),
                () -> Details.of(tx, record, now)));
  }

  private void service(Change<ServiceRecord> change, List<Change<TaskRecord>> tasks) {
    ServiceRecord after = change.after();
    if (after == null) {
      return;
    }
    String arn = after.service().serviceArn();
    ServiceActions.of(change.before(), after, tasks)
        .forEach(action -> put(SERVICE, arn, () -> action.detail(now)));
    DeploymentStates.of(change.before(), after)
        .forEach(state -> put(DEPLOYMENT, arn, () -> state.detail(now)));
  }

  private void taskSet(Change<TaskSet> change) {
    ServiceActions.of(change)
        .ifPresent(action ->
            put(
                SERVICE,
                Objects.requireNonNull(change.after()).serviceArn(),
                () -> action.detail(now)));
  }
}
