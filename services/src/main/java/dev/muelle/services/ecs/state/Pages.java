package dev.muelle.services.ecs.state;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cuts a list into pages; the token says where the next one starts. */
public final class Pages {

  private static final int MOST = 100;

  private Pages() {}

  public record Page<T>(List<T> items, @Nullable String nextToken) {}

  /**
   * One page.
   *
   * @param maxResults 1 to 100; null for 100
   */
  public static <T> Page<T> of(List<T> all, @Nullable String token, @Nullable Integer maxResults) {
    int size = maxResults == null ? MOST : maxResults;
    if (size < 1 || size > MOST) {
      throw Refuse.invalid("maxResults must be between 1 and 100.");
    }
    int from = token == null ? 0 : start(token);
    int to = Math.min(all.size(), from + size);
    if (from > all.size()) {
      throw invalidToken();
    }
    String next =
        to < all.size()
            ? Base64.getUrlEncoder()
                .encodeToString(String.valueOf(to).getBytes(StandardCharsets.UTF_8))
            : null;
    return new Page<>(all.subList(from, to), next);
  }

  private static int start(String token) {
    try {
      int start =
          Integer.parseInt(
              new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
      if (start < 0) {
        throw invalidToken();
      }
      return start;
    } catch (IllegalArgumentException e) {
      throw invalidToken();
    }
  }

  private static RuntimeException invalidToken() {
    return Refuse.invalid("Invalid token.");
  }
}
