package dev.muelle.services.elasticloadbalancingv2;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.OAuth2Error;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.TokenErrorResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.Subject;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.oauth2.sdk.token.Tokens;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationSuccessResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.claims.UserInfo;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;

/**
 * An identity provider of OpenID Connect at which {@link #user} is always logged in: codes and
 * refresh tokens count once, and only for the client that it knows.
 */
final class Provider implements AutoCloseable {

  static final String CLIENT = "client 1";
  static final String SECRET = "s:cret";

  private static final byte[] KEY = new byte[32];

  volatile String user = "alice";
  volatile String email = "alice@example.com";

  /** Of access tokens, in seconds. */
  volatile long life = 3600;

  final AtomicInteger tokenRequests = new AtomicInteger();

  private final HttpsServer server;
  private final Map<String, AuthenticationRequest> codes = new ConcurrentHashMap<>();
  private final Map<String, String> users = new ConcurrentHashMap<>();
  private final Map<String, String> refreshes = new ConcurrentHashMap<>();

  /** Does what can fail. */
  private interface Answers {
    void answer(HttpExchange exchange) throws Exception;
  }

  Provider(SSLContext tls) throws IOException {
    server = server(tls);
    on("/authorize", this::authorize);
    on("/token", this::token);
    on("/userinfo", this::userInfo);
    server.start();
  }

  /** One that has no paths yet, and is not started. */
  static HttpsServer server(SSLContext tls) throws IOException {
    HttpsServer made = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    made.setHttpsConfigurator(new HttpsConfigurator(tls));
    made.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    return made;
  }

  private void on(String path, Answers answers) {
    server.createContext(
        path,
        exchange -> {
          try {
            answers.answer(exchange);
          } catch (Exception e) {
            say(exchange, 500, String.valueOf(e));
          }
        });
  }

  String issuer() {
    return "https://localhost:" + server.getAddress().getPort();
  }

  URI at(String path) {
    return URI.create(issuer() + path);
  }

  private void authorize(HttpExchange exchange) throws Exception {
    AuthenticationRequest asked =
        AuthenticationRequest.parse(exchange.getRequestURI().getRawQuery());
    if (!asked.getClientID().getValue().equals(CLIENT)) {
      throw new IllegalArgumentException("who is " + asked.getClientID() + "?");
    }
    AuthorizationCode code = new AuthorizationCode();
    codes.put(code.getValue(), asked);
    URI back =
        new AuthenticationSuccessResponse(
                asked.getRedirectionURI(), code, null, null, asked.getState(), null, null)
            .toURI();
    exchange.getResponseHeaders().add("Location", back.toString());
    say(exchange, 302, "");
  }

  private void token(HttpExchange exchange) throws Exception {
    tokenRequests.incrementAndGet();
    HTTPRequest http = new HTTPRequest(HTTPRequest.Method.POST, at("/token"));
    exchange.getRequestHeaders().forEach((name, values) -> http.setHeader(name, values.getFirst()));
    http.setBody(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    TokenRequest asked = TokenRequest.parse(http);
    if (!(asked.getClientAuthentication() instanceof ClientSecretBasic basic)
        || !basic.getClientID().getValue().equals(CLIENT)
        || !basic.getClientSecret().getValue().equals(SECRET)) {
      refuse(exchange, 401, new TokenErrorResponse(OAuth2Error.INVALID_CLIENT));
      return;
    }
    AuthenticationRequest login = null;
    String who = null;
    if (asked.getAuthorizationGrant() instanceof AuthorizationCodeGrant grant) {
      login = codes.remove(grant.getAuthorizationCode().getValue());
      if (login != null && login.getRedirectionURI().equals(grant.getRedirectionURI())) {
        who = user;
      }
    } else if (asked.getAuthorizationGrant() instanceof RefreshTokenGrant grant) {
      who = refreshes.remove(grant.getRefreshToken().getValue());
    }
    if (who == null) {
      refuse(exchange, 400, new TokenErrorResponse(OAuth2Error.INVALID_GRANT));
      return;
    }
    BearerAccessToken access = new BearerAccessToken(life, null);
    RefreshToken refresh = new RefreshToken();
    users.put(access.getValue(), who);
    refreshes.put(refresh.getValue(), who);
    Tokens tokens =
        login == null
            ? new Tokens(access, refresh)
            : new OIDCTokens(idToken(login, who), access, refresh);
    String json =
        tokens instanceof OIDCTokens both
            ? new OIDCTokenResponse(both).toJSONObject().toJSONString()
            : tokens.toJSONObject().toJSONString();
    say(exchange, 200, json);
  }

  private SignedJWT idToken(AuthenticationRequest login, String who) throws Exception {
    Date now = new Date();
    IDTokenClaimsSet claims =
        new IDTokenClaimsSet(
            new Issuer(issuer()),
            new Subject(who),
            new Audience(CLIENT).toSingleAudienceList(),
            new Date(now.getTime() + 60_000),
            now);
    claims.setNonce(login.getNonce());
    SignedJWT token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256), claims.toJWTClaimsSet());
    token.sign(new MACSigner(KEY));
    return token;
  }

  private void userInfo(HttpExchange exchange) throws Exception {
    String token =
        BearerAccessToken.parse(exchange.getRequestHeaders().getFirst("Authorization")).getValue();
    String who = users.get(token);
    if (who == null) {
      say(exchange, 401, "");
      return;
    }
    UserInfo info = new UserInfo(new Subject(who));
    info.setEmailAddress(email);
    say(exchange, 200, info.toJSONObject().toJSONString());
  }

  private static void refuse(HttpExchange exchange, int status, TokenErrorResponse why)
      throws IOException {
    say(exchange, status, why.toJSONObject().toJSONString());
  }

  static void say(HttpExchange exchange, int status, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (var out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
