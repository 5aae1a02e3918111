package dev.muelle.services.ec2.key;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.KeyType;

/**
 * The public half of a key pair.
 *
 * @param blob as SSH has it: its algorithm's name and its numbers (RFC 4253, section 6.6; RFC 8709)
 */
record PublicKey(KeyType type, byte[] blob) {

  private static final String RSA = "ssh-rsa";
  private static final String ED25519 = "ssh-ed25519";
  private static final int ED25519_BYTES = 32;

  /** Of imported RSA keys. */
  private static final Set<Integer> BITS = Set.of(1024, 2048, 4096);

  /** What comes before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
  private static final byte[] ED25519_DER = HexFormat.of().parseHex("302a300506032b6570032100");

  /** Thrown for what is no key in any of the forms that are taken. */
  static final class NotRead extends Exception {
    private static final long serialVersionUID = 1L;

    NotRead(@Nullable Throwable cause) {
      super(cause);
    }
  }

  static PublicKey of(RSAPublicKey key) {
    return new PublicKey(
        KeyType.RSA, blob(RSA, number(key.getPublicExponent()), number(key.getModulus())));
  }

  static PublicKey of(EdECPublicKey key) {
    byte[] der = key.getEncoded();
    return new PublicKey(
        KeyType.ED25519,
        blob(ED25519, Arrays.copyOfRange(der, der.length - ED25519_BYTES, der.length)));
  }

  /** Strings of SSH one after the other: each with its length before it. */
  static byte[] strings(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      for (byte[] part : parts) {
        out.writeInt(part.length);
        out.write(part);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] blob(String algorithm, byte[]... numbers) {
    byte[][] parts = new byte[numbers.length + 1][];
    parts[0] = algorithm.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(numbers, 0, parts, 1, numbers.length);
    return strings(parts);
  }

  /** As SSH's {@code mpint}. */
  static byte[] number(BigInteger number) {
    return number.toByteArray();
  }

  /**
   * Reads a key in one of the three forms that ImportKeyPair takes: a line of OpenSSH, base64 of
   * DER, or the file of RFC 4716.
   */
  static PublicKey read(String material) throws NotRead {
    String text = material.strip();
    try {
      if (text.startsWith(RSA + " ") || text.startsWith(ED25519 + " ")) {
        String[] words = text.split("\\s+", 3);
        PublicKey key = ofBlob(Base64.getDecoder().decode(words[1]));
        if (!key.algorithm().equals(words[0])) {
          throw new NotRead(null);
        }
        return key;
      }
      if (text.startsWith("---- BEGIN SSH2 PUBLIC KEY ----")) {
        return ofBlob(Base64.getMimeDecoder().decode(rfc4716(text)));
      }
      String body =
          text.lines().filter(line -> !line.startsWith("-----")).collect(Collectors.joining());
      return ofDer(Base64.getMimeDecoder().decode(body));
    } catch (IllegalArgumentException | IOException | GeneralSecurityException e) {
      throw new NotRead(e);
    }
  }

  /** The body of a file whose headers may go on in further lines, after a backslash. */
  private static String rfc4716(String text) {
    StringBuilder body = new StringBuilder();
    boolean header = false;
    for (String line : text.lines().map(String::strip).toList()) {
      boolean starts = line.contains(":");
      boolean continued = header;
      header = (starts || continued) && line.endsWith("\\");
      if (!starts && !continued && !line.startsWith("----")) {
        body.append(line);
      }
    }
    return body.toString();
  }

  private static PublicKey ofDer(byte[] der) throws GeneralSecurityException, NotRead, IOException {
    boolean edwards =
        der.length == ED25519_DER.length + ED25519_BYTES
            && Arrays.equals(der, 0, ED25519_DER.length, ED25519_DER, 0, ED25519_DER.length);
    if (edwards) {
      return new PublicKey(
          KeyType.ED25519, blob(ED25519, Arrays.copyOfRange(der, ED25519_DER.length, der.length)));
    }
    RSAPublicKey key =
        (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
    return ofBlob(of(key).blob());
  }

  private static PublicKey ofBlob(byte[] blob) throws IOException, NotRead {
    DataInputStream in = new DataInputStream(new java.io.ByteArrayInputStream(blob));
    String algorithm = new String(next(in), StandardCharsets.US_ASCII);
    PublicKey key =
        switch (algorithm) {
          case RSA -> {
            next(in);
            int bits = new BigInteger(1, next(in)).bitLength();
            if (!BITS.contains(bits)) {
              throw new NotRead(null);
            }
            yield new PublicKey(KeyType.RSA, blob);
          }
          case ED25519 -> {
            if (next(in).length != ED25519_BYTES) {
              throw new NotRead(null);
            }
            yield new PublicKey(KeyType.ED25519, blob);
          }
          default -> throw new NotRead(null);
        };
    if (in.available() > 0) {
      throw new NotRead(null);
    }
    return key;
  }

  private static byte[] next(DataInputStream in) throws IOException, NotRead {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new NotRead(null);
    }
    return in.readNBytes(length);
  }

  String algorithm() {
    return type == KeyType.RSA ? RSA : ED25519;
  }

  /** One line of {@code authorized_keys}. */
  String line(String comment) {
    return algorithm() + " " + Base64.getEncoder().encodeToString(blob) + " " + comment;
  }

  /**
   * Of a key that was imported; of an Ed25519 key wherever it came from.
   *
   * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html">How the
   *     fingerprints are calculated</a>
   */
  String fingerprint() {
    return type == KeyType.RSA
        ? colons(digest("MD5", der()))
        : Base64.getEncoder().encodeToString(digest("SHA-256", blob));
  }

  private byte[] der() {
    ByteBuffer parts = ByteBuffer.wrap(blob);
    part(parts);
    BigInteger exponent = new BigInteger(1, part(parts));
    BigInteger modulus = new BigInteger(1, part(parts));
    try {
      return KeyFactory.getInstance("RSA")
          .generatePublic(new RSAPublicKeySpec(modulus, exponent))
          .getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // it was read as a key before
    }
  }

  private static byte[] part(ByteBuffer parts) {
    byte[] part = new byte[parts.getInt()];
    parts.get(part);
    return part;
  }

  static byte[] digest(String algorithm, byte[] bytes) {
    try {
      return MessageDigest.getInstance(algorithm).digest(bytes);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has them
    }
  }

  static String colons(byte[] digest) {
    return HexFormat.ofDelimiter(":").formatHex(digest);
  }
}
