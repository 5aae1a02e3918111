package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.services.ecs.definition.Dependencies;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;

/**
 * Which containers of a task may start now, by their {@code dependsOn}: pure. A dependency that
 * does not reach its condition within its own {@code startTimeout} never will.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html">ContainerDependency</a>
 */
final class Startup {

  /** For a dependency that says no startTimeout. */
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(3);

  private Startup() {}

  /**
   * The next step.
   *
   * @param start definitions whose conditions are met
   * @param complete whether every container was started
   * @param failure why the task can never start whole, in the agent's words; null if it can
   */
  record Step(List<ContainerDefinition> start, boolean complete, @Nullable String failure) {}

  /**
   * Decides.
   *
   * @param healthy names of the containers that passed their health check
   */
  static Step next(
      List<ContainerDefinition> definitions,
      Map<String, ContainerStatus> started,
      Set<String> healthy,
      Instant now) {
    Map<String, ContainerDefinition> byName =
        definitions.stream().collect(Collectors.toMap(ContainerDefinition::name, d -> d));
    List<ContainerDefinition> start = new ArrayList<>();
    boolean complete = true;
    for (ContainerDefinition definition : definitions) {
      if (started.containsKey(definition.name())) {
        continue;
      }
      complete = false;
      boolean ready = true;
      for (ContainerDependency dependency : Dependencies.of(definition)) {
        ContainerDefinition first = byName.get(dependency.containerName());
        boolean passed = healthy.contains(dependency.containerName());
        switch (look(dependency, first, started.get(dependency.containerName()), passed, now)) {
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

  private static Outcome look(
      ContainerDependency dependency,
      @Nullable ContainerDefinition first,
      @Nullable ContainerStatus status,
      boolean healthy,
      Instant now) {
    if (status == null) {
      return Outcome.OPEN;
    }
    ContainerCondition condition = dependency.condition();
    return switch (status.state()) {
      case State.Running running -> {
        if (condition == ContainerCondition.START
            || (condition == ContainerCondition.HEALTHY && healthy)) {
          yield Outcome.MET;
        }
        Integer seconds = first == null ? null : first.startTimeout();
        Duration patience = seconds == null ? DEFAULT_TIMEOUT : Duration.ofSeconds(seconds);
        yield now.isBefore(running.startedAt().plus(patience)) ? Outcome.OPEN : Outcome.IMPOSSIBLE;
      }
      case State.Exited exited ->
          condition == ContainerCondition.HEALTHY
                  || (condition == ContainerCondition.SUCCESS && exited.exitCode() != 0)
              ? Outcome.IMPOSSIBLE
              : Outcome.MET;
    };
  }
}
