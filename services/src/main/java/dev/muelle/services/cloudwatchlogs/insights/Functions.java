package dev.muelle.services.cloudwatchlogs.insights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.cloudwatchlogs.insights.Expression.Duration;
import dev.muelle.services.cloudwatchlogs.insights.Values.Time;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The functions of expressions, by their names in lower case.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html">Supported
 *     operations and functions</a>
 */
final class Functions {

  private static final int LONGEST = 1 << 20; // characters of a text that a function makes

  /** Computes a value of others, of which any may be missing. */
  @FunctionalInterface
  interface Function {
    @Nullable Object of(Arguments arguments);
  }

  /** What a function is given. */
  record Arguments(List<@Nullable Object> all) {

    @Nullable Object first() {
      return all.getFirst();
    }

    @Nullable Object get(int place) {
      return all.get(place);
    }

    int size() {
      return all.size();
    }

    /** Whether one of them is not there. */
    boolean lacking() {
      return all.contains(null);
    }

    /** Empty if it is not there. */
    String text(int place) {
      Object value = all.get(place);
      return value == null ? "" : Values.text(value);
    }
  }

  /**
   * A function.
   *
   * @param least how many arguments it takes at least
   * @param most how many at most
   */
  record Known(int least, int most, Function function) {}

  static final Map<String, Known> ALL = new TreeMap<>();

  static {
    add("ispresent", 1, 1, a -> a.first() != null);
    add("coalesce", 1, 50, Functions::coalesce);
    number("abs", Math::abs);
    number("ceil", Math::ceil);
    number("floor", Math::floor);
    number("log", Math::log);
    number("sqrt", Math::sqrt);
    add("greatest", 1, 50, a -> extreme(a, 1));
    add("least", 1, 50, a -> extreme(a, -1));
    add("isempty", 1, 1, a -> a.first() == null || a.text(0).isEmpty());
    add("isblank", 1, 1, a -> a.first() == null || a.text(0).isBlank());
    add("concat", 1, 50, Functions::concat);
    add("strlen", 1, 1, a -> a.first() == null ? null : (double) a.text(0).length());
    add("toupper", 1, 1, a -> a.first() == null ? null : a.text(0).toUpperCase(Locale.ROOT));
    add("tolower", 1, 1, a -> a.first() == null ? null : a.text(0).toLowerCase(Locale.ROOT));
    add("trim", 1, 2, a -> trim(a, true, true));
    add("ltrim", 1, 2, a -> trim(a, true, false));
    add("rtrim", 1, 2, a -> trim(a, false, true));
    add("substr", 2, 3, Functions::substr);
    add("replace", 3, 3, Functions::replace);
    add("strcontains", 2, 2, a -> a.lacking() ? null : a.text(0).contains(a.text(1)) ? 1.0 : 0.0);
    add("frommillis", 1, 1, a -> withNumber(a, n -> new Time((long) n)));
    add("tomillis", 1, 1, a -> Values.number(a.first()));
    add("jsonparse", 1, 1, a -> a.first() == null ? null : Row.parse(a.text(0)));
    add("jsonstringify", 1, 1, Functions::stringify);
    add("isvalidip", 1, 1, a -> address(a) != null);
    add("isvalidipv4", 1, 1, a -> isAddress(a, 4));
    add("isvalidipv6", 1, 1, a -> isAddress(a, 16));
    add("isipinsubnet", 2, 2, a -> inSubnet(a, 0));
    add("isipv4insubnet", 2, 2, a -> inSubnet(a, 4));
    add("isipv6insubnet", 2, 2, a -> inSubnet(a, 16));
  }

  private Functions() {}

  private static void add(String name, int least, int most, Function function) {
    ALL.put(name, new Known(least, most, function));
  }

  private static void number(String name, DoubleUnaryOperator function) {
    add(
        name,
        1,
        1,
        a ->
            withNumber(
                a,
                n -> {
                  double result = function.applyAsDouble(n);
                  return Double.isFinite(result) ? result : null;
                }));
  }

  @FunctionalInterface
  private interface OfNumber {
    @Nullable Object of(double number);
  }

  private static @Nullable Object withNumber(Arguments arguments, OfNumber function) {
    Double number = Values.number(arguments.first());
    return number == null ? null : function.of(number);
  }

  private static @Nullable Object coalesce(Arguments arguments) {
    for (Object argument : arguments.all()) {
      if (argument != null) {
        return argument;
      }
    }
    return null;
  }

