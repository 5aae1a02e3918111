package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CONTAINER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.Tag;

/** The task metadata endpoint, as a container asks it. */
@Timeout(120)
class TaskMetadataTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;
  private TaskRecord task;
  private String path;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
    world.script.put(CONTAINER, Behaviour.runs().exiting(1, Duration.ofSeconds(100)));
    world.script.put("short", Behaviour.runs().exiting(7, Duration.ofSeconds(3)));
    world.register(
        World.container()
            .memory(2500)
            .restartPolicy(policy -> policy.enabled(true).restartAttemptPeriod(60))
            .build(),
        ContainerDefinition.builder()
            .name("short")
            .image("registry.test/short:1")
            .essential(false)
            .build());
    String arn =
        world
            .ecs()
            .runTask(world.runTask().tags(Tag.builder().key("team").value("alba").build()).build())
            .tasks()
            .getFirst()
            .taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    task = world.record(arn);
    path = Endpoint.path(world, task, CONTAINER, "ECS_CONTAINER_METADATA_URI_V4");
  }

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void aContainerIsToldItsTimesLimitsLogsAndRestarts() throws Exception {
    world.until("started again", LONG, () -> world.engine.starts().get(task.id() + "-0") == 2);
    JsonNode self = Endpoint.get(world, path);
    assertEquals(2500, self.at("/Limits/Memory").asInt());
    assertEquals(1024, self.at("/Limits/CPU").asInt());
    assertEquals(1, self.path("RestartCount").asInt(-1));
    assertEquals("awslogs", self.path("LogDriver").asText());
    assertEquals(
        "ecs/" + CONTAINER + "/" + task.id(), self.at("/LogOptions/awslogs-stream").asText());
    assertTrue(self.at("/LogOptions/awslogs-stream-prefix").isMissingNode());
    assertEquals("ec2.internal", self.at("/Networks/0/DomainNameSearchList/0").asText());
    assertTrue(
        self.path("StartedAt").asText().compareTo(self.path("CreatedAt").asText()) > 0,
        self::toString);
    JsonNode other = Endpoint.get(world, path + "/task").at("/Containers/1");
    assertEquals(7, other.path("ExitCode").asInt());
    assertEquals("STOPPED", other.path("KnownStatus").asText());
    assertFalse(other.path("FinishedAt").isMissingNode());
    assertTrue(other.path("RestartCount").isMissingNode());
  }

  @Test
  void aTaskOnFargateIsToldHowExactItsClockIs() throws Exception {
    JsonNode drift = Endpoint.get(world, path + "/task").path("ClockDrift");
    assertEquals(0.5, drift.path("ClockErrorBound").asDouble());
    assertEquals("SYNCHRONIZED", drift.path("ClockSynchronizationStatus").asText());
    assertTrue(
        drift.path("ReferenceTimestamp").asText().matches("20..-..-..T..:..:..Z"), drift::toString);
  }

  @Test
  void aTaskIsToldItsStorageAndItsTags() throws Exception {
    JsonNode plain = Endpoint.get(world, path + "/task");
    assertEquals(20 * 1024, plain.at("/EphemeralStorageMetrics/Reserved").asInt());
    assertEquals(2, plain.at("/EphemeralStorageMetrics/Utilized").asInt());
    assertTrue(plain.path("TaskTags").isMissingNode());
    JsonNode tagged = Endpoint.get(world, path + "/taskWithTags");
    assertEquals("alba", tagged.at("/TaskTags/team").asText());
    assertEquals(task.task().taskArn(), tagged.path("TaskARN").asText());
  }

  @Test
  void statisticsHaveDockersFormAndCompareWithTheSampleBefore() throws Exception {
    world.pass(Duration.ofSeconds(10));
    JsonNode first = Endpoint.get(world, path + "/stats");
    assertEquals("0001-01-01T00:00:00Z", first.path("preread").asText());
    assertTrue(first.path("network_rate_stats").isMissingNode());
    assertEquals(2500L << 20, first.at("/memory_stats/limit").asLong());
    assertEquals(CONTAINER, first.path("name").asText());
    assertEquals(task.id() + "-0", first.path("id").asText());
    world.pass(Duration.ofSeconds(10));
    JsonNode second = Endpoint.get(world, path + "/stats");
    assertEquals(first.path("read").asText(), second.path("preread").asText());
    long used =
        second.at("/cpu_stats/cpu_usage/total_usage").asLong()
            - second.at("/precpu_stats/cpu_usage/total_usage").asLong();
    assertEquals(1_000_000_000L, used, "a tenth of a CPU for ten seconds");
    assertEquals(1000.0, second.at("/network_rate_stats/rx_bytes_per_sec").asDouble());
    assertEquals(
        second.at("/networks/eth0/rx_bytes").asLong(),
        second.at("/networks/eth0/tx_bytes").asLong());
    JsonNode all = Endpoint.get(world, path + "/task/stats");
    assertEquals(CONTAINER, all.path(task.id() + "-0").path("name").asText());
    assertTrue(all.path(task.id() + "-1").isNull(), "it has exited");
  }

  @Test
  void whatIsNotThereIsNotFoundAndNothingIsWritten() throws Exception {
    for (String bad :
        new String[] {
          "/",
          "/v4",
          "/v4/",
          "/v4/-",
          "/v4/x-1",
          path + "/",
          path + "/task/",
          path + "9",
          path.replace("/v4/", "/v5/"),
          path.replace("/v4/", "/api/"),
          "/v4/" + task.id() + "-0/task"
        }) {
      int status = Endpoint.ask(world, "GET", bad, "").status();
      assertEquals(bad.equals(path + "/") ? 200 : 404, status, bad);
    }
    assertEquals(405, Endpoint.ask(world, "POST", path, "").status());
  }
}
