package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentLifecycleHook;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentLifecycleStage;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;

/**
 * Blue/green, linear and canary deployments: at every moment each target group that gets traffic
 * has all its tasks healthy.
 */
@Timeout(300)
class TrafficShiftTest {

  private static final Duration LONG = Duration.ofHours(2);
  private static final String GREEN = TARGETS.replace("target-group/1", "green/2");
  private static final int TASKS = 3;
  private static final List<Integer> SEEDS = Seeds.orElse(9);

  @TempDir Path directory;
  private String rule = "";
  private String test = "";

  private World world(int seed) throws IOException {
    World world = new World(Files.createTempDirectory(directory, "world"), seed);
    world.balancer.addGroup(GREEN, FakeEc2.VPC, false);
    rule = world.balancer.addRule("production", TARGETS);
    test = world.balancer.addRule("test", TARGETS);
    world.createCluster();
    world.register(World.container().build());
    return world;
  }

  private LoadBalancer balancer(UnaryOperator<AdvancedConfiguration.Builder> change) {
    return World.loadBalancer().toBuilder()
        .advancedConfiguration(
            change
                .apply(
                    AdvancedConfiguration.builder()
                        .alternateTargetGroupArn(GREEN)
                        .productionListenerRule(rule)
                        .testListenerRule(test)
                        .roleArn("arn:aws:iam::000000000000:role/ecsInfrastructureRole"))
                .build())
        .build();
  }

