package dev.muelle.services.elasticloadbalancingv2.rule;

import dev.muelle.services.elasticloadbalancingv2.oidc.Oidc;
import dev.muelle.services.elasticloadbalancingv2.oidc.Oidc.Unauthenticated;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AuthenticateOidcActionConditionalBehaviorEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AuthenticateOidcActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidLoadBalancerActionException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;

/**
 * Actions that authenticate users. The client's secret is kept apart from the action, and never
 * told again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AuthenticateOidcActionConfig.html">
 *     AuthenticateOidcActionConfig</a>
 */
public final class Authentications {

  private static final long MAX_TIMEOUT = 604_800;
  private static final int MAX_PARAMETERS = 10;
  private static final int MAX_TEXT = 2048;

  private Authentications() {}

  /** Who is allowed to have such an action: a listener whose clients come by TLS. */
  static void unlessEncrypted(ProtocolEnum protocol) {
    if (protocol != ProtocolEnum.HTTPS) {
      throw InvalidLoadBalancerActionException.builder()
          .message("Actions of type 'authenticate-oidc' are supported only on HTTPS listeners")
          .build();
    }
  }

  /**
   * An action, checked and completed, without its secret, which is written down.
   *
   * @param ruleArn the rule that has it; of a listener the default one
   */
  static Action check(Tx tx, String ruleArn, Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "AuthenticateOidcConfig", "Order"));
    AuthenticateOidcActionConfig config = action.authenticateOidcConfig();
    if (config == null) {
      throw Refuse.invalid("An authenticate-oidc action must have an AuthenticateOidcConfig");
    }
    endpoint("Issuer", config.issuer());
    endpoint("AuthorizationEndpoint", config.authorizationEndpoint());
    endpoint("TokenEndpoint", config.tokenEndpoint());
    endpoint("UserInfoEndpoint", config.userInfoEndpoint());
    text("ClientId", config.clientId());
    secret(tx, ruleArn, config);
    long timeout = Objects.requireNonNullElse(config.sessionTimeout(), MAX_TIMEOUT);
    if (timeout < 1 || timeout > MAX_TIMEOUT) {
      throw Refuse.invalid("The session timeout '" + timeout + "' must be in the range 1-604800");
    }
    String cookie =
        Objects.requireNonNullElse(config.sessionCookieName(), "AWSELBAuthSessionCookie");
    if (!cookie.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")) {
      throw Refuse.invalid("The session cookie name '" + cookie + "' is not valid");
    }
    String scope = Objects.requireNonNullElse(config.scope(), "openid");
    if (scope.isBlank() || scope.length() > MAX_TEXT || !printable(scope)) {
      throw Refuse.invalid("The scope '" + scope + "' is not valid");
    }
    parameters(config.authenticationRequestExtraParams());
    if (config.onUnauthenticatedRequest()
        == AuthenticateOidcActionConditionalBehaviorEnum.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid(
          "The value '"
              + config.onUnauthenticatedRequestAsString()
              + "' of OnUnauthenticatedRequest must be deny, allow or authenticate");
    }
    return action.toBuilder()
        .authenticateOidcConfig(
            config.toBuilder()
                .clientSecret(null)
                .useExistingClientSecret(null)
                .sessionTimeout(timeout)
                .sessionCookieName(cookie)
                .scope(scope)
                .onUnauthenticatedRequest(
                    Objects.requireNonNullElse(
                        config.onUnauthenticatedRequest(),
                        AuthenticateOidcActionConditionalBehaviorEnum.AUTHENTICATE))
                .build())
        .build();
  }

  private static void secret(Tx tx, String ruleArn, AuthenticateOidcActionConfig config) {
    boolean existing = Boolean.TRUE.equals(config.useExistingClientSecret());
    String secret = config.clientSecret();
    if (existing && secret != null) {
      throw Refuse.invalid("You cannot specify both 'ClientSecret' and 'UseExistingClientSecret'");
    }
    if (existing) {
      if (tx.get(State.CLIENT_SECRETS, ruleArn).isEmpty()) {
        throw Refuse.invalid("There is no existing client secret for '" + ruleArn + "'");
      }
      return;
    }
    if (secret == null || secret.isEmpty() || secret.length() > MAX_TEXT || !printable(secret)) {
      throw Refuse.invalid("A valid client secret must be specified"); // never what was said
    }
    tx.put(State.CLIENT_SECRETS, ruleArn, new State.ClientSecret(secret));
  }

  private static void parameters(Map<String, String> parameters) {
    if (parameters.size() > MAX_PARAMETERS) {
      throw Refuse.invalid("You can specify at most 10 authentication request extra parameters");
    }
    parameters.forEach((name, value) -> {
      if (!name.matches("[a-zA-Z0-9_]{1,128}") || value.length() > MAX_TEXT) {
        throw Refuse.invalid(
            "The authentication request extra parameter '" + name + "' is not valid");
      }
    });
  }

  private static void endpoint(String member, @Nullable String value) {
    text(member, value);
    try {
      URI uri = new URI(String.valueOf(value));
      if ("https".equals(uri.getScheme())
          && uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getRawFragment() == null) {
        return;
      }
    } catch (URISyntaxException e) {
      // said below
    }
    throw Refuse.invalid(
        "The "
            + member
            + " '"
            + value
            + "' is not valid: it must be a full URL with the HTTPS protocol, the domain and the"
            + " path");
  }

  private static void text(String member, @Nullable String value) {
    if (value == null || value.isEmpty() || value.length() > MAX_TEXT || !printable(value)) {
      throw Refuse.invalid("A valid " + member + " must be specified");
    }
  }

  private static boolean printable(String value) {
    return value.chars().allMatch(c -> c >= ' ' && c < 127);
  }

  /** The same for its gate. */
  public static Oidc view(Tx tx, String ruleArn, Action action) {
    AuthenticateOidcActionConfig config = action.authenticateOidcConfig();
    return new Oidc(
        config.issuer(),
        URI.create(config.authorizationEndpoint()),
        URI.create(config.tokenEndpoint()),
        URI.create(config.userInfoEndpoint()),
        config.clientId(),
        tx.get(State.CLIENT_SECRETS, ruleArn)
            .map(Row::value)
            .map(State.ClientSecret::secret)
            .orElseThrow(), // written with the action
        config.scope(),
        config.authenticationRequestExtraParams(),
        config.sessionCookieName(),
        Duration.ofSeconds(config.sessionTimeout()),
        switch (config.onUnauthenticatedRequest()) {
          case ALLOW -> Unauthenticated.ALLOW;
          case DENY -> Unauthenticated.DENY;
          default -> Unauthenticated.AUTHENTICATE;
        });
  }
}
