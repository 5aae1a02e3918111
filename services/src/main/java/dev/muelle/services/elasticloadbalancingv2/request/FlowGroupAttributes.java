package dev.muelle.services.elasticloadbalancingv2.request;

import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Attributes of target groups of network load balancers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html">
 *     Edit target group attributes for your Network Load Balancer</a>
 */
public final class FlowGroupAttributes {

  static final String DRAINING = "target_health_state.unhealthy.draining_interval_seconds";

  private static final String PRESERVE = "preserve_client_ip.enabled";
  private static final String PROXY = "proxy_protocol_v2.enabled";
  private static final String CUTS_DEREGISTERED =
      "deregistration_delay.connection_termination.enabled";
  private static final String CUTS_UNHEALTHY =
      "target_health_state.unhealthy.connection_termination.enabled";
  private static final String TRUE = "true";
  private static final String FALSE = "false";
  private static final int LONGEST_DRAINING = 360_000;

  private FlowGroupAttributes() {}

  public static Map<String, String> defaults(TargetGroup group) {
    boolean datagrams = Protocols.datagrams(group.protocol());
    return Attributes.ordered(
        GroupAttributes.STICKY,
        FALSE,
        GroupAttributes.DELAY,
        "300",
        GroupAttributes.STICKY_TYPE,
        "source_ip",
        PROXY,
        FALSE,
        PRESERVE,
        String.valueOf(datagrams || group.targetType() != TargetTypeEnum.IP),
        CUTS_DEREGISTERED,
        String.valueOf(datagrams),
        CUTS_UNHEALTHY,
        TRUE,
        DRAINING,
        "0",
        GroupAttributes.CROSS_ZONE,
        "use_load_balancer_configuration",
        GroupAttributes.DNS_COUNT,
        "1",
        GroupAttributes.ROUTING_COUNT,
        "1",
        GroupAttributes.DNS_PERCENTAGE,
        "off",
        GroupAttributes.ROUTING_PERCENTAGE,
        "off");
  }

  public static Map<String, String> all(TargetGroup group, Map<String, String> stored) {
    Map<String, String> all = new LinkedHashMap<>(defaults(group));
    all.putAll(stored);
    return all;
  }

  /** A target group's attributes after a change; throws if one is unknown or wrong. */
  public static Map<String, String> changed(
      TargetGroup group, Map<String, String> stored, List<TargetGroupAttribute> wanted) {
    if (group.targetType() == TargetTypeEnum.ALB) {
      throw Refuse.invalid(
          "You cannot modify the attributes of a target group with the target type 'alb'");
    }
    Map<String, String> now = all(group, stored);
    for (TargetGroupAttribute one : wanted) {
      String key = one.key();
      if (key == null || !now.containsKey(key)) {
        throw Refuse.invalid("Target group attribute key '" + key + "' is not recognized");
      }
      String value = one.value() == null ? "" : one.value();
      check(group, key, value);
      now.put(key, value);
    }
    if (!"0".equals(now.get(DRAINING)) && TRUE.equals(now.get(CUTS_UNHEALTHY))) {
      throw Refuse.invalid(
          "You cannot set '" + DRAINING + "' while '" + CUTS_UNHEALTHY + "' is enabled");
    }
    GroupAttributes.checkThresholds(now);
    return now;
  }

  private static void check(TargetGroup group, String key, String value) {
    switch (key) {
      case PRESERVE -> {
        Attributes.oneOf(key, value, TRUE, FALSE);
        if (value.equals(FALSE) && Protocols.datagrams(group.protocol())) {
          throw Refuse.invalid(
              "Client IP preservation cannot be disabled for target groups with the protocol '"
                  + group.protocol()
                  + "'");
        }
      }
      case PROXY -> {
        Attributes.oneOf(key, value, TRUE, FALSE);
        if (value.equals(TRUE) && Protocols.datagrams(group.protocol())) {
          throw Attributes.unsupported(key, value); // AWS does not say what a datagram begins with
        }
      }
      case GroupAttributes.STICKY -> {
        Attributes.oneOf(key, value, TRUE, FALSE);
        if (value.equals(TRUE) && group.protocol() == ProtocolEnum.TLS) {
          throw Refuse.invalid(
              "Stickiness is not supported for target groups with the protocol 'TLS'");
        }
      }
      case GroupAttributes.STICKY_TYPE -> Attributes.oneOf(key, value, "source_ip");
      case CUTS_DEREGISTERED, CUTS_UNHEALTHY -> Attributes.oneOf(key, value, TRUE, FALSE);
      case DRAINING -> Attributes.range(key, value, 0, LONGEST_DRAINING);
      default -> GroupAttributes.check(key, value);
    }
  }

  /** How one of a group's targets is chosen. */
  public static LoadBalancer.Choice choice(
      TargetGroup group, Map<String, String> stored, boolean crossZone) {
    Map<String, String> all = all(group, stored);
    return new LoadBalancer.Choice(
        Algorithm.ROUND_ROBIN, // a flow's target is found by what the flow is
        null,
        null,
        Duration.ZERO,
        false,
        GroupAttributes.routing(all),
        GroupAttributes.crossZone(all, crossZone));
  }

  public static Delivery delivery(TargetGroup group, Map<String, String> stored) {
    Map<String, String> all = all(group, stored);
    return new Delivery(
        group.healthCheckProtocol() == ProtocolEnum.TCP ? Delivery.Check.TCP : Delivery.Check.HTTP,
        TRUE.equals(all.get(PRESERVE)),
        TRUE.equals(all.get(PROXY)),
        group.protocol() == ProtocolEnum.TLS,
        TRUE.equals(all.get(GroupAttributes.STICKY)),
        TRUE.equals(all.get(CUTS_DEREGISTERED)),
        cutsUnhealthy(all),
        draining(all));
  }

  /** Whether connections of targets that fall ill end. */
  public static boolean cutsUnhealthy(Map<String, String> all) {
    return TRUE.equals(all.get(CUTS_UNHEALTHY));
  }

  public static Duration draining(Map<String, String> all) {
    return Duration.ofSeconds(Long.parseLong(all.getOrDefault(DRAINING, "0")));
  }
}
