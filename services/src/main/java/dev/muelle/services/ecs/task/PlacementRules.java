package dev.muelle.services.ecs.task;

import dev.muelle.services.ecs.definition.TaskSize;
import dev.muelle.services.ecs.placement.ClusterQuery;
import dev.muelle.services.ecs.placement.Constraint;
import dev.muelle.services.ecs.placement.Demand;
import dev.muelle.services.ecs.placement.Machine;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Strategy;
import dev.muelle.services.ecs.state.Refuse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementConstraintType;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.ResourceRequirement;
import software.amazon.awssdk.services.ecs.model.ResourceType;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionPlacementConstraint;
import software.amazon.awssdk.services.ecs.model.TaskOverride;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;

/**
 * What requests and task definitions say about places, checked and in placement's own terms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PlacementStrategy.html">PlacementStrategy</a>
 */
public final class PlacementRules {

  private static final int MOST_CONSTRAINTS = 10;
  private static final int MOST_STRATEGIES = 5;
  private static final String ATTRIBUTE = "attribute:";

  private PlacementRules() {}

  /** Constraints as a request brings them. */
  public static List<Constraint> constraints(List<PlacementConstraint> given) {
    if (given.size() > MOST_CONSTRAINTS) {
      throw Refuse.invalid("placementConstraints can have at most 10 items.");
    }
    List<Constraint> constraints = new ArrayList<>();
    for (PlacementConstraint constraint : given) {
      constraints.add(constraint(constraint.type(), constraint.expression()));
    }
    return constraints;
  }

  private static Constraint constraint(
      @Nullable PlacementConstraintType type, @Nullable String expression) {
    return switch (type) {
      case DISTINCT_INSTANCE -> {
        if (expression != null) {
          throw Refuse.invalid("distinctInstance expression should not be specified.");
        }
        yield new Constraint.DistinctInstance();
      }
      case MEMBER_OF -> new Constraint.MemberOf(ClusterQuery.parse(expression));
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.invalid("constraint.type must be distinctInstance or memberOf.");
      case null -> throw Refuse.invalid("constraint.type should not be null.");
    };
  }

  /**
   * Strategies as a request brings them, or what ECS does without: it spreads a service's tasks
   * across zones, and puts others anywhere.
   */
  public static List<Strategy> strategies(List<PlacementStrategy> given, boolean service) {
    if (given.size() > MOST_STRATEGIES) {
      throw Refuse.invalid("placementStrategy can have at most 5 items.");
    }
    if (given.isEmpty()) {
      return service
          ? List.of(new Strategy.SpreadAttribute(Machine.ZONE), new Strategy.SpreadInstances())
          : List.of(new Strategy.AtRandom());
    }
    List<Strategy> strategies = new ArrayList<>();
    for (PlacementStrategy strategy : given) {
      strategies.add(strategy(strategy));
    }
    return strategies;
  }

  private static Strategy strategy(PlacementStrategy given) {
    String field = Objects.requireNonNullElse(given.field(), "");
    return switch (given.type()) {
      case RANDOM -> {
        if (!field.isEmpty()) {
          throw Refuse.invalid("strategy.field should not be specified for the random strategy.");
        }
        yield new Strategy.AtRandom();
      }
      case SPREAD -> {
        if (field.equals("instanceId") || field.equals("host")) {
          yield new Strategy.SpreadInstances();
        }
        if (!field.startsWith(ATTRIBUTE) || field.length() == ATTRIBUTE.length()) {
          throw Refuse.invalid(
              "strategy.field '"
                  + field
                  + "' is invalid for the spread strategy: use instanceId, host or attribute:NAME.");
        }
        yield new Strategy.SpreadAttribute(field.substring(ATTRIBUTE.length()));
      }
      case BINPACK ->
          switch (field) {
            case "cpu", "CPU" -> new Strategy.BinpackCpu();
            case "memory", "MEMORY" -> new Strategy.BinpackMemory();
            default ->
                throw Refuse.invalid(
                    "strategy.field '"
                        + field
                        + "' is invalid for the binpack strategy: use cpu or memory.");
          };
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.invalid("strategy.type must be random, spread or binpack.");
      case null -> throw Refuse.invalid("strategy.type should not be null.");
    };
  }

  /**
   * What a task asks of an instance.
   *
   * @param zones of its subnets
   */
  public static Request request(
      String group,
      TaskDefinition definition,
      TaskOverride overrides,
      Collection<String> zones,
      List<Constraint> constraints,
      List<Strategy> strategies) {
    List<Constraint> all = new ArrayList<>(constraints);
    for (TaskDefinitionPlacementConstraint constraint : definition.placementConstraints()) {
      all.add(new Constraint.MemberOf(ClusterQuery.parse(constraint.expression())));
    }
    Map<String, String> required = new HashMap<>();
    for (Attribute attribute : definition.requiresAttributes()) {
      required.put(attribute.name(), Objects.requireNonNullElse(attribute.value(), ""));
    }
    return new Request(
        group, demand(definition, overrides), required, Set.copyOf(zones), all, strategies);
  }

  /** What a task takes of its instance. */
  static Demand demand(TaskDefinition definition, TaskOverride overrides) {
    String taskCpu = Optional.ofNullable(overrides.cpu()).orElse(definition.cpu());
    String taskMemory = Optional.ofNullable(overrides.memory()).orElse(definition.memory());
    int cpu = 0;
    int memory = 0;
    int gpus = 0;
    Set<Integer> tcp = new HashSet<>();
    Set<Integer> udp = new HashSet<>();
    boolean ownInterface = definition.networkMode() == NetworkMode.AWSVPC;
    for (ContainerDefinition container : definition.containerDefinitions()) {
      Optional<ContainerOverride> override = TaskFactory.override(overrides, container.name());
      cpu += or0(override.map(ContainerOverride::cpu).orElse(container.cpu()));
      Integer hard = override.map(ContainerOverride::memory).orElse(container.memory());
      Integer soft =
          override.map(ContainerOverride::memoryReservation).orElse(container.memoryReservation());
      memory += soft == null ? or0(hard) : soft;
      for (ResourceRequirement requirement : container.resourceRequirements()) {
        if (requirement.type() == ResourceType.GPU) {
          gpus += Integer.parseInt(requirement.value());
        }
      }
      for (PortMapping port : container.portMappings()) {
        if (!ownInterface && or0(port.hostPort()) > 0) {
          (port.protocol() == TransportProtocol.UDP ? udp : tcp).add(port.hostPort());
        }
      }
    }
    return new Demand(
        taskCpu == null ? cpu : TaskSize.cpu(taskCpu),
        taskMemory == null ? memory : TaskSize.memory(taskMemory),
        tcp,
        udp,
        ownInterface ? 1 : 0,
        gpus);
  }

  private static int or0(@Nullable Integer value) {
    return value == null ? 0 : value;
  }
}
