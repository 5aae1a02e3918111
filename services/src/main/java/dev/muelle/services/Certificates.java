package dev.muelle.services;

import dev.muelle.store.Tx;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The certificates of one account in one region with their keys, for services that serve TLS. AWS
 * has no public operation that gives a key away; what can be said through ACM's own interface is
 * said there.
 *
 * <p>Everything happens in the transaction of the service that uses a certificate: whoever begins
 * to use one and whoever deletes it at the same moment cannot both succeed.
 */
public interface Certificates {

  /** In whose name changed rows of certificates are told by the store. */
  String TABLE = "acm.certificates";

  /** Whether there is a certificate that can be used now. */
  Found find(Tx tx, String arn);

  /** A certificate and its key, whatever its state; empty if there is none. */
  Optional<Identity> identity(Tx tx, String arn);

  /** Says which certificates a resource uses from now on, and that it uses no others. */
  void uses(Tx tx, String resourceArn, Set<String> certificateArns);

  /** The region's own authority, whom the region's own clients trust. */
  X509Certificate authority();

  /** Whether a certificate can be used. */
  enum Found {
    ISSUED,
    /** It has expired. */
    UNUSABLE,
    MISSING
  }

  /**
   * A certificate and its key.
   *
   * @param chain the server's own certificate first
   */
  record Identity(PrivateKey key, List<X509Certificate> chain) {

    public Identity {
      chain = List.copyOf(chain);
    }

    @Override
    public String toString() {
      return "Identity[" + chain.getFirst().getSubjectX500Principal() + "]"; // never the key
    }
  }
}
