package dev.muelle.services.cloudwatchlogs.insights;

import com.google.re2j.Pattern;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step of a query, between two bars. */
sealed interface Command {

  /** Something computed, and its name. */
  record Named(String name, Expression expression) {}

  /** {@code fields}: adds columns to those that are shown. */
  record Fields(List<Named> fields) implements Command {}

  /** {@code display}: shows these columns and no others. */
  record Display(List<Named> fields) implements Command {}

  record Filter(Expression condition) implements Command {}

  /**
   * {@code stats}.
   *
   * @param aggregates what {@link Expression.Aggregate} counts from 0
   */
  record Stats(List<Named> columns, List<Aggregate> aggregates, List<Named> by)
      implements Command {}

  /**
   * One aggregate.
   *
   * @param of null for {@code count(*)}
   * @param percentile 0 unless it is {@code pct}
   */
  record Aggregate(Aggregation kind, @Nullable Expression of, double percentile) {}

  record Sort(List<Key> keys) implements Command {}

  record Key(Expression of, boolean descending) {}

  record Limit(int most) implements Command {}

  record Dedup(List<Named> fields) implements Command {}

  /**
   * {@code parse}.
   *
   * @param names one for each group of the pattern
   */
  record Parse(Expression of, Pattern pattern, List<String> names) implements Command {}
}
