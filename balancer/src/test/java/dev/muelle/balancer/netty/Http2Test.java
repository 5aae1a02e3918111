package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.Redirect;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.netty.Http2Wire.Got;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Wildcard;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** HTTP/2 to clients: the JDK's, curl's and nghttp2's, and one that says what no other says. */
@Timeout(120)
final class Http2Test {

  private final Rig rig = new Rig();
  private Tls tls;

  @TempDir Path directory;

  @BeforeEach
  void certify() throws Exception {
    tls = Certified.http2(Certified.ec("localhost", "a.test"));
  }

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private void put(Action action, Backend... backends) {
    rig.secure(tls, action, backends);
  }

  private void serve(Backend... backends) {
    put(new Action.Forward("tg"), backends);
  }

  private HttpClient client() throws Exception {
    return HttpClient.newBuilder().sslContext(Certified.trusting()).build();
  }

  private HttpRequest.Builder ask(String path) {
    return HttpRequest.newBuilder(URI.create("https://localhost:" + rig.port + path));
  }

  private String run(String... command) throws Exception {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    process.waitFor();
    return Files.readString(output, StandardCharsets.ISO_8859_1);
  }

  private Backend echo() throws IOException {
    return rig.backend((head, in, out) -> {
      byte[] body = Backend.body(head, in);
      out.write(Rig.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n"));
      out.write(body);
      return true;
    });
  }

  @Test
  void theJdksClientAsksManyThingsAtOnce() throws Exception {
    serve(echo(), echo());
    try (HttpClient client = client()) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      // The first one opens the connection that all the others share.
      assertEquals(
          HttpClient.Version.HTTP_2,
          client.send(ask("/").build(), BodyHandlers.ofString()).version());
      for (int i = 0; i < 100; i++) {
        String body = i + " " + "x".repeat(i * 500);
        answers.add(
            client.sendAsync(
                ask("/" + i).POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString()));
      }
      for (int i = 0; i < 100; i++) {
        HttpResponse<String> answer = answers.get(i).join();
        assertEquals(200, answer.statusCode());
        assertEquals(i + " " + "x".repeat(i * 500), answer.body());
        assertEquals(HttpClient.Version.HTTP_2, answer.version());
      }
    }
    assertEquals(
        101, rig.balancer.loadBalancerMetrics("lb").orElseThrow().get(Metrics.Count.REQUESTS));
  }

  @Test
  void curlUploadsAndDownloads() throws Exception {
    serve(echo());
    Path file = directory.resolve("file");
    byte[] random = new byte[5 << 20];
    new java.util.Random(7).nextBytes(random);
    Files.write(file, random);
    String url = "https://localhost:" + rig.port + "/";
    String[] framings = {"Content-Type: a/b", "Expect: 100-continue", "Transfer-Encoding: chunked"};
    for (String framing : framings) {
      Path back = directory.resolve("back");
      String told =
          run(
              "curl",
              "-sk",
              "--http2",
              "-H",
              framing,
              "--data-binary",
              "@" + file,
              "-o",
              back.toString(),
              "-w",
              "%{http_version} %{http_code}",
              url);
      assertEquals("2 200", told);
      assertArrayEquals(random, Files.readAllBytes(back), framing);
    }
    assertEquals("1.1", run("curl", "-sk", "--http1.1", "-w", "%{http_version}", url));
  }

