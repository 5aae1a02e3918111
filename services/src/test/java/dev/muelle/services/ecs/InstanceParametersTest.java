package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.Ec2World.CLUSTER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Device;
import dev.muelle.engine.ContainerSpec.JsonFile;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Names;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.Machine;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.SandboxSpec.Sharing;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.wire.http.HttpRequest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.NewDhcpConfiguration;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.DeviceCgroupPermission;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.Scope;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/** What a task definition can say for tasks on instances only, and what the engine makes of it. */
@Timeout(120)
@SuppressWarnings("unchecked") // arrays of builders, which the SDK takes
class InstanceParametersTest {

  @TempDir Path directory;
  private Ec2World world;

  @BeforeEach
  void open() {
    world = new Ec2World(directory);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private TaskDefinition define(Consumer<RegisterTaskDefinitionRequest.Builder> more) {
    return world
        .ecs
        .registerTaskDefinition(request -> {
          request.family("web").requiresCompatibilitiesWithStrings("EC2");
          more.accept(request);
        })
        .taskDefinition();
  }

  private String refused(NetworkMode mode, ContainerDefinition.Builder... containers) {
    return refused(r ->
        r.networkMode(mode)
            .containerDefinitions(
                List.of(containers).stream().map(ContainerDefinition.Builder::build).toList()));
  }

  private String refused(Consumer<RegisterTaskDefinitionRequest.Builder> request) {
    return assertThrows(EcsException.class, () -> define(request)).getMessage();
  }

  private static ContainerDefinition.Builder container(String name) {
    return ContainerDefinition.builder().name(name).image("registry.test/web:1").memory(64);
  }

  private ContainerSpec spec(Task task, int number) {
    return world.engine.containerSpec(TaskRecord.idOf(task.taskArn()) + "-" + number).orElseThrow();
  }

  private SandboxSpec sandbox(Task task) {
    return world.engine.sandboxSpec(TaskRecord.idOf(task.taskArn())).orElseThrow();
  }

  private static Source mounted(ContainerSpec spec, String target) {
    return spec.isolation().mounts().stream()
        .filter(mount -> mount.target().equals(target))
        .map(Mount::source)
        .findFirst()
        .orElseThrow();
  }

  private void stop(Task task) {
    world.ecs.stopTask(r -> r.cluster(CLUSTER).task(task.taskArn()));
    world.until("stopped", () -> world.task(task.taskArn()).lastStatus().equals("STOPPED"));
  }

  @Test
  void volumesOfAnInstanceStayAsLongAsIt() {
    String ec2Id = world.instances("t3.medium", 1).getFirst().instanceId();
    TaskDefinition definition =
        define(r ->
            r.volumes(
                    v -> v.name("plain"),
                    v -> v.name("place").host(h -> h.sourcePath("/data/../srv")),
                    v ->
                        v.name("shared")
                            .dockerVolumeConfiguration(d ->
                                d.scope(Scope.SHARED)
                                    .autoprovision(true)
                                    .driver("local")
                                    .labels(Map.of("team", "a"))),
                    v -> v.name("given").dockerVolumeConfiguration(d -> d.scope(Scope.SHARED)),
                    v -> v.name("own").dockerVolumeConfiguration(d -> d.scope(Scope.TASK)))
                .containerDefinitions(
                    container("web")
                        .mountPoints(
                            m -> m.sourceVolume("plain").containerPath("/plain"),
                            m -> m.sourceVolume("place").containerPath("/place").readOnly(true),
                            m -> m.sourceVolume("shared").containerPath("/shared"),
                            m -> m.sourceVolume("given").containerPath("/given"),
                            m -> m.sourceVolume("own").containerPath("/own"))
                        .build()));
    assertTrue(
        definition.requiresAttributes().stream()
            .anyMatch(a -> a.name().equals("ecs.capability.docker-plugin.local")));
    Task task = world.running(1).getFirst();
    ContainerSpec spec = spec(task, 0);
    assertEquals(new Source.Shared("plain"), mounted(spec, "/plain"));
    assertEquals(new Source.OfMachine("/data/../srv"), mounted(spec, "/place"));
    assertTrue(spec.isolation().mounts().get(1).readonly());
    assertEquals(new Source.Volume("shared", Map.of("team", "a"), true), mounted(spec, "/shared"));
    assertEquals(new Source.Volume("given", Map.of(), false), mounted(spec, "/given"));
    assertEquals(new Source.Shared("own", true), mounted(spec, "/own"));
    ContainerInstance instance = world.containerInstances().getFirst();
    Machine machine =
        new Machine(
            TaskRecord.idOf(instance.containerInstanceArn()),
            Map.of("scope", Ec2World.SCOPE.storeScope()));
    assertEquals(machine, sandbox(task).machine());
    stop(task);
    world.restart();
    world.time.advance(Duration.ofMinutes(1));
    assertEquals(List.of(machine), world.engine.machines(), "it stays when the task has ended");

    // It goes with the instance, after the tasks that are still on it.
    Task last = world.running(1).getFirst();
    world.ec2.terminateInstances(r -> r.instanceIds(ec2Id));
    world.until("gone", () -> world.engine.machines().isEmpty());
    world.until("stopped", () -> world.task(last.taskArn()).lastStatus().equals("STOPPED"));
  }

  @Test
  void whatAnInstanceLeftWhileNobodyWasThereGoesAtTheNextStart() {
    world.instances("t3.medium", 1);
    define(r -> r.pidMode(PidMode.HOST).containerDefinitions(container("web").build()));
    Task task = world.running(1).getFirst();
    stop(task);
    Machine ours = world.engine.machines().getFirst();
    // As if the server had died between the instance's end and the removal of its files.
    Machine old = new Machine("0123456789abcdef0123456789abcdef", ours.labels());
    Machine others = new Machine("fedcba9876543210fedcba9876543210", Map.of("scope", "other"));
    for (Machine machine : List.of(old, others)) {
      world.engine.createSandbox(
          new SandboxSpec(
              "s-" + machine.id(),
              null,
              "h",
              null,
              List.of(),
              List.of(),
              0,
              0,
              0,
              0,
              Sharing.CONTAINER,
              Sharing.CONTAINER,
              machine,
              Map.of()));
      world.engine.removeSandbox("s-" + machine.id());
    }
    world.restart();
    world.until("removed", () -> !world.engine.machines().contains(old));
    assertEquals(List.of(ours, others), world.engine.machines());
  }

  @Test
  void tasksShareProcessesAndMemoryAsTheySay() {
    world.instances("t3.medium", 1);
    TaskDefinition definition =
        define(r ->
            r.pidMode(PidMode.HOST)
                .ipcMode(IpcMode.TASK)
                .containerDefinitions(container("web").build()));
    assertEquals(IpcMode.TASK, definition.ipcMode());
    assertTrue(
        definition.requiresAttributes().stream()
            .anyMatch(a -> a.name().equals("ecs.capability.pid-ipc-namespace-sharing")));
    SandboxSpec first = sandbox(world.running(1).getFirst());
    assertEquals(Sharing.MACHINE, first.processes());
    assertEquals(Sharing.SANDBOX, first.ipc());
    define(r ->
        r.pidMode(PidMode.TASK)
            .ipcMode(IpcMode.HOST)
            .containerDefinitions(container("web").build()));
    SandboxSpec second = sandbox(world.running(1).getFirst());
    assertEquals(Sharing.SANDBOX, second.processes());
    assertEquals(Sharing.MACHINE, second.ipc());
    define(r -> r.ipcMode(IpcMode.NONE).containerDefinitions(container("web").build()));
    Task third = world.running(1).getFirst();
    assertEquals(Sharing.CONTAINER, sandbox(third).ipc());
    assertNull(sandbox(third).machine());
    assertTrue(spec(third, 0).isolation().sharedMemory() < 0);

    // Kernel parameters belong to who owns the namespace.
    assertTrue(
        refused(r ->
                r.ipcMode(IpcMode.HOST)
                    .containerDefinitions(
                        container("web")
                            .systemControls(s -> s.namespace("kernel.msgmax").value("9000"))
                            .build()))
            .contains("ipcMode=host"));
    assertTrue(
        refused(
                NetworkMode.HOST,
                container("web")
                    .systemControls(s -> s.namespace("net.core.somaxconn").value("9000")))
            .contains("networkMode=host"));
  }

  @Test
  void containersHaveTheNamesThatTheySay() {
    world.instances("t3.medium", 1);
    define(r ->
        r.networkMode(NetworkMode.BRIDGE)
            .containerDefinitions(
                container("web")
                    .hostname("quay")
                    .extraHosts(h -> h.hostname("db.example").ipAddress("10.1.2.3"))
                    .dnsServers("10.0.0.53")
                    .dnsSearchDomains("example")
                    .links("cache:store", "cache")
                    .build(),
                container("cache")
                    .environment(e -> e.name("SIZE").value("5"))
                    .portMappings(p -> p.containerPort(6379))
                    .build(),
                container("alone").disableNetworking(true).essential(false).build()));
    Task task = world.running(1).getFirst();
    Names cache = spec(task, 1).names();
    String address = cache.address();
    assertTrue(address.startsWith("172.17."), address);
    Names web = spec(task, 0).names();
    assertEquals("quay", web.hostname());
    assertEquals(List.of("10.0.0.53"), web.nameservers());
    assertEquals(List.of("example"), web.searchDomains());
    assertEquals(
        List.of(
            new Names.Host("10.1.2.3", "db.example"),
            new Names.Host(address, "store cache"),
            new Names.Host(address, "cache")),
        web.hosts());
    Map<String, String> told = spec(task, 0).environment();
    assertEquals("/web/store", told.get("STORE_NAME"));
    assertEquals("tcp://" + address + ":6379", told.get("STORE_PORT"));
    assertEquals(address, told.get("CACHE_PORT_6379_TCP_ADDR"));
    assertEquals("5", told.get("STORE_ENV_SIZE"));
    // Without names of its own it has what all have, but its own address.
    assertEquals(List.of("169.254.169.253"), cache.nameservers());
    ContainerSpec alone = spec(task, 2);
    assertTrue(alone.isolation().offline());
    assertNull(alone.isolation().network());
    assertFalse(spec(task, 1).isolation().offline());
    assertEquals(2, world.network.behind().size(), "alone has no place on the bridge");
  }

  private static NewDhcpConfiguration option(String key, String... values) {
    return NewDhcpConfiguration.builder().key(key).values(values).build();
  }

  @Test
  void aTaskLooksNamesUpAsItsVpcsOptionsSay() {
    String vpc = world.instances("t3.medium", 1).getFirst().vpcId();
    String options =
        world
            .ec2
            .createDhcpOptions(r ->
                r.dhcpConfigurations(
                    option("domain-name", "corp.example lab.example"),
                    option("domain-name-servers", "10.0.0.53", "AmazonProvidedDNS")))
            .dhcpOptions()
            .dhcpOptionsId();
    world.ec2.associateDhcpOptions(r -> r.vpcId(vpc).dhcpOptionsId(options));
    define(r -> r.networkMode(NetworkMode.HOST).containerDefinitions(container("web").build()));
    SandboxSpec told = sandbox(world.running(1).getFirst());
    assertEquals(List.of("10.0.0.53", "169.254.169.253"), told.nameservers());
    assertEquals(List.of("corp.example", "lab.example"), told.searchDomains());

    world.ec2.associateDhcpOptions(r -> r.vpcId(vpc).dhcpOptionsId("default"));
    SandboxSpec silent = sandbox(world.running(1).getFirst());
    assertEquals(List.of(), silent.nameservers());
    assertEquals(List.of(), silent.searchDomains());
  }

  @Test
  void aLinkedContainerStartsFirst() {
    world.instances("t3.medium", 1);
    define(r ->
        r.networkMode(NetworkMode.BRIDGE)
            .containerDefinitions(
                container("web").links("cache").build(), container("cache").build()));
    Task task = world.running(1).getFirst();
    List<String> order =
        world.engine.sandboxes().getFirst().containers().stream().map(c -> c.id()).toList();
    String id = TaskRecord.idOf(task.taskArn());
    assertEquals(List.of(id + "-1", id + "-0"), order);
    assertTrue(
        refused(NetworkMode.BRIDGE, container("a").links("b"), container("b").links("a"))
            .contains("Cycle"));
  }

  @Test
  void devicesSwapAndPrivilegesReachTheEngine() {
    world.instances("t3.medium", 1);
    define(r ->
        r.containerDefinitions(
            container("web")
                .dockerSecurityOptions("no-new-privileges")
                .linuxParameters(l ->
                    l.maxSwap(32)
                        .swappiness(10)
                        .devices(
                            d ->
                                d.hostPath("/dev/zero")
                                    .containerPath("/dev/nothing")
                                    .permissions(DeviceCgroupPermission.READ),
                            d -> d.hostPath("/dev/fuse")))
                .build(),
            container("plain").linuxParameters(l -> l.swappiness(10)).build()));
    Task task = world.running(1).getFirst();
    ContainerSpec.Isolation web = spec(task, 0).isolation();
    assertTrue(web.noNewPrivileges());
    assertEquals(32L << 20, web.swap());
    assertEquals(10, web.swappiness());
    assertEquals(
        List.of(
            new Device("/dev/zero", "/dev/nothing", "r"),
            new Device("/dev/fuse", "/dev/fuse", "rwm")),
        web.devices());
    assertEquals(32L << 20, sandbox(task).swapLimit());
    assertNull(spec(task, 1).isolation().swappiness(), "ignored without maxSwap, as documented");
    assertFalse(spec(task, 1).isolation().noNewPrivileges());
  }

  @Test
  void outputIsWrittenDownAtTheInstance() {
    world.instances("t3.medium", 1);
    TaskDefinition definition =
        define(r ->
            r.containerDefinitions(
                container("web")
                    .logConfiguration(l ->
                        l.logDriver(LogDriver.JSON_FILE)
                            .options(Map.of("max-size", "10m", "max-file", "3")))
                    .build()));
    assertTrue(
        definition.requiresAttributes().stream()
            .anyMatch(a -> a.name().endsWith("logging-driver.json-file")));
    Task task = world.running(1).getFirst();
    assertEquals(new JsonFile(10_000_000, 3), spec(task, 0).jsonFile());
    assertFalse(spec(task, 0).keepsOutput(), "nobody else reads it");
    assertEquals(1, world.engine.machines().size());
    Map<String, String> bad = new LinkedHashMap<>();
    bad.put("max-size", "-1");
    bad.put("max-file", "0");
    bad.put("labels", "team");
    bad.put("awslogs-group", "g");
    bad.forEach((option, value) -> {
      String message =
          refused(
              NetworkMode.BRIDGE,
              container("web")
                  .logConfiguration(
                      l -> l.logDriver(LogDriver.JSON_FILE).options(Map.of(option, value))));
      assertTrue(message.contains(option), message);
    });
  }

  @Test
  void withoutAPrefixAStreamHasTheNameOfTheContainersId() {
    world.script.put("web", Behaviour.runs().printing(Duration.ofSeconds(1), "hello"));
    world.logs.addGroup("/web");
    world.instances("t3.medium", 1);
    define(r ->
        r.containerDefinitions(
            container("web")
                .logConfiguration(l ->
                    l.logDriver(LogDriver.AWSLOGS)
                        .options(Map.of("awslogs-group", "/web", "awslogs-region", "us-east-1")))
                .build()));
    Task task = world.running(1).getFirst();
    String id = task.containers().getFirst().runtimeId();
    world.until("delivered", () -> world.logs.lines("/web", id).contains("hello"));
  }

  @Test
  void aTaskIsToldItsPortsAndTheInstancesVpcAndFiles() throws Exception {
    world.instances("t3.medium", 1);
    define(r ->
        r.networkMode(NetworkMode.BRIDGE)
            .volumes(v -> v.name("place").host(h -> h.sourcePath("/srv")))
            .containerDefinitions(
                Ec2World.web(8080)
                    .mountPoints(m -> m.sourceVolume("place").containerPath("/mnt"))
                    .build()));
    Task task = world.running(1).getFirst();
    JsonNode told = metadata(task, "/task");
    String vpc = world.endpoints.keySet().iterator().next();
    assertEquals(vpc, told.path("VPCID").asText());
    assertEquals("EC2", told.path("LaunchType").asText());
    assertTrue(told.path("ClockDrift").isMissingNode(), "that is Fargate's");
    JsonNode web = told.at("/Containers/0");
    assertEquals(
        "{\"ContainerPort\":80,\"Protocol\":\"tcp\",\"HostPort\":8080,\"HostIp\":\"0.0.0.0\"}",
        web.at("/Ports/0").toString());
    assertEquals(
        "[{\"Source\":\"/srv\",\"Destination\":\"/mnt\"}]", web.path("Volumes").toString());
    assertTrue(
        web.path("DockerName").asText().matches("ecs-web-1-web-[0-9a-f]{18}00"), web::toString);
    assertEquals("bridge", web.at("/Networks/0/NetworkMode").asText());
  }

  private JsonNode metadata(Task task, String path) throws Exception {
    String uri = spec(task, 0).environment().get("ECS_CONTAINER_METADATA_URI_V4");
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    world
        .endpoints
        .values()
        .iterator()
        .next()
        .handle(
            new HttpRequest(
                "GET",
                URI.create(uri).getPath() + path,
                "",
                Map.of(),
                "172.31.0.4",
                new ByteArrayInputStream(new byte[0])))
        .body()
        .writeTo(body);
    return new ObjectMapper().readTree(body.toByteArray());
  }

  @Test
  void whatHasNoPlaceIsRefused() {
    for (Consumer<ContainerDefinition.Builder> one :
        List.<Consumer<ContainerDefinition.Builder>>of(
            c -> c.hostname("h"),
            c -> c.extraHosts(h -> h.hostname("a").ipAddress("10.0.0.1")),
            c -> c.dnsServers("10.0.0.1"),
            c -> c.dnsSearchDomains("a"),
            c -> c.disableNetworking(true))) {
      ContainerDefinition.Builder definition = container("web");
      one.accept(definition);
      String message = refused(NetworkMode.AWSVPC, definition);
      assertTrue(
          message.endsWith("is not supported on container when networkMode=awsvpc."), message);
    }
    assertEquals(
        "Links are not supported when networkMode=awsvpc.",
        refused(NetworkMode.AWSVPC, container("web").links("b"), container("b")));
    assertEquals(
        "Links are not supported when networkMode=host.",
        refused(NetworkMode.HOST, container("web").links("b"), container("b")));
    for (Consumer<ContainerDefinition.Builder> bad :
        List.<Consumer<ContainerDefinition.Builder>>of(
            c -> c.hostname("a\nnameserver 6.6.6.6"),
            c -> c.dnsServers("10.0.0.1\nsearch x"),
            c -> c.dnsServers("resolver.example"),
            c -> c.dnsSearchDomains("a b"),
            c -> c.extraHosts(h -> h.hostname("a").ipAddress("host-gateway")),
            c -> c.extraHosts(h -> h.hostname("a\tb").ipAddress("10.0.0.1")),
            c -> c.links("web"),
            c -> c.disableNetworking(true).portMappings(p -> p.containerPort(80)),
            c -> c.dockerSecurityOptions("apparmor:unconfined"),
            c -> c.linuxParameters(l -> l.devices(d -> d.hostPath("/etc/passwd"))),
            c -> c.linuxParameters(l -> l.maxSwap(-1)),
            c -> c.memory(null).memoryReservation(64).linuxParameters(l -> l.maxSwap(8)),
            c -> c.linuxParameters(l -> l.maxSwap(8).swappiness(101)))) {
      ContainerDefinition.Builder definition = container("web");
      bad.accept(definition);
      refused(NetworkMode.BRIDGE, definition);
    }
    for (Consumer<software.amazon.awssdk.services.ecs.model.Volume.Builder> bad :
        List.<Consumer<software.amazon.awssdk.services.ecs.model.Volume.Builder>>of(
            v -> v.host(h -> h.sourcePath("relative")),
            v -> v.host(h -> h.sourcePath("/a\nb")),
            v -> v.dockerVolumeConfiguration(d -> d.driver("rexray/ebs")),
            v -> v.dockerVolumeConfiguration(d -> d.scope("everywhere")),
            v -> v.dockerVolumeConfiguration(d -> d.driverOpts(Map.of("type", "tmpfs"))),
            v ->
                v.host(h -> h.sourcePath("/a"))
                    .dockerVolumeConfiguration(d -> d.scope(Scope.TASK)))) {
      refused(r ->
          r.volumes(
                  v -> {
                    v.name("v");
                    bad.accept(v);
                  })
              .containerDefinitions(container("web").build()));
    }
  }
}
