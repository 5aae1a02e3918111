package dev.muelle.services.ecs.instance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EcsOptimizedImage;
import dev.muelle.services.InstanceBoots;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.UserData;
import dev.muelle.services.ecs.cluster.Clusters;
import dev.muelle.services.ecs.placement.Offer;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceAttributeName;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.PlatformDevice;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.Resource;
import software.amazon.awssdk.services.ecs.model.Tag;

/**
 * The container agents of the EC2 instances of this region: each registers its instance with the
 * cluster that its configuration names, and deregisters it when the instance is terminated while it
 * runs. That of an instance that is stopped is not connected; when the instance is started, or has
 * booted anew, it connects again, and finds nothing of what ran before. An instance without a role
 * has no credentials to register with.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_instances.html">Container
 *     instances, their states</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html">Amazon
 *     ECS container agent configuration</a>
 */
public final class InstanceAgents {

  private static final Logger LOG = LoggerFactory.getLogger(InstanceAgents.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How long an agent waits that could not register, or is in a warm pool. */
  private static final Duration AGAIN = Duration.ofSeconds(10);

  /** Of all agents of a server. */
  static final String VERSION = EcsOptimizedImage.AGENT;

  private static final Set<InstanceStateName> ALIVE =
      Set.of(InstanceStateName.PENDING, InstanceStateName.RUNNING);
  private static final Set<InstanceStateName> STOPPED =
      Set.of(InstanceStateName.STOPPING, InstanceStateName.STOPPED);
  private static final int UNITS = 1_024;

  /** Of an instance's memory, what its kernel leaves to tasks: a t2.micro registers 983 MiB. */
  private static final double USABLE = 0.96;

  /** The agent's and Docker's own, and SSH. */
  private static final List<String> RESERVED = List.of("22", "2375", "2376", "51678", "51679");

  private static final List<String> CAPABILITIES =
      List.of(
          "com.amazonaws.ecs.capability.privileged-container",
          "com.amazonaws.ecs.capability.docker-remote-api.1.17",
          "com.amazonaws.ecs.capability.docker-remote-api.1.18",
          "com.amazonaws.ecs.capability.docker-remote-api.1.19",
          "com.amazonaws.ecs.capability.docker-remote-api.1.20",
          "com.amazonaws.ecs.capability.docker-remote-api.1.21",
          "com.amazonaws.ecs.capability.docker-remote-api.1.22",
          "com.amazonaws.ecs.capability.docker-remote-api.1.23",
          "com.amazonaws.ecs.capability.docker-remote-api.1.24",
          "com.amazonaws.ecs.capability.docker-remote-api.1.25",
          "com.amazonaws.ecs.capability.docker-remote-api.1.29",
          "com.amazonaws.ecs.capability.docker-remote-api.1.44",
          "com.amazonaws.ecs.capability.logging-driver.awslogs",
          "com.amazonaws.ecs.capability.logging-driver.json-file",
          "com.amazonaws.ecs.capability.ecr-auth",
          "com.amazonaws.ecs.capability.task-iam-role",
          "com.amazonaws.ecs.capability.task-iam-role-network-host",
          "ecs.capability.container-health-check",
          "ecs.capability.container-ordering",
          "ecs.capability.docker-plugin.local",
          "ecs.capability.env-files.s3",
          "ecs.capability.execution-role-awslogs",
          "ecs.capability.execution-role-ecr-pull",
          "ecs.capability.pid-ipc-namespace-sharing",
          "ecs.capability.task-cpu-mem-limit",
          "ecs.capability.task-eni");

  /**
   * Which container instance an EC2 instance's agent has registered, so that it does so once.
   *
   * @param boots how often the EC2 instance had booted anew by then
   */
  private record Agent(String containerInstanceArn, int boots) {}

  private static final Table<Agent> TABLE =
      Table.of("ecs.agents", StoredJson.codec(Agent.class)).remember();

  private final Scope scope;
  private final Store store;
  private final Ec2Client ec2;
  private final Clusters clusters;
  private final ContainerInstances instances;
  private final Predicate<String> warm;
  private final InstanceBoots boots;

  /**
   * Agents.
   *
   * @param warm whether an instance is in the warm pool of a group
   * @param boots how often instances have booted anew
   */
  public InstanceAgents(
      Scope scope,
      Store store,
      Ec2Client ec2,
      Clusters clusters,
      ContainerInstances instances,
      Predicate<String> warm,
      InstanceBoots boots) {
    this.warm = warm;
    this.boots = boots;
    this.scope = scope;
    this.store = store;
    this.ec2 = ec2;
    this.clusters = clusters;
    this.instances = instances;
  }

  /** Those of whom something is known, or should be. */
  public List<String> ids() {
    List<String> ids = new ArrayList<>();
    store.read(tx -> tx.list(TABLE)).forEach(row -> ids.add(row.key()));
    ec2.describeInstancesPaginator().reservations().stream()
        .flatMap(reservation -> reservation.instances().stream())
        .forEach(instance -> ids.add(instance.instanceId()));
    return ids;
  }

  /** One look at an EC2 instance; gives when to look again, or null for "when it changes". */
  public @Nullable Duration look(String ec2Id) {
    Optional<Instance> found = find(ec2Id);
    Optional<Agent> agent = store.read(tx -> tx.get(TABLE, ec2Id)).map(Row::value);
    boolean alive = found.filter(one -> ALIVE.contains(one.state().name())).isPresent();
    if (!alive) {
      boolean stopped = found.filter(one -> STOPPED.contains(one.state().name())).isPresent();
      agent.ifPresent(known -> leave(ec2Id, known, stopped));
      return null;
    }
    Instance instance = found.orElseThrow();
    if (instance.state().name() != InstanceStateName.RUNNING) {
      return null;
    }
    int booted = boots.of(ec2Id);
    if (agent.isPresent()) {
      Agent known = agent.get();
      if (known.boots() == booted) {
        return null; // it is connected, or was taken out of its cluster by hand
      }
      instances.disconnect(
          known.containerInstanceArn(), "Host EC2 (instance " + ec2Id + ") rebooted.");
    }
    if (instance.iamInstanceProfile() == null) {
      LOG.warn("{} has no instance profile: its agent has no credentials to register with", ec2Id);
      return null;
    }
    Map<String, String> configuration = configuration(ec2Id);
    if (Boolean.parseBoolean(configuration.get(UserData.WARM_POOLS)) && warm.test(ec2Id)) {
      return AGAIN;
    }
    try {
      register(instance, configuration, booted);
      return null;
    } catch (EcsException e) {
      LOG.warn("{} could not be registered: {}", ec2Id, e.getMessage());
      return AGAIN;
    }
  }

  private void leave(String ec2Id, Agent agent, boolean stopped) {
    String arn = agent.containerInstanceArn();
    String host = "Host EC2 (instance " + ec2Id + ") ";
    if (stopped) {
      instances.disconnect(arn, host + "stopped.");
    } else {
      instances.ended(arn, host + "terminated.");
      store.write(tx -> tx.delete(TABLE, ec2Id));
    }
  }

  private Optional<Instance> find(String ec2Id) {
    try {
      return ec2.describeInstances(r -> r.instanceIds(ec2Id)).reservations().stream()
          .flatMap(reservation -> reservation.instances().stream())
          .findFirst();
    } catch (Ec2Exception e) {
      if (e.awsErrorDetails().errorCode().equals("InvalidInstanceID.NotFound")) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private void register(Instance instance, Map<String, String> configuration, int booted) {
    String cluster = configuration.getOrDefault("ECS_CLUSTER", ClusterNames.DEFAULT);
    if (cluster.equals(ClusterNames.DEFAULT)) {
      clusters.ensureDefault(); // as the agent does
    }
    InstanceTypeInfo type =
        ec2.describeInstanceTypes(r -> r.instanceTypesWithStrings(instance.instanceTypeAsString()))
            .instanceTypes()
            .getFirst();
    Offer size = size(type);
    int memory = size.memory() - number(configuration, "ECS_RESERVED_MEMORY");
    List<String> tcp = new ArrayList<>(RESERVED);
    tcp.addAll(strings(configuration, "ECS_RESERVED_PORTS"));
    RegisterContainerInstanceRequest request =
        RegisterContainerInstanceRequest.builder()
            .cluster(cluster)
            .instanceIdentityDocument(identity(instance))
            .totalResources(
                integer(InstanceRecord.CPU, size.cpu()),
                integer(InstanceRecord.MEMORY, memory),
                ports(InstanceRecord.PORTS, tcp),
                ports(InstanceRecord.PORTS_UDP, strings(configuration, "ECS_RESERVED_PORTS_UDP")))
            .versionInfo(v ->
                v.agentVersion(VERSION)
                    .agentHash("muelle")
                    .dockerVersion("DockerVersion: " + EcsOptimizedImage.RUNTIME))
            .attributes(attributes(instance, configuration))
            .platformDevices(List.<PlatformDevice>of())
            .tags(tags(configuration))
            .build();
    String arn = instances.register(request).containerInstance().containerInstanceArn();
    store.write(tx -> tx.put(TABLE, instance.instanceId(), new Agent(arn, booted)));
  }

  /** What an instance of a type has for its tasks, if its agent is told nothing else. */
  public static Offer size(InstanceTypeInfo type) {
    return new Offer(
        type.vCpuInfo().defaultVCpus() * UNITS,
        (int) (type.memoryInfo().sizeInMiB() * USABLE),
        RESERVED.stream().map(Integer::valueOf).collect(Collectors.toSet()),
        Set.of(),
        InstanceRecord.interfaces(type.instanceTypeAsString()),
        0);
  }

  /** The agent's variables, as the instance's user data sets them. */
  private Map<String, String> configuration(String ec2Id) {
    String base64 =
        ec2.describeInstanceAttribute(
                r -> r.instanceId(ec2Id).attribute(InstanceAttributeName.USER_DATA))
            .userData()
            .value();
    Map<String, String> configuration = new HashMap<>();
    if (base64 == null) {
      return configuration;
    }
    String script = new String(Base64.getMimeDecoder().decode(base64), StandardCharsets.ISO_8859_1);
    try {
      configuration.putAll(UserData.agentConfiguration(script));
    } catch (UserData.NotRead e) {
      throw new IllegalStateException(e); // it was read when the instance was launched
    }
    return configuration;
  }

  private String identity(Instance instance) {
    ObjectNode identity = JSON.createObjectNode();
    identity.put("accountId", scope.account());
    identity.put("region", scope.region());
    identity.put("instanceId", instance.instanceId());
    identity.put("instanceType", instance.instanceTypeAsString());
    identity.put("imageId", instance.imageId());
    identity.put("availabilityZone", instance.placement().availabilityZone());
    identity.put("architecture", instance.architectureAsString());
    identity.put("privateIp", instance.privateIpAddress());
    identity.put("version", "2017-09-30");
    return identity.toString();
  }

  private static List<Attribute> attributes(Instance instance, Map<String, String> configuration) {
    List<Attribute> attributes = new ArrayList<>();
    CAPABILITIES.forEach(name -> attributes.add(Attribute.builder().name(name).build()));
    attributes.add(attribute("ecs.vpc-id", instance.vpcId()));
    attributes.add(attribute("ecs.subnet-id", instance.subnetId()));
    object(configuration, "ECS_INSTANCE_ATTRIBUTES")
        .forEach((name, value) -> attributes.add(attribute(name, value)));
    return attributes;
  }

  private static Attribute attribute(String name, String value) {
    return Attribute.builder().name(name).value(value).build();
  }

  private static List<Tag> tags(Map<String, String> configuration) {
    return object(configuration, "ECS_CONTAINER_INSTANCE_TAGS").entrySet().stream()
        .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
        .toList();
  }

  private static int number(Map<String, String> configuration, String name) {
    return Integer.parseInt(configuration.getOrDefault(name, "0"));
  }

  private static List<String> strings(Map<String, String> configuration, String name) {
    List<String> found = new ArrayList<>();
    json(configuration, name).forEach(item -> found.add(item.asText()));
    return found;
  }

  private static Map<String, String> object(Map<String, String> configuration, String name) {
    Map<String, String> found = new HashMap<>();
    for (Map.Entry<String, JsonNode> member : json(configuration, name).properties()) {
      found.put(member.getKey(), member.getValue().asText());
    }
    return found;
  }

  private static JsonNode json(Map<String, String> configuration, String name) {
    try {
      return JSON.readTree(configuration.getOrDefault(name, "{}"));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // it was read when the instance was launched
    }
  }

  private static Resource integer(String name, int value) {
    return Resource.builder().name(name).type("INTEGER").integerValue(value).build();
  }

  private static Resource ports(String name, List<String> values) {
    return Resource.builder().name(name).type("STRINGSET").stringSetValue(values).build();
  }
}
