package dev.muelle.services.elasticloadbalancingv2.request;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Attributes of network load balancers: those that act here may be set, the others only to the
 * value that they have.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html">
 *     Edit attributes for your Network Load Balancer</a>
 */
public final class NetworkAttributes {

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
          "dns_record.client_routing_policy",
          "any_availability_zone",
          Attributes.ZONAL_SHIFT,
          "false",
          Attributes.DENY_GATEWAYS,
          "false",
          "secondary_ips.auto_assigned.per_subnet",
          "0");

  private NetworkAttributes() {}

  /** A network load balancer's attributes after a change. */
  public static Map<String, String> changed(
      Map<String, String> now, @Nullable String key, @Nullable String value) {
    return Attributes.changed(DEFAULTS, NetworkAttributes::check, now, key, value);
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
      default -> {
        if (!value.equals(usual)) {
          throw Attributes.unsupported(key, value);
        }
      }
    }
  }
}
