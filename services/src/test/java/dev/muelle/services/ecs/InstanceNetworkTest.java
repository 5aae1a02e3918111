package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.Ec2World.CLUSTER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.network.Network.Behind;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkBinding;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.NoUpdateAvailableException;
import software.amazon.awssdk.services.ecs.model.Resource;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Task;

/** EC2 instances that join a cluster, and tasks in their networks. */
@Timeout(120)
class InstanceNetworkTest {

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

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  private static List<NetworkBinding> bindings(Task task) {
    return task.containers().getFirst().networkBindings();
  }

  private static int hostPort(Task task) {
    return bindings(task).getFirst().hostPort();
  }

  private static int resource(ContainerInstance instance, String name) {
    return instance.registeredResources().stream()
        .filter(r -> r.name().equals(name))
        .map(Resource::integerValue)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anInstanceJoinsTheClusterThatItsUserDataNames() {
    Instance instance = world.instances("t3.medium", 1).getFirst();
    assertEquals(InstanceStateName.RUNNING, instance.state().name());
    ContainerInstance registered = world.containerInstances().getFirst();
    assertEquals(instance.instanceId(), registered.ec2InstanceId());
    assertEquals(2048, resource(registered, "CPU"));
    assertEquals(3932, resource(registered, "MEMORY"));
    assertEquals("ACTIVE", registered.status());
    String arn = registered.containerInstanceArn();
    assertThrows(
        NoUpdateAvailableException.class,
        () ->
            world.ecs.updateContainerAgent(
                r -> r.cluster(Ec2World.CLUSTER).containerInstance(arn)));
    Set<String> said =
        registered.attributes().stream()
            .map((Attribute a) -> a.name() + "=" + a.value())
            .collect(Collectors.toSet());
    assertTrue(said.contains("ecs.instance-type=t3.medium"), said.toString());
    assertTrue(said.contains("ecs.ami-id=" + world.image()), said.toString());
    assertTrue(
        said.contains("ecs.availability-zone=" + instance.placement().availabilityZone()),
        said.toString());
    world.restart(); // nobody registers twice
    world.time.settle();
    assertEquals(1, world.containerInstances().size());
  }

  @Test
  void theAgentsConfigurationIsRead() {
    world.ec2.runInstances(
        world
            .launch("m5.large", 1)
            .userData(
                Ec2World.userData(
                    """
                    #!/bin/bash
                    # the lab's instances
                    cat <<'EOF' >> /etc/ecs/ecs.config
                    ECS_CLUSTER=lab
                    ECS_INSTANCE_ATTRIBUTES={"stack":"prod"}
                    ECS_RESERVED_MEMORY=256
                    ECS_CONTAINER_INSTANCE_TAGS={"team": "web"}
                    EOF
                    echo 'ECS_RESERVED_PORTS=[8080]' >> /etc/ecs/ecs.config
                    """))
            .build());
    world.until("registered", () -> !world.containerInstances().isEmpty());
    ContainerInstance registered = world.containerInstances().getFirst();
    assertEquals((int) (8192 * 0.96) - 256, resource(registered, "MEMORY"));
    assertTrue(
        registered.attributes().contains(Attribute.builder().name("stack").value("prod").build()));
    assertTrue(
        registered.registeredResources().stream()
            .anyMatch(r -> r.name().equals("PORTS") && r.stringSetValue().contains("8080")));
  }

  @Test
  void withoutARoleAnInstanceHasNoCredentialsToRegisterWith() {
    String id =
        world
            .ec2
            .runInstances(
                world
                    .launch("t3.micro", 1)
                    .iamInstanceProfile(
                        (software.amazon.awssdk.services.ec2.model.IamInstanceProfileSpecification)
                            null)
                    .build())
            .instances()
            .getFirst()
            .instanceId();
    world.until("running", () -> world.instance(id).state().name() == InstanceStateName.RUNNING);
    world.instances("t3.micro", 1); // the other one
    assertEquals(1, world.containerInstances().size());
  }

  @Test
  void whatAnInstanceCannotDoIsRefusedByName() {
    assertTrue(
        refusedByEc2(
                "UnsupportedOperation",
                () ->
                    world.ec2.runInstances(
                        world
                            .launch("t3.micro", 1)
                            .userData(Ec2World.userData("#!/bin/bash\nyum update -y\n"))
                            .build()))
            .contains("line 2 (yum update -y)"));
    refusedByEc2(
        "UnsupportedOperation",
        () ->
            world.ec2.runInstances(
                world
                    .launch("t3.micro", 1)
                    .userData(
                        Ec2World.userData(
                            "#!/bin/bash\necho ECS_LOGLEVEL=debug >> /etc/ecs/ecs.config"))
                    .build()));
    refusedByEc2(
        "InvalidKeyPair.NotFound",
        () -> world.ec2.runInstances(world.launch("t3.micro", 1).keyName("k").build()));
    refusedByEc2(
        "InvalidAMIID.NotFound",
        () ->
            world.ec2.runInstances(
                world.launch("t3.micro", 1).imageId("ami-0123456789abcdef0").build()));
    refusedByEc2(
        "InvalidParameterValue", () -> world.ec2.runInstances(world.launch("x9.huge", 1).build()));
    refusedByEc2(
        "InvalidParameterValue",
        () ->
            world.ec2.runInstances(
                world.launch("t3.micro", 1).iamInstanceProfile(p -> p.name("none")).build()));
    refusedByEc2(
        "InvalidInstanceID.NotFound",
        () -> world.ec2.terminateInstances(r -> r.instanceIds("i-0123456789abcdef0")));
  }

  private static String refusedByEc2(String code, Executable call) {
    Ec2Exception refusal = assertThrows(Ec2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    return refusal.getMessage();
  }

  @Test
  void tasksOnABridgeShareAnInstanceThroughPortsOfTheirOwn() {
    Instance instance = world.instances("t3.medium", 1).getFirst();
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    List<Task> tasks = world.running(5);
    Set<Integer> ports = new HashSet<>();
    Set<String> addresses = new HashSet<>();
    for (Task task : tasks) {
      NetworkBinding binding = bindings(task).getFirst();
      assertEquals("0.0.0.0", binding.bindIP());
      assertEquals(80, binding.containerPort());
      assertTrue(binding.hostPort() >= 49_153 && binding.hostPort() <= 60_999);
      ports.add(binding.hostPort());
      assertEquals(LaunchType.EC2, task.launchType());
      assertTrue(task.attachments().isEmpty());
    }
    assertEquals(5, ports.size());
    String eni = instance.networkInterfaces().getFirst().networkInterfaceId();
    for (Behind behind : world.network.behind().values()) {
      addresses.add(behind.address());
      assertEquals(80, behind.ports().getFirst().to());
    }
    assertEquals(5, addresses.size());
    assertTrue(world.network.behind().keySet().stream().allMatch(key -> key.startsWith(eni)));
    Resource taken =
        world.containerInstances().getFirst().remainingResources().stream()
            .filter(r -> r.name().equals("PORTS"))
            .findFirst()
            .orElseThrow();
    ports.forEach(port -> assertTrue(taken.stringSetValue().contains(port.toString())));
    Task first = tasks.getFirst();
    world.ecs.stopTask(r -> r.cluster(CLUSTER).task(first.taskArn()));
    world.until("stopped", () -> world.task(first.taskArn()).lastStatus().equals("STOPPED"));
    assertEquals(4, world.network.behind().size());
    world.restart();
    assertEquals(4, world.network.behind().size());
    assertEquals(
        hostPort(tasks.get(1)), hostPort(world.task(tasks.get(1).taskArn())), "kept its port");
  }

  @Test
  void aFixedHostPortIsTakenOnce() {
    world.instances("t3.medium", 1);
    world.define(NetworkMode.BRIDGE, Ec2World.web(8080).build());
    assertEquals(8080, hostPort(world.running(1).getFirst()));
    RunTaskResponse second = world.ecs.runTask(Ec2World.run(1).build());
    assertEquals("RESOURCE:PORTS", second.failures().getFirst().reason());
  }

  @Test
  void inHostModeATaskHasTheInstancesOwnNetwork() {
    Instance instance = world.instances("t3.medium", 1).getFirst();
    world.define(NetworkMode.HOST, Ec2World.web(null).build());
    Task task = world.running(1).getFirst();
    assertEquals(80, hostPort(task));
    var sandbox = world.engine.sandboxSpec(TaskRecord.idOf(task.taskArn())).orElseThrow();
    assertEquals(instance.privateIpAddress(), sandbox.address());
    assertEquals(
        Path.of("/sim/netns", instance.networkInterfaces().getFirst().networkInterfaceId()),
        sandbox.network());
    RunTaskResponse second = world.ecs.runTask(Ec2World.run(1).build());
    assertEquals("RESOURCE:PORTS", second.failures().getFirst().reason());
  }

  @Test
  void withoutANetworkATaskIsAlone() {
    world.instances("t3.medium", 1);
    world.define(
        NetworkMode.NONE,
        ContainerDefinition.builder().name("web").image("registry.test/web:1").memory(64).build());
    Task task = world.running(1).getFirst();
    assertTrue(bindings(task).isEmpty());
    assertNull(world.engine.sandboxSpec(TaskRecord.idOf(task.taskArn())).orElseThrow().network());
  }

  @Test
  void networkModesAndLaunchTypesThatDoNotFitAreRefused() {
    world.instances("t3.medium", 1);
    assertEquals(
        "Invalid setting for container 'web'. At least one of 'memory' or 'memoryReservation' must"
            + " be specified.",
        refused(() -> world.define(NetworkMode.BRIDGE, Ec2World.web(0).memory(null).build())));
    assertTrue(
        refused(() -> world.define(NetworkMode.HOST, Ec2World.web(8080).build()))
            .contains("networkMode=host"));
    assertTrue(
        refused(() -> world.define(NetworkMode.NONE, Ec2World.web(0).build()))
            .contains("networkMode=none"));
    assertTrue(
        refused(() -> world.define(NetworkMode.BRIDGE, Ec2World.web(0).links("db").build()))
            .contains("db, which is not defined"));
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    assertEquals(
        "Task definition does not support launch_type FARGATE.",
        refused(() -> world.ecs.runTask(Ec2World.run(1).launchType(LaunchType.FARGATE).build())));
    assertEquals(
        "Network Configuration is not valid for the given networkMode of this task definition.",
        refused(() ->
            world.ecs.runTask(
                Ec2World.run(1)
                    .networkConfiguration(
                        n -> n.awsvpcConfiguration(v -> v.subnets("subnet-0aaaaaaaaaaaaaaaa")))
                    .build())));
    assertEquals(
        "Fargate only supports network mode ‘awsvpc’.",
        refused(() ->
            world.ecs.registerTaskDefinition(r ->
                r.family("f")
                    .requiresCompatibilitiesWithStrings("FARGATE")
                    .networkMode(NetworkMode.BRIDGE)
                    .cpu("256")
                    .memory("512")
                    .containerDefinitions(Ec2World.web(0).build()))));
  }

  @Test
  void aTerminatedInstanceTakesItsTasksWithItAndOnlyServicesReplaceTheirs() {
    List<Instance> both = world.instances("t3.medium", 2);
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    world.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName("web")
            .taskDefinition("web")
            .launchType(LaunchType.EC2)
            .desiredCount(4));
    world.until("steady", () -> world.service().runningCount() == 4);
    assertNull(world.service().networkConfiguration());
    List<Task> manual = world.running(8);
    String lost = both.getFirst().instanceId();
    String arn =
        world.containerInstances().stream()
            .filter(i -> i.ec2InstanceId().equals(lost))
            .findFirst()
            .orElseThrow()
            .containerInstanceArn();
    List<String> there =
        manual.stream()
            .filter(task -> task.containerInstanceArn().equals(arn))
            .map(Task::taskArn)
            .toList();
    assertTrue(!there.isEmpty() && there.size() < 8, there.toString());
    var change =
        world.ec2.terminateInstances(r -> r.instanceIds(lost)).terminatingInstances().getFirst();
    assertEquals(InstanceStateName.RUNNING, change.previousState().name());
    assertEquals(InstanceStateName.SHUTTING_DOWN, change.currentState().name());
    world.until(
        "terminated", () -> world.instance(lost).state().name() == InstanceStateName.TERMINATED);
    assertEquals(
        "Client.UserInitiatedShutdown: User initiated shutdown",
        world.instance(lost).stateReason().message());
    world.until(
        "replaced",
        () ->
            world.service().runningCount() == 4
                && world.tasks(there).stream().allMatch(t -> t.lastStatus().equals("STOPPED")));
    for (Task task : world.tasks(there)) {
      assertEquals("Host EC2 (instance " + lost + ") terminated.", task.stoppedReason());
      assertEquals("TerminationNotice", task.stopCodeAsString());
    }
    assertEquals(1, world.containerInstances().size());
    assertEquals(
        "INACTIVE",
        world
            .ecs
            .describeContainerInstances(r -> r.cluster(CLUSTER).containerInstances(arn))
            .containerInstances()
            .getFirst()
            .status());
    String kept = world.containerInstances().getFirst().containerInstanceArn();
    List<String> left = world.ecs.listTasks(r -> r.cluster(CLUSTER)).taskArns();
    assertEquals(4 + 8 - there.size(), left.size());
    assertTrue(world.tasks(left).stream().allMatch(t -> t.containerInstanceArn().equals(kept)));
    assertEquals(left.size(), world.network.behind().size());
    assertEquals(
        List.of(),
        world
            .ec2
            .describeNetworkInterfaces(r ->
                r.filters(Filter.builder().name("attachment.instance-id").values(lost).build()))
            .networkInterfaces());
  }

  private ContainerInstance only() {
    assertEquals(1, world.containerInstances().size());
    return world.containerInstances().getFirst();
  }

  @Test
  void aStoppedInstanceStaysInItsClusterAndConnectsAgainWhenItIsStarted() {
    String id = world.instances("t3.medium", 1).getFirst().instanceId();
    String arn = only().containerInstanceArn();
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    Task before = world.running(1).getFirst();
    world.ec2.stopInstances(r -> r.instanceIds(id));
    world.until("disconnected", () -> !only().agentConnected());
    world.until("stopped", () -> world.task(before.taskArn()).lastStatus().equals("STOPPED"));
    assertEquals(
        "Host EC2 (instance " + id + ") stopped.", world.task(before.taskArn()).stoppedReason());
    assertEquals("ACTIVE", only().status());
    assertEquals(
        List.of("AGENT"),
        world.ecs.runTask(Ec2World.run(1).build()).failures().stream()
            .map(Failure::reason)
            .toList());
    world.restart();
    assertFalse(only().agentConnected());
    world.ec2.startInstances(r -> r.instanceIds(id));
    world.until("connected", () -> only().agentConnected());
    assertEquals(arn, only().containerInstanceArn());
    assertEquals(arn, world.running(1).getFirst().containerInstanceArn());
  }

  @Test
  void whatIsTerminatedWhileItIsStoppedStaysInItsClusterUntilSomebodyTakesItOut() {
    String id = world.instances("t3.medium", 1).getFirst().instanceId();
    String arn = only().containerInstanceArn();
    world.ec2.stopInstances(r -> r.instanceIds(id));
    world.until("disconnected", () -> !only().agentConnected());
    world.ec2.terminateInstances(r -> r.instanceIds(id));
    world.until(
        "terminated", () -> world.instance(id).state().name() == InstanceStateName.TERMINATED);
    world.restart();
    assertEquals("ACTIVE", only().status());
    world.ecs.deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(arn));
    assertEquals(List.of(), world.containerInstances());
  }

