package dev.muelle.balancer.tls;

import io.netty.handler.ssl.ApplicationProtocolNames;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a listener speaks TLS.
 *
 * @param standard shown to clients that name no server, or one that no other certificate is for
 * @param others chosen by the name that the client asks for
 * @param protocols as Java names them, for example {@code TLSv1.3}
 * @param ciphers as the IANA names them, the preferred one first
 * @param alpn what is negotiated with ALPN, the preferred one first; nothing if empty
 * @param client what is asked of clients' own certificates; null if they are not asked for one
 * @param postQuantum whether keys are also exchanged by a group that quantum computers do not break
 */
public record Tls(
    Identity standard,
    List<Identity> others,
    List<String> protocols,
    List<String> ciphers,
    List<String> alpn,
    @Nullable ClientAuth client,
    boolean postQuantum) {

  /** Of who speaks HTTP/1.1 alone. */
  public static final List<String> HTTP1 = List.of(ApplicationProtocolNames.HTTP_1_1);

  /** Of who prefers HTTP/2. */
  public static final List<String> HTTP2 =
      List.of(ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1);

  public Tls(
      Identity standard,
      List<Identity> others,
      List<String> protocols,
      List<String> ciphers,
      List<String> alpn) {
    this(standard, others, protocols, ciphers, alpn, null, false);
  }

  public Tls {
    others = List.copyOf(others);
    protocols = List.copyOf(protocols);
    ciphers = List.copyOf(ciphers);
    alpn = List.copyOf(alpn);
  }

  /**
   * A certificate and its key.
   *
   * @param chain the server's own certificate first
   * @param id what it is called where requests are told of
   */
  public record Identity(PrivateKey key, List<X509Certificate> chain, String id) {

    public Identity {
      chain = List.copyOf(chain);
    }

    public Identity(PrivateKey key, List<X509Certificate> chain) {
      this(key, chain, "");
    }

    public X509Certificate certificate() {
      return chain.getFirst();
    }

    @Override
    public String toString() {
      return "Identity[" + certificate().getSubjectX500Principal() + "]"; // never the key
    }
  }

  /** Whether both offer the same. */
  boolean negotiatesAs(Tls other) {
    return protocols.equals(other.protocols)
        && ciphers.equals(other.ciphers)
        && alpn.equals(other.alpn)
        && postQuantum == other.postQuantum
        && Objects.equals(client, other.client);
  }
}
