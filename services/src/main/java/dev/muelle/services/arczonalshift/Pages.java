package dev.muelle.services.arczonalshift;

import dev.muelle.services.PageToken;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.arczonalshift.model.ValidationExceptionReason;

/**
 * One page of a list.
 *
 * @param next where the next one begins; null if this is the last
 */
record Pages<T>(List<T> items, @Nullable String next) {

  private static final int MOST = 100;

  /**
   * The page that is asked for, in the order of keys.
   *
   * @param question the request without what may differ from page to page
   */
  static <T> Pages<T> of(
      List<T> all,
      Function<T, String> key,
      Object question,
      @Nullable String token,
      @Nullable Integer most) {
    if (most != null && (most < 1 || most > MOST)) {
      throw Refuse.constraint(
          "1 validation error detected: Value '"
              + most
              + "' at 'maxResults' failed to satisfy constraint: Member must have value between 1"
              + " and 100");
    }
    String after =
        token == null
            ? ""
            : PageToken.position(question, token)
                .orElseThrow(() ->
                    Refuse.invalid(
                        ValidationExceptionReason.INVALID_TOKEN, "The nextToken is not valid."));
    List<T> rest =
        all.stream()
            .filter(one -> key.apply(one).compareTo(after) > 0)
            .sorted(Comparator.comparing(key))
            .toList();
    int size = most == null ? MOST : most;
    return rest.size() <= size
        ? new Pages<>(rest, null)
        : new Pages<>(rest.subList(0, size), PageToken.of(question, key.apply(rest.get(size - 1))));
  }
}
