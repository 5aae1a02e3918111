package dev.muelle.services.ecs.definition;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.Refuse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;
import software.amazon.awssdk.services.ecs.model.VersionConsistency;

/**
 * What a task definition may say of its containers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html">ContainerDefinition</a>
 */
public final class ContainerRules {

  static final Pattern ECR =
      Pattern.compile(
          "[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.(amazonaws\\.com|localhost(:[0-9]+)?)/.*");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final int MOST_TIMEOUT = 120;

  /** Letters, digits and {@code - _ : . / #}: 255 of them before a digest, if there is one. */
  private static final Pattern IMAGE =
      Pattern.compile("[A-Za-z0-9_:./#-]{1,255}(@sha256:[A-Fa-f0-9]{64})?");

  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9_][a-z0-9_-]{0,63}");

  private static final Set<String> MEMBERS =
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
          "environmentFiles",
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
          "versionConsistency",
          "hostname",
          "extraHosts",
          "dnsServers",
          "dnsSearchDomains",
          "links",
          "disableNetworking",
          "dockerSecurityOptions");

  private final Scope scope;

  ContainerRules(Scope scope) {
    this.scope = scope;
  }

  List<ContainerDefinition> check(
      List<ContainerDefinition> definitions,
      NetworkMode mode,
      @Nullable IpcMode ipcMode,
      boolean fargate,
      int cpu,
      int memory,
      @Nullable String executionRole) {
    Set<String> names = new LinkedHashSet<>();
    Set<String> all =
        definitions.stream().map(ContainerDefinition::name).collect(Collectors.toSet());
    Set<String> ports = new HashSet<>();
    Set<String> portNames = new HashSet<>();
    int cpuSum = 0;
    int memorySum = 0;
    boolean essential = false;
    List<ContainerDefinition> checked = new ArrayList<>();
    for (ContainerDefinition definition : definitions) {
      if (definition.name() == null || !NAME.matcher(definition.name()).matches()) {
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
      Refuse.unlessEffective("ContainerDefinition", definition, MEMBERS);
      checkImage(definition.image());
      checkLimits(definition, memory, fargate);
      checkEnvironment(definition);
      checkLogs(definition.logConfiguration(), fargate, executionRole);
      if (fargate && ECR.matcher(definition.image()).matches() && executionRole == null) {
        throw Refuse.client(
            "Fargate requires task definition to have execution role ARN to support ECR images.");
      }
      LinuxRules.check(definition);
      LinuxRules.checkParameters(definition, mode, ipcMode);
      ContainerNames.check(definition, mode, all);
      HealthCheckRules.check(definition);
      Restarts.check(definition);
      if (definition.versionConsistency() == VersionConsistency.UNKNOWN_TO_SDK_VERSION) {
        throw Refuse.client(
            "Invalid versionConsistency: " + definition.versionConsistencyAsString());
      }
      cpuSum += definition.cpu() == null ? 0 : definition.cpu();
      memorySum +=
          definition.memoryReservation() != null
              ? definition.memoryReservation()
              : definition.memory() == null ? 0 : definition.memory();
      essential |= definition.essential() == null || definition.essential();
      definition.portMappings().forEach(mapping -> checkName(mapping, portNames));
      checked.add(
          definition.toBuilder()
              .cpu(definition.cpu() == null ? 0 : definition.cpu())
              .essential(definition.essential() == null || definition.essential())
              .portMappings(
                  definition.portMappings().stream().map(port -> port(mode, port, ports)).toList())
              .environment(definition.environment())
              .healthCheck(HealthCheckRules.complete(definition.healthCheck()))
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
    EnvironmentFileRules.check(checked, executionRole);
    Dependencies.check(checked, names);
    return checked;
  }

  private static void checkImage(String image) {
    if (!IMAGE.matcher(image).matches()) {
      throw Refuse.client("Container.image contains invalid characters.");
    }
  }

  /** What a request may say of a container otherwise than its definition. */
  public static void checkOverride(ContainerOverride override) {
    ContainerDefinition overridden =
        ContainerDefinition.builder()
            .name(override.name())
            .cpu(override.cpu())
            .memory(override.memory())
            .memoryReservation(override.memoryReservation())
            .environment(override.environment())
            .build();
    EnvironmentFileRules.check(override.environmentFiles());
    checkLimits(overridden, Integer.MAX_VALUE, true);
    checkEnvironment(overridden);
  }

  private static void checkEnvironment(ContainerDefinition definition) {
    for (KeyValuePair variable : definition.environment()) {
      if (variable.name() == null || variable.name().isEmpty()) {
        throw Refuse.client(
            "Invalid setting for container '"
                + definition.name()
                + "'. The name of an environment variable can not be blank.");
      }
    }
  }

  private static void checkLimits(ContainerDefinition definition, int taskMemory, boolean fargate) {
    if (definition.cpu() != null && definition.cpu() < 0) {
      throw Refuse.client(
          "Invalid setting for container '" + definition.name() + "'. 'cpu' can not be negative.");
    }
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
    checkTimeout("stopTimeout", definition.stopTimeout(), 0, fargate);
    checkTimeout("startTimeout", definition.startTimeout(), 2, fargate);
  }

  /** In seconds; only Fargate says how long at most. */
  private static void checkTimeout(
      String what, @Nullable Integer seconds, int least, boolean fargate) {
    if (seconds == null) {
      return;
    }
    if (fargate && (seconds < least || seconds > MOST_TIMEOUT)) {
      throw Refuse.client(
          "Fargate requires that %s be between %d and %d seconds: %d"
              .formatted(what, least, MOST_TIMEOUT, seconds));
    }
    if (seconds < least) {
      throw Refuse.client("Invalid %s: %d".formatted(what, seconds));
    }
  }

  private void checkLogs(
      @Nullable LogConfiguration logs, boolean fargate, @Nullable String executionRole) {
    if (logs == null) {
      return;
    }
    Refuse.unlessEffective("LogConfiguration", logs, Set.of("logDriver", "options"));
    if (logs.logDriver() == LogDriver.JSON_FILE && !fargate) {
      JsonFileOptions.of(logs);
      return;
    }
    if (logs.logDriver() != LogDriver.AWSLOGS) {
      throw Refuse.client(
          "Log driver "
              + logs.logDriverAsString()
              + (fargate
                  ? " is not supported by this region on Fargate: use awslogs."
                  : " is not supported by this region yet: use awslogs or json-file."));
    }
    Map<String, String> options = logs.options();
    for (String required : List.of("awslogs-group", "awslogs-region", "awslogs-stream-prefix")) {
      if ((fargate || !required.endsWith("prefix"))
          && options.getOrDefault(required, "").isBlank()) {
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

  /** What services would call a port by; an application's protocol is said of a named one only. */
  private static void checkName(PortMapping mapping, Set<String> taken) {
    if (mapping.name() == null) {
      if (mapping.appProtocol() != null) {
        throw Refuse.client("A port mapping with an appProtocol must have a name.");
      }
      return;
    }
    if (!PORT_NAME.matcher(mapping.name()).matches()) {
      throw Refuse.client("Invalid port mapping name: " + mapping.name());
    }
    if (!taken.add(mapping.name())) {
      throw Refuse.client("The port mapping name " + mapping.name() + " is used more than once.");
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
}
