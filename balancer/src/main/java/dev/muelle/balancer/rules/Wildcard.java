package dev.muelle.balancer.rules;

import java.util.Arrays;
import java.util.Locale;

/**
 * A pattern in which {@code *} stands for any characters, also none, {@code ?} for exactly one, and
 * a backslash takes the meaning away from the character after it.
 */
public final class Wildcard implements TextPattern {

  private static final int ANY = -1;
  private static final int ONE = -2;

  private final String pattern;
  private final boolean ignoreCase;
  private final int[] tokens;

  /**
   * A pattern.
   *
   * @param ignoreCase whether upper and lower case are the same
   */
  public Wildcard(String pattern, boolean ignoreCase) {
    this.pattern = pattern;
    this.ignoreCase = ignoreCase;
    String text = ignoreCase ? pattern.toLowerCase(Locale.ROOT) : pattern;
    int[] found = new int[text.length()];
    int count = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        found[count++] = text.charAt(++i);
      } else {
        found[count++] = c == '*' ? ANY : c == '?' ? ONE : c;
      }
    }
    this.tokens = Arrays.copyOf(found, count);
  }

  /** How many characters of the pattern stand for others. */
  public int wildcards() {
    int count = 0;
    for (int token : tokens) {
      count += token < 0 ? 1 : 0;
    }
    return count;
  }

  /** What every text begins with that is of this pattern; in lower case if that is the same. */
  public String beginning() {
    StringBuilder literal = new StringBuilder();
    for (int i = 0; i < tokens.length && tokens[i] >= 0; i++) {
      literal.append((char) tokens[i]);
    }
    return literal.toString();
  }

  /** What every text ends with that is of this pattern; in lower case if that is the same. */
  public String end() {
    StringBuilder literal = new StringBuilder();
    for (int i = tokens.length - 1; i >= 0 && tokens[i] >= 0; i--) {
      literal.append((char) tokens[i]);
    }
    return literal.reverse().toString();
  }

  /** Whether the whole text is of this pattern; takes time of length of text by that of pattern. */
  @Override
  public boolean matches(String given) {
    String text = ignoreCase ? given.toLowerCase(Locale.ROOT) : given;
    int at = 0;
    int token = 0;
    int star = -1; // the last ANY, and where what it stands for ends so far
    int end = 0;
    while (at < text.length()) {
      if (token < tokens.length && tokens[token] == ANY) {
        star = token++;
        end = at;
      } else if (token < tokens.length
          && (tokens[token] == ONE || tokens[token] == text.charAt(at))) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++end;
      } else {
        return false;
      }
    }
    while (token < tokens.length && tokens[token] == ANY) {
      token++;
    }
    return token == tokens.length;
  }

  @Override
  public String toString() {
    return pattern;
  }
}
