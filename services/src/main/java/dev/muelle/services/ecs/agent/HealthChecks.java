package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.HealthCheck;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * Runs the containers' own health checks, and keeps what comes of them in the task.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html">Container
 *     health checks</a>
 */
public final class HealthChecks implements AutoCloseable {

  private static final int AT_ONCE = 32;

  /**
   * What is known of one container.
   *
   * @param failures in a row
   * @param next when to check again
   */
  public record Health(HealthStatus status, int failures, Instant next) {}

  private final Store store;
  private final Timers clock;
  private final Engine engine;
  private final TaskDefinitions definitions;
  private final Loop<String> loop;

  /** By the engine's id of the container; anew after a restart of this process. */
  private final Map<String, Health> known = new ConcurrentHashMap<>();

  public HealthChecks(
      Store store,
      Timers clock,
      RandomGenerator random,
      Engine engine,
      TaskDefinitions definitions) {
    this.store = store;
    this.clock = clock;
    this.engine = engine;
    this.definitions = definitions;
    this.loop = new Loop<>("ecs-health", clock, random, AT_ONCE, this::look);
  }

  /** Looks after a task's containers that are checked and run. */
  void watch(TaskRecord task, TaskDefinition definition) {
    for (ContainerDefinition container : definition.containerDefinitions()) {
      if (container.healthCheck() != null) {
        loop.wake(task.containerId(container.name()));
      }
    }
  }

  /** A container was started again: nothing is known of its health. */
  void restarted(TaskRecord task, ContainerDefinition container, TaskDefinition definition) {
    if (container.healthCheck() != null) {
      String id = task.containerId(container.name());
      store(task.id(), container.name(), HealthStatus.UNKNOWN, definition);
      known.remove(id);
      loop.wake(id);
    }
  }

  private @Nullable Duration look(String id) {
    Optional<TaskRecord> task =
        store.read(tx -> tx.get(TaskRecord.TABLE, TaskRecord.ofContainer(id))).map(Row::value);
    Optional<State.Running> running =
        engine
            .container(id)
            .map(ContainerStatus::state)
            .filter(State.Running.class::isInstance)
            .map(State.Running.class::cast);
    if (task.isEmpty() || running.isEmpty()) {
      known.remove(id);
      return null;
    }
    TaskDefinition definition =
        definitions.byArn(task.get().task().taskDefinitionArn()).orElseThrow();
    ContainerDefinition container =
        definition.containerDefinitions().stream()
            .filter(one -> task.get().containerId(one.name()).equals(id))
            .findFirst()
            .orElseThrow();
    HealthCheck check = Objects.requireNonNull(container.healthCheck());
    Instant started = running.get().startedAt();
    Health before = known.computeIfAbsent(id, i -> begin(task.get(), container, check, started));
    Duration wait = Duration.between(clock.instant(), before.next());
    if (wait.isPositive()) {
      return wait;
    }
    boolean passed = passes(id, check);
    Health after = after(before, check, started, passed, clock.instant());
    known.put(id, after);
    if (after.status() != before.status()) {
      store(task.get().id(), container.name(), after.status(), definition);
    }
    return Duration.between(clock.instant(), after.next());
  }

  /** The first check comes one interval after the start; after our own restart, at once. */
  private static Health begin(
      TaskRecord task, ContainerDefinition container, HealthCheck check, Instant started) {
    HealthStatus status =
        task.task().containers().stream()
            .filter(one -> one.name().equals(container.name()))
            .map(Container::healthStatus)
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(HealthStatus.UNKNOWN);
    return new Health(status, 0, started.plusSeconds(check.interval()));
  }

  private boolean passes(String id, HealthCheck check) {
    List<String> command =
        check.command().getFirst().equals("CMD-SHELL")
            ? List.of("/bin/sh", "-c", String.join(" ", tail(check)))
            : tail(check);
    try {
      return engine.execute(id, command, Duration.ofSeconds(check.timeout())).exitCode() == 0;
    } catch (EngineException e) {
      return false; // it ended meanwhile, or has no such program
    }
  }

  private static List<String> tail(HealthCheck check) {
    return check.command().subList(1, check.command().size());
  }

  /** What one more result makes of it: pure. */
  public static Health after(
      Health before, HealthCheck check, Instant started, boolean passed, Instant now) {
    Instant next = now.plusSeconds(check.interval());
    if (passed) {
      return new Health(HealthStatus.HEALTHY, 0, next);
    }
    int grace = check.startPeriod() == null ? 0 : check.startPeriod();
    boolean starting =
        before.status() == HealthStatus.UNKNOWN && now.isBefore(started.plusSeconds(grace));
    int failures = starting ? 0 : before.failures() + 1;
    return new Health(
        failures >= check.retries() ? HealthStatus.UNHEALTHY : before.status(), failures, next);
  }

  private void store(
      String taskId, String container, HealthStatus status, TaskDefinition definition) {
    store.write(tx -> {
      Optional<TaskRecord> found = tx.get(TaskRecord.TABLE, taskId).map(Row::value);
      if (found.isEmpty()) {
        return false;
      }
      Task task = found.get().task();
      List<Container> containers = new ArrayList<>();
      for (Container one : task.containers()) {
        containers.add(
            one.name().equals(container) ? one.toBuilder().healthStatus(status).build() : one);
      }
      tx.put(
          TaskRecord.TABLE,
          taskId,
          found
              .get()
              .with(b ->
                  task.toBuilder()
                      .containers(containers)
                      .healthStatus(ofTask(containers, definition))
                      .version(task.version() + 1)));
      return true;
    });
  }

  /** A task is as healthy as its essential containers that are checked. */
  static HealthStatus ofTask(List<Container> containers, TaskDefinition definition) {
    boolean all = true;
    boolean any = false;
    for (ContainerDefinition one : definition.containerDefinitions()) {
      if (one.healthCheck() == null || !Boolean.TRUE.equals(one.essential())) {
        continue;
      }
      any = true;
      HealthStatus status =
          containers.stream()
              .filter(container -> container.name().equals(one.name()))
              .map(Container::healthStatus)
              .findFirst()
              .orElse(HealthStatus.UNKNOWN);
      if (status == HealthStatus.UNHEALTHY) {
        return HealthStatus.UNHEALTHY;
      }
      all &= status == HealthStatus.HEALTHY;
    }
    return any && all ? HealthStatus.HEALTHY : HealthStatus.UNKNOWN;
  }

  @Override
  public void close() {
    loop.close();
  }
}
