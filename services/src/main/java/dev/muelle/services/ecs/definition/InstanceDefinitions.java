package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.placement.ClusterQuery;
import dev.muelle.services.ecs.state.Refuse;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionPlacementConstraint;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionPlacementConstraintType;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;

/**
 * What a task definition may say for tasks on container instances only, where it differs from
 * Fargate.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters_ec2.html">Task
 *     definition parameters for Amazon EC2</a>
 */
public final class InstanceDefinitions {

  private static final int MOST_CONSTRAINTS = 10;

  private InstanceDefinitions() {}

  /** The network mode; Docker's bridge where none is said. */
  static NetworkMode networkMode(RegisterTaskDefinitionRequest request) {
    NetworkMode mode = request.networkMode();
    if (mode == NetworkMode.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid networkMode: " + request.networkModeAsString());
    }
    return mode == null ? NetworkMode.BRIDGE : mode;
  }

  static void check(RegisterTaskDefinitionRequest request) {
    if (request.ephemeralStorage() != null) {
      throw Refuse.client("ephemeralStorage is only supported for FARGATE compatible tasks.");
    }
    List<TaskDefinitionPlacementConstraint> constraints = request.placementConstraints();
    if (constraints.size() > MOST_CONSTRAINTS) {
      throw Refuse.client("placementConstraints can have at most 10 items.");
    }
    for (TaskDefinitionPlacementConstraint constraint : constraints) {
      if (constraint.type() != TaskDefinitionPlacementConstraintType.MEMBER_OF) {
        throw Refuse.client("Task definition placement constraints must be of type memberOf.");
      }
      ClusterQuery.parse(constraint.expression());
    }
    for (ContainerDefinition container : request.containerDefinitions()) {
      if (request.memory() == null
          && container.memory() == null
          && container.memoryReservation() == null) {
        throw Refuse.client(
            "Invalid setting for container '"
                + container.name()
                + "'. At least one of 'memory' or 'memoryReservation' must be specified.");
      }
    }
  }

  /**
   * A port mapping without an interface of the task's own.
   *
   * @param taken host ports of the definition so far
   */
  static PortMapping port(NetworkMode mode, PortMapping mapping, Set<String> taken) {
    TransportProtocol protocol =
        mapping.protocol() == null ? TransportProtocol.TCP : mapping.protocol();
    if (protocol == TransportProtocol.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid protocol: " + mapping.protocolAsString());
    }
    int port = mapping.containerPort();
    Integer host = mapping.hostPort();
    if (mode == NetworkMode.NONE) {
      throw Refuse.client("Port mappings are not supported with networkMode=none.");
    }
    if (host != null && (host < 0 || host > 65_535)) {
      throw Refuse.client("Host port must be between 0 and 65535: " + host);
    }
    if (mode == NetworkMode.HOST && host != null && host != 0 && host != port) {
      throw Refuse.client(
          "When networkMode=host, the host ports and container ports in port mappings must"
              + " match.");
    }
    int chosen = mode == NetworkMode.HOST ? port : host == null ? 0 : host;
    if (chosen != 0 && !taken.add(chosen + "/" + protocol)) {
      throw Refuse.client(
          "The host port "
              + chosen
              + "/"
              + protocol.toString().toLowerCase(Locale.ROOT)
              + " is mapped more than once.");
    }
    return mapping.toBuilder().hostPort(chosen).protocol(protocol).build();
  }

  /** Refuses a size that no instance has. */
  public static void checkSize(@Nullable Integer cpu, @Nullable Integer memory) {
    if (cpu != null && (cpu < 128 || cpu > 196_608)) {
      throw Refuse.client(
          "Invalid 'cpu' setting for task. It must be between 128 and 196608 CPU units: " + cpu);
    }
    if (memory != null && memory < 4) {
      throw Refuse.client("Invalid 'memory' setting for task: " + memory);
    }
  }

  /** What an instance needs to run it, beyond what Fargate tasks need. */
  static Set<String> attributes(NetworkMode mode, List<ContainerDefinition> containers) {
    Set<String> names = new HashSet<>();
    if (mode == NetworkMode.AWSVPC) {
      names.add("ecs.capability.task-eni");
    }
    if (containers.stream().anyMatch(one -> Boolean.TRUE.equals(one.privileged()))) {
      names.add("com.amazonaws.ecs.capability.privileged-container");
    }
    return names;
  }
}
