package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.agent.Utilization;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.Task;

/** A region whose time goes twenty times as fast as that of the machine and of its programs. */
class PaceTest {

  private static final int PACE = 20;

  @TempDir private Path directory;
  private World world;
  private Instant begin;

  @BeforeEach
  void open() {
    world = new World(directory, 5, AutoScalingGroups.NONE, PACE);
    begin = world.time.instant();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private String run() {
    return world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
  }

  @Test
  void cpuIsMeasuredByTheMachinesClockOncePerMinuteOfTheRegion() {
    List<Double> percents = new ArrayList<>();
    try (Utilization utilization =
        new Utilization(
            world.stored(),
            world.region,
            world.engine,
            metric ->
                (value, times) -> {
                  if (metric.name().equals("CPUUtilization")) {
                    percents.add(value);
                  }
                })) {
      world.lab(1);
      world.until("up", Duration.ofMinutes(30), world::settled);
      utilization.start();
      world.pass(Duration.ofSeconds(3 * 5)); // five minutes
    }
    // the simulated container uses a tenth of the one processor that its task has
    assertEquals(4, percents.size());
    percents.forEach(percent -> assertEquals(10, percent, 0.01));
  }

  @Test
  void whatIsPrintedIsLoggedInTheRegionsTime() {
    world.script.put(
        World.CONTAINER, Behaviour.runs().printing(Duration.ofSeconds(30), "half a minute"));
    world.createCluster();
    world.register(World.container().build());
    String arn = run();
    world.pass(Duration.ofMinutes(1));
    Task task = world.task(arn);
    List<OutputLogEvent> events =
        world
            .logs
            .getLogEvents(
                GetLogEventsRequest.builder()
                    .logGroupName(World.LOG_GROUP)
                    .logStreamName(
                        "ecs/" + World.CONTAINER + "/" + arn.substring(arn.lastIndexOf('/') + 1))
                    .limit(10)
                    .build())
            .events();
    assertEquals(1, events.size());
    Duration after =
        Duration.between(task.startedAt(), Instant.ofEpochMilli(events.getFirst().timestamp()));
    assertTrue(
        after.minusSeconds(PACE * 30L).abs().compareTo(Duration.ofSeconds(PACE)) < 0,
        "half a minute of the program is ten minutes of the region, not " + after);
  }

  @Test
  void aProgramsHealthIsCheckedNoMoreOften() {
    List<Duration> checks = new ArrayList<>();
    world.script.put(
        World.CONTAINER,
        Behaviour.runs()
            .answering(age -> {
              checks.add(age);
              return 0;
            }));
    world.createCluster();
    world.register(
        World.container()
            .healthCheck(h -> h.command("CMD-SHELL", "alive").interval(30).retries(2).timeout(2))
            .build());
    String arn = run();
    world.pass(Duration.ofSeconds(29));
    assertEquals(List.of(), checks);
    world.pass(Duration.ofSeconds(62));
    assertEquals(3, checks.size(), checks.toString());
    assertEquals(HealthStatus.HEALTHY, world.task(arn).healthStatus());
    assertFalse(world.task(arn).startedAt().isBefore(begin));
    assertEquals(begin.plusSeconds(91 * PACE), world.region.instant());
  }

  @Test
  void theGraceOfWhatStartsSlowlyIsNotShortened() {
    world.lab(1);
    String first = world.tasks().getFirst().taskArn();
    world.sick.addAll(world.runningAddresses()); // 30 seconds of grace, 1.5 if they were shortened
    world.pass(Duration.ofSeconds(20));
    assertEquals("RUNNING", world.task(first).desiredStatus());
    world.until(
        "replaced",
        Duration.ofMinutes(2),
        () -> !world.task(first).desiredStatus().equals("RUNNING"));
    assertTrue(
        !world.time.instant().isBefore(begin.plusSeconds(30)), world.time.instant().toString());
  }
}
