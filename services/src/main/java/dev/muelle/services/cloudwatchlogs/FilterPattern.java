package dev.muelle.services.cloudwatchlogs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Patterns of unstructured events: every term must be there, {@code -term} must not, and of {@code
 * ?term}s one must. Patterns for JSON and for columns are refused.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html">Filter
 *     pattern syntax</a>
 */
final class FilterPattern {

  private static final Pattern TERM =
      Pattern.compile("([-?]?)(?:\"((?:\\\\.|[^\"\\\\])*)\"|(\\S+))");
  private static final int LONGEST = 1_024;

  private FilterPattern() {}

  static Predicate<String> parse(@Nullable String text) {
    String pattern = text == null ? "" : text.trim();
    if (pattern.length() > LONGEST) {
      throw Refuse.invalid("Filter patterns must have at most 1024 characters.");
    }
    if (pattern.startsWith("{") || pattern.startsWith("[") || pattern.startsWith("%")) {
      throw Refuse.invalid(
          "Invalid filter pattern: patterns that start with "
              + pattern.charAt(0)
              + " are not supported by this region yet.");
    }
    List<String> all = new ArrayList<>();
    List<String> none = new ArrayList<>();
    List<String> any = new ArrayList<>();
    Matcher terms = TERM.matcher(pattern);
    while (terms.find()) {
      String term =
          terms.group(2) != null ? terms.group(2).replaceAll("\\\\(.)", "$1") : terms.group(3);
      switch (terms.group(1)) {
        case "-" -> none.add(term);
        case "?" -> any.add(term);
        default -> all.add(term);
      }
    }
    return message ->
        all.stream().allMatch(message::contains)
            && none.stream().noneMatch(message::contains)
            && (any.isEmpty() || any.stream().anyMatch(message::contains));
  }
}
