package dev.muelle.region;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.sns.SnsClient;

/**
 * ECS and EC2 Auto Scaling together, as a region joins them: tasks that find no room make a group
 * grow, and it shrinks when they have gone. Containers and packets are simulated, and time is.
 */
class CapacityTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String GROUP = "hosts";
  private static final String CLUSTER = "lab";

  @TempDir private Path directory;
  private final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  private SqliteStore base;
  private CloudWatch cloudWatch;
  private Ec2 ec2;
  private AutoScaling scaling;
  private Ecs ecs;

  /** Services have none here. */
  private static final class NoLoadBalancers implements ElasticLoadBalancingV2Client {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  /** Nobody is told anything here. */
  private static final class NoTopics implements SnsClient {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  @BeforeEach
  void open() {
    SplittableRandom random = new SplittableRandom(1);
    base = SqliteStore.open(directory.resolve("store.db"));
    Store store = base.in(SCOPE.storeScope());
    Ids ids = new Ids(random);
    EventOutbox events = new EventOutbox(ids);
    AlarmReceivers receivers = new AlarmReceivers();
    SimNetwork network = new SimNetwork(time);
    NoLoadBalancers balancers = new NoLoadBalancers();
    cloudWatch = new CloudWatch(SCOPE, store, time, random, receivers, events);
    CloudWatchLogs logs =
        new CloudWatchLogs(SCOPE, store, time, ids, random, metrics -> {}, Measurements.NONE);
    Iam iam = new Iam(SCOPE, base.in(SCOPE.account()), time, ids);
    ec2 = new Ec2(SCOPE, store, time, ids, random, iam, network);
    scaling =
        new AutoScaling(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            balancers,
            cloudWatch,
            new NoTopics(),
            events,
            cloudWatch.measurements());
    ecs =
        new Ecs(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            balancers,
            logs,
            iam,
            cloudWatch.platform(),
            cloudWatch.measurements(),
            events,
            new ObjectFiles(directory, time, random, "localhost"),
            new EcsGroups(scaling, ec2),
            new SimEngine(time, image -> Behaviour.runs()),
            network,
            (vpc, address, port, handler) -> () -> {},
            "localhost");
    cloudWatch.start();
    ec2.start();
    scaling.start();
    ecs.start();
  }

  @AfterEach
  void close() {
    ecs.close();
    scaling.close();
    ec2.close();
    cloudWatch.close();
    base.close();
    time.close();
  }

  private void cluster() {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String userData =
        Base64.getEncoder()
            .encodeToString(
                "#!/bin/bash\necho ECS_CLUSTER=lab >> /etc/ecs/ecs.config\n"
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
}
