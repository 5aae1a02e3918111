package dev.muelle.services.ecs.definition;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.Choices;
import dev.muelle.services.ecs.state.Refuse;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CPUArchitecture;
import software.amazon.awssdk.services.ecs.model.Compatibility;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.OSFamily;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.RuntimePlatform;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * What a task definition may say: Fargate's table of sizes, containers that fit into them, and by
 * name whatever has no effect here yet.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html">Fargate
 *     task definition differences</a>
 */
public final class TaskDefinitionRules {

  private static final Pattern FAMILY = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final int MAX_CONTAINERS = 10;
  private static final Set<String> TASK_MEMBERS =
      Set.of(
          "family",
          "taskRoleArn",
          "executionRoleArn",
          "networkMode",
          "containerDefinitions",
          "requiresCompatibilities",
          "cpu",
          "memory",
          "tags",
          "runtimePlatform",
          "ephemeralStorage",
          "placementConstraints",
          "volumes",
          "pidMode",
          "ipcMode");
  private final Roles roles;
  private final ContainerRules containers;

  public TaskDefinitionRules(Scope scope, Roles roles) {
    this.roles = roles;
    containers = new ContainerRules(scope);
  }

  /** Checks everything, and gives the definition without its revision. */
  TaskDefinition.Builder check(RegisterTaskDefinitionRequest request) {
    if (request.family() == null || !FAMILY.matcher(request.family()).matches()) {
      throw Refuse.client(
          request.family() == null
              ? "Family can not be blank."
              : "Family contains invalid characters.");
    }
    boolean fargate = request.requiresCompatibilitiesAsStrings().contains("FARGATE");
    if (fargate) {
      FargateDefinitions.check(request);
    }
    if (request.pidMode() == PidMode.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid pidMode: " + request.pidModeAsString());
    }
    if (request.ipcMode() == IpcMode.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid ipcMode: " + request.ipcModeAsString());
    }
    Refuse.unlessEffective("RegisterTaskDefinition", request, TASK_MEMBERS);
    if (request.containerDefinitions().isEmpty()) {
      throw Refuse.client("Container list cannot be empty.");
    }
    if (request.containerDefinitions().size() > MAX_CONTAINERS) {
      throw Refuse.client("Too many containers. A task definition can have at most 10 containers.");
    }
    for (String compatibility : request.requiresCompatibilitiesAsStrings()) {
      if (!compatibility.equals("FARGATE") && !compatibility.equals("EC2")) {
        throw Refuse.client(
            "Launch type "
                + compatibility
                + " is not supported by this region yet: requiresCompatibilities must be EC2 or"
                + " FARGATE.");
      }
    }
    if (fargate && request.networkMode() != NetworkMode.AWSVPC) {
      throw Refuse.client("Fargate only supports network mode ‘awsvpc’.");
    }
    NetworkMode mode = InstanceDefinitions.networkMode(request);
    Integer cpu = fargate || request.cpu() != null ? TaskSize.cpu(request.cpu()) : null;
    Integer memory = fargate || request.memory() != null ? TaskSize.memory(request.memory()) : null;
    if (cpu != null && memory != null && fargate) {
      TaskSize.check(cpu, memory);
    } else {
      InstanceDefinitions.checkSize(cpu, memory);
      InstanceDefinitions.check(request);
    }
    checkPlatform(request.runtimePlatform());
    String executionRole = roles.arn(request.executionRoleArn());
    String taskRole = roles.arn(request.taskRoleArn());
    Set<String> volumes = TaskVolumes.check(request.volumes(), fargate);
    List<ContainerDefinition> checked =
        containers.check(
            request.containerDefinitions(),
            mode,
            request.ipcMode(),
            fargate,
            cpu == null ? Integer.MAX_VALUE : cpu,
            memory == null ? Integer.MAX_VALUE : memory,
            executionRole);
    TaskVolumes.checkMounts(checked, volumes);
    Choices.known(request); // whatever the rules above have no words of their own for
    return TaskDefinition.builder()
        .family(request.family())
        .taskRoleArn(taskRole)
        .executionRoleArn(executionRole)
        .networkMode(mode)
        .containerDefinitions(checked)
        .volumes(request.volumes())
        .ephemeralStorage(request.ephemeralStorage())
        .pidMode(request.pidMode())
        .ipcMode(request.ipcMode())
        .placementConstraints(request.placementConstraints())
        .compatibilities(
            fargate || fitsFargate(request)
                ? List.of(Compatibility.EC2, Compatibility.FARGATE)
                : List.of(Compatibility.EC2))
        .requiresCompatibilities(request.requiresCompatibilities())
        .runtimePlatform(request.runtimePlatform())
        .requiresAttributes(RequiredAttributes.of(request, mode, checked, executionRole, taskRole))
        .cpu(cpu == null ? null : cpu.toString())
        .memory(memory == null ? null : memory.toString());
  }

  /** Whether Fargate can run what does not ask for it: then it is compatible all the same. */
  private boolean fitsFargate(RegisterTaskDefinitionRequest request) {
    if (request.networkMode() != NetworkMode.AWSVPC
        || request.cpu() == null
        || request.memory() == null) {
      return false;
    }
    try {
      check(request.toBuilder().requiresCompatibilities(Compatibility.FARGATE).build());
      return true;
    } catch (EcsException e) {
      return false;
    }
  }

  private static void checkPlatform(@Nullable RuntimePlatform platform) {
    if (platform == null) {
      return;
    }
    if (platform.operatingSystemFamily() != null
        && platform.operatingSystemFamily() != OSFamily.LINUX) {
      throw Refuse.client(
          "runtimePlatform operatingSystemFamily "
              + platform.operatingSystemFamilyAsString()
              + " is not supported by this region: its machine is LINUX.");
    }
    CPUArchitecture own =
        System.getProperty("os.arch", "").equals("aarch64")
            ? CPUArchitecture.ARM64
            : CPUArchitecture.X86_64;
    if (platform.cpuArchitecture() != null && platform.cpuArchitecture() != own) {
      throw Refuse.client(
          "runtimePlatform cpuArchitecture "
              + platform.cpuArchitectureAsString()
              + " is not supported by this region: its machine is "
              + own
              + ".");
    }
  }
}
