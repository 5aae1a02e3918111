package dev.muelle.services.acm;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.ExtendedKeyUsage;
import software.amazon.awssdk.services.acm.model.ExtendedKeyUsageName;
import software.amazon.awssdk.services.acm.model.KeyUsage;
import software.amazon.awssdk.services.acm.model.KeyUsageName;

/**
 * What a certificate says of itself, in ACM's words.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html">CertificateDetail</a>
 */
final class Details {

  private static final int DNS = 2;

  /** By the position of their bit (RFC 5280, section 4.2.1.3). */
  private static final List<KeyUsageName> USAGES =
      List.of(
          KeyUsageName.DIGITAL_SIGNATURE,
          KeyUsageName.NON_REPUDIATION,
          KeyUsageName.KEY_ENCIPHERMENT,
          KeyUsageName.DATA_ENCIPHERMENT,
          KeyUsageName.KEY_AGREEMENT,
          KeyUsageName.CERTIFICATE_SIGNING,
          KeyUsageName.CRL_SIGNING,
          KeyUsageName.ENCIPHER_ONLY,
          KeyUsageName.DECIPHER_ONLY);

  private static final Map<String, ExtendedKeyUsageName> EXTENDED =
      Map.of(
          "2.5.29.37.0", ExtendedKeyUsageName.ANY,
          "1.3.6.1.5.5.7.3.1", ExtendedKeyUsageName.TLS_WEB_SERVER_AUTHENTICATION,
          "1.3.6.1.5.5.7.3.2", ExtendedKeyUsageName.TLS_WEB_CLIENT_AUTHENTICATION,
          "1.3.6.1.5.5.7.3.3", ExtendedKeyUsageName.CODE_SIGNING,
          "1.3.6.1.5.5.7.3.4", ExtendedKeyUsageName.EMAIL_PROTECTION,
          "1.3.6.1.5.5.7.3.5", ExtendedKeyUsageName.IPSEC_END_SYSTEM,
          "1.3.6.1.5.5.7.3.6", ExtendedKeyUsageName.IPSEC_TUNNEL,
          "1.3.6.1.5.5.7.3.7", ExtendedKeyUsageName.IPSEC_USER,
          "1.3.6.1.5.5.7.3.8", ExtendedKeyUsageName.TIME_STAMPING,
          "1.3.6.1.5.5.7.3.9", ExtendedKeyUsageName.OCSP_SIGNING);

  private Details() {}

  /** Fills in everything that can be read off a certificate. */
  static CertificateDetail.Builder fill(
      CertificateDetail.Builder detail, X509Certificate certificate) {
    List<String> names = names(certificate);
    detail
        .serial(serial(certificate))
        .subject(certificate.getSubjectX500Principal().getName(X500Principal.RFC1779))
        .issuer(issuer(certificate))
        .notBefore(certificate.getNotBefore().toInstant())
        .notAfter(certificate.getNotAfter().toInstant())
        .keyAlgorithm(Keys.algorithm(certificate.getPublicKey()).orElse(null))
        .signatureAlgorithm(certificate.getSigAlgName().toUpperCase(Locale.ROOT))
        .subjectAlternativeNames(names)
        .keyUsages(usages(certificate))
        .extendedKeyUsages(extended(certificate));
    String common = part(certificate.getSubjectX500Principal(), "CN").orElse("");
    return detail.domainName(!common.isEmpty() || names.isEmpty() ? common : names.getFirst());
  }

  private static String serial(X509Certificate certificate) {
    return HexFormat.ofDelimiter(":").formatHex(certificate.getSerialNumber().toByteArray());
  }

  private static String issuer(X509Certificate certificate) {
    X500Principal issuer = certificate.getIssuerX500Principal();
    return part(issuer, "O").or(() -> part(issuer, "CN")).orElse("");
  }

  private static Optional<String> part(X500Principal name, String type) {
    try {
      return new LdapName(name.getName())
          .getRdns().stream()
              .filter(rdn -> rdn.getType().equalsIgnoreCase(type))
              .map(Rdn::getValue)
              .map(String::valueOf)
              .reduce((broader, narrower) -> narrower);
    } catch (InvalidNameException e) {
      return Optional.empty();
    }
  }

  /** The DNS names; the common name counts where there are none. */
  private static List<String> names(X509Certificate certificate) {
    Set<String> names = new LinkedHashSet<>();
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      if (alternatives != null) {
        for (List<?> alternative : alternatives) {
          if (Integer.valueOf(DNS).equals(alternative.get(0))) {
            names.add(String.valueOf(alternative.get(1)));
          }
        }
      }
    } catch (CertificateParsingException e) {
      // then it has none that anybody could use
    }
    if (names.isEmpty()) {
      part(certificate.getSubjectX500Principal(), "CN").ifPresent(names::add);
    }
    return List.copyOf(names);
  }

  private static List<KeyUsage> usages(X509Certificate certificate) {
    boolean[] bits = certificate.getKeyUsage();
    List<KeyUsage> found = new ArrayList<>();
    if (bits == null) {
      found.add(KeyUsage.builder().name(KeyUsageName.ANY).build());
      return found;
    }
    for (int i = 0; i < Math.min(bits.length, USAGES.size()); i++) {
      if (bits[i]) {
        found.add(KeyUsage.builder().name(USAGES.get(i)).build());
      }
    }
    return found;
  }

  private static List<ExtendedKeyUsage> extended(X509Certificate certificate) {
    try {
      List<String> oids = certificate.getExtendedKeyUsage();
      return oids == null
          ? List.of()
          : oids.stream()
              .map(oid ->
                  ExtendedKeyUsage.builder()
                      .oid(oid)
                      .name(EXTENDED.getOrDefault(oid, ExtendedKeyUsageName.CUSTOM))
                      .build())
              .toList();
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }
}
