package dev.muelle.services.cloudwatch.widget;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.cloudwatch.series.Refuse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One object of a widget's JSON, of which every property is either known or refused.
 *
 * @param path where it stands, for messages
 */
record Fields(JsonNode node, String path) {

  private static final Pattern COLOR = Pattern.compile("#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})");

  static Fields of(JsonNode node, String path, Set<String> known) {
    Fields fields = new Fields(node, path);
    if (!node.isObject()) {
      throw fields.wrong("", "Should be object");
    }
    Set<String> unknown = new TreeSet<>();
    node.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(known);
    if (!unknown.isEmpty()) {
      throw fields.wrong("", "Should NOT have additional properties: " + unknown);
    }
    return fields;
  }

  RuntimeException wrong(String name, String message) {
    return Refuse.invalid(
        "Invalid metric widget: [{\"dataPath\":\""
            + path
            + (name.isEmpty() ? "" : "/" + name)
            + "\",\"message\":\""
            + message.replace("\"", "'")
            + "\"}]");
  }

  boolean has(String name) {
    return node.hasNonNull(name);
  }

  @Nullable String text(String name) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(name, "Should be string");
    }
    return value.textValue();
  }

  String text(String name, String otherwise) {
    String text = text(name);
    return text == null ? otherwise : text;
  }

  boolean flag(String name, boolean otherwise) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrong(name, "Should be boolean");
    }
    return value.booleanValue();
  }

  int integer(String name, int otherwise, int least, int most) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return otherwise;
    }
    if (!value.isIntegralNumber()) {
      throw wrong(name, "Should be integer");
    }
    if (value.bigIntegerValue().bitLength() > 31 || value.intValue() < least) {
      throw wrong(name, "Should be >= " + least);
    }
    if (value.intValue() > most) {
      throw wrong(name, "Should be <= " + most);
    }
    return value.intValue();
  }

  @Nullable Double number(String name) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return null;
    }
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw wrong(name, "Should be number");
    }
    return value.doubleValue();
  }

  /** {@code #rrggbb}; the short form is made the long one. */
  @Nullable String color() {
    String color = text("color");
    if (color == null) {
      return null;
    }
    if (!COLOR.matcher(color).matches()) {
      throw wrong("color", "Should be a color like #ff0000");
    }
    return color.length() == 7 ? color : "#" + color.substring(1).replaceAll("(.)", "$1$1");
  }

  <E extends Enum<E>> E oneOf(String name, E otherwise, Class<E> type) {
    String text = text(name);
    if (text == null) {
      return otherwise;
    }
    List<String> known = new ArrayList<>();
    for (E each : type.getEnumConstants()) {
      String written = each.name().toLowerCase(Locale.ROOT);
      if (written.equals(text.toLowerCase(Locale.ROOT))) {
        return each;
      }
      known.add(written);
    }
    throw wrong(name, "Should be equal to one of the allowed values: " + known);
  }

  List<JsonNode> list(String name) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw wrong(name, "Should be array");
    }
    List<JsonNode> all = new ArrayList<>();
    value.forEach(all::add);
    return all;
  }

  Fields object(String name, Set<String> known) {
    return of(node.get(name), path + "/" + name, known);
  }
}
