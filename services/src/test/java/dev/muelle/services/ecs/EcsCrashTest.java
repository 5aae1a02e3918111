package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.LOG_GROUP;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;
import software.amazon.awssdk.services.ecs.model.ServiceEvent;
import software.amazon.awssdk.services.ecs.model.ServiceNotActiveException;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * The server dies between any two steps, again and again, while a service is made, rolled and
 * deleted: the end is the one that was asked for, nothing happened twice, nothing is left.
 */
@Timeout(300)
class EcsCrashTest {

  private static final List<Integer> SEEDS = Seeds.orElse(25);
  private static final Duration LONG = Duration.ofMinutes(30);
  private static final List<String> LINES =
      IntStream.range(0, 12).mapToObj(i -> "line " + i / 3).toList();

  @TempDir Path directory;

  @Test
  void whereverTheServerDiesTheServiceIsAsWanted() throws IOException {
    int deaths = 0;
    for (int seed : SEEDS) {
      try {
        Run run = new Run(seed);
        run.run();
        deaths += run.deaths;
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(deaths > SEEDS.size(), "the server died only " + deaths + " times");
  }

  /** Each step of a task's start is the server's last; the next one is asked to stop the task. */
  @Test
  void aTaskWhoseStartDiedAnywhereLeavesNothingWhenStopped() throws IOException {
    int step = 1;
    while (dyingAt(step)) {
      step++;
    }
    assertTrue(step > 30, "a start has only " + step + " steps");
  }

  /** Gives whether the server died at all before the task ran. */
  private boolean dyingAt(int step) throws IOException {
    try (World world = new World(Files.createTempDirectory(directory, "step"), step)) {
      world.createCluster();
      world.register(World.container().build());
      String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
      world.life().endAfter(step);
      world.pass(Duration.ofSeconds(5));
      if (!world.life().over()) {
        assertEquals("RUNNING", world.task(arn).lastStatus());
        return false;
      }
      world.restart();
      world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
      world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
      assertEquals(List.of(), world.engine.sandboxes(), "died at step " + step);
      assertEquals(Map.of(), world.ec2.interfaces(), "died at step " + step);
      assertEquals(Map.of(), world.network.uses(), "died at step " + step);
      return true;
    }
  }

  @Test
  void theSameSeedIsTheSameRun() throws IOException {
    assertEquals(new Run(7).run(), new Run(7).run());
  }

  private final class Run {
    private final Random chaos;
    private final World world;
    private int lives;
    private int deaths;

    Run(int seed) throws IOException {
      chaos = new Random(seed);
      world = new World(Files.createTempDirectory(directory, "run"), seed);
      Behaviour behaviour =
          Behaviour.runs()
              .pulledIn(Duration.ofMillis(chaos.nextInt(3000)))
              .startedIn(Duration.ofMillis(chaos.nextInt(500)))
              .onSigterm(0, Duration.ofMillis(chaos.nextInt(4000)));
      for (int i = 0; i < LINES.size(); i++) {
        behaviour = behaviour.printing(Duration.ofMillis(400L * (i / 6)), LINES.get(i));
      }
      world.script.put(CONTAINER, behaviour);
      lives = 1 + chaos.nextInt(8);
      mayDie();
    }

    private void mayDie() {
      if (lives-- > 0) {
        world.life().endAfter(1 + chaos.nextInt(600));
      }
    }

    private void restart() {
      deaths++;
      world.restart();
      mayDie();
    }

    private void passing(String what, BooleanSupplier condition) {
      world.until(
          what,
          LONG,
          () -> {
            while (true) {
              try {
                if (world.life().over()) {
                  restart();
                }
                return condition.getAsBoolean();
              } catch (Life.Killed e) {
                world.life().end();
              }
            }
          });
    }

    /** Asks until somebody lived long enough to answer; the answer may have been lost. */
    private void ask(Runnable call) {
      while (true) {
        try {
          if (world.life().over()) {
            restart();
          }
          call.run();
          return;
        } catch (Life.Killed e) {
          world.life().end();
        }
      }
    }

    List<String> run() {
      try {
        ask(world::createCluster);
        ask(() -> world.register(World.container().build()));
        ask(this::createService);
        passing("stable", world::settled);
        Task oneShot = oneShot();
        roll();
        check(2);
        passing("the one-shot task stopped", () -> stopped(oneShot));
        List<String> events = world.service().events().stream().map(ServiceEvent::message).toList();
        mayDie();
        ask(this::deleteService);
        passing("inactive", () -> world.service().status().equals("INACTIVE"));
        check(0);
        return events;
      } finally {
        world.close();
      }
    }

    private void createService() {
      try {
        world.createService(2, 100, 200);
      } catch (InvalidParameterException e) {
        assertEquals("Creation of service was not idempotent.", e.getMessage());
      }
    }

    private void deleteService() {
      try {
        world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
      } catch (ServiceNotActiveException e) {
        assertTrue(!world.service().status().equals("ACTIVE"));
      }
    }

    /** A task that is run by hand, and stopped after a moment. */
    private Task oneShot() {
      Task[] task = new Task[1];
      ask(() ->
          task[0] =
              world.ecs().runTask(world.runTask().clientToken("once").build()).tasks().getFirst());
      passing("a moment", () -> chaos.nextInt(5) == 0);
      ask(() -> world.ecs().stopTask(r -> r.cluster(CLUSTER).task(task[0].taskArn())));
      return task[0];
    }

    private boolean stopped(Task task) {
      return world.task(task.taskArn()).lastStatus().equals("STOPPED");
    }

    private void roll() {
      String[] second = new String[1];
      ask(() -> second[0] = world.register(World.container().command("serve", "2").build()));
      ask(() ->
          world
              .ecs()
              .updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(second[0])));
      passing(
          "rolled",
          () -> {
            assertTrue(world.balancer.serving(TARGETS).size() >= 2, "fewer than two healthy");
            return world.settled()
                && world.tasks().stream().allMatch(t -> t.taskDefinitionArn().equals(second[0]));
          });
    }

    private void check(int tasks) {
      passing("only " + tasks + " interfaces", () -> world.ec2.interfaces().size() == tasks);
      passing("only " + tasks + " sandboxes", () -> world.engine.sandboxes().size() == tasks);
      assertEquals(world.ec2.interfaces().keySet(), world.network.uses().keySet());
      assertEquals(tasks, world.balancer.serving(TARGETS).size());
      for (Map.Entry<String, Integer> start : world.engine.starts().entrySet()) {
        assertEquals(1, start.getValue(), start.getKey() + " was started more than once");
      }
      world
          .logs
          .streamNames()
          .forEach(stream -> {
            List<String> lines =
                world.logs.lines(LOG_GROUP, stream.substring(LOG_GROUP.length() + 1));
            // A task that ran whole has printed everything; one that was stopped, a part of it.
            assertEquals(LINES.subList(0, lines.size()), lines, stream);
          });
    }
  }
}
