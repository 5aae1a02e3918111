package dev.muelle.balancer.netty;

import dev.muelle.balancer.tls.JdkTls;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.Tls.Identity;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Certificates for tests, signed by themselves, and a client that trusts any. */
public final class Certified {

  static final List<String> MODERN = List.of("TLSv1.3", "TLSv1.2");
  static final List<String> SUITES =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
          "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
          "TLS_RSA_WITH_AES_128_CBC_SHA");

  static {
    JdkTls.prepare(); // before any test speaks TLS, also as a client
  }

  private Certified() {}

  static Identity rsa(int bits, String... names) throws Exception {
    return make("RSA", bits, Duration.ofDays(30), names);
  }

  static Identity ec(String... names) throws Exception {
    return make("EC", 256, Duration.ofDays(30), names);
  }

  static Identity make(String algorithm, int bits, Duration left, String... names)
      throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(bits);
    KeyPair pair = generator.generateKeyPair();
    Instant now = Instant.now();
    X500Principal subject = new X500Principal("CN=" + names[0]);
    var builder =
        new JcaX509v3CertificateBuilder(
            subject,
            BigInteger.valueOf(now.toEpochMilli()),
            Date.from(now.minus(Duration.ofDays(60))),
            Date.from(now.plus(left)),
            subject,
            pair.getPublic());
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(
            Stream.of(names)
                .map(name -> new GeneralName(GeneralName.dNSName, name))
                .toArray(GeneralName[]::new)));
    X509Certificate certificate =
        new JcaX509CertificateConverter()
            .getCertificate(
                builder.build(
                    new JcaContentSignerBuilder(
                            algorithm.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA")
                        .build(pair.getPrivate())));
    return new Identity(pair.getPrivate(), List.of(certificate));
  }

  static Tls tls(Identity standard, Identity... others) {
    return new Tls(standard, List.of(others), MODERN, SUITES, Tls.HTTP1);
  }

  static Tls http2(Identity standard) {
    return new Tls(standard, List.of(), MODERN, SUITES, Tls.HTTP2);
  }

  /** A client's side that believes everybody. */
  public static SSLContext trusting() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trustingAll(), null);
    return context;
  }

  static TrustManager[] trustingAll() {
    return new TrustManager[] {
      new X509TrustManager() {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
          return new X509Certificate[0];
        }
      }
    };
  }
}
