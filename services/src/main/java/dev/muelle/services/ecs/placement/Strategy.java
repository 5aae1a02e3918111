package dev.muelle.services.ecs.placement;

/**
 * What makes one instance better than another.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-strategies.html">Task
 *     placement strategies</a>
 */
public sealed interface Strategy {

  /** Fewest tasks of the group on the instance: {@code instanceId} or {@code host}. */
  record SpreadInstances() implements Strategy {}

  /** Fewest tasks of the group on all instances with the same value of an attribute. */
  record SpreadAttribute(String attribute) implements Strategy {}

  /** Least CPU left. */
  record BinpackCpu() implements Strategy {}

  /** Least memory left. */
  record BinpackMemory() implements Strategy {}

  record AtRandom() implements Strategy {}
}
