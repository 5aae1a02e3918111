package dev.muelle.balancer.logs;

import dev.muelle.balancer.tls.ClientCertificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A client that has come, and how its handshake went.
 *
 * @param node the address at which the client found the load balancer
 * @param tlsVersion empty without TLS, and so are the other parts of it
 * @param keyExchange the group by which keys were exchanged; empty if none was
 * @param handshakeNanos how long it took; -1 if it came to no end
 * @param client its own certificate; null if it showed none
 * @param failure in ALB's words; empty if there was none
 * @param id the same in each of its requests
 */
public record Connected(
    Instant at,
    String node,
    String clientAddress,
    int clientPort,
    int listenerPort,
    boolean secure,
    String tlsVersion,
    String cipherSuite,
    String keyExchange,
    long handshakeNanos,
    @Nullable X509Certificate client,
    String failure,
    String id) {

  /** Its issuer's number for it, as in {@code X-Amzn-Mtls-Clientcert-Serial-Number}. */
  public static String serialNumber(X509Certificate client) {
    return ClientCertificate.serialNumber(client);
  }

  /** As in {@code X-Amzn-Mtls-Clientcert-Subject}. */
  public static String subject(X509Certificate client) {
    return ClientCertificate.name(client.getSubjectX500Principal());
  }

  /** As in {@code X-Amzn-Mtls-Clientcert-Validity}. */
  public static String validity(X509Certificate client) {
    return ClientCertificate.validity(client);
  }
}
