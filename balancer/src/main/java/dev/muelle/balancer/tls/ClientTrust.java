package dev.muelle.balancer.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Judges the certificates that clients bring, by a path to an authority of the trust store (<a
 * href="https://www.rfc-editor.org/rfc/rfc5280#section-6">RFC 5280, section 6</a>). More than eight
 * of them are refused unseen, as the JDK would, and more than 100 KiB by BoringSSL.
 */
public final class ClientTrust extends X509ExtendedTrustManager {

  private static final int MAX_INTERMEDIATES = 4;
  private static final int MAX_CHAIN = 8;
  private static final Set<String> FOR_CLIENTS = Set.of("1.3.6.1.5.5.7.3.2", "2.5.29.37.0");

  /** Why a certificate is refused, in the words of ALB's connection logs. */
  public enum Reason {
    ClientCertUntrusted(BasicReason.UNSPECIFIED),
    ClientCertExpired(BasicReason.EXPIRED),
    ClientCertNotYetValid(BasicReason.NOT_YET_VALID),
    ClientCertCrlHit(BasicReason.REVOKED),
    ClientCertTypeUnsupported(BasicReason.UNSPECIFIED),
    ClientCertPurposeInvalid(BasicReason.UNSPECIFIED);

    private final BasicReason alert;

    Reason(BasicReason alert) {
      this.alert = alert;
    }
  }

  /** Thrown for a certificate that is refused. */
  public static final class Refused extends CertificateException {
    private static final long serialVersionUID = 1L;

    public final Reason reason;

    public Refused(Reason reason) {
      // The JDK chooses the alert by the cause.
      super(
          reason.name(),
          new CertPathValidatorException(reason.name(), null, null, -1, reason.alert));
      this.reason = reason;
    }
  }

  private final ClientAuth asked;
  private final InstantSource clock;

  ClientTrust(ClientAuth asked, InstantSource clock) {
    this.asked = asked;
    this.clock = clock;
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    if (chain.length > MAX_CHAIN) {
      throw new Refused(Reason.ClientCertUntrusted);
    }
    if (asked instanceof ClientAuth.Verify verify) {
      verify(verify, List.of(chain));
    }
  }

  private void verify(ClientAuth.Verify verify, List<X509Certificate> chain) throws Refused {
    X509Certificate leaf = chain.getFirst();
    Instant now = clock.instant();
    if (leaf.getVersion() != 3) {
      throw new Refused(Reason.ClientCertTypeUnsupported);
    }
    if (leaf.getNotBefore().toInstant().isAfter(now)) {
      throw new Refused(Reason.ClientCertNotYetValid);
    }
    boolean expired = leaf.getNotAfter().toInstant().isBefore(now);
    if (expired && !verify.ignoreExpiry()) {
      throw new Refused(Reason.ClientCertExpired);
    }
    try {
      List<String> purposes = leaf.getExtendedKeyUsage();
      if (purposes != null && purposes.stream().noneMatch(FOR_CLIENTS::contains)) {
        throw new Refused(Reason.ClientCertPurposeInvalid);
      }
      Date when = expired ? leaf.getNotAfter() : Date.from(now);
      PKIXCertPathBuilderResult found = path(verify.trust(), chain, when, now);
      for (Certificate one : found.getCertPath().getCertificates()) {
        revoked(verify.trust(), (X509Certificate) one);
      }
      revoked(verify.trust(), found.getTrustAnchor().getTrustedCert());
    } catch (Refused e) {
      throw e;
    } catch (GeneralSecurityException e) {
      throw new Refused(Reason.ClientCertUntrusted);
    }
    revoked(verify.trust(), leaf); // also one that is itself in the trust store
  }

  private static PKIXCertPathBuilderResult path(
      ClientAuth.Trust trust, List<X509Certificate> chain, Date when, Instant now)
      throws GeneralSecurityException {
    Set<TrustAnchor> anchors = new HashSet<>();
    for (X509Certificate authority : trust.authorities()) {
      if (!authority.getNotAfter().toInstant().isBefore(now)
          && !authority.getNotBefore().toInstant().isAfter(now)) {
        anchors.add(new TrustAnchor(authority, null));
      }
    }
    if (anchors.isEmpty()) {
      throw new Refused(Reason.ClientCertUntrusted);
    }
    X509CertSelector leaf = new X509CertSelector();
    leaf.setCertificate(chain.getFirst());
    PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, leaf);
    parameters.addCertStore(
        CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
    parameters.setRevocationEnabled(false); // that is looked up here, not on the way
    parameters.setMaxPathLength(MAX_INTERMEDIATES);
    parameters.setDate(when);
    return (PKIXCertPathBuilderResult) CertPathBuilder.getInstance("PKIX").build(parameters);
  }

  private static void revoked(ClientAuth.Trust trust, X509Certificate one) throws Refused {
    if (trust
        .revoked()
        .getOrDefault(one.getIssuerX500Principal(), Set.of())
        .contains(one.getSerialNumber())) {
      throw new Refused(Reason.ClientCertCrlHit);
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
    throw new UnsupportedOperationException("clients only");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
    throw new UnsupportedOperationException("clients only");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) {
    throw new UnsupportedOperationException("clients only");
  }

  /** What clients are told to choose from; any if there is none. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return asked instanceof ClientAuth.Verify verify && verify.advertise()
        ? verify.trust().authorities().toArray(X509Certificate[]::new)
        : new X509Certificate[0];
  }
}
