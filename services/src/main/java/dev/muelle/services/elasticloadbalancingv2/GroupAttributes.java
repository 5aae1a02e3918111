package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Attributes of target groups: those that act here may be set, the others only to the value that
 * they have.
 */
final class GroupAttributes {

  static final String ALGORITHM = "load_balancing.algorithm.type";
  static final String STICKY = "stickiness.enabled";
  static final String STICKY_SECONDS = "stickiness.lb_cookie.duration_seconds";
  static final String DELAY = "deregistration_delay.timeout_seconds";

  static final Map<String, String> DEFAULTS =
      Attributes.ordered(
          STICKY,
          "false",
          DELAY,
          "300",
          "stickiness.type",
          "lb_cookie",
          STICKY_SECONDS,
          "86400",
          "slow_start.duration_seconds",
          "0",
          ALGORITHM,
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

  private GroupAttributes() {}

  /** A target group's attributes after a change; throws if it is unknown, wrong, or idle here. */
  static Map<String, String> changed(
      Map<String, String> now, @Nullable String key, @Nullable String wanted) {
    String usual = key == null ? null : DEFAULTS.get(key);
    if (key == null || usual == null) {
      throw Refuse.invalid("Target group attribute key '" + key + "' is not recognized");
    }
    String value = wanted == null ? "" : wanted;
    switch (key) {
      case DELAY -> Attributes.range(key, value, 0, 3600);
      case STICKY_SECONDS -> Attributes.range(key, value, 1, 604_800);
      case ALGORITHM ->
          Attributes.oneOf(
              key, value, "round_robin", "least_outstanding_requests", "weighted_random");
      case STICKY -> Attributes.oneOf(key, value, "true", "false");
      default -> {
        if (!value.equals(usual)) {
          throw Attributes.unsupported(key, value);
        }
      }
    }
    Map<String, String> changed = new LinkedHashMap<>(now);
    changed.put(key, value);
    return changed;
  }

  /** How one of a group's targets is chosen. */
  static LoadBalancer.Choice choice(Map<String, String> stored) {
    Map<String, String> all = new LinkedHashMap<>(DEFAULTS);
    all.putAll(stored);
    return new LoadBalancer.Choice(
        Algorithm.valueOf(all.getOrDefault(ALGORITHM, "").toUpperCase(Locale.ROOT)),
        "true".equals(all.get(STICKY))
            ? Duration.ofSeconds(Long.parseLong(all.getOrDefault(STICKY_SECONDS, "")))
            : null);
  }
}
