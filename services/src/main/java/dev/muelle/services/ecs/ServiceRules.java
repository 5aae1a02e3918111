package dev.muelle.services.ecs;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.DeploymentStrategy;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.PlacementStrategyType;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * What a service may be: checks what requests bring, and fills in what they leave out.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html">CreateService</a>
 */
final class ServiceRules {

  private static final int MAX_DESIRED = 5_000;
  private static final Set<String> ROLLING =
      Set.of(
          "strategy",
          "minimumHealthyPercent",
          "maximumPercent",
          "deploymentCircuitBreaker",
          "alarms");
  private static final Set<String> SHIFTED =
      Set.of(
          "strategy",
          "minimumHealthyPercent",
          "maximumPercent",
          "deploymentCircuitBreaker",
          "alarms",
          "bakeTimeInMinutes",
          "linearConfiguration",
          "canaryConfiguration");
  private static final String ZONE = "attribute:ecs.availability-zone";

  private final ElasticLoadBalancingV2Client elb;
  private final ListenerRules listenerRules;

  ServiceRules(ElasticLoadBalancingV2Client elb) {
    this.elb = elb;
    this.listenerRules = new ListenerRules(elb);
  }

  static int desired(int count) {
    if (count < 0 || count > MAX_DESIRED) {
      throw Refuse.invalid("desiredCount must be between 0 and 5000.");
    }
    return count;
  }

  static void checkController(@Nullable DeploymentController controller) {
    if (controller != null
        && controller.type() != DeploymentControllerType.ECS
        && controller.type() != DeploymentControllerType.EXTERNAL) {
      throw Refuse.invalid(
          "Deployment controller type "
              + controller.typeAsString()
              + " is not supported by this region yet: use ECS or EXTERNAL.");
    }
  }

  static boolean external(@Nullable DeploymentController controller) {
    return controller != null && controller.type() == DeploymentControllerType.EXTERNAL;
  }

  /** How many tasks a daemon has and where they are is not the caller's to say. */
  static void checkDaemon(
      boolean onInstances, @Nullable Integer desired, List<PlacementStrategy> strategy) {
    if (!onInstances) {
      throw Refuse.invalid("DAEMON scheduling strategy is not supported for FARGATE launch type.");
    }
    if (desired != null) {
      throw Refuse.invalid(
          "The daemon scheduling strategy does not support a desired count for services. Remove"
              + " the desired count value and try again");
    }
    if (!strategy.isEmpty()) {
      throw Refuse.invalid(
          "The daemon scheduling strategy does not support a placement strategy for services."
              + " Remove the placement strategy and try again");
    }
  }

  /**
   * Whether ECS keeps the zones balanced.
   *
   * @param otherwise if nothing is said, as far as the service allows it; null for not
   */
  static AvailabilityZoneRebalancing rebalancing(
      @Nullable AvailabilityZoneRebalancing given,
      @Nullable AvailabilityZoneRebalancing otherwise,
      boolean daemon,
      DeploymentConfiguration configuration,
      List<PlacementStrategy> strategy,
      List<PlacementConstraint> constraints) {
    String against = null;
    if (daemon) {
      against = "the DAEMON scheduling strategy";
    } else if (Traffic.shifted(configuration)) {
      against = "the deployment strategy " + configuration.strategyAsString();
    } else if (configuration.maximumPercent() <= 100) {
      against = "a maximumPercent of 100";
    } else if (!strategy.isEmpty()
        && (strategy.getFirst().type() != PlacementStrategyType.SPREAD
            || !ZONE.equals(strategy.getFirst().field()))) {
      against = "a first placement strategy other than spread by " + ZONE;
    } else if (constraints.stream()
        .anyMatch(c -> c.expression() != null && c.expression().contains(ZONE))) {
      against = "the placement constraint " + ZONE;
    }
    if (given == AvailabilityZoneRebalancing.ENABLED && against != null) {
      throw Refuse.invalid("Availability Zone rebalancing does not support " + against + ".");
    }
    if (given == AvailabilityZoneRebalancing.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid("availabilityZoneRebalancing must be ENABLED or DISABLED.");
    }
    AvailabilityZoneRebalancing wanted = given == null ? otherwise : given;
    return wanted == AvailabilityZoneRebalancing.ENABLED && against == null
        ? AvailabilityZoneRebalancing.ENABLED
        : AvailabilityZoneRebalancing.DISABLED;
  }

