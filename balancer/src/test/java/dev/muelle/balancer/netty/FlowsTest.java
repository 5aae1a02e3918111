package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.FlowListener.Transport;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.Share;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.logs.Flowed;
import dev.muelle.balancer.logs.Journal;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whole connections and flows of datagrams, on the loopback. */
@Timeout(180)
final class FlowsTest {

  private static final Delivery PLAIN =
      new Delivery(Delivery.Check.TCP, false, false, false, false, false, true, Duration.ZERO);
  private static final Duration LONG = Duration.ofSeconds(350);

  private final Rig rig = new Rig();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    rig.close();
  }

  /** What a target does with one connection. */
  private interface Behaviour {
    void talk(Socket socket) throws IOException;
  }

  private final Set<Socket> accepted = ConcurrentHashMap.newKeySet();

  private ServerSocket target(Behaviour behaviour) throws IOException {
    ServerSocket server = new ServerSocket(0, 1000, InetAddress.getByName("127.0.0.1"));
    open.add(server);
    Thread.ofVirtual()
        .start(() -> {
          while (!server.isClosed()) {
            try {
              Socket socket = server.accept();
              accepted.add(socket);
              Thread.ofVirtual()
                  .start(() -> {
                    try (socket) {
                      behaviour.talk(socket);
                    } catch (IOException e) {
                      // the other side went away
                    } finally {
                      accepted.remove(socket);
                    }
                  });
            } catch (IOException e) {
              return;
            }
          }
        });
    return server;
  }

  private ServerSocket echo() throws IOException {
    return target(socket -> socket.getInputStream().transferTo(socket.getOutputStream()));
  }

  private static Member member(int port) {
    return new Member(new Balancer.Target("127.0.0.1", port), "a", null, true);
  }

  private Map<String, String> put(
      Transport transport, @Nullable Tls tls, Duration idle, Delivery how, int... ports) {
    return put(
        new FlowListener("l", rig.port, transport, "tg", tls, idle),
        Map.of("tg", group("tg", how, ports)));
  }

  private static TargetGroup group(String id, Delivery how, int... ports) {
    List<Member> members = new ArrayList<>();
    for (int port : ports) {
      members.add(member(port));
    }
    return new TargetGroup(id, Version.HTTP1, Choice.DEFAULT, Rig.CHECK, members, how);
  }

  private Map<String, String> put(FlowListener listener, Map<String, TargetGroup> groups) {
    return rig.balancer.put(
        new LoadBalancer(
            "nlb",
            "nlb.elb.localhost",
            List.of(new Node("127.0.0.1", "a", Rig.HOST)),
            List.of(),
            List.of(),
            List.of(listener),
            groups,
            new Settings(
                Duration.ofSeconds(60),
                Duration.ofHours(1),
                Headers.DEFAULT,
                new Journal(null, null, null, flowed::add))));
  }

  /** The TLS connections that are over, in the order of their ends. */
  private final BlockingQueue<Flowed> flowed = new LinkedBlockingQueue<>();

  private Flowed flowed() throws InterruptedException {
    return Objects.requireNonNull(flowed.poll(60, TimeUnit.SECONDS));
  }

  private void put(Delivery how, int... ports) {
    assertEquals(Map.of(), put(Transport.TCP, null, LONG, how, ports));
  }

  private FlowMetrics metrics() {
    return FlowMetrics.sum(rig.balancer.flowMetrics("nlb").values());
  }

  private FlowMetrics toTargets(FlowMetrics.Protocol protocol) {
    return Objects.requireNonNull(rig.balancer.targetGroupFlows("tg").get(protocol));
  }

  private static void says(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    assertEquals(
        text,
        new String(socket.getInputStream().readNBytes(text.length()), StandardCharsets.US_ASCII));
  }

  private static void assertReset(Socket socket) {
    InputStream in = assertDoes(socket);
    assertThrows(IOException.class, in::readAllBytes);
  }

  private static InputStream assertDoes(Socket socket) {
    try {
      return socket.getInputStream();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void bytesGoBothWaysAndAreCounted() throws Exception {
    put(PLAIN, echo().getLocalPort());
    try (Socket socket = rig.connect()) {
      says(socket, "one");
      assertEquals(1, metrics().active());
      assertEquals(1, toTargets(FlowMetrics.Protocol.TCP).active());
      socket.shutdownOutput();
      assertEquals(-1, socket.getInputStream().read());
    }
    Rig.await(() -> metrics().active() == 0);
    assertEquals(1, metrics().get(Count.FLOWS));
    assertEquals(1, toTargets(FlowMetrics.Protocol.TCP).get(Count.FLOWS));
    assertEquals(0, toTargets(FlowMetrics.Protocol.TCP).active());
    assertEquals(6, metrics().get(Count.BYTES));
    assertEquals(
        0,
        metrics().get(Count.CLIENT_RESETS)
            + metrics().get(Count.TARGET_RESETS)
            + metrics().get(Count.OWN_RESETS));
  }

  /** Short ones may be many, while it takes minutes until one is idle for too long. */
  @Test
  void nothingIsKeptOfWhatIsOver() throws Exception {
    int port = echo().getLocalPort();
    WeakReference<FlowListener> listener = listenerOfOneThatIsOver(port);
    put(PLAIN, port); // the door has another one
    Rig.await(() -> {
      System.gc();
      return listener.refersTo(null);
    });
  }

  private WeakReference<FlowListener> listenerOfOneThatIsOver(int port) throws Exception {
    FlowListener listener = new FlowListener("l", rig.port, Transport.TCP, "tg", null, LONG);
    put(listener, Map.of("tg", group("tg", PLAIN, port)));
    try (Socket socket = rig.connect()) {
      says(socket, "over");
    }
    Rig.await(() -> metrics().active() == 0);
    return new WeakReference<>(listener);
  }

  private void share(Delivery how, int blue, int first, int green, int second) {
    List<Share> shares = List.of(new Share("blue", first), new Share("green", second));
    assertEquals(
        Map.of(),
        put(
            new FlowListener("l", rig.port, Transport.TCP, shares, null, LONG),
            Map.of("blue", group("blue", how, blue), "green", group("green", how, green))));
  }

  private int saying(String name) throws IOException {
    return target(
            socket -> socket.getOutputStream().write(name.getBytes(StandardCharsets.US_ASCII)))
        .getLocalPort();
  }

  private String name() throws IOException {
    try (Socket socket = rig.connect()) {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private int blues(int of) throws IOException {
    int blues = 0;
    for (int i = 0; i < of; i++) {
      blues += name().equals("blue") ? 1 : 0;
    }
    return blues;
  }

  @Test
  void newFlowsGoToGroupsByTheirWeightsAndOldOnesStay() throws Exception {
    int blue = saying("blue");
    int green = saying("green");
    share(PLAIN, blue, 3, green, 1);
    int blues = blues(400);
    assertTrue(blues > 250 && blues < 350, "about 300: " + blues);
    share(PLAIN, blue, 0, green, 1);
    assertEquals(0, blues(50));
    share(PLAIN, blue, 0, green, 0);
    try (Socket socket = rig.connect()) {
      assertReset(socket);
    }

    int echo = echo().getLocalPort();
    share(PLAIN, echo, 1, green, 0);
    try (Socket old = rig.connect()) {
      says(old, "one");
      share(PLAIN, echo, 0, green, 1);
      assertEquals("green", name());
      says(old, "two");
    }
  }

  @Test
  void whereGroupsAreStickyAClientKeepsItsGroup() throws Exception {
    Delivery sticky =
        new Delivery(Delivery.Check.TCP, false, false, false, true, false, true, Duration.ZERO);
    int blue = saying("blue");
    int green = saying("green");
    share(sticky, blue, 1, green, 1);
    int blues = blues(50);
    assertTrue(blues == 0 || blues == 50, () -> "always the same: " + blues);
  }

  @Test
  void whoEndsItsHalfStillHearsTheOther() throws Exception {
    byte[] answer = new byte[2_000_000];
    ServerSocket target =
        target(socket -> {
          socket.getInputStream().readAllBytes();
          socket.getOutputStream().write(answer);
        });
    put(PLAIN, target.getLocalPort());
    try (Socket socket = rig.connect()) {
      socket.getOutputStream().write(new byte[1_000_000]);
      socket.shutdownOutput();
      assertEquals(answer.length, socket.getInputStream().readAllBytes().length);
    }
    // And the other way round: the target says all it has, and then listens.
    AtomicBoolean heard = new AtomicBoolean();
    ServerSocket first =
        target(socket -> {
          socket.getOutputStream().write(7);
          socket.shutdownOutput();
          heard.set(socket.getInputStream().readAllBytes().length == 5);
        });
    put(PLAIN, first.getLocalPort());
    try (Socket socket = rig.connect()) {
      assertEquals(7, socket.getInputStream().read());
      assertEquals(-1, socket.getInputStream().read());
      socket.getOutputStream().write(new byte[5]);
    }
    Rig.await(heard::get);
  }

  /** As {@code echo … | nc -N} does: all is said before there is a target. */
  @Test
  void whoHasSaidAllAtOnceIsAnswered() throws Exception {
    ServerSocket target =
        target(socket -> socket.getInputStream().transferTo(socket.getOutputStream()));
    put(PLAIN, target.getLocalPort());
    for (int i = 0; i < 200; i++) {
      try (Socket socket = rig.connect()) {
        socket.getOutputStream().write(7);
        socket.shutdownOutput();
        assertEquals(7, socket.getInputStream().read());
        assertEquals(-1, socket.getInputStream().read());
      }
    }
    Rig.await(() -> metrics().active() == 0);
  }

  /** Netty 4.2.13 and later lose such a connection; see docs/dependencies.md. */
  @Test
  void whoHasSaidAllMayReadSlowly() throws Exception {
    byte[] much = new byte[65_536];
    long[] sent = new long[1];
    ServerSocket target =
        target(socket -> {
          if (socket.getInputStream().read() < 0) {
            return; // a health check
          }
          socket.getOutputStream().write(1);
          socket.getInputStream().readAllBytes();
          for (int i = 0; i < 300; i++) {
            socket.getOutputStream().write(much);
            sent[0] += much.length;
          }
        });
    put(PLAIN, target.getLocalPort());
    try (Socket socket = rig.connect()) {
      socket.getOutputStream().write(1);
      assertEquals(1, socket.getInputStream().read());
      socket.shutdownOutput();
      Rig.stalled(() -> sent[0]);
      assertEquals(300L * much.length, socket.getInputStream().readAllBytes().length);
    }
  }

  @Test
  void resetsArePassedOnEitherWay() throws Exception {
    ServerSocket target =
        target(socket -> {
          socket.setSoLinger(true, 0);
          socket.getInputStream().read();
        });
    put(PLAIN, target.getLocalPort());
    try (Socket socket = rig.connect()) {
      socket.getOutputStream().write(1);
      assertReset(socket);
    }
    Rig.await(() -> metrics().get(Count.TARGET_RESETS) == 1);
    AtomicBoolean reset = new AtomicBoolean();
    ServerSocket listening =
        target(socket -> {
          try {
            socket.getInputStream().readAllBytes();
          } catch (IOException e) {
            reset.set(true);
          }
        });
    put(PLAIN, listening.getLocalPort());
    Socket socket = rig.connect();
    Rig.await(
        () -> accepted.stream().anyMatch(one -> one.getLocalPort() == listening.getLocalPort()));
    socket.setSoLinger(true, 0);
    socket.close();
    Rig.await(reset::get);
    Rig.await(() -> metrics().get(Count.CLIENT_RESETS) == 1 && metrics().active() == 0);
  }

  @Test
  void withoutATargetAClientIsReset() throws Exception {
    put(PLAIN);
    try (Socket socket = rig.connect()) {
      assertReset(socket);
    }
    ServerSocket gone = echo();
    gone.close();
    put(PLAIN, gone.getLocalPort()); // all are ill: it is tried, and refuses
    try (Socket socket = rig.connect()) {
      assertReset(socket);
    }
    Rig.await(() -> metrics().active() == 0);
  }

  @Test
  void aSilentConnectionIsForgotten() throws Exception {
    put(Transport.TCP, null, Duration.ofMillis(500), PLAIN, echo().getLocalPort());
    try (Socket socket = rig.connect()) {
      for (int i = 0; i < 10; i++) {
        says(socket, "x"); // as long as something moves it stays
        Thread.sleep(100);
      }
      assertReset(socket);
    }
    assertEquals(1, metrics().get(Count.OWN_RESETS));
  }

  @Test
  void whoDoesNotReadMakesTheOtherWait() throws Exception {
    long[] sent = new long[1];
    ServerSocket target =
        target(socket -> {
          if (socket.getInputStream().read() < 0) {
            return; // a health check
          }
          byte[] much = new byte[65_536];
          for (int i = 0; i < 2_000; i++) { // 131 MB
            socket.getOutputStream().write(much);
            sent[0] += much.length;
          }
        });
    put(PLAIN, target.getLocalPort());
    try (Socket socket = rig.connect()) {
      socket.getOutputStream().write(1);
      long stuck = Rig.stalled(() -> sent[0]);
      assertTrue(stuck < 40_000_000, "held: " + stuck);
      long all = 0;
      byte[] some = new byte[65_536];
      for (int n = socket.getInputStream().read(some);
          n >= 0;
          n = socket.getInputStream().read(some)) {
        all += n;
      }
      assertEquals(2_000L * 65_536, all);
    }
  }

  @Test
  void manyConnectionsAtOnce() throws Exception {
    put(PLAIN, echo().getLocalPort());
    List<Socket> all = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      Socket socket = rig.connect();
      open.add(socket);
      all.add(socket);
    }
    for (Socket socket : all) {
      says(socket, "hello");
    }
    assertEquals(2_000, metrics().active());
    for (Socket socket : all) {
      socket.close();
    }
    Rig.await(() -> metrics().active() == 0);
  }

  private SSLSocket encrypted(String name, String... offered) throws Exception {
    SSLSocket socket =
        (SSLSocket)
            Certified.trusting()
                .getSocketFactory()
                .createSocket(rig.connect(), name, rig.port, true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName(name)));
    parameters.setApplicationProtocols(offered);
    socket.setSSLParameters(parameters);
    return socket;
  }

  @Test
  void tlsEndsHereAndNegotiatesAsThePolicySays() throws Exception {
    Tls tls = Certified.http2(Certified.ec("a.test"));
    Tls without = new Tls(tls.standard(), List.of(), Certified.MODERN, Certified.SUITES, List.of());
    assertEquals(Map.of(), put(Transport.TCP, tls, LONG, PLAIN, echo().getLocalPort()));
    try (SSLSocket socket = encrypted("a.test", "http/1.1", "h2")) {
      says(socket, "in clear");
      socket.getOutputStream().write("more".getBytes(StandardCharsets.US_ASCII));
      assertEquals(4, socket.getInputStream().readNBytes(4).length);
      assertEquals("h2", socket.getApplicationProtocol());
    }
    Flowed first = flowed();
    assertEquals("l", first.listener());
    assertEquals("127.0.0.1", first.clientAddress());
    assertEquals(rig.port, first.port());
    assertEquals(12, first.received());
    assertEquals(12, first.sent());
    assertEquals("TLSv1.3", first.tlsVersion());
    assertTrue(first.cipherSuite().startsWith("TLS_AES_"), first.cipherSuite());
    assertEquals("a.test", first.serverName());
    assertEquals("h2", first.clientProtocol());
    assertEquals(List.of("http/1.1", "h2"), first.preferences());
    assertEquals(tls.standard().id(), first.certificate());
    assertTrue(first.handshakeMillis() >= 0 && first.millis() >= first.handshakeMillis());
    assertEquals(-1, first.alert());
    assertEquals(Map.of(), put(Transport.TCP, without, LONG, PLAIN, echo().getLocalPort()));
    try (SSLSocket socket = encrypted("a.test", "h2")) {
      says(socket, "again");
      assertEquals("", socket.getApplicationProtocol());
    }
    assertEquals(List.of(), flowed().preferences(), "nothing is negotiated");
    try (Socket plain = rig.connect()) {
      plain.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThrows(IOException.class, () -> plain.getInputStream().readAllBytes());
    }
    Flowed clear = flowed();
    assertEquals("", clear.tlsVersion());
    assertEquals(-1, clear.handshakeMillis());
    assertEquals(1, metrics().get(Count.CLIENT_TLS_ERRORS), "who speaks in clear");
    try (SSLSocket strange =
        (SSLSocket)
            SSLContext.getDefault()
                .getSocketFactory()
                .createSocket(rig.connect(), "a.test", rig.port, true)) {
      assertThrows(IOException.class, strange::startHandshake, "it does not trust the certificate");
    }
    assertEquals(46, flowed().alert(), "certificate_unknown");
    Rig.await(() -> metrics().active() == 0);
    assertTrue(flowed.isEmpty());
    assertEquals(
        Set.of(new FlowMetrics.Part("a", FlowMetrics.Protocol.TLS)),
        rig.balancer.flowMetrics("nlb").keySet());
  }

  @Test
  void targetsAreAskedByHttps() throws Exception {
    // The target that speaks TLS is another listener of this balancer, before one that does not.
    Backend backend = rig.backend((head, in, out) -> false);
    int inner = Rig.freePort();
    Settings settings = new Settings(LONG, LONG, Headers.DEFAULT);
    List<Node> nodes = List.of(new Node("127.0.0.1", "a", Rig.HOST));
    Tls tls = Certified.http2(Certified.ec("a.test"));
    TargetGroup plain =
        new TargetGroup(
            "plain",
            Version.HTTP1,
            Choice.DEFAULT,
            Rig.CHECK,
            List.of(member(backend.target().port())),
            PLAIN);
    rig.balancer.put(
        new LoadBalancer(
            "inner",
            "inner.elb.localhost",
            nodes,
            List.of(),
            List.of(),
            List.of(new FlowListener("i", inner, Transport.TCP, "plain", tls, LONG)),
            Map.of("plain", plain),
            settings));
    HealthCheck secure =
        new HealthCheck(
            0, "/health", status -> status == 200, Rig.CHECK.interval(), LONG, 2, 2, true);
    Balancer.Target target = new Balancer.Target("127.0.0.1", inner);
    TargetGroup asked =
        new TargetGroup(
            "tg",
            Version.HTTP1,
            Choice.DEFAULT,
            secure,
            List.of(new Member(target, "a", null, false)),
            new Delivery(
                Delivery.Check.HTTP, false, false, true, false, false, true, Duration.ZERO));
    rig.balancer.put(
        new LoadBalancer(
            "nlb",
            "nlb.elb.localhost",
            nodes,
            List.of(),
            List.of(),
            List.of(new FlowListener("l", rig.port, Transport.TCP, "tg", null, LONG)),
            Map.of("tg", asked),
            settings));
    Rig.await(() -> rig.balancer.targets("tg").get(target).health() == Health.HEALTHY);
    backend.sick = true;
    Rig.await(() -> rig.balancer.targets("tg").get(target).health() == Health.UNHEALTHY);
  }

  @Test
  void targetsAreSpokenToByTlsAndAskedByHttp() throws Exception {
    // The target that speaks TLS is another listener of this balancer, before one that echoes.
    int inner = Rig.freePort();
    rig.balancer.put(
        new LoadBalancer(
            "inner",
            "inner.elb.localhost",
            List.of(new Node("127.0.0.1", "a", Rig.HOST)),
            List.of(),
            List.of(),
            List.of(
                new FlowListener(
                    "i",
                    inner,
                    Transport.TCP,
                    "echo",
                    Certified.http2(Certified.ec("a.test")),
                    LONG)),
            Map.of(
                "echo",
                new TargetGroup(
                    "echo",
                    Version.HTTP1,
                    Choice.DEFAULT,
                    Rig.CHECK,
                    List.of(member(echo().getLocalPort())),
                    PLAIN)),
            new Settings(Duration.ofSeconds(60), Duration.ofHours(1), Headers.DEFAULT)));
    put(
        new Delivery(Delivery.Check.TCP, false, false, true, false, false, true, Duration.ZERO),
        inner);
    try (Socket socket = rig.connect()) {
      says(socket, "in clear here, encrypted there");
      socket.shutdownOutput();
      assertEquals(-1, socket.getInputStream().read());
    }
    Rig.await(() -> metrics().active() == 0);

    Backend sick = rig.backend((head, in, out) -> false);
    sick.sick = true;
    Delivery asked =
        new Delivery(Delivery.Check.HTTP, false, false, false, false, false, true, Duration.ZERO);
    put(asked, sick.target().port());
    Rig.await(() -> rig.balancer.targets("tg").get(sick.target()).health() == Health.UNHEALTHY);
    sick.sick = false;
    Rig.await(() -> rig.balancer.targets("tg").get(sick.target()).health() == Health.HEALTHY);
  }

  @Test
  void datagramsAreAnsweredToWhomSentThem() throws Exception {
    DatagramSocket target = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"));
    open.add(target);
    Set<String> peers = ConcurrentHashMap.newKeySet();
    Thread.ofVirtual()
        .start(() -> {
          DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
          while (!target.isClosed()) {
            try {
              packet.setLength(65_535);
              target.receive(packet);
              String text =
                  new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
              peers.add(text.split(" ", -1)[0] + " " + packet.getPort());
              target.send(packet);
            } catch (IOException e) {
              return;
            }
          }
        });
    assertEquals(Map.of(), put(Transport.UDP, null, LONG, PLAIN, target.getLocalPort()));
    for (int sender = 0; sender < 50; sender++) {
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.setSoTimeout(Rig.PATIENCE_MILLIS);
        socket.connect(new InetSocketAddress("127.0.0.1", rig.port));
        for (int i = 0; i < 3; i++) {
          byte[] question = (sender + " " + i).getBytes(StandardCharsets.US_ASCII);
          socket.send(new DatagramPacket(question, question.length));
          DatagramPacket answer = new DatagramPacket(new byte[2000], 2000);
          socket.receive(answer);
          assertEquals(
              sender + " " + i,
              new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII));
        }
      }
    }
    assertEquals(50, peers.size(), () -> "each keeps its own: " + peers);
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(Rig.PATIENCE_MILLIS);
      socket.connect(new InetSocketAddress("127.0.0.1", rig.port));
      socket.send(new DatagramPacket(new byte[60_000], 60_000));
      DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(answer);
      assertEquals(60_000, answer.getLength(), "none is cut short");
    }
  }

  @Test
  void aFloodOfSendersIsBounded() throws Exception {
    DatagramSocket silent = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"));
    open.add(silent);
    put(Transport.UDP, null, LONG, PLAIN, silent.getLocalPort());
    while (metrics().get(Count.REJECTED_FLOWS) < 100) {
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.send(
            new DatagramPacket(new byte[1], 1, new InetSocketAddress("127.0.0.1", rig.port)));
      }
    }
    assertTrue(metrics().active() <= 4_096, "held: " + metrics().active());
  }

  @Test
  void aPortThatIsTakenIsToldAndOthersWork() throws Exception {
    try (ServerSocket taken = new ServerSocket(rig.port, 1, InetAddress.getByName("127.64.9.1"))) {
      assertEquals(rig.port, taken.getLocalPort());
      int target = echo().getLocalPort();
      Map<String, String> problems =
          rig.balancer.put(
              new LoadBalancer(
                  "nlb",
                  "nlb.elb.localhost",
                  List.of(new Node("127.0.0.1", "a", Rig.HOST)),
                  List.of(new Front("127.64.9.1", false, a -> true)),
                  List.of(),
                  List.of(new FlowListener("l", rig.port, Transport.TCP, "tg", null, LONG)),
                  Map.of(
                      "tg",
                      new TargetGroup(
                          "tg",
                          Version.HTTP1,
                          Choice.DEFAULT,
                          Rig.CHECK,
                          List.of(member(target)),
                          PLAIN)),
                  new Settings(Duration.ofSeconds(60), Duration.ofHours(1), Headers.DEFAULT)));
      assertEquals(Set.of("127.64.9.1:" + rig.port), problems.keySet());
      try (Socket socket = rig.connect()) {
        says(socket, "works");
      }
    }
  }

  @Test
  void aTargetThatFallsIllLosesItsConnectionsIfThatIsSaid() throws Exception {
    ServerSocket target = echo();
    put(PLAIN, target.getLocalPort());
    Socket cut = rig.connect();
    says(cut, "x");
    target.close();
    assertReset(cut);
    Balancer.Target id = new Balancer.Target("127.0.0.1", target.getLocalPort());
    Rig.await(() -> rig.balancer.targets("tg").get(id).health() == Health.UNHEALTHY);
    cut.close();

    Delivery keeps =
        new Delivery(Delivery.Check.TCP, false, false, false, false, false, false, Duration.ZERO);
    ServerSocket other = echo();
    put(keeps, other.getLocalPort());
    try (Socket kept = rig.connect()) {
      says(kept, "x");
      other.close();
      Balancer.Target otherId = new Balancer.Target("127.0.0.1", other.getLocalPort());
      Rig.await(() -> rig.balancer.targets("tg").get(otherId).health() == Health.UNHEALTHY);
      says(kept, "still here");
      assertEquals(0, metrics().get(Count.FAILED_OPEN));
      try (Socket late = rig.connect()) {
        assertReset(late); // for want of a healthy one it was sent there
      }
      Rig.await(() -> metrics().get(Count.FAILED_OPEN) == 1);
    }
  }
}
