package dev.muelle.services.ecs;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.DescribeTasksRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTasksResponse;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ListTasksRequest;
import software.amazon.awssdk.services.ecs.model.ListTasksResponse;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.StopTaskRequest;
import software.amazon.awssdk.services.ecs.model.StopTaskResponse;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskField;
import software.amazon.awssdk.services.ecs.model.TaskOverride;
import software.amazon.awssdk.services.ecs.model.TaskStopCode;

/**
 * Tasks as callers see them; {@link TaskAgent} makes them happen.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html">RunTask</a>
 */
final class Tasks {

  private static final int MAX_COUNT = 10;

  private static final Set<String> RUN_MEMBERS =
      Set.of(
          "cluster",
          "count",
          "launchType",
          "capacityProviderStrategy",
          "networkConfiguration",
          "overrides",
          "platformVersion",
          "propagateTags",
          "startedBy",
          "tags",
          "taskDefinition",
          "group",
          "clientToken",
          "enableECSManagedTags");

  /** What a client token has already made, so that a repeated request makes nothing more. */
  record Token(List<String> taskIds) {}

  private static final Table<Token> TOKENS =
      Table.of("ecs.run_tokens", StoredJson.codec(Token.class));

  private final Store store;
  private final InstantSource clock;
  private final Clusters clusters;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final TaskFactory factory;

  Tasks(
      Store store,
      InstantSource clock,
      Clusters clusters,
      TaskDefinitions definitions,
      Networks networks,
      TaskFactory factory) {
    this.store = store;
    this.clock = clock;
    this.clusters = clusters;
    this.definitions = definitions;
    this.networks = networks;
    this.factory = factory;
  }

