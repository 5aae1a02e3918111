package dev.muelle.services.ecs.instance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.Engine;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.cluster.SettingRule;
import dev.muelle.services.ecs.placement.ClusterQuery;
import dev.muelle.services.ecs.placement.Fleet;
import dev.muelle.services.ecs.placement.Machine;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.RoomChanges;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.services.ecs.task.Fleets;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceField;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.DeregisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.DeregisterContainerInstanceResponse;
import software.amazon.awssdk.services.ecs.model.DescribeContainerInstancesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeContainerInstancesResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.ListContainerInstancesRequest;
import software.amazon.awssdk.services.ecs.model.ListContainerInstancesResponse;
import software.amazon.awssdk.services.ecs.model.PlatformDevice;
import software.amazon.awssdk.services.ecs.model.PlatformDeviceType;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceResponse;
import software.amazon.awssdk.services.ecs.model.Resource;
import software.amazon.awssdk.services.ecs.model.SettingName;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;
import software.amazon.awssdk.services.ecs.model.UpdateContainerInstancesStateRequest;
import software.amazon.awssdk.services.ecs.model.UpdateContainerInstancesStateResponse;

/**
 * Container instances: what a cluster has of its own for tasks of launch type EC2.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterContainerInstance.html">RegisterContainerInstance</a>
 */
public final class ContainerInstances {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A deregistered instance stays describable for an hour. */
  private static final Duration KEPT = Duration.ofHours(1);

  private static final int MOST_AT_ONCE = 100;
  private static final int MOST_STATE_CHANGES = 10;
  private static final int MOST_PORTS = 100;
  private static final int MOST_DOCUMENT = 16_384;

  private static final Set<String> REGISTER_MEMBERS =
      Set.of(
          "cluster",
          "instanceIdentityDocument",
          "totalResources",
          "versionInfo",
          "containerInstanceArn",
          "attributes",
          "platformDevices",
          "tags");

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final ClusterNames clusters;
  private final Tasks tasks;
  private final AccountSettings settings;
  private final RuntimeHealth health;

