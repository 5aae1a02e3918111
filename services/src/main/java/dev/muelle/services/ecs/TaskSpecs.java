package dev.muelle.services.ecs;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.services.Scope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.KernelCapabilities;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** What the engine is told of a task and its containers. */
final class TaskSpecs {

  private static final int SHORT_ID = 12; // as Docker names a container's host
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final String RESOLVER = "169.254.169.253";
  private static final String LABEL_SCOPE = "scope";

  private final Scope scope;
  private final TaskNetworks networks;

  TaskSpecs(Scope scope, TaskNetworks networks) {
    this.scope = scope;
    this.networks = networks;
  }

  /** Whether a sandbox was made by this region. */
  boolean ours(SandboxStatus sandbox) {
    return scope.storeScope().equals(sandbox.labels().get(LABEL_SCOPE));
  }

  SandboxSpec sandbox(TaskRecord task, TaskDefinition definition, TaskNetworks.Opened places) {
    String address = places.address();
    String cpu = task.task().cpu();
    String memory = task.task().memory();
    boolean onInstance = task.booking() != null;
    return new SandboxSpec(
        task.id(),
        places.shared(),
        address == null
            ? task.id().substring(0, SHORT_ID)
            : "ip-" + address.replace('.', '-') + "." + domain(),
        address,
        places.vpc() == null ? List.of() : List.of(RESOLVER),
        places.vpc() == null ? List.of() : List.of(domain()),
        cpu == null ? networks.total(task, InstanceRecord.CPU) : TaskSize.cpu(cpu),
        (memory == null ? networks.total(task, InstanceRecord.MEMORY) : TaskSize.memory(memory))
            * MIB,
        onInstance
            ? 0
            : task.task().ephemeralStorage().sizeInGiB() * GIB, // an instance's disk has no quota
        definition.pidMode() == PidMode.TASK,
        Map.of(LABEL_SCOPE, scope.storeScope(), "task", task.task().taskArn()));
  }

  private String domain() {
    return Networks.domain(scope);
  }

  ContainerSpec container(
      TaskRecord task,
      TaskDefinition whole,
      ContainerDefinition definition,
      String image,
      TaskNetworks.Opened places) {
    Optional<ContainerOverride> override =
        TaskFactory.override(task.task().overrides(), definition.name());
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("AWS_REGION", scope.region());
    environment.put("AWS_DEFAULT_REGION", scope.region());
    environment.put("AWS_EXECUTION_ENV", "AWS_ECS_" + task.task().launchTypeAsString());
    environment.putAll(TaskEndpoint.variables(task, definition.name()));
    definition.environment().forEach(pair -> environment.put(pair.name(), pair.value()));
    override
        .map(ContainerOverride::environment)
        .orElse(List.of())
        .forEach(pair -> environment.put(pair.name(), pair.value()));
    List<String> command =
        override
            .filter(ContainerOverride::hasCommand)
            .map(ContainerOverride::command)
            .orElse(definition.hasCommand() ? definition.command() : null);
    Integer memory = override.map(ContainerOverride::memory).orElse(definition.memory());
    Integer soft =
        override.map(ContainerOverride::memoryReservation).orElse(definition.memoryReservation());
    Integer cpu = override.map(ContainerOverride::cpu).orElse(definition.cpu());
    boolean init =
        definition.linuxParameters() != null
            && Boolean.TRUE.equals(definition.linuxParameters().initProcessEnabled());
    return new ContainerSpec(
        TaskAgent.containerId(task, definition.name()),
        task.id(),
        definition.name(),
        image,
        definition.hasEntryPoint() && !definition.entryPoint().isEmpty()
            ? definition.entryPoint()
            : null,
        command == null || command.isEmpty() ? null : command,
        environment,
        definition.workingDirectory(),
        definition.user(),
        cpu == null ? 0 : cpu,
        memory == null ? 0 : memory * MIB,
        soft == null ? 0 : soft * MIB,
        Boolean.TRUE.equals(definition.readonlyRootFilesystem()),
        init,
        definition.ulimits().stream()
            .map(u -> new ContainerSpec.Ulimit(u.nameAsString(), u.softLimit(), u.hardLimit()))
            .toList(),
        definition.logConfiguration() != null,
        isolation(definition, whole, places.own().get(definition.name())),
        new ContainerSpec.Console(
            Boolean.TRUE.equals(definition.pseudoTerminal()),
            Boolean.TRUE.equals(definition.interactive())));
  }

  private static Isolation isolation(
      ContainerDefinition container, TaskDefinition definition, @Nullable Path network) {
    LinuxParameters linux = container.linuxParameters();
    KernelCapabilities capabilities = linux == null ? null : linux.capabilities();
    Map<String, String> parameters = new LinkedHashMap<>();
    container.systemControls().forEach(one -> parameters.put(one.namespace(), one.value()));
    return new Isolation(
        capabilities == null ? Set.of() : Set.copyOf(capabilities.add()),
        capabilities == null ? Set.of() : Set.copyOf(capabilities.drop()),
        linux == null || linux.sharedMemorySize() == null ? 0 : linux.sharedMemorySize() * MIB,
        parameters,
        TaskVolumes.mounts(container, definition.containerDefinitions()),
        Boolean.TRUE.equals(container.privileged()),
        network);
  }
}
