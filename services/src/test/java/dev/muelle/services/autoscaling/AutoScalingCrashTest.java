package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.services.ecs.Life;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;

/**
 * The server dies between any two steps while a group grows, shrinks and loses instances: in the
 * end as many are in service as are desired, EC2 runs exactly those, and none was launched twice.
 */
@Timeout(300)
class AutoScalingCrashTest {

  private static final int SEEDS = Integer.getInteger("muelle.seeds", 12);

  @TempDir Path directory;

  @Test
  void aGroupEndsAsItShouldWhereverTheServerDies() throws IOException {
    Histories.run(directory, SEEDS, (place, seed) -> new Run(place, seed).run());
  }

  @Test
  void whatDiesOnItsWayOutLeavesItsTargetGroups() throws IOException {
    for (int steps = 1; steps <= 20; steps++) {
      Path place = Files.createTempDirectory(directory, "steps" + steps);
      try (World world = new World(place, steps)) {
        String targets = world.balancer.group("web");
        world.scaling.createAutoScalingGroup(world.group(0, 1, 1).targetGroupARNs(targets).build());
        world.serves(1);
        String id = world.serving().getFirst();
        world.life().endAfter(steps);
        try {
          world.scaling.terminateInstanceInAutoScalingGroup(
              r -> r.instanceId(id).shouldDecrementDesiredCapacity(true));
        } catch (Life.Killed e) {
          continue; // it was not decided yet
        }
        world.pass(Duration.ofSeconds(10));
        world.ec2.terminateInstances(r -> r.instanceIds(id));
        world.restart();
        world.until("it is gone", () -> world.group().instances().isEmpty());
        world.balancer.drained();
        assertEquals(Set.of(), world.balancer.groups.get(targets).keySet(), steps + " steps");
      }
    }
  }

  private static final List<String> NOTICES =
      List.of(
          "autoscaling:EC2_INSTANCE_LAUNCH",
          "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
          "autoscaling:EC2_INSTANCE_TERMINATE",
          "autoscaling:EC2_INSTANCE_TERMINATE_ERROR");

  private static final class Run {
    private final Random chaos;
    private final World world;
    private final String targets;

    Run(Path directory, int seed) {
      chaos = new Random(seed);
      world = new World(directory, seed);
      targets = world.balancer.group("web");
    }

    int run() {
      try (world) {
        world.ask(() ->
            world.scaling.createAutoScalingGroup(
                world.group(0, 8, 0).targetGroupARNs(targets).build()));
        world.ask(() ->
            world.scaling.putNotificationConfiguration(r ->
                r.autoScalingGroupName(World.GROUP)
                    .topicARN(Topics.TOPIC)
                    .notificationTypes(NOTICES)));
        boolean pooled = chaos.nextBoolean();
        if (pooled) {
          boolean reuse = chaos.nextBoolean();
          world.ask(() ->
              world.scaling.putWarmPool(r ->
                  r.autoScalingGroupName(World.GROUP)
                      .maxGroupPreparedCapacity(5)
                      .instanceReusePolicy(p -> p.reuseOnScaleIn(reuse))));
        }
        for (int i = 0; i < 20; i++) {
          if (chaos.nextInt(2) == 0) {
            world.life().endAfter(1 + chaos.nextInt(60));
          }
          something();
          world.pass(Duration.ofSeconds(1 + chaos.nextInt(90)));
          if (chaos.nextBoolean()) {
            world.balancer.drained();
          }
        }
        finish();
      }
      return world.deaths();
    }

    /** What has been done since topics are told. */
    private Set<String> over() {
      Set<String> over = new TreeSet<>();
      world
          .scaling
          .describeScalingActivitiesPaginator(r -> r.autoScalingGroupName(World.GROUP))
          .activities()
          .forEach(one -> over.add(one.activityId()));
      return over;
    }

    private void something() {
      switch (chaos.nextInt(5)) {
        case 0, 1 -> {
          int desired = chaos.nextInt(9);
          world.ask(() ->
              world.scaling.setDesiredCapacity(
                  r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(desired)));
        }
        case 2 ->
            world.ask(() ->
                world.scaling.startInstanceRefresh(r ->
                    r.autoScalingGroupName(World.GROUP)
                        .preferences(p -> p.minHealthyPercentage(50).instanceWarmup(0))));
        case 3 -> {
          List<String> alive = world.alive();
          if (!alive.isEmpty()) {
            String id = alive.get(chaos.nextInt(alive.size()));
            world.ec2.terminateInstances(r -> r.instanceIds(id));
          }
        }
        default -> {
          List<String> alive = world.alive();
          if (!alive.isEmpty()) {
            String id = alive.get(chaos.nextInt(alive.size()));
            boolean fewer = chaos.nextBoolean();
            world.ask(() ->
                world.scaling.terminateInstanceInAutoScalingGroup(
                    r -> r.instanceId(id).shouldDecrementDesiredCapacity(fewer)));
          }
        }
      }
    }

    private void finish() {
      world.life().endAfter(Integer.MAX_VALUE / 2);
      world.revive();
      world.until(
          "all is replaced",
          () -> {
            world.balancer.drained();
            return world
                .scaling
                .describeInstanceRefreshes(r -> r.autoScalingGroupName(World.GROUP))
                .instanceRefreshes()
                .stream()
                .allMatch(one -> one.status() == InstanceRefreshStatus.SUCCESSFUL);
          });
      int desired = world.group().desiredCapacity();
      int warm = world.group().warmPoolConfiguration() == null ? 0 : Math.max(0, 5 - desired);
      world.until(
          warm + " are warm",
          () -> {
            world.balancer.drained();
            return world.pool().size() == warm
                && world.pool().stream()
                    .allMatch(one -> one.lifecycleState() == LifecycleState.WARMED_STOPPED);
          });
      world.until(
          desired + " in service",
          () -> {
            world.balancer.drained();
            return world.serving().size() == desired
                && world.group().instances().size() == desired
                && new TreeSet<>(world.serving()).equals(new TreeSet<>(world.alive()));
          });
      Set<String> pool = new TreeSet<>();
      world.pool().forEach(one -> pool.add(one.instanceId()));
      assertEquals(pool, new TreeSet<>(world.stopped()));
      world.until("everything is told", () -> world.topics.activities().containsAll(over()));
      assertEquals(
          new TreeSet<>(world.serving()),
          new TreeSet<>(world.balancer.groups.get(targets).keySet()));
    }
  }
}
