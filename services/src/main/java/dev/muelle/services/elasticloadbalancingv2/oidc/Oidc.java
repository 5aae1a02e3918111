package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How users prove who they are.
 *
 * @param parameters besides the flow's own, for the authorization endpoint
 * @param cookie what the session's cookies are called, before their numbers
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AuthenticateOidcActionConfig.html">
 *     AuthenticateOidcActionConfig</a>
 */
public record Oidc(
    String issuer,
    URI authorizationEndpoint,
    URI tokenEndpoint,
    URI userInfoEndpoint,
    String clientId,
    String clientSecret,
    String scope,
    Map<String, String> parameters,
    String cookie,
    Duration sessionTimeout,
    Unauthenticated otherwise) {

  public Oidc {
    parameters = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /** What becomes of requests without a session. */
  public enum Unauthenticated {
    /** They are sent to the provider. */
    AUTHENTICATE,
    /** They go on, and targets hear of no user. */
    ALLOW,
    /** They are answered 401. */
    DENY
  }

  @Override
  public String toString() {
    return "Oidc[" + clientId + " of " + issuer + "]"; // never the secret
  }
}
