package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html">Smithy RPC v2
 * CBOR</a>: service and operation are in the path, everything else is one CBOR map. The aws command
 * speaks it to CloudWatch, whose errors then carry their older name in a header, too (<a
 * href="https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait">awsQueryCompatible</a>).
 */
record RpcV2Cbor(Shapes shapes) implements Protocol {

  /** In the header Smithy-Protocol. */
  static final String NAME = "rpc-v2-cbor";

  /** The tag of times, RFC 8949 section 3.4.2. */
  static final int EPOCH_SECONDS = 1;

  private static final CBORFactory FACTORY = new CBORFactory();

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    byte[] body = exchange.content();
    if (body.length == 0) {
      return Shapes.build(builder);
    }
    try (JsonParser in = FACTORY.createParser(body)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new WireException(Fault.MALFORMED, "The body is not a CBOR map.");
      }
      SdkPojo request = new JsonReader(in, shapes).struct(builder);
      if (in.nextToken() != null) {
        throw new WireException(Fault.MALFORMED, "The body holds more than one CBOR map.");
      }
      return request;
    } catch (IOException e) { // it is all in memory: only the form can be broken
      throw new WireException(Fault.MALFORMED, "The body is not valid CBOR.");
    }
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
    return answer(
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
            })
        .header("x-amzn-query-error", failure.code() + ";" + failure.type());
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inJson();
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(JsonGenerator out) throws IOException;
  }

  private static HttpResponse answer(int status, String requestId, Content content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
      content.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Smithy-Protocol", NAME)
        .header("Content-Type", "application/cbor")
        .body(bytes.toByteArray());
  }
}
