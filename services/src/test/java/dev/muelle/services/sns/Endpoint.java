package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** Somebody who subscribes: a real HTTP server, which remembers what it got. */
final class Endpoint implements AutoCloseable {

  private final HttpServer server;
  private final List<Got> got = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Got> arrived = new LinkedBlockingQueue<>();
  private volatile Answer answer = exchange -> exchange.sendResponseHeaders(200, -1);

  record Got(Headers headers, String path, String body) {
    JsonNode json() {
      return Json.read("body", body);
    }

    String text(String member) {
      return json().path(member).asText();
    }
  }

  @FunctionalInterface
  interface Answer {
    void give(HttpExchange exchange) throws IOException;
  }

  Endpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Got one =
          new Got(
              exchange.getRequestHeaders(),
              exchange.getRequestURI().toString(),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      got.add(one);
      arrived.add(one);
      answer.give(exchange);
    }
  }

  void answers(int status) {
    answer = exchange -> exchange.sendResponseHeaders(status, -1);
  }

  void answers(Answer other) {
    answer = other;
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** What has come so far. */
  List<Got> got() {
    return got;
  }

  Got last() {
    return got.getLast();
  }

  /** Waits for the next. */
  Got next() throws InterruptedException {
    return arrived.take();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
