package dev.muelle.services.ecr;

import dev.muelle.engine.blob.FileBlobStore;
import dev.muelle.services.Scope;
import dev.muelle.store.SqliteStore;
import dev.muelle.wire.Caller;
import dev.muelle.wire.http.Drained;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** A registry over a directory at a port of the loopback; closed and opened again it goes on. */
final class RegistryServer implements AutoCloseable {

  static final Scope HERE = new Scope("000000000000", "us-east-1");

  final SqliteStore store;
  final FileBlobStore blobs;
  final RegistryTokens tokens;
  private final Server server;
  private final ServerConnector connector;
  final String host;
  volatile Instant now = Instant.parse("2026-11-21T08:00:00.500Z");
  private final Map<Scope, Ecr> regions = new ConcurrentHashMap<>();

  RegistryServer(Path directory, int port) throws IOException {
    store = SqliteStore.open(directory.resolve("db"));
    blobs = FileBlobStore.open(directory.resolve("blobs"), store, () -> now);
    tokens = RegistryTokens.open(directory.resolve("secret"), new SecureRandom(), () -> now);
    QueuedThreadPool threads = new QueuedThreadPool(8);
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setUriCompliance(UriCompliance.UNSAFE);
    connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(new Adapter(new Drained(new Registry(this::ecr, tokens))));
    connector.open();
    host = "localhost:" + connector.getLocalPort();
    try {
      server.start();
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  Ecr ecr(Scope scope) {
    return regions.computeIfAbsent(
        scope, one -> new Ecr(one, store, () -> now, blobs, tokens, host));
  }

  Ecr ecr() {
    return ecr(HERE);
  }

  int port() {
    return connector.getLocalPort();
  }

  /** The password that a caller of this account gets. */
  String password(Scope scope) {
    String login =
        as(scope, () -> ecr(scope).getAuthorizationToken(r -> {}))
            .authorizationData()
            .getFirst()
            .authorizationToken();
    return new String(java.util.Base64.getDecoder().decode(login), StandardCharsets.UTF_8)
        .substring("AWS:".length());
  }

  static <T> T as(Scope scope, Supplier<T> work) {
    Caller caller =
        new Caller(
            scope.account(),
            scope.region(),
            "arn:aws:iam::" + scope.account() + ":root",
            scope.account(),
            "",
            "");
    return ScopedValue.where(Caller.CURRENT, caller).call(work::get);
  }

  private static final class Adapter extends Handler.Abstract {
    private final HttpHandler registry;

    Adapter(HttpHandler registry) {
      this.registry = registry;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      try {
        Map<String, List<String>> headers = new HashMap<>();
        for (HttpField field : request.getHeaders()) {
          headers
              .computeIfAbsent(field.getName().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
              .add(field.getValue());
        }
        String query = request.getHttpURI().getQuery();
        HttpResponse answer =
            registry.handle(
                new HttpRequest(
                    request.getMethod(),
                    request.getHttpURI().getPath(),
                    query == null ? "" : query,
                    headers,
                    "127.0.0.1",
                    Content.Source.asInputStream(request)));
        response.setStatus(answer.status());
        answer
            .headers()
            .forEach((name, values) -> values.forEach(v -> response.getHeaders().add(name, v)));
        if (answer.status() != 204) {
          response.getHeaders().put("Content-Length", answer.length());
        }
        try (OutputStream out = Content.Sink.asOutputStream(response)) {
          answer.body().writeTo(out);
        }
        callback.succeeded();
      } catch (IOException | RuntimeException e) {
        callback.failed(e);
      }
      return true;
    }
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      store.close();
    }
  }
}
