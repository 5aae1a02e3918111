package dev.muelle.services.eventbridge;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a list.
 *
 * @param next where the next one begins; null if this is the last
 */
record Page<T>(List<T> items, @Nullable String next) {

  private static final int MAX = 100;

  static <T> Page<T> of(List<T> all, @Nullable Integer limit, @Nullable String token) {
    int size = limit == null ? MAX : limit;
    if (size < 1 || size > MAX) {
      throw Refuse.constraint(
          "limit",
          size,
          size < 1
              ? "have value greater than or equal to 1"
              : "have value less than or equal to 100");
    }
    int from = Math.min(begin(token), all.size());
    int to = Math.min(from + size, all.size());
    return new Page<>(all.subList(from, to), to < all.size() ? token(to) : null);
  }

  private static String token(int place) {
    return Base64.getUrlEncoder()
        .encodeToString(String.valueOf(place).getBytes(StandardCharsets.US_ASCII));
  }

  private static int begin(@Nullable String token) {
    if (token == null) {
      return 0;
    }
    try {
      return Math.max(
          0,
          Integer.parseInt(
              new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII)));
    } catch (IllegalArgumentException e) {
      throw Refuse.invalid("Parameter NextToken is not valid.");
    }
  }
}
