package dev.muelle.services.applicationautoscaling;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One page of a sorted list, and the token with which the next one is asked for. */
record Pages<T>(List<T> items, @Nullable String next) {

  private static final String MARK = "after "; // what else is base64 is no token

  /**
   * The page that a token asks for.
   *
   * @param all sorted by their keys
   * @param most what the request asks for at most; null for as many as possible
   */
  static <T> Pages<T> of(
      List<T> all,
      Function<T, String> key,
      @Nullable Integer most,
      int limit,
      @Nullable String token) {
    if (most != null && (most < 1 || most > limit)) {
      throw Refuse.invalid("MaxResults must be between 1 and " + limit);
    }
    String after = token == null ? null : decoded(token);
    List<T> rest =
        all.stream().filter(item -> after == null || key.apply(item).compareTo(after) > 0).toList();
    int size = most == null ? limit : most;
    return rest.size() <= size
        ? new Pages<>(rest, null)
        : new Pages<>(rest.subList(0, size), encoded(key.apply(rest.get(size - 1))));
  }

  private static String encoded(String key) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((MARK + key).getBytes(StandardCharsets.UTF_8));
  }

  private static String decoded(String token) {
    try {
      String key = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      if (key.startsWith(MARK)) {
        return key.substring(MARK.length());
      }
    } catch (IllegalArgumentException e) {
      // said below
    }
    throw Refuse.badToken();
  }
}
