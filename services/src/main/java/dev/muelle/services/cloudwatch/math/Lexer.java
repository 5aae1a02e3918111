package dev.muelle.services.cloudwatch.math;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts an expression into tokens. */
final class Lexer {

  /** What a token is. */
  enum Kind {
    NUMBER,
    NAME,
    TEXT,
    SYMBOL,
    END
  }

  record Token(Kind kind, String text) {}

  private static final Pattern TOKEN =
      Pattern.compile(
          "(?<number>(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?)"
              + "|(?<name>[a-zA-Z][a-zA-Z0-9_]*)"
              + "|'(?<single>(?:[^'\\\\]|\\\\.)*)'"
              + "|\"(?<double>(?:[^\"\\\\]|\\\\.)*)\""
              + "|(?<symbol>\\|\\||&&|==|!=|<=|>=|[-+*/^()<>,\\[\\]])");

  private Lexer() {}

  static List<Token> tokens(String expression) {
    List<Token> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(expression);
    int at = skipSpace(expression, 0);
    while (at < expression.length()) {
      if (!matcher.find(at) || matcher.start() != at) {
        throw new MathException("Unexpected character '" + expression.charAt(at) + "'");
      }
      tokens.add(token(matcher));
      at = skipSpace(expression, matcher.end());
    }
    tokens.add(new Token(Kind.END, "end of expression"));
    return tokens;
  }

  private static int skipSpace(String text, int from) {
    int at = from;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private static Token token(Matcher matcher) {
    if (matcher.group("number") != null) {
      return new Token(Kind.NUMBER, matcher.group());
    }
    if (matcher.group("name") != null) {
      return new Token(Kind.NAME, matcher.group());
    }
    if (matcher.group("symbol") != null) {
      return new Token(Kind.SYMBOL, matcher.group());
    }
    String quoted = matcher.group("single");
    String text = quoted == null ? matcher.group("double") : quoted;
    return new Token(Kind.TEXT, text.replaceAll("\\\\(.)", "$1"));
  }
}
