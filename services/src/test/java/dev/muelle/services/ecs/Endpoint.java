package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** How a container of a simulated task asks the task's endpoint. */
final class Endpoint {

  private static final String ADDRESS = "http://169.254.170.2";

  private Endpoint() {}

  /** The path that a container was told in a variable. */
  static String path(World world, TaskRecord task, String container, String variable) {
    String uri =
        world
            .engine
            .containerSpec(task.containerId(container))
            .orElseThrow()
            .environment()
            .getOrDefault(variable, "");
    assertEquals(ADDRESS, uri.substring(0, Math.min(uri.length(), ADDRESS.length())));
    return uri.substring(ADDRESS.length());
  }

  static JsonNode get(World world, String path) throws IOException {
    return json(ask(world, "GET", path, ""), 200);
  }

  static JsonNode put(World world, String path, String body, int status) throws IOException {
    return json(ask(world, "PUT", path, body), status);
  }

  private static JsonNode json(HttpResponse response, int status) throws IOException {
    assertEquals(status, response.status());
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    response.body().writeTo(body);
    return new ObjectMapper().readTree(body.toByteArray());
  }

  static HttpResponse ask(World world, String method, String path, String body) throws IOException {
    return world
        .vpcServers
        .get(FakeEc2.VPC + "/169.254.170.2:80")
        .handle(
            new HttpRequest(
                method,
                path,
                "",
                Map.of(),
                "172.31.0.4",
                new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8))));
  }
}
