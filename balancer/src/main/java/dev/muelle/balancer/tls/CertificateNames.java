package dev.muelle.balancer.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * The server names that a certificate is for: the alternative names, or the common name of one that
 * has none. A wildcard stands for exactly one label, the first (<a
 * href="https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3">RFC 6125, section 6.4.3</a>).
 */
final class CertificateNames {

  private static final int DNS = 2;

  private CertificateNames() {}

  /** Whether a certificate is for this name, which is lower case. */
  static boolean match(X509Certificate certificate, String name) {
    int dot = name.indexOf('.');
    String wild = dot < 0 ? name : "*" + name.substring(dot);
    return of(certificate).stream().anyMatch(one -> one.equals(name) || one.equals(wild));
  }

  private static List<String> of(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      for (List<?> alternative : alternatives == null ? List.<List<?>>of() : alternatives) {
        if (Integer.valueOf(DNS).equals(alternative.get(0))) {
          names.add(String.valueOf(alternative.get(1)).toLowerCase(Locale.ROOT));
        }
      }
      if (alternatives == null) {
        for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
          if (part.getType().equalsIgnoreCase("CN")) {
            names.add(String.valueOf(part.getValue()).toLowerCase(Locale.ROOT));
          }
        }
      }
    } catch (CertificateParsingException | InvalidNameException e) {
      return List.of(); // such a certificate is for nobody who asks by name
    }
    return names;
  }
}
