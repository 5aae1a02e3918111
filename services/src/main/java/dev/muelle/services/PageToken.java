package dev.muelle.services;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/**
 * Says where the next page starts. A token belongs to the question that it answered: another
 * question does not take it, nor is anything a token that was not given.
 */
public final class PageToken {

  private PageToken() {}

  /**
   * A token.
   *
   * @param question the request without what may differ from page to page
   */
  public static String of(Object question, String position) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((mark(question) + position).getBytes(StandardCharsets.UTF_8));
  }

  /** The position in it; empty if it is none of this question's. */
  public static Optional<String> position(Object question, String token) {
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      String mark = mark(question);
      return text.startsWith(mark) ? Optional.of(text.substring(mark.length())) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String mark(Object question) {
    return Integer.toHexString(question.hashCode()) + "/";
  }
}
