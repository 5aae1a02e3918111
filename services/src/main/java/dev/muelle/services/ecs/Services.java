package dev.muelle.services.ecs;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.CreateServiceResponse;
import software.amazon.awssdk.services.ecs.model.DeleteServiceRequest;
import software.amazon.awssdk.services.ecs.model.DeleteServiceResponse;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ListServicesRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesResponse;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceField;
import software.amazon.awssdk.services.ecs.model.ServiceNotActiveException;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Services as callers see them; {@link ServiceScheduler} keeps their tasks running.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html">
 *     CreateService</a>
 */
final class Services {

  static final String ACTIVE = "ACTIVE";
  static final String DRAINING = "DRAINING";
  static final String INACTIVE = "INACTIVE";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final int MAX_DESIRED = 5_000;

  private static final Set<String> CREATE_MEMBERS =
      Set.of(
          "cluster",
          "serviceName",
          "taskDefinition",
          "loadBalancers",
          "desiredCount",
          "clientToken",
          "launchType",
          "capacityProviderStrategy",
          "platformVersion",
          "deploymentConfiguration",
          "networkConfiguration",
          "healthCheckGracePeriodSeconds",
          "schedulingStrategy",
          "deploymentController",
          "tags",
          "enableECSManagedTags",
          "propagateTags",
          "placementConstraints",
          "placementStrategy");
  private static final Set<String> UPDATE_MEMBERS =
      Set.of(
          "cluster",
          "service",
          "taskDefinition",
          "loadBalancers",
          "desiredCount",
          "capacityProviderStrategy",
          "platformVersion",
          "deploymentConfiguration",
          "networkConfiguration",
          "healthCheckGracePeriodSeconds",
          "enableECSManagedTags",
          "propagateTags",
          "forceNewDeployment",
          "placementConstraints",
          "placementStrategy");

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Clusters clusters;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final ElasticLoadBalancingV2Client elb;

