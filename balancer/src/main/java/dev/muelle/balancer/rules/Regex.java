package dev.muelle.balancer.rules;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A regular expression, found anywhere in a text unless it is anchored. Matching takes time linear
 * in the text, and the expression's own size is bounded before it is compiled, so that nobody's
 * expression can hold an event loop up: the language is RE2's without Unicode classes, which is
 * what ALB documents (no lookarounds, backreferences, atomic groups, possessive quantifiers,
 * subroutines or recursion).
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html">
 *     Listener rules for your Application Load Balancer</a>
 */
public final class Regex implements TextPattern {

  /** How many characters, classes and operators one may have once its counts are written out. */
  private static final int MAX_SIZE = 2000;

  private final String text;
  private final Pattern pattern;

  private Regex(String text, Pattern pattern) {
    this.text = text;
    this.pattern = pattern;
  }

  /**
   * Compiles an expression.
   *
   * @throws IllegalArgumentException if it is none, or too large
   */
  public static Regex of(String text, boolean ignoreCase) {
    if (size(text) > MAX_SIZE) {
      throw new IllegalArgumentException("too large: " + text);
    }
    try {
      return new Regex(text, Pattern.compile(text, ignoreCase ? Pattern.CASE_INSENSITIVE : 0));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  @Override
  public boolean matches(String given) {
    return pattern.matcher(given).find();
  }

  Matcher matcher(String given) {
    return pattern.matcher(given);
  }

  /** How many groups it captures. */
  public int groups() {
    return pattern.groupCount();
  }

  /**
   * What it comes to when {@code x{1000}} is written out, at least: RE2's way of compiling it,
   * which has no limit of its own for counts within counts.
   */
  private static long size(String text) {
    Deque<Long> outer = new ArrayDeque<>();
    long sum = 0;
    long last = 0; // what a count would repeat
    for (int i = 0; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case '\\' -> {
          char escaped = i + 1 < text.length() ? text.charAt(++i) : 0;
          if (escaped == 'p' || escaped == 'P') {
            throw new IllegalArgumentException("Unicode character class");
          }
          if (escaped == 'Q') {
            throw new IllegalArgumentException("quoted text");
          }
          last = 1;
          sum += 1;
        }
        case '[' -> {
          int end = classEnd(text, i);
          last = (long) end - i;
          sum += last;
          i = end;
        }
        case '(' -> {
          outer.push(sum);
          sum = 1;
          last = 0;
        }
        case ')' -> {
          last = sum;
          sum += outer.isEmpty() ? 0 : outer.pop();
        }
        case '{' -> {
          int end = text.indexOf('}', i);
          String counts = end < 0 ? "" : text.substring(i + 1, end);
          if (counts.matches("[0-9]{1,9}(,[0-9]{0,9})?")) {
            long most = 1;
            for (String count : counts.split(",", 0)) {
              most = Math.max(most, Long.parseLong(count));
            }
            sum += last * most;
            last *= most;
            i = end;
          } else {
            last = 1; // a plain brace
            sum += 1;
          }
        }
        case '*', '+', '?' -> sum += 1; // and repeats the same
        default -> {
          last = 1;
          sum += 1;
        }
      }
      if (sum > MAX_SIZE || last > MAX_SIZE) {
        return MAX_SIZE + 1;
      }
    }
    for (long before : outer) {
      sum += before;
    }
    return sum;
  }

  /** Where a class of characters ends: at its first bracket that does not stand at its begin. */
  private static int classEnd(String text, int start) {
    int at = start + 1;
    if (at < text.length() && text.charAt(at) == '^') {
      at++;
    }
    for (boolean first = true; at < text.length(); first = false) {
      char c = text.charAt(at);
      if (c == ']' && !first) {
        return at;
      }
      int named = text.startsWith("[:", at) ? text.indexOf(":]", at + 2) : -1;
      if (c == '\\') {
        if (at + 1 < text.length() && "pPQ".indexOf(text.charAt(at + 1)) >= 0) {
          throw new IllegalArgumentException("Unicode character class");
        }
        at += 2;
      } else {
        at = named < 0 ? at + 1 : named + 2;
      }
    }
    throw new IllegalArgumentException("missing closing ]");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Regex regex
        && regex.text.equals(text)
        && regex.pattern.flags() == pattern.flags();
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
