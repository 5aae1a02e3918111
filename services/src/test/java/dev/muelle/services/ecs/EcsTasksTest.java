package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.FAMILY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/** Tasks that somebody runs by hand: their whole life, and the ways in which it ends. */
@Timeout(120)
class EcsTasksTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static ContainerDefinition.Builder container(String name) {
    return ContainerDefinition.builder().name(name).image("registry.test/" + name + ":1");
  }

  private String run() {
    return run(world.runTask().build());
  }

  private String run(RunTaskRequest request) {
    return world.ecs().runTask(request).tasks().getFirst().taskArn();
  }

  private Task stopped(String arn) {
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    return world.task(arn);
  }

  private void running(String arn) {
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
  }

  private static Container only(Task task) {
    return task.containers().getFirst();
  }

  @Test
  void anExitIsToldWithItsCodeAndEveryTime() {
    world.script.put(
        CONTAINER,
        Behaviour.runs()
            .pulledIn(Duration.ofSeconds(2))
            .startedIn(Duration.ofSeconds(1))
            .exiting(3, Duration.ofSeconds(5)));
    world.register(World.container().build());
    String arn = run();
    assertEquals("PROVISIONING", world.task(arn).lastStatus());
    List<String> seen = new ArrayList<>();
    world.until(
        "stopped",
        LONG,
        () -> {
          String now = world.task(arn).lastStatus();
          if (seen.isEmpty() || !seen.getLast().equals(now)) {
            seen.add(now);
          }
          return now.equals("STOPPED");
        });
    assertEquals(List.of("PROVISIONING", "PENDING", "RUNNING", "STOPPED"), seen);
    Task task = world.task(arn);
    assertEquals(3, only(task).exitCode());
    assertEquals(TaskStopCode.ESSENTIAL_CONTAINER_EXITED, task.stopCode());
    assertEquals("Essential container in task exited", task.stoppedReason());
    List<Instant> times =
        List.of(
            task.createdAt(),
            task.connectivityAt(),
            task.pullStartedAt(),
            task.pullStoppedAt(),
            task.startedAt(),
            task.stoppingAt(),
            task.executionStoppedAt(),
            task.stoppedAt());
    assertEquals(times.stream().sorted().toList(), times);
    assertEquals(Duration.ofSeconds(2), Duration.between(times.get(2), times.get(3)));
    assertTrue(only(task).imageDigest().startsWith("sha256:"));
    assertEquals("STOPPED", only(task).lastStatus());
    assertTrue(task.version() > 3);
  }

  @Test
  void whatCannotBePulledSaysWhy() {
    String reason =
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found";
    world.script.put(CONTAINER, Behaviour.runs().failingToPull(reason));
    world.register(World.container().build());
    Task task = stopped(run());
    assertEquals(TaskStopCode.TASK_FAILED_TO_START, task.stopCode());
    assertEquals(reason, task.stoppedReason());
    assertEquals(reason, only(task).reason());
    assertNull(only(task).exitCode());
    assertNull(task.startedAt());
    assertEquals(Map.of(), world.ec2.interfaces());
  }

  @Test
  void whatCannotBeStartedSaysWhy() {
    String reason = "CannotStartContainerError: exec: \"/nope\": no such file or directory";
    world.script.put(CONTAINER, Behaviour.runs().failingToStart(reason));
    world.register(World.container().build());
    Task task = stopped(run());
    assertEquals(TaskStopCode.TASK_FAILED_TO_START, task.stopCode());
    assertEquals(reason, task.stoppedReason());
    assertEquals(reason, only(task).reason());
  }

  @Test
  void aMissingLogGroupStopsTheTaskBeforeItStarts() {
    world.register(
        World.container()
            .logConfiguration(config ->
                config
                    .logDriver("awslogs")
                    .options(
                        Map.of(
                            "awslogs-group", "/nobody/made/it",
                            "awslogs-region", "us-east-1",
                            "awslogs-stream-prefix", "x")))
            .build());
    Task task = stopped(run());
    assertEquals(TaskStopCode.TASK_FAILED_TO_START, task.stopCode());
    assertTrue(task.stoppedReason().startsWith("ResourceInitializationError: "));
    assertEquals(Map.of(), world.engine.starts());
  }

  @Test
  void whatWasCarriedIsReleasedAndOnlyThat() {
    world.script.put(
        CONTAINER,
        Behaviour.runs()
            .printing(Duration.ofSeconds(1), "one")
            .printing(Duration.ofSeconds(2), "two"));
    world.register(World.container().build());
    String arn = run();
    running(arn);
    String task = arn.substring(arn.lastIndexOf('/') + 1);
    String stream = "ecs/" + CONTAINER + "/" + task;
    world.until("carried", LONG, () -> world.logs.lines(World.LOG_GROUP, stream).contains("two"));
    assertEquals(List.of("one", "two"), world.logs.lines(World.LOG_GROUP, stream));
    world.until("released", LONG, () -> world.engine.output(task + "-0", 0, 10).isEmpty());
  }

  /** Positions are stored once for many lines: what they do not know of, the stream does. */
  @Test
  void whatWasCarriedBeforeACrashIsNotCarriedAgain() {
    Behaviour prints = Behaviour.runs();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      String line = "line " + i;
      prints = prints.printing(Duration.ofMillis(1_000 + i / 4), line);
      lines.add(line);
    }
    world.script.put(CONTAINER, prints);
    world.register(World.container().build());
    String arn = run();
    running(arn);
    String stream = "ecs/" + CONTAINER + "/" + arn.substring(arn.lastIndexOf('/') + 1);
    for (int millis : List.of(1_234, 3, 500, 1_100, 1_000)) {
      world.pass(Duration.ofMillis(millis));
      world.restart();
    }
    world.until(
        "carried", LONG, () -> world.logs.lines(World.LOG_GROUP, stream).size() >= lines.size());
    assertEquals(lines, world.logs.lines(World.LOG_GROUP, stream));
  }

  @Test
  void memoryThatRunsOutIsToldSo() {
    world.script.put(CONTAINER, Behaviour.runs().runningOutOfMemory(Duration.ofSeconds(1)));
    world.register(World.container().build());
    Task task = stopped(run());
    assertEquals(137, only(task).exitCode());
    assertEquals("OutOfMemoryError: Container killed due to memory usage", only(task).reason());
  }

  @Test
  void stopTaskWaitsForTheStopTimeoutOnly() {
    world.script.put(CONTAINER, Behaviour.runs().ignoringSigterm());
    world.register(World.container().stopTimeout(7).build());
    String arn = run();
    running(arn);
    Task asked =
        world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn).reason("enough of it")).task();
    assertEquals("STOPPED", asked.desiredStatus());
    Task task = stopped(arn);
    assertEquals(TaskStopCode.USER_INITIATED, task.stopCode());
    assertEquals("enough of it", task.stoppedReason());
    assertEquals(137, only(task).exitCode());
    Duration took = Duration.between(task.stoppingAt(), task.executionStoppedAt());
    assertEquals(7, took.toSeconds());
  }

  @Test
  void containersStartInTheOrderOfTheirDependenciesAndStopInTheOther() {
    world.script.put("init", Behaviour.runs().exiting(0, Duration.ofSeconds(4)));
    world.script.put("web", Behaviour.runs().onSigterm(0, Duration.ofSeconds(3)));
    world.register(
        container("web")
            .dependsOn(
                on("init", ContainerCondition.SUCCESS), on("sidecar", ContainerCondition.START))
            .build(),
        container("sidecar").essential(false).build(),
        container("init").essential(false).build());
    String arn = run();
    world.pass(Duration.ofSeconds(3));
    assertEquals("PENDING", world.task(arn).lastStatus());
    assertEquals(2, world.engine.starts().size());
    running(arn);
    assertEquals(3, world.engine.starts().size());
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
    world.pass(Duration.ofSeconds(1));
    String sidecar = world.record(arn).containerId("sidecar");
    assertTrue(
        world.runningContainers().stream().anyMatch(c -> c.id().equals(sidecar)),
        "the sidecar stops after what depends on it");
    stopped(arn);
  }

  private static ContainerDependency on(String name, ContainerCondition condition) {
    return ContainerDependency.builder().containerName(name).condition(condition).build();
  }

  @Test
  void aContainerThatIsNotEssentialMayEndAlone() {
    world.script.put("helper", Behaviour.runs().exiting(1, Duration.ofSeconds(1)));
    world.register(container("web").build(), container("helper").essential(false).build());
    String arn = run();
    running(arn);
    world.pass(Duration.ofMinutes(1));
    Task task = world.task(arn);
    assertEquals("RUNNING", task.lastStatus());
    assertEquals(1, task.containers().getLast().exitCode());
    assertEquals("STOPPED", task.containers().getLast().lastStatus());
    world.engine.kill(world.record(arn).containerId("web"));
    assertEquals("Essential container in task exited", stopped(arn).stoppedReason());
  }

  @Test
  void aFailedDependencyStopsTheTask() {
    world.script.put("init", Behaviour.runs().exiting(9, Duration.ofSeconds(1)));
    world.register(
        container("web").dependsOn(on("init", ContainerCondition.SUCCESS)).build(),
        container("init").essential(false).build());
    Task task = stopped(run());
    assertEquals(TaskStopCode.TASK_FAILED_TO_START, task.stopCode());
    assertEquals(9, task.containers().getLast().exitCode());
  }

  @Test
  void overridesAndEnvironmentReachTheContainer() {
    world.register(
        World.container()
            .environment(
                KeyValuePair.builder().name("A").value("definition").build(),
                KeyValuePair.builder().name("B").value("definition").build())
            .command("serve")
            .entryPoint("/bin/app")
            .build());
    String arn =
        run(
            world
                .runTask()
                .overrides(overrides ->
                    overrides.containerOverrides(
                        List.of(
                            ContainerOverride.builder()
                                .name(CONTAINER)
                                .command("migrate", "--all")
                                .environment(
                                    KeyValuePair.builder().name("B").value("override").build())
                                .build())))
                .build());
    running(arn);
    TaskRecord record = world.record(arn);
    ContainerSpec spec = world.engine.containerSpec(record.containerId(CONTAINER)).orElseThrow();
    assertEquals(List.of("/bin/app"), spec.entryPoint());
    assertEquals(List.of("migrate", "--all"), spec.command());
    assertEquals("definition", spec.environment().get("A"));
    assertEquals("override", spec.environment().get("B"));
    assertEquals("us-east-1", spec.environment().get("AWS_REGION"));
    assertEquals("AWS_ECS_FARGATE", spec.environment().get("AWS_EXECUTION_ENV"));
    assertEquals(2048L << 20, spec.memoryReservation());
    assertEquals(1024, spec.cpuShares());
    var sandbox = world.engine.sandboxSpec(record.id()).orElseThrow();
    assertEquals(1024, sandbox.cpuLimit());
    assertEquals(3072L << 20, sandbox.memoryLimit());
    assertEquals(Eni.address(record), sandbox.address());
  }

  @Test
  void aContainerLearnsWhoItIsFromTheMetadataEndpoint() throws Exception {
    world.register(World.container().build());
    String arn = run();
    running(arn);
    TaskRecord record = world.record(arn);
    String uri =
        world
            .engine
            .containerSpec(record.containerId(CONTAINER))
            .orElseThrow()
            .environment()
            .get("ECS_CONTAINER_METADATA_URI_V4");
    assertTrue(uri.startsWith("http://169.254.170.2/v4/"), uri);
    String path = uri.substring("http://169.254.170.2".length());
    JsonNode task = get(path + "/task");
    assertEquals(arn, task.get("TaskARN").asText());
    assertEquals(FAMILY, task.get("Family").asText());
    assertEquals("1", task.get("Revision").asText());
    assertEquals("us-east-1a", task.get("AvailabilityZone").asText());
    assertEquals("FARGATE", task.get("LaunchType").asText());
    assertEquals(1.0, task.get("Limits").get("CPU").asDouble());
    assertEquals(3072, task.get("Limits").get("Memory").asInt());
    JsonNode self = get(path);
    assertEquals(CONTAINER, self.get("Name").asText());
    assertEquals(
        Eni.address(record), self.get("Networks").get(0).get("IPv4Addresses").get(0).asText());
    assertEquals(404, status("/v4/" + record.id() + "-0000000000-0/task"));
    assertEquals(404, status(path + "/nothing"));
  }

  @Test
  void aTaskHasAnIpv6AddressWhereItsSubnetCarriesThatAndTheAccountWants() throws Exception {
    world.register(World.container().build());
    String before = run();
    running(before);
    assertEquals(Optional.empty(), Eni.ipv6(world.record(before)));
    world.ec2.carryIpv6();
    String arn = run();
    running(arn);
    TaskRecord record = world.record(arn);
    String address =
        record.task().containers().getFirst().networkInterfaces().getFirst().ipv6Address();
    assertTrue(address.startsWith("3fff:1:2:3::"), address);
    String uri =
        world
            .engine
            .containerSpec(record.containerId(CONTAINER))
            .orElseThrow()
            .environment()
            .get("ECS_CONTAINER_METADATA_URI_V4");
    JsonNode network = get(uri.substring("http://169.254.170.2".length())).get("Networks").get(0);
    assertEquals(address, network.get("IPv6Addresses").get(0).asText());
    assertEquals("3fff:1:2:3::/64", network.get("IPv6SubnetCIDRBlock").asText());
    world.ecs().putAccountSettingDefault(r -> r.name("dualStackIPv6").value("disabled"));
    String without = run();
    running(without);
    assertEquals(Optional.empty(), Eni.ipv6(world.record(without)));
  }

  private JsonNode get(String path) throws Exception {
    HttpResponse response = ask(path);
    assertEquals(200, response.status());
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    response.body().writeTo(body);
    return new ObjectMapper().readTree(body.toByteArray());
  }

  private int status(String path) throws Exception {
    return ask(path).status();
  }

  private HttpResponse ask(String path) throws Exception {
    HttpHandler handler = world.vpcServers.get(FakeEc2.VPC + "/169.254.170.2:80");
    return handler.handle(
        new HttpRequest("GET", path, "", Map.of(), "172.31.0.4", InputStream.nullInputStream()));
  }

  @Test
  void oneTokenRunsOnceAndEveryFilterFinds() {
    world.register(World.container().build());
    RunTaskRequest three =
        world.runTask().count(3).clientToken("t").startedBy("me").group("batch").build();
    List<String> first =
        world.ecs().runTask(three).tasks().stream().map(Task::taskArn).sorted().toList();
    List<String> again =
        world.ecs().runTask(three).tasks().stream().map(Task::taskArn).sorted().toList();
    assertEquals(3, first.size());
    assertEquals(first, again);
    String other = run();
    running(other);
    assertEquals(4, world.ecs().listTasks(r -> r.cluster(CLUSTER)).taskArns().size());
    assertEquals(
        first,
        world.ecs().listTasks(r -> r.cluster(CLUSTER).startedBy("me")).taskArns().stream()
            .sorted()
            .toList());
    assertEquals(
        4, world.ecs().listTasks(r -> r.cluster(CLUSTER).family(FAMILY)).taskArns().size());
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(other));
    assertEquals(
        List.of(other),
        world
            .ecs()
            .listTasks(r -> r.cluster(CLUSTER).desiredStatus(DesiredStatus.STOPPED))
            .taskArns());
    assertEquals(
        3,
        world.ecs().describeTasks(r -> r.cluster(CLUSTER).tasks(first)).tasks().stream()
            .map(Task::availabilityZone)
            .distinct()
            .count(),
        "spread over the subnets' zones");
  }

  @Test
  void aSlowPullKeepsNobodyElseWaiting() {
    world.script.put("slow", Behaviour.runs().pulledIn(Duration.ofMinutes(5)));
    world.register(container("slow").build());
    for (int i = 0; i < 10; i++) {
      world.ecs().runTask(world.runTask().count(10).build());
    }
    world.pass(Duration.ofSeconds(1));
    world.register(container("quick").build());
    List<String> quick = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      world
          .ecs()
          .runTask(world.runTask().count(10).build())
          .tasks()
          .forEach(task -> quick.add(task.taskArn()));
    }
    world.pass(Duration.ofSeconds(2));
    for (String arn : quick) {
      assertEquals("RUNNING", world.task(arn).lastStatus());
    }
    assertEquals(200, world.runningContainers().size());
  }
}
