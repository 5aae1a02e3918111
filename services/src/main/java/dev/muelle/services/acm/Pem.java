package dev.muelle.services.acm;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;

/**
 * Certificates and keys as text (<a href="https://www.rfc-editor.org/rfc/rfc7468">RFC 7468</a>).
 */
final class Pem {

  private static final int MAX_CHAIN = 10;

  private Pem() {}

  /** Thrown for text that is not what it should be. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    Unreadable(String message) {
      super(message);
    }
  }

  /** The certificates in a text, at least one. */
  static List<X509Certificate> certificates(byte[] text) throws Unreadable {
    List<X509Certificate> found = new ArrayList<>();
    try (PemReader reader = reader(text)) {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (PemObject one = reader.readPemObject(); one != null; one = reader.readPemObject()) {
        if (!one.getType().equals("CERTIFICATE")) {
          throw new Unreadable("there is a " + one.getType() + " in it");
        }
        if (found.size() == MAX_CHAIN) {
          throw new Unreadable("there are more than " + MAX_CHAIN + " certificates in it");
        }
        found.add(
            (X509Certificate)
                factory.generateCertificate(new ByteArrayInputStream(one.getContent())));
      }
    } catch (IOException | CertificateException | RuntimeException e) {
      throw new Unreadable("it is not in PEM format");
    }
    if (found.isEmpty()) {
      throw new Unreadable("there is no certificate in it");
    }
    return found;
  }

  /** The one private key in a text: PKCS #8, PKCS #1 or SEC 1, not encrypted. */
  static PrivateKey key(byte[] text) throws Unreadable {
    String content = new String(text, StandardCharsets.US_ASCII);
    if (content.contains("ENCRYPTED")) {
      throw new Unreadable("it is encrypted");
    }
    try (PEMParser parser = new PEMParser(new StringReader(content))) {
      PrivateKeyInfo key = null;
      for (Object one = parser.readObject(); one != null; one = parser.readObject()) {
        Optional<PrivateKeyInfo> found =
            switch (one) {
              case PEMKeyPair pair -> Optional.of(pair.getPrivateKeyInfo());
              case PrivateKeyInfo info -> Optional.of(info);
              default -> Optional.empty(); // EC PARAMETERS, which openssl writes before the key
            };
        if (found.isPresent() && key != null) {
          throw new Unreadable("there are several keys in it");
        }
        key = found.orElse(key);
      }
      if (key == null) {
        throw new Unreadable("there is no key in it");
      }
      return KeyFactory.getInstance(family(key))
          .generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded()));
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      throw new Unreadable("it is not in PEM format"); // without the cause, which may quote it
    }
  }

  private static String family(PrivateKeyInfo key) throws Unreadable {
    var algorithm = key.getPrivateKeyAlgorithm().getAlgorithm();
    if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)) {
      return "RSA";
    }
    if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      return "EC";
    }
    throw new Unreadable("it is neither an RSA nor an EC key");
  }

  private static PemReader reader(byte[] text) {
    return new PemReader(new StringReader(new String(text, StandardCharsets.US_ASCII)));
  }

  /** Certificates as text, one after the other. */
  static String write(List<X509Certificate> certificates) {
    try {
      StringWriter text = new StringWriter();
      try (PemWriter writer = new PemWriter(text)) {
        for (X509Certificate one : certificates) {
          writer.writeObject(new PemObject("CERTIFICATE", one.getEncoded()));
        }
      }
      return text.toString();
    } catch (IOException | CertificateException e) {
      throw new IllegalStateException(e); // it was read before
    }
  }
}
