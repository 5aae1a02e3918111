package dev.muelle.services.sns;

import dev.muelle.services.Issuer;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Signs messages with one key for all regions of a server. Its certificate is the region's own
 * authority's, so that whoever trusts that knows that a message is genuine.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html">Verifying
 *     the signatures of messages</a>
 */
final class Signer {

  /** Where the paths of certificates begin. */
  static final String PATH = "/_muelle/sns/";

  private static final Table<Held> TABLE =
      Table.of("sns.signers", StoredJson.codec(Held.class)).remember();
  private static final int BITS = 2048;
  private static final Duration LIFE = Duration.ofDays(365);
  private static final Duration BEFORE_END = Duration.ofDays(30);
  private static final int NAME_DIGITS = 32;

  private final Store store;
  private final Issuer issuer;
  private final SecureRandom random;
  private final InstantSource clock;

  /**
   * A key.
   *
   * @param name of its certificate
   * @param pkcs8 in base 64
   */
  private record Held(String name, String pkcs8, String pem, Instant until) {
    @Override
    public String toString() {
      return "Held[" + name + "]"; // never the key
    }
  }

  /** What a message carries. */
  record Signed(String signature, String certificatePath) {}

  Signer(Store store, Issuer issuer, SecureRandom random, InstantSource clock) {
    this.store = store;
    this.issuer = issuer;
    this.random = random;
    this.clock = clock;
  }

  /**
   * Signs.
   *
   * @param version 1 (SHA-1) or 2 (SHA-256)
   */
  Signed sign(String text, String version) {
    Held held = current();
    try {
      Signature signature =
          Signature.getInstance(version.equals("2") ? "SHA256withRSA" : "SHA1withRSA");
      signature.initSign(key(held));
      signature.update(text.getBytes(StandardCharsets.UTF_8));
      return new Signed(Base64.getEncoder().encodeToString(signature.sign()), PATH + held.name());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot sign", e);
    }
  }

  private static PrivateKey key(Held held) throws GeneralSecurityException {
    return KeyFactory.getInstance("RSA")
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(held.pkcs8())));
  }

  /** A certificate, in PEM form, by its path. */
  Optional<String> certificate(String path) {
    return path.startsWith(PATH)
        ? store
            .read(tx -> tx.get(TABLE, path.substring(PATH.length())))
            .map(row -> row.value().pem())
        : Optional.empty();
  }

  /** The key that signs now; older ones stay, for messages that were not verified yet. */
  private Held current() {
    return usable().orElseGet(this::make);
  }

  private Optional<Held> usable() {
    Instant needed = clock.instant().plus(BEFORE_END);
    return store.read(tx -> tx.list(TABLE)).stream()
        .map(Row::value)
        .filter(held -> held.until().isAfter(needed))
        .findFirst();
  }

  private synchronized Held make() {
    return usable()
        .orElseGet(() -> {
          try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(BITS, random);
            KeyPair pair = generator.generateKeyPair();
            Instant now = clock.instant();
            Instant until = now.plus(LIFE);
            X509Certificate certificate =
                issuer.issue(
                    pair.getPublic(),
                    List.of("sns.localhost"),
                    now.minus(Duration.ofDays(1)), // for receivers whose clock is behind
                    until);
            String name = "SimpleNotificationService-" + digest(certificate) + ".pem";
            Held held =
                new Held(
                    name,
                    Base64.getEncoder().encodeToString(pair.getPrivate().getEncoded()),
                    pem(certificate),
                    until);
            store.write(tx -> tx.put(TABLE, name, held));
            return held;
          } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot make a key", e);
          }
        });
  }

  private static String digest(X509Certificate certificate) throws GeneralSecurityException {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    return HexFormat.of().formatHex(digest).substring(0, NAME_DIGITS);
  }

  private static String pem(X509Certificate certificate) throws CertificateEncodingException {
    return "-----BEGIN CERTIFICATE-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
        + "\n-----END CERTIFICATE-----\n";
  }
}
