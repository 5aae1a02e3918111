package dev.muelle.balancer.http;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a listener changes in the header fields of requests and of answers.
 *
 * @param requestNames other names for fields that the load balancer adds to requests, by their
 *     usual names
 * @param server whether clients are told who serves
 * @param response fields that every answer has, with these values; names in lower case
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html">
 *     HTTP header modification for your Application Load Balancer</a>
 */
public record Edits(
    Map<String, String> requestNames, boolean server, Map<String, String> response) {

  /** Nothing is changed. */
  public static final Edits NONE = new Edits(Map.of(), true, Map.of());

  public Edits {
    requestNames = Map.copyOf(requestNames);
    Map<String, String> lower = new LinkedHashMap<>();
    response.forEach((name, value) -> lower.put(name.toLowerCase(Locale.ROOT), value));
    response = java.util.Collections.unmodifiableMap(lower);
  }

  /** What a field of requests is called here. */
  public String name(String usual) {
    return requestNames.getOrDefault(usual, usual);
  }

  public boolean changesAnswers() {
    return !server || !response.isEmpty();
  }

  /** Whether a field of an answer, in lower case, is not passed on as it is. */
  public boolean drops(String name) {
    return !server && name.equals("server") || response.containsKey(name);
  }
}
