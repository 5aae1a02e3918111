package dev.muelle.services.cloudwatch.widget;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;

/**
 * One entry of a widget's {@code metrics}: a metric, with dots for what is as in the entry before,
 * or an expression.
 *
 * @param words namespace, name, and names and values of dimensions; empty for an expression
 * @param period seconds
 */
record Line(
    List<String> words,
    @Nullable String id,
    @Nullable String expression,
    @Nullable String label,
    @Nullable String color,
    @Nullable String stat,
    @Nullable Integer period,
    boolean visible,
    Side side) {

  private static final Set<String> PROPERTIES =
      Set.of(
          "accountId",
          "color",
          "expression",
          "id",
          "label",
          "period",
          "region",
          "stat",
          "visible",
          "yAxis");
  private static final int DAY = 86_400;

  /** Which axis. */
  enum Side {
    LEFT,
    RIGHT
  }

  /**
   * Reads an entry.
   *
   * @param before what the entry before it is, dots resolved
   * @param region the only one that there is
   */
  static Line read(JsonNode entry, String path, List<String> before, String region) {
    Fields here = new Fields(entry, path);
    if (!entry.isArray() || entry.isEmpty()) {
      throw here.wrong("", "Should be a non-empty array");
    }
    List<JsonNode> items = new ArrayList<>();
    entry.forEach(items::add);
    JsonNode last = JsonNodeFactory.instance.objectNode();
    if (items.getLast().isObject()) {
      last = items.removeLast();
    }
    Fields fields = Fields.of(last, path + "/" + items.size(), PROPERTIES);
    if (fields.has("accountId")) {
      throw fields.wrong("accountId", "Is not supported by this region yet");
    }
    if (!fields.text("region", region).equals(region)) {
      throw fields.wrong("region", "Only " + region + " is supported");
    }
    String expression = fields.text("expression");
    if ((expression == null) == items.isEmpty()) {
      throw here.wrong("", "Should be a metric or an expression");
    }
    List<String> words = expression == null ? words(items, before, here) : List.of();
    String id = fields.text("id");
    return new Line(
        words,
        id,
        expression,
        fields.text("label"),
        fields.color(),
        fields.text("stat"),
        fields.has("period") ? fields.integer("period", 0, 1, DAY * 30) : null,
        fields.flag("visible", true),
        fields.oneOf("yAxis", Side.LEFT, Side.class));
  }

  /** A dot is the word in the same place before, three are all that are left. */
  private static List<String> words(List<JsonNode> items, List<String> before, Fields here) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      if (!items.get(i).isTextual()) {
        throw here.wrong(Integer.toString(i), "Should be string");
      }
      String word = items.get(i).textValue();
      if (word.equals("...")) {
        int kept = before.size() - (items.size() - 1 - i);
        if (words.size() > kept) {
          throw here.wrong(Integer.toString(i), "Nothing before it that it could stand for");
        }
        words.addAll(before.subList(words.size(), kept));
      } else if (word.equals(".")) {
        if (words.size() >= before.size()) {
          throw here.wrong(Integer.toString(i), "Nothing before it that it could stand for");
        }
        words.add(before.get(words.size()));
      } else {
        words.add(word);
      }
    }
    if (words.size() < 2 || words.size() % 2 != 0) {
      throw here.wrong("", "Should have a namespace, a metric name, and dimensions in pairs");
    }
    return words;
  }

  List<Dimension> dimensions() {
    List<Dimension> dimensions = new ArrayList<>();
    for (int i = 2; i < words.size(); i += 2) {
      dimensions.add(Dimension.builder().name(words.get(i)).value(words.get(i + 1)).build());
    }
    return dimensions;
  }
}
