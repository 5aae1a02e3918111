package dev.muelle.services.ecs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.network.Cidr;
import dev.muelle.services.VpcHttp;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * The task metadata endpoint, at 169.254.170.2 in every VPC that has tasks: containers ask here who
 * they are. Version 4, and version 3's paths with the same answers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html">Task
 *     metadata v4 for Fargate</a>
 */
final class TaskMetadata implements AutoCloseable {

  private static final String ADDRESS = "169.254.170.2";
  private static final int PORT = 80;

  private final Store store;
  private final TaskDefinitions definitions;
  private final Ec2Client ec2;
  private final VpcHttp vpcHttp;
  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, VpcHttp.Server> servers = new HashMap<>();

  TaskMetadata(Store store, TaskDefinitions definitions, Ec2Client ec2, VpcHttp vpcHttp) {
    this.store = store;
    this.definitions = definitions;
    this.ec2 = ec2;
    this.vpcHttp = vpcHttp;
  }

  /** The address that one container is given. */
  String uri(TaskRecord task, String container) {
    int number =
        Integer.parseInt(TaskAgent.containerId(task, container).substring(task.id().length() + 1));
    return "http://" + ADDRESS + "/v4/" + task.metadataId() + "-" + number;
  }

  /** Answers inside a VPC from now on. */
  synchronized void serve(String vpcId) {
    if (!servers.containsKey(vpcId)) {
      try {
        servers.put(vpcId, vpcHttp.serve(vpcId, ADDRESS, PORT, this::answer));
      } catch (IOException e) {
        throw new UncheckedIOException("task metadata cannot be served in " + vpcId, e);
      }
    }
  }

  private HttpResponse answer(HttpRequest request) throws IOException {
    if (!request.method().equals("GET")) {
      return HttpResponse.of(405, "text/plain", "Method Not Allowed");
    }
    // /v4/<task id>-<secret>-<container number>[/task]
    String[] path = request.path().split("/", -1);
    if (path.length < 3 || !(path[1].equals("v4") || path[1].equals("v3"))) {
      return HttpResponse.of(404, "text/plain", "404 page not found");
    }
    int dash = path[2].lastIndexOf('-');
    String metadataId = dash < 0 ? "" : path[2].substring(0, dash);
    Optional<TaskRecord> found =
        store
            .read(tx -> tx.get(TaskRecord.TABLE, TaskAgent.taskOf(metadataId)))
            .map(Row::value)
            .filter(task -> task.metadataId().equals(metadataId));
    if (found.isEmpty()) {
      return HttpResponse.of(404, "text/plain", "Unable to find task");
    }
    TaskRecord task = found.get();
    TaskDefinition definition = definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
    int number = number(path[2].substring(dash + 1));
    if (number < 0 || number >= task.task().containers().size()) {
      return HttpResponse.of(404, "text/plain", "Unable to find container");
    }
    String rest = path.length == 3 ? "" : path[3];
    return switch (rest) {
      case "" -> reply(container(task, definition, task.task().containers().get(number)));
      case "task" -> reply(task(task, definition));
      default -> HttpResponse.of(404, "text/plain", "404 page not found");
    };
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private HttpResponse reply(ObjectNode body) throws IOException {
    return HttpResponse.of(200, "application/json", json.writeValueAsBytes(body));
  }

  private ObjectNode task(TaskRecord record, TaskDefinition definition) {
    var task = record.task();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("Cluster", task.clusterArn());
    node.put("TaskARN", task.taskArn());
    node.put("Family", definition.family());
    node.put("Revision", String.valueOf(definition.revision()));
    node.put("DesiredStatus", task.desiredStatus());
    node.put("KnownStatus", task.lastStatus());
    ObjectNode limits = node.putObject("Limits");
    limits.put("CPU", TaskDefinitionRules.cpu(task.cpu()) / 1024.0);
    limits.put("Memory", TaskDefinitionRules.memory(task.memory()));
    time(node, "PullStartedAt", task.pullStartedAt());
    time(node, "PullStoppedAt", task.pullStoppedAt());
    node.put("AvailabilityZone", task.availabilityZone());
    node.put("LaunchType", task.launchTypeAsString());
    ArrayNode containers = node.putArray("Containers");
    task.containers().forEach(one -> containers.add(container(record, definition, one)));
    if (record.serviceKey() != null) {
      node.put("ServiceName", TaskRecord.idOf(record.serviceKey()));
    }
    return node;
  }

  private ObjectNode container(TaskRecord record, TaskDefinition definition, Container container) {
    ContainerDefinition defined =
        definition.containerDefinitions().stream()
            .filter(one -> one.name().equals(container.name()))
            .findFirst()
            .orElseThrow();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("DockerId", TaskAgent.containerId(record, container.name()));
    node.put("Name", container.name());
    node.put("DockerName", container.name());
    node.put("Image", container.image());
    node.put("ImageID", container.imageDigest());
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
    if (defined.memory() != null) {
      limits.put("Memory", defined.memory());
    }
    time(node, "CreatedAt", record.task().createdAt());
    time(node, "StartedAt", record.task().startedAt());
    node.put("Type", "NORMAL");
    if (defined.healthCheck() != null) {
      node.putObject("Health").put("status", container.healthStatusAsString());
    }
    LogConfiguration logs = defined.logConfiguration();
    if (logs != null) {
      node.put("LogDriver", logs.logDriverAsString());
      ObjectNode options = node.putObject("LogOptions");
      options.put("awslogs-group", logs.options().get("awslogs-group"));
      options.put("awslogs-region", logs.options().get("awslogs-region"));
      options.put(
          "awslogs-stream",
          logs.options().get("awslogs-stream-prefix") + "/" + container.name() + "/" + record.id());
    }
    node.put("ContainerARN", container.containerArn());
    network(node.putArray("Networks").addObject(), record);
    return node;
  }

  private void network(ObjectNode node, TaskRecord record) {
    node.put("NetworkMode", "awsvpc");
    node.putArray("IPv4Addresses").add(Eni.address(record));
    node.put("AttachmentIndex", 0);
    Eni.detail(record, Eni.MAC).ifPresent(mac -> node.put("MACAddress", mac));
    Cidr subnet =
        Cidr.parse(
            ec2.describeSubnets(request -> request.subnetIds(record.subnet()))
                .subnets()
                .getFirst()
                .cidrBlock());
    node.put("IPv4SubnetCIDRBlock", subnet.toString());
    node.putArray("DomainNameServers").add("169.254.169.253");
    Eni.detail(record, Eni.NAME).ifPresent(name -> node.put("PrivateDNSName", name));
    node.put("SubnetGatewayIpv4Address", subnet.at(1) + "/" + subnet.prefix());
  }

  private static void time(ObjectNode node, String name, @Nullable Instant at) {
    if (at != null) {
      node.put(name, at.toString());
    }
  }

  @Override
  public synchronized void close() {
    servers.values().forEach(VpcHttp.Server::close);
    servers.clear();
  }
}
