package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.Tls;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Targets that speak HTTP/2, most of them gRPC's own server, asked by gRPC's own client. */
@Timeout(180)
final class Http2TargetsTest {

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
    return MethodDescriptor.newBuilder(BYTES, BYTES)
        .setFullMethodName("muelle.Echo/" + name)
        .setType(type)
        .build();
  }

  private static final MethodDescriptor<byte[], byte[]> UNARY = method("One", MethodType.UNARY);
  private static final MethodDescriptor<byte[], byte[]> FAILS = method("Fails", MethodType.UNARY);
  private static final MethodDescriptor<byte[], byte[]> MANY =
      method("Many", MethodType.SERVER_STREAMING);
  private static final MethodDescriptor<byte[], byte[]> BOTH =
      method("Both", MethodType.BIDI_STREAMING);

  private final Rig rig = new Rig();
  private final List<Server> servers = new ArrayList<>();
  private final AtomicInteger calls = new AtomicInteger();
  private Tls tls;

  @BeforeEach
  void certify() throws Exception {
    tls = Certified.http2(Certified.ec("localhost", "a.test"));
  }

  @AfterEach
  void close() throws Exception {
    servers.forEach(Server::shutdownNow);
    rig.close();
  }

  private static ServerCallHandler<byte[], byte[]> one(
      ServerCalls.UnaryMethod<byte[], byte[]> method) {
    return ServerCalls.asyncUnaryCall(method);
  }

  private Server grpc() throws IOException {
    ServerServiceDefinition echo =
        ServerServiceDefinition.builder("muelle.Echo")
            .addMethod(
                UNARY,
                one((request, answer) -> {
                  calls.incrementAndGet();
                  answer.onNext(request);
                  answer.onCompleted();
                }))
            .addMethod(
                FAILS,
                one((request, answer) -> {
                  Metadata more = new Metadata();
                  more.put(Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER), "because");
                  answer.onError(Status.DATA_LOSS.withDescription("gone").asRuntimeException(more));
                }))
            .addMethod(
                MANY,
                ServerCalls.asyncServerStreamingCall((request, answer) -> {
                  for (int i = 0; i < 100; i++) {
                    answer.onNext(request);
                  }
                  answer.onCompleted();
                }))
            .addMethod(BOTH, ServerCalls.asyncBidiStreamingCall(Http2TargetsTest::echo))
            .build();
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(echo)
            .maxInboundMessageSize(64 << 20)
            .build()
            .start();
    servers.add(server);
    return server;
  }

  private static StreamObserver<byte[]> echo(StreamObserver<byte[]> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(byte[] value) {
        answer.onNext(value);
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        answer.onCompleted();
      }
    };
  }

  private static Balancer.Target target(Server server) {
    return new Balancer.Target("127.0.0.1", server.getPort());
  }

  private void put(Version version, String path, Set<Integer> codes, Balancer.Target... targets) {
    Action action = new Action.Forward("tg");
    LoadBalancer plain = rig.loadBalancer("lb", "lb.elb.localhost", action, List.of());
    HealthCheck check =
        new HealthCheck(
            0,
            path,
            codes::contains,
            Duration.ofMillis(200),
            Duration.ofMillis(Rig.PATIENCE_MILLIS),
            2,
            2);
    rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener("lb", rig.port, rig.rules, action, tls)),
            Map.of(
                "tg",
                new TargetGroup(
                    "tg",
                    version,
                    LoadBalancer.Choice.DEFAULT,
                    check,
                    Stream.of(targets).map(one -> new Member(one, "a", null, false)).toList())),
            plain.settings()));
  }

  private Balancer.TargetState state(Balancer.Target target) {
    return rig.balancer.targets("tg").get(target);
  }

  private void serve(Server... all) {
    Balancer.Target[] targets =
        Stream.of(all).map(Http2TargetsTest::target).toArray(Balancer.Target[]::new);
    put(Version.GRPC, "/AWS.ALB/healthcheck", Set.of(12), targets);
    for (Balancer.Target target : targets) {
      Rig.await(() -> state(target).health() == Health.HEALTHY);
    }
  }

  private ManagedChannel client() throws Exception {
    return NettyChannelBuilder.forAddress("localhost", rig.port)
        .sslContext(
            GrpcSslContexts.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE).build())
        .maxInboundMessageSize(64 << 20)
        .build();
  }

  private static byte[] call(
      ManagedChannel channel, MethodDescriptor<byte[], byte[]> method, byte[] request) {
    return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request);
  }

  private static byte[] random(int bytes) {
    byte[] random = new byte[bytes];
    new java.util.Random(bytes).nextBytes(random);
    return random;
  }

  @Test
  void callsOfGrpcPass() throws Exception {
    serve(grpc(), grpc());
    ManagedChannel channel = client();
    try {
      for (int size : new int[] {0, 1, 100, 70_000, 5 << 20}) {
        assertArrayEquals(random(size), call(channel, UNARY, random(size)), size + " bytes");
      }
      StatusRuntimeException failed =
          assertThrows(StatusRuntimeException.class, () -> call(channel, FAILS, new byte[1]));
      assertEquals(Status.Code.DATA_LOSS, failed.getStatus().getCode());
      assertEquals("gone", failed.getStatus().getDescription());
      assertEquals(
          "because",
          failed.getTrailers().get(Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER)));
      Iterator<byte[]> many =
          ClientCalls.blockingServerStreamingCall(
              channel, MANY, CallOptions.DEFAULT, random(20_000));
      int count = 0;
      for (; many.hasNext(); count++) {
        assertArrayEquals(random(20_000), many.next());
      }
      assertEquals(100, count);
      Metrics metrics = rig.balancer.loadBalancerMetrics("lb").orElseThrow();
      assertEquals(7, metrics.get(Metrics.Count.GRPC_REQUESTS));
      assertEquals(7, metrics.get(Metrics.Count.REQUESTS));
      assertTrue(metrics.get(Metrics.Count.BYTES) > 2 * (5 << 20), "the largest came and went");
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void bothSidesOfACallTalkAtOnce() throws Exception {
    serve(grpc());
    ManagedChannel channel = client();
    try {
      BlockingQueue<String> heard = new LinkedBlockingQueue<>();
      StreamObserver<byte[]> say =
          ClientCalls.asyncBidiStreamingCall(
              channel.newCall(BOTH, CallOptions.DEFAULT),
              new StreamObserver<>() {
                @Override
                public void onNext(byte[] value) {
                  heard.add(new String(value, java.nio.charset.StandardCharsets.UTF_8));
                }

                @Override
                public void onError(Throwable error) {
                  heard.add(error.toString());
                }

                @Override
                public void onCompleted() {
                  heard.add("end");
                }
              });
      for (int i = 0; i < 50; i++) {
        say.onNext(Rig.bytes("word " + i));
        assertEquals("word " + i, heard.take()); // each is answered before the next is said
      }
      say.onCompleted();
      assertEquals("end", heard.take());
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void aTargetThatTakesFewCallsAtOnceGetsMoreConnections() throws Exception {
    Server few =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(
                ServerServiceDefinition.builder("muelle.Echo")
                    .addMethod(BOTH, ServerCalls.asyncBidiStreamingCall(Http2TargetsTest::echo))
                    .build())
            .maxConcurrentCallsPerConnection(2)
            .build()
            .start();
    servers.add(few);
    serve(few);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      for (int stream = 1; stream < 12; stream += 2) {
        wire.headers(
            stream,
            false,
            ":method",
            "POST",
            ":scheme",
            "https",
            ":path",
            "/muelle.Echo/Both",
            ":authority",
            "x",
            "content-type",
            "application/grpc",
            "te",
            "trailers");
        wire.data(stream, false, new byte[] {0, 0, 0, 0, 1, 7});
        while (wire.at(stream).body.size() < 6) {
          assertTrue(wire.read());
        }
      }
      assertEquals(3, rig.connections());
    }
  }

  @Test
  void aTargetThatStopsGracefullyLosesNoCall() throws Exception {
    Server one = grpc();
    Server two = grpc();
    serve(one, two);
    ManagedChannel channel = client();
    try {
      AtomicInteger answered = new AtomicInteger();
      List<Throwable> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
      CountDownLatch done = new CountDownLatch(4);
      for (int thread = 0; thread < 4; thread++) {
        Thread.ofVirtual()
            .start(() -> {
              try {
                for (int i = 0; i < 200; i++) {
                  call(channel, UNARY, random(200));
                  answered.incrementAndGet();
                }
              } catch (RuntimeException e) {
                failures.add(e);
              } finally {
                done.countDown();
              }
            });
      }
      Rig.await(() -> answered.get() > 100);
      one.shutdown(); // GOAWAY, and what is under way ends
      done.await();
      assertEquals(List.of(), failures);
      assertEquals(800, answered.get());
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void healthIsWhatGrpcSays() throws Exception {
    Server server = grpc();
    put(Version.GRPC, "/muelle.Echo/Fails", Set.of(0), target(server));
    Rig.await(() -> state(target(server)).health() == Health.UNHEALTHY);
    assertEquals("Target.ResponseCodeMismatch", state(target(server)).reason());
    assertEquals(
        "Health checks failed with these codes: [15]", state(target(server)).description());
    put(Version.GRPC, "/muelle.Echo/One", Set.of(0, 5), target(server));
    Rig.await(() -> state(target(server)).health() == Health.HEALTHY);
    assertTrue(calls.get() > 0);
  }

  @Test
  void aTargetThatSpeaksHttp1IsUnhealthy() throws Exception {
    Backend old = rig.backend((head, in, out) -> false);
    put(Version.HTTP2, "/health", Set.of(200), old.target());
    Rig.await(() -> state(old.target()).health() == Health.UNHEALTHY);
    // Fail-open sends requests there all the same.
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      assertEquals(502, wire.answer(1).status());
    }
  }

  @Test
  void requestsThatTargetsDoNotUnderstandAreAnswered464() throws Exception {
    serve(grpc());
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1); // gRPC is POST
      assertEquals(464, wire.answer(1).status());
    }
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(Certified.trusting())
            .build()) {
      HttpRequest get =
          HttpRequest.newBuilder(URI.create("https://localhost:" + rig.port + "/")).build();
      assertEquals(464, client.send(get, BodyHandlers.ofString()).statusCode());
    }
  }

  @Test
  void aCallThatTheClientCancelsIsCancelledAtTheTarget() throws Exception {
    serve(grpc());
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(
          1,
          false,
          ":method",
          "POST",
          ":scheme",
          "https",
          ":path",
          "/muelle.Echo/Both",
          ":authority",
          "x",
          "content-type",
          "application/grpc",
          "te",
          "trailers");
      wire.data(1, false, new byte[] {0, 0, 0, 0, 1, 7});
      while (wire.at(1).body.size() < 6) {
        assertTrue(wire.read());
      }
      wire.frame(Http2Wire.RST_STREAM, 0, 1, (byte) 0, (byte) 0, (byte) 0, (byte) 8);
      // The connection to the target is shared, and goes on.
      wire.headers(
          3,
          false,
          ":method",
          "POST",
          ":scheme",
          "https",
          ":path",
          "/muelle.Echo/One",
          ":authority",
          "x",
          "content-type",
          "application/grpc",
          "te",
          "trailers");
      wire.data(3, true, new byte[] {0, 0, 0, 0, 1, 9});
      Http2Wire.Got got = wire.answer(3);
      assertEquals("0", got.trailers == null ? null : got.trailers.get("grpc-status").toString());
    }
    assertEquals(1, rig.connections());
  }

  private void serve(WireTarget target) {
    target.serveBy(rig, tls);
  }

  @Test
  void aTargetThatDiesWithinARequestIsSeen() throws Exception {
    try (WireTarget dies = new WireTarget((request, stream, in, out) -> false)) {
      serve(dies);
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        wire.get(1);
        assertEquals(502, wire.answer(1).status());
      }
    }
    try (WireTarget half =
        new WireTarget((request, stream, in, out) -> {
          WireTarget.ok(out, stream, false);
          out.write(Http2Wire.bytes(Http2Wire.DATA, 0, stream, new byte[100]));
          return false;
        })) {
      serve(half);
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        wire.get(1);
        assertTrue(wire.answer(1).reset > 0, "it must not seem whole");
      }
    }
  }

  @Test
  void whatATargetRefusesIsAskedAgain() throws Exception {
    byte[] refused = {0, 0, 0, Http2Wire.REFUSED_STREAM};
    try (WireTarget shy =
        new WireTarget((request, stream, in, out) -> {
          if (request == 1) {
            out.write(Http2Wire.bytes(Http2Wire.RST_STREAM, 0, stream, refused));
          } else if (request == 2) { // going away, and has looked at none
            out.write(Http2Wire.bytes(Http2Wire.GOAWAY, 0, 0, new byte[8]));
          } else {
            WireTarget.ok(out, stream, true);
          }
          return true;
        })) {
      serve(shy);
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        wire.headers(1, true, Http2Wire.request("POST")); // not idempotent, and safe all the same
        assertEquals(200, wire.answer(1).status());
        assertEquals(3, shy.requests.get());
      }
    }
  }

  @Test
  void aClientThatDoesNotReadStopsTheTarget() throws Exception {
    int size = 4 << 20;
    AtomicInteger sent = new AtomicInteger();
    try (WireTarget pours =
        new WireTarget((request, stream, in, out) -> {
          WireTarget.ok(out, stream, false);
          int mine = 65_535; // the connection's is larger
          while (sent.get() < size) {
            int now = Math.min(16_384, Math.min(size - sent.get(), mine));
            if (now == 0) {
              WireTarget.Frame frame = WireTarget.Frame.read(in);
              if (frame.type() == Http2Wire.WINDOW_UPDATE) {
                int granted = java.nio.ByteBuffer.wrap(frame.payload()).getInt();
                mine += frame.stream() == stream ? granted : 0;
              }
              continue;
            }
            mine -= now;
            boolean last = sent.addAndGet(now) == size;
            out.write(
                Http2Wire.bytes(
                    Http2Wire.DATA, last ? Http2Wire.END_STREAM : 0, stream, new byte[now]));
          }
          return true;
        })) {
      serve(pours);
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        wire.grants = false;
        wire.grant(0, 1 << 20);
        wire.get(1);
        while (wire.at(1).body.size() < 65_535) {
          assertTrue(wire.read());
        }
        long before = Rig.stalled(sent::get);
        assertTrue(before <= 4 * 65_535, "sent although nobody reads: " + before);
        wire.grants = true;
        wire.grant(1, 65_535);
        assertEquals(size, wire.answer(1).body.size());
      }
    }
  }
}
