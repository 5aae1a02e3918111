package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.CPUArchitecture;
import software.amazon.awssdk.services.ecs.model.Compatibility;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;
import software.amazon.awssdk.services.ecs.model.EphemeralStorage;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.OSFamily;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.RuntimePlatform;
import software.amazon.awssdk.services.ecs.model.SystemControl;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.Tmpfs;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;
import software.amazon.awssdk.services.ecs.model.VersionConsistency;

/**
 * What a task definition may say: Fargate's table of sizes, containers that fit into them, and by
 * name whatever has no effect here yet.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html">Fargate
 *     task definition differences</a>
 */
final class TaskDefinitionRules {

  private static final Pattern FAMILY = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final Pattern VCPU =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*vcpu", Pattern.CASE_INSENSITIVE);
  private static final Pattern GIGABYTES =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*gb", Pattern.CASE_INSENSITIVE);
  private static final Pattern ECR =
      Pattern.compile(
          "[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.(amazonaws\\.com|localhost(:[0-9]+)?)/.*");
  private static final int MAX_STOP_SECONDS = 120;
  private static final int MAX_CONTAINERS = 10;
  private static final int MIN_STORAGE = 21; // GiB
  private static final int MAX_STORAGE = 200;
  private static final Set<String> IPC_PARAMETERS =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced");
  private static final Set<String> MOUNT_OPTIONS =
      Set.of(
          "defaults",
          "ro",
          "rw",
          "suid",
          "nosuid",
          "dev",
          "nodev",
          "exec",
          "noexec",
          "sync",
          "async",
          "dirsync",
          "remount",
          "mand",
          "nomand",
          "atime",
          "noatime",
          "diratime",
          "nodiratime",
          "relatime",
          "norelatime",
          "strictatime",
          "nostrictatime");

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
          "pidMode");
  private static final Set<String> CONTAINER_MEMBERS =
      Set.of(
          "name",
          "image",
          "cpu",
          "memory",
          "memoryReservation",
          "portMappings",
          "essential",
          "entryPoint",
          "command",
          "environment",
          "workingDirectory",
          "user",
          "dependsOn",
          "startTimeout",
          "stopTimeout",
          "readonlyRootFilesystem",
          "ulimits",
          "logConfiguration",
          "linuxParameters",
          "healthCheck",
          "mountPoints",
          "volumesFrom",
          "dockerLabels",
          "privileged",
          "systemControls",
          "restartPolicy",
          "interactive",
          "pseudoTerminal",
          "versionConsistency");

  private final Scope scope;
  private final Roles roles;

  TaskDefinitionRules(Scope scope, Roles roles) {
    this.scope = scope;
    this.roles = roles;
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
      checkFargate(request);
    }
    if (request.pidMode() != null && request.pidMode() != PidMode.TASK) {
      throw Refuse.client(
          fargate
              ? "Tasks using the Fargate launch type do not support pidMode '"
                  + request.pidModeAsString()
                  + "': use task."
              : "pidMode "
                  + request.pidModeAsString()
                  + " is not supported by this region: an instance has no processes of its own.");
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
    Integer cpu = fargate || request.cpu() != null ? cpu(request.cpu()) : null;
    Integer memory = fargate || request.memory() != null ? memory(request.memory()) : null;
    if (cpu != null && memory != null && fargate) {
      checkSize(cpu, memory);
    } else {
      InstanceDefinitions.checkSize(cpu, memory);
      InstanceDefinitions.check(request);
    }
    checkPlatform(request.runtimePlatform());
    String executionRole = roles.arn(request.executionRoleArn());
    String taskRole = roles.arn(request.taskRoleArn());
    Set<String> volumes = TaskVolumes.check(request.volumes(), fargate);
    List<ContainerDefinition> containers =
        checkContainers(
            request.containerDefinitions(),
            mode,
            fargate,
            cpu == null ? Integer.MAX_VALUE : cpu,
            memory == null ? Integer.MAX_VALUE : memory,
            executionRole);
    TaskVolumes.checkMounts(containers, volumes);
    return TaskDefinition.builder()
        .family(request.family())
        .taskRoleArn(taskRole)
        .executionRoleArn(executionRole)
        .networkMode(mode)
        .containerDefinitions(containers)
        .volumes(request.volumes())
        .ephemeralStorage(request.ephemeralStorage())
        .pidMode(request.pidMode())
        .placementConstraints(request.placementConstraints())
        .compatibilities(
            fargate
                ? List.of(Compatibility.EC2, Compatibility.FARGATE)
                : List.of(Compatibility.EC2))
        .requiresCompatibilities(request.requiresCompatibilities())
        .runtimePlatform(request.runtimePlatform())
        .requiresAttributes(attributes(mode, containers, executionRole, taskRole))
        .cpu(cpu == null ? null : cpu.toString())
        .memory(memory == null ? null : memory.toString());
  }

  static void checkStorage(@Nullable EphemeralStorage storage) {
    if (storage != null
        && (storage.sizeInGiB() == null
            || storage.sizeInGiB() < MIN_STORAGE
            || storage.sizeInGiB() > MAX_STORAGE)) {
      throw Refuse.client(
          "Invalid ephemeralStorage size "
              + storage.sizeInGiB()
              + ". The minimum supported value is 21 GiB and the maximum supported value is 200"
              + " GiB.");
    }
  }

  /** What ECS has, but not for this launch type, in its own words. */
  private static void checkFargate(RegisterTaskDefinitionRequest request) {
    if (request.ipcMode() != null) {
      throw Refuse.client("Tasks using the Fargate launch type do not support ipcMode.");
    }
    if (!request.placementConstraints().isEmpty()) {
      throw Refuse.client(
          "Fargate compatible task definitions do not support placementConstraints");
    }
    checkStorage(request.ephemeralStorage());
    for (ContainerDefinition container : request.containerDefinitions()) {
      LinuxParameters linux = container.linuxParameters();
      Map<String, Boolean> unsupported = new LinkedHashMap<>();
      unsupported.put("privileged", Boolean.TRUE.equals(container.privileged()));
      unsupported.put("disableNetworking", Boolean.TRUE.equals(container.disableNetworking()));
      unsupported.put("dockerSecurityOptions", !container.dockerSecurityOptions().isEmpty());
      unsupported.put("links", !container.links().isEmpty());
      unsupported.put("hostname", container.hostname() != null);
      unsupported.put("extraHosts", !container.extraHosts().isEmpty());
      unsupported.put("dnsServers", !container.dnsServers().isEmpty());
      unsupported.put("dnsSearchDomains", !container.dnsSearchDomains().isEmpty());
      unsupported.put("devices", linux != null && !linux.devices().isEmpty());
      unsupported.put("sharedMemorySize", linux != null && linux.sharedMemorySize() != null);
      unsupported.put("maxSwap", linux != null && linux.maxSwap() != null);
      unsupported.put("swappiness", linux != null && linux.swappiness() != null);
      unsupported.forEach((name, used) -> {
        if (used) {
          throw Refuse.client("Fargate compatible task definitions do not support " + name);
        }
      });
      if (linux != null
          && linux.capabilities() != null
          && linux.capabilities().add().stream().anyMatch(one -> !one.equals("SYS_PTRACE"))) {
        throw Refuse.client(
            "Fargate compatible task definitions do not support adding Linux capabilities other"
                + " than SYS_PTRACE");
      }
    }
  }

  /** CPU units from {@code 1024} or {@code 1 vCPU}. */
  static int cpu(@Nullable String text) {
    if (text == null || text.isBlank()) {
      throw Refuse.client("Fargate requires that 'cpu' be defined at the task level.");
    }
    return units(text, VCPU, 1024, "cpu");
  }

  /** MiB from {@code 3072} or {@code 3 GB}. */
  static int memory(@Nullable String text) {
    if (text == null || text.isBlank()) {
      throw Refuse.client("Fargate requires that 'memory' be defined at the task level.");
    }
    return units(text, GIGABYTES, 1024, "memory");
  }

  private static int units(String text, Pattern pattern, int factor, String what) {
    Matcher matcher = pattern.matcher(text.trim());
    try {
      return matcher.matches()
          ? (int) Math.round(Double.parseDouble(matcher.group(1)) * factor)
          : Integer.parseInt(text.trim());
    } catch (NumberFormatException e) {
      throw Refuse.client("Invalid '" + what + "' setting for task: " + text);
    }
  }

  /** Fargate's combinations, in CPU units and MiB. */
  static void checkSize(int cpu, int memory) {
    boolean fits =
        switch (cpu) {
          case 256 -> memory == 512 || memory == 1024 || memory == 2048;
          case 512 -> steps(memory, 1, 4, 1);
          case 1024 -> steps(memory, 2, 8, 1);
          case 2048 -> steps(memory, 4, 16, 1);
          case 4096 -> steps(memory, 8, 30, 1);
          case 8192 -> steps(memory, 16, 60, 4);
          case 16384 -> steps(memory, 32, 120, 8);
          default -> false;
        };
    if (!fits) {
      throw Refuse.client(
          "No Fargate configuration exists for given values: "
              + cpu
              + " CPU, "
              + memory
              + " memory. See the Amazon ECS documentation for the valid values.");
    }
  }

  private static boolean steps(int memory, int from, int to, int step) {
    return IntStream.iterate(from, gb -> gb <= to, gb -> gb + step)
        .anyMatch(gb -> memory == gb * 1024);
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

  private List<ContainerDefinition> checkContainers(
      List<ContainerDefinition> definitions,
      NetworkMode mode,
      boolean fargate,
      int cpu,
      int memory,
      @Nullable String executionRole) {
    Set<String> names = new LinkedHashSet<>();
    Set<String> ports = new HashSet<>();
    int cpuSum = 0;
    int memorySum = 0;
    boolean essential = false;
    List<ContainerDefinition> checked = new ArrayList<>();
    for (ContainerDefinition definition : definitions) {
      if (definition.name() == null || !FAMILY.matcher(definition.name()).matches()) {
        throw Refuse.client(
            definition.name() == null
                ? "Container.name should not be null or empty."
                : "Container.name contains invalid characters.");
      }
      if (!names.add(definition.name())) {
        throw Refuse.client("Container.name " + definition.name() + " is used more than once.");
      }
      if (definition.image() == null || definition.image().isBlank()) {
        throw Refuse.client("Container.image should not be null or empty.");
      }
      Refuse.unlessEffective("ContainerDefinition", definition, CONTAINER_MEMBERS);
      checkLimits(definition, memory);
      checkLogs(definition.logConfiguration(), fargate, executionRole);
      if (fargate && ECR.matcher(definition.image()).matches() && executionRole == null) {
        throw Refuse.client(
            "Fargate requires task definition to have execution role ARN to support ECR images.");
      }
      LinuxParameters linux = definition.linuxParameters();
      if (linux != null) {
        Refuse.unlessEffective(
            "LinuxParameters",
            linux,
            Set.of("initProcessEnabled", "capabilities", "tmpfs", "sharedMemorySize"));
        linux.tmpfs().forEach(TaskDefinitionRules::checkMemoryMount);
        if (linux.sharedMemorySize() != null && linux.sharedMemorySize() < 1) {
          throw Refuse.client("Invalid sharedMemorySize: " + linux.sharedMemorySize());
        }
      }
      HealthChecks.check(definition);
      Restarts.check(definition);
      if (definition.versionConsistency() == VersionConsistency.UNKNOWN_TO_SDK_VERSION) {
        throw Refuse.client(
            "Invalid versionConsistency: " + definition.versionConsistencyAsString());
      }
      checkParameters(definition);
      cpuSum += definition.cpu() == null ? 0 : definition.cpu();
      memorySum +=
          definition.memoryReservation() != null
              ? definition.memoryReservation()
              : definition.memory() == null ? 0 : definition.memory();
      essential |= definition.essential() == null || definition.essential();
      checked.add(
          definition.toBuilder()
              .cpu(definition.cpu() == null ? 0 : definition.cpu())
              .essential(definition.essential() == null || definition.essential())
              .portMappings(
                  definition.portMappings().stream().map(port -> port(mode, port, ports)).toList())
              .environment(definition.environment())
              .healthCheck(HealthChecks.complete(definition.healthCheck()))
              .build());
    }
    if (!essential) {
      throw Refuse.client("A task must have at least one essential container.");
    }
    if (cpuSum > cpu) {
      throw Refuse.client(
          "The total cpu reserved by the containers ("
              + cpuSum
              + ") is greater than the task cpu ("
              + cpu
              + ").");
    }
    if (memorySum > memory) {
      throw Refuse.client(
          "The total memory reserved by the containers ("
              + memorySum
              + ") is greater than the task memory ("
              + memory
              + ").");
    }
    checkDependencies(checked, names);
    return checked;
  }

  private static void checkMemoryMount(Tmpfs mount) {
    if (mount.containerPath() == null || !mount.containerPath().startsWith("/")) {
      throw Refuse.client("Invalid tmpfs containerPath: " + mount.containerPath());
    }
    if (mount.size() == null || mount.size() < 1) {
      throw Refuse.client("Invalid tmpfs size: " + mount.size());
    }
    for (String option : mount.mountOptions()) {
      if (!MOUNT_OPTIONS.contains(option)) {
        throw Refuse.client("Invalid tmpfs mount option: " + option);
      }
    }
  }

  /**
   * Kernel parameters of a task's own namespaces, as the documentation of SystemControl lists them.
   */
  private static void checkParameters(ContainerDefinition definition) {
    for (SystemControl control : definition.systemControls()) {
      String name = control.namespace() == null ? "" : control.namespace();
      if (control.value() == null
          || !(name.startsWith("net.")
              || name.startsWith("fs.mqueue.")
              || IPC_PARAMETERS.contains(name))) {
        throw Refuse.client("Invalid systemControls namespace: " + name);
      }
    }
  }

  private static void checkLimits(ContainerDefinition definition, int taskMemory) {
    Integer hard = definition.memory();
    Integer soft = definition.memoryReservation();
    if ((hard != null && hard < 6) || (soft != null && soft < 6)) {
      throw Refuse.client(
          "Invalid setting for container '"
              + definition.name()
              + "'. Container memory must be at least 6 MiB.");
    }
    if (hard != null && soft != null && soft > hard) {
      throw Refuse.client(
          "Invalid setting for container '"
              + definition.name()
              + "'. 'memory' must be greater than or equal to 'memoryReservation'.");
    }
    if (hard != null && hard > taskMemory) {
      throw Refuse.client(
          "Invalid setting for container '"
              + definition.name()
              + "'. The container memory is greater than the task memory.");
    }
    Integer stop = definition.stopTimeout();
    if (stop != null && (stop < 0 || stop > MAX_STOP_SECONDS)) {
      throw Refuse.client(
          "Fargate requires that stopTimeout be between 0 and 120 seconds: " + stop);
    }
    Integer start = definition.startTimeout();
    if (start != null && (start < 2 || start > MAX_STOP_SECONDS)) {
      throw Refuse.client(
          "Fargate requires that startTimeout be between 2 and 120 seconds: " + start);
    }
  }

  private void checkLogs(
      @Nullable LogConfiguration logs, boolean fargate, @Nullable String executionRole) {
    if (logs == null) {
      return;
    }
    Refuse.unlessEffective("LogConfiguration", logs, Set.of("logDriver", "options"));
    if (logs.logDriver() != LogDriver.AWSLOGS) {
      throw Refuse.client(
          "Log driver "
              + logs.logDriverAsString()
              + " is not supported by this region yet: use awslogs.");
    }
    Map<String, String> options = logs.options();
    for (String required : List.of("awslogs-group", "awslogs-region", "awslogs-stream-prefix")) {
      if (options.getOrDefault(required, "").isBlank()) {
        throw Refuse.client(
            "Log driver awslogs requires options: awslogs-region, awslogs-group"
                + (required.endsWith("prefix") ? ", awslogs-stream-prefix for Fargate" : ""));
      }
    }
    LogOptions.check(options);
    if (!options.getOrDefault("awslogs-region", "").equals(scope.region())) {
      throw Refuse.client(
          "Log driver awslogs option awslogs-region must be this region, " + scope.region() + ".");
    }
    if (fargate && executionRole == null) {
      throw Refuse.client(
          "Fargate requires task definition to have execution role ARN to support log driver"
              + " awslogs.");
    }
  }

  private static PortMapping port(NetworkMode mode, PortMapping mapping, Set<String> taken) {
    Refuse.unlessEffective(
        "PortMapping",
        mapping,
        Set.of("containerPort", "hostPort", "protocol", "name", "appProtocol"));
    Integer port = mapping.containerPort();
    if (port == null || port < 1 || port > 65_535) {
      throw Refuse.client("Container port must be between 1 and 65535: " + port);
    }
    if (mode != NetworkMode.AWSVPC) {
      return InstanceDefinitions.port(mode, mapping, taken);
    }
    if (mapping.hostPort() != null && mapping.hostPort() != 0 && !mapping.hostPort().equals(port)) {
      throw Refuse.client(
          "When networkMode=awsvpc, the host ports and container ports in port mappings must"
              + " match.");
    }
    TransportProtocol protocol =
        mapping.protocol() == null ? TransportProtocol.TCP : mapping.protocol();
    if (protocol == TransportProtocol.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid protocol: " + mapping.protocolAsString());
    }
    if (!taken.add(port + "/" + protocol)) {
      throw Refuse.client(
          "The container port "
              + port
              + "/"
              + protocol.toString().toLowerCase(Locale.ROOT)
              + " is mapped more than once.");
    }
    return mapping.toBuilder().hostPort(port).protocol(protocol).build();
  }

  private static void checkDependencies(List<ContainerDefinition> definitions, Set<String> names) {
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
      for (ContainerDependency dependency : definition.dependsOn()) {
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
        boolean ready =
            definition.dependsOn().stream().allMatch(d -> done.contains(d.containerName()));
        progress |= ready && done.add(definition.name());
      }
    }
    if (done.size() < definitions.size()) {
      throw Refuse.client("Cycle detected in the container dependencies.");
    }
  }

  /** What an instance would need to run it, as ECS lists it. */
  private static List<Attribute> attributes(
      NetworkMode mode,
      List<ContainerDefinition> containers,
      @Nullable String executionRole,
      @Nullable String taskRole) {
    List<String> names = new ArrayList<>();
    boolean logs = containers.stream().anyMatch(c -> c.logConfiguration() != null);
    boolean ecr = containers.stream().anyMatch(c -> ECR.matcher(c.image()).matches());
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
