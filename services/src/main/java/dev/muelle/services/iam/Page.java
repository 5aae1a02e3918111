package dev.muelle.services.iam;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A page of a list.
 *
 * @param marker what to ask the next page with; null on the last
 */
record Page<T>(List<T> items, @Nullable String marker) {

  private static final int USUAL = 100;
  private static final int MOST = 1_000;

  /**
   * The page after a marker, in the order of the keys.
   *
   * @throws software.amazon.awssdk.services.iam.model.IamException {@code ValidationError} if
   *     marker or size are none
   */
  static <T> Page<T> of(
      List<T> all, Function<T, String> key, @Nullable String marker, @Nullable Integer maxItems) {
    int size = maxItems == null ? USUAL : maxItems;
    if (size < 1 || size > MOST) {
      throw Roles.invalid(
          "1 validation error detected: Value '"
              + size
              + "' at 'maxItems' failed to satisfy constraint: Member must have value "
              + (size < 1 ? "greater than or equal to 1" : "less than or equal to " + MOST));
    }
    String after = marker == null ? null : decoded(marker);
    List<T> rest =
        all.stream()
            .filter(item -> after == null || key.apply(item).compareTo(after) > 0)
            .sorted(Comparator.comparing(key))
            .toList();
    if (rest.size() <= size) {
      return new Page<>(rest, null);
    }
    List<T> items = rest.subList(0, size);
    return new Page<>(items, encoded(key.apply(items.getLast())));
  }

  private static String encoded(String key) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(key.getBytes(StandardCharsets.UTF_8));
  }

  private static String decoded(String marker) {
    try {
      return new String(Base64.getUrlDecoder().decode(marker), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw Roles.invalid("Invalid Marker.");
    }
  }
}
