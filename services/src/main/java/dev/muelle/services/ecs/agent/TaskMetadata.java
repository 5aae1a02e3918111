package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.loop.Timers;
import dev.muelle.network.Cidr;
import dev.muelle.services.ecs.definition.LogOptions;
import dev.muelle.services.ecs.definition.Restarts;
import dev.muelle.services.ecs.definition.TaskSize;
import dev.muelle.services.ecs.definition.TaskVolumes;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.HostNetwork;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.MountPoint;
import software.amazon.awssdk.services.ecs.model.NetworkBinding;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.Volume;

/**
 * What a task's containers are told of it and of themselves.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html">Task
 *     metadata v4 for Fargate</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html">Task
 *     metadata v4 on instances</a>
 */
public final class TaskMetadata {

  private static final long MIB = 1L << 20;
  private static final int MIB_PER_GIB = 1024;
  private static final double MICROS_PER_MILLI = 1000;
  private static final int DOCKER_NAME_DIGITS = 18; // of 20: the others number the containers

  private final Ec2Client ec2;
  private final Engine engine;
  private final TaskNetworks networks;
  private final Timers timers;

  public TaskMetadata(Ec2Client ec2, Engine engine, TaskNetworks networks, Timers timers) {
    this.ec2 = ec2;
    this.networks = networks;
    this.timers = timers;
    this.engine = engine;
  }

  ObjectNode taskWithTags(TaskRecord record, TaskDefinition definition) {
    ObjectNode node = task(record, definition);
    ObjectNode tags = node.putObject("TaskTags");
    record.task().tags().forEach(tag -> tags.put(tag.key(), tag.value()));
    return node;
  }

  ObjectNode task(TaskRecord record, TaskDefinition definition) {
    var task = record.task();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("Cluster", task.clusterArn());
    node.put("TaskARN", task.taskArn());
    node.put("Family", definition.family());
    node.put("Revision", String.valueOf(definition.revision()));
    node.put("DesiredStatus", task.desiredStatus());
    node.put("KnownStatus", task.lastStatus());
    if (task.cpu() != null || task.memory() != null) {
      ObjectNode limits = node.putObject("Limits");
      if (task.cpu() != null) {
        limits.put("CPU", TaskSize.cpu(task.cpu()) / 1024.0);
      }
      if (task.memory() != null) {
        limits.put("Memory", TaskSize.memory(task.memory()));
      }
    }
    told(node, "PullStartedAt", task.pullStartedAt());
    told(node, "PullStoppedAt", task.pullStoppedAt());
    told(node, "ExecutionStoppedAt", task.executionStoppedAt());
    node.put("AvailabilityZone", task.availabilityZone());
    node.put("LaunchType", task.launchTypeAsString());
    ArrayNode containers = node.putArray("Containers");
    task.containers().forEach(one -> containers.add(container(record, definition, one)));
    if (record.serviceKey() != null) {
      node.put("ServiceName", TaskRecord.idOf(record.serviceKey()));
    }
    node.put("FaultInjectionEnabled", Boolean.TRUE.equals(definition.enableFaultInjection()));
    if (task.launchType() == LaunchType.FARGATE) {
      node.putObject("EphemeralStorageMetrics")
          .put("Utilized", engine.storageUsed(record.id()) / MIB)
          .put("Reserved", task.ephemeralStorage().sizeInGiB() * MIB_PER_GIB);
      clockDrift(node.putObject("ClockDrift"));
    } else {
      networks.vpc(record, definition).ifPresent(vpc -> node.put("VPCID", vpc));
    }
    return node;
  }

  ObjectNode container(TaskRecord record, TaskDefinition definition, Container container) {
    ContainerDefinition defined =
        definition.containerDefinitions().stream()
            .filter(one -> one.name().equals(container.name()))
            .findFirst()
            .orElseThrow();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("DockerId", record.containerId(container.name()));
    node.put("Name", container.name());
    node.put("DockerName", dockerName(record, definition, container));
    node.put("Image", container.image());
    node.put("ImageID", container.imageDigest());
    ports(node, container);
    ObjectNode labels = node.putObject("Labels");
    defined.dockerLabels().forEach(labels::put);
    labels.put("com.amazonaws.ecs.cluster", record.task().clusterArn());
    labels.put("com.amazonaws.ecs.container-name", container.name());
    labels.put("com.amazonaws.ecs.task-arn", record.task().taskArn());
    labels.put("com.amazonaws.ecs.task-definition-family", definition.family());
    labels.put("com.amazonaws.ecs.task-definition-version", String.valueOf(definition.revision()));
    node.put("DesiredStatus", record.task().desiredStatus());
    node.put("KnownStatus", container.lastStatus());
    if (container.exitCode() != null) {
      node.put("ExitCode", container.exitCode());
    }
    ObjectNode limits = node.putObject("Limits");
    limits.put("CPU", Integer.parseInt(container.cpu()));
    if (container.memory() != null) {
      limits.put("Memory", Integer.parseInt(container.memory()));
    }
    told(node, "CreatedAt", record.task().createdAt());
    engine
        .container(record.containerId(container.name()))
        .ifPresent(status -> {
          switch (status.state()) {
            case State.Running running -> time(node, "StartedAt", running.startedAt());
            case State.Exited exited -> {
              time(node, "StartedAt", exited.startedAt());
              time(node, "FinishedAt", exited.finishedAt());
            }
          }
          if (Restarts.enabled(defined)) {
            node.put("RestartCount", status.restarts());
          }
        });
    node.put("Type", "NORMAL");
    volumes(node, definition, defined);
    node.put("Snapshotter", "overlayfs");
    if (defined.healthCheck() != null) {
      node.putObject("Health").put("status", container.healthStatusAsString());
    }
    LogConfiguration logs = defined.logConfiguration();
    if (logs != null) {
      node.put("LogDriver", logs.logDriverAsString());
      ObjectNode options = node.putObject("LogOptions");
      logs.options().forEach(options::put);
      if (LogOptions.delivered(defined)) {
        options.remove("awslogs-stream-prefix");
        options.put(
            "awslogs-stream",
            LogOptions.of(logs, LogOptions.BLOCKING).stream(container.name(), record));
      }
    }
    node.put("ContainerARN", container.containerArn());
    ObjectNode network = node.putArray("Networks").addObject();
    HostNetwork host = record.host();
    if (definition.networkMode() == NetworkMode.AWSVPC) {
      network(network, record);
    } else {
      network.put(
          "NetworkMode",
          Boolean.TRUE.equals(defined.disableNetworking())
              ? "none"
              : definition.networkModeAsString());
      network
          .putArray("IPv4Addresses")
          .add(
              host == null
                  ? ""
                  : host.of(container.name()).map(HostNetwork.Place::address).orElse(""));
    }
    return node;
  }

