package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CLUSTER;
import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.SERVICE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.ecs.state.TaskRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Tag;

/**
 * What ECS tells EventBridge.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html">Amazon
 *     ECS events</a>
 */
@Timeout(300)
class EcsEventsTest {

  private static final String TASK = "ECS Task State Change";
  private static final String INSTANCE = "ECS Container Instance State Change";
  private static final String SERVICE_ACTION = "ECS Service Action";
  private static final String DEPLOYMENT = "ECS Deployment State Change";
  private static final Duration LONG = Duration.ofMinutes(30);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<Integer> SEEDS = Seeds.orElse(10);

  @TempDir Path directory;

  private World world(int seed) throws IOException {
    World world = new World(Files.createTempDirectory(directory, "world"), seed);
    world.listen();
    return world;
  }

  /** The details of the events of a type about something, by their version if they have one. */
  private static List<JsonNode> told(World world, String type, String arn) {
    List<JsonNode> details = new ArrayList<>();
    for (EventOutbox.Event event : world.events()) {
      assertEquals("aws.ecs", event.source());
      if (event.detailType().equals(type) && event.resources().equals(List.of(arn))) {
        details.add(json(event));
      }
    }
    details.sort(Comparator.comparing(detail -> detail.path("version").asLong()));
    return details;
  }

