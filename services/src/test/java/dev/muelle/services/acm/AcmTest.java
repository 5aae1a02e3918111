package dev.muelle.services.acm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Certificates;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.Loopback;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.acm.AcmClient;
import software.amazon.awssdk.services.acm.model.AcmException;
import software.amazon.awssdk.services.acm.model.CertificateDetail;
import software.amazon.awssdk.services.acm.model.CertificateStatus;
import software.amazon.awssdk.services.acm.model.CertificateSummary;
import software.amazon.awssdk.services.acm.model.CertificateType;
import software.amazon.awssdk.services.acm.model.DomainStatus;
import software.amazon.awssdk.services.acm.model.DomainValidationOption;
import software.amazon.awssdk.services.acm.model.ExtendedKeyUsageName;
import software.amazon.awssdk.services.acm.model.ImportCertificateRequest;
import software.amazon.awssdk.services.acm.model.KeyAlgorithm;
import software.amazon.awssdk.services.acm.model.KeyUsageName;
import software.amazon.awssdk.services.acm.model.ResourceInUseException;
import software.amazon.awssdk.services.acm.model.ResourceNotFoundException;
import software.amazon.awssdk.services.acm.model.SortBy;
import software.amazon.awssdk.services.acm.model.SortOrder;
import software.amazon.awssdk.services.acm.model.Tag;
import software.amazon.awssdk.services.acm.model.ValidationMethod;

