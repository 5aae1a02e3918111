package dev.muelle.services.elasticloadbalancingv2.request;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import dev.muelle.balancer.Minimum;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;

/**
 * Attributes of target groups for HTTP.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html">
 *     TargetGroupAttribute</a>
 */
public final class GroupAttributes {

  static final String ALGORITHM = "load_balancing.algorithm.type";
  static final String STICKY = "stickiness.enabled";
  public static final String DELAY = "deregistration_delay.timeout_seconds";
  static final String STICKY_TYPE = "stickiness.type";
  public static final String CROSS_ZONE = "load_balancing.cross_zone.enabled";
  static final String DNS_COUNT = "target_group_health.dns_failover.minimum_healthy_targets.count";
  public static final String DNS_PERCENTAGE =
      "target_group_health.dns_failover.minimum_healthy_targets.percentage";
  public static final String ROUTING_COUNT =
      "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";
  static final String ROUTING_PERCENTAGE =
      "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage";

  private static final String LB_SECONDS = "stickiness.lb_cookie.duration_seconds";
  private static final String APP_SECONDS = "stickiness.app_cookie.duration_seconds";
  private static final String APP_COOKIE = "stickiness.app_cookie.cookie_name";
  private static final String APPLICATION = "app_cookie";
  private static final String SLOW_START = "slow_start.duration_seconds";
  private static final String MITIGATION = "load_balancing.algorithm.anomaly_mitigation";
  private static final String OFF = "off";
  private static final int MOST_TARGETS = 1000;

  /** What cookies of the application must not be called. */
  private static final List<String> RESERVED = List.of("AWSALB", "AWSALBAPP", "AWSALBTG");

  public static final Map<String, String> DEFAULTS =
      Attributes.ordered(
          STICKY,
          "false",
          DELAY,
          "300",
          STICKY_TYPE,
          "lb_cookie",
          LB_SECONDS,
          "86400",
          SLOW_START,
          "0",
          ALGORITHM,
          "round_robin",
          MITIGATION,
          OFF,
          CROSS_ZONE,
          "use_load_balancer_configuration",
          DNS_COUNT,
          "1",
          ROUTING_COUNT,
          "1",
          DNS_PERCENTAGE,
          OFF,
          ROUTING_PERCENTAGE,
          OFF,
          APP_COOKIE,
          "",
          APP_SECONDS,
          "86400");

  private GroupAttributes() {}

  /** What is stored, completed with what an earlier server did not know. */
  public static Map<String, String> all(Map<String, String> stored) {
    Map<String, String> all = new LinkedHashMap<>(DEFAULTS);
    all.putAll(stored);
    return all;
  }

  /** A target group's attributes after a change; throws if one is unknown or wrong. */
  public static Map<String, String> changed(
      Map<String, String> stored, List<TargetGroupAttribute> wanted) {
    Map<String, String> now = all(stored);
    for (TargetGroupAttribute one : wanted) {
      String key = one.key();
      if (key == null || !now.containsKey(key)) {
        throw Refuse.invalid("Target group attribute key '" + key + "' is not recognized");
      }
      String value = one.value() == null ? "" : one.value();
      check(key, value);
      now.put(key, value);
    }
    checkTogether(now);
    return now;
  }

  static void check(String key, String value) {
    switch (key) {
      case DELAY -> Attributes.range(key, value, 0, 3600);
      case LB_SECONDS, APP_SECONDS -> Attributes.range(key, value, 1, 604_800);
      case ALGORITHM ->
          Attributes.oneOf(
              key, value, "round_robin", "least_outstanding_requests", "weighted_random");
      case STICKY -> Attributes.oneOf(key, value, "true", "false");
      case STICKY_TYPE -> Attributes.oneOf(key, value, "lb_cookie", APPLICATION);
      case APP_COOKIE -> checkCookie(key, value);
      case SLOW_START -> {
        if (!value.equals("0")) {
          Attributes.range(key, value, 30, 900);
        }
      }
      case MITIGATION -> Attributes.oneOf(key, value, "on", OFF);
      case CROSS_ZONE ->
          Attributes.oneOf(key, value, "true", "false", "use_load_balancer_configuration");
      case ROUTING_COUNT -> Attributes.range(key, value, 1, MOST_TARGETS);
      case DNS_COUNT -> offOr(key, value, MOST_TARGETS);
      case DNS_PERCENTAGE, ROUTING_PERCENTAGE -> offOr(key, value, 100);
      default -> throw new IllegalArgumentException(key);
    }
  }

