package dev.muelle.balancer.routing;

import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.messages.Request;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cookies that bring a client back to the target, or the target group, that it had. A cookie's
 * value is opaque, as ALB's: until when it counts, and a digest of what it means. It holds no
 * secret and needs no key, so it means the same after a restart.
 *
 * @param cookie its name; there is a second one for requests of other sites, with {@code CORS}
 * @param application the name of the application's cookie that it goes along with; null if none
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions">
 *     Sticky sessions for your Application Load Balancer</a>
 */
public record Sticky(String cookie, Duration duration, @Nullable String application) {

  private static final int DIGEST = 16;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

  /** Browsers keep the cookie for a week, however long it counts. */
  private static final Duration KEPT = Duration.ofDays(7);

  public static Sticky target(Duration duration) {
    return new Sticky("AWSALB", duration, null);
  }

  public static Sticky group(Duration duration) {
    return new Sticky("AWSALBTG", duration, null);
  }

  /** Is set with the application's own cookie, and counts only together with that. */
  public static Sticky application(Duration duration, String cookie) {
    return new Sticky("AWSALBAPP-0", duration, cookie);
  }

  /** Whether with this answer of a target a client begins to keep it. */
  public boolean begins(Head answer) {
    return application == null
        || answer.all("set-cookie").stream()
            .anyMatch(value -> value.stripLeading().startsWith(application + "="));
  }

  /** What a request brings, of either cookie; null if nothing. */
  public @Nullable String brought(Request request) {
    if (application != null) {
      return request.cookie(application) == null ? null : request.cookie(cookie);
    }
    String value = request.cookie(cookie);
    return value != null ? value : request.cookie(cookie + "CORS");
  }

  /** Whether a cookie's value means this, and still counts. */
  public static boolean means(@Nullable String value, String what, Instant now) {
    return value != null && mark(what).equals(means(value, now));
  }

  /** The {@link #mark} of what a cookie's value means; empty if it does not count. */
  public static ByteBuffer means(String value, Instant now) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(value));
      return bytes.remaining() == Long.BYTES + DIGEST && bytes.getLong() >= now.getEpochSecond()
          ? bytes
          : NOTHING;
    } catch (IllegalArgumentException e) {
      return NOTHING; // not ours
    }
  }

  /** What a cookie's value has of this. */
  static ByteBuffer mark(String what) {
    return ByteBuffer.wrap(digest(what)).asReadOnlyBuffer();
  }

  /** The values of Set-Cookie. */
  public List<String> set(String what, boolean secure, Instant now) {
    byte[] bytes =
        ByteBuffer.allocate(Long.BYTES + DIGEST)
            .putLong(now.plus(duration).getEpochSecond())
            .put(digest(what))
            .array();
    String value =
        "="
            + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
            + "; Expires="
            + Answer.date(now.plus(KEPT))
            + "; Path=/";
    if (application != null) {
      return List.of(cookie + value);
    }
    return List.of(
        cookie + value, cookie + "CORS" + value + "; SameSite=None" + (secure ? "; Secure" : ""));
  }

  private static byte[] digest(String what) {
    try {
      byte[] whole =
          MessageDigest.getInstance("SHA-256").digest(what.getBytes(StandardCharsets.UTF_8));
      return java.util.Arrays.copyOf(whole, DIGEST);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
