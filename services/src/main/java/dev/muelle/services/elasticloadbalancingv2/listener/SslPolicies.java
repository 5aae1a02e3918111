package dev.muelle.services.elasticloadbalancingv2.listener;

import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Cipher;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeSslPoliciesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeSslPoliciesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SslPolicy;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SslPolicyNotFoundException;

/**
 * The named policies: which versions and ciphers a listener negotiates, and whether keys are also
 * exchanged by a post-quantum group. Those with FIPS in their names negotiate what AWS's do, but
 * the module that does it is none that NIST has validated. Those of RFC 9151 are not among them:
 * they also say which certificates and signatures are taken.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html">Security
 *     policies for your Application Load Balancer</a>
 */
public final class SslPolicies {

  /** What a listener gets whose maker names none, unless that is AWS's web console. */
  static final String DEFAULT = "ELBSecurityPolicy-2016-08";

  /** The suites of TLS 1.3, then all others, in the order in which they are preferred. */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "ECDHE-ECDSA-AES128-GCM-SHA256",
          "ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-ECDSA-AES128-SHA256",
          "ECDHE-RSA-AES128-SHA256",
          "ECDHE-ECDSA-AES128-SHA",
          "ECDHE-RSA-AES128-SHA",
          "ECDHE-ECDSA-AES256-GCM-SHA384",
          "ECDHE-RSA-AES256-GCM-SHA384",
          "ECDHE-ECDSA-AES256-SHA384",
          "ECDHE-RSA-AES256-SHA384",
          "ECDHE-RSA-AES256-SHA",
          "ECDHE-ECDSA-AES256-SHA",
          "AES128-GCM-SHA256",
          "AES128-SHA256",
          "AES128-SHA",
          "AES256-GCM-SHA384",
          "AES256-SHA256",
          "AES256-SHA");

  /** Which of the ciphers before TLS 1.3 a policy has. */
  private enum Older {
    NONE,
    FORWARD_SECRET_GCM,
    FORWARD_SECRET_WITHOUT_SHA1,
    FORWARD_SECRET,
    WITHOUT_SHA1,
    ALL;

    boolean has(String cipher) {
      boolean forwardSecret = cipher.startsWith("ECDHE-");
      boolean sha1 = cipher.endsWith("-SHA");
      return switch (this) {
        case NONE -> false;
        case FORWARD_SECRET_GCM -> forwardSecret && cipher.contains("-GCM-");
        case FORWARD_SECRET_WITHOUT_SHA1 -> forwardSecret && !sha1;
        case FORWARD_SECRET -> forwardSecret;
        case WITHOUT_SHA1 -> !sha1;
        case ALL -> true;
      };
    }
  }

  private static final Pattern OPENSSL =
      Pattern.compile("(ECDHE-(?:RSA|ECDSA)-)?AES(128|256)(-GCM)?-SHA(256|384)?");

  private static final Map<String, SslPolicy> POLICIES = new LinkedHashMap<>();

  private static final String CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

  static {
    policy("TLS13-1-3-2021-06", Older.NONE, "1.3");
    policy("TLS13-1-2-Res-2021-06", Older.FORWARD_SECRET_GCM, "1.2", "1.3");
    policy("TLS13-1-2-2021-06", Older.FORWARD_SECRET_WITHOUT_SHA1, "1.2", "1.3");
    policy("TLS13-1-2-Ext1-2021-06", Older.WITHOUT_SHA1, "1.2", "1.3");
    policy("TLS13-1-2-Ext2-2021-06", Older.ALL, "1.2", "1.3");
    policy("TLS13-1-1-2021-06", Older.ALL, "1.1", "1.2", "1.3");
    policy("TLS13-1-0-2021-06", Older.ALL, "1", "1.1", "1.2", "1.3");
    policy("TLS13-1-3-PQ-2025-09", Older.NONE, "1.3");
    policy("TLS13-1-2-Res-PQ-2025-09", Older.FORWARD_SECRET_GCM, "1.2", "1.3");
    policy("TLS13-1-2-PQ-2025-09", Older.FORWARD_SECRET_WITHOUT_SHA1, "1.2", "1.3");
    policy("TLS13-1-2-Ext1-PQ-2025-09", Older.WITHOUT_SHA1, "1.2", "1.3");
    policy("TLS13-1-2-Ext2-PQ-2025-09", Older.ALL, "1.2", "1.3");
    policy("TLS13-1-0-PQ-2025-09", Older.ALL, "1", "1.1", "1.2", "1.3");
    for (String kind : List.of("FIPS-2023-04", "FIPS-PQ-2025-09")) {
      policy("TLS13-1-3-" + kind, Older.NONE, "1.3");
      policy("TLS13-1-2-Res-" + kind, Older.FORWARD_SECRET_GCM, "1.2", "1.3");
      policy("TLS13-1-2-" + kind, Older.FORWARD_SECRET_WITHOUT_SHA1, "1.2", "1.3");
      policy("TLS13-1-2-Ext0-" + kind, Older.FORWARD_SECRET, "1.2", "1.3");
      policy("TLS13-1-2-Ext1-" + kind, Older.WITHOUT_SHA1, "1.2", "1.3");
      policy("TLS13-1-2-Ext2-" + kind, Older.ALL, "1.2", "1.3");
      policy("TLS13-1-0-" + kind, Older.ALL, "1", "1.1", "1.2", "1.3");
    }
    policy("TLS13-1-1-FIPS-2023-04", Older.ALL, "1.1", "1.2", "1.3");
    policy("2015-05", Older.ALL, "1", "1.1", "1.2");
    policy("2016-08", Older.ALL, "1", "1.1", "1.2");
    policy("TLS-1-1-2017-01", Older.ALL, "1.1", "1.2");
    policy("TLS-1-2-2017-01", Older.WITHOUT_SHA1, "1.2");
    policy("TLS-1-2-Ext-2018-06", Older.ALL, "1.2");
    policy("FS-2018-06", Older.FORWARD_SECRET, "1", "1.1", "1.2");
    policy("FS-1-1-2019-08", Older.FORWARD_SECRET, "1.1", "1.2");
    policy("FS-1-2-2019-08", Older.FORWARD_SECRET, "1.2");
    policy("FS-1-2-Res-2019-08", Older.FORWARD_SECRET_WITHOUT_SHA1, "1.2");
    policy("FS-1-2-Res-2020-10", Older.FORWARD_SECRET_GCM, "1.2");
  }

  private SslPolicies() {}

  /** Adds a policy, with these ciphers before those of TLS 1.3. */
  private static void policy(String name, Older older, String... versions) {
    boolean tls13 = List.of(versions).contains("1.3");
    List<String> names =
        CIPHERS.stream()
            .filter(cipher -> cipher.startsWith("TLS_") ? tls13 : older.has(cipher))
            .filter(cipher -> !fips(name) || !cipher.equals(CHACHA))
            .toList();
    String whole = "ELBSecurityPolicy-" + name;
    POLICIES.put(
        whole,
        SslPolicy.builder()
            .name(whole)
            .sslProtocols(List.of(versions).stream().map(version -> "TLSv" + version).toList())
            .ciphers(
                IntStream.range(0, names.size())
                    .mapToObj(i -> Cipher.builder().name(names.get(i)).priority(i + 1).build())
                    .toList())
            .supportedLoadBalancerTypes(
                LoadBalancerTypeEnum.APPLICATION.toString(),
                LoadBalancerTypeEnum.NETWORK.toString())
            .build());
  }

  public static SslPolicy get(String name) {
    SslPolicy policy = POLICIES.get(name);
    if (policy == null) {
      throw SslPolicyNotFoundException.builder()
          .message("SSL policy '" + name + "' not found")
          .build();
    }
    return policy;
  }

  public static DescribeSslPoliciesResponse describe(DescribeSslPoliciesRequest request) {
    List<SslPolicy> found = new ArrayList<>();
    if (request.names().isEmpty()) {
      found.addAll(POLICIES.values());
    } else {
      request.names().forEach(name -> found.add(get(name)));
    }
    if (request.loadBalancerType() != null) {
      found.removeIf(policy ->
          !policy.supportedLoadBalancerTypes().contains(request.loadBalancerTypeAsString()));
    }
    Pages<SslPolicy> page =
        Pages.of(
            found.stream().sorted(Comparator.comparing(SslPolicy::name)).toList(),
            SslPolicy::name,
            request.marker(),
            request.pageSize());
    return DescribeSslPoliciesResponse.builder()
        .sslPolicies(page.items())
        .nextMarker(page.next())
        .build();
  }

  /** Whether a policy is one of those that FIPS 140 is kept by: a load balancer has them alone. */
  public static boolean fips(String name) {
    return name.contains("-FIPS-");
  }

  public static boolean postQuantum(SslPolicy policy) {
    return policy.name().contains("-PQ-");
  }

  /** A policy's ciphers as the IANA names them. */
  public static List<String> suites(SslPolicy policy) {
    return policy.ciphers().stream().map(cipher -> suite(cipher.name())).toList();
  }

  private static String suite(@Nullable String name) {
    Matcher parts = OPENSSL.matcher(String.valueOf(name));
    if (!parts.matches()) {
      return String.valueOf(name); // those of TLS 1.3 have one name only
    }
    String exchange = parts.group(1) == null ? "RSA" : parts.group(1).replace('-', '_');
    return "TLS_"
        + (exchange.endsWith("_") ? exchange : exchange + "_")
        + "WITH_AES_"
        + parts.group(2)
        + (parts.group(3) == null ? "_CBC_SHA" : "_GCM_SHA")
        + (parts.group(4) == null ? "" : parts.group(4));
  }
}
