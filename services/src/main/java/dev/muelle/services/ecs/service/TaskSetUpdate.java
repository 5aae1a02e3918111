package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.service.Rollout.Plan;
import dev.muelle.services.ecs.service.ServiceTasks.Kind;
import dev.muelle.services.ecs.service.ServiceTasks.Started;
import dev.muelle.services.ecs.service.Situation.Step;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.store.Tx;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.StabilityStatus;
import software.amazon.awssdk.services.ecs.model.TaskSet;

/** One look's work for a service that somebody else deploys: each task set has its tasks. */
final class TaskSetUpdate {

  private final Ids ids;
  private final ServiceTasks tasks;

  TaskSetUpdate(Ids ids, ServiceTasks tasks) {
    this.ids = ids;
    this.tasks = tasks;
  }

  Step step(Tx tx, ServiceRecord before, boolean held, Situation seen) {
    ServiceRecord record = before;
    boolean settled = true;
    for (TaskSet set : TaskSets.all(tx, before.key())) {
      boolean draining = set.status().equals(TaskSets.DRAINING);
      if (draining && !seen.used(set.id())) {
        tx.delete(TaskSets.TABLE, TaskSets.key(set));
        continue;
      }
      Step step = step(tx, record, set, held && !draining, seen);
      record = step.record();
      settled &= step.settled() && !draining;
    }
    return new Step(record, settled);
  }

  private Step step(Tx tx, ServiceRecord before, TaskSet set, boolean held, Situation seen) {
    int desired = TaskSets.computed(before.service().desiredCount(), set.scale());
    DeploymentConfiguration rules = before.service().deploymentConfiguration();
    Plan plan =
        Rollout.plan(
            new Rollout.Want(
                desired, rules.minimumHealthyPercent(), rules.maximumPercent(), set.id(), held),
            seen.membersOf(set.id()),
            seen.shielded());
    Kind kind = Kind.of(set);
    ServiceRecord record = tasks.stop(tx, before, plan.stop(), seen, set.id(), "");
    if (plan.start() > 0) {
      Started started = tasks.start(tx, record, kind, plan.start(), seen.zones(), seen);
      record = tasks.saying(record, kind, started, seen);
    }
    boolean steady = plan.settled();
    boolean wasSteady = set.stabilityStatus() == StabilityStatus.STEADY_STATE;
    if (steady && !wasSteady) {
      record = record.withEvent(ids.uuid(), seen.now(), set.id(), ServiceRecord.STEADY);
    }
    if (steady != wasSteady || desired != set.computedDesiredCount()) {
      TaskSet next =
          set.toBuilder()
              .computedDesiredCount(desired)
              .stabilityStatus(steady ? StabilityStatus.STEADY_STATE : StabilityStatus.STABILIZING)
              .stabilityStatusAt(steady == wasSteady ? set.stabilityStatusAt() : seen.now())
              .updatedAt(seen.now())
              .build();
      tx.put(TaskSets.TABLE, TaskSets.key(set), next);
    }
    return new Step(record, plan.settled());
  }
}
