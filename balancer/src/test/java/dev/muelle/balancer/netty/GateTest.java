package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Gate;
import dev.muelle.balancer.Gate.Opening;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests wait for a gate that takes its time, and do as it says. */
class GateTest {

  private static final Opening OPEN = new Opening.Open("x-user-", Map.of(), List.of());

  private final Rig rig = new Rig();
  private final BlockingQueue<Consumer<Opening>> asked = new LinkedBlockingQueue<>();
  private Backend backend;

  @BeforeEach
  void open() throws IOException {
    backend =
        rig.backend((head, in, out) -> {
          String lower = head.toLowerCase(java.util.Locale.ROOT);
          int length =
              lower.contains("content-length: ")
                  ? Integer.parseInt(lower.replaceAll("(?s).*content-length: (\\d+).*", "$1"))
                  : 0;
          in.skipNBytes(length);
          out.write(Backend.answer(200, head + length));
          return true;
        });
  }

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  /** A gate that is asked, and answers when the test does. */
  private void gated(@Nullable Tls tls) {
    gated(tls, (knock, then) -> asked.add(then));
  }

  private void gated(@Nullable Tls tls, Gate gate) {
    Action action = new Action.Gated(gate, new Action.Forward("tg"));
    LoadBalancer plain =
        rig.loadBalancer("lb", "web.localhost", action, List.of(), Rig.member(backend));
    rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener("l", rig.port, List.of(), action, tls)),
            plain.groups(),
            plain.settings()));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
  }

  private Consumer<Opening> next() throws InterruptedException {
    Consumer<Opening> one = asked.poll(Rig.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    assertTrue(one != null, "nobody knocked");
    return one;
  }

  private Metrics metrics() {
    return rig.balancer.loadBalancerMetrics("lb").orElseThrow();
  }

  @Test
  void aRequestAndWhatFollowsWait() throws Exception {
    gated(null);
    try (Socket client =
        rig.asked("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + Rig.GET)) {
      Consumer<Opening> first = next();
      assertEquals(0, backend.served.get());
      assertTrue(asked.isEmpty(), "one after the other");
      first.accept(
          new Opening.Open("x-user-", Map.of("x-user-name", "me"), List.of("a=b; Path=/")));
      next().accept(new Opening.Shut(403, "", List.of("c=d"), "Because"));
      String all = Rig.rest(client);
      assertTrue(all.contains("x-user-name: me\r\n"), all);
      assertTrue(all.toLowerCase(java.util.Locale.ROOT).contains("set-cookie: a=b; path=/"), all);
      assertTrue(all.contains("HTTP/1.1 403 Forbidden\r\n"), all);
      assertTrue(all.contains("Set-Cookie: c=d\r\n"), all);
      assertEquals(1, backend.served.get());
    }
  }

  @Test
  void namesThatAreTheGatesComeFromNobodyElse() throws Exception {
    gated(null, (knock, then) -> then.accept(OPEN));
    String answer =
        rig.raw(
            "GET / HTTP/1.1\r\nHost: x\r\nX-User-Name: root\r\nx_user_name: root\r\n"
                + "X-Users: 2\r\nConnection: close\r\n\r\n");
    assertFalse(answer.contains("root"), answer);
    assertTrue(answer.contains("X-Users: 2"), answer);
  }

  @Test
  void aClientThatLeavesMeanwhileIsForgotten() throws Exception {
    gated(null);
    try (Socket client = rig.asked(Rig.KEPT)) {
      next(); // and then it says nothing
      assertEquals(1, metrics().activeConnections());
      client.setSoLinger(true, 0);
    }
    Rig.await(() -> metrics().activeConnections() == 0);
    assertEquals(1, metrics().ownAnswers(4), "460");
    Consumer<Opening> late;
    try (Socket client = rig.asked(Rig.GET)) {
      late = next();
      client.setSoLinger(true, 0);
    }
    Rig.await(() -> metrics().ownAnswers(4) == 2);
    late.accept(OPEN);
    gated(null, (knock, then) -> then.accept(new Opening.Shut(200, "", List.of(), "")));
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 200 "));
    assertEquals(0, backend.served.get(), "nobody was there any more");
  }

  @Test
  void aGateThatFailsOpensToNobody() throws Exception {
    gated(
        null,
        (knock, then) -> {
          throw new IllegalStateException("broken");
        });
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 500 "));
    assertEquals(0, backend.served.get());
  }

  @Test
  void requestsOfOneHttp2ConnectionDoNotWaitForEachOther() throws Exception {
    gated(
        new Tls(
            Certified.ec("localhost"), List.of(), Certified.MODERN, Certified.SUITES, Tls.HTTP2));
    try (HttpClient client = HttpClient.newBuilder().sslContext(Certified.trusting()).build()) {
      URI uri = URI.create("https://localhost:" + rig.port + "/");
      CompletableFuture<HttpResponse<String>> first =
          client.sendAsync(
              HttpRequest.newBuilder(uri)
                  .POST(BodyPublishers.ofByteArray(new byte[200_000]))
                  .build(),
              BodyHandlers.ofString());
      Consumer<Opening> slow = next();
      CompletableFuture<HttpResponse<String>> second =
          client.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      next().accept(OPEN);
      assertTrue(second.get(60, TimeUnit.SECONDS).body().endsWith("\r\n\r\n0"));
      assertFalse(first.isDone());
      slow.accept(OPEN);
      HttpResponse<String> answer = first.get(60, TimeUnit.SECONDS);
      assertEquals(HttpClient.Version.HTTP_2, answer.version());
      assertTrue(answer.body().endsWith("\r\n\r\n200000"), answer.body());
      // One that is turned away in the middle of its body harms no other.
      CompletableFuture<HttpResponse<String>> third =
          client.sendAsync(
              HttpRequest.newBuilder(uri)
                  .POST(BodyPublishers.ofByteArray(new byte[200_000]))
                  .build(),
              BodyHandlers.ofString());
      next().accept(new Opening.Shut(302, "https://elsewhere/", List.of("a=b"), ""));
      HttpResponse<String> sent = third.get(60, TimeUnit.SECONDS);
      assertEquals(302, sent.statusCode());
      assertEquals(List.of("a=b"), sent.headers().allValues("set-cookie"));
      CompletableFuture<HttpResponse<String>> last =
          client.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
      next().accept(OPEN);
      assertEquals(200, last.get(60, TimeUnit.SECONDS).statusCode());
    }
  }
}
