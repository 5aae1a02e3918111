package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import software.amazon.awssdk.services.eventbridge.model.InputTransformer;
import software.amazon.awssdk.services.eventbridge.model.Target;

/**
 * What a target gets of an event.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html">Input
 *     transformation</a>
 */
final class Input {

  /** Variables that nobody has to define. */
  static final Set<String> RESERVED =
      Set.of(
          "aws.events.rule-arn",
          "aws.events.rule-name",
          "aws.events.event.ingestion-time",
          "aws.events.event",
          "aws.events.event.json");

  private static final java.util.regex.Pattern PLACEHOLDER =
      java.util.regex.Pattern.compile("<([A-Za-z0-9_.-]+)>");

  private Input() {}

  static Set<String> placeholders(String template) {
    Set<String> names = new LinkedHashSet<>();
    Matcher found = PLACEHOLDER.matcher(template);
    while (found.find()) {
      names.add(found.group(1));
    }
    return names;
  }

  /** Whether a target gets something else than the event. */
  static boolean isOwn(Target target) {
    return target.input() != null
        || target.inputPath() != null
        || target.inputTransformer() != null;
  }

  static String of(Target target, JsonNode event, String ruleArn, String ruleName, Instant at) {
    if (target.input() != null) {
      return target.input();
    }
    if (target.inputPath() != null) {
      return Path.follow(target.inputPath(), event).map(JsonNode::toString).orElse("{}");
    }
    return target.inputTransformer() == null
        ? event.toString()
        : transform(target.inputTransformer(), variables(target, event, ruleArn, ruleName, at));
  }

  private static Map<String, JsonNode> variables(
      Target target, JsonNode event, String ruleArn, String ruleName, Instant at) {
    Map<String, JsonNode> variables = new HashMap<>();
    variables.put("aws.events.rule-arn", TextNode.valueOf(ruleArn));
    variables.put("aws.events.rule-name", TextNode.valueOf(ruleName));
    variables.put("aws.events.event.ingestion-time", TextNode.valueOf(at.toString()));
    ObjectNode withoutDetail = event.deepCopy();
    withoutDetail.remove("detail");
    variables.put("aws.events.event", withoutDetail);
    variables.put("aws.events.event.json", event);
    target
        .inputTransformer()
        .inputPathsMap()
        .forEach((name, path) ->
            Path.follow(path, event).ifPresent(value -> variables.put(name, value)));
    return variables;
  }

  /** Variables become JSON; within quotes, the text that they are. */
  private static String transform(InputTransformer transformer, Map<String, JsonNode> variables) {
    String template = transformer.inputTemplate();
    StringBuilder made = new StringBuilder();
    boolean quoted = false;
    Matcher placeholder = PLACEHOLDER.matcher(template);
    for (int at = 0; at < template.length(); ) {
      placeholder.region(at, template.length());
      if (template.charAt(at) == '<' && placeholder.lookingAt()) {
        made.append(value(variables, placeholder.group(1), quoted));
        at = placeholder.end();
        continue;
      }
      char c = template.charAt(at++);
      made.append(c);
      if (c == '\\' && quoted && at < template.length()) {
        made.append(template.charAt(at++));
      } else if (c == '"') {
        quoted = !quoted;
      }
    }
    return made.toString();
  }

  private static String value(Map<String, JsonNode> variables, String name, boolean quoted) {
    Optional<JsonNode> value = Optional.ofNullable(variables.get(name));
    if (!quoted) {
      return value.map(JsonNode::toString).orElse("\"\"");
    }
    String text =
        value.map(node -> node.isTextual() ? node.textValue() : node.toString()).orElse("");
    String json = TextNode.valueOf(text).toString();
    return json.substring(1, json.length() - 1);
  }
}
