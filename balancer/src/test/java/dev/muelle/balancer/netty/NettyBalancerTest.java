package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
final class NettyBalancerTest {

  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  private NettyBalancer balancer;
  private int port;
  private Duration idle = Duration.ofSeconds(30);
  private boolean admit = true;
  private Headers headers = Headers.DEFAULT;
  private final List<AutoCloseable> toClose = new ArrayList<>();

  @BeforeEach
  void start() throws IOException {
    balancer = new NettyBalancer(InstantSource.system(), new SplittableRandom(1), 2);
    port = Rig.freePort();
  }

  @AfterEach
  void stop() throws Exception {
    balancer.close();
    for (AutoCloseable one : toClose) {
      one.close();
    }
  }

  private Backend backend(Backend.Behaviour behaviour) throws IOException {
    Backend backend = new Backend(behaviour);
    toClose.add(backend);
    return backend;
  }

  private static Member member(Backend backend) {
    return new Member(backend.target(), "a", null, false);
  }

  private Map<String, String> put(Member... members) {
    return put(new Action.Forward("tg"), List.of(members));
  }

  private Map<String, String> put(Action action, List<Member> members) {
    return balancer.put(
        new LoadBalancer(
            "lb",
            "web.localhost",
            List.of(new Node("127.0.0.1", "a", HOST)),
            List.of(
                new Front("127.0.0.2", true, a -> admit),
                new Front("127.0.0.3", false, a -> admit)),
            List.of(new Listener("l", port, action)),
            Map.of("tg", new TargetGroup("tg", Rig.CHECK, members)),
            new Settings(idle, Duration.ofHours(1), headers)));
  }

  private Health health(Backend backend) {
    var state = balancer.targets("tg").get(backend.target());
    return state == null ? null : state.health();
  }

  private void healthy(Backend... backends) {
    for (Backend backend : backends) {
      Rig.await(() -> health(backend) == Health.HEALTHY);
    }
  }

