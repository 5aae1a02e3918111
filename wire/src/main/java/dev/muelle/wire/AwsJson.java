package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html">awsJson1_0 and
 * awsJson1_1</a>: the operation is in the X-Amz-Target header, everything else is one JSON object.
 *
 * @param version {@code 1.0} or {@code 1.1}
 */
record AwsJson(String version, Shapes shapes) implements Protocol {
  private static final Document DOCUMENT = new Document(new JsonFactory(), "JSON object");

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    try {
      return DOCUMENT.read(exchange.content(), builder, shapes);
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
    return answer(200, requestId, DOCUMENT.write(response));
  }

  @Override
  public HttpResponse stream(Operation operation, EventStream stream, String requestId) {
    return EventMessages.answer(stream, requestId, DOCUMENT, operation.service()::failure);
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    return answer(failure.status(), requestId, DOCUMENT.write(failure))
        .header("x-amzn-ErrorType", failure.code()); // where REST clients look
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inJson();
  }

  private HttpResponse answer(int status, String requestId, byte[] body) {
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Content-Type", "application/x-amz-json-" + version)
        .body(body);
  }
}
