package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.agent.HealthChecks;
import dev.muelle.services.ecs.agent.HealthChecks.Health;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.HealthCheck;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.Task;

/** What a container definition says of its container, and what comes of it. */
@Timeout(120)
@SuppressWarnings("unchecked") // the SDK's builders take any number of consumers
class EcsContainersTest {

  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Instant START = Instant.parse("2026-11-21T08:00:00Z");

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

  private static HealthCheck check(int interval, int retries, int startPeriod) {
    return HealthCheck.builder()
        .command("CMD-SHELL", "curl -f http://localhost/ || exit 1")
        .interval(interval)
        .timeout(2)
        .retries(retries)
        .startPeriod(startPeriod)
        .build();
  }

  private void define(UnaryOperator<RegisterTaskDefinitionRequest.Builder> more) {
    world
        .ecs()
        .registerTaskDefinition(
            more.apply(
                    RegisterTaskDefinitionRequest.builder()
                        .family(World.FAMILY)
                        .requiresCompatibilitiesWithStrings("FARGATE")
                        .networkMode("awsvpc")
                        .cpu("256")
                        .memory("512")
                        .executionRoleArn("LabRole"))
                .build());
  }

  private String refused(UnaryOperator<RegisterTaskDefinitionRequest.Builder> more) {
    return assertThrows(ClientException.class, () -> define(more)).getMessage();
  }

  private String run() {
    return world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
  }

  private void running(String arn) {
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
  }

  private ContainerSpec spec(String arn, int number) {
    return world.engine.containerSpec(TaskRecord.idOf(arn) + "-" + number).orElseThrow();
  }

  @Test
  void healthFollowsTheResults() {
    HealthCheck check = check(30, 3, 60);
    Health unknown = new Health(HealthStatus.UNKNOWN, 0, START);
    Instant early = START.plusSeconds(59);
    Instant late = START.plusSeconds(60);
    // While it starts, failures do not count; a success does.
    assertEquals(
        new Health(HealthStatus.UNKNOWN, 0, early.plusSeconds(30)),
        HealthChecks.after(unknown, check, START, false, early));
    Health healthy = HealthChecks.after(unknown, check, START, true, early);
    assertEquals(HealthStatus.HEALTHY, healthy.status());
    // Once it was healthy, they count even then.
    assertEquals(1, HealthChecks.after(healthy, check, START, false, early).failures());
    Health one = HealthChecks.after(healthy, check, START, false, late);
    Health two = HealthChecks.after(one, check, START, false, late);
    assertEquals(HealthStatus.HEALTHY, two.status());
    Health three = HealthChecks.after(two, check, START, false, late);
    assertEquals(HealthStatus.UNHEALTHY, three.status());
    assertEquals(
        new Health(HealthStatus.HEALTHY, 0, late.plusSeconds(30)),
        HealthChecks.after(three, check, START, true, late));
  }

  @Test
  void aTaskIsAsHealthyAsItsEssentialContainers() {
    world.script.put(
        "web", Behaviour.runs().answering(age -> age.compareTo(Duration.ofMinutes(5)) < 0 ? 0 : 1));
    world.script.put("side", Behaviour.runs().answering(age -> 1));
    define(r ->
        r.containerDefinitions(
            container("web").healthCheck(check(10, 2, 0)).build(),
            container("side").essential(false).healthCheck(check(10, 2, 0)).build(),
            container("plain").build()));
    String arn = run();
    running(arn);
    assertEquals(HealthStatus.UNKNOWN, world.task(arn).healthStatus());
    world.until("healthy", LONG, () -> world.task(arn).healthStatus() == HealthStatus.HEALTHY);
    world.until("side", LONG, () -> health(arn, 1) == HealthStatus.UNHEALTHY);
    assertEquals(HealthStatus.HEALTHY, world.task(arn).healthStatus());
    assertEquals(HealthStatus.UNKNOWN, health(arn, 2));
    world.restart(); // it is known after a restart, and checked on
    assertEquals(HealthStatus.HEALTHY, world.task(arn).healthStatus());
    world.until("ill", LONG, () -> world.task(arn).healthStatus() == HealthStatus.UNHEALTHY);
    assertEquals("RUNNING", world.task(arn).lastStatus()); // nobody's service
  }

  private HealthStatus health(String arn, int number) {
    return world.task(arn).containers().get(number).healthStatus();
  }

