package dev.muelle.services.elasticloadbalancingv2.trust;

import dev.muelle.services.Objects;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State.Trusting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CaCertificatesBundleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidCaCertificatesBundleException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidRevocationContentException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContent;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContentNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationType;

/** The files that trust stores are made of, and whether they are what they should be. */
public final class TrustFiles {

  public static final int MAX_AUTHORITIES = 25;
  private static final int MAX_BUNDLE = 25 * 16 * 1024;
  private static final int MAX_CRL = 50 << 20;
  private static final String DELTA_CRL = "2.5.29.27";

  private final Objects objects;

  TrustFiles(Objects objects) {
    this.objects = objects;
  }

  /** Authorities, in PEM. */
  record Bundle(String text, int count) {}

  /** A bundle of authorities. */
  Bundle bundle(@Nullable String bucket, @Nullable String key, @Nullable String version) {
    String where = bucket + "/" + key;
    byte[] bytes =
        object(bucket, key, version, MAX_BUNDLE)
            .orElseThrow(() ->
                CaCertificatesBundleNotFoundException.builder()
                    .message("The specified ca certificate bundle does not exist: '" + where + "'")
                    .build());
    try {
      List<X509Certificate> authorities = ClientAuths.authorities(bytes);
      boolean all =
          authorities.stream()
              .allMatch(one -> one.getVersion() == 3 && one.getBasicConstraints() >= 0);
      if (authorities.isEmpty() || authorities.size() > MAX_AUTHORITIES || !all) {
        throw new GeneralSecurityException("not 1 to 25 authorities");
      }
      return new Bundle(new String(bytes, StandardCharsets.US_ASCII), authorities.size());
    } catch (GeneralSecurityException e) {
      throw InvalidCaCertificatesBundleException.builder()
          .message(
              "The specified ca certificate bundle is in an invalid format, or corrupt: '"
                  + where
                  + "'")
          .build();
    }
  }

  private Optional<byte[]> object(
      @Nullable String bucket, @Nullable String key, @Nullable String version, int most) {
    if (version != null) {
      throw Refuse.invalid("Versions of objects are not supported in this region");
    }
    try {
      return objects.read(
          Refuse.unlessPresent("s3Bucket", bucket), Refuse.unlessPresent("s3Key", key), most);
    } catch (IOException e) {
      throw Refuse.invalid(
          "The object '" + bucket + "/" + key + "' cannot be read: " + e.getMessage());
    }
  }

  /** A list of revoked certificates. */
  record Read(byte[] content, long entries) {}

  /** A list of revoked certificates that one of the trust store's authorities signed. */
  Read read(RevocationContent content, Trusting trusting) {
    if (content.revocationType() != null && content.revocationType() != RevocationType.CRL) {
      throw Refuse.invalid(
          "The revocation type '" + content.revocationTypeAsString() + "' is not valid");
    }
    String where = content.s3Bucket() + "/" + content.s3Key();
    byte[] bytes =
        object(content.s3Bucket(), content.s3Key(), content.s3ObjectVersion(), MAX_CRL)
            .orElseThrow(() ->
                RevocationContentNotFoundException.builder()
                    .message("The specified revocation file does not exist: '" + where + "'")
                    .build());
    try {
      List<X509Certificate> authorities =
          ClientAuths.authorities(trusting.bundle().getBytes(StandardCharsets.US_ASCII));
      long entries = 0;
      List<X509CRL> crls = ClientAuths.crls(bytes);
      for (X509CRL crl : crls) {
        if (crl.getExtensionValue(DELTA_CRL) != null || !signed(crl, authorities)) {
          throw new GeneralSecurityException("not by an authority of the trust store");
        }
        entries += ClientAuths.entries(crl).size();
      }
      if (crls.isEmpty()) {
        throw new GeneralSecurityException("empty");
      }
      return new Read(bytes, entries);
    } catch (GeneralSecurityException e) {
      throw InvalidRevocationContentException.builder()
          .message(
              "The provided revocation file is an invalid format, or uses an incorrect algorithm: '"
                  + where
                  + "'")
          .build();
    }
  }

  private static boolean signed(X509CRL crl, List<X509Certificate> authorities) {
    for (X509Certificate authority : authorities) {
      if (authority.getSubjectX500Principal().equals(crl.getIssuerX500Principal())) {
        try {
          crl.verify(authority.getPublicKey());
          return true;
        } catch (GeneralSecurityException e) {
          // another one of the same name may have signed it
        }
      }
    }
    return false;
  }
}
