package dev.muelle.services.ecs;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.wire.http.HttpHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;

/** ECS with the real EC2 and IAM; engine and network are in memory, and time is virtual. */
final class Ec2World implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  static final String CLUSTER = "lab";
  static final String TARGETS =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1";
  static final Duration LONG = Duration.ofMinutes(10);

  final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  final Map<String, Behaviour> script = new HashMap<>();
  final SimEngine engine =
      new SimEngine(time, image -> script.getOrDefault(image.repository(), Behaviour.runs()));
  final SimNetwork network = new SimNetwork(time);
  final Set<String> dead = new HashSet<>();

  /** What answers to tasks, by VPC. */
  final Map<String, HttpHandler> endpoints = new ConcurrentHashMap<>();

  final FakeBalancer balancer = new FakeBalancer(time, new Random(2), id -> !dead.contains(id));
  final FakeCloudWatch cloudWatch = new FakeCloudWatch();
  final FakeLogs logs = new FakeLogs();
  final SimGroups groups = new SimGroups(new GroupMachines(this));
  final Iam iam;
  private final SqliteStore base;
  private final StoreInStep store; // time does not outrun what changes tell
  private final Random random = new Random(1);
  private final ObjectFiles objects;
  private final EventOutbox outbox = new EventOutbox(new Ids(new Random(1)));
  Ec2 ec2;
  Ecs ecs;

  Ec2World(Path directory) {
    objects = new ObjectFiles(directory, time, random, "localhost");
    base = SqliteStore.open(directory.resolve("store.db"));
    store = new StoreInStep(base.in(SCOPE.storeScope()), new Life());
    Ids ids = new Ids(random);
    iam = new Iam(SCOPE, base.in("000000000000/global"), time, ids);
    boot();
    ecs.createCluster(r -> r.clusterName(CLUSTER));
  }

  private void boot() {
    Ids ids = new Ids(random);
    ec2 = new Ec2(SCOPE, store, time, ids, random, iam, network);
    ec2.start();
    ecs =
        new Ecs(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            balancer,
            logs,
            iam,
            cloudWatch,
            Measurements.NONE,
            outbox,
            objects,
            groups,
            ec2.boots(),
            engine,
            network,
            (vpc, address, port, handler) -> {
              endpoints.put(vpc, handler);
              return () -> endpoints.remove(vpc);
            },
            new SessionKeys(store, time, random),
            "localhost");
    ecs.start();
  }

  /** What the server has written. */
  Store stored() {
    return store;
  }

  void restart() {
    time.advance(Duration.ofMinutes(1)); // nothing is under way that would be waited for
    ecs.close();
    ec2.close();
    boot();
  }

  void until(String what, BooleanSupplier condition) {
    Instant end = time.instant().plus(LONG);
    while (!condition.getAsBoolean()) {
      if (time.instant().isAfter(end)) {
        throw new AssertionError(what + ": not within " + LONG);
      }
      time.advance(Duration.ofMillis(500));
    }
  }

  static String userData(String script) {
    return Base64.getEncoder().encodeToString(script.getBytes(StandardCharsets.UTF_8));
  }

  String image() {
    return ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
  }

  RunInstancesRequest.Builder launch(String type, int count) {
    return RunInstancesRequest.builder()
        .imageId(image())
        .instanceType(type)
        .minCount(count)
        .maxCount(count)
        .iamInstanceProfile(p -> p.name("LabInstanceProfile"))
        .userData(userData("#!/bin/bash\necho ECS_CLUSTER=lab >> /etc/ecs/ecs.config\n"));
  }

  /** Instances in the cluster, running and registered. */
  List<Instance> instances(String type, int count) {
    int before = containerInstances().size();
    List<String> ids =
        ec2.runInstances(launch(type, count).build()).instances().stream()
            .map(Instance::instanceId)
            .toList();
    until("registered", () -> containerInstances().size() == before + count);
    return ids.stream().map(this::instance).toList();
  }

  Instance instance(String id) {
    return ec2.describeInstances(r -> r.instanceIds(id))
        .reservations()
        .getFirst()
        .instances()
        .getFirst();
  }

  List<ContainerInstance> containerInstances() {
    List<String> arns = ecs.listContainerInstances(r -> r.cluster(CLUSTER)).containerInstanceArns();
    return arns.isEmpty()
        ? List.of()
        : ecs.describeContainerInstances(r -> r.cluster(CLUSTER).containerInstances(arns))
            .containerInstances();
  }

  static ContainerDefinition.Builder web(Integer hostPort) {
    return ContainerDefinition.builder()
        .name("web")
        .image("registry.test/web:1")
        .memory(64)
        .portMappings(PortMapping.builder().containerPort(80).hostPort(hostPort).build());
  }

  void define(NetworkMode mode, ContainerDefinition... containers) {
    ecs.registerTaskDefinition(r ->
        r.family("web")
            .requiresCompatibilitiesWithStrings("EC2")
            .networkMode(mode)
            .containerDefinitions(containers));
  }

  static RunTaskRequest.Builder run(int count) {
    return RunTaskRequest.builder()
        .cluster(CLUSTER)
        .taskDefinition("web")
        .launchType(LaunchType.EC2)
        .count(count);
  }

  List<Task> running(int count) {
    List<String> arns =
        ecs.runTask(run(count).build()).tasks().stream().map(Task::taskArn).toList();
    until(
        "running",
        () -> tasks(arns).stream().allMatch(task -> task.lastStatus().equals("RUNNING")));
    return tasks(arns);
  }

  List<Task> tasks(List<String> arns) {
    return ecs.describeTasks(r -> r.cluster(CLUSTER).tasks(arns)).tasks();
  }

  Task task(String arn) {
    return tasks(List.of(arn)).getFirst();
  }

  Service service() {
    return ecs.describeServices(r -> r.cluster(CLUSTER).services("web")).services().getFirst();
  }

  @Override
  public void close() {
    store.close();
    base.close();
    time.close();
  }
}
