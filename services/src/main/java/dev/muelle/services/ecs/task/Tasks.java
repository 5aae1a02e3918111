package dev.muelle.services.ecs.task;

import dev.muelle.services.ecs.agent.TaskAgent;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.placement.Constraint;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Strategy;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Identifiers;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.DescribeTasksRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTasksResponse;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ListTasksRequest;
import software.amazon.awssdk.services.ecs.model.ListTasksResponse;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.StartTaskRequest;
import software.amazon.awssdk.services.ecs.model.StartTaskResponse;
import software.amazon.awssdk.services.ecs.model.StopTaskRequest;
import software.amazon.awssdk.services.ecs.model.StopTaskResponse;
import software.amazon.awssdk.services.ecs.model.SubmitTaskStateChangeRequest;
import software.amazon.awssdk.services.ecs.model.SubmitTaskStateChangeResponse;
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
public final class Tasks {

  private static final int MAX_COUNT = 10;
  private static final Pattern STARTED_BY = Pattern.compile("[A-Za-z0-9/_-]{0,128}");
  private static final String INTERRUPTION = "SpotInterruption";

  private static final String NO_ROLE =
      "The execute command failed because a valid task role is not being used. Specify a valid task"
          + " role in your task definition or as a task override and try again.";

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
          "enableECSManagedTags",
          "enableExecuteCommand",
          "placementConstraints",
          "placementStrategy");

  private static final Set<String> START_MEMBERS =
      Set.of(
          "cluster",
          "containerInstances",
          "enableECSManagedTags",
          "enableExecuteCommand",
          "group",
          "networkConfiguration",
          "overrides",
          "propagateTags",
          "startedBy",
          "tags",
          "taskDefinition");

  private final Store store;
  private final InstantSource clock;
  private final ClusterNames clusters;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final TaskFactory factory;
  private final InstanceTasks onInstances;
  private final CapacityProviders providers;
  private final TaskOverrides overrides;

  public Tasks(
      Store store,
      InstantSource clock,
      ClusterNames clusters,
      TaskDefinitions definitions,
      Networks networks,
      TaskFactory factory,
      InstanceTasks onInstances,
      CapacityProviders providers,
      TaskOverrides overrides) {
    this.store = store;
    this.clock = clock;
    this.clusters = clusters;
    this.definitions = definitions;
    this.networks = networks;
    this.factory = factory;
    this.onInstances = onInstances;
    this.providers = providers;
    this.overrides = overrides;
  }

  public RunTaskResponse run(RunTaskRequest request) {
    Refuse.unlessEffective("RunTask", request, RUN_MEMBERS);
    int count = request.count() == null ? 1 : request.count();
    if (count < 1 || count > MAX_COUNT) {
      throw Refuse.invalid("count must be between 1 and 10.");
    }
    List<CapacityProviderStrategyItem> strategy =
        providers.effective(
            request.cluster(), request.launchType(), request.capacityProviderStrategy());
    boolean ec2 =
        onInstances(
            request.launchType(),
            strategy,
            request.platformVersion(),
            request.placementConstraints(),
            request.placementStrategy());
    List<Constraint> constraints = PlacementRules.constraints(request.placementConstraints());
    List<Strategy> strategies = PlacementRules.strategies(request.placementStrategy(), false);
    Tags.check(request.tags());
    checkStartedBy(request.startedBy());
    checkPropagation(request.propagateTags());
    ClientTokens.check(request.clientToken(), 64);
    String clusterArn =
        store.read(tx -> {
          String arn = clusters.active(tx, request.cluster()).clusterArn();
          if (ec2 && strategy.isEmpty() && !InstanceTasks.any(tx, arn)) {
            throw Refuse.invalid("No Container Instances were found in your cluster.");
          }
          return arn;
        });
    Asked asked = asked(request, ec2);
    List<String> subnets = asked.network().subnets();
    List<Failure> failures = new ArrayList<>();
    WaitingTasks.Wish wish =
        new WaitingTasks.Wish(request.placementConstraints(), request.placementStrategy());
    List<Task> tasks =
        onInstances.write(
            clusterArn,
            tx -> {
              Cluster cluster = clusters.active(tx, request.cluster());
              Optional<List<Task>> before =
                  ClientTokens.made(tx, cluster.clusterName(), request, clock.instant());
              if (before.isPresent()) {
                return before.get();
              }
              List<TaskRecord> made = new ArrayList<>();
              List<String> taken = new ArrayList<>();
              for (int i = 0; i < count; i++) {
                String subnet = subnets.isEmpty() ? "" : Networks.subnet(subnets, taken);
                taken.add(subnet);
                TaskFactory.Order order = asked.order(cluster, subnet);
                String provider = CapacityStrategy.next(strategy, CapacityStrategy.counts(made));
                if (!ec2) {
                  TaskRecord task = factory.make(order, clock.instant()).by(provider);
                  tx.insert(TaskRecord.TABLE, task.id(), task);
                  made.add(task);
                  continue;
                }
                Request wanted =
                    PlacementRules.request(
                            order.group(),
                            order.definition(),
                            order.overrides(),
                            asked.zones().values(),
                            constraints,
                            strategies)
                        .of(provider);
                switch (onInstances.place(tx, order, wanted, asked.zones(), wish)) {
                  case InstanceTasks.Outcome.Made done -> made.add(done.task());
                  case InstanceTasks.Outcome.Refused refused ->
                      failures.addAll(InstanceTasks.failures(cluster.clusterArn(), refused));
                  case InstanceTasks.Outcome.Crowded crowded ->
                      throw Refuse.client(WaitingTasks.CROWDED);
                }
              }
              ClientTokens.remember(tx, cluster.clusterName(), request, made, clock.instant());
              return made.stream().map(TaskRecord::task).toList();
            });
    return RunTaskResponse.builder().tasks(tasks).failures(failures).build();
  }

  /** Starts one task on each of the instances that the caller chose. */
  public StartTaskResponse start(StartTaskRequest request) {
    Refuse.unlessEffective("StartTask", request, START_MEMBERS);
    if (request.containerInstances().isEmpty() || request.containerInstances().size() > MAX_COUNT) {
      throw Refuse.invalid("Between 1 and 10 container instances must be specified.");
    }
    Tags.check(request.tags());
    checkStartedBy(request.startedBy());
    checkPropagation(request.propagateTags());
    String clusterArn = store.read(tx -> clusters.active(tx, request.cluster())).clusterArn();
    Asked asked = asked(asRun(request), true);
    InstanceTasks.Started started =
        onInstances.write(
            clusterArn,
            tx -> {
              TaskFactory.Order order = asked.order(clusters.active(tx, request.cluster()), "");
              Request wanted =
                  PlacementRules.request(
                      order.group(),
                      order.definition(),
                      order.overrides(),
                      asked.zones().values(),
                      List.of(),
                      List.of());
              return onInstances.start(
                  tx, request.containerInstances(), order, wanted, asked.zones());
            });
    return StartTaskResponse.builder().tasks(started.tasks()).failures(started.failures()).build();
  }

  /** What StartTask says of a task, as RunTask says it. */
  private static RunTaskRequest asRun(StartTaskRequest request) {
    return RunTaskRequest.builder()
        .taskDefinition(request.taskDefinition())
        .overrides(request.overrides())
        .networkConfiguration(request.networkConfiguration())
        .group(request.group())
        .startedBy(request.startedBy())
        .propagateTags(request.propagateTags())
        .tags(request.tags())
        .enableECSManagedTags(request.enableECSManagedTags())
        .enableExecuteCommand(request.enableExecuteCommand())
        .build();
  }

  private Asked asked(RunTaskRequest request, boolean ec2) {
    TaskDefinitions.Registered registered =
        store.read(tx -> definitions.runnable(tx, request.taskDefinition()));
    TaskDefinition definition = registered.definition();
    TaskOverride checked = overrides.check(request.overrides(), definition, ec2);
    if (checked.taskRoleArn() == null) {
      ExecSessions.check(request.enableExecuteCommand(), definition, NO_ROLE);
    }
    AwsVpcConfiguration network = networks.check(definition, request.networkConfiguration());
    checkPlace(ec2, definition, network);
    return new Asked(request, registered, checked, network, networks.zones(network.subnets()));
  }

  /**
   * What a request wants of each task, checked.
   *
   * @param zones of the network's subnets
   */
  private record Asked(
      RunTaskRequest request,
      TaskDefinitions.Registered definition,
      TaskOverride overrides,
      AwsVpcConfiguration network,
      Map<String, String> zones) {

    TaskFactory.Order order(Cluster cluster, String subnet) {
      return new TaskFactory.Order(
          cluster.clusterName(),
          cluster.clusterArn(),
          definition.definition(),
          overrides,
          network,
          subnet,
          zones.getOrDefault(subnet, ""),
          Tasks.group(request.group(), definition.definition()),
          request.startedBy(),
          null,
          List.of(),
          Tasks.tags(
              request.propagateTags(),
              request.tags(),
              request.enableECSManagedTags(),
              cluster.clusterName(),
              definition.tags()),
          Boolean.TRUE.equals(request.enableExecuteCommand()));
    }
  }

  private static String group(@Nullable String given, TaskDefinition definition) {
    return given == null ? "family:" + definition.family() : given;
  }

  private static void checkStartedBy(@Nullable String startedBy) {
    if (startedBy != null && !STARTED_BY.matcher(startedBy).matches()) {
      throw Refuse.invalid(
          "startedBy can have up to 128 letters (uppercase and lowercase), numbers, hyphens (-),"
              + " forward slash (/), and underscores (_).");
    }
  }

  private static void checkPropagation(@Nullable PropagateTags propagate) {
    if (propagate == PropagateTags.SERVICE) {
      throw Refuse.invalid("Tags can be propagated from a service to the tasks of a service only.");
    }
  }

  private static List<Tag> tags(
      @Nullable PropagateTags propagate,
      List<Tag> own,
      @Nullable Boolean managed,
      String cluster,
      List<Tag> definitionTags) {
    Map<String, Tag> tags = new HashMap<>();
    if (propagate == PropagateTags.TASK_DEFINITION) {
      definitionTags.forEach(tag -> tags.put(tag.key(), tag));
    }
    own.forEach(tag -> tags.put(tag.key(), tag));
    if (Boolean.TRUE.equals(managed)) {
      tags.put(
          "aws:ecs:clusterName", Tag.builder().key("aws:ecs:clusterName").value(cluster).build());
    }
    return List.copyOf(tags.values());
  }

  /**
   * Checks where tasks are to run, and gives whether that is on container instances, as it is if
   * nothing is said.
   */
  public static boolean onInstances(
      @Nullable LaunchType launchType,
      List<CapacityProviderStrategyItem> strategy,
      @Nullable String platformVersion,
      List<PlacementConstraint> constraints,
      List<PlacementStrategy> strategies) {
    if (launchType != null && !strategy.isEmpty()) {
      throw Refuse.invalid(
          "Specifying both a launch type and capacity provider strategy is not supported. Remove"
              + " one and try again.");
    }
    CapacityStrategy.check(strategy);
    boolean ofGroups = CapacityStrategy.ofGroups(strategy);
    if (launchType == LaunchType.FARGATE || (!strategy.isEmpty() && !ofGroups)) {
      if (!constraints.isEmpty()) {
        throw Refuse.invalid("Placement constraints are not supported with FARGATE launch type.");
      }
      if (!strategies.isEmpty()) {
        throw Refuse.invalid("Placement strategies are not supported with FARGATE launch type.");
      }
      checkPlatform(platformVersion);
      return false;
    }
    if (launchType != null && launchType != LaunchType.EC2) {
      throw Refuse.invalid("Launch type " + launchType + " is not supported by this region yet.");
    }
    if (platformVersion != null) {
      throw Refuse.invalid("The platform version must be null when specifying an EC2 launch type.");
    }
    return true;
  }

  /** Refuses a definition that is not made for where its tasks are to run. */
  public static void checkPlace(
      boolean ec2, TaskDefinition definition, AwsVpcConfiguration network) {
    if (ec2) {
      InstanceTasks.check(definition, network);
    } else {
      checkFargate(definition);
    }
  }

  static void checkFargate(TaskDefinition definition) {
    if (!definition.compatibilitiesAsStrings().contains("FARGATE")) {
      throw Refuse.invalid("Task definition does not support launch_type FARGATE.");
    }
  }

  static void checkPlatform(@Nullable String version) {
    if (version != null && !version.equals("LATEST") && !version.equals("1.4.0")) {
      throw Refuse.invalid("The specified platform does not exist.");
    }
  }

  public StopTaskResponse stop(StopTaskRequest request) {
    if (request.reason() != null && request.reason().length() > 1024) {
      throw Refuse.invalid("reason must be at most 1024 characters long.");
    }
    Task stopped =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          TaskRecord task =
              TaskRecord.find(tx, cluster, request.task())
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

  /**
   * What the platform's agents report of tasks. The one report that an operator may make in their
   * place: that a task of Fargate Spot is interrupted, with the status STOPPED and the reason
   * SpotInterruption. It gets SIGTERM at once and has as long as its stopTimeout, two minutes at
   * most; a service replaces it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html#fargate-capacity-providers-termination">Fargate
   *     Spot termination notices</a>
   */
  public SubmitTaskStateChangeResponse submit(SubmitTaskStateChangeRequest request) {
    Refuse.unlessEffective(
        "SubmitTaskStateChange", request, Set.of("cluster", "task", "status", "reason"));
    if (!"STOPPED".equals(request.status()) || !INTERRUPTION.equals(request.reason())) {
      throw Refuse.invalid(
          "SubmitTaskStateChange is supported by this region only with the status STOPPED and the"
              + " reason "
              + INTERRUPTION
              + ", for a task of the capacity provider FARGATE_SPOT.");
    }
    store.write(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      TaskRecord task =
          TaskRecord.find(tx, cluster, request.task())
              .orElseThrow(() -> Refuse.invalid("The referenced task was not found."));
      if (!CapacityProviders.SPOT.equals(task.task().capacityProviderName())) {
        throw Refuse.invalid("Only a task of FARGATE_SPOT can be interrupted: " + request.task());
      }
      return task.wanted()
          ? tx.put(
              TaskRecord.TABLE,
              task.id(),
              stopping(task, TaskStopCode.SPOT_INTERRUPTION, "Your Spot Task was interrupted."))
          : task;
    });
    return SubmitTaskStateChangeResponse.builder().acknowledgment(INTERRUPTION).build();
  }

  /** The task, asked to stop, and why. */
  public TaskRecord stopping(TaskRecord task, TaskStopCode code, String reason) {
    return task.with(builder ->
        builder
            .desiredStatus(TaskStatus.STOPPED.name())
            .stopCode(code)
            .stoppedReason(reason)
            .stoppingAt(clock.instant())
            .version(task.task().version() + 1));
  }

  public DescribeTasksResponse describe(DescribeTasksRequest request) {
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
        Optional<TaskRecord> task = TaskRecord.find(tx, cluster, reference);
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

  public ListTasksResponse list(ListTasksRequest request) {
    String desired =
        request.desiredStatus() == null
            ? DesiredStatus.RUNNING.toString()
            : request.desiredStatusAsString();
    List<String> arns =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          String service =
              request.serviceName() == null ? null : service(tx, cluster, request.serviceName());
          String instance =
              request.containerInstance() == null
                  ? null
                  : InstanceRecord.find(tx, cluster, request.containerInstance())
                      .orElseThrow(
                          () -> Refuse.invalid("The referenced container instance was not found."))
                      .instance()
                      .containerInstanceArn();
          boolean ended = desired.equals(DesiredStatus.STOPPED.toString());
          List<Row<TaskRecord>> candidates =
              service == null || ended
                  ? tx.find(TaskRecord.TABLE, "cluster", cluster.clusterArn())
                  : tx.find(TaskRecord.TABLE, "service", service);
          return candidates.stream()
              .map(Row::value)
              .map(TaskRecord::task)
              .filter(task -> task.desiredStatus().equals(desired))
              .filter(task -> instance == null || instance.equals(task.containerInstanceArn()))
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

  /** The key of a service that is or was there. */
  private static String service(Tx tx, Cluster cluster, String reference) {
    String key =
        ServiceRecord.key(
            cluster.clusterName(), Identifiers.of(cluster.clusterArn(), "service", reference));
    if (tx.get(ServiceRecord.TABLE, key).isEmpty()) {
      throw ServiceNotFoundException.builder().message("Service not found.").build();
    }
    return key;
  }
}
