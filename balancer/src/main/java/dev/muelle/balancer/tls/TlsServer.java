package dev.muelle.balancer.tls;

import static java.util.Map.entry;

import dev.muelle.balancer.tls.Tls.Identity;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** One listener's TLS as it runs: which certificate a client gets, and the contexts made so far. */
public final class TlsServer {

  /**
   * The suites that BoringSSL has, of all that AWS's policies name.
   *
   * @see <a
   *     href="https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-4">TLS
   *     Cipher Suites</a>
   */
  private static final Map<String, Integer> BORING =
      Map.ofEntries(
          entry("TLS_AES_128_GCM_SHA256", 0x1301),
          entry("TLS_AES_256_GCM_SHA384", 0x1302),
          entry("TLS_CHACHA20_POLY1305_SHA256", 0x1303),
          entry("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002F),
          entry("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035),
          entry("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009C),
          entry("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009D),
          entry("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC009),
          entry("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xC00A),
          entry("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC013),
          entry("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xC014),
          entry("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02B),
          entry("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC02C),
          entry("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xC02F),
          entry("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xC030));

  private static final int CHACHA = 0x1303;

  /** Whether AES is done by the processor: otherwise BoringSSL prefers ChaCha20. */
  private static final boolean AES_HARDWARE = aesHardware();

  /**
   * By which groups keys are exchanged, the preferred one first. Of the three hybrid ones that AWS
   * offers it is the one that BoringSSL has, and that browsers, OpenSSL and Go offer first.
   */
  private static final String[] GROUPS = {"x25519", "secp256r1", "secp384r1", "secp521r1"};

  private static final String[] POST_QUANTUM = {
    "X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1"
  };

  /** A certificate, and who does the handshake. */
  private record Kind(Identity identity, SslProvider provider) {}

  private static final int SESSIONS = 10_000;
  private static final long SESSION_SECONDS = 3600;

  public final Tls wanted;
  private final InstantSource clock;
  private final Map<Kind, SslContext> contexts = new ConcurrentHashMap<>();

  /**
   * A listener's TLS.
   *
   * @param before what it was; sessions of certificates that stay can still be resumed
   */
  public TlsServer(Tls wanted, @Nullable TlsServer before, InstantSource clock) {
    this.wanted = wanted;
    this.clock = clock;
    if (before != null && before.wanted.negotiatesAs(wanted)) {
      contexts.putAll(before.contexts);
      contexts
          .keySet()
          .removeIf(one ->
              !one.identity().equals(wanted.standard())
                  && !wanted.others().contains(one.identity()));
    }
  }

  /** Whether one of its certificates is for this name, which is lower case. */
  public boolean isFor(String name) {
    return CertificateNames.match(wanted.standard().certificate(), name)
        || wanted.others().stream().anyMatch(o -> CertificateNames.match(o.certificate(), name));
  }

  public SslContext context(ClientHello hello, Instant now) throws SSLException {
    return context(hello, choose(hello, now));
  }

  public SslContext context(ClientHello hello, Identity chosen) throws SSLException {
    Kind kind = new Kind(chosen, provider(hello));
    SslContext present = contexts.get(kind);
    if (present == null) {
      present = make(kind); // two at once make two, of which one stays
      contexts.put(kind, present);
    }
    return present;
  }

  /**
   * BoringSSL, but for clients that share only suites with us which it does not have any more, or
   * for whom it would choose one that we do not want: of TLS 1.3's it always has all.
   */
  private SslProvider provider(ClientHello hello) {
    return wanted.ciphers().stream()
                .map(BORING::get)
                .anyMatch(suite -> suite != null && hello.suites().contains(suite))
            && !choosesChaCha(hello)
        ? SslProvider.OPENSSL
        : SslProvider.JDK;
  }

  private boolean choosesChaCha(ClientHello hello) {
    return wanted.protocols().contains("TLSv1.3")
        && !wanted.ciphers().contains("TLS_CHACHA20_POLY1305_SHA256")
        && hello.suites().contains(CHACHA)
        && (hello.tls13Suite() == CHACHA || !AES_HARDWARE);
  }

  private static boolean aesHardware() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines.anyMatch(line ->
          (line.startsWith("flags") || line.startsWith("Features"))
              && List.of(line.split("\\s+")).contains("aes"));
    } catch (IOException | UncheckedIOException e) {
      return false; // then Java does what BoringSSL might do wrongly
    }
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
  public Identity choose(ClientHello hello, Instant now) {
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

  private SslContext make(Kind kind) throws SSLException {
    Identity identity = kind.identity();
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
    if (kind.provider() == SslProvider.OPENSSL) {
      builder.option(OpenSslContextOption.GROUPS, wanted.postQuantum() ? POST_QUANTUM : GROUPS);
    }
    return builder
        .sslProvider(kind.provider())
        .protocols(wanted.protocols())
        .ciphers(wanted.ciphers(), SupportedCipherSuiteFilter.INSTANCE)
        .applicationProtocolConfig(offered())
        .sessionCacheSize(SESSIONS)
        .sessionTimeout(SESSION_SECONDS)
        .build();
  }

  private ApplicationProtocolConfig offered() {
    return wanted.alpn().isEmpty()
        ? ApplicationProtocolConfig.DISABLED
        : new ApplicationProtocolConfig(
            Protocol.ALPN,
            SelectorFailureBehavior.NO_ADVERTISE,
            SelectedListenerFailureBehavior.ACCEPT,
            wanted.alpn());
  }
}
