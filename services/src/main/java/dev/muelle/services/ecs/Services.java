package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.CreateServiceResponse;
import software.amazon.awssdk.services.ecs.model.DeleteServiceRequest;
import software.amazon.awssdk.services.ecs.model.DeleteServiceResponse;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.ListServicesRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesResponse;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.ResourceManagementType;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.ServiceField;
import software.amazon.awssdk.services.ecs.model.ServiceNotActiveException;
import software.amazon.awssdk.services.ecs.model.ServiceNotFoundException;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;

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
          "availabilityZoneRebalancing",
          "tags",
          "enableECSManagedTags",
          "enableExecuteCommand",
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
          "enableExecuteCommand",
          "propagateTags",
          "forceNewDeployment",
          "deploymentController",
          "availabilityZoneRebalancing",
          "placementConstraints",
          "placementStrategy");

  /** Where a service is created of whose tasks ECS knows nothing yet. */
  private static final Set<String> EXTERNAL_MEMBERS =
      Set.of(
          "cluster",
          "serviceName",
          "desiredCount",
          "clientToken",
          "launchType",
          "deploymentConfiguration",
          "healthCheckGracePeriodSeconds",
          "schedulingStrategy",
          "deploymentController",
          "tags",
          "enableECSManagedTags",
          "enableExecuteCommand",
          "propagateTags",
          "placementConstraints",
          "placementStrategy");

  private static final Set<String> EXTERNAL_UPDATES =
      Set.of(
          "cluster",
          "service",
          "desiredCount",
          "deploymentController",
          "healthCheckGracePeriodSeconds",
          "enableECSManagedTags",
          "enableExecuteCommand",
          "propagateTags",
          "placementConstraints",
          "placementStrategy");

  /** The client token of the call that made a service, keyed as the service. */
  private record Token(String given) {}

  private static final Table<Token> TOKENS =
      Table.of("ecs.service_tokens", StoredJson.codec(Token.class));

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Deployments deployments;
  private final Clusters clusters;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final CapacityProviders providers;
  private final ServiceRules rules;
  private final Alarms alarms;

  Services(
      Scope scope,
      Store store,
      InstantSource clock,
      Deployments deployments,
      Clusters clusters,
      TaskDefinitions definitions,
      Networks networks,
      CapacityProviders providers,
      ServiceRules rules,
      Alarms alarms) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.deployments = deployments;
    this.clusters = clusters;
    this.definitions = definitions;
    this.networks = networks;
    this.providers = providers;
    this.rules = rules;
    this.alarms = alarms;
  }

  CreateServiceResponse create(CreateServiceRequest request, String caller) {
    Refuse.unlessEffective("CreateService", request, CREATE_MEMBERS);
    if (request.serviceName() == null || !NAME.matcher(request.serviceName()).matches()) {
      throw Refuse.invalid(
          request.serviceName() == null
              ? "Service name can not be blank."
              : "Service name contains invalid characters.");
    }
    ServiceRules.checkController(request.deploymentController());
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    Tags.check(request.tags());
    alarms.check(
        request.deploymentConfiguration() == null
            ? null
            : request.deploymentConfiguration().alarms());
    store.read(tx -> clusters.active(tx, request.cluster()));
    return ServiceRules.external(request.deploymentController())
        ? createExternal(request, caller)
        : createDeployed(request, caller);
  }

  /** A service whose tasks ECS deploys. */
  private CreateServiceResponse createDeployed(CreateServiceRequest request, String caller) {
    boolean daemon = request.schedulingStrategy() == SchedulingStrategy.DAEMON;
    List<CapacityProviderStrategyItem> strategy =
        providers.effective(
            request.cluster(), request.launchType(), request.capacityProviderStrategy());
    boolean ec2 =
        Tasks.onInstances(
            request.launchType(),
            strategy,
            request.platformVersion(),
            request.placementConstraints(),
            request.placementStrategy());
    if (daemon) {
      ServiceRules.checkDaemon(ec2, request.desiredCount(), request.placementStrategy());
    } else if (request.desiredCount() == null) {
      throw Refuse.invalid("DesiredCount cannot be null for REPLICA scheduling strategy.");
    }
    int desired = daemon ? 0 : ServiceRules.desired(request.desiredCount());
    DeploymentConfiguration configuration =
        ServiceRules.configuration(request.deploymentConfiguration(), null, daemon);
    AvailabilityZoneRebalancing rebalancing =
        ServiceRules.rebalancing(
            request.availabilityZoneRebalancing(),
            AvailabilityZoneRebalancing.ENABLED,
            daemon,
            configuration,
            request.placementStrategy(),
            request.placementConstraints());
    TaskDefinition definition =
        store.read(tx -> definitions.runnable(tx, request.taskDefinition())).definition();
    rules.checkLoadBalancers(request.loadBalancers(), definition, Traffic.shifted(configuration));
    ExecSessions.check(request.enableExecuteCommand(), definition, noRole("created"));
    if (request.healthCheckGracePeriodSeconds() != null && request.loadBalancers().isEmpty()) {
      throw Refuse.invalid(
          "Health check grace period is only valid for services configured to use load balancers");
    }
    AwsVpcConfiguration vpc = networks.check(definition, request.networkConfiguration());
    if (ec2) {
      InstanceTasks.check(definition, vpc);
    } else {
      Tasks.checkFargate(definition);
    }
    return insert(
        request,
        caller,
        (tx, base) ->
            deployments.begin(
                tx,
                ServiceRecord.of(
                    base.desiredCount(desired)
                        .launchType(
                            ec2 ? LaunchType.EC2 : strategy.isEmpty() ? LaunchType.FARGATE : null)
                        .capacityProviderStrategy(strategy)
                        .platformVersion(
                            ec2
                                ? null
                                : Objects.requireNonNullElse(request.platformVersion(), "LATEST"))
                        .platformFamily(ec2 ? null : "Linux")
                        .taskDefinition(definition.taskDefinitionArn())
                        .deploymentConfiguration(configuration)
                        .networkConfiguration(network(vpc))
                        .loadBalancers(request.loadBalancers())
                        .healthCheckGracePeriodSeconds(
                            request.loadBalancers().isEmpty()
                                ? null
                                : Objects.requireNonNullElse(
                                    request.healthCheckGracePeriodSeconds(), 0))
                        .schedulingStrategy(
                            daemon ? SchedulingStrategy.DAEMON : SchedulingStrategy.REPLICA)
                        .availabilityZoneRebalancing(rebalancing)
                        .build()),
                definition,
                clock.instant()));
  }

  /** A service whose tasks come with its task sets. */
  private CreateServiceResponse createExternal(CreateServiceRequest request, String caller) {
    Refuse.unlessAllowed(request, EXTERNAL_MEMBERS, Services::ofTaskSets);
    if (request.schedulingStrategy() == SchedulingStrategy.DAEMON) {
      throw Refuse.invalid(
          "DAEMON scheduling strategy is not supported for the EXTERNAL deployment controller.");
    }
    int desired = ServiceRules.desired(Objects.requireNonNullElse(request.desiredCount(), 0));
    DeploymentConfiguration configuration =
        ServiceRules.configuration(request.deploymentConfiguration(), null, false);
    if (Traffic.shifted(configuration)) {
      throw Refuse.invalid(
          "The EXTERNAL deployment controller supports only the ROLLING deployment strategy.");
    }
    if (configuration.alarms() != null) {
      throw Refuse.invalid(
          "Alarm based rollback feature is only supported with ECS deployment controller. Update"
              + " to ECS deployment controller and try again.");
    }
    if (Boolean.TRUE.equals(configuration.deploymentCircuitBreaker().enable())) {
      throw Refuse.invalid(
          "Deployment circuit breaker feature is only supported with ECS deployment controller."
              + " Update to ECS deployment controller and try again.");
    }
    return insert(
        request,
        caller,
        (tx, base) ->
            ServiceRecord.of(
                base.desiredCount(desired)
                    .launchType(request.launchType())
                    .deploymentConfiguration(configuration)
                    .loadBalancers(List.of())
                    .healthCheckGracePeriodSeconds(request.healthCheckGracePeriodSeconds())
                    .schedulingStrategy(SchedulingStrategy.REPLICA)
                    .build()));
  }

  /** Puts a service into a free name, or finds the one that the same call made before. */
  private CreateServiceResponse insert(
      CreateServiceRequest request,
      String caller,
      BiFunction<Tx, Service.Builder, ServiceRecord> make) {
    Service created =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          String key = ServiceRecord.key(cluster.clusterName(), request.serviceName());
          Optional<ServiceRecord> present = tx.get(ServiceRecord.TABLE, key).map(Row::value);
          if (present.isPresent()) {
            boolean same =
                request.clientToken() != null
                    && tx.get(TOKENS, key)
                        .filter(row -> row.value().given().equals(request.clientToken()))
                        .isPresent();
            switch (present.get().service().status()) {
              case ACTIVE -> {
                if (same) {
                  return counted(tx, present.get().service());
                }
                throw Refuse.invalid("Creation of service was not idempotent.");
              }
              case DRAINING ->
                  throw Refuse.invalid("Unable to Start a service that is still Draining.");
              default -> {} // INACTIVE: its name is free
            }
          }
          ServiceRecord record = make.apply(tx, base(request, cluster, caller));
          tx.put(ServiceRecord.TABLE, key, record);
          if (request.clientToken() == null) {
            tx.delete(TOKENS, key);
          } else {
            tx.put(TOKENS, key, new Token(request.clientToken()));
          }
          return counted(tx, record.service());
        });
    return CreateServiceResponse.builder().service(created).build();
  }

  private Service.Builder base(CreateServiceRequest request, Cluster cluster, String caller) {
    return Service.builder()
        .serviceArn(
            scope.arn("ecs", "service/" + cluster.clusterName() + "/" + request.serviceName()))
        .serviceName(request.serviceName())
        .clusterArn(cluster.clusterArn())
        .status(ACTIVE)
        .deploymentController(
            request.deploymentController() == null
                ? DeploymentController.builder().type(DeploymentControllerType.ECS).build()
                : request.deploymentController())
        .deployments(List.of())
        .serviceRegistries(List.of())
        .roleArn(
            scope.globalArn("iam", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"))
        .createdAt(clock.instant())
        .createdBy(caller)
        .enableECSManagedTags(Boolean.TRUE.equals(request.enableECSManagedTags()))
        .propagateTags(
            request.propagateTags() == null ? PropagateTags.NONE : request.propagateTags())
        .enableExecuteCommand(Boolean.TRUE.equals(request.enableExecuteCommand()))
        .placementConstraints(request.placementConstraints())
        .placementStrategy(request.placementStrategy())
        .events(List.of())
        .tags(request.tags());
  }

  UpdateServiceResponse update(UpdateServiceRequest request) {
    Refuse.unlessEffective("UpdateService", request, UPDATE_MEMBERS);
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    alarms.check(
        request.deploymentConfiguration() == null
            ? null
            : request.deploymentConfiguration().alarms());
    ServiceRecord before = store.read(tx -> active(tx, request.cluster(), request.service()));
    DeploymentController controller = before.service().deploymentController();
    if (request.deploymentController() != null
        && !request.deploymentController().equals(controller)) {
      throw Refuse.invalid("Updating the deployment controller is not supported by this region.");
    }
    return before.external() ? updateExternal(request) : updateDeployed(request, before);
  }

  private UpdateServiceResponse updateDeployed(UpdateServiceRequest request, ServiceRecord before) {
    AwsVpcConfiguration vpc =
        request.networkConfiguration() == null
            ? null
            : networks.check(request.networkConfiguration());
    providers.effective(request.cluster(), LaunchType.FARGATE, request.capacityProviderStrategy());
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
    if (before.daemon()) {
      ServiceRules.checkDaemon(true, request.desiredCount(), request.placementStrategy());
    }
    Optional<TaskDefinition> given =
        request.taskDefinition() == null
            ? Optional.empty()
            : Optional.of(
                store.read(tx -> definitions.runnable(tx, request.taskDefinition())).definition());
    TaskDefinition definition =
        given.orElseGet(() -> definitions.byArn(before.service().taskDefinition()).orElseThrow());
    if (request.networkConfiguration() != null) {
      networks.check(definition, request.networkConfiguration());
    }
    List<LoadBalancer> balancers =
        request.hasLoadBalancers() ? request.loadBalancers() : before.service().loadBalancers();
    boolean shifted =
        Traffic.shifted(
            ServiceRules.configuration(
                request.deploymentConfiguration(),
                before.service().deploymentConfiguration(),
                before.daemon()));
    rules.checkLoadBalancers(balancers, definition, shifted);
    ExecSessions.check(request.enableExecuteCommand(), definition, noRole("updated"));
    if (request.healthCheckGracePeriodSeconds() != null && balancers.isEmpty()) {
      throw Refuse.invalid(
          "Health check grace period is only valid for services configured to use load balancers");
    }
    return change(
        request,
        (tx, present) -> {
          // What the request leaves out is as it is now: somebody else may have changed it since.
          Service old = present.service();
          DeploymentConfiguration configuration =
              ServiceRules.configuration(
                  request.deploymentConfiguration(),
                  old.deploymentConfiguration(),
                  present.daemon());
          Service service =
              updated(request, old)
                  .taskDefinition(
                      given.map(TaskDefinition::taskDefinitionArn).orElse(old.taskDefinition()))
                  .networkConfiguration(vpc == null ? old.networkConfiguration() : network(vpc))
                  .platformVersion(
                      ec2
                          ? null
                          : Stream.of(request.platformVersion(), old.platformVersion(), "LATEST")
                              .filter(Objects::nonNull)
                              .findFirst()
                              .orElseThrow())
                  .capacityProviderStrategy(
                      request.hasCapacityProviderStrategy()
                          ? request.capacityProviderStrategy()
                          : old.capacityProviderStrategy())
                  .launchType(
                      request.capacityProviderStrategy().isEmpty() ? old.launchType() : null)
                  .loadBalancers(request.hasLoadBalancers() ? balancers : old.loadBalancers())
                  .deploymentConfiguration(configuration)
                  .availabilityZoneRebalancing(
                      ServiceRules.rebalancing(
                          request.availabilityZoneRebalancing(),
                          old.availabilityZoneRebalancing(),
                          present.daemon(),
                          configuration,
                          request.hasPlacementStrategy()
                              ? request.placementStrategy()
                              : old.placementStrategy(),
                          request.hasPlacementConstraints()
                              ? request.placementConstraints()
                              : old.placementConstraints()))
                  .build();
          if (configuration.strategy() != old.deploymentConfiguration().strategy()
              && ServiceDeployments.ongoing(tx, old).isPresent()) {
            throw Refuse.invalid(
                "The deployment strategy cannot be changed while a service deployment is in"
                    + " progress.");
          }
          boolean redeploy =
              Boolean.TRUE.equals(request.forceNewDeployment())
                  || !service.taskDefinition().equals(old.taskDefinition())
                  || !service.networkConfiguration().equals(old.networkConfiguration())
                  || !service.capacityProviderStrategy().equals(old.capacityProviderStrategy())
                  || !service.loadBalancers().equals(old.loadBalancers());
          ServiceRecord changed = present.with(s -> service.toBuilder()).withSteady(false);
          return redeploy
              ? deployments.begin(
                  tx, changed, definitions.in(tx, service.taskDefinition()), clock.instant())
              : rescaled(changed, service.desiredCount());
        });
  }

  /** How many tasks, and how they are watched; all else belongs to the task sets. */
  private UpdateServiceResponse updateExternal(UpdateServiceRequest request) {
    Refuse.unlessAllowed(request, EXTERNAL_UPDATES, Services::ofTaskSets);
    return change(
        request,
        (tx, present) -> present.with(s -> updated(request, present.service())).withSteady(false));
  }

  private static String noRole(String done) {
    return "The service couldn't be "
        + done
        + " because a valid taskRoleArn is not being used. Specify a valid task role in your task"
        + " definition and try again.";
  }

  private static String ofTaskSets(String member) {
    return "The parameter "
        + member
        + " cannot be specified for a service that uses the EXTERNAL deployment controller: use"
        + " task sets.";
  }

  private UpdateServiceResponse change(
      UpdateServiceRequest request, BiFunction<Tx, ServiceRecord, ServiceRecord> change) {
    Service updated =
        store.write(tx -> {
          ServiceRecord next = change.apply(tx, active(tx, request.cluster(), request.service()));
          tx.put(ServiceRecord.TABLE, next.key(), next);
          return counted(tx, next.service());
        });
    return UpdateServiceResponse.builder().service(updated).build();
  }

  /** The service with what every update may say. */
  private static Service.Builder updated(UpdateServiceRequest request, Service old) {
    return old.toBuilder()
        .desiredCount(
            request.desiredCount() == null
                ? old.desiredCount()
                : ServiceRules.desired(request.desiredCount()))
        .healthCheckGracePeriodSeconds(
            request.healthCheckGracePeriodSeconds() == null
                ? old.healthCheckGracePeriodSeconds()
                : request.healthCheckGracePeriodSeconds())
        .placementConstraints(
            request.hasPlacementConstraints()
                ? request.placementConstraints()
                : old.placementConstraints())
        .placementStrategy(
            request.hasPlacementStrategy() ? request.placementStrategy() : old.placementStrategy())
        .enableExecuteCommand(
            request.enableExecuteCommand() == null
                ? old.enableExecuteCommand()
                : request.enableExecuteCommand())
        .enableECSManagedTags(
            request.enableECSManagedTags() == null
                ? old.enableECSManagedTags()
                : request.enableECSManagedTags())
        .propagateTags(
            request.propagateTags() == null ? old.propagateTags() : request.propagateTags());
  }

  private ServiceRecord rescaled(ServiceRecord record, int desired) {
    return record.service().deployments().isEmpty()
        ? record
        : record.withPrimary(
            record.primary().toBuilder().desiredCount(desired).updatedAt(clock.instant()).build());
  }

  DeleteServiceResponse delete(DeleteServiceRequest request) {
    Service deleted =
        store.write(tx -> {
          ServiceRecord present = active(tx, request.cluster(), request.service());
          if (present.service().desiredCount() > 0
              && !present.daemon()
              && !Boolean.TRUE.equals(request.force())) {
            throw Refuse.invalid("The service cannot be stopped while it is scaled above 0.");
          }
          ServiceRecord draining =
              rescaled(present.with(s -> s.status(DRAINING).desiredCount(0)), 0).withSteady(false);
          deployments.end(tx, present, clock.instant());
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
          found.add(tags ? shown : untagged(shown));
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

  private static Service untagged(Service service) {
    return service.toBuilder()
        .tags(List.of())
        .taskSets(
            service.taskSets().stream()
                .map(set -> set.toBuilder().tags(List.of()).build())
                .toList())
        .build();
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
              .filter(
                  service -> // the caller's own: ECS manages none for itself here
                  request.resourceManagementType() == null
                          || request.resourceManagementType() == ResourceManagementType.CUSTOMER)
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

  ServiceRecord active(Tx tx, @Nullable String clusterReference, @Nullable String reference) {
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

  static String key(Cluster cluster, @Nullable String reference) {
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
                  .networkConfiguration(Networks.shown(deployment.networkConfiguration()))
                  .runningCount(running(own))
                  .pendingCount(own.size() - running(own))
                  .build();
            })
            .toList();
    return service.toBuilder()
        .networkConfiguration(Networks.shown(service.networkConfiguration()))
        .deployments(deployments)
        .taskSets(TaskSets.of(tx, service, tasks))
        .currentServiceRevisions(
            deployments.stream()
                .map(deployment -> Revisions.current(service.serviceArn(), deployment))
                .toList())
        .runningCount(running(tasks))
        .pendingCount(tasks.size() - running(tasks))
        .build();
  }

  static int running(List<TaskRecord> tasks) {
    return (int) tasks.stream().filter(task -> task.status() == TaskStatus.RUNNING).count();
  }

  private static NetworkConfiguration network(AwsVpcConfiguration configuration) {
    return NetworkConfiguration.builder().awsvpcConfiguration(configuration).build();
  }
}
