package dev.muelle.services;

import java.util.Optional;

/** Who groups EC2 instances says which of them a group's metrics are made of. */
@FunctionalInterface
public interface InstanceGroups {

  /** There are no groups. */
  InstanceGroups NONE = instanceId -> Optional.empty();

  /** The Auto Scaling group whose metrics have what this instance carries; empty for none. */
  Optional<String> of(String instanceId);
}
