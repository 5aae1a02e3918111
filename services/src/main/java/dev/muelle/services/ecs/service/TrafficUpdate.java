package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.service.Rollout.Plan;
import dev.muelle.services.ecs.service.Rollout.Stop;
import dev.muelle.services.ecs.service.ServiceTasks.Kind;
import dev.muelle.services.ecs.service.ServiceTasks.Started;
import dev.muelle.services.ecs.service.Situation.Step;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Traffic;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentRolloutState;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;

/**
 * One look's work for a service that is deployed by shifting its traffic: the new tasks are all
 * there before they get any, and the old ones stay whole until the new ones have proven themselves.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html">Blue/green
 *     deployments</a>
 */
final class TrafficUpdate {

  private final ServiceTasks tasks;

  TrafficUpdate(ServiceTasks tasks) {
    this.tasks = tasks;
  }

  /** Applies one look; {@code applied} says whether the load balancer does what was decided. */
  Step step(Tx tx, ServiceRecord before, boolean held, boolean applied, Situation seen) {
    Traffic traffic = Objects.requireNonNull(before.traffic());
    Step kept = keep(tx, before, before.primary(), held, seen);
    ServiceRecord record = kept.record();
    for (Deployment old : before.service().deployments().stream().skip(1).toList()) {
      if (old.id().equals(traffic.from()) && !traffic.cleaning()) {
        boolean failed = old.rolloutState() == DeploymentRolloutState.FAILED;
        record = keep(tx, record, old, failed, seen).record();
      } else if (applied) {
        record = stop(tx, record, old, seen);
      }
    }
    boolean failed = before.primary().rolloutState() == DeploymentRolloutState.FAILED;
    if (applied && !failed) {
      record = advance(tx, record, traffic, kept.settled(), seen);
    }
    return new Step(record, kept.settled() && applied && traffic.cleaning());
  }

  private static ServiceRecord advance(
      Tx tx, ServiceRecord record, Traffic traffic, boolean scaledUp, Situation seen) {
    Optional<ServiceDeployment> ongoing = ServiceDeployments.ongoing(tx, record.service());
    boolean back =
        ongoing.filter(d -> d.status() == ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS).isPresent();
    Traffic next =
        traffic.next(record.service().deploymentConfiguration(), scaledUp, back, seen.now());
    if (next.equals(traffic)) {
      return record;
    }
    if (ongoing.isPresent()) {
      ServiceDeployments.change(tx, ongoing.get(), d -> d.lifecycleStage(next.stage()), seen.now());
    }
    return record.withTraffic(next);
  }

  /** As many healthy tasks of a deployment as the service is to have. */
  private Step keep(
      Tx tx, ServiceRecord before, Deployment deployment, boolean held, Situation seen) {
    Plan plan =
        Rollout.plan(
            new Rollout.Want(before.service().desiredCount(), 100, 200, deployment.id(), held),
            seen.membersOf(deployment.id()));
    ServiceRecord record = tasks.stop(tx, before, plan.stop(), seen, null, "");
    if (plan.start() > 0) {
      Kind kind = Kind.of(tx, before.service(), deployment);
      Started started = tasks.start(tx, record, kind, plan.start(), seen.zones(), seen);
      record = tasks.saying(record, kind, started, seen);
    }
    return new Step(record, plan.settled());
  }

  private ServiceRecord stop(Tx tx, ServiceRecord record, Deployment old, Situation seen) {
    List<Stop> stops =
        seen.membersOf(old.id()).stream()
            .map(member ->
                new Stop(
                    member.id(), "Scaling activity initiated by (deployment " + old.id() + ")"))
            .toList();
    return tasks.stop(tx, record, stops, seen, null, "");
  }
}
