package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ResourceInUseException;
import software.amazon.awssdk.services.ecs.model.Task;

/** Tasks shared out among Fargate and Fargate Spot, and interrupted. */
@Timeout(120)
class CapacityProvidersTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
    world.register(World.container().build());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  private static CapacityProviderStrategyItem item(String name, Integer base, Integer weight) {
    return CapacityProviderStrategyItem.builder()
        .capacityProvider(name)
        .base(base)
        .weight(weight)
        .build();
  }

  private Cluster associate(CapacityProviderStrategyItem... byDefault) {
    return world
        .ecs()
        .putClusterCapacityProviders(r ->
            r.cluster(CLUSTER)
                .capacityProviders("FARGATE", "FARGATE_SPOT")
                .defaultCapacityProviderStrategy(byDefault))
        .cluster();
  }

  private static Map<String, Integer> shared(int tasks, CapacityProviderStrategyItem... strategy) {
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i < tasks; i++) {
      counts.merge(CapacityStrategy.next(List.of(strategy), counts), 1, Integer::sum);
    }
    return counts;
  }

  @Test
  void basesAreFilledFirstAndTheRestIsSharedByWeight() {
    assertEquals(Map.of("FARGATE", 10), shared(10, item("FARGATE", null, null)));
    assertEquals(
        Map.of("FARGATE", 4, "FARGATE_SPOT", 6),
        shared(10, item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3)));
    assertEquals(
        Map.of("FARGATE", 5, "FARGATE_SPOT", 5),
        shared(10, item("FARGATE", null, 1), item("FARGATE_SPOT", null, 1)));
    assertEquals(
        Map.of("FARGATE", 2, "FARGATE_SPOT", 8),
        shared(10, item("FARGATE", 2, 0), item("FARGATE_SPOT", null, 1)));
    // In every prefix the shares are as near to the weights as whole tasks can be.
    List<CapacityProviderStrategyItem> strategy =
        List.of(item("FARGATE", 0, 1), item("FARGATE_SPOT", 0, 4));
    Map<String, Integer> counts = new HashMap<>();
    List<String> row = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      String next = CapacityStrategy.next(strategy, counts);
      row.add(next);
      counts.merge(next, 1, Integer::sum);
    }
    assertEquals(1, row.subList(0, 5).stream().filter("FARGATE"::equals).count(), row.toString());
    assertEquals(1, row.subList(5, 10).stream().filter("FARGATE"::equals).count(), row.toString());
  }

  @Test
  void anEmptyStrategyTakesAServiceBackToItsLaunchType() {
    associate();
    world.createService(1, 100, 200);
    assertEquals(LaunchType.FARGATE, world.service().launchType());
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(World.SERVICE)
                .capacityProviderStrategy(item("FARGATE_SPOT", 0, 1)));
    assertNull(world.service().launchType());
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(World.SERVICE)
                .capacityProviderStrategy(List.<CapacityProviderStrategyItem>of()));
    assertEquals(LaunchType.FARGATE, world.service().launchType());
    assertEquals(List.of(), world.service().capacityProviderStrategy());
    world.until("settled", LONG, world::settled);
    assertNull(world.tasks().getFirst().capacityProviderName());
  }

  @Test
  void aStrategyMustMakeSense() {
    associate();
    assertEquals(
        "The specified capacity provider mine was not found. Specify a valid name or ARN and try"
            + " again.",
        refused(() -> run(item("mine", 0, 1))));
    assertEquals(
        "Only one capacity provider in a capacity provider strategy can have a base defined.",
        refused(() -> run(item("FARGATE", 1, 1), item("FARGATE_SPOT", 1, 1))));
    assertTrue(
        refused(() -> run(item("FARGATE", 0, 0), item("FARGATE_SPOT", 0, 0)))
            .contains("weight greater than zero"));
    assertTrue(
        refused(() -> run(item("FARGATE", 0, 1), item("FARGATE", 0, 1)))
            .contains("more than once"));
    assertEquals(
        "weight must be between 0 and 1000.", refused(() -> run(item("FARGATE", 0, 1001))));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .runTask(
                        world
                            .runTask()
                            .launchType(LaunchType.FARGATE)
                            .capacityProviderStrategy(item("FARGATE", 0, 1))
                            .build()))
            .startsWith("Specifying both a launch type and capacity provider strategy"));
    world.ecs().createCluster(r -> r.clusterName("bare"));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .runTask(
                        world
                            .runTask()
                            .cluster("bare")
                            .launchType((LaunchType) null)
                            .capacityProviderStrategy(item("FARGATE", 0, 1))
                            .build()))
            .contains("not associated with the cluster"));
    // There is no Auto Scaling in this region, so no group is found.
    assertEquals(
        "The specified Auto Scaling group web was not found. Specify a valid Auto Scaling group and"
            + " try again.",
        refused(() ->
            world
                .ecs()
                .createCapacityProvider(r ->
                    r.name("mine").autoScalingGroupProvider(g -> g.autoScalingGroupArn("web")))));
  }

  private List<Task> run(CapacityProviderStrategyItem... strategy) {
    return world
        .ecs()
        .runTask(
            world
                .runTask()
                .launchType((LaunchType) null)
                .capacityProviderStrategy(strategy)
                .count(8)
                .build())
        .tasks();
  }

  private static Map<String, Long> byProvider(List<Task> tasks) {
    return tasks.stream()
        .collect(Collectors.groupingBy(Task::capacityProviderName, Collectors.counting()));
  }

  @Test
  void theClustersDefaultIsUsedWhereNothingIsSaid() {
    Cluster cluster = associate(item("FARGATE", 1, 0), item("FARGATE_SPOT", 0, 1));
    assertEquals(List.of("FARGATE", "FARGATE_SPOT"), cluster.capacityProviders());
    assertEquals(Map.of("FARGATE", 1L, "FARGATE_SPOT", 7L), byProvider(run()));
    assertEquals(
        Map.of("FARGATE", 4L, "FARGATE_SPOT", 4L),
        byProvider(run(item("FARGATE", 0, 1), item("FARGATE_SPOT", 0, 1))));
    assertNull(
        world
            .ecs()
            .runTask(world.runTask().launchType(LaunchType.FARGATE).build())
            .tasks()
            .getFirst()
            .capacityProviderName());
    ResourceInUseException used =
        assertThrows(
            ResourceInUseException.class,
            () ->
                world
                    .ecs()
                    .putClusterCapacityProviders(r ->
                        r.cluster(CLUSTER)
                            .capacityProviders("FARGATE")
                            .defaultCapacityProviderStrategy(List.of())));
    assertTrue(used.getMessage().contains("FARGATE_SPOT"), used.getMessage());
    assertEquals(
        List.of("FARGATE", "FARGATE_SPOT"),
        world.ecs().describeCapacityProviders(r -> {}).capacityProviders().stream()
            .map(provider -> provider.name())
            .toList());
  }

  @Test
  void aServiceKeepsItsSharesAndReplacesWhatIsInterrupted() {
    associate();
    world.script.put(
        "000000000000.dkr.ecr.us-east-1.localhost:4566/" + World.CONTAINER, Behaviour.runs());
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(World.SERVICE)
                .taskDefinition(World.FAMILY)
                .desiredCount(6)
                .capacityProviderStrategy(item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3))
                .networkConfiguration(World.net()));
    world.until("steady", LONG, () -> world.service().runningCount() == 6);
    assertEquals(Map.of("FARGATE", 3L, "FARGATE_SPOT", 3L), byProvider(world.tasks()));
    Task spot =
        world.tasks().stream()
            .filter(task -> task.capacityProviderName().equals("FARGATE_SPOT"))
            .findFirst()
            .orElseThrow();
    Task safe =
        world.tasks().stream()
            .filter(task -> task.capacityProviderName().equals("FARGATE"))
            .findFirst()
            .orElseThrow();
    assertTrue(refused(() -> interrupt(safe.taskArn())).contains("Only a task of FARGATE_SPOT"));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .submitTaskStateChange(
                        r -> r.cluster(CLUSTER).task(spot.taskArn()).status("RUNNING")))
            .contains("SpotInterruption"));
    interrupt(spot.taskArn());
    interrupt(spot.taskArn()); // once more changes nothing
    Task warned = world.task(spot.taskArn());
    assertEquals("STOPPED", warned.desiredStatus());
    assertEquals("SpotInterruption", warned.stopCodeAsString());
    assertEquals("Your Spot Task was interrupted.", warned.stoppedReason());
    world.until("stopped", LONG, () -> world.task(spot.taskArn()).lastStatus().equals("STOPPED"));
    world.until("replaced", LONG, () -> world.service().runningCount() == 6);
    assertEquals(Map.of("FARGATE", 3L, "FARGATE_SPOT", 3L), byProvider(world.tasks()));
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(World.SERVICE)
                .capacityProviderStrategy(item("FARGATE", 0, 1)));
    world.until(
        "moved",
        LONG,
        () ->
            world.service().deployments().size() == 1
                && byProvider(world.tasks()).equals(Map.of("FARGATE", 6L)));
  }

  private void interrupt(String task) {
    world
        .ecs()
        .submitTaskStateChange(
            r -> r.cluster(CLUSTER).task(task).status("STOPPED").reason("SpotInterruption"));
  }
}
