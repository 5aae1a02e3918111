package dev.muelle.services.cloudwatchlogs.insights;

import com.google.re2j.Pattern;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What is computed of a row. */
sealed interface Expression {

  record Constant(Object value) implements Expression {}

  record Field(String name) implements Expression {}

  record Call(Functions.Function function, List<Expression> arguments) implements Expression {}

  /** {@code bin(5m)}. */
  record Bin(Duration period, Expression of) implements Expression {}

  record Not(Expression of) implements Expression {}

  record And(Expression left, Expression right) implements Expression {}

  record Or(Expression left, Expression right) implements Expression {}

  record Compare(String operator, Expression left, Expression right) implements Expression {}

  record Like(Expression left, Pattern pattern) implements Expression {}

  record Contains(Expression left, Expression part) implements Expression {}

  record In(Expression left, List<Expression> list) implements Expression {}

  record Arithmetic(char operator, Expression left, Expression right) implements Expression {}

  /** What {@code stats} gathers of many rows, by its place in the command. */
  record Aggregate(int place) implements Expression {}

  /**
   * A length of time.
   *
   * @param months 0 unless it is one that the calendar decides
   */
  record Duration(long millis, int months) {}

  /** What it is for a row. */
  default @Nullable Object of(Row row) {
    return of(row, place -> null);
  }

  /**
   * What it is for a row.
   *
   * @param aggregates the values of aggregates by their places
   */
  default @Nullable Object of(Row row, Function<Integer, @Nullable Object> aggregates) {
    return switch (this) {
      case Constant(Object value) -> value;
      case Field(String name) -> row.get(name);
      case Aggregate(int place) -> aggregates.apply(place);
      case Call(Functions.Function function, List<Expression> arguments) -> {
        List<@Nullable Object> values = new ArrayList<>();
        for (Expression argument : arguments) {
          values.add(argument.of(row, aggregates));
        }
        yield function.of(new Functions.Arguments(values));
      }
      case Bin(Duration period, Expression of) -> {
        Double millis = Values.number(of.of(row, aggregates));
        yield millis == null ? null : Functions.floor(millis.longValue(), period);
      }
      case Not(Expression of) -> !Values.truth(of.of(row, aggregates));
      case And(Expression left, Expression right) ->
          Values.truth(left.of(row, aggregates)) && Values.truth(right.of(row, aggregates));
      case Or(Expression left, Expression right) ->
          Values.truth(left.of(row, aggregates)) || Values.truth(right.of(row, aggregates));
      case Compare(String operator, Expression left, Expression right) ->
          compare(operator, left.of(row, aggregates), right.of(row, aggregates));
      case Like(Expression left, Pattern pattern) -> {
        Object value = left.of(row, aggregates);
        yield value != null && pattern.matcher(Values.text(value)).find();
      }
      case Contains(Expression left, Expression part) -> {
        Object value = left.of(row, aggregates);
        Object wanted = part.of(row, aggregates);
        yield value != null && wanted != null && Values.text(value).contains(Values.text(wanted));
      }
      case In(Expression left, List<Expression> list) -> {
        Object value = left.of(row, aggregates);
        boolean found = false;
        for (Expression each : list) {
          Object wanted = each.of(row, aggregates);
          found |= value != null && wanted != null && Values.compare(value, wanted) == 0;
        }
        yield found;
      }
      case Arithmetic(char operator, Expression left, Expression right) ->
          compute(
              operator,
              Values.number(left.of(row, aggregates)),
              Values.number(right.of(row, aggregates)));
    };
  }

  /** What is not there equals nothing, and differs from everything that is. */
  private static boolean compare(String operator, @Nullable Object left, @Nullable Object right) {
    if (left == null || right == null) {
      return operator.equals("!=") && (left != null || right != null);
    }
    int order = Values.compare(left, right);
    return switch (operator) {
      case "=" -> order == 0;
      case "!=" -> order != 0;
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  private static @Nullable Object compute(
      char operator, @Nullable Double left, @Nullable Double right) {
    if (left == null || right == null) {
      return null;
    }
    double result =
        switch (operator) {
          case '+' -> left + right;
          case '-' -> left - right;
          case '*' -> left * right;
          case '/' -> left / right;
          case '%' -> left % right;
          default -> Math.pow(left, right);
        };
    return Double.isFinite(result) ? result : null;
  }
}
