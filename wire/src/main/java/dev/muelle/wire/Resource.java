package dev.muelle.wire;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the REST protocols have an operation: a method, and a path with <a
 * href="https://smithy.io/2.0/spec/http-bindings.html#labels">labels</a>.
 *
 * @param segments of the path; a label is in braces, and with a plus takes as many as there are
 */
record Resource(String method, List<String> segments) {

  /** A label that takes several segments. */
  private static final String GREEDY = "+}";

  static Resource of(String method, String template) {
    return new Resource(method, split(template));
  }

  private static List<String> split(String path) {
    return List.of(path.substring(1).split("/", -1));
  }

  /**
   * What the labels mean in a request for this operation; empty if it is for none.
   *
   * @param path still percent-encoded
   * @throws WireException (malformed) if an escape in a label is broken
   */
  Optional<Map<String, String>> labels(String asked, String path) {
    List<String> parts = split(path);
    int more = parts.size() - segments.size();
    boolean greedy = segments.stream().anyMatch(segment -> segment.endsWith(GREEDY));
    if (!method.equals(asked) || (greedy ? more < 0 : more != 0)) {
      return Optional.empty();
    }
    Map<String, String> labels = new HashMap<>();
    int at = 0;
    for (String segment : segments) {
      int end = at + 1 + (segment.endsWith(GREEDY) ? more : 0);
      String part = String.join("/", parts.subList(at, end));
      at = end;
      if (segment.startsWith("{") && !part.isEmpty()) {
        labels.put(segment.replaceAll("[{}+]", ""), FormData.segment(part));
      } else if (!segment.equals(part)) {
        return Optional.empty();
      }
    }
    return Optional.of(labels);
  }
}
