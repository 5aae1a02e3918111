package dev.muelle.services.elasticloadbalancingv2.oidc;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;

/**
 * What targets hear of a user: a JSON Web Token that the load balancer signs. As ALB's, its parts
 * keep their padding, and it says its issuer and end in the payload, too.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html#user-claims-encoding">
 *     User claims encoding and signature verification</a>
 */
final class UserData {

  /** Where names of the fields begin. */
  static final String PREFIX = "x-amzn-oidc-";

  /** How long a token counts. */
  static final Duration LIFE = Duration.ofMinutes(2);

  private UserData() {}

  static Map<String, String> fields(
      AuthKeys keys, Oidc oidc, String balancerArn, Visit visit, Instant now) {
    Session session = visit.session();
    return Map.of(
        PREFIX + "identity", session.subject(),
        PREFIX + "accesstoken", session.accessToken(),
        PREFIX + "data", visit.token(now, () -> token(keys, oidc, balancerArn, session, now)));
  }

  private static String token(
      AuthKeys keys, Oidc oidc, String balancerArn, Session session, Instant now) {
    long end = now.plus(LIFE).getEpochSecond();
    ObjectNode header = Json.object();
    header.put("typ", "JWT");
    header.put("kid", keys.id());
    header.put("alg", "ES256");
    header.put("iss", oidc.issuer());
    header.put("client", oidc.clientId());
    header.put("signer", balancerArn);
    header.put("exp", end);
    ObjectNode claims = Json.read(session.claims());
    ObjectNode payload = claims == null ? Json.object() : claims;
    payload.put("exp", end);
    payload.put("iss", oidc.issuer());
    String content = part(Json.text(header)) + "." + part(Json.text(payload));
    byte[] signature = keys.sign(content.getBytes(StandardCharsets.US_ASCII));
    return content + "." + Base64.getUrlEncoder().encodeToString(signature);
  }

  private static String part(String json) {
    return Base64.getUrlEncoder().encodeToString(json.getBytes(StandardCharsets.UTF_8));
  }
}
