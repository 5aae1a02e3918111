package dev.muelle.services.ecs.definition;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.services.ecs.state.Refuse;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerRestartPolicy;

/**
 * Whether a container that has exited is started again, in its task: pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html">Restart
 *     individual containers in Amazon ECS tasks with container restart policies</a>
 */
public final class Restarts {

  private static final int DEFAULT_PERIOD = 300; // s
  private static final int MIN_PERIOD = 60;
  private static final int MAX_PERIOD = 1800;
  private static final int MAX_CODES = 50;

  private Restarts() {}

  /** Refuses what ECS refuses. */
  static void check(ContainerDefinition definition) {
    ContainerRestartPolicy policy = definition.restartPolicy();
    if (policy == null) {
      return;
    }
    if (policy.enabled() == null) {
      throw invalid(definition, "'enabled' must be specified.");
    }
    Integer period = policy.restartAttemptPeriod();
    if (period != null && (period < MIN_PERIOD || period > MAX_PERIOD)) {
      throw invalid(
          definition,
          "'restartAttemptPeriod' must be between 60 and 1800 seconds, but is " + period + ".");
    }
    if (policy.ignoredExitCodes().size() > MAX_CODES) {
      throw invalid(definition, "'ignoredExitCodes' can have at most 50 exit codes.");
    }
  }

  private static RuntimeException invalid(ContainerDefinition definition, String why) {
    return Refuse.client("Invalid restartPolicy for container '" + definition.name() + "': " + why);
  }

  public static boolean enabled(ContainerDefinition definition) {
    ContainerRestartPolicy policy = definition.restartPolicy();
    return policy != null && Boolean.TRUE.equals(policy.enabled());
  }

  /**
   * Whether to start it again: it exited with a code that counts, after having run for as long as
   * there has to be between two attempts.
   */
  public static boolean wanted(ContainerDefinition definition, @Nullable ContainerStatus status) {
    if (!enabled(definition) || status == null) {
      return false;
    }
    ContainerRestartPolicy policy = definition.restartPolicy();
    return switch (status.state()) {
      case State.Running _ -> false;
      case State.Exited exited -> {
        int period = Objects.requireNonNullElse(policy.restartAttemptPeriod(), DEFAULT_PERIOD);
        Duration ran = Duration.between(exited.startedAt(), exited.finishedAt());
        yield !policy.ignoredExitCodes().contains(exited.exitCode())
            && ran.compareTo(Duration.ofSeconds(period)) >= 0;
      }
    };
  }
}
