package dev.muelle.bench;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.Compatibility;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Resource;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/**
 * What the control plane costs as clusters grow: the real ECS and EC2 over the real store, on an
 * engine and a network in memory that take no time. For each size, a cluster of container instances
 * and one service that fills four fifths of them: how long until it is steady, how long a rolling
 * update takes, and how long RunTask takes to place one task more. Prints a row a size; arguments:
 * numbers of tasks.
 */
public final class ControlPlaneBench implements AutoCloseable {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String CLUSTER = "bench";
  private static final String SERVICE = "bench";
  private static final int PER_INSTANCE = 10;
  private static final int PLACEMENTS = 500;
  private static final long LOOK_NANOS = 200_000_000;

  private final SplittableRandom random = new SplittableRandom(1);
  private final SystemTimers timers = new SystemTimers();
  private final SqliteStore base;
  private final Ec2 ec2;
  private final CloudWatchLogs logs;
  private final Iam iam;
  private final Ecs ecs;
  private final List<Subnet> subnets = new ArrayList<>();

  private ControlPlaneBench(Path directory) {
    base = SqliteStore.open(directory.resolve("store.db"));
    Store store = base.in(SCOPE.storeScope());
    Ids ids = new Ids(random);
    SimNetwork network = new SimNetwork(timers);
    logs = new CloudWatchLogs(SCOPE, store, timers, ids, random);
    iam = new Iam(SCOPE, base.in(SCOPE.account()), timers, ids);
    ec2 = new Ec2(SCOPE, store, timers, ids, random, iam, network);
    ecs =
        new Ecs(
            SCOPE,
            store,
            timers,
            ids,
            random,
            ec2,
            new NoLoadBalancers(),
            logs,
            iam,
            null, // no CloudWatch
            new SimEngine(timers, image -> Behaviour.runs()),
            network,
            (vpc, address, port, handler) -> () -> {},
            "localhost");
    logs.start();
    ec2.start();
    ecs.start();
  }

  /** The services here have none. */
  private static final class NoLoadBalancers implements ElasticLoadBalancingV2Client {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  /** See the class. */
  public static void main(String[] sizes) throws Exception {
    System.out.println(
        "| tasks | instances | steady, s | ms a task | rolling update, s | ms a task | RunTask p50, ms | p99, ms |");
    System.out.println("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (String size : sizes) {
      Path directory = Files.createTempDirectory("muelle-bench");
      try (ControlPlaneBench bench = new ControlPlaneBench(directory)) {
        System.out.println(bench.run(Integer.parseInt(size)));
      } finally {
        try (Stream<Path> files = Files.list(directory)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        Files.delete(directory);
      }
    }
  }

  @SuppressWarnings("unchecked") // the SDK builders take generic varargs
  private String run(int tasks) {
    int instances = tasks * 5 / 4 / PER_INSTANCE;
    prepare(instances);
    NetworkConfiguration network =
        NetworkConfiguration.builder()
            .awsvpcConfiguration(v -> v.subnets(subnets.stream().map(Subnet::subnetId).toList()))
            .build();
    Instant begin = timers.instant();
    ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName(SERVICE)
            .taskDefinition("bench:1")
            .launchType(LaunchType.EC2)
            .desiredCount(tasks)
            .deploymentConfiguration(d -> d.minimumHealthyPercent(90).maximumPercent(110))
            .networkConfiguration(network));
    await(() -> steady(tasks));
    double steady = seconds(begin);
    begin = timers.instant();
    ecs.updateService(r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition("bench:2"));
    await(() -> steady(tasks));
    double rolled = seconds(begin);
    double[] placing = new double[PLACEMENTS];
    for (int i = 0; i < PLACEMENTS; i++) {
      Instant one = timers.instant();
      RunTaskResponse made =
          ecs.runTask(r ->
              r.cluster(CLUSTER)
                  .taskDefinition("bench:2")
                  .launchType(LaunchType.EC2)
                  .networkConfiguration(network));
      placing[i] = seconds(one) * 1_000;
      if (!made.failures().isEmpty()) {
        throw new IllegalStateException(made.failures().toString());
      }
      ecs.stopTask(r -> r.cluster(CLUSTER).task(made.tasks().getFirst().taskArn()));
    }
    Arrays.sort(placing);
    return "| %d | %d | %.1f | %.2f | %.1f | %.2f | %.1f | %.1f |"
        .formatted(
            tasks,
            instances,
            steady,
            steady * 1_000 / tasks,
            rolled,
            rolled * 1_000 / tasks,
            placing[PLACEMENTS / 2],
            placing[PLACEMENTS * 99 / 100]);
  }

  @SuppressWarnings("unchecked") // as above
  private void prepare(int instances) {
    String vpc = ec2.createVpc(r -> r.cidrBlock("10.0.0.0/16")).vpc().vpcId();
    for (int i = 0; i < 3; i++) {
      int number = i;
      subnets.add(
          ec2.createSubnet(r ->
                  r.vpcId(vpc)
                      .cidrBlock("10.0." + number * 64 + ".0/18")
                      .availabilityZone("us-east-1" + "abc".charAt(number)))
              .subnet());
    }
    ecs.createCluster(r -> r.clusterName(CLUSTER));
    for (int revision = 1; revision <= 2; revision++) {
      ecs.registerTaskDefinition(r ->
          r.family("bench")
              .networkMode(NetworkMode.AWSVPC)
              .requiresCompatibilities(Compatibility.FARGATE)
              .cpu("256")
              .memory("512")
              .containerDefinitions(c -> c.name("c").image("bench")));
    }
    for (int i = 0; i < instances; i++) {
      int number = i;
      ecs.registerContainerInstance(r ->
          r.cluster(CLUSTER)
              .instanceIdentityDocument(
                  """
                  {"instanceId": "i-%017x", "instanceType": "m5.24xlarge", "availabilityZone": "%s",
                   "imageId": "ami-1", "architecture": "x86_64", "region": "us-east-1",
                   "accountId": "000000000000", "version": "2017-09-30", "billingProducts": null}
                  """
                      .formatted(number, subnets.get(number % 3).availabilityZone()))
              .totalResources(
                  Resource.builder()
                      .name("CPU")
                      .type("INTEGER")
                      .integerValue(PER_INSTANCE * 512)
                      .build(),
                  Resource.builder()
                      .name("MEMORY")
                      .type("INTEGER")
                      .integerValue(PER_INSTANCE * 512)
                      .build(),
                  Resource.builder().name("PORTS").type("STRINGSET").stringSetValue("22").build(),
                  Resource.builder().name("PORTS_UDP").type("STRINGSET").stringSetValue().build())
              .versionInfo(v -> v.agentVersion("1.89.0").dockerVersion("DockerVersion: 25.0.3"))
              .attributes(
                  Attribute.builder().name("ecs.capability.task-eni").build(),
                  Attribute.builder()
                      .name("com.amazonaws.ecs.capability.docker-remote-api.1.18")
                      .build()));
    }
  }

  private boolean steady(int tasks) {
    Service service =
        ecs.describeServices(r -> r.cluster(CLUSTER).services(SERVICE)).services().getFirst();
    return service.deployments().size() == 1 && service.runningCount() == tasks;
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private double seconds(Instant since) {
    return Duration.between(since, timers.instant()).toNanos() / 1e9;
  }

  @Override
  public void close() {
    ecs.close();
    ec2.close();
    logs.close();
    iam.close();
    base.close();
    timers.close();
  }
}
