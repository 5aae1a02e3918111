package dev.muelle.services.elasticloadbalancingv2.oidc;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.balancer.Gate;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where users come back from the provider, with a code or with its refusal. */
final class OidcReturn implements Gate {

  private final OidcGates all;
  private final String balancerArn;
  private final Map<String, OidcGate> gates = new HashMap<>();

  OidcReturn(OidcGates all, String balancerArn, Collection<OidcGate> gates) {
    this.all = all;
    this.balancerArn = balancerArn;
    gates.forEach(gate -> this.gates.putIfAbsent(gate.id(), gate));
  }

  /** Who has logged in, and where they wanted to go. */
  private record Arrival(OidcGate gate, String target, String nonce) {}

  @Override
  public void knock(Knock knock, Consumer<Opening> then) {
    Map<String, String> said = parameters(knock.target());
    try {
      Arrival arrival = arrival(knock, said);
      String code = said.get("code");
      if ("access_denied".equals(said.get("error"))) {
        throw Failure.invalid("AuthMissingCodeParam");
      } else if (said.containsKey("error")) {
        throw Failure.refused("AuthMissingCodeParam", Failure.Kind.FAILURE);
      } else if (code == null) {
        throw Failure.invalid("AuthMissingCodeParam");
      }
      all.blocking(then, () -> exchanged(knock, arrival, code));
    } catch (Failure e) {
      then.accept(all.failed(balancerArn, e));
    }
  }

  /** Checks that it was this browser that was sent away, by one of these gates, not long ago. */
  private Arrival arrival(Knock knock, Map<String, String> said) throws Failure {
    String sealed = said.get(OidcGate.STATE);
    if (sealed == null) {
      throw Failure.invalid("AuthMissingStateParam");
    }
    String text = all.keys().open(OidcGate.STATE, sealed);
    ObjectNode state = text == null ? null : Json.read(text);
    OidcGate gate = state == null ? null : gates.get(state.path("gate").asText());
    Instant now = all.clock().instant();
    if (state == null
        || gate == null
        || !state.path("host").asText().equals(knock.host())
        || state.path("until").asLong() <= now.getEpochSecond()) {
      throw Failure.invalid("AuthInvalidStateParam");
    }
    String nonce = knock.cookie().apply(OidcGate.NONCE);
    if (nonce == null) {
      throw Failure.invalid("AuthMissingAWSALBAuthNonce");
    }
    if (!OidcGate.digest(nonce).equals(state.path("nonce").asText())) {
      throw Failure.invalid("AuthInvalidAWSALBAuthNonce");
    }
    return new Arrival(gate, state.path("target").asText(), state.path("nonce").asText());
  }

  private Opening exchanged(Knock knock, Arrival arrival, String code) {
    OidcGate gate = arrival.gate();
    try {
      Session session =
          all.timed(
              balancerArn,
              () ->
                  all.provider()
                      .exchange(
                          gate.oidc(), code, OidcGate.redirect(knock.host()), arrival.nonce()));
      List<String> cookies =
          new ArrayList<>(
              gate.cookies().set(gate.seal(session), gate.ends(session), knock.cookie()));
      cookies.add(SessionCookies.gone(OidcGate.NONCE));
      all.counts(balancerArn).success();
      return new Opening.Shut(302, "https://" + knock.host() + arrival.target(), cookies, "");
    } catch (Failure e) {
      return all.failed(balancerArn, e);
    }
  }

  /** Of the query; the first of each name. */
  private static Map<String, String> parameters(String target) {
    Map<String, String> found = new HashMap<>();
    int mark = target.indexOf('?');
    for (String pair : mark < 0 ? new String[0] : target.substring(mark + 1).split("&", -1)) {
      int sign = pair.indexOf('=');
      String value = sign < 0 ? "" : decoded(pair.substring(sign + 1));
      if (value != null) {
        found.putIfAbsent(
            Objects.requireNonNullElse(decoded(sign < 0 ? pair : pair.substring(0, sign)), ""),
            value);
      }
    }
    return found;
  }

  private static @Nullable String decoded(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
