package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.LaunchType;

/**
 * What a service costs per task does not grow with the service: counted, not timed. The times are
 * in docs/benchmarks.md.
 */
@Timeout(120)
class EcsScaleTest {

  private static final List<Integer> SIZES = List.of(50, 100, 200, 400);

  /** Each doubling may add so much, as some things are done once for few tasks or many. */
  private static final double MORE = 1.1;

  @TempDir Path directory;

  /** Per task. */
  private record Cost(double transactions, double read, double written) {

    static Cost between(long[] before, long[] after, int tasks) {
      return new Cost(
          (double) (after[0] - before[0]) / tasks,
          (double) (after[1] - before[1]) / tasks,
          (double) (after[2] - before[2]) / tasks);
    }
  }

  @Test
  void aTaskOfALargeServiceCostsWhatOneOfASmallOneDoes() throws IOException {
    List<Cost> starting = new ArrayList<>();
    List<Cost> rolling = new ArrayList<>();
    for (int tasks : SIZES) {
      try (World world = new World(Files.createTempDirectory(directory, "scale"), tasks)) {
        world.createCluster();
        world.register(World.container().build());
        long[] begin = counts(world);
        create(world, tasks);
        world.pass(Duration.ofSeconds(20));
        assertTrue(world.stable(), tasks + " tasks are not there");
        long[] there = counts(world);
        starting.add(Cost.between(begin, there, tasks));
        world.register(World.container().command("second").build());
        world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(FAMILY));
        world.pass(Duration.ofMinutes(2));
        assertTrue(world.stable(), tasks + " tasks are not rolled");
        assertEquals(tasks, world.runningContainers().size());
        rolling.add(Cost.between(there, counts(world), tasks));
      }
    }
    System.out.println("starting " + starting + "\nrolling " + rolling);
    for (List<Cost> costs : List.of(starting, rolling)) {
      for (int i = 1; i < costs.size(); i++) {
        Cost less = costs.get(i - 1);
        Cost more = costs.get(i);
        String what = less + " became " + more;
        assertTrue(more.transactions() <= MORE * less.transactions(), what);
        assertTrue(more.read() <= MORE * less.read(), what);
        assertTrue(more.written() <= MORE * less.written(), what);
      }
    }
  }

  private static long[] counts(World world) {
    CountingTx.Counts counts = world.counts();
    return new long[] {counts.transactions, counts.rowsRead, counts.rowsWritten};
  }

  private static void create(World world, int tasks) {
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(FAMILY)
                .launchType(LaunchType.FARGATE)
                .desiredCount(tasks)
                .deploymentConfiguration(c -> c.minimumHealthyPercent(50).maximumPercent(150))
                .networkConfiguration(World.net()));
  }
}
