package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.capacity.CapacityStrategy;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Traffic;
import dev.muelle.services.ecs.task.ExecSessions;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.PlacementRules;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;

/**
 * How a service is changed. What a change of it asks for that its tasks have to be made anew for,
 * begins a deployment.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html">
 *     UpdateService</a>
 */
public final class ServiceUpdates {

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

  private final Store store;
  private final InstantSource clock;
  private final Services services;
  private final Deployments deployments;
  private final TaskDefinitions definitions;
  private final Networks networks;
  private final CapacityProviders providers;
  private final BalancerRules balancers;
  private final Alarms alarms;

  public ServiceUpdates(
      Store store,
      InstantSource clock,
      Services services,
      Deployments deployments,
      TaskDefinitions definitions,
      Networks networks,
      CapacityProviders providers,
      BalancerRules balancers,
      Alarms alarms) {
    this.store = store;
    this.clock = clock;
    this.services = services;
    this.deployments = deployments;
    this.definitions = definitions;
    this.networks = networks;
    this.providers = providers;
    this.balancers = balancers;
    this.alarms = alarms;
  }

  public UpdateServiceResponse update(UpdateServiceRequest request) {
    Refuse.unlessEffective("UpdateService", request, UPDATE_MEMBERS);
    ServiceRules.checkGracePeriod(request.healthCheckGracePeriodSeconds());
    PlacementRules.constraints(request.placementConstraints());
    PlacementRules.strategies(request.placementStrategy(), true);
    alarms.check(
        request.deploymentConfiguration() == null
            ? null
            : request.deploymentConfiguration().alarms());
    ServiceRecord before =
        store.read(tx -> services.active(tx, request.cluster(), request.service()));
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
                ? CapacityStrategy.onInstances(before.service())
                    ? LaunchType.EC2
                    : LaunchType.FARGATE
                : null,
            request.capacityProviderStrategy(),
            request.platformVersion(),
            request.placementConstraints(),
            request.placementStrategy());
    if (ec2 && vpc != null) {
      InstanceTasks.checkNetwork(vpc);
    }
    if (before.daemon()) {
      ServiceRules.checkDaemon(
          true,
          request.capacityProviderStrategy(),
          request.desiredCount(),
          request.placementStrategy());
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
    List<LoadBalancer> targets =
        request.hasLoadBalancers() ? request.loadBalancers() : before.service().loadBalancers();
    boolean shifted =
        Traffic.shifted(
            ServiceRules.configuration(
                request.deploymentConfiguration(),
                before.service().deploymentConfiguration(),
                before.daemon()));
    balancers.ofDeployments(targets, definition, shifted);
    ExecSessions.check(request.enableExecuteCommand(), definition, ServiceRules.noRole("updated"));
    ServiceRules.checkGracePeriod(request.healthCheckGracePeriodSeconds(), targets);
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
                  .networkConfiguration(
                      vpc == null ? old.networkConfiguration() : ServiceRules.network(vpc))
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
                  .launchType(launchType(request, old, ec2))
                  .loadBalancers(request.hasLoadBalancers() ? targets : old.loadBalancers())
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
          if (configuration.strategy() != old.deploymentConfiguration().strategy()) {
            ServiceRules.checkStrategyChange(
                ServiceDeployments.ongoing(tx, old).isPresent(), old.deployments().size());
          }
          boolean redeploy =
              Boolean.TRUE.equals(request.forceNewDeployment())
                  || !service.taskDefinition().equals(old.taskDefinition())
                  || !Objects.equals(service.platformVersion(), old.platformVersion())
                  || !service.networkConfiguration().equals(old.networkConfiguration())
                  || !service.capacityProviderStrategy().equals(old.capacityProviderStrategy())
                  || !service.loadBalancers().equals(old.loadBalancers());
          ServiceRecord changed =
              present
                  .with(s -> service.toBuilder())
                  .withTraffic(Traffic.shifted(configuration) ? present.traffic() : null)
                  .withSteady(false);
          return redeploy
              ? deployments.begin(
                  tx, changed, definitions.in(tx, service.taskDefinition()), clock.instant())
              : changed.rescaled(service.desiredCount(), clock.instant());
        });
  }

  /** An empty strategy takes a service back to the launch type that its providers were of. */
  private static @Nullable LaunchType launchType(
      UpdateServiceRequest request, Service old, boolean ec2) {
    if (!request.hasCapacityProviderStrategy()) {
      return old.launchType();
    }
    if (!request.capacityProviderStrategy().isEmpty()) {
      return null;
    }
    return ec2 ? LaunchType.EC2 : LaunchType.FARGATE;
  }

  /** How many tasks, and how they are watched; all else belongs to the task sets. */
  private UpdateServiceResponse updateExternal(UpdateServiceRequest request) {
    Refuse.unlessAllowed(request, EXTERNAL_UPDATES, ServiceRules::ofTaskSets);
    return change(
        request,
        (tx, present) -> present.with(s -> updated(request, present.service())).withSteady(false));
  }

  private UpdateServiceResponse change(
      UpdateServiceRequest request, BiFunction<Tx, ServiceRecord, ServiceRecord> change) {
    Service updated =
        store.write(tx -> {
          ServiceRecord next =
              change.apply(tx, services.active(tx, request.cluster(), request.service()));
          tx.put(ServiceRecord.TABLE, next.key(), next);
          return Services.counted(tx, next.service());
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
}