  private void create(World world, UnaryOperator<DeploymentConfiguration.Builder> configuration) {
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(FAMILY)
                .launchType(LaunchType.FARGATE)
                .desiredCount(TASKS)
                .healthCheckGracePeriodSeconds(30)
                .deploymentConfiguration(c -> configuration.apply(c))
                .loadBalancers(balancer(a -> a))
                .networkConfiguration(World.net()));
    until(world, "first", () -> completed(world));
    assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
  }

  private static boolean completed(World world) {
    return world.service().deployments().size() == 1
        && world.service().deployments().getFirst().rolloutState()
            == DeploymentRolloutState.COMPLETED;
  }

  /** As the world's, and all that gets traffic is whole at every moment. */
  private void until(World world, String what, BooleanSupplier condition) {
    boolean first = world.service().currentServiceRevisions().size() == 1 && !completed(world);
    world.until(
        what,
        LONG,
        () -> {
          if (!first) {
            whole(world);
          }
          return condition.getAsBoolean();
        });
  }

  private void whole(World world) {
    world
        .balancer
        .shares(rule)
        .forEach((group, weight) ->
            assertTrue(
                world.balancer.serving(group).size() >= TASKS,
                () -> group + " gets " + weight + " and has " + world.balancer.serving(group)));
  }

  private static String deploy(World world, String command) {
    String next = world.register(World.container().command(command).build());
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(next));
    return world.service().currentServiceDeployment();
  }

  private static ServiceDeployment describe(World world, String arn) {
    return world
        .ecs()
        .describeServiceDeployments(r -> r.serviceDeploymentArns(arn))
        .serviceDeployments()
        .getFirst();
  }

  private void untilStage(World world, String arn, ServiceDeploymentLifecycleStage stage) {
    until(world, stage.toString(), () -> describe(world, arn).lifecycleStage() == stage);
  }

  private void untilStatus(World world, String arn, ServiceDeploymentStatus status) {
    until(world, status.toString(), () -> describe(world, arn).status() == status);
  }

  @Test
  void allTrafficMovesAtOnceAndTheOldTasksStayUntilItIsBaked() throws IOException {
    try (World world = world(1)) {
      create(world, c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(5));
      String blue = world.service().currentServiceRevisions().getFirst().arn();
      String arn = deploy(world, "green");
      until(world, "shift", () -> world.balancer.shares(rule).equals(Map.of(GREEN, 100)));
      untilStage(world, arn, ServiceDeploymentLifecycleStage.BAKE_TIME);
      world.pass(Duration.ofMinutes(4));
      assertEquals(2 * TASKS, world.runningContainers().size());
      assertEquals(ServiceDeploymentStatus.IN_PROGRESS, describe(world, arn).status());
      assertEquals(blue, describe(world, arn).sourceServiceRevisions().getFirst().arn());
      untilStatus(world, arn, ServiceDeploymentStatus.SUCCESSFUL);
      until(world, "clean", () -> world.runningContainers().size() == TASKS);
      assertEquals(List.of(), world.balancer.serving(TARGETS));
      assertEquals(
          GREEN,
          world
              .ecs()
              .describeServiceRevisions(
                  r -> r.serviceRevisionArns(describe(world, arn).targetServiceRevision().arn()))
              .serviceRevisions()
              .getFirst()
              .resolvedConfiguration()
              .loadBalancers()
              .getFirst()
              .targetGroupArn());
      // Scaling is no deployment, and what dies is replaced where it was.
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(5));
      until(world, "five", () -> world.balancer.serving(GREEN).size() == 5);
      world.engine.kill(world.runningContainers().getFirst().id());
      world.until("five again", LONG, () -> world.balancer.serving(GREEN).size() == 5);
      // And back the same way.
      String again = deploy(world, "blue again");
      untilStatus(world, again, ServiceDeploymentStatus.SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      assertEquals(5, world.balancer.serving(TARGETS).size());
    }
  }

  @Test
  void theTestListenerShowsWhatIsNotInProductionYet() throws IOException {
    try (World world = world(1)) {
      create(world, c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(0));
      List<List<Map<String, Integer>>> seen = new ArrayList<>();
      String arn = deploy(world, "green");
      until(
          world,
          "done",
          () -> {
            List<Map<String, Integer>> now =
                List.of(world.balancer.shares(test), world.balancer.shares(rule));
            if (seen.isEmpty() || !seen.getLast().equals(now)) {
              seen.add(now);
            }
            return describe(world, arn).status() == ServiceDeploymentStatus.SUCCESSFUL;
          });
      assertEquals(List.of(Map.of(TARGETS, 100), Map.of(TARGETS, 100)), seen.getFirst());
      assertEquals(List.of(Map.of(GREEN, 100), Map.of(GREEN, 100)), seen.getLast());
    }
  }

  @Test
  void rulesBesideTheDefaultOnesAreShiftedAndTheDefaultOnesStay() throws IOException {
    try (World world = world(1)) {
      List<String> defaults = List.of(rule, test);
      rule = world.balancer.addRule("production", 10, TARGETS);
      test = world.balancer.addRule("production", 5, TARGETS);
      create(world, c -> c.strategy("CANARY").bakeTimeInMinutes(5));
      String arn = deploy(world, "green");
      untilStage(world, arn, ServiceDeploymentLifecycleStage.PRODUCTION_TRAFFIC_SHIFT);
      until(
          world,
          "canary",
          () -> world.balancer.shares(rule).equals(Map.of(GREEN, 50, TARGETS, 950)));
      assertEquals(Map.of(GREEN, 100), world.balancer.shares(test), "the test comes before");
      untilStage(world, arn, ServiceDeploymentLifecycleStage.BAKE_TIME);
      assertEquals(Map.of(GREEN, 100), world.balancer.shares(rule));
      world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn));
      untilStatus(world, arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(test));
      for (String one : defaults) {
        assertEquals(Map.of(TARGETS, 1), world.balancer.shares(one), "nobody touched it");
      }
    }
  }

  @Test
  void aCanaryComesFirst() throws IOException {
    try (World world = world(1)) {
      create(
          world,
          c ->
              c.strategy("CANARY")
                  .bakeTimeInMinutes(1)
                  .canaryConfiguration(n -> n.canaryPercent(0.5)));
      assertEquals(
          10,
          world
              .service()
              .deploymentConfiguration()
              .canaryConfiguration()
              .canaryBakeTimeInMinutes());
      String arn = deploy(world, "green");
      until(
          world,
          "canary",
          () -> world.balancer.shares(rule).equals(Map.of(GREEN, 5, TARGETS, 995)));
      world.pass(Duration.ofMinutes(9));
      assertEquals(Map.of(GREEN, 5, TARGETS, 995), world.balancer.shares(rule));
      until(world, "all", () -> world.balancer.shares(rule).equals(Map.of(GREEN, 100)));
      untilStatus(world, arn, ServiceDeploymentStatus.SUCCESSFUL);
    }
  }

  @Test
  void aLinearShiftTakesEqualSteps() throws IOException {
    try (World world = world(1)) {
      create(
          world,
          c ->
              c.strategy("LINEAR")
                  .bakeTimeInMinutes(0)
                  .linearConfiguration(l -> l.stepPercent(30.0).stepBakeTimeInMinutes(2)));
      String arn = deploy(world, "green");
      List<Integer> seen = new ArrayList<>();
      until(
          world,
          "done",
          () -> {
            int share = world.balancer.shares(rule).getOrDefault(GREEN, 0);
            if (seen.isEmpty() || seen.getLast() != share) {
              seen.add(share);
            }
            return describe(world, arn).status() == ServiceDeploymentStatus.SUCCESSFUL;
          });
      assertEquals(List.of(0, 300, 600, 900, 100), seen);
    }
  }

  @Test
  void whatNeverBecomesHealthyNeverGetsTraffic() throws IOException {
    try (World world = world(1)) {
      create(
          world,
          c ->
              c.strategy("BLUE_GREEN")
                  .deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
      world.script.put("broken", Behaviour.runs().exiting(1, Duration.ZERO));
      String bad = world.register(World.container().image("registry.test/broken:1").build());
      String good = world.service().taskDefinition();
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(bad));
      String arn = world.service().currentServiceDeployment();
      until(
          world,
          "rolled back",
          () -> {
            assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
            return describe(world, arn).status() == ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL;
          });
      assertEquals(good, world.service().taskDefinition());
      until(world, "clean", () -> world.runningContainers().size() == TASKS);
    }
  }

  @Test
  void anAlarmOrAStopSendsTrafficBackAtOnce() throws IOException {
    try (World world = world(1)) {
      world.cloudWatch.alarms.put("errors", StateValue.OK);
      create(
          world,
          c ->
              c.strategy("CANARY")
                  .bakeTimeInMinutes(10)
                  .alarms(a -> a.alarmNames("errors").enable(true).rollback(true)));
      String arn = deploy(world, "green");
      untilStage(world, arn, ServiceDeploymentLifecycleStage.BAKE_TIME);
      world.cloudWatch.alarms.put("errors", StateValue.ALARM);
      untilStatus(world, arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      world.cloudWatch.alarms.put("errors", StateValue.OK);
      until(world, "clean", () -> completed(world) && world.runningContainers().size() == TASKS);

      String stopped = deploy(world, "another");
      until(world, "canary", () -> world.balancer.shares(rule).containsKey(GREEN));
      world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(stopped));
      untilStatus(world, stopped, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      until(world, "clean", () -> completed(world) && world.runningContainers().size() == TASKS);
    }
  }

  @Test
  void aDeploymentOnTopOfAnotherStartsFromWhatCarriesTheTraffic() throws IOException {
    try (World world = world(1)) {
      create(world, c -> c.strategy("CANARY").bakeTimeInMinutes(5));
      deploy(world, "first");
      until(world, "canary", () -> world.balancer.shares(rule).containsKey(GREEN));
      String second = deploy(world, "second");
      untilStatus(world, second, ServiceDeploymentStatus.SUCCESSFUL);
      assertEquals(Map.of(GREEN, 100), world.balancer.shares(rule));
      String third = deploy(world, "third");
      untilStage(world, third, ServiceDeploymentLifecycleStage.BAKE_TIME);
      String fourth = deploy(world, "fourth");
      untilStatus(world, fourth, ServiceDeploymentStatus.SUCCESSFUL);
      assertEquals(Map.of(GREEN, 100), world.balancer.shares(rule));
      until(world, "clean", () -> world.runningContainers().size() == TASKS);
    }
  }

  @Test
  void aStopOfADeploymentOnTopOfAnotherGoesBackToTheOneThatCompleted() throws IOException {
    for (ServiceDeploymentLifecycleStage second :
        List.of(
            ServiceDeploymentLifecycleStage.SCALE_UP, ServiceDeploymentLifecycleStage.BAKE_TIME)) {
      try (World world = world(1)) {
        create(world, c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(5));
        String completed = world.service().deployments().getFirst().id();
        String first = deploy(world, "first");
        untilStage(world, first, ServiceDeploymentLifecycleStage.BAKE_TIME);
        String another = deploy(world, "second");
        untilStage(world, another, second);
        world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(another));
        untilStatus(world, another, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
        until(world, "clean", () -> completed(world) && world.runningContainers().size() == TASKS);
        assertEquals(completed, world.service().deployments().getFirst().id());
        // The second has the target group of the completed one when it is in production.
        boolean taken = second == ServiceDeploymentLifecycleStage.BAKE_TIME;
        assertEquals(Map.of(taken ? GREEN : TARGETS, 100), world.balancer.shares(rule));
      }
    }
  }

  @Test
  void aRollingServiceBecomesABlueGreenOne() throws IOException {
    try (World world = world(1)) {
      world.createService(TASKS, 100, 200);
      world.until("first", LONG, () -> world.settled() && completed(world));
      String next = world.register(World.container().command("green").build());
      world
          .ecs()
          .updateService(r ->
              r.cluster(CLUSTER)
                  .service(SERVICE)
                  .taskDefinition(next)
                  .loadBalancers(balancer(a -> a))
                  .deploymentConfiguration(c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(1)));
      String arn = world.service().currentServiceDeployment();
      until(world, "shift", () -> world.balancer.shares(rule).equals(Map.of(GREEN, 100)));
      world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn));
      untilStatus(world, arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      untilStatus(world, deploy(world, "again"), ServiceDeploymentStatus.SUCCESSFUL);
    }
  }

  private static void strategy(World world, String strategy) {
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .deploymentConfiguration(c -> c.strategy(strategy).bakeTimeInMinutes(null)));
  }

  @Test
  void aBlueGreenServiceIsRolledWhereItsTrafficIsAndComesBack() throws IOException {
    try (World world = world(1)) {
      create(world, c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(1));
      String green = deploy(world, "green");
      assertTrue(refused(() -> strategy(world, "ROLLING")).contains("in progress"));
      untilStatus(world, green, ServiceDeploymentStatus.SUCCESSFUL);
      until(world, "clean", () -> completed(world));

      strategy(world, "ROLLING");
      assertEquals(green, world.service().currentServiceDeployment(), "that alone deploys nothing");
      assertNull(world.service().deploymentConfiguration().bakeTimeInMinutes());
      world.pass(Duration.ofMinutes(5));
      assertEquals(TASKS, world.runningContainers().size());
      untilStatus(world, deploy(world, "rolled"), ServiceDeploymentStatus.SUCCESSFUL);
      until(world, "rolled", () -> completed(world));
      assertEquals(Map.of(GREEN, 100), world.balancer.shares(rule));
      assertEquals(TASKS, world.balancer.serving(GREEN).size());
      assertEquals(List.of(), world.balancer.serving(TARGETS));
      world.deployBroken(true);
      untilStatus(
          world,
          world.service().currentServiceDeployment(),
          ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      until(world, "back", () -> completed(world));

      strategy(world, "BLUE_GREEN");
      untilStatus(world, deploy(world, "blue"), ServiceDeploymentStatus.SUCCESSFUL);
      assertEquals(Map.of(TARGETS, 100), world.balancer.shares(rule));
      until(world, "clean", () -> world.runningContainers().size() == TASKS);
    }
  }

  @Test
  void severalRevisionsAreOneTooManyForAnotherStrategy() throws IOException {
    try (World world = world(1)) {
      create(
          world,
          c ->
              c.strategy("BLUE_GREEN")
                  .deploymentCircuitBreaker(b -> b.enable(true).rollback(false)));
      world.script.put("broken", Behaviour.runs().exiting(1, Duration.ZERO));
      String bad = world.register(World.container().image("registry.test/broken:1").build());
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(bad));
      untilStatus(
          world, world.service().currentServiceDeployment(), ServiceDeploymentStatus.STOPPED);
      assertTrue(
          refused(() -> strategy(world, "ROLLING"))
              .contains("more than one active service revision"));
      whole(world);
    }
  }

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  private String refusedToCreate(
      World world,
      UnaryOperator<DeploymentConfiguration.Builder> configuration,
      UnaryOperator<AdvancedConfiguration.Builder> advanced) {
    return refused(() ->
        world
            .ecs()
            .createService(r ->
                r.cluster(CLUSTER)
                    .serviceName(SERVICE)
                    .taskDefinition(FAMILY)
                    .launchType(LaunchType.FARGATE)
                    .desiredCount(TASKS)
                    .deploymentConfiguration(c -> configuration.apply(c))
                    .loadBalancers(balancer(advanced))
                    .networkConfiguration(World.net())));
  }

  @Test
  void whatCannotBeShiftedIsRefused() throws IOException {
    try (World world = world(1)) {
      UnaryOperator<DeploymentConfiguration.Builder> shift = c -> c.strategy("BLUE_GREEN");
      assertTrue(
          refusedToCreate(world, shift, a -> a.alternateTargetGroupArn(TARGETS))
              .contains("must be another target group"));
      assertTrue(
          refusedToCreate(world, shift, a -> a.productionListenerRule(null))
              .contains("productionListenerRule can not be blank"));
      assertTrue(
          refusedToCreate(world, shift, a -> a.productionListenerRule(rule + "x"))
              .contains("was not found"));
      assertTrue(
          refusedToCreate(world, shift, a -> a.testListenerRule(rule.replace("/lb/", "/other/")))
              .contains("does not belong to the load balancer"));
      assertTrue(refusedToCreate(world, shift, a -> a.roleArn("")).contains("roleArn"));
      assertTrue(
          refusedToCreate(world, shift, a -> a.roleArn("nobody")).contains("Role is not valid"));
      assertTrue(
          refusedToCreate(world, c -> c.strategy("BLUE_GREEN").bakeTimeInMinutes(1441), a -> a)
              .contains("between 0 and 1440"));
      assertTrue(
          refusedToCreate(
                  world,
                  c -> c.strategy("CANARY").canaryConfiguration(n -> n.canaryPercent(0.05)),
                  a -> a)
              .contains("multiple of 0.1"));
      assertTrue(
          refusedToCreate(
                  world,
                  c -> c.strategy("CANARY").linearConfiguration(l -> l.stepPercent(10.0)),
                  a -> a)
              .contains("linearConfiguration is not valid"));
      assertTrue(
          refusedToCreate(
                  world,
                  c ->
                      c.strategy("BLUE_GREEN")
                          .lifecycleHooks(
                              DeploymentLifecycleHook.builder()
                                  .hookTargetArn("arn:aws:lambda:x")
                                  .build()),
                  a -> a)
              .contains(
                  "parameter lifecycleHooks is not supported by this region yet: it needs AWS Lambda."));
      assertTrue(
          refusedToCreate(world, c -> c.strategy("PURPLE"), a -> a)
              .contains("strategy should be one of [ROLLING,BLUE_GREEN,LINEAR,CANARY]"));
    }
  }

  /** Deployments, stops and deaths at any moment: what gets traffic is whole, and it ends well. */
  @Test
  void wheneverTheServerDiesWhatGetsTrafficIsWhole() throws IOException {
    for (int seed : SEEDS) {
      try (World world = world(seed)) {
        traffic(world, seed);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  private void traffic(World world, int seed) {
    Random chaos = new Random(seed);
    world.script.put(CONTAINER, Behaviour.runs().pulledIn(Duration.ofSeconds(2)));
    String strategy = List.of("BLUE_GREEN", "LINEAR", "CANARY").get(seed % 3);
    create(world, c -> c.strategy(strategy).bakeTimeInMinutes(1));
    for (int step = 0; step < 10; step++) {
      world.life().endAfter(1 + chaos.nextInt(800));
      int what = chaos.nextInt(3);
      String command = "step-" + step;
      world.persistently(() -> {
        if (what == 0) {
          deploy(world, command);
        } else if (what == 1) {
          stop(world);
        }
        return true;
      });
      int ticks = chaos.nextInt(2500);
      for (int tick = 0; tick < ticks; tick++) {
        if (world.life().over()) {
          world.restart();
        }
        world.pass(Duration.ofMillis(100));
        whole(world);
      }
    }
    world.restart(); // the last one lives
    String name = "seed " + seed;
    until(world, name, () -> completed(world) && world.runningContainers().size() == TASKS);
    assertEquals(1, world.balancer.shares(rule).size(), name);
    world.engine.starts().forEach((id, times) -> assertEquals(1, times, name + id));
  }

  private static void stop(World world) {
    String arn = world.service().currentServiceDeployment();
    try {
      world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn));
    } catch (ConflictException e) {
      // It was over.
    }
  }
}
