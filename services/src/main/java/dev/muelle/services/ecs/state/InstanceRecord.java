package dev.muelle.services.ecs.state;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.placement.Machine;
import dev.muelle.services.ecs.placement.Offer;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.Resource;

/**
 * A container instance as stored; what is left of its resources and how many tasks it has is
 * computed when it is described.
 *
 * @param gpus how many it has; each belongs to one task at a time
 * @param deregisteredAt since when it is INACTIVE; null as long as it is not
 */
public record InstanceRecord(
    ContainerInstance instance, String clusterArn, int gpus, @Nullable Instant deregisteredAt) {

  public static final String ACTIVE = "ACTIVE";
  public static final String DRAINING = "DRAINING";
  public static final String INACTIVE = "INACTIVE";

  public static final String CPU = "CPU";
  public static final String MEMORY = "MEMORY";
  public static final String PORTS = "PORTS";
  public static final String PORTS_UDP = "PORTS_UDP";

  public static final String TYPE = "ecs.instance-type";

  /** What an instance has whose tasks' interfaces are branches of one trunk. */
  public static final String TRUNK = "ecs.awsvpc-trunk-id";

  /** Keyed by the instance's id: 32 hexadecimal digits. */
  public static final Table<InstanceRecord> TABLE =
      Table.of("ecs.container_instances", StoredJson.codec(InstanceRecord.class))
          .index("cluster", instance -> instance.inactive() ? null : instance.clusterArn())
          .index("inactive", instance -> instance.inactive() ? instance.clusterArn() : null)
          .remember();

  public String id() {
    return TaskRecord.idOf(instance.containerInstanceArn());
  }

  public boolean inactive() {
    return instance.status().equals(INACTIVE);
  }

  public boolean draining() {
    return instance.status().equals(DRAINING);
  }

  /** The instance, changed, and at its next version. */
  public InstanceRecord with(UnaryOperator<ContainerInstance.Builder> change) {
    return new InstanceRecord(
        change.apply(instance.toBuilder()).version(instance.version() + 1).build(),
        clusterArn,
        gpus,
        deregisteredAt);
  }

  /** An attribute's value; empty if it has none or is not there. */
  String attribute(String name) {
    return instance.attributes().stream()
        .filter(attribute -> attribute.name().equals(name))
        .map(attribute -> Objects.requireNonNullElse(attribute.value(), ""))
        .findFirst()
        .orElse("");
  }

  public String zone() {
    return attribute(Machine.ZONE);
  }

  public int total(String resource) {
    return instance.registeredResources().stream()
        .filter(r -> r.name().equals(resource))
        .map(Resource::integerValue)
        .findFirst()
        .orElse(0);
  }

  public Set<Integer> ports(String resource) {
    Set<Integer> ports = new HashSet<>();
    for (Resource each : instance.registeredResources()) {
      if (each.name().equals(resource)) {
        each.stringSetValue().forEach(port -> ports.add(Integer.valueOf(port)));
      }
    }
    return ports;
  }

  /** As placement sees it. */
  public Machine machine() {
    Map<String, String> attributes = new HashMap<>();
    for (Attribute attribute : instance.attributes()) {
      attributes.put(attribute.name(), Objects.requireNonNullElse(attribute.value(), ""));
    }
    return new Machine(
        id(),
        instance.status().equals(ACTIVE),
        Boolean.TRUE.equals(instance.agentConnected()),
        Objects.requireNonNullElse(instance.ec2InstanceId(), ""),
        instance.versionInfo() == null
            ? ""
            : Objects.requireNonNullElse(instance.versionInfo().agentVersion(), ""),
        instance.registeredAt(),
        attributes,
        new Offer(
            total(CPU),
            total(MEMORY),
            ports(PORTS),
            ports(PORTS_UDP),
            attributes.containsKey(TRUNK)
                ? branches(attributes.getOrDefault(TYPE, ""))
                : interfaces(attributes.getOrDefault(TYPE, "")),
            gpus),
        instance.capacityProviderName());
  }

  /**
   * How many interfaces can be attached for tasks: as many as the instance type has, without its
   * own.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html">Maximum
   *     IP addresses per network interface</a>
   */
  public static int interfaces(String type) {
    String size = type.substring(type.indexOf('.') + 1);
    boolean t2 = type.startsWith("t2.");
    int all =
        switch (size) {
          case "nano", "micro" -> 2;
          case "small", "medium", "large" -> 3;
          case "xlarge", "2xlarge" -> t2 ? 3 : 4;
          case "3xlarge", "4xlarge", "6xlarge", "8xlarge", "9xlarge", "10xlarge", "12xlarge" -> 8;
          default -> 15;
        };
    return all - 1;
  }

  /**
   * How many tasks can have an interface of their own with a trunk; 0 if the type has none.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/eni-trunking-supported-instance-types.html">Supported
   *     instances for increased Amazon ECS container network interfaces</a>
   */
  public static int branches(String type) {
    if (!type.startsWith("m5.") && !type.startsWith("c5.")) {
      return 0;
    }
    return switch (type.substring(type.indexOf('.') + 1)) {
      case "large" -> 10;
      case "xlarge" -> 20;
      case "2xlarge" -> 40;
      case "4xlarge", "8xlarge", "9xlarge", "12xlarge" -> 60;
      case "16xlarge", "18xlarge", "24xlarge" -> 120;
      default -> 0;
    };
  }

  public static List<String> resources() {
    return List.of(CPU, MEMORY, PORTS, PORTS_UDP);
  }

  /** The instance that a request means, unless it was deregistered. */
  public static InstanceRecord active(Tx tx, Cluster cluster, @Nullable String reference) {
    return find(tx, cluster, reference)
        .filter(instance -> !instance.inactive())
        .orElseThrow(() -> Refuse.invalid("The referenced container instance was not found."));
  }

  public static Optional<InstanceRecord> find(Tx tx, Cluster cluster, @Nullable String reference) {
    return tx.get(TABLE, Identifiers.of(cluster.clusterArn(), "container-instance", reference))
        .map(Row::value)
        .filter(instance -> instance.clusterArn().equals(cluster.clusterArn()));
  }

  /** An instance's ARN; what is one already, stays. */
  public static String arn(String clusterArn, String reference) {
    return reference.startsWith("arn:")
        ? reference
        : clusterArn.replace(":cluster/", ":container-instance/") + "/" + reference;
  }
}
