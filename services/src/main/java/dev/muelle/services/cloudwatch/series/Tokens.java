package dev.muelle.services.cloudwatch.series;

import dev.muelle.services.PageToken;
import org.jspecify.annotations.Nullable;

/** Where the next page starts: {@link PageToken}, refused as CloudWatch does. */
public final class Tokens {

  private Tokens() {}

  public static String of(Object question, String position) {
    return PageToken.of(question, position);
  }

  /** The position, or null if there is no token. */
  public static @Nullable String position(Object question, @Nullable String token) {
    return token == null ? null : PageToken.position(question, token).orElseThrow(Refuse::token);
  }

  /** A position that is a number. */
  public static int index(Object question, @Nullable String token) {
    String position = position(question, token);
    try {
      return position == null ? 0 : Math.max(0, Integer.parseInt(position));
    } catch (NumberFormatException e) {
      throw Refuse.token();
    }
  }
}
