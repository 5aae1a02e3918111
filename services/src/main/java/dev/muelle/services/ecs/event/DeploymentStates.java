package dev.muelle.services.ecs.event;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.ecs.state.ServiceRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;

/**
 * What becomes of a service's deployments, as events.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html">Service
 *     deployment state change events</a>
 */
final class DeploymentStates {

  private DeploymentStates() {}

  record State(String type, String name, Deployment deployment) {
    ObjectNode detail(Instant now) {
      return JsonNodeFactory.instance
          .objectNode()
          .put("eventType", type)
          .put("eventName", name)
          .put("deploymentId", deployment.id())
          .put("updatedAt", Details.time(now))
          .put("reason", deployment.rolloutStateReason());
    }
  }

  /** The deployments that came into a state, the failed one before the one that takes its place. */
  static List<State> of(@Nullable ServiceRecord before, ServiceRecord after) {
    Map<String, Deployment> old =
        before == null
            ? Map.of()
            : before.service().deployments().stream()
                .collect(Collectors.toMap(Deployment::id, Function.identity()));
    return after.service().deployments().reversed().stream()
        .filter(deployment -> deployment.rolloutState() != null)
        .filter(deployment -> {
          Deployment was = old.get(deployment.id());
          return was == null || was.rolloutState() != deployment.rolloutState();
        })
        .map(deployment -> state(deployment, deployment.rolloutState()))
        .toList();
  }

  private static State state(Deployment deployment, DeploymentRolloutState state) {
    return switch (state) {
      case COMPLETED -> new State("INFO", "SERVICE_DEPLOYMENT_COMPLETED", deployment);
      case FAILED -> new State("ERROR", "SERVICE_DEPLOYMENT_FAILED", deployment);
      case IN_PROGRESS, UNKNOWN_TO_SDK_VERSION ->
          new State("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", deployment);
    };
  }
}
