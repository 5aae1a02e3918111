package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.service.Rollout.Member;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What one look at a service found.
 *
 * @param all its tasks that have not stopped
 * @param alive those of them that are to run
 * @param members the same, as the rollout sees them
 * @param shielded ids of those that are protected from scale-in and deployments
 * @param zones of each of the service's subnets
 */
record Situation(
    List<TaskRecord> all,
    List<TaskRecord> alive,
    List<Member> members,
    Set<String> shielded,
    ServiceHealth health,
    Map<String, String> zones,
    Alarms.State alarms,
    Instant now) {

  /** What a look made of the service, and whether there is nothing left to do. */
  record Step(ServiceRecord record, boolean settled) {}

  /** The tasks of one deployment or task set. */
  List<TaskRecord> aliveOf(String startedBy) {
    return alive.stream().filter(task -> startedBy.equals(task.task().startedBy())).toList();
  }

  List<Member> membersOf(String startedBy) {
    Set<String> own = aliveOf(startedBy).stream().map(TaskRecord::id).collect(Collectors.toSet());
    return members.stream().filter(member -> own.contains(member.id())).toList();
  }

  /** Whether a deployment or task set has any task left, be it one that is stopping. */
  boolean used(String startedBy) {
    return all.stream().anyMatch(task -> startedBy.equals(task.task().startedBy()));
  }
}
