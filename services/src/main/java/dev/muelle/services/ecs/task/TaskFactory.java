package dev.muelle.services.ecs.task;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attachment;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.Connectivity;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.EphemeralStorage;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskOverride;

/** Makes new tasks, as they are before anything was done for them. */
public final class TaskFactory {

  public static final String PLATFORM_VERSION = "1.4.0";
  private static final int EPHEMERAL_GIB = 20;

  private final Scope scope;
  private final Ids ids;

  public TaskFactory(Scope scope, Ids ids) {
    this.scope = scope;
    this.ids = ids;
  }

  /**
   * What a task is made of.
   *
   * @param group {@code family:NAME} or {@code service:NAME}
   * @param zone the chosen subnet's
   */
  public record Order(
      String cluster,
      String clusterArn,
      TaskDefinition definition,
      TaskOverride overrides,
      AwsVpcConfiguration network,
      String subnet,
      String zone,
      String group,
      @Nullable String startedBy,
      @Nullable String serviceKey,
      List<LoadBalancer> targets,
      List<Tag> tags,
      boolean execute) {

    /** The same, in a subnet of the network. */
    public Order in(String chosen, String itsZone) {
      return new Order(
          cluster,
          clusterArn,
          definition,
          overrides,
          network,
          chosen,
          itsZone,
          group,
          startedBy,
          serviceKey,
          targets,
          tags,
          execute);
    }
  }

  public TaskRecord make(Order order, Instant now) {
    String id = ids.hex(32);
    String arn = scope.arn("ecs", "task/" + order.cluster() + "/" + id);
    TaskDefinition definition = order.definition();
    boolean ownInterface = definition.networkMode() == NetworkMode.AWSVPC;
    List<Container> containers = new ArrayList<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      containers.add(container(order, arn, container));
    }
    Task task =
        Task.builder()
            .taskArn(arn)
            .clusterArn(order.clusterArn())
            .taskDefinitionArn(definition.taskDefinitionArn())
            .group(order.group())
            .startedBy(order.startedBy())
            .launchType(LaunchType.FARGATE)
            .platformVersion(PLATFORM_VERSION)
            .platformFamily("Linux")
            .availabilityZone(order.zone())
            .cpu(Optional.ofNullable(order.overrides().cpu()).orElse(definition.cpu()))
            .memory(Optional.ofNullable(order.overrides().memory()).orElse(definition.memory()))
            .ephemeralStorage(EphemeralStorage.builder().sizeInGiB(storage(order)).build())
            .lastStatus((ownInterface ? TaskStatus.PROVISIONING : TaskStatus.PENDING).name())
            .desiredStatus(TaskStatus.RUNNING.name())
            .connectivity((Connectivity) null)
            .healthStatus(HealthStatus.UNKNOWN)
            .createdAt(now)
            .version(1L)
            .enableExecuteCommand(order.execute())
            .overrides(order.overrides())
            .attributes(
                Attribute.builder().name("ecs.cpu-architecture").value(architecture()).build())
            .attachments(ownInterface ? List.of(attachment(order.subnet())) : List.of())
            .containers(containers)
            .tags(order.tags())
            .build();
    return new TaskRecord(
        task,
        order.serviceKey(),
        order.network(),
        order.subnet(),
        order.targets(),
        id + "-" + ids.hex(10),
        null,
        null);
  }

  private Attachment attachment(String subnet) {
    return Attachment.builder()
        .id(ids.uuid())
        .type("ElasticNetworkInterface")
        .status("PRECREATED")
        .details(KeyValuePair.builder().name("subnetId").value(subnet).build())
        .build();
  }

  private Container container(Order order, String taskArn, ContainerDefinition definition) {
    Optional<ContainerOverride> override = override(order.overrides(), definition.name());
    Integer cpu = override.map(ContainerOverride::cpu).orElse(definition.cpu());
    Integer memory = override.map(ContainerOverride::memory).orElse(definition.memory());
    Integer soft =
        override.map(ContainerOverride::memoryReservation).orElse(definition.memoryReservation());
    return Container.builder()
        .containerArn(
            scope.arn(
                "ecs",
                "container/" + order.cluster() + "/" + TaskRecord.idOf(taskArn) + "/" + ids.uuid()))
        .taskArn(taskArn)
        .name(definition.name())
        .image(definition.image())
        .lastStatus("PENDING")
        .healthStatus(HealthStatus.UNKNOWN)
        .cpu(cpu == null ? "0" : cpu.toString())
        .memory(memory == null ? null : memory.toString())
        .memoryReservation(soft == null ? null : soft.toString())
        .networkInterfaces(List.of())
        .managedAgents(order.execute() ? List.of(ExecSessions.agent("PENDING")) : List.of())
        .build();
  }

  private static int storage(Order order) {
    EphemeralStorage own = order.overrides().ephemeralStorage();
    EphemeralStorage defined = order.definition().ephemeralStorage();
    return own != null ? own.sizeInGiB() : defined != null ? defined.sizeInGiB() : EPHEMERAL_GIB;
  }

  public static Optional<ContainerOverride> override(TaskOverride overrides, String container) {
    return overrides.containerOverrides().stream()
        .filter(override -> container.equals(override.name()))
        .findFirst();
  }

  private static String architecture() {
    return System.getProperty("os.arch", "").equals("aarch64") ? "arm64" : "x86_64";
  }
}
