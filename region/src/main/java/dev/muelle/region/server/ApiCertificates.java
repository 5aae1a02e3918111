package dev.muelle.region.server;

import dev.muelle.services.Api;
import dev.muelle.services.Issuer;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * What the region's own APIs show to clients: one certificate for all names of a region, issued by
 * the region's own authority when the first client asks for one of them. The key lives as long as
 * the server does.
 */
final class ApiCertificates extends X509ExtendedKeyManager {

  private static final Duration LIFE = Duration.ofDays(30);
  private static final String DEFAULT_REGION = "us-east-1";
  private static final String KEY_TYPE = "EC";

  private static final Pattern REGION =
      Pattern.compile(".+\\.([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})(?:\\.vpce)?\\.amazonaws\\.com");

  /** Of the real ones there are less. */
  private static final int MOST_REGIONS = 100;

  private final List<Api> apis;
  private final Issuer issuer;
  private final InstantSource clock;
  private final KeyPair key;
  private final Map<String, X509Certificate> issued = new ConcurrentHashMap<>();

  ApiCertificates(List<Api> apis, Issuer issuer, SecureRandom random, InstantSource clock) {
    this.apis = List.copyOf(apis);
    this.issuer = issuer;
    this.clock = clock;
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(KEY_TYPE);
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      key = generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  SSLContext context(SecureRandom random) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(new KeyManager[] {this}, null, random);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
    if (!keyType.startsWith(KEY_TYPE)) {
      return null;
    }
    Optional<String> asked =
        engine.getHandshakeSession() instanceof ExtendedSSLSession session
            ? session.getRequestedServerNames().stream()
                .filter(SNIHostName.class::isInstance)
                .map(name -> ((SNIHostName) name).getAsciiName())
                .findFirst()
            : Optional.empty();
    return asked.map(ApiCertificates::region).orElse(DEFAULT_REGION);
  }

  private static String region(String host) {
    Matcher name = REGION.matcher(host);
    return name.matches() ? name.group(1) : DEFAULT_REGION;
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    Instant now = clock.instant();
    X509Certificate present = issued.get(alias);
    if (present == null
        || present.getNotAfter().toInstant().minus(LIFE.dividedBy(2)).isBefore(now)) {
      if (issued.size() >= MOST_REGIONS) {
        issued.clear();
      }
      present = issuer.issue(key.getPublic(), names(alias), now.minus(LIFE), now.plus(LIFE));
      issued.put(alias, present);
    }
    return new X509Certificate[] {present};
  }

  private List<String> names(String region) {
    return apis.stream()
        .flatMap(api -> Stream.of(api.host(region), "*." + api.endpointDomain(region)))
        .distinct()
        .toList();
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return key.getPrivate();
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return null; // engines are asked above
  }

  @Override
  public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }

  @Override
  public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return null;
  }
}
