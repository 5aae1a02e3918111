package dev.muelle.services.elasticloadbalancingv2.request;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One page of a list that is sorted by key.
 *
 * @param next the marker of the next page; null on the last
 */
public record Pages<T>(List<T> items, @Nullable String next) {

  private static final int MAX = 400;

  public static <T> Pages<T> of(
      List<T> all, Function<T, String> key, @Nullable String marker, @Nullable Integer size) {
    if (size != null && (size < 1 || size > MAX)) {
      throw Refuse.invalid("The page size '" + size + "' is not between 1 and 400");
    }
    int limit = size == null ? MAX : size;
    List<T> rest =
        all.stream().filter(t -> marker == null || key.apply(t).compareTo(marker) > 0).toList();
    List<T> page = rest.subList(0, Math.min(limit, rest.size()));
    return new Pages<>(page, rest.size() > limit ? key.apply(page.getLast()) : null);
  }
}
