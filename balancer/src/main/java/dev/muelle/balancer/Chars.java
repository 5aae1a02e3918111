package dev.muelle.balancer;

import java.util.function.IntPredicate;

/** Looks at texts of every request, for which a stream of their characters is too slow. */
final class Chars {

  private Chars() {}

  static boolean all(String text, IntPredicate test) {
    for (int i = 0; i < text.length(); i++) {
      if (!test.test(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }
}
