package dev.muelle.examples.foro;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Serves parts of the forum: all of them as one monolith, or one alone as a microservice. Every
 * answer says in {@code Foro-Parts} which program gave it; {@code GET /alive} says that it lives.
 * SIGTERM lets requests in flight end.
 */
public final class Foro {

  private static final Map<String, Part> PARTS =
      Stream.of(new Users(), new Threads(), new Posts())
          .collect(Collectors.toMap(Part::name, Function.identity()));

  private final HttpServer server;
  private final List<Part> parts;
  private final String version;

  Foro(int port, List<String> names, String version) throws IOException {
    for (String name : names) {
      if (!PARTS.containsKey(name)) {
        throw new IllegalArgumentException(
            "the forum has no " + name + ", it has " + PARTS.keySet());
      }
    }
    this.parts = names.stream().map(PARTS::get).toList();
    this.version = version;
    server = HttpServer.create(new InetSocketAddress(port), 1024);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
  }

  /**
   * Serves until told to stop.
   *
   * @param args the parts to serve; the environment gives {@code PORT} (3000 if unset) and {@code
   *     APP_VERSION} (1)
   */
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    int port = Integer.parseInt(env.getOrDefault("PORT", "3000"));
    Foro foro = new Foro(port, Arrays.asList(args), env.getOrDefault("APP_VERSION", "1"));
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              System.out.println("foro: stopping");
              foro.stop();
              stopped.countDown();
            }));
    foro.start();
    System.out.println("foro: " + foro.names() + " on port " + foro.port());
    stopped.await();
  }

  void start() {
    server.start();
  }

  void stop() {
    server.stop(5);
  }

  int port() {
    return server.getAddress().getPort();
  }

  private String names() {
    return parts.stream().map(Part::name).collect(Collectors.joining(","));
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    int status = 200;
    String body;
    if (!exchange.getRequestMethod().equals("GET")) {
      status = 405;
      body = "{\"error\":\"method not allowed\"}";
    } else if (path.equals("/alive")) {
      body = "{\"status\":\"alive\"}";
    } else {
      Optional<String> found = find(path);
      status = found.isPresent() ? 200 : 404;
      body = found.orElse("{\"error\":\"not found\"}");
    }
    System.out.println(exchange.getRequestMethod() + " " + path + " " + status);
    byte[] bytes = (body + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
    exchange.getResponseHeaders().set("Foro-Parts", names());
    exchange.getResponseHeaders().set("Foro-Version", version);
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private Optional<String> find(String path) {
    List<String> segments =
        Arrays.stream(path.split("/", -1)).filter(segment -> !segment.isEmpty()).toList();
    if (segments.size() < 2 || !segments.getFirst().equals("api")) {
      return Optional.empty();
    }
    return parts.stream()
        .filter(part -> part.name().equals(segments.get(1)))
        .findFirst()
        .flatMap(part -> part.at(segments.subList(2, segments.size())));
  }
}
