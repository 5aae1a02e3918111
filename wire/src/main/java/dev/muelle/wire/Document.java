package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * A body that is one structure: a JSON object, or the same as a CBOR map.
 *
 * @param what it is called in messages, for example {@code JSON object}
 */
record Document(JsonFactory factory, String what) {

  /**
   * Reads the whole body; an empty one is a structure without members.
   *
   * @throws IOException if it is not well-formed
   */
  SdkPojo read(byte[] body, SdkPojo builder, Shapes shapes) throws IOException {
    if (body.length == 0) {
      return Shapes.build(builder);
    }
    try (JsonParser in = factory.createParser(body)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new WireException(Fault.MALFORMED, "The body is not a " + what + ".");
      }
      SdkPojo request = new JsonReader(in, shapes).struct(builder);
      if (in.nextToken() != null) {
        throw new WireException(Fault.MALFORMED, "The body holds more than one " + what + ".");
      }
      return request;
    }
  }

  byte[] write(SdkPojo response) {
    return written(out -> JsonWriter.members(response, out));
  }

  byte[] write(Failure failure) {
    return written(out -> {
      out.writeStringField("__type", failure.code());
      out.writeStringField("message", failure.message());
      if (failure.details() != null) {
        JsonWriter.members(failure.details(), out);
      }
    });
  }

  @FunctionalInterface
  private interface Members {
    void writeTo(JsonGenerator out) throws IOException;
  }

  private byte[] written(Members members) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator out = factory.createGenerator(bytes)) {
      out.writeStartObject();
      members.writeTo(out);
      out.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it is all in memory
    }
    return bytes.toByteArray();
  }
}
