package dev.muelle.services.elasticloadbalancingv2.request;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;

/**
 * Attributes of network load balancers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html">
 *     Edit attributes for your Network Load Balancer</a>
 */
public final class NetworkAttributes {

  /** Which of its addresses a client is told. */
  public static final String CLIENT_ROUTING = "dns_record.client_routing_policy";

  public static final String ANY_ZONE = "any_availability_zone";
  public static final String OWN_ZONE = "availability_zone_affinity";
  public static final String MOSTLY_OWN_ZONE = "partial_availability_zone_affinity";

  /** How many further addresses each node has to reach targets from. */
  public static final String SECONDARY = "secondary_ips.auto_assigned.per_subnet";

  private static final int MOST_SECONDARY = 7;

  public static final Map<String, String> DEFAULTS =
      Attributes.ordered(
          "access_logs.s3.enabled",
          "false",
          "access_logs.s3.bucket",
          "",
          "access_logs.s3.prefix",
          "",
          Attributes.PROTECTED,
          "false",
          GroupAttributes.CROSS_ZONE,
          "false",
          CLIENT_ROUTING,
          ANY_ZONE,
          Attributes.ZONAL_SHIFT,
          "false",
          Attributes.DENY_GATEWAYS,
          "false",
          SECONDARY,
          "0");

  private NetworkAttributes() {}

  /** A network load balancer's attributes after a change. */
  public static Map<String, String> changed(
      Map<String, String> now, @Nullable String key, @Nullable String value) {
    Map<String, String> changed =
        Attributes.changed(DEFAULTS, NetworkAttributes::check, now, key, value);
    if (secondary(changed) < secondary(now)) {
      throw InvalidConfigurationRequestException.builder()
          .message(
              "The value of the attribute '"
                  + SECONDARY
                  + "' cannot be decreased from "
                  + secondary(now)
                  + " to "
                  + secondary(changed))
          .build();
    }
    return changed;
  }

  /** How many further addresses each node is to have. */
  public static int secondary(Map<String, String> attributes) {
    return Integer.parseInt(attributes.getOrDefault(SECONDARY, "0"));
  }

  private static void check(String key, String value, String usual) {
    switch (key) {
      case Attributes.PROTECTED,
          Attributes.DENY_GATEWAYS,
          Attributes.ZONAL_SHIFT,
          GroupAttributes.CROSS_ZONE ->
          Attributes.oneOf(key, value, "true", "false");
      case "access_logs.s3.enabled", "access_logs.s3.bucket", "access_logs.s3.prefix" ->
          Attributes.checkLogs(key, value);
      case CLIENT_ROUTING -> Attributes.oneOf(key, value, ANY_ZONE, OWN_ZONE, MOSTLY_OWN_ZONE);
      case SECONDARY -> Attributes.range(key, value, 0, MOST_SECONDARY);
      default -> throw Attributes.unsupported(key, value);
    }
  }
}