  RunTaskResponse run(RunTaskRequest request) {
    Refuse.unlessEffective("RunTask", request, RUN_MEMBERS);
    int count = request.count() == null ? 1 : request.count();
    if (count < 1 || count > MAX_COUNT) {
      throw Refuse.invalid("count must be between 1 and 10.");
    }
    checkCapacity(request.launchType(), request.capacityProviderStrategy());
    checkPlatform(request.platformVersion());
    Tags.check(request.tags());
    if (request.startedBy() != null && request.startedBy().length() > 128) {
      throw Refuse.invalid("startedBy must be at most 128 characters long.");
    }
    store.read(tx -> clusters.active(tx, request.cluster()));
    TaskDefinitions.Registered definition =
        store.read(tx -> definitions.runnable(tx, request.taskDefinition()));
    TaskOverride overrides =
        request.overrides() == null ? TaskOverride.builder().build() : request.overrides();
    checkOverrides(overrides, definition.definition());
    AwsVpcConfiguration network = networks.check(request.networkConfiguration());
    Map<String, String> zones = networks.zones(network.subnets());
    List<Task> tasks =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          Optional<Token> token =
              Optional.ofNullable(request.clientToken())
                  .flatMap(
                      given -> tx.get(TOKENS, cluster.clusterName() + "/" + given).map(Row::value));
          if (token.isPresent()) {
            return token.get().taskIds().stream()
                .flatMap(id -> tx.get(TaskRecord.TABLE, id).stream())
                .map(row -> row.value().task())
                .toList();
          }
          List<TaskRecord> made = new ArrayList<>();
          List<String> taken = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            String subnet = Rollout.subnet(network.subnets(), taken);
            taken.add(subnet);
            TaskRecord task =
                factory.make(
                    new TaskFactory.Order(
                        cluster.clusterName(),
                        cluster.clusterArn(),
                        definition.definition(),
                        overrides,
                        network,
                        subnet,
                        zones.getOrDefault(subnet, ""),
                        request.group() == null
                            ? "family:" + definition.definition().family()
                            : request.group(),
                        request.startedBy(),
                        null,
                        List.of(),
                        tags(request, cluster.clusterName(), definition.tags()),
                        false),
                    clock.instant());
            tx.insert(TaskRecord.TABLE, task.id(), task);
            made.add(task);
          }
          if (request.clientToken() != null) {
            tx.put(
                TOKENS,
                cluster.clusterName() + "/" + request.clientToken(),
                new Token(made.stream().map(TaskRecord::id).toList()));
          }
          return made.stream().map(TaskRecord::task).toList();
        });
    return RunTaskResponse.builder().tasks(tasks).failures(List.of()).build();
  }

  private static List<Tag> tags(RunTaskRequest request, String cluster, List<Tag> definitionTags) {
    Map<String, Tag> tags = new HashMap<>();
    if (request.propagateTags() == PropagateTags.TASK_DEFINITION) {
      definitionTags.forEach(tag -> tags.put(tag.key(), tag));
    }
    request.tags().forEach(tag -> tags.put(tag.key(), tag));
    if (Boolean.TRUE.equals(request.enableECSManagedTags())) {
      tags.put(
          "aws:ecs:clusterName", Tag.builder().key("aws:ecs:clusterName").value(cluster).build());
    }
    return List.copyOf(tags.values());
  }

  /** Fargate is what there is. */
  static void checkCapacity(
      @Nullable LaunchType launchType, List<CapacityProviderStrategyItem> strategy) {
    if (launchType != null && !strategy.isEmpty()) {
      throw Refuse.invalid(
          "Specifying both a launch type and capacity provider strategy is not supported. Remove"
              + " one and try again.");
    }
    for (CapacityProviderStrategyItem item : strategy) {
      if (!"FARGATE".equals(item.capacityProvider())) {
        throw Refuse.invalid(
            "The specified capacity provider "
                + item.capacityProvider()
                + " was not found. Specify a valid name or ARN and try again.");
      }
    }
    if (launchType != LaunchType.FARGATE && strategy.isEmpty()) {
      throw Refuse.invalid("No Container Instances were found in your cluster.");
    }
  }

  static void checkPlatform(@Nullable String version) {
    if (version != null && !version.equals("LATEST") && !version.equals("1.4.0")) {
      throw Refuse.invalid("The specified platform does not exist.");
    }
  }

  private static void checkOverrides(TaskOverride overrides, TaskDefinition definition) {
    Refuse.unlessEffective(
        "TaskOverride", overrides, Set.of("containerOverrides", "cpu", "memory"));
    if (overrides.cpu() != null || overrides.memory() != null) {
      TaskDefinitionRules.checkSize(
          TaskDefinitionRules.cpu(overrides.cpu() == null ? definition.cpu() : overrides.cpu()),
          TaskDefinitionRules.memory(
              overrides.memory() == null ? definition.memory() : overrides.memory()));
    }
    for (ContainerOverride override : overrides.containerOverrides()) {
      Refuse.unlessEffective(
          "ContainerOverride",
          override,
          Set.of("name", "command", "environment", "cpu", "memory", "memoryReservation"));
      boolean known =
          definition.containerDefinitions().stream()
              .anyMatch(container -> container.name().equals(override.name()));
      if (!known) {
        throw Refuse.invalid(
            "Override for container named "
                + override.name()
                + " is not a container in the TaskDefinition.");
      }
    }
  }

  StopTaskResponse stop(StopTaskRequest request) {
    if (request.reason() != null && request.reason().length() > 1024) {
      throw Refuse.invalid("reason must be at most 1024 characters long.");
    }
    Task stopped =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          TaskRecord task =
              tx.get(TaskRecord.TABLE, TaskRecord.idOf(request.task()))
                  .map(Row::value)
                  .filter(t -> t.task().clusterArn().equals(cluster.clusterArn()))
                  .orElseThrow(() -> Refuse.invalid("The referenced task was not found."));
          if (!task.wanted()) {
            return task.task();
          }
          TaskRecord stopping =
              stopping(
                  task,
                  TaskStopCode.USER_INITIATED,
                  request.reason() == null ? "Task stopped by user" : request.reason());
          return tx.put(TaskRecord.TABLE, task.id(), stopping).value().task();
        });
    return StopTaskResponse.builder().task(stopped).build();
  }

  /** The task, asked to stop, and why. */
  TaskRecord stopping(TaskRecord task, TaskStopCode code, String reason) {
    return task.with(builder ->
        builder
            .desiredStatus(TaskStatus.STOPPED.name())
            .stopCode(code)
            .stoppedReason(reason)
            .stoppingAt(clock.instant())
            .version(task.task().version() + 1));
  }

  DescribeTasksResponse describe(DescribeTasksRequest request) {
    if (request.tasks().isEmpty() || request.tasks().size() > 100) {
      throw Refuse.invalid(
          request.tasks().isEmpty()
              ? "Tasks cannot be empty."
              : "Tasks cannot have more than 100 elements.");
    }
    boolean tags = request.include().contains(TaskField.TAGS);
    return store.read(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      List<Task> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String reference : request.tasks()) {
        Optional<TaskRecord> task =
            tx.get(TaskRecord.TABLE, TaskRecord.idOf(reference))
                .map(Row::value)
                .filter(t -> t.task().clusterArn().equals(cluster.clusterArn()));
        if (task.isPresent()) {
          Task shown = task.get().task();
          found.add(tags ? shown : shown.toBuilder().tags(List.of()).build());
        } else {
          String arn =
              reference.startsWith("arn:")
                  ? reference
                  : cluster.clusterArn().replace(":cluster/", ":task/") + "/" + reference;
          failures.add(Failure.builder().arn(arn).reason("MISSING").build());
        }
      }
      return DescribeTasksResponse.builder().tasks(found).failures(failures).build();
    });
  }

  ListTasksResponse list(ListTasksRequest request) {
    if (request.containerInstance() != null) {
      throw Refuse.invalid("The referenced container instance was not found.");
    }
    String desired =
        request.desiredStatus() == null
            ? DesiredStatus.RUNNING.toString()
            : request.desiredStatusAsString();
    List<String> arns =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          return tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(row -> row.value().task())
              .filter(task -> task.desiredStatus().equals(desired))
              .filter(task ->
                  request.serviceName() == null
                      || task.group().equals("service:" + TaskRecord.idOf(request.serviceName())))
              .filter(task ->
                  request.family() == null
                      || task.taskDefinitionArn()
                          .contains(":task-definition/" + request.family() + ":"))
              .filter(task ->
                  request.startedBy() == null || request.startedBy().equals(task.startedBy()))
              .filter(
                  task -> request.launchType() == null || request.launchType() == task.launchType())
              .map(Task::taskArn)
              .toList();
        });
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), request.maxResults());
    return ListTasksResponse.builder().taskArns(page.items()).nextToken(page.nextToken()).build();
  }
}
