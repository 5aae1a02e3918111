package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionsResponse;
import software.amazon.awssdk.services.ecs.model.ListTasksResponse;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.SortOrder;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.Task;

/** What requests mean: pages, names and ARNs, values that nobody knows, tokens. */
@Timeout(60)
class RequestsTest {

  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
    world.register(World.container().build());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static void refused(String message, Executable call) {
    EcsException e = assertThrows(InvalidParameterException.class, call);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private ListTaskDefinitionsResponse page(@Nullable String token, SortOrder sort) {
    return world.ecs().listTaskDefinitions(r -> r.maxResults(3).nextToken(token).sort(sort));
  }

  @Test
  void whoDeregistersWhatAPageShowsMissesNothing() {
    for (int i = 0; i < 11; i++) {
      world.register(World.container().build());
    }
    List<String> seen = new ArrayList<>();
    String token = null;
    do {
      ListTaskDefinitionsResponse page = page(token, SortOrder.DESC);
      page.taskDefinitionArns()
          .forEach(arn -> {
            seen.add(arn);
            world.ecs().deregisterTaskDefinition(r -> r.taskDefinition(arn));
          });
      token = page.nextToken();
    } while (token != null);
    assertEquals(12, seen.size());
    assertTrue(seen.getFirst().endsWith(":12") && seen.getLast().endsWith(":1"), seen.toString());
    assertEquals(List.of(), page(null, SortOrder.ASC).taskDefinitionArns());
  }

  @Test
  void whoStopsWhatAPageShowsMissesNothing() {
    world.ecs().runTask(world.runTask().count(7).build());
    int stopped = 0;
    String token = null;
    do {
      String from = token;
      ListTasksResponse page =
          world.ecs().listTasks(r -> r.cluster(World.CLUSTER).maxResults(2).nextToken(from));
      page.taskArns().forEach(arn -> world.ecs().stopTask(r -> r.cluster(World.CLUSTER).task(arn)));
      stopped += page.taskArns().size();
      token = page.nextToken();
    } while (token != null);
    assertEquals(7, stopped);
  }

  @Test
  void anArnOfElsewhereMeansNothingHere() {
    world.ecs().createCluster(r -> r.clusterName("other"));
    world.createService(1, 100, 200);
    String service = world.service().serviceArn();
    String task = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    for (String arn : List.of(service, task, world.service().clusterArn())) {
      String region = arn.replace("us-east-1", "eu-west-1");
      String account = arn.replace("000000000000", "999999999999");
      Tag tag = Tag.builder().key("a").value("b").build();
      refused(
          "Invalid Region in ARN",
          () -> world.ecs().tagResource(r -> r.resourceArn(region).tags(tag)));
      refused(
          "Identifier is for 999999999999. Your accountId is 000000000000",
          () -> world.ecs().tagResource(r -> r.resourceArn(account).tags(tag)));
      assertEquals(List.of(), world.ecs().listTagsForResource(r -> r.resourceArn(service)).tags());
    }
    String elsewhere =
        "Invalid identifier: Identifier is for cluster other. Your cluster is " + World.CLUSTER;
    String otherService = service.replace(World.CLUSTER, "other");
    String otherTask = task.replace(World.CLUSTER, "other");
    refused(
        elsewhere,
        () -> world.ecs().describeServices(r -> r.cluster(World.CLUSTER).services(otherService)));
    refused(
        elsewhere,
        () ->
            world
                .ecs()
                .deleteService(r -> r.cluster(World.CLUSTER).service(otherService).force(true)));
    refused(
        elsewhere,
        () -> world.ecs().listTasks(r -> r.cluster(World.CLUSTER).serviceName(otherService)));
    refused(elsewhere, () -> world.ecs().stopTask(r -> r.cluster(World.CLUSTER).task(otherTask)));
    refused(
        elsewhere, () -> world.ecs().describeTasks(r -> r.cluster(World.CLUSTER).tasks(otherTask)));
    refused(
        "Unsupported resource type: service",
        () -> world.ecs().describeTasks(r -> r.cluster(World.CLUSTER).tasks(service)));
    refused(
        "Unexpected number of separators",
        () -> world.ecs().describeTasks(r -> r.cluster(World.CLUSTER).tasks("a/b")));
    refused(
        "Invalid Region in ARN",
        () ->
            world
                .ecs()
                .describeTasks(
                    r -> r.cluster("arn:aws:ecs:eu-west-1:000000000000:cluster/x").tasks("t")));
    assertEquals("RUNNING", world.task(task).desiredStatus());
    assertEquals("ACTIVE", world.service().status());
  }

  @Test
  void tasksAreListedByTheServiceTheyAreOfNotByTheGroupTheySay() {
    world.createService(0, 100, 200);
    world.ecs().runTask(world.runTask().group("service:" + World.SERVICE).build());
    assertEquals(
        List.of(),
        world.ecs().listTasks(r -> r.cluster(World.CLUSTER).serviceName(World.SERVICE)).taskArns());
    assertThrows(
        ServiceNotFoundException.class,
        () -> world.ecs().listTasks(r -> r.cluster(World.CLUSTER).serviceName("never")));
  }

  @Test
  void whatIsMissingIsSaid() {
    refused("Resource ARN can not be blank.", () -> world.ecs().listTagsForResource(r -> {}));
    refused("Resource ARN can not be blank.", () -> world.ecs().untagResource(r -> {}));
    refused("Task can not be blank.", () -> world.ecs().stopTask(r -> r.cluster(World.CLUSTER)));
    for (Executable call :
        List.<Executable>of(
            () -> world.ecs().describeTaskDefinition(r -> {}),
            () -> world.ecs().deregisterTaskDefinition(r -> {}))) {
      assertEquals("TaskDefinition can not be blank.", said(call));
    }
  }

  private static String said(Executable call) {
    return String.valueOf(assertThrows(EcsException.class, call).getMessage()).split(" \\(")[0];
  }

  @Test
  void valuesThatNobodyKnowsAreRefusedWithThoseThatThereAre() {
    refused(
        "launch type should be one of [EC2,FARGATE,EXTERNAL",
        () -> world.ecs().runTask(world.runTask().launchType("MOON").build()));
    refused(
        "propagate tags should be one of [TASK_DEFINITION,SERVICE,NONE]",
        () -> world.ecs().runTask(world.runTask().propagateTags("ALL").build()));
    refused(
        "assign public ip should be one of [ENABLED,DISABLED]",
        () ->
            world
                .ecs()
                .runTask(
                    world
                        .runTask()
                        .networkConfiguration(
                            n -> n.awsvpcConfiguration(v -> v.subnets("s").assignPublicIp("YES")))
                        .build()));
    refused(
        "scheduling strategy should be one of [REPLICA,DAEMON]",
        () -> world.ecs().listServices(r -> r.cluster(World.CLUSTER).schedulingStrategy("ALL")));
    refused(
        "desired status should be one of [RUNNING,PENDING,STOPPED]",
        () -> world.ecs().listTasks(r -> r.cluster(World.CLUSTER).desiredStatus("GONE")));
    refused(
        "include should be one of [TAGS]",
        () ->
            world
                .ecs()
                .describeTasks(r -> r.cluster(World.CLUSTER).tasks("x").includeWithStrings("ALL")));
    refused(
        "sort should be one of [ASC,DESC]",
        () -> world.ecs().listTaskDefinitions(r -> r.sort("UP")));
    assertEquals(List.of(), world.ecs().listTasks(r -> r.cluster(World.CLUSTER)).taskArns());
  }

  private RunTaskResponse run(RunTaskRequest.Builder request) {
    return world.ecs().runTask(request.clientToken("once").build());
  }

  @Test
  void aTokenMakesItsTasksOnceAndNothingElse() {
    List<Task> made = run(world.runTask().count(2)).tasks();
    assertEquals(arns(made), arns(run(world.runTask().count(2)).tasks()));
    world.restart();
    assertEquals(arns(made), arns(run(world.runTask().count(2)).tasks()));
    ConflictException e =
        assertThrows(ConflictException.class, () -> run(world.runTask().count(3)));
    assertEquals(arns(made), e.resourceIds());
    assertThrows(ConflictException.class, () -> run(world.runTask().count(2).startedBy("me")));
    assertEquals(2, world.ecs().listTasks(r -> r.cluster(World.CLUSTER)).taskArns().size());
    refused(
        "idempotency token longer than 64.",
        () -> world.ecs().runTask(world.runTask().clientToken("x".repeat(65)).build()));
  }

  @Test
  void aTokenIsForgottenWithItsTasks() {
    String first = run(world.runTask()).tasks().getFirst().taskArn();
    world.ecs().stopTask(r -> r.cluster(World.CLUSTER).task(first));
    world.until("stopped", LONG, () -> world.task(first).lastStatus().equals("STOPPED"));
    world.pass(Duration.ofMinutes(59));
    assertEquals(first, run(world.runTask()).tasks().getFirst().taskArn());
    world.pass(Duration.ofMinutes(2)); // an hour after the task has stopped
    assertNotEquals(first, run(world.runTask()).tasks().getFirst().taskArn());
  }

  private static List<String> arns(List<Task> tasks) {
    return tasks.stream().map(Task::taskArn).toList();
  }

  private CreateServiceRequest.Builder service() {
    return CreateServiceRequest.builder()
        .cluster(World.CLUSTER)
        .serviceName("s")
        .taskDefinition(World.FAMILY)
        .launchType("FARGATE")
        .desiredCount(1)
        .networkConfiguration(World.net())
        .clientToken("once");
  }

  @Test
  void aServiceIsMadeOnceAndOnlyByTheVerySameCall() {
    Service made = world.ecs().createService(service().build()).service();
    Service again =
        world
            .ecs()
            .createService(service().tags(Tag.builder().key("a").value("b").build()).build())
            .service();
    assertEquals(made.serviceArn(), again.serviceArn());
    refused(
        "Creation of service was not idempotent.",
        () -> world.ecs().createService(service().desiredCount(2).build()));
    refused(
        "idempotency token longer than 36.",
        () -> world.ecs().createService(service().clientToken("x".repeat(37)).build()));
    refused(
        "Health check grace period can not be negative",
        () ->
            world
                .ecs()
                .createService(
                    service()
                        .serviceName("t")
                        .loadBalancers(World.loadBalancer())
                        .healthCheckGracePeriodSeconds(-1)
                        .build()));
  }

  @Test
  void anotherPlatformVersionIsAnotherDeployment() {
    world.createService(1, 100, 200);
    world.until("stable", LONG, world::stable);
    String before = world.service().deployments().getFirst().id();
    world
        .ecs()
        .updateService(
            r -> r.cluster(World.CLUSTER).service(World.SERVICE).enableECSManagedTags(true));
    assertEquals(before, world.service().deployments().getFirst().id());
    world
        .ecs()
        .updateService(
            r -> r.cluster(World.CLUSTER).service(World.SERVICE).platformVersion("1.4.0"));
    assertEquals(2, world.service().deployments().size());
    assertNotEquals(before, world.service().deployments().getFirst().id());
  }

  @Test
  void providersAreDescribedTenAPage() {
    refused(
        "maxResults must be between 1 and 10.",
        () -> world.ecs().describeCapacityProviders(r -> r.maxResults(11)));
    var first = world.ecs().describeCapacityProviders(r -> r.maxResults(1));
    assertEquals("FARGATE", first.capacityProviders().getFirst().name());
    var second =
        world.ecs().describeCapacityProviders(r -> r.maxResults(1).nextToken(first.nextToken()));
    assertEquals("FARGATE_SPOT", second.capacityProviders().getFirst().name());
    assertNull(second.nextToken());
  }
}
