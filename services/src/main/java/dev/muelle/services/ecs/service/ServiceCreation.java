package dev.muelle.services.ecs.service;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.Traffic;
import dev.muelle.services.ecs.task.ClientTokens;
import dev.muelle.services.ecs.task.ExecSessions;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.PlacementRules;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.CreateServiceResponse;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.PropagateTags;
import software.amazon.awssdk.services.ecs.model.SchedulingStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * How a service comes to be.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html">
 *     CreateService</a>
 */
public final class ServiceCreation {

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

  /**
   * The client token of the call that made a service, keyed as the service.
   *
   * @param request what was asked for, as a digest
   */
  private record Token(String given, @Nullable String request) {}

  private static final Table<Token> TOKENS =
      Table.of("ecs.service_tokens", StoredJson.codec(Token.class));

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Deployments deployments;
  private final ClusterNames clusters;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final CapacityProviders providers;
  private final BalancerRules balancers;
  private final Alarms alarms;

  public ServiceCreation(
      Scope scope,
      Store store,
      InstantSource clock,
      Deployments deployments,
      ClusterNames clusters,
      TaskDefinitions definitions,
      Networks networks,
      CapacityProviders providers,
      BalancerRules balancers,
      Alarms alarms) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.deployments = deployments;
    this.clusters = clusters;
    this.definitions = definitions;
    this.networks = networks;
    this.providers = providers;
    this.balancers = balancers;
    this.alarms = alarms;
  }

  public CreateServiceResponse create(CreateServiceRequest request, String caller) {
    Refuse.unlessEffective("CreateService", request, CREATE_MEMBERS);
    if (request.serviceName() == null || !NAME.matcher(request.serviceName()).matches()) {
      throw Refuse.invalid(
          request.serviceName() == null
              ? "Service name can not be blank."
              : "Service name contains invalid characters.");
    }
    ServiceRules.checkController(request.deploymentController());
    ServiceRules.checkGracePeriod(request.healthCheckGracePeriodSeconds());
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    Tags.check(request.tags());
    ClientTokens.check(request.clientToken(), 36);
    alarms.check(
        request.deploymentConfiguration() == null
            ? null
            : request.deploymentConfiguration().alarms());
    store.read(tx -> clusters.active(tx, request.cluster()));
    return ServiceRecord.external(request.deploymentController())
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
      ServiceRules.checkDaemon(ec2, strategy, request.desiredCount(), request.placementStrategy());
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
    balancers.ofDeployments(request.loadBalancers(), definition, Traffic.shifted(configuration));
    ExecSessions.check(request.enableExecuteCommand(), definition, ServiceRules.noRole("created"));
    ServiceRules.checkGracePeriod(request.healthCheckGracePeriodSeconds(), request.loadBalancers());
    AwsVpcConfiguration vpc = networks.check(definition, request.networkConfiguration());
    Tasks.checkPlace(ec2, definition, vpc);
    return insert(
        request,
        caller,
        (tx, base) ->
            deployments.begin(
                tx,
                ServiceRecord.of(
                    base.desiredCount(desired)
                        .launchType(
                            !strategy.isEmpty() ? null : ec2 ? LaunchType.EC2 : LaunchType.FARGATE)
                        .capacityProviderStrategy(strategy)
                        .platformVersion(
                            ec2
                                ? null
                                : Objects.requireNonNullElse(request.platformVersion(), "LATEST"))
                        .platformFamily(ec2 ? null : "Linux")
                        .taskDefinition(definition.taskDefinitionArn())
                        .deploymentConfiguration(configuration)
                        .networkConfiguration(ServiceRules.network(vpc))
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
    Refuse.unlessAllowed(request, EXTERNAL_MEMBERS, ServiceRules::ofTaskSets);
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
    Token token =
        new Token(
            Objects.requireNonNullElse(request.clientToken(), ""),
            ClientTokens.digest(
                CreateServiceRequest.class, request.toBuilder().tags(List.<Tag>of()).build()));
    Service created =
        store.write(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          String key = ServiceRecord.key(cluster.clusterName(), request.serviceName());
          Optional<ServiceRecord> present = tx.get(ServiceRecord.TABLE, key).map(Row::value);
          if (present.isPresent()) {
            boolean same =
                request.clientToken() != null
                    && tx.get(TOKENS, key).filter(row -> row.value().equals(token)).isPresent();
            switch (present.get().service().status()) {
              case ServiceRecord.ACTIVE -> {
                if (same) {
                  return Services.counted(tx, present.get().service());
                }
                throw Refuse.invalid("Creation of service was not idempotent.");
              }
              case ServiceRecord.DRAINING ->
                  throw Refuse.invalid("Unable to Start a service that is still Draining.");
              default -> {} // INACTIVE: its name is free
            }
          }
          ServiceRecord record = make.apply(tx, base(request, cluster, caller));
          tx.put(ServiceRecord.TABLE, key, record);
          if (request.clientToken() == null) {
            tx.delete(TOKENS, key);
          } else {
            tx.put(TOKENS, key, token);
          }
          return Services.counted(tx, record.service());
        });
    return CreateServiceResponse.builder().service(created).build();
  }

  private Service.Builder base(CreateServiceRequest request, Cluster cluster, String caller) {
    return Service.builder()
        .serviceArn(
            scope.arn("ecs", "service/" + cluster.clusterName() + "/" + request.serviceName()))
        .serviceName(request.serviceName())
        .clusterArn(cluster.clusterArn())
        .status(ServiceRecord.ACTIVE)
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
}
