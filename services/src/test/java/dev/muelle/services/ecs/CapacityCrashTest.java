package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Life;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ManagedScalingStatus;
import software.amazon.awssdk.services.ecs.model.ManagedTerminationProtection;
import software.amazon.awssdk.services.ecs.model.Resource;

/**
 * The server dies between any two steps while a group grows and shrinks for tasks that come and go:
 * never is more booked than an instance has, no container is started twice, and in the end the
 * service has what it wants; when nobody wants anything any more, no instance is left.
 */
@Timeout(300)
class CapacityCrashTest {

  private static final List<Integer> SEEDS = Seeds.orElse(8);
  private static final String GROUP = "web";

  @TempDir Path directory;

  @Test
  void aGroupEndsAsItShouldWhereverTheServerDies() throws IOException {
    int deaths = 0;
    for (int seed : SEEDS) {
      try {
        deaths += new Run(Files.createTempDirectory(directory, "seed" + seed), seed).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(deaths >= SEEDS.size(), "the server died only " + deaths + " times");
  }

  /** Instances that take a while to come, and register by themselves. */
  private static final class Machines implements SimGroups.Machines {
    final Map<String, Instant> launched = new LinkedHashMap<>();
    final Map<String, String> registered = new LinkedHashMap<>(); // ids to ARNs
    final List<String> gone = new ArrayList<>(); // to be deregistered
    private final Random chaos;
    private Instant now = Instant.EPOCH;
    private int made;

    Machines(Random chaos) {
      this.chaos = chaos;
    }

    @Override
    public List<String> launch(String type, int count) {
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        String id = "i-" + ++made;
        launched.put(id, now.plusSeconds(chaos.nextInt(90)));
        ids.add(id);
      }
      return ids;
    }

    @Override
    public void terminate(String id) {
      launched.remove(id);
      gone.add(id);
    }

    @Override
    public @Nullable Life life(String id) {
      return !launched.containsKey(id)
          ? null
          : registered.containsKey(id) ? Life.IN_SERVICE : Life.PENDING;
    }

    @Override
    public Instant launchedAt(String id) {
      return launched.getOrDefault(id, Instant.EPOCH);
    }
  }

  private static final class Run {
    private final Random chaos;
    private final Machines machines;
    private final SimGroups groups;
    private final SimGroups.Sim group;
    private final World world;
    private final Instances instances;
    private final List<String> manual = new ArrayList<>();

    Run(Path directory, int seed) {
      chaos = new Random(seed);
      machines = new Machines(chaos);
      groups = new SimGroups(machines);
      group = groups.create(GROUP, "m5.xlarge");
      group.protectsNew = chaos.nextBoolean();
      group.maximum = 6;
      world = new World(directory, seed, groups);
      instances = new Instances(world);
      world.script.put(
          World.CONTAINER,
          Behaviour.runs()
              .pulledIn(Duration.ofMillis(chaos.nextInt(2000)))
              .onSigterm(0, Duration.ofMillis(chaos.nextInt(3000))));
    }

    int run() {
      try (world) {
        world.ask(world::createCluster);
        world.ask(() -> world.register(World.container().build()));
        world.ask(this::createProvider);
        world.ask(() ->
            world
                .ecs()
                .putClusterCapacityProviders(r ->
                    r.cluster(CLUSTER)
                        .capacityProviders("cp")
                        .defaultCapacityProviderStrategy(
                            CapacityProviderStrategyItem.builder()
                                .capacityProvider("cp")
                                .weight(1)
                                .build())));
        world.ask(this::createService);
        for (int i = 0; i < 25; i++) {
          if (chaos.nextInt(3) == 0) {
            world.life().endAfter(1 + chaos.nextInt(150));
          }
          something();
          pass(Duration.ofSeconds(5 + chaos.nextInt(180)));
          world.ask(this::check);
        }
        finish();
      }
      return world.deaths();
    }

    private void createProvider() {
      world
          .ecs()
          .createCapacityProvider(r ->
              r.name("cp")
                  .autoScalingGroupProvider(g ->
                      g.autoScalingGroupArn(GROUP)
                          .managedScaling(
                              m -> m.status(ManagedScalingStatus.ENABLED).instanceWarmupPeriod(60))
                          .managedTerminationProtection(
                              group.protectsNew
                                  ? ManagedTerminationProtection.ENABLED
                                  : ManagedTerminationProtection.DISABLED)));
    }

    private void createService() {
      world
          .ecs()
          .createService(r ->
              r.cluster(CLUSTER)
                  .serviceName(SERVICE)
                  .taskDefinition(FAMILY)
                  .desiredCount(3)
                  .networkConfiguration(Instances.net()));
    }

    /** Time, in which agents do their part. */
    private void pass(Duration duration) {
      Instant end = world.time.instant().plus(duration);
      while (world.time.instant().isBefore(end)) {
        machines.now = world.time.instant();
        world.pass(Duration.ofSeconds(1));
        agents();
      }
    }

    private void agents() {
      for (Map.Entry<String, Instant> each : List.copyOf(machines.launched.entrySet())) {
        String id = each.getKey();
        if (!machines.registered.containsKey(id)
            && !each.getValue().isAfter(world.time.instant())) {
          String zone = "us-east-1" + (id.hashCode() % 2 == 0 ? "a" : "b");
          world.ask(() ->
              machines.registered.put(
                  id, instances.register(Instances.request(id, zone, 4, "m5.xlarge").build())));
        }
      }
      for (String id : List.copyOf(machines.gone)) {
        machines.gone.remove(id);
        String arn = machines.registered.get(id);
        if (arn != null) {
          world.ask(() ->
              world
                  .ecs()
                  .deregisterContainerInstance(
                      r -> r.cluster(CLUSTER).containerInstance(arn).force(true)));
        }
      }
    }

    private void something() {
      switch (chaos.nextInt(6)) {
        case 0, 1 -> {
          int count = 1 + chaos.nextInt(4);
          world.ask(() ->
              world
                  .ecs()
                  .runTask(Instances.run().launchType((LaunchType) null).count(count).build())
                  .tasks()
                  .forEach(task -> manual.add(task.taskArn())));
        }
        case 2, 3 -> {
          if (!manual.isEmpty()) {
            String arn = manual.remove(chaos.nextInt(manual.size()));
            world.ask(() -> world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn)));
          }
        }
        case 4 -> {
          int desired = chaos.nextInt(7);
          world.ask(() ->
              world
                  .ecs()
                  .updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(desired)));
        }
        default -> {
          List<String> ids = List.copyOf(machines.registered.keySet());
          String id = ids.isEmpty() ? "" : ids.get(chaos.nextInt(ids.size()));
          if (machines.launched.containsKey(id) && !group.waiting.contains(id)) {
            groups.replace(GROUP, id);
          }
        }
      }
    }

    private List<ContainerInstance> present() {
      List<String> arns =
          world.ecs().listContainerInstances(r -> r.cluster(CLUSTER)).containerInstanceArns();
      return arns.stream().map(instances::describe).toList();
    }

    private void check() {
      for (ContainerInstance instance : present()) {
        for (Resource left : instance.remainingResources()) {
          assertTrue(
              left.integerValue() == null || left.integerValue() >= 0,
              instance.containerInstanceArn() + " is overbooked");
        }
      }
    }

    private void finish() {
      world.revive();
      world.life().endAfter(Integer.MAX_VALUE / 2);
      for (String arn : world.ecs().listTasks(r -> r.cluster(CLUSTER)).taskArns()) {
        if (world.task(arn).group().startsWith("family:")) {
          world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
        }
      }
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(5));
      until("five", world::stable);
      check();
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(0));
      until("nothing", () -> present().isEmpty() && machines.launched.isEmpty());
      assertEquals(List.of(), world.engine.sandboxes());
      assertEquals(Map.of(), world.ec2.interfaces());
      for (Map.Entry<String, Integer> start : world.engine.starts().entrySet()) {
        assertEquals(1, start.getValue(), start.getKey() + " was started more than once");
      }
    }

    private String state() {
      return "group "
          + groups.find(GROUP)
          + ", instances "
          + present().stream()
              .map(i -> i.ec2InstanceId() + i.status() + i.capacityProviderName())
              .toList()
          + ", tasks "
          + world.ecs().listTasks(r -> r.cluster(CLUSTER)).taskArns().stream()
              .map(world::task)
              .map(t -> t.lastStatus() + "@" + t.containerInstanceArn())
              .toList()
          + ", events "
          + world.service().events().stream().limit(3).map(e -> e.message()).toList();
    }

    private void until(String what, BooleanSupplier condition) {
      for (int i = 0; i < 180; i++) {
        if (condition.getAsBoolean()) {
          return;
        }
        pass(Duration.ofSeconds(30));
      }
      throw new AssertionError(what + ": not within 90 minutes; " + state());
    }
  }
}
