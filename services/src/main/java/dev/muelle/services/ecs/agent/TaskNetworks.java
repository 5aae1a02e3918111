package dev.muelle.services.ecs.agent;

import dev.muelle.engine.EngineException;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Behind;
import dev.muelle.network.Network.Lent;
import dev.muelle.network.Network.Use;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.HostNetwork;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;

/**
 * Where the containers of a task are in the network, by its definition's network mode.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking.html">Task
 *     networking on EC2</a>
 */
public final class TaskNetworks {

  private static final int TCP = 6;
  private static final int UDP = 17;

  private final Store store;
  private final Ec2Client ec2;
  private final Network network;

  /** What was opened by this process, by task. */
  private final Map<String, Opened> opened = new ConcurrentHashMap<>();

  public TaskNetworks(Store store, Ec2Client ec2, Network network) {
    this.store = store;
    this.ec2 = ec2;
    this.network = network;
  }

  /**
   * A task's places.
   *
   * @param shared the namespace of all its containers; null if there is none
   * @param address of the shared one; null if it has none
   * @param vpc in which its packets are; null if it sends none
   * @param names how names are looked up there
   * @param own by container, where each has a namespace of its own
   */
  record Opened(
      @Nullable Path shared,
      @Nullable String address,
      @Nullable String vpc,
      VpcNames names,
      Map<String, Path> own) {}

  /** Makes what is not there yet. */
  Opened open(TaskRecord task, TaskDefinition definition) {
    Opened present = opened.get(task.id());
    if (present != null) {
      return present;
    }
    Opened made = make(task, definition);
    opened.put(task.id(), made);
    return made;
  }

  private Opened make(TaskRecord task, TaskDefinition definition) {
    return switch (definition.networkMode()) {
      case AWSVPC -> {
        String eni = Eni.id(task).orElseThrow();
        Path path = network.plug(eni, Use.NAMESPACE).orElseThrow();
        String vpc = vpcOf(eni);
        yield new Opened(path, Eni.address(task), vpc, VpcNames.of(ec2, vpc), Map.of());
      }
      case HOST -> {
        Instance instance = instance(task);
        Path path = network.plug(eni(instance), Use.NAMESPACE).orElseThrow();
        VpcNames names = VpcNames.of(ec2, instance.vpcId());
        yield new Opened(path, instance.privateIpAddress(), instance.vpcId(), names, Map.of());
      }
      case BRIDGE -> bridge(task, instance(task));
      case NONE -> new Opened(null, null, null, VpcNames.NONE, Map.of());
      case UNKNOWN_TO_SDK_VERSION ->
          throw new EngineException("CannotStartContainerError: unknown network mode");
    };
  }

  private Opened bridge(TaskRecord task, Instance instance) {
    String eni = eni(instance);
    network.plug(eni, Use.NAMESPACE);
    Map<String, Path> own = new HashMap<>();
    for (HostNetwork.Place place : Objects.requireNonNull(task.host()).places()) {
      List<Lent> ports =
          place.bindings().stream()
              .map(binding ->
                  new Lent(
                      binding.protocol() == TransportProtocol.UDP ? UDP : TCP,
                      binding.hostPort(),
                      binding.containerPort()))
              .toList();
      Behind behind = new Behind(name(task, place.container()), place.address(), ports);
      own.put(place.container(), network.putBehind(eni, behind));
    }
    // Each container has a place of its own, or none at all; any of theirs will do for the sandbox.
    return new Opened(
        own.values().stream().findFirst().orElse(null),
        null,
        instance.vpcId(),
        VpcNames.of(ec2, instance.vpcId()),
        own);
  }

  private static String name(TaskRecord task, String container) {
    return task.containerId(container);
  }

  /** The interface that is in the way of a task's packets, once there is one. */
  Optional<String> vpc(TaskRecord task, TaskDefinition definition) {
    if (definition.networkMode() == NetworkMode.AWSVPC) {
      return Eni.id(task).map(this::vpcOf);
    }
    return task.host() == null ? Optional.empty() : find(task).map(Instance::vpcId);
  }

  /** Takes away what belongs to the task alone, except for an interface of its own. */
  void close(TaskRecord task) {
    opened.remove(task.id());
    HostNetwork host = task.host();
    if (host == null || host.places().stream().allMatch(place -> place.address().isEmpty())) {
      return;
    }
    // A terminated instance has no interface any more; the network knows what was behind it.
    find(task)
        .filter(instance -> !instance.networkInterfaces().isEmpty())
        .map(TaskNetworks::eni)
        .ifPresent(eni ->
            host.places()
                .forEach(place -> network.removeBehind(eni, name(task, place.container()))));
  }

  private Instance instance(TaskRecord task) {
    Instance instance =
        find(task)
            .filter(i -> i.state().name() == InstanceStateName.RUNNING)
            .orElseThrow(() ->
                new EngineException(
                    "ResourceInitializationError: the container instance "
                        + task.task().containerInstanceArn()
                        + " is no running EC2 instance of this region, and its network cannot be"
                        + " used"));
    return instance;
  }

  private Optional<Instance> find(TaskRecord task) {
    String id = task.host() == null ? "" : task.host().ec2InstanceId();
    if (id.isEmpty()) {
      return Optional.empty();
    }
    try {
      return ec2.describeInstances(r -> r.instanceIds(id)).reservations().stream()
          .flatMap(reservation -> reservation.instances().stream())
          .findFirst();
    } catch (Ec2Exception e) {
      return Optional.empty(); // there is none with that id
    }
  }

  private static String eni(Instance instance) {
    return instance.networkInterfaces().stream()
        .map(InstanceNetworkInterface::networkInterfaceId)
        .findFirst()
        .orElseThrow();
  }

  private String vpcOf(String eni) {
    return ec2.describeNetworkInterfaces(request -> request.networkInterfaceIds(eni))
        .networkInterfaces()
        .getFirst()
        .vpcId();
  }

  /** The host's limits for a task that sets none of its own: it cannot have more than there is. */
  int total(TaskRecord task, String resource) {
    String id = task.booking() == null ? "" : task.booking().machine();
    return store
        .read(tx -> tx.get(InstanceRecord.TABLE, id))
        .map(Row::value)
        .map(instance -> instance.total(resource))
        .orElse(0);
  }
}
