package dev.muelle.services.elasticloadbalancingv2.oidc;

import dev.muelle.balancer.Gate;
import dev.muelle.balancer.Gate.Opening;
import dev.muelle.services.Ids;
import dev.muelle.store.Store;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the gates of one account in one region, and has what they share. */
public final class OidcGates implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OidcGates.class);
  private static final int TOKEN_BYTES = 24;

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final RandomGenerator random;
  private final X509Certificate authority;
  private final Refreshes refreshes;
  private final Opened opened = new Opened();
  private final Map<String, AuthCounts> counts = new ConcurrentHashMap<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("oidc-", 0).factory());
  private @Nullable AuthKeys keys;
  private @Nullable HttpClient http;
  private @Nullable IdentityProvider provider;

  /**
   * Gates over a store.
   *
   * @param random that nobody can guess
   * @param authority whom providers may be vouched for by, besides the authorities that Java trusts
   */
  public OidcGates(
      Store store,
      InstantSource clock,
      Ids ids,
      RandomGenerator random,
      X509Certificate authority) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.random = random;
    this.authority = authority;
    this.refreshes = new Refreshes(clock);
  }

  /** Has its keys at hand, or makes them: before the first gate, and outside of transactions. */
  public void ready() {
    keys();
  }

  /** Stands before an action. */
  public Gate before(String balancerArn, Oidc oidc) {
    return new OidcGate(this, balancerArn, oidc);
  }

  /** Where users come back to, by path; nothing if no such gate is among these. */
  public Map<String, Gate> returns(String balancerArn, Collection<Gate> gates) {
    List<OidcGate> mine =
        gates.stream().filter(OidcGate.class::isInstance).map(OidcGate.class::cast).toList();
    return mine.isEmpty()
        ? Map.of()
        : Map.of(OidcGate.RETURN, new OidcReturn(this, balancerArn, mine));
  }

  /** What the gates of a load balancer have counted. */
  public AuthCounts counts(String balancerArn) {
    return counts.computeIfAbsent(balancerArn, arn -> new AuthCounts());
  }

  /** Forgets a load balancer that is gone. */
  public void forget(String balancerArn) {
    counts.remove(balancerArn);
  }

  /** The public key that belongs to a token's {@code kid}, in PEM. */
  public Optional<String> publicKey(String id) {
    return Optional.ofNullable(AuthKeys.publicKey(store, id));
  }

  InstantSource clock() {
    return clock;
  }

  Opened opened() {
    return opened;
  }

  Refreshes refreshes() {
    return refreshes;
  }

  synchronized AuthKeys keys() {
    if (keys == null) {
      keys = AuthKeys.open(store, ids, random);
    }
    return keys;
  }

  synchronized IdentityProvider provider() {
    if (provider == null) {
      http = client(authority);
      provider = new IdentityProvider(http, clock);
    }
    return provider;
  }

  private static HttpClient client(X509Certificate authority) {
    SSLParameters modern = new SSLParameters();
    modern.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    return HttpClient.newBuilder()
        .connectTimeout(Duration.ofSeconds(5))
        .followRedirects(HttpClient.Redirect.NEVER)
        .sslContext(trust(authority))
        .sslParameters(modern)
        .build();
  }

  private static SSLContext trust(X509Certificate authority) {
    try {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry("region", authority);
      int number = 0;
      for (X509Certificate one : usual()) {
        trusted.setCertificateEntry("usual-" + number++, one);
      }
      TrustManagerFactory all =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      all.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, all.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The authorities that Java trusts. */
  private static List<X509Certificate> usual() throws GeneralSecurityException {
    TrustManagerFactory usual =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    usual.init((KeyStore) null);
    for (TrustManager manager : usual.getTrustManagers()) {
      if (manager instanceof X509TrustManager certificates) {
        return List.of(certificates.getAcceptedIssuers());
      }
    }
    return List.of();
  }

  String token() {
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Off the event loop. */
  void blocking(Consumer<Opening> then, Supplier<Opening> work) {
    threads.execute(() -> {
      Opening opening;
      try {
        opening = work.get();
      } catch (RuntimeException e) {
        LOG.warn("a user could not be authenticated", e);
        opening = shut(Failure.unreachable("AuthUnhandledException"));
      }
      then.accept(opening);
    });
  }

  /** How long a provider took is counted, whatever it said. */
  Session timed(String balancerArn, Refreshes.Asking asking) throws Failure {
    long began = clock.millis();
    try {
      return asking.ask();
    } finally {
      counts(balancerArn).took(clock.millis() - began);
    }
  }

  Opening failed(String balancerArn, Failure why) {
    counts(balancerArn).failed(why);
    return shut(why);
  }

  private static Opening shut(Failure why) {
    return new Opening.Shut(why.status, "", List.of(), why.reason);
  }

  @Override
  public synchronized void close() {
    threads.shutdownNow();
    if (http != null) {
      http.shutdownNow();
    }
  }
}
