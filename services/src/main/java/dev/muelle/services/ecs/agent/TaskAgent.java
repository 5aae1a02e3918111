package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.definition.Dependencies;
import dev.muelle.services.ecs.definition.Restarts;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.service.Targets;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.task.ClientTokens;
import dev.muelle.services.ecs.task.Protections;
import dev.muelle.services.ecs.task.TaskChanges;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ecs.model.Connectivity;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/**
 * Brings one task from PROVISIONING to RUNNING, and from there to STOPPED. Each look does the next
 * step of the task's status, repeatably: whatever was made before a crash is found again by its id
 * (the interface by its client token, sandbox and containers by the task's id).
 */
public final class TaskAgent {

  private static final Logger LOG = LoggerFactory.getLogger(TaskAgent.class);

  /** Stopped tasks stay describable for an hour, as on ECS. */
  private static final Duration KEPT = Duration.ofHours(1);

  private static final Duration SOON = Duration.ofMillis(500);
  private static final Duration NOW = Duration.ZERO;
  private static final int DEFAULT_STOP_SECONDS = 30;
  private static final int BEGUN_AT_ONCE = 32;

  private final Store store;
  private final Timers clock;
  private final TaskDefinitions definitions;
  private final Engine engine;
  private final Targets targets;
  private final TaskNetworks networks;
  private final LogPump logs;
  private final TaskEndpoint endpoint;
  private final HealthChecks health;
  private final InstanceMachines machines;
  private final TaskChanges changes;
  private final TaskSpecs specs;
  private final TaskImages images;
  private final TaskInterfaces interfaces;
  private final ContainerStates states;

  /** Of tasks that get their network and their sandbox. */
  private final Turns turns;

  /** Containers for which a stop is under way in this process. */
  private final Set<String> stopping = ConcurrentHashMap.newKeySet();

  /** Tasks whose metadata and logs this process looks after. */
  private final Set<String> adopted = ConcurrentHashMap.newKeySet();

  /**
   * The agent of all tasks.
   *
   * @param wake looks at a task again
   */
  public TaskAgent(
      Scope scope,
      Store store,
      Timers clock,
      Ids ids,
      Tasks tasks,
      TaskDefinitions definitions,
      Engine engine,
      Network network,
      Ec2Client ec2,
      Targets targets,
      TaskNetworks networks,
      LogPump logs,
      TaskEndpoint endpoint,
      HealthChecks health,
      InstanceMachines machines,
      dev.muelle.services.Objects objects,
      AccountSettings settings,
      Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.definitions = definitions;
    this.engine = engine;
    this.targets = targets;
    this.networks = networks;
    this.logs = logs;
    this.endpoint = endpoint;
    this.health = health;
    this.machines = machines;
    changes = new TaskChanges(store, clock, ids, tasks);
    specs = new TaskSpecs(scope, networks, new EnvironmentFiles(objects));
    images = new TaskImages(store, clock, changes, engine);
    interfaces = new TaskInterfaces(scope, ec2, network, settings);
    states = new ContainerStates(changes, engine);
    turns = new Turns(BEGUN_AT_ONCE, wake);
  }

  /** Sandboxes of ours whose task has ended or is gone: left by a crash in the wrong moment. */
  public void removeLeftovers() {
    for (SandboxStatus sandbox : engine.sandboxes()) {
      if (specs.ours(sandbox)
          && changes.find(sandbox.id()).filter(t -> t.status() != TaskStatus.STOPPED).isEmpty()) {
        engine.removeSandbox(sandbox.id());
      }
    }
    engine.machines().stream().filter(specs::ours).forEach(machine -> machines.wake(machine.id()));
  }

  /**
   * One look: as many steps as can be done now. Gives when to look again, or null for "when
   * something changes".
   */
  public @Nullable Duration look(String id) {
    try {
      Duration again = step(id);
      while (NOW.equals(again)) {
        again = step(id);
      }
      return again;
    } finally {
      turns.pass(id);
    }
  }

  private @Nullable Duration step(String id) {
    Optional<TaskRecord> found = changes.find(id);
    if (found.isEmpty()) {
      return null;
    }
    TaskRecord task = found.get();
    TaskStatus status = task.status();
    if (status == TaskStatus.STOPPED) {
      return forget(task);
    }
    if (!task.wanted() && status.compareTo(TaskStatus.DEACTIVATING) < 0) {
      changes.advance(id, TaskStatus.DEACTIVATING, builder -> builder);
      return NOW;
    }
    if (task.waiting()) {
      return null; // ClusterCapacity finds it an instance
    }
    if (status.compareTo(TaskStatus.ACTIVATING) < 0 && !turns.take(id)) {
      return null; // until its turn comes
    }
    try {
      return switch (status) {
        case PROVISIONING -> provision(task);
        case PENDING -> start(task);
        case ACTIVATING -> activate(task);
        case RUNNING -> watch(task);
        case DEACTIVATING -> deactivate(task);
        case STOPPING -> stop(task);
        case DEPROVISIONING -> deprovision(task);
        case STOPPED -> null;
      };
    } catch (EngineException e) {
      if (!task.wanted()) {
        throw e; // it is on its way out already: try again, ever later
      }
      return fail(task, Objects.requireNonNullElse(e.getMessage(), "CannotStartContainerError"));
    }
  }

