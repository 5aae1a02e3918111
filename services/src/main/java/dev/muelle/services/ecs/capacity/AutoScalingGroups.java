package dev.muelle.services.ecs.capacity;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What ECS needs of Amazon EC2 Auto Scaling for its capacity providers. Every call may be repeated:
 * ECS looks, decides and calls again until what it sees is what it wants.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html">Auto
 *     Scaling group capacity providers</a>
 */
public interface AutoScalingGroups {

  /** Of a region without Auto Scaling: there is no group at all. */
  AutoScalingGroups NONE = new NoAutoScalingGroups();

  /**
   * A group as it is now.
   *
   * @param nameOrArn ECS takes both
   */
  Optional<Group> find(String nameOrArn);

  /** Asks for so many instances, within the group's minimum and maximum. */
  void setDesiredCapacity(String group, int desired);

  /** Says whether scaling in may choose these instances. */
  void setScaleInProtection(String group, List<String> instanceIds, boolean isProtected);

  /**
   * Marks the group as managed by ECS (the tag {@code AmazonECSManaged}).
   *
   * @param draining whether an instance that is to be terminated waits at a life-cycle hook ({@code
   *     ecs-managed-draining-termination-hook}) until ECS has drained it
   */
  void manage(String group, boolean draining);

  /** Takes away what {@link #manage} added; instances that wait at the hook are let go. */
  void release(String group);

  /** Lets an instance go that waits to be terminated. */
  void completeTermination(String group, String instanceId);

  /**
   * Whether an instance is in a warm pool, or it is not known yet that its group has it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-warm-pool.html">Pre-initialized
   *     instances for an Amazon ECS Auto Scaling group</a>
   */
  boolean isWarm(String instanceId);

  /**
   * A group.
   *
   * @param protectsNew whether new instances are protected from scale-in
   * @param managed whether ECS manages it
   * @param draining whether its instances wait to be drained before they are terminated
   * @param instanceTypes those that it may launch, for example {@code m5.large}
   */
  record Group(
      String arn,
      String name,
      int minimum,
      int maximum,
      int desired,
      boolean protectsNew,
      boolean managed,
      boolean draining,
      List<String> instanceTypes,
      List<Member> members) {

    public Group {
      instanceTypes = List.copyOf(instanceTypes);
      members = List.copyOf(members);
    }

    /** Those that are in a state of their life. */
    public List<Member> members(Life life) {
      return members.stream().filter(member -> member.life() == life).toList();
    }
  }

  /** An instance of a group. */
  record Member(String instanceId, Life life, boolean isProtected, Instant launchedAt) {}

  /** Where in its life an instance is, in the group's eyes. */
  enum Life {
    PENDING,
    IN_SERVICE,
    /** It waits at the life-cycle hook. */
    TERMINATING_WAIT,
    TERMINATING
  }
}
