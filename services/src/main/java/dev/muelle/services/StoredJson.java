package dev.muelle.services;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.Deserializers;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import dev.muelle.store.Codec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.core.util.SdkAutoConstructMap;
import software.amazon.awssdk.utils.builder.SdkBuilder;

/**
 * The form in which services store values: JSON. Records and AWS model types may hold each other; a
 * model type is written by its members' SDK names, a missing member is left out, and a list or map
 * that was never set stays distinguishable from an empty one. Fields that a later release dropped
 * are ignored.
 */
public final class StoredJson {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
          .addModule(module())
          .build();

  private StoredJson() {}

  /** A codec for records, AWS model types, or records of AWS model types. */
  public static <T> Codec<T> codec(Class<T> type) {
    return new Codec<>() {
      @Override
      public byte[] encode(T value) {
        try {
          return MAPPER.writeValueAsBytes(value);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }

      @Override
      public T decode(byte[] bytes) {
        try {
          return MAPPER.readValue(bytes, type);
        } catch (IOException e) {
          throw new UncheckedIOException(type.getName() + " cannot be read back", e);
        }
      }
    };
  }

  private static SimpleModule module() {
    SimpleModule module =
        new SimpleModule("muelle-stored") {
          private static final long serialVersionUID = 1L;

          @Override
          public void setupModule(SetupContext context) {
            super.setupModule(context);
            context.addDeserializers(
                new Deserializers.Base() {
                  @Override
                  public @Nullable JsonDeserializer<?> findBeanDeserializer(
                      JavaType type, DeserializationConfig config, BeanDescription description) {
                    return SdkPojo.class.isAssignableFrom(type.getRawClass())
                        ? new PojoReader(type.getRawClass())
                        : null;
                  }
                });
          }
        };
    module.addSerializer(SdkPojo.class, new PojoWriter());
    module.addSerializer(Instant.class, new InstantWriter());
    module.addDeserializer(Instant.class, new InstantReader());
    return module;
  }

  private static final class PojoWriter extends JsonSerializer<SdkPojo> {
    @Override
    public void serialize(SdkPojo pojo, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      writePojo(pojo, out);
    }

    private static void writePojo(SdkPojo pojo, JsonGenerator out) throws IOException {
      out.writeStartObject();
      for (SdkField<?> field : pojo.sdkFields()) {
        Object value = field.getValueOrDefault(pojo);
        if (value == null
            || value instanceof SdkAutoConstructList
            || value instanceof SdkAutoConstructMap) {
          continue;
        }
        out.writeFieldName(field.memberName());
        write(value, out);
      }
      out.writeEndObject();
    }

    private static void write(@Nullable Object value, JsonGenerator out) throws IOException {
      switch (value) {
        case null -> out.writeNull();
        case SdkPojo pojo -> writePojo(pojo, out);
        case List<?> list -> {
          out.writeStartArray();
          for (Object item : list) {
            write(item, out);
          }
          out.writeEndArray();
        }
        case Map<?, ?> map -> {
          out.writeStartObject();
          for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.writeFieldName(String.valueOf(entry.getKey()));
            write(entry.getValue(), out);
          }
          out.writeEndObject();
        }
        case Instant instant -> out.writeString(instant.toString());
        case SdkBytes bytes -> out.writeBinary(bytes.asByteArrayUnsafe());
        case Document document -> out.writePOJO(document.unwrap());
        default -> out.writePOJO(value);
      }
    }
  }

  private static final class PojoReader extends JsonDeserializer<SdkPojo> {
    private final Class<?> type;

    PojoReader(Class<?> type) {
      this.type = type;
    }

    @Override
    public SdkPojo deserialize(JsonParser in, DeserializationContext context) throws IOException {
      try {
        SdkPojo builder = (SdkPojo) type.getMethod("builder").invoke(null);
        return read(context.readTree(in), builder);
      } catch (ReflectiveOperationException e) {
        throw new IOException(type.getName() + " has no builder", e);
      }
    }

    private static SdkPojo read(JsonNode node, SdkPojo builder) throws IOException {
      for (SdkField<?> field : builder.sdkFields()) {
        JsonNode value = node.get(field.memberName());
        if (value != null) {
          field.set(builder, value(value, field));
        }
      }
      return (SdkPojo) ((SdkBuilder<?, ?>) builder).build();
    }

    private static @Nullable Object value(JsonNode node, SdkField<?> field) throws IOException {
      if (node.isNull()) {
        return null;
      }
      String kind = field.marshallingType().toString();
      return switch (kind) {
        case "SdkPojo" -> read(node, field.constructor().get());
        case "List" -> {
          SdkField<?> member = field.getTrait(ListTrait.class).memberFieldInfo();
          List<@Nullable Object> list = new ArrayList<>();
          for (JsonNode item : node) {
            list.add(value(item, member));
          }
          yield list;
        }
        case "Map" -> {
          SdkField<?> member = field.getTrait(MapTrait.class).valueFieldInfo();
          Map<String, @Nullable Object> map = new LinkedHashMap<>();
          for (Map.Entry<String, JsonNode> entry : node.properties()) {
            map.put(entry.getKey(), value(entry.getValue(), member));
          }
          yield map;
        }
        case "Instant" -> Instant.parse(node.asText());
        case "SdkBytes" -> SdkBytes.fromByteArray(node.binaryValue());
        case "Integer" -> node.intValue();
        case "Long" -> node.longValue();
        case "Short" -> node.shortValue();
        case "Byte" -> (byte) node.intValue();
        case "Float" -> node.floatValue();
        case "Double" -> node.doubleValue();
        case "BigDecimal" -> node.decimalValue();
        case "Boolean" -> node.booleanValue();
        case "String" -> node.asText();
        default -> throw new IOException("no stored form for a member of type " + kind);
      };
    }
  }

  private static final class InstantWriter extends JsonSerializer<Instant> {
    @Override
    public void serialize(Instant value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString(value.toString());
    }
  }

  private static final class InstantReader extends JsonDeserializer<Instant> {
    @Override
    public Instant deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return Instant.parse(in.getText());
    }
  }
}
