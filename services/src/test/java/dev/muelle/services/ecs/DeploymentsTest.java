package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static dev.muelle.services.ecs.World.TARGETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.service.Alarms;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentBrief;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentNotFoundException;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentRollbackMonitorsStatus;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.ServiceRevision;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentStopType;
import software.amazon.awssdk.services.ecs.model.Task;

/** Deployments as they go well, fail, are rolled back and stopped, and what is written of them. */
@Timeout(300)
class DeploymentsTest {

  private static final Duration LONG = Duration.ofMinutes(30);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private Deployment primary() {
    return world.service().deployments().getFirst();
  }

  private void completed() {
    world.until(
        "completed",
        LONG,
        () ->
            primary().rolloutState() == DeploymentRolloutState.COMPLETED
                && world.service().deployments().size() == 1);
  }

  private List<ServiceDeploymentBrief> history() {
    return world
        .ecs()
        .listServiceDeployments(r -> r.cluster(CLUSTER).service(SERVICE))
        .serviceDeployments();
  }

  private ServiceDeployment describe(String arn) {
    return world
        .ecs()
        .describeServiceDeployments(r -> r.serviceDeploymentArns(arn))
        .serviceDeployments()
        .getFirst();
  }

  private ServiceDeployment current() {
    return describe(world.service().currentServiceDeployment());
  }

  private ServiceRevision revision(String arn) {
    return world
        .ecs()
        .describeServiceRevisions(r -> r.serviceRevisionArns(arn))
        .serviceRevisions()
        .getFirst();
  }

  private String broken() {
    world.script.put("broken", Behaviour.runs().exiting(1, Duration.ZERO));
    return world.register(World.container().image("registry.test/broken:1").build());
  }