  /**
   * The configuration as a request brings it, completed by what was before and by the defaults.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html">DeploymentConfiguration</a>
   */
  static DeploymentConfiguration configuration(
      @Nullable DeploymentConfiguration wanted,
      @Nullable DeploymentConfiguration before,
      boolean daemon) {
    DeploymentConfiguration given =
        wanted == null ? DeploymentConfiguration.builder().build() : wanted;
    boolean shifted = Traffic.shifted(given.strategy() == null ? before : given);
    Refuse.unlessEffective("DeploymentConfiguration", given, shifted ? SHIFTED : ROLLING);
    if (given.strategy() == DeploymentStrategy.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid("Invalid deployment strategy: " + given.strategyAsString());
    }
    if (shifted && daemon) {
      throw Refuse.invalid(
          "The DAEMON scheduling strategy supports only the ROLLING deployment strategy.");
    }
    if (!shifted && Traffic.shifted(before)) {
      throw Refuse.invalid(
          "Changing the deployment strategy to ROLLING is not supported by this region yet.");
    }
    int minimum =
        first(
            given.minimumHealthyPercent(),
            before == null ? null : before.minimumHealthyPercent(),
            daemon ? 0 : 100);
    int maximum =
        first(
            given.maximumPercent(),
            before == null ? null : before.maximumPercent(),
            daemon ? 100 : 200);
    if (minimum < 0 || minimum > 100) {
      throw Refuse.invalid("minimumHealthyPercent must be between 0 and 100.");
    }
    if (maximum < 100 || maximum > 200) {
      throw Refuse.invalid("maximumPercent must be between 100 and 200.");
    }
    if (daemon && maximum > 100) {
      throw Refuse.invalid(
          "The daemon scheduling strategy does not support a maximumPercent above 100.");
    }
    if (minimum == 100 && maximum == 100) {
      throw Refuse.invalid(
          "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block"
              + " deployments.");
    }
    DeploymentCircuitBreaker breaker =
        given.deploymentCircuitBreaker() != null
            ? given.deploymentCircuitBreaker()
            : before == null ? null : before.deploymentCircuitBreaker();
    DeploymentAlarms watching =
        given.alarms() != null ? given.alarms() : before == null ? null : before.alarms();
    DeploymentConfiguration.Builder completed =
        DeploymentConfiguration.builder()
            .minimumHealthyPercent(minimum)
            .maximumPercent(maximum)
            .deploymentCircuitBreaker(
                breaker == null
                    ? DeploymentCircuitBreaker.builder().enable(false).rollback(false).build()
                    : breaker)
            .alarms(watching)
            .strategy(DeploymentStrategy.ROLLING);
    if (!shifted) {
      return completed.build();
    }
    DeploymentStrategy strategy =
        given.strategy() == null ? Objects.requireNonNull(before).strategy() : given.strategy();
    DeploymentConfiguration same = // what is left out goes on as it was
        before != null && strategy == before.strategy()
            ? before
            : DeploymentConfiguration.builder().build();
    return Traffic.completed(
        completed
            .strategy(strategy)
            .bakeTimeInMinutes(
                given.bakeTimeInMinutes() == null
                    ? same.bakeTimeInMinutes()
                    : given.bakeTimeInMinutes())
            .linearConfiguration(
                given.linearConfiguration() == null
                    ? same.linearConfiguration()
                    : given.linearConfiguration())
            .canaryConfiguration(
                given.canaryConfiguration() == null
                    ? same.canaryConfiguration()
                    : given.canaryConfiguration())
            .build());
  }

