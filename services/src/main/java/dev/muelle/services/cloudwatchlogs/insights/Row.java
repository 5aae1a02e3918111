package dev.muelle.services.cloudwatchlogs.insights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way through a query, or what {@code stats} made of many: names and values.
 * Properties of a message in JSON are found by their path when somebody asks.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html">Supported
 *     logs and discovered fields</a>
 */
public final class Row {

  private static final ObjectMapper JSON = JsonMapper.builder().build();
  private static final String MESSAGE = "@message";
  private static final int DEEPEST = 100;

  private final Map<String, @Nullable Object> values = new LinkedHashMap<>();
  private @Nullable JsonNode message;

  /** Nothing yet. */
  Row() {}

  /** An event. */
  public static Row event(
      long time, long ingested, String message, String stream, String log, String pointer) {
    Row row = new Row();
    row.put("@timestamp", new Values.Time(time));
    row.put(MESSAGE, message);
    row.put("@logStream", stream);
    row.put("@log", log);
    row.put("@ingestionTime", new Values.Time(ingested));
    row.put("@ptr", pointer);
    return row;
  }

  void put(String name, @Nullable Object value) {
    values.put(name, value);
  }

  /** Null if there is none of that name. */
  @Nullable Object get(String name) {
    if (values.containsKey(name)) {
      return values.get(name);
    }
    if (name.startsWith("@")) {
      return null;
    }
    for (int dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      if (values.get(name.substring(0, dot)) instanceof JsonNode node) {
        return value(find(node, name.substring(dot + 1), 0));
      }
    }
    return value(find(json(), name, 0));
  }

  private static @Nullable Object value(JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (node.isNumber()) {
      return node.doubleValue();
    }
    return node.isContainerNode() ? node : node.asText();
  }

  private JsonNode json() {
    if (message == null) {
      message = MissingNode.getInstance();
      if (values.get(MESSAGE) instanceof String text && text.stripLeading().startsWith("{")) {
        try {
          message = JSON.readTree(text);
        } catch (JsonProcessingException e) {
          // Not JSON: it has no properties.
        }
      }
    }
    return message;
  }

  /** A property by its path; names may have dots themselves. */
  private static JsonNode find(JsonNode node, String path, int depth) {
    JsonNode whole = step(node, path);
    if (!whole.isMissingNode() || depth > DEEPEST) {
      return whole;
    }
    for (int dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
      JsonNode below = step(node, path.substring(0, dot));
      if (below.isContainerNode()) {
        JsonNode found = find(below, path.substring(dot + 1), depth + 1);
        if (!found.isMissingNode()) {
          return found;
        }
      }
    }
    return whole;
  }

  private static JsonNode step(JsonNode node, String name) {
    boolean index = node.isArray() && name.length() < 7 && name.chars().allMatch(Row::isDigit);
    return index && !name.isEmpty() ? node.path(Integer.parseInt(name)) : node.path(name);
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  /**
   * All that the event has, discovered properties included.
   *
   * @param most how many at most
   */
  public Map<String, String> all(int most) {
    Map<String, String> all = new LinkedHashMap<>();
    values.forEach((name, value) -> {
      if (value != null) {
        all.put(name, Values.text(value));
      }
    });
    each(
        json(),
        "",
        (name, node) -> {
          if (all.size() < most) {
            all.putIfAbsent(name, node.asText());
          }
        });
    return all;
  }

  private static void each(JsonNode node, String path, BiConsumer<String, JsonNode> leaf) {
    String prefix = path.isEmpty() ? "" : path + ".";
    if (node.isObject()) {
      node.properties().forEach(p -> each(p.getValue(), prefix + p.getKey(), leaf));
    } else if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        each(node.get(i), prefix + i, leaf);
      }
    } else if (!node.isMissingNode() && !node.isNull()) {
      leaf.accept(path, node);
    }
  }

  /** What JSON a text is; null if it is none. */
  static @Nullable JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return null;
    }
  }
}
