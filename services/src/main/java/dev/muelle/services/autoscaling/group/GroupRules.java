package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.fleet.TerminationOrder;
import dev.muelle.services.autoscaling.launch.MixedPolicies;
import dev.muelle.services.autoscaling.state.Refuse;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.AvailabilityZoneDistribution;
import software.amazon.awssdk.services.autoscaling.model.TrafficSourceIdentifier;

/**
 * What a group may be.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html">CreateAutoScalingGroup</a>
 */
final class GroupRules {

  private static final int NAME_LENGTH = 255;
  private static final int LARGEST = 10_000;

  private static final Set<String> HEALTH = Set.of("EC2", "ELB");

  private GroupRules() {}

  static String name(@Nullable String given) {
    String name = Refuse.required("autoScalingGroupName", given);
    if (name.length() > NAME_LENGTH
        || name.contains(":")
        || name.codePoints().anyMatch(c -> c < 32)) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + name
              + "' at 'autoScalingGroupName' failed to satisfy constraint: Member must have length"
              + " less than or equal to 255, without colons and control characters");
    }
    return name;
  }

  /** Checks what a group would be as a whole. */
  static void check(AutoScalingGroup group) {
    sizes(group.minSize(), group.maxSize(), group.desiredCapacity());
    Refuse.unlessWithin("defaultCooldown", group.defaultCooldown(), 0, Integer.MAX_VALUE);
    Refuse.unlessWithin(
        "healthCheckGracePeriod", group.healthCheckGracePeriod(), 0, Integer.MAX_VALUE);
    Refuse.unlessWithin("defaultInstanceWarmup", group.defaultInstanceWarmup(), -1, 3600);
    for (String type : group.healthCheckType().split(",", -1)) {
      if (!HEALTH.contains(type)) {
        throw type.equals("VPC_LATTICE") || type.equals("EBS")
            ? Refuse.unsupported("HealthCheckType with the value " + type)
            : Refuse.invalid("Invalid Health Check Type '" + group.healthCheckType() + "'");
      }
    }
    policies(group.terminationPolicies());
    int sources =
        (group.launchConfigurationName() == null ? 0 : 1)
            + (group.launchTemplate() == null ? 0 : 1)
            + (group.mixedInstancesPolicy() == null ? 0 : 1);
    if (sources != 1) {
      throw Refuse.invalid(
          "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId"
              + " or MixedInstancesPolicy parameter.");
    }
    if (group.mixedInstancesPolicy() != null) {
      MixedPolicies.check(group.mixedInstancesPolicy());
    }
  }

  static void sizes(int least, int most, int desired) {
    Refuse.unlessWithin("minSize", least, 0, LARGEST);
    Refuse.unlessWithin("maxSize", most, 0, LARGEST);
    if (most < least) {
      throw Refuse.invalid(
          "Max bound, " + most + ", must be greater than or equal to min bound, " + least);
    }
    Refuse.unlessBetween(desired, least, most);
  }

  private static void policies(List<String> policies) {
    for (String policy : policies) {
      if (policy.startsWith("arn:")) {
        throw Refuse.unsupported("TerminationPolicies with a Lambda function");
      }
      if (!TerminationOrder.POLICIES.contains(policy)) {
        throw Refuse.invalid(
            "Invalid termination policy: "
                + policy
                + ". Valid values are "
                + TerminationOrder.POLICIES);
      }
    }
  }

  static void distribution(@Nullable AvailabilityZoneDistribution given) {
    String strategy = given == null ? null : given.capacityDistributionStrategyAsString();
    if (strategy != null && !strategy.equals("balanced-best-effort")) {
      throw Refuse.unsupported("AvailabilityZoneDistribution with the strategy " + strategy);
    }
  }

  /** The target groups that traffic sources name. */
  static List<String> targetGroups(List<TrafficSourceIdentifier> sources) {
    return sources.stream()
        .map(source -> {
          if (source.type() != null && !source.type().equals("elbv2")) {
            throw Refuse.unsupported("TrafficSources with the type " + source.type());
          }
          return Refuse.required("trafficSources.identifier", source.identifier());
        })
        .toList();
  }
}
