package dev.muelle.balancer.http;

import java.util.function.IntPredicate;

/** Looks at texts of every request, for which a stream of their characters is too slow. */
public final class Chars {

  private Chars() {}

  public static boolean all(String text, IntPredicate test) {
    for (int i = 0; i < text.length(); i++) {
      if (!test.test(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** Whether it is what may stand for a host, with a port or without. */
  public static boolean isHost(String text) {
    return all(text, c -> c < 128 && (Character.isLetterOrDigit(c) || "-._:[]~".indexOf(c) >= 0));
  }
}
