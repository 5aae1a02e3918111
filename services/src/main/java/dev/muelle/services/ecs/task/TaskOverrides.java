package dev.muelle.services.ecs.task;

import dev.muelle.services.ecs.definition.Roles;
import dev.muelle.services.ecs.definition.TaskSize;
import dev.muelle.services.ecs.state.Refuse;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskOverride;

/**
 * What a request may say differently from the task definition.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html">TaskOverride</a>
 */
public final class TaskOverrides {

  private static final Set<String> TASK_MEMBERS =
      Set.of(
          "containerOverrides",
          "cpu",
          "memory",
          "taskRoleArn",
          "executionRoleArn",
          "ephemeralStorage");
  private static final Set<String> CONTAINER_MEMBERS =
      Set.of("name", "command", "environment", "cpu", "memory", "memoryReservation");

  private final Roles roles;

  public TaskOverrides(Roles roles) {
    this.roles = roles;
  }

  /** Checks them, and gives them with whole ARNs; none if nothing is said. */
  TaskOverride check(@Nullable TaskOverride given, TaskDefinition definition) {
    if (given == null) {
      return TaskOverride.builder().build();
    }
    Refuse.unlessEffective("TaskOverride", given, TASK_MEMBERS);
    if (given.cpu() != null || given.memory() != null) {
      TaskSize.check(
          TaskSize.cpu(given.cpu() == null ? definition.cpu() : given.cpu()),
          TaskSize.memory(given.memory() == null ? definition.memory() : given.memory()));
    }
    TaskSize.checkStorage(given.ephemeralStorage());
    for (ContainerOverride override : given.containerOverrides()) {
      Refuse.unlessEffective("ContainerOverride", override, CONTAINER_MEMBERS);
      boolean known =
          definition.containerDefinitions().stream()
              .anyMatch(container -> container.name().equals(override.name()));
      if (!known) {
        throw Refuse.invalid(
            "Override for container named "
                + override.name()
                + " is not a container in the TaskDefinition.");
      }
    }
    return given.toBuilder()
        .taskRoleArn(roles.arn(given.taskRoleArn()))
        .executionRoleArn(roles.arn(given.executionRoleArn()))
        .build();
  }
}
