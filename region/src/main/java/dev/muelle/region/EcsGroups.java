package dev.muelle.region;

import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingInstanceDetails;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.Tag;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;

/**
 * Auto Scaling as ECS uses it for its capacity providers: through the same doors as anybody else.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-instance-draining.html">Managed
 *     instance draining</a>
 */
public class EcsGroups implements AutoScalingGroups {

  private static final String IN_ARN = ":autoScalingGroupName/";
  private static final String TAG = "AmazonECSManaged";
  private static final String RESOURCE = "auto-scaling-group";
  private static final String HOOK = "ecs-managed-draining-termination-hook";
  private static final String TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING";
  private static final int HEARTBEAT = 3_600; // s; a hundred of them at most
  private static final String CONTINUE = "CONTINUE";
  private static final String DEFAULT_TYPE = "m1.small"; // EC2's

  private static final String GROUP_TAG = "aws:autoscaling:groupName";

  private final AutoScalingClient scaling;
  private final Ec2Client ec2;

  public EcsGroups(AutoScalingClient scaling, Ec2Client ec2) {
    this.scaling = scaling;
    this.ec2 = ec2;
  }

  @Override
  public Optional<Group> find(String nameOrArn) {
    int at = nameOrArn.indexOf(IN_ARN);
    String bare = at < 0 ? nameOrArn : nameOrArn.substring(at + IN_ARN.length());
    if (bare.isEmpty()) {
      return Optional.empty();
    }
    return scaling
        .describeAutoScalingGroups(r -> r.autoScalingGroupNames(bare))
        .autoScalingGroups()
        .stream()
        .filter(group -> at < 0 || group.autoScalingGroupARN().equals(nameOrArn))
        .filter(group -> group.status() == null) // it is not being deleted
        .findFirst()
        .map(this::seen);
  }

  private Group seen(AutoScalingGroup group) {
    boolean draining =
        !scaling
            .describeLifecycleHooks(
                r -> r.autoScalingGroupName(group.autoScalingGroupName()).lifecycleHookNames(HOOK))
            .lifecycleHooks()
            .isEmpty();
    return new Group(
        group.autoScalingGroupARN(),
        group.autoScalingGroupName(),
        group.minSize(),
        group.maxSize(),
        group.desiredCapacity(),
        group.newInstancesProtectedFromScaleIn(),
        group.tags().stream().anyMatch(tag -> tag.key().equals(TAG)),
        draining,
        types(group),
        members(group));
  }

  private List<Member> members(AutoScalingGroup group) {
    Map<String, Instant> launched = new HashMap<>();
    List<String> ids = group.instances().stream().map(Instance::instanceId).toList();
    if (!ids.isEmpty()) {
      ec2.describeInstancesPaginator(
              r -> r.filters(Filter.builder().name("instance-id").values(ids).build()))
          .reservations()
          .forEach(
              one -> one.instances().forEach(i -> launched.put(i.instanceId(), i.launchTime())));
    }
    List<Member> members = new ArrayList<>();
    for (Instance one : group.instances()) {
      life(one.lifecycleState())
          .ifPresent(life ->
              members.add(
                  new Member(
                      one.instanceId(),
                      life,
                      one.protectedFromScaleIn(),
                      launched.getOrDefault(one.instanceId(), Instant.EPOCH))));
    }
    return members;
  }

  /** Empty for what is in the group without being for anybody: in standby, or on its way off. */
  private static Optional<Life> life(LifecycleState state) {
    return switch (state) {
      case PENDING, PENDING_WAIT, PENDING_PROCEED -> Optional.of(Life.PENDING);
      case IN_SERVICE -> Optional.of(Life.IN_SERVICE);
      case TERMINATING_WAIT -> Optional.of(Life.TERMINATING_WAIT);
      case TERMINATING, TERMINATING_PROCEED -> Optional.of(Life.TERMINATING);
      default -> Optional.empty();
    };
  }

