package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;
import software.amazon.awssdk.services.ecs.model.ProtectedTask;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionResponse;

/** Tasks that scale-in and deployments leave alone for a time. */
@Timeout(120)
class TaskProtectionTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.lab(3);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private List<String> arns() {
    return world.tasks().stream().map(Task::taskArn).sorted().toList();
  }

  private UpdateTaskProtectionResponse protect(String arn, Integer minutes) {
    return world
        .ecs()
        .updateTaskProtection(request ->
            request.cluster(CLUSTER).tasks(arn).protectionEnabled(true).expiresInMinutes(minutes));
  }

  private ProtectedTask state(String arn) {
    return world
        .ecs()
        .getTaskProtection(request -> request.cluster(CLUSTER).tasks(arn))
        .protectedTasks()
        .getFirst();
  }

  private void desire(int count) {
    world
        .ecs()
        .updateService(request -> request.cluster(CLUSTER).service(SERVICE).desiredCount(count));
  }

  @Test
  void scaleInTakesTheOthersAndThisOneWhenItsTimeIsOver() {
    String spared = arns().getLast();
    ProtectedTask shown = protect(spared, 30).protectedTasks().getFirst();
    assertTrue(shown.protectionEnabled());
    assertEquals(world.time.instant().plus(Duration.ofMinutes(30)), shown.expirationDate());
    desire(0);
    world.until("only one is left", LONG, () -> arns().equals(List.of(spared)));
    world.pass(Duration.ofMinutes(15));
    assertEquals(List.of(spared), arns());
    world.until("none is left", Duration.ofMinutes(30), () -> arns().isEmpty());
  }

  @Test
  void itLastsTwoHoursIfNothingIsSaidAndSurvivesTheServer() {
    String arn = arns().getFirst();
    protect(arn, null);
    world.restart();
    world.pass(Duration.ofMinutes(119));
    assertTrue(state(arn).protectionEnabled());
    world.pass(Duration.ofMinutes(2));
    assertFalse(state(arn).protectionEnabled());
  }

  @Test
  void aDeploymentWaitsForItAndGoesOnWhenItIsTakenAway() {
    String kept = arns().getFirst();
    protect(kept, 600);
    world.register(World.container().cpu(512).build());
    world
        .ecs()
        .updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(World.FAMILY));
    world.until(
        "four tasks: three new ones and it",
        LONG,
        () -> {
          List<String> now = arns();
          return now.size() == 4
              && now.contains(kept)
              && world.balancer.serving(World.TARGETS).size() == 4;
        });
    world.pass(LONG);
    assertEquals(4, arns().size());
    assertEquals(2, world.service().deployments().size());
    String another = arns().stream().filter(arn -> !arn.equals(kept)).findFirst().orElseThrow();
    assertEquals("DEPLOYMENT_BLOCKED", protect(another, 5).failures().getFirst().reason());
    assertTrue(protect(kept, 700).failures().isEmpty(), "it may be prolonged");
    world.ecs().updateTaskProtection(r -> r.cluster(CLUSTER).tasks(kept).protectionEnabled(false));
    world.until("deployed", LONG, () -> !arns().contains(kept) && world.stable());
  }

  @Test
  void itDoesNotKeepASickTaskNorStopAnybodyFromStoppingIt() {
    String sick = arns().getFirst();
    protect(sick, 600);
    world.sick.add(Eni.address(world.record(sick)));
    world.until("replaced", LONG, () -> !arns().contains(sick));
    String other = arns().getFirst();
    protect(other, 600);
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(other));
    world.until("stopped", LONG, () -> !arns().contains(other));
  }

  @Test
  void aDeletedServiceTakesItAlong() {
    protect(arns().getFirst(), 600);
    world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
    world.until("gone", LONG, () -> world.runningContainers().isEmpty());
  }

  @Test
  void whatIsNoTaskOfAServiceCannotBeProtected() {
    String alone = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    assertEquals("TASK_NOT_VALID", protect(alone, 5).failures().getFirst().reason());
    assertEquals("MISSING", protect("0".repeat(32), 5).failures().getFirst().reason());
    for (int minutes : new int[] {0, -1, 2881}) {
      assertThrows(InvalidParameterException.class, () -> protect(arns().getFirst(), minutes));
    }
  }

  @Test
  void aTaskProtectsItselfThroughTheAgent() throws Exception {
    TaskRecord task = world.record(arns().getFirst());
    String path =
        Endpoint.path(world, task, World.CONTAINER, "ECS_AGENT_URI") + "/task-protection/v1/state";
    JsonNode before = Endpoint.get(world, path).path("protection");
    assertFalse(before.path("ProtectionEnabled").asBoolean(true));
    JsonNode after =
        Endpoint.put(world, path, "{\"ProtectionEnabled\":true,\"ExpiresInMinutes\":60}", 200)
            .path("protection");
    assertEquals(task.task().taskArn(), after.path("TaskArn").asText());
    assertEquals(
        world.time.instant().plus(Duration.ofHours(1)).toString(),
        after.path("ExpirationDate").asText());
    assertTrue(state(task.task().taskArn()).protectionEnabled());
    for (String bad :
        List.of(
            "",
            "{",
            "[]",
            "{}",
            "{\"ProtectionEnabled\":\"yes\"}",
            "{\"ProtectionEnabled\":true,\"ExpiresInMinutes\":2881}",
            "{\"ProtectionEnabled\":true,\"ExpiresInMinutes\":\"x\"}")) {
      assertEquals(
          "InvalidParameterException",
          Endpoint.put(world, path, bad, 400).path("error").path("Code").asText(),
          bad);
    }
    assertTrue(state(task.task().taskArn()).protectionEnabled());
  }
}
