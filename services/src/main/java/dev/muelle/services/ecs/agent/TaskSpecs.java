package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.ContainerSpec.Names;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.definition.ContainerNames;
import dev.muelle.services.ecs.definition.JsonFileOptions;
import dev.muelle.services.ecs.definition.LinuxRules;
import dev.muelle.services.ecs.definition.LogOptions;
import dev.muelle.services.ecs.definition.TaskSize;
import dev.muelle.services.ecs.definition.TaskVolumes;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.TaskFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.KernelCapabilities;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** What the engine is told of a task and its containers. */
final class TaskSpecs {

  private static final int SHORT_ID = 12; // as Docker names a container's host
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final String LABEL_SCOPE = "scope";

  private final Scope scope;
  private final TaskNetworks networks;
  private final EnvironmentFiles files;

  TaskSpecs(Scope scope, TaskNetworks networks, EnvironmentFiles files) {
    this.scope = scope;
    this.networks = networks;
    this.files = files;
  }

  /** Whether a sandbox was made by this region. */
  boolean ours(SandboxStatus sandbox) {
    return scope.storeScope().equals(sandbox.labels().get(LABEL_SCOPE));
  }

  SandboxSpec sandbox(TaskRecord task, TaskDefinition definition, TaskNetworks.Opened places) {
    String cpu = task.task().cpu();
    String memory = task.task().memory();
    boolean onInstance = task.booking() != null;
    Names names = names(task, places);
    return new SandboxSpec(
        task.id(),
        places.shared(),
        names.hostname(),
        names.address(),
        names.nameservers(),
        names.searchDomains(),
        cpu == null ? networks.total(task, InstanceRecord.CPU) : TaskSize.cpu(cpu),
        (memory == null ? networks.total(task, InstanceRecord.MEMORY) : TaskSize.memory(memory))
            * MIB,
        swap(definition) * MIB,
        onInstance
            ? 0
            : task.task().ephemeralStorage().sizeInGiB() * GIB, // an instance's disk has no quota
        sharing(definition.pidModeAsString()),
        sharing(definition.ipcModeAsString()),
        InstanceMachines.needed(definition)
            ? new Machine(Objects.requireNonNull(task.bookedOn()), scopeLabel())
            : null,
        Map.of(LABEL_SCOPE, scope.storeScope(), "task", task.task().taskArn()));
  }

  private Map<String, String> scopeLabel() {
    return Map.of(LABEL_SCOPE, scope.storeScope());
  }

  /** Whether an instance's files are of this region. */
  boolean ours(Machine machine) {
    return machine.labels().equals(scopeLabel());
  }

  /** Both modes have the same words. */
  private static Sharing sharing(@Nullable String mode) {
    return switch (mode) {
      case "host" -> Sharing.MACHINE;
      case "task" -> Sharing.SANDBOX;
      case null, default -> Sharing.CONTAINER;
    };
  }

  /** In MiB, of all containers. */
  private static long swap(TaskDefinition definition) {
    return definition.containerDefinitions().stream()
        .map(ContainerDefinition::linuxParameters)
        .filter(linux -> linux != null && linux.maxSwap() != null)
        .mapToLong(LinuxParameters::maxSwap)
        .sum();
  }

  /** What the containers of a task call themselves and others, as far as they say nothing. */
  private Names names(TaskRecord task, TaskNetworks.Opened places) {
    String address = places.address();
    return new Names(
        address == null
            ? task.id().substring(0, SHORT_ID)
            : "ip-" + address.replace('.', '-') + "." + domain(),
        address,
        List.of(),
        places.names().servers(),
        places.names().domains());
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
    boolean role = whole.taskRoleArn() != null || task.task().overrides().taskRoleArn() != null;
    environment.putAll(TaskEndpoint.variables(task, definition.name(), role));
    environment.putAll(
        ContainerNames.variables(definition, whole.containerDefinitions(), task.host()));
    definition.environment().forEach(pair -> environment.put(pair.name(), pair.value()));
    override
        .map(ContainerOverride::environment)
        .orElse(List.of())
        .forEach(pair -> environment.put(pair.name(), pair.value()));
    files.variables(task, definition).forEach(environment::putIfAbsent);
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
    return ContainerSpec.builder(task.containerId(definition.name()), task.id(), image)
        .name(definition.name())
        .entryPoint(
            definition.hasEntryPoint() && !definition.entryPoint().isEmpty()
                ? definition.entryPoint()
                : null)
        .command(command == null || command.isEmpty() ? null : command)
        .environment(environment)
        .workingDirectory(definition.workingDirectory())
        .user(definition.user())
        .cpuShares(cpu == null ? 0 : cpu)
        .memoryLimit(memory == null ? 0 : memory * MIB)
        .memoryReservation(soft == null ? 0 : soft * MIB)
        .readonlyRoot(Boolean.TRUE.equals(definition.readonlyRootFilesystem()))
        .init(init)
        .ulimits(
            definition.ulimits().stream()
                .map(u -> new ContainerSpec.Ulimit(u.nameAsString(), u.softLimit(), u.hardLimit()))
                .toList())
        .keepsOutput(LogOptions.delivered(definition))
        .isolation(isolation(definition, whole, places.own().get(definition.name())))
        .console(
            new ContainerSpec.Console(
                Boolean.TRUE.equals(definition.pseudoTerminal()),
                Boolean.TRUE.equals(definition.interactive())))
        .names(ContainerNames.of(definition, names(task, places), task.host()))
        .jsonFile(JsonFileOptions.of(definition.logConfiguration()))
        .build();
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
        sharedMemory(linux, definition),
        parameters,
        TaskVolumes.mounts(container, definition),
        Boolean.TRUE.equals(container.privileged()),
        network,
        Boolean.TRUE.equals(container.disableNetworking()),
        LinuxRules.noNewPrivileges(container),
        LinuxRules.devices(linux),
        linux == null || linux.maxSwap() == null ? 0 : linux.maxSwap() * MIB,
        linux == null || linux.maxSwap() == null ? null : linux.swappiness()); // ignored alone
  }

  /** Docker mounts none in mode {@code none}. */
  private static long sharedMemory(@Nullable LinuxParameters linux, TaskDefinition definition) {
    if (definition.ipcMode() == IpcMode.NONE) {
      return -1;
    }
    return linux == null || linux.sharedMemorySize() == null ? 0 : linux.sharedMemorySize() * MIB;
  }
}
