package dev.muelle.bench;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
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

/**
 * What the control plane costs as clusters grow: the real ECS and EC2 over the real store, on an
 * engine and a network in memory, in virtual time: one thing happens after the other, so what is
 * measured is work, not waiting. All figures are processor time: the machine may be busy otherwise.
 * For each size, a cluster with twenty tasks on an instance and room for a quarter more: ten
 * services, of which one has its tasks in a VPC. How long until all are steady, how long a rolling
 * update of that one takes, and how long RunTask takes to place one task more, answer included.
 * Prints a row a size; arguments: numbers of tasks.
 */
public final class ControlPlaneBench implements AutoCloseable {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String CLUSTER = "bench";
  private static final String ROLLED = "web";
  private static final int SERVICES = 10;
  private static final int PER_INSTANCE = 20;
  private static final int ROOM = 25; // tasks that fit on an instance
  private static final int CPU = 128;
  private static final int MEMORY = 128;
  private static final int PLACEMENTS = 1_000;
  private static final Duration MOMENT = Duration.ofSeconds(1);
  private static final Duration TOO_LONG = Duration.ofHours(12);

  private final SplittableRandom random = new SplittableRandom(1);
  private final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
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
    SimNetwork network = new SimNetwork(time);
    logs = new CloudWatchLogs(SCOPE, store, time, ids, random, metrics -> {}, Measurements.NONE);
    iam = new Iam(SCOPE, base.in(SCOPE.account()), time, ids);
    ec2 = new Ec2(SCOPE, store, time, ids, random, iam, network, Integer.MAX_VALUE);
    ecs =
        new Ecs(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            new NoLoadBalancers(),
            logs,
            iam,
            null, // no CloudWatch
            Measurements.NONE,
            new EventOutbox(ids),
            new ObjectFiles(directory, time, random, "localhost"),
            AutoScalingGroups.NONE,
            ec2.boots(),
            new SimEngine(time, image -> Behaviour.runs()),
            network,
            (vpc, address, port, handler) -> () -> {},
            new SessionKeys(store, time, random),
            "localhost");
    logs.start();
    ec2.start();
    ecs.start();
  }

  /** See the class. */
  public static void main(String[] sizes) throws Exception {
    System.out.println(
        "| tasks | instances | all steady, s | ms a task | rolling update | s | ms a task | RunTask p50, ms | p99, ms |");
    System.out.println("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
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

  private String run(int tasks) {
    int instances = tasks / PER_INSTANCE;
    int each = tasks / SERVICES;
    prepare(instances);
    double begin = used();
    List<String> services = new ArrayList<>();
    for (int i = 0; i < SERVICES; i++) {
      String name = i == 0 ? ROLLED : "service" + i;
      create(name, each);
      services.add(name);
    }
    await(() -> services.stream().allMatch(name -> steady(name, each)));
    double steady = used() - begin;
    begin = used();
    ecs.updateService(r -> r.cluster(CLUSTER).service(ROLLED).taskDefinition(ROLLED + ":2"));
    await(() -> steady(ROLLED, each));
    double rolled = used() - begin;
    ThreadMXBean thread = ManagementFactory.getThreadMXBean();
    int placements = Math.min(PLACEMENTS, tasks / 8);
    double[] placing = new double[placements];
    for (int i = 0; i < placements; i++) {
      long one = thread.getCurrentThreadCpuTime();
      RunTaskResponse made =
          ecs.runTask(r -> r.cluster(CLUSTER).taskDefinition("service").launchType(LaunchType.EC2));
      placing[i] = (thread.getCurrentThreadCpuTime() - one) / 1e6;
      if (!made.failures().isEmpty()) {
        throw new IllegalStateException(made.failures().getFirst().toString());
      }
    }
    Arrays.sort(placing);
    return "| %d | %d | %.1f | %.2f | %d | %.1f | %.2f | %.2f | %.2f |"
        .formatted(
            tasks,
            instances,
            steady,
            steady * 1_000 / tasks,
            each,
            rolled,
            rolled * 1_000 / each,
            placing[placements / 2],
            placing[placements * 99 / 100]);
  }

  @SuppressWarnings("unchecked") // the SDK builders take generic varargs
  private void create(String name, int tasks) {
    boolean inVpc = name.equals(ROLLED);
    NetworkConfiguration network =
        NetworkConfiguration.builder()
            .awsvpcConfiguration(v -> v.subnets(subnets.stream().map(Subnet::subnetId).toList()))
            .build();
    ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName(name)
            .taskDefinition(inVpc ? ROLLED + ":1" : "service")
            .launchType(LaunchType.EC2)
            .desiredCount(tasks)
            .deploymentConfiguration(d -> d.minimumHealthyPercent(90).maximumPercent(110))
            .networkConfiguration(inVpc ? network : null));
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
    define(ROLLED, NetworkMode.AWSVPC);
    define(ROLLED, NetworkMode.AWSVPC);
    define("service", NetworkMode.NONE);
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
                  Resource.builder().name("CPU").type("INTEGER").integerValue(ROOM * CPU).build(),
                  Resource.builder()
                      .name("MEMORY")
                      .type("INTEGER")
                      .integerValue(ROOM * MEMORY)
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

  @SuppressWarnings("unchecked") // as above
  private void define(String family, NetworkMode mode) {
    ecs.registerTaskDefinition(r ->
        r.family(family)
            .networkMode(mode)
            .requiresCompatibilities(Compatibility.EC2)
            .containerDefinitions(c -> c.name("c").image("bench").cpu(CPU).memory(MEMORY)));
  }

  private boolean steady(String name, int tasks) {
    Service service =
        ecs.describeServices(r -> r.cluster(CLUSTER).services(name)).services().getFirst();
    return service.deployments().size() == 1 && service.runningCount() == tasks;
  }

  private void await(BooleanSupplier condition) {
    Instant end = time.instant().plus(TOO_LONG);
    while (!condition.getAsBoolean()) {
      if (time.instant().isAfter(end)) {
        throw new IllegalStateException("not within " + TOO_LONG);
      }
      time.advance(MOMENT);
    }
  }

  /** Seconds of processor time that this process has used, its compiler and collector included. */
  private static double used() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
  }

  @Override
  public void close() {
    ecs.close();
    ec2.close();
    logs.close();
    iam.close();
    base.close();
    time.close();
  }
}
