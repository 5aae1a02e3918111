package dev.muelle.wire;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.http.SdkHttpRequest;

/** The SDK's HTTP client that hands each request to our handler instead of a socket. */
final class Loopback implements SdkHttpClient {
  private final HttpHandler handler;

  Loopback(HttpHandler handler) {
    this.handler = handler;
  }

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    return new ExecutableHttpRequest() {
      @Override
      public HttpExecuteResponse call() throws IOException {
        return answer(handler.handle(request(request)));
      }

      @Override
      public void abort() {}
    };
  }

  static HttpRequest request(HttpExecuteRequest execute) throws IOException {
    SdkHttpRequest request = execute.httpRequest();
    URI uri = request.getUri();
    Map<String, List<String>> headers = new TreeMap<>();
    request.forEachHeader((name, values) ->
        headers
            .computeIfAbsent(name.toLowerCase(Locale.ROOT), any -> new ArrayList<>())
            .addAll(values));
    byte[] body = {};
    if (execute.contentStreamProvider().isPresent()) {
      try (InputStream in = execute.contentStreamProvider().get().newStream()) {
        body = in.readAllBytes();
      }
    }
    String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
    return new HttpRequest(
        request.method().name(), path, query, headers, "127.0.0.1", new ByteArrayInputStream(body));
  }

  static HttpExecuteResponse answer(HttpResponse response) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    response.body().writeTo(bytes);
    return HttpExecuteResponse.builder()
        .response(
            SdkHttpFullResponse.builder()
                .statusCode(response.status())
                .headers(response.headers())
                .build())
        .responseBody(AbortableInputStream.create(new ByteArrayInputStream(bytes.toByteArray())))
        .build();
  }

  @Override
  public void close() {}
}
