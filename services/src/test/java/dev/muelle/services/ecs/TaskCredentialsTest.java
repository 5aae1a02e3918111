package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CONTAINER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.wire.AccessKeys.AccessKey;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The keys of a task's role, as its containers ask for them. */
@Timeout(120)
class TaskCredentialsTest {

  private static final Duration LONG = Duration.ofMinutes(10);
  private static final String VARIABLE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  private static final String ROLE = "arn:aws:iam::000000000000:role/LabRole";

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
    world.register(World.container().build());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private TaskRecord run() {
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    return world.record(arn);
  }

  private Map<String, String> environment(TaskRecord task) {
    return world.engine.containerSpec(task.containerId(CONTAINER)).orElseThrow().environment();
  }

  private boolean known(JsonNode keys) {
    return world.keys().find(keys.path("AccessKeyId").asText()).isPresent();
  }

  @Test
  void aTaskHasItsRolesKeysAsLongAsItLives() throws Exception {
    TaskRecord task = run();
    String path = environment(task).getOrDefault(VARIABLE, "");
    assertTrue(path.startsWith("/v2/credentials/"), path);
    JsonNode keys = Endpoint.get(world, path);
    assertEquals(ROLE, keys.path("RoleArn").asText());
    AccessKey key = world.keys().find(keys.path("AccessKeyId").asText()).orElseThrow();
    assertEquals(key.secretAccessKey(), keys.path("SecretAccessKey").asText());
    assertEquals(key.sessionToken(), keys.path("Token").asText());
    assertEquals("arn:aws:sts::000000000000:assumed-role/LabRole/" + task.id(), key.arn());
    Instant end = Instant.parse(keys.path("Expiration").asText());
    assertTrue(end.isAfter(world.time.instant()), keys::toString);

    world.restart();
    world.until("it is served again", LONG, () -> !world.vpcServers.isEmpty());
    assertEquals(keys, Endpoint.get(world, path), "they outlive the server");
    assertEquals(400, Endpoint.ask(world, "GET", path + "0", "").status());
    assertEquals(405, Endpoint.ask(world, "PUT", path, "").status());
    assertFalse(keys.equals(Endpoint.get(world, environment(run()).get(VARIABLE))), "its own");

    world.pass(Duration.ofHours(6));
    JsonNode later = Endpoint.get(world, path);
    assertFalse(keys.equals(later), "in time there are others");
    world.ecs().stopTask(request -> request.cluster(World.CLUSTER).task(task.task().taskArn()));
    world.until("stopped", LONG, () -> !known(later));
  }
}
