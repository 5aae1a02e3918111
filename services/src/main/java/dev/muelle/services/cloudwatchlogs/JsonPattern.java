package dev.muelle.services.cloudwatchlogs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.muelle.services.cloudwatchlogs.Comparison.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;

/**
 * Conditions on the properties of a message in JSON. A comparison holds only of strings, numbers
 * and booleans: an array, an object, null or a property that is not there satisfies neither {@code
 * =} nor {@code !=}. With a wildcard, one element that satisfies the condition is enough.
 */
record JsonPattern(Condition<JsonNode> condition, Map<String, List<Step>> selectors)
    implements FilterPattern {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final int MOST_WILDCARDS = 3;
  private static final int LONGEST_INDEX = 9; // in digits

  /** One step down from a node. */
  sealed interface Step {
    record Property(String name) implements Step {}

    record Element(int index) implements Step {}

    record Wildcard() implements Step {}
  }

  /**
   * Reads what stands between the braces.
   *
   * @throws software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException if it is
   *     no pattern
   */
  static FilterPattern parse(String inner) {
    PatternReader in = new PatternReader(inner);
    Conditions conditions = new Conditions(in);
    Condition<JsonNode> condition = Expression.read(in, conditions::read);
    in.skipBlanks();
    if (!in.atEnd()) {
      throw PatternReader.unexpected(in.peek());
    }
    return new JsonPattern(condition, Map.copyOf(conditions.selectors));
  }

  @Override
  public boolean matches(String message) {
    JsonNode root = read(message);
    return root != null && condition.test().test(root);
  }

  @Override
  public List<String> needs() {
    return condition.needs();
  }

  /** Any character may be written by its number; those of what is needed are ASCII. */
  @Override
  public String disguise() {
    return "\\u00";
  }

  @Override
  public Map<String, String> extracted(String message) {
    JsonNode root = read(message);
    Map<String, String> extracted = new LinkedHashMap<>();
    for (var selector : selectors.entrySet()) {
      String value = root == null ? null : first(root, selector.getValue());
      if (value != null) {
        extracted.put(selector.getKey(), value);
      }
    }
    return extracted;
  }

  /** Any property, whether the pattern has it or not. */
  @Override
  public @Nullable Selector selector(String text) {
    PatternReader in = new PatternReader(text);
    List<Step> path;
    try {
      path = new Conditions(in).path();
    } catch (InvalidParameterException e) {
      return null;
    }
    if (!in.atEnd()) {
      return null;
    }
    return message -> {
      JsonNode root = read(message);
      return root == null ? null : first(root, path);
    };
  }

  private static @Nullable String first(JsonNode root, List<Step> path) {
    return select(root, path).stream()
        .filter(node -> node.isValueNode() && !node.isNull())
        .map(JsonNode::asText)
        .findFirst()
        .orElse(null);
  }

  /** Null if it is not JSON: patterns of this kind do not apply. */
  private static @Nullable JsonNode read(String message) {
    int first = 0;
    while (first < message.length() && Character.isWhitespace(message.charAt(first))) {
      first++;
    }
    if (first == message.length() || "{[".indexOf(message.charAt(first)) < 0) {
      return null; // cheaper than an exception, and what most lines are
    }
    try {
      return JSON.readTree(message);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** Reads conditions and counts what has a quota. */
  private static final class Conditions {
    private final PatternReader in;
    private final Expressions expressions = new Expressions(Comparison.MOST_EXPRESSIONS);
    private final Map<String, List<Step>> selectors = new LinkedHashMap<>();
    private int wildcards;

    Conditions(PatternReader in) {
      this.in = in;
    }

    Condition<JsonNode> read() {
      int start = in.position();
      List<Step> path = path();
      selectors.put(in.since(start), path);
      if (in.acceptWord("IS")) {
        return is(path);
      }
      if (in.acceptWord("NOT")) {
        if (!in.acceptWord("EXISTS")) {
          throw PatternReader.invalid();
        }
        return new Condition<>(root -> select(root, path).isEmpty(), List.of());
      }
      Comparison comparison = Comparison.read(in, expressions);
      if (comparison == null) {
        throw PatternReader.invalid();
      }
      List<String> needs = names(path);
      comparison.needs().forEach(text -> needs.addAll(Literals.inJson(text)));
      return new Condition<>(
          root ->
              select(root, path).stream()
                  .filter(node -> node.isValueNode() && !node.isNull())
                  .anyMatch(node -> comparison.test(value(node))),
          needs);
    }

    private Condition<JsonNode> is(List<Step> path) {
      Predicate<JsonNode> wanted;
      if (in.acceptWord("NULL")) {
        wanted = JsonNode::isNull;
      } else if (in.acceptWord("TRUE")) {
        wanted = node -> node.isBoolean() && node.booleanValue();
      } else if (in.acceptWord("FALSE")) {
        wanted = node -> node.isBoolean() && !node.booleanValue();
      } else {
        throw PatternReader.invalid();
      }
      return new Condition<>(root -> select(root, path).stream().anyMatch(wanted), names(path));
    }

    /** As they stand in a message: in quotation marks. */
    private static List<String> names(List<Step> path) {
      List<String> names = new ArrayList<>();
      for (Step step : path) {
        if (step instanceof Step.Property(String name) && Literals.isPlain(name)) {
          names.add('"' + name + '"');
        }
      }
      return names;
    }

    private List<Step> path() {
      if (in.peek() != '$') {
        throw in.atEnd() ? PatternReader.invalid() : PatternReader.unexpected(in.peek());
      }
      in.next();
      List<Step> path = new ArrayList<>();
      int before = wildcards;
      while (in.peek() == '.' || in.peek() == '[') {
        path.add(in.next() == '[' ? bracketed() : afterDot());
      }
      if (path.isEmpty() || wildcards > before + 1) {
        throw PatternReader.invalid();
      }
      if (wildcards > MOST_WILDCARDS) {
        throw PatternReader.invalid();
      }
      return List.copyOf(path);
    }

    private Step afterDot() {
      if (in.peek() == '[') {
        in.next();
        return bracketed();
      }
      return in.peek() == '*' ? wildcard() : new Step.Property(in.run("-"));
    }

    private Step bracketed() {
      in.skipBlanks();
      Step step =
          switch (in.peek()) {
            case '*' -> wildcard();
            case '\'', '"' -> new Step.Property(in.quoted(in.peek()));
            default -> index(in.run(""));
          };
      in.expect("]");
      return step;
    }

    private Step wildcard() {
      in.next();
      wildcards++;
      return new Step.Wildcard();
    }

    private static Step index(String digits) {
      if (digits.length() > LONGEST_INDEX || !digits.chars().allMatch(Character::isDigit)) {
        throw PatternReader.invalid();
      }
      return new Step.Element(Integer.parseInt(digits));
    }
  }

  private static List<JsonNode> select(JsonNode root, List<Step> path) {
    List<JsonNode> nodes = List.of(root);
    for (Step step : path) {
      List<JsonNode> below = new ArrayList<>();
      for (JsonNode node : nodes) {
        switch (step) {
          case Step.Property(String name) -> below.add(node.path(name));
          case Step.Element(int index) ->
              below.add(node.isArray() ? node.path(index) : MissingNode.getInstance());
          case Step.Wildcard() -> node.forEach(below::add);
        }
      }
      below.removeIf(JsonNode::isMissingNode);
      nodes = below;
    }
    return nodes;
  }

  private static Value value(JsonNode node) {
    return node.isNumber()
        ? new Value(node.asText(), node.decimalValue())
        : new Value(node.asText(), null);
  }
}
