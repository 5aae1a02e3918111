package dev.muelle.region.server;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Jetty's exchange as ours. */
final class HandlerAdapter extends Handler.Abstract {

  private final HttpHandler handler;

  HandlerAdapter(HttpHandler handler) {
    this.handler = handler;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    try {
      answer(handler.handle(translate(request)), response);
      callback.succeeded();
    } catch (IOException | RuntimeException e) {
      callback.failed(e);
    }
    return true;
  }

  private static HttpRequest translate(Request request) {
    Map<String, List<String>> headers = new LinkedHashMap<>();
    for (HttpField field : request.getHeaders()) {
      headers
          .computeIfAbsent(field.getName().toLowerCase(Locale.ROOT), name -> new ArrayList<>(1))
          .add(field.getValue() == null ? "" : field.getValue());
    }
    String path = request.getHttpURI().getPath();
    String query = request.getHttpURI().getQuery();
    return new HttpRequest(
        request.getMethod(),
        path == null ? "/" : path,
        query == null ? "" : query,
        headers,
        Request.getRemoteAddr(request),
        Content.Source.asInputStream(request));
  }

  private static void answer(HttpResponse answer, Response response) throws IOException {
    response.setStatus(answer.status());
    for (Map.Entry<String, List<String>> header : answer.headers().entrySet()) {
      for (String value : header.getValue()) {
        response.getHeaders().add(header.getKey(), value);
      }
    }
    if (answer.length() >= 0 && answer.status() != 204) {
      response.getHeaders().put("Content-Length", answer.length());
    }
    try (OutputStream out = Content.Sink.asOutputStream(response)) {
      answer.body().writeTo(out);
    }
  }
}
