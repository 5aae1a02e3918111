package dev.muelle.services.ecs.state;

/**
 * A task's life, which only advances.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html">Task
 *     lifecycle</a>
 */
public enum TaskStatus {
  PROVISIONING,
  PENDING,
  ACTIVATING,
  RUNNING,
  DEACTIVATING,
  STOPPING,
  DEPROVISIONING,
  STOPPED;

  /** Whether DescribeServices counts it as pending. */
  public boolean pending() {
    return compareTo(RUNNING) < 0;
  }
}
