package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsServer;
import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Gate;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.services.Certificates.Identity;
import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.oidc.AuthCounts;
import dev.muelle.services.elasticloadbalancingv2.oidc.Oidc;
import dev.muelle.services.elasticloadbalancingv2.oidc.Oidc.Unauthenticated;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Users who log in with an identity provider: a whole one for what goes well, and one that
 * misbehaves as it is told. Both show a certificate that the region trusts.
 */
class OidcTest extends ElbV2World {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BALANCER =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123456789abcdef";

  private OidcGates gates;
  private Identity identity;
  private SSLContext trust;
  private Provider provider;
  private HttpServer target;
  private final BlockingQueue<Headers> heard = new LinkedBlockingQueue<>();
  private int port;
  private CookieManager cookies;

  @BeforeEach
  void begin() throws Exception {
    identity = localhost();
    gates = gates();
    trust = trust(identity.chain().getFirst());
    provider = new Provider(tls());
    target = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    target.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          heard.add(exchange.getRequestHeaders());
          exchange.sendResponseHeaders(200, 0);
          try (var out = exchange.getResponseBody()) {
            out.write(("here with " + body.length).getBytes(StandardCharsets.US_ASCII));
          }
        });
    target.start();
    port = freePort();
    gates.ready();
    cookies = new CookieManager();
  }

  @AfterEach
  void end() {
    target.stop(0);
    provider.close();
    gates.close();
  }

  /** A certificate that vouches for itself, as the region's authority does. */
  private static Identity localhost() throws Exception {
    KeyPairGenerator pairs = KeyPairGenerator.getInstance("EC");
    pairs.initialize(256);
    KeyPair pair = pairs.generateKeyPair();
    X500Principal name = new X500Principal("CN=localhost");
    Instant now = Instant.now();
    byte[] certificate =
        new JcaX509v3CertificateBuilder(
                name,
                BigInteger.ONE,
                Date.from(now.minusSeconds(60)),
                Date.from(now.plusSeconds(3600)),
                name,
                pair.getPublic())
            .addExtension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")))
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()))
            .getEncoded();
    return new Identity(
        pair.getPrivate(),
        List.of(
            (X509Certificate)
                CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(certificate))));
  }

  private OidcGates gates() {
    return new OidcGates(
        machine.store.in(Machine.HOME.storeScope()),
        machine.timers,
        new Ids(new SecureRandom()),
        new SecureRandom(),
        identity.chain().getFirst());
  }

  private static SSLContext trust(X509Certificate authority) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("region", authority);
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private KeyStore key() throws Exception {
    KeyStore key = KeyStore.getInstance("PKCS12");
    key.load(null, null);
    key.setKeyEntry(
        "server",
        identity.key(),
        "changeit".toCharArray(),
        identity.chain().toArray(X509Certificate[]::new));
    return key;
  }

  private SSLContext tls() throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(key(), "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private Oidc oidc() {
    return new Oidc(
        provider.issuer(),
        provider.at("/authorize"),
        provider.at("/token"),
        provider.at("/userinfo"),
        Provider.CLIENT,
        Provider.SECRET,
        "openid email",
        Map.of("display", "page"),
        "Session",
        Duration.ofHours(1),
        Unauthenticated.AUTHENTICATE);
  }

  private static Oidc with(Oidc o, Unauthenticated otherwise, Duration timeout) {
    return new Oidc(
        o.issuer(),
        o.authorizationEndpoint(),
        o.tokenEndpoint(),
        o.userInfoEndpoint(),
        o.clientId(),
        o.clientSecret(),
        o.scope(),
        o.parameters(),
        o.cookie(),
        timeout,
        otherwise);
  }

  /** A listener whose default action is behind this gate. */
  private void listen(Oidc oidc) {
    Gate gate = gates.before(BALANCER, oidc);
    LoadBalancer.Sockets host =
        new LoadBalancer.Sockets() {
          @Override
          public <T> T call(Callable<T> birth) throws Exception {
            return birth.call();
          }
        };
    var check =
        new LoadBalancer.HealthCheck(
            0, "/", s -> true, Duration.ofSeconds(30), Duration.ofSeconds(5), 2, 2);
    Tls tls =
        new Tls(
            new Tls.Identity(identity.key(), identity.chain(), "it"),
            List.of(),
            List.of("TLSv1.2", "TLSv1.3"),
            List.of("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            Tls.HTTP2);
    machine.balancer.put(
        new LoadBalancer(
            BALANCER,
            "localhost",
            List.of(new LoadBalancer.Node("127.0.0.1", "a", host)),
            List.of(),
            List.of(
                new LoadBalancer.Listener(
                    "listener",
                    port,
                    List.of(),
                    new Action.Gated(gate, new Action.Forward("group")),
                    tls,
                    Edits.NONE,
                    gates.returns(BALANCER, List.of(gate)))),
            Map.of(
                "group",
                new LoadBalancer.TargetGroup(
                    "group",
                    check,
                    List.of(
                        new LoadBalancer.Member(
                            new Balancer.Target("127.0.0.1", target.getAddress().getPort()),
                            "a",
                            null,
                            true)))),
            new LoadBalancer.Settings(
                Duration.ofSeconds(60), Duration.ofHours(1), LoadBalancer.Headers.DEFAULT)));
  }

  private HttpClient browser(HttpClient.Version version, HttpClient.Redirect redirects) {
    return HttpClient.newBuilder()
        .sslContext(trust)
        .version(version)
        .followRedirects(redirects)
        .cookieHandler(cookies)
        .build();
  }

  private HttpRequest.Builder asking(String path) {
    return HttpRequest.newBuilder(URI.create("https://localhost:" + port + path));
  }

  private HttpResponse<String> visit(HttpClient browser, String path) throws Exception {
    return browser.send(asking(path).build(), BodyHandlers.ofString());
  }

  /** One step, with the cookies that are there. */
  private HttpResponse<String> step(String path) throws Exception {
    try (HttpClient browser = browser(HttpClient.Version.HTTP_1_1, HttpClient.Redirect.NEVER)) {
      return visit(browser, path);
    }
  }

  private String login(HttpClient.Version version, String path) throws Exception {
    try (HttpClient browser = browser(version, HttpClient.Redirect.ALWAYS)) {
      HttpResponse<String> answer = visit(browser, path);
      assertEquals(200, answer.statusCode(), answer.uri() + ": " + answer.body());
      assertEquals("https://localhost:" + port + path, answer.uri().toString());
      return answer.body();
    }
  }

  /** What a target heard last, health checks left out. */
  private Headers told() throws InterruptedException {
    while (true) {
      Headers one = heard.poll(30, TimeUnit.SECONDS);
      assertTrue(one != null, "no target was asked");
      if (one.containsKey("X-Forwarded-Proto")) {
        return one;
      }
    }
  }

  private static JsonNode part(String token, int number) throws IOException {
    return JSON.readTree(Base64.getUrlDecoder().decode(token.split("\\.")[number]));
  }

  private List<HttpCookie> sessionCookies() {
    return cookies.getCookieStore().getCookies().stream()
        .filter(cookie -> cookie.getName().startsWith("Session-"))
        .toList();
  }

  private AuthCounts counts() {
    return gates.counts(BALANCER);
  }

  private void verified(String token) throws Exception {
    String kid = part(token, 0).get("kid").textValue();
    String pem = gates.publicKey(kid).orElseThrow();
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initVerify(
        KeyFactory.getInstance("EC")
            .generatePublic(
                new X509EncodedKeySpec(
                    Base64.getMimeDecoder()
                        .decode(pem.replaceAll("-----[A-Z ]*-----", "").strip()))));
    int end = token.lastIndexOf('.');
    signature.update(token.substring(0, end).getBytes(StandardCharsets.US_ASCII));
    assertTrue(signature.verify(Base64.getUrlDecoder().decode(token.substring(end + 1))));
  }

  @Test
  void whoLogsInComesBackAndTargetsHearWhoItIs() throws Exception {
    listen(oidc());

    assertEquals("here with 0", login(HttpClient.Version.HTTP_2, "/private?a=b&c=%2F"));

    Headers told = told();
    assertEquals("alice", told.getFirst("x-amzn-oidc-identity"));
    assertFalse(told.getFirst("x-amzn-oidc-accesstoken").isEmpty());
    String data = told.getFirst("x-amzn-oidc-data");
    JsonNode header = part(data, 0);
    assertEquals("ES256", header.get("alg").textValue());
    assertEquals(BALANCER, header.get("signer").textValue());
    assertEquals("client 1", header.get("client").textValue());
    assertEquals(oidc().issuer(), header.get("iss").textValue());
    assertEquals("alice@example.com", part(data, 1).get("email").textValue());
    assertEquals("alice", part(data, 1).get("sub").textValue());
    verified(data);
    assertEquals(1, counts().successes());
    assertEquals(1, counts().latencies().size());
    // Once more, without the provider: the session is the browser's.
    provider.close();
    assertEquals("here with 0", login(HttpClient.Version.HTTP_1_1, "/again"));
    assertEquals("alice", told().getFirst("x-amzn-oidc-identity"));
    assertEquals(1, counts().successes());
  }

  @Test
  void aTokenIsNotSignedForEachRequest() throws Exception {
    listen(oidc());
    login(HttpClient.Version.HTTP_1_1, "/");
    until(
        true,
        () -> {
          heard.clear();
          step("/");
          String first = told().getFirst("x-amzn-oidc-data");
          step("/");
          String second = told().getFirst("x-amzn-oidc-data");
          verified(second);
          return first.equals(second); // no two signatures are alike, unless it is the same
        });
  }

  @Test
  void theProviderIsAskedAsTheStandardSays() throws Exception {
    listen(oidc());
    HttpResponse<String> sent = step("/x");
    assertEquals(302, sent.statusCode());
    Map<String, String> query = query(sent.headers().firstValue("location").orElseThrow());
    assertEquals("client 1", query.get("client_id"));
    assertEquals("code", query.get("response_type"));
    assertEquals("openid email", query.get("scope"));
    assertEquals("page", query.get("display"));
    assertEquals("https://localhost:" + port + "/oauth2/idpresponse", query.get("redirect_uri"));
    String nonce =
        sent.headers().allValues("set-cookie").stream()
            .filter(one -> one.startsWith("AWSALBAuthNonce="))
            .findFirst()
            .orElseThrow();
    assertTrue(nonce.contains("; Secure; HttpOnly"), nonce);

    assertEquals(561, step(back(query, "code-1")).statusCode(), "nobody gave that code away");
    assertEquals(1, provider.tokenRequests.get());
    // A code counts once.
    String location;
    try (HttpClient browser =
        HttpClient.newBuilder()
            .sslContext(trust)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build()) {
      location =
          browser
              .send(
                  HttpRequest.newBuilder(
                          URI.create(sent.headers().firstValue("location").orElseThrow()))
                      .build(),
                  BodyHandlers.ofString())
              .headers()
              .firstValue("location")
              .orElseThrow();
    }
    String path = location.substring(location.indexOf("/oauth2"));
    assertEquals(302, step(path).statusCode());
    step("/"); // another nonce would be another reason
  }

  private static Map<String, String> query(String location) {
    Map<String, String> found = new LinkedHashMap<>();
    for (String pair : URI.create(location).getRawQuery().split("&")) {
      int sign = pair.indexOf('=');
      found.put(
          pair.substring(0, sign),
          URLDecoder.decode(pair.substring(sign + 1), StandardCharsets.UTF_8));
    }
    return found;
  }

  private static String back(Map<String, String> query, String code) {
    return "/oauth2/idpresponse?code=" + code + "&state=" + query.get("state");
  }

  @Test
  void nobodyComesBackWhoWasNotSentAway() throws Exception {
    listen(oidc());
    assertEquals(401, step("/oauth2/idpresponse").statusCode());
    assertEquals(401, step("/oauth2/idpresponse?code=1&state=x").statusCode());
    Map<String, String> mine = query(step("/").headers().firstValue("location").orElseThrow());
    assertEquals(401, step("/oauth2/idpresponse?state=" + mine.get("state")).statusCode());
    assertEquals(
        401,
        step("/oauth2/idpresponse?error=access_denied&state=" + mine.get("state")).statusCode());
    assertEquals(
        561,
        step("/oauth2/idpresponse?error=server_error&state=" + mine.get("state")).statusCode());
    // Somebody else's browser, which another nonce was given, or none.
    cookies = new CookieManager();
    assertEquals(401, step(back(mine, "1")).statusCode());
    step("/");
    assertEquals(401, step(back(mine, "1")).statusCode());
    assertEquals(7, counts().failures());
    assertTrue(
        heard.stream().noneMatch(one -> one.containsKey("X-Forwarded-Proto")),
        "a target heard of it");
  }

  @Test
  void whoIsNotLoggedInIsDeniedOrLetThroughWithoutAName() throws Exception {
    listen(with(oidc(), Unauthenticated.DENY, Duration.ofHours(1)));
    assertEquals(401, step("/").statusCode());
    listen(with(oidc(), Unauthenticated.ALLOW, Duration.ofHours(1)));
    try (HttpClient browser = browser(HttpClient.Version.HTTP_1_1, HttpClient.Redirect.NEVER)) {
      HttpResponse<String> answer =
          browser.send(
              asking("/")
                  .header("x-amzn-oidc-identity", "root")
                  .header("X_Amzn_Oidc_Data", "forged")
                  .build(),
              BodyHandlers.ofString());
      assertEquals(200, answer.statusCode());
    }
    Headers told = told();
    assertTrue(
        told.keySet().stream().noneMatch(name -> name.toLowerCase().contains("oidc")),
        () -> "targets believe " + told.entrySet());
  }

  @Test
  void aSessionEnds() throws Exception {
    listen(with(oidc(), Unauthenticated.AUTHENTICATE, Duration.ofSeconds(2)));
    login(HttpClient.Version.HTTP_1_1, "/");
    List<HttpCookie> kept = sessionCookies();
    assertFalse(kept.isEmpty());
    // A browser that keeps its cookies longer than it was told.
    kept.forEach(cookie -> cookie.setMaxAge(-1));
    until(
        302,
        () -> {
          kept.forEach(
              cookie -> cookies.getCookieStore().add(URI.create("https://localhost"), cookie));
          return step("/").statusCode();
        });
  }

  @Test
  void cookiesThatSomebodyTouchedCountForNothing() throws Exception {
    listen(oidc());
    login(HttpClient.Version.HTTP_1_1, "/");
    HttpCookie first = sessionCookies().getFirst();
    String value = first.getValue();
    char last = value.charAt(value.length() / 2);
    first.setValue(
        value.substring(0, value.length() / 2)
            + (last == 'A' ? 'B' : 'A')
            + value.substring(value.length() / 2 + 1));
    assertEquals(302, step("/").statusCode());
    assertEquals(1, counts().failures());
  }

  @Test
  void anExpiredAccessTokenIsRefreshedOnceForAllRequestsThatBringIt() throws Exception {
    provider.user = "bob";
    provider.email = "bob@old.example.com";
    provider.life = 1;
    listen(oidc());
    login(HttpClient.Version.HTTP_1_1, "/");
    assertEquals("bob@old.example.com", email(told()));
    provider.email = "bob@new.example.com";
    provider.life = 3600;
    String before = sessionCookies().getFirst().getValue();
    List<HttpCookie> expired = sessionCookies();
    long already = counts().refreshes(); // a slow machine's own requests may have been too late
    until(
        true,
        () -> {
          step("/");
          return counts().refreshes() > already;
        });
    assertNotEquals(before, sessionCookies().getFirst().getValue());
    Headers now = last();
    assertEquals("bob", now.getFirst("x-amzn-oidc-identity"));
    assertEquals("bob@new.example.com", email(now));
    // The same old cookies again, from several connections: nobody asks the provider anew.
    long asked = counts().refreshes();
    String old = expired.stream().map(c -> c.getName() + "=" + before).findFirst().orElseThrow();
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    try (HttpClient many = HttpClient.newBuilder().sslContext(trust).build()) {
      for (int i = 0; i < 8; i++) {
        all.add(
            many.sendAsync(asking("/" + i).header("Cookie", old).build(), BodyHandlers.ofString()));
      }
      for (CompletableFuture<HttpResponse<String>> one : all) {
        assertEquals(200, one.get(30, TimeUnit.SECONDS).statusCode());
      }
    }
    assertEquals(asked, counts().refreshes());
  }

  private static String email(Headers told) throws IOException {
    return part(told.getFirst("x-amzn-oidc-data"), 1).path("email").asText();
  }

  private Headers last() throws InterruptedException {
    Headers last = told();
    while (!heard.isEmpty()) {
      Headers next = heard.poll();
      last = next.containsKey("X-Forwarded-Proto") ? next : last;
    }
    return last;
  }

  @Test
  void aBodyWaitsUntilItIsKnownWhoSendsIt() throws Exception {
    listen(oidc());
    login(HttpClient.Version.HTTP_1_1, "/");
    for (HttpClient.Version version : HttpClient.Version.values()) {
      if (version == HttpClient.Version.HTTP_1_1 || version == HttpClient.Version.HTTP_2) {
        try (HttpClient browser = browser(version, HttpClient.Redirect.NEVER)) {
          HttpResponse<String> answer =
              browser.send(
                  asking("/upload").POST(BodyPublishers.ofByteArray(new byte[300_000])).build(),
                  BodyHandlers.ofString());
          assertEquals("here with 300000", answer.body());
        }
      }
    }
  }

  /** What the other provider answers, by path. */
  private interface Says {
    void answer(HttpExchange exchange) throws IOException;
  }

  /** A provider that does as it is told, and how a login with it ends. */
  private int loginWith(Says tokens, Says userInfo) throws Exception {
    HttpsServer other = Provider.server(tls());
    other.createContext("/token", tokens::answer);
    other.createContext("/userinfo", userInfo::answer);
    other.start();
    try {
      return loginAt("https://localhost:" + other.getAddress().getPort());
    } finally {
      other.stop(0);
    }
  }

  private int loginAt(String base) throws Exception {
    Oidc o = oidc();
    listen(
        new Oidc(
            "https://me",
            URI.create(base + "/authorize"),
            URI.create(base + "/token"),
            URI.create(base + "/userinfo"),
            "me",
            "secret",
            o.scope(),
            o.parameters(),
            o.cookie(),
            o.sessionTimeout(),
            o.otherwise()));
    cookies = new CookieManager();
    Map<String, String> query = query(step("/").headers().firstValue("location").orElseThrow());
    nonce = query.get("nonce");
    return step(back(query, "1")).statusCode();
  }

  private String nonce = "";

  private static String encoded(String json) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(json.getBytes(StandardCharsets.UTF_8));
  }

  /** Tokens of a user, in which one claim is another one. */
  private Says tokens(String claim, String value) {
    return exchange -> {
      Map<String, Object> claims = new LinkedHashMap<>();
      claims.put("iss", "https://me");
      claims.put("aud", "me");
      claims.put("sub", "carol");
      claims.put("exp", machine.timers.instant().plusSeconds(60).getEpochSecond());
      claims.put("nonce", nonce);
      claims.put(claim, value);
      Provider.say(
          exchange,
          200,
          "{\"token_type\":\"Bearer\",\"access_token\":\"t\",\"id_token\":\"e30."
              + encoded(JSON.writeValueAsString(claims))
              + ".x\"}");
    };
  }

  private static Says user(String json) {
    return exchange -> Provider.say(exchange, 200, json);
  }

  @Test
  void whatAProviderSaysIsNotTakenOnFaith() throws Exception {
    Says carol = user("{\"sub\":\"carol\"}");
    assertEquals(302, loginWith(tokens("x", "y"), carol));
    assertEquals(1, counts().successes());
    for (String claim : List.of("iss", "aud", "nonce", "azp")) {
      assertEquals(401, loginWith(tokens(claim, "another"), carol), claim);
    }
    assertEquals(401, loginWith(tokens("exp", "1"), carol));
    assertEquals(401, loginWith(tokens("sub", "a\r\nb"), carol));
    assertEquals(401, loginWith(tokens("x", "y"), user("{\"sub\":\"mallory\"}")));
    assertEquals(401, loginWith(tokens("x", "y"), user("[]")));
    assertEquals(401, loginWith(user("{\"access_token\":\"t\"}"), carol), "no ID token");
    assertEquals(401, loginWith(user("no json"), carol));
    assertEquals(10, counts().failures());
    assertEquals(
        500,
        loginWith(
            tokens("x", "y"), user("{\"sub\":\"carol\",\"x\":\"" + "x".repeat(11_300) + "\"}")));
    assertEquals(1, counts().oversized());
    assertEquals(
        561, loginWith(e -> Provider.say(e, 400, "{\"error\":\"invalid_client\"}"), carol));
    assertEquals(561, loginWith(tokens("x", "y"), e -> Provider.say(e, 503, "")));
    assertEquals(2, counts().errors());
    assertEquals(1, counts().successes());
  }

  @Test
  void aProviderThatCannotBeAskedIsAnError() throws Exception {
    assertEquals(500, loginAt("https://localhost:" + freePort()));
    assertEquals(500, loginAt("https://nobody.invalid"));
    CountDownLatch end = new CountDownLatch(1);
    AtomicInteger bytes = new AtomicInteger();
    Says drips =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (var out = exchange.getResponseBody()) {
            while (!end.await(100, TimeUnit.MILLISECONDS)) {
              out.write(' ');
              out.flush();
              bytes.incrementAndGet();
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    assertEquals(500, loginWith(drips, drips));
    end.countDown();
    assertTrue(bytes.get() > 0, "it was asked");
    assertEquals(3, counts().errors());
  }

  @Test
  void aLongSessionHasSeveralCookies() throws Exception {
    String noise =
        new java.util.Random(1)
            .ints(7_000, 33, 127)
            .mapToObj(c -> String.valueOf((char) c).replace("\"", "-").replace("\\", "-"))
            .reduce("", String::concat);
    assertEquals(
        302, loginWith(tokens("x", "y"), user("{\"sub\":\"carol\",\"x\":\"" + noise + "\"}")));
    int many = sessionCookies().size();
    assertTrue(many > 1, "only " + many);
    heard.clear();
    assertEquals(200, step("/").statusCode());
    assertEquals(noise, part(told().getFirst("x-amzn-oidc-data"), 1).get("x").textValue());
  }

  @Test
  void aServerThatComesBackKnowsItsUsers() throws Exception {
    listen(oidc());
    login(HttpClient.Version.HTTP_1_1, "/");
    gates.close();
    gates = gates();
    gates.ready();
    listen(oidc());
    assertEquals(200, step("/").statusCode());
    heard.clear();
    assertEquals(200, step("/").statusCode());
    verified(told().getFirst("x-amzn-oidc-data"));
  }
}
