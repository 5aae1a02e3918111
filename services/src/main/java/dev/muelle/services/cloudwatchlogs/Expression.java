package dev.muelle.services.cloudwatchlogs;

import java.util.function.Supplier;

/** Conditions joined by {@code &&} and {@code ||}, with parentheses; {@code &&} binds closer. */
final class Expression {

  private Expression() {}

  /**
   * Reads as far as the expression goes.
   *
   * @param condition reads one condition
   */
  static <T> Condition<T> read(PatternReader in, Supplier<Condition<T>> condition) {
    Condition<T> any = conjunction(in, condition);
    while (in.accept("||")) {
      any = any.or(conjunction(in, condition));
    }
    return any;
  }

  private static <T> Condition<T> conjunction(PatternReader in, Supplier<Condition<T>> condition) {
    Condition<T> all = single(in, condition);
    while (in.accept("&&")) {
      all = all.and(single(in, condition));
    }
    return all;
  }

  private static <T> Condition<T> single(PatternReader in, Supplier<Condition<T>> condition) {
    if (!in.accept("(")) {
      in.skipBlanks();
      return condition.get();
    }
    Condition<T> inner = read(in, condition);
    in.expect(")");
    return inner;
  }
}
