package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.service.TaskSets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.CreateTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Scale;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.StabilityStatus;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskSet;
import software.amazon.awssdk.services.ecs.model.TaskSetField;
import software.amazon.awssdk.services.ecs.model.TaskSetNotFoundException;

/** Services that somebody else deploys, by task sets. */
@Timeout(300)
class TaskSetsTest {

  private static final Duration LONG = Duration.ofMinutes(30);
  private static final String GREEN = TARGETS.replace("target-group/1", "green/2");

  @TempDir Path directory;

  private World world(int seed) throws IOException {
    World world = new World(Files.createTempDirectory(directory, "world"), seed);
    world.balancer.addGroup(GREEN, FakeEc2.VPC, true);
    world.createCluster();
    return world;
  }

  private static CreateServiceRequest.Builder external(int desired) {
    return CreateServiceRequest.builder()
        .cluster(CLUSTER)
        .serviceName(SERVICE)
        .desiredCount(desired)
        .healthCheckGracePeriodSeconds(30)
        .deploymentController(c -> c.type(DeploymentControllerType.EXTERNAL));
  }

  private static CreateTaskSetRequest.Builder set(String definition, String group, double percent) {
    return CreateTaskSetRequest.builder()
        .cluster(CLUSTER)
        .service(SERVICE)
        .taskDefinition(definition)
        .launchType(LaunchType.FARGATE)
        .networkConfiguration(World.net())
        .loadBalancers(
            LoadBalancer.builder()
                .targetGroupArn(group)
                .containerName(CONTAINER)
                .containerPort(5050)
                .build())
        .scale(Scale.builder().value(percent).unit("PERCENT").build());
  }

  private static TaskSet describe(World world, String id) {
    return world
        .ecs()
        .describeTaskSets(r -> r.cluster(CLUSTER).service(SERVICE).taskSets(id))
        .taskSets()
        .getFirst();
  }

  private static boolean steady(World world, String id) {
    return describe(world, id).stabilityStatus() == StabilityStatus.STEADY_STATE;
  }

