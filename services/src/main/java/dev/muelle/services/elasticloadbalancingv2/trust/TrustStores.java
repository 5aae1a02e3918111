package dev.muelle.services.elasticloadbalancingv2.trust;

import dev.muelle.services.Ids;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Trusting;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteAssociationSameAccountException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateTrustStoreNameException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetResourcePolicyRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetResourcePolicyResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ResourceNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTrustStoresException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStore;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociationNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreNotFoundException;
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
public final class TrustStores {

  public static final int MAX = 20;
  private static final String KIND = "truststore/";

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Objects objects;
  private final TrustFiles files;
  private final Wakes wakes;

  public TrustStores(Scope scope, Store store, Ids ids, Objects objects, Wakes wakes) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.objects = objects;
    this.files = new TrustFiles(objects);
    this.wakes = wakes;
  }

  public CreateTrustStoreResponse create(CreateTrustStoreRequest request) {
    String name = Refuse.unlessPresent("name", request.name());
    if (name.length() > 32 || !name.matches("([a-zA-Z0-9]+-)*[a-zA-Z0-9]+")) {
      throw Refuse.invalid("The trust store name '" + name + "' is not valid");
    }
    Tags.check(request.tags());
    TrustFiles.Bundle bundle =
        files.bundle(
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

  public ModifyTrustStoreResponse modify(ModifyTrustStoreRequest request) {
    store.read(tx -> Existing.trustStore(tx, request.trustStoreArn()));
    TrustFiles.Bundle bundle =
        files.bundle(
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
  interface Step {
    Trusting apply(Tx tx, Trusting old);
  }

  /** Changes one, and lets the load balancers that use it know. */
  Trusting change(String arn, Step step) {
    Set<String> balancers = new TreeSet<>();
    Trusting changed =
        store.write(tx -> {
          balancers.clear();
          Trusting next = step.apply(tx, Existing.trustStore(tx, arn));
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

  public DeleteTrustStoreResponse delete(DeleteTrustStoreRequest request) {
    String arn = request.trustStoreArn();
    return store.write(tx -> {
      Existing.trustStore(tx, arn);
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

  public DescribeTrustStoresResponse describe(DescribeTrustStoresRequest request) {
    if (!request.names().isEmpty() && !request.trustStoreArns().isEmpty()) {
      throw Refuse.invalid("You cannot specify both trust store names and ARNs");
    }
    return store.read(tx -> {
      List<TrustStore> all =
          tx.list(State.TRUST_STORES).stream().map(row -> row.value().store()).toList();
      request.trustStoreArns().forEach(arn -> Existing.trustStore(tx, arn));
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

  public DescribeTrustStoreAssociationsResponse associations(
      DescribeTrustStoreAssociationsRequest request) {
    return store.read(tx -> {
      Existing.trustStore(tx, request.trustStoreArn());
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

  /** Trust stores are not shared here, so none has the policy that sharing would give it. */
  public GetResourcePolicyResponse policy(GetResourcePolicyRequest request) {
    String arn = Refuse.unlessPresent("resourceArn", request.resourceArn());
    store.read(tx -> Existing.trustStore(tx, arn));
    throw ResourceNotFoundException.builder()
        .message("No resource policy is attached to '" + arn + "'")
        .build();
  }

  /** Trust stores are not shared between accounts here, so every association is an own one. */
  public DeleteSharedTrustStoreAssociationResponse deleteShared(
      DeleteSharedTrustStoreAssociationRequest request) {
    return store.read(tx -> {
      Existing.trustStore(tx, request.trustStoreArn());
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

  public GetTrustStoreCaCertificatesBundleResponse bundle(
      GetTrustStoreCaCertificatesBundleRequest request) {
    Trusting trusting = store.read(tx -> Existing.trustStore(tx, request.trustStoreArn()));
    return GetTrustStoreCaCertificatesBundleResponse.builder()
        .location(objects.link(trusting.bundle().getBytes(StandardCharsets.US_ASCII)))
        .build();
  }
}
