package dev.muelle.services;

/**
 * Who runs EC2 instances says how often one has booted anew, be it that it was stopped and started:
 * what ran in it before that is gone. A real agent knows it, because it is started with its
 * instance.
 */
@FunctionalInterface
public interface InstanceBoots {

  /** No instance ever boots anew. */
  InstanceBoots NONE = instanceId -> 0;

  int of(String instanceId);
}
