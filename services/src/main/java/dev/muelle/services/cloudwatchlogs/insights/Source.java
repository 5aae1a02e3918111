package dev.muelle.services.cloudwatchlogs.insights;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The text of a query, from left to right. */
final class Source {

  private final String text;
  private int at;

  Source(String text) {
    this.text = text;
  }

  int position() {
    skip();
    return at;
  }

  /** What stands from a position to here, blanks around it aside. */
  String since(int from) {
    return text.substring(from, at).strip();
  }

  private void skip() {
    while (at < text.length()) {
      if (text.charAt(at) == '#') { // a comment, to the end of its line
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (Character.isWhitespace(text.charAt(at))) {
        at++;
      } else {
        return;
      }
    }
  }

  boolean atEnd() {
    skip();
    return at == text.length();
  }

  boolean next(String wanted) {
    skip();
    return text.startsWith(wanted, at);
  }

  boolean accept(String wanted) {
    if (!next(wanted)) {
      return false;
    }
    at += wanted.length();
    return true;
  }

  void expect(String wanted) {
    if (!accept(wanted)) {
      throw unexpected();
    }
  }

  /** A word of the language, in any case. */
  boolean acceptWord(String wanted) {
    skip();
    int end = at + wanted.length();
    boolean here =
        text.regionMatches(true, at, wanted, 0, wanted.length())
            && (end == text.length() || !isName(text.charAt(end)));
    at = here ? end : at;
    return here;
  }

  boolean acceptWords(String one, String other) {
    int before = at;
    if (acceptWord(one) && acceptWord(other)) {
      return true;
    }
    at = before;
    return false;
  }

  private static boolean isName(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '@' || c == '.';
  }

  /** A field's name, in backticks if it is an unusual one; null if none comes next. */
  @Nullable String name() {
    skip();
    if (next("`")) {
      int end = text.indexOf('`', at + 1);
      if (end < 0) {
        throw unexpected();
      }
      String name = text.substring(at + 1, end);
      at = end + 1;
      return name;
    }
    int start = at;
    while (at < text.length() && isName(text.charAt(at))) {
      at++;
    }
    if (at == start || Character.isDigit(text.charAt(start)) || text.charAt(start) == '.') {
      at = start;
      return null;
    }
    return text.substring(start, at);
  }

  /**
   * A field's name with what stands right behind it: {@code list[0]} and {@code map.`unusual`} are
   * properties, as if parted by dots.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html#CWL_QuerySyntax-structure-types">Structure
   *     types</a>
   */
  String pathFrom(String name) {
    StringBuilder path = new StringBuilder(name);
    while (at < text.length()) {
      char c = text.charAt(at);
      boolean afterDot = path.charAt(path.length() - 1) == '.';
      if (c == '[' && !afterDot) {
        path.append('.').append(index());
      } else if (c == '`' && afterDot) {
        path.append(expectName());
      } else if (c == '.') {
        do {
          path.append(text.charAt(at++));
        } while (at < text.length() && isName(text.charAt(at)));
      } else {
        break;
      }
    }
    return path.toString();
  }

  /** Between brackets. */
  private String index() {
    int start = ++at;
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    String index = text.substring(start, at);
    if (index.isEmpty()) {
      throw unexpected();
    }
    expect("]");
    return index;
  }

  String expectName() {
    String name = name();
    if (name == null) {
      throw unexpected();
    }
    return name;
  }

  /** Null if none comes next. */
  @Nullable Double number() {
    skip();
    int start = at;
    while (at < text.length()
        && (Character.isDigit(text.charAt(at)) || (text.charAt(at) == '.' && at > start))) {
      at++;
    }
    if (at == start) {
      return null;
    }
    try {
      return Double.valueOf(text.substring(start, at));
    } catch (NumberFormatException e) {
      throw error("invalid number " + text.substring(start, at), start, at);
    }
  }

  /** Text in single or double quotes; null if none comes next. */
  @Nullable String quoted() {
    skip();
    if (!next("\"") && !next("'")) {
      return null;
    }
    int start = at;
    char quote = text.charAt(at++);
    StringBuilder content = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == quote) {
        return content.toString();
      }
      if (c == '\\' && at < text.length()) {
        char escaped = text.charAt(at++);
        switch (escaped) {
          case 'n' -> content.append('\n');
          case 't' -> content.append('\t');
          case '"', '\'', '\\' -> content.append(escaped);
          default -> content.append('\\').append(escaped);
        }
      } else {
        content.append(c);
      }
    }
    throw error("unterminated string", start, at);
  }

  /** A regular expression between slashes; null if none comes next. */
  @Nullable Pattern regex() {
    skip();
    if (!next("/")) {
      return null;
    }
    int start = at;
    int end = start + 1;
    boolean inClass = false;
    while (end < text.length() && (text.charAt(end) != '/' || inClass)) {
      inClass = text.charAt(end) == '[' || (inClass && text.charAt(end) != ']');
      end += text.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= text.length()) {
      throw error("unterminated regular expression", start, text.length());
    }
    at = end + 1;
    return compile(text.substring(start + 1, end).replace("\\/", "/"), start);
  }

  Pattern compile(String expression, int start) {
    try {
      return Pattern.compile(expression.replace("(?<", "(?P<"));
    } catch (PatternSyntaxException e) {
      throw error("invalid regular expression: " + e.getDescription(), start, at);
    }
  }

  QueryError unexpected() {
    skip();
    if (at == text.length()) {
      return error("unexpected end of the query", at, at);
    }
    int end = at + 1;
    while (end < text.length() && isName(text.charAt(at)) && isName(text.charAt(end))) {
      end++;
    }
    return error("unexpected symbol found " + text.substring(at, end), at, end);
  }

  QueryError error(String message, int from, int to) {
    int line = 1 + (int) text.substring(0, from).chars().filter(c -> c == '\n').count();
    int column = from - (text.lastIndexOf('\n', Math.max(0, from - 1)) + 1) + 1;
    return new QueryError(
        String.format(Locale.ROOT, "%s at line %d and position %d", message, line, column),
        from,
        to);
  }
}