  private Duration provision(TaskRecord task) {
    NetworkInterface eni;
    try {
      eni = interfaces.create(task);
    } catch (Ec2Exception e) {
      return fail(
          task,
          "Unexpected EC2 error while attempting to Create Network Interface in subnet '"
              + task.subnet()
              + "': "
              + e.awsErrorDetails().errorCode());
    }
    changes.advance(
        task.id(),
        TaskStatus.PENDING,
        builder ->
            TaskInterfaces.attached(builder, task, eni)
                .connectivity(Connectivity.CONNECTED)
                .connectivityAt(clock.instant()));
    return NOW;
  }

  private @Nullable Duration start(TaskRecord task) {
    TaskDefinition definition = definition(task);
    TaskNetworks.Opened places = networks.open(task, definition);
    if (places.vpc() != null) {
      endpoint.serve(places.vpc());
    }
    engine.createSandbox(specs.sandbox(task, definition, places));
    turns.pass(task.id()); // a slow pull keeps nobody from beginning
    TaskRecord pulled = images.pull(task, definition);
    restart(pulled, definition);
    Map<String, ContainerStatus> started = states.started(pulled, definition);
    Startup.Step step =
        Startup.next(
            definition.containerDefinitions(), started, healthy(pulled), clock.machine().instant());
    if (step.failure() != null) {
      return fail(pulled, step.failure());
    }
    for (ContainerDefinition container : step.start()) {
      try {
        logs.prepare(container, task);
        String image = images.image(pulled, container).id();
        engine.startContainer(specs.container(pulled, definition, container, image, places));
      } catch (EngineException e) {
        changes.stopped(
            task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        throw e;
      }
    }
    health.watch(task, definition);
    Startup.Step next =
        step.start().isEmpty()
            ? step
            : Startup.next(
                definition.containerDefinitions(),
                states.started(pulled, definition),
                healthy(pulled),
                clock.machine().instant());
    if (next.complete() && !essentialGone(task, definition)) {
      List<Container> containers = states.observed(changes.find(task.id()).orElseThrow());
      changes.advance(task.id(), TaskStatus.ACTIVATING, builder -> builder.containers(containers));
      return NOW;
    }
    states.observe(task.id());
    // What depends on those that were started may start now; others wait for some to complete.
    return essentialExited(task, definition) || !step.start().isEmpty() ? NOW : SOON;
  }

  private static Set<String> healthy(TaskRecord task) {
    return task.task().containers().stream()
        .filter(container -> container.healthStatus() == HealthStatus.HEALTHY)
        .map(Container::name)
        .collect(Collectors.toSet());
  }

  private Duration activate(TaskRecord task) {
    String problem = targets.register(task);
    if (problem != null) {
      return fail(task, problem);
    }
    store.write(tx -> {
      changes.countSuccess(tx, task);
      return TaskChanges.change(
          tx,
          task.id(),
          now -> now.toBuilder().lastStatus(TaskStatus.RUNNING.name()).startedAt(clock.instant()));
    });
    return NOW;
  }

  private @Nullable Duration watch(TaskRecord task) {
    TaskDefinition definition = definition(task);
    adopt(task);
    restart(task, definition);
    states.observe(task.id());
    return essentialExited(task, definition) ? NOW : null; // an exit wakes us
  }

  /** Starts those again that are to be, before anything is made of their exit. */
  private void restart(TaskRecord task, TaskDefinition definition) {
    for (ContainerDefinition container : definition.containerDefinitions()) {
      String id = task.containerId(container.name());
      if (Restarts.wanted(container, engine.container(id).orElse(null))) {
        try {
          engine.restartContainer(id);
          health.restarted(task, container, definition);
        } catch (EngineException e) {
          // It has exited for good: the policy does not want one again that did not run.
          changes.stopped(
              task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        }
      }
    }
  }

  /** After a restart of the server: what belongs to the task in this process, too. */
  private void adopt(TaskRecord task) {
    if (!adopted.contains(task.id())) {
      networks.vpc(task, definition(task)).ifPresent(endpoint::serve);
      logs.wake(task.id());
      health.watch(task, definition(task));
      adopted.add(task.id());
    }
  }

  private boolean essentialExited(TaskRecord task, TaskDefinition definition) {
    boolean gone = essentialGone(task, definition);
    if (gone) {
      changes.stopFaulty(
          task.id(), TaskStopCode.ESSENTIAL_CONTAINER_EXITED, "Essential container in task exited");
    }
    return gone;
  }

  private boolean essentialGone(TaskRecord task, TaskDefinition definition) {
    Map<String, ContainerStatus> started = states.started(task, definition);
    for (ContainerDefinition container : definition.containerDefinitions()) {
      ContainerStatus status = started.get(container.name());
      boolean gone =
          status == null
              ? task.status() == TaskStatus.RUNNING // the engine knows no such container any more
              : status.state() instanceof State.Exited && !Restarts.wanted(container, status);
      if (gone && Boolean.TRUE.equals(container.essential())) {
        return true;
      }
    }
    return false;
  }

  private Duration deactivate(TaskRecord task) {
    boolean interrupted = task.task().stopCode() == TaskStopCode.SPOT_INTERRUPTION;
    if (targets.drained(task) || interrupted) { // an interruption waits for nobody
      changes.advance(task.id(), TaskStatus.STOPPING, builder -> builder);
      return NOW;
    }
    return SOON;
  }

  private Duration stop(TaskRecord task) {
    TaskDefinition definition = definition(task);
    Map<String, ContainerStatus> started = states.started(task, definition);
    // What others depend on is stopped after them; the rest at the same time.
    List<ContainerDefinition> running =
        definition.containerDefinitions().stream()
            .filter(container -> runs(started.get(container.name())))
            .toList();
    states.observe(task.id());
    if (running.isEmpty()) {
      changes.advance(
          task.id(),
          TaskStatus.DEPROVISIONING,
          builder -> builder.executionStoppedAt(clock.instant()));
      return NOW;
    }
    running.stream()
        .filter(container -> !neededBy(container, running))
        .forEach(container -> beginToStop(task, container));
    return SOON; // the exits wake us
  }

  private static boolean runs(@Nullable ContainerStatus status) {
    return status != null && status.state() instanceof State.Running;
  }

  /** Stopping may take as long as the grace lasts: not on the time of this look. */
  private void beginToStop(TaskRecord task, ContainerDefinition container) {
    Duration grace =
        Duration.ofSeconds(
            Objects.requireNonNullElse(container.stopTimeout(), DEFAULT_STOP_SECONDS));
    String id = task.containerId(container.name());
    if (stopping.add(id)) {
      clock.after(
          NOW,
          () -> {
            try {
              engine.stopContainer(id, grace);
            } catch (RuntimeException e) {
              LOG.warn("container {} could not be stopped, will be tried again", id, e);
            } finally {
              stopping.remove(id);
            }
          });
    }
  }

  private static boolean neededBy(ContainerDefinition container, List<ContainerDefinition> others) {
    return others.stream()
        .flatMap(other -> Dependencies.of(other).stream())
        .anyMatch(dependency -> dependency.containerName().equals(container.name()));
  }

  private @Nullable Duration deprovision(TaskRecord task) {
    TaskDefinition definition = definition(task);
    logs.drain(task, definition);
    engine.removeSandbox(task.id());
    if (task.bookedOn() != null) {
      machines.wake(task.bookedOn());
    }
    networks.close(task);
    interfaces.delete(task);
    logs.forget(task, definition);
    endpoint.forget(task);
    adopted.remove(task.id());
    images.forget(task);
    store.write(tx -> {
      Protections.forget(tx, task.id());
      TaskChanges.change(
          tx,
          task.id(),
          now ->
              Eni.attach(now.toBuilder().lastStatus(TaskStatus.STOPPED.name()), now, "DELETED")
                  .stoppedAt(clock.instant())
                  .connectivity(Connectivity.DISCONNECTED)
                  .containers(
                      now.containers().stream()
                          .map(container -> container.toBuilder().lastStatus("STOPPED").build())
                          .toList()));
      TaskDefinitions.release(tx, task.task().taskDefinitionArn());
      return task;
    });
    return KEPT;
  }

  private @Nullable Duration forget(TaskRecord task) {
    Instant end = Objects.requireNonNull(task.task().stoppedAt()).plus(KEPT);
    Duration left = Duration.between(clock.instant(), end);
    if (left.isPositive()) {
      return left;
    }
    store.write(tx -> {
      ClientTokens.forget(tx, task.id());
      return tx.delete(TaskRecord.TABLE, task.id());
    });
    return null;
  }

  /** The task cannot run: it stops with this reason. */
  private Duration fail(TaskRecord task, String reason) {
    LOG.info("task {} cannot run: {}", task.id(), reason);
    changes.stopFaulty(task.id(), TaskStopCode.TASK_FAILED_TO_START, reason);
    return NOW;
  }

  private TaskDefinition definition(TaskRecord task) {
    return definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
  }
}
