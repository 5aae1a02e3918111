package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.sim.Behaviour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;

/** Services whose tasks fail, and services under everything at once. */
@Timeout(300)
class EcsServicesTest {

  private static final List<Integer> SEEDS = Seeds.orElse(15);
  private static final Duration LONG = Duration.ofMinutes(30);

  @TempDir Path directory;

  private World world(int seed) throws IOException {
    return new World(Files.createTempDirectory(directory, "world"), seed);
  }

  @Test
  void tasksThatNeverStartAreTriedEverLessOften() throws IOException {
    try (World world = world(1)) {
      world.script.put(CONTAINER, Behaviour.runs().failingToPull("CannotPullContainerError: no"));
      world.createCluster();
      world.register(World.container().build());
      world.createService(1, 100, 200);
      world.pass(Duration.ofHours(2));
      int failed = world.service().deployments().getFirst().failedTasks();
      assertTrue(failed > 5 && failed < 25, failed + " tries in two hours");
      assertTrue(world.saysEvent("is unable to consistently start tasks successfully."));
      // Once it can be pulled, the service comes up within the longest pause.
      world.script.put(CONTAINER, Behaviour.runs());
      world.until("stable", Duration.ofMinutes(17), world::settled);
    }
  }

  @Test
  void aServicesTasksAreListedThoseThatRunAndThoseThatDidApart() throws IOException {
    try (World world = world(1)) {
      world.lab(2);
      world.ecs().runTask(world.runTask().build());
      List<String> first = listed(world, DesiredStatus.RUNNING);
      assertEquals(2, first.size());
      world.ecs().stopTask(r -> r.cluster(CLUSTER).task(first.getFirst()));
      world.until("replaced", LONG, () -> listed(world, DesiredStatus.RUNNING).size() == 2);
      world.pass(Duration.ofMinutes(2)); // it is not one of those that live any more
      assertEquals(List.of(first.getFirst()), listed(world, DesiredStatus.STOPPED));
    }
  }

  private static List<String> listed(World world, DesiredStatus desired) {
    return world
        .ecs()
        .listTasks(r -> r.cluster(CLUSTER).serviceName(SERVICE).desiredStatus(desired))
        .taskArns();
  }

  @Test
  void theCircuitBreakerRollsBackToWhatWorked() throws IOException {
    try (World world = world(1)) {
      world.lab(2);
      String first = world.service().taskDefinition();
      world.until("completed", LONG, () -> state(world) == DeploymentRolloutState.COMPLETED);
      world.deployBroken(true);
      world.until(
          "rolled back",
          LONG,
          () -> {
            assertTrue(world.balancer.serving(TARGETS).size() >= 2, "fewer than two healthy");
            return world.service().taskDefinition().equals(first)
                && world.settled()
                && state(world) == DeploymentRolloutState.COMPLETED;
          });
      assertTrue(world.saysEvent("deployment failed: tasks failed to start."));
      assertTrue(world.saysEvent("rolling back to deployment ecs-svc/"));
    }
  }

  @Test
  void withoutRollbackTheFailedDeploymentStopsTrying() throws IOException {
    try (World world = world(1)) {
      world.lab(2);
      world.until("healthy", LONG, world::settled);
      world.deployBroken(false);
      world.until("failed", LONG, () -> state(world) == DeploymentRolloutState.FAILED);
      world.pass(Duration.ofMinutes(1));
      int tries = world.engine.starts().size();
      world.pass(Duration.ofHours(1));
      assertEquals(tries, world.engine.starts().size());
      assertEquals(2, world.balancer.serving(TARGETS).size());
    }
  }

  private static DeploymentRolloutState state(World world) {
    Deployment primary = world.service().deployments().getFirst();
    return primary.rolloutState();
  }