  private static void scale(World world, String id, double percent) {
    world
        .ecs()
        .updateTaskSet(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .taskSet(id)
                .scale(s -> s.value(percent).unit("PERCENT")));
  }

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  @Test
  void aDeployerShiftsFromOneSetToAnother() throws IOException {
    try (World world = world(1)) {
      String first = world.register(World.container().build());
      Service made = world.ecs().createService(external(3).build()).service();
      assertNull(made.taskDefinition());
      assertEquals(List.of(), made.deployments());
      assertEquals(List.of(), made.taskSets());
      world.pass(Duration.ofMinutes(1));
      assertEquals(List.of(), world.runningContainers());
      TaskSet blue =
          world
              .ecs()
              .createTaskSet(
                  set(first, TARGETS, 100)
                      .externalId("deploy-1")
                      .tags(Tag.builder().key("color").value("blue").build())
                      .build())
              .taskSet();
      assertEquals(
          made.serviceArn().replace(":service/", ":task-set/") + "/" + blue.id(),
          blue.taskSetArn());
      assertEquals("ACTIVE", blue.status());
      assertEquals(StabilityStatus.STABILIZING, blue.stabilityStatus());
      assertEquals(3, blue.computedDesiredCount());
      world.until("blue", LONG, () -> steady(world, blue.id()));
      assertEquals(3, world.balancer.serving(TARGETS).size());
      assertTrue(
          world.saysEvent(
              "(service " + SERVICE + ", taskSet " + blue.id() + ") has reached a steady state."));
      world
          .ecs()
          .updateServicePrimaryTaskSet(
              r -> r.cluster(CLUSTER).service(SERVICE).primaryTaskSet(blue.taskSetArn()));
      assertEquals(first, world.service().taskDefinition());
      assertEquals("PRIMARY", world.service().taskSets().getFirst().status());
      assertEquals(3, world.service().taskSets().getFirst().runningCount());
      assertEquals(List.of(), describe(world, blue.id()).tags());
      assertEquals(
          "blue",
          world
              .ecs()
              .describeTaskSets(r -> r.cluster(CLUSTER).service(SERVICE).include(TaskSetField.TAGS))
              .taskSets()
              .getFirst()
              .tags()
              .getFirst()
              .value());

      String second = world.register(World.container().command("new").build());
      TaskSet green = world.ecs().createTaskSet(set(second, GREEN, 40).build()).taskSet();
      assertEquals(2, green.computedDesiredCount(), "40 % of 3, rounded up");
      world.until("green", LONG, () -> steady(world, green.id()));
      assertEquals(2, world.balancer.serving(GREEN).size());
      assertEquals(3, world.balancer.serving(TARGETS).size());
      assertEquals(5, world.service().runningCount());
      scale(world, green.id(), 100);
      world.until("green whole", LONG, () -> world.balancer.serving(GREEN).size() == 3);
      world
          .ecs()
          .updateServicePrimaryTaskSet(
              r -> r.cluster(CLUSTER).service(SERVICE).primaryTaskSet(green.id()));
      assertEquals("ACTIVE", describe(world, blue.id()).status());
      assertEquals("PRIMARY", describe(world, green.id()).status());
      assertEquals(second, world.service().taskDefinition());
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .deleteTaskSet(r -> r.cluster(CLUSTER).service(SERVICE).taskSet(blue.id())))
              .contains("while it is scaled above 0"));
      assertEquals(
          "DRAINING",
          world
              .ecs()
              .deleteTaskSet(
                  r -> r.cluster(CLUSTER).service(SERVICE).taskSet(blue.id()).force(true))
              .taskSet()
              .status());
      world.until("only green", LONG, () -> world.service().taskSets().size() == 1);
      assertEquals(3, world.runningContainers().size());
      assertEquals(List.of(), world.balancer.serving(TARGETS));
      assertEquals(3, world.balancer.serving(GREEN).size());
    }
  }

  @Test
  void setsFollowTheServicesCountAndTheirTasksAreReplaced() throws IOException {
    try (World world = world(1)) {
      String definition = world.register(World.container().build());
      world.ecs().createService(external(4).build());
      String half = world.ecs().createTaskSet(set(definition, TARGETS, 50).build()).taskSet().id();
      world.until("two", LONG, () -> steady(world, half));
      assertEquals(2, world.runningContainers().size());
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(7));
      world.until("four", LONG, () -> describe(world, half).runningCount() == 4);
      assertEquals(4, describe(world, half).computedDesiredCount());
      world.until("steady", LONG, () -> steady(world, half));
      world.engine.kill(world.runningContainers().getFirst().id());
      world.until("not steady", LONG, () -> !steady(world, half));
      world.until("replaced", LONG, () -> steady(world, half));
      String ill = world.balancer.serving(TARGETS).getFirst();
      world.pass(Duration.ofMinutes(1));
      world.sick.add(ill);
      world.until(
          "the ill one is replaced",
          LONG,
          () -> steady(world, half) && !world.runningAddresses().contains(ill));
      assertTrue(world.saysEvent(", taskSet " + half + ") (port 5050) is unhealthy in "));
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(0));
      world.until("none", LONG, () -> world.runningContainers().isEmpty());
      world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE));
      world.until("inactive", LONG, () -> world.service().status().equals("INACTIVE"));
      assertEquals(List.of(), world.service().taskSets());
    }
  }

  @Test
  void sharesRoundUpAndNeverBeyondWhatTheyAre() {
    Map<Double, Integer> of10 =
        Map.of(0.0, 0, 0.1, 1, 10.0, 1, 10.1, 2, 33.3, 4, 70.0, 7, 99.9, 10, 100.0, 10);
    of10.forEach((percent, tasks) ->
        assertEquals(tasks, TaskSets.computed(10, Scale.builder().value(percent).build())));
    assertEquals(7, TaskSets.computed(100, Scale.builder().value(7.0).build()));
    assertEquals(0, TaskSets.computed(0, Scale.builder().value(50.0).build()));
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    try (World world = world(1)) {
      String definition = world.register(World.container().build());
      assertTrue(
          refused(() -> world.ecs().createService(external(1).taskDefinition(definition).build()))
              .contains("The parameter taskDefinition cannot be specified"));
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .createService(
                          external(1).schedulingStrategy(SchedulingStrategy.DAEMON).build()))
              .startsWith("DAEMON scheduling strategy is not supported"));
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .createService(
                          external(1).deploymentController(c -> c.type("CODE_DEPLOY")).build()))
              .contains(
                  "CODE_DEPLOY is not supported by this region yet: it needs AWS CodeDeploy."));
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .createService(
                          external(1)
                              .deploymentConfiguration(c ->
                                  c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true)))
                              .build()))
              .contains("only supported with ECS deployment controller"));
      world.ecs().createService(external(1).build());
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .updateService(
                          r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(definition)))
              .contains("The parameter taskDefinition cannot be specified"));
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .updateService(
                          r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true)))
              .contains("The parameter forceNewDeployment cannot be specified"));
      for (double percent : new double[] {-1, 100.1, Double.NaN}) {
        assertTrue(
            refused(() -> world.ecs().createTaskSet(set(definition, TARGETS, percent).build()))
                .contains("between 0.0 and 100.0"));
      }
      CreateTaskSetRequest request = set(definition, TARGETS, 0).clientToken("once").build();
      TaskSet once = world.ecs().createTaskSet(request).taskSet();
      assertEquals(once.id(), world.ecs().createTaskSet(request).taskSet().id());
      assertTrue(
          refused(() ->
                  world.ecs().createTaskSet(request.toBuilder().externalId("another").build()))
              .contains("Creation of task set was not idempotent."));
      for (int i = 0; i < 4; i++) {
        world.ecs().createTaskSet(set(definition, TARGETS, 0).build());
      }
      assertTrue(
          refused(() -> world.ecs().createTaskSet(set(definition, TARGETS, 0).build()))
              .contains("at most 5"));
      assertThrows(TaskSetNotFoundException.class, () -> scale(world, "ecs-svc/1", 5));
      assertEquals(
          "MISSING",
          world
              .ecs()
              .describeTaskSets(r -> r.cluster(CLUSTER).service(SERVICE).taskSets("ecs-svc/1"))
              .failures()
              .getFirst()
              .reason());
      world.createServiceNamed("other", 0);
      assertTrue(
          refused(() ->
                  world.ecs().createTaskSet(set(definition, TARGETS, 0).service("other").build()))
              .contains("EXTERNAL deployment controller"));
      // Deleting the service by force takes the sets with it.
      assertTrue(
          refused(() -> world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE)))
              .contains("scaled above 0"));
      world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
      world.until("inactive", LONG, () -> world.service().status().equals("INACTIVE"));
      assertEquals(List.of(), world.service().taskSets());
    }
  }

  /** Sets are made, scaled and deleted while the server dies: the end is as it was wanted. */
  @Test
  void whereverTheServerDiesTheSetsAreAsWanted() throws IOException {
    for (int seed = 0; seed < 10; seed++) {
      try (World world = world(seed)) {
        Random chaos = new Random(seed);
        String definition = world.register(World.container().build());
        world.ecs().createService(external(4).build());
        List<String> sets = new ArrayList<>();
        for (int step = 0; step < 12; step++) {
          world.life().endAfter(1 + chaos.nextInt(300));
          int what = chaos.nextInt(4);
          double percent = chaos.nextInt(101);
          String token = "step-" + step;
          world.persistently(() -> {
            if (sets.isEmpty() || (what == 0 && sets.size() < 4)) {
              String id =
                  world
                      .ecs()
                      .createTaskSet(set(definition, TARGETS, percent).clientToken(token).build())
                      .taskSet()
                      .id();
              sets.add(id);
            } else if (what == 1 && sets.size() > 1) {
              String id = sets.getFirst();
              world
                  .ecs()
                  .deleteTaskSet(r -> r.cluster(CLUSTER).service(SERVICE).taskSet(id).force(true));
              sets.removeFirst();
            } else {
              scale(world, sets.getLast(), percent);
            }
            return true;
          });
          int ticks = chaos.nextInt(200);
          for (int tick = 0; tick < ticks; tick++) {
            if (world.life().over()) {
              world.restart();
            }
            world.pass(Duration.ofMillis(100));
          }
        }
        String name = "seed " + seed;
        world.restart(); // the last one lives
        world.until(
            name,
            LONG,
            () ->
                world.service().taskSets().stream()
                        .map(TaskSet::id)
                        .sorted()
                        .toList()
                        .equals(sets.stream().sorted().toList())
                    && sets.stream().allMatch(id -> steady(world, id)));
        int wanted =
            world.service().taskSets().stream().mapToInt(TaskSet::computedDesiredCount).sum();
        world.until(name, LONG, () -> world.runningContainers().size() == wanted);
        assertEquals(wanted, world.balancer.serving(TARGETS).size(), name);
        assertFalse(world.engine.starts().values().stream().anyMatch(n -> n != 1), name);
      }
    }
  }
}
