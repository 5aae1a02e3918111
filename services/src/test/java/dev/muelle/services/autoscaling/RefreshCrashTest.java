package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.EventOutbox;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefreshStatus;

/**
 * The server dies between any two steps of a refresh with checkpoints, a bake, others first or a
 * rollback: never are fewer in service than must be, each checkpoint is reached once, nothing that
 * was to wait went on early, and in the end all instances are of one version, the group's.
 */
@Timeout(300)
class RefreshCrashTest {

  private static final int SEEDS = Integer.getInteger("muelle.seeds", 6);
  private static final int SIZE = 4;
  private static final String NAME = "EC2 Auto Scaling Instance Refresh ";

  @TempDir Path directory;

  @Test
  void aRefreshEndsAsItShouldWhereverTheServerDies() throws IOException {
    Histories.run(directory, SEEDS, (place, seed) -> new Run(place, seed).run());
  }

  private static final class Run {
    private final Random chaos;
    private final World world;
    private final List<Integer> checkpoints;
    private final int delay;
    private final int bake;
    private final int least;
    private final int most;

    Run(Path directory, int seed) {
      chaos = new Random(seed);
      world = new World(directory, seed);
      checkpoints =
          List.of(List.<Integer>of(), List.of(50, 100), List.of(25, 75, 100)).get(chaos.nextInt(3));
      delay = 20 + chaos.nextInt(40);
      bake = chaos.nextInt(2) * (20 + chaos.nextInt(40));
      most = chaos.nextBoolean() ? 100 : 150;
      least = most > 100 ? 100 : 50;
    }

    int run() {
      try (world) {
        world.ec2.createLaunchTemplateVersion(r ->
            r.launchTemplateName("web")
                .sourceVersion("1")
                .launchTemplateData(d -> d.instanceType("t3.micro")));
        world.scaling.createAutoScalingGroup(
            world
                .group(0, 8, SIZE)
                .launchTemplate(t -> t.launchTemplateName("web").version("1"))
                .build());
        world.serves(SIZE);
        world.ask(() ->
            world.scaling.startInstanceRefresh(r ->
                r.autoScalingGroupName(World.GROUP)
                    .desiredConfiguration(
                        d -> d.launchTemplate(t -> t.launchTemplateName("web").version("2")))
                    .preferences(p ->
                        p.minHealthyPercentage(least)
                            .maxHealthyPercentage(most)
                            .instanceWarmup(5)
                            .checkpointPercentages(checkpoints)
                            .checkpointDelay(checkpoints.isEmpty() ? null : delay)
                            .bakeTime(bake))));
        int turn = chaos.nextInt(3) == 0 ? 20 + chaos.nextInt(100) : Integer.MAX_VALUE;
        for (int step = 0; refresh().endTime() == null; step++) {
          assertTrue(step < 2_400, () -> "not within 20 minutes: " + refresh());
          if (chaos.nextInt(25) == 0) {
            world.life().endAfter(1 + chaos.nextInt(40));
          }
          if (step == turn) {
            world.ask(() ->
                world.scaling.rollbackInstanceRefresh(r -> r.autoScalingGroupName(World.GROUP)));
          }
          world.time.advance(Duration.ofMillis(500));
          int serving = world.asked(() -> world.serving().size());
          assertTrue(serving >= SIZE * least / 100, () -> serving + " " + refresh());
        }
        judge();
      }
      return world.deaths();
    }

    private InstanceRefresh refresh() {
      return world.asked(() ->
          world
              .scaling
              .describeInstanceRefreshes(r -> r.autoScalingGroupName(World.GROUP))
              .instanceRefreshes()
              .getFirst());
    }

    private List<Instant> told(String what) {
      return world.events().stream()
          .filter(event -> event.detailType().equals(NAME + what))
          .map(EventOutbox.Event::time)
          .sorted()
          .toList();
    }

    private void judge() {
      world.life().endAfter(Integer.MAX_VALUE / 2);
      InstanceRefresh over = refresh();
      boolean back = over.status() == InstanceRefreshStatus.ROLLBACK_SUCCESSFUL;
      if (!back) {
        assertEquals(InstanceRefreshStatus.SUCCESSFUL, over.status(), over.toString());
        assertEquals(1, told("Succeeded").size());
        List<Instant> reached = told("Checkpoint Reached");
        assertEquals(checkpoints.size(), reached.size(), "each checkpoint once");
        for (int i = 1; i < reached.size(); i++) {
          assertTrue(!reached.get(i).isBefore(reached.get(i - 1).plusSeconds(delay)), "too early");
        }
        if (!reached.isEmpty()) {
          Instant earliest = Collections.max(reached).plusSeconds(bake);
          assertTrue(!over.endTime().isBefore(earliest), "baked too briefly");
        }
      } else {
        assertEquals(1, told("Rollback Started").size());
        assertEquals(1, told("Rollback Succeeded").size());
      }
      assertEquals(1, told("Started").size());
      String version = back ? "1" : "2";
      world.until(
          "all are version " + version,
          () ->
              world.serving().size() == SIZE
                  && world.alive().size() == SIZE
                  && versions().equals(Set.of(version)));
      assertEquals(version, world.group().launchTemplate().version());
    }

    private Set<String> versions() {
      return world.group().instances().stream()
          .map(one -> one.launchTemplate().version())
          .collect(Collectors.toSet());
    }
  }
}
