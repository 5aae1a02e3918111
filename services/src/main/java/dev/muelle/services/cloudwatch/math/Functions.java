package dev.muelle.services.cloudwatch.math;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The functions of metric math.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list">Functions
 *     supported for metric math</a>
 */
final class Functions {

  /** Functions that need services or models that are not here. */
  private static final Set<String> NOT_HERE =
      Set.of(
          "ANOMALY_DETECTION_BAND",
          "DB_PERF_INSIGHTS",
          "INSIGHT_RULE_METRIC",
          "LAMBDA",
          "SERVICE_QUOTA");

  private static final Map<String, ToDoubleFunction<Collection<Double>>> AGGREGATES =
      Map.of(
          "AVG", Functions::average,
          "MAX", values -> values.stream().mapToDouble(v -> v).max().orElse(Double.NaN),
          "MIN", values -> values.stream().mapToDouble(v -> v).min().orElse(Double.NaN),
          "SUM", values -> values.stream().mapToDouble(v -> v).sum(),
          "STDDEV", Functions::deviation);

  private static final Map<String, DoubleUnaryOperator> OF_ONE_NUMBER =
      Map.of(
          "ABS", Math::abs,
          "CEIL", Math::ceil,
          "FLOOR", Math::floor,
          "LOG", Math::log,
          "LOG10", Math::log10);

  private static final Map<String, Function<ZonedDateTime, Number>> OF_TIME =
      Map.of(
          "MINUTE", ZonedDateTime::getMinute,
          "HOUR", ZonedDateTime::getHour,
          "DAY", time -> time.getDayOfWeek().getValue(), // 1 is Monday
          "DATE", ZonedDateTime::getDayOfMonth,
          "MONTH", ZonedDateTime::getMonthValue,
          "YEAR", ZonedDateTime::getYear,
          "EPOCH", ZonedDateTime::toEpochSecond);

  private static final Map<String, UnaryOperator<TimeSeries>> OF_SERIES =
      Map.of(
          "DIFF", series -> steps(series, (dv, dt) -> dv),
          "DIFF_TIME", series -> steps(series, (dv, dt) -> dt),
          "RATE", series -> steps(series, (dv, dt) -> dv / dt),
          "RUNNING_SUM", Functions::runningSum);

  private final Evaluation evaluation;
  private final Evaluation.World world;
  private final String name;
  private final List<Node> arguments;

  private Functions(Evaluation evaluation, Evaluation.World world, Node.Call call) {
    this.evaluation = evaluation;
    this.world = world;
    name = call.function();
    arguments = call.arguments();
  }

  static Value call(Evaluation evaluation, Evaluation.World world, Node.Call call) {
    return new Functions(evaluation, world, call).value();
  }

  private Value value() {
    if (NOT_HERE.contains(name)) {
      throw new MathException("The function " + name + " is not supported by this region yet");
    }
    if (AGGREGATES.containsKey(name)) {
      return aggregate(AGGREGATES.get(name));
    }
    if (OF_ONE_NUMBER.containsKey(name)) {
      return ofOneNumber(OF_ONE_NUMBER.get(name));
    }
    if (OF_TIME.containsKey(name)) {
      Function<ZonedDateTime, Number> part = OF_TIME.get(name);
      return new Value.One(times(only(series(0), 1), part));
    }
    if (OF_SERIES.containsKey(name)) {
      return each(OF_SERIES.get(name));
    }
    return switch (name) {
      case "METRICS" -> {
        count(0, 1);
        yield new Value.Many(world.metrics(arguments.isEmpty() ? "" : text(0)));
      }
      case "SEARCH" -> {
        count(2, 3);
        int period = arguments.size() < 3 ? world.period() : (int) scalar(2);
        yield new Value.Many(world.search(text(0), text(1), period));
      }
      case "DATAPOINT_COUNT" -> dataPointCount();
      case "FILL" -> {
        count(2, 2);
        Value with = argument(1);
        yield mapped(argument(0), series -> fill(series, with));
      }
      case "FIRST" -> new Value.One(chosen(array(0, 1), List::getFirst));
      case "LAST" -> new Value.One(chosen(array(0, 1), List::getLast));
      case "IF" -> condition();
      case "METRIC_COUNT" -> new Value.Scalar(array(0, 1).size());
      case "PERIOD" -> new Value.Scalar(only(series(0), 1).period());
      case "REMOVE_EMPTY" ->
          new Value.Many(
              array(0, 1).stream().filter(series -> !series.points().isEmpty()).toList());
      case "SLICE" -> slice();
      case "SORT" -> sort();
      case "TIME_SERIES" -> {
        count(1, 1);
        yield new Value.One(constant(scalar(0)));
      }
      default -> throw new MathException("Unknown function '" + name + "'");
    };
  }

