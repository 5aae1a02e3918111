package dev.muelle.services.elasticloadbalancingv2.oidc;

import dev.muelle.balancer.Gate;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens to who has a session, and sends others to the provider.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html">
 *     Authenticate users using an Application Load Balancer</a>
 */
final class OidcGate implements Gate {

  /** Where users come back, at any host of the load balancer. */
  static final String RETURN = "/oauth2/idpresponse";

  static final String NONCE = "AWSALBAuthNonce";
  static final String STATE = "state";

  /** How long a user may take to log in. */
  static final Duration LOGIN = Duration.ofMinutes(15);

  /** Longer than any path that fits into the address of the provider's page. */
  private static final int MAX_STATE = 8 * 1024;

  private final OidcGates all;
  private final String balancerArn;
  private final Oidc oidc;
  private final String id;

  OidcGate(OidcGates all, String balancerArn, Oidc oidc) {
    this.all = all;
    this.balancerArn = balancerArn;
    this.oidc = oidc;
    this.id =
        digest(
            String.join(
                "\n",
                balancerArn,
                oidc.issuer(),
                oidc.tokenEndpoint().toString(),
                oidc.clientId(),
                oidc.cookie()));
  }

  Oidc oidc() {
    return oidc;
  }

  /** Of gates with the same, a session at one counts at the other. */
  String id() {
    return id;
  }

  SessionCookies cookies() {
    return new SessionCookies(oidc.cookie());
  }

  String seal(Session session) {
    return all.keys().seal("session " + id, session.text());
  }

  Instant ends(Session session) {
    return Instant.ofEpochSecond(session.created()).plus(oidc.sessionTimeout());
  }

  @Override
  public void knock(Knock knock, Consumer<Opening> then) {
    Instant now = all.clock().instant();
    String brought = cookies().brought(knock.cookie());
    Visit visit = brought == null ? null : visit(brought);
    if (visit == null || !now.isBefore(ends(visit.session()))) {
      if (brought != null && visit == null) {
        all.counts(balancerArn).failed(Failure.invalid("AuthInvalidCookie"));
      }
      then.accept(unauthenticated(knock, now));
    } else if (visit.session().accessExpired(now) && visit.session().refreshToken() != null) {
      all.blocking(then, () -> refreshed(knock, visit.session()));
    } else {
      then.accept(open(visit, now, List.of()));
    }
  }

  private @Nullable Visit visit(String sealed) {
    return all.opened()
        .get(
            id,
            sealed,
            () -> {
              String text = all.keys().open("session " + id, sealed);
              return text == null ? null : Session.of(text);
            });
  }

  private Opening.Open open(Visit visit, Instant now, List<String> cookies) {
    return new Opening.Open(
        UserData.PREFIX, UserData.fields(all.keys(), oidc, balancerArn, visit, now), cookies);
  }

  /** The provider is asked whether the user is still logged in there. */
  private Opening refreshed(Knock knock, Session old) {
    try {
      Session fresh =
          all.refreshes()
              .once(
                  id + " " + old.refreshToken(),
                  () -> {
                    Session made = all.timed(balancerArn, () -> all.provider().refresh(oidc, old));
                    all.counts(balancerArn).refreshed();
                    return made;
                  });
      List<String> cookies = cookies().set(seal(fresh), ends(fresh), knock.cookie());
      return open(new Visit(fresh), all.clock().instant(), cookies);
    } catch (Failure e) {
      all.counts(balancerArn).failed(e);
      return unauthenticated(knock, all.clock().instant());
    }
  }

  private Opening unauthenticated(Knock knock, Instant now) {
    return switch (oidc.otherwise()) {
      case AUTHENTICATE -> login(knock, now);
      case ALLOW -> new Opening.Open(UserData.PREFIX, Map.of(), List.of());
      case DENY -> new Opening.Shut(401, "", List.of(), "");
    };
  }

  private Opening login(Knock knock, Instant now) {
    if (knock.host().isEmpty()) {
      return all.failed(balancerArn, Failure.missingHost());
    }
    String nonce = all.token();
    var state = Json.object();
    state.put("gate", id);
    state.put("host", knock.host());
    state.put("target", knock.target().startsWith("/") ? knock.target() : "/");
    state.put("nonce", digest(nonce));
    state.put("until", now.plus(LOGIN).getEpochSecond());
    String sealed = all.keys().seal(STATE, Json.text(state));
    if (sealed.length() > MAX_STATE) {
      return new Opening.Shut(414, "", List.of(), "");
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("client_id", oidc.clientId());
    parameters.put("redirect_uri", redirect(knock.host()));
    parameters.put("response_type", "code");
    parameters.put("scope", oidc.scope());
    parameters.put("state", sealed);
    parameters.put("nonce", digest(nonce));
    oidc.parameters().forEach(parameters::putIfAbsent);
    return new Opening.Shut(
        302,
        IdentityProvider.with(oidc.authorizationEndpoint(), parameters),
        List.of(SessionCookies.one(NONCE, nonce, now.plus(LOGIN))),
        "");
  }

  static String redirect(String host) {
    return "https://" + host + RETURN;
  }

  static String digest(String text) {
    try {
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