  @Test
  void whoDependsOnHealthWaitsForIt() {
    world.script.put(
        "db", Behaviour.runs().answering(age -> age.compareTo(Duration.ofSeconds(40)) < 0 ? 1 : 0));
    define(r ->
        r.containerDefinitions(
            container("db").healthCheck(check(5, 2, 60)).build(),
            container("app")
                .dependsOn(d -> d.containerName("db").condition(ContainerCondition.HEALTHY))
                .build()));
    String arn = run();
    world.until("db", LONG, () -> world.engine.container(TaskRecord.idOf(arn) + "-0").isPresent());
    Instant started = world.time.instant();
    running(arn);
    Duration waited = Duration.between(started, world.time.instant());
    assertTrue(waited.toSeconds() >= 39 && waited.toSeconds() < 50, waited::toString);
  }

  @Test
  void whoDependsOnHealthThatNeverComesFailsItsTask() {
    world.script.put("db", Behaviour.runs().answering(age -> 1));
    define(r ->
        r.containerDefinitions(
            container("db").startTimeout(20).healthCheck(check(5, 2, 0)).build(),
            container("app")
                .dependsOn(d -> d.containerName("db").condition(ContainerCondition.HEALTHY))
                .build()));
    String arn = run();
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    Task task = world.task(arn);
    assertTrue(task.stoppedReason().contains("did not reach HEALTHY"), task.stoppedReason());
  }

  @Test
  void theEngineIsToldOfVolumesCapabilitiesAndParameters() {
    define(r ->
        r.ephemeralStorage(e -> e.sizeInGiB(100))
            .volumes(v -> v.name("work"))
            .containerDefinitions(
                container("web")
                    .mountPoints(m -> m.sourceVolume("work").containerPath("/work"))
                    .linuxParameters(l ->
                        l.capabilities(c -> c.add("SYS_PTRACE").drop("ALL"))
                            .tmpfs(t ->
                                t.containerPath("/fast").size(64).mountOptions("noexec", "ro")))
                    .systemControls(s -> s.namespace("net.core.somaxconn").value("99"))
                    .build(),
                container("reader")
                    .volumesFrom(v -> v.sourceContainer("web").readOnly(true))
                    .build()));
    String arn = run();
    running(arn);
    assertEquals(
        new ContainerSpec.Isolation(
            Set.of("SYS_PTRACE"),
            Set.of("ALL"),
            0,
            Map.of("net.core.somaxconn", "99"),
            List.of(
                new Mount("/work", new Source.Shared("work"), false),
                new Mount("/fast", new Source.Memory(64 << 20, List.of("noexec", "ro")), true))),
        spec(arn, 0).isolation());
    assertEquals(
        List.of(new Mount("/work", new Source.Shared("work"), true)),
        spec(arn, 1).isolation().mounts());
    assertEquals(
        100L << 30, world.engine.sandboxSpec(TaskRecord.idOf(arn)).orElseThrow().storageLimit());
    assertEquals(100, world.task(arn).ephemeralStorage().sizeInGiB());
  }

  @Test
  void whatFargateDoesNotTakeIsRefusedInItsWords() {
    assertEquals(
        "Tasks using the Fargate launch type do not support ipcMode.",
        refused(r -> r.ipcMode("task").containerDefinitions(container("a").build())));
    assertEquals(
        "Fargate compatible task definitions do not support sourcePath",
        refused(r ->
            r.volumes(v -> v.name("v").host(h -> h.sourcePath("/etc")))
                .containerDefinitions(container("a").build())));
    assertEquals(
        "Fargate compatible task definitions do not support privileged",
        refused(r -> r.containerDefinitions(container("a").privileged(true).build())));
    assertTrue(
        refused(r ->
                r.ephemeralStorage(e -> e.sizeInGiB(20))
                    .containerDefinitions(container("a").build()))
            .contains("21 GiB"));
    assertEquals(
        "Unknown volume 'nowhere'.",
        refused(r ->
            r.containerDefinitions(
                container("a")
                    .mountPoints(m -> m.sourceVolume("nowhere").containerPath("/x"))
                    .build())));
    assertTrue(
        refused(r ->
                r.containerDefinitions(
                    container("a").healthCheck(h -> h.command("curl", "x")).build()))
            .startsWith("Invalid health check command"));
    assertTrue(
        refused(r ->
                r.containerDefinitions(
                    container("a").healthCheck(h -> h.command("CMD", "x").interval(4)).build()))
            .startsWith("Invalid health check interval"));
    assertTrue(
        refused(r ->
                r.containerDefinitions(
                    container("a").build(),
                    container("b")
                        .dependsOn(d -> d.containerName("a").condition("HEALTHY"))
                        .build()))
            .endsWith("has no health check."));
    assertEquals(
        "Invalid systemControls namespace: kernel.panic",
        refused(r ->
            r.containerDefinitions(
                container("a")
                    .systemControls(s -> s.namespace("kernel.panic").value("1"))
                    .build())));
  }
}
