package dev.muelle.services.elasticloadbalancingv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.elasticloadbalancingv2.listener.SslPolicies;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Cipher;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeSslPoliciesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SslPolicy;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SslPolicyNotFoundException;

/** The tables of the policies, against AWS's documentation. */
class SslPoliciesTest {

  private static List<String> ciphers(String name) {
    return SslPolicies.get(name).ciphers().stream().map(Cipher::name).toList();
  }

  @Test
  void theRecommendedOnesAreAsDocumented() {
    assertEquals(
        List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-SHA256",
            "ECDHE-RSA-AES128-SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-AES256-SHA384",
            "ECDHE-RSA-AES256-SHA384"),
        ciphers("ELBSecurityPolicy-TLS13-1-2-2021-06"));
    assertEquals(7, ciphers("ELBSecurityPolicy-TLS13-1-2-Res-2021-06").size());
    assertEquals(3, ciphers("ELBSecurityPolicy-TLS13-1-3-2021-06").size());
    assertEquals(15, ciphers("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06").size());
    assertEquals(12, ciphers("ELBSecurityPolicy-TLS-1-2-2017-01").size());
    assertEquals(18, ciphers("ELBSecurityPolicy-2016-08").size());
    assertEquals(
        List.of("TLSv1", "TLSv1.1", "TLSv1.2"),
        SslPolicies.get("ELBSecurityPolicy-2016-08").sslProtocols());
    assertEquals(
        List.of("TLSv1.3"), SslPolicies.get("ELBSecurityPolicy-TLS13-1-3-2021-06").sslProtocols());
  }

  @Test
  void thoseOfFipsAndPostQuantumDifferInWhatTheirNamesSay() {
    List<String> usual = ciphers("ELBSecurityPolicy-TLS13-1-2-Res-2021-06");
    assertEquals(usual, ciphers("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"));
    List<String> fips =
        usual.stream().filter(name -> !name.equals("TLS_CHACHA20_POLY1305_SHA256")).toList();
    assertEquals(6, fips.size());
    assertEquals(fips, ciphers("ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04"));
    assertEquals(fips, ciphers("ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09"));
    assertEquals(14, ciphers("ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04").size());
    assertEquals(14, ciphers("ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04").size());
    assertEquals(20, ciphers("ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09").size());
    assertEquals(
        List.of(
            "TLS13-1-0",
            "TLS13-1-2-Ext1",
            "TLS13-1-2-Ext2",
            "TLS13-1-2",
            "TLS13-1-2-Res",
            "TLS13-1-3"),
        SslPolicies.describe(
                DescribeSslPoliciesRequest.builder().loadBalancerType("network").build())
            .sslPolicies()
            .stream()
            .filter(policy -> SslPolicies.postQuantum(policy) && !SslPolicies.fips(policy.name()))
            .map(policy -> policy.name().replaceAll("ELBSecurityPolicy-|-PQ-2025-09", ""))
            .toList());
    assertThrows(
        SslPolicyNotFoundException.class,
        () -> SslPolicies.get("ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07"));
  }

  @Test
  void everyCipherIsOneThatTheJdkCanSpeak() throws Exception {
    Set<String> known =
        Set.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
    for (SslPolicy policy :
        SslPolicies.describe(DescribeSslPoliciesRequest.builder().build()).sslPolicies()) {
      for (String suite : SslPolicies.suites(policy)) {
        // Those without forward secrecy are known once the server has allowed them.
        assertTrue(known.contains(suite) || suite.startsWith("TLS_RSA_WITH_AES_"), suite);
      }
    }
  }

  @Test
  void theyAreDescribedByNameAndInPages() {
    var first = SslPolicies.describe(DescribeSslPoliciesRequest.builder().pageSize(10).build());
    assertEquals(10, first.sslPolicies().size());
    var rest =
        SslPolicies.describe(
            DescribeSslPoliciesRequest.builder().marker(first.nextMarker()).build());
    assertEquals(28, rest.sslPolicies().size());
    assertThrows(
        SslPolicyNotFoundException.class,
        () -> SslPolicies.describe(DescribeSslPoliciesRequest.builder().names("none").build()));
    assertEquals(
        0,
        SslPolicies.describe(
                DescribeSslPoliciesRequest.builder().loadBalancerType("gateway").build())
            .sslPolicies()
            .size());
  }
}
