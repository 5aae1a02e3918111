package dev.muelle.services.acm;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.acm.State.Held;
import dev.muelle.store.Store;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.CertificateStatus;
import software.amazon.awssdk.services.acm.model.CertificateType;
import software.amazon.awssdk.services.acm.model.ImportCertificateRequest;
import software.amazon.awssdk.services.acm.model.ImportCertificateResponse;
import software.amazon.awssdk.services.acm.model.RenewalEligibility;

/**
 * Certificates that somebody else has issued.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html">Prerequisites
 *     for importing ACM certificates</a>
 */
final class Imports {

  private static final int MAX_BODY = 32 * 1024;
  private static final int MAX_KEY = 5 * 1024;
  private static final int MAX_CHAIN = 2 * 1024 * 1024;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  Imports(Scope scope, Store store, InstantSource clock, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  ImportCertificateResponse make(ImportCertificateRequest request) {
    byte[] body = bytes("certificate", request.certificate(), MAX_BODY);
    byte[] secret = bytes("privateKey", request.privateKey(), MAX_KEY);
    X509Certificate certificate = certificate(body);
    PrivateKey key = key(secret);
    if (!Keys.match(key, certificate.getPublicKey())) {
      throw Refuse.invalid("The private key does not match the certificate.");
    }
    Instant now = clock.instant();
    if (now.isAfter(certificate.getNotAfter().toInstant())) {
      throw Refuse.invalid("The certificate has expired.");
    }
    if (now.isBefore(certificate.getNotBefore().toInstant())) {
      throw Refuse.invalid("The certificate is not yet valid.");
    }
    String chain = chain(certificate, request.certificateChain());
    Tags.check(request.tags());
    String arn = request.certificateArn();
    if (arn != null && !request.tags().isEmpty()) {
      throw Refuse.invalid("You cannot apply tags when reimporting a certificate.");
    }
    return store.write(tx -> {
      Held old = arn == null ? null : Refuse.unlessThere(tx, arn);
      if (old != null && old.detail().type() != CertificateType.IMPORTED) {
        throw Refuse.invalid(
            "The certificate " + arn + " was not imported, and cannot be reimported.");
      }
      String where = arn == null ? scope.arn("acm", "certificate/" + ids.uuid()) : arn;
      CertificateDetail detail =
          Details.fill(CertificateDetail.builder(), certificate)
              .certificateArn(where)
              .createdAt(old == null ? now : old.detail().createdAt())
              .importedAt(now)
              .status(CertificateStatus.ISSUED)
              .type(CertificateType.IMPORTED)
              .renewalEligibility(RenewalEligibility.INELIGIBLE)
              .options(Requests.OPTIONS)
              .build();
      tx.put(State.KEYS, where, Keys.store(key));
      tx.put(
          State.CERTIFICATES,
          where,
          new Held(
              detail,
              Pem.write(List.of(certificate)),
              chain,
              old == null ? request.tags() : old.tags()));
      return ImportCertificateResponse.builder().certificateArn(where).build();
    });
  }

  private static byte[] bytes(String member, @Nullable SdkBytes given, int most) {
    if (given == null) {
      throw Refuse.constraint(member, null, "not be null");
    }
    byte[] bytes = given.asByteArray();
    if (bytes.length == 0 || bytes.length > most) {
      throw Refuse.invalid(
          "1 validation error detected: Value at '"
              + member
              + "' failed to satisfy constraint: Member must have length between 1 and "
              + most);
    }
    return bytes;
  }

  private static X509Certificate certificate(byte[] text) {
    List<X509Certificate> found;
    try {
      found = Pem.certificates(text);
    } catch (Pem.Unreadable e) {
      throw Refuse.invalid(
          "Could not parse certificate. Please ensure the certificate is in PEM format: "
              + e.getMessage()
              + ".");
    }
    if (found.size() > 1) {
      throw Refuse.invalid(
          "The certificate field contains more than one certificate. You can specify only one"
              + " certificate in this field.");
    }
    X509Certificate one = found.getFirst();
    if (Keys.algorithm(one.getPublicKey()).isEmpty()) {
      throw Refuse.invalid(
          "The certificate's key is not supported: RSA of 1024, 2048, 3072 or 4096 bits, or EC on"
              + " prime256v1, secp384r1 or secp521r1.");
    }
    if (one.getVersion() != 3) {
      throw Refuse.invalid("The certificate must be an X.509 version 3 certificate.");
    }
    return one;
  }

  private static PrivateKey key(byte[] text) {
    try {
      return Pem.key(text);
    } catch (Pem.Unreadable e) {
      throw Refuse.invalid(
          "The private key is not supported. Please ensure it is in PEM format, and not encrypted: "
              + e.getMessage()
              + ".");
    }
  }

  /** The chain in the order in which each certificate issued the one before it. */
  private static @Nullable String chain(X509Certificate leaf, @Nullable SdkBytes given) {
    if (given == null) {
      return null;
    }
    List<X509Certificate> chain = new ArrayList<>();
    try {
      chain.addAll(Pem.certificates(bytes("certificateChain", given, MAX_CHAIN)));
      X509Certificate child = leaf;
      for (X509Certificate parent : chain) {
        child.verify(parent.getPublicKey());
        child = parent;
      }
    } catch (Pem.Unreadable e) {
      throw Refuse.invalid(
          "Could not parse certificate chain. Please ensure it is in PEM format: "
              + e.getMessage()
              + ".");
    } catch (GeneralSecurityException e) {
      throw Refuse.invalid("Could not validate the certificate with the certificate chain.");
    }
    return Pem.write(chain);
  }
}
