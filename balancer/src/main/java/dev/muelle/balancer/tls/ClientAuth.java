package dev.muelle.balancer.tls;

import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/**
 * What a listener asks of clients' own certificates.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html">
 *     Mutual authentication with TLS in Application Load Balancer</a>
 */
public sealed interface ClientAuth {

  /** Whoever brings one has it told to targets, which judge it themselves. */
  record Passthrough() implements ClientAuth {}

  /**
   * Only who brings one that the trust store vouches for comes in.
   *
   * @param ignoreExpiry whether a client's own certificate may have expired
   * @param advertise whether clients are told which authorities are trusted
   */
  record Verify(Trust trust, boolean ignoreExpiry, boolean advertise) implements ClientAuth {}

  /**
   * Who is trusted.
   *
   * @param authorities each of them vouches for what it signed, a root or not
   * @param revoked serial numbers by the name of who issued them
   */
  record Trust(List<X509Certificate> authorities, Map<X500Principal, Set<BigInteger>> revoked) {

    public Trust {
      authorities = List.copyOf(authorities);
    }
  }
}
