package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.FAMILY;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.AttributeLimitExceededException;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterContainsContainerInstancesException;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceField;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceHealthStatus;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckResult;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckState;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckType;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.StartTaskResponse;
import software.amazon.awssdk.services.ecs.model.TargetNotFoundException;
import software.amazon.awssdk.services.ecs.model.TargetType;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.UpdateContainerInstancesStateResponse;

/** Container instances, and tasks and services of launch type EC2 on them. */
@Timeout(120)
class ContainerInstancesTest extends OnInstances {

  private Cluster cluster() {
    return world.ecs().describeClusters(r -> r.clusters(CLUSTER)).clusters().getFirst();
  }

  private List<String> list(String filter) {
    return world
        .ecs()
        .listContainerInstances(r -> r.cluster(CLUSTER).filter(filter))
        .containerInstanceArns();
  }

  private static PlacementStrategy strategy(String type, String field) {
    return PlacementStrategy.builder().type(type).field(field).build();
  }

  private static PlacementConstraint memberOf(String expression) {
    return PlacementConstraint.builder().type("memberOf").expression(expression).build();
  }

  private static PlacementConstraint distinct() {
    return PlacementConstraint.builder().type("distinctInstance").build();
  }

  private void running(String arn) {
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
  }

  private UpdateContainerInstancesStateResponse state(String arn, ContainerInstanceStatus status) {
    return world
        .ecs()
        .updateContainerInstancesState(
            r -> r.cluster(CLUSTER).containerInstances(arn).status(status));
  }

  private ContainerInstanceHealthStatus health(String arn) {
    return world
        .ecs()
        .describeContainerInstances(r ->
            r.cluster(CLUSTER)
                .containerInstances(arn)
                .include(ContainerInstanceField.CONTAINER_INSTANCE_HEALTH))
        .containerInstances()
        .getFirst()
        .healthStatus();
  }

  @Test
  void itsHealthIsTheRuntimesToldOnlyWhenAskedFor() {
    String arn = instances.register("i-a", "us-east-1a", 2);
    assertNull(
        world
            .ecs()
            .describeContainerInstances(r -> r.cluster(CLUSTER).containerInstances(arn))
            .containerInstances()
            .getFirst()
            .healthStatus());
    assertEquals(InstanceHealthCheckState.OK, health(arn).overallStatus());
    Instant since = health(arn).details().getFirst().lastStatusChange();
    world.engine.impair("the disk is full");
    assertEquals(
        InstanceHealthCheckState.OK, health(arn).overallStatus(), "it was looked at just now");
    world.pass(Duration.ofMinutes(1));
    ContainerInstanceHealthStatus impaired = health(arn);
    assertEquals(InstanceHealthCheckState.IMPAIRED, impaired.overallStatus());
    InstanceHealthCheckResult detail = impaired.details().getFirst();
    assertEquals(InstanceHealthCheckType.CONTAINER_RUNTIME, detail.type());
    assertEquals(InstanceHealthCheckState.IMPAIRED, detail.status());
    assertTrue(detail.lastStatusChange().isAfter(since));
    world.pass(Duration.ofMinutes(1));
    assertEquals(detail.lastStatusChange(), health(arn).details().getFirst().lastStatusChange());
    assertTrue(health(arn).details().getFirst().lastUpdated().isAfter(detail.lastUpdated()));
    world.engine.impair(null);
    world.pass(Duration.ofMinutes(1));
    assertEquals(InstanceHealthCheckState.OK, health(arn).overallStatus());
  }

  @Test
  void anInstanceRegistersWithWhatItHasAndIsFoundByIt() {
    String a = instances.register("i-a", "us-east-1a", 2);
    String b = instances.register("i-b", "us-east-1b", 4);
    assertTrue(
        a.matches(
            "arn:aws:ecs:us-east-1:000000000000:container-instance/" + CLUSTER + "/[0-9a-f]{32}"),
        a);
    ContainerInstance instance = instances.describe(a);
    assertEquals("ACTIVE", instance.status());
    assertEquals("i-a", instance.ec2InstanceId());
    assertTrue(instance.agentConnected());
    assertEquals(instance.registeredResources(), instance.remainingResources());
    Map<String, Attribute> attributes =
        instance.attributes().stream().collect(Collectors.toMap(Attribute::name, x -> x));
    assertEquals("us-east-1a", attributes.get("ecs.availability-zone").value());
    assertEquals("m5.24xlarge", attributes.get("ecs.instance-type").value());
    assertEquals("linux", attributes.get("ecs.os-type").value());
    assertNull(attributes.get("ecs.capability.task-eni").value());
    assertEquals(2, cluster().registeredContainerInstancesCount());
    assertEquals(Set.of(a, b), Set.copyOf(list(null)));
    assertEquals(List.of(b), list("attribute:ecs.availability-zone == us-east-1b"));
    assertEquals(List.of(a), list("ec2InstanceId in ['i-a', 'i-c'] and agentConnected == true"));
    assertEquals(List.of(), list("runningTasksCount > 0"));
    assertTrue(refused(() -> list("attribute:x ~ y")).startsWith("Invalid expression"));
    assertThrows(
        ClusterContainsContainerInstancesException.class,
        () -> world.ecs().deleteCluster(r -> r.cluster(CLUSTER)));
    // The same EC2 instance again is the same container instance.
    assertEquals(a, instances.register("i-a", "us-east-1a", 2));
    assertTrue(
        refused(() -> instances.register("i-a", "us-east-1a", 3)).contains("other resources"));
  }

