package dev.muelle.services;

/** Who runs something on EC2 instances says how much of their processors it uses. */
@FunctionalInterface
public interface InstanceLoads {

  /** Nothing runs anywhere. */
  InstanceLoads NONE = instanceId -> 0;

  /** How many vCPUs an instance kept busy, in the mean of the last minute; 0 if nothing runs. */
  double vcpus(String instanceId);
}
