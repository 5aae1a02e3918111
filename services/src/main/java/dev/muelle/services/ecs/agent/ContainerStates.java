package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.services.ecs.state.HostNetwork;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.ExecSessions;
import dev.muelle.services.ecs.task.TaskChanges;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** What the engine says of a task's containers. */
final class ContainerStates {

  private final TaskChanges changes;
  private final Engine engine;

  ContainerStates(TaskChanges changes, Engine engine) {
    this.changes = changes;
    this.engine = engine;
  }

  /** By name, those that were started. */
  Map<String, ContainerStatus> started(TaskRecord task, TaskDefinition definition) {
    Map<String, ContainerStatus> started = new HashMap<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      engine
          .container(task.containerId(container.name()))
          .ifPresent(status -> started.put(container.name(), status));
    }
    return started;
  }

  /** Copies what the engine says of the containers into the task. */
  void observe(String id) {
    TaskRecord task = changes.find(id).orElseThrow();
    List<Container> containers = observed(task);
    if (!containers.equals(task.task().containers())) {
      changes.change(id, now -> now.toBuilder().containers(containers));
    }
  }

  /** What the engine says of the containers of a task. */
  List<Container> observed(TaskRecord task) {
    List<Container> containers = new ArrayList<>();
    for (Container container : task.task().containers()) {
      Optional<ContainerStatus> status = engine.container(task.containerId(container.name()));
      containers.add(status.map(s -> bound(task, observed(container, s))).orElse(container));
    }
    return containers;
  }

  private static Container observed(Container container, ContainerStatus status) {
    return switch (status.state()) {
      case State.Running running ->
          container.toBuilder()
              .runtimeId(status.id())
              .lastStatus("RUNNING")
              .exitCode(null) // of an earlier run
              .managedAgents(ExecSessions.agents(container, "RUNNING", running.startedAt()))
              .build();
      case State.Exited exited ->
          container.toBuilder()
              .runtimeId(status.id())
              .lastStatus("STOPPED")
              .exitCode(exited.exitCode())
              .managedAgents(ExecSessions.agents(container, "STOPPED", exited.startedAt()))
              .reason(
                  exited.outOfMemory()
                      ? "OutOfMemoryError: Container killed due to memory usage"
                      : container.reason())
              .build();
    };
  }

  /** With the ports of its instance that lead to it, as long as it runs. */
  private static Container bound(TaskRecord task, Container container) {
    HostNetwork host = task.host();
    if (host == null || !container.lastStatus().equals("RUNNING")) {
      return container;
    }
    return host.of(container.name())
        .map(place -> container.toBuilder().networkBindings(place.bindings()).build())
        .orElse(container);
  }
}
