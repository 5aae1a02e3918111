package dev.muelle.services.cloudwatch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.cloudwatch.model.DashboardValidationMessage;

/**
 * Looks a dashboard's body through. Pure.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html">Dashboard
 *     body structure and syntax</a>
 */
final class DashboardBody {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Set<String> TYPES =
      Set.of("metric", "text", "log", "alarm", "explorer", "custom", "trace");
  private static final Set<String> VIEWS =
      Set.of("timeSeries", "singleValue", "gauge", "bar", "pie", "table");
  private static final Set<String> LOG_VIEWS =
      Set.of("table", "timeSeries", "bar", "pie", "stackedArea");
  private static final Set<String> OVERRIDES = Set.of("auto", "inherit");
  private static final String NOT_ALLOWED = "Should be equal to one of the allowed values";
  private static final int COLUMNS = 24;
  private static final int ROWS = 1_000;
  private static final int MOST_WIDGETS = 500;
  private static final int MOST_ALARMS = 100;

  /** What makes the body unusable. */
  final List<DashboardValidationMessage> errors = new ArrayList<>();

  /** What makes a widget show nothing. */
  final List<DashboardValidationMessage> warnings = new ArrayList<>();

  private DashboardBody() {}

  static DashboardBody check(String text) {
    DashboardBody body = new DashboardBody();
    try {
      body.root(MAPPER.readTree(text));
    } catch (JsonProcessingException e) {
      body.error("", "The field body must be a valid JSON object");
    }
    return body;
  }

  private void error(String path, String message) {
    errors.add(DashboardValidationMessage.builder().dataPath(path).message(message).build());
  }

  private void warning(String path, String message) {
    warnings.add(DashboardValidationMessage.builder().dataPath(path).message(message).build());
  }

  private void root(JsonNode root) {
    if (!root.isObject()) {
      error("", "The field body must be a valid JSON object");
      return;
    }
    text("", root, "start");
    text("", root, "end");
    oneOf("", root, "periodOverride", OVERRIDES);
    JsonNode widgets = root.path("widgets");
    if (!widgets.isArray()) {
      error("", "Should have required property 'widgets'");
    } else if (widgets.size() > MOST_WIDGETS) {
      error("/widgets", "Should NOT have more than " + MOST_WIDGETS + " items");
    } else {
      for (int i = 0; i < widgets.size(); i++) {
        widget("/widgets/" + i, widgets.get(i));
      }
    }
  }

  private void widget(String path, JsonNode widget) {
    if (!widget.isObject()) {
      error(path, "Should be object");
      return;
    }
    JsonNode type = widget.path("type");
    if (!type.isTextual()) {
      error(path, "Should have required property 'type'");
    } else if (!TYPES.contains(type.asText())) {
      error(path + "/type", NOT_ALLOWED);
    }
    number(path, widget, "x", 0, COLUMNS - 1);
    number(path, widget, "y", 0, Integer.MAX_VALUE);
    number(path, widget, "width", 1, COLUMNS);
    number(path, widget, "height", 1, ROWS);
    JsonNode properties = widget.path("properties");
    if (!properties.isObject()) {
      error(path, "Should have required property 'properties'");
      return;
    }
    String inside = path + "/properties";
    switch (type.asText()) {
      case "text" -> {
        if (!properties.path("markdown").isTextual()) {
          error(inside, "Should have required property 'markdown'");
        }
      }
      case "metric" -> metric(inside, properties);
      case "log" -> {
        if (!properties.path("query").isTextual()) {
          error(inside, "Should have required property 'query'");
        }
        oneOf(inside, properties, "view", LOG_VIEWS);
        region(inside, properties);
      }
      case "alarm" -> {
        JsonNode alarms = properties.path("alarms");
        if (!alarms.isArray()) {
          error(inside, "Should have required property 'alarms'");
        } else if (alarms.size() > MOST_ALARMS) {
          error(inside + "/alarms", "Should NOT have more than " + MOST_ALARMS + " items");
        }
      }
      default -> {}
    }
  }

  private void metric(String path, JsonNode properties) {
    if (!properties.has("metrics") && !properties.has("annotations")) {
      error(path, "Should have required property 'metrics'");
    } else if (properties.has("metrics")) {
      lines(path + "/metrics", properties.get("metrics"));
    }
    oneOf(path, properties, "view", VIEWS);
    JsonNode alarms = properties.path("annotations").path("alarms");
    if (alarms.size() > 1) {
      error(path + "/annotations/alarms", "Should NOT have more than 1 items");
    }
    JsonNode levels = properties.path("annotations").path("horizontal");
    for (int i = 0; i < levels.size(); i++) {
      if (levels.get(i).isObject() && !levels.get(i).path("value").isNumber()) {
        error(path + "/annotations/horizontal/" + i, "Should have required property 'value'");
      }
    }
    region(path, properties);
  }

  private void lines(String path, JsonNode metrics) {
    if (!metrics.isArray()) {
      error(path, "Should be array");
      return;
    }
    for (int i = 0; i < metrics.size(); i++) {
      JsonNode line = metrics.get(i);
      if (!line.isArray()) {
        error(path + "/" + i, "Should be array");
        continue;
      }
      for (int j = 0; j < line.size(); j++) {
        boolean last = j == line.size() - 1;
        if (!line.get(j).isTextual() && !(last && line.get(j).isObject())) {
          error(
              path + "/" + i,
              "Field \"metrics\" has to be an array of array of strings, with an optional"
                  + " metricRenderer object as last element");
          break;
        }
      }
    }
  }

  private void region(String path, JsonNode properties) {
    if (!properties.path("region").isTextual()) {
      warning(path, "Should have property 'region'");
    }
  }

  private void text(String path, JsonNode node, String name) {
    if (node.has(name) && !node.get(name).isTextual()) {
      error(path + "/" + name, "Should be string");
    }
  }

  private void oneOf(String path, JsonNode node, String name, Set<String> allowed) {
    if (node.has(name) && !allowed.contains(node.get(name).asText())) {
      error(path + "/" + name, NOT_ALLOWED);
    }
  }

  /** The errors as they are told. */
  String told() {
    ArrayNode all = MAPPER.createArrayNode();
    errors.forEach(
        one -> all.addObject().put("dataPath", one.dataPath()).put("message", one.message()));
    return "The dashboard body is invalid, there are "
        + errors.size()
        + " validation errors:\n"
        + all.toPrettyString();
  }

  private void number(String path, JsonNode widget, String name, int least, int most) {
    JsonNode value = widget.path(name);
    if (value.isMissingNode()) {
      return;
    }
    if (!value.isIntegralNumber()) {
      error(path + "/" + name, "Should be integer");
    } else if (value.asLong() < least) {
      error(path + "/" + name, "Should be >= " + least);
    } else if (value.asLong() > most) {
      error(path + "/" + name, "Should be <= " + most);
    }
  }
}
