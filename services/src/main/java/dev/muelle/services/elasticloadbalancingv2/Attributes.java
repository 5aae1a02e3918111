package dev.muelle.services.elasticloadbalancingv2;

import java.util.LinkedHashMap;
import java.util.Map;

/** Attributes: those that act here may be set, the others only to the value that they have. */
final class Attributes {

  static final String IDLE = "idle_timeout.timeout_seconds";
  static final String KEEP_ALIVE = "client_keep_alive.seconds";
  static final String PROTECTED = "deletion_protection.enabled";
  static final String DELAY = "deregistration_delay.timeout_seconds";

  static final Map<String, String> BALANCER =
      ordered(
          "access_logs.s3.enabled",
          "false",
          "access_logs.s3.bucket",
          "",
          "access_logs.s3.prefix",
          "",
          IDLE,
          "60",
          PROTECTED,
          "false",
          "routing.http2.enabled",
          "false",
          "routing.http.drop_invalid_header_fields.enabled",
          "false",
          "routing.http.xff_client_port.enabled",
          "false",
          "routing.http.preserve_host_header.enabled",
          "true",
          "routing.http.xff_header_processing.mode",
          "append",
          "routing.http.desync_mitigation_mode",
          "strictest",
          "load_balancing.cross_zone.enabled",
          "true",
          "waf.fail_open.enabled",
          "false",
          "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
          "false",
          "zonal_shift.config.enabled",
          "false",
          "connection_logs.s3.enabled",
          "false",
          "connection_logs.s3.bucket",
          "",
          "connection_logs.s3.prefix",
          "",
          KEEP_ALIVE,
          "3600");

  static final Map<String, String> GROUP =
      ordered(
          "stickiness.enabled",
          "false",
          DELAY,
          "300",
          "stickiness.type",
          "lb_cookie",
          "stickiness.lb_cookie.duration_seconds",
          "86400",
          "slow_start.duration_seconds",
          "0",
          "load_balancing.algorithm.type",
          "round_robin",
          "load_balancing.algorithm.anomaly_mitigation",
          "off",
          "load_balancing.cross_zone.enabled",
          "use_load_balancer_configuration",
          "target_group_health.dns_failover.minimum_healthy_targets.count",
          "1",
          "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
          "1",
          "target_group_health.dns_failover.minimum_healthy_targets.percentage",
          "off",
          "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
          "off");

  private Attributes() {}

  private static Map<String, String> ordered(String... pairs) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put(pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /** The attributes after a change; throws if one is unknown, wrong, or would have no effect. */
  static Map<String, String> change(
      Map<String, String> defaults, Map<String, String> now, String key, String value) {
    if (!defaults.containsKey(key)) {
      throw Refuse.invalid("Load balancer attribute key '" + key + "' is not recognized");
    }
    switch (key) {
      case IDLE -> range(key, value, 1, 4000);
      case KEEP_ALIVE -> range(key, value, 60, 604800);
      case DELAY -> range(key, value, 0, 3600);
      case PROTECTED -> {
        if (!value.equals("true") && !value.equals("false")) {
          throw wrong(key, value);
        }
      }
      default -> {
        if (!value.equals(defaults.get(key))) {
          throw Refuse.invalid(
              "The value '"
                  + value
                  + "' of attribute '"
                  + key
                  + "' is not supported in this region");
        }
      }
    }
    Map<String, String> changed = new LinkedHashMap<>(now);
    changed.put(key, value);
    return changed;
  }

  private static void range(String key, String value, int from, int to) {
    if (!value.matches("[0-9]{1,7}")
        || Integer.parseInt(value) < from
        || Integer.parseInt(value) > to) {
      throw wrong(key, value);
    }
  }

  private static RuntimeException wrong(String key, String value) {
    return Refuse.invalid("The value '" + value + "' is not valid for the attribute '" + key + "'");
  }
}
