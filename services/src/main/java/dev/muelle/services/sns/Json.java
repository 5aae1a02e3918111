package dev.muelle.services.sns;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** The JSON of policies, messages and notifications. */
final class Json {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** What a caller gave as a JSON object. */
  static JsonNode read(String parameter, String text) {
    return tree(text)
        .filter(JsonNode::isObject)
        .orElseThrow(() -> Refuse.invalid(parameter + ": failed to parse JSON."));
  }

  /** Empty if the text is no JSON. */
  static Optional<JsonNode> tree(String text) {
    try {
      return Optional.ofNullable(MAPPER.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** With a line for each member, as SNS writes its notifications. */
  static String lines(ObjectNode node) {
    StringBuilder text = new StringBuilder("{\n");
    node.properties()
        .forEach(member ->
            text.append(text.length() > 2 ? ",\n" : "")
                .append("  \"")
                .append(member.getKey())
                .append("\" : ")
                .append(member.getValue()));
    return text.append("\n}").toString();
  }
}
