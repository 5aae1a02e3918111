package dev.muelle.services.ecs.task;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskOverride;

/**
 * Tasks in PROVISIONING for which there is no instance yet: their capacity provider gets some.
 *
 * @see <a
 *     href="https://aws.amazon.com/blogs/containers/deep-dive-on-amazon-ecs-cluster-auto-scaling/">Deep
 *     dive on Amazon ECS cluster auto scaling</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html">Amazon
 *     ECS service quotas</a>
 */
public final class WaitingTasks {

  /** As RunTask's failures and a task's stopped reason say that a provider has no instance. */
  static final String EMPTY = "EMPTY CAPACITY PROVIDER";

  public static final String CROWDED = "Provisioning capacity limit exceeded";

  /** "Tasks in the PROVISIONING state per cluster". */
  static final int MOST = 500;

  /** They wait "between 10 and 30 minutes before transitioning to stopped". */
  static final Duration PATIENCE = Duration.ofMinutes(30);

  /** What must be known of a task to place it later: how its request wanted it placed. */
  public record Wish(List<PlacementConstraint> constraints, List<PlacementStrategy> strategies) {}

  /** A task's wish, and whose capacity it waits for. */
  record Waiting(String clusterArn, String provider, Wish wish) {}

  /** By the task's id, as long as the task waits. */
  private static final Table<Waiting> TABLE =
      Table.of("ecs.waiting_tasks", StoredJson.codec(Waiting.class))
          .index("cluster", Waiting::clusterArn)
          .remember();

  /** Where one of these finds no room, none of them does. */
  private record Alike(
      Waiting waiting,
      String group,
      String definition,
      TaskOverride overrides,
      AwsVpcConfiguration network) {}

  private final InstanceTasks onInstances;

  public WaitingTasks(InstanceTasks onInstances) {
    this.onInstances = onInstances;
  }

  static void put(Tx tx, TaskRecord task, String provider, Wish wish) {
    tx.put(TABLE, task.id(), new Waiting(task.task().clusterArn(), provider, wish));
  }

  /** Whether as many wait as may. */
  static boolean crowded(Tx tx, String clusterArn) {
    return tx.find(TABLE, "cluster", clusterArn).size() >= MOST;
  }

  /** Of all the subnets that one of a cluster's waiting tasks may be in. */
  public static List<String> subnets(Tx tx, String clusterArn) {
    Set<String> subnets = new TreeSet<>();
    for (Row<Waiting> row : tx.find(TABLE, "cluster", clusterArn)) {
      tx.get(TaskRecord.TABLE, row.key())
          .ifPresent(task -> subnets.addAll(task.value().network().subnets()));
    }
    return List.copyOf(subnets);
  }

  /** A task that still waits, and why. */
  public record Unplaced(TaskRecord task, String provider, Request request, Verdict.Refused why) {

    public boolean overdue(Instant now) {
      return !now.isBefore(task.task().createdAt().plus(PATIENCE));
    }

    /** As a stopped task says it. */
    public String reason() {
      return why.closest() == null ? EMPTY : why.closest().reason().failure();
    }
  }

  /**
   * Places those that now find room, the oldest first, and gives the others. What was stopped
   * meanwhile waits no longer.
   *
   * @param zones of the subnets that were asked for
   */
  public List<Unplaced> place(Tx tx, String clusterArn, Map<String, String> zones) {
    List<Unplaced> left = new ArrayList<>();
    Map<String, TaskRecord> tasks = new HashMap<>();
    List<Row<Waiting>> rows = new ArrayList<>();
    for (Row<Waiting> row : tx.find(TABLE, "cluster", clusterArn)) {
      Optional<TaskRecord> task =
          tx.get(TaskRecord.TABLE, row.key())
              .map(Row::value)
              .filter(found -> found.waiting() && found.wanted());
      if (task.isEmpty()) {
        tx.delete(TABLE, row.key());
      } else {
        tasks.put(row.key(), task.get());
        rows.add(row);
      }
    }
    rows.sort(
        Comparator.comparing((Row<Waiting> row) -> created(tasks, row)).thenComparing(Row::key));
    Map<Alike, Unplaced> refusals = new HashMap<>();
    for (Row<Waiting> row : rows) {
      TaskRecord task = Objects.requireNonNull(tasks.get(row.key()));
      Alike alike =
          new Alike(
              row.value(),
              task.task().group(),
              task.task().taskDefinitionArn(),
              task.task().overrides(),
              task.network());
      Unplaced before = refusals.get(alike);
      if (before != null) {
        left.add(new Unplaced(task, before.provider(), before.request(), before.why()));
        continue;
      }
      Map<String, String> own = new HashMap<>(zones);
      own.keySet().retainAll(task.network().subnets());
      TaskDefinition definition =
          tx.get(
                  TaskDefinitions.TABLE,
                  TaskDefinitions.keyOf(TaskRecord.idOf(task.task().taskDefinitionArn())))
              .orElseThrow()
              .value()
              .definition();
      Request request = request(row.value(), task, definition, own);
      switch (onInstances.settle(tx, task, definition, request, own)) {
        case InstanceTasks.Outcome.Made made -> tx.delete(TABLE, row.key());
        case InstanceTasks.Outcome.Refused refused -> {
          Unplaced unplaced = new Unplaced(task, row.value().provider(), request, refused.why());
          refusals.put(alike, unplaced);
          left.add(unplaced);
        }
        case InstanceTasks.Outcome.Crowded crowded -> throw new AssertionError(crowded);
      }
    }
    return left;
  }

  private static Instant created(Map<String, TaskRecord> tasks, Row<Waiting> row) {
    return Objects.requireNonNull(tasks.get(row.key())).task().createdAt();
  }

  private static Request request(
      Waiting waiting, TaskRecord task, TaskDefinition definition, Map<String, String> zones) {
    return PlacementRules.request(
            task.task().group(),
            definition,
            task.task().overrides(),
            zones.values(),
            PlacementRules.constraints(waiting.wish().constraints()),
            PlacementRules.strategies(waiting.wish().strategies(), task.serviceKey() != null))
        .of(waiting.provider());
  }
}
