package dev.muelle.services.applicationautoscaling;

import dev.muelle.services.RequestLabel;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/** The capacity of what is scaled, as ECS tells and changes it. */
record Capacities(EcsClient ecs, ElasticLoadBalancingV2Client elb) {

  /**
   * A service's tasks.
   *
   * @param deploying whether a deployment is under way: "Application Auto Scaling turns off
   *     scale-in processes while Amazon ECS deployments are in progress"
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html">Automatically
   *     scale your Amazon ECS service</a>
   */
  record Capacity(int desired, int running, int pending, boolean deploying) {
    boolean fulfils(int wanted) {
      return desired == wanted && running == wanted && pending == 0;
    }
  }

  /** Empty if there is no such service. */
  Optional<Capacity> of(TargetKey key) {
    return service(key).map(Capacities::capacity);
  }

  private Optional<Service> service(TargetKey key) {
    try {
      return ecs
          .describeServices(r -> r.cluster(key.cluster()).services(key.service()))
          .services()
          .stream()
          .filter(service -> "ACTIVE".equals(service.status()))
          .findFirst();
    } catch (ClusterNotFoundException e) {
      return Optional.empty();
    }
  }

  private static Capacity capacity(Service service) {
    boolean deploying =
        service.deployments().size() > 1
            || service.deployments().stream()
                .anyMatch(d -> d.rolloutState() == DeploymentRolloutState.IN_PROGRESS);
    return new Capacity(
        service.desiredCount(), service.runningCount(), service.pendingCount(), deploying);
  }

  /**
   * Refuses requests that are not the service's own.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html">PredefinedMetricSpecification</a>:
   *     "You can't specify a resource label unless the target group is attached to the ... Amazon
   *     ECS service."
   */
  void mustCount(TargetKey key, RequestLabel label) {
    String arn =
        service(key)
            .flatMap(service -> label.among(targetGroups(service)))
            .orElseThrow(() -> Refuse.invalid("Target group not attached to the ECS service"));
    if (!label.routed(elb, arn)) {
      throw Refuse.invalid(RequestLabel.NOT_ROUTED);
    }
  }

  /** Those of its task sets, too, and those that wait for the next revision. */
  private static Set<String> targetGroups(Service service) {
    return Stream.concat(
            service.loadBalancers().stream(),
            service.taskSets().stream().flatMap(set -> set.loadBalancers().stream()))
        .flatMap(one ->
            one.advancedConfiguration() == null
                ? Stream.of(one.targetGroupArn())
                : Stream.of(
                    one.targetGroupArn(), one.advancedConfiguration().alternateTargetGroupArn()))
        .filter(Objects::nonNull)
        .collect(Collectors.toSet());
  }

  void set(TargetKey key, int desired) {
    ecs.updateService(r -> r.cluster(key.cluster()).service(key.service()).desiredCount(desired));
  }
}
