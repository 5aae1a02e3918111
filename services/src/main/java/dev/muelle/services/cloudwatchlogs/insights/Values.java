package dev.muelle.services.cloudwatchlogs.insights;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What expressions are made of: text, numbers ({@link Double}), truth ({@link Boolean}), times
 * ({@link Time}), JSON ({@link JsonNode}), and null for what is not there.
 */
final class Values {

  /** A moment in epoch milliseconds, shown as a date. */
  record Time(long millis) {}

  /**
   * Text before numbers; digits in a text count as a number.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html">sort</a>
   */
  static final Comparator<Object> ORDER = Values::order;

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final int LONGEST_NUMBER = 40; // characters
  private static final double WHOLE = 1e15; // below it, whole numbers are exact

  private Values() {}

  /** As results show it. */
  static String text(Object value) {
    return switch (value) {
      case Double number -> text(number.doubleValue());
      case Boolean truth -> truth ? "1" : "0";
      case Time time -> DATE.format(Instant.ofEpochMilli(time.millis()));
      case JsonNode node -> node.isValueNode() ? node.asText() : node.toString();
      default -> value.toString();
    };
  }

  private static String text(double number) {
    return number == Math.rint(number) && Math.abs(number) < WHOLE
        ? Long.toString((long) number)
        : Double.isFinite(number)
            ? BigDecimal.valueOf(number).toPlainString()
            : Double.toString(number);
  }

  /** Null if it is no number. */
  static @Nullable Double number(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Double number -> number;
      case Boolean truth -> truth ? 1.0 : 0.0;
      case Time time -> (double) time.millis();
      case JsonNode node when node.isNumber() -> node.doubleValue();
      case JsonNode node -> parse(node.asText());
      default -> parse(value.toString());
    };
  }

  private static @Nullable Double parse(String text) {
    String trimmed = text.strip();
    boolean candidate =
        !trimmed.isEmpty()
            && trimmed.length() <= LONGEST_NUMBER
            && "+-.0123456789".indexOf(trimmed.charAt(0)) >= 0
            && (Character.isDigit(trimmed.charAt(trimmed.length() - 1)) || trimmed.endsWith("."));
    if (!candidate) {
      return null;
    }
    try {
      return Double.valueOf(trimmed);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  static boolean truth(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Boolean truth -> truth;
      case Double number -> number != 0;
      default -> {
        String text = text(value);
        yield text.equalsIgnoreCase("true") || text.equals("1");
      }
    };
  }

  /** As numbers if both are, as text otherwise. */
  static int compare(Object one, Object other) {
    Double a = number(one);
    Double b = number(other);
    return a != null && b != null ? Double.compare(a, b) : text(one).compareTo(text(other));
  }

  private static int order(Object one, Object other) {
    Double a = number(one);
    Double b = number(other);
    if (a != null && b != null) {
      return Double.compare(a, b);
    }
    return a != null ? 1 : b != null ? -1 : natural(text(one), text(other));
  }

  private static int natural(String one, String other) {
    int at = 0;
    int there = 0;
    while (at < one.length() && there < other.length()) {
      int end = digits(one, at);
      int last = digits(other, there);
      int order =
          end > at && last > there
              ? compareDigits(one.substring(at, end), other.substring(there, last))
              : Character.compare(one.charAt(at), other.charAt(there));
      if (order != 0) {
        return order;
      }
      at = Math.max(end, at + 1);
      there = Math.max(last, there + 1);
    }
    return Integer.compare(one.length() - at, other.length() - there);
  }

  /** The end of the digits that stand at a place. */
  private static int digits(String text, int from) {
    int end = from;
    while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
      end++;
    }
    return end;
  }

  /** The longer is the greater. */
  private static int compareDigits(String one, String other) {
    return one.length() == other.length()
        ? one.compareTo(other)
        : Integer.compare(one.length(), other.length());
  }
}
