package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.Ec2World.CLUSTER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.capacity.ClusterAttachments;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.AutoScalingGroupProvider;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStatus;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.CapacityProviderUpdateStatus;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterField;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ManagedScalingStatus;
import software.amazon.awssdk.services.ecs.model.ManagedTerminationProtection;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.ResourceInUseException;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.UpdateInProgressException;

/** Capacity providers of Auto Scaling groups, from nothing to instances and back to nothing. */
@Timeout(300)
class GroupCapacityTest {

  @TempDir Path directory;
  private Ec2World world;

  @BeforeEach
  void open() {
    world = new Ec2World(directory);
    world.groups.create("web", "t3.small");
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).cpu(1024).build());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  private CapacityProvider create(String name, String group, int target, boolean isProtected) {
    return world
        .ecs
        .createCapacityProvider(r ->
            r.name(name)
                .autoScalingGroupProvider(g ->
                    g.autoScalingGroupArn(group)
                        .managedScaling(
                            m -> m.status(ManagedScalingStatus.ENABLED).targetCapacity(target))
                        .managedTerminationProtection(
                            isProtected
                                ? ManagedTerminationProtection.ENABLED
                                : ManagedTerminationProtection.DISABLED)))
        .capacityProvider();
  }

  private void associate(String... names) {
    world.ecs.putClusterCapacityProviders(r ->
        r.cluster(CLUSTER).capacityProviders(names).defaultCapacityProviderStrategy(List.of()));
    until("attached", Duration.ofMinutes(1), () -> !ClusterAttachments.busy(cluster()));
  }

  private Cluster cluster() {
    return world
        .ecs
        .describeClusters(
            r -> r.clusters(CLUSTER).include(ClusterField.ATTACHMENTS, ClusterField.STATISTICS))
        .clusters()
        .getFirst();
  }

  private static CapacityProviderStrategyItem item(String name, int base, int weight) {
    return CapacityProviderStrategyItem.builder()
        .capacityProvider(name)
        .base(base)
        .weight(weight)
        .build();
  }

  private RunTaskResponse run(int count, CapacityProviderStrategyItem... strategy) {
    return world.ecs.runTask(
        Ec2World.run(count)
            .launchType((LaunchType) null)
            .capacityProviderStrategy(strategy)
            .build());
  }

  private void until(String what, Duration atMost, BooleanSupplier condition) {
    Instant end = world.time.instant().plus(atMost);
    while (!condition.getAsBoolean()) {
      assertTrue(world.time.instant().isBefore(end), what + ": not within " + atMost);
      world.time.advance(Duration.ofSeconds(1));
    }
  }

  private List<Task> tasks() {
    List<String> arns = new ArrayList<>();
    arns.addAll(world.ecs.listTasks(r -> r.cluster(CLUSTER)).taskArns());
    return arns.isEmpty() ? List.of() : world.tasks(arns);
  }

  private boolean running(int count) {
    List<Task> tasks = tasks();
    return tasks.size() == count
        && tasks.stream().allMatch(task -> task.lastStatus().equals("RUNNING"));
  }

  @Test
  void aGroupGrowsFromNothingForTasksThatWaitAndShrinksToNothing() {
    create("cp", "web", 100, false);
    associate("cp");
    assertEquals(0, world.containerInstances().size());
    Task task = run(1, item("cp", 0, 1)).tasks().getFirst();
    assertEquals("PROVISIONING", task.lastStatus());
    assertEquals("cp", task.capacityProviderName());
    assertEquals(LaunchType.EC2, task.launchType());
    assertNull(task.containerInstanceArn());
    until("running", Duration.ofMinutes(5), () -> running(1));
    // From zero the group counts as one instance, and twice that is needed.
    assertEquals(List.of("web wants 2"), world.groups.calls);
    assertTrue(
        world.cloudWatch.published.contains("CapacityProviderReservation 200"),
        world.cloudWatch.published.toString());
    ContainerInstance instance = world.containerInstances().getFirst();
    assertEquals("cp", instance.capacityProviderName());
    // One of them is empty, and goes when it was so for fifteen minutes.
    until("one", Duration.ofMinutes(20), () -> world.containerInstances().size() == 1);
    assertTrue(running(1));
    assertEquals(task.taskArn(), tasks().getFirst().taskArn());
    world.ecs.stopTask(r -> r.cluster(CLUSTER).task(task.taskArn()));
    until("none", Duration.ofMinutes(20), () -> world.containerInstances().isEmpty());
    assertEquals(0, world.groups.all.get("web").desired);
    world.time.advance(Duration.ofMinutes(30));
    assertTrue(world.containerInstances().isEmpty());
    assertEquals("CapacityProviderReservation 100", world.cloudWatch.published.getLast());
  }

  @Test
  void aServiceGetsAsManyInstancesAsItsTasksNeedAndNoMore() {
    create("cp", "web", 100, false);
    associate("cp");
    world.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName("web")
            .taskDefinition("web")
            .desiredCount(5)
            .capacityProviderStrategy(item("cp", 0, 1)));
    until("five", Duration.ofMinutes(20), () -> world.service().runningCount() == 5);
    // A t3.small has two cores: three instances for five tasks of one core each.
    assertEquals(3, world.containerInstances().size());
    assertEquals(List.of("web wants 2", "web wants 3"), world.groups.calls);
    assertNull(world.service().launchType());
    assertEquals(
        "5",
        cluster().statistics().stream()
            .filter(one -> one.name().equals("runningEC2TasksCount"))
            .findFirst()
            .orElseThrow()
            .value());
    world.ecs.updateService(r -> r.cluster(CLUSTER).service("web").desiredCount(0));
    until("none", Duration.ofMinutes(40), () -> world.containerInstances().isEmpty());
  }

  @Test
  void onlyInstancesWithoutTasksAreChosenWhereTheyAreProtected() {
    SimGroups.Sim group = world.groups.all.get("web");
    assertTrue(
        refused(() -> create("cp", "web", 100, true))
            .endsWith(
                "the Auto Scaling group must have instance protection from scale in enabled."));
    group.protectsNew = true;
    create("cp", "web", 100, true);
    associate("cp");
    List<Task> first = run(4, item("cp", 0, 1)).tasks();
    until("running", Duration.ofMinutes(10), () -> running(4));
    assertEquals(2, group.isProtected.size());
    assertFalse(group.isProtected.containsValue(false));
    // The tasks of the instance that the group would choose first stay, the others go.
    Map<String, List<Task>> byInstance =
        tasks().stream().collect(Collectors.groupingBy(Task::containerInstanceArn));
    String oldest = group.isProtected.keySet().iterator().next();
    for (ContainerInstance instance : world.containerInstances()) {
      if (!instance.ec2InstanceId().equals(oldest)) {
        byInstance
            .get(instance.containerInstanceArn())
            .forEach(task -> world.ecs.stopTask(r -> r.cluster(CLUSTER).task(task.taskArn())));
      }
    }
    until("one", Duration.ofMinutes(30), () -> world.containerInstances().size() == 1);
    assertEquals(oldest, world.containerInstances().getFirst().ec2InstanceId());
    assertTrue(running(2));
    assertTrue(group.isProtected.get(oldest));
    assertEquals(4, first.size());
  }

  @Test
  void anInstanceIsDrainedBeforeItIsTerminated() {
    create("cp", "web", 100, false);
    associate("cp");
    assertTrue(world.groups.all.get("web").draining);
    assertEquals(
        List.of("as_policy CREATED", "managed_draining CREATED"),
        cluster().attachments().stream().map(a -> a.type() + " " + a.status()).toList());
    world.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName("web")
            .taskDefinition("web")
            .desiredCount(2)
            .capacityProviderStrategy(item("cp", 0, 1)));
    until("two", Duration.ofMinutes(10), () -> world.service().runningCount() == 2);
    String arn = tasks().getFirst().containerInstanceArn();
    ContainerInstance instance =
        world.containerInstances().stream()
            .filter(one -> one.containerInstanceArn().equals(arn))
            .findFirst()
            .orElseThrow();
    world.groups.replace("web", instance.ec2InstanceId());
    until(
        "gone",
        Duration.ofMinutes(15),
        () ->
            world.containerInstances().stream()
                .noneMatch(one -> one.containerInstanceArn().equals(arn)));
    assertTrue(world.groups.calls.contains("web lets one go"), world.groups.calls.toString());
    assertEquals(2, world.service().runningCount()); // the others came before these went
    List<String> stopped =
        world.ecs.listTasks(r -> r.cluster(CLUSTER).desiredStatus("STOPPED")).taskArns();
    for (Task task : world.tasks(stopped)) {
      assertFalse(task.stoppedReason().contains("terminated"), task.stoppedReason());
    }
  }

  @Test
  void tasksAreSharedAmongGroupsAndWaitOnlyForWhatCanComeForThem() {
    world.groups.create("big", "m5.xlarge");
    create("small", "web", 100, false);
    create("large", "big", 100, false);
    associate("small", "large");
    assertTrue(
        refused(() -> run(1, item("FARGATE", 0, 1))).contains("not associated with the cluster"));
    assertTrue(
        refused(() ->
                world.ecs.createCluster(r ->
                    r.clusterName("mixed")
                        .capacityProviders("FARGATE", "small")
                        .defaultCapacityProviderStrategy(
                            item("small", 0, 1), item("FARGATE", 0, 1))))
            .contains("cannot contain a mix of capacity providers"));
    run(5, item("small", 1, 0), item("large", 0, 1));
    until("running", Duration.ofMinutes(20), () -> running(5));
    Map<String, Long> shares =
        tasks().stream()
            .collect(Collectors.groupingBy(Task::capacityProviderName, Collectors.counting()));
    assertEquals(Map.of("small", 1L, "large", 4L), shares);
    Map<String, String> providers =
        world.containerInstances().stream()
            .collect(
                Collectors.toMap(
                    ContainerInstance::containerInstanceArn,
                    ContainerInstance::capacityProviderName));
    tasks()
        .forEach(task ->
            assertEquals(task.capacityProviderName(), providers.get(task.containerInstanceArn())));
  }

  @Test
  void aTaskWaitsHalfAnHourAndNoLonger() {
    world.groups.all.get("web").maximum = 0;
    create("cp", "web", 100, false);
    associate("cp");
    Task task = run(1, item("cp", 0, 1)).tasks().getFirst();
    world.time.advance(Duration.ofMinutes(29));
    assertEquals("PROVISIONING", world.task(task.taskArn()).lastStatus());
    until(
        "stopped",
        Duration.ofMinutes(5),
        () -> world.task(task.taskArn()).lastStatus().equals("STOPPED"));
    Task stopped = world.task(task.taskArn());
    assertEquals("TaskFailedToStart", stopped.stopCodeAsString());
    assertEquals("EMPTY CAPACITY PROVIDER", stopped.stoppedReason());
    // Without managed scaling nobody brings an instance: it fails at once.
    world.ecs.updateCapacityProvider(r ->
        r.name("cp")
            .autoScalingGroupProvider(
                g -> g.managedScaling(m -> m.status(ManagedScalingStatus.DISABLED))));
    RunTaskResponse response = run(1, item("cp", 0, 1));
    assertEquals(List.of(), response.tasks());
    assertEquals("EMPTY CAPACITY PROVIDER", response.failures().getFirst().reason());
    assertTrue(response.failures().getFirst().arn().endsWith(":capacity-provider/cp"));
  }

  @Test
  void aSubnetThatIsGoneIsOnlyItsOwnTasksTrouble() {
    world.groups.all.get("web").maximum = 0;
    create("cp", "web", 100, false);
    associate("cp");
    Subnet given = world.ec2.describeSubnets().subnets().getFirst();
    String doomed =
        world
            .ec2
            .createSubnet(r -> r.vpcId(given.vpcId()).cidrBlock("172.31.240.0/24"))
            .subnet()
            .subnetId();
    world.ecs.registerTaskDefinition(r ->
        r.family("own")
            .requiresCompatibilitiesWithStrings("EC2")
            .networkMode(NetworkMode.AWSVPC)
            .containerDefinitions(
                ContainerDefinition.builder()
                    .name("web")
                    .image("registry.test/web:1")
                    .memory(64)
                    .build()));
    world.ecs.runTask(r ->
        r.cluster(CLUSTER)
            .taskDefinition("own")
            .capacityProviderStrategy(item("cp", 0, 1))
            .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(doomed))));
    world.ec2.deleteSubnet(r -> r.subnetId(doomed));
    Task other = run(1, item("cp", 0, 1)).tasks().getFirst();
    world.groups.all.get("web").maximum = 10;
    until(
        "runs",
        Duration.ofMinutes(10),
        () -> world.task(other.taskArn()).lastStatus().equals("RUNNING"));
  }

  @Test
  void aTaskThatWaitsCanBeStoppedAndAServiceDeleted() {
    world.groups.all.get("web").maximum = 0;
    create("cp", "web", 100, false);
    associate("cp");
    Task task = run(1, item("cp", 0, 1)).tasks().getFirst();
    world.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName("web")
            .taskDefinition("web")
            .desiredCount(3)
            .capacityProviderStrategy(item("cp", 0, 1)));
    until("pending", Duration.ofMinutes(1), () -> world.service().pendingCount() == 3);
    ResourceInUseException used =
        assertThrows(
            ResourceInUseException.class,
            () ->
                world.ecs.putClusterCapacityProviders(r ->
                    r.cluster(CLUSTER)
                        .capacityProviders(List.of())
                        .defaultCapacityProviderStrategy(List.of())));
    assertTrue(used.getMessage().endsWith("cannot be removed: cp"), used.getMessage());
    world.ecs.stopTask(r -> r.cluster(CLUSTER).task(task.taskArn()));
    world.ecs.deleteService(r -> r.cluster(CLUSTER).service("web").force(true));
    until("stopped", Duration.ofMinutes(2), () -> tasks().isEmpty());
    until("gone", Duration.ofMinutes(2), () -> world.service().status().equals("INACTIVE"));
    assertEquals(0, cluster().pendingTasksCount());
  }

  @Test
  void aProviderIsMadeChangedAndDeletedAsOnAmazon() {
    assertEquals(
        "The specified Auto Scaling group nowhere was not found. Specify a valid Auto Scaling group"
            + " and try again.",
        refused(() -> create("cp", "nowhere", 100, false)));
    assertTrue(
        refused(() -> create("ecs-mine", "web", 100, false)).contains("can't be prefixed with"));
    assertTrue(refused(() -> create("cp", "web", 101, false)).startsWith("Invalid targetCapacity"));
    CapacityProvider made = create("cp", "web", 90, false);
    assertEquals(CapacityProviderStatus.ACTIVE, made.status());
    AutoScalingGroupProvider group = made.autoScalingGroupProvider();
    assertTrue(group.autoScalingGroupArn().startsWith("arn:aws:autoscaling:"));
    assertEquals(300, group.managedScaling().instanceWarmupPeriod());
    assertEquals(10_000, group.managedScaling().maximumScalingStepSize());
    assertEquals("ENABLED", group.managedDrainingAsString());
    assertTrue(refused(() -> create("cp", "web", 90, false)).contains("already exists"));
    assertTrue(
        refused(() -> create("other", "web", 90, false)).contains("already being used by another"));
    world.ecs.updateCapacityProvider(r ->
        r.name("cp").autoScalingGroupProvider(g -> g.managedScaling(m -> m.targetCapacity(50))));
    assertEquals(
        50,
        world
            .ecs
            .describeCapacityProviders(r -> r.capacityProviders("cp"))
            .capacityProviders()
            .getFirst()
            .autoScalingGroupProvider()
            .managedScaling()
            .targetCapacity());
    world.ecs.putClusterCapacityProviders(r ->
        r.cluster(CLUSTER)
            .capacityProviders("cp", "FARGATE")
            .defaultCapacityProviderStrategy(item("cp", 0, 1)));
    until("attached", Duration.ofMinutes(1), () -> !ClusterAttachments.busy(cluster()));
    assertEquals("UPDATE_COMPLETE", cluster().attachmentsStatus());
    world.ecs.createCluster(r -> r.clusterName("second"));
    assertTrue(
        refused(() ->
                world.ecs.putClusterCapacityProviders(r ->
                    r.cluster("second")
                        .capacityProviders("cp")
                        .defaultCapacityProviderStrategy(List.of())))
            .contains("only one cluster"));
    CapacityProvider kept =
        world.ecs.deleteCapacityProvider(r -> r.capacityProvider("cp")).capacityProvider();
    assertEquals(CapacityProviderUpdateStatus.DELETE_FAILED, kept.updateStatus());
    assertEquals(
        "The capacity provider cannot be deleted because it is associated with cluster: lab. Remove"
            + " the capacity provider from the cluster and try again.",
        kept.updateStatusReason());
    associate();
    assertEquals(List.of(), cluster().attachments());
    assertFalse(world.groups.all.get("web").managed);
    CapacityProvider deleted =
        world.ecs.deleteCapacityProvider(r -> r.capacityProvider("cp")).capacityProvider();
    assertEquals(CapacityProviderStatus.INACTIVE, deleted.status());
    assertTrue(
        refused(() -> world.ecs.deleteCapacityProvider(r -> r.capacityProvider("cp")))
            .startsWith("The specified capacity provider was not found."));
    create("cp", "web", 100, false);
    assertTrue(
        refused(() -> world.ecs.deleteCapacityProvider(r -> r.capacityProvider("FARGATE")))
            .contains("reserved"));
  }

  @Test
  void aDeletedClusterLetsItsGroupsGo() {
    create("cp", "web", 100, false);
    associate("cp");
    assertTrue(world.groups.all.get("web").draining);
    Cluster deleted = world.ecs.deleteCluster(r -> r.cluster(CLUSTER)).cluster();
    assertEquals(List.of(), deleted.capacityProviders());
    until("released", Duration.ofMinutes(1), () -> !world.groups.all.get("web").managed);
    assertFalse(world.groups.all.get("web").draining);
    assertEquals(
        CapacityProviderStatus.INACTIVE,
        world
            .ecs
            .deleteCapacityProvider(r -> r.capacityProvider("cp"))
            .capacityProvider()
            .status());
  }

  @Test
  void aClusterThatIsBeingChangedTakesNoOtherChange() {
    create("cp", "web", 100, false);
    world.ecs.putClusterCapacityProviders(r ->
        r.cluster(CLUSTER)
            .capacityProviders("cp")
            .defaultCapacityProviderStrategy(item("cp", 0, 1)));
    if (ClusterAttachments.busy(cluster())) {
      assertThrows(UpdateInProgressException.class, () -> associate());
    }
    until("attached", Duration.ofMinutes(1), () -> !ClusterAttachments.busy(cluster()));
    // A server that is killed and comes back goes on where it was.
    run(1);
    world.restart();
    until("running", Duration.ofMinutes(10), () -> running(1));
    world.restart();
    until("one", Duration.ofMinutes(30), () -> world.containerInstances().size() == 1);
    assertTrue(running(1));
  }

  @Test
  void aProviderIsEitherDeletedOrAssociated() throws Exception {
    for (int i = 0; i < 20; i++) {
      String name = "cp" + i;
      world.groups.create(name, "t3.small");
      create(name, name, 100, false);
      CountDownLatch together = new CountDownLatch(1);
      try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        clients.submit(() -> {
          together.await();
          return world.ecs.putClusterCapacityProviders(r ->
              r.cluster(CLUSTER)
                  .capacityProviders(name)
                  .defaultCapacityProviderStrategy(item(name, 0, 1)));
        });
        clients.submit(() -> {
          together.await();
          return world.ecs.deleteCapacityProvider(r -> r.capacityProvider(name));
        });
        together.countDown();
      }
      boolean gone =
          world
                  .ecs
                  .describeCapacityProviders(r -> r.capacityProviders(name))
                  .capacityProviders()
                  .getFirst()
                  .status()
              == CapacityProviderStatus.INACTIVE;
      assertEquals(!gone, cluster().capacityProviders().contains(name), name);
      until("settled", Duration.ofMinutes(1), () -> !ClusterAttachments.busy(cluster()));
      associate();
    }
  }

  @Test
  void ofTwoChangesAtOnceOneHoldsWhole() throws Exception {
    create("cp", "web", 100, false);
    world.groups.create("other", "t3.small");
    create("co", "other", 100, false);
    for (int i = 0; i < 20; i++) {
      CountDownLatch together = new CountDownLatch(1);
      try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        for (String name : List.of("cp", "co")) {
          clients.submit(() -> {
            together.await();
            return world.ecs.putClusterCapacityProviders(r ->
                r.cluster(CLUSTER)
                    .capacityProviders(name, "FARGATE")
                    .defaultCapacityProviderStrategy(item(name, 0, 1)));
          });
        }
        together.countDown();
      }
      Cluster cluster = cluster();
      String held = cluster.capacityProviders().getFirst();
      assertEquals(List.of(held, "FARGATE"), cluster.capacityProviders());
      assertEquals(List.of(item(held, 0, 1)), cluster.defaultCapacityProviderStrategy());
      until("settled", Duration.ofMinutes(1), () -> !ClusterAttachments.busy(cluster()));
      assertEquals(Set.of(held), ClusterAttachments.names(cluster()));
      associate();
      assertFalse(world.groups.all.get("web").managed);
      assertFalse(world.groups.all.get("other").managed);
    }
  }
}
