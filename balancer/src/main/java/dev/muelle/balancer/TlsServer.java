package dev.muelle.balancer;

import dev.muelle.balancer.Tls.Identity;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** One listener's TLS as it runs: which certificate a client gets, and the contexts made so far. */
final class TlsServer {

  private static final int SESSIONS = 10_000;
  private static final long SESSION_SECONDS = 3600;

  final Tls wanted;
  private final InstantSource clock;
  private final Map<Identity, SslContext> contexts = new ConcurrentHashMap<>();

  /**
   * A listener's TLS.
   *
   * @param before what it was; sessions of certificates that stay can still be resumed
   */
  TlsServer(Tls wanted, @Nullable TlsServer before, InstantSource clock) {
    this.wanted = wanted;
    this.clock = clock;
    if (before != null && before.wanted.negotiatesAs(wanted)) {
      contexts.putAll(before.contexts);
      contexts
          .keySet()
          .removeIf(one -> !one.equals(wanted.standard()) && !wanted.others().contains(one));
    }
  }

  /** Whether one of its certificates is for this name, which is lower case. */
  boolean isFor(String name) {
    return CertificateNames.match(wanted.standard().certificate(), name)
        || wanted.others().stream().anyMatch(o -> CertificateNames.match(o.certificate(), name));
  }

  SslContext context(ClientHello hello, Instant now) throws SSLException {
    return context(choose(hello, now));
  }

  SslContext context(Identity chosen) throws SSLException {
    SslContext present = contexts.get(chosen);
    if (present == null) {
      present = make(chosen); // two at once make two, of which one stays
      contexts.put(chosen, present);
    }
    return present;
  }

  /**
   * The certificate for a client. Of those that are for the name it asks for: one whose key it can
   * deal with, ECDSA rather than RSA, a valid one rather than an expired one, the longest key, and
   * the one that is valid longest.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html">
   *     SSL certificates for your Application Load Balancer</a>
   */
  Identity choose(ClientHello hello, Instant now) {
    String name = hello.name();
    if (name == null) {
      return wanted.standard();
    }
    boolean ecdsa = hello.takesEcdsa(wanted.protocols().contains("TLSv1.3"));
    List<Identity> fitting =
        wanted.others().stream()
            .filter(one -> CertificateNames.match(one.certificate(), name))
            .filter(one -> ecdsa || !(one.certificate().getPublicKey() instanceof ECKey))
            .toList();
    return fitting.stream()
        .max(
            Comparator.comparing(
                    (Identity one) -> one.certificate().getPublicKey() instanceof ECKey)
                .thenComparing(one -> end(one).isAfter(now))
                .thenComparingInt(TlsServer::keyLength)
                .thenComparing(TlsServer::end))
        .orElse(wanted.standard());
  }

  private static Instant end(Identity identity) {
    return identity.certificate().getNotAfter().toInstant();
  }

  private static int keyLength(Identity identity) {
    return switch (identity.certificate().getPublicKey()) {
      case RSAKey rsa -> rsa.getModulus().bitLength();
      case ECKey ec -> ec.getParams().getOrder().bitLength();
      default -> 0;
    };
  }

  private SslContext make(Identity identity) throws SSLException {
    SslContextBuilder builder = SslContextBuilder.forServer(identity.key(), identity.chain());
    ClientAuth client = wanted.client();
    if (client != null) {
      builder
          .clientAuth(
              client instanceof ClientAuth.Verify
                  ? io.netty.handler.ssl.ClientAuth.REQUIRE
                  : io.netty.handler.ssl.ClientAuth.OPTIONAL)
          .trustManager(new ClientTrust(client, clock));
    }
    return builder
        .sslProvider(SslProvider.OPENSSL)
        .protocols(wanted.protocols())
        .ciphers(wanted.ciphers(), SupportedCipherSuiteFilter.INSTANCE)
        .applicationProtocolConfig(offered())
        .sessionCacheSize(SESSIONS)
        .sessionTimeout(SESSION_SECONDS)
        .build();
  }

  private ApplicationProtocolConfig offered() {
    return new ApplicationProtocolConfig(
        Protocol.ALPN,
        SelectorFailureBehavior.NO_ADVERTISE,
        SelectedListenerFailureBehavior.ACCEPT,
        wanted.http2()
            ? List.of(ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1)
            : List.of(ApplicationProtocolNames.HTTP_1_1));
  }
}
