package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.Compatibility;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionStatus;
import software.amazon.awssdk.services.ecs.model.Ulimit;

/** What task definitions may say, what runs them, and how they go. */
@Timeout(60)
class DefinitionsTest {

  private static final Duration LONG = Duration.ofMinutes(5);

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

  private TaskDefinition register(
      Consumer<RegisterTaskDefinitionRequest.Builder> more, ContainerDefinition... containers) {
    return world
        .ecs()
        .registerTaskDefinition(r -> {
          r.family(World.FAMILY).containerDefinitions(containers);
          more.accept(r);
        })
        .taskDefinition();
  }

  private static ContainerDefinition.Builder container() {
    return ContainerDefinition.builder()
        .name(World.CONTAINER)
        .image("registry.test/web:1")
        .memory(64);
  }

  private void refused(String message, Consumer<ContainerDefinition.Builder> wrong) {
    ContainerDefinition.Builder one = container();
    wrong.accept(one);
    EcsException e = assertThrows(EcsException.class, () -> register(r -> {}, one.build()));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void whatFargateCanRunRunsThereAlsoIfItDidNotAskForIt() {
    Consumer<RegisterTaskDefinitionRequest.Builder> fits =
        r -> r.networkMode("awsvpc").cpu("256").memory("512");
    assertEquals(
        List.of(Compatibility.EC2, Compatibility.FARGATE),
        register(fits, container().build()).compatibilities());
    world.ecs().runTask(world.runTask().build());
    assertEquals(
        List.of(Compatibility.EC2), register(r -> {}, container().build()).compatibilities());
    assertEquals(
        List.of(Compatibility.EC2),
        register(fits.andThen(r -> r.cpu("300")), container().build()).compatibilities());
    assertEquals(
        List.of(Compatibility.EC2),
        register(fits, container().privileged(true).build()).compatibilities());
  }

  private TaskDefinitionStatus deregister(String arn) {
    return world
        .ecs()
        .deregisterTaskDefinition(r -> r.taskDefinition(arn))
        .taskDefinition()
        .status();
  }

  private void assertGone(String arn) {
    world.until(
        "deleted",
        LONG,
        () -> {
          try {
            world.ecs().describeTaskDefinition(r -> r.taskDefinition(arn));
            return false;
          } catch (ClientException e) {
            return true;
          }
        });
  }

  @Test
  void aRevisionThatIsDeletedWhileATaskRunsGoesWithTheTask() {
    String arn = world.register(World.container().build());
    String task = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    assertEquals(TaskDefinitionStatus.INACTIVE, deregister(arn));
    world.ecs().deleteTaskDefinitions(r -> r.taskDefinitions(arn));
    assertEquals(TaskDefinitionStatus.DELETE_IN_PROGRESS, deregister(arn));
    world.pass(Duration.ofMinutes(1));
    assertEquals(
        TaskDefinitionStatus.DELETE_IN_PROGRESS,
        world.ecs().describeTaskDefinition(r -> r.taskDefinition(arn)).taskDefinition().status());
    world.ecs().stopTask(r -> r.cluster(World.CLUSTER).task(task));
    assertGone(arn);
    assertTrue(world.register(World.container().build()).endsWith(":2"));
  }

  @Test
  void aRevisionThatIsDeletedWhileAServiceHasItGoesWhenTheServiceLeavesIt() {
    world.lab(1);
    String first = world.service().taskDefinition();
    String second = world.register(World.container().build());
    deregister(first);
    world.ecs().deleteTaskDefinitions(r -> r.taskDefinitions(first));
    world.pass(Duration.ofMinutes(1));
    world.ecs().describeTaskDefinition(r -> r.taskDefinition(first));
    world
        .ecs()
        .updateService(r -> r.cluster(World.CLUSTER).service(World.SERVICE).taskDefinition(second));
    assertGone(first);
    deregister(second);
    world.ecs().deleteTaskDefinitions(r -> r.taskDefinitions(second));
    world.ecs().deleteService(r -> r.cluster(World.CLUSTER).service(World.SERVICE).force(true));
    assertGone(second);
  }

  private static Consumer<ContainerDefinition.Builder> limit(String name, int soft, int hard) {
    return c -> c.ulimits(Ulimit.builder().name(name).softLimit(soft).hardLimit(hard).build());
  }

  @Test
  void whatCouldHaveNoEffectIsRefusedAtOnce() {
    refused("softLimit above its hardLimit", limit("nofile", 6, 5));
    refused("softLimit above its hardLimit", limit("nofile", -1, 5));
    refused("can not be negative", limit("nofile", -2, 5));
    refused("name should be one of [core,cpu,", limit("handles", 1, 5));
    refused(
        "set more than once",
        c -> {
          Ulimit files = Ulimit.builder().name("nofile").softLimit(1).hardLimit(2).build();
          c.ulimits(files, files);
        });
    refused(
        "Invalid Linux capability: FLY",
        c -> c.linuxParameters(l -> l.capabilities(k -> k.drop("FLY"))));
    refused("'cpu' can not be negative", c -> c.cpu(-1));
    refused(
        "name of an environment variable",
        c -> c.environment(KeyValuePair.builder().value("x").build()));
    refused("Container.image contains invalid characters", c -> c.image("a b"));
    refused("Container.image contains invalid characters", c -> c.image("a".repeat(256)));
    refused("Container.image contains invalid characters", c -> c.image("a@sha256:00"));
    refused("Invalid port mapping name", c -> c.portMappings(port("Web")));
    refused(
        "is used more than once",
        c -> c.portMappings(port("a"), port("a").toBuilder().containerPort(81).build()));
    refused(
        "appProtocol must have a name",
        c -> c.portMappings(PortMapping.builder().containerPort(80).appProtocol("http").build()));
    refused(
        "app protocol should be one of [http,http2,grpc]",
        c -> c.portMappings(port("a").toBuilder().appProtocol("smtp").build()));
    register(r -> {}, container().stopTimeout(300).startTimeout(300).build());
    register(r -> {}, container().image("a@sha256:" + "0f".repeat(32)).build());
    register(
        r -> {},
        container()
            .ulimits(Ulimit.builder().name("core").softLimit(-1).hardLimit(-1).build())
            .build());
  }

  private static PortMapping port(String name) {
    return PortMapping.builder().containerPort(80).name(name).build();
  }

  private void refusedOverride(String message, Consumer<ContainerOverride.Builder> wrong) {
    ContainerOverride.Builder one = ContainerOverride.builder().name(World.CONTAINER);
    wrong.accept(one);
    EcsException e =
        assertThrows(
            EcsException.class,
            () ->
                world
                    .ecs()
                    .runTask(
                        world.runTask().overrides(o -> o.containerOverrides(one.build())).build()));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void overridesKeepTheRulesOfDefinitions() {
    world.register(World.container().build());
    refusedOverride(
        "Container Overrides length must be at most 8192",
        c -> c.environment(KeyValuePair.builder().name("A").value("x".repeat(8192)).build()));
    refusedOverride("'cpu' can not be negative", c -> c.cpu(-4));
    refusedOverride("'memory' must be greater", c -> c.memory(10).memoryReservation(20));
    refusedOverride(
        "name of an environment variable",
        c -> c.environment(KeyValuePair.builder().value("x").build()));
    ContainerOverride same = ContainerOverride.builder().name(World.CONTAINER).build();
    EcsException e =
        assertThrows(
            EcsException.class,
            () ->
                world
                    .ecs()
                    .runTask(
                        world.runTask().overrides(o -> o.containerOverrides(same, same)).build()));
    assertTrue(e.getMessage().contains("is overridden more than once"), e.getMessage());
  }
}
