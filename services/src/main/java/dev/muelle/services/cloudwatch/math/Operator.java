package dev.muelle.services.cloudwatch.math;

import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;

/** What stands between two operands; those that compare and those of logic give 1 or 0. */
enum Operator {
  OR(1, (a, b) -> truth(a != 0 || b != 0)),
  AND(2, (a, b) -> truth(a != 0 && b != 0)),
  EQUAL(3, (a, b) -> truth(a == b)),
  NOT_EQUAL(3, (a, b) -> truth(a != b)),
  LESS(3, (a, b) -> truth(a < b)),
  LESS_OR_EQUAL(3, (a, b) -> truth(a <= b)),
  GREATER(3, (a, b) -> truth(a > b)),
  GREATER_OR_EQUAL(3, (a, b) -> truth(a >= b)),
  PLUS(4, (a, b) -> a + b),
  MINUS(4, (a, b) -> a - b),
  TIMES(5, (a, b) -> a * b),
  DIVIDED(5, (a, b) -> a / b),
  POWER(7, Math::pow);

  /** Stronger than multiplication, weaker than powers: -2^2 is -4. */
  static final int SIGN = 6;

  private static final Map<String, Operator> SYMBOLS =
      Map.ofEntries(
          Map.entry("||", OR),
          Map.entry("OR", OR),
          Map.entry("&&", AND),
          Map.entry("AND", AND),
          Map.entry("==", EQUAL),
          Map.entry("!=", NOT_EQUAL),
          Map.entry("<", LESS),
          Map.entry("<=", LESS_OR_EQUAL),
          Map.entry(">", GREATER),
          Map.entry(">=", GREATER_OR_EQUAL),
          Map.entry("+", PLUS),
          Map.entry("-", MINUS),
          Map.entry("*", TIMES),
          Map.entry("/", DIVIDED),
          Map.entry("^", POWER));

  /** The higher, the closer it binds. */
  final int strength;

  @SuppressWarnings("ImmutableEnumChecker") // pure functions
  private final DoubleBinaryOperator function;

  Operator(int strength, DoubleBinaryOperator function) {
    this.strength = strength;
    this.function = function;
  }

  double apply(double left, double right) {
    return function.applyAsDouble(left, right);
  }

  static Optional<Operator> of(String symbol) {
    return Optional.ofNullable(SYMBOLS.get(symbol));
  }

  private static double truth(boolean so) {
    return so ? 1 : 0;
  }
}
