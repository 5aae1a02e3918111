package dev.muelle.services.cloudwatch.series;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Says where the next page starts. A token belongs to the question that it answered: another
 * question does not take it.
 */
public final class Tokens {

  private Tokens() {}

  public static String of(Object question, String position) {
    String text = Integer.toHexString(question.hashCode()) + "/" + position;
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The position, or null if there is no token. */
  public static @Nullable String position(Object question, @Nullable String token) {
    if (token == null) {
      return null;
    }
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      String mark = Integer.toHexString(question.hashCode()) + "/";
      if (text.startsWith(mark)) {
        return text.substring(mark.length());
      }
    } catch (IllegalArgumentException e) {
      // said below
    }
    throw Refuse.token();
  }

  /** A position that is a number. */
  public static int index(Object question, @Nullable String token) {
    String position = position(question, token);
    try {
      return position == null ? 0 : Integer.parseUnsignedInt(position);
    } catch (NumberFormatException e) {
      throw Refuse.token();
    }
  }
}
