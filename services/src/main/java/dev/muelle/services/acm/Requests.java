package dev.muelle.services.acm;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.acm.State.Asked;
import dev.muelle.services.acm.State.Held;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.CertificateExport;
import software.amazon.awssdk.services.acm.model.CertificateOptions;
import software.amazon.awssdk.services.acm.model.CertificateStatus;
import software.amazon.awssdk.services.acm.model.CertificateTransparencyLoggingPreference;
import software.amazon.awssdk.services.acm.model.CertificateType;
import software.amazon.awssdk.services.acm.model.DomainStatus;
import software.amazon.awssdk.services.acm.model.DomainValidation;
import software.amazon.awssdk.services.acm.model.DomainValidationOption;
import software.amazon.awssdk.services.acm.model.InvalidDomainValidationOptionsException;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;
import software.amazon.awssdk.services.acm.model.LimitExceededException;
import software.amazon.awssdk.services.acm.model.RecordType;
import software.amazon.awssdk.services.acm.model.RenewalEligibility;
import software.amazon.awssdk.services.acm.model.RequestCertificateRequest;
import software.amazon.awssdk.services.acm.model.RequestCertificateResponse;
import software.amazon.awssdk.services.acm.model.ResourceRecord;
import software.amazon.awssdk.services.acm.model.ValidationMethod;

/**
 * Certificates that the region's own authority issues, at once: nobody else's names can be taken
 * here, so there is nobody to ask (docs/decisions/0060).
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html">RequestCertificate</a>
 */
final class Requests {

  /** Nothing is written to a public log, and no key is given away. */
  static final CertificateOptions OPTIONS =
      CertificateOptions.builder()
          .certificateTransparencyLoggingPreference(
              CertificateTransparencyLoggingPreference.DISABLED)
          .export(CertificateExport.DISABLED)
          .build();

  private static final Duration LIFE = Duration.ofDays(395);
  private static final Duration RENEWED_BEFORE = Duration.ofDays(60);
  private static final Duration TOKEN_LIFE = Duration.ofHours(1);
  private static final int MAX_NAMES = 100;
  private static final int MAX_NAME = 253;
  private static final String NAME =
      "(\\*\\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])";
  private static final Set<KeyAlgorithm> ALGORITHMS =
      Set.of(KeyAlgorithm.RSA_2048, KeyAlgorithm.EC_PRIME256_V1, KeyAlgorithm.EC_SECP384_R1);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Authority authority;

