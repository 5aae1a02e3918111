package dev.muelle.services.cloudwatchlogs;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;

/**
 * Compiles the regular expressions of one pattern. The language is small (no groups), and matching
 * takes time linear in the text, so that nobody's pattern can hold a server up.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#regex-expressions">Supported
 *     regular expressions</a>
 */
final class Expressions {

  private static final String SYMBOLS = ":_#=@/;,- "; // the space stands in AWS's own examples
  private static final String OPERATORS = "^$?[]{}|\\*+.";
  private static final String CLASSES = "dDsSwWtn";

  private final int most;
  private int seen;

  Expressions(int most) {
    this.most = most;
  }

  Pattern compile(String expression) {
    if (++seen > most) {
      throw Refuse.invalid("A filter pattern can have at most " + most + " regular expression(s).");
    }
    if (expression.isEmpty()) {
      throw PatternReader.invalid();
    }
    try {
      return Pattern.compile(translated(expression));
    } catch (PatternSyntaxException e) {
      throw Refuse.invalid("Invalid filter pattern: invalid regular expression");
    }
  }

  /** Checks each character; {@code {,n}} and {@code {m, n}} are written as RE2 takes them. */
  private static String translated(String expression) {
    StringBuilder out = new StringBuilder();
    boolean counting = false;
    for (int i = 0; i < expression.length(); i++) {
      char one = expression.charAt(i);
      if (one == '\\') {
        i += escape(expression, i, out);
        continue;
      }
      boolean known =
          one < 0x80 && Character.isLetterOrDigit(one)
              || SYMBOLS.indexOf(one) >= 0
              || OPERATORS.indexOf(one) >= 0;
      if (!known) {
        throw PatternReader.unexpected(one);
      }
      if (counting && one == ' ') {
        continue;
      }
      if (counting && one == ',' && out.charAt(out.length() - 1) == '{') {
        out.append('0');
      }
      counting = one == '{' || counting && one != '}';
      out.append(one);
    }
    return out.toString();
  }

  /** Copies the escape at {@code i}; gives how many characters follow its backslash. */
  private static int escape(String expression, int i, StringBuilder out) {
    if (i + 1 == expression.length()) {
      throw PatternReader.unexpected('\\');
    }
    char escaped = expression.charAt(i + 1);
    if (escaped == 'x') {
      String digits = expression.substring(i + 2, Math.min(i + 4, expression.length()));
      if (!digits.matches("[0-7][0-9A-Fa-f]")) {
        throw PatternReader.unexpected('\\');
      }
      out.append("\\x").append(digits);
      return 3;
    }
    boolean known =
        CLASSES.indexOf(escaped) >= 0
            || OPERATORS.indexOf(escaped) >= 0
            || ":_#=@/;,-".indexOf(escaped) >= 0;
    if (!known) {
      throw PatternReader.unexpected('\\');
    }
    // RE2 knows no escaped underscore: it is a letter there.
    out.append(escaped == '_' ? "_" : "\\" + escaped);
    return 1;
  }
}
