package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.Secret;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskOverride;

/** What a task definition's smaller parameters come to, and what is missing for the others. */
@Timeout(120)
class TaskParametersTest {

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

  private void register(
      String compatibility, Consumer<RegisterTaskDefinitionRequest.Builder> more) {
    world
        .ecs()
        .registerTaskDefinition(request -> {
          request
              .family(World.FAMILY)
              .requiresCompatibilitiesWithStrings(compatibility)
              .networkMode(NetworkMode.AWSVPC)
              .cpu("1 vCPU")
              .memory("3 GB")
              .executionRoleArn("LabRole")
              .containerDefinitions(World.container().build());
          more.accept(request);
        });
  }

  private String run() {
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    return arn;
  }

  private ContainerSpec spec(String arn) {
    return world.engine.containerSpec(TaskRecord.idOf(arn) + "-0").orElseThrow();
  }

  @Test
  void theProcessesOfATaskAreSharedIfItSaysSo() {
    register("FARGATE", request -> request.pidMode(PidMode.TASK));
    String shared = run();
    assertTrue(world.engine.sandboxSpec(TaskRecord.idOf(shared)).orElseThrow().sharesProcesses());
    register("FARGATE", request -> {});
    assertFalse(world.engine.sandboxSpec(TaskRecord.idOf(run())).orElseThrow().sharesProcesses());
    assertThrows(EcsException.class, () -> register("FARGATE", r -> r.pidMode(PidMode.HOST)));
  }

  @Test
  void aContainerHasATerminalAndAnOpenInputIfItSaysSo() {
    world.register(World.container().interactive(true).pseudoTerminal(true).build());
    assertEquals(new ContainerSpec.Console(true, true), spec(run()).console());
    world.register(World.container().build());
    assertEquals(ContainerSpec.Console.NONE, spec(run()).console());
  }

  @Test
  void aServicesTasksRunTheVersionThatTheFirstOneFound() {
    world.register(World.container().build());
    world.createService(1, 100, 200);
    world.until("stable", LONG, world::settled);
    assertFalse(spec(world.tasks().getFirst().taskArn()).imageId().contains("@sha256:"));
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(3));
    world.until("three", LONG, () -> world.settled() && world.tasks().size() == 3);
    assertEquals(
        2,
        world.tasks().stream()
            .filter(task -> spec(task.taskArn()).imageId().contains("@sha256:"))
            .count());
    assertEquals(
        1,
        world.tasks().stream()
            .map(task -> task.containers().getFirst().imageDigest())
            .distinct()
            .count());
    world.register(World.container().versionConsistency("disabled").build());
    world
        .ecs()
        .updateService(
            r -> r.cluster(CLUSTER).service(SERVICE).taskDefinition(World.FAMILY).desiredCount(1));
    world.until("stable", LONG, () -> world.settled() && world.tasks().size() == 1);
    world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(2));
    world.until("two", LONG, () -> world.settled() && world.tasks().size() == 2);
    for (Task task : world.tasks()) {
      assertFalse(spec(task.taskArn()).imageId().contains("@sha256:"));
    }
  }

  @Test
  void aRequestMayNameOtherRolesAndAnotherStorage() {
    register("FARGATE", request -> {}); // without a task role
    String arn =
        world
            .ecs()
            .runTask(
                world
                    .runTask()
                    .enableExecuteCommand(true)
                    .overrides(o ->
                        o.taskRoleArn("LabRole")
                            .executionRoleArn("ecsTaskExecutionRole")
                            .ephemeralStorage(s -> s.sizeInGiB(40)))
                    .build())
            .tasks()
            .getFirst()
            .taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    Task task = world.task(arn);
    assertEquals("arn:aws:iam::000000000000:role/LabRole", task.overrides().taskRoleArn());
    assertEquals(40, task.ephemeralStorage().sizeInGiB());
    assertEquals(
        40L << 30, world.engine.sandboxSpec(TaskRecord.idOf(arn)).orElseThrow().storageLimit());
    assertTrue(task.enableExecuteCommand());
    for (Consumer<TaskOverride.Builder> bad :
        List.<Consumer<TaskOverride.Builder>>of(
            o -> o.taskRoleArn("nobody"),
            o -> o.executionRoleArn("arn:aws:iam::000000000000:role/nobody"),
            o -> o.ephemeralStorage(s -> s.sizeInGiB(20)),
            o -> o.ephemeralStorage(s -> s.sizeInGiB(201)))) {
      assertThrows(
          EcsException.class, () -> world.ecs().runTask(world.runTask().overrides(bad).build()));
    }
  }

  @Test
  void aStoppedTaskCanBeDescribedForAnHour() {
    world.register(World.container().build());
    String arn = run();
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    world.pass(Duration.ofMinutes(59));
    assertEquals("Task stopped by user", world.task(arn).stoppedReason());
    world.pass(Duration.ofMinutes(2));
    var gone = world.ecs().describeTasks(r -> r.cluster(CLUSTER).tasks(arn));
    assertTrue(gone.tasks().isEmpty());
    assertEquals("MISSING", gone.failures().getFirst().reason());
    assertEquals(arn, gone.failures().getFirst().arn());
  }

  @Test
  void whatIsNotBuiltSaysWhatItWouldNeed() {
    Map<ContainerDefinition.Builder, String> needs =
        Map.of(
            World.container().secrets(Secret.builder().name("A").valueFrom("arn:x").build()),
            "secrets is not supported by this region yet: it needs AWS Secrets Manager",
            World.container().firelensConfiguration(f -> f.type("fluentbit")),
            "firelensConfiguration is not supported by this region yet: it needs FireLens",
            World.container().repositoryCredentials(r -> r.credentialsParameter("arn:x")),
            "repositoryCredentials is not supported by this region yet: it needs AWS Secrets");
    needs.forEach((container, words) -> {
      EcsException refused =
          assertThrows(EcsException.class, () -> world.register(container.build()));
      assertTrue(refused.getMessage().contains(words), refused.getMessage());
    });
    EcsException proxy =
        assertThrows(
            EcsException.class,
            () ->
                register(
                    "FARGATE",
                    r -> r.proxyConfiguration(p -> p.type("APPMESH").containerName(CONTAINER))));
    assertTrue(proxy.getMessage().endsWith("it needs AWS App Mesh."), proxy.getMessage());
  }
}
