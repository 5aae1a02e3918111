package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.wire.AccessKeys.AccessKey;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner.AuthLocation;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.AwsSessionCredentialsIdentity;
import software.amazon.awssdk.services.ecs.EcsClient;

/** Requests are signed by the SDK's own signer, then tampered with. */
class SigV4Test {
  private static final Instant NOW = Instant.parse("2026-11-21T06:00:00Z");
  private static final String ID = "AKIDEXAMPLE";
  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  private static final byte[] CLUSTERS = "{\"clusters\": [\"a\"]}".getBytes(StandardCharsets.UTF_8);
  private static final byte[] BODY = "{\"cluster\": \"a\"}".getBytes(StandardCharsets.UTF_8);

  private final AccessKeys keys =
      id ->
          switch (id) {
            case ID -> Optional.of(key(id, ""));
            case "ASIATEMPORARY" -> Optional.of(key(id, "the-token"));
            default -> Optional.empty();
          };

  private static AccessKey key(String id, String token) {
    return new AccessKey(id, SECRET, token, "123456789012", "arn:aws:iam::123456789012:root", "u");
  }

  private static AwsCredentialsIdentity credentials(String id, String secret) {
    return AwsCredentialsIdentity.create(id, secret);
  }

  /** What to sign, and how. */
  private static HttpRequest signed(
      String url,
      byte @Nullable [] body,
      Instant at,
      AwsCredentialsIdentity who,
      Consumer<SignRequest.Builder<AwsCredentialsIdentity>> how) {
    SdkHttpRequest request =
        SdkHttpRequest.builder()
            .method(body == null ? SdkHttpMethod.GET : SdkHttpMethod.POST)
            .uri(URI.create(url))
            .putHeader("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeClusters")
            .putHeader("X-Spaces", "  a   b  ")
            .build();
    SdkHttpRequest done =
        AwsV4HttpSigner.create()
            .sign(r -> {
              r.identity(who)
                  .request(request)
                  .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "ecs")
                  .putProperty(AwsV4HttpSigner.REGION_NAME, "eu-west-1")
                  .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(at, ZoneOffset.UTC));
              if (body != null) {
                r.payload(ContentStreamProvider.fromByteArray(body));
              }
              how.accept(r);
            })
            .request();
    Map<String, List<String>> headers = new TreeMap<>();
    done.forEachHeader((name, values) ->
        headers
            .computeIfAbsent(name.toLowerCase(Locale.ROOT), any -> new ArrayList<>())
            .addAll(values));
    URI uri = done.getUri();
    String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return new HttpRequest(
        done.method().name(),
        path,
        uri.getRawQuery() == null ? "" : uri.getRawQuery(),
        headers,
        "127.0.0.1",
        new ByteArrayInputStream(body == null ? new byte[0] : body));
  }

  private static HttpRequest signed(Instant at) {
    return signed("http://localhost:4566/", BODY, at, credentials(ID, SECRET), how -> {});
  }

  private static HttpRequest presigned(Instant at, Duration life) {
    return signed(
        "http://localhost:4566/?Action=GetCallerIdentity&Version=2011-06-15&Odd=a%20b%2Fc%2Bd%7E",
        null,
        at,
        credentials(ID, SECRET),
        how ->
            how.putProperty(AwsV4HttpSigner.AUTH_LOCATION, AuthLocation.QUERY_STRING)
                .putProperty(AwsV4HttpSigner.EXPIRATION_DURATION, life));
  }

  private static HttpRequest with(HttpRequest request, String header, String value) {
    Map<String, List<String>> headers = new TreeMap<>(request.headers());
    headers.put(header, List.of(value));
    return new HttpRequest(
        request.method(),
        request.path(),
        request.query(),
        headers,
        request.remoteAddress(),
        request.body());
  }

  private static HttpRequest withQuery(HttpRequest request, String query) {
    return new HttpRequest(
        request.method(),
        request.path(),
        query,
        request.headers(),
        request.remoteAddress(),
        request.body());
  }

  private SigV4.Verdict verify(HttpRequest request, byte[] body) {
    return SigV4.verify(request, body, keys, NOW);
  }

  private void refused(Fault fault, String why, SigV4.Verdict verdict) {
    SigV4.Refused refused = assertInstanceOf(SigV4.Refused.class, verdict);
    assertEquals(fault, refused.fault(), refused.why());
    assertTrue(refused.why().contains(why), refused.why());
  }

  @Test
  void takesWhatTheSdkSigned() {
    SigV4.Authentic authentic = assertInstanceOf(SigV4.Authentic.class, verify(signed(NOW), BODY));
    assertEquals(ID, authentic.key().accessKeyId());
    assertEquals("eu-west-1", authentic.credential().region());
  }

  @Test
  void takesAPathWithEscapes() {
    HttpRequest request =
        signed(
            "http://localhost:4566/a%20b/%C3%A9/c+d/?x=1&x=0&empty=&y=%2A",
            BODY, NOW, credentials(ID, SECRET), how -> {});
    assertInstanceOf(SigV4.Authentic.class, verify(request, BODY));
  }

  @Test
  void takesAnUnsignedPayload() {
    HttpRequest request =
        signed(
            "https://localhost:4566/",
            BODY,
            NOW,
            credentials(ID, SECRET),
            how -> how.putProperty(AwsV4HttpSigner.PAYLOAD_SIGNING_ENABLED, false));
    assertEquals("UNSIGNED-PAYLOAD", request.header("x-amz-content-sha256").orElse(""));
    assertInstanceOf(
        SigV4.Authentic.class, verify(request, "another body".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void takesAPresignedRequestUntilItExpires() {
    HttpRequest request = presigned(NOW.minusSeconds(59), Duration.ofSeconds(60));
    assertInstanceOf(SigV4.Authentic.class, verify(request, new byte[0]));
    refused(
        Fault.EXPIRED_SIGNATURE,
        "Signature expired: 20261121T055859Z is now earlier than 20261121T055900Z"
            + " (20261121T060000Z - 1 min.)",
        verify(presigned(NOW.minusSeconds(61), Duration.ofSeconds(60)), new byte[0]));
  }

  @Test
  void refusesAPresignedRequestWithAnotherQuery() {
    HttpRequest request = presigned(NOW, Duration.ofSeconds(60));
    refused(
        Fault.WRONG_SIGNATURE,
        "does not match the signature you provided",
        verify(
            withQuery(request, request.query().replace("GetCallerIdentity", "AssumeRole")),
            new byte[0]));
  }

  @Test
  void refusesATamperedBody() {
    byte[] other = BODY.clone();
    other[other.length - 3] ^= 1;
    refused(Fault.WRONG_SIGNATURE, "does not match", verify(signed(NOW), other));
  }

  @Test
  void refusesATamperedHeader() {
    refused(
        Fault.WRONG_SIGNATURE,
        "does not match",
        verify(with(signed(NOW), "x-amz-target", "Other.Operation"), BODY));
  }

  @Test
  void refusesAnotherSecret() {
    HttpRequest request =
        signed("http://localhost/", BODY, NOW, credentials(ID, "another"), how -> {});
    refused(Fault.WRONG_SIGNATURE, "does not match", verify(request, BODY));
  }

  @Test
  void refusesAnUnknownKey() {
    HttpRequest request =
        signed("http://localhost/", BODY, NOW, credentials("AKIDOTHER", SECRET), how -> {});
    refused(
        Fault.UNKNOWN_KEY,
        "The security token included in the request is invalid.",
        verify(request, BODY));
  }

  @Test
  void wantsTheTokenOfATemporaryKey() {
    HttpRequest with =
        signed(
            "http://localhost/",
            BODY,
            NOW,
            AwsSessionCredentialsIdentity.create("ASIATEMPORARY", SECRET, "the-token"),
            how -> {});
    HttpRequest without =
        signed("http://localhost/", BODY, NOW, credentials("ASIATEMPORARY", SECRET), how -> {});
    assertInstanceOf(SigV4.Authentic.class, verify(with, BODY));
    refused(Fault.UNKNOWN_KEY, "token", verify(without, BODY));
    refused(Fault.UNKNOWN_KEY, "token", verify(with(with, "x-amz-security-token", "other"), BODY));
  }

  @Test
  void allowsFiveMinutesOfSkew() {
    assertInstanceOf(SigV4.Authentic.class, verify(signed(NOW.minusSeconds(300)), BODY));
    assertInstanceOf(SigV4.Authentic.class, verify(signed(NOW.plusSeconds(300)), BODY));
    refused(
        Fault.EXPIRED_SIGNATURE,
        "Signature expired: 20261121T055459Z is now earlier than 20261121T055500Z"
            + " (20261121T060000Z - 5 min.)",
        verify(signed(NOW.minusSeconds(301)), BODY));
    refused(
        Fault.EXPIRED_SIGNATURE,
        "Signature not yet current: 20261121T060501Z is still later than 20261121T060500Z"
            + " (20261121T060000Z + 5 min.)",
        verify(signed(NOW.plusSeconds(301)), BODY));
  }

  @Test
  void refusesWhatIsNotSigned() {
    HttpRequest request = signed(NOW);
    Map<String, List<String>> headers = new TreeMap<>(request.headers());
    headers.remove("authorization");
    HttpRequest bare = new HttpRequest("POST", "/", "", headers, "127.0.0.1", request.body());
    refused(Fault.MISSING_SIGNATURE, "missing", verify(bare, BODY));
    refused(
        Fault.MISSING_SIGNATURE,
        "missing",
        verify(with(bare, "authorization", "Basic eA=="), BODY));
  }

  @Test
  void saysWhatAnAuthorizationHeaderLacks() {
    HttpRequest request = signed(NOW);
    String whole = request.header("authorization").orElseThrow();
    refused(
        Fault.INCOMPLETE_SIGNATURE,
        "Authorization header requires 'Signature' parameter.",
        verify(
            with(request, "authorization", whole.substring(0, whole.indexOf(", Signature"))),
            BODY));
    refused(
        Fault.INCOMPLETE_SIGNATURE,
        "Authorization header requires 'Credential' parameter. Authorization header requires"
            + " 'Signature' parameter.",
        verify(with(request, "authorization", "AWS4-HMAC-SHA256"), BODY));
    refused(
        Fault.INCOMPLETE_SIGNATURE,
        "5 slash-delimited elements",
        verify(with(request, "authorization", whole.replace("/ecs/", "/")), BODY));
    refused(
        Fault.INCOMPLETE_SIGNATURE,
        "'Host' or ':authority' must be a 'SignedHeader'",
        verify(with(request, "authorization", whole.replace("=host;", "=")), BODY));
  }

  @Test
  void wantsTheOperationSigned() {
    HttpRequest request = signed(NOW);
    String whole = request.header("authorization").orElseThrow();
    refused(
        Fault.INCOMPLETE_SIGNATURE,
        "'X-Amz-Target' must be a 'SignedHeader'",
        verify(with(request, "authorization", whole.replace(";x-amz-target", "")), BODY));
  }

  @Test
  void refusesAScopeOfAnotherDay() {
    HttpRequest request = signed(NOW);
    String whole = request.header("authorization").orElseThrow();
    refused(
        Fault.WRONG_SIGNATURE,
        "Date in Credential scope does not match",
        verify(with(request, "authorization", whole.replace("/20261121/", "/20261120/")), BODY));
  }

  /** A signature is good for one service only, and the whole way down the chain agrees. */
  @Test
  void refusesASignatureForAnotherService() throws IOException {
    AwsHandler handler =
        new AwsHandler(
            new Mounts().mount(EcsClient.class, caller -> new AwsHandlerTest.Ecs()),
            Access.verified(keys),
            InstantSource.fixed(NOW),
            new Random(1));
    AwsCredentialsIdentity who = credentials(ID, SECRET);
    String url = "http://localhost/";
    assertEquals(200, handler.handle(signed(url, CLUSTERS, NOW, who, how -> {})).status());
    HttpResponse refused =
        handler.handle(
            signed(
                url,
                CLUSTERS,
                NOW,
                who,
                how -> how.putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "sts")));
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    refused.body().writeTo(body);
    assertEquals(400, refused.status());
    assertEquals(
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Credential should be scoped to"
            + " correct service: 'ecs'. \"}",
        body.toString(StandardCharsets.UTF_8));
  }
}
