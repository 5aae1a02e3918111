package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.ClientTokens;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CreateTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.CreateTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.DeleteTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.DeleteTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.DescribeTaskSetsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTaskSetsResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.Scale;
import software.amazon.awssdk.services.ecs.model.ScaleUnit;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.StabilityStatus;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskSet;
import software.amazon.awssdk.services.ecs.model.TaskSetField;
import software.amazon.awssdk.services.ecs.model.TaskSetNotFoundException;
import software.amazon.awssdk.services.ecs.model.UpdateServicePrimaryTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServicePrimaryTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.UpdateTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.UpdateTaskSetResponse;

/**
 * Task sets: the tasks of a service whose deployments somebody else controls. Each has its own task
 * definition, network, target groups, and share of the service's desired count; ECS keeps that many
 * tasks and leaves the rest to the caller.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-external.html">External
 *     deployment</a>
 */
public final class TaskSets {

  static final String PRIMARY = "PRIMARY";
  static final String ACTIVE = "ACTIVE";
  static final String DRAINING = "DRAINING";

  /** Keyed {@code cluster/service/ecs-svc/number}, as their ARNs end. */
  public static final Table<TaskSet> TABLE =
      Table.of("ecs.task_sets", StoredJson.codec(TaskSet.class)).remember();

  /** Keyed {@code cluster/service/client token}. */
  private static final Table<Token> TOKENS =
      Table.of("ecs.task_set_tokens", StoredJson.codec(Token.class));

  /** The task set that was made for a client token. */
  private record Token(String taskSetArn, @Nullable String request) {}

  private static final int MOST = 5;
  private static final Set<String> CREATE_MEMBERS =
      Set.of(
          "service",
          "cluster",
          "externalId",
          "taskDefinition",
          "networkConfiguration",
          "loadBalancers",
          "launchType",
          "capacityProviderStrategy",
          "platformVersion",
          "scale",
          "clientToken",
          "tags");

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Services services;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final CapacityProviders providers;
  private final BalancerRules balancers;

