package dev.muelle.examples.albadigi;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/**
 * {@code GET /alive} says that it lives; {@code GET /whoami} says which task answered, at which
 * address and in which zone. Every request is one line on standard output. SIGTERM lets requests in
 * flight end.
 */
public final class AlbaDigiApi {

  private final HttpServer server;
  private final Identity identity;
  private final String version;

  AlbaDigiApi(int port, Identity identity, String version) throws IOException {
    this.identity = identity;
    this.version = version;
    server = HttpServer.create(new InetSocketAddress(port), 1024);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
  }

  /**
   * Serves until told to stop.
   *
   * @param args none, or {@code once} to say who it is and end; the environment gives {@code PORT}
   *     (5050 if unset) and {@code APP_VERSION}
   */
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    int port = Integer.parseInt(env.getOrDefault("PORT", "5050"));
    String version = env.getOrDefault("APP_VERSION", "1");
    Identity identity = Identity.discover(env);
    if (args.length == 1 && args[0].equals("once")) {
      System.out.println(identity.json(version));
      return;
    }
    AlbaDigiApi api = new AlbaDigiApi(port, identity, version);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              System.out.println("alba-digi-api-rest: stopping");
              api.stop();
              stopped.countDown();
            }));
    api.start();
    System.out.println("alba-digi-api-rest: listening on port " + api.port());
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

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    boolean get = exchange.getRequestMethod().equals("GET");
    int status;
    String body;
    if (path.equals("/alive")) {
      status = get ? 200 : 405;
      body = get ? "{\"status\":\"alive\"}" : "{\"error\":\"method not allowed\"}";
    } else if (path.equals("/whoami")) {
      status = get ? 200 : 405;
      body = get ? identity.json(version) : "{\"error\":\"method not allowed\"}";
    } else {
      status = 404;
      body = "{\"error\":\"not found\"}";
    }
    System.out.println(exchange.getRequestMethod() + " " + path + " " + status);
    byte[] bytes = (body + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }
}
