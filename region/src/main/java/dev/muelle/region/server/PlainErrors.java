package dev.muelle.region.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** A status line and one sentence: no page, no stack trace, no server's name. */
final class PlainErrors extends ErrorHandler {

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int code,
      @Nullable String message,
      @Nullable Throwable cause,
      Callback callback) {
    response.getHeaders().put("Content-Type", "text/plain");
    response.write(
        true,
        ByteBuffer.wrap((HttpStatus.getMessage(code) + "\n").getBytes(StandardCharsets.UTF_8)),
        callback);
  }
}