  /** How exact the clock is, which Fargate's containers are told in milliseconds. */
  private void clockDrift(ObjectNode node) {
    Engine.ClockState state = engine.clock();
    node.put("ClockErrorBound", state.errorMicros() / MICROS_PER_MILLI);
    node.put(
        "ReferenceTimestamp",
        timers.machine().instant().truncatedTo(ChronoUnit.SECONDS).toString());
    node.put(
        "ClockSynchronizationStatus", state.synchronised() ? "SYNCHRONIZED" : "NOT_SYNCHRONIZED");
  }

  /** On an instance there may be several of one definition: the agent's names tell them apart. */
  private static String dockerName(
      TaskRecord record, TaskDefinition definition, Container container) {
    if (record.task().launchType() == LaunchType.FARGATE) {
      return container.name();
    }
    String id = record.containerId(container.name());
    return "ecs-%s-%s-%s-%s%02d"
        .formatted(
            definition.family(),
            definition.revision(),
            container.name(),
            record.id().substring(0, DOCKER_NAME_DIGITS),
            Integer.parseInt(id.substring(id.lastIndexOf('-') + 1)));
  }

  private static void ports(ObjectNode node, Container container) {
    if (container.networkBindings().isEmpty()) {
      return;
    }
    ArrayNode ports = node.putArray("Ports");
    for (NetworkBinding binding : container.networkBindings()) {
      ports
          .addObject()
          .put("ContainerPort", binding.containerPort())
          .put("Protocol", binding.protocolAsString())
          .put("HostPort", binding.hostPort())
          .put("HostIp", binding.bindIP());
    }
  }

  /** Those of its instance. */
  private static void volumes(
      ObjectNode node, TaskDefinition definition, ContainerDefinition container) {
    ArrayNode volumes = JsonNodeFactory.instance.arrayNode();
    for (MountPoint point : container.mountPoints()) {
      for (Volume volume : definition.volumes()) {
        if (volume.name().equals(point.sourceVolume())) {
          TaskVolumes.place(volume)
              .ifPresent(place -> {
                ObjectNode one = volumes.addObject();
                if (volume.dockerVolumeConfiguration() != null) {
                  one.put("DockerName", volume.name());
                }
                one.put("Source", place).put("Destination", point.containerPath());
              });
        }
      }
    }
    if (!volumes.isEmpty()) {
      node.set("Volumes", volumes);
    }
  }

  private void network(ObjectNode node, TaskRecord record) {
    node.put("NetworkMode", "awsvpc");
    node.putArray("IPv4Addresses").add(Eni.address(record));
    Eni.ipv6(record).ifPresent(address -> node.putArray("IPv6Addresses").add(address));
    node.put("AttachmentIndex", 0);
    Eni.detail(record, Eni.MAC).ifPresent(mac -> node.put("MACAddress", mac));
    Subnet place =
        ec2.describeSubnets(request -> request.subnetIds(record.subnet())).subnets().getFirst();
    Cidr subnet = Cidr.parse(place.cidrBlock());
    node.put("IPv4SubnetCIDRBlock", subnet.toString());
    if (Eni.ipv6(record).isPresent()) {
      place.ipv6CidrBlockAssociationSet().stream()
          .findFirst()
          .ifPresent(block -> node.put("IPv6SubnetCIDRBlock", block.ipv6CidrBlock()));
    }
    VpcNames names = VpcNames.of(ec2, place.vpcId());
    ArrayNode servers = node.putArray("DomainNameServers");
    names.servers().forEach(servers::add);
    ArrayNode domains = node.putArray("DomainNameSearchList");
    names.domains().forEach(domains::add);
    Eni.detail(record, Eni.NAME).ifPresent(name -> node.put("PrivateDNSName", name));
    node.put("SubnetGatewayIpv4Address", subnet.at(1) + "/" + subnet.prefix());
  }

  /** Containers read the machine's clock: what the region says of a time, they are told by that. */
  private void told(ObjectNode node, String name, @Nullable Instant at) {
    time(node, name, at == null ? null : timers.toMachine(at));
  }

  private static void time(ObjectNode node, String name, @Nullable Instant at) {
    if (at != null) {
      node.put(name, at.toString());
    }
  }
}
