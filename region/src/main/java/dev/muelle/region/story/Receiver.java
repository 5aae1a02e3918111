package dev.muelle.region.story;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Subscribes to a topic's messages over HTTP, and remembers which alarms told what. */
final class Receiver implements AutoCloseable {

  private static final Pattern CONFIRM = Pattern.compile("\"SubscribeURL\" ?: ?\"([^\"]+)\"");
  private static final Pattern ALARM =
      Pattern.compile(
          "\\\\\"AlarmName\\\\\" ?: ?\\\\\"([^\\\\]+)\\\\\".*\\\\\"NewStateValue\\\\\" ?:"
              + " ?\\\\\"([^\\\\]+)\\\\\"",
          Pattern.DOTALL);

  private final HttpServer server;
  private final Set<String> heard = new ConcurrentSkipListSet<>();

  Receiver() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::take);
    server.start();
  }

  String url() {
    return "http://localhost:" + server.getAddress().getPort() + "/avisos";
  }

  /** Whether it was told that an alarm went into a state. */
  boolean heard(String alarm, String state) {
    return heard.contains(alarm + " " + state);
  }

  Set<String> heard() {
    return Set.copyOf(heard);
  }

  private void take(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    switch (String.valueOf(exchange.getRequestHeaders().getFirst("x-amz-sns-message-type"))) {
      case "SubscriptionConfirmation" -> {
        Matcher link = CONFIRM.matcher(body);
        if (link.find()) {
          try (var answer =
              URI.create(link.group(1).replace("\\u0026", "&")).toURL().openStream()) {
            answer.readAllBytes();
          }
        }
      }
      case "Notification" -> {
        Matcher alarm = ALARM.matcher(body);
        if (alarm.find()) {
          heard.add(alarm.group(1) + " " + alarm.group(2));
        }
      }
      default -> {}
    }
    exchange.sendResponseHeaders(204, -1);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
