package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.eventstream.HeaderValue;
import software.amazon.eventstream.Message;

/**
 * An {@link EventStream} as bytes. In protocols where the operation is not in the path the first
 * message is an {@code initial-response} with the members that are no stream: SDKs wait for it.
 *
 * @see <a href="https://smithy.io/2.0/aws/amazon-eventstream.html">Amazon Event Stream
 *     specification</a>
 */
final class EventMessages {

  private static final String CONTENT_TYPE = "application/json";

  private final Document document;
  private final OutputStream out;

  private EventMessages(Document document, OutputStream out) {
    this.document = document;
    this.out = out;
  }

  /**
   * The whole answer.
   *
   * @param failure what an exception is on the wire
   */
  static HttpResponse answer(
      EventStream stream,
      String requestId,
      Document document,
      Function<AwsServiceException, Failure> failure) {
    return HttpResponse.of(200)
        .header("x-amzn-RequestId", requestId)
        .header("Content-Type", "application/vnd.amazon.eventstream")
        .body(-1, out -> new EventMessages(document, out).write(stream, failure));
  }

  private void write(EventStream stream, Function<AwsServiceException, Failure> failure)
      throws IOException {
    message("event", "initial-response", "{}".getBytes(StandardCharsets.UTF_8));
    try {
      stream.run((member, event) -> message("event", member, document.write(event)));
    } catch (AwsServiceException e) {
      Failure last = failure.apply(e);
      message("exception", last.code(), document.write(last));
    }
  }

  private void message(String kind, String type, byte[] payload) throws IOException {
    Map<String, HeaderValue> headers = new LinkedHashMap<>();
    headers.put(":message-type", HeaderValue.fromString(kind));
    headers.put(":" + kind + "-type", HeaderValue.fromString(type));
    headers.put(":content-type", HeaderValue.fromString(CONTENT_TYPE));
    new Message(headers, payload).encode(out);
    out.flush();
  }
}