  private static JsonNode json(EventOutbox.Event event) {
    try {
      return JSON.readTree(event.detail());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> texts(List<JsonNode> nodes, String member) {
    return nodes.stream().map(node -> node.path(member).asText()).toList();
  }

  private static List<String> names(World world, String type) {
    return texts(told(world, type, world.service().serviceArn()), "eventName");
  }

  private static JsonNode only(World world, String type, String arn, String name) {
    List<JsonNode> found =
        told(world, type, arn).stream()
            .filter(detail -> detail.path("eventName").asText().equals(name))
            .toList();
    assertEquals(1, found.size(), name);
    return found.getFirst();
  }

  @Test
  void nothingIsWrittenAsLongAsNobodyListens() throws IOException {
    try (World world = new World(Files.createTempDirectory(directory, "world"), 1)) {
      world.lab(1);
      assertEquals(List.of(), world.events());
    }
  }

  @Test
  void aTaskTellsItsLife() throws IOException {
    try (World world = world(1)) {
      world.createCluster();
      world.register(World.container().build());
      String arn =
          world
              .ecs()
              .runTask(
                  world
                      .runTask()
                      .startedBy("me")
                      .tags(Tag.builder().key("k").value("v").build())
                      .build())
              .tasks()
              .getFirst()
              .taskArn();
      world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
      JsonNode running = told(world, TASK, arn).getLast();
      assertEquals("RUNNING", running.path("lastStatus").asText());
      assertEquals("RUNNING", running.path("desiredStatus").asText());
      assertEquals(world.task(arn).version(), running.path("version").asLong());
      assertEquals(world.task(arn).clusterArn(), running.path("clusterArn").asText());
      assertEquals("me", running.path("startedBy").asText());
      assertEquals("FARGATE", running.path("launchType").asText());
      assertEquals("eni", running.path("attachments").path(0).path("type").asText());
      assertEquals("ATTACHED", running.path("attachments").path(0).path("status").asText());
      assertEquals(
          List.of("RUNNING"), texts(List.of(running.path("containers").path(0)), "lastStatus"));
      assertEquals(
          Set.of(
              "attachments",
              "attributes",
              "availabilityZone",
              "clusterArn",
              "connectivity",
              "connectivityAt",
              "containers",
              "cpu",
              "createdAt",
              "desiredStatus",
              "enableExecuteCommand",
              "ephemeralStorage",
              "group",
              "lastStatus",
              "launchType",
              "memory",
              "overrides",
              "platformVersion",
              "pullStartedAt",
              "pullStoppedAt",
              "startedAt",
              "startedBy",
              "taskArn",
              "taskDefinitionArn",
              "updatedAt",
              "version"),
          Set.copyOf(names(running)));
      JsonNode container = running.path("containers").path(0);
      assertEquals(
          Set.of(
              "containerArn",
              "cpu",
              "image",
              "imageDigest",
              "lastStatus",
              "memoryReservation",
              "name",
              "networkInterfaces",
              "runtimeId",
              "taskArn"),
          Set.copyOf(names(container)));
      assertEquals(
          "{\"containerOverrides\":[{\"name\":\"" + container.path("name").asText() + "\"}]}",
          running.path("overrides").toString());
      String iso = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
      for (String time : List.of("createdAt", "pullStartedAt", "startedAt", "updatedAt")) {
        assertTrue(running.path(time).asText().matches(iso), time + " " + running.path(time));
      }
      world.ecs().stopTask(r -> r.cluster(CLUSTER).task(arn).reason("enough"));
      world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
      List<JsonNode> all = told(world, TASK, arn);
      JsonNode stopped = all.getLast();
      assertEquals("STOPPED", stopped.path("lastStatus").asText());
      assertEquals("UserInitiated", stopped.path("stopCode").asText());
      assertEquals("enough", stopped.path("stoppedReason").asText());
      assertEquals(143, stopped.path("containers").path(0).path("exitCode").asInt(-1));
      List<String> once = texts(all, "lastStatus").stream().distinct().toList();
      assertEquals(List.of("PROVISIONING", "PENDING", "ACTIVATING"), once.subList(0, 3));
      assertTrue(
          once.containsAll(List.of("RUNNING", "DEPROVISIONING", "STOPPED")), once.toString());
      assertEquals(all.size(), Set.copyOf(texts(all, "version")).size(), "each version once");
    }
  }

  @Test
  void aServiceTellsItsDeploymentsAndItsSteadyState() throws IOException {
    try (World world = world(1)) {
      world.lab(2);
      String arn = world.service().serviceArn();
      world.until("steady", LONG, () -> names(world, SERVICE_ACTION).size() == 1);
      JsonNode steady = only(world, SERVICE_ACTION, arn, "SERVICE_STEADY_STATE");
      assertEquals("INFO", steady.path("eventType").asText());
      assertEquals(world.service().clusterArn(), steady.path("clusterArn").asText());
      assertEquals(
          Set.of("eventType", "eventName", "clusterArn", "createdAt"), Set.copyOf(names(steady)));
      String first = world.service().deployments().getFirst().id();
      JsonNode begun = only(world, DEPLOYMENT, arn, "SERVICE_DEPLOYMENT_IN_PROGRESS");
      assertEquals(first, begun.path("deploymentId").asText());
      assertEquals("ECS deployment " + first + " in progress.", begun.path("reason").asText());
      assertEquals(
          Set.of("eventType", "eventName", "deploymentId", "updatedAt", "reason"),
          Set.copyOf(names(begun)));
      JsonNode done = only(world, DEPLOYMENT, arn, "SERVICE_DEPLOYMENT_COMPLETED");
      assertEquals("ECS deployment " + first + " completed.", done.path("reason").asText());

      world.deployBroken(true);
      String failing = world.service().deployments().getFirst().id();
      world.until(
          "rolled back",
          LONG,
          () -> names(world, DEPLOYMENT).contains("SERVICE_DEPLOYMENT_FAILED") && world.settled());
      JsonNode failed = only(world, DEPLOYMENT, arn, "SERVICE_DEPLOYMENT_FAILED");
      assertEquals("ERROR", failed.path("eventType").asText());
      assertEquals(failing, failed.path("deploymentId").asText());
      assertEquals(
          "ECS deployment circuit breaker: tasks failed to start.", failed.path("reason").asText());
      assertTrue(
          texts(told(world, DEPLOYMENT, arn), "reason")
              .contains(
                  "ECS deployment circuit breaker: rolling back to deploymentId " + first + "."));
    }
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void tasksThatAServiceStopsAreTold() throws IOException {
    try (World world = world(1)) {
      world.lab(3);
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(1));
      world.until("smaller", LONG, () -> world.stable() && world.settled());
      JsonNode stopped = only(world, SERVICE_ACTION, world.service().serviceArn(), "TASKS_STOPPED");
      Set<String> arns = new HashSet<>();
      stopped.path("taskArns").forEach(arn -> arns.add(arn.asText()));
      assertEquals(2, arns.size());
      arns.forEach(arn -> assertEquals("STOPPED", world.task(arn).desiredStatus()));
    }
  }

  @Test
  void aServiceWhoseTasksNeverStartIsImpaired() throws IOException {
    try (World world = world(1)) {
      world.script.put(CONTAINER, Behaviour.runs().failingToPull("CannotPullContainerError: no"));
      world.createCluster();
      world.register(World.container().build());
      world.createService(1, 100, 200);
      world.until(
          "impaired",
          LONG,
          () -> names(world, SERVICE_ACTION).contains("SERVICE_TASK_START_IMPAIRED"));
    }
  }

  @Test
  void aServiceWithoutRoomSaysWhatIsMissing() throws IOException {
    try (World world = world(1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      String arn = instances.register("i-1", "us-east-1a", 1);
      onInstances(world, 2);
      world.until(
          "no room",
          LONG,
          () -> names(world, SERVICE_ACTION).contains("SERVICE_TASK_PLACEMENT_FAILURE"));
      JsonNode failure =
          only(
              world,
              SERVICE_ACTION,
              world.service().serviceArn(),
              "SERVICE_TASK_PLACEMENT_FAILURE");
      assertEquals("ERROR", failure.path("eventType").asText());
      assertEquals("RESOURCE:CPU", failure.path("reason").asText());
      assertEquals(
          "[\"" + arn + "\"]", failure.path("containerInstanceArns").toString(), "the closest");
      assertEquals(
          Set.of(
              "eventType",
              "eventName",
              "clusterArn",
              "containerInstanceArns",
              "reason",
              "createdAt"),
          Set.copyOf(names(failure)));
    }
  }

  private static void onInstances(World world, int desired) {
    world
        .ecs()
        .createService(r ->
            r.cluster(CLUSTER)
                .serviceName(SERVICE)
                .taskDefinition(World.FAMILY)
                .launchType(LaunchType.EC2)
                .desiredCount(desired)
                .networkConfiguration(Instances.net()));
  }

  @Test
  void aServiceOfCapacityProvidersTellsThemToo() throws IOException {
    try (World world = world(1)) {
      world.createCluster();
      world.register(World.container().build());
      world
          .ecs()
          .putClusterCapacityProviders(r ->
              r.cluster(CLUSTER)
                  .capacityProviders("FARGATE_SPOT")
                  .defaultCapacityProviderStrategy(List.of()));
      world
          .ecs()
          .createService(r ->
              r.cluster(CLUSTER)
                  .serviceName(SERVICE)
                  .taskDefinition(World.FAMILY)
                  .capacityProviderStrategy(
                      CapacityProviderStrategyItem.builder()
                          .capacityProvider("FARGATE_SPOT")
                          .weight(1)
                          .build())
                  .desiredCount(1)
                  .networkConfiguration(World.net()));
      world.until(
          "steady",
          LONG,
          () -> names(world, SERVICE_ACTION).contains("CAPACITY_PROVIDER_STEADY_STATE"));
      assertEquals(
          "[\"arn:aws:ecs:us-east-1:000000000000:capacity-provider/FARGATE_SPOT\"]",
          only(
                  world,
                  SERVICE_ACTION,
                  world.service().serviceArn(),
                  "CAPACITY_PROVIDER_STEADY_STATE")
              .path("capacityProviderArns")
              .toString());
    }
  }

  @Test
  void anInstanceTellsItsStateAndTheRoomThatIsLeft() throws IOException {
    try (World world = world(1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      String arn = instances.register("i-1", "us-east-1a", 2);
      JsonNode registered = told(world, INSTANCE, arn).getLast();
      assertEquals("ACTIVE", registered.path("status").asText());
      assertTrue(registered.path("agentConnected").asBoolean());
      assertEquals(instances.describe(arn).version(), registered.path("version").asLong());
      assertEquals("i-1", registered.path("ec2InstanceId").asText());
      assertTrue(registered.path("clusterArn").asText().endsWith("cluster/" + CLUSTER));
      JsonNode cpu = registered.path("registeredResources").path(0);
      assertEquals(Set.of("name", "type", "integerValue"), Set.copyOf(names(cpu)));
      assertEquals("[]", resource(registered, "PORTS_UDP").path("stringSetValue").toString());

      String task = world.ecs().runTask(Instances.run().build()).tasks().getFirst().taskArn();
      JsonNode booked = told(world, INSTANCE, arn).getLast();
      assertEquals(1024, left(booked, "CPU"));
      assertEquals(instances.describe(arn).version(), booked.path("version").asLong());
      assertTrue(booked.path("version").asLong() > registered.path("version").asLong());
      world.until("running", LONG, () -> world.task(task).lastStatus().equals("RUNNING"));
      world.ecs().stopTask(r -> r.cluster(CLUSTER).task(task));
      world.until("stopped", LONG, () -> world.task(task).lastStatus().equals("STOPPED"));
      assertEquals(2048, left(told(world, INSTANCE, arn).getLast(), "CPU"));

      world
          .ecs()
          .updateContainerInstancesState(r ->
              r.cluster(CLUSTER).containerInstances(arn).status(ContainerInstanceStatus.DRAINING));
      assertEquals("DRAINING", told(world, INSTANCE, arn).getLast().path("status").asText());
      world
          .ecs()
          .deregisterContainerInstance(r -> r.cluster(CLUSTER).containerInstance(arn).force(true));
      List<JsonNode> all = told(world, INSTANCE, arn);
      assertEquals("INACTIVE", all.getLast().path("status").asText());
      assertFalse(all.getLast().path("agentConnected").asBoolean(true));
      assertEquals(all.size(), Set.copyOf(texts(all, "version")).size(), "each version once");
    }
  }

  private static int left(JsonNode instance, String name) {
    return resource(instance, name).path("integerValue").asInt();
  }

  private static JsonNode resource(JsonNode instance, String name) {
    for (JsonNode each : instance.path("remainingResources")) {
      if (each.path("name").asText().equals(name)) {
        return each;
      }
    }
    throw new AssertionError("no " + name);
  }

  @Test
  void aDaemonsCountIsTheSchedulersOwn() throws IOException {
    try (World world = world(1)) {
      Instances instances = new Instances(world);
      world.createCluster();
      world.register(World.container().build());
      instances.register("i-1", "us-east-1a", 2);
      world
          .ecs()
          .createService(r ->
              r.cluster(CLUSTER)
                  .serviceName(SERVICE)
                  .taskDefinition(World.FAMILY)
                  .launchType(LaunchType.EC2)
                  .schedulingStrategy(SchedulingStrategy.DAEMON)
                  .networkConfiguration(Instances.net()));
      world.until(
          "counted",
          LONG,
          () -> names(world, SERVICE_ACTION).contains("SERVICE_DESIRED_COUNT_UPDATED"));
      assertEquals(
          1,
          only(world, SERVICE_ACTION, world.service().serviceArn(), "SERVICE_DESIRED_COUNT_UPDATED")
              .path("desiredCount")
              .asInt());
    }
  }

  @Test
  void aTaskSetTellsItsSteadyStateAndItsShare() throws IOException {
    try (World world = world(1)) {
      world.createCluster();
      String definition = world.register(World.container().build());
      world
          .ecs()
          .createService(r ->
              r.cluster(CLUSTER)
                  .serviceName(SERVICE)
                  .desiredCount(2)
                  .deploymentController(c -> c.type(DeploymentControllerType.EXTERNAL)));
      String set =
          world
              .ecs()
              .createTaskSet(r ->
                  r.cluster(CLUSTER)
                      .service(SERVICE)
                      .taskDefinition(definition)
                      .launchType(LaunchType.FARGATE)
                      .networkConfiguration(World.net())
                      .scale(s -> s.value(50.0).unit("PERCENT")))
              .taskSet()
              .taskSetArn();
      world.until(
          "steady", LONG, () -> names(world, SERVICE_ACTION).contains("TASKSET_STEADY_STATE"));
      String arn = world.service().serviceArn();
      assertEquals(
          "[\"" + set + "\"]",
          only(world, SERVICE_ACTION, arn, "TASKSET_STEADY_STATE").path("taskSetArns").toString());
      world.ecs().updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(4));
      world.until(
          "counted",
          LONG,
          () -> names(world, SERVICE_ACTION).contains("SERVICE_DESIRED_COUNT_UPDATED"));
      JsonNode share = only(world, SERVICE_ACTION, arn, "SERVICE_DESIRED_COUNT_UPDATED");
      assertEquals(2, share.path("desiredCount").asInt());
      assertEquals("[\"" + set + "\"]", share.path("taskSetArns").toString());
    }
  }

  /**
   * An event is put down with what it tells: whenever the server dies, the last one of a task shows
   * the task as it is stored, and no version is told twice.
   */
  @Test
  void whoeverOnlyListensKnowsTheTasksAsTheyAreStored() throws IOException {
    for (int seed : SEEDS) {
      try (World world = world(seed)) {
        Random chaos = new Random(seed);
        world.lab(1 + chaos.nextInt(3));
        for (int i = 0; i < 8; i++) {
          int desired = chaos.nextInt(5);
          world.life().endAfter(1 + chaos.nextInt(300));
          world.persistently(() ->
              world
                  .ecs()
                  .updateService(r ->
                      r.cluster(CLUSTER)
                          .service(SERVICE)
                          .desiredCount(desired)
                          .forceNewDeployment(chaos.nextBoolean())));
          for (int tick = chaos.nextInt(200); tick > 0; tick--) {
            if (world.life().over()) {
              world.restart();
            }
            world.pass(Duration.ofMillis(100));
          }
          compare(world, "seed " + seed);
        }
      }
    }
  }

  private static void compare(World world, String what) {
    Map<String, TreeMap<Long, JsonNode>> told = new HashMap<>();
    for (EventOutbox.Event event : world.events()) {
      if (event.detailType().equals(TASK)) {
        JsonNode detail = json(event);
        JsonNode twice =
            told.computeIfAbsent(event.resources().getFirst(), arn -> new TreeMap<>())
                .put(detail.path("version").asLong(), detail);
        assertEquals(null, twice, what + ": a version told twice");
      }
    }
    world
        .stored()
        .read(tx -> tx.list(TaskRecord.TABLE))
        .forEach(row -> {
          var task = row.value().task();
          JsonNode last = told.get(task.taskArn()).lastEntry().getValue();
          assertEquals(task.lastStatus(), last.path("lastStatus").asText(), what);
          assertEquals(task.desiredStatus(), last.path("desiredStatus").asText(), what);
          assertEquals(task.version(), last.path("version").asLong(), what);
        });
  }
}
