package dev.muelle.services.cloudwatchlogs;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which messages a search wants. A pattern in braces asks for properties of JSON, one in brackets
 * for columns, one in percent signs is a regular expression, and anything else is terms.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html">Filter
 *     pattern syntax</a>
 */
@FunctionalInterface
interface FilterPattern {

  /** In characters. */
  int LONGEST = 1_024;

  boolean matches(String message);

  /** Texts that each message which it matches has, all of them; none if nothing is known. */
  default List<String> needs() {
    return List.of();
  }

  /**
   * What a message has besides if it writes what it needs in another way, so that it may lack it;
   * the empty string if there is no other way.
   */
  default String disguise() {
    return "";
  }

  /** What the names that a pattern has stand for in a message that it matches. */
  default Map<String, String> extracted(String message) {
    return Map.of();
  }

  /**
   * What a metric filter may take from a message: {@code $.property} of JSON, {@code $column} of
   * columns.
   *
   * @return null if patterns of this kind, or this one, have no such thing
   */
  default @Nullable Selector selector(String text) {
    return null;
  }

  /** Finds one value in a message that the pattern matches. */
  @FunctionalInterface
  interface Selector {

    /** Null if the message has none. */
    @Nullable String in(String message);
  }

  /**
   * Reads a pattern; none at all matches everything.
   *
   * @throws software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException if it is
   *     none
   */
  static FilterPattern parse(@Nullable String text) {
    if (text != null && text.length() > LONGEST) {
      throw Refuse.constraint(
          text, "filterPattern", "Member must have length less than or equal to " + LONGEST);
    }
    String pattern = text == null ? "" : text.strip();
    if (pattern.isEmpty()) {
      return message -> true;
    }
    return switch (pattern.charAt(0)) {
      case '{' -> JsonPattern.parse(closed(pattern, '{', '}'));
      case '[' -> ColumnPattern.parse(closed(pattern, '[', ']'));
      case '%' -> expression(pattern);
      default -> TermPattern.parse(pattern);
    };
  }

  /** What stands between the first and the last character. */
  private static String closed(String pattern, char first, char last) {
    if (pattern.length() < 2 || pattern.charAt(pattern.length() - 1) != last) {
      throw Refuse.invalid(
          "If a filter pattern starts with '" + first + "' it must end with '" + last + "'");
    }
    return pattern.substring(1, pattern.length() - 1);
  }

  private static FilterPattern expression(String pattern) {
    PatternReader in = new PatternReader(pattern);
    com.google.re2j.Pattern expression = new Expressions(1).compile(in.betweenPercents());
    if (!in.atEnd()) {
      throw PatternReader.invalid();
    }
    return new ExpressionPattern(expression);
  }

  /** A regular expression, for any part of a message. */
  record ExpressionPattern(com.google.re2j.Pattern expression) implements FilterPattern {

    @Override
    public boolean matches(String message) {
      return expression.matcher(message).find();
    }

    @Override
    public List<String> needs() {
      return Literals.of(expression.pattern());
    }
  }
}
