package dev.muelle.services;

import java.util.Optional;

/** Who groups EC2 instances says what becomes of them, and of which a group's metrics are made. */
@FunctionalInterface
public interface InstanceGroups {

  /** There are no groups. */
  InstanceGroups NONE = instanceId -> Optional.empty();

  /** The Auto Scaling group whose metrics have what this instance carries; empty for none. */
  Optional<String> of(String instanceId);

  /**
   * The state that an instance is on its way to, or in, as its metadata says it; empty for none.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html">Target
   *     lifecycle state</a>
   */
  default Optional<String> target(String instanceId) {
    return Optional.empty();
  }
}