  private Value aggregate(ToDoubleFunction<Collection<Double>> function) {
    count(1, 1);
    return switch (argument(0)) {
      case Value.One one ->
          new Value.Scalar(function.applyAsDouble(one.series().points().values()));
      case Value.Many many -> {
        int all = many.series().size();
        yield new Value.One(
            name.equals("AVG") // of which AWS says that a missing value counts as 0
                ? across(many.series(), values -> average(values) * values.size() / all)
                : across(many.series(), function));
      }
      case Value.Scalar scalar -> scalar;
      case Value other -> throw wrong(other);
    };
  }

  /** One series out of several: what a function makes of the values that there are at a time. */
  private TimeSeries across(List<TimeSeries> all, ToDoubleFunction<Collection<Double>> function) {
    TreeMap<Long, List<Double>> values = new TreeMap<>();
    int period = 0;
    for (TimeSeries series : all) {
      period = Math.max(period, series.period());
      series
          .points()
          .forEach((second, value) ->
              values.computeIfAbsent(second, any -> new ArrayList<>()).add(value));
    }
    TreeMap<Long, Double> points = new TreeMap<>();
    values.forEach((second, list) -> TimeSeries.put(points, second, function.applyAsDouble(list)));
    return computed(period == 0 ? world.period() : period, points);
  }

  private Value ofOneNumber(DoubleUnaryOperator function) {
    count(1, 1);
    return argument(0) instanceof Value.Scalar scalar
        ? new Value.Scalar(function.applyAsDouble(scalar.number()))
        : each(series -> series.map(function));
  }

  private Value each(UnaryOperator<TimeSeries> function) {
    count(1, 1);
    return mapped(argument(0), function);
  }

  private Value mapped(Value value, UnaryOperator<TimeSeries> function) {
    return switch (value) {
      case Value.One one -> new Value.One(function.apply(one.series()));
      case Value.Many many -> new Value.Many(many.series().stream().map(function).toList());
      case Value other -> throw wrong(other);
    };
  }

  private Value dataPointCount() {
    count(1, 1);
    return switch (argument(0)) {
      case Value.One one -> new Value.Scalar(one.series().points().size());
      case Value.Many many -> new Value.One(across(many.series(), Collection::size));
      case Value other -> throw wrong(other);
    };
  }

  /** Fills every period of the request that could have a value and has none. */
  private TimeSeries fill(TimeSeries series, Value with) {
    TreeMap<Long, Double> points = new TreeMap<>(series.points());
    for (long second = world.from(series.period());
        second < world.to();
        second += series.period()) {
      if (!points.containsKey(second)) {
        Double filled = filler(series.points(), second, with);
        if (filled != null) {
          points.put(second, filled);
        }
      }
    }
    return series.with(points);
  }

  private @Nullable Double filler(NavigableMap<Long, Double> points, long second, Value with) {
    return switch (with) {
      case Value.Scalar scalar -> scalar.number();
      case Value.One one -> one.series().points().get(second);
      case Value.Word(String word) when word.equals("REPEAT") -> {
        Map.Entry<Long, Double> before = points.floorEntry(second);
        yield before == null ? null : before.getValue();
      }
      case Value.Word(String word) when word.equals("LINEAR") -> {
        Map.Entry<Long, Double> before = points.floorEntry(second);
        Map.Entry<Long, Double> after = points.ceilingEntry(second);
        if (before == null || after == null) {
          yield null;
        }
        double part = (double) (second - before.getKey()) / (after.getKey() - before.getKey());
        yield before.getValue() + part * (after.getValue() - before.getValue());
      }
      case Value.Word other -> throw wrong(other);
      case Value.Many other -> throw wrong(other);
      case Value.Text other -> throw wrong(other);
    };
  }

  private TimeSeries chosen(List<TimeSeries> all, Function<List<TimeSeries>, TimeSeries> choice) {
    return all.isEmpty() ? computed(world.period(), new TreeMap<>()) : choice.apply(all);
  }

  private Value condition() {
    count(2, 3);
    Value then = operand(1);
    Value otherwise = arguments.size() < 3 ? null : operand(2);
    return switch (argument(0)) {
      case Value.Scalar scalar -> {
        Value chosen = scalar.number() != 0 ? then : otherwise;
        yield chosen == null ? new Value.One(computed(world.period(), new TreeMap<>())) : chosen;
      }
      case Value.One one -> {
        TreeMap<Long, Double> points = new TreeMap<>();
        one.series()
            .points()
            .forEach((second, truth) -> {
              Double value = at(truth != 0 ? then : otherwise, second);
              if (value != null) {
                TimeSeries.put(points, second, value);
              } else if (truth != 0) {
                points.put(second, 0.0);
              }
            });
        yield new Value.One(computed(one.series().period(), points));
      }
      case Value other -> throw wrong(other);
    };
  }

  private Value operand(int index) {
    Value value = argument(index);
    if (value instanceof Value.Scalar || value instanceof Value.One) {
      return value;
    }
    throw wrong(value);
  }

  private static @Nullable Double at(@Nullable Value value, long second) {
    return switch (value) {
      case Value.Scalar scalar -> scalar.number();
      case Value.One one -> one.series().points().get(second);
      case null -> null;
      case Value.Many _, Value.Text _, Value.Word _ -> null; // refused before
    };
  }

