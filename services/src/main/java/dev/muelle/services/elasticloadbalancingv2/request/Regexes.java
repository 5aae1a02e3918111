package dev.muelle.services.elasticloadbalancingv2.request;

import dev.muelle.balancer.rules.Regex;

/** Regular expressions of conditions and transforms. */
public final class Regexes {

  private Regexes() {}

  public static Regex compile(String text, boolean ignoreCase) {
    try {
      return Regex.of(text, ignoreCase);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalid("The regular expression '" + text + "' is not valid");
    }
  }
}
