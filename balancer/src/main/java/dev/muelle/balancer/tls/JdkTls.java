package dev.muelle.balancer.tls;

import java.security.Security;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the JDK has to be told once, before anybody in this process speaks TLS, so that a listener's
 * policy alone says what is negotiated. The JDK refuses TLS 1.0, TLS 1.1 and the suites without
 * forward secrecy whatever a server asks for, but AWS's older policies, and the default one, offer
 * them. Clients in this process stay at TLS 1.2 and later.
 *
 * @see <a
 *     href="https://docs.oracle.com/en/java/javase/25/security/java-secure-socket-extension-jsse-reference-guide.html">
 *     JSSE Reference Guide</a>
 */
public final class JdkTls {

  private static final String DISABLED = "jdk.tls.disabledAlgorithms";
  private static final Set<String> LEFT_TO_POLICIES = Set.of("TLSv1", "TLSv1.1", "TLS_RSA_*");

  private JdkTls() {}

  /** Leaves versions and suites to the policies. Must come before the first use of TLS. */
  public static void prepare() {
    String disabled = Security.getProperty(DISABLED);
    if (disabled != null) {
      Security.setProperty(
          DISABLED,
          Arrays.stream(disabled.split(",", -1))
              .map(String::strip)
              .filter(one -> !LEFT_TO_POLICIES.contains(one))
              .collect(Collectors.joining(", ")));
    }
    if (System.getProperty("jdk.tls.client.protocols") == null) {
      System.setProperty("jdk.tls.client.protocols", "TLSv1.3,TLSv1.2");
    }
    // As ALB: a client cannot make the server do a second handshake on one connection.
    System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
  }
}
