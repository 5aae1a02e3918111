package dev.muelle.services.elasticloadbalancingv2.target;

import static dev.muelle.services.elasticloadbalancingv2.target.TargetGroupChecks.or;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Matcher;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Target groups of network load balancers: what is allowed, and what is usual.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html">
 *     Health checks for Network Load Balancer target groups</a>
 */
final class FlowGroups {

  private static final String SUCCESS = "200-399";
  private static final Set<ProtocolEnum> CHECKS =
      Set.of(ProtocolEnum.TCP, ProtocolEnum.HTTP, ProtocolEnum.HTTPS);

  private FlowGroups() {}

  /** A target group as a request wants it; its name, its VPC and its port are checked. */
  static TargetGroup wanted(CreateTargetGroupRequest r, TargetTypeEnum type) {
    if (r.protocolVersion() != null) {
      throw Refuse.invalid(
          "Protocol version cannot be specified for target groups with the protocol '"
              + r.protocol()
              + "'");
    }
    ProtocolEnum usual = type == TargetTypeEnum.ALB ? ProtocolEnum.HTTP : ProtocolEnum.TCP;
    ProtocolEnum check = or(r.healthCheckProtocol(), usual);
    boolean http = check != ProtocolEnum.TCP;
    return checked(
        TargetGroup.builder()
            .targetGroupName(r.name())
            .protocol(r.protocol())
            .port(r.port())
            .vpcId(r.vpcId())
            .targetType(type)
            .ipAddressType(AddressTypes.of(r, type))
            .loadBalancerArns(List.of())
            .healthCheckEnabled(TargetGroupChecks.enabled(r.healthCheckEnabled(), type))
            .healthCheckProtocol(check)
            .healthCheckPort(or(r.healthCheckPort(), "traffic-port"))
            .healthCheckPath(http ? or(r.healthCheckPath(), "/") : r.healthCheckPath())
            .healthCheckIntervalSeconds(or(r.healthCheckIntervalSeconds(), 30))
            .healthCheckTimeoutSeconds(
                or(r.healthCheckTimeoutSeconds(), check == ProtocolEnum.HTTP ? 6 : 10))
            .healthyThresholdCount(or(r.healthyThresholdCount(), 5))
            .unhealthyThresholdCount(or(r.unhealthyThresholdCount(), 2))
            .matcher(http ? or(matcher(r.matcher()), usual()) : r.matcher())
            .build());
  }

  /** A target group after a change. */
  static TargetGroup changed(TargetGroup g, ModifyTargetGroupRequest r) {
    ProtocolEnum check = or(r.healthCheckProtocol(), g.healthCheckProtocol());
    boolean http = check != ProtocolEnum.TCP;
    TargetGroupChecks.enabled(r.healthCheckEnabled(), g.targetType());
    return checked(
        g.toBuilder()
            .healthCheckProtocol(check)
            .healthCheckPort(or(r.healthCheckPort(), g.healthCheckPort()))
            .healthCheckPath(
                http ? or(or(r.healthCheckPath(), g.healthCheckPath()), "/") : r.healthCheckPath())
            .healthCheckIntervalSeconds(
                or(r.healthCheckIntervalSeconds(), g.healthCheckIntervalSeconds()))
            .healthCheckTimeoutSeconds(
                or(r.healthCheckTimeoutSeconds(), g.healthCheckTimeoutSeconds()))
            .healthyThresholdCount(or(r.healthyThresholdCount(), g.healthyThresholdCount()))
            .unhealthyThresholdCount(or(r.unhealthyThresholdCount(), g.unhealthyThresholdCount()))
            .matcher(http ? or(or(matcher(r.matcher()), g.matcher()), usual()) : r.matcher())
            .build());
  }

  private static TargetGroup checked(TargetGroup group) {
    ProtocolEnum check = group.healthCheckProtocol();
    boolean balancer = group.targetType() == TargetTypeEnum.ALB;
    if (!CHECKS.contains(check) || balancer && check == ProtocolEnum.TCP) {
      throw Refuse.invalid(
          "Health check protocol '"
              + group.healthCheckProtocolAsString()
              + "' must be one of '"
              + (balancer ? "HTTP, HTTPS" : "HTTP, HTTPS, TCP")
              + "'");
    }
    if (check == ProtocolEnum.TCP && (group.healthCheckPath() != null || group.matcher() != null)) {
      throw Refuse.invalid(
          "Health check "
              + (group.healthCheckPath() == null ? "matcher" : "path")
              + " cannot be specified for health checks with the protocol 'TCP'");
    }
    TargetGroupChecks.checked(
        group.healthCheckPath() == null ? group.toBuilder().healthCheckPath("/").build() : group);
    return group;
  }

  private static Matcher usual() {
    return Matcher.builder().httpCode(SUCCESS).build();
  }

  private static @Nullable Matcher matcher(@Nullable Matcher matcher) {
    if (matcher != null) {
      Refuse.unlessEffective(matcher, Set.of("HttpCode"));
      Matchers.parse(Refuse.unlessPresent("matcher.httpCode", matcher.httpCode()), false);
    }
    return matcher;
  }
}
