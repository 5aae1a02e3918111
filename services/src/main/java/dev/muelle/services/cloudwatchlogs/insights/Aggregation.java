package dev.muelle.services.cloudwatchlogs.insights;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code stats} gathers of many rows.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html">stats</a>
 */
enum Aggregation {
  COUNT,
  COUNT_DISTINCT,
  SUM,
  AVG,
  MIN,
  MAX,
  MEDIAN,
  PCT,
  STDDEV,
  EARLIEST,
  LATEST,
  SORTSFIRST,
  SORTSLAST;

  /** Values of one group that are kept, for percentiles and for what is different. */
  private static final int MOST_KEPT = 1_000_000;

  static @Nullable Aggregation of(String name) {
    for (Aggregation each : values()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(name)) {
        return each;
      }
    }
    return null;
  }

  /** Gathers the rows of one group. */
  static final class Gathered {
    private final Command.Aggregate what;
    private final List<Double> numbers = new ArrayList<>();
    private final Set<String> different = new HashSet<>();
    private long count;
    private double sum;
    private double mean;
    private double squares; // of the distances from the mean: Welford's
    private @Nullable Object best;
    private @Nullable Long bestAt;

    Gathered(Command.Aggregate what) {
      this.what = what;
    }

    void add(Row row) {
      Expression of = what.of();
      if (of == null) {
        count++;
        return;
      }
      Object value = of.of(row);
      if (value == null) {
        return;
      }
      switch (what.kind()) {
        case COUNT -> count++;
        case COUNT_DISTINCT -> bounded(different.size()).add(Values.text(value));
        case SORTSFIRST -> better(value, -1);
        case SORTSLAST -> better(value, 1);
        case EARLIEST, LATEST -> byTime(row, value);
        case SUM, AVG, MIN, MAX, MEDIAN, PCT, STDDEV -> number(value);
      }
    }

    private void number(Object value) {
      Double number = Values.number(value);
      if (number == null) {
        return;
      }
      count++;
      sum += number;
      double off = number - mean;
      mean += off / count;
      squares += off * (number - mean);
      switch (what.kind()) {
        case MIN -> better(value, -1);
        case MAX -> better(value, 1);
        case MEDIAN, PCT -> {
          bounded(numbers.size());
          numbers.add(number);
        }
        default -> {}
      }
    }

    private Set<String> bounded(int size) {
      if (size >= MOST_KEPT) {
        throw new QueryError("More than " + MOST_KEPT + " values in one group", 0, 0);
      }
      return different;
    }

    private void better(Object value, int sign) {
      if (best == null || sign * Values.ORDER.compare(value, best) > 0) {
        best = value;
      }
    }

    private void byTime(Row row, Object value) {
      Double at = Values.number(row.get("@timestamp"));
      if (at == null) {
        return;
      }
      boolean latest = what.kind() == LATEST;
      if (bestAt == null || (latest ? at > bestAt : at <= bestAt)) {
        bestAt = at.longValue();
        best = value;
      }
    }

    @Nullable Object value() {
      return switch (what.kind()) {
        case COUNT -> (double) count;
        case COUNT_DISTINCT -> (double) different.size();
        case SUM -> count == 0 ? null : sum;
        case AVG -> count == 0 ? null : sum / count;
        case STDDEV -> count == 0 ? null : Math.sqrt(squares / count);
        case MEDIAN -> percentile(50);
        case PCT -> percentile(what.percentile());
        case MIN, MAX, EARLIEST, LATEST, SORTSFIRST, SORTSLAST -> best;
      };
    }

    /** Between the two values that are nearest. */
    private @Nullable Object percentile(double percent) {
      if (numbers.isEmpty()) {
        return null;
      }
      numbers.sort(null);
      double place = percent / 100 * (numbers.size() - 1);
      int low = (int) Math.floor(place);
      int high = (int) Math.ceil(place);
      return numbers.get(low) + (numbers.get(high) - numbers.get(low)) * (place - low);
    }
  }
}
