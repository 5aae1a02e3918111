package dev.muelle.balancer.netty;

import dev.muelle.balancer.tls.Tls.Identity;
import java.math.BigInteger;
import java.net.Socket;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** Authorities of clients, and clients that show what these signed. */
final class Clients {

  private static final AtomicLong SERIAL = new AtomicLong(0xA0);

  private Clients() {}

  static Identity authority(String name, @Nullable Identity by) throws Exception {
    return signed(name, by, Duration.ofDays(-2), Duration.ofDays(3), true, null);
  }

  static Identity client(String name, Identity by) throws Exception {
    return signed(name, by, Duration.ofDays(-2), Duration.ofDays(2), false, null);
  }

  /** A certificate; its chain is its own and its issuers', but not the root's. */
  static Identity signed(
      String name,
      @Nullable Identity by,
      Duration from,
      Duration to,
      boolean authority,
      @Nullable KeyPurposeId purpose)
      throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    KeyPair pair = generator.generateKeyPair();
    Instant now = Instant.now();
    X500Principal subject = new X500Principal(name);
    var builder =
        new JcaX509v3CertificateBuilder(
            by == null ? subject : by.certificate().getSubjectX500Principal(),
            BigInteger.valueOf(SERIAL.incrementAndGet()),
            Date.from(now.plus(from)),
            Date.from(now.plus(to)),
            subject,
            pair.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
    if (purpose != null) {
      builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
    }
    X509Certificate certificate =
        new JcaX509CertificateConverter()
            .getCertificate(
                builder.build(
                    new JcaContentSignerBuilder("SHA256withECDSA")
                        .build(by == null ? pair.getPrivate() : by.key())));
    List<X509Certificate> chain = new ArrayList<>(List.of(certificate));
    if (by != null
        && !by.certificate()
            .getIssuerX500Principal()
            .equals(by.certificate().getSubjectX500Principal())) {
      chain.addAll(by.chain());
    }
    return new Identity(pair.getPrivate(), chain);
  }

  /** A client that believes everybody, and shows this whatever it is asked for. */
  static SSLContext showing(Identity identity, AtomicReference<List<String>> askedFor)
      throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        new X509ExtendedKeyManager[] {
          new X509ExtendedKeyManager() {
            @Override
            public String chooseClientAlias(
                String[] types, Principal @Nullable [] issuers, Socket socket) {
              askedFor.set(
                  issuers == null
                      ? List.of()
                      : java.util.Arrays.stream(issuers)
                          .map(issuer -> new X500Principal(issuer.getName()).getName())
                          .toList());
              return "me";
            }

            @Override
            public String[] getClientAliases(String type, Principal[] issuers) {
              return new String[] {"me"};
            }

            @Override
            public String[] getServerAliases(String type, Principal[] issuers) {
              return new String[0];
            }

            @Override
            public @Nullable String chooseServerAlias(
                String type, Principal[] issuers, Socket socket) {
              return null;
            }

            @Override
            public X509Certificate[] getCertificateChain(String alias) {
              return identity.chain().toArray(X509Certificate[]::new);
            }

            @Override
            public PrivateKey getPrivateKey(String alias) {
              return identity.key();
            }
          }
        },
        Certified.trustingAll(),
        null);
    return context;
  }
}
