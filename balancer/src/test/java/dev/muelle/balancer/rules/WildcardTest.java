package dev.muelle.balancer.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class WildcardTest {

  private static boolean matches(String pattern, String text) {
    return new Wildcard(pattern, false).matches(text);
  }

  @Test
  void starsAndQuestionMarks() {
    assertTrue(matches("/img/*", "/img/"));
    assertTrue(matches("/img/*/pics", "/img/a/b/pics"));
    assertFalse(matches("/img/*/pics", "/img/pics"));
    assertTrue(matches("/api/v?/users", "/api/v2/users"));
    assertFalse(matches("/api/v?/users", "/api/v/users"));
    assertFalse(matches("/api", "/api/"));
    assertTrue(matches("*", ""));
    assertFalse(matches("", "x"));
  }

  @Test
  void caseCountsOnlyWhereItDoes() {
    assertFalse(matches("/API", "/api"));
    assertTrue(new Wildcard("*.Example.COM", true).matches("www.eXample.com"));
  }

  @Test
  void aBackslashTakesTheMeaningAway() {
    assertTrue(matches("what\\?", "what?"));
    assertFalse(matches("what\\?", "whats"));
    assertTrue(matches("a\\*b", "a*b"));
    assertFalse(matches("a\\*b", "axb"));
    assertEquals(1, new Wildcard("\\**\\?", false).wildcards());
  }

  @Test
  void agreesWithAnotherMatcher() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      String pattern = some(random, "ab*?", 8);
      String text = some(random, "ab", 10);
      String regex = pattern.replace("*", ".*").replace('?', '.');
      assertEquals(Pattern.matches(regex, text), matches(pattern, text), pattern + " " + text);
    }
  }

  /** A pattern that makes naive matchers try every split. */
  @Test
  void manyStarsDoNotMultiply() {
    assertFalse(matches("*a".repeat(60) + "b", "a".repeat(100_000)));
  }

  private static String some(Random random, String letters, int most) {
    StringBuilder text = new StringBuilder();
    for (int left = random.nextInt(most); left > 0; left--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }
}