  @Test
  void nghttpReadsHeadsAndTrailers() throws Exception {
    serve(
        rig.backend((head, in, out) -> {
          out.write(
              Rig.bytes(
                  "HTTP/1.1 200 OK\r\n"
                      + "Transfer-Encoding: chunked\r\n"
                      + "Trailer: X-Sum\r\n"
                      + "Connection: x-hop\r\n"
                      + "X-Hop: 1\r\n"
                      + "Keep-Alive: timeout=1\r\n"
                      + "X-Mixed: V\r\n\r\n"
                      + "5\r\n"
                      + "hello\r\n"
                      + "0\r\n"
                      + "X-Sum: 42\r\n"
                      + "Content-Length: 9\r\n\r\n"));
          return true;
        }));
    String said = run("nghttp", "-nv", "--no-dep", "https://localhost:" + rig.port + "/");
    assertTrue(said.contains(":status: 200"), said);
    assertTrue(said.contains("x-mixed: V"), said);
    assertTrue(said.contains("x-sum: 42"), said);
    assertTrue(said.contains("SETTINGS_MAX_CONCURRENT_STREAMS(0x03):128"), said);
    assertFalse(said.contains("x-hop: 1"), said);
    assertFalse(said.contains("keep-alive: "), said);
    assertFalse(said.contains("content-length: 9"), said);
    assertFalse(said.contains("transfer-encoding: "), said);
  }

  @Test
  void h2loadIsServedWithoutFault() throws Exception {
    serve(echo(), echo());
    String said =
        run("h2load", "-n", "3000", "-c", "4", "-m", "100", "https://localhost:" + rig.port + "/");
    assertTrue(said.contains("3000 succeeded, 0 failed, 0 errored, 0 timeout"), said);
    assertTrue(said.contains("Application protocol: h2"), said);
  }