  @Test
  void whatIsNoInstanceIsRefused() {
    assertEquals(
        "totalResources must have a positive integer value of MEMORY.",
        refused(() ->
            instances.register(
                Instances.request("i-a", "us-east-1a", 1, "m5.large")
                    .totalResources(Instances.integer("CPU", 1))
                    .build())));
    assertTrue(
        refused(() ->
                instances.register(
                    Instances.request("i-a", "us-east-1a", 1, "m5.large")
                        .instanceIdentityDocument(
                            "{\"instanceId\":\"i-a\",\"accountId\":\"111111111111\"}")
                        .build()))
            .contains("of this account and region"));
    assertTrue(
        refused(() ->
                instances.register(
                    Instances.request("i-a", "us-east-1a", 1, "m5.large")
                        .instanceIdentityDocumentSignature("c2ln")
                        .build()))
            .contains("instanceIdentityDocumentSignature is not supported"));
    assertEquals(
        "MISSING",
        world
            .ecs()
            .describeContainerInstances(r -> r.cluster(CLUSTER).containerInstances("nobody"))
            .failures()
            .getFirst()
            .reason());
    assertThrows(
        UnsupportedOperationException.class,
        () -> world.ecs().discoverPollEndpoint(r -> r.cluster(CLUSTER)));
    assertEquals(
        "Container instance can not be blank.",
        refused(() -> world.ecs().updateContainerAgent(r -> r.cluster(CLUSTER))));
  }

