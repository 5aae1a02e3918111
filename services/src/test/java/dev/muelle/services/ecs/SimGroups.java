package dev.muelle.services.ecs;

import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Group;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Life;
import dev.muelle.services.ecs.capacity.AutoScalingGroups.Member;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Auto Scaling in memory; whose instances it launches and terminates is the world's matter. */
final class SimGroups implements AutoScalingGroups {

  private static final String ARN =
      "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:autoScalingGroupName/";

  /** A group's state. */
  static final class Sim {
    final String type;
    int maximum = 10;
    int minimum;
    int desired;
    boolean protectsNew;
    boolean managed;
    boolean draining;
    final Map<String, Boolean> isProtected = new LinkedHashMap<>(); // by instance
    final List<String> waiting = new ArrayList<>(); // at the hook

    Sim(String type) {
      this.type = type;
    }
  }

  /** Where the instances are. */
  interface Machines {
    List<String> launch(String type, int count);

    void terminate(String id);

    /** PENDING, IN_SERVICE or TERMINATING; null if it is gone. */
    @Nullable Life life(String id);

    Instant launchedAt(String id);
  }

  final Map<String, Sim> all = new TreeMap<>();
  final List<String> calls = new ArrayList<>();
  private final Machines machines;

  SimGroups(Machines machines) {
    this.machines = machines;
  }

  Sim create(String name, String type) {
    Sim group = new Sim(type);
    all.put(name, group);
    return group;
  }

  private Sim group(String name) {
    return Objects.requireNonNull(all.get(name), name);
  }

  @Override
  public Optional<Group> find(String nameOrArn) {
    String name = nameOrArn.substring(nameOrArn.lastIndexOf('/') + 1);
    return Optional.ofNullable(all.get(name)).map(group -> seen(name, group));
  }

  private Group seen(String name, Sim group) {
    List<Member> members = new ArrayList<>();
    for (String id : List.copyOf(group.isProtected.keySet())) {
      Life life = machines.life(id);
      if (life == null) {
        group.isProtected.remove(id);
        group.waiting.remove(id);
        continue;
      }
      members.add(
          new Member(
              id,
              group.waiting.contains(id) ? Life.TERMINATING_WAIT : life,
              group.isProtected.get(id),
              machines.launchedAt(id)));
    }
    return new Group(
        ARN + name,
        name,
        group.minimum,
        group.maximum,
        group.desired,
        group.protectsNew,
        group.managed,
        group.draining,
        List.of(group.type),
        members);
  }

  @Override
  public void setDesiredCapacity(String name, int desired) {
    calls.add(name + " wants " + desired);
    group(name).desired = desired;
    fill(name);
  }

  /** As many instances as are desired, as far as protection allows. */
  private void fill(String name) {
    Sim group = group(name);
    Group seen = seen(name, group);
    List<Member> present = new ArrayList<>(seen.members(Life.IN_SERVICE));
    present.addAll(seen.members(Life.PENDING));
    if (present.size() < group.desired) {
      machines
          .launch(group.type, group.desired - present.size())
          .forEach(id -> group.isProtected.put(id, group.protectsNew));
    }
    present.stream()
        .filter(member -> !member.isProtected())
        .limit(Math.max(0, present.size() - group.desired))
        .forEach(member -> goes(group, member.instanceId()));
  }

  /**
   * Replaces an instance, as an instance refresh, a rebalancing or somebody's hand does, whatever
   * is on it.
   */
  void replace(String name, String id) {
    goes(group(name), id);
    fill(name);
  }

  private void goes(Sim group, String id) {
    if (group.draining) {
      group.waiting.add(id);
    } else {
      machines.terminate(id);
    }
  }

  @Override
  public void completeTermination(String name, String instanceId) {
    if (group(name).waiting.remove(instanceId)) {
      calls.add(name + " lets one go");
      machines.terminate(instanceId);
    }
  }

  @Override
  public void setScaleInProtection(String name, List<String> instanceIds, boolean isProtected) {
    instanceIds.forEach(id -> group(name).isProtected.replace(id, isProtected));
  }

  @Override
  public void manage(String name, boolean draining) {
    group(name).managed = true;
    group(name).draining = draining;
  }

  @Override
  public boolean isWarm(String instanceId) {
    return false;
  }

  @Override
  public void release(String name) {
    List.copyOf(group(name).waiting).forEach(id -> completeTermination(name, id));
    group(name).managed = false;
    group(name).draining = false;
  }
}
