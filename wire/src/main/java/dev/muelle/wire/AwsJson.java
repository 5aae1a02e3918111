package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html">awsJson1_0 and
 * awsJson1_1</a>: the operation is in the X-Amz-Target header, everything else is one JSON object.
 *
 * @param version {@code 1.0} or {@code 1.1}
 */
record AwsJson(String version, Shapes shapes) implements Protocol {
  private static final JsonFactory FACTORY = new JsonFactory();

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    byte[] body = exchange.content();
    if (body.length == 0) {
      return Shapes.build(builder);
    }
    try (JsonParser in = FACTORY.createParser(body)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new WireException(Fault.MALFORMED, "The body is not a JSON object.");
      }
      SdkPojo request = new JsonReader(in, shapes).struct(builder);
      if (in.nextToken() != null) {
        throw new WireException(Fault.MALFORMED, "The body holds more than one JSON object.");
      }
      return request;
    } catch (JsonProcessingException e) {
      throw new WireException(Fault.MALFORMED, "The body is not valid JSON: " + place(e));
    } catch (IOException e) { // it is all in memory: only its characters can be broken
      throw new WireException(Fault.MALFORMED, "The body is not valid UTF-8.");
    }
  }

  /** Where and why, but without a copy of the body. */
  private static String place(JsonProcessingException e) {
    String at =
        e.getLocation() == null
            ? ""
            : " (line "
                + e.getLocation().getLineNr()
                + ", column "
                + e.getLocation().getColumnNr()
                + ")";
    String why = e.getOriginalMessage();
    int source = why.indexOf(" (start marker at "); // and then Jackson's view of the source
    return (source < 0 ? why : why.substring(0, source)) + at;
  }

  @Override
  public HttpResponse encode(Operation operation, SdkPojo response, String requestId) {
    return answer(
        200,
        requestId,
        out -> {
          out.writeStartObject();
          JsonWriter.members(response, out);
          out.writeEndObject();
        });
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    HttpResponse answer =
        answer(
            failure.status(),
            requestId,
            out -> {
              out.writeStartObject();
              out.writeStringField("__type", failure.code());
              out.writeStringField("message", failure.message());
              if (failure.details() != null) {
                JsonWriter.members(failure.details(), out);
              }
              out.writeEndObject();
            });
    return answer.header("x-amzn-ErrorType", failure.code()); // where REST clients look
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inJson();
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(JsonGenerator out) throws IOException;
  }

  private HttpResponse answer(int status, String requestId, Content content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
      content.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Content-Type", "application/x-amz-json-" + version)
        .body(bytes.toByteArray());
  }
}
