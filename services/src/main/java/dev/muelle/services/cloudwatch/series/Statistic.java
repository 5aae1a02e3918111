package dev.muelle.services.cloudwatch.series;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One number out of what a period saw.
 *
 * <p>A percentile is the smallest value that at least so many percent of the values do not exceed
 * (nearest rank); trimming by percent cuts the values in order of size at exactly these ranks, one
 * that lies on a cut counts in part. Bounds given as values exclude the lower, include the upper.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html">CloudWatch
 *     statistics definitions</a>
 */
public sealed interface Statistic {

  /** The names of {@link Simple}, in the order of Amazon's errors. */
  List<String> SIMPLE = List.of("Maximum", "SampleCount", "Sum", "Minimum", "Average");

  /** Empty if the period's values do not give it. */
  OptionalDouble of(Summary summary);

  /** The five that every statistic set gives. */
  enum Simple implements Statistic {
    SAMPLE_COUNT,
    AVERAGE,
    SUM,
    MINIMUM,
    MAXIMUM;

    @Override
    public OptionalDouble of(Summary summary) {
      return OptionalDouble.of(
          switch (this) {
            case SAMPLE_COUNT -> summary.count();
            case AVERAGE -> summary.average();
            case SUM -> summary.sum();
            case MINIMUM -> summary.min();
            case MAXIMUM -> summary.max();
          });
    }
  }

  /** For example p99. */
  record Percentile(double percent) implements Statistic {
    @Override
    public OptionalDouble of(Summary summary) {
      SortedMap<Double, Double> values = summary.known();
      return values.isEmpty()
          ? OptionalDouble.empty()
          : OptionalDouble.of(atRank(values, percent / 100 * summary.count()));
    }
  }

  /** What is done with the values between two bounds. */
  enum Kind {
    TRIMMED_MEAN,
    WINSORIZED_MEAN,
    TRIMMED_COUNT,
    TRIMMED_SUM,
    PERCENTILE_RANK
  }

  /**
   * The values between two bounds.
   *
   * @param byPercent whether the bounds are percents of the values' number, not values
   * @param from null for no bound
   */
  record Between(Kind kind, boolean byPercent, @Nullable Double from, @Nullable Double to)
      implements Statistic {

    @Override
    public OptionalDouble of(Summary summary) {
      SortedMap<Double, Double> values = summary.known();
      if (values.isEmpty()) {
        return OptionalDouble.empty();
      }
      double all = summary.count();
      double count = 0;
      double sum = 0;
      double before = 0;
      for (Map.Entry<Double, Double> entry : values.entrySet()) {
        double times = within(entry.getKey(), before, entry.getValue(), all);
        before += entry.getValue();
        count += times;
        sum += times * entry.getKey();
      }
      double kept = count;
      double total = sum;
      return switch (kind) {
        case TRIMMED_COUNT -> OptionalDouble.of(kept);
        case TRIMMED_SUM -> OptionalDouble.of(total);
        case PERCENTILE_RANK -> OptionalDouble.of(100 * kept / all);
        case TRIMMED_MEAN -> kept > 0 ? OptionalDouble.of(total / kept) : OptionalDouble.empty();
        case WINSORIZED_MEAN -> OptionalDouble.of(winsorized(values, all));
      };
    }

    /** How many of these equal values lie between the bounds. */
    private double within(double value, double before, double times, double all) {
      if (byPercent) {
        double first = from == null ? 0 : from / 100 * all;
        double last = to == null ? all : to / 100 * all;
        return Math.max(0, Math.min(before + times, last) - Math.max(before, first));
      }
      return (from == null || value > from) && (to == null || value <= to) ? times : 0;
    }

    /** What lies outside the bounds counts as if it lay on them. */
    private double winsorized(SortedMap<Double, Double> values, double all) {
      double least = from == null ? values.firstKey() : byPercent ? above(values, all) : from;
      double most = to == null ? values.lastKey() : byPercent ? atRank(values, to / 100 * all) : to;
      double sum = 0;
      for (Map.Entry<Double, Double> entry : values.entrySet()) {
        sum += Math.max(least, Math.min(most, entry.getKey())) * entry.getValue();
      }
      return sum / all;
    }

    /** The first value that is not cut off below. */
    private double above(SortedMap<Double, Double> values, double all) {
      double rank = from == null ? 0 : from / 100 * all;
      double before = 0;
      for (Map.Entry<Double, Double> entry : values.entrySet()) {
        before += entry.getValue();
        if (before > rank) {
          return entry.getKey();
        }
      }
      return values.lastKey();
    }
  }

