package dev.muelle.services.ecs;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine;
import dev.muelle.engine.SandboxStatus;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.PacedTimers;
import dev.muelle.loop.Timers;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.Network;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceBoots;
import dev.muelle.services.Measurements;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.WebSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.iam.IamClient;

/**
 * Everything around ECS, in one seed: a machine that keeps running while servers live and die. The
 * store is the real one; engine, network and neighbours are in memory; time is virtual.
 */
public final class World implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  public static final String CLUSTER = "alba-digi-cluster";
  public static final String FAMILY = "alba-digi-task";
  public static final String CONTAINER = "alba-digi-api-rest";
  public static final String SERVICE = "alba-digi-service";
  static final String IMAGE = "000000000000.dkr.ecr.us-east-1.localhost:4566/" + CONTAINER;
  public static final String LOG_GROUP = "/ecs/alba-digi";
  static final String TARGETS =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/alba-digi-target-group/1";

  public final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  final Random random;
  public final Map<String, Behaviour> script = new HashMap<>();
  public final SimEngine engine =
      new SimEngine(time, image -> script.getOrDefault(image.repository(), Behaviour.runs()));
  final SimNetwork network = new SimNetwork(time);
  final FakeEc2 ec2 = new FakeEc2(network);
  final FakeBalancer balancer;
  public final FakeLogs logs = new FakeLogs();
  final FakeCloudWatch cloudWatch = new FakeCloudWatch();
  final FakeIam iam =
      new FakeIam(SCOPE, "LabRole", "ecsTaskExecutionRole", "ecsInfrastructureRole");

  /** Addresses at which processes run but do not answer. */
  final Set<String> sick = new HashSet<>();

  final Map<String, HttpHandler> vpcServers = new TreeMap<>();

  private final AutoScalingGroups groups;
  private final int pace;

  /** The region's time. */
  final PacedTimers region;

  private final SqliteStore base;

  /** What the server asks of the engine passes through here. */
  final FaultyEngine faults;

  /** What is in S3. */
  final ObjectFiles objects;

  private final Random told = new Random(1); // its own, so that listening changes no history
  private volatile boolean listening;
  private int deaths;
  private Life life = new Life();
  private StoreInStep store;
  private Ecs ecs;

  public World(Path directory, long seed) {
    this(directory, seed, AutoScalingGroups.NONE);
  }

  World(Path directory, long seed, AutoScalingGroups groups) {
    this(directory, seed, groups, 1);
  }

  /** One whose region's time goes faster than {@link #time}, which is the machine's. */
  World(Path directory, long seed, AutoScalingGroups groups, int pace) {
    this.groups = groups;
    this.pace = pace;
    region = new PacedTimers(time, () -> time.millis() * 1_000_000, pace, Duration.ZERO);
    random = new Random(seed);
    objects = new ObjectFiles(directory, time, new Random(seed), "localhost:4566");
    faults = new FaultyEngine(new Random(seed + 2));
    balancer = new FakeBalancer(time, new Random(seed + 1), this::answers);
    balancer.addGroup(TARGETS, FakeEc2.VPC, true);
    logs.addGroup(LOG_GROUP);
    base = SqliteStore.open(directory.resolve("store.db"));
    boot();
  }

  /** What the server has written. */
  Store stored() {
    return base.in(SCOPE.storeScope());
  }

  /** The keys that tasks were given. */
  SessionKeys keys() {
    return new SessionKeys(stored(), time, random);
  }

  /** Starts a server over what is there. */
  private void boot() {
    life = new Life();
    store = new StoreInStep(base.in(SCOPE.storeScope()), life);
    Timers timers = life.guard(pace == 1 ? time : region);
    ecs =
        new Ecs(
            SCOPE,
            store,
            timers,
            new Ids(random),
            random,
            life.guard(Ec2Client.class, ec2),
            life.guard(ElasticLoadBalancingV2Client.class, balancer),
            life.guard(CloudWatchLogsClient.class, logs),
            life.guard(IamClient.class, iam),
            life.guard(CloudWatchClient.class, cloudWatch),
            Measurements.NONE,
            outbox(),
            objects,
            life.guard(AutoScalingGroups.class, groups),
            InstanceBoots.NONE,
            life.guard(Engine.class, faults.over(engine)),
            life.guard(Network.class, network),
            this::serve,
            new SessionKeys(store, time, random),
            "localhost:4566");
    ecs.start();
  }

  /** Where events are put down, as long as somebody listens. */
  private EventOutbox outbox() {
    EventOutbox outbox = new EventOutbox(new Ids(told));
    outbox.listen((source, type) -> listening);
    return outbox;
  }

  /** From now on events are put down. */
  void listen() {
    listening = true;
  }

  /** The events so far, the oldest first; those of one moment in no order. */
  List<EventOutbox.Event> events() {
    return stored().read(tx -> tx.list(EventOutbox.TABLE)).stream().map(Row::value).toList();
  }

  private VpcHttp.Server serve(String vpcId, String address, int port, HttpHandler handler) {
    String key = vpcId + "/" + address + ":" + port;
    if (vpcServers.putIfAbsent(key, handler) != null) {
      throw new IllegalStateException(key + " is taken");
    }
    return () -> vpcServers.remove(key);
  }

  public EcsClient ecs() {
    return ecs;
  }

  Optional<WebSocket> session(String path) {
    return ecs.session(path);
  }

  /** What the present server has read and written. */
  CountingTx.Counts counts() {
    return store.counts();
  }

  public Life life() {
    return life;
  }

  /** {@code kill -9}, and a new server. It may die while it starts. */
  public void restart() {
    life.end();
    store.close();
    vpcServers.clear();
    try {
      boot();
    } catch (Life.Killed e) {
      life.end();
    }
  }

  /** Starts a server if the last one has died. */
  void revive() {
    if (life.over()) {
      deaths++;
      restart();
    }
  }

  /** How many servers have died that {@link #revive} took the place of. */
  int deaths() {
    return deaths;
  }

  /** Asks until somebody lived long enough to answer; what is refused is refused. */
  void ask(Runnable call) {
    while (true) {
      try {
        revive();
        call.run();
        return;
      } catch (Life.Killed e) {
        life.end();
      } catch (EcsException e) {
        return;
      }
    }
  }

  /** Calls until a server lives long enough to answer. */
  <T> T persistently(Supplier<T> call) {
    while (true) {
      try {
        return call.get();
      } catch (Life.Killed e) {
        restart();
      }
    }
  }

  public void pass(Duration duration) {
    time.advance(duration);
  }

  /** Lets time pass until something is so; fails if it does not come to be. */
  public void until(String what, Duration atMost, BooleanSupplier condition) {
    Instant end = time.instant().plus(atMost);
    while (!condition.getAsBoolean()) {
      if (time.instant().isAfter(end)) {
        throw new AssertionError(what + ": not within " + atMost);
      }
      time.advance(Duration.ofMillis(100));
    }
  }

  /** Whether a process listens at an address. */
  private boolean answers(String address) {
    for (SandboxStatus sandbox : engine.sandboxes()) {
      boolean here =
          engine.sandboxSpec(sandbox.id()).filter(s -> address.equals(s.address())).isPresent();
      if (here) {
        return !sick.contains(address) && sandbox.containers().stream().anyMatch(World::runs);
      }
    }
    return false;
  }

  private static boolean runs(ContainerStatus container) {
    return container.state() instanceof State.Running;
  }

  List<ContainerStatus> runningContainers() {
    return engine.sandboxes().stream()
        .flatMap(sandbox -> sandbox.containers().stream())
        .filter(World::runs)
        .toList();
  }

  /** Of every task that has a running container. */
  List<String> runningAddresses() {
    return engine.sandboxes().stream()
        .filter(sandbox -> sandbox.containers().stream().anyMatch(World::runs))
        .flatMap(sandbox -> engine.sandboxSpec(sandbox.id()).stream())
        .map(spec -> String.valueOf(spec.address()))
        .toList();
  }

  // The lab's steps.

  public void createCluster() {
    ecs.createCluster(request ->
        request
            .clusterName(CLUSTER)
            .tags(List.of(Tag.builder().key("Name").value(CLUSTER).build())));
  }

  public static ContainerDefinition.Builder container() {
    return ContainerDefinition.builder()
        .name(CONTAINER)
        .image(IMAGE + ":latest")
        .cpu(1024)
        .memoryReservation(2048)
        .portMappings(
            List.of(
                PortMapping.builder().containerPort(5050).hostPort(5050).protocol("tcp").build()))
        .logConfiguration(config ->
            config
                .logDriver("awslogs")
                .options(
                    Map.of(
                        "awslogs-group", LOG_GROUP,
                        "awslogs-region", "us-east-1",
                        "awslogs-stream-prefix", "ecs")));
  }

  /** Registers a revision with these containers; gives its ARN. */
  public String register(ContainerDefinition... containers) {
    return ecs.registerTaskDefinition(request ->
            request
                .family(FAMILY)
                .requiresCompatibilitiesWithStrings("FARGATE")
                .networkMode(NetworkMode.AWSVPC)
                .cpu("1 vCPU")
                .memory("3 GB")
                .executionRoleArn("LabRole")
                .taskRoleArn("LabRole")
                .containerDefinitions(containers))
        .taskDefinition()
        .taskDefinitionArn();
  }

  static NetworkConfiguration net() {
    return NetworkConfiguration.builder()
        .awsvpcConfiguration(vpc ->
            vpc.subnets(FakeEc2.SUBNETS)
                .securityGroups(FakeEc2.GROUP)
                .assignPublicIp(AssignPublicIp.ENABLED))
        .build();
  }

  static LoadBalancer loadBalancer() {
    return LoadBalancer.builder()
        .targetGroupArn(TARGETS)
        .containerName(CONTAINER)
        .containerPort(5050)
        .build();
  }

  void createServiceNamed(String name, int desired) {
    createService(name, desired, 100, 200);
  }

  void createService(int desired, int minimumPercent, int maximumPercent) {
    createService(SERVICE, desired, minimumPercent, maximumPercent);
  }

  private void createService(String name, int desired, int minimumPercent, int maximumPercent) {
    ecs.createService(request ->
        request
            .cluster(CLUSTER)
            .serviceName(name)
            .taskDefinition(FAMILY)
            .launchType(LaunchType.FARGATE)
            .desiredCount(desired)
            .deploymentConfiguration(config ->
                config.minimumHealthyPercent(minimumPercent).maximumPercent(maximumPercent))
            .healthCheckGracePeriodSeconds(30)
            .loadBalancers(loadBalancer())
            .networkConfiguration(net()));
  }

  /** Deploys what ends at once, watched by the circuit breaker. */
  void deployBroken(boolean rollback) {
    script.put("broken", Behaviour.runs().exiting(1, Duration.ZERO));
    String broken = register(container().image("registry.test/broken:1").build());
    ecs.updateService(r ->
        r.cluster(CLUSTER)
            .service(SERVICE)
            .taskDefinition(broken)
            .deploymentConfiguration(
                c -> c.deploymentCircuitBreaker(b -> b.enable(true).rollback(rollback))));
  }

  /** Cluster, definition and service of the lab, stable. */
  void lab(int desired) {
    createCluster();
    register(container().build());
    createService(desired, 100, 200);
    until("services-stable", Duration.ofMinutes(5), this::stable);
  }

  public Service service() {
    return ecs.describeServices(request -> request.cluster(CLUSTER).services(SERVICE))
        .services()
        .getFirst();
  }

  /** What the waiter services-stable looks for. */
  boolean stable() {
    Service service = service();
    return service.deployments().size() == 1
        && service.runningCount().equals(service.desiredCount());
  }

  /** Stable, every task healthy in the load balancer, and nothing else left. */
  boolean settled() {
    return stable()
        && balancer.serving(TARGETS).size() == service().desiredCount()
        && runningContainers().size() == service().desiredCount();
  }

  public boolean saysEvent(String part) {
    return service().events().stream().anyMatch(event -> event.message().contains(part));
  }

  public RunTaskRequest.Builder runTask() {
    return RunTaskRequest.builder()
        .cluster(CLUSTER)
        .taskDefinition(FAMILY)
        .launchType(LaunchType.FARGATE)
        .networkConfiguration(net());
  }

  public Task task(String arn) {
    return ecs.describeTasks(request -> request.cluster(CLUSTER).tasks(arn)).tasks().getFirst();
  }

  TaskRecord record(String arn) {
    return store.read(tx -> tx.get(TaskRecord.TABLE, TaskRecord.idOf(arn))).orElseThrow().value();
  }

  /** Every task of the service that is to run. */
  public List<Task> tasks() {
    List<String> arns =
        ecs.listTasks(request -> request.cluster(CLUSTER).serviceName(SERVICE)).taskArns();
    return arns.isEmpty()
        ? List.of()
        : ecs.describeTasks(request -> request.cluster(CLUSTER).tasks(arns)).tasks();
  }

  @Override
  public void close() {
    life.end();
    store.close();
    base.close();
    time.close();
  }
}
