package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;

/**
 * JSON, or CBOR, which Jackson reads as if it were JSON, into model objects. Members that the model
 * does not know are skipped, as AWS's services do, and so are members that are null; a value of the
 * wrong type is refused in their words, and so is a null within a list or map, so that services
 * meet none.
 */
final class JsonReader {
  private final JsonParser in;
  private final Shapes shapes;

  JsonReader(JsonParser in, Shapes shapes) {
    this.in = in;
    this.shapes = shapes;
  }

  /** Reads an object whose opening brace is the current token. */
  SdkPojo struct(SdkPojo builder) throws IOException {
    while (in.nextToken() != JsonToken.END_OBJECT) {
      SdkField<?> field = shapes.member(builder, in.currentName());
      JsonToken token = in.nextToken();
      if (field == null) {
        in.skipChildren();
      } else if (token != JsonToken.VALUE_NULL) {
        field.set(builder, value(field, token));
      }
    }
    return Shapes.build(builder);
  }

  private Object value(SdkField<?> field, JsonToken token) throws IOException {
    return switch (field.marshallingType().getKnownType()) {
      case SDK_POJO -> {
        expect(token == JsonToken.START_OBJECT, token, "structure");
        yield struct(field.constructor().get());
      }
      case LIST -> {
        expect(token == JsonToken.START_ARRAY, token, "list");
        SdkField<?> item = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
        List<Object> list = new ArrayList<>();
        for (JsonToken t = in.nextToken(); t != JsonToken.END_ARRAY; t = in.nextToken()) {
          list.add(value(item, t));
        }
        yield list;
      }
      case MAP -> {
        expect(token == JsonToken.START_OBJECT, token, "map");
        SdkField<?> item = field.getRequiredTrait(MapTrait.class).valueFieldInfo();
        Map<String, Object> map = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
          String key = in.currentName();
          map.put(key, value(item, in.nextToken()));
        }
        yield map;
      }
      case STRING -> {
        expect(token == JsonToken.VALUE_STRING, token, "String");
        yield in.getText();
      }
      case BOOLEAN -> {
        expect(token.isBoolean(), token, "Boolean");
        yield in.getBooleanValue();
      }
      case INTEGER -> (int) whole(token, "Integer", Integer.MIN_VALUE, Integer.MAX_VALUE);
      case LONG -> whole(token, "Long", Long.MIN_VALUE, Long.MAX_VALUE);
      case SHORT -> (short) whole(token, "Short", Short.MIN_VALUE, Short.MAX_VALUE);
      case BYTE -> (byte) whole(token, "Byte", Byte.MIN_VALUE, Byte.MAX_VALUE);
      case DOUBLE -> real(token, "Double");
      case FLOAT -> (float) real(token, "Float");
      case BIG_DECIMAL -> {
        expect(token.isNumeric(), token, "BigDecimal");
        yield decimal();
      }
      case INSTANT -> instant(field, token);
      case SDK_BYTES -> {
        if (token == JsonToken.VALUE_EMBEDDED_OBJECT) { // CBOR has bytes
          yield SdkBytes.fromByteArrayUnsafe(in.getBinaryValue());
        }
        expect(token == JsonToken.VALUE_STRING, token, "Blob");
        try {
          yield SdkBytes.fromByteArrayUnsafe(Base64.getDecoder().decode(in.getText()));
        } catch (IllegalArgumentException e) {
          throw new WireException(Fault.BAD_VALUE, "Invalid Base64: " + e.getMessage());
        }
      }
      case DOCUMENT -> document(token);
      case NULL -> throw wrong(token, "member");
    };
  }

  private static void expect(boolean right, JsonToken token, String wanted) {
    if (!right) {
      throw wrong(token, wanted);
    }
  }

  private static WireException wrong(JsonToken token, String wanted) {
    String message =
        switch (token) {
          case START_OBJECT -> "Start of structure or map found where not expected.";
          case START_ARRAY -> "Start of list found where not expected";
          case VALUE_STRING -> "STRING_VALUE can not be converted to a " + wanted;
          case VALUE_NUMBER_INT -> "NUMBER_VALUE can not be converted to a " + wanted;
          case VALUE_NUMBER_FLOAT -> "DECIMAL_VALUE can not be converted to a " + wanted;
          case VALUE_TRUE -> "TRUE_VALUE can not be converted to a " + wanted;
          case VALUE_NULL -> "Null found in a list or map where not expected";
          case VALUE_FALSE -> "FALSE_VALUE can not be converted to a " + wanted;
          default -> "Unexpected token received from parser";
        };
    return new WireException(Fault.BAD_VALUE, message);
  }

  private long whole(JsonToken token, String wanted, long least, long most) throws IOException {
    if (!token.isNumeric()) {
      throw wrong(token, wanted);
    }
    try {
      // Refused before it is expanded: 1e999999999 is short on the wire and not in memory.
      BigDecimal number = decimal();
      if ((long) number.precision() - number.scale() <= 19 && number.scale() < 1000) {
        long value = number.longValueExact();
        if (value >= least && value <= most) {
          return value;
        }
      }
    } catch (ArithmeticException e) {
      // it has a fraction: said below
    }
    throw new WireException(
        Fault.BAD_VALUE, "NUMBER_VALUE is out of range or has a fraction: not a " + wanted);
  }

  private BigDecimal decimal() throws IOException {
    try {
      return in.getDecimalValue();
    } catch (NumberFormatException e) {
      throw new WireException(Fault.BAD_VALUE, "NUMBER_VALUE is out of range");
    }
  }

  private double real(JsonToken token, String wanted) throws IOException {
    if (token == JsonToken.VALUE_STRING) {
      return switch (in.getText()) {
        case "NaN" -> Double.NaN;
        case "Infinity" -> Double.POSITIVE_INFINITY;
        case "-Infinity" -> Double.NEGATIVE_INFINITY;
        default -> throw wrong(token, wanted);
      };
    }
    expect(token.isNumeric(), token, wanted);
    return in.getDoubleValue();
  }

  private Instant instant(SdkField<?> field, JsonToken token) throws IOException {
    Format format = Timestamps.format(field, Format.UNIX_TIMESTAMP);
    try {
      if (token.isNumeric()) {
        return Timestamps.ofNumber(decimal(), format);
      }
      expect(token == JsonToken.VALUE_STRING, token, "Timestamp");
      return Timestamps.read(in.getText(), format);
    } catch (DateTimeException e) {
      throw new WireException(
          Fault.BAD_VALUE,
          field.locationName() + " can not be converted to milliseconds since epoch");
    }
  }

  private Document document(JsonToken token) throws IOException {
    return switch (token) {
      case VALUE_NULL -> Document.fromNull();
      case VALUE_STRING -> Document.fromString(in.getText());
      case VALUE_TRUE -> Document.fromBoolean(true);
      case VALUE_FALSE -> Document.fromBoolean(false);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> Document.fromNumber(decimal());
      case START_ARRAY -> {
        List<Document> list = new ArrayList<>();
        for (JsonToken t = in.nextToken(); t != JsonToken.END_ARRAY; t = in.nextToken()) {
          list.add(document(t));
        }
        yield Document.fromList(list);
      }
      case START_OBJECT -> {
        Map<String, Document> map = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
          String key = in.currentName();
          map.put(key, document(in.nextToken()));
        }
        yield Document.fromMap(map);
      }
      default -> throw wrong(token, "Document");
    };
  }
}
