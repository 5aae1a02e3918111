package dev.muelle.services.elasticloadbalancingv2.trust;

import dev.muelle.services.Objects;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Crl;
import dev.muelle.services.elasticloadbalancingv2.state.State.Revoking;
import dev.muelle.services.elasticloadbalancingv2.state.State.Trusting;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationContent;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationIdNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RevocationType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTrustStoreRevocationEntriesException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreRevocation;

/** Lists of revoked certificates, of trust stores. */
public final class TrustRevocations {

  private static final int MAX_CRLS = 30;
  public static final int MAX_REVOKED = 500_000;

  private final TrustStores stores;
  private final Store store;
  private final Objects objects;
  private final TrustFiles files;

  public TrustRevocations(TrustStores stores, Store store, Objects objects) {
    this.stores = stores;
    this.store = store;
    this.objects = objects;
    this.files = new TrustFiles(objects);
  }

  public AddTrustStoreRevocationsResponse add(AddTrustStoreRevocationsRequest request) {
    String arn = request.trustStoreArn();
    Trusting now = store.read(tx -> Existing.trustStore(tx, arn));
    if (request.revocationContents().isEmpty()) {
      throw Refuse.invalid("A revocation content must be specified");
    }
    List<TrustFiles.Read> read = new ArrayList<>();
    for (RevocationContent content : request.revocationContents()) {
      read.add(files.read(content, now));
    }
    List<TrustStoreRevocation> added = new ArrayList<>();
    stores.change(
        arn,
        (tx, old) -> {
          added.clear();
          List<Revoking> all = new ArrayList<>(old.revocations());
          long total = old.store().totalRevokedEntries();
          long next = old.revision() + 1; // grows with each change, so no id is used twice
          for (TrustFiles.Read one : read) {
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

  public RemoveTrustStoreRevocationsResponse remove(RemoveTrustStoreRevocationsRequest request) {
    String arn = request.trustStoreArn();
    stores.change(
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

  public DescribeTrustStoreRevocationsResponse describe(
      DescribeTrustStoreRevocationsRequest request) {
    Trusting trusting = store.read(tx -> Existing.trustStore(tx, request.trustStoreArn()));
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

  public GetTrustStoreRevocationContentResponse content(
      GetTrustStoreRevocationContentRequest request) {
    Crl crl =
        store.read(tx -> {
          Revoking one =
              revocation(Existing.trustStore(tx, request.trustStoreArn()), request.revocationId());
          return tx.get(State.CRLS, request.trustStoreArn() + "|" + one.id()).orElseThrow().value();
        });
    return GetTrustStoreRevocationContentResponse.builder()
        .location(objects.link(Base64.getDecoder().decode(crl.content())))
        .build();
  }
}
