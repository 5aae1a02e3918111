package dev.muelle.services.ecs.task;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.definition.ContainerRules;
import dev.muelle.services.ecs.definition.InstanceDefinitions;
import dev.muelle.services.ecs.definition.Roles;
import dev.muelle.services.ecs.definition.TaskSize;
import dev.muelle.services.ecs.state.Refuse;
import java.util.HashSet;
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
      Set.of(
          "name",
          "command",
          "environment",
          "environmentFiles",
          "cpu",
          "memory",
          "memoryReservation");

  /** In characters, with those that JSON needs. */
  private static final int MOST_BYTES = 8192;

  private final Roles roles;

  public TaskOverrides(Roles roles) {
    this.roles = roles;
  }

  /** Checks them, and gives them with whole ARNs; none if nothing is said. */
  TaskOverride check(@Nullable TaskOverride given, TaskDefinition definition, boolean ec2) {
    if (given == null) {
      return TaskOverride.builder().build();
    }
    Refuse.unlessEffective("TaskOverride", given, TASK_MEMBERS);
    if (StoredJson.codec(TaskOverride.class).encode(given).length > MOST_BYTES) {
      throw Refuse.invalid("Container Overrides length must be at most 8192");
    }
    if (given.cpu() != null || given.memory() != null) {
      checkSize(
          given.cpu() == null ? definition.cpu() : given.cpu(),
          given.memory() == null ? definition.memory() : given.memory(),
          ec2);
    }
    TaskSize.checkStorage(given.ephemeralStorage());
    Set<String> names = new HashSet<>();
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
      if (!names.add(override.name())) {
        throw Refuse.invalid("The container " + override.name() + " is overridden more than once.");
      }
      ContainerRules.checkOverride(override);
    }
    return given.toBuilder()
        .taskRoleArn(roles.arn(given.taskRoleArn()))
        .executionRoleArn(roles.arn(given.executionRoleArn()))
        .build();
  }

  private static void checkSize(@Nullable String cpu, @Nullable String memory, boolean ec2) {
    if (ec2) {
      InstanceDefinitions.checkSize(
          cpu == null ? null : TaskSize.cpu(cpu), memory == null ? null : TaskSize.memory(memory));
    } else {
      TaskSize.check(TaskSize.cpu(cpu), TaskSize.memory(memory));
    }
  }
}