  public TaskSets(
      Store store,
      InstantSource clock,
      Ids ids,
      Services services,
      TaskDefinitions definitions,
      Networks networks,
      CapacityProviders providers,
      BalancerRules balancers) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.services = services;
    this.definitions = definitions;
    this.networks = networks;
    this.providers = providers;
    this.balancers = balancers;
  }

  /** How many tasks a share of a service is: rounded up, as documented. */
  public static int computed(int desired, Scale scale) {
    return BigDecimal.valueOf(scale.value())
        .multiply(BigDecimal.valueOf(desired))
        .divide(BigDecimal.valueOf(100), 0, RoundingMode.CEILING)
        .intValueExact();
  }

  public CreateTaskSetResponse create(CreateTaskSetRequest request) {
    Refuse.unlessEffective("CreateTaskSet", request, CREATE_MEMBERS);
    Scale scale = scale(request.scale());
    Tags.check(request.tags());
    ClientTokens.check(request.clientToken(), 36);
    Service before = store.read(tx -> external(tx, request.cluster(), request.service())).service();
    LaunchType launchType =
        request.launchType() != null || !request.capacityProviderStrategy().isEmpty()
            ? request.launchType()
            : Objects.requireNonNullElse(before.launchType(), LaunchType.EC2);
    providers.effective(request.cluster(), launchType, request.capacityProviderStrategy());
    boolean ec2 =
        Tasks.onInstances(
            launchType,
            request.capacityProviderStrategy(),
            request.platformVersion(),
            before.placementConstraints(),
            before.placementStrategy());
    TaskDefinition definition =
        store.read(tx -> definitions.runnable(tx, request.taskDefinition())).definition();
    balancers.ofTaskSet(request.loadBalancers(), definition);
    AwsVpcConfiguration vpc = networks.check(definition, request.networkConfiguration());
    Tasks.checkPlace(ec2, definition, vpc);
    TaskSet made =
        store.write(tx -> {
          ServiceRecord record = external(tx, request.cluster(), request.service());
          Optional<TaskSet> same = sameCall(tx, record, request);
          if (same.isPresent()) {
            return same.get();
          }
          if (all(tx, record.key()).size() >= MOST) {
            throw Refuse.invalid("A service can have at most 5 task sets.");
          }
          Service service = record.service();
          Instant now = clock.instant();
          String id = Revisions.newId(ids);
          TaskSet set =
              TaskSet.builder()
                  .id(id)
                  .taskSetArn(arn(service, id))
                  .serviceArn(service.serviceArn())
                  .clusterArn(service.clusterArn())
                  .externalId(request.externalId())
                  .status(ACTIVE)
                  .taskDefinition(definition.taskDefinitionArn())
                  .computedDesiredCount(computed(service.desiredCount(), scale))
                  .pendingCount(0)
                  .runningCount(0)
                  .createdAt(now)
                  .updatedAt(now)
                  .launchType(launchType)
                  .capacityProviderStrategy(request.capacityProviderStrategy())
                  .platformVersion(ec2 ? null : TaskFactory.PLATFORM_VERSION)
                  .platformFamily(ec2 ? null : "Linux")
                  .networkConfiguration(n -> n.awsvpcConfiguration(vpc))
                  .loadBalancers(request.loadBalancers())
                  .serviceRegistries(List.of())
                  .scale(scale)
                  .stabilityStatus(StabilityStatus.STABILIZING)
                  .stabilityStatusAt(now)
                  .tags(request.tags())
                  .build();
          tx.insert(TABLE, key(set), set);
          if (request.clientToken() != null) {
            tx.put(
                TOKENS,
                record.key() + "/" + request.clientToken(),
                new Token(set.taskSetArn(), digest(request)));
          }
          return set;
        });
    return CreateTaskSetResponse.builder().taskSet(made).build();
  }

  private static Optional<TaskSet> sameCall(
      Tx tx, ServiceRecord record, CreateTaskSetRequest request) {
    if (request.clientToken() == null) {
      return Optional.empty();
    }
    Optional<Token> token =
        tx.get(TOKENS, record.key() + "/" + request.clientToken()).map(Row::value);
    Optional<TaskSet> made =
        token.flatMap(known -> tx.get(TABLE, Revisions.keyOf(known.taskSetArn()))).map(Row::value);
    if (made.isPresent() && !digest(request).equals(token.orElseThrow().request())) {
      throw Refuse.invalid("Creation of task set was not idempotent.");
    }
    return made;
  }

  private static String digest(CreateTaskSetRequest request) {
    return ClientTokens.digest(
        CreateTaskSetRequest.class,
        request.toBuilder().tags(List.<Tag>of()).clientToken("").build());
  }

  private static Scale scale(@Nullable Scale given) {
    Scale scale =
        given == null || given.value() == null
            ? Scale.builder().value(0.0).unit(ScaleUnit.PERCENT).build()
            : given.toBuilder()
                .unit(given.unit() == null ? ScaleUnit.PERCENT : given.unit())
                .build();
    if (!(scale.value() >= 0 && scale.value() <= 100) || scale.unit() != ScaleUnit.PERCENT) {
      throw Refuse.invalid("Scale must be a value between 0.0 and 100.0 of unit PERCENT.");
    }
    return scale;
  }

  public UpdateTaskSetResponse update(UpdateTaskSetRequest request) {
    if (request.scale() == null) {
      throw Refuse.invalid("Scale can not be blank.");
    }
    Scale scale = scale(request.scale());
    TaskSet updated =
        store.write(tx -> {
          ServiceRecord record = external(tx, request.cluster(), request.service());
          TaskSet set = running(tx, record, request.taskSet());
          int desired = computed(record.service().desiredCount(), scale);
          Instant now = clock.instant();
          TaskSet.Builder changed =
              set.toBuilder().scale(scale).computedDesiredCount(desired).updatedAt(now);
          if (desired != set.computedDesiredCount()) {
            changed.stabilityStatus(StabilityStatus.STABILIZING).stabilityStatusAt(now);
          }
          TaskSet next = changed.build();
          tx.put(TABLE, key(next), next);
          return counted(tx, record.key(), next);
        });
    return UpdateTaskSetResponse.builder().taskSet(updated).build();
  }

  public DeleteTaskSetResponse delete(DeleteTaskSetRequest request) {
    TaskSet deleted =
        store.write(tx -> {
          ServiceRecord record = external(tx, request.cluster(), request.service());
          TaskSet set = find(tx, record, request.taskSet());
          if (set.computedDesiredCount() > 0 && !Boolean.TRUE.equals(request.force())) {
            throw Refuse.invalid("The task set cannot be deleted while it is scaled above 0.");
          }
          TaskSet draining =
              set.toBuilder()
                  .status(DRAINING)
                  .scale(set.scale().toBuilder().value(0.0).build())
                  .computedDesiredCount(0)
                  .updatedAt(clock.instant())
                  .build();
          tx.put(TABLE, key(draining), draining);
          return counted(tx, record.key(), draining);
        });
    return DeleteTaskSetResponse.builder().taskSet(deleted).build();
  }

  public DescribeTaskSetsResponse describe(DescribeTaskSetsRequest request) {
    boolean tags = request.include().contains(TaskSetField.TAGS);
    return store.read(tx -> {
      ServiceRecord record = external(tx, request.cluster(), request.service());
      List<TaskSet> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      if (request.taskSets().isEmpty()) {
        found.addAll(all(tx, record.key()));
      }
      for (String reference : request.taskSets()) {
        named(tx, record, reference)
            .ifPresentOrElse(
                found::add,
                () -> failures.add(Failure.builder().arn(reference).reason("MISSING").build()));
      }
      List<TaskSet> shown =
          found.stream()
              .map(set -> counted(tx, record.key(), set))
              .map(set -> tags ? set : set.toBuilder().tags(List.<Tag>of()).build())
              .toList();
      return DescribeTaskSetsResponse.builder().taskSets(shown).failures(failures).build();
    });
  }

  /** From now on the service is what this task set is. */
  public UpdateServicePrimaryTaskSetResponse makePrimary(
      UpdateServicePrimaryTaskSetRequest request) {
    TaskSet primary =
        store.write(tx -> {
          ServiceRecord record = external(tx, request.cluster(), request.service());
          TaskSet chosen = running(tx, record, request.primaryTaskSet());
          Instant now = clock.instant();
          for (TaskSet set : all(tx, record.key())) {
            if (set.status().equals(PRIMARY) && !set.id().equals(chosen.id())) {
              tx.put(TABLE, key(set), set.toBuilder().status(ACTIVE).updatedAt(now).build());
            }
          }
          TaskSet next = chosen.toBuilder().status(PRIMARY).updatedAt(now).build();
          tx.put(TABLE, key(next), next);
          ServiceRecord after =
              record.with(s ->
                  s.taskDefinition(next.taskDefinition())
                      .networkConfiguration(next.networkConfiguration())
                      .loadBalancers(next.loadBalancers())
                      .launchType(next.launchType())
                      .capacityProviderStrategy(next.capacityProviderStrategy())
                      .platformVersion(next.platformVersion())
                      .platformFamily(next.platformFamily()));
          tx.put(ServiceRecord.TABLE, after.key(), after);
          return counted(tx, record.key(), next);
        });
    return UpdateServicePrimaryTaskSetResponse.builder().taskSet(primary).build();
  }

  private ServiceRecord external(Tx tx, @Nullable String cluster, @Nullable String service) {
    ServiceRecord record = services.active(tx, cluster, service);
    if (!record.external()) {
      throw Refuse.invalid(
          "Task sets can be used only with services that use the EXTERNAL deployment controller.");
    }
    return record;
  }

  private static TaskSet running(Tx tx, ServiceRecord record, @Nullable String reference) {
    TaskSet set = find(tx, record, reference);
    if (set.status().equals(DRAINING)) {
      throw Refuse.invalid("The task set is DRAINING.");
    }
    return set;
  }

  private static TaskSet find(Tx tx, ServiceRecord record, @Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      throw Refuse.invalid("Task set can not be blank.");
    }
    return named(tx, record, reference)
        .orElseThrow(() ->
            TaskSetNotFoundException.builder()
                .message("The specified task set wasn't found.")
                .build());
  }

  /** By its ARN, its id, or the number in it. */
  private static Optional<TaskSet> named(Tx tx, ServiceRecord record, String reference) {
    String key = record.key() + "/ecs-svc/" + TaskRecord.idOf(reference);
    return tx.get(TABLE, key)
        .map(Row::value)
        .filter(set -> !reference.startsWith("arn:") || set.taskSetArn().equals(reference));
  }

  public static String arn(Service service, String id) {
    return service.serviceArn().replace(":service/", ":task-set/") + "/" + id;
  }

  static String key(TaskSet set) {
    return Revisions.keyOf(set.taskSetArn());
  }

  /** A service's task sets, the oldest first. */
  static List<TaskSet> all(Tx tx, String service) {
    return tx.list(TABLE, service + "/").stream()
        .map(Row::value)
        .sorted(Comparator.comparing(TaskSet::createdAt))
        .toList();
  }

  /** The service is gone. */
  static void forget(Tx tx, String service) {
    tx.deletePrefix(TABLE, service + "/");
    tx.deletePrefix(TOKENS, service + "/");
  }

  private static TaskSet counted(Tx tx, String service, TaskSet set) {
    return counted(
        set,
        tx.find(TaskRecord.TABLE, "service", service).stream()
            .map(Row::value)
            .filter(TaskRecord::wanted)
            .toList());
  }

  private static TaskSet counted(TaskSet set, List<TaskRecord> tasks) {
    List<TaskRecord> own =
        tasks.stream().filter(task -> set.id().equals(task.task().startedBy())).toList();
    int running = Services.running(own);
    return set.toBuilder().runningCount(running).pendingCount(own.size() - running).build();
  }

  /** As DescribeServices shows them. */
  static List<TaskSet> of(Tx tx, Service service, List<TaskRecord> tasks) {
    return ServiceRecord.external(service.deploymentController())
        ? all(tx, Revisions.keyOf(service.serviceArn())).stream()
            .map(set -> counted(set, tasks))
            .toList()
        : List.of();
  }
}