/** Certificates, asked for with the SDK's client. */
class AcmTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");

  /** What {@code openssl ecparam -genkey -name prime256v1} writes. */
  private static final String SEC_1 =
      """
      -----BEGIN EC PARAMETERS-----
      BggqhkjOPQMBBw==
      -----END EC PARAMETERS-----
      -----BEGIN EC PRIVATE KEY-----
      MHcCAQEEIGMmaiEoL2/zNPBFN2RfTmyn1giWXxAH+sx7dkMQFzxkoAoGCCqGSM49
      AwEHoUQDQgAEQiBTylYR8nPEafUTugWrd5bSJQQNZwPZuXi8UQWXnvipbbTw9jhb
      JxLGOijn2JhzYA8t9h4S1GzaCNX8bg/XEg==
      -----END EC PRIVATE KEY-----
      """;

  @TempDir private Path directory;
  private final VirtualTimers timers = new VirtualTimers(NOW);
  private SqliteStore store;
  private Store view;
  private Authority authority;
  private Acm service;
  private AcmClient acm;

  @BeforeEach
  void open() throws Exception {
    store = SqliteStore.open(directory.resolve("db"));
    view = store.in(SCOPE.storeScope());
    authority = authority();
    Random random = new Random(1);
    service = new Acm(SCOPE, view, timers, new Ids(random), random, authority);
    service.start();
    acm =
        AcmClient.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(URI.create("http://localhost:4566"))
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("000000000000", "x")))
            .httpClient(
                new Loopback(
                    new AwsHandler(
                        new Mounts().mount(AcmClient.class, caller -> service),
                        Access.open(),
                        timers,
                        random)))
            .build();
  }

  @AfterEach
  void close() {
    timers.settle();
    service.close();
    store.close();
    timers.close();
  }

  private Authority authority() throws Exception {
    return Authority.open(
        directory.resolve("ca.key"), directory.resolve("ca.pem"), new SecureRandom(), timers);
  }

  private CertificateDetail described(String arn) {
    return acm.describeCertificate(r -> r.certificateArn(arn)).certificate();
  }

  private String requested(KeyAlgorithm algorithm, String name, String... others) {
    return acm.requestCertificate(r ->
            r.domainName(name)
                .subjectAlternativeNames(others)
                .keyAlgorithm(algorithm)
                .validationMethod(ValidationMethod.DNS))
        .certificateArn();
  }

  private static void refused(String code, String part, Runnable call) {
    AcmException e = assertThrows(AcmException.class, call::run);
    assertEquals(code, e.awsErrorDetails().errorCode(), e.getMessage());
    assertEquals(400, e.statusCode());
    assertTrue(e.awsErrorDetails().errorMessage().contains(part), e.getMessage());
  }

  /** A certificate and its key, as somebody brings them. */
  private record Brought(KeyPair pair, X509Certificate certificate) {

    SdkBytes body() {
      return text(Pem.write(List.of(certificate)));
    }

    SdkBytes key() {
      return text(
          "-----BEGIN PRIVATE KEY-----\n"
              + Base64.getMimeEncoder().encodeToString(pair.getPrivate().getEncoded())
              + "\n-----END PRIVATE KEY-----\n");
    }
  }

  private static SdkBytes text(String text) {
    return SdkBytes.fromString(text, StandardCharsets.US_ASCII);
  }

  private Brought brought(KeyAlgorithm algorithm, Instant from, Instant to, String... names) {
    KeyPair pair = Keys.generate(algorithm, new SecureRandom());
    return new Brought(pair, authority.issue(pair.getPublic(), List.of(names), from, to));
  }

  private Brought brought(String... names) {
    return brought(
        KeyAlgorithm.EC_PRIME256_V1, NOW.minusSeconds(60), NOW.plus(Duration.ofDays(90)), names);
  }

  private ImportCertificateRequest.Builder importing(Brought one) {
    return ImportCertificateRequest.builder().certificate(one.body()).privateKey(one.key());
  }

  @Test
  void theAuthorityStaysAndItsKeyIsItsOwnersOnly() throws Exception {
    assertEquals(authority.certificate(), authority().certificate());
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("ca.key"))));
    Files.writeString(directory.resolve("ca.key"), "nothing");
    String said = assertThrows(java.io.IOException.class, this::authority).getMessage();
    assertTrue(said.contains("Remove both"), said);
  }

  @Test
  void aRequestedCertificateIsIssuedByTheAuthority() throws Exception {
    for (KeyAlgorithm algorithm :
        List.of(KeyAlgorithm.RSA_2048, KeyAlgorithm.EC_PRIME256_V1, KeyAlgorithm.EC_SECP384_R1)) {
      String arn = requested(algorithm, "Www.Example.com", "*.example.com", "www.example.com");
      assertTrue(arn.matches("arn:aws:acm:us-east-1:000000000000:certificate/[0-9a-f-]{36}"), arn);
      CertificateDetail detail = described(arn);
      assertEquals(CertificateStatus.ISSUED, detail.status());
      assertEquals(CertificateType.AMAZON_ISSUED, detail.type());
      assertEquals("www.example.com", detail.domainName());
      assertEquals(List.of("www.example.com", "*.example.com"), detail.subjectAlternativeNames());
      assertEquals(algorithm, detail.keyAlgorithm());
      assertEquals("CN=www.example.com", detail.subject());
      assertEquals("Muelle", detail.issuer());
      assertEquals(Instant.parse("2026-11-21T00:00:00Z"), detail.notBefore());
      assertEquals(Instant.parse("2027-12-20T23:59:59Z"), detail.notAfter());
      assertEquals(NOW, detail.issuedAt());
      assertEquals(List.of(), detail.inUseBy());
      assertTrue(detail.serial().matches("([0-9a-f]{2}:){15}[0-9a-f]{2}"), detail.serial());
      assertEquals(2, detail.domainValidationOptions().size());
      var validation = detail.domainValidationOptions().get(1);
      assertEquals("*.example.com", validation.domainName());
      assertEquals(DomainStatus.SUCCESS, validation.validationStatus());
      assertTrue(
          validation.resourceRecord().name().matches("_[0-9a-f]{32}\\.example\\.com\\."),
          validation.resourceRecord().name());
      var got = acm.getCertificate(r -> r.certificateArn(arn));
      X509Certificate leaf = Pem.certificates(got.certificate().getBytes()).getFirst();
      X509Certificate root = Pem.certificates(got.certificateChain().getBytes()).getFirst();
      leaf.verify(root.getPublicKey());
      var identity = view.read(tx -> service.identity(tx, arn)).orElseThrow();
      assertEquals(List.of(leaf, root), identity.chain());
      assertTrue(Keys.match(identity.key(), leaf.getPublicKey()));
      assertFalse(identity.toString().contains("modulus"), "a key is never told");
    }
  }

  @Test
  void byMailTheOwnersOfTheDomainWouldBeAsked() {
    String arn =
        acm.requestCertificate(r ->
                r.domainName("a.example.com")
                    .keyAlgorithm(KeyAlgorithm.EC_PRIME256_V1)
                    .domainValidationOptions(checkedBy("example.com")))
            .certificateArn();
    var validation = described(arn).domainValidationOptions().getFirst();
    assertEquals(ValidationMethod.EMAIL, validation.validationMethod());
    assertEquals("example.com", validation.validationDomain());
    assertTrue(validation.validationEmails().contains("hostmaster@example.com"));
    refused(
        "InvalidDomainValidationOptionsException",
        "neither",
        () ->
            acm.requestCertificate(r ->
                r.domainName("a.example.com").domainValidationOptions(checkedBy("other.com"))));
  }

  private static DomainValidationOption checkedBy(String domain) {
    return DomainValidationOption.builder()
        .domainName("a.example.com")
        .validationDomain(domain)
        .build();
  }

  @Test
  void aRequestThatIsRepeatedWithinAnHourIsTheSame() {
    String first = tokened("one", "a.example.com");
    assertEquals(first, tokened("one", "a.example.com"));
    assertNotEquals(first, tokened("two", "a.example.com"));
    assertNotEquals(first, tokened("one", "b.example.com"));
    timers.advance(Duration.ofMinutes(61));
    assertNotEquals(first, tokened("one", "a.example.com"));
    refused("ValidationException", "idempotencyToken", () -> tokened("a b", "a.example.com"));
  }

  private String tokened(String token, String name) {
    return acm.requestCertificate(r ->
            r.domainName(name).keyAlgorithm(KeyAlgorithm.EC_PRIME256_V1).idempotencyToken(token))
        .certificateArn();
  }

  @Test
  void whatCannotBeIssuedIsRefused() {
    for (String wrong :
        List.of("", "localhost", "-a.com", "a..com", "*.*.com", "a.com.", "a b.com", "1.2.3.4/x")) {
      refused(
          "ValidationException",
          "domainName",
          () -> acm.requestCertificate(r -> r.domainName(wrong)));
    }
    String[] many = new String[100];
    for (int i = 0; i < many.length; i++) {
      many[i] = "n" + i + ".example.com";
    }
    refused(
        "LimitExceededException",
        "100",
        () ->
            acm.requestCertificate(r -> r.domainName("example.com").subjectAlternativeNames(many)));
    refused(
        "InvalidParameterException",
        "RSA_4096",
        () ->
            acm.requestCertificate(r -> r.domainName("a.com").keyAlgorithm(KeyAlgorithm.RSA_4096)));
    refused(
        "InvalidParameterException",
        "exported",
        () -> acm.requestCertificate(r -> r.domainName("a.com").options(o -> o.export("ENABLED"))));
    refused(
        "ValidationException",
        "CertificateAuthorityArn",
        () ->
            acm.requestCertificate(r ->
                r.domainName("a.com")
                    .certificateAuthorityArn(
                        "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/x")));
  }

  @Test
  void itIsRenewedInTimeUnderItsArn() {
    String arn = requested(KeyAlgorithm.EC_PRIME256_V1, "a.example.com");
    String before = described(arn).serial();
    timers.advance(Duration.ofDays(330));
    assertEquals(before, described(arn).serial());
    timers.advance(Duration.ofDays(10));
    CertificateDetail renewed = described(arn);
    assertNotEquals(before, renewed.serial());
    assertEquals(NOW, renewed.createdAt());
    assertTrue(renewed.notAfter().isAfter(NOW.plus(Duration.ofDays(700))));
    timers.advance(Duration.ofDays(700));
    assertEquals(CertificateStatus.ISSUED, described(arn).status());
  }

  @Test
  void anImportedOneIsReadWhole() {
    Brought one = brought("shop.example.com", "*.shop.example.com");
    String arn =
        acm.importCertificate(
                importing(one)
                    .certificateChain(text(Pem.write(List.of(authority.certificate()))))
                    .tags(Tag.builder().key("team").value("shop").build())
                    .build())
            .certificateArn();
    CertificateDetail detail = described(arn);
    assertEquals(CertificateType.IMPORTED, detail.type());
    assertEquals("shop.example.com", detail.domainName());
    assertEquals(NOW, detail.importedAt());
    assertEquals(
        List.of(KeyUsageName.DIGITAL_SIGNATURE),
        detail.keyUsages().stream().map(usage -> usage.name()).toList());
    assertEquals(
        ExtendedKeyUsageName.TLS_WEB_SERVER_AUTHENTICATION,
        detail.extendedKeyUsages().getFirst().name());
    assertEquals("SHA256WITHECDSA", detail.signatureAlgorithm());
    assertEquals(
        Pem.write(List.of(authority.certificate())),
        acm.getCertificate(r -> r.certificateArn(arn)).certificateChain());
    assertEquals(
        "shop", acm.listTagsForCertificate(r -> r.certificateArn(arn)).tags().getFirst().value());
    Brought next = brought("shop.example.com");
    assertEquals(
        arn, acm.importCertificate(importing(next).certificateArn(arn).build()).certificateArn());
    assertEquals(List.of("shop.example.com"), described(arn).subjectAlternativeNames());
    assertEquals(1, acm.listTagsForCertificate(r -> r.certificateArn(arn)).tags().size());
    timers.advance(Duration.ofDays(91));
    assertEquals(CertificateStatus.EXPIRED, described(arn).status());
    assertEquals(Certificates.Found.UNUSABLE, view.read(tx -> service.find(tx, arn)));
  }

  @Test
  void whatIsWrongWithAnImportIsSaid() {
    Brought one = brought("a.example.com");
    Brought other = brought("a.example.com");
    refusedImport("private key does not match", importing(one).privateKey(other.key()));
    refusedImport(
        "private key does not match",
        importing(one)
            .privateKey(
                brought(KeyAlgorithm.RSA_2048, NOW.minusSeconds(1), NOW.plusSeconds(99), "a.b")
                    .key()));
    refusedImport(
        "more than one certificate",
        importing(one)
            .certificate(text(Pem.write(List.of(one.certificate(), other.certificate())))));
    refusedImport("Could not parse certificate.", importing(one).certificate(text("garbage")));
    refusedImport(
        "Could not parse certificate.",
        importing(one)
            .certificate(text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")));
    refusedImport("private key is not supported", importing(one).privateKey(text("garbage")));
    refusedImport("private key is not supported", importing(one).privateKey(one.body()));
    refusedImport(
        "it is encrypted",
        importing(one)
            .privateKey(
                text(one.key().asUtf8String().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"))));
    refusedImport(
        "has expired",
        importing(
            brought(
                KeyAlgorithm.EC_PRIME256_V1,
                NOW.minusSeconds(60),
                NOW.minusSeconds(1),
                "a.example.com")));
    refusedImport(
        "not yet valid",
        importing(
            brought(
                KeyAlgorithm.EC_PRIME256_V1,
                NOW.plusSeconds(60),
                NOW.plusSeconds(99),
                "a.example.com")));
    refusedImport("with the certificate chain", importing(one).certificateChain(other.body()));
    String requested = requested(KeyAlgorithm.EC_PRIME256_V1, "a.example.com");
    refusedImport("was not imported", importing(one).certificateArn(requested));
    refused(
        "ResourceNotFoundException",
        "Could not find certificate",
        () ->
            acm.importCertificate(
                importing(one).certificateArn(SCOPE.arn("acm", "certificate/none")).build()));
    refused(
        "InvalidArnException",
        "not a valid ARN",
        () -> acm.importCertificate(importing(one).certificateArn("x".repeat(30)).build()));
  }

  private void refusedImport(String part, ImportCertificateRequest.Builder request) {
    refused("ValidationException", part, () -> acm.importCertificate(request.build()));
  }

  @Test
  void keysOfEveryFormAreRead() throws Exception {
    KeyPair rsa = Keys.generate(KeyAlgorithm.RSA_2048, new SecureRandom());
    var pkcs1 = new StringWriter();
    try (var pem = new JcaPEMWriter(pkcs1)) {
      pem.writeObject(rsa.getPrivate());
    }
    assertTrue(pkcs1.toString().startsWith("-----BEGIN RSA PRIVATE KEY"));
    var read = Pem.key(pkcs1.toString().getBytes(StandardCharsets.US_ASCII));
    assertTrue(Keys.match(read, rsa.getPublic()));
    assertEquals("EC", Pem.key(SEC_1.getBytes(StandardCharsets.US_ASCII)).getAlgorithm());
  }

  @Test
  void listsHaveFiltersOrderAndPages() {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(
          requested(
              i == 0 ? KeyAlgorithm.RSA_2048 : KeyAlgorithm.EC_PRIME256_V1,
              "n" + i + ".example.com"));
      timers.advance(Duration.ofSeconds(1));
    }
    assertEquals(
        List.of(made.getFirst()),
        acm.listCertificates().certificateSummaryList().stream()
            .map(CertificateSummary::certificateArn)
            .toList(),
        "other keys than RSA's are told only to who asks for them");
    List<String> seen = new ArrayList<>();
    String token = null;
    do {
      String from = token;
      var page =
          acm.listCertificates(r ->
              r.includes(f -> f.keyTypes(KeyAlgorithm.EC_PRIME256_V1, KeyAlgorithm.RSA_2048))
                  .sortBy(SortBy.CREATED_AT)
                  .sortOrder(SortOrder.DESCENDING)
                  .maxItems(2)
                  .nextToken(from));
      page.certificateSummaryList().forEach(one -> seen.add(one.certificateArn()));
      token = page.nextToken();
    } while (token != null);
    assertEquals(made.reversed(), seen);
    assertEquals(
        0,
        acm.listCertificates(r -> r.certificateStatuses(CertificateStatus.EXPIRED))
            .certificateSummaryList()
            .size());
    assertEquals(
        0,
        acm.listCertificates(r -> r.includes(f -> f.keyUsage(KeyUsageName.CRL_SIGNING)))
            .certificateSummaryList()
            .size());
    refused(
        "InvalidArgsException",
        "together",
        () -> acm.listCertificates(r -> r.sortBy(SortBy.CREATED_AT)));
    refused(
        "InvalidArgsException", "next token", () -> acm.listCertificates(r -> r.nextToken("%%")));
  }

  @Test
  void whatIsUsedIsNotDeleted() {
    String arn = requested(KeyAlgorithm.EC_PRIME256_V1, "a.example.com");
    String user = SCOPE.arn("elasticloadbalancing", "loadbalancer/app/web/1");
    view.write(tx -> {
      service.uses(tx, user, Set.of(arn));
      return true;
    });
    assertEquals(List.of(user), described(arn).inUseBy());
    assertThrows(
        ResourceInUseException.class, () -> acm.deleteCertificate(r -> r.certificateArn(arn)));
    view.write(tx -> {
      service.uses(tx, user, Set.of());
      return true;
    });
    acm.deleteCertificate(r -> r.certificateArn(arn));
    assertThrows(ResourceNotFoundException.class, () -> described(arn));
    assertTrue(view.read(tx -> tx.get(State.KEYS, arn)).isEmpty(), "the key is gone, too");
  }

  @Test
  void tagsAreAddedAndRemoved() {
    String arn = requested(KeyAlgorithm.EC_PRIME256_V1, "a.example.com");
    Tag first = Tag.builder().key("a").value("1").build();
    Tag second = Tag.builder().key("b").value("2").build();
    acm.addTagsToCertificate(r -> r.certificateArn(arn).tags(first, second));
    acm.removeTagsFromCertificate(
        r -> r.certificateArn(arn).tags(Tag.builder().key("a").value("other").build()));
    assertEquals(
        List.of(first, second), acm.listTagsForCertificate(r -> r.certificateArn(arn)).tags());
    acm.removeTagsFromCertificate(r -> r.certificateArn(arn).tags(Tag.builder().key("a").build()));
    assertEquals(List.of(second), acm.listTagsForCertificate(r -> r.certificateArn(arn)).tags());
    refused(
        "InvalidTagException",
        "aws:x",
        () ->
            acm.addTagsToCertificate(
                r -> r.certificateArn(arn).tags(Tag.builder().key("aws:x").build())));
  }
}
