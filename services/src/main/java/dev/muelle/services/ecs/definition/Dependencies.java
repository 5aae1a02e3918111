package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;

/**
 * The order in which a task's containers start, as its definition may say it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html">ContainerDependency</a>
 */
public final class Dependencies {

  private Dependencies() {}

  /** A container's dependencies: those that it says, and a start of what it is linked to. */
  public static List<ContainerDependency> of(ContainerDefinition definition) {
    List<ContainerDependency> all = new ArrayList<>(definition.dependsOn());
    for (String linked : ContainerNames.linked(definition)) {
      all.add(
          ContainerDependency.builder()
              .containerName(linked)
              .condition(ContainerCondition.START)
              .build());
    }
    return all;
  }

  static void check(List<ContainerDefinition> definitions, Set<String> names) {
    Set<String> essential =
        definitions.stream()
            .filter(definition -> Boolean.TRUE.equals(definition.essential()))
            .map(ContainerDefinition::name)
            .collect(Collectors.toSet());
    Set<String> checked =
        definitions.stream()
            .filter(definition -> definition.healthCheck() != null)
            .map(ContainerDefinition::name)
            .collect(Collectors.toSet());
    for (ContainerDefinition definition : definitions) {
      for (ContainerDependency dependency : of(definition)) {
        if (!names.contains(dependency.containerName())) {
          throw Refuse.client(
              "Container "
                  + definition.name()
                  + " depends on "
                  + dependency.containerName()
                  + ", which is not defined.");
        }
        if (dependency.condition() == ContainerCondition.HEALTHY
            && !checked.contains(dependency.containerName())) {
          throw Refuse.client(
              "Container "
                  + definition.name()
                  + " depends on the HEALTHY condition of "
                  + dependency.containerName()
                  + ", which has no health check.");
        }
        boolean mustEnd =
            dependency.condition() == ContainerCondition.COMPLETE
                || dependency.condition() == ContainerCondition.SUCCESS;
        if (mustEnd && essential.contains(dependency.containerName())) {
          throw Refuse.client(
              "Container "
                  + definition.name()
                  + " depends on the "
                  + dependency.conditionAsString()
                  + " condition of "
                  + dependency.containerName()
                  + ", which is an essential container.");
        }
        if (dependency.condition() == null
            || dependency.condition() == ContainerCondition.UNKNOWN_TO_SDK_VERSION) {
          throw Refuse.client("Invalid dependsOn condition: " + dependency.conditionAsString());
        }
      }
    }
    Set<String> done = new HashSet<>();
    boolean progress = true;
    while (progress) {
      progress = false;
      for (ContainerDefinition definition : definitions) {
        boolean ready = of(definition).stream().allMatch(d -> done.contains(d.containerName()));
        progress |= ready && done.add(definition.name());
      }
    }
    if (done.size() < definitions.size()) {
      throw Refuse.client("Cycle detected in the container dependencies.");
    }
  }
}