  private void update(
      String definition, UnaryOperator<DeploymentConfiguration.Builder> configuration) {
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .taskDefinition(definition)
                .deploymentConfiguration(c -> configuration.apply(c)));
  }

  private void untilStatus(String arn, ServiceDeploymentStatus status) {
    world.until(status.toString(), LONG, () -> describe(arn).status() == status);
  }

  private Set<String> taskArns() {
    return world.tasks().stream().map(Task::taskArn).collect(Collectors.toSet());
  }

  @Test
  void whatGoesWellIsWrittenDown() {
    world.lab(2);
    completed();
    ServiceDeploymentBrief brief = history().getFirst();
    assertEquals(1, history().size());
    assertEquals(ServiceDeploymentStatus.SUCCESSFUL, brief.status());
    assertTrue(
        brief
            .serviceDeploymentArn()
            .matches(
                "arn:aws:ecs:us-east-1:000000000000:service-deployment/"
                    + CLUSTER
                    + "/"
                    + SERVICE
                    + "/[A-Za-z0-9_-]{22}"),
        brief.serviceDeploymentArn());
    ServiceDeployment deployment = describe(brief.serviceDeploymentArn());
    assertEquals(2, deployment.targetServiceRevision().runningTaskCount());
    assertEquals(2, deployment.targetServiceRevision().requestedTaskCount());
    assertEquals(List.of(), deployment.sourceServiceRevisions());
    assertEquals(
        ServiceDeploymentRollbackMonitorsStatus.DISABLED,
        deployment.deploymentCircuitBreaker().status());
    assertFalse(deployment.startedAt().isAfter(deployment.finishedAt()));
    assertNull(deployment.stoppedAt());
    Service service = world.service();
    String target = deployment.targetServiceRevision().arn();
    assertEquals(target, service.currentServiceRevisions().getFirst().arn());
    assertEquals(2, service.currentServiceRevisions().getFirst().runningTaskCount());
    assertTrue(
        target.endsWith(primary().id().replace("ecs-svc/", "/")), target + " " + primary().id());
    ServiceRevision revision = revision(target);
    assertEquals(service.taskDefinition(), revision.taskDefinition());
    assertEquals(service.loadBalancers(), revision.loadBalancers());
    assertEquals(service.networkConfiguration(), revision.networkConfiguration());
    assertEquals(CONTAINER, revision.containerImages().getFirst().containerName());
    assertTrue(revision.containerImages().getFirst().imageDigest().startsWith("sha256:"));
    // The next one knows where it came from.
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    world.pass(Duration.ofMillis(100));
    assertEquals(ServiceDeploymentStatus.IN_PROGRESS, current().status());
    assertEquals(target, current().sourceServiceRevisions().getFirst().arn());
    assertEquals(2, world.service().currentServiceRevisions().size());
    completed();
    assertEquals(List.of(), current().sourceServiceRevisions());
    assertEquals(2, history().size());
    assertEquals(
        world.service().currentServiceDeployment(), history().getFirst().serviceDeploymentArn());
  }

  @Test
  void theListIsFilteredAndPaged() {
    world.lab(1);
    completed();
    for (int i = 0; i < 3; i++) {
      world.pass(Duration.ofMillis(200));
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    }
    completed();
    assertEquals(
        List.of(
            ServiceDeploymentStatus.SUCCESSFUL,
            ServiceDeploymentStatus.STOPPED,
            ServiceDeploymentStatus.STOPPED,
            ServiceDeploymentStatus.SUCCESSFUL),
        history().stream().map(ServiceDeploymentBrief::status).toList());
    assertEquals(
        2,
        world
            .ecs()
            .listServiceDeployments(
                r -> r.cluster(CLUSTER).service(SERVICE).status(ServiceDeploymentStatus.STOPPED))
            .serviceDeployments()
            .size());
    assertEquals(
        history().subList(0, 1),
        world
            .ecs()
            .listServiceDeployments(r ->
                r.cluster(CLUSTER)
                    .service(SERVICE)
                    .createdAt(c -> c.after(history().get(1).createdAt())))
            .serviceDeployments());
    var first =
        world.ecs().listServiceDeployments(r -> r.cluster(CLUSTER).service(SERVICE).maxResults(3));
    var second =
        world
            .ecs()
            .listServiceDeployments(
                r -> r.cluster(CLUSTER).service(SERVICE).nextToken(first.nextToken()));
    assertEquals(3, first.serviceDeployments().size());
    assertEquals(history().subList(3, 4), second.serviceDeployments());
    assertThrows(
        ServiceNotFoundException.class,
        () -> world.ecs().listServiceDeployments(r -> r.cluster(CLUSTER).service("nobody")));
    assertEquals(
        "MISSING",
        world
            .ecs()
            .describeServiceDeployments(
                r -> r.serviceDeploymentArns(history().getFirst().serviceDeploymentArn() + "x"))
            .failures()
            .getFirst()
            .reason());
    assertThrows(
        EcsException.class,
        () -> world.ecs().describeServiceRevisions(r -> r.serviceRevisionArns()));
  }

  @Test
  void theCircuitBreakerTakesTheOldDeploymentUpAgain() {
    world.lab(2);
    completed();
    world.until("healthy", LONG, world::settled);
    String good = primary().id();
    String goodRevision = world.service().currentServiceRevisions().getFirst().arn();
    Set<String> tasks = taskArns();
    world.script.put(CONTAINER, Behaviour.runs().pulledIn(Duration.ofSeconds(5)));
    update(
        broken(),
        c ->
            c.minimumHealthyPercent(50)
                .maximumPercent(100)
                .deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
    String arn = world.service().currentServiceDeployment();
    String bad = primary().id();
    untilStatus(arn, ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS);
    assertEquals(good, primary().id());
    assertEquals(
        "ECS deployment circuit breaker: rolling back to deploymentId " + good + ".",
        primary().rolloutStateReason());
    untilStatus(arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
    completed();
    assertTrue(taskArns().stream().anyMatch(tasks::contains), "what ran went on");
    ServiceDeployment told = describe(arn);
    assertEquals(goodRevision, told.rollback().serviceRevisionArn());
    assertEquals(
        "Service deployment rolled back because the circuit breaker threshold was exceeded.",
        told.statusReason());
    assertEquals(
        ServiceDeploymentRollbackMonitorsStatus.TRIGGERED,
        told.deploymentCircuitBreaker().status());
    assertEquals(3, told.deploymentCircuitBreaker().threshold());
    assertEquals(3, told.deploymentCircuitBreaker().failureCount());
    assertTrue(
        world.saysEvent("(deployment " + bad + ") deployment failed: tasks failed to start."));
    assertTrue(world.saysEvent("rolling back to deployment " + good + "."));
  }

  @Test
  void withoutRollbackAFailedDeploymentWaitsForABetterOne() {
    world.lab(2);
    completed();
    String good = world.service().taskDefinition();
    update(broken(), c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(false)));
    String arn = world.service().currentServiceDeployment();
    untilStatus(arn, ServiceDeploymentStatus.STOPPED);
    assertEquals(DeploymentRolloutState.FAILED, primary().rolloutState());
    assertEquals(
        "ECS deployment circuit breaker: tasks failed to start.", primary().rolloutStateReason());
    assertEquals(
        "Service deployment stopped because the circuit breaker threshold was exceeded.",
        describe(arn).statusReason());
    int tries = world.engine.starts().size();
    world.pass(Duration.ofHours(1));
    assertEquals(tries, world.engine.starts().size());
    assertEquals(2, world.balancer.serving(TARGETS).size());
    update(good, c -> c);
    assertTrue(
        world.service().deploymentConfiguration().deploymentCircuitBreaker().enable(),
        "what was not said stays");
    completed();
    assertEquals(ServiceDeploymentStatus.SUCCESSFUL, current().status());
  }

  @Test
  void aFirstDeploymentThatFailsHasNothingToGoBackTo() {
    world.createCluster();
    broken();
    world.createService(4, 50, 200);
    update(
        world.service().taskDefinition(),
        c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
    world.until("failed", LONG, () -> primary().rolloutState() == DeploymentRolloutState.FAILED);
    assertEquals(ServiceDeploymentStatus.STOPPED, current().status());
    world.pass(Duration.ofMinutes(5));
    int tries = world.engine.starts().size();
    world.pass(Duration.ofHours(1));
    assertEquals(tries, world.engine.starts().size());
    update(world.register(World.container().build()), c -> c);
    completed();
  }

  /** On instances with room for two of the usual tasks, and a breaker that rolls back. */
  private Instances onInstances(int rooms) {
    world.createCluster();
    Instances instances = new Instances(world);
    instances.register("i-a", "us-east-1a", rooms);
    String definition =
        world
            .ecs()
            .registerTaskDefinition(r ->
                r.family(FAMILY)
                    .networkMode("awsvpc")
                    .containerDefinitions(World.container().build()))
            .taskDefinition()
            .taskDefinitionArn();
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(definition)
                .launchType(LaunchType.EC2)
                .desiredCount(2)
                .deploymentConfiguration(
                    c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true)))
                .networkConfiguration(Instances.net()));
    return instances;
  }

  @Test
  void tasksThatCannotBePlacedTripTheBreaker() {
    onInstances(2);
    completed();
    Set<String> good = taskArns();
    String huge =
        world
            .ecs()
            .registerTaskDefinition(r ->
                r.family(FAMILY)
                    .networkMode("awsvpc")
                    .containerDefinitions(World.container().cpu(64 * 1024).build()))
            .taskDefinition()
            .taskDefinitionArn();
    update(huge, c -> c);
    String arn = world.service().currentServiceDeployment();
    world.until("counted", LONG, () -> primary().failedTasks() == 2);
    assertEquals(ServiceDeploymentStatus.IN_PROGRESS, describe(arn).status());
    untilStatus(arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(3, describe(arn).deploymentCircuitBreaker().failureCount());
    assertTrue(world.saysEvent("was unable to place a task"));
    completed();
    assertEquals(good, taskArns(), "what ran went on");
  }

  @Test
  void roomThatComesInTimeIsUsedAndTheAttemptsBeforeCountNoMore() {
    Instances instances = onInstances(1);
    world.until("one is missing", LONG, () -> primary().failedTasks() == 1);
    instances.register("i-b", "us-east-1b", 1);
    completed();
    assertEquals(0, primary().failedTasks());
    assertEquals(ServiceDeploymentStatus.SUCCESSFUL, current().status());
    assertEquals(2, taskArns().size());
  }

  @Test
  void onlyFailuresInARowTripTheBreaker() {
    world.lab(2);
    completed();
    // The new one's tasks become healthy, and fail later: no failure to start.
    world.script.put("shaky", Behaviour.runs().exiting(1, Duration.ofSeconds(40)));
    String shaky = world.register(World.container().image("registry.test/shaky:1").build());
    update(
        shaky,
        c ->
            c.minimumHealthyPercent(100)
                .deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
    completed();
    assertEquals(shaky, world.service().taskDefinition());
    assertEquals(0, primary().failedTasks());
  }

  @Test
  void failedLoadBalancerChecksTripTheBreakerToo() {
    world.lab(2);
    completed();
    world.until("healthy", LONG, world::settled);
    Set<String> good = Set.copyOf(world.balancer.serving(TARGETS));
    update(
        world.register(World.container().command("deaf").build()),
        c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
    String arn = world.service().currentServiceDeployment();
    world.until(
        "rolled back",
        LONG,
        () -> {
          world.runningAddresses().stream()
              .filter(address -> !good.contains(address))
              .forEach(world.sick::add);
          assertEquals(2, world.balancer.serving(TARGETS).size());
          return describe(arn).status() == ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL;
        });
    assertTrue(
        world.saysEvent(
            "(port 5050) is unhealthy in (target-group "
                + TARGETS
                + ") due to (reason Health checks failed)"));
  }

  @Test
  void aTaskThatFailsItsContainersChecksIsReplaced() {
    world.createCluster();
    world.script.put(
        CONTAINER,
        Behaviour.runs().answering(up -> up.compareTo(Duration.ofMinutes(5)) < 0 ? 0 : 1));
    world.register(
        World.container()
            .healthCheck(h -> h.command("CMD-SHELL", "alive").interval(5).retries(2).timeout(2))
            .build());
    world.createService(1, 0, 100);
    world.until("started", LONG, () -> world.service().runningCount() == 1);
    // Running is not enough: its check has to pass first.
    assertEquals(DeploymentRolloutState.IN_PROGRESS, primary().rolloutState());
    completed();
    String first = world.tasks().getFirst().taskArn();
    world.until("replaced", LONG, () -> !world.tasks().isEmpty() && !taskArns().contains(first));
    assertEquals("Task failed container health checks", world.task(first).stoppedReason());
    assertTrue(world.saysEvent("failed container health checks."));
  }

  @Test
  void aDeploymentIsStoppedByRollingItBack() {
    world.lab(2);
    completed();
    String good = primary().id();
    world.script.put("slow", Behaviour.runs().pulledIn(Duration.ofMinutes(10)));
    update(world.register(World.container().image("registry.test/slow:1").build()), c -> c);
    String arn = world.service().currentServiceDeployment();
    world.pass(Duration.ofSeconds(10));
    assertThrows(
        EcsException.class,
        () ->
            world
                .ecs()
                .stopServiceDeployment(r ->
                    r.serviceDeploymentArn(arn).stopType(StopServiceDeploymentStopType.ABORT)));
    assertEquals(
        arn,
        world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn)).serviceDeploymentArn());
    assertEquals(ServiceDeploymentStatus.ROLLBACK_REQUESTED, describe(arn).status());
    world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn)); // goes on
    untilStatus(arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
    completed();
    assertEquals(good, primary().id());
    assertEquals(
        "Service deployment rolled back because StopServiceDeployment was called.",
        describe(arn).statusReason());
    assertThrows(
        ConflictException.class,
        () -> world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn)));
    assertThrows(
        ServiceDeploymentNotFoundException.class,
        () -> world.ecs().stopServiceDeployment(r -> r.serviceDeploymentArn(arn + "x")));
  }

  @Test
  void aNewDeploymentStopsTheOneThatGoesOnAndStillGoesBackToTheLastGoodOne() {
    world.lab(2);
    completed();
    String good = primary().id();
    String bad = broken();
    world.script.put(
        "broken", Behaviour.runs().pulledIn(Duration.ofSeconds(2)).exiting(1, Duration.ZERO));
    update(bad, c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(true)));
    String first = world.service().currentServiceDeployment();
    world.pass(Duration.ofMillis(500));
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    String second = world.service().currentServiceDeployment();
    assertNotEquals(first, second);
    assertEquals(ServiceDeploymentStatus.STOPPED, describe(first).status());
    untilStatus(second, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(good, primary().id());
  }

  private UnaryOperator<DeploymentConfiguration.Builder> watched(boolean rollback) {
    return c ->
        c.alarms(
            DeploymentAlarms.builder()
                .alarmNames("errors")
                .enable(true)
                .rollback(rollback)
                .build());
  }

  @Test
  void anAlarmRollsBackAlsoWhileTheDeploymentBakes() {
    world.cloudWatch.alarms.put("errors", StateValue.OK);
    world.lab(2);
    completed();
    String good = primary().id();
    update(world.register(World.container().command("new").build()), watched(true));
    String arn = world.service().currentServiceDeployment();
    world.until("baking", LONG, () -> world.service().deployments().size() == 1 && world.settled());
    world.pass(Duration.ofMinutes(2));
    assertEquals(ServiceDeploymentStatus.IN_PROGRESS, describe(arn).status());
    assertEquals(
        ServiceDeploymentRollbackMonitorsStatus.MONITORING, describe(arn).alarms().status());
    world.cloudWatch.alarms.put("errors", StateValue.ALARM);
    untilStatus(arn, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
    assertEquals(good, primary().id());
    assertEquals(List.of("errors"), describe(arn).alarms().triggeredAlarmNames());
    assertTrue(world.saysEvent("deployment failed: alarm detected."));
  }

  @Test
  void aDeploymentWithoutAnAlarmSucceedsOnceItIsBaked() {
    world.cloudWatch.alarms.put("errors", StateValue.OK);
    world.lab(1);
    completed();
    update(world.register(World.container().command("new").build()), watched(false));
    String arn = world.service().currentServiceDeployment();
    world.until("there", LONG, () -> world.service().deployments().size() == 1);
    world.pass(Duration.ofMinutes(2));
    assertEquals(ServiceDeploymentStatus.IN_PROGRESS, describe(arn).status());
    world.pass(Duration.ofMinutes(2));
    assertEquals(ServiceDeploymentStatus.SUCCESSFUL, describe(arn).status());
    assertEquals(
        ServiceDeploymentRollbackMonitorsStatus.MONITORING_COMPLETE,
        describe(arn).alarms().status());
  }

  @Test
  void anAlarmThatRangBeforeDoesNotWatch() {
    world.cloudWatch.alarms.put("errors", StateValue.ALARM);
    world.lab(1);
    completed();
    update(world.register(World.container().command("new").build()), watched(true));
    completed();
    assertEquals(ServiceDeploymentStatus.SUCCESSFUL, current().status());
    assertEquals(ServiceDeploymentRollbackMonitorsStatus.DISABLED, current().alarms().status());
  }

  @Test
  void alarmsThatCannotWatchAreRefused() {
    DeploymentAlarms alarms =
        DeploymentAlarms.builder().alarmNames("nobody").enable(true).rollback(true).build();
    assertTrue(
        assertThrows(EcsException.class, () -> new Alarms(null).check(alarms))
            .getMessage()
            .contains("parameter alarms is not supported by this region yet"));
    assertTrue(
        assertThrows(EcsException.class, () -> new Alarms(world.cloudWatch).check(alarms))
            .getMessage()
            .contains("do not exist: [nobody]"));
    new Alarms(null).check(alarms.toBuilder().enable(false).build());
  }

  @Test
  void percentagesThatAllowNothingAreSaid() {
    world.lab(1);
    completed();
    update(
        world.register(World.container().command("new").build()),
        c -> c.minimumHealthyPercent(100).maximumPercent(150));
    world.pass(Duration.ofHours(1));
    assertEquals(2, world.service().deployments().size());
    assertEquals(
        1,
        world.service().events().stream()
            .filter(e ->
                e.message()
                    .contains("was unable to stop or start tasks during a deployment because of"))
            .count());
    update(world.service().taskDefinition(), c -> c.maximumPercent(200));
    completed();
  }

  @Test
  void aSteadyStateIsToldAgain() {
    world.lab(1);
    completed();
    world.pass(Duration.ofHours(13));
    assertEquals(
        3,
        world.service().events().stream()
            .filter(e -> e.message().endsWith("has reached a steady state."))
            .count());
  }

  @Test
  void aForcedDeletionEndsTheDeploymentThatGoesOn() {
    world.lab(2);
    completed();
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).forceNewDeployment(true));
    String arn = world.service().currentServiceDeployment();
    world.ecs().deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
    assertEquals(ServiceDeploymentStatus.STOPPED, describe(arn).status());
    assertEquals("DRAINING", world.service().status());
    world.until("inactive", LONG, () -> world.service().status().equals("INACTIVE"));
    assertEquals(List.of(), world.engine.sandboxes());
    assertEquals(2, history().size());
  }

  @Test
  void twoClientsWhoChangeDifferentThingsBothGetThem() throws InterruptedException {
    world.lab(1);
    completed();
    String next = world.register(World.container().command("new").build());
    Thread definition =
        Thread.ofVirtual()
            .start(() ->
                world
                    .ecs()
                    .updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(next)));
    Thread count =
        Thread.ofVirtual()
            .start(() ->
                world
                    .ecs()
                    .updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(3)));
    definition.join();
    count.join();
    assertEquals(next, world.service().taskDefinition());
    assertEquals(3, world.service().desiredCount());
    assertEquals(3, primary().desiredCount());
  }

  @Test
  void theSameCallAgainGivesTheServiceThatIsThere() {
    world.createCluster();
    String definition = world.register(World.container().build());
    CreateServiceRequest request =
        CreateServiceRequest.builder()
            .cluster(CLUSTER)
            .serviceName(SERVICE)
            .taskDefinition(definition)
            .launchType(LaunchType.FARGATE)
            .desiredCount(1)
            .networkConfiguration(World.net())
            .clientToken("once")
            .build();
    Service made = world.ecs().createService(request).service();
    assertEquals(
        primary().id(), world.ecs().createService(request).service().deployments().getFirst().id());
    assertEquals(made.createdAt(), world.service().createdAt());
    assertThrows(
        EcsException.class,
        () -> world.ecs().createService(request.toBuilder().clientToken("twice").build()));
    assertEquals(1, history().size());
  }

  @Test
  void tasksOfAnotherTargetGroupServeUntilTheNewOnesDo() {
    String other = TARGETS.replace("target-group/1", "other/2");
    world.balancer.addGroup(other, FakeEc2.VPC, true);
    world.lab(2);
    completed();
    world.until("healthy", LONG, world::settled);
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .loadBalancers(World.loadBalancer().toBuilder().targetGroupArn(other).build()));
    world.until(
        "moved",
        LONG,
        () -> {
          int serving =
              world.balancer.serving(TARGETS).size() + world.balancer.serving(other).size();
          assertTrue(serving >= 2, serving + " serve");
          return world.balancer.serving(other).size() == 2
              && world.service().deployments().size() == 1;
        });
  }
}