  private String raw(String address, String request) throws IOException {
    try (Socket socket = new Socket(address, port)) {
      socket.setSoTimeout(Rig.PATIENCE_MILLIS);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  private String raw(String request) throws IOException {
    return raw("127.0.0.1", request);
  }

  private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  @Test
  void forwardsWithTheHeadersOfAlb() throws Exception {
    Queue<String> heads = new ConcurrentLinkedQueue<>();
    Backend one =
        backend((head, in, out) -> {
          heads.add(head);
          out.write(Backend.answer(200, "hello"));
          return true;
        });
    assertEquals(Map.of(), put(member(one)));
    healthy(one);
    String answer =
        raw(
            "GET /a?b HTTP/1.1\r\nHost: x.y:80\r\nX-Forwarded-For: 9.9.9.9\r\nKeep-Alive: 5\r\n"
                + "X-Secret: 1\r\nConnection: close, X-Secret\r\n"
                + "X-Amzn-Trace-Id: Root=1-a-b;CalledFrom=app\r\n\r\n");
    assertTrue(answer.startsWith("HTTP/1.1 200 X\r\n"), answer);
    assertTrue(answer.endsWith("Connection: close\r\n\r\nhello"), answer);
    String head = heads.remove();
    assertTrue(head.startsWith("GET /a?b HTTP/1.1\r\nHost: x.y:80\r\n"), head);
    assertTrue(head.contains("X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n"), head);
    assertTrue(head.contains("X-Forwarded-Proto: http\r\nX-Forwarded-Port: " + port), head);
    assertTrue(
        head.matches(
            "(?s).*X-Amzn-Trace-Id: Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-a-b;CalledFrom=app\r\n.*"),
        head);
    assertFalse(head.contains("Secret") || head.contains("Keep-Alive"), head);
  }

  @Test
  void answersPipelinedRequestsInOrderAndTakesTurns() throws Exception {
    Backend one = backend((h, in, out) -> write(out, Backend.answer(200, "one")));
    Backend two = backend((h, in, out) -> write(out, Backend.answer(200, "two")));
    put(member(one), member(two));
    healthy(one, two);
    String get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    String all = raw(get + get + get + GET);
    assertEquals(4, all.split("200 X", -1).length - 1, all);
    assertEquals(2, one.served.get());
    assertEquals(2, two.served.get());
  }

  @Test
  void requestsAreSharedByWeight() throws Exception {
    Backend blue = backend((h, in, out) -> write(out, Backend.answer(200, "blue")));
    Backend green = backend((h, in, out) -> write(out, Backend.answer(200, "green")));
    shares(blue, 3, green, 1);
    Rig.await(() -> health(blue) == Health.HEALTHY);
    Rig.await(() ->
        balancer.targets("green").get(green.target()) != null
            && balancer.targets("green").get(green.target()).health() == Health.HEALTHY);
    for (int i = 0; i < 400; i++) {
      raw(GET);
    }
    assertEquals(400, blue.served.get() + green.served.get());
    assertTrue(green.served.get() > 60 && green.served.get() < 140, green.served + " of 400");
    // A weight of 0 is nothing, and still checked.
    int before = blue.served.get();
    shares(blue, 0, green, 1);
    for (int i = 0; i < 20; i++) {
      raw(GET);
    }
    assertEquals(before, blue.served.get());
    assertEquals(Health.HEALTHY, health(blue));
    shares(blue, 0, green, 0);
    assertTrue(raw(GET).startsWith("HTTP/1.1 503 "));
  }

  private void shares(Backend blue, int blueWeight, Backend green, int greenWeight) {
    Action action =
        new Action.Forward(
            List.of(
                new LoadBalancer.Share("tg", blueWeight),
                new LoadBalancer.Share("green", greenWeight)));
    balancer.put(
        new LoadBalancer(
            "lb",
            "web.localhost",
            List.of(new Node("127.0.0.1", "a", HOST)),
            List.of(),
            List.of(new Listener("l", port, action)),
            Map.of(
                "tg", new TargetGroup("tg", Rig.CHECK, List.of(member(blue))),
                "green", new TargetGroup("green", Rig.CHECK, List.of(member(green)))),
            new Settings(idle, Duration.ofHours(1), headers)));
  }

  private static boolean write(OutputStream out, byte[] bytes) throws IOException {
    out.write(bytes);
    return true;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        "G\u00e4T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / FTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x/../y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\r\n\r\n"
      })
  void refusesWhatTwoPartiesCouldReadDifferently(String request) throws Exception {
    Backend one = backend((h, in, out) -> write(out, Backend.answer(200, "passed")));
    put(member(one));
    healthy(one);
    String answer = raw(request);
    assertTrue(answer.startsWith("HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\n"), answer);
    assertEquals(1, answer.split("HTTP/1.1 ", -1).length - 1);
    assertEquals(0, one.served.get());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5;a=\nb\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "-5\r\nhello\r\n",
        "\r\n",
        "ffffffffffffffffff\r\nhello",
        "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n"
      })
  void refusesMalformedChunks(String chunks) throws Exception {
    Backend one =
        backend((h, in, out) -> {
          in.readAllBytes(); // an answer would need the whole body
          return false;
        });
    put(member(one));
    healthy(one);
    String answer =
        raw("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
    assertTrue(answer.startsWith("HTTP/1.1 400 "), answer);
  }

  @Test
  void namesOtherFaultsAsAlbDoes() throws Exception {
    assertEquals(Map.of(), put());
    assertTrue(raw(GET).startsWith("HTTP/1.1 503 Service Temporarily Unavailable\r\n"));
    assertTrue(raw(GET).contains("Content-Length: 162\r\n"));
    assertTrue(raw(GET.replace("GET /", "GET /" + "a".repeat(17000))).startsWith("HTTP/1.1 414 "));
    assertTrue(
        raw(GET.replace("\r\n\r\n", "\r\nX: " + "a".repeat(17000) + "\r\n\r\n"))
            .startsWith("HTTP/1.1 400 "));
    assertTrue(raw(GET.replace("GET", "TRACE")).startsWith("HTTP/1.1 405 "));
    assertTrue(raw(GET.replace("GET", "CONNECT")).startsWith("HTTP/1.1 400 "));
    assertTrue(raw(GET.replace("1.1", "2.0")).startsWith("HTTP/1.1 505 "));
    assertTrue(
        raw(GET.replace("Host", "Transfer-Encoding: gzip\r\nHost")).startsWith("HTTP/1.1 501 "));
    assertTrue(
        raw(GET.replace("Host", "X-Forwarded-For: " + "1.1.1.1,".repeat(31) + "\r\nHost"))
            .startsWith("HTTP/1.1 463"));
    assertTrue(raw("127.0.0.2", GET).startsWith("HTTP/1.1 404 Not Found\r\n"));
    assertTrue(
        raw("127.0.0.2", GET.replace("x\r", "WEB.localhost:99\r")).startsWith("HTTP/1.1 503 "));
    assertTrue(raw("127.0.0.3", GET).startsWith("HTTP/1.1 503 "));
    put(new Action.FixedResponse(418, "text/plain", "tea"), List.of());
    assertTrue(raw(GET).endsWith("\r\n\r\ntea"));
    String head = raw(GET.replace("GET", "HEAD"));
    assertTrue(head.contains("Content-Length: 3\r\n") && head.endsWith("\r\n\r\n"), head);
  }

  @Test
  void tellsBadAnswersFromNone() throws Exception {
    Backend bad =
        backend((h, in, out) -> write(out, "nonsense\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
    put(member(bad));
    healthy(bad);
    assertTrue(raw(GET).startsWith("HTTP/1.1 502 Bad Gateway\r\n"));
    Backend rude = backend((h, in, out) -> false);
    put(member(rude));
    healthy(rude);
    assertTrue(raw(GET).startsWith("HTTP/1.1 502 "));
    idle = Duration.ofSeconds(1);
    Backend slow =
        backend((h, in, out) -> {
          in.read();
          return false;
        });
    put(member(slow));
    healthy(slow);
    assertTrue(raw(GET).startsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
    idle = Duration.ofSeconds(30);
    Backend half =
        backend((h, in, out) -> {
          out.write(
              "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
                  .getBytes(StandardCharsets.US_ASCII));
          return false;
        });
    put(member(half));
    healthy(half);
    assertTrue(raw(GET).endsWith("half"));
  }

  @Test
  void connectFailuresGoOnToAnotherTarget() throws Exception {
    Backend good = backend((h, in, out) -> write(out, Backend.answer(200, "good")));
    // Believed healthy, but not there any more.
    Balancer.Target dead = new Balancer.Target("127.0.0.1", Rig.freePort());
    put(member(good), new Member(dead, "a", null, true));
    healthy(good);
    for (int i = 0; i < 20; i++) {
      assertTrue(raw(GET).endsWith("good"));
    }
    Rig.await(() -> balancer.targets("tg").get(dead).health() == Health.UNHEALTHY);
    assertEquals("Target.FailedHealthChecks", balancer.targets("tg").get(dead).reason());
  }

  @Test
  void repeatsIdempotentRequestsWhenAKeptConnectionWasClosed() throws Exception {
    // Closes each connection upon its second request, as a server does whose patience just ended.
    Map<OutputStream, Boolean> seen = new java.util.concurrent.ConcurrentHashMap<>();
    Backend one =
        backend((h, in, out) ->
            seen.put(out, true) == null && write(out, Backend.answer(200, "first")));
    put(member(one));
    healthy(one);
    String get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    String all = raw(get.repeat(19) + GET);
    assertEquals(20, all.split("200 X", -1).length - 1, all);
  }

  @Test
  void speaksChunksHeadAndHttp10() throws Exception {
    Backend one =
        backend((head, in, out) -> {
          if (head.contains("Transfer-Encoding: chunked")) {
            String body = Backend.head(in);
            return write(out, Backend.answer(200, body.replace("\r\n", "|")));
          }
          String start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
          String body =
              head.startsWith("HEAD") ? "" : "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n";
          return write(out, (start + body).getBytes(StandardCharsets.US_ASCII));
        });
    Backend closing =
        backend((head, in, out) -> {
          out.write("HTTP/1.0 200 OK\r\n\r\nto the end".getBytes(StandardCharsets.US_ASCII));
          return false;
        });
    put(member(one));
    healthy(one);
    assertTrue(raw(GET).endsWith("\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"));
    String old = raw("GET / HTTP/1.0\r\n\r\n");
    assertTrue(old.endsWith("Connection: close\r\n\r\nabcde"), old);
    assertTrue(raw(GET.replace("GET", "HEAD")).endsWith("\r\n\r\n"));
    String post =
        raw(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assertTrue(post.startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "), post);
    assertTrue(post.endsWith("3|abc|0||"), post);
    put(member(closing));
    healthy(closing);
    String chunked = raw(GET);
    assertTrue(chunked.contains("Transfer-Encoding: chunked\r\n"), chunked);
    assertTrue(chunked.endsWith("a\r\nto the end\r\n0\r\n\r\n"), chunked);
    assertTrue(raw("GET / HTTP/1.0\r\n\r\n").endsWith("\r\n\r\nto the end"));
  }

  @Test
  void tunnelsWebSockets() throws Exception {
    Backend echo =
        backend((head, in, out) -> {
          assertTrue(head.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"), head);
          out.write(
              ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      + "Sec-WebSocket-Accept: z\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
          in.transferTo(out);
          return false;
        });
    put(member(echo));
    healthy(echo);
    try (Socket socket = new Socket("127.0.0.1", port)) {
      OutputStream out = socket.getOutputStream();
      out.write(
          "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      String head = Backend.head(socket.getInputStream());
      assertTrue(head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), head);
      assertTrue(head.contains("Sec-WebSocket-Accept: z\r\n"), head);
      for (int i = 0; i < 100; i++) {
        out.write(new byte[] {(byte) 0x81, (byte) i});
        assertEquals(0x81, socket.getInputStream().read());
        assertEquals(i, socket.getInputStream().read());
      }
    }
  }

  @Test
  void streamsBothWaysWithoutGathering() throws Exception {
    long size = 300L << 20;
    Backend big =
        backend((head, in, out) -> {
          byte[] block = new byte[1 << 16];
          if (head.startsWith("POST")) {
            long left = size;
            while (left > 0) {
              left -= in.read(block, 0, (int) Math.min(block.length, left));
            }
            return write(out, Backend.answer(200, "" + left));
          }
          out.write(
              ("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
          for (long sent = 0; sent < size; sent += block.length) {
            out.write(block);
          }
          return true;
        });
    put(member(big));
    healthy(big);
    long before =
        io.netty.buffer.ByteBufAllocator.DEFAULT
                instanceof io.netty.buffer.ByteBufAllocatorMetricProvider m
            ? m.metric().usedDirectMemory()
            : 0;
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket
          .getOutputStream()
          .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      Backend.head(in);
      in.skipNBytes(size);
      OutputStream out = socket.getOutputStream();
      out.write(
          ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      byte[] block = new byte[1 << 16];
      for (long sent = 0; sent < size; sent += block.length) {
        out.write(block);
      }
      assertTrue(Backend.head(in).startsWith("HTTP/1.1 200 "));
      assertEquals('0', in.read());
    }
    long after =
        io.netty.buffer.ByteBufAllocator.DEFAULT
                instanceof io.netty.buffer.ByteBufAllocatorMetricProvider m
            ? m.metric().usedDirectMemory()
            : 0;
    assertTrue(after - before < 64 << 20, "buffers grew by " + (after - before));
  }

  @Test
  void replacesTargetsUnderLoadWithoutOneFailure() throws Exception {
    Backend.Behaviour behaviour =
        (head, in, out) -> {
          if (head.startsWith("POST")) {
            in.readNBytes(5);
          }
          return write(out, Backend.answer(200, "fine"));
        };
    List<Backend> now = new ArrayList<>(List.of(backend(behaviour), backend(behaviour)));
    put(member(now.get(0)), member(now.get(1)));
    healthy(now.get(0), now.get(1));
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger good = new AtomicInteger();
    Queue<String> bad = new ConcurrentLinkedQueue<>();
    List<Thread> load = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      String request =
          i % 4 == 0
              ? "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
              : "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
      load.add(Thread.ofPlatform().daemon().start(() -> hammer(request, stop, good, bad)));
    }
    for (int round = 0; round < 40; round++) {
      int seen = good.get();
      Rig.await(() -> good.get() > seen + 400 || !bad.isEmpty());
      Backend fresh = backend(behaviour);
      Backend old = now.removeFirst();
      put(member(old), member(now.getFirst()), member(fresh));
      healthy(fresh);
      Member leaving = new Member(old.target(), "a", Instant.now().plusSeconds(300), false);
      put(leaving, member(now.getFirst()), member(fresh));
      Rig.await(() -> health(old) == Health.DRAINED);
      old.close();
      now.add(fresh);
      put(member(now.get(0)), member(now.get(1)));
    }
    stop.set(true);
    for (Thread thread : load) {
      thread.join();
    }
    assertEquals(List.of(), List.copyOf(bad));
    assertTrue(good.get() > 10_000);
  }

  private void hammer(String request, AtomicBoolean stop, AtomicInteger good, Queue<String> bad) {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      InputStream in = socket.getInputStream();
      while (!stop.get()) {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        String head = Backend.head(in);
        if (!head.startsWith("HTTP/1.1 200 ")) {
          bad.add(head);
          return;
        }
        in.skipNBytes(4);
        good.incrementAndGet();
      }
    } catch (IOException e) {
      bad.add(e.toString());
    }
  }

  @Test
  void drainsWhatIsInFlightAndCutsAtTheEnd() throws Exception {
    java.util.concurrent.CountDownLatch go = new java.util.concurrent.CountDownLatch(1);
    java.util.concurrent.CountDownLatch in = new java.util.concurrent.CountDownLatch(2);
    Backend slow =
        backend((head, i, out) -> {
          in.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            return false;
          }
          return write(out, Backend.answer(200, "late"));
        });
    put(member(slow));
    healthy(slow);
    var first = later(GET);
    var second = later(GET);
    in.await();
    put(new Member(slow.target(), "a", Instant.now().plusSeconds(60), false));
    assertEquals(Health.DRAINING, health(slow));
    assertTrue(raw(GET).startsWith("HTTP/1.1 503 "));
    go.countDown();
    assertTrue(first.get().endsWith("late"), first.get());
    assertTrue(second.get().endsWith("late"));
    Rig.await(() -> health(slow) == Health.DRAINED);
    Backend stuck = backend((head, i, out) -> i.read() < 0);
    put(member(stuck));
    healthy(stuck);
    var cut = later(GET);
    Rig.await(() -> stuck.served.get() == 1);
    put(new Member(stuck.target(), "a", Instant.now().plusMillis(200), false));
    assertTrue(cut.get().startsWith("HTTP/1.1 502 "), cut.get());
    Rig.await(() -> health(stuck) == Health.DRAINED);

    Backend gone = backend((head, i, out) -> i.read() < 0);
    put(member(gone));
    healthy(gone);
    cut = later(GET);
    Rig.await(() -> gone.served.get() == 1);
    put(new Member(gone.target(), "a", Instant.now().plusSeconds(60), false));
    put();
    assertTrue(cut.get().startsWith("HTTP/1.1 502 "), cut.get());
  }

  /** On a thread of its own: the common pool has a single one on a small machine. */
  private java.util.concurrent.FutureTask<String> later(String request) {
    var task = new java.util.concurrent.FutureTask<>(() -> quietly(request));
    Thread.ofVirtual().start(task);
    return task;
  }

  private String quietly(String request) {
    try {
      return raw(request);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void aPortThatIsTakenIsToldAndTriedAgain() throws Exception {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new java.net.InetSocketAddress("127.0.0.3", port));
      assertEquals(java.util.Set.of("127.0.0.3:" + port), put().keySet());
      assertTrue(raw(GET).startsWith("HTTP/1.1 503 "));
    }
    assertEquals(Map.of(), put());
    assertTrue(raw("127.0.0.3", GET).startsWith("HTTP/1.1 503 "));
    balancer.remove("lb");
    assertEquals(List.of(), balancer.endpoints());
  }

  @Test
  void whoIsNotAdmittedGetsNoAnswer() throws Exception {
    admit = false;
    put(new Action.FixedResponse(200, "text/plain", "in"), List.of());
    try (Socket socket = new Socket("127.0.0.3", port)) {
      socket.getOutputStream().write(GET.getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(300);
      org.junit.jupiter.api.Assertions.assertThrows(
          java.net.SocketTimeoutException.class, () -> socket.getInputStream().read());
    }
    admit = true;
    assertTrue(raw("127.0.0.3", GET).endsWith("in"));
  }

  @Test
  void anIndependentClientIsServed() throws Exception {
    Backend one = backend((h, in, out) -> write(out, Backend.answer(200, "java")));
    put(member(one));
    healthy(one);
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      for (int i = 0; i < 100; i++) {
        HttpResponse<String> answer =
            client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals("java", answer.body());
      }
    }
    // Each health check has a connection of its own; one may just have been made.
    assertTrue(one.connections.get() - one.checks.get() < 10, "connections are kept");
  }
}
