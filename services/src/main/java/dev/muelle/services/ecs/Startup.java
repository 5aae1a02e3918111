package dev.muelle.services.ecs;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;

/**
 * Which containers of a task may start now, by their {@code dependsOn}: pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html">ContainerDependency</a>
 */
final class Startup {

  private Startup() {}

  /**
   * The next step.
   *
   * @param start definitions whose conditions are met
   * @param complete whether every container was started
   * @param failure why the task can never start whole, in the agent's words; null if it can
   */
  record Step(List<ContainerDefinition> start, boolean complete, @Nullable String failure) {}

  static Step next(List<ContainerDefinition> definitions, Map<String, ContainerStatus> started) {
    List<ContainerDefinition> start = new ArrayList<>();
    boolean complete = true;
    for (ContainerDefinition definition : definitions) {
      if (started.containsKey(definition.name())) {
        continue;
      }
      complete = false;
      boolean ready = true;
      for (ContainerDependency dependency : definition.dependsOn()) {
        switch (look(dependency, started.get(dependency.containerName()))) {
          case MET -> {}
          case OPEN -> ready = false;
          case IMPOSSIBLE -> {
            return new Step(
                List.of(),
                false,
                "dependency graph: container "
                    + definition.name()
                    + " cannot start: "
                    + dependency.containerName()
                    + " did not reach "
                    + dependency.conditionAsString());
          }
        }
      }
      if (ready) {
        start.add(definition);
      }
    }
    return new Step(start, complete, null);
  }

  private enum Outcome {
    MET,
    OPEN,
    IMPOSSIBLE
  }

  private static Outcome look(ContainerDependency dependency, @Nullable ContainerStatus status) {
    if (status == null) {
      return Outcome.OPEN;
    }
    ContainerCondition condition = dependency.condition();
    return switch (status.state()) {
      case State.Running running ->
          condition == ContainerCondition.START ? Outcome.MET : Outcome.OPEN;
      case State.Exited exited ->
          condition == ContainerCondition.SUCCESS && exited.exitCode() != 0
              ? Outcome.IMPOSSIBLE
              : Outcome.MET;
    };
  }
}