  @Test
  void anOldBalancerIsLeftWithoutTargets() throws IOException {
    try (World world = world(1)) {
      world.lab(3);
      world.until("healthy", LONG, world::settled);
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).loadBalancers(List.of()));
      world.until(
          "without targets",
          LONG,
          () -> world.stable() && world.balancer.serving(TARGETS).isEmpty());
      assertEquals(3, world.runningContainers().size());
    }
  }

  /**
   * Rollouts, scaling, dying processes, failing checks, slow pulls and such as fail, containers
   * that do not start, an engine that fails at anything, a server that dies.
   */
  @Test
  void whateverHappensOurOwnDoingNeverTakesTooManyAwayAndTheEndIsAsWanted() throws IOException {
    for (int seed : SEEDS) {
      try (World world = world(seed)) {
        new History(world, new Random(seed)).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  private static final class History {
    private final World world;
    private final Random chaos;
    private int desired;
    private int minimum;
    private int maximum;
    private int revision = 1;

    /** Until then something that we did not do may be the cause of what is missing. */
    private Instant excused = Instant.MIN;

    private int servingBefore;

    History(World world, Random chaos) {
      this.world = world;
      this.chaos = chaos;
      desired = 1 + chaos.nextInt(8);
      percentages();
    }

    private void percentages() {
      do {
        minimum = chaos.nextInt(101);
        maximum = 100 + chaos.nextInt(101);
      } while (desired > 0
          && Math.ceilDiv(desired * minimum, 100) >= desired
          && Math.floorDiv(desired * maximum, 100) <= desired);
    }

    private void behave() {
      Behaviour good =
          Behaviour.runs()
              .pulledIn(Duration.ofMillis(chaos.nextInt(8000)))
              .onSigterm(0, Duration.ofMillis(chaos.nextInt(20_000)));
      world.script.put(
          CONTAINER,
          switch (chaos.nextInt(8)) {
            case 0 -> good.failingToPull("CannotPullContainerError: no");
            case 1 -> good.failingToStart("CannotStartContainerError: no");
            case 2 -> good.ignoringSigterm();
            default -> good;
          });
    }

    void run() {
      world.script.put(CONTAINER, Behaviour.runs());
      world.createCluster();
      world.register(World.container().build());
      world.createService(desired, minimum, maximum);
      world.until("settled first", LONG, world::settled);
      for (int step = 0; step < 25; step++) {
        disturb();
        int ticks = chaos.nextInt(300);
        for (int i = 0; i < ticks; i++) {
          tick();
        }
      }
      world.sick.clear();
      world.script.put(CONTAINER, Behaviour.runs());
      world.faults.fail(0);
      world.until("settled at last", LONG, this::asWanted);
      // A task whose containers have just exited has its interface for a moment more.
      world.until("no other interface", LONG, () -> world.ec2.interfaces().size() == desired);
      world.engine.starts().forEach((id, times) -> assertEquals(1, times, id));
    }

    private void tick() {
      if (world.life().over()) {
        world.restart();
      }
      world.pass(Duration.ofMillis(100));
      if (world.life().over()) {
        return;
      }
      int serving = world.balancer.serving(TARGETS).size();
      int floor = Math.min(servingBefore, Math.ceilDiv(desired * minimum, 100));
      if (world.time.instant().isAfter(excused)) {
        assertTrue(
            serving >= floor,
            () -> serving + " serve, " + floor + " must: " + desired + " at " + minimum + " %");
      }
      servingBefore = serving;
    }

    private boolean asWanted() {
      if (world.life().over()) {
        world.restart();
      }
      Service service = world.service();
      return service.desiredCount() == desired
          && world.settled()
          && world.tasks().stream()
              .allMatch(task -> task.taskDefinitionArn().equals(service.taskDefinition()));
    }

    private static String address(Task task) {
      return task.attachments().stream()
          .flatMap(attachment -> attachment.details().stream())
          .filter(detail -> detail.name().equals("privateIPv4Address"))
          .map(KeyValuePair::value)
          .findFirst()
          .orElse("");
    }

    private void disturb() {
      int what = chaos.nextInt(9);
      world.persistently(() -> {
        disturb(what);
        return true;
      });
    }

    private void disturb(int what) {
      if (world.life().over()) {
        world.restart();
      }
      switch (what) {
        case 0, 1 -> {
          behave();
          String next = world.register(World.container().command("serve", "" + ++revision).build());
          world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(next));
        }
        case 2 -> {
          desired = chaos.nextInt(9);
          percentages();
          world
              .ecs()
              .updateService(r ->
                  r.cluster(CLUSTER)
                      .service(SERVICE)
                      .desiredCount(desired)
                      .deploymentConfiguration(
                          c -> c.minimumHealthyPercent(minimum).maximumPercent(maximum)));
          // What was told to stop by the rules before goes, whatever the new ones say.
          List<String> serving = world.balancer.serving(TARGETS);
          long staying =
              world.tasks().stream().filter(task -> serving.contains(address(task))).count();
          servingBefore = Math.min(servingBefore, (int) staying);
        }
        case 3 ->
            world
                .ecs()
                .updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
        case 4 -> {
          List<ContainerStatus> running = world.runningContainers();
          if (!running.isEmpty()) {
            excused = world.time.instant().plusSeconds(1);
            world.engine.kill(running.get(chaos.nextInt(running.size())).id());
          }
        }
        case 5 -> {
          List<String> serving = world.balancer.serving(TARGETS);
          if (!serving.isEmpty()) {
            excused = world.time.instant().plusSeconds(1);
            world.sick.add(serving.get(chaos.nextInt(serving.size())));
          }
        }
        case 6 -> world.life().endAfter(1 + chaos.nextInt(400));
        case 7 -> world.faults.fail(chaos.nextInt(3) * 15);
        default -> {} // a quiet while
      }
    }
  }
}
