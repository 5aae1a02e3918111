package dev.muelle.services.ecs.state;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CanaryConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DeploymentStrategy;
import software.amazon.awssdk.services.ecs.model.LinearConfiguration;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentLifecycleStage;

/**
 * Where a service stands whose traffic is shifted from one deployment to the next: pure.
 *
 * @param from the deployment that gets what the primary one does not; null if there is none
 * @param percent of the production traffic that the primary deployment gets
 * @param since when the stage began, or the percentage last changed
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html">How
 *     blue/green deployments work</a>
 */
public record Traffic(
    ServiceDeploymentLifecycleStage stage, @Nullable String from, double percent, Instant since) {

  private static final double ALL = 100;

  /** Before the new primary deployment's tasks are there, all stays where it is. */
  public static Traffic begin(@Nullable String from, double percent, Instant now) {
    return new Traffic(ServiceDeploymentLifecycleStage.SCALE_UP, from, percent, now);
  }

  /** The deployment that carries the production traffic; null if none does. */
  public @Nullable String carrier(String primary) {
    return percent >= ALL ? primary : from;
  }

  public boolean cleaning() {
    return stage == ServiceDeploymentLifecycleStage.CLEAN_UP;
  }

  /** Nothing is left of what was before. */
  public Traffic whole() {
    return new Traffic(stage, null, ALL, since);
  }

  /**
   * The next step, once the load balancer does what this one says.
   *
   * @param scaledUp whether the primary deployment's tasks are all healthy
   * @param back whether it is a rollback, which does not dawdle
   */
  public Traffic next(DeploymentConfiguration how, boolean scaledUp, boolean back, Instant now) {
    boolean first = from == null;
    return switch (stage) {
      case SCALE_UP ->
          scaledUp ? at(ServiceDeploymentLifecycleStage.TEST_TRAFFIC_SHIFT, percent, now) : this;
      case TEST_TRAFFIC_SHIFT ->
          at(
              ServiceDeploymentLifecycleStage.PRODUCTION_TRAFFIC_SHIFT,
              first || back ? ALL : more(how, 0),
              now);
      case PRODUCTION_TRAFFIC_SHIFT -> {
        if (percent >= ALL) {
          yield at(ServiceDeploymentLifecycleStage.BAKE_TIME, ALL, now);
        }
        yield now.isBefore(since.plus(pause(how))) ? this : at(stage, more(how, percent), now);
      }
      case BAKE_TIME -> {
        Duration bake = first || back ? Duration.ZERO : Duration.ofMinutes(how.bakeTimeInMinutes());
        yield now.isBefore(since.plus(bake))
            ? this
            : at(ServiceDeploymentLifecycleStage.CLEAN_UP, ALL, now);
      }
      case CLEAN_UP -> this;
      // Stages of lifecycle hooks, which are refused.
      case RECONCILE_SERVICE,
          PRE_SCALE_UP,
          POST_SCALE_UP,
          POST_TEST_TRAFFIC_SHIFT,
          POST_PRODUCTION_TRAFFIC_SHIFT,
          UNKNOWN_TO_SDK_VERSION ->
          throw new IllegalStateException(toString());
    };
  }

  private Traffic at(ServiceDeploymentLifecycleStage next, double share, Instant now) {
    return new Traffic(next, from, share, now);
  }

  private static double more(DeploymentConfiguration how, double had) {
    return switch (how.strategy()) {
      case LINEAR -> Math.min(ALL, had + how.linearConfiguration().stepPercent());
      case CANARY -> had == 0 ? how.canaryConfiguration().canaryPercent() : ALL;
      case BLUE_GREEN, ROLLING, UNKNOWN_TO_SDK_VERSION -> ALL;
    };
  }

  private static Duration pause(DeploymentConfiguration how) {
    return Duration.ofMinutes(
        how.strategy() == DeploymentStrategy.LINEAR
            ? how.linearConfiguration().stepBakeTimeInMinutes()
            : how.canaryConfiguration().canaryBakeTimeInMinutes());
  }

  public static boolean shifted(@Nullable DeploymentConfiguration how) {
    return how != null && how.strategy() != null && how.strategy() != DeploymentStrategy.ROLLING;
  }

  /**
   * The configuration of a strategy that shifts traffic, checked and completed.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html">DeploymentConfiguration</a>
   */
  public static DeploymentConfiguration completed(DeploymentConfiguration given) {
    DeploymentConfiguration.Builder how =
        given.toBuilder()
            .bakeTimeInMinutes(minutes("bakeTimeInMinutes", given.bakeTimeInMinutes(), 15));
    LinearConfiguration linear = given.linearConfiguration();
    CanaryConfiguration canary = given.canaryConfiguration();
    refuse(linear != null && given.strategy() != DeploymentStrategy.LINEAR, "linearConfiguration");
    refuse(canary != null && given.strategy() != DeploymentStrategy.CANARY, "canaryConfiguration");
    if (given.strategy() == DeploymentStrategy.LINEAR) {
      Double percent = linear == null ? null : linear.stepPercent();
      Integer pause = linear == null ? null : linear.stepBakeTimeInMinutes();
      how.linearConfiguration(l ->
          l.stepPercent(percent("stepPercent", percent, 10, 3))
              .stepBakeTimeInMinutes(minutes("stepBakeTimeInMinutes", pause, 6)));
    }
    if (given.strategy() == DeploymentStrategy.CANARY) {
      Double percent = canary == null ? null : canary.canaryPercent();
      Integer pause = canary == null ? null : canary.canaryBakeTimeInMinutes();
      how.canaryConfiguration(c ->
          c.canaryPercent(percent("canaryPercent", percent, 5, 0.1))
              .canaryBakeTimeInMinutes(minutes("canaryBakeTimeInMinutes", pause, 10)));
    }
    return how.build();
  }

  private static void refuse(boolean misplaced, String member) {
    if (misplaced) {
      throw Refuse.invalid(member + " is not valid for this deployment strategy.");
    }
  }

  private static int minutes(String member, @Nullable Integer given, int otherwise) {
    int minutes = Objects.requireNonNullElse(given, otherwise);
    if (minutes < 0 || minutes > 1440) {
      throw Refuse.invalid(member + " must be between 0 and 1440.");
    }
    return minutes;
  }

  private static double percent(
      String member, @Nullable Double given, double otherwise, double least) {
    double percent = Objects.requireNonNullElse(given, otherwise);
    boolean tenths = Math.abs(percent * 10 - Math.rint(percent * 10)) < 1e-6;
    if (!(percent >= least && percent <= ALL && tenths)) {
      throw Refuse.invalid(member + " must be a multiple of 0.1 between " + least + " and 100.0.");
    }
    return percent;
  }
}