  private List<String> types(AutoScalingGroup group) {
    if (group.mixedInstancesPolicy() != null) {
      List<String> said =
          group.mixedInstancesPolicy().launchTemplate().overrides().stream()
              .map(LaunchTemplateOverrides::instanceType)
              .filter(Objects::nonNull)
              .distinct()
              .toList();
      return said.isEmpty()
          ? List.of(
              type(group.mixedInstancesPolicy().launchTemplate().launchTemplateSpecification()))
          : said;
    }
    return List.of(
        group.launchTemplate() != null
            ? type(group.launchTemplate())
            : scaling
                .describeLaunchConfigurations(
                    r -> r.launchConfigurationNames(group.launchConfigurationName()))
                .launchConfigurations()
                .getFirst()
                .instanceType());
  }

  private String type(LaunchTemplateSpecification template) {
    String type =
        ec2.describeLaunchTemplateVersions(
                r -> r.launchTemplateId(template.launchTemplateId()).versions(template.version()))
            .launchTemplateVersions()
            .getFirst()
            .launchTemplateData()
            .instanceTypeAsString();
    return Objects.requireNonNullElse(type, DEFAULT_TYPE);
  }

  @Override
  public void setDesiredCapacity(String name, int desired) {
    find(name)
        .ifPresent(group -> {
          int bounded = Math.max(group.minimum(), Math.min(group.maximum(), desired));
          scaling.setDesiredCapacity(
              r -> r.autoScalingGroupName(name).desiredCapacity(bounded).honorCooldown(false));
        });
  }

  @Override
  public void setScaleInProtection(String name, List<String> instanceIds, boolean isProtected) {
    for (String id : instanceIds) {
      try {
        scaling.setInstanceProtection(
            r -> r.autoScalingGroupName(name).instanceIds(id).protectedFromScaleIn(isProtected));
      } catch (AutoScalingException e) {
        tolerate(e, "No managed instance found"); // it went meanwhile
      }
    }
  }

  @Override
  public void manage(String name, boolean draining) {
    scaling.createOrUpdateTags(r -> r.tags(tag(name).value("").propagateAtLaunch(true).build()));
    if (draining) {
      scaling.putLifecycleHook(r ->
          r.autoScalingGroupName(name)
              .lifecycleHookName(HOOK)
              .lifecycleTransition(TERMINATING)
              .heartbeatTimeout(HEARTBEAT)
              .defaultResult(CONTINUE));
    } else {
      noHook(name);
    }
  }

  private static Tag.Builder tag(String group) {
    return Tag.builder().resourceId(group).resourceType(RESOURCE).key(TAG);
  }

  private void noHook(String name) {
    boolean there = find(name).filter(Group::draining).isPresent();
    if (there) {
      scaling.deleteLifecycleHook(r -> r.autoScalingGroupName(name).lifecycleHookName(HOOK));
    }
  }

  @Override
  public void release(String name) {
    find(name)
        .ifPresent(group ->
            group
                .members(Life.TERMINATING_WAIT)
                .forEach(member -> completeTermination(name, member.instanceId())));
    noHook(name);
    scaling.deleteTags(r -> r.tags(tag(name).build()));
  }

  @Override
  public void completeTermination(String name, String instanceId) {
    try {
      scaling.completeLifecycleAction(r ->
          r.autoScalingGroupName(name)
              .lifecycleHookName(HOOK)
              .instanceId(instanceId)
              .lifecycleActionResult(CONTINUE));
    } catch (AutoScalingException e) {
      tolerate(e, "No active Lifecycle Action found"); // it waits at another hook, or went
    }
  }

  @Override
  public boolean isWarm(String instanceId) {
    List<AutoScalingInstanceDetails> found =
        scaling.describeAutoScalingInstances(r -> r.instanceIds(instanceId)).autoScalingInstances();
    if (!found.isEmpty()) {
      return found.getFirst().lifecycleState().startsWith("Warmed:");
    }
    return ec2
        .describeTags(
            r -> r.filters(Filter.builder().name("resource-id").values(instanceId).build()))
        .tags()
        .stream()
        .anyMatch(tag -> tag.key().equals(GROUP_TAG)); // a group is just launching it
  }

  private static void tolerate(AutoScalingException e, String message) {
    if (!String.valueOf(e.getMessage()).contains(message)) {
      throw e;
    }
  }
}
