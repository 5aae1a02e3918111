package dev.muelle.wire.http;

import java.io.IOException;
import java.io.InputStream;

/**
 * Reads what a handler left of a small body before the answer goes out. A server that answers and
 * closes while the client still sends makes the client lose the answer: its own writing fails first
 * (RFC 9112, section 9.6). Of a large body nothing is read: to receive it all would cost more than
 * the connection.
 */
public record Drained(HttpHandler handler) implements HttpHandler {

  /** How much of a body that nobody wants is still received, in bytes. */
  static final int MOST = 256 * 1024;

  @Override
  public HttpResponse handle(HttpRequest request) throws IOException {
    HttpResponse answer = handler.handle(request);
    // Who asks first whether to send a body has not sent it, and will not after this answer.
    if (request.header("expect").isEmpty() && announced(request) <= MOST) {
      drain(request.body());
    }
    return answer;
  }

  private static long announced(HttpRequest request) {
    try {
      return request.header("content-length").map(Long::parseLong).orElse(0L);
    } catch (NumberFormatException e) {
      return Long.MAX_VALUE;
    }
  }

  private static void drain(InputStream body) {
    try {
      body.skip(MOST);
    } catch (IOException e) {
      // The client is gone or sends nonsense; the answer is written all the same.
    }
  }
}
