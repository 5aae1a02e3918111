package dev.muelle.services.acm;

import dev.muelle.services.Issuer;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;

/**
 * The region's own certificate authority, made at the first start. Who trusts its certificate
 * trusts every certificate that the region issues; nobody else does.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc5280">RFC 5280</a>
 */
public final class Authority implements Issuer {

  private static final Duration LIFE = Duration.ofDays(3650);
  private static final String SIGNATURE = "SHA256withECDSA";
  private static final int MAX_COMMON_NAME = 64;
  private static final int SERIAL_BITS = 127; // positive, and 16 bytes at most

  private final X509Certificate certificate;
  private final PrivateKey key;
  private final SecureRandom random;

  private Authority(X509Certificate certificate, PrivateKey key, SecureRandom random) {
    this.certificate = certificate;
    this.key = key;
    this.random = random;
  }

  /**
   * Reads the authority, or makes it at the first start.
   *
   * @param keyFile readable by its owner only
   * @param certificateFile what its clients have to trust
   * @throws IOException with a sentence for a person, if the two cannot be used
   */
  public static Authority open(
      Path keyFile, Path certificateFile, SecureRandom random, InstantSource clock)
      throws IOException {
    // The key comes last: whoever finds it finds its certificate, too.
    if (!Files.exists(keyFile)) {
      KeyPair pair = Keys.generate(KeyAlgorithm.EC_PRIME256_V1, random);
      write(certificateFile, Pem.write(List.of(root(pair, random, clock.instant()))), "rw-r--r--");
      write(keyFile, pem(pair.getPrivate()), "rw-------");
    }
    try {
      X509Certificate certificate =
          Pem.certificates(Files.readAllBytes(certificateFile)).getFirst();
      PrivateKey key = Pem.key(Files.readAllBytes(keyFile));
      if (!Keys.match(key, certificate.getPublicKey())) {
        throw new Pem.Unreadable("they do not belong together");
      }
      return new Authority(certificate, key, random);
    } catch (Pem.Unreadable e) {
      throw new IOException(
          "The region's certificate authority cannot be read from "
              + keyFile
              + " and "
              + certificateFile
              + ": "
              + e.getMessage()
              + ".\n  Remove both, and the next start makes another, which clients have to trust"
              + " anew",
          e);
    }
  }

  private static void write(Path file, String text, String permissions) throws IOException {
    Path half = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(half);
    Files.createFile(
        half, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions)));
    Files.writeString(half, text);
    Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static String pem(PrivateKey key) {
    return "-----BEGIN PRIVATE KEY-----\n"
        + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
        + "\n-----END PRIVATE KEY-----\n";
  }

  private static X509Certificate root(KeyPair pair, SecureRandom random, Instant now)
      throws IOException {
    // Told apart by a number, for clients that trust those of several regions.
    X500Principal name =
        new X500Principal(
            "CN=Muelle region " + new BigInteger(32, random).toString(16) + ", O=Muelle");
    var builder =
        new JcaX509v3CertificateBuilder(
            name,
            serial(random),
            Date.from(now.minus(Duration.ofDays(1))), // for clients whose clock is behind
            Date.from(now.plus(LIFE)),
            name,
            pair.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
    builder.addExtension(
        Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
    try {
      builder.addExtension(
          Extension.subjectKeyIdentifier,
          false,
          new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has SHA-1
    }
    return sign(builder, pair.getPrivate());
  }

  private static BigInteger serial(SecureRandom random) {
    return new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS - 1);
  }

  private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key) {
    try {
      return new JcaX509CertificateConverter()
          .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)));
    } catch (OperatorCreationException | GeneralSecurityException e) {
      throw new IllegalStateException("cannot sign a certificate", e);
    }
  }

  @Override
  public X509Certificate certificate() {
    return certificate;
  }

  SecureRandom random() {
    return random;
  }

  @Override
  public X509Certificate issue(PublicKey holder, List<String> names, Instant from, Instant to) {
    X500NameBuilder subject = new X500NameBuilder(BCStyle.INSTANCE);
    if (names.getFirst().length() <= MAX_COMMON_NAME) {
      subject.addRDN(BCStyle.CN, names.getFirst());
    }
    var builder =
        new JcaX509v3CertificateBuilder(
            org.bouncycastle.asn1.x500.X500Name.getInstance(
                certificate.getSubjectX500Principal().getEncoded()),
            serial(random),
            Date.from(from),
            Date.from(to),
            subject.build(),
            holder);
    int usage =
        KeyUsage.digitalSignature | (holder instanceof RSAKey ? KeyUsage.keyEncipherment : 0);
    try {
      JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
      builder
          .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
          .addExtension(Extension.keyUsage, true, new KeyUsage(usage))
          .addExtension(
              Extension.extendedKeyUsage,
              false,
              new ExtendedKeyUsage(
                  new KeyPurposeId[] {
                    KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                  }))
          .addExtension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(
                  names.stream()
                      .map(name -> new GeneralName(GeneralName.dNSName, name))
                      .toArray(GeneralName[]::new)))
          .addExtension(
              Extension.authorityKeyIdentifier,
              false,
              utils.createAuthorityKeyIdentifier(certificate.getPublicKey()))
          .addExtension(
              Extension.subjectKeyIdentifier, false, utils.createSubjectKeyIdentifier(holder));
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e); // these are always encoded
    }
    return sign(builder, key);
  }
}
