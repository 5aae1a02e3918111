package dev.muelle.services.cloudwatchlogs;

import java.util.function.Predicate;
import java.util.function.Supplier;

/** Conditions joined by {@code &&} and {@code ||}, with parentheses; {@code &&} binds closer. */
final class Expression {

  private Expression() {}

  /**
   * Reads as far as the expression goes.
   *
   * @param condition reads one condition
   */
  static <T> Predicate<T> read(PatternReader in, Supplier<Predicate<T>> condition) {
    Predicate<T> any = conjunction(in, condition);
    while (in.accept("||")) {
      any = any.or(conjunction(in, condition));
    }
    return any;
  }

  private static <T> Predicate<T> conjunction(PatternReader in, Supplier<Predicate<T>> condition) {
    Predicate<T> all = single(in, condition);
    while (in.accept("&&")) {
      all = all.and(single(in, condition));
    }
    return all;
  }

  private static <T> Predicate<T> single(PatternReader in, Supplier<Predicate<T>> condition) {
    if (!in.accept("(")) {
      in.skipBlanks();
      return condition.get();
    }
    Predicate<T> inner = read(in, condition);
    in.expect(")");
    return inner;
  }
}
