package dev.muelle.services.ecs.placement;

/**
 * A rule that an instance must follow to be chosen.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-constraints.html">Task
 *     placement constraints</a>
 */
public sealed interface Constraint {

  /** No other task of the group may be on the instance. */
  record DistinctInstance() implements Constraint {}

  /** The instance must be one that the query selects. */
  record MemberOf(ClusterQuery query) implements Constraint {}
}
