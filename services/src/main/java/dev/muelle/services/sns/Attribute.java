package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.sns.model.MessageAttributeValue;

/**
 * An attribute of a message.
 *
 * @param value in base 64 if it is binary
 * @see <a href="https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html">Message
 *     attributes</a>
 */
record Attribute(String type, String value) {

  private static final int MAX_NAME = 256;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*");
  private static final Pattern RESERVED = Pattern.compile("(?i)(aws|amazon)\\..*");
  private static final int MAX_DIGITS = 38;
  private static final int MAX_EXPONENT = 128;

  /** What a request brings, checked. */
  static Map<String, Attribute> read(Map<String, MessageAttributeValue> given) {
    Map<String, Attribute> read = new LinkedHashMap<>();
    given.forEach((name, value) -> {
      if (name.length() > MAX_NAME
          || !NAME.matcher(name).matches()
          || RESERVED.matcher(name).matches()) {
        throw Refuse.value(
            "The message attribute name '"
                + name
                + "' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen"
                + " (-), and period (.) characters.");
      }
      read.put(name, of(name, value));
    });
    return read;
  }

  private static Attribute of(String name, MessageAttributeValue given) {
    String type = given.dataType() == null ? "" : given.dataType();
    String base = type.contains(".") ? type.substring(0, type.indexOf('.')) : type;
    return switch (base) {
      case "String", "Number" -> {
        if (given.binaryValue() != null || given.stringValue() == null) {
          throw empty(name, type);
        }
        String value = given.stringValue();
        if (value.isEmpty()) {
          throw empty(name, type);
        }
        if (base.equals("Number") && number(value).isEmpty()) {
          throw Refuse.value("Could not cast message attribute '" + name + "' value to number.");
        }
        if (type.startsWith("String.Array")
            && Json.tree(value).filter(JsonNode::isArray).isEmpty()) {
          throw Refuse.value(
              "The message attribute '" + name + "' must be a JSON array, as its type says.");
        }
        yield new Attribute(type, value);
      }
      case "Binary" -> {
        if (given.stringValue() != null
            || given.binaryValue() == null
            || given.binaryValue().asByteArrayUnsafe().length == 0) {
          throw empty(name, type);
        }
        yield new Attribute(
            type, Base64.getEncoder().encodeToString(given.binaryValue().asByteArrayUnsafe()));
      }
      default ->
          throw Refuse.value(
              "The message attribute '"
                  + name
                  + "' has an invalid message attribute type, the set of supported type prefixes is"
                  + " Binary, Number, and String.");
    };
  }

  private static RuntimeException empty(String name, String type) {
    return Refuse.value(
        "The message attribute '"
            + name
            + "' must contain non-empty message attribute value for message attribute type '"
            + type
            + "'.");
  }

  private static Optional<BigDecimal> number(String text) {
    try {
      BigDecimal number = new BigDecimal(text);
      boolean fits =
          number.precision() <= MAX_DIGITS
              && Math.abs((long) number.precision() - number.scale()) <= MAX_EXPONENT;
      return fits ? Optional.of(number) : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  int bytes() {
    return type.length()
        + (type.startsWith("Binary")
            ? Base64.getDecoder().decode(value).length
            : value.getBytes(StandardCharsets.UTF_8).length);
  }
}
