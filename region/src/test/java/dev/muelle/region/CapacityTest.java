package dev.muelle.region;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.region.simulate.SimulatedRegion;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.WarmPoolState;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * ECS and EC2 Auto Scaling together, as a region joins them: tasks that find no room make a group
 * grow, and it shrinks when they have gone. Containers and packets are simulated, and time is.
 */
class CapacityTest {

  private static final String GROUP = "hosts";
  private static final String CLUSTER = "lab";

  @TempDir private Path directory;
  private SimulatedRegion region;
  private VirtualTimers time;
  private Ec2 ec2;
  private AutoScaling scaling;
  private Ecs ecs;

  @BeforeEach
  void open() {
    region =
        new SimulatedRegion(
            directory, Instant.parse("2026-11-21T08:00:00Z"), SimulatedRegion.Starts.AT_ONCE);
    time = region.time();
    ec2 = region.ec2();
    scaling = region.groups();
    ecs = region.ecs();
  }

  @AfterEach
  void close() {
    region.close();
  }

  private void cluster() {
    cluster("");
  }

  /**
   * A cluster on a group.
   *
   * @param more of the agent's configuration
   */
  private void cluster(String more) {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String userData =
        Base64.getEncoder()
            .encodeToString(
                ("#!/bin/bash\ncat <<EOF >> /etc/ecs/ecs.config\nECS_CLUSTER=lab\n"
                        + more
                        + "EOF\n")
                    .getBytes(StandardCharsets.UTF_8));
    ec2.createLaunchTemplate(r ->
        r.launchTemplateName(GROUP)
            .launchTemplateData(d ->
                d.imageId(image)
                    .instanceType("t3.small")
                    .userData(userData)
                    .iamInstanceProfile(p -> p.name("LabInstanceProfile"))));
    String subnet = ec2.describeSubnets().subnets().getFirst().subnetId();
    scaling.createAutoScalingGroup(r ->
        r.autoScalingGroupName(GROUP)
            .launchTemplate(t -> t.launchTemplateName(GROUP))
            .vpcZoneIdentifier(subnet)
            .minSize(0)
            .maxSize(5)
            .newInstancesProtectedFromScaleIn(true));
    ecs.createCapacityProvider(r ->
        r.name(GROUP)
            .autoScalingGroupProvider(p ->
                p.autoScalingGroupArn(group().autoScalingGroupARN())
                    .managedScaling(m -> m.status("ENABLED").targetCapacity(100))
                    .managedTerminationProtection("ENABLED")));
    ecs.createCluster(r ->
        r.clusterName(CLUSTER)
            .capacityProviders(GROUP)
            .defaultCapacityProviderStrategy(
                CapacityProviderStrategyItem.builder().capacityProvider(GROUP).weight(1).build()));
    ecs.registerTaskDefinition(r ->
        r.family("worker")
            .containerDefinitions(
                ContainerDefinition.builder()
                    .name("main")
                    .image("000000000000.dkr.ecr.us-east-1.localhost/worker")
                    .memory(1200) // one to an instance
                    .build()));
  }

  private AutoScalingGroup group() {
    return scaling
        .describeAutoScalingGroups(r -> r.autoScalingGroupNames(GROUP))
        .autoScalingGroups()
        .getFirst();
  }

  private List<Task> running() {
    List<String> arns = ecs.listTasks(r -> r.cluster(CLUSTER).desiredStatus("RUNNING")).taskArns();
    return arns.isEmpty()
        ? List.of()
        : ecs.describeTasks(r -> r.cluster(CLUSTER).tasks(arns)).tasks().stream()
            .filter(task -> task.lastStatus().equals("RUNNING"))
            .toList();
  }

  private String host(Task task) {
    ContainerInstance on =
        ecs.describeContainerInstances(
                r -> r.cluster(CLUSTER).containerInstances(task.containerInstanceArn()))
            .containerInstances()
            .getFirst();
    return on.ec2InstanceId();
  }

  private List<String> serving() {
    return group().instances().stream()
        .filter(one -> one.lifecycleState() == LifecycleState.IN_SERVICE)
        .map(Instance::instanceId)
        .toList();
  }

  private void until(String what, Duration within, BooleanSupplier condition) {
    Instant end = time.instant().plus(within);
    while (!condition.getAsBoolean()) {
      if (time.instant().isAfter(end)) {
        throw new AssertionError(
            what
                + " not within "
                + within
                + ": "
                + group()
                + scaling.describeScalingActivities(r -> r.autoScalingGroupName(GROUP)));
      }
      time.advance(Duration.ofSeconds(1));
    }
  }

  @Test
  void aGroupFollowsTheTasksThatNeedIt() {
    cluster();
    for (int i = 0; i < 3; i++) {
      ecs.runTask(r -> r.cluster(CLUSTER).taskDefinition("worker"));
    }
    until("three tasks run", Duration.ofMinutes(20), () -> running().size() == 3);
    assertEquals(3, running().stream().map(this::host).distinct().count());
    assertTrue(
        scaling.describeScalingActivities(r -> r.autoScalingGroupName(GROUP)).activities().stream()
            .anyMatch(a -> a.cause().contains("changing the desired capacity from 0 to 2")));

    Task stays = running().getFirst();
    String kept = host(stays);
    running().stream()
        .filter(task -> !task.taskArn().equals(stays.taskArn()))
        .forEach(task -> ecs.stopTask(r -> r.cluster(CLUSTER).task(task.taskArn())));
    until(
        "the group is one instance",
        Duration.ofMinutes(45),
        () -> group().instances().size() == 1 && group().desiredCapacity() == 1);
    assertEquals(List.of(kept), serving());
    assertTrue(group().instances().getFirst().protectedFromScaleIn());
    assertEquals(List.of(stays.taskArn()), running().stream().map(Task::taskArn).toList());
    assertEquals(
        1,
        ecs.describeClusters(r -> r.clusters(CLUSTER))
            .clusters()
            .getFirst()
            .registeredContainerInstancesCount());

    ecs.stopTask(r -> r.cluster(CLUSTER).task(stays.taskArn()));
    until("the group is empty", Duration.ofMinutes(45), () -> group().instances().isEmpty());
    assertEquals(0, group().desiredCapacity());
  }

  @Test
  void whatIsInTheWarmPoolIsNotInTheCluster() {
    cluster("ECS_WARM_POOLS_CHECK=true\n");
    scaling.putWarmPool(r ->
        r.autoScalingGroupName(GROUP).maxGroupPreparedCapacity(2).poolState(WarmPoolState.RUNNING));
    until(
        "two are warm",
        Duration.ofMinutes(5),
        () ->
            pool().stream()
                    .filter(one -> one.lifecycleState() == LifecycleState.WARMED_RUNNING)
                    .count()
                == 2);
    List<String> warm = pool().stream().map(Instance::instanceId).toList();
    time.advance(Duration.ofMinutes(2)); // agents look every ten seconds
    assertEquals(
        List.of(), ecs.listContainerInstances(r -> r.cluster(CLUSTER)).containerInstanceArns());
    ecs.runTask(r -> r.cluster(CLUSTER).taskDefinition("worker"));
    until("the task runs", Duration.ofMinutes(20), () -> running().size() == 1);
    assertTrue(warm.contains(host(running().getFirst())));
  }

  private List<Instance> pool() {
    return scaling.describeWarmPool(r -> r.autoScalingGroupName(GROUP)).instances();
  }
}
