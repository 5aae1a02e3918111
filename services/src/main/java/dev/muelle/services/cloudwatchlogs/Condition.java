package dev.muelle.services.cloudwatchlogs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * What a pattern asks for, or a part of it.
 *
 * @param needs texts that every message has that satisfies it; none if nothing is known
 */
record Condition<T>(Predicate<T> test, List<String> needs) {

  Condition {
    needs = List.copyOf(needs);
  }

  Condition<T> and(Condition<T> other) {
    List<String> both = new ArrayList<>(needs);
    both.addAll(other.needs);
    return new Condition<>(test.and(other.test), both);
  }

  Condition<T> or(Condition<T> other) {
    List<String> either = new ArrayList<>(needs);
    either.retainAll(other.needs);
    return new Condition<>(test.or(other.test), either);
  }
}
