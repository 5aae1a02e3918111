package dev.muelle.balancer.http;

import java.util.Arrays;

/** Names of fields, lower case, that those of a head are looked up in without making strings. */
public final class Names {

  /** By their length, which most names are told apart by already. */
  private final String[][] byLength;

  private Names(String[][] byLength) {
    this.byLength = byLength;
  }

  public static Names of(String... names) {
    int longest = 0;
    for (String name : names) {
      longest = Math.max(longest, name.length());
    }
    String[][] byLength = new String[longest + 1][];
    for (int length = 0; length <= longest; length++) {
      int these = length;
      byLength[length] =
          Arrays.stream(names).filter(n -> n.length() == these).toArray(String[]::new);
    }
    return new Names(byLength);
  }

  public boolean has(Head head, int field) {
    int length = head.nameLength(field);
    if (length < byLength.length) {
      for (String name : byLength[length]) {
        if (head.is(field, name)) {
          return true;
        }
      }
    }
    return false;
  }
}
