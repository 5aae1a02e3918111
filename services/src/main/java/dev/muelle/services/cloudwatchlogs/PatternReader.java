package dev.muelle.services.cloudwatchlogs;

import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;

/** Reads a filter pattern from left to right and says where it is wrong. */
final class PatternReader {

  private static final char END = '\0';

  private final String text;
  private int at;

  PatternReader(String text) {
    this.text = text;
  }

  int position() {
    return at;
  }

  /** What was read since a position. */
  String since(int position) {
    return text.substring(position, at);
  }

  boolean atEnd() {
    return at >= text.length();
  }

  /** The next character; {@code \0} at the end. */
  char peek() {
    return atEnd() ? END : text.charAt(at);
  }

  char next() {
    char next = peek();
    at++;
    return next;
  }

  void skipBlanks() {
    while (!atEnd() && Character.isWhitespace(peek())) {
      at++;
    }
  }

  /** Steps over {@code wanted} if it comes next, blanks before it aside. */
  boolean accept(String wanted) {
    skipBlanks();
    if (!text.startsWith(wanted, at)) {
      return false;
    }
    at += wanted.length();
    return true;
  }

  void expect(String wanted) {
    if (!accept(wanted)) {
      throw invalid();
    }
  }

  /** Steps over a word of the language, which must not go on. */
  boolean acceptWord(String wanted) {
    skipBlanks();
    int end = at + wanted.length();
    if (!text.startsWith(wanted, at) || end < text.length() && isName(text.charAt(end))) {
      return false;
    }
    at = end;
    return true;
  }

  /** Letters, digits and underscores, and the characters of {@code more}. */
  String run(String more) {
    int start = at;
    while (!atEnd() && (isName(peek()) || more.indexOf(peek()) >= 0)) {
      at++;
    }
    if (at == start) {
      throw atEnd() ? invalid() : unexpected(peek());
    }
    return text.substring(start, at);
  }

  /** What stands between double quotes, of which the first comes next. */
  String quoted(char quote) {
    StringBuilder content = new StringBuilder();
    at++;
    while (!atEnd()) {
      char one = next();
      if (one == quote) {
        return content.toString();
      }
      boolean escape = one == '\\' && (peek() == quote || peek() == '\\');
      content.append(escape ? next() : one);
    }
    throw unexpected(quote);
  }

  /** What stands between percent signs, of which the first comes next. */
  String betweenPercents() {
    int end = text.indexOf('%', at + 1);
    if (end < 0) {
      throw unexpected('%');
    }
    String expression = text.substring(at + 1, end);
    at = end + 1;
    return expression;
  }

  private static boolean isName(char one) {
    return one < 0x80 && Character.isLetterOrDigit(one) || one == '_';
  }

  static InvalidParameterException unexpected(char one) {
    return Refuse.invalid("Invalid character(s) in term '" + one + "'");
  }

  static InvalidParameterException invalid() {
    return Refuse.invalid("Invalid filter pattern");
  }
}