  @Test
  void attributesArePutListedAndDeleted() {
    String a = instances.register("i-a", "us-east-1a", 1);
    String b = instances.register("i-b", "us-east-1b", 1);
    world
        .ecs()
        .putAttributes(r ->
            r.cluster(CLUSTER)
                .attributes(
                    Attribute.builder().name("stack").value("prod").targetId(a).build(),
                    Attribute.builder().name("stack").value("test").targetId(b).build(),
                    Attribute.builder().name("ssd").targetId(b).build()));
    assertEquals(List.of(a), list("attribute:stack == prod"));
    assertEquals(List.of(b), list("attribute:stack != prod"));
    assertEquals(List.of(b), list("attribute:ssd exists"));
    List<Attribute> stacks =
        world
            .ecs()
            .listAttributes(r ->
                r.cluster(CLUSTER)
                    .targetType(TargetType.CONTAINER_INSTANCE)
                    .attributeName("stack")
                    .attributeValue("test"))
            .attributes();
    assertEquals(List.of(b), stacks.stream().map(Attribute::targetId).toList());
    String id = TaskRecord.idOf(a);
    assertEquals(
        1,
        world
            .ecs()
            .deleteAttributes(r ->
                r.cluster(CLUSTER)
                    .attributes(
                        Attribute.builder().name("stack").targetId(id).build(),
                        Attribute.builder().name("none").targetId(id).build()))
            .attributes()
            .size());
    assertEquals(List.of(a), list("attribute:stack !exists"));
    assertThrows(
        TargetNotFoundException.class,
        () ->
            world
                .ecs()
                .putAttributes(r ->
                    r.cluster(CLUSTER)
                        .attributes(Attribute.builder().name("x").targetId("nobody").build())));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .putAttributes(r ->
                        r.cluster(CLUSTER)
                            .attributes(
                                Attribute.builder().name("x").value(" y").targetId(a).build())))
            .contains("Invalid value of attribute x"));
    for (int i = 0; i < 10; i++) {
      putNumber(a, i);
    }
    assertThrows(AttributeLimitExceededException.class, () -> putNumber(a, 10));
  }

  private void putNumber(String arn, int i) {
    world
        .ecs()
        .putAttributes(r ->
            r.cluster(CLUSTER)
                .attributes(Attribute.builder().name("n" + i).value("v").targetId(arn).build()));
  }

  @Test
  void aTaskTakesItsShareOfTheInstanceUntilItHasStopped() {
    world.script.put(World.CONTAINER, Behaviour.runs().onSigterm(0, Duration.ofSeconds(5)));
    String a = instances.register("i-a", "us-east-1b", 2);
    Task task = world.ecs().runTask(Instances.run().build()).tasks().getFirst();
    assertEquals(LaunchType.EC2, task.launchType());
    assertEquals(a, task.containerInstanceArn());
    assertEquals("us-east-1b", task.availabilityZone());
    assertNull(task.platformVersion());
    assertEquals(1024, instances.remaining(a, "CPU"));
    assertEquals(3072, instances.remaining(a, "MEMORY"));
    assertEquals(1, instances.describe(a).pendingTasksCount());
    running(task.taskArn());
    assertEquals(1, instances.describe(a).runningTasksCount());
    assertEquals(
        List.of(task.taskArn()),
        world
            .ecs()
            .listTasks(r -> r.cluster(CLUSTER).containerInstance(a).launchType(LaunchType.EC2))
            .taskArns());
    String eni = Eni.id(world.record(task.taskArn())).orElseThrow();
    assertEquals("us-east-1b", world.ec2.interfaces().get(eni).availabilityZone());
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(task.taskArn()));
    world.pass(Duration.ofSeconds(2));
    assertEquals(1024, instances.remaining(a, "CPU"), "its container still runs");
    world.until("free", LONG, () -> instances.remaining(a, "CPU") == 2048);
    assertEquals("STOPPED", world.task(task.taskArn()).lastStatus());
  }

  @Test
  void whatHasNoPlaceIsAFailureThatSaysWhy() {
    assertEquals(
        "No Container Instances were found in your cluster.",
        refused(() -> world.ecs().runTask(Instances.run().build())));
    String a = instances.register("i-a", "us-east-1a", 2);
    String b = instances.register("i-b", "us-east-1b", 1);
    RunTaskResponse big =
        world.ecs().runTask(Instances.run().overrides(o -> o.memory("8192")).build());
    assertEquals(
        Map.of(a, "RESOURCE:MEMORY", b, "RESOURCE:MEMORY"),
        big.failures().stream().collect(Collectors.toMap(Failure::arn, Failure::reason)));
    RunTaskResponse four = world.ecs().runTask(Instances.run().count(4).build());
    assertEquals(3, four.tasks().size());
    assertEquals(
        Set.of(a, b), four.failures().stream().map(Failure::arn).collect(Collectors.toSet()));
    assertTrue(four.failures().stream().allMatch(f -> f.reason().equals("RESOURCE:CPU")));
    assertReason("MemberOf placement constraint unsatisfied.", memberOf("attribute:stack == prod"));
    assertReason("DistinctInstance placement constraint unsatisfied.", distinct());
    String small =
        instances.register(
            Instances.request("i-c", "us-east-1a", 9, "t3.small").build()); // two interfaces
    assertEquals(
        Map.of(small, "RESOURCE:ENI", a, "RESOURCE:CPU", b, "RESOURCE:CPU"),
        world.ecs().runTask(Instances.run().count(3).build()).failures().stream()
            .collect(Collectors.toMap(Failure::arn, Failure::reason)));
    instances.register(
        Instances.request("i-d", "us-east-1f", 9, "m5.large").build()); // no subnet there
    instances.register(
        Instances.request("i-e", "us-east-1a", 9, "m5.large").attributes(List.of()).build());
    assertEquals(
        2,
        world.ecs().runTask(Instances.run().build()).failures().stream()
            .filter(f -> f.reason().equals("ATTRIBUTE"))
            .count());
  }

  private void assertReason(String reason, PlacementConstraint constraint) {
    RunTaskResponse response =
        world.ecs().runTask(Instances.run().placementConstraints(constraint).build());
    assertEquals(List.of(), response.tasks());
    assertEquals(
        Set.of(reason),
        response.failures().stream().map(Failure::reason).collect(Collectors.toSet()));
  }

  @Test
  void startTaskStartsExactlyThere() {
    String a = instances.register("i-a", "us-east-1a", 1);
    String b = instances.register("i-b", "us-east-1b", 1);
    world.ecs().deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(b));
    StartTaskResponse started =
        world
            .ecs()
            .startTask(r ->
                r.cluster(CLUSTER)
                    .taskDefinition(FAMILY)
                    .networkConfiguration(Instances.net())
                    .containerInstances(a, b, "nobody", a));
    assertEquals(List.of(a), started.tasks().stream().map(Task::containerInstanceArn).toList());
    assertEquals(
        List.of("INACTIVE", "MISSING", "RESOURCE:CPU"),
        started.failures().stream().map(Failure::reason).toList());
    running(started.tasks().getFirst().taskArn());
  }

  @Test
  void strategiesAndConstraintsChoose() {
    String a = instances.register("i-a", "us-east-1a", 4);
    String b = instances.register("i-b", "us-east-1b", 3);
    assertEquals(
        List.of(b, b, b, a),
        world
            .ecs()
            .runTask(
                Instances.run().count(4).placementStrategy(strategy("binpack", "memory")).build())
            .tasks()
            .stream()
            .map(Task::containerInstanceArn)
            .toList());
    assertEquals(
        List.of(a),
        world
            .ecs()
            .runTask(
                Instances.run()
                    .group("other")
                    .placementConstraints(distinct(), memberOf("task:group == family:" + FAMILY))
                    .build())
            .tasks()
            .stream()
            .map(Task::containerInstanceArn)
            .toList());
  }

  @Test
  void whatCannotBeSaidOfPlacesIsRefused() {
    instances.register("i-a", "us-east-1a", 4);
    assertEquals(
        "distinctInstance expression should not be specified.",
        refused(() ->
            world
                .ecs()
                .runTask(
                    Instances.run()
                        .placementConstraints(
                            PlacementConstraint.builder()
                                .type("distinctInstance")
                                .expression("")
                                .build())
                        .build())));
    assertTrue(
        refused(() ->
                world.ecs().runTask(Instances.run().placementConstraints(memberOf("what")).build()))
            .startsWith("Invalid expression"));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .runTask(
                        Instances.run().placementStrategy(strategy("binpack", "disk")).build()))
            .contains("'disk' is invalid for the binpack strategy"));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .runTask(Instances.run().placementStrategy(strategy("spread", "zone")).build()))
            .contains("'zone' is invalid for the spread strategy"));
    assertEquals(
        "Placement constraints are not supported with FARGATE launch type.",
        refused(
            () -> world.ecs().runTask(world.runTask().placementConstraints(distinct()).build())));
    assertEquals(
        "Assign public IP is not supported for this launch type.",
        refused(
            () -> world.ecs().runTask(Instances.run().networkConfiguration(World.net()).build())));
    assertEquals(
        "The platform version must be null when specifying an EC2 launch type.",
        refused(() -> world.ecs().runTask(Instances.run().platformVersion("1.4.0").build())));
  }

  private void service(int desired, int minimum, int maximum, PlacementStrategy... strategies) {
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(FAMILY)
                .launchType(LaunchType.EC2)
                .desiredCount(desired)
                .placementStrategy(strategies)
                .deploymentConfiguration(
                    c -> c.minimumHealthyPercent(minimum).maximumPercent(maximum))
                .networkConfiguration(Instances.net()));
  }

  private Map<String, Long> places() {
    return world.tasks().stream()
        .filter(task -> task.lastStatus().equals("RUNNING"))
        .collect(Collectors.groupingBy(Task::containerInstanceArn, Collectors.counting()));
  }

  @Test
  void aServiceSaysWhyItCannotPlaceAndGoesOnWhenItCan() {
    service(3, 100, 200);
    world.until(
        "event",
        LONG,
        () ->
            world.saysEvent(
                "(service "
                    + SERVICE
                    + ") was unable to place a task because no container instance met all of its"
                    + " requirements. Reason: No Container Instances were found in your cluster."));
    String a = instances.register("i-a", "us-east-1a", 2);
    world.until("two", LONG, () -> places().equals(Map.of(a, 2L)));
    String why =
        "The closest matching (container-instance "
            + TaskRecord.idOf(a)
            + ") has insufficient CPU units available.";
    world.until("why", LONG, () -> world.saysEvent(why));
    world.pass(Duration.ofHours(1));
    assertEquals(
        1, world.service().events().stream().filter(e -> e.message().contains(why)).count());
    String b = instances.register("i-b", "us-east-1b", 2);
    world.until("three", LONG, () -> places().equals(Map.of(a, 2L, b, 1L)));
    Service service = world.service();
    assertEquals(LaunchType.EC2, service.launchType());
    assertNull(service.platformVersion());
    assertEquals(LaunchType.EC2, service.deployments().getFirst().launchType());
    world.until("steady", LONG, () -> world.saysEvent("has reached a steady state."));
  }

  @Test
  void byDefaultAServiceIsSpreadAcrossZonesAndInstances() {
    String a = instances.register("i-a", "us-east-1a", 8);
    String b = instances.register("i-b", "us-east-1b", 8);
    String c = instances.register("i-c", "us-east-1b", 8);
    service(8, 100, 200);
    world.until("eight", LONG, () -> places().equals(Map.of(a, 4L, b, 2L, c, 2L)));
  }

  @Test
  void servicesTasksLeaveADrainingInstanceAndOthersStay() {
    String a = instances.register("i-a", "us-east-1a", 4);
    service(2, 100, 200);
    String manual = world.ecs().runTask(Instances.run().build()).tasks().getFirst().taskArn();
    world.until("on a", LONG, () -> places().equals(Map.of(a, 2L)));
    running(manual);
    String b = instances.register("i-b", "us-east-1b", 4);
    assertEquals(
        "DRAINING",
        state(a, ContainerInstanceStatus.DRAINING).containerInstances().getFirst().status());
    world.until(
        "moved",
        LONG,
        () -> {
          long running =
              world.tasks().stream().filter(t -> t.lastStatus().equals("RUNNING")).count();
          assertTrue(running >= 2, "fewer than the minimum are running: " + running);
          return places().equals(Map.of(b, 2L));
        });
    world.until("empty", LONG, () -> instances.describe(a).runningTasksCount() == 1);
    assertEquals("RUNNING", world.task(manual).lastStatus());
    assertEquals("DRAINING", instances.describe(a).status());
    assertEquals(
        List.of(a),
        world
            .ecs()
            .listContainerInstances(
                r -> r.cluster(CLUSTER).status(ContainerInstanceStatus.DRAINING))
            .containerInstanceArns());
    // Nothing new comes to it, until it is active again.
    assertTrue(
        world.ecs().runTask(Instances.run().count(2).build()).tasks().stream()
            .allMatch(task -> task.containerInstanceArn().equals(b)));
    assertFalse(
        world.ecs().runTask(Instances.run().build()).hasTasks()
            && !world.ecs().runTask(Instances.run().build()).tasks().isEmpty());
    state(a, ContainerInstanceStatus.ACTIVE);
    assertEquals(
        a, world.ecs().runTask(Instances.run().build()).tasks().getFirst().containerInstanceArn());
  }

  @Test
  void withAMinimumBelowAllADrainingInstanceIsLeftAtOnceAsFarAsAllowed() {
    String a = instances.register("i-a", "us-east-1a", 4);
    service(4, 50, 100);
    world.until("on a", LONG, () -> places().equals(Map.of(a, 4L)));
    String b = instances.register("i-b", "us-east-1b", 4);
    state(a, ContainerInstanceStatus.DRAINING);
    world.until(
        "moved",
        LONG,
        () -> {
          long alive = world.tasks().size();
          long running =
              world.tasks().stream().filter(t -> t.lastStatus().equals("RUNNING")).count();
          assertTrue(running >= 2, "fewer than half are running: " + running);
          assertTrue(alive <= 4, "more than all are wanted: " + alive);
          return places().equals(Map.of(b, 4L));
        });
  }

  @Test
  void anInstanceThatIsTakenOutByForceTakesItsTasksWithIt() {
    String a = instances.register("i-a", "us-east-1a", 4);
    service(1, 100, 200);
    String manual = world.ecs().runTask(Instances.run().build()).tasks().getFirst().taskArn();
    running(manual);
    world.until("on a", LONG, () -> places().equals(Map.of(a, 1L)));
    String b = instances.register("i-b", "us-east-1b", 4);
    assertEquals(
        "Found running tasks on the instance.",
        refused(() ->
            world.ecs().deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(a))));
    assertEquals(
        "INACTIVE",
        world
            .ecs()
            .deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(a).force(true))
            .containerInstance()
            .status());
    world.until("replaced", LONG, () -> places().equals(Map.of(b, 1L)));
    world.until("stopped", LONG, () -> world.task(manual).lastStatus().equals("STOPPED"));
    assertEquals(1, cluster().registeredContainerInstancesCount());
    assertEquals(List.of(b), list(null));
    assertEquals("INACTIVE", instances.describe(a).status());
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(a)))
            .contains("was not found"));
    world.pass(Duration.ofMinutes(61));
    String again = instances.register("i-a", "us-east-1a", 4);
    assertNotEquals(a, again);
    assertEquals(
        1,
        world
            .ecs()
            .describeContainerInstances(r -> r.cluster(CLUSTER).containerInstances(a))
            .failures()
            .size());
  }
}