  private static double atRank(SortedMap<Double, Double> values, double rank) {
    double before = 0;
    for (Map.Entry<Double, Double> entry : values.entrySet()) {
      before += entry.getValue();
      if (before >= rank - 1e-9) { // 0.07 * 100 is a little more than 7
        return entry.getKey();
      }
    }
    return values.lastKey();
  }

  /** Whether it needs the single values. */
  default boolean extended() {
    return !(this instanceof Simple);
  }

  /** Reads a statistic's name, for example {@code Average}, {@code p99.9}, {@code TM(10%:90%)}. */
  static Optional<Statistic> parse(String name) {
    return switch (name) {
      case "SampleCount" -> Optional.of(Simple.SAMPLE_COUNT);
      case "Average" -> Optional.of(Simple.AVERAGE);
      case "Sum" -> Optional.of(Simple.SUM);
      case "Minimum" -> Optional.of(Simple.MINIMUM);
      case "Maximum" -> Optional.of(Simple.MAXIMUM);
      case "IQM" -> Optional.of(new Between(Kind.TRIMMED_MEAN, true, 25.0, 75.0));
      default -> Forms.parse(name);
    };
  }

  /** The forms of the extended ones, as the model of PutAnomalyDetector's Stat has them. */
  final class Forms {
    private static final String PERCENT = "(\\d{1,2}(?:\\.\\d{0,10})?|100(?:\\.0{0,10})?)";
    private static final String NUMBER = "(\\d+(?:\\.\\d{0,10})?(?:[Ee][+-]?\\d+)?)";
    private static final Pattern SHORT = Pattern.compile("(p|tm|wm|tc|ts)" + PERCENT);
    private static final Pattern PERCENTS =
        Pattern.compile("(TM|WM|TC|TS)\\((?:" + PERCENT + "%)?:(?:" + PERCENT + "%)?\\)");
    private static final Pattern VALUES =
        Pattern.compile("(TM|WM|TC|TS|PR)\\(" + NUMBER + "?:" + NUMBER + "?\\)");

    private Forms() {}

    private static Optional<Statistic> parse(String name) {
      Matcher brief = SHORT.matcher(name);
      if (brief.matches()) {
        double percent = Double.parseDouble(brief.group(2));
        return Optional.of(
            brief.group(1).equals("p")
                ? new Percentile(percent)
                : new Between(kind(brief.group(1)), true, null, percent));
      }
      Matcher percents = PERCENTS.matcher(name);
      if (percents.matches()) {
        return between(percents, true);
      }
      Matcher values = VALUES.matcher(name);
      return values.matches() ? between(values, false) : Optional.empty();
    }

    private static Optional<Statistic> between(Matcher form, boolean byPercent) {
      Double from = number(form.group(2));
      Double to = number(form.group(3));
      boolean bounded = from != null || to != null;
      boolean ordered = from == null || to == null || from < to;
      return bounded && ordered
          ? Optional.of(new Between(kind(form.group(1)), byPercent, from, to))
          : Optional.empty();
    }

    private static @Nullable Double number(@Nullable String digits) {
      return digits == null ? null : Double.valueOf(digits);
    }

    private static Kind kind(String letters) {
      return switch (letters) {
        case "tm", "TM" -> Kind.TRIMMED_MEAN;
        case "wm", "WM" -> Kind.WINSORIZED_MEAN;
        case "tc", "TC" -> Kind.TRIMMED_COUNT;
        case "ts", "TS" -> Kind.TRIMMED_SUM;
        case "PR" -> Kind.PERCENTILE_RANK;
        default -> throw new IllegalArgumentException(letters);
      };
    }
  }
}
