package dev.muelle.services.acm;

import dev.muelle.services.acm.State.Held;
import dev.muelle.services.acm.State.Use;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.CertificateExport;
import software.amazon.awssdk.services.acm.model.CertificateStatus;
import software.amazon.awssdk.services.acm.model.CertificateSummary;
import software.amazon.awssdk.services.acm.model.DeleteCertificateRequest;
import software.amazon.awssdk.services.acm.model.DeleteCertificateResponse;
import software.amazon.awssdk.services.acm.model.DescribeCertificateRequest;
import software.amazon.awssdk.services.acm.model.DescribeCertificateResponse;
import software.amazon.awssdk.services.acm.model.ExtendedKeyUsage;
import software.amazon.awssdk.services.acm.model.ExtendedKeyUsageName;
import software.amazon.awssdk.services.acm.model.Filters;
import software.amazon.awssdk.services.acm.model.GetCertificateRequest;
import software.amazon.awssdk.services.acm.model.GetCertificateResponse;
import software.amazon.awssdk.services.acm.model.InvalidArgsException;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;
import software.amazon.awssdk.services.acm.model.KeyUsage;
import software.amazon.awssdk.services.acm.model.KeyUsageName;
import software.amazon.awssdk.services.acm.model.ListCertificatesRequest;
import software.amazon.awssdk.services.acm.model.ListCertificatesResponse;
import software.amazon.awssdk.services.acm.model.ResourceInUseException;
import software.amazon.awssdk.services.acm.model.SortBy;
import software.amazon.awssdk.services.acm.model.SortOrder;

/** What certificates there are. */
final class Inventory {

  private static final int MAX_PAGE = 1000;
  private static final int MAX_NAMES = 100;

  private final Store store;
  private final InstantSource clock;

  Inventory(Store store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  DescribeCertificateResponse describe(DescribeCertificateRequest request) {
    return store.read(tx -> {
      Held held = Refuse.unlessThere(tx, request.certificateArn());
      return DescribeCertificateResponse.builder().certificate(told(tx, held.detail())).build();
    });
  }

  /** A certificate as it is told now: it expires by itself, and others begin and end to use it. */
  private CertificateDetail told(Tx tx, CertificateDetail stored) {
    return stored.toBuilder().status(status(stored)).inUseBy(users(tx, stored)).build();
  }

  CertificateStatus status(CertificateDetail stored) {
    return clock.instant().isAfter(stored.notAfter()) ? CertificateStatus.EXPIRED : stored.status();
  }

  private static List<String> users(Tx tx, CertificateDetail stored) {
    return tx.find(State.USES, "certificate", stored.certificateArn()).stream()
        .map(Row::value)
        .map(Use::resource)
        .toList();
  }

  GetCertificateResponse get(GetCertificateRequest request) {
    Held held = store.read(tx -> Refuse.unlessThere(tx, request.certificateArn()));
    return GetCertificateResponse.builder()
        .certificate(held.pem())
        .certificateChain(held.chain())
        .build();
  }

  DeleteCertificateResponse delete(DeleteCertificateRequest request) {
    store.write(tx -> {
      String arn = Refuse.unlessThere(tx, request.certificateArn()).detail().certificateArn();
      if (!tx.find(State.USES, "certificate", arn).isEmpty()) {
        throw ResourceInUseException.builder()
            .message("Certificate " + arn + " is in use.")
            .build();
      }
      tx.delete(State.KEYS, arn);
      return tx.delete(State.CERTIFICATES, arn);
    });
    return DeleteCertificateResponse.builder().build();
  }

  /**
   * Those that a caller asks for; without a filter, certificates with RSA keys of 1024 and 2048
   * bits only.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html">ListCertificates</a>
   */
  ListCertificatesResponse list(ListCertificatesRequest request) {
    if ((request.sortBy() == null) != (request.sortOrder() == null)) {
      throw InvalidArgsException.builder()
          .message("SortBy and SortOrder must be specified together.")
          .build();
    }
    int limit = request.maxItems() == null ? MAX_PAGE : request.maxItems();
    if (limit < 1 || limit > MAX_PAGE) {
      throw Refuse.constraint("maxItems", limit, "have value between 1 and " + MAX_PAGE);
    }
    boolean byTime = request.sortBy() == SortBy.CREATED_AT;
    Comparator<Place> order =
        byTime
            ? Comparator.comparing(Place::created).thenComparing(Place::arn)
            : Comparator.comparing(Place::arn);
    Comparator<Place> wanted =
        request.sortOrder() == SortOrder.DESCENDING ? order.reversed() : order;
    Place after = Place.parse(request.nextToken());
    return store.read(tx -> {
      List<CertificateDetail> found =
          tx.list(State.CERTIFICATES).stream()
              .map(row -> told(tx, row.value().detail()))
              .filter(one ->
                  request.certificateStatuses().isEmpty()
                      || request.certificateStatuses().contains(one.status()))
              .filter(one -> included(one, request.includes()))
              .filter(one -> after == null || wanted.compare(Place.of(one), after) > 0)
              .sorted(Comparator.comparing(Place::of, wanted))
              .toList();
      List<CertificateDetail> page = found.subList(0, Math.min(limit, found.size()));
      return ListCertificatesResponse.builder()
          .certificateSummaryList(page.stream().map(Inventory::summary).toList())
          .nextToken(found.size() > limit ? Place.of(page.getLast()).token() : null)
          .build();
    });
  }

  /** Where a page ends. */
  private record Place(Instant created, String arn) {

    static Place of(CertificateDetail detail) {
      return new Place(detail.createdAt(), detail.certificateArn());
    }

    String token() {
      return Base64.getUrlEncoder()
          .encodeToString((created + " " + arn).getBytes(StandardCharsets.UTF_8));
    }

    static @Nullable Place parse(@Nullable String token) {
      if (token == null) {
        return null;
      }
      try {
        String[] parts =
            new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8).split(" ", 2);
        return new Place(Instant.parse(parts[0]), parts[1]);
      } catch (RuntimeException e) {
        throw InvalidArgsException.builder().message("The next token is not valid.").build();
      }
    }
  }

