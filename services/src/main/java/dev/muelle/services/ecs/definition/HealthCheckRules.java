package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.HealthCheck;

/**
 * What a container's health check may be.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html">HealthCheck</a>
 */
final class HealthCheckRules {

  private static final int DEFAULT_INTERVAL = 30; // s
  private static final int DEFAULT_TIMEOUT = 5;
  private static final int DEFAULT_RETRIES = 3;

  private HealthCheckRules() {}

  /** Refuses what ECS refuses. */
  static void check(ContainerDefinition definition) {
    HealthCheck check = definition.healthCheck();
    if (check == null) {
      return;
    }
    String first = check.command().isEmpty() ? "" : check.command().getFirst();
    if (check.command().size() < 2 || !(first.equals("CMD") || first.equals("CMD-SHELL"))) {
      throw Refuse.client(
          "Invalid health check command for container '"
              + definition.name()
              + "': it starts with CMD or CMD-SHELL, and says what to run.");
    }
    range(definition, "interval", check.interval(), 5, 300);
    range(definition, "timeout", check.timeout(), 2, 60);
    range(definition, "retries", check.retries(), 1, 10);
    range(definition, "startPeriod", check.startPeriod(), 0, 300);
  }

  private static void range(
      ContainerDefinition definition, String name, @Nullable Integer value, int min, int max) {
    if (value != null && (value < min || value > max)) {
      throw Refuse.client(
          "Invalid health check "
              + name
              + " for container '"
              + definition.name()
              + "': "
              + value
              + ". It must be between "
              + min
              + " and "
              + max
              + ".");
    }
  }

  /** With the defaults, as ECS describes it. */
  static @Nullable HealthCheck complete(@Nullable HealthCheck check) {
    return check == null
        ? null
        : check.toBuilder()
            .interval(Objects.requireNonNullElse(check.interval(), DEFAULT_INTERVAL))
            .timeout(Objects.requireNonNullElse(check.timeout(), DEFAULT_TIMEOUT))
            .retries(Objects.requireNonNullElse(check.retries(), DEFAULT_RETRIES))
            .build();
  }
}
