package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.services.Ids;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.State.Crl;
import dev.muelle.services.elasticloadbalancingv2.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.State.Revoking;
import dev.muelle.services.elasticloadbalancingv2.State.Trusting;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AdvertiseTrustStoreCaNamesEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CaCertificatesBundleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteAssociationSameAccountException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateTrustStoreNameException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidCaCertificatesBundleException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidRevocationContentException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContent;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContentNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationIdNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTrustStoreRevocationEntriesException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTrustStoresException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStore;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociationNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociationStatusEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreRevocation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreStatus;

/**
 * Whom listeners trust to vouch for clients: authorities, and what they have revoked since.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html">Mutual
 *     authentication with TLS in Application Load Balancer</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html">Quotas</a>
 */
final class TrustStores {

  private static final int MAX = 20;
  private static final int MAX_AUTHORITIES = 25;
  private static final int MAX_BUNDLE = 25 * 16 * 1024;
  private static final int MAX_CRLS = 30;
  private static final int MAX_CRL = 50 << 20;
  private static final int MAX_REVOKED = 500_000;
  private static final String KIND = "truststore/";
  private static final String DELTA_CRL = "2.5.29.27";

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Objects objects;
  private final Wakes wakes;

  TrustStores(Scope scope, Store store, Ids ids, Objects objects, Wakes wakes) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.objects = objects;
    this.wakes = wakes;
  }

  static Trusting get(Tx tx, @Nullable String arn) {
    return tx.get(State.TRUST_STORES, Refuse.unlessArn(arn, KIND, "trust store"))
        .map(Row::value)
        .orElseThrow(() ->
            TrustStoreNotFoundException.builder()
                .message("Trust store '" + arn + "' not found")
                .build());
  }

  CreateTrustStoreResponse create(CreateTrustStoreRequest request) {
    String name = Refuse.unlessPresent("name", request.name());
    if (name.length() > 32 || !name.matches("([a-zA-Z0-9]+-)*[a-zA-Z0-9]+")) {
      throw Refuse.invalid("The trust store name '" + name + "' is not valid");
    }
    Tags.check(request.tags());
    Bundle bundle =
        bundle(
            request.caCertificatesBundleS3Bucket(),
            request.caCertificatesBundleS3Key(),
            request.caCertificatesBundleS3ObjectVersion());
    String arn = scope.arn("elasticloadbalancing", KIND + name + "/" + ids.hex(16));
    TrustStore made =
        TrustStore.builder()
            .name(name)
            .trustStoreArn(arn)
            .status(TrustStoreStatus.ACTIVE)
            .numberOfCaCertificates(bundle.count())
            .totalRevokedEntries(0L)
            .build();
    store.write(tx -> {
      List<Row<Trusting>> all = tx.list(State.TRUST_STORES);
      if (all.stream().anyMatch(row -> row.value().store().name().equals(name))) {
        throw DuplicateTrustStoreNameException.builder()
            .message("A trust store with the name '" + name + "' already exists")
            .build();
      }
      if (all.size() >= MAX) {
        throw TooManyTrustStoresException.builder()
            .message("The maximum number of trust stores has been reached")
            .build();
      }
      tx.insert(
          State.TRUST_STORES, arn, new Trusting(made, bundle.text(), request.tags(), List.of(), 1));
      return made;
    });
    return CreateTrustStoreResponse.builder().trustStores(made).build();
  }

  ModifyTrustStoreResponse modify(ModifyTrustStoreRequest request) {
    store.read(tx -> get(tx, request.trustStoreArn()));
    Bundle bundle =
        bundle(
            request.caCertificatesBundleS3Bucket(),
            request.caCertificatesBundleS3Key(),
            request.caCertificatesBundleS3ObjectVersion());
    Trusting changed =
        change(
            request.trustStoreArn(),
            (tx, old) ->
                new Trusting(
                    old.store().toBuilder().numberOfCaCertificates(bundle.count()).build(),
                    bundle.text(),
                    old.tags(),
                    old.revocations(),
                    old.revision() + 1));
    return ModifyTrustStoreResponse.builder().trustStores(changed.store()).build();
  }

  /** What becomes of a trust store, within a transaction. */
  private interface Step {
    Trusting apply(Tx tx, Trusting old);
  }

  /** Changes one, and lets the load balancers that use it know. */
  private Trusting change(String arn, Step step) {
    Set<String> balancers = new TreeSet<>();
    Trusting changed =
        store.write(tx -> {
          balancers.clear();
          Trusting next = step.apply(tx, get(tx, arn));
          tx.put(State.TRUST_STORES, arn, next);
          balancers.addAll(users(tx, arn));
          return next;
        });
    wakes.now(balancers);
    return changed;
  }

  /** The load balancers that use it. */
  private static Set<String> users(Tx tx, String arn) {
    Set<String> balancers = new TreeSet<>();
    for (Row<Listening> row : tx.list(State.LISTENERS)) {
      MutualAuthenticationAttributes mutual = row.value().listener().mutualAuthentication();
      if (mutual != null && arn.equals(mutual.trustStoreArn())) {
        balancers.add(row.value().listener().loadBalancerArn());
      }
    }
    return balancers;
  }

  DeleteTrustStoreResponse delete(DeleteTrustStoreRequest request) {
    String arn = request.trustStoreArn();
    return store.write(tx -> {
      get(tx, arn);
      if (!users(tx, arn).isEmpty()) {
        throw TrustStoreInUseException.builder()
            .message("Trust store '" + arn + "' is currently in use by a listener")
            .build();
      }
      tx.delete(State.TRUST_STORES, arn);
      tx.deletePrefix(State.CRLS, arn + "|");
      return DeleteTrustStoreResponse.builder().build();
    });
  }

  DescribeTrustStoresResponse describe(DescribeTrustStoresRequest request) {
    if (!request.names().isEmpty() && !request.trustStoreArns().isEmpty()) {
      throw Refuse.invalid("You cannot specify both trust store names and ARNs");
    }
    return store.read(tx -> {
      List<TrustStore> all =
          tx.list(State.TRUST_STORES).stream().map(row -> row.value().store()).toList();
      request.trustStoreArns().forEach(arn -> get(tx, arn));
      for (String name : request.names()) {
        if (all.stream().noneMatch(one -> one.name().equals(name))) {
          throw TrustStoreNotFoundException.builder()
              .message("Trust store '" + name + "' not found")
              .build();
        }
      }
      List<TrustStore> found =
          all.stream()
              .filter(one ->
                  (request.trustStoreArns().isEmpty()
                          || request.trustStoreArns().contains(one.trustStoreArn()))
                      && (request.names().isEmpty() || request.names().contains(one.name())))
              .toList();
      Pages<TrustStore> page =
          Pages.of(found, TrustStore::trustStoreArn, request.marker(), request.pageSize());
      return DescribeTrustStoresResponse.builder()
          .trustStores(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  DescribeTrustStoreAssociationsResponse associations(
      DescribeTrustStoreAssociationsRequest request) {
    return store.read(tx -> {
      get(tx, request.trustStoreArn());
      List<TrustStoreAssociation> found =
          users(tx, request.trustStoreArn()).stream()
              .map(arn -> TrustStoreAssociation.builder().resourceArn(arn).build())
              .toList();
      Pages<TrustStoreAssociation> page =
          Pages.of(found, TrustStoreAssociation::resourceArn, request.marker(), request.pageSize());
      return DescribeTrustStoreAssociationsResponse.builder()
          .trustStoreAssociations(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  /** Trust stores are not shared between accounts here, so every association is an own one. */
  DeleteSharedTrustStoreAssociationResponse deleteShared(
      DeleteSharedTrustStoreAssociationRequest request) {
    return store.read(tx -> {
      get(tx, request.trustStoreArn());
      String resource = Refuse.unlessPresent("resourceArn", request.resourceArn());
      if (users(tx, request.trustStoreArn()).contains(resource)) {
        throw DeleteAssociationSameAccountException.builder()
            .message("The specified association can't be within the same account")
            .build();
      }
      throw TrustStoreAssociationNotFoundException.builder()
          .message("The specified association does not exist: '" + resource + "'")
          .build();
    });
  }

  AddTrustStoreRevocationsResponse addRevocations(AddTrustStoreRevocationsRequest request) {
    String arn = request.trustStoreArn();
    Trusting now = store.read(tx -> get(tx, arn));
    if (request.revocationContents().isEmpty()) {
      throw Refuse.invalid("A revocation content must be specified");
    }
    List<Read> read = new ArrayList<>();
    for (RevocationContent content : request.revocationContents()) {
      read.add(read(content, now));
    }
    List<TrustStoreRevocation> added = new ArrayList<>();
    change(
        arn,
        (tx, old) -> {
          added.clear();
          List<Revoking> all = new ArrayList<>(old.revocations());
          long total = old.store().totalRevokedEntries();
          long next = old.revision() + 1; // grows with each change, so no id is used twice
          for (Read one : read) {
            all.add(new Revoking(next, one.entries()));
            total += one.entries();
            tx.put(
                State.CRLS,
                arn + "|" + next,
                new Crl(Base64.getEncoder().encodeToString(one.content())));
            added.add(
                TrustStoreRevocation.builder()
                    .trustStoreArn(arn)
                    .revocationId(next)
                    .revocationType(RevocationType.CRL)
                    .numberOfRevokedEntries(one.entries())
                    .build());
            next++;
          }
          if (total > MAX_REVOKED || all.size() > MAX_CRLS) {
            throw TooManyTrustStoreRevocationEntriesException.builder()
                .message("The specified trust store has too many revocation entries")
                .build();
          }
          return old.with(all, total, next);
        });
    return AddTrustStoreRevocationsResponse.builder().trustStoreRevocations(added).build();
  }

  private record Read(byte[] content, long entries) {}

  /** A list of revoked certificates that one of the trust store's authorities signed. */
  private Read read(RevocationContent content, Trusting trusting) {
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

  RemoveTrustStoreRevocationsResponse removeRevocations(
      RemoveTrustStoreRevocationsRequest request) {
    String arn = request.trustStoreArn();
    change(
        arn,
        (tx, old) -> {
          List<Revoking> left = new ArrayList<>(old.revocations());
          long total = old.store().totalRevokedEntries();
          for (Long id : request.revocationIds()) {
            Revoking gone = revocation(old, id);
            if (left.remove(gone)) {
              total -= gone.entries();
              tx.delete(State.CRLS, arn + "|" + id);
            }
          }
          return old.with(left, total, old.revision() + 1);
        });
    return RemoveTrustStoreRevocationsResponse.builder().build();
  }

  private static Revoking revocation(Trusting trusting, @Nullable Long id) {
    return trusting.revocations().stream()
        .filter(one -> id != null && one.id() == id)
        .findFirst()
        .orElseThrow(() ->
            RevocationIdNotFoundException.builder()
                .message("The specified revocation ID does not exist: '" + id + "'")
                .build());
  }

  DescribeTrustStoreRevocationsResponse describeRevocations(
      DescribeTrustStoreRevocationsRequest request) {
    Trusting trusting = store.read(tx -> get(tx, request.trustStoreArn()));
    request.revocationIds().forEach(id -> revocation(trusting, id));
    List<DescribeTrustStoreRevocation> found =
        trusting.revocations().stream()
            .filter(one ->
                request.revocationIds().isEmpty() || request.revocationIds().contains(one.id()))
            .map(one ->
                DescribeTrustStoreRevocation.builder()
                    .trustStoreArn(request.trustStoreArn())
                    .revocationId(one.id())
                    .revocationType(RevocationType.CRL)
                    .numberOfRevokedEntries(one.entries())
                    .build())
            .toList();
    Pages<DescribeTrustStoreRevocation> page =
        Pages.of(
            found,
            one -> "%019d".formatted(one.revocationId()),
            request.marker(),
            request.pageSize());
    return DescribeTrustStoreRevocationsResponse.builder()
        .trustStoreRevocations(page.items())
        .nextMarker(page.next())
        .build();
  }

  GetTrustStoreCaCertificatesBundleResponse bundle(
      GetTrustStoreCaCertificatesBundleRequest request) {
    Trusting trusting = store.read(tx -> get(tx, request.trustStoreArn()));
    return GetTrustStoreCaCertificatesBundleResponse.builder()
        .location(objects.link(trusting.bundle().getBytes(StandardCharsets.US_ASCII)))
        .build();
  }

  GetTrustStoreRevocationContentResponse content(GetTrustStoreRevocationContentRequest request) {
    Crl crl =
        store.read(tx -> {
          Revoking one = revocation(get(tx, request.trustStoreArn()), request.revocationId());
          return tx.get(State.CRLS, request.trustStoreArn() + "|" + one.id()).orElseThrow().value();
        });
    return GetTrustStoreRevocationContentResponse.builder()
        .location(objects.link(Base64.getDecoder().decode(crl.content())))
        .build();
  }

  private record Bundle(String text, int count) {}

  private Bundle bundle(@Nullable String bucket, @Nullable String key, @Nullable String version) {
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

  /**
   * What a listener asks of clients from now on.
   *
   * @param asked by the request; null if it says nothing of it
   * @param had what it asked before; null if it is new
   */
  static MutualAuthenticationAttributes mutual(
      Tx tx,
      @Nullable MutualAuthenticationAttributes asked,
      @Nullable MutualAuthenticationAttributes had) {
    if (asked == null) {
      return had == null
          ? MutualAuthenticationAttributes.builder().mode(ClientAuths.OFF).build()
          : had;
    }
    String mode = Refuse.unlessPresent("mutualAuthentication.mode", asked.mode());
    boolean bare =
        asked.trustStoreArn() == null
            && !Boolean.TRUE.equals(asked.ignoreClientCertificateExpiry())
            && asked.advertiseTrustStoreCaNames() != AdvertiseTrustStoreCaNamesEnum.ON;
    return switch (mode) {
      case ClientAuths.OFF, ClientAuths.PASSTHROUGH -> {
        if (!bare) {
          throw Refuse.invalid(
              "TrustStoreArn, IgnoreClientCertificateExpiry and AdvertiseTrustStoreCaNames can be"
                  + " specified only for mutual authentication mode 'verify'");
        }
        yield MutualAuthenticationAttributes.builder().mode(mode).build();
      }
      case ClientAuths.VERIFY -> {
        if (asked.trustStoreArn() == null) {
          throw Refuse.invalid(
              "A trust store ARN must be specified for mutual authentication mode 'verify'");
        }
        if (asked.advertiseTrustStoreCaNames()
            == AdvertiseTrustStoreCaNamesEnum.UNKNOWN_TO_SDK_VERSION) {
          throw Refuse.invalid(
              "AdvertiseTrustStoreCaNames '"
                  + asked.advertiseTrustStoreCaNamesAsString()
                  + "' must be one of 'on, off'");
        }
        get(tx, asked.trustStoreArn());
        yield MutualAuthenticationAttributes.builder()
            .mode(mode)
            .trustStoreArn(asked.trustStoreArn())
            .ignoreClientCertificateExpiry(
                Boolean.TRUE.equals(asked.ignoreClientCertificateExpiry()))
            .trustStoreAssociationStatus(TrustStoreAssociationStatusEnum.ACTIVE)
            .advertiseTrustStoreCaNames(
                asked.advertiseTrustStoreCaNames() == AdvertiseTrustStoreCaNamesEnum.ON
                    ? AdvertiseTrustStoreCaNamesEnum.ON
                    : AdvertiseTrustStoreCaNamesEnum.OFF)
            .build();
      }
      default ->
          throw Refuse.invalid(
              "Mutual authentication mode '"
                  + mode
                  + "' must be one of 'off, passthrough, verify'");
    };
  }
}