  public ContainerInstances(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      ClusterNames clusters,
      Tasks tasks,
      AccountSettings settings,
      Engine engine) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.clusters = clusters;
    this.tasks = tasks;
    this.settings = settings;
    this.health = new RuntimeHealth(engine, clock);
  }

  public RegisterContainerInstanceResponse register(RegisterContainerInstanceRequest request) {
    Refuse.unlessEffective("RegisterContainerInstance", request, REGISTER_MEMBERS);
    Tags.check(request.tags());
    List<Resource> resources = resources(request.totalResources());
    Map<String, String> identity = identity(request.instanceIdentityDocument());
    boolean trunked =
        settings.byDefault(SettingName.AWSVPC_TRUNKING).equals(SettingRule.ENABLED)
            && InstanceRecord.branches(identity.getOrDefault("instanceType", "")) > 0;
    List<Attribute> attributes = attributes(request.attributes(), identity, trunked);
    int gpus = gpus(request.platformDevices());
    ContainerInstance registered =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          forgetOld(tx, cluster.clusterArn());
          Optional<InstanceRecord> present = present(tx, cluster, request, identity);
          InstanceRecord record =
              present
                  .map(old -> again(old, request, resources, attributes, gpus))
                  .orElseGet(() -> fresh(cluster, request, resources, attributes, gpus, identity));
          tx.put(InstanceRecord.TABLE, record.id(), record);
          return shown(tx, record, true);
        });
    return RegisterContainerInstanceResponse.builder().containerInstance(registered).build();
  }

  /** The instance that registers again: it names itself, or is the same EC2 instance. */
  private static Optional<InstanceRecord> present(
      Tx tx,
      Cluster cluster,
      RegisterContainerInstanceRequest request,
      Map<String, String> identity) {
    if (request.containerInstanceArn() != null) {
      return Optional.of(InstanceRecord.active(tx, cluster, request.containerInstanceArn()));
    }
    String ec2InstanceId = identity.get("instanceId");
    return ec2InstanceId == null
        ? Optional.empty()
        : tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
            .map(Row::value)
            .filter(i -> ec2InstanceId.equals(i.instance().ec2InstanceId()))
            .findFirst();
  }

  private static InstanceRecord again(
      InstanceRecord old,
      RegisterContainerInstanceRequest request,
      List<Resource> resources,
      List<Attribute> attributes,
      int gpus) {
    if (!old.instance().registeredResources().equals(resources) || old.gpus() != gpus) {
      throw Refuse.client(
          "Container instance "
              + old.id()
              + " was registered with other resources: deregister it first.");
    }
    Map<String, Attribute> all = new LinkedHashMap<>();
    old.instance().attributes().forEach(attribute -> all.put(attribute.name(), attribute));
    attributes.forEach(attribute -> all.put(attribute.name(), attribute));
    return old.with(instance ->
        instance
            .versionInfo(request.versionInfo())
            .attributes(List.copyOf(all.values()))
            .agentConnected(true));
  }

  private InstanceRecord fresh(
      Cluster cluster,
      RegisterContainerInstanceRequest request,
      List<Resource> resources,
      List<Attribute> attributes,
      int gpus,
      Map<String, String> identity) {
    ContainerInstance instance =
        ContainerInstance.builder()
            .containerInstanceArn(InstanceRecord.arn(cluster.clusterArn(), ids.hex(32)))
            .ec2InstanceId(identity.get("instanceId"))
            .version(1L)
            .versionInfo(request.versionInfo())
            .registeredResources(resources)
            .status(InstanceRecord.ACTIVE)
            .agentConnected(true)
            .attributes(attributes)
            .attachments(List.of())
            .registeredAt(clock.instant())
            .tags(request.tags())
            .build();
    return new InstanceRecord(instance, cluster.clusterArn(), gpus, null);
  }

  /** The resources, checked, in ECS's order: CPU units, memory in MiB, and ports in use. */
  private static List<Resource> resources(List<Resource> given) {
    Map<String, Resource> byName = new LinkedHashMap<>();
    for (Resource resource : given) {
      String name = Objects.requireNonNullElse(resource.name(), "");
      if (!InstanceRecord.resources().contains(name) || byName.put(name, resource) != null) {
        throw Refuse.client("Invalid or repeated resource in totalResources: '" + name + "'.");
      }
    }
    List<Resource> checked = new ArrayList<>();
    for (String name : List.of(InstanceRecord.CPU, InstanceRecord.MEMORY)) {
      Resource resource = byName.get(name);
      if (resource == null || resource.integerValue() == null || resource.integerValue() <= 0) {
        throw Refuse.client("totalResources must have a positive integer value of " + name + ".");
      }
      checked.add(integer(name, resource.integerValue()));
    }
    for (String name : List.of(InstanceRecord.PORTS, InstanceRecord.PORTS_UDP)) {
      Resource resource = byName.get(name);
      checked.add(ports(name, resource == null ? List.of() : resource.stringSetValue()));
    }
    return checked;
  }

  private static Resource ports(String name, List<String> given) {
    Set<Integer> ports = new TreeSet<>();
    for (String port : given) {
      if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65_535) {
        throw Refuse.client("Invalid port in totalResources " + name + ": '" + port + "'.");
      }
      ports.add(Integer.valueOf(port));
    }
    if (ports.size() > MOST_PORTS) {
      throw Refuse.client("totalResources " + name + " can have at most 100 reserved ports.");
    }
    return ports(name, ports);
  }

  private static Resource ports(String name, Set<Integer> ports) {
    return Resource.builder()
        .name(name)
        .type("STRINGSET")
        .stringSetValue(ports.stream().map(String::valueOf).toList())
        .build();
  }

  private static Resource integer(String name, int value) {
    return Resource.builder().name(name).type("INTEGER").integerValue(value).build();
  }

  private static int gpus(List<PlatformDevice> devices) {
    for (PlatformDevice device : devices) {
      if (device.type() != PlatformDeviceType.GPU) {
        throw Refuse.invalid("Invalid platform device type: " + device.typeAsString());
      }
    }
    return devices.size();
  }

  /**
   * What an EC2 instance's identity document says.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html">Instance
   *     identity documents</a>
   */
  private Map<String, String> identity(@Nullable String document) {
    Map<String, String> identity = new LinkedHashMap<>();
    if (document == null) {
      return identity;
    }
    if (document.length() > MOST_DOCUMENT) {
      throw Refuse.client("The instance identity document is too long.");
    }
    try {
      JsonNode json = JSON.readTree(document);
      for (Map.Entry<String, JsonNode> member : json.properties()) {
        if (member.getValue().isTextual()) {
          identity.put(member.getKey(), member.getValue().textValue());
        }
      }
    } catch (JsonProcessingException e) {
      throw Refuse.client("The instance identity document is not valid JSON.");
    }
    boolean ours =
        identity.containsKey("instanceId")
            && identity.getOrDefault("accountId", scope.account()).equals(scope.account())
            && identity.getOrDefault("region", scope.region()).equals(scope.region());
    if (!ours) {
      throw Refuse.client(
          "The instance identity document must name an instance of this account and region.");
    }
    return identity;
  }

  /** The agent's attributes, and those that ECS adds by itself. */
  private static List<Attribute> attributes(
      List<Attribute> given, Map<String, String> identity, boolean trunked) {
    Map<String, Attribute> all = new LinkedHashMap<>();
    put(all, "ecs.os-type", "linux");
    put(all, "ecs.os-family", "LINUX");
    put(all, "ecs.cpu-architecture", identity.get("architecture"));
    put(all, InstanceRecord.TYPE, identity.get("instanceType"));
    put(all, Machine.ZONE, identity.get("availabilityZone"));
    put(all, "ecs.ami-id", identity.get("imageId"));
    put(all, InstanceRecord.TRUNK, trunked ? "" : null);
    for (Attribute attribute : given) {
      InstanceAttributes.check(attribute);
      put(all, attribute.name(), Objects.requireNonNullElse(attribute.value(), ""));
    }
    return List.copyOf(all.values());
  }

  private static void put(Map<String, Attribute> all, String name, @Nullable String value) {
    if (value != null) {
      all.put(name, Attribute.builder().name(name).value(value.isEmpty() ? null : value).build());
    }
  }

  private void forgetOld(Tx tx, String clusterArn) {
    Instant oldest = clock.instant().minus(KEPT);
    for (Row<InstanceRecord> row : tx.find(InstanceRecord.TABLE, "inactive", clusterArn)) {
      Instant since = row.value().deregisteredAt();
      if (since != null && since.isBefore(oldest)) {
        tx.delete(InstanceRecord.TABLE, row.key());
      }
    }
  }

  /**
   * Takes an instance out of its cluster. With {@code force}, its tasks are stopped, so that
   * nothing goes on for which nobody accounts; a service replaces its own.
   */
  public DeregisterContainerInstanceResponse deregister(
      DeregisterContainerInstanceRequest request) {
    ContainerInstance gone =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          InstanceRecord instance = InstanceRecord.active(tx, cluster, request.containerInstance());
          if (!tasksOn(tx, instance).isEmpty() && !Boolean.TRUE.equals(request.force())) {
            throw Refuse.invalid("Found running tasks on the instance.");
          }
          stopAll(tx, instance, "Container instance deregistration forced by user");
          forgetOld(tx, cluster.clusterArn());
          InstanceRecord record = inactive(instance);
          tx.put(InstanceRecord.TABLE, record.id(), record);
          return shown(tx, record, true);
        });
    return DeregisterContainerInstanceResponse.builder().containerInstance(gone).build();
  }

  /**
   * The EC2 instance is stopped, or boots anew, and everything on it ends. It stays in its cluster,
   * without an agent.
   */
  void disconnect(String arn, String reason) {
    store.write(tx -> {
      Optional<InstanceRecord> found = connected(tx, arn);
      if (found.isPresent()) {
        stopAll(tx, found.get(), reason);
        InstanceRecord without = found.get().with(i -> i.agentConnected(false));
        tx.put(InstanceRecord.TABLE, without.id(), without);
      }
      return found.isPresent();
    });
  }

  private static Optional<InstanceRecord> connected(Tx tx, String arn) {
    return tx.get(InstanceRecord.TABLE, TaskRecord.idOf(arn))
        .map(Row::value)
        .filter(one -> !one.inactive() && Boolean.TRUE.equals(one.instance().agentConnected()));
  }

  /**
   * The EC2 instance is gone, and everything on it: services replace their tasks elsewhere, those
   * that somebody ran by hand are lost. One that was stopped before stays in its cluster until it
   * is deregistered by hand, as on AWS.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html">Stopped
   *     tasks error codes</a>
   */
  void ended(String arn, String reason) {
    store.write(tx -> {
      Optional<InstanceRecord> found = connected(tx, arn);
      if (found.isPresent()) {
        stopAll(tx, found.get(), reason);
        tx.put(InstanceRecord.TABLE, found.get().id(), inactive(found.get()));
      }
      return found.isPresent();
    });
  }

  private void stopAll(Tx tx, InstanceRecord instance, String reason) {
    for (TaskRecord task : tasksOn(tx, instance)) {
      if (task.wanted()) {
        tx.put(
            TaskRecord.TABLE,
            task.id(),
            tasks.stopping(task, TaskStopCode.TERMINATION_NOTICE, reason));
      }
    }
  }

  private InstanceRecord inactive(InstanceRecord instance) {
    return new InstanceRecord(
        instance.with(i -> i.status(InstanceRecord.INACTIVE).agentConnected(false)).instance(),
        instance.clusterArn(),
        instance.gpus(),
        clock.instant());
  }

  public DescribeContainerInstancesResponse describe(DescribeContainerInstancesRequest request) {
    if (request.containerInstances().isEmpty()
        || request.containerInstances().size() > MOST_AT_ONCE) {
      throw Refuse.invalid(
          request.containerInstances().isEmpty()
              ? "Container instances cannot be empty."
              : "Container instances cannot have more than 100 elements.");
    }
    boolean tags = request.include().contains(ContainerInstanceField.TAGS);
    boolean checked = request.include().contains(ContainerInstanceField.CONTAINER_INSTANCE_HEALTH);
    return store.read(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      List<ContainerInstance> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String reference : request.containerInstances()) {
        InstanceRecord.find(tx, cluster, reference)
            .ifPresentOrElse(
                instance -> {
                  ContainerInstance shown = shown(tx, instance, tags);
                  found.add(
                      checked
                          ? shown.toBuilder().healthStatus(health.of(instance)).build()
                          : shown);
                },
                () -> failures.add(missing(cluster, reference)));
      }
      return DescribeContainerInstancesResponse.builder()
          .containerInstances(found)
          .failures(failures)
          .build();
    });
  }

  public ListContainerInstancesResponse list(ListContainerInstancesRequest request) {
    if (request.status() == ContainerInstanceStatus.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid("Invalid container instance status: " + request.statusAsString());
    }
    ClusterQuery filter =
        request.filter() == null || request.filter().isEmpty()
            ? null
            : ClusterQuery.parse(request.filter());
    List<String> arns =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          return tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(Row::value)
              .filter(instance ->
                  request.status() == null
                      || request.statusAsString().equals(instance.instance().status()))
              .filter(instance -> filter == null || selects(tx, filter, instance))
              .map(instance -> instance.instance().containerInstanceArn())
              .toList();
        });
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), request.maxResults());
    return ListContainerInstancesResponse.builder()
        .containerInstanceArns(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static boolean selects(Tx tx, ClusterQuery filter, InstanceRecord instance) {
    return filter.selects(Fleets.of(tx, instance).slot(instance.id()).orElseThrow());
  }

  /** A draining instance takes no tasks, and its services' tasks move away. */
  public UpdateContainerInstancesStateResponse updateState(
      UpdateContainerInstancesStateRequest request) {
    if (request.status() != ContainerInstanceStatus.ACTIVE
        && request.status() != ContainerInstanceStatus.DRAINING) {
      throw Refuse.invalid("Container instance status should be one of [ACTIVE, DRAINING]");
    }
    if (request.containerInstances().isEmpty()
        || request.containerInstances().size() > MOST_STATE_CHANGES) {
      throw Refuse.invalid("Between 1 and 10 container instances must be specified.");
    }
    return store.write(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      List<ContainerInstance> changed = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String reference : request.containerInstances()) {
        Optional<InstanceRecord> instance = InstanceRecord.find(tx, cluster, reference);
        if (instance.isEmpty()) {
          failures.add(missing(cluster, reference));
        } else if (instance.get().inactive()) {
          failures.add(
              Failure.builder()
                  .arn(instance.get().instance().containerInstanceArn())
                  .reason("INACTIVE")
                  .build());
        } else {
          InstanceRecord next = instance.get().with(i -> i.status(request.statusAsString()));
          tx.put(InstanceRecord.TABLE, next.id(), next);
          changed.add(shown(tx, next, false));
        }
      }
      return UpdateContainerInstancesStateResponse.builder()
          .containerInstances(changed)
          .failures(failures)
          .build();
    });
  }

  private static Failure missing(Cluster cluster, String reference) {
    return Failure.builder()
        .arn(InstanceRecord.arn(cluster.clusterArn(), reference))
        .reason("MISSING")
        .build();
  }

  /** Those that have not stopped. */
  private static List<TaskRecord> tasksOn(Tx tx, InstanceRecord instance) {
    return tx.find(TaskRecord.TABLE, "instance", instance.id()).stream().map(Row::value).toList();
  }

  /** The instance with the tasks on it, and the room that they leave. */
  public static ContainerInstance shown(Tx tx, InstanceRecord record, boolean tags) {
    List<TaskRecord> on = tasksOn(tx, record);
    int running = (int) on.stream().filter(t -> t.status() == TaskStatus.RUNNING).count();
    int pending = (int) on.stream().filter(t -> t.status().pending()).count();
    Fleet.Slot slot = Fleets.of(tx, record).slot(record.id()).orElseThrow();
    Set<Integer> tcp = new TreeSet<>(record.ports(InstanceRecord.PORTS));
    tcp.addAll(slot.tcpPorts());
    Set<Integer> udp = new TreeSet<>(record.ports(InstanceRecord.PORTS_UDP));
    udp.addAll(slot.udpPorts());
    ContainerInstance.Builder shown =
        record.instance().toBuilder()
            .version(record.instance().version() + RoomChanges.of(tx, record.id()))
            .runningTasksCount(running)
            .pendingTasksCount(pending)
            .remainingResources(
                integer(InstanceRecord.CPU, slot.freeCpu()),
                integer(InstanceRecord.MEMORY, slot.freeMemory()),
                ports(InstanceRecord.PORTS, tcp),
                ports(InstanceRecord.PORTS_UDP, udp));
    return tags ? shown.build() : shown.tags(List.of()).build();
  }
}
