package dev.muelle.services.ecs.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.services.ecs.agent.Startup.Step;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;

class StartupTest {

  private static final Instant NOW = Instant.EPOCH.plusSeconds(1);
  private static final State RUNNING = new State.Running(1, Instant.EPOCH);

  private static State exited(int code) {
    return new State.Exited(code, false, Instant.EPOCH, Instant.EPOCH);
  }

  private static ContainerDefinition container(String name, ContainerDependency... dependencies) {
    return ContainerDefinition.builder().name(name).dependsOn(dependencies).build();
  }

  private static ContainerDependency on(String name, ContainerCondition condition) {
    return ContainerDependency.builder().containerName(name).condition(condition).build();
  }

  private static ContainerStatus status(String name, State state) {
    return new ContainerStatus(name, "s", name, state, 0);
  }

  private static List<String> starts(ContainerCondition condition, State state) {
    List<ContainerDefinition> both =
        List.of(container("first"), container("then", on("first", condition)));
    return Startup.next(both, Map.of("first", status("first", state)), Set.of(), NOW)
        .start()
        .stream()
        .map(ContainerDefinition::name)
        .toList();
  }

  @Test
  void eachConditionIsMetWhenItIs() {
    assertEquals(List.of("then"), starts(ContainerCondition.START, RUNNING));
    assertEquals(List.of("then"), starts(ContainerCondition.START, exited(1)));
    assertEquals(List.of(), starts(ContainerCondition.COMPLETE, RUNNING));
    assertEquals(List.of("then"), starts(ContainerCondition.COMPLETE, exited(1)));
    assertEquals(List.of(), starts(ContainerCondition.SUCCESS, RUNNING));
    assertEquals(List.of("then"), starts(ContainerCondition.SUCCESS, exited(0)));
  }

  @Test
  void whatCanNeverStartFailsTheTask() {
    List<ContainerDefinition> both =
        List.of(container("first"), container("then", on("first", ContainerCondition.SUCCESS)));
    Step step = Startup.next(both, Map.of("first", status("first", exited(1))), Set.of(), NOW);
    assertNotNull(step.failure());
    assertTrue(step.failure().contains("then") && step.failure().contains("first"));
    assertTrue(step.start().isEmpty());
  }

  @Test
  void aDependencyThatTakesLongerThanItsStartTimeoutFailsTheTask() {
    ContainerDefinition first = container("first").toBuilder().startTimeout(10).build();
    List<ContainerDefinition> both =
        List.of(first, container("then", on("first", ContainerCondition.COMPLETE)));
    Map<String, ContainerStatus> started = Map.of("first", status("first", RUNNING));
    assertNull(Startup.next(both, started, Set.of(), Instant.EPOCH.plusSeconds(9)).failure());
    assertNotNull(Startup.next(both, started, Set.of(), Instant.EPOCH.plusSeconds(10)).failure());
  }

  @Test
  void everyGraphStartsWholeAndInOrder() {
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      List<ContainerDefinition> definitions = graph(random);
      Map<String, ContainerStatus> started = new HashMap<>();
      Step step = Startup.next(definitions, started, Set.of(), NOW);
      while (!step.complete()) {
        for (ContainerDefinition definition : step.start()) {
          assertFalse(started.containsKey(definition.name()), "seed " + seed);
          for (ContainerDependency dependency : definition.dependsOn()) {
            assertTrue(started.containsKey(dependency.containerName()), "seed " + seed);
          }
          started.put(definition.name(), status(definition.name(), RUNNING));
        }
        if (step.start().isEmpty()) {
          String ends =
              started.values().stream()
                  .filter(status -> status.state() instanceof State.Running)
                  .findFirst()
                  .orElseThrow()
                  .name();
          started.put(ends, status(ends, exited(0)));
        }
        step = Startup.next(definitions, started, Set.of(), NOW);
      }
      assertEquals(definitions.size(), started.size());
    }
  }

  private static List<ContainerDefinition> graph(Random random) {
    List<ContainerDefinition> definitions = new ArrayList<>();
    int count = 1 + random.nextInt(10);
    for (int i = 0; i < count; i++) {
      List<ContainerDependency> dependencies = new ArrayList<>();
      for (int before = 0; before < i; before++) {
        if (random.nextInt(3) == 0) {
          ContainerCondition condition =
              List.of(
                      ContainerCondition.START,
                      ContainerCondition.COMPLETE,
                      ContainerCondition.SUCCESS)
                  .get(random.nextInt(3));
          dependencies.add(on("c" + before, condition));
        }
      }
      definitions.add(
          random.nextInt(definitions.size() + 1),
          container("c" + i, dependencies.toArray(ContainerDependency[]::new)));
    }
    return definitions;
  }
}