  Services(
      Scope scope,
      Store store,
      InstantSource clock,
      Ids ids,
      Clusters clusters,
      TaskDefinitions definitions,
      Networks networks,
      ElasticLoadBalancingV2Client elb) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.clusters = clusters;
    this.definitions = definitions;
    this.networks = networks;
    this.elb = elb;
  }

  CreateServiceResponse create(CreateServiceRequest request, String caller) {
    Refuse.unlessEffective("CreateService", request, CREATE_MEMBERS);
    if (request.serviceName() == null || !NAME.matcher(request.serviceName()).matches()) {
      throw Refuse.invalid(
          request.serviceName() == null
              ? "Service name can not be blank."
              : "Service name contains invalid characters.");
    }
    if (request.schedulingStrategy() == SchedulingStrategy.DAEMON) {
      throw Refuse.invalid("DAEMON scheduling strategy is not supported for FARGATE launch type.");
    }
    checkController(request.deploymentController());
    boolean ec2 =
        Tasks.onInstances(
            request.launchType(),
            request.capacityProviderStrategy(),
            request.platformVersion(),
            request.placementConstraints(),
            request.placementStrategy());
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    Tags.check(request.tags());
    if (request.desiredCount() == null) {
      throw Refuse.invalid("DesiredCount cannot be null for REPLICA scheduling strategy.");
    }
    int desired = desired(request.desiredCount());
    DeploymentConfiguration configuration = configuration(request.deploymentConfiguration(), null);
    store.read(tx -> clusters.active(tx, request.cluster()));
    TaskDefinition definition =
        store.read(tx -> definitions.runnable(tx, request.taskDefinition())).definition();
    checkLoadBalancers(request.loadBalancers(), definition);
    if (request.healthCheckGracePeriodSeconds() != null && request.loadBalancers().isEmpty()) {
      throw Refuse.invalid(
          "Health check grace period is only valid for services configured to use load balancers");
    }
    AwsVpcConfiguration vpc = networks.check(request.networkConfiguration());
    if (ec2) {
      InstanceTasks.check(definition, vpc);
    }
    NetworkConfiguration network = network(vpc);
    Service created =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          String key = ServiceRecord.key(cluster.clusterName(), request.serviceName());
          Optional<ServiceRecord> present = tx.get(ServiceRecord.TABLE, key).map(Row::value);
          if (present.isPresent()) {
            switch (present.get().service().status()) {
              case ACTIVE -> throw Refuse.invalid("Creation of service was not idempotent.");
              case DRAINING ->
                  throw Refuse.invalid("Unable to Start a service that is still Draining.");
              default -> {} // INACTIVE: its name is free
            }
          }
          Instant now = clock.instant();
          Service service =
              Service.builder()
                  .serviceArn(
                      scope.arn(
                          "ecs", "service/" + cluster.clusterName() + "/" + request.serviceName()))
                  .serviceName(request.serviceName())
                  .clusterArn(cluster.clusterArn())
                  .status(ACTIVE)
                  .desiredCount(desired)
                  .launchType(
                      ec2
                          ? LaunchType.EC2
                          : request.capacityProviderStrategy().isEmpty()
                              ? LaunchType.FARGATE
                              : null)
                  .capacityProviderStrategy(request.capacityProviderStrategy())
                  .platformVersion(
                      ec2 ? null : Objects.requireNonNullElse(request.platformVersion(), "LATEST"))
                  .platformFamily(ec2 ? null : "Linux")
                  .taskDefinition(definition.taskDefinitionArn())
                  .deploymentConfiguration(configuration)
                  .deploymentController(
                      DeploymentController.builder().type(DeploymentControllerType.ECS).build())
                  .deployments(
                      deployment(
                          definition.taskDefinitionArn(),
                          desired,
                          network,
                          ec2 ? LaunchType.EC2 : LaunchType.FARGATE,
                          now))
                  .networkConfiguration(network)
                  .loadBalancers(request.loadBalancers())
                  .serviceRegistries(List.of())
                  .healthCheckGracePeriodSeconds(
                      request.loadBalancers().isEmpty()
                          ? null
                          : Objects.requireNonNullElse(request.healthCheckGracePeriodSeconds(), 0))
                  .schedulingStrategy(SchedulingStrategy.REPLICA)
                  .roleArn(
                      scope.globalArn(
                          "iam", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"))
                  .createdAt(now)
                  .createdBy(caller)
                  .enableECSManagedTags(Boolean.TRUE.equals(request.enableECSManagedTags()))
                  .propagateTags(
                      request.propagateTags() == null
                          ? PropagateTags.NONE
                          : request.propagateTags())
                  .enableExecuteCommand(false)
                  .placementConstraints(request.placementConstraints())
                  .placementStrategy(request.placementStrategy())
                  .events(List.of())
                  .tags(request.tags())
                  .build();
          tx.put(ServiceRecord.TABLE, key, new ServiceRecord(service, 0, null, false, null));
          return counted(tx, service);
        });
    return CreateServiceResponse.builder().service(created).build();
  }

  UpdateServiceResponse update(UpdateServiceRequest request) {
    Refuse.unlessEffective("UpdateService", request, UPDATE_MEMBERS);
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    AwsVpcConfiguration vpc =
        request.networkConfiguration() == null
            ? null
            : networks.check(request.networkConfiguration());
    @Nullable NetworkConfiguration network =
        request.networkConfiguration() == null ? null : network(Objects.requireNonNull(vpc));
    ServiceRecord before = store.read(tx -> active(tx, request.cluster(), request.service()));
    boolean ec2 =
        Tasks.onInstances(
            request.capacityProviderStrategy().isEmpty()
                ? Objects.requireNonNullElse(before.service().launchType(), LaunchType.FARGATE)
                : null,
            request.capacityProviderStrategy(),
            request.platformVersion(),
            request.placementConstraints(),
            request.placementStrategy());
    if (ec2 && vpc != null) {
      InstanceTasks.checkNetwork(vpc);
    }
    TaskDefinition definition =
        store.read(tx ->
            request.taskDefinition() == null
                ? definitions.byArn(before.service().taskDefinition()).orElseThrow()
                : definitions.runnable(tx, request.taskDefinition()).definition());
    List<LoadBalancer> balancers =
        request.hasLoadBalancers() ? request.loadBalancers() : before.service().loadBalancers();
    checkLoadBalancers(balancers, definition);
    if (request.healthCheckGracePeriodSeconds() != null && balancers.isEmpty()) {
      throw Refuse.invalid(
          "Health check grace period is only valid for services configured to use load balancers");
    }
    Service updated =
        store.write(tx -> {
          ServiceRecord present = active(tx, request.cluster(), request.service());
          Service old = present.service();
          int desired =
              request.desiredCount() == null ? old.desiredCount() : desired(request.desiredCount());
          NetworkConfiguration net = network == null ? old.networkConfiguration() : network;
          Service service =
              old.toBuilder()
                  .desiredCount(desired)
                  .taskDefinition(definition.taskDefinitionArn())
                  .networkConfiguration(net)
                  .loadBalancers(balancers)
                  .deploymentConfiguration(
                      configuration(
                          request.deploymentConfiguration(), old.deploymentConfiguration()))
                  .healthCheckGracePeriodSeconds(
                      request.healthCheckGracePeriodSeconds() == null
                          ? old.healthCheckGracePeriodSeconds()
                          : request.healthCheckGracePeriodSeconds())
                  .placementConstraints(
                      request.hasPlacementConstraints()
                          ? request.placementConstraints()
                          : old.placementConstraints())
                  .placementStrategy(
                      request.hasPlacementStrategy()
                          ? request.placementStrategy()
                          : old.placementStrategy())
                  .enableECSManagedTags(
                      request.enableECSManagedTags() == null
                          ? old.enableECSManagedTags()
                          : request.enableECSManagedTags())
                  .propagateTags(
                      request.propagateTags() == null
                          ? old.propagateTags()
                          : request.propagateTags())
                  .build();
          boolean redeploy =
              Boolean.TRUE.equals(request.forceNewDeployment())
                  || !service.taskDefinition().equals(old.taskDefinition())
                  || !net.equals(old.networkConfiguration())
                  || !balancers.equals(old.loadBalancers());
          ServiceRecord next =
              new ServiceRecord(
                  service,
                  redeploy ? 0 : present.failedStarts(),
                  redeploy ? null : present.notBefore(),
                  false,
                  present.lastCompleted());
          next =
              redeploy
                  ? redeploy(next, definition.taskDefinitionArn())
                  : next.with(s -> s.deployments(rescaled(service.deployments(), desired)));
          tx.put(ServiceRecord.TABLE, next.key(), next);
          return counted(tx, next.service());
        });
    return UpdateServiceResponse.builder().service(updated).build();
  }

  /** The service with a new primary deployment; the one before becomes ACTIVE, to be drained. */
  ServiceRecord redeploy(ServiceRecord record, String taskDefinition) {
    Instant now = clock.instant();
    Service service = record.service();
    List<Deployment> deployments = new ArrayList<>();
    deployments.add(
        deployment(
            taskDefinition,
            service.desiredCount(),
            service.networkConfiguration(),
            service.launchType() == LaunchType.EC2 ? LaunchType.EC2 : LaunchType.FARGATE,
            now));
    for (Deployment old : service.deployments()) {
      deployments.add(old.toBuilder().status(ACTIVE).desiredCount(0).updatedAt(now).build());
    }
    return record.with(s -> s.taskDefinition(taskDefinition).deployments(deployments));
  }

  private List<Deployment> rescaled(List<Deployment> deployments, int desired) {
    List<Deployment> rescaled = new ArrayList<>(deployments);
    Deployment primary = rescaled.getFirst();
    rescaled.set(0, primary.toBuilder().desiredCount(desired).updatedAt(clock.instant()).build());
    return rescaled;
  }

  private Deployment deployment(
      String taskDefinition,
      int desired,
      NetworkConfiguration network,
      LaunchType launchType,
      Instant now) {
    boolean ec2 = launchType == LaunchType.EC2;
    String id =
        "ecs-svc/"
            + Math.floorMod(Long.parseUnsignedLong(ids.hex(16), 16), 9_000_000_000_000_000_000L);
    return Deployment.builder()
        .id(id)
        .status("PRIMARY")
        .taskDefinition(taskDefinition)
        .desiredCount(desired)
        .pendingCount(0)
        .runningCount(0)
        .failedTasks(0)
        .createdAt(now)
        .updatedAt(now)
        .launchType(launchType)
        .platformVersion(ec2 ? null : TaskFactory.PLATFORM_VERSION)
        .platformFamily(ec2 ? null : "Linux")
        .networkConfiguration(network)
        .rolloutState(DeploymentRolloutState.IN_PROGRESS)
        .rolloutStateReason("ECS deployment " + id + " in progress.")
        .build();
  }

  DeleteServiceResponse delete(DeleteServiceRequest request) {
    Service deleted =
        store.write(tx -> {
          ServiceRecord present = active(tx, request.cluster(), request.service());
          if (present.service().desiredCount() > 0 && !Boolean.TRUE.equals(request.force())) {
            throw Refuse.invalid("The service cannot be stopped while it is scaled above 0.");
          }
          ServiceRecord draining =
              present
                  .with(s ->
                      s.status(DRAINING)
                          .desiredCount(0)
                          .deployments(rescaled(present.service().deployments(), 0)))
                  .withSteady(false);
          tx.put(ServiceRecord.TABLE, draining.key(), draining);
          return counted(tx, draining.service());
        });
    return DeleteServiceResponse.builder().service(deleted).build();
  }

  DescribeServicesResponse describe(DescribeServicesRequest request) {
    if (request.services().isEmpty()) {
      throw Refuse.invalid("Services cannot be empty.");
    }
    if (request.services().size() > 10) {
      throw Refuse.invalid("Services cannot have more than 10 elements.");
    }
    boolean tags = request.include().contains(ServiceField.TAGS);
    return store.read(tx -> {
      Cluster cluster = clusters.known(tx, request.cluster());
      List<Service> found = new ArrayList<>();
      List<Failure> failures = new ArrayList<>();
      for (String reference : request.services()) {
        Optional<ServiceRecord> service =
            tx.get(ServiceRecord.TABLE, key(cluster, reference)).map(Row::value);
        if (service.isPresent()) {
          Service shown = counted(tx, service.get().service());
          found.add(tags ? shown : shown.toBuilder().tags(List.of()).build());
        } else {
          failures.add(
              Failure.builder()
                  .arn(scope.arn("ecs", "service/" + key(cluster, reference)))
                  .reason("MISSING")
                  .build());
        }
      }
      return DescribeServicesResponse.builder().services(found).failures(failures).build();
    });
  }

  ListServicesResponse list(ListServicesRequest request) {
    List<String> arns =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          return tx.find(ServiceRecord.TABLE, "cluster", cluster.clusterArn()).stream()
              .map(row -> row.value().service())
              .filter(service -> !service.status().equals(INACTIVE))
              .filter(service ->
                  request.launchType() == null || request.launchType() == service.launchType())
              .filter(service ->
                  request.schedulingStrategy() == null
                      || request.schedulingStrategy() == service.schedulingStrategy())
              .map(Service::serviceArn)
              .toList();
        });
    int size = request.maxResults() == null ? 10 : request.maxResults();
    Pages.Page<String> page = Pages.of(arns, request.nextToken(), size);
    return ListServicesResponse.builder()
        .serviceArns(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private ServiceRecord active(Tx tx, @Nullable String clusterReference, String reference) {
    Cluster cluster = clusters.active(tx, clusterReference);
    ServiceRecord record =
        tx.get(ServiceRecord.TABLE, key(cluster, reference))
            .map(Row::value)
            .orElseThrow(
                () -> ServiceNotFoundException.builder().message("Service not found.").build());
    if (!record.service().status().equals(ACTIVE)) {
      throw ServiceNotActiveException.builder().message("Service was not ACTIVE.").build();
    }
    return record;
  }

  private static String key(Cluster cluster, @Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      throw Refuse.invalid("Service can not be blank.");
    }
    return ServiceRecord.key(cluster.clusterName(), TaskRecord.idOf(reference));
  }

  /** The service with its counts, and each deployment with its own. */
  static Service counted(Tx tx, Service service) {
    String key = ServiceRecord.key(TaskRecord.idOf(service.clusterArn()), service.serviceName());
    List<TaskRecord> tasks =
        tx.find(TaskRecord.TABLE, "service", key).stream()
            .map(Row::value)
            .filter(TaskRecord::wanted)
            .toList();
    List<Deployment> deployments =
        service.deployments().stream()
            .map(deployment -> {
              List<TaskRecord> own =
                  tasks.stream()
                      .filter(task -> deployment.id().equals(task.task().startedBy()))
                      .toList();
              return deployment.toBuilder()
                  .runningCount(running(own))
                  .pendingCount(own.size() - running(own))
                  .build();
            })
            .toList();
    return service.toBuilder()
        .deployments(deployments)
        .runningCount(running(tasks))
        .pendingCount(tasks.size() - running(tasks))
        .build();
  }

  private static int running(List<TaskRecord> tasks) {
    return (int) tasks.stream().filter(task -> task.status() == TaskStatus.RUNNING).count();
  }

  private static int desired(int count) {
    if (count < 0 || count > MAX_DESIRED) {
      throw Refuse.invalid("desiredCount must be between 0 and 5000.");
    }
    return count;
  }

  private static void checkController(@Nullable DeploymentController controller) {
    if (controller != null && controller.type() != DeploymentControllerType.ECS) {
      throw Refuse.invalid(
          "Deployment controller type "
              + controller.typeAsString()
              + " is not supported by this region yet: use ECS.");
    }
  }

  private static DeploymentConfiguration configuration(
      @Nullable DeploymentConfiguration wanted, @Nullable DeploymentConfiguration before) {
    DeploymentConfiguration given =
        wanted == null ? DeploymentConfiguration.builder().build() : wanted;
    Refuse.unlessEffective(
        "DeploymentConfiguration",
        given.toBuilder()
            .strategy("ROLLING".equals(given.strategyAsString()) ? null : given.strategyAsString())
            .build(),
        Set.of("minimumHealthyPercent", "maximumPercent", "deploymentCircuitBreaker"));
    int minimum =
        first(
            given.minimumHealthyPercent(),
            before == null ? null : before.minimumHealthyPercent(),
            100);
    int maximum =
        first(given.maximumPercent(), before == null ? null : before.maximumPercent(), 200);
    if (minimum < 0 || minimum > 100) {
      throw Refuse.invalid("minimumHealthyPercent must be between 0 and 100.");
    }
    if (maximum < 100 || maximum > 200) {
      throw Refuse.invalid("maximumPercent must be between 100 and 200.");
    }
    if (minimum == 100 && maximum == 100) {
      throw Refuse.invalid(
          "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.");
    }
    DeploymentCircuitBreaker breaker =
        given.deploymentCircuitBreaker() != null
            ? given.deploymentCircuitBreaker()
            : before == null ? null : before.deploymentCircuitBreaker();
    return DeploymentConfiguration.builder()
        .minimumHealthyPercent(minimum)
        .maximumPercent(maximum)
        .deploymentCircuitBreaker(
            breaker == null
                ? DeploymentCircuitBreaker.builder().enable(false).rollback(false).build()
                : breaker)
        .strategy("ROLLING")
        .build();
  }

  private static int first(@Nullable Integer given, @Nullable Integer before, int otherwise) {
    return given != null ? given : before != null ? before : otherwise;
  }

  private static NetworkConfiguration network(AwsVpcConfiguration configuration) {
    return NetworkConfiguration.builder().awsvpcConfiguration(configuration).build();
  }

  private void checkLoadBalancers(List<LoadBalancer> balancers, TaskDefinition definition) {
    if (balancers.size() > 5) {
      throw Refuse.invalid("loadBalancers can have at most 5 items.");
    }
    for (LoadBalancer balancer : balancers) {
      Refuse.unlessEffective(
          "LoadBalancer", balancer, Set.of("targetGroupArn", "containerName", "containerPort"));
      if (balancer.targetGroupArn() == null) {
        throw Refuse.invalid("Target group ARN can not be blank.");
      }
      ContainerDefinition container =
          definition.containerDefinitions().stream()
              .filter(c -> c.name().equals(balancer.containerName()))
              .findFirst()
              .orElseThrow(() ->
                  Refuse.invalid(
                      "The container "
                          + balancer.containerName()
                          + " does not exist in the task definition."));
      boolean mapped =
          container.portMappings().stream()
              .anyMatch(port -> port.containerPort().equals(balancer.containerPort()));
      if (!mapped) {
        throw Refuse.invalid(
            "The container "
                + balancer.containerName()
                + " did not have a container port "
                + balancer.containerPort()
                + " defined.");
      }
      checkTargetGroup(balancer.targetGroupArn());
    }
  }

  private void checkTargetGroup(String arn) {
    try {
      TargetGroup group =
          elb.describeTargetGroups(request -> request.targetGroupArns(arn))
              .targetGroups()
              .getFirst();
      if (group.targetType() != TargetTypeEnum.IP) {
        throw Refuse.invalid(
            "The provided target group "
                + arn
                + " has target type "
                + group.targetTypeAsString()
                + ", which is incompatible with the awsvpc network mode specified in the task"
                + " definition.");
      }
      if (group.loadBalancerArns().isEmpty()) {
        throw Refuse.invalid(
            "The target group with targetGroupArn "
                + arn
                + " does not have an associated load balancer.");
      }
    } catch (TargetGroupNotFoundException e) {
      throw Refuse.invalid(
          "Unable to assume role and validate the specified targetGroupArn. The target group "
              + arn
              + " was not found.");
    }
  }
}
