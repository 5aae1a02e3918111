package dev.muelle.services.cloudwatch.alarm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.StoredJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;

/** The JSON that alarms are told in. */
final class Json {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static ObjectNode empty() {
    return MAPPER.createObjectNode();
  }

  static ObjectNode object() {
    return empty().put("version", "1.0");
  }

  static String text(JsonNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a caller gave as JSON; null if it is none. */
  static @Nullable JsonNode read(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  static JsonNode configuration(Alarm alarm) {
    try {
      return MAPPER.readTree(
          alarm.metric() != null
              ? StoredJson.codec(MetricAlarm.class).encode(alarm.metric())
              : StoredJson.codec(CompositeAlarm.class).encode(alarm.isComposite()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
