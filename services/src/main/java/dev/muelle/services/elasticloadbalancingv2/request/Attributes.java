package dev.muelle.services.elasticloadbalancingv2.request;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.LoadBalancer.ForwardedFor;
import dev.muelle.balancer.logs.Journal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;

/**
 * Attributes of load balancers: those that act here may be set, the others only to the value that
 * they have.
 */
public final class Attributes {

  static final String DROP_INVALID = "routing.http.drop_invalid_header_fields.enabled";
  static final String CLIENT_PORT = "routing.http.xff_client_port.enabled";
  static final String PRESERVE_HOST = "routing.http.preserve_host_header.enabled";
  static final String FORWARDED_FOR = "routing.http.xff_header_processing.mode";
  static final String DESYNC = "routing.http.desync_mitigation_mode";
  static final String TLS_SESSION = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled";
  static final String HTTP2 = "routing.http2.enabled";
  static final String IDLE = "idle_timeout.timeout_seconds";
  static final String KEEP_ALIVE = "client_keep_alive.seconds";

  /**
   * Whether nobody reaches it over IPv6 through an internet gateway.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html">LoadBalancerAttribute</a>
   */
  public static final String DENY_GATEWAYS = "ipv6.deny_all_igw_traffic";

  /** Whether it may be shifted away from a zone. */
  public static final String ZONAL_SHIFT = "zonal_shift.config.enabled";

  public static final String PROTECTED = "deletion_protection.enabled";

  public static final Map<String, String> BALANCER =
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
          HTTP2,
          "true",
          DROP_INVALID,
          "false",
          CLIENT_PORT,
          "false",
          PRESERVE_HOST,
          "false",
          FORWARDED_FOR,
          "append",
          DESYNC,
          "defensive",
          "load_balancing.cross_zone.enabled",
          "true",
          "waf.fail_open.enabled",
          "false",
          TLS_SESSION,
          "false",
          ZONAL_SHIFT,
          "false",
          "connection_logs.s3.enabled",
          "false",
          "connection_logs.s3.bucket",
          "",
          "connection_logs.s3.prefix",
          "",
          "health_check_logs.s3.enabled",
          "false",
          "health_check_logs.s3.bucket",
          "",
          "health_check_logs.s3.prefix",
          "",
          DENY_GATEWAYS,
          "false",
          KEEP_ALIVE,
          "3600");

  private Attributes() {}

  public static Map<String, String> ordered(String... pairs) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put(pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /** What a value of an attribute must be. */
  @FunctionalInterface
  interface Check {

    /**
     * Throws if it is wrong, or would have no effect.
     *
     * @param usual its value where nobody has set it
     */
    void of(String key, String value, String usual);
  }

  /** An application load balancer's attributes after a change. */
  public static Map<String, String> ofBalancer(
      Map<String, String> now, @Nullable String key, @Nullable String value) {
    return changed(BALANCER, Attributes::check, now, key, value);
  }

  static Map<String, String> changed(
      Map<String, String> known,
      Check check,
      Map<String, String> now,
      @Nullable String key,
      @Nullable String wanted) {
    String usual = key == null ? null : known.get(key);
    if (key == null || usual == null) {
      throw Refuse.invalid("Load balancer attribute key '" + key + "' is not recognized");
    }
    String value = wanted == null ? "" : wanted;
    check.of(key, value, usual);
    Map<String, String> changed = new LinkedHashMap<>(now);
    changed.put(key, value);
    return changed;
  }

  private static void check(String key, String value, String usual) {
    switch (key) {
      case IDLE -> range(key, value, 1, 4000);
      case KEEP_ALIVE -> range(key, value, 60, 604800);
      case PROTECTED,
          DENY_GATEWAYS,
          DROP_INVALID,
          CLIENT_PORT,
          PRESERVE_HOST,
          TLS_SESSION,
          HTTP2,
          ZONAL_SHIFT ->
          oneOf(key, value, "true", "false");
      case FORWARDED_FOR -> oneOf(key, value, "append", "preserve", "remove");
      case DESYNC -> oneOf(key, value, "monitor", "defensive", "strictest");
      default -> {
        if (key.contains("_logs.s3.")) {
          checkLogs(key, value);
        } else if (!value.equals(usual)) {
          throw unsupported(key, value);
        }
      }
    }
  }

  /** Whether, and where, logs are brought. */
  static void checkLogs(String key, String value) {
    if (key.endsWith(".enabled")) {
      oneOf(key, value, "true", "false");
    } else if (key.endsWith(".bucket")) {
      if (!value.isEmpty() && !value.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")) {
        throw wrong(key, value);
      }
    } else if (!value.matches("|[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*")
        || value.length() > 512
        || value.contains("AWSLogs")
        || value.matches("(.*/)?[.]{1,2}(/.*)?")) {
      throw wrong(key, value);
    }
  }

  /** What a load balancer's attributes mean to the data plane. */
  public static LoadBalancer.Settings settings(Map<String, String> stored, Journal journal) {
    Map<String, String> all = new LinkedHashMap<>(BALANCER);
    all.putAll(stored);
    return new LoadBalancer.Settings(
        Duration.ofSeconds(Long.parseLong(all.getOrDefault(IDLE, ""))),
        Duration.ofSeconds(Long.parseLong(all.getOrDefault(KEEP_ALIVE, ""))),
        new LoadBalancer.Headers(
            "true".equals(all.get(PRESERVE_HOST)),
            ForwardedFor.valueOf(all.getOrDefault(FORWARDED_FOR, "").toUpperCase(Locale.ROOT)),
            "true".equals(all.get(CLIENT_PORT)),
            "true".equals(all.get(DROP_INVALID)),
            Desync.valueOf(all.getOrDefault(DESYNC, "").toUpperCase(Locale.ROOT)),
            "true".equals(all.get(TLS_SESSION))),
        journal);
  }

  /** Whether clients of HTTPS listeners are offered HTTP/2. */
  public static boolean http2(Map<String, String> stored) {
    return "true".equals(stored.getOrDefault(HTTP2, BALANCER.get(HTTP2)));
  }

  /** Attributes of one that the world reaches over IPv6, or not, as its scheme usually has it. */
  public static Map<String, String> ofScheme(
      Map<String, String> some, LoadBalancerSchemeEnum scheme) {
    Map<String, String> all = new LinkedHashMap<>(some);
    all.put(DENY_GATEWAYS, String.valueOf(scheme == LoadBalancerSchemeEnum.INTERNAL));
    return all;
  }

  static RuntimeException unsupported(String key, String value) {
    return Refuse.invalid(
        "The value '" + value + "' of attribute '" + key + "' is not supported in this region");
  }

  static void oneOf(String key, String value, String... valid) {
    if (!List.of(valid).contains(value)) {
      throw wrong(key, value);
    }
  }

  static void range(String key, String value, int from, int to) {
    if (!value.matches("[0-9]{1,7}")
        || Integer.parseInt(value) < from
        || Integer.parseInt(value) > to) {
      throw wrong(key, value);
    }
  }

  static RuntimeException wrong(String key, String value) {
    return Refuse.invalid("The value '" + value + "' is not valid for the attribute '" + key + "'");
  }
}
