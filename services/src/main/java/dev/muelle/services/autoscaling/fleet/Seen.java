package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.state.Member;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/**
 * What a look saw of the world around a group.
 *
 * @param instances by id; one that EC2 does not know is not there
 * @param targets how instances are in target groups, by those groups' ARNs and their own ids
 * @param places where the group may launch
 */
record Seen(
    Map<String, Instance> instances,
    Map<String, Map<String, TargetHealthStateEnum>> targets,
    List<Place> places) {

  private static final Set<InstanceStateName> ALIVE =
      Set.of(InstanceStateName.PENDING, InstanceStateName.RUNNING);

  /** In EC2's eyes; null if it knows nothing of it. */
  private @Nullable InstanceStateName state(Member member) {
    Instance instance = member.id() == null ? null : instances.get(member.id());
    return instance == null ? null : instance.state().name();
  }

  boolean running(Member member) {
    return state(member) == InstanceStateName.RUNNING;
  }

  /** Whether it runs, or is about to. */
  boolean alive(Member member) {
    InstanceStateName state = state(member);
    return state != null && ALIVE.contains(state);
  }

  boolean stopped(Member member) {
    return state(member) == InstanceStateName.STOPPED;
  }

  /** Whether it is alive or stopped, and can be had again. */
  boolean present(Member member) {
    InstanceStateName state = state(member);
    return state != null
        && state != InstanceStateName.SHUTTING_DOWN
        && state != InstanceStateName.TERMINATED;
  }

  /** Whether nothing is left of it. */
  boolean gone(Member member) {
    InstanceStateName state = state(member);
    return state == null || state == InstanceStateName.TERMINATED;
  }

  /** Whether a target group has it, be it that it drains. */
  boolean isTarget(Member member) {
    return targets.values().stream().anyMatch(group -> group.containsKey(member.id()));
  }

  /** Whether a target group has it, and it does not drain. */
  boolean takesTraffic(Member member) {
    return targets.values().stream()
        .map(group -> group.get(member.id()))
        .anyMatch(state -> state != null && state != TargetHealthStateEnum.DRAINING);
  }

  /** Whether all of these target groups have it. */
  boolean isTarget(Member member, List<String> groups) {
    return groups.stream()
        .map(targets::get)
        .allMatch(group ->
            group == null // it is no more
                || (group.containsKey(member.id())
                    && group.get(member.id()) != TargetHealthStateEnum.DRAINING));
  }

  /** Whether a load balancer finds it unhealthy. */
  boolean failsAtBalancer(Member member) {
    return targets.values().stream()
        .anyMatch(group -> group.get(member.id()) == TargetHealthStateEnum.UNHEALTHY);
  }
}
