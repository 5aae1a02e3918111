package dev.muelle.services.ecs.definition;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;

/**
 * What the container agent of an instance has to be capable of to run a task.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-versions.html">Container
 *     agent capabilities</a>
 */
final class RequiredAttributes {

  private RequiredAttributes() {}

  /** What an instance would need to run it, as ECS lists it. */
  static List<Attribute> of(
      RegisterTaskDefinitionRequest request,
      NetworkMode mode,
      List<ContainerDefinition> containers,
      @Nullable String executionRole,
      @Nullable String taskRole) {
    List<String> names = new ArrayList<>();
    boolean logs = containers.stream().anyMatch(LogOptions::delivered);
    boolean ecr =
        containers.stream().anyMatch(c -> ContainerRules.ECR.matcher(c.image()).matches());
    boolean reservation = containers.stream().anyMatch(c -> c.memoryReservation() != null);
    if (logs) {
      names.add("com.amazonaws.ecs.capability.logging-driver.awslogs");
    }
    if (logs && executionRole != null) {
      names.add("ecs.capability.execution-role-awslogs");
    }
    if (ecr) {
      names.add("com.amazonaws.ecs.capability.ecr-auth");
      names.add("ecs.capability.execution-role-ecr-pull");
    }
    if (containers.stream().anyMatch(c -> JsonFileOptions.of(c.logConfiguration()) != null)) {
      names.add("com.amazonaws.ecs.capability.logging-driver.json-file");
    }
    if (request.pidMode() != null || request.ipcMode() != null) {
      names.add("ecs.capability.pid-ipc-namespace-sharing");
    }
    if (containers.stream().anyMatch(c -> !c.environmentFiles().isEmpty())) {
      names.add(EnvironmentFileRules.CAPABILITY);
    }
    if (request.volumes().stream().anyMatch(one -> one.dockerVolumeConfiguration() != null)) {
      names.add("ecs.capability.docker-plugin.local");
    }
    names.add("com.amazonaws.ecs.capability.docker-remote-api.1.18");
    if (logs) {
      names.add("com.amazonaws.ecs.capability.docker-remote-api.1.19");
    }
    if (reservation) {
      names.add("com.amazonaws.ecs.capability.docker-remote-api.1.21");
    }
    if (taskRole != null) {
      names.add("com.amazonaws.ecs.capability.task-iam-role");
    }
    names.addAll(InstanceDefinitions.attributes(mode, containers));
    return names.stream().map(name -> Attribute.builder().name(name).build()).toList();
  }
}