  private static @Nullable Object extreme(Arguments arguments, int sign) {
    Double found = null;
    for (Object argument : arguments.all()) {
      Double number = Values.number(argument);
      if (number != null && (found == null || sign * Double.compare(number, found) > 0)) {
        found = number;
      }
    }
    return found;
  }

  private static Object concat(Arguments arguments) {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < arguments.size() && all.length() < LONGEST; i++) {
      all.append(arguments.text(i));
    }
    return all.toString();
  }

  /** Blanks, or the characters of the second argument. */
  private static @Nullable Object trim(Arguments arguments, boolean left, boolean right) {
    if (arguments.first() == null) {
      return null;
    }
    String text = arguments.text(0);
    String gone = arguments.size() > 1 ? arguments.text(1) : " \t\r\n";
    int from = 0;
    int to = text.length();
    while (left && from < to && gone.indexOf(text.charAt(from)) >= 0) {
      from++;
    }
    while (right && to > from && gone.indexOf(text.charAt(to - 1)) >= 0) {
      to--;
    }
    return text.substring(from, to);
  }

  private static @Nullable Object substr(Arguments arguments) {
    Double start = Values.number(arguments.get(1));
    Double length = arguments.size() > 2 ? Values.number(arguments.get(2)) : Double.valueOf(1e9);
    if (arguments.first() == null || start == null || length == null) {
      return null;
    }
    String text = arguments.text(0);
    int from = Math.clamp(start.longValue(), 0, text.length());
    int to = Math.clamp(from + length.longValue(), from, text.length());
    return text.substring(from, to);
  }

  private static @Nullable Object replace(Arguments arguments) {
    if (arguments.lacking()) {
      return null;
    }
    String wanted = arguments.text(1);
    String text = arguments.text(0);
    if (wanted.isEmpty()) {
      return text;
    }
    String replaced = text.replace(wanted, arguments.text(2));
    return replaced.length() > LONGEST ? replaced.substring(0, LONGEST) : replaced;
  }

  private static @Nullable Object stringify(Arguments arguments) {
    Object value = arguments.first();
    return value instanceof JsonNode node
        ? node.toString()
        : value == null ? null : Values.text(value);
  }

  /** Where the period begins that a moment is in. */
  static Time floor(long millis, Duration period) {
    if (period.months() == 0) {
      return new Time(Math.floorDiv(millis, period.millis()) * period.millis());
    }
    LocalDate day = LocalDate.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    long months = day.getYear() * 12L + day.getMonthValue() - 1;
    long first = Math.floorDiv(months, period.months()) * period.months();
    return new Time(
        YearMonth.of((int) Math.floorDiv(first, 12), Math.floorMod(first, 12) + 1)
            .atDay(1)
            .atStartOfDay()
            .toInstant(ZoneOffset.UTC)
            .toEpochMilli());
  }

  /** Where the period ends that a moment is in; a moment between two periods stays. */
  static Time ceil(long millis, Duration period) {
    Time floor = floor(millis, period);
    if (floor.millis() == millis) {
      return floor;
    }
    return period.months() == 0
        ? new Time(floor.millis() + period.millis())
        : new Time(
            Instant.ofEpochMilli(floor.millis())
                .atOffset(ZoneOffset.UTC)
                .plusMonths(period.months())
                .toInstant()
                .toEpochMilli());
  }

  private static byte @Nullable [] address(Arguments arguments) {
    return arguments.first() == null ? null : Addresses.read(arguments.text(0));
  }

  private static boolean isAddress(Arguments arguments, int bytes) {
    byte[] address = address(arguments);
    return address != null && address.length == bytes;
  }

  /** Whether the address is in the subnet; {@code bytes} is 4 or 16, or 0 for either. */
  private static @Nullable Object inSubnet(Arguments arguments, int bytes) {
    byte[] address = address(arguments);
    String subnet = arguments.text(1);
    int slash = subnet.indexOf('/');
    byte[] base = slash < 0 ? null : Addresses.read(subnet.substring(0, slash));
    Double bits = slash < 0 ? null : Values.number(subnet.substring(slash + 1));
    if (address == null || base == null || bits == null) {
      return false;
    }
    int length = bits.intValue();
    if (address.length != base.length
        || (bytes != 0 && address.length != bytes)
        || length < 0
        || length > base.length * 8) {
      return false;
    }
    int rest = base.length * 8 - length;
    return new BigInteger(1, address)
        .shiftRight(rest)
        .equals(new BigInteger(1, base).shiftRight(rest));
  }
}
