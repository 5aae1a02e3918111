package dev.muelle.balancer.tls;

import dev.muelle.balancer.http.Edits;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * What a client brought, as targets are told of it; made once for a connection.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html">
 *     Mutual authentication with TLS in Application Load Balancer</a>
 */
public final class ClientCertificate {

  private static final String MTLS = "X-Amzn-Mtls-Clientcert";
  static final String CHAIN = MTLS;
  static final String SERIAL_NUMBER = MTLS + "-Serial-Number";
  static final String ISSUER = MTLS + "-Issuer";
  static final String SUBJECT = MTLS + "-Subject";
  static final String VALIDITY = MTLS + "-Validity";
  static final String LEAF = MTLS + "-Leaf";
  private static final List<String> FIELDS =
      List.of(CHAIN, SERIAL_NUMBER, ISSUER, SUBJECT, VALIDITY, LEAF);

  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

  final List<X509Certificate> chain;
  private final boolean verified;

  private @Nullable Edits told;
  private String lines = "";
  private List<String> names = List.of();

  /**
   * What a client brought.
   *
   * @param chain its own certificate first; empty if it has none
   * @param verified whether a trust store vouches for it
   */
  public ClientCertificate(List<X509Certificate> chain, boolean verified) {
    this.chain = List.copyOf(chain);
    this.verified = verified;
  }

  /** Fields that a target hears of nobody but the load balancer; lower case. */
  public List<String> names(Edits edits) {
    make(edits);
    return names;
  }

  /** The header fields, each with its line end. */
  public String lines(Edits edits) {
    make(edits);
    return lines;
  }

  private void make(Edits edits) {
    if (edits.equals(told)) {
      return;
    }
    names = FIELDS.stream().map(field -> edits.name(field).toLowerCase(Locale.ROOT)).toList();
    StringBuilder out = new StringBuilder();
    if (chain.isEmpty()) {
      // Nothing to tell, but nobody else's word is passed on.
    } else if (verified) {
      X509Certificate leaf = chain.getFirst();
      field(out, edits.name(SERIAL_NUMBER), serialNumber(leaf));
      field(out, edits.name(ISSUER), name(leaf.getIssuerX500Principal()));
      field(out, edits.name(SUBJECT), name(leaf.getSubjectX500Principal()));
      field(out, edits.name(VALIDITY), validity(leaf));
      field(out, edits.name(LEAF), urlEncoded(pem(leaf)));
    } else {
      StringBuilder all = new StringBuilder();
      chain.forEach(one -> all.append(pem(one)));
      field(out, edits.name(CHAIN), urlEncoded(all.toString()));
    }
    lines = out.toString();
    told = edits;
  }

  private static void field(StringBuilder out, String name, String value) {
    out.append(name).append(": ").append(value).append("\r\n");
  }

  public static String serialNumber(X509Certificate one) {
    String text = one.getSerialNumber().toString(16).toUpperCase(Locale.ROOT);
    return text.length() % 2 == 0 ? text : "0" + text;
  }

  /**
   * A name as RFC 2253 writes it. What no header field can hold is escaped as bytes, which that RFC
   * allows for any character.
   */
  public static String name(X500Principal name) {
    StringBuilder out = new StringBuilder();
    for (byte b : name.getName(X500Principal.RFC2253).getBytes(StandardCharsets.UTF_8)) {
      if (b >= 0x20 && b < 0x7f) {
        out.append((char) b);
      } else {
        out.append(String.format("\\%02X", b & 0xff));
      }
    }
    return out.toString();
  }

  public static String validity(X509Certificate one) {
    return "NotBefore="
        + one.getNotBefore().toInstant().truncatedTo(ChronoUnit.SECONDS)
        + ";NotAfter="
        + one.getNotAfter().toInstant().truncatedTo(ChronoUnit.SECONDS);
  }

  private static String pem(X509Certificate one) {
    try {
      return "-----BEGIN CERTIFICATE-----\n"
          + LINES.encodeToString(one.getEncoded())
          + "\n-----END CERTIFICATE-----\n";
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e); // it came encoded
    }
  }

  /** With {@code +=/} as safe characters, as ALB does. */
  private static String urlEncoded(String text) {
    return text.replace(" ", "%20").replace("\n", "%0A");
  }
}