  private static int first(@Nullable Integer given, @Nullable Integer before, int otherwise) {
    return given != null ? given : before != null ? before : otherwise;
  }

  /** Also how they are deployed: a shift of traffic needs to know where to. */
  void checkLoadBalancers(
      List<LoadBalancer> balancers, TaskDefinition definition, boolean shifted) {
    for (LoadBalancer balancer : balancers) {
      AdvancedConfiguration advanced = balancer.advancedConfiguration();
      if (shifted && advanced == null) {
        throw Refuse.invalid(
            "The deployment strategies BLUE_GREEN, LINEAR and CANARY need advancedConfiguration in"
                + " each load balancer.");
      }
      if (!shifted && advanced != null) {
        throw Refuse.invalid(
            "advancedConfiguration is valid only for the deployment strategies BLUE_GREEN, LINEAR"
                + " and CANARY.");
      }
    }
    checkLoadBalancers(balancers, definition);
    for (LoadBalancer balancer : balancers) {
      if (balancer.advancedConfiguration() != null) {
        checkAdvanced(
            balancer.targetGroupArn(), balancer.advancedConfiguration(), definition.networkMode());
      }
    }
  }

  private void checkAdvanced(String group, AdvancedConfiguration advanced, NetworkMode mode) {
    String alternate = advanced.alternateTargetGroupArn();
    if (alternate == null || alternate.isEmpty() || alternate.equals(group)) {
      throw Refuse.invalid(
          "advancedConfiguration.alternateTargetGroupArn must be another target group than "
              + group
              + ".");
    }
    if (advanced.roleArn() == null || advanced.roleArn().isEmpty()) {
      throw Refuse.invalid("advancedConfiguration.roleArn can not be blank.");
    }
    TargetGroup first = group(group, mode);
    if (!group(alternate, mode).vpcId().equals(first.vpcId())) {
      throw Refuse.invalid("Both target groups must be in the same VPC: " + alternate);
    }
    String balancer = first.loadBalancerArns().getFirst();
    listenerRules.check(advanced.productionListenerRule(), "productionListenerRule", balancer);
    if (advanced.testListenerRule() != null) {
      listenerRules.check(advanced.testListenerRule(), "testListenerRule", balancer);
    }
  }

  private void checkLoadBalancers(List<LoadBalancer> balancers, TaskDefinition definition) {
    if (balancers.size() > 5) {
      throw Refuse.invalid("loadBalancers can have at most 5 items.");
    }
    for (LoadBalancer balancer : balancers) {
      Refuse.unlessEffective(
          "LoadBalancer",
          balancer,
          Set.of("targetGroupArn", "containerName", "containerPort", "advancedConfiguration"));
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
      checkTargetGroup(balancer.targetGroupArn(), definition.networkMode());
    }
  }

  private void checkTargetGroup(String arn, NetworkMode mode) {
    if (group(arn, mode).loadBalancerArns().isEmpty()) {
      throw Refuse.invalid(
          "The target group with targetGroupArn "
              + arn
              + " does not have an associated load balancer.");
    }
  }

  private TargetGroup group(String arn, NetworkMode mode) {
    try {
      TargetGroup group =
          elb.describeTargetGroups(request -> request.targetGroupArns(arn))
              .targetGroups()
              .getFirst();
      TargetTypeEnum wanted =
          mode == NetworkMode.AWSVPC ? TargetTypeEnum.IP : TargetTypeEnum.INSTANCE;
      if (group.targetType() != wanted) {
        throw Refuse.invalid(
            "The provided target group "
                + arn
                + " has target type "
                + group.targetTypeAsString()
                + ", which is incompatible with the "
                + mode
                + " network mode specified in the task definition.");
      }
      return group;
    } catch (TargetGroupNotFoundException e) {
      throw Refuse.invalid(
          "Unable to assume role and validate the specified targetGroupArn. The target group "
              + arn
              + " was not found.");
    }
  }
}
