package dev.muelle.examples.escalado;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * {@code GET /trabajo} costs a known amount of CPU time; {@code GET /salud} says that all is well,
 * until {@code POST /enfermar}: from then on it says the contrary, while the work goes on as
 * before. SIGTERM lets requests in flight end.
 */
public final class Escalado {

  private static final int THREADS = 16;

  private final HttpServer server;
  private final Duration cost;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private volatile boolean sick;

  Escalado(int port, Duration cost) throws IOException {
    this.cost = cost;
    server = HttpServer.create(new InetSocketAddress(port), 1024);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
  }

  /**
   * Serves until told to stop.
   *
   * @param args none; the environment gives {@code PORT} (8080 if unset) and {@code TRABAJO_MS},
   *     the milliseconds of CPU that a request costs (20 if unset)
   */
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    Escalado service =
        new Escalado(
            Integer.parseInt(env.getOrDefault("PORT", "8080")),
            Duration.ofMillis(Long.parseLong(env.getOrDefault("TRABAJO_MS", "20"))));
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              service.stop();
              System.out.println("escalado: parado");
              stopped.countDown();
            }));
    service.start();
    System.out.println("escalado: escucha en el puerto " + service.port());
    stopped.await();
  }

  void start() {
    server.start();
  }

  void stop() {
    server.stop(10);
    threads.shutdown();
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String asked = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
    switch (asked) {
      case "GET /trabajo" -> {
        Work.burn(cost);
        say(exchange, 200, "hecho: " + cost.toMillis() + " ms de CPU");
      }
      case "GET /salud" -> say(exchange, sick ? 503 : 200, sick ? "enfermo" : "sano");
      case "POST /enfermar" -> {
        sick = true;
        System.out.println("escalado: enfermo desde ahora");
        say(exchange, 200, "enfermo desde ahora");
      }
      default -> say(exchange, 404, "aquí no hay nada");
    }
  }

  private static void say(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }
}
