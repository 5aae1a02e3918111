package dev.muelle.services.ecs.placement;

import java.math.BigInteger;

/** Compares versions number by number: {@code 1.9} is before {@code 1.14.5}. */
final class Versions {

  private Versions() {}

  static int compare(String left, String right) {
    String[] lefts = left.split("[.\\-+]", -1);
    String[] rights = right.split("[.\\-+]", -1);
    for (int i = 0; i < Math.max(lefts.length, rights.length); i++) {
      int sign = part(i < lefts.length ? lefts[i] : "0", i < rights.length ? rights[i] : "0");
      if (sign != 0) {
        return sign;
      }
    }
    return 0;
  }

  private static int part(String left, String right) {
    return number(left) && number(right)
        ? new BigInteger(left).compareTo(new BigInteger(right))
        : left.compareTo(right);
  }

  private static boolean number(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
