package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.InvalidEventPatternException;
import software.amazon.event.ruler.GenericMachine;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.MachineComplexityEvaluator;

/**
 * Event patterns, decided by Amazon's own Event Ruler.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html">Comparison
 *     operators</a>
 */
final class Pattern {

  private static final int MAX_CHARS = 4096;
  private static final int MAX_WILDCARDS = 1000;

  private Pattern() {}

  static String check(@Nullable String pattern) {
    if (pattern == null || pattern.length() > MAX_CHARS) {
      throw wrong("it may have " + MAX_CHARS + " characters");
    }
    String fault = JsonRuleCompiler.check(pattern);
    if (fault != null) {
      throw wrong(
          fault.replace(
              "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)",
              "(String)\"" + pattern + "\""));
    }
    GenericMachine<String> machine = machine();
    add(machine, "pattern", pattern);
    if (machine.evaluateComplexity(new MachineComplexityEvaluator(MAX_WILDCARDS))
        >= MAX_WILDCARDS) {
      throw wrong(
          "Rule is too complex - try using fewer wildcard characters or fewer repeating"
              + " character sequences after a wildcard character");
    }
    return pattern;
  }

  private static InvalidEventPatternException wrong(String why) {
    return InvalidEventPatternException.builder()
        .message("Event pattern is not valid. Reason: " + why)
        .build();
  }

  static GenericMachine<String> machine() {
    return Machine.builder().build();
  }

  static void add(GenericMachine<String> machine, String name, String pattern) {
    try {
      machine.addRule(name, pattern);
    } catch (IOException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  static boolean matches(String pattern, JsonNode event) {
    GenericMachine<String> machine = machine();
    add(machine, "pattern", pattern);
    return !machine.rulesForJSONEvent(event).isEmpty();
  }

  /**
   * What a pattern asks of source and detail type alone: null if it asks nothing of them.
   *
   * @param pattern checked
   */
  static @Nullable String origin(String pattern) {
    JsonNode whole = Json.read(pattern).orElseGet(Json::object);
    ObjectNode origin = Json.object();
    for (String member : new String[] {"source", "detail-type"}) {
      if (whole.has(member)) {
        origin.set(member, whole.get(member));
      }
    }
    return origin.isEmpty() ? null : origin.toString();
  }
}