  private Value slice() {
    count(2, 3);
    List<TimeSeries> all = array(0, arguments.size());
    int from = Math.max(0, (int) scalar(1));
    int to = arguments.size() < 3 ? all.size() : Math.min((int) scalar(2), all.size());
    return new Value.Many(from >= to ? List.of() : all.subList(from, to));
  }

  private Value sort() {
    count(3, 4);
    List<TimeSeries> all = array(0, arguments.size());
    String by = word(1);
    ToDoubleFunction<Collection<Double>> function = AGGREGATES.get(by);
    if (function == null || by.equals("STDDEV")) {
      throw new MathException("SORT cannot sort by '" + by + "'");
    }
    Comparator<TimeSeries> order =
        Comparator.comparingDouble(series -> function.applyAsDouble(series.points().values()));
    List<TimeSeries> sorted =
        switch (word(2)) {
          case "ASC" -> all.stream().sorted(order).toList();
          case "DESC" -> all.stream().sorted(order.reversed()).toList();
          default -> throw new MathException("SORT's order is ASC or DESC, not '" + word(2) + "'");
        };
    int most = arguments.size() < 4 ? sorted.size() : Math.max(0, (int) scalar(3));
    return new Value.Many(sorted.subList(0, Math.min(most, sorted.size())));
  }

  /** Of every period of the request, whether the series has a value there or not. */
  private TimeSeries times(TimeSeries series, Function<ZonedDateTime, Number> part) {
    TreeMap<Long, Double> points = new TreeMap<>();
    for (long second = world.from(series.period());
        second < world.to();
        second += series.period()) {
      ZonedDateTime time = Instant.ofEpochSecond(second).atZone(ZoneOffset.UTC);
      points.put(second, part.apply(time).doubleValue());
    }
    return series.with(points);
  }

  private TimeSeries constant(double number) {
    TreeMap<Long, Double> points = new TreeMap<>();
    for (long second = world.from(world.period()); second < world.to(); second += world.period()) {
      TimeSeries.put(points, second, number);
    }
    return computed(world.period(), points);
  }

  /** What two points next to each other give the later of them. */
  @FunctionalInterface
  private interface Step {
    double of(double values, double seconds);
  }

  private static TimeSeries steps(TimeSeries series, Step step) {
    return series.map((second, value) -> {
      Map.Entry<Long, Double> before = series.points().lowerEntry(second);
      return before == null
          ? Double.NaN
          : step.of(value - before.getValue(), (double) second - before.getKey());
    });
  }

  private static TimeSeries runningSum(TimeSeries series) {
    TreeMap<Long, Double> points = new TreeMap<>();
    double sum = 0;
    for (Map.Entry<Long, Double> point : series.points().entrySet()) {
      sum += point.getValue();
      points.put(point.getKey(), sum);
    }
    return series.with(points);
  }

  private static double average(Collection<Double> values) {
    return values.stream().mapToDouble(v -> v).average().orElse(Double.NaN);
  }

  private static double deviation(Collection<Double> values) {
    double mean = average(values);
    return Math.sqrt(
        values.stream().mapToDouble(v -> (v - mean) * (v - mean)).average().orElse(Double.NaN));
  }

  private static TimeSeries computed(int period, NavigableMap<Long, Double> points) {
    return new TimeSeries("", period, points, Map.of());
  }

  private Value argument(int index) {
    if (index >= arguments.size()) {
      throw new MathException("Too few arguments for function " + name);
    }
    return evaluation.of(arguments.get(index));
  }

  private void count(int least, int most) {
    if (arguments.size() < least || arguments.size() > most) {
      throw new MathException(
          "The function " + name + " does not take " + arguments.size() + " arguments");
    }
  }

  private TimeSeries only(TimeSeries series, int wanted) {
    count(wanted, wanted);
    return series;
  }

  private TimeSeries series(int index) {
    Value value = argument(index);
    if (value instanceof Value.One one) {
      return one.series();
    }
    throw wrong(value);
  }

  private List<TimeSeries> array(int index, int wanted) {
    count(wanted, wanted);
    return switch (argument(index)) {
      case Value.Many many -> many.series();
      case Value.One one -> List.of(one.series());
      case Value other -> throw wrong(other);
    };
  }

  private double scalar(int index) {
    Value value = argument(index);
    if (value instanceof Value.Scalar scalar) {
      return scalar.number();
    }
    throw wrong(value);
  }

  private String text(int index) {
    Value value = argument(index);
    if (value instanceof Value.Text text) {
      return text.text();
    }
    throw wrong(value);
  }

  private String word(int index) {
    Value value = argument(index);
    if (value instanceof Value.Word word) {
      return word.word();
    }
    throw wrong(value);
  }

  private MathException wrong(Value value) {
    return new MathException("The function " + name + " cannot be applied to " + value.type());
  }
}
