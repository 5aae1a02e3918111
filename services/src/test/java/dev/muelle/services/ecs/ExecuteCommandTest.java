package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.state.TaskRecord;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandRequest;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandResponse;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;
import software.amazon.awssdk.services.ecs.model.ManagedAgent;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.TargetNotConnectedException;
import software.amazon.awssdk.services.ecs.model.Task;

/** Who may run commands in which containers. */
@Timeout(120)
class ExecuteCommandTest {

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

  private String run(boolean enabled) {
    String arn =
        world
            .ecs()
            .runTask(world.runTask().enableExecuteCommand(enabled).build())
            .tasks()
            .getFirst()
            .taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    return arn;
  }

  private ExecuteCommandResponse execute(String arn, Consumer<ExecuteCommandRequest.Builder> more) {
    return world
        .ecs()
        .executeCommand(request -> {
          request.cluster(CLUSTER).task(arn).command("/bin/sh").interactive(true);
          more.accept(request);
        });
  }

  private String refused(String arn, Consumer<ExecuteCommandRequest.Builder> more) {
    return assertThrows(InvalidParameterException.class, () -> execute(arn, more)).getMessage();
  }

  private static ManagedAgent agent(Task task) {
    return task.containers().getFirst().managedAgents().getFirst();
  }

  @Test
  void aSessionIsAtTheRegionsPortAndIsTakenUpOnce() {
    world.register(World.container().build());
    String arn = run(true);
    Task task = world.task(arn);
    assertTrue(task.enableExecuteCommand());
    assertEquals("ExecuteCommandAgent", agent(task).nameAsString());
    assertEquals("RUNNING", agent(task).lastStatus());
    ExecuteCommandResponse response = execute(TaskRecord.idOf(arn), request -> {});
    assertEquals(arn, response.taskArn());
    assertEquals(CONTAINER, response.containerName());
    assertTrue(response.interactive());
    URI url = URI.create(response.session().streamUrl());
    assertEquals("ws", url.getScheme());
    assertEquals("localhost:4566", url.getAuthority());
    assertEquals("/v1/data-channel/" + response.session().sessionId(), url.getPath());
    assertTrue(response.session().sessionId().matches("ecs-execute-command-[0-9a-f]{17}"));
    assertTrue(world.session("/v1/data-channel/other").isEmpty());
    assertTrue(world.session(url.getPath()).isPresent());
    assertTrue(world.session(url.getPath()).isEmpty(), "once");
    ExecuteCommandResponse late = execute(arn, request -> {});
    world.pass(Duration.ofMinutes(6));
    assertTrue(world.session(URI.create(late.session().streamUrl()).getPath()).isEmpty());
    world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn));
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    assertEquals("STOPPED", agent(world.task(arn)).lastStatus());
    assertTrue(refused(arn, request -> {}).contains("was not enabled"));
  }

  @Test
  void whatCannotBeEnteredIsRefused() {
    world.register(World.container().build());
    String closed = run(false);
    assertFalse(world.task(closed).enableExecuteCommand());
    assertTrue(world.task(closed).containers().getFirst().managedAgents().isEmpty());
    assertTrue(refused(closed, r -> {}).startsWith("The execute command failed because"));
    assertEquals(
        "Interactive is the only mode supported currently.",
        refused(closed, r -> r.interactive(false)));
    String open = run(true);
    assertTrue(refused(open, r -> r.command(" ")).contains("blank"));
    assertTrue(refused(open, r -> r.command("sh -c 'x")).contains("quoted"));
    assertTrue(refused(open, r -> r.container("other")).contains("other"));
    assertTrue(refused("0".repeat(32), r -> {}).contains("not found"));
    world.register(World.container().readonlyRootFilesystem(true).build());
    String readonly = run(true);
    assertThrows(TargetNotConnectedException.class, () -> execute(readonly, r -> {}));
    world.register(
        World.container().build(),
        ContainerDefinition.builder().name("two").image("registry.test/two:1").build());
    String two = run(true);
    assertTrue(refused(two, r -> {}).contains("more than one container"));
    assertEquals("two", execute(two, r -> r.container("two")).containerName());
  }

  @Test
  void withoutATaskRoleNothingCanBeEntered() {
    world
        .ecs()
        .registerTaskDefinition(request ->
            request
                .family("roleless")
                .networkMode(NetworkMode.AWSVPC)
                .cpu("256")
                .memory("512")
                .containerDefinitions(
                    ContainerDefinition.builder().name("c").image("registry.test/c:1").build()));
    String message =
        assertThrows(
                InvalidParameterException.class,
                () ->
                    world
                        .ecs()
                        .runTask(
                            world
                                .runTask()
                                .taskDefinition("roleless")
                                .enableExecuteCommand(true)
                                .build()))
            .getMessage();
    assertTrue(message.contains("a valid task role is not being used"), message);
    world.register(World.container().build());
    world.createService(1, 100, 200);
    message =
        assertThrows(
                InvalidParameterException.class,
                () ->
                    world
                        .ecs()
                        .updateService(r ->
                            r.cluster(CLUSTER)
                                .service(SERVICE)
                                .loadBalancers(List.of())
                                .taskDefinition("roleless")
                                .enableExecuteCommand(true)))
            .getMessage();
    assertTrue(message.startsWith("The service couldn't be updated because"), message);
  }

  @Test
  void aServicesNewTasksFollowTheService() {
    world.register(World.container().build());
    world.createService(1, 100, 200);
    world.until("stable", LONG, world::settled);
    assertFalse(world.tasks().getFirst().enableExecuteCommand());
    world
        .ecs()
        .updateService(r ->
            r.cluster(CLUSTER)
                .service(SERVICE)
                .enableExecuteCommand(true)
                .forceNewDeployment(true));
    assertTrue(world.service().enableExecuteCommand());
    world.until(
        "its new task can be entered",
        LONG,
        () -> world.settled() && world.tasks().stream().allMatch(t -> t.enableExecuteCommand()));
    assertEquals("RUNNING", agent(world.tasks().getFirst()).lastStatus());
  }
}