  @Test
  void targetsHearARequestOfHttp11() throws Exception {
    Backend hears =
        rig.backend((head, in, out) -> {
          out.write(
              Rig.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + head.length() + "\r\n\r\n" + head));
          return true;
        });
    serve(hears);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(
          1,
          true,
          ":method",
          "GET",
          ":path",
          "/a?b=c",
          ":scheme",
          "https",
          ":authority",
          "shop.test",
          "cookie",
          "a=1",
          "cookie",
          "b=2",
          "te",
          "trailers",
          "x-forwarded-for",
          "198.51.100.7",
          "x-it",
          "v\u00e9");
      String head = wire.answer(1).text();
      assertTrue(
          head.startsWith("GET /a?b=c HTTP/1.1\r\nHost: shop.test:" + rig.port + "\r\n"), head);
      assertTrue(head.contains("\r\ncookie: a=1; b=2\r\n"), head);
      assertTrue(head.contains("\r\nx-it: v\u00e9\r\n"), head);
      assertTrue(head.contains("\r\nX-Forwarded-For: 198.51.100.7, 127.0.0.1\r\n"), head);
      assertTrue(head.contains("\r\nX-Forwarded-Proto: https\r\n"), head);
      assertTrue(head.contains("\r\nX-Forwarded-Port: " + rig.port + "\r\n"), head);
      assertTrue(head.contains("\r\nX-Amzn-Trace-Id: Root=1-"), head);
      assertFalse(head.contains("\r\nte:"), head);
      assertFalse(head.contains("chunked"), head);
    }
  }

  @Test
  void trailersOfARequestReachTheTarget() throws Exception {
    serve(echo());
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, false, Http2Wire.request("POST"));
      wire.data(1, false, Rig.bytes("hello"));
      wire.headers(1, true, "x-sum", "42", "content-length", "7");
      assertEquals("hello|x-sum: 42", wire.answer(1).text());
    }
  }

  @Test
  void grpcIsNotForTargetsOfHttp11() throws Exception {
    serve(echo());
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, true, Http2Wire.request("POST", "content-type", "application/grpc+proto"));
      assertEquals(464, wire.answer(1).status());
      wire.headers(3, true, Http2Wire.request("POST", "content-type", "application/grpc-web"));
      assertEquals(200, wire.answer(3).status());
    }
  }

  @Test
  void continueIsSaidBeforeTheBodyIsSent() throws Exception {
    serve(echo());
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, false, Http2Wire.request("POST", "expect", "100-continue"));
      while (!wire.at(1).continues) {
        assertTrue(wire.read());
      }
      wire.data(1, true, Rig.bytes("body"));
      assertEquals("body", wire.answer(1).text());
    }
  }

  @Test
  void rulesAndTheLoadBalancersOwnAnswers() throws Exception {
    rig.rules =
        List.of(
            new LoadBalancer.Rule(
                List.of(new Condition.PathPattern(List.of(new Wildcard("/old*", false)))),
                new Redirect(301, "#{protocol}", "#{host}", "#{port}", "/new", "#{query}")),
            new LoadBalancer.Rule(
                List.of(new Condition.PathPattern(List.of(new Wildcard("/none", false)))),
                new Action.Forward("nobody")));
    put(new Action.FixedResponse(404, "text/plain", "nothing here"));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(
          1, true, ":method", "GET", ":scheme", "https", ":path", "/old?a=b", ":authority", "x");
      Got moved = wire.answer(1);
      assertEquals(301, moved.status());
      assertNotNull(moved.head);
      assertEquals(
          "https://x:" + rig.port + "/new?a=b", String.valueOf(moved.head.get("location")));
      wire.headers(3, true, Http2Wire.request("HEAD"));
      Got head = wire.answer(3);
      assertEquals(404, head.status());
      assertEquals("", head.text());
      assertNotNull(head.head);
      assertEquals("12", String.valueOf(head.head.get("content-length")));
      assertEquals("awselb/2.0", String.valueOf(head.head.get("server")));
      wire.headers(
          5, true, ":method", "GET", ":scheme", "https", ":path", "/none", ":authority", "x");
      assertEquals(503, wire.answer(5).status());
      wire.headers(7, false, Http2Wire.request("POST")); // of which no body is awaited
      Got early = wire.answer(7);
      assertEquals("nothing here", early.text());
      while (early.reset < 0) {
        wire.read();
      }
      assertEquals(0, early.reset, "NO_ERROR: the answer counts");
      wire.get(9);
      assertEquals("nothing here", wire.answer(9).text());
    }
  }

  @Test
  void answersWithoutBodiesAndToHead() throws Exception {
    serve(
        rig.backend((head, in, out) -> {
          out.write(
              Rig.bytes(
                  head.startsWith("HEAD")
                      ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                      : "HTTP/1.1 204 No Content\r\n\r\n"));
          return true;
        }));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, true, Http2Wire.request("HEAD"));
      Got head = wire.answer(1);
      assertNotNull(head.head);
      assertEquals("5", String.valueOf(head.head.get("content-length")));
      assertEquals("", head.text());
      wire.get(3);
      assertEquals(204, wire.answer(3).status());
      assertEquals(1, rig.connections(), "the target's connection is used again");
    }
  }

  @Test
  void anAnswerThatEndsWithItsConnectionEndsTheStream() throws Exception {
    serve(
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes("HTTP/1.1 200 OK\r\n\r\nuntil I close"));
          return false;
        }));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      Got got = wire.answer(1);
      assertTrue(got.ended);
      assertEquals("until I close", got.text());
    }
  }

  @Test
  void aTargetThatBreaksOffIsSeenOnItsStreamOnly() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    Backend breaks =
        rig.backend((head, in, out) -> {
          if (head.startsWith("GET /slow")) {
            try {
              go.await();
            } catch (InterruptedException e) {
              return false;
            }
            out.write(Backend.answer(200, "slow but whole"));
            return true;
          }
          out.write(
              Rig.bytes(
                  head.startsWith("GET /none")
                      ? ""
                      : "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"));
          return false;
        });
    serve(breaks);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(
          1, true, ":method", "GET", ":scheme", "https", ":path", "/slow", ":authority", "x");
      wire.get(3);
      Got half = wire.answer(3);
      assertTrue(half.reset > 0, "it must not seem whole");
      wire.headers(
          5, true, ":method", "GET", ":scheme", "https", ":path", "/none", ":authority", "x");
      assertEquals(502, wire.answer(5).status());
      go.countDown();
      assertEquals("slow but whole", wire.answer(1).text());
    }
  }

  @Test
  void aClientThatDoesNotReadStopsTheTargetAndNobodyElse() throws Exception {
    long size = 32L << 20;
    AtomicLong sent = new AtomicLong();
    Backend big =
        rig.backend((head, in, out) -> {
          if (head.startsWith("POST")) {
            out.write(Backend.answer(200, "small"));
            return true;
          }
          out.write(Rig.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n"));
          byte[] block = new byte[1 << 16];
          while (sent.get() < size) {
            out.write(block);
            sent.addAndGet(block.length);
          }
          return true;
        });
    serve(big);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.grants = false;
      wire.grant(0, 1 << 20); // it is the stream's window that is full, not the connection's
      wire.get(1);
      while (wire.at(1).body.size() < 65_535) {
        assertTrue(wire.read());
      }
      long stopped = Rig.stalled(sent::get);
      assertTrue(stopped < size / 2, "sent although nobody reads: " + stopped);
      wire.headers(3, true, Http2Wire.request("POST", "content-length", "0"));
      assertEquals("small", wire.answer(3).text());
      assertEquals(65_535, wire.at(1).body.size());
      wire.grants = true;
      wire.grant(1, 65_535);
      wire.grant(0, 65_535);
      assertEquals(size, wire.answer(1).body.size());
    }
  }

  @Test
  void aTargetThatDoesNotReadStopsTheClientAndNobodyElse() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    int size = 48 << 20;
    Backend slow =
        rig.backend((head, in, out) -> {
          if (head.startsWith("GET")) {
            out.write(Backend.answer(200, "quick"));
            return true;
          }
          try {
            read.await();
          } catch (InterruptedException e) {
            return false;
          }
          in.skipNBytes(size);
          out.write(Backend.answer(200, "all"));
          return true;
        });
    serve(slow);
    try (HttpClient client = client()) {
      client.send(ask("/").build(), BodyHandlers.ofString());
      AtomicLong taken = new AtomicLong();
      byte[] block = new byte[1 << 16];
      Iterable<byte[]> blocks =
          () ->
              Stream.generate(() -> block)
                  .limit(size / block.length)
                  .peek(b -> taken.addAndGet(b.length))
                  .iterator();
      CompletableFuture<HttpResponse<String>> all =
          client.sendAsync(
              ask("/")
                  .POST(BodyPublishers.fromPublisher(BodyPublishers.ofByteArrays(blocks), size))
                  .build(),
              BodyHandlers.ofString());
      long stopped = Rig.stalled(taken::get);
      assertTrue(stopped < size / 2, "taken although nobody reads: " + stopped);
      assertEquals("quick", client.send(ask("/").build(), BodyHandlers.ofString()).body());
      read.countDown();
      assertEquals("all", all.join().body());
    }
  }

  @Test
  void whatIsInFlightEndsBeforeTheConnectionDoes() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    serve(
        rig.backend((head, in, out) -> {
          asked.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            return false;
          }
          out.write(Backend.answer(200, "done"));
          return true;
        }));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      asked.await();
      rig.balancer.remove("lb");
      assertEquals(0, wire.ending(), "NO_ERROR");
      go.countDown();
      assertEquals("done", wire.answer(1).text());
      wire.drain(); // ends
    }
  }

  @Test
  void atASharedAddressNobodyAnswersForALoadBalancerThatIsGone() throws Exception {
    LoadBalancer.Front shared = new LoadBalancer.Front("127.0.0.1", true, a -> true);
    for (String name : List.of("one", "two")) {
      Action says = new Action.FixedResponse(200, "text/plain", name);
      LoadBalancer plain = rig.loadBalancer(name, name + ".elb.localhost", says, List.of(shared));
      Tls own = Certified.http2(Certified.ec(name.equals("one") ? "a.test" : "b.test"));
      rig.balancer.put(
          new LoadBalancer(
              plain.id(),
              plain.host(),
              plain.nodes(),
              plain.fronts(),
              List.of(new Listener(name, rig.port, List.of(), says, own)),
              plain.groups(),
              plain.settings()));
    }
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      assertEquals("one", wire.answer(1).text());
      rig.balancer.remove("one");
      wire.get(3);
      assertEquals(Http2Wire.REFUSED_STREAM, wire.answer(3).reset);
      assertEquals(0, wire.ending());
      wire.drain();
    }
  }

  @Test
  void anIdleConnectionIsLeft() throws Exception {
    rig.idle = java.time.Duration.ofSeconds(1);
    put(new Action.FixedResponse(200, "text/plain", "hi"));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      assertEquals("hi", wire.answer(1).text());
      assertEquals(0, wire.ending(), "NO_ERROR");
      wire.drain();
    }
  }

  @Test
  void whoIsSilentForTooLongIsToldSoOnHisStream() throws Exception {
    rig.idle = java.time.Duration.ofSeconds(1);
    serve(
        rig.backend((head, in, out) -> {
          in.read(); // the target never answers
          return false;
        }));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      wire.headers(3, false, Http2Wire.request("POST"));
      assertEquals(504, wire.answer(1).status());
      assertEquals(408, wire.answer(3).status());
    }
  }

  @Test
  void notMoreThanHundredAndTwentyEightRequestsAtOnce() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    serve(
        rig.backend((head, in, out) -> {
          try {
            go.await();
          } catch (InterruptedException e) {
            return false;
          }
          out.write(Backend.answer(200, "ok"));
          return true;
        }));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      while (wire.maxStreams < 0) {
        wire.read();
      }
      assertEquals(128, wire.maxStreams);
      for (int i = 0; i <= 128; i++) {
        wire.get(1 + 2 * i);
      }
      assertEquals(Http2Wire.REFUSED_STREAM, wire.answer(257).reset);
      go.countDown();
      for (int i = 0; i < 128; i++) {
        assertEquals("ok", wire.answer(1 + 2 * i).text());
      }
      wire.get(259);
      assertEquals("ok", wire.answer(259).text());
    }
  }

  @Test
  void withoutHttp2ItIsNotOffered() throws Exception {
    tls = Certified.tls(Certified.ec("localhost"));
    put(new Action.FixedResponse(200, "text/plain", "hi"));
    try (HttpClient client = client()) {
      assertEquals(
          HttpClient.Version.HTTP_1_1,
          client.send(ask("/").build(), BodyHandlers.ofString()).version());
    }
    tls = Certified.http2(Certified.ec("localhost"));
    put(new Action.FixedResponse(200, "text/plain", "hi"));
    try (HttpClient client = client()) {
      assertEquals(
          HttpClient.Version.HTTP_2,
          client.send(ask("/").build(), BodyHandlers.ofString()).version());
    }
  }

  @Test
  void aClientThatResetsItsRequestFreesTheTarget() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Backend waits =
        rig.backend((head, in, out) -> {
          asked.countDown();
          in.read();
          return false;
        });
    serve(waits);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      asked.await();
      assertEquals(1, rig.connections());
      wire.frame(Http2Wire.RST_STREAM, 0, 1, (byte) 0, (byte) 0, (byte) 0, (byte) 8);
      Rig.await(() -> rig.connections() == 0);
      assertEquals(1, rig.balancer.loadBalancerMetrics("lb").orElseThrow().ownAnswers(4), "460");
    }
  }

  @Test
  void bytesOfABodyArriveInOrderWhateverTheFrames() throws Exception {
    serve(echo());
    byte[] random = new byte[60_000];
    new java.util.Random(3).nextBytes(random);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, false, Http2Wire.request("PUT", "content-length", "60000"));
      java.util.Random sizes = new java.util.Random(5);
      for (int at = 0; at < random.length; ) {
        int next = Math.min(random.length, at + 1 + sizes.nextInt(3000));
        wire.data(1, next == random.length, Arrays.copyOfRange(random, at, next));
        at = next;
      }
      assertArrayEquals(random, wire.answer(1).body.toByteArray());
    }
  }
}