  private static boolean included(CertificateDetail one, @Nullable Filters asked) {
    Filters filters = asked == null ? Filters.builder().build() : asked;
    List<KeyAlgorithm> types =
        filters.keyTypes().isEmpty()
            ? List.of(KeyAlgorithm.RSA_1024, KeyAlgorithm.RSA_2048)
            : filters.keyTypes();
    return types.contains(one.keyAlgorithm())
        && usages(one).containsAll(filters.keyUsage())
        && extended(one).containsAll(filters.extendedKeyUsage())
        && filters.managedBy() == null // CloudFront's, of which there are none
        && (filters.exportOption() == null || filters.exportOption() == CertificateExport.DISABLED);
  }

  private static List<KeyUsageName> usages(CertificateDetail one) {
    return one.keyUsages().stream().map(KeyUsage::name).toList();
  }

  private static List<ExtendedKeyUsageName> extended(CertificateDetail one) {
    return one.extendedKeyUsages().stream()
        .map(ExtendedKeyUsage::name)
        .filter(Objects::nonNull)
        .toList();
  }

  private static CertificateSummary summary(CertificateDetail one) {
    List<String> names = one.subjectAlternativeNames();
    return CertificateSummary.builder()
        .certificateArn(one.certificateArn())
        .domainName(one.domainName())
        .subjectAlternativeNameSummaries(names.subList(0, Math.min(MAX_NAMES, names.size())))
        .hasAdditionalSubjectAlternativeNames(names.size() > MAX_NAMES)
        .status(one.status())
        .type(one.type())
        .keyAlgorithm(one.keyAlgorithm())
        .keyUsages(usages(one))
        .extendedKeyUsages(extended(one))
        .exportOption(CertificateExport.DISABLED)
        .inUse(!one.inUseBy().isEmpty())
        .exported(false)
        .renewalEligibility(one.renewalEligibility())
        .notBefore(one.notBefore())
        .notAfter(one.notAfter())
        .createdAt(one.createdAt())
        .issuedAt(one.issuedAt())
        .importedAt(one.importedAt())
        .build();
  }
}
