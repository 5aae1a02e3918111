package dev.muelle.services.applicationautoscaling;

import java.util.Optional;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.Service;

/** The capacity of what is scaled, as ECS tells and changes it. */
record Capacities(EcsClient ecs) {

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
    try {
      return ecs
          .describeServices(r -> r.cluster(key.cluster()).services(key.service()))
          .services()
          .stream()
          .filter(service -> "ACTIVE".equals(service.status()))
          .findFirst()
          .map(Capacities::capacity);
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

  void set(TargetKey key, int desired) {
    ecs.updateService(r -> r.cluster(key.cluster()).service(key.service()).desiredCount(desired));
  }
}
