package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;

/**
 * The part of JSONPath that EventBridge has: members after dots or in brackets, elements of arrays,
 * and all of them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html">Input
 *     transformation</a>
 */
final class Path {

  private static final java.util.regex.Pattern STEP =
      java.util.regex.Pattern.compile(
          "\\.([A-Za-z0-9_-]+)|\\[(\\d{1,6})]|\\['([^']+)']|\\[\"([^\"]+)\"]|\\[(\\*)]");

  private Path() {}

  static boolean isValid(String path) {
    return path.matches("\\$(" + STEP.pattern() + ")*");
  }

  /** What a valid path leads to. */
  static Optional<JsonNode> follow(String path, JsonNode event) {
    List<JsonNode> here = List.of(event);
    boolean many = false;
    Matcher step = STEP.matcher(path);
    while (step.find()) {
      List<JsonNode> next = new ArrayList<>();
      for (JsonNode node : here) {
        if (step.group(5) != null) {
          node.forEach(next::add);
          many = true;
        } else if (step.group(2) != null) {
          add(next, node.get(Integer.parseInt(step.group(2))));
        } else {
          String name =
              step.group(1) != null
                  ? step.group(1)
                  : step.group(3) != null ? step.group(3) : step.group(4);
          add(next, node.get(name));
        }
      }
      here = next;
    }
    if (many) {
      ArrayNode all = Json.object().arrayNode();
      here.forEach(all::add);
      return Optional.of(all);
    }
    return here.stream().findFirst();
  }

  private static void add(List<JsonNode> to, @org.jspecify.annotations.Nullable JsonNode node) {
    if (node != null) {
      to.add(node);
    }
  }
}
