package dev.muelle.services.ecs.service;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.Instances;
import dev.muelle.services.ecs.World;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.Task;

/** Tasks are spread over zones, and those that are not are moved. */
@Timeout(120)
class ZonesTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;

  @Test
  void aSubnetIsChosenByItsZoneFirst() {
    Map<String, String> zones = Map.of("s1", "a", "s2", "a", "s3", "b");
    Zones.Taken taken = new Zones.Taken(zones, List.of("s1"));
    List<String> chosen = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      chosen.add(taken.next(List.of("s1", "s2", "s3")));
    }
    assertEquals(List.of("s3", "s2", "s3", "s1", "s3"), chosen);
  }

  @Test
  void aMoveNarrowsTheWidestGap() {
    assertEquals(Optional.empty(), Zones.balance(Map.of("a", 2, "b", 1), 9));
    assertEquals(
        Optional.of(new Zones.Move("b", 2)),
        Zones.balance(new TreeMap<>(Map.of("a", 5, "b", 1, "c", 3)), 9));
    assertEquals(Optional.of(new Zones.Move("b", 1)), Zones.balance(Map.of("a", 5, "b", 1), 1));
    assertEquals(Optional.empty(), Zones.balance(Map.of("a", 5, "b", 1), 0));
    assertEquals(Optional.empty(), Zones.balance(Map.of(), 3));
    assertEquals(
        "3 tasks in a, 1 tasks in b, and 0 tasks in c",
        Zones.told(new TreeMap<>(Map.of("a", 3, "b", 1, "c", 0))));
  }

  private static CreateServiceRequest.Builder service(int desired) {
    return CreateServiceRequest.builder()
        .cluster(CLUSTER)
        .serviceName(SERVICE)
        .taskDefinition(FAMILY)
        .launchType(LaunchType.EC2)
        .desiredCount(desired)
        .networkConfiguration(Instances.net());
  }

  private static Map<String, Long> zones(World world) {
    return world.tasks().stream()
        .filter(task -> task.lastStatus().equals("RUNNING"))
        .collect(
            Collectors.groupingBy(Task::availabilityZone, TreeMap::new, Collectors.counting()));
  }

  @Test
  void whenAZoneComesBackTasksMoveThere() {
    try (World world = new World(directory, 1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      instances.register("i-a", "us-east-1a", 8);
      world.ecs().createService(service(6).build());
      world.until("all in a", LONG, () -> zones(world).equals(Map.of("us-east-1a", 6L)));
      world.pass(Duration.ofMinutes(2));
      assertFalse(world.saysEvent("AZ"), "there is only one zone");
      assertEquals(
          AvailabilityZoneRebalancing.ENABLED, world.service().availabilityZoneRebalancing());
      instances.register("i-b", "us-east-1b", 8);
      instances.register("i-c", "us-east-1c", 8);
      world.until(
          "spread",
          LONG,
          () -> {
            long running = zones(world).values().stream().mapToLong(n -> n).sum();
            assertTrue(running >= 6, "fewer than wanted run: " + running);
            assertTrue(world.tasks().size() <= 12, "more than allowed");
            return zones(world)
                .equals(Map.of("us-east-1a", 2L, "us-east-1b", 2L, "us-east-1c", 2L));
          });
      world.until(
          "said",
          LONG,
          () ->
              world.saysEvent(
                  "is AZ balanced with 2 tasks in us-east-1a, 2 tasks in us-east-1b, and 2 tasks"
                      + " in us-east-1c."));
      assertTrue(world.saysEvent("is not AZ balanced with 6 tasks in us-east-1a"));
      assertTrue(world.saysEvent("tasks in us-east-1b to AZ Rebalance: (task "));
      assertTrue(world.saysEvent("tasks in us-east-1a due to AZ rebalancing: (task "));
      // And then there is peace.
      Set<String> tasks = world.tasks().stream().map(Task::taskArn).collect(Collectors.toSet());
      world.pass(Duration.ofHours(1));
      assertEquals(tasks, world.tasks().stream().map(Task::taskArn).collect(Collectors.toSet()));
    }
  }

  @Test
  void aZoneWithoutRoomIsSaidAndTakenOnceItHasSome() {
    try (World world = new World(directory, 1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      instances.register("i-a", "us-east-1a", 8);
      world.ecs().createService(service(4).build());
      world.until("all in a", LONG, () -> zones(world).equals(Map.of("us-east-1a", 4L)));
      String b = instances.register("i-b", "us-east-1b", 1);
      String full =
          world
              .ecs()
              .startTask(r ->
                  r.cluster(CLUSTER)
                      .taskDefinition(FAMILY)
                      .containerInstances(b)
                      .networkConfiguration(Instances.net()))
              .tasks()
              .getFirst()
              .taskArn();
      world.until(
          "said",
          LONG,
          () ->
              world.saysEvent(
                  "is unable to place a task in us-east-1b because no container instance met all"
                      + " of its requirements."));
      world.ecs().stopTask(r -> r.cluster(CLUSTER).task(full));
      world.until(
          "moved", LONG, () -> zones(world).equals(Map.of("us-east-1a", 3L, "us-east-1b", 1L)));
    }
  }

  @Test
  void whatIsNotWantedOrNotPossibleIsNotBalanced() {
    try (World world = new World(directory, 1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      instances.register("i-a", "us-east-1a", 8);
      assertTrue(
          assertThrows(
                  EcsException.class,
                  () ->
                      world
                          .ecs()
                          .createService(
                              service(1)
                                  .availabilityZoneRebalancing(AvailabilityZoneRebalancing.ENABLED)
                                  .deploymentConfiguration(
                                      c -> c.minimumHealthyPercent(50).maximumPercent(100))
                                  .build()))
              .getMessage()
              .contains("Availability Zone rebalancing does not support a maximumPercent of 100."));
      assertEquals(
          AvailabilityZoneRebalancing.DISABLED,
          world
              .ecs()
              .createService(
                  service(1)
                      .serviceName("packed")
                      .placementStrategy(
                          PlacementStrategy.builder().type("binpack").field("cpu").build())
                      .build())
              .service()
              .availabilityZoneRebalancing());
      world
          .ecs()
          .createService(
              service(4).availabilityZoneRebalancing(AvailabilityZoneRebalancing.DISABLED).build());
      world.until("all in a", LONG, () -> zones(world).equals(Map.of("us-east-1a", 4L)));
      instances.register("i-b", "us-east-1b", 8);
      world.pass(Duration.ofMinutes(10));
      assertEquals(Map.of("us-east-1a", 4L), zones(world));
      world
          .ecs()
          .updateService(r ->
              r.cluster(CLUSTER)
                  .service(SERVICE)
                  .availabilityZoneRebalancing(AvailabilityZoneRebalancing.ENABLED));
      world.until(
          "balanced", LONG, () -> zones(world).equals(Map.of("us-east-1a", 2L, "us-east-1b", 2L)));
    }
  }
}
