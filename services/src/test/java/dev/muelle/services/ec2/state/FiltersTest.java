package dev.muelle.services.ec2.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a filter's values match. */
final class FiltersTest {

  @Test
  void wildcardsMatchAsASlowAndSureMatcherSays() {
    Random random = new Random(11);
    for (int i = 0; i < 20_000; i++) {
      String pattern = letters(random, "ab*?\\", 6);
      String text = letters(random, "ab*?\\", 6);
      assertEquals(slowly(pattern, text), Filters.matches(pattern, text), pattern + " for " + text);
    }
    assertFalse(Filters.matches("*a".repeat(5000) + "b", "a".repeat(20_000)));
  }

  private static String letters(Random random, String from, int most) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      text.append(from.charAt(random.nextInt(from.length())));
    }
    return text.toString();
  }

  private static boolean slowly(String pattern, String text) {
    if (pattern.isEmpty()) {
      return text.isEmpty();
    }
    char first = pattern.charAt(0);
    if (first == '*') {
      return slowly(pattern.substring(1), text)
          || (!text.isEmpty() && slowly(pattern, text.substring(1)));
    }
    if (text.isEmpty()) {
      return false;
    }
    if (first == '\\' && pattern.length() > 1) {
      return pattern.charAt(1) == text.charAt(0) && slowly(pattern.substring(2), text.substring(1));
    }
    return (first == '?' || first == text.charAt(0))
        && slowly(pattern.substring(1), text.substring(1));
  }
}
