package dev.muelle.services.elasticloadbalancingv2.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Asks identity providers, at their token and user info endpoints. It blocks: not for event loops.
 *
 * @see <a href="https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth">Authentication
 *     using the authorization code flow</a>
 */
final class IdentityProvider {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final int MAX_ANSWER = 64 * 1024;
  private static final int MAX_AT_ONCE = 64;

  /** A provider's clock may be so far behind. */
  private static final Duration SKEW = Duration.ofMinutes(1);

  private final HttpClient http;
  private final InstantSource clock;
  private final Semaphore free = new Semaphore(MAX_AT_ONCE);

  IdentityProvider(HttpClient http, InstantSource clock) {
    this.http = http;
    this.clock = clock;
  }

  /**
   * A user comes with a code.
   *
   * @param nonce that the ID token has to repeat
   */
  Session exchange(Oidc oidc, String code, String redirect, String nonce) throws Failure {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "authorization_code");
    form.put("code", code);
    form.put("redirect_uri", redirect);
    ObjectNode tokens = tokens(oidc, form);
    if (!tokens.hasNonNull("id_token")) {
      throw Failure.invalid("AuthInvalidTokenResponse"); // the scope does not return one
    }
    String subject = subject(oidc, tokens.path("id_token").asText(), nonce);
    return session(oidc, tokens, subject, null, clock.instant().getEpochSecond());
  }

  /** The session of somebody whose access token has expired, as it is now. */
  Session refresh(Oidc oidc, Session old) throws Failure {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "refresh_token");
    form.put("refresh_token", String.valueOf(old.refreshToken()));
    return session(oidc, tokens(oidc, form), old.subject(), old.refreshToken(), old.created());
  }

  private Session session(
      Oidc oidc, ObjectNode tokens, String subject, @Nullable String refresh, long created)
      throws Failure {
    String access = tokens.path("access_token").textValue();
    if (access == null || !Session.plain(access)) {
      throw Failure.invalid("AuthInvalidTokenResponse");
    }
    ObjectNode claims = claims(oidc, access, subject);
    long life = tokens.path("expires_in").asLong();
    String next = tokens.path("refresh_token").textValue();
    Session session =
        new Session(
            subject,
            Json.text(claims),
            access,
            next == null ? refresh : next,
            created,
            life <= 0 ? 0 : clock.instant().plusSeconds(life).getEpochSecond());
    session.unlessTooLarge();
    return session;
  }

  private ObjectNode tokens(Oidc oidc, Map<String, String> form) throws Failure {
    String body =
        form.entrySet().stream()
            .map(field -> field.getKey() + "=" + encoded(field.getValue()))
            .collect(Collectors.joining("&"));
    // Both are encoded before they are put together (RFC 6749, section 2.3.1).
    String secret = encoded(oidc.clientId()) + ":" + encoded(oidc.clientSecret());
    HttpResponse<String> answer =
        send(
            HttpRequest.newBuilder(oidc.tokenEndpoint())
                .header("Authorization", "Basic " + base64(secret))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)),
            "AuthTokenEpRequestTimeout");
    ObjectNode said = Json.read(answer.body());
    if (answer.statusCode() / 100 != 2) {
      boolean grant = said != null && said.path("error").asText().equals("invalid_grant");
      throw grant
          ? Failure.refused("AuthInvalidGrantError", Failure.Kind.FAILURE)
          : Failure.refused("AuthTokenEpRequestFailed", Failure.Kind.ERROR);
    }
    if (said == null || !said.path("token_type").asText("bearer").equalsIgnoreCase("bearer")) {
      throw Failure.invalid("AuthInvalidTokenResponse");
    }
    return said;
  }

  /**
   * Whom an ID token is about. It came from the provider itself, by TLS, which vouches for it in
   * place of its signature.
   *
   * @see <a href="https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation">ID token
   *     validation</a>
   */
  private String subject(Oidc oidc, String token, String nonce) throws Failure {
    ObjectNode claims = payload(token);
    Instant now = clock.instant();
    if (claims == null
        || !claims.path("iss").asText().equals(oidc.issuer())
        || !isFor(claims, oidc.clientId())
        || claims.path("exp").asLong() <= now.minus(SKEW).getEpochSecond()
        || !claims.path("nonce").asText().equals(nonce)
        || !Session.plain(claims.path("sub").asText())) {
      throw Failure.invalid("AuthInvalidIdToken");
    }
    return claims.path("sub").asText();
  }

  private static boolean isFor(ObjectNode claims, String client) {
    JsonNode audience = claims.path("aud");
    boolean named = audience.asText().equals(client);
    for (JsonNode one : audience) {
      named |= one.asText().equals(client);
    }
    return named && claims.path("azp").asText(client).equals(client);
  }

  private static @Nullable ObjectNode payload(String token) {
    String[] parts = token.split("\\.", -1);
    try {
      return parts.length == 3
          ? Json.read(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8))
          : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private ObjectNode claims(Oidc oidc, String accessToken, String subject) throws Failure {
    HttpResponse<String> answer =
        send(
            HttpRequest.newBuilder(oidc.userInfoEndpoint())
                .header("Authorization", "Bearer " + accessToken)
                .header("Accept", "application/json"),
            "AuthUserinfoEpRequestTimeout");
    if (answer.statusCode() / 100 != 2) {
      throw Failure.refused("AuthUserinfoEpRequestFailed", Failure.Kind.ERROR);
    }
    ObjectNode claims = Json.read(answer.body());
    // Of somebody else: OpenID Connect Core, section 5.3.2.
    if (claims == null || !claims.path("sub").asText().equals(subject)) {
      throw Failure.invalid("AuthInvalidUserinfoResponse");
    }
    return claims;
  }

  private HttpResponse<String> send(HttpRequest.Builder request, String reason) throws Failure {
    if (!free.tryAcquire()) {
      throw Failure.unreachable(reason);
    }
    try {
      CompletableFuture<HttpResponse<String>> answer =
          http.sendAsync(
              request.timeout(TIMEOUT).build(),
              BodyHandlers.limiting(BodyHandlers.ofString(StandardCharsets.UTF_8), MAX_ANSWER));
      try {
        return answer.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS); // with its whole body
      } catch (TimeoutException e) {
        answer.cancel(true);
        throw Failure.unreachable(reason);
      }
    } catch (ExecutionException e) {
      throw Failure.unreachable(reason);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.unreachable(reason);
    } finally {
      free.release();
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** An endpoint with these parameters behind those that it has. */
  static String with(URI endpoint, Map<String, String> parameters) {
    String query =
        parameters.entrySet().stream()
            .map(one -> encoded(one.getKey()) + "=" + encoded(one.getValue()))
            .collect(Collectors.joining("&"));
    return endpoint + (endpoint.getRawQuery() == null ? "?" : "&") + query;
  }
}
