package dev.muelle.services.ecs.instance;

import dev.muelle.engine.Engine;
import dev.muelle.services.ecs.state.InstanceRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceHealthStatus;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckResult;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckState;
import software.amazon.awssdk.services.ecs.model.InstanceHealthCheckType;

/**
 * The health check of container instances, CONTAINER_RUNTIME: whether the engine, which is one for
 * all instances of this machine, can start containers. It is asked when somebody wants to know, and
 * at most twice a minute.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-instance-health.html">Container
 *     instance health</a>
 */
final class RuntimeHealth {

  private static final Duration EVERY = Duration.ofSeconds(30);

  private final Engine engine;
  private final InstantSource clock;
  private @Nullable Seen last;

  RuntimeHealth(Engine engine, InstantSource clock) {
    this.engine = engine;
    this.clock = clock;
  }

  /**
   * What the last check found.
   *
   * @param since it has been so
   */
  private record Seen(InstanceHealthCheckState state, Instant at, Instant since) {}

  private synchronized Seen look() {
    Instant now = clock.instant();
    Seen before = last;
    if (before != null && now.isBefore(before.at().plus(EVERY))) {
      return before;
    }
    InstanceHealthCheckState state =
        engine.impairment().isEmpty()
            ? InstanceHealthCheckState.OK
            : InstanceHealthCheckState.IMPAIRED;
    Instant since = before != null && before.state() == state ? before.since() : now;
    Seen seen = new Seen(state, now, since);
    last = seen;
    return seen;
  }

  /** An instance whose agent is not connected tells nothing. */
  ContainerInstanceHealthStatus of(InstanceRecord instance) {
    Seen seen = look();
    boolean connected = Boolean.TRUE.equals(instance.instance().agentConnected());
    InstanceHealthCheckState state =
        connected ? seen.state() : InstanceHealthCheckState.INSUFFICIENT_DATA;
    Instant registered = instance.instance().registeredAt();
    InstanceHealthCheckResult detail =
        InstanceHealthCheckResult.builder()
            .type(InstanceHealthCheckType.CONTAINER_RUNTIME)
            .status(state)
            .lastUpdated(seen.at())
            .lastStatusChange(registered.isAfter(seen.since()) ? registered : seen.since())
            .build();
    return ContainerInstanceHealthStatus.builder().overallStatus(state).details(detail).build();
  }
}
