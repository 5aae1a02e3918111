package dev.muelle.services.ec2.key;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.services.ec2.model.KeyType;

/**
 * A key pair that was made here, as long as its private half is known: until it has been handed out
 * once.
 */
final class PrivateKey {

  private static final int RSA_BITS = 2048;
  private static final int LINE = 64;

  private static final int OPENSSH_LINE = 68;

  private static final int OPENSSH_BLOCK = 8;

  private final KeyPair pair;
  private final PublicKey publicKey;

  private PrivateKey(KeyPair pair, PublicKey publicKey) {
    this.pair = pair;
    this.publicKey = publicKey;
  }

  /** With the randomness of the JDK's own generators, which nobody can foretell. */
  static PrivateKey make(KeyType type) {
    try {
      if (type == KeyType.ED25519) {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        return new PrivateKey(pair, PublicKey.of((EdECPublicKey) pair.getPublic()));
      }
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(RSA_BITS);
      KeyPair pair = generator.generateKeyPair();
      return new PrivateKey(pair, PublicKey.of((RSAPublicKey) pair.getPublic()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has them
    }
  }

  PublicKey publicKey() {
    return publicKey;
  }

  /**
   * Of a key pair that was made here.
   *
   * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html">How the
   *     fingerprints are calculated</a>
   */
  String fingerprint() {
    return publicKey.type() == KeyType.RSA
        ? PublicKey.colons(PublicKey.digest("SHA-1", pair.getPrivate().getEncoded()))
        : publicKey.fingerprint();
  }

  /** PKCS #1 for RSA; OpenSSH's own format for Ed25519, for which there is no other. */
  String pem(String comment) {
    return publicKey.type() == KeyType.RSA
        ? armoured("RSA PRIVATE KEY", pkcs1(), LINE)
        : armoured("OPENSSH PRIVATE KEY", openSsh(comment), OPENSSH_LINE);
  }

  private static String armoured(String label, byte[] body, int width) {
    return "-----BEGIN " + label + "-----\n" + wrapped(body, width) + "-----END " + label + "-----";
  }

  private static String wrapped(byte[] body, int width) {
    return Base64.getMimeEncoder(width, new byte[] {'\n'}).encodeToString(body) + "\n";
  }

  /** RFC 8017, appendix A.1.2; in PKCS #8 it is the last of three members. */
  private byte[] pkcs1() {
    RSAPrivateCrtKey key = (RSAPrivateCrtKey) pair.getPrivate();
    ByteArrayOutputStream numbers = new ByteArrayOutputStream();
    Stream.of(
            BigInteger.ZERO,
            key.getModulus(),
            key.getPublicExponent(),
            key.getPrivateExponent(),
            key.getPrimeP(),
            key.getPrimeQ(),
            key.getPrimeExponentP(),
            key.getPrimeExponentQ(),
            key.getCrtCoefficient())
        .forEach(number -> numbers.writeBytes(der(0x02, number.toByteArray())));
    return der(0x30, numbers.toByteArray());
  }

  private static byte[] der(int tag, byte[] content) {
    byte[] length = BigInteger.valueOf(content.length).toByteArray();
    byte[] bare =
        length.length > 1 && length[0] == 0 ? Arrays.copyOfRange(length, 1, length.length) : length;
    boolean brief = content.length < 0x80;
    ByteBuffer out = ByteBuffer.allocate(content.length + 2 + bare.length);
    out.put((byte) tag);
    if (brief) {
      out.put((byte) content.length);
    } else {
      out.put((byte) (0x80 | bare.length)).put(bare);
    }
    out.put(content);
    return Arrays.copyOf(out.array(), out.position());
  }

  /** The 32 bytes that an Ed25519 key is made of. */
  private byte[] seed() {
    return ((EdECPrivateKey) pair.getPrivate()).getBytes().orElseThrow();
  }

  /** The 32 bytes of the public half, which are the end of its blob. */
  private byte[] point() {
    byte[] blob = publicKey.blob();
    return Arrays.copyOfRange(blob, blob.length - 32, blob.length);
  }

  /**
   * Not encrypted.
   *
   * @see <a href="https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key">OpenSSH's
   *     PROTOCOL.key</a>
   */
  private byte[] openSsh(String comment) {
    byte[] both = new byte[64];
    System.arraycopy(seed(), 0, both, 0, 32);
    System.arraycopy(point(), 0, both, 32, 32);
    ByteArrayOutputStream secret = new ByteArrayOutputStream();
    byte[] check = Arrays.copyOf(PublicKey.digest("SHA-256", both), 4); // twice the same, any
    secret.writeBytes(check);
    secret.writeBytes(check);
    secret.writeBytes(PublicKey.strings(bytes("ssh-ed25519"), point(), both, bytes(comment)));
    for (int pad = 1; secret.size() % OPENSSH_BLOCK != 0; pad++) {
      secret.write(pad);
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(bytes("openssh-key-v1\0"));
    file.writeBytes(PublicKey.strings(bytes("none"), bytes("none"), new byte[0]));
    file.writeBytes(new byte[] {0, 0, 0, 1}); // one key
    file.writeBytes(PublicKey.strings(publicKey.blob(), secret.toByteArray()));
    return file.toByteArray();
  }

  /**
   * A file of PuTTY's, in its second version, which every PuTTY reads; not encrypted.
   *
   * @see <a href="https://the.earth.li/~sgtatham/putty/0.81/htmldoc/AppendixC.html">PPK file
   *     format</a>
   */
  String ppk(String comment) {
    byte[] secret =
        switch (pair.getPrivate()) {
          case RSAPrivateCrtKey key ->
              PublicKey.strings(
                  PublicKey.number(key.getPrivateExponent()),
                  PublicKey.number(key.getPrimeP()),
                  PublicKey.number(key.getPrimeQ()),
                  PublicKey.number(key.getCrtCoefficient()));
          default -> PublicKey.strings(seed());
        };
    String algorithm = publicKey.algorithm();
    byte[] mac =
        mac(
            PublicKey.strings(
                bytes(algorithm), bytes("none"), bytes(comment), publicKey.blob(), secret));
    return String.join(
        "\n",
        List.of(
            "PuTTY-User-Key-File-2: " + algorithm,
            "Encryption: none",
            "Comment: " + comment,
            "Public-Lines: " + lines(publicKey.blob()),
            wrapped(publicKey.blob(), LINE) + "Private-Lines: " + lines(secret),
            wrapped(secret, LINE) + "Private-MAC: " + HexFormat.of().formatHex(mac),
            ""));
  }

  private static long lines(byte[] body) {
    return wrapped(body, LINE).lines().count();
  }

  private static byte[] mac(byte[] content) {
    try {
      Mac mac = Mac.getInstance("HmacSHA1");
      byte[] key = PublicKey.digest("SHA-1", bytes("putty-private-key-file-mac-key"));
      mac.init(new SecretKeySpec(key, "HmacSHA1"));
      return mac.doFinal(content);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
