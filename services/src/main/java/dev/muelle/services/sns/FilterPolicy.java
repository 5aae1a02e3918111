package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.event.ruler.GenericMachine;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.MachineComplexityEvaluator;

/**
 * Which messages a subscription gets, decided by Amazon's own Event Ruler.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html">Filter
 *     policies</a>
 */
final class FilterPolicy {

  private static final int MAX_KEYS = 5;
  private static final int MAX_COMBINATIONS = 150;
  private static final int MAX_BYTES = 256 * 1024;
  private static final int MAX_WILDCARDS = 1000;
  private static final String OR = "$or";
  private static final String RULE = "policy";
  private static final Pattern PLACE = Pattern.compile("line: \\d+, column: \\d+");

  private final GenericMachine<String> machine;
  private final Scope scope;

  /** What of a message is looked at. */
  enum Scope {
    ATTRIBUTES("MessageAttributes"),
    BODY("MessageBody");

    private final String named;

    Scope(String named) {
      this.named = named;
    }

    static Scope named(@Nullable String name) {
      for (Scope scope : values()) {
        if (scope.named.equals(name)) {
          return scope;
        }
      }
      if (name == null || name.isEmpty()) {
        return ATTRIBUTES;
      }
      throw Refuse.invalid(
          "FilterPolicyScope: Invalid value ["
              + name
              + "]. Please use either MessageBody or MessageAttributes");
    }

    String named() {
      return named;
    }
  }

  private FilterPolicy(GenericMachine<String> machine, Scope scope) {
    this.machine = machine;
    this.scope = scope;
  }

  /**
   * Reads a policy, in which everything was checked.
   *
   * @throws software.amazon.awssdk.services.sns.model.InvalidParameterException in the Ruler's
   *     words, which are AWS's
   */
  static FilterPolicy of(String json, Scope scope) {
    if (json.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
      throw wrong("Filter policy is too large");
    }
    String fault = JsonRuleCompiler.check(json);
    if (fault != null) {
      Matcher place = PLACE.matcher(fault);
      throw wrong(
          fault.lines().findFirst().orElse("")
              + (place.find()
                  ? "\n at [Source: (String)\"" + json + "\"; " + place.group() + "]"
                  : ""));
    }
    JsonNode policy = Json.read("FilterPolicy", json);
    Size size = Size.of(policy, 1, scope);
    if (size.keys > MAX_KEYS) {
      throw wrong("Filter policy can not have more than " + MAX_KEYS + " keys");
    }
    if (size.combinations > MAX_COMBINATIONS) {
      throw wrong("Filter policy is too complex");
    }
    GenericMachine<String> machine = Machine.builder().build();
    try {
      machine.addRule(RULE, json);
    } catch (IOException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
    if (machine.evaluateComplexity(new MachineComplexityEvaluator(MAX_WILDCARDS))
        >= MAX_WILDCARDS) {
      throw wrong("Filter policy is too complex");
    }
    return new FilterPolicy(machine, scope);
  }

  private static RuntimeException wrong(String why) {
    return Refuse.invalid("FilterPolicy: " + why);
  }

  /**
   * How large a policy is as AWS counts: the values of all its keys are multiplied, in a body each
   * times how deep it lies.
   */
  private record Size(int keys, long combinations) {

    static Size of(JsonNode node, int depth, Scope scope) {
      int keys = 0;
      long combinations = 1;
      for (Map.Entry<String, JsonNode> member : node.properties()) {
        JsonNode value = member.getValue();
        if (member.getKey().equals(OR) && value.isArray()) {
          long alternatives = 0;
          for (JsonNode one : value) {
            Size size = of(one, depth, scope);
            keys += size.keys;
            alternatives += size.combinations;
          }
          combinations *= alternatives;
        } else if (value.isObject()) {
          if (scope == Scope.ATTRIBUTES) {
            throw wrong(
                "Filter policy scope MessageAttributes does not support nested filter policy");
          }
          Size size = of(value, depth + 1, scope);
          keys += size.keys;
          combinations *= size.combinations;
        } else {
          keys++;
          combinations *= (long) Math.max(1, value.size()) * (scope == Scope.BODY ? depth : 1);
        }
        combinations = Math.min(combinations, Integer.MAX_VALUE);
      }
      return new Size(keys, combinations);
    }
  }

  /**
   * Whether a message passes.
   *
   * @param body as this subscription's protocol gets it
   */
  boolean passes(String body, Map<String, Attribute> attributes) {
    JsonNode event =
        switch (scope) {
          case ATTRIBUTES -> event(attributes);
          case BODY -> Json.tree(body).filter(JsonNode::isObject).orElse(null);
        };
    return event != null && !machine.rulesForJSONEvent(event).isEmpty();
  }

  /** Attributes as one event: binary ones cannot be filtered by. */
  private static JsonNode event(Map<String, Attribute> attributes) {
    ObjectNode event = Json.object();
    attributes.forEach((name, attribute) -> {
      String type = attribute.type();
      if (type.startsWith("Number")) {
        event.put(name, new BigDecimal(attribute.value()));
      } else if (type.startsWith("String.Array")) {
        Json.tree(attribute.value()).ifPresent(array -> event.set(name, array));
      } else if (type.startsWith("String")) {
        event.put(name, attribute.value());
      }
    });
    return event;
  }
}
