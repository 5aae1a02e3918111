package dev.muelle.services.cloudwatch.math;

import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;

/**
 * Values over time.
 *
 * @param period in seconds
 * @param points by epoch second; all finite
 * @param about what labels may tell of it, for example {@code PROP('MetricName')}; empty for what
 *     was computed
 */
public record TimeSeries(
    String label, int period, NavigableMap<Long, Double> points, Map<String, String> about) {

  public TimeSeries {
    points = Collections.unmodifiableNavigableMap(points);
  }

  TimeSeries with(NavigableMap<Long, Double> other) {
    return new TimeSeries(label, period, other, about);
  }

  TimeSeries labelled(String other) {
    return new TimeSeries(other, period, points, about);
  }

  TimeSeries map(DoubleUnaryOperator function) {
    return map((second, value) -> function.applyAsDouble(value));
  }

  /** What a function makes of each point; results that are no number are no points. */
  TimeSeries map(PointFunction function) {
    TreeMap<Long, Double> mapped = new TreeMap<>();
    points.forEach((second, value) -> put(mapped, second, function.apply(second, value)));
    return with(mapped);
  }

  /** Division by zero and its like leave a gap. */
  static void put(Map<Long, Double> points, long second, double value) {
    if (Double.isFinite(value)) {
      points.put(second, value);
    }
  }

  /** Of when and how much. */
  @FunctionalInterface
  interface PointFunction {
    double apply(long second, double value);
  }
}
