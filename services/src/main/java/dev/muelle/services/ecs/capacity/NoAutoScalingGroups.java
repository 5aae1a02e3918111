package dev.muelle.services.ecs.capacity;

import java.util.List;
import java.util.Optional;

/** Auto Scaling, where there is none. */
final class NoAutoScalingGroups implements AutoScalingGroups {

  @Override
  public Optional<Group> find(String nameOrArn) {
    return Optional.empty();
  }

  @Override
  public void setDesiredCapacity(String group, int desired) {
    throw missing(group);
  }

  @Override
  public void setScaleInProtection(String group, List<String> instanceIds, boolean isProtected) {
    throw missing(group);
  }

  @Override
  public void manage(String group, boolean draining) {
    throw missing(group);
  }

  @Override
  public void release(String group) {
    throw missing(group);
  }

  @Override
  public void completeTermination(String group, String instanceId) {
    throw missing(group);
  }

  @Override
  public boolean isWarm(String instanceId) {
    return false;
  }

  private static IllegalStateException missing(String group) {
    return new IllegalStateException("there is no Auto Scaling group " + group);
  }
}
