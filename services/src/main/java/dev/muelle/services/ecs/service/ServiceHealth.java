package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.service.Rollout.Health;
import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.HealthStatus;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/**
 * How a service's tasks stand, at one moment: running, healthy by their containers' own checks, and
 * healthy in every target group that they are registered with. After the grace period those that
 * are not are to be replaced.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html">Service
 *     load balancing</a>
 */
final class ServiceHealth {

  private static final String FAILED_TARGET_CHECKS = "Task failed ELB health checks";
  private static final String FAILED_CONTAINER_CHECKS = "Task failed container health checks";

  private final Map<String, Map<String, TargetHealthDescription>> targets;
  private final Set<String> checked;
  private final int grace;
  private final Function<Instant, Duration> running;
  private final Map<String, String> complaints = new HashMap<>();

  /**
   * A moment's health.
   *
   * @param targets of each target group, by {@code address:port}
   * @param checked ARNs of the task definitions with an essential container that is checked
   * @param running how long ago a task's start was
   */
  ServiceHealth(
      Map<String, Map<String, TargetHealthDescription>> targets,
      Set<String> checked,
      Service service,
      Function<Instant, Duration> running) {
    this.targets = targets;
    this.checked = checked;
    this.grace = Objects.requireNonNullElse(service.healthCheckGracePeriodSeconds(), 0);
    this.running = running;
  }

  /** Asks for the targets of each of these groups, by {@code address:port}. */
  static Map<String, Map<String, TargetHealthDescription>> targets(
      ElasticLoadBalancingV2Client elb, Collection<String> groups) {
    Map<String, Map<String, TargetHealthDescription>> all = new HashMap<>();
    for (String arn : groups) {
      Map<String, TargetHealthDescription> group = new HashMap<>();
      try {
        elb.describeTargetHealth(request -> request.targetGroupArn(arn))
            .targetHealthDescriptions()
            .forEach(
                target -> group.put(target.target().id() + ":" + target.target().port(), target));
      } catch (TargetGroupNotFoundException e) {
        // Deleted under the service: none of its tasks can become healthy in it.
      }
      all.put(arn, group);
    }
    return all;
  }

  /** Whether a task is healthy only once its containers' checks say so. */
  static boolean isChecked(TaskDefinition definition) {
    return definition.containerDefinitions().stream()
        .anyMatch(c -> c.healthCheck() != null && Boolean.TRUE.equals(c.essential()));
  }

  Member member(TaskRecord task) {
    Health health = task.status() == TaskStatus.RUNNING ? Health.HEALTHY : Health.WAITING;
    String failure = "";
    if (health == Health.HEALTHY && checked.contains(task.task().taskDefinitionArn())) {
      HealthStatus status = task.task().healthStatus();
      if (status == HealthStatus.UNHEALTHY && graceIsOver(task)) {
        health = Health.UNHEALTHY;
        failure = FAILED_CONTAINER_CHECKS;
        complaints.put(task.id(), "(task " + task.id() + ") failed container health checks.");
      } else if (status != HealthStatus.HEALTHY) {
        health = Health.WAITING;
      }
    }
    if (health == Health.HEALTHY) {
      for (LoadBalancer balancer : task.targets()) {
        Map<String, TargetHealthDescription> group =
            targets.getOrDefault(balancer.targetGroupArn(), Map.of());
        TargetHealthDescription seen =
            Targets.names(task, balancer)
                .map(group::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        Health there = inGroup(task, seen);
        if (there == Health.UNHEALTHY) {
          health = there;
          failure = FAILED_TARGET_CHECKS + " in (target-group " + balancer.targetGroupArn() + ")";
          complaints.put(task.id(), complaint(balancer, Objects.requireNonNull(seen)));
          break;
        }
        if (there.compareTo(health) < 0) {
          health = there;
        }
      }
    }
    return new Member(
        task.id(),
        Objects.requireNonNullElse(task.task().startedBy(), ""),
        Objects.requireNonNullElse(task.task().availabilityZone(), ""),
        health,
        failure,
        task.task().createdAt());
  }

  private Health inGroup(TaskRecord task, @Nullable TargetHealthDescription seen) {
    TargetHealthStateEnum state = seen == null ? null : seen.targetHealth().state();
    if (state == TargetHealthStateEnum.HEALTHY) {
      return Health.HEALTHY;
    }
    if (state == TargetHealthStateEnum.UNHEALTHY) {
      return graceIsOver(task) ? Health.UNHEALTHY : Health.CHECKING;
    }
    return state == TargetHealthStateEnum.INITIAL ? Health.CHECKING : Health.WAITING;
  }

  private static String complaint(LoadBalancer balancer, TargetHealthDescription seen) {
    String why =
        Objects.requireNonNullElse(seen.targetHealth().description(), "Health checks failed");
    return "(port "
        + balancer.containerPort()
        + ") is unhealthy in (target-group "
        + balancer.targetGroupArn()
        + ") due to (reason "
        + why
        + ")";
  }

  private boolean graceIsOver(TaskRecord task) {
    Instant started = task.task().startedAt();
    return started != null && running.apply(started).toSeconds() >= grace;
  }

  /** What the service says of a task that failed its checks; empty of any other. */
  Optional<String> complaint(String taskId) {
    return Optional.ofNullable(complaints.get(taskId));
  }
}
