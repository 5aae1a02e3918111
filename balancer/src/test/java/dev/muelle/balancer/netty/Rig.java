package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/** A balancer with one event loop and what a test needs around it; the node is 127.0.0.1. */
public final class Rig implements AutoCloseable {

  static final String GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  static final String KEPT = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

  /** Reading a socket cannot be interrupted: a test that waits in vain ends by this. */
  static final int PATIENCE_MILLIS = 60_000;

  /**
   * Targets are asked often, and given all the time that a busy machine may need: no test is about
   * an answer that is late.
   */
  public static final HealthCheck CHECK =
      new HealthCheck(
          0,
          "/health",
          status -> status == 200,
          Duration.ofMillis(200),
          Duration.ofMillis(PATIENCE_MILLIS),
          2,
          2);

  static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  final NettyBalancer balancer;
  public final int port = freePort();
  Duration idle = Duration.ofSeconds(30);
  Headers headers = Headers.DEFAULT;
  public List<LoadBalancer.Rule> rules = List.of();
  private final List<Backend> backends = new ArrayList<>();

  public Rig() {
    this(Limits.USUAL);
  }

  Rig(Limits limits) {
    balancer = new NettyBalancer(InstantSource.system(), new SplittableRandom(1), 1, limits);
  }

  /** Below the ports that the kernel gives to clients: none of them takes it meanwhile. */
  static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
      try (ServerSocket free = new ServerSocket(port)) {
        return free.getLocalPort();
      } catch (IOException e) {
        // taken: another
      }
    }
  }

  public Backend backend(Backend.Behaviour behaviour) throws IOException {
    Backend backend = new Backend(behaviour);
    backends.add(backend);
    return backend;
  }

  /** Offers these targets at 127.0.0.1 and waits until they are healthy. */
  public void serve(Backend... targets) {
    assertEquals(Map.of(), put(Stream.of(targets).map(Rig::member).toArray(Member[]::new)));
    for (Backend target : targets) {
      await(() -> health(target) == Health.HEALTHY);
    }
  }

  /** Offers this at 127.0.0.1 to clients that speak TLS, once the targets are healthy. */
  void secure(Tls tls, Action action, Backend... targets) {
    Member[] members = Stream.of(targets).map(Rig::member).toArray(Member[]::new);
    LoadBalancer plain = loadBalancer("lb", "lb.elb.localhost", action, List.of(), members);
    Listener listener = new Listener("lb", port, rules, action, tls);
    assertEquals(
        Map.of(),
        balancer.put(
            new LoadBalancer(
                plain.id(),
                plain.host(),
                plain.nodes(),
                plain.fronts(),
                List.of(listener),
                plain.groups(),
                plain.settings())));
    for (Backend target : targets) {
      await(() -> health(target) == Health.HEALTHY);
    }
  }

  static Member member(Backend backend) {
    return new Member(backend.target(), "a", null, false);
  }

  Map<String, String> put(Member... members) {
    return balancer.put(
        loadBalancer("lb", "web.localhost", new Action.Forward("tg"), List.of(), members));
  }

  LoadBalancer loadBalancer(
      String id, String host, Action action, List<Front> fronts, Member... members) {
    return new LoadBalancer(
        id,
        host,
        fronts.isEmpty() ? List.of(new Node("127.0.0.1", "a", HOST)) : List.of(),
        fronts,
        List.of(new Listener("l", port, rules, action)),
        Map.of("tg", new TargetGroup("tg", CHECK, List.of(members))),
        new Settings(idle, Duration.ofHours(1), headers));
  }

  Health health(Backend backend) {
    return balancer.targets("tg").get(backend.target()).health();
  }

  long connections() {
    return balancer.targetGroupMetrics("tg").orElseThrow().activeConnections();
  }

  Socket connect() throws IOException {
    Socket socket = new Socket("127.0.0.1", port);
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  /** A connection on which a request was sent. */
  Socket asked(String request) throws IOException {
    Socket socket = connect();
    send(socket, request);
    return socket;
  }

  static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(bytes(text));
  }

  /** All that is answered until the connection is closed. */
  static String rest(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  public String raw(String request) throws IOException {
    return raw("127.0.0.1", request);
  }

  public String raw(String address, String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.ofLiteral(address), port)) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      send(socket, request);
      return rest(socket);
    }
  }

  /** Waits until a count stands still, which is what is waited for here: somebody is stopped. */
  static long stalled(LongSupplier count) throws InterruptedException {
    long before = -1;
    while (count.getAsLong() != before || before == 0) {
      before = count.getAsLong();
      Thread.sleep(300);
    }
    return before;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() throws IOException {
    balancer.close();
    for (Backend backend : backends) {
      backend.close();
    }
  }
}
