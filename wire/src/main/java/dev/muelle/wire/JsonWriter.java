package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.core.util.SdkAutoConstructMap;

/**
 * Model objects as JSON, or as CBOR, which Jackson writes as if it were JSON. What was never set is
 * not written; an empty list that was set is.
 */
final class JsonWriter {
  private JsonWriter() {}

  static void members(SdkPojo pojo, JsonGenerator out) throws IOException {
    for (SdkField<?> field : pojo.sdkFields()) {
      Object value = field.getValueOrDefault(pojo);
      if (isSet(value)) {
        out.writeFieldName(field.locationName());
        value(value, field, out);
      }
    }
  }

  /** The SDK marks lists and maps that nobody set with types of their own. */
  static boolean isSet(@Nullable Object value) {
    return value != null
        && !(value instanceof SdkAutoConstructList)
        && !(value instanceof SdkAutoConstructMap);
  }

  private static void value(@Nullable Object value, SdkField<?> field, JsonGenerator out)
      throws IOException {
    switch (value) {
      case null -> out.writeNull();
      case String text -> out.writeString(text);
      case Boolean flag -> out.writeBoolean(flag);
      case Integer number -> out.writeNumber(number);
      case Long number -> out.writeNumber(number);
      case Short number -> out.writeNumber(number);
      case Byte number -> out.writeNumber(number);
      case Double number -> out.writeNumber(number);
      case Float number -> out.writeNumber(number);
      case BigDecimal number -> out.writeNumber(number);
      case Instant time -> time(time, Timestamps.format(field, Format.UNIX_TIMESTAMP), out);
      case SdkBytes bytes -> out.writeBinary(bytes.asByteArrayUnsafe());
      case SdkPojo pojo -> {
        out.writeStartObject();
        members(pojo, out);
        out.writeEndObject();
      }
      case List<?> list -> {
        SdkField<?> item = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
        out.writeStartArray();
        for (Object element : list) {
          value(element, item, out);
        }
        out.writeEndArray();
      }
      case Map<?, ?> map -> {
        SdkField<?> item = field.getRequiredTrait(MapTrait.class).valueFieldInfo();
        out.writeStartObject();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.writeFieldName((String) entry.getKey());
          value(entry.getValue(), item, out);
        }
        out.writeEndObject();
      }
      case Document document -> document(document, out);
      default ->
          throw new IllegalArgumentException(
              field.memberName() + " has no JSON form: " + value.getClass().getName());
    }
  }

  private static void time(Instant time, Format format, JsonGenerator out) throws IOException {
    if (out instanceof CBORGenerator cbor) {
      cbor.writeTag(RpcV2Cbor.EPOCH_SECONDS);
      cbor.writeNumber(time.toEpochMilli() / 1e3);
      return;
    }
    switch (format) {
      case UNIX_TIMESTAMP -> out.writeNumber(Timestamps.seconds(time));
      case UNIX_TIMESTAMP_MILLIS -> out.writeNumber(time.toEpochMilli());
      case ISO_8601, RFC_822 -> out.writeString(Timestamps.write(time, format));
    }
  }

  private static void document(Document document, JsonGenerator out) throws IOException {
    if (document.isNull()) {
      out.writeNull();
    } else if (document.isString()) {
      out.writeString(document.asString());
    } else if (document.isBoolean()) {
      out.writeBoolean(document.asBoolean());
    } else if (document.isNumber()) {
      out.writeNumber(document.asNumber().bigDecimalValue());
    } else if (document.isList()) {
      out.writeStartArray();
      for (Document item : document.asList()) {
        document(item, out);
      }
      out.writeEndArray();
    } else {
      out.writeStartObject();
      for (Map.Entry<String, Document> entry : document.asMap().entrySet()) {
        out.writeFieldName(entry.getKey());
        document(entry.getValue(), out);
      }
      out.writeEndObject();
    }
  }
}
