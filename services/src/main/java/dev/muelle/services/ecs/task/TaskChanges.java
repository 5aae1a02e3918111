package dev.muelle.services.ecs.task;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.state.Throttle;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/** How what is stored of a task and of its service changes as the task comes and goes. */
public final class TaskChanges {

  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Tasks tasks;

  public TaskChanges(Store store, Timers clock, Ids ids, Tasks tasks) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.tasks = tasks;
  }

  /** The task is to stop by its own fault, which counts against its deployment at once. */
  public void stopFaulty(String id, TaskStopCode code, String reason) {
    store.write(tx -> {
      TaskRecord now = tx.get(TaskRecord.TABLE, id).orElseThrow().value();
      if (now.wanted()) {
        tx.put(TaskRecord.TABLE, id, tasks.stopping(now, code, reason));
        updateService(tx, now, record -> failed(record, now));
      }
      return now.wanted();
    });
  }

  /** Notes that a container never ran, and why. */
  public void stopped(String id, String container, String reason) {
    change(
        id,
        now ->
            now.toBuilder()
                .containers(
                    now.containers().stream()
                        .map(c ->
                            c.name().equals(container)
                                ? c.toBuilder().reason(reason).lastStatus("STOPPED").build()
                                : c)
                        .toList()));
  }

  /** A service's task that runs proves that its tasks can start. */
  public void countSuccess(Tx tx, TaskRecord task) {
    updateService(
        tx, task, record -> record.failedStarts() == 0 ? record : record.withFailures(0, null));
  }

  private ServiceRecord failed(ServiceRecord record, TaskRecord task) {
    ServiceRecord counted = record.withFailedTask(task.task().startedBy());
    if (task.task().startedAt() != null) {
      return counted; // it ran: no reason to throttle
    }
    int failures = record.failedStarts() + 1;
    Instant next = Throttle.notBefore(failures, clock.instant());
    ServiceRecord throttled = counted.withFailures(failures, next);
    return next == null
        ? throttled
        : throttled.withEvent(
            ids.uuid(),
            clock.instant(),
            ServiceRecord.IMPAIRED
                + " For more information, see the Troubleshooting section of the Amazon ECS Developer"
                + " Guide.");
  }

  private static void updateService(Tx tx, TaskRecord task, UnaryOperator<ServiceRecord> change) {
    String key = task.serviceKey();
    if (key == null) {
      return;
    }
    Optional<ServiceRecord> before = tx.get(ServiceRecord.TABLE, key).map(Row::value);
    if (before.isPresent()) {
      ServiceRecord after = change.apply(before.get());
      if (!after.equals(before.get())) {
        tx.put(ServiceRecord.TABLE, key, after);
      }
    }
  }

  public Optional<TaskRecord> find(String id) {
    return store.read(tx -> tx.get(TaskRecord.TABLE, id)).map(Row::value);
  }

  public void advance(String id, TaskStatus status, UnaryOperator<Task.Builder> change) {
    change(id, now -> change.apply(now.toBuilder().lastStatus(status.name())));
  }

  /** Changes what is stored now, which others (StopTask) may have changed meanwhile. */
  public TaskRecord change(String id, Function<Task, Task.Builder> change) {
    return store.write(tx -> change(tx, id, change));
  }

  public static TaskRecord change(Tx tx, String id, Function<Task, Task.Builder> change) {
    TaskRecord now = tx.get(TaskRecord.TABLE, id).orElseThrow().value();
    TaskRecord after =
        now.with(builder -> change.apply(now.task()).version(now.task().version() + 1));
    return tx.put(TaskRecord.TABLE, id, after).value();
  }
}
