package dev.muelle.services.ecs.state;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a list into pages. The token says after which item the next one starts, not at which place:
 * who stops, deregisters or deletes what a page shows before asking for the next one misses
 * nothing.
 */
public final class Pages {

  private static final int MOST = 100;

  private Pages() {}

  public record Page<T>(List<T> items, @Nullable String nextToken) {}

  /** One page of what is its own key, ascending. */
  public static Page<String> of(
      List<String> all, @Nullable String token, @Nullable Integer maxResults) {
    return of(all, Function.identity(), Comparator.naturalOrder(), token, maxResults);
  }

  /**
   * One page.
   *
   * @param key different for each item
   * @param order of the keys, in which the items come
   * @param maxResults 1 to 100; null for 100
   */
  public static <T> Page<T> of(
      List<T> all,
      Function<T, String> key,
      Comparator<String> order,
      @Nullable String token,
      @Nullable Integer maxResults) {
    int size = maxResults == null ? MOST : maxResults;
    if (size < 1 || size > MOST) {
      throw Refuse.invalid("maxResults must be between 1 and 100.");
    }
    String after = token == null ? null : decode(token);
    List<T> rest =
        all.stream()
            .filter(item -> after == null || order.compare(key.apply(item), after) > 0)
            .sorted(Comparator.comparing(key, order))
            .limit(size + 1L)
            .toList();
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
      throw Refuse.invalid("Invalid token.");
    }
  }
}
