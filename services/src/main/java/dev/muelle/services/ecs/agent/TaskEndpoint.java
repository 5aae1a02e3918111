package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * What answers at 169.254.170.2 in every VPC that has tasks: the task metadata endpoint (version 4,
 * and version 3's paths with the same answers), the agent's endpoint for scale-in protection, and
 * the keys of the task's role.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html">Task
 *     metadata endpoint version 4</a>
 */
public final class TaskEndpoint implements AutoCloseable {

  private static final String ADDRESS = "169.254.170.2";
  private static final int PORT = 80;
  private static final String CREDENTIALS = "/v2/credentials/";
  private static final int MAX_BODY = 4096;

  private final Store store;
  private final TaskDefinitions definitions;
  private final TaskMetadata metadata;
  private final DockerStats stats;
  private final AgentProtection protection;
  private final TaskCredentials credentials;
  private final VpcHttp vpcHttp;
  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, VpcHttp.Server> servers = new HashMap<>();

  public TaskEndpoint(
      Store store,
      TaskDefinitions definitions,
      TaskMetadata metadata,
      DockerStats stats,
      AgentProtection protection,
      TaskCredentials credentials,
      VpcHttp vpcHttp) {
    this.store = store;
    this.definitions = definitions;
    this.metadata = metadata;
    this.stats = stats;
    this.protection = protection;
    this.credentials = credentials;
    this.vpcHttp = vpcHttp;
  }

  /** What a container finds in its environment of its own endpoints. */
  static Map<String, String> variables(TaskRecord task, String container, boolean role) {
    int number = Integer.parseInt(task.containerId(container).substring(task.id().length() + 1));
    String name = task.metadataId() + "-" + number;
    Map<String, String> variables = new HashMap<>();
    variables.put("ECS_CONTAINER_METADATA_URI", "http://" + ADDRESS + "/v3/" + name);
    variables.put("ECS_CONTAINER_METADATA_URI_V4", "http://" + ADDRESS + "/v4/" + name);
    variables.put("ECS_AGENT_URI", "http://" + ADDRESS + "/api/" + name);
    if (role) {
      variables.put("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", CREDENTIALS + task.metadataId());
    }
    return variables;
  }

  /** A task has ended. */
  void forget(TaskRecord task) {
    stats.forget(task);
    credentials.forget(task);
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
    if (request.path().startsWith(CREDENTIALS)) {
      return credentials(request);
    }
    // /v4/<task id>-<secret>-<container number>/…
    String[] path = request.path().split("/", 4);
    if (path.length < 3) {
      return notFound("404 page not found");
    }
    int dash = path[2].lastIndexOf('-');
    String metadataId = dash < 0 ? "" : path[2].substring(0, dash);
    Optional<TaskRecord> found = task(metadataId);
    if (found.isEmpty()) {
      return notFound("Unable to find task");
    }
    TaskRecord task = found.get();
    int number = number(path[2].substring(dash + 1));
    if (number < 0 || number >= task.task().containers().size()) {
      return notFound("Unable to find container");
    }
    Container container = task.task().containers().get(number);
    String rest = path.length == 3 ? "" : path[3];
    return switch (path[1]) {
      case "v3", "v4" -> metadata(request, task, container, rest);
      case "api" ->
          rest.equals("task-protection/v1/state")
              ? protection(request, task)
              : notFound("404 page not found");
      default -> notFound("404 page not found");
    };
  }

  private Optional<TaskRecord> task(String metadataId) {
    return store
        .read(tx -> tx.get(TaskRecord.TABLE, TaskRecord.ofContainer(metadataId)))
        .map(Row::value)
        .filter(task -> task.metadataId().equals(metadataId));
  }

  private HttpResponse credentials(HttpRequest request) throws IOException {
    if (!request.method().equals("GET")) {
      return HttpResponse.of(405, "text/plain", "Method Not Allowed");
    }
    Optional<ObjectNode> keys =
        task(request.path().substring(CREDENTIALS.length())).flatMap(credentials::keys);
    return keys.isPresent()
        ? reply(200, keys.get())
        : reply(
            400,
            json.createObjectNode()
                .put("code", "InvalidIdInRequest")
                .put("message", "CredentialsV2Request: Credentials not found")
                .put("HTTPErrorCode", 400));
  }

  private HttpResponse metadata(
      HttpRequest request, TaskRecord task, Container container, String rest) throws IOException {
    if (!request.method().equals("GET")) {
      return HttpResponse.of(405, "text/plain", "Method Not Allowed");
    }
    TaskDefinition definition = definitions.byArn(task.task().taskDefinitionArn()).orElseThrow();
    return switch (rest) {
      case "" -> reply(200, metadata.container(task, definition, container));
      case "task" -> reply(200, metadata.task(task, definition));
      case "taskWithTags" -> reply(200, metadata.taskWithTags(task, definition));
      case "stats" -> reply(200, stats.container(task, container));
      case "task/stats" -> reply(200, stats.task(task));
      default -> notFound("404 page not found");
    };
  }

  private HttpResponse protection(HttpRequest request, TaskRecord task) throws IOException {
    AgentProtection.Answer answer =
        switch (request.method()) {
          case "GET" -> protection.get(task);
          case "PUT" -> protection.put(task, request.body().readNBytes(MAX_BODY));
          default -> null;
        };
    return answer == null
        ? HttpResponse.of(405, "text/plain", "Method Not Allowed")
        : reply(answer.status(), answer.body());
  }

  private static HttpResponse notFound(String text) {
    return HttpResponse.of(404, "text/plain", text);
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private HttpResponse reply(int status, JsonNode body) throws IOException {
    return HttpResponse.of(status, "application/json", json.writeValueAsBytes(body));
  }

  @Override
  public synchronized void close() {
    servers.values().forEach(VpcHttp.Server::close);
    servers.clear();
  }
}
