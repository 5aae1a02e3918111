package dev.muelle.services;

import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;

/**
 * Whose requests {@code ALBRequestCountPerTarget} counts: the {@code ResourceLabel} of scaling
 * policies.
 *
 * @param loadBalancer for example {@code app/web/50dc6c495c0c9188}, as its metrics have it
 * @param targetGroup for example {@code targetgroup/web/943f017f100becff}
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html">PredefinedMetricSpecification</a>
 */
public record RequestLabel(String loadBalancer, String targetGroup) {

  /** What both kinds of Auto Scaling say of a group that gets nothing from the load balancer. */
  public static final String NOT_ROUTED =
      "The load balancer does not route traffic to the target group";

  private static final Pattern FORM =
      Pattern.compile("(app/[^/]+/[0-9a-f]+)/(targetgroup/[^/]+/[0-9a-f]+)");

  /** Empty if it has not the form of one. */
  public static Optional<RequestLabel> parse(@Nullable String label) {
    Matcher parts = FORM.matcher(label == null ? "" : label);
    return parts.matches()
        ? Optional.of(new RequestLabel(parts.group(1), parts.group(2)))
        : Optional.empty();
  }

  /** The one of these target groups, by their ARNs, that is meant; empty if none is. */
  public Optional<String> among(Collection<String> targetGroupArns) {
    return targetGroupArns.stream().filter(arn -> arn.endsWith(":" + targetGroup)).findFirst();
  }

  /** Whether a rule of the load balancer forwards to the group of this ARN. */
  public boolean routed(ElasticLoadBalancingV2Client elb, String targetGroupArn) {
    try {
      return elb
          .describeTargetGroups(r -> r.targetGroupArns(targetGroupArn))
          .targetGroups()
          .stream()
          .flatMap(group -> group.loadBalancerArns().stream())
          .anyMatch(arn -> arn.endsWith(":loadbalancer/" + loadBalancer));
    } catch (TargetGroupNotFoundException e) {
      return false; // it is gone
    }
  }
}
