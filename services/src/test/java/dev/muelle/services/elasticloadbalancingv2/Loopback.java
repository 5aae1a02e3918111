package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
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

/** The SDK's HTTP client, handing each request to our handler: errors are seen as on the wire. */
public record Loopback(HttpHandler handler) implements SdkHttpClient {

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    return new ExecutableHttpRequest() {
      @Override
      public HttpExecuteResponse call() throws IOException {
        return answer(handler.handle(asked(request)));
      }

      @Override
      public void abort() {}
    };
  }

  private static HttpRequest asked(HttpExecuteRequest execute) throws IOException {
    Map<String, List<String>> headers = new TreeMap<>();
    execute
        .httpRequest()
        .forEachHeader((name, values) ->
            headers
                .computeIfAbsent(name.toLowerCase(Locale.ROOT), any -> new ArrayList<>())
                .addAll(values));
    byte[] body = {};
    if (execute.contentStreamProvider().isPresent()) {
      try (InputStream in = execute.contentStreamProvider().get().newStream()) {
        body = in.readAllBytes();
      }
    }
    SdkHttpRequest http = execute.httpRequest();
    return new HttpRequest(
        http.method().name(),
        http.getUri().getRawPath(),
        http.encodedQueryParameters().orElse(""),
        headers,
        "127.0.0.1",
        new ByteArrayInputStream(body));
  }

  private static HttpExecuteResponse answer(HttpResponse response) throws IOException {
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
