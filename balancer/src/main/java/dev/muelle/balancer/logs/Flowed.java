package dev.muelle.balancer.logs;

import java.time.Instant;
import java.util.List;

/**
 * A TLS connection of a network load balancer that is over.
 *
 * @param address at which the client found the load balancer
 * @param millis how long it lasted
 * @param handshakeMillis until TLS was agreed upon; -1 if it never was
 * @param received bytes of the client, in clear
 * @param sent bytes to the client, in clear
 * @param alert by which the client ended the handshake; -1 if by none
 * @param certificate that the client was shown, as the listener calls it; empty if it was shown
 *     none
 * @param cipherSuite in OpenSSL's words; empty if there was none, and so are the version, the
 *     server's name and the protocols
 * @param clientProtocol by ALPN with the client
 * @param targetProtocol by ALPN with the target
 * @param preferences what the client offered by ALPN, if the listener negotiates that
 */
public record Flowed(
    Instant ended,
    Instant created,
    String listener,
    String clientAddress,
    int clientPort,
    String address,
    int port,
    long millis,
    long handshakeMillis,
    long received,
    long sent,
    int alert,
    String certificate,
    String cipherSuite,
    String tlsVersion,
    String serverName,
    String clientProtocol,
    String targetProtocol,
    List<String> preferences) {}
