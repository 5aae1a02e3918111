package dev.muelle.services.elasticloadbalancingv2.oidc;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.random.RandomGenerator;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one account in one region: one seals what browsers keep for us, the other signs what
 * targets hear. They are made at the first use, and outlive the server: so do sessions, and the
 * public key that applications have fetched.
 */
final class AuthKeys {

  /** As it is stored; all in base64. */
  record Stored(String seal, String privateKey, String publicKey, String id) {

    @Override
    public String toString() {
      return "Stored[" + id + "]"; // never the keys
    }
  }

  private static final Table<Stored> TABLE =
      Table.of("elbv2.authentication_keys", StoredJson.codec(Stored.class));
  private static final String ROW = "keys";
  private static final int SEAL_BYTES = 32;
  private static final int IV_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final int MAX_OPENED = 64 * 1024;

  private final Stored stored;
  private final SecretKeySpec seal;
  private final PrivateKey signing;
  private final RandomGenerator random;

  private AuthKeys(Stored stored, RandomGenerator random) throws GeneralSecurityException {
    this.stored = stored;
    this.random = random;
    this.seal = new SecretKeySpec(Base64.getDecoder().decode(stored.seal), "AES");
    this.signing =
        KeyFactory.getInstance("EC")
            .generatePrivate(
                new PKCS8EncodedKeySpec(Base64.getDecoder().decode(stored.privateKey)));
  }

  /** The keys; made if there are none. */
  static AuthKeys open(Store store, Ids ids, RandomGenerator random) {
    try {
      Stored present = find(store);
      if (present != null) {
        return new AuthKeys(present, random);
      }
      Stored fresh = fresh(ids, random);
      Stored first =
          store.write(tx -> {
            Stored other = tx.get(TABLE, ROW).map(Row::value).orElse(null);
            if (other == null) {
              tx.insert(TABLE, ROW, fresh);
            }
            return other == null ? fresh : other;
          });
      return new AuthKeys(first, random);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has these algorithms
    }
  }

  private static @Nullable Stored find(Store store) {
    return store.read(tx -> tx.get(TABLE, ROW)).map(Row::value).orElse(null);
  }

  /** The public key of this id, in PEM; null if there is none. */
  static @Nullable String publicKey(Store store, String id) {
    Stored present = find(store);
    return present == null || !present.id.equals(id)
        ? null
        : "-----BEGIN PUBLIC KEY-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(Base64.getDecoder().decode(present.publicKey))
            + "\n-----END PUBLIC KEY-----\n";
  }

  private static Stored fresh(Ids ids, RandomGenerator random) throws GeneralSecurityException {
    byte[] seal = new byte[SEAL_BYTES];
    random.nextBytes(seal);
    KeyPairGenerator pairs = KeyPairGenerator.getInstance("EC");
    pairs.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair pair = pairs.generateKeyPair();
    Base64.Encoder text = Base64.getEncoder();
    return new Stored(
        text.encodeToString(seal),
        text.encodeToString(pair.getPrivate().getEncoded()),
        text.encodeToString(pair.getPublic().getEncoded()),
        ids.uuid());
  }

  String id() {
    return stored.id;
  }

  /** ECDSA over P-256 with SHA-256, as JSON Web Signatures have it (RFC 7518, section 3.4). */
  byte[] sign(byte[] content) {
    try {
      Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
      signature.initSign(signing);
      signature.update(content);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A text that nobody else can read or change, for cookies and URLs.
   *
   * @param purpose without which it cannot be opened
   */
  String seal(String purpose, String text) {
    byte[] iv = new byte[IV_BYTES];
    random.nextBytes(iv);
    try {
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, iv, purpose);
      byte[] closed = cipher.doFinal(deflate(text.getBytes(StandardCharsets.UTF_8)));
      byte[] all = ByteBuffer.allocate(iv.length + closed.length).put(iv).put(closed).array();
      return Base64.getUrlEncoder().withoutPadding().encodeToString(all);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What was sealed; null if it was not, or for another purpose. */
  @Nullable String open(String purpose, String sealed) {
    try {
      byte[] all = Base64.getUrlDecoder().decode(sealed);
      if (all.length <= IV_BYTES) {
        return null;
      }
      byte[] iv = Arrays.copyOf(all, IV_BYTES);
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, iv, purpose);
      return new String(
          inflate(cipher.doFinal(all, IV_BYTES, all.length - IV_BYTES)), StandardCharsets.UTF_8);
    } catch (GeneralSecurityException | DataFormatException | IllegalArgumentException e) {
      return null;
    }
  }

  private Cipher cipher(int mode, byte[] iv, String purpose) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, seal, new GCMParameterSpec(TAG_BITS, iv));
    cipher.updateAAD(purpose.getBytes(StandardCharsets.UTF_8));
    return cipher;
  }

  /** Tokens are written in base64, which this takes back: more of them fits into cookies. */
  private static byte[] deflate(byte[] content) {
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(content);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] part = new byte[4096];
      while (!deflater.finished()) {
        out.write(part, 0, deflater.deflate(part));
      }
      return out.toByteArray();
    }
  }

  private static byte[] inflate(byte[] content) throws DataFormatException {
    try (Inflater inflater = new Inflater()) {
      inflater.setInput(content);
      byte[] out = new byte[MAX_OPENED];
      int length = inflater.inflate(out);
      if (!inflater.finished()) {
        throw new DataFormatException("longer than " + MAX_OPENED);
      }
      return Arrays.copyOf(out, length);
    }
  }
}
