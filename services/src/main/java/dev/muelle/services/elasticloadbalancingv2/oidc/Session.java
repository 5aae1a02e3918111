package dev.muelle.services.elasticloadbalancingv2.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A user who was authenticated. It is kept by the user's browser alone.
 *
 * @param claims what the provider says of the user, as JSON
 * @param refreshToken null if the provider gave none
 * @param created when the user logged in, in seconds
 * @param accessEnds when the access token expires, in seconds; 0 if that was not said
 */
record Session(
    String subject,
    String claims,
    String accessToken,
    @Nullable String refreshToken,
    long created,
    long accessEnds) {

  /** As much as AWS lets claims and access token be, together. */
  private static final int MAX = 11 * 1024;

  Session {
    if (!plain(subject) || !plain(accessToken)) {
      throw new IllegalArgumentException("not for header fields");
    }
  }

  /** Whether a text can stand in a header field. */
  static boolean plain(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c > ' ' && c < 127);
  }

  void unlessTooLarge() throws Failure {
    if (claims.getBytes(StandardCharsets.UTF_8).length + accessToken.length() > MAX) {
      throw Failure.tooLarge();
    }
  }

  boolean accessExpired(Instant now) {
    return accessEnds > 0 && now.getEpochSecond() >= accessEnds;
  }

  String text() {
    var all = Json.object();
    all.put("s", subject);
    all.put("c", claims);
    all.put("a", accessToken);
    if (refreshToken != null) {
      all.put("r", refreshToken);
    }
    all.put("t", created);
    all.put("e", accessEnds);
    return Json.text(all);
  }

  /** What {@link #text} wrote. */
  static @Nullable Session of(String text) {
    JsonNode all = Json.read(text);
    if (all == null || !all.hasNonNull("s")) {
      return null;
    }
    return new Session(
        all.path("s").textValue(),
        all.path("c").textValue(),
        all.path("a").textValue(),
        all.path("r").textValue(),
        all.path("t").longValue(),
        all.path("e").longValue());
  }

  @Override
  public String toString() {
    return "Session[" + subject + "]"; // never the tokens
  }
}