  Requests(Scope scope, Store store, InstantSource clock, Ids ids, Authority authority) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.authority = authority;
  }

  RequestCertificateResponse make(RequestCertificateRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "DomainName",
            "ValidationMethod",
            "SubjectAlternativeNames",
            "IdempotencyToken",
            "DomainValidationOptions",
            "Options",
            "Tags",
            "KeyAlgorithm"));
    List<String> names = names(request);
    ValidationMethod method = method(request);
    KeyAlgorithm algorithm = algorithm(request);
    checkOptions(request.options());
    Tags.check(request.tags());
    List<DomainValidation> validations =
        names.stream().map(name -> validation(name, method, request)).toList();
    String token = token(request, names);
    Optional<String> before = store.read(tx -> asked(tx, token));
    if (before.isPresent()) {
      return answer(before.get());
    }
    KeyPair pair = Keys.generate(algorithm, authority.random()); // not while others wait
    String arn = scope.arn("acm", "certificate/" + ids.uuid());
    Instant now = clock.instant();
    X509Certificate certificate = issue(pair, names, now);
    return answer(
        store.write(tx -> {
          Optional<String> meanwhile = asked(tx, token);
          if (meanwhile.isPresent()) {
            return meanwhile.get();
          }
          CertificateDetail detail =
              Details.fill(CertificateDetail.builder(), certificate)
                  .certificateArn(arn)
                  .domainName(names.getFirst())
                  .domainValidationOptions(validations)
                  .createdAt(now)
                  .issuedAt(now)
                  .status(CertificateStatus.ISSUED)
                  .type(CertificateType.AMAZON_ISSUED)
                  .renewalEligibility(RenewalEligibility.ELIGIBLE)
                  .options(OPTIONS)
                  .build();
          put(tx, pair, certificate, new Held(detail, "", null, request.tags()));
          if (token != null) {
            tx.put(State.TOKENS, token, new Asked(arn, now));
          }
          return arn;
        }));
  }

  private static RequestCertificateResponse answer(String arn) {
    return RequestCertificateResponse.builder().certificateArn(arn).build();
  }

  private void put(Tx tx, KeyPair pair, X509Certificate certificate, Held held) {
    String arn = held.detail().certificateArn();
    tx.put(State.KEYS, arn, Keys.store(pair.getPrivate()));
    tx.put(
        State.CERTIFICATES,
        arn,
        new Held(
            held.detail(),
            Pem.write(List.of(certificate)),
            Pem.write(List.of(authority.certificate())),
            held.tags()));
  }

  private X509Certificate issue(KeyPair pair, List<String> names, Instant now) {
    Instant from = now.truncatedTo(ChronoUnit.DAYS);
    return authority.issue(pair.getPublic(), names, from, from.plus(LIFE).minusSeconds(1));
  }

  /**
   * Renews a certificate in time, under its ARN.
   *
   * @return when to look again
   */
  @Nullable Duration renew(String arn) {
    Held held = store.read(tx -> tx.get(State.CERTIFICATES, arn)).map(Row::value).orElse(null);
    if (held == null || held.detail().type() != CertificateType.AMAZON_ISSUED) {
      return null;
    }
    Instant now = clock.instant();
    Instant due = held.detail().notAfter().minus(RENEWED_BEFORE);
    if (now.isBefore(due)) {
      return Duration.between(now, due);
    }
    KeyPair pair = Keys.generate(held.detail().keyAlgorithm(), authority.random());
    X509Certificate next = issue(pair, held.detail().subjectAlternativeNames(), now);
    store.write(tx -> {
      Held latest = tx.get(State.CERTIFICATES, arn).map(Row::value).orElse(null);
      if (latest != null) {
        CertificateDetail detail =
            Details.fill(latest.detail().toBuilder(), next)
                .domainName(latest.detail().domainName())
                .issuedAt(now)
                .build();
        put(tx, pair, next, new Held(detail, "", null, latest.tags()));
      }
      return true;
    });
    return Duration.between(now, next.getNotAfter().toInstant().minus(RENEWED_BEFORE));
  }

  /** Under what a request is remembered: the token alone does not say what was asked for. */
  private static @Nullable String token(RequestCertificateRequest request, List<String> names) {
    String token = request.idempotencyToken();
    if (token == null) {
      return null;
    }
    if (!token.matches("\\w{1,32}")) {
      throw Refuse.constraint(
          "idempotencyToken", token, "satisfy regular expression pattern: \\w+");
    }
    return token + "|" + String.join(",", names);
  }

  private Optional<String> asked(Tx tx, @Nullable String token) {
    if (token == null) {
      return Optional.empty();
    }
    Instant end = clock.instant().minus(TOKEN_LIFE);
    return tx.get(State.TOKENS, token)
        .map(Row::value)
        .filter(asked -> asked.at().isAfter(end))
        .map(Asked::arn)
        .filter(arn -> tx.get(State.CERTIFICATES, arn).isPresent());
  }

  private static List<String> names(RequestCertificateRequest request) {
    if (request.domainName() == null) {
      throw Refuse.constraint("domainName", null, "not be null");
    }
    Set<String> names = new LinkedHashSet<>();
    names.add(name("domainName", request.domainName()));
    for (String other : request.subjectAlternativeNames()) {
      names.add(name("subjectAlternativeNames", other));
    }
    if (names.size() > MAX_NAMES) {
      throw LimitExceededException.builder()
          .message("A certificate can have at most " + MAX_NAMES + " domain names.")
          .build();
    }
    return List.copyOf(names);
  }

  private static String name(String member, String name) {
    if (name.length() > MAX_NAME || !name.matches(NAME)) {
      throw Refuse.constraint(member, name, "satisfy regular expression pattern: " + NAME);
    }
    return name.toLowerCase(Locale.ROOT);
  }

  private static ValidationMethod method(RequestCertificateRequest request) {
    if (request.validationMethod() == null) {
      return ValidationMethod.EMAIL;
    }
    return switch (request.validationMethod()) {
      case DNS, EMAIL -> request.validationMethod();
      case HTTP ->
          throw Refuse.parameter("HTTP validation is for CloudFront, which is not in this region.");
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.constraint(
              "validationMethod",
              request.validationMethodAsString(),
              "satisfy enum value set: [DNS, EMAIL, HTTP]");
    };
  }

  private static KeyAlgorithm algorithm(RequestCertificateRequest request) {
    KeyAlgorithm asked =
        request.keyAlgorithm() == null ? KeyAlgorithm.RSA_2048 : request.keyAlgorithm();
    if (!ALGORITHMS.contains(asked)) {
      throw Refuse.parameter(
          "Certificates with the key algorithm "
              + request.keyAlgorithmAsString()
              + " cannot be requested: RSA_2048, EC_prime256v1 or EC_secp384r1.");
    }
    return asked;
  }

  private static void checkOptions(@Nullable CertificateOptions options) {
    if (options == null) {
      return;
    }
    if (options.certificateTransparencyLoggingPreference() != null
        && options.certificateTransparencyLoggingPreference()
            != CertificateTransparencyLoggingPreference.DISABLED) {
      throw Refuse.parameter(
          "Certificates of this region are in no certificate transparency log:"
              + " CertificateTransparencyLoggingPreference can be DISABLED only.");
    }
    if (options.export() != null && options.export() != CertificateExport.DISABLED) {
      throw Refuse.parameter("Certificates cannot be exported: Export can be DISABLED only.");
    }
  }

  private DomainValidation validation(
      String name, ValidationMethod method, RequestCertificateRequest request) {
    String bare = name.startsWith("*.") ? name.substring(2) : name;
    String domain = bare;
    for (DomainValidationOption option : request.domainValidationOptions()) {
      if (name.equalsIgnoreCase(option.domainName())) {
        domain = String.valueOf(option.validationDomain()).toLowerCase(Locale.ROOT);
        if (!bare.equals(domain) && !bare.endsWith("." + domain)) {
          throw InvalidDomainValidationOptionsException.builder()
              .message(
                  "The validation domain "
                      + domain
                      + " is neither the domain "
                      + name
                      + " nor above it.")
              .build();
        }
      }
    }
    DomainValidation.Builder validation =
        DomainValidation.builder()
            .domainName(name)
            .validationDomain(domain)
            .validationStatus(DomainStatus.SUCCESS)
            .validationMethod(method);
    if (method == ValidationMethod.EMAIL) {
      List<String> addresses = new ArrayList<>();
      for (String whom :
          List.of("admin", "administrator", "hostmaster", "postmaster", "webmaster")) {
        addresses.add(whom + "@" + domain);
      }
      return validation.validationEmails(addresses).build();
    }
    return validation
        .resourceRecord(
            ResourceRecord.builder()
                .name("_" + ids.hex(32) + "." + bare + ".")
                .type(RecordType.CNAME)
                .value("_" + ids.hex(32) + ".acm-validations.muelle.")
                .build())
        .build();
  }
}
