package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.Tls;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Targets behind TLS: the JDK's HTTPS server and gRPC's own, with certificates that nobody trusts.
 */
class TargetTlsTest {

  private final Rig rig = new Rig();
  private final List<Runnable> servers = new ArrayList<>();

  @AfterEach
  void close() throws IOException {
    servers.forEach(Runnable::run);
    rig.close();
  }

  private void put(
      Version version,
      @Nullable Tls front,
      boolean secureChecks,
      Predicate<Integer> matcher,
      Balancer.Target... targets) {
    LoadBalancer plain =
        rig.loadBalancer("lb", "lb.elb.localhost", new Action.Forward("tg"), List.of());
    HealthCheck check =
        new HealthCheck(
            0,
            "/health",
            matcher,
            Duration.ofMillis(200),
            Duration.ofMillis(Rig.PATIENCE_MILLIS),
            2,
            2,
            secureChecks);
    List<Member> members = new ArrayList<>();
    for (Balancer.Target target : targets) {
      members.add(new Member(target, "a", null, false));
    }
    assertEquals(
        Map.of(),
        rig.balancer.put(
            new LoadBalancer(
                plain.id(),
                plain.host(),
                plain.nodes(),
                plain.fronts(),
                List.of(new Listener("l", rig.port, List.of(), new Action.Forward("tg"), front)),
                Map.of("tg", new TargetGroup("tg", version, true, Choice.DEFAULT, check, members)),
                plain.settings())));
  }

  private Health health(Balancer.Target target) {
    return rig.balancer.targets("tg").get(target).health();
  }

  private static final char[] NO_PASSWORD = new char[0];

  private static SSLContext serving(Tls.Identity identity) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, NO_PASSWORD);
    store.setKeyEntry(
        "me", identity.key(), NO_PASSWORD, identity.chain().toArray(X509Certificate[]::new));
    KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
    keys.init(store, NO_PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  @Test
  void requestsAndHealthChecksGoByTls() throws Exception {
    HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 50);
    server.setHttpsConfigurator(
        new HttpsConfigurator(
            serving(Certified.make("RSA", 2048, Duration.ofDays(-1), "expired.test"))));
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    Set<Integer> ports = ConcurrentHashMap.newKeySet();
    server.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          if (exchange.getRequestURI().getPath().equals("/echo")) {
            ports.add(exchange.getRemoteAddress().getPort());
          }
          exchange
              .getResponseHeaders()
              .add(
                  "X-Proto",
                  String.valueOf(exchange.getRequestHeaders().getFirst("X-Forwarded-Proto")));
          exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    servers.add(() -> server.stop(0));
    Balancer.Target target = new Balancer.Target("127.0.0.1", server.getAddress().getPort());
    put(Version.HTTP1, null, true, status -> status == 200, target);
    Rig.await(() -> health(target) == Health.HEALTHY);
    byte[] large = new byte[3_000_000];
    new java.util.Random(5).nextBytes(large);
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (int i = 0; i < 3; i++) {
        var answer =
            client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + rig.port + "/echo"))
                    .PUT(HttpRequest.BodyPublishers.ofByteArray(large))
                    .build(),
                BodyHandlers.ofByteArray());
        assertEquals(200, answer.statusCode());
        assertEquals("http", answer.headers().firstValue("X-Proto").orElse(""), "the client's own");
        assertArrayEquals(large, answer.body());
      }
    }
    assertEquals(1, ports.size(), "a session is shaken hands for once, and kept");
  }

  @Test
  void grpcAndHttp2GoByTls() throws Exception {
    Tls.Identity identity = Certified.rsa(2048, "nobody.test");
    var server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .sslContext(
                GrpcSslContexts.configure(
                        io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder.forServer(
                            identity.key(), identity.chain()),
                        SslProvider.JDK)
                    .build())
            .build()
            .start();
    servers.add(server::shutdownNow);
    Balancer.Target target = new Balancer.Target("127.0.0.1", server.getPort());
    // There is no such service: UNIMPLEMENTED, said by gRPC over TLS.
    put(Version.GRPC, Certified.http2(Certified.ec("localhost")), true, code -> code == 12, target);
    Rig.await(() -> health(target) == Health.HEALTHY);
    try (HttpClient client = HttpClient.newBuilder().sslContext(Certified.trusting()).build()) {
      var answer =
          client.send(
              HttpRequest.newBuilder(URI.create("https://localhost:" + rig.port + "/a.B/c"))
                  .header("content-type", "application/grpc")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[5]))
                  .build(),
              BodyHandlers.ofString());
      assertEquals(HttpClient.Version.HTTP_2, answer.version());
      assertEquals("12", answer.headers().firstValue("grpc-status").orElse(""));
    }
  }

  @Test
  void oneThatSpeaksNoTlsIsPassedOver() throws Exception {
    ServerSocket clear = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
    servers.add(() -> uncheckedClose(clear));
    Thread.ofPlatform().daemon().start(() -> answerInClear(clear));
    Balancer.Target deaf = new Balancer.Target("127.0.0.1", clear.getLocalPort());
    // Checked in clear, it is healthy; spoken to by TLS, it is not there.
    put(Version.HTTP1, null, false, status -> status == 200, deaf);
    Rig.await(() -> health(deaf) == Health.HEALTHY);
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 502 "));
    assertTrue(
        rig.balancer
                .targetGroupMetrics("tg")
                .orElseThrow()
                .get(Metrics.Count.TARGET_HANDSHAKE_ERRORS)
            > 0,
        "a connection there was, but no session");
    HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 50);
    server.setHttpsConfigurator(new HttpsConfigurator(serving(Certified.ec("x.test"))));
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.start();
    servers.add(() -> server.stop(0));
    Balancer.Target target = new Balancer.Target("127.0.0.1", server.getAddress().getPort());
    put(Version.HTTP1, null, true, status -> status == 200, deaf, target);
    Rig.await(() -> health(target) == Health.HEALTHY);
    for (int i = 0; i < 4; i++) {
      assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 200 "));
    }
    Rig.await(() -> health(deaf) == Health.UNHEALTHY);
  }

  private static void uncheckedClose(ServerSocket server) {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whatever is said is answered with 400, but for a GET. */
  private static void answerInClear(ServerSocket server) {
    try {
      while (true) {
        try (Socket socket = server.accept()) {
          byte[] some = new byte[4096];
          int bytes = socket.getInputStream().read(some);
          boolean get = bytes > 3 && some[0] == 'G';
          socket.getOutputStream().write(Backend.answer(get ? 200 : 400, ""));
        }
      }
    } catch (IOException e) {
      // closed
    }
  }
}