  @Test
  void whatIsTakenOutWhileItIsStoppedRegistersAnew() {
    String id = world.instances("t3.medium", 1).getFirst().instanceId();
    String arn = only().containerInstanceArn();
    world.ec2.stopInstances(r -> r.instanceIds(id));
    world.until("disconnected", () -> !only().agentConnected());
    world.ecs.deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(arn));
    world.restart();
    world.ec2.startInstances(r -> r.instanceIds(id));
    world.until("registered", () -> world.containerInstances().size() == 1);
    assertNotEquals(arn, only().containerInstanceArn());
  }

  @Test
  void anInstanceThatBootsAnewLosesItsTasksAndServicesReplaceTheirs() {
    String id = world.instances("t3.medium", 1).getFirst().instanceId();
    String arn = only().containerInstanceArn();
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    Task manual = world.running(1).getFirst();
    world.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName("web")
            .taskDefinition("web")
            .launchType(LaunchType.EC2)
            .desiredCount(2));
    world.until("steady", () -> world.service().runningCount() == 2);
    List<String> before = world.ecs.listTasks(r -> r.cluster(CLUSTER)).taskArns();
    world.ec2.rebootInstances(r -> r.instanceIds(id));
    world.until(
        "all are stopped",
        () -> world.tasks(before).stream().allMatch(t -> t.lastStatus().equals("STOPPED")));
    assertEquals(
        "Host EC2 (instance " + id + ") rebooted.", world.task(manual.taskArn()).stoppedReason());
    world.until("replaced", () -> world.service().runningCount() == 2);
    assertTrue(only().agentConnected());
    assertEquals(arn, only().containerInstanceArn());
    assertEquals(2, world.network.behind().size());
  }

  @Test
  void anInstanceThatNobodyOfEc2KnowsHasNoNetworkToShare() {
    world.ecs.registerContainerInstance(
        Instances.request("i-0fffffffffffffff1", "us-east-1a", 1, "m5.large")
            .cluster(CLUSTER)
            .build());
    world.define(NetworkMode.BRIDGE, Ec2World.web(0).build());
    String arn = world.ecs.runTask(Ec2World.run(1).build()).tasks().getFirst().taskArn();
    world.until("stopped", () -> world.task(arn).lastStatus().equals("STOPPED"));
    assertTrue(
        world.task(arn).stoppedReason().contains("is no running EC2 instance"),
        world.task(arn).stoppedReason());
  }
}
