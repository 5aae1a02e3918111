package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.LOG_GROUP;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClusterContainsServicesException;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/** The lab on the simulators: its service, its rollouts, and the end of everything. */
@Timeout(120)
class EcsLabTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
  }

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void theServiceBecomesStableWithBothTasksHealthyInTheLoadBalancer() {
    world.lab(2);
    world.until("healthy", LONG, world::settled);
    Service service = world.service();
    assertEquals(2, service.runningCount());
    assertEquals(0, service.pendingCount());
    assertEquals("PRIMARY", service.deployments().getFirst().status());
    world.until(
        "completed",
        LONG,
        () ->
            world.service().deployments().getFirst().rolloutState()
                == DeploymentRolloutState.COMPLETED);
    assertTrue(world.saysEvent("(service " + SERVICE + ") has started 2 tasks: (task "));
    assertTrue(world.saysEvent("registered 1 targets in (target-group " + TARGETS + ")"));
    assertTrue(world.saysEvent("has reached a steady state."));
    Set<String> zones =
        world.tasks().stream().map(Task::availabilityZone).collect(Collectors.toSet());
    assertEquals(2, zones.size());
    for (Task task : world.tasks()) {
      Map<String, String> details =
          task.attachments().getFirst().details().stream()
              .collect(Collectors.toMap(d -> d.name(), d -> d.value()));
      assertEquals("ATTACHED", task.attachments().getFirst().status());
      assertTrue(
          details
              .keySet()
              .containsAll(
                  Set.of("subnetId", "networkInterfaceId", "macAddress", "privateIPv4Address")));
      assertTrue(world.network.uses().containsKey(details.get("networkInterfaceId")));
      assertEquals(
          List.of(details.get("privateIPv4Address")),
          task.containers().getFirst().networkInterfaces().stream()
              .map(eni -> eni.privateIpv4Address())
              .toList());
      assertTrue(!task.createdAt().isAfter(task.pullStartedAt()));
      assertTrue(!task.pullStartedAt().isAfter(task.pullStoppedAt()));
      assertTrue(!task.pullStoppedAt().isAfter(task.startedAt()));
    }
  }

  @Test
  void aNewRevisionRollsWithNeverFewerThanTwoHealthyAndEndsTheOldAfterDraining() {
    world.lab(2);
    world.until("healthy", LONG, world::settled);
    List<String> old = world.tasks().stream().map(Task::taskArn).toList();
    String second = world.register(World.container().command("serve", "2").build());
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(second));
    world.until(
        "rolled",
        LONG,
        () -> {
          assertTrue(world.balancer.serving(TARGETS).size() >= 2, "fewer than two healthy");
          assertTrue(world.runningContainers().size() <= 4, "more than 200 %");
          return world.settled()
              && world.tasks().stream().allMatch(t -> t.taskDefinitionArn().equals(second));
        });
    for (String arn : old) {
      Task task = world.task(arn);
      assertEquals("STOPPED", task.lastStatus());
      assertEquals(TaskStopCode.SERVICE_SCHEDULER_INITIATED, task.stopCode());
      assertTrue(
          task.stoppedReason()
              .matches("Scaling activity initiated by \\(deployment ecs-svc/\\d+\\)"),
          task.stoppedReason());
      // Draining takes five seconds, and the process is not asked to stop before.
      assertTrue(Duration.between(task.stoppingAt(), task.executionStoppedAt()).toSeconds() >= 5);
    }
    assertTrue(world.saysEvent("has begun draining connections on"));
    assertTrue(world.saysEvent("deregistered 1 targets in (target-group " + TARGETS + ")"));
    assertTrue(world.saysEvent("has stopped 1 running tasks: (task "));
  }

  @Test
  void scalesOutAndInAndRedeploysByForce() {
    world.lab(2);
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(3));
    world.until("three", LONG, () -> world.settled() && world.tasks().size() == 3);
    Set<String> before = world.tasks().stream().map(Task::taskArn).collect(Collectors.toSet());
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    world.until(
        "redeployed",
        LONG,
        () ->
            world.settled() && world.tasks().stream().noneMatch(t -> before.contains(t.taskArn())));
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(0));
    world.until("none", LONG, () -> world.settled() && world.runningContainers().isEmpty());
    assertEquals(1, world.service().deployments().size());
  }

  @Test
  void aKilledProcessIsReplacedAndTellsItsExitCodeAndReason() {
    world.lab(2);
    world.until("healthy", LONG, world::settled);
    Task victim = world.tasks().getFirst();
    world.engine.kill(
        world.runningContainers().stream()
            .filter(c -> victim.taskArn().endsWith(c.sandboxId()))
            .findFirst()
            .orElseThrow()
            .id());
    world.until(
        "replaced",
        LONG,
        () ->
            world.tasks().stream().noneMatch(t -> t.taskArn().equals(victim.taskArn()))
                && world.settled());
    world.until("stopped", LONG, () -> world.task(victim.taskArn()).lastStatus().equals("STOPPED"));
    Task stopped = world.task(victim.taskArn());
    assertEquals(TaskStopCode.ESSENTIAL_CONTAINER_EXITED, stopped.stopCode());
    assertEquals("Essential container in task exited", stopped.stoppedReason());
    assertEquals(137, stopped.containers().getFirst().exitCode());
    assertEquals("DELETED", stopped.attachments().getFirst().status());
    world.pass(Duration.ofMinutes(61));
    assertEquals(
        "MISSING",
        world
            .ecs()
            .describeTasks(r -> r.cluster(CLUSTER).tasks(victim.taskArn()))
            .failures()
            .getFirst()
            .reason());
  }

  @Test
  void aTargetThatFailsItsChecksAfterTheGracePeriodIsReplaced() {
    world.lab(2);
    world.until("healthy", LONG, world::settled);
    world.pass(Duration.ofSeconds(40));
    Task sick = world.tasks().getFirst();
    world.sick.add(Eni.address(world.record(sick.taskArn())));
    world.until(
        "replaced",
        LONG,
        () -> world.task(sick.taskArn()).lastStatus().equals("STOPPED") && world.settled());
    assertEquals(
        "Task failed ELB health checks in (target-group " + TARGETS + ")",
        world.task(sick.taskArn()).stoppedReason());
  }

  @Test
  void whatContainersPrintIsInTheLogsWhole() {
    world.script.put(
        CONTAINER,
        Behaviour.runs()
            .printing(Duration.ofMillis(10), "first")
            .printing(Duration.ofMillis(10), "second")
            .printing(Duration.ofSeconds(3), "last words")
            .exiting(0, Duration.ofSeconds(3)));
    world.createCluster();
    world.register(World.container().build());
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    String id = TaskRecord.idOf(arn);
    assertEquals(
        List.of("first", "second", "last words"),
        world.logs.lines(LOG_GROUP, "ecs/" + CONTAINER + "/" + id));
  }

  @Test
  void deletionLeavesNothing() {
    world.lab(2);
    assertThrows(
        ClusterContainsServicesException.class,
        () -> world.ecs().deleteCluster(r -> r.cluster(CLUSTER)));
    world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
    assertEquals("DRAINING", world.service().status());
    world.until("inactive", LONG, () -> world.service().status().equals("INACTIVE"));
    assertEquals("INACTIVE", world.ecs().deleteCluster(r -> r.cluster(CLUSTER)).cluster().status());
    SimEngine engine = world.engine;
    assertEquals(List.of(), engine.sandboxes());
    assertEquals(Map.of(), world.network.uses());
    assertEquals(Map.of(), world.ec2.interfaces());
    assertEquals(List.of(), world.balancer.serving(TARGETS));
  }
}
