package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.Resource;

/**
 * The server dies between any two steps while tasks come and go on instances that drain and vanish:
 * never is more booked than an instance has, never do its running tasks need more, and in the end
 * the service has what it wants and everything else is free.
 */
@Timeout(300)
class InstancesCrashTest {

  private static final List<Integer> SEEDS = Seeds.orElse(12);
  private static final Duration LONG = Duration.ofMinutes(30);

  @TempDir Path directory;

  @Test
  void nothingIsBookedTwiceWhereverTheServerDies() throws IOException {
    int deaths = 0;
    for (int seed : SEEDS) {
      try (World world = new World(Files.createTempDirectory(directory, "seed" + seed), seed)) {
        deaths += new Run(world, seed).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(deaths >= SEEDS.size(), "the server died only " + deaths + " times");
  }

  private static final class Run {
    private final World world;
    private final Random chaos;
    private final Instances instances;
    private final List<String> arns = new ArrayList<>();
    private final List<String> manual = new ArrayList<>();

    /**
     * The service's tasks that ran when we looked last; fewer may be for a cause that is not us.
     */
    private int ranBefore;

    Run(World world, int seed) {
      this.world = world;
      chaos = new Random(seed);
      instances = new Instances(world);
      world.script.put(
          World.CONTAINER,
          Behaviour.runs()
              .pulledIn(Duration.ofMillis(chaos.nextInt(2000)))
              .onSigterm(0, Duration.ofMillis(chaos.nextInt(3000))));
    }

    int run() {
      world.ask(world::createCluster);
      world.ask(() -> world.register(World.container().build()));
      for (int i = 0; i < 4; i++) {
        String ec2Id = "i-" + i;
        String zone = "us-east-1" + (i % 2 == 0 ? "a" : "b");
        int size = 1 + chaos.nextInt(3);
        world.ask(() -> instances.register(ec2Id, zone, size));
      }
      world.ask(this::createService);
      for (int i = 0; i < 12; i++) {
        if (chaos.nextInt(3) == 0) {
          world.life().endAfter(1 + chaos.nextInt(120));
        }
        world.ask(this::refresh);
        something();
        for (int j = chaos.nextInt(6); j >= 0; j--) {
          world.pass(Duration.ofMillis(chaos.nextInt(1500)));
          world.ask(this::check);
        }
      }
      finish();
      return world.deaths();
    }

    private void createService() {
      world
          .ecs()
          .createService(r ->
              r.cluster(CLUSTER)
                  .serviceName(SERVICE)
                  .taskDefinition(FAMILY)
                  .launchType(LaunchType.EC2)
                  .desiredCount(3)
                  .deploymentConfiguration(c -> c.minimumHealthyPercent(50).maximumPercent(150))
                  .networkConfiguration(Instances.net()));
    }

    private void refresh() {
      arns.clear();
      arns.addAll(
          world.ecs().listContainerInstances(r -> r.cluster(CLUSTER)).containerInstanceArns());
    }

    private void something() {
      switch (chaos.nextInt(7)) {
        case 0, 1 -> {
          int count = 1 + chaos.nextInt(3);
          world.ask(() ->
              world
                  .ecs()
                  .runTask(Instances.run().count(count).build())
                  .tasks()
                  .forEach(task -> manual.add(task.taskArn())));
        }
        case 2 -> {
          if (!manual.isEmpty()) {
            String arn = manual.remove(chaos.nextInt(manual.size()));
            world.ask(() -> world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn)));
          }
        }
        case 3, 4 -> {
          if (!arns.isEmpty()) {
            String arn = arns.get(chaos.nextInt(arns.size()));
            ContainerInstanceStatus status =
                chaos.nextBoolean()
                    ? ContainerInstanceStatus.DRAINING
                    : ContainerInstanceStatus.ACTIVE;
            world.ask(() ->
                world
                    .ecs()
                    .updateContainerInstancesState(
                        r -> r.cluster(CLUSTER).containerInstances(arn).status(status)));
          }
        }
        case 5 -> world.faults.fail(chaos.nextInt(3) * 15);
        default -> {
          if (!arns.isEmpty() && chaos.nextInt(3) == 0) {
            ranBefore = 0;
            String arn = arns.get(chaos.nextInt(arns.size()));
            if (chaos.nextBoolean()) {
              lose(arn);
            }
            world.ask(() ->
                world
                    .ecs()
                    .deregisterContainerInstance(
                        r -> r.cluster(CLUSTER).containerInstance(arn).force(true)));
          }
        }
      }
    }

    /** Everything on an instance dies at once. */
    private void lose(String arn) {
      Set<String> on = new HashSet<>();
      for (TaskRecord task :
          world.stored().read(tx -> tx.list(TaskRecord.TABLE)).stream().map(Row::value).toList()) {
        if (arn.equals(task.task().containerInstanceArn())) {
          on.add(task.id());
        }
      }
      for (ContainerStatus container : world.runningContainers()) {
        if (on.contains(TaskRecord.ofContainer(container.id()))) {
          world.engine.kill(container.id());
        }
      }
    }

    /** Of three tasks at 50 %, two run as long as only we stop any. */
    private void checkHealthy() {
      int runs =
          (int)
              world.stored().read(tx -> tx.list(TaskRecord.TABLE)).stream()
                  .map(row -> row.value().task())
                  .filter(task -> task.group().equals("service:" + SERVICE))
                  .filter(task -> task.lastStatus().equals("RUNNING"))
                  .filter(task -> task.desiredStatus().equals("RUNNING"))
                  .count();
      assertTrue(runs >= Math.min(ranBefore, 2), runs + " run, " + ranBefore + " did");
      ranBefore = runs;
    }

    /** What is booked, and what really runs. */
    private void check() {
      checkHealthy();
      refresh();
      for (String arn : arns) {
        ContainerInstance instance = instances.describe(arn);
        for (Resource left : instance.remainingResources()) {
          assertTrue(
              left.integerValue() == null || left.integerValue() >= 0, arn + " is overbooked");
        }
        int fits = instance.registeredResources().getFirst().integerValue() / 1024;
        List<String> on =
            new ArrayList<>(
                world.ecs().listTasks(r -> r.cluster(CLUSTER).containerInstance(arn)).taskArns());
        on.addAll(
            world
                .ecs()
                .listTasks(r -> r.cluster(CLUSTER).containerInstance(arn).desiredStatus("STOPPED"))
                .taskArns());
        long sandboxes =
            on.stream()
                .filter(task ->
                    world.engine.sandboxes().stream()
                        .anyMatch(s -> s.id().equals(TaskRecord.idOf(task))))
                .count();
        assertTrue(sandboxes <= fits, sandboxes + " tasks run where " + fits + " fit");
      }
    }

    private void finish() {
      world.revive();
      world.life().endAfter(Integer.MAX_VALUE / 2);
      world.faults.fail(0);
      refresh();
      for (String arn : arns) {
        world
            .ecs()
            .updateContainerInstancesState(r ->
                r.cluster(CLUSTER).containerInstances(arn).status(ContainerInstanceStatus.ACTIVE));
      }
      String last = instances.register("i-last-a", "us-east-1a", 3);
      arns.add(last);
      world.until("three", LONG, world::stable);
      check();
      for (String arn : world.ecs().listTasks(r -> r.cluster(CLUSTER)).taskArns()) {
        if (world.task(arn).group().startsWith("family:")) {
          world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
        }
      }
      world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
      world.until(
          "all free",
          LONG,
          () ->
              arns.stream()
                  .map(instances::describe)
                  .allMatch(i -> i.registeredResources().equals(i.remainingResources())));
      assertEquals(List.of(), world.engine.sandboxes());
      assertEquals(Map.of(), world.ec2.interfaces());
      for (Map.Entry<String, Integer> start : world.engine.starts().entrySet()) {
        assertEquals(1, start.getValue(), start.getKey() + " was started more than once");
      }
    }
  }
}
