package dev.muelle.services.ecs.task;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionResponse;
import software.amazon.awssdk.services.ecs.model.ProtectedTask;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionResponse;

/**
 * Tasks that scale-in and deployments leave alone for a time. They still stop when somebody stops
 * them, when they fail, or when their service is deleted.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html">Protect
 *     your Amazon ECS tasks from being terminated by scale-in events</a>
 */
public final class Protections {

  /** The instant at which it ends by itself. */
  record Protection(Instant until) {}

  /** By the task's id. */
  private static final Table<Protection> TABLE =
      Table.of("ecs.task_protections", StoredJson.codec(Protection.class)).remember();

  private static final int DEFAULT_MINUTES = 120;
  private static final int MAX_MINUTES = 2880;
  private static final int MAX_UPDATED = 10;
  private static final int MAX_READ = 100;

  private final Store store;
  private final InstantSource clock;
  private final ClusterNames clusters;

  public Protections(Store store, InstantSource clock, ClusterNames clusters) {
    this.store = store;
    this.clock = clock;
    this.clusters = clusters;
  }

  /** Those of some tasks that are protected now, by id. */
  public static Set<String> of(Tx tx, List<TaskRecord> tasks, Instant now) {
    return tasks.stream()
        .map(TaskRecord::id)
        .filter(id -> until(tx, id, now).isPresent())
        .collect(Collectors.toSet());
  }

  private static Optional<Instant> until(Tx tx, String id, Instant now) {
    return tx.get(TABLE, id).map(row -> row.value().until()).filter(now::isBefore);
  }

  /** A task has stopped. */
  public static void forget(Tx tx, String id) {
    tx.delete(TABLE, id);
  }

  public GetTaskProtectionResponse get(GetTaskProtectionRequest request) {
    if (request.tasks().size() > MAX_READ) {
      throw Refuse.invalid("tasks can have at most 100 items.");
    }
    return store.read(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      Found found = find(tx, cluster, request.tasks());
      List<ProtectedTask> shown = found.tasks().stream().map(task -> shown(tx, task)).toList();
      return GetTaskProtectionResponse.builder()
          .protectedTasks(shown)
          .failures(found.failures())
          .build();
    });
  }

  public UpdateTaskProtectionResponse update(UpdateTaskProtectionRequest request) {
    if (request.tasks().isEmpty() || request.tasks().size() > MAX_UPDATED) {
      throw Refuse.invalid("Between 1 and 10 tasks must be specified.");
    }
    if (request.protectionEnabled() == null) {
      throw Refuse.invalid("protectionEnabled must be specified.");
    }
    Integer minutes = request.expiresInMinutes();
    if (minutes != null && (minutes < 1 || minutes > MAX_MINUTES)) {
      throw Refuse.invalid("expiresInMinutes must be between 1 and 2880, but is " + minutes + ".");
    }
    return store.write(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      Found found = find(tx, cluster, request.tasks());
      List<Failure> failures = new ArrayList<>(found.failures());
      List<ProtectedTask> shown = new ArrayList<>();
      for (TaskRecord task : found.tasks()) {
        if (!request.protectionEnabled()) {
          forget(tx, task.id());
        } else if (blocksItsDeployment(tx, task)) {
          failures.add(failure(task.task().taskArn(), "DEPLOYMENT_BLOCKED"));
          continue;
        } else {
          Duration time = Duration.ofMinutes(minutes == null ? DEFAULT_MINUTES : minutes);
          tx.put(TABLE, task.id(), new Protection(clock.instant().plus(time)));
        }
        touch(tx, task);
        shown.add(shown(tx, task));
      }
      return UpdateTaskProtectionResponse.builder()
          .protectedTasks(shown)
          .failures(failures)
          .build();
    });
  }

  /** Its service looks at its tasks anew. */
  private static void touch(Tx tx, TaskRecord task) {
    tx.put(TaskRecord.TABLE, task.id(), task.with(b -> b.version(task.task().version() + 1)));
  }

  /**
   * Whether protecting one more task would hold up a deployment that protected tasks hold up
   * already.
   */
  private boolean blocksItsDeployment(Tx tx, TaskRecord task) {
    Instant now = clock.instant();
    String key = task.serviceKey();
    if (key == null || until(tx, task.id(), now).isPresent()) {
      return false; // it may be prolonged
    }
    Optional<ServiceRecord> service = tx.get(ServiceRecord.TABLE, key).map(Row::value);
    if (service.isEmpty() || service.get().service().deployments().size() < 2) {
      return false;
    }
    String primary = service.get().primary().id();
    return tx.find(TaskRecord.TABLE, "service", key).stream()
        .map(Row::value)
        .filter(TaskRecord::wanted)
        .filter(other -> !primary.equals(other.task().startedBy()))
        .anyMatch(other -> until(tx, other.id(), now).isPresent());
  }

  private record Found(List<TaskRecord> tasks, List<Failure> failures) {}

  private static Found find(Tx tx, Cluster cluster, List<String> references) {
    List<TaskRecord> tasks = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : references) {
      Optional<TaskRecord> found =
          TaskRecord.find(tx, cluster, reference)
              .filter(task -> task.status() != TaskStatus.STOPPED);
      if (found.isEmpty()) {
        String arn =
            reference.startsWith("arn:")
                ? reference
                : cluster.clusterArn().replace(":cluster/", ":task/") + "/" + reference;
        failures.add(failure(arn, "MISSING"));
      } else if (found.get().serviceKey() == null) {
        failures.add(failure(found.get().task().taskArn(), "TASK_NOT_VALID"));
      } else {
        tasks.add(found.get());
      }
    }
    return new Found(tasks, failures);
  }

  private static Failure failure(String arn, String reason) {
    return Failure.builder().arn(arn).reason(reason).build();
  }

  private ProtectedTask shown(Tx tx, TaskRecord task) {
    Optional<Instant> until = until(tx, task.id(), clock.instant());
    return ProtectedTask.builder()
        .taskArn(task.task().taskArn())
        .protectionEnabled(until.isPresent())
        .expirationDate(until.orElse(null))
        .build();
  }
}
