package dev.muelle.services.ecs.state;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.placement.Booking;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.EphemeralStorage;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * A task as stored: what DescribeTasks shows, and what only we need to know.
 *
 * @param serviceKey the service whose task it is; null for a task that somebody ran by hand
 * @param subnet the one of the network configuration's subnets that was chosen
 * @param targets where to register it once it runs
 * @param metadataId the unguessable part of the container's metadata address
 * @param booking what it takes of its container instance until it has stopped; null on Fargate
 * @param host what it has of its instance's network; null if it has an interface of its own, or no
 *     network
 */
public record TaskRecord(
    Task task,
    @Nullable String serviceKey,
    AwsVpcConfiguration network,
    String subnet,
    List<LoadBalancer> targets,
    String metadataId,
    @Nullable Booking booking,
    @Nullable HostNetwork host) {

  /** Keyed by the task's id (32 hexadecimal digits). */
  public static final Table<TaskRecord> TABLE =
      Table.of("ecs.tasks", StoredJson.codec(TaskRecord.class))
          .index("service", TaskRecord::liveOf)
          .index("cluster", task -> task.task().clusterArn())
          .index("instance", TaskRecord::bookedOn)
          .remember();

  public String id() {
    return idOf(task.taskArn());
  }

  public static String idOf(String arn) {
    return arn.substring(arn.lastIndexOf('/') + 1);
  }

  /** The task of a cluster that a request means, by its id or its ARN. */
  public static Optional<TaskRecord> find(Tx tx, Cluster cluster, @Nullable String reference) {
    return tx.get(TABLE, Identifiers.of(cluster.clusterArn(), "task", reference))
        .map(Row::value)
        .filter(task -> task.task().clusterArn().equals(cluster.clusterArn()));
  }

  public TaskRecord with(UnaryOperator<Task.Builder> change) {
    return new TaskRecord(
        change.apply(task.toBuilder()).build(),
        serviceKey,
        network,
        subnet,
        targets,
        metadataId,
        booking,
        host);
  }

  /** The task as one of a capacity provider; null changes nothing. */
  public TaskRecord by(@Nullable String provider) {
    return provider == null ? this : with(t -> t.capacityProviderName(provider));
  }

  /** The task as one of launch type EC2, on a container instance. */
  public TaskRecord on(String instanceArn, Booking booking, @Nullable HostNetwork host) {
    Task there =
        task.toBuilder()
            .launchType(LaunchType.EC2)
            .containerInstanceArn(instanceArn)
            .platformVersion(null)
            .platformFamily(null)
            .ephemeralStorage((EphemeralStorage) null)
            .build();
    return new TaskRecord(there, serviceKey, network, subnet, targets, metadataId, booking, host);
  }

  /** The task as one that waits for its capacity provider to have room for it. */
  public TaskRecord waitingFor(String provider) {
    return with(t ->
        t.launchType(LaunchType.EC2)
            .capacityProviderName(provider)
            .lastStatus(TaskStatus.PROVISIONING.name())
            .availabilityZone(null)
            .platformVersion(null)
            .platformFamily(null)
            .ephemeralStorage((EphemeralStorage) null));
  }

  /** Whether it is to run on an instance and has none yet. */
  public boolean waiting() {
    return booking == null
        && task.launchType() == LaunchType.EC2
        && status() == TaskStatus.PROVISIONING;
  }

  /** The task in a subnet of its network; without one it has no interface of its own. */
  public TaskRecord in(String chosen, String zone) {
    Task there =
        task.toBuilder()
            .availabilityZone(zone)
            .attachments(
                task.attachments().stream()
                    .map(attachment ->
                        attachment.toBuilder()
                            .details(KeyValuePair.builder().name("subnetId").value(chosen).build())
                            .build())
                    .toList())
            .lastStatus(
                (task.attachments().isEmpty() ? TaskStatus.PENDING : TaskStatus.PROVISIONING)
                    .name())
            .version(task.version() + 1)
            .build();
    return new TaskRecord(there, serviceKey, network, chosen, targets, metadataId, booking, host);
  }

  /** The id of the container instance of which it has something; null if it has nothing. */
  public @Nullable String bookedOn() {
    return booking == null || status() == TaskStatus.STOPPED ? null : booking.machine();
  }

  /** The service whose task it is, as long as it has not stopped. */
  private @Nullable String liveOf() {
    return status() == TaskStatus.STOPPED ? null : serviceKey;
  }

  /** The engine's id of a container: the task's, and the container's place in the definition. */
  public String containerId(String name) {
    List<Container> containers = task.containers();
    for (int i = 0; i < containers.size(); i++) {
      if (containers.get(i).name().equals(name)) {
        return id() + "-" + i;
      }
    }
    throw new IllegalArgumentException("no container " + name + " in " + id());
  }

  /** The task's id of an engine's container id. */
  public static String ofContainer(String containerId) {
    int dash = containerId.lastIndexOf('-');
    return dash < 0 ? containerId : containerId.substring(0, dash);
  }

  public TaskStatus status() {
    return TaskStatus.valueOf(task.lastStatus());
  }

  public boolean wanted() {
    return task.desiredStatus().equals(TaskStatus.RUNNING.name());
  }
}
