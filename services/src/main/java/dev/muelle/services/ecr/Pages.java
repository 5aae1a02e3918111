package dev.muelle.services.ecr;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Cuts an ordered list into pages; a token names the last item of the page before. */
final class Pages {

  private static final int DEFAULT = 100;
  private static final int MOST = 1000;

  private Pages() {}

  record Page<T>(List<T> items, @Nullable String nextToken) {}

  /**
   * One page.
   *
   * @param all ordered by {@code key}, which is unique
   * @param maxResults 1 to 1,000; null for 100
   */
  static <T> Page<T> of(
      List<T> all, Function<T, String> key, @Nullable String token, @Nullable Integer maxResults) {
    int size = maxResults == null ? DEFAULT : maxResults;
    if (size < 1 || size > MOST) {
      throw Refuse.parameter("maxResults", "Member must have value between 1 and " + MOST);
    }
    String after = token == null ? null : decode(token);
    List<T> rest =
        after == null
            ? all
            : all.stream().dropWhile(item -> key.apply(item).compareTo(after) <= 0).toList();
    if (rest.size() <= size) {
      return new Page<>(rest, null);
    }
    List<T> items = rest.subList(0, size);
    return new Page<>(items, encode(key.apply(items.getLast())));
  }

  private static String encode(String key) {
    return Base64.getUrlEncoder().encodeToString(key.getBytes(StandardCharsets.UTF_8));
  }

  private static String decode(String token) {
    try {
      return new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw Refuse.parameter("nextToken", "must be a token that an earlier answer gave");
    }
  }
}
