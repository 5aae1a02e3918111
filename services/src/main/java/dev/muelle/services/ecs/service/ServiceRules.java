package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.Traffic;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AvailabilityZoneRebalancing;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem;
import software.amazon.awssdk.services.ecs.model.DeploymentAlarms;
import software.amazon.awssdk.services.ecs.model.DeploymentCircuitBreaker;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentController;
import software.amazon.awssdk.services.ecs.model.DeploymentControllerType;
import software.amazon.awssdk.services.ecs.model.DeploymentStrategy;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.PlacementConstraint;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.PlacementStrategyType;

/**
 * What a service may be: checks what requests bring, and fills in what they leave out.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html">CreateService</a>
 */
final class ServiceRules {

  /**
   * Twice what accounts have at first: AWS raises it on request.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html">Service
   *     quotas: tasks per service</a>
   */
  private static final int MAX_DESIRED = 10_000;

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

  private ServiceRules() {}

  static int desired(int count) {
    if (count < 0 || count > MAX_DESIRED) {
      throw Refuse.invalid("desiredCount must be between 0 and " + MAX_DESIRED + ".");
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
              + " is not supported by this region yet"
              + (controller.type() == DeploymentControllerType.CODE_DEPLOY
                  ? ": it needs AWS CodeDeploy."
                  : "."));
    }
  }

  /** How many tasks a daemon has and where they are is not the caller's to say. */
  static void checkDaemon(
      boolean onInstances,
      List<CapacityProviderStrategyItem> providers,
      @Nullable Integer desired,
      List<PlacementStrategy> strategy) {
    if (!onInstances) {
      throw Refuse.invalid("DAEMON scheduling strategy is not supported for FARGATE launch type.");
    }
    if (!providers.isEmpty()) {
      throw Refuse.invalid(
          "The daemon scheduling strategy does not support a capacity provider strategy for"
              + " services. Remove the capacity provider strategy and try again");
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
    if (shifted && daemon) {
      throw Refuse.invalid(
          "The DAEMON scheduling strategy supports only the ROLLING deployment strategy.");
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

  /**
   * Before a service is deployed in another way, nothing must be under way, and all its traffic
   * must go to one service revision: ECS would try to see to that, and refuse if it cannot.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/migrate-deployment-strategies.html">Update
   *     the Amazon ECS deployment strategy</a>
   */
  static void checkStrategyChange(boolean deploying, int revisions) {
    if (deploying) {
      throw Refuse.invalid(
          "The deployment strategy cannot be changed while a service deployment is in progress.");
    }
    if (revisions > 1) {
      throw Refuse.invalid(
          "The deployment strategy cannot be changed while the service has more than one active"
              + " service revision.");
    }
  }

  /** Seconds, as long as an integer can say. */
  static void checkGracePeriod(@Nullable Integer seconds) {
    if (seconds != null && seconds < 0) {
      throw Refuse.invalid("Health check grace period can not be negative: " + seconds);
    }
  }

  static void checkGracePeriod(@Nullable Integer seconds, List<LoadBalancer> balancers) {
    if (seconds != null && balancers.isEmpty()) {
      throw Refuse.invalid(
          "Health check grace period is only valid for services configured to use load balancers");
    }
  }

  /** Why commands cannot be executed in the tasks of a service that is being {@code done} to. */
  static String noRole(String done) {
    return "The service couldn't be "
        + done
        + " because a valid taskRoleArn is not being used. Specify a valid task role in your task"
        + " definition and try again.";
  }

  static String ofTaskSets(String member) {
    return "The parameter "
        + member
        + " cannot be specified for a service that uses the EXTERNAL deployment controller: use"
        + " task sets.";
  }

  static NetworkConfiguration network(AwsVpcConfiguration configuration) {
    return NetworkConfiguration.builder().awsvpcConfiguration(configuration).build();
  }
}
