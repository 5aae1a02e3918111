package dev.muelle.services.cloudwatch.math;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Labels that tell of their series, for example {@code ${AVG} of ${PROP('Dim.InstanceId')}}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html">Using
 *     dynamic labels</a>
 */
final class Labels {

  static final int MOST = 6;

  private static final Pattern DYNAMIC = Pattern.compile("\\$\\{([^}]*)\\}");
  private static final Pattern PROPERTY = Pattern.compile("PROP\\('([^']*)'\\)");

  private final ZoneOffset zone;

  Labels(ZoneOffset zone) {
    this.zone = zone;
  }

  /**
   * The label with what it asks for put in.
   *
   * @throws MathException if it asks for more than {@value #MOST} things
   */
  TimeSeries apply(String label, TimeSeries series) {
    Matcher dynamic = DYNAMIC.matcher(label);
    if (dynamic.results().count() > MOST) {
      throw new MathException("A label has at most " + MOST + " dynamic values");
    }
    return series.labelled(
        DYNAMIC
            .matcher(label)
            .replaceAll(found -> Matcher.quoteReplacement(value(found.group(1), series))));
  }

  private String value(String asked, TimeSeries series) {
    Matcher property = PROPERTY.matcher(asked);
    if (property.matches()) {
      return series.about().getOrDefault(property.group(1), "--");
    }
    if (asked.equals("LABEL")) {
      return series.label();
    }
    if (asked.equals("DATAPOINT_COUNT")) {
      return Integer.toString(series.points().size());
    }
    if (series.points().isEmpty()) {
      return "--";
    }
    Map.Entry<Long, Double> first = series.points().firstEntry();
    Map.Entry<Long, Double> last = series.points().lastEntry();
    Map.Entry<Long, Double> least =
        series.points().entrySet().stream().min(Map.Entry.comparingByValue()).orElse(first);
    Map.Entry<Long, Double> most =
        series.points().entrySet().stream()
            .max(
                Map.Entry.<Long, Double>comparingByValue()
                    .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
            .orElse(first);
    double sum = series.points().values().stream().mapToDouble(v -> v).sum();
    return switch (asked) {
      case "AVG" -> number(sum / series.points().size());
      case "SUM" -> number(sum);
      case "MIN" -> number(least.getValue());
      case "MAX" -> number(most.getValue());
      case "FIRST" -> number(first.getValue());
      case "LAST" -> number(last.getValue());
      case "FIRST_LAST_RANGE" -> number(last.getValue() - first.getValue());
      case "MIN_MAX_RANGE" -> number(most.getValue() - least.getValue());
      case "FIRST_TIME" -> time(first.getKey());
      case "LAST_TIME" -> time(last.getKey());
      case "MIN_TIME" -> time(least.getKey());
      case "MAX_TIME" -> time(most.getKey());
      case "FIRST_LAST_TIME_RANGE" -> time(first.getKey()) + " - " + time(last.getKey());
      case "MIN_MAX_TIME_RANGE" -> time(least.getKey()) + " - " + time(most.getKey());
      default -> "${" + asked + "}";
    };
  }

  private static String number(double value) {
    return new DecimalFormat("0.###", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value);
  }

  private String time(long second) {
    return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
        Instant.ofEpochSecond(second).atOffset(zone));
  }
}
