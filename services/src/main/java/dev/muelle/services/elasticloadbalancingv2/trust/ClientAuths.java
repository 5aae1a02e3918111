package dev.muelle.services.elasticloadbalancingv2.trust;

import dev.muelle.balancer.tls.ClientAuth;
import dev.muelle.balancer.tls.ClientAuth.Trust;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Trusting;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AdvertiseTrustStoreCaNamesEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;

/** What listeners ask of clients' certificates, in the balancer's terms; read once per revision. */
public final class ClientAuths {

  public static final String OFF = "off";
  static final String PASSTHROUGH = "passthrough";
  static final String VERIFY = "verify";

  private record Known(long revision, Trust trust) {}

  private final Map<String, Known> known = new ConcurrentHashMap<>();

  /** Null if clients are not asked for a certificate. */
  public @Nullable ClientAuth view(Tx tx, @Nullable MutualAuthenticationAttributes asked) {
    if (asked == null || asked.mode() == null || asked.mode().equals(OFF)) {
      return null;
    }
    if (asked.mode().equals(PASSTHROUGH)) {
      return new ClientAuth.Passthrough();
    }
    return new ClientAuth.Verify(
        trust(tx, asked.trustStoreArn()),
        Boolean.TRUE.equals(asked.ignoreClientCertificateExpiry()),
        asked.advertiseTrustStoreCaNames() == AdvertiseTrustStoreCaNamesEnum.ON);
  }

  private Trust trust(Tx tx, String arn) {
    Trusting stored = Existing.trustStore(tx, arn); // one in use cannot be deleted
    Known before = known.get(arn);
    if (before != null && before.revision() == stored.revision()) {
      return before.trust();
    }
    Map<X500Principal, Set<BigInteger>> revoked = new HashMap<>();
    try {
      for (Row<State.Crl> row : tx.list(State.CRLS, arn + "|")) {
        for (X509CRL crl : crls(Base64.getDecoder().decode(row.value().content()))) {
          for (X509CRLEntry entry : entries(crl)) {
            X500Principal issuer = entry.getCertificateIssuer();
            revoked
                .computeIfAbsent(
                    issuer == null ? crl.getIssuerX500Principal() : issuer, i -> new HashSet<>())
                .add(entry.getSerialNumber());
          }
        }
      }
      Trust trust =
          new Trust(authorities(stored.bundle().getBytes(StandardCharsets.US_ASCII)), revoked);
      known.put(arn, new Known(stored.revision(), trust));
      return trust;
    } catch (CertificateException | CRLException e) {
      throw new IllegalStateException("the stored trust store " + arn, e); // it was checked
    }
  }

  static List<X509Certificate> authorities(byte[] bundle) throws CertificateException {
    List<X509Certificate> found = new ArrayList<>();
    CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(bundle))
        .forEach(one -> found.add((X509Certificate) one));
    return found;
  }

  static List<X509CRL> crls(byte[] content) throws CertificateException, CRLException {
    List<X509CRL> found = new ArrayList<>();
    CertificateFactory.getInstance("X.509")
        .generateCRLs(new ByteArrayInputStream(content))
        .forEach(one -> found.add((X509CRL) one));
    return found;
  }

  static Set<? extends X509CRLEntry> entries(X509CRL crl) {
    Set<? extends X509CRLEntry> entries = crl.getRevokedCertificates();
    return entries == null ? Set.of() : entries;
  }
}
