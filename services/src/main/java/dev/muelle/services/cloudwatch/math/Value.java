package dev.muelle.services.cloudwatch.math;

import java.util.List;

/**
 * What an expression is worth.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax">Metric
 *     math syntax and functions</a>
 */
sealed interface Value {

  /** A scalar, S in the documentation. */
  record Scalar(double number) implements Value {}

  /** A time series, TS. */
  record One(TimeSeries series) implements Value {}

  /** An array of time series, TS[]. */
  record Many(List<TimeSeries> series) implements Value {}

  /** A string. */
  record Text(String text) implements Value {}

  /** A bare word, for example the {@code DESC} of SORT. */
  record Word(String word) implements Value {}

  /** Its name in messages. */
  default String type() {
    return switch (this) {
      case Scalar _ -> "Scalar";
      case One _ -> "TimeSeries";
      case Many _ -> "TimeSeries[]";
      case Text _ -> "String";
      case Word word -> word.word();
    };
  }
}
