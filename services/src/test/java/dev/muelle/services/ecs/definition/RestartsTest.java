package dev.muelle.services.ecs.definition;

import static dev.muelle.services.ecs.World.CONTAINER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.World;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.ContainerRestartPolicy;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.Task;

/** Containers that are started again in their task, and those that are not. */
@Timeout(120)
class RestartsTest {

  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private String run(Behaviour behaviour, Consumer<ContainerRestartPolicy.Builder> policy) {
    world.script.put(CONTAINER, behaviour);
    world.register(World.container().restartPolicy(policy).build());
    return world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
  }

  private int starts(String arn) {
    return world.engine.starts().getOrDefault(TaskRecord.idOf(arn) + "-0", 0);
  }

  private Task stopped(String arn) {
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    return world.task(arn);
  }

  @Test
  void oneThatRanLongEnoughRunsAgainAndItsTaskKnowsNothingOfIt() {
    String arn =
        run(
            Behaviour.runs().exiting(1, Duration.ofSeconds(61)),
            policy -> policy.enabled(true).restartAttemptPeriod(60));
    world.until("started three times", LONG, () -> starts(arn) == 3);
    Task task = world.task(arn);
    assertEquals("RUNNING", task.lastStatus());
    assertEquals("RUNNING", task.containers().getFirst().lastStatus());
    assertNull(task.containers().getFirst().exitCode());
    assertEquals(2, world.engine.container(TaskRecord.idOf(arn) + "-0").orElseThrow().restarts());
  }

  @Test
  void oneThatExitsBeforeThePeriodIsOverStopsItsTask() {
    String arn =
        run(
            Behaviour.runs().exiting(1, Duration.ofSeconds(299)),
            policy -> policy.enabled(true)); // 300 s if nothing is said
    assertEquals(1, stopped(arn).containers().getFirst().exitCode());
    assertEquals(1, starts(arn));
  }

  @Test
  void oneThatExitsWithAnIgnoredCodeStopsItsTask() {
    String arn =
        run(
            Behaviour.runs().exiting(0, Duration.ofSeconds(400)),
            policy -> policy.enabled(true).ignoredExitCodes(3, 0));
    assertEquals(0, stopped(arn).containers().getFirst().exitCode());
    assertEquals(1, starts(arn));
  }

  @Test
  void aPolicyThatIsNotEnabledRestartsNothing() {
    String arn =
        run(
            Behaviour.runs().exiting(1, Duration.ofSeconds(400)),
            policy -> policy.enabled(false).restartAttemptPeriod(60));
    stopped(arn);
    assertEquals(1, starts(arn));
  }

  @Test
  void nothingStartsAgainInATaskThatIsToStop() {
    String arn = run(Behaviour.runs(), policy -> policy.enabled(true).restartAttemptPeriod(60));
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    world.pass(Duration.ofMinutes(10));
    world.ecs().stopTask(request -> request.cluster(World.CLUSTER).task(arn));
    stopped(arn);
    assertEquals(1, starts(arn));
  }

  @Test
  void oneThatExitsWhileTheServerIsDeadIsStartedByTheNext() {
    String arn = run(Behaviour.runs(), policy -> policy.enabled(true).restartAttemptPeriod(60));
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    world.pass(Duration.ofMinutes(2));
    world.life().end();
    world.engine.kill(TaskRecord.idOf(arn) + "-0");
    world.restart();
    world.until("started again", LONG, () -> starts(arn) == 2);
    assertEquals("RUNNING", world.task(arn).lastStatus());
  }

  @Test
  void itsHealthIsUnknownAgainUntilItIsChecked() {
    world.script.put(CONTAINER, Behaviour.runs().exiting(1, Duration.ofSeconds(100)));
    world.register(
        World.container()
            .restartPolicy(policy -> policy.enabled(true).restartAttemptPeriod(60))
            .healthCheck(check -> check.command("CMD-SHELL", "true").interval(30))
            .build());
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    world.until("healthy", LONG, () -> world.task(arn).healthStatus() == HealthStatus.HEALTHY);
    world.until("started again", LONG, () -> starts(arn) == 2);
    world.until(
        "unknown",
        Duration.ofSeconds(5),
        () -> world.task(arn).healthStatus() == HealthStatus.UNKNOWN);
    world.until(
        "healthy again",
        Duration.ofSeconds(40),
        () -> world.task(arn).healthStatus() == HealthStatus.HEALTHY);
  }

  @Test
  void whatEcsRefusesIsRefused() {
    for (Consumer<ContainerRestartPolicy.Builder> policy :
        List.<Consumer<ContainerRestartPolicy.Builder>>of(
            p -> p.restartAttemptPeriod(60),
            p -> p.enabled(true).restartAttemptPeriod(59),
            p -> p.enabled(true).restartAttemptPeriod(1801),
            p -> p.enabled(true).ignoredExitCodes(IntStream.range(0, 51).boxed().toList()))) {
      ClientException refused =
          assertThrows(
              ClientException.class,
              () -> world.register(World.container().restartPolicy(policy).build()));
      assertTrue(refused.getMessage().contains("Invalid restartPolicy"), refused.getMessage());
    }
  }
}