  private static void offOr(String key, String value, int most) {
    if (!value.equals(OFF)) {
      Attributes.range(key, value, 1, most);
    }
  }

  /** A token of RFC 6265 that is none of the load balancer's own names. */
  private static void checkCookie(String key, String value) {
    if (!value.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")) {
      throw Attributes.wrong(key, value);
    }
    if (RESERVED.stream().anyMatch(value::startsWith)) {
      throw Refuse.invalid(
          "The cookie name '"
              + value
              + "' is not valid: it must not begin with "
              + String.join(", ", RESERVED));
    }
  }

  private static void checkTogether(Map<String, String> all) {
    String algorithm = all.getOrDefault(ALGORITHM, "");
    boolean sticky = "true".equals(all.get(STICKY));
    if (!"0".equals(all.get(SLOW_START)) && !algorithm.equals("round_robin")) {
      throw Refuse.invalid(
          "Slow start mode is not supported with the '" + algorithm + "' routing algorithm");
    }
    if ("on".equals(all.get(MITIGATION)) && !algorithm.equals("weighted_random")) {
      throw Refuse.invalid(
          "Anomaly mitigation is only supported with the 'weighted_random' routing algorithm");
    }
    if (sticky && APPLICATION.equals(all.get(STICKY_TYPE)) && "".equals(all.get(APP_COOKIE))) {
      throw Refuse.invalid(
          "A cookie name must be specified in '" + APP_COOKIE + "' for app_cookie stickiness");
    }
    if (sticky && "false".equals(all.get(CROSS_ZONE))) {
      throw Refuse.invalid(
          "Stickiness is not supported when cross-zone load balancing is off for the target group");
    }
    checkThresholds(all);
  }

  static void checkThresholds(Map<String, String> all) {
    unlessAtLeast(all, DNS_COUNT, ROUTING_COUNT);
    unlessAtLeast(all, DNS_PERCENTAGE, ROUTING_PERCENTAGE);
  }

  /** A zone leaves DNS before, or when, its unhealthy targets get requests. */
  private static void unlessAtLeast(Map<String, String> all, String dns, String routing) {
    int first = number(all.get(dns));
    if (first > 0 && first < number(all.get(routing))) {
      throw Refuse.invalid(
          "The threshold for DNS failover '"
              + dns
              + "' must be greater than or equal to the threshold for routing failover '"
              + routing
              + "'");
    }
  }

  private static int number(@Nullable String value) {
    return value == null || value.equals(OFF) ? 0 : Integer.parseInt(value);
  }

  private static Duration seconds(@Nullable String value) {
    return Duration.ofSeconds(number(value));
  }

  /** Below this, a zone's addresses leave the load balancer's name. */
  public static Minimum inDns(Map<String, String> all) {
    return new Minimum(number(all.get(DNS_COUNT)), number(all.get(DNS_PERCENTAGE)));
  }

  /** Below this, unhealthy targets get requests too. */
  public static Minimum routing(Map<String, String> all) {
    return new Minimum(number(all.get(ROUTING_COUNT)), number(all.get(ROUTING_PERCENTAGE)));
  }

  /** Whether each node sends to its own zone only, where the load balancer's is as said. */
  public static boolean crossZone(Map<String, String> all, boolean loadBalancers) {
    return switch (all.getOrDefault(CROSS_ZONE, "")) {
      case "true" -> true;
      case "false" -> false;
      default -> loadBalancers;
    };
  }

  /** How one of a group's targets is chosen. */
  public static LoadBalancer.Choice choice(Map<String, String> stored) {
    Map<String, String> all = all(stored);
    boolean application = APPLICATION.equals(all.get(STICKY_TYPE));
    return new LoadBalancer.Choice(
        Algorithm.valueOf(all.getOrDefault(ALGORITHM, "").toUpperCase(Locale.ROOT)),
        "true".equals(all.get(STICKY))
            ? seconds(all.get(application ? APP_SECONDS : LB_SECONDS))
            : null,
        application ? all.get(APP_COOKIE) : null,
        seconds(all.get(SLOW_START)),
        "on".equals(all.get(MITIGATION)),
        routing(all),
        crossZone(all, true));
  }
}
