package dev.muelle.services.cloudwatch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
  private static final int COLUMNS = 24;
  private static final int ROWS = 1_000;
  private static final int MOST_WIDGETS = 500;

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
      error(path + "/type", "Should be one of: " + TYPES.stream().sorted().toList());
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
      case "metric" -> {
        if (!properties.has("metrics") && !properties.has("annotations")) {
          error(inside, "Should have required property 'metrics'");
        } else if (properties.has("metrics") && !properties.get("metrics").isArray()) {
          error(inside + "/metrics", "Should be array");
        }
        if (!properties.has("region")) {
          warning(inside, "Should have property 'region'");
        }
      }
      default -> {}
    }
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
