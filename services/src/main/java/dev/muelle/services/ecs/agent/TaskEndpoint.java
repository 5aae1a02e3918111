package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
 * and version 3's paths with the same answers), and the agent's endpoint for scale-in protection.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html">Task
 *     metadata endpoint version 4</a>
 */
public final class TaskEndpoint implements AutoCloseable {

  private static final String ADDRESS = "169.254.170.2";
  private static final int PORT = 80;
  private static final int MAX_BODY = 4096;

  private final Store store;
  private final TaskDefinitions definitions;
  private final TaskMetadata metadata;
  private final DockerStats stats;
  private final AgentProtection protection;
  private final VpcHttp vpcHttp;
  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, VpcHttp.Server> servers = new HashMap<>();

  public TaskEndpoint(
      Store store,
      TaskDefinitions definitions,
      TaskMetadata metadata,
      DockerStats stats,
      AgentProtection protection,
      VpcHttp vpcHttp) {
    this.store = store;
    this.definitions = definitions;
    this.metadata = metadata;
    this.stats = stats;
    this.protection = protection;
    this.vpcHttp = vpcHttp;
  }

  /** What a container finds in its environment of its own endpoints. */
  static Map<String, String> variables(TaskRecord task, String container) {
    int number = Integer.parseInt(task.containerId(container).substring(task.id().length() + 1));
    String name = task.metadataId() + "-" + number;
    return Map.of(
        "ECS_CONTAINER_METADATA_URI", "http://" + ADDRESS + "/v3/" + name,
        "ECS_CONTAINER_METADATA_URI_V4", "http://" + ADDRESS + "/v4/" + name,
        "ECS_AGENT_URI", "http://" + ADDRESS + "/api/" + name);
  }

  /** A task has ended. */
  void forget(TaskRecord task) {
    stats.forget(task);
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
    // /v4/<task id>-<secret>-<container number>/…
    String[] path = request.path().split("/", 4);
    if (path.length < 3) {
      return notFound("404 page not found");
    }
    int dash = path[2].lastIndexOf('-');
    String metadataId = dash < 0 ? "" : path[2].substring(0, dash);
    Optional<TaskRecord> found =
        store
            .read(tx -> tx.get(TaskRecord.TABLE, TaskRecord.ofContainer(metadataId)))
            .map(Row::value)
            .filter(task -> task.metadataId().equals(metadataId));
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
