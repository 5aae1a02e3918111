package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.ClientHello;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.Tls.Identity;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Listeners that speak TLS. */
@Timeout(120)
final class TlsTest {

  private static final String SHARED = "127.0.0.3";

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private Map<String, String> put(String name, @Nullable Tls tls, Front... fronts) {
    return put(name, tls, new Action.FixedResponse(200, "text/plain", name), List.of(fronts));
  }

  private Map<String, String> put(
      String name, @Nullable Tls tls, Action action, List<Front> fronts, Member... members) {
    LoadBalancer plain = rig.loadBalancer(name, name + ".elb.localhost", action, fronts, members);
    return rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener(name, rig.port, List.of(), action, tls)),
            plain.groups(),
            plain.settings()));
  }

  /** A client that has shaken hands. */
  private SSLSocket connect(String address, @Nullable String name, String... protocols)
      throws Exception {
    SSLSocket socket =
        (SSLSocket)
            Certified.trusting()
                .getSocketFactory()
                .createSocket(
                    new Socket(InetAddress.ofLiteral(address), rig.port), name, rig.port, true);
    socket.setSoTimeout(20_000);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setServerNames(name == null ? List.of() : List.of(new SNIHostName(name)));
    parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
    if (protocols.length > 0) {
      parameters.setProtocols(protocols);
    }
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private SSLSocket connect(@Nullable String name) throws Exception {
    return connect("127.0.0.1", name);
  }

  private static X509Certificate shown(SSLSocket socket) throws SSLException {
    return (X509Certificate) socket.getSession().getPeerCertificates()[0];
  }

  private String ask(String address, String name) throws Exception {
    try (SSLSocket socket = connect(address, name)) {
      Rig.send(socket, Rig.GET);
      return Rig.rest(socket);
    }
  }

  private long failures(String id) {
    return rig.balancer.loadBalancerMetrics(id).orElseThrow().get(Metrics.Count.HANDSHAKE_ERRORS);
  }

  @Test
  void theCertificateIsChosenByTheName() throws Exception {
    Identity standard = Certified.rsa(2048, "standard.test");
    Identity wild = Certified.rsa(2048, "*.shop.test");
    Identity exact = Certified.ec("api.other.test", "www.other.test");
    put("lb", Certified.tls(standard, wild, exact));
    for (Map.Entry<String, Identity> one :
        Map.of(
                "standard.test", standard,
                "a.shop.test", wild,
                "a.b.shop.test", standard, // a wildcard is one label
                "shop.test", standard,
                "WWW.Other.Test", exact,
                "unknown.test", standard)
            .entrySet()) {
      try (SSLSocket socket = connect(one.getKey())) {
        assertEquals(one.getValue().certificate(), shown(socket), one.getKey());
        assertEquals("http/1.1", socket.getApplicationProtocol());
      }
    }
    try (SSLSocket socket = connect(null)) {
      assertEquals(standard.certificate(), shown(socket));
    }
  }

  @Test
  void ofSeveralTheBestThatTheClientCanUse() throws Exception {
    Identity standard = Certified.rsa(2048, "standard.test");
    Identity small = Certified.rsa(1024, "a.test");
    Identity large = Certified.rsa(2048, "a.test");
    Identity ec = Certified.ec("a.test");
    Identity expired = Certified.make("EC", 384, Duration.ofDays(-1), "a.test");
    TlsServer server =
        new TlsServer(Certified.tls(standard, small, large, expired, ec), null, Instant::now);
    Instant now = Instant.now();
    assertSame(
        ec, server.choose(new ClientHello("a.test", true, true, Set.of(), true, List.of()), now));
    assertSame(
        large,
        server.choose(new ClientHello("a.test", true, true, Set.of(), false, List.of()), now));
    assertSame(
        large,
        server.choose(new ClientHello("a.test", false, false, Set.of(), true, List.of()), now));
    assertSame(
        standard,
        server.choose(new ClientHello("b.test", true, true, Set.of(), true, List.of()), now));
    put("lb", Certified.tls(standard, large, ec));
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.2")) {
      assertEquals(ec.certificate(), shown(socket));
    }
  }

  @Test
  void targetsHearThatItWasHttps() throws Exception {
    Backend backend =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, head));
          return true;
        });
    put(
        "lb",
        Certified.tls(Certified.ec("a.test")),
        new Action.Forward("tg"),
        List.of(),
        Rig.member(backend));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
    String answer = ask("127.0.0.1", "a.test");
    assertTrue(answer.contains("X-Forwarded-Proto: https\r\n"), answer);
    assertTrue(answer.contains("X-Forwarded-Port: " + rig.port + "\r\n"), answer);
  }

  @Test
  void targetsHearWhatWasNegotiatedIfAskedFor() throws Exception {
    Backend backend =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, head));
          return true;
        });
    Action action = new Action.Forward("tg");
    LoadBalancer plain =
        rig.loadBalancer("lb", "lb.elb.localhost", action, List.of(), Rig.member(backend));
    Tls tls = Certified.tls(Certified.rsa(2048, "a.test"));
    rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener("lb", rig.port, List.of(), action, tls)),
            plain.groups(),
            new LoadBalancer.Settings(
                Duration.ofSeconds(30),
                Duration.ofHours(1),
                new LoadBalancer.Headers(
                    false,
                    LoadBalancer.ForwardedFor.APPEND,
                    false,
                    false,
                    LoadBalancer.Desync.DEFENSIVE,
                    true))));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.2")) {
      Rig.send(
          socket,
          "GET / HTTP/1.1\r\nHost: x\r\nX-Amzn-Tls-Version: forged\r\nConnection: close\r\n\r\n");
      String answer = Rig.rest(socket);
      assertTrue(answer.contains("x-amzn-tls-version: TLSv1.2\r\n"), answer);
      assertTrue(
          answer.contains("x-amzn-tls-cipher-suite: ECDHE-RSA-AES128-GCM-SHA256\r\n"), answer);
      assertTrue(!answer.contains("forged"), answer);
    }
  }

  /** What BoringSSL does not have, AWS's policies do. */
  @Test
  void aClientWithOldSuitesAloneIsServedToo() throws Exception {
    Identity identity = Certified.rsa(2048, "a.test");
    put(
        "lb",
        new Tls(
            identity,
            List.of(),
            Certified.MODERN,
            List.of("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
            Tls.HTTP1));
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.2")) {
      assertEquals("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", socket.getSession().getCipherSuite());
    }
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.3")) {
      assertEquals("TLSv1.3", socket.getSession().getProtocol());
    }
  }

  @Test
  void whatThePolicyLeavesOutIsNotSpoken() throws Exception {
    Identity identity = Certified.rsa(2048, "a.test");
    put("lb", new Tls(identity, List.of(), List.of("TLSv1.3"), Certified.SUITES, Tls.HTTP1));
    assertThrows(IOException.class, () -> connect("127.0.0.1", "a.test", "TLSv1.2"));
    Rig.await(() -> failures("lb") == 1);
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.3")) {
      assertEquals("TLSv1.3", socket.getSession().getProtocol());
    }
    put(
        "lb",
        new Tls(
            identity,
            List.of(),
            List.of("TLSv1", "TLSv1.1", "TLSv1.2"),
            List.of("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
            Tls.HTTP1));
    assertThrows(IOException.class, () -> connect("127.0.0.1", "a.test", "TLSv1.3"));
    for (String old : List.of("TLSv1", "TLSv1.1", "TLSv1.2")) {
      try (SSLSocket socket = connect("127.0.0.1", "a.test", old)) {
        assertEquals(old, socket.getSession().getProtocol());
        assertEquals("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", socket.getSession().getCipherSuite());
      }
    }
  }

  /** BoringSSL always has all of TLS 1.3's suites; not all policies do. */
  @Test
  void aSuiteThatThePolicyLeavesOutIsNotChosenThoughTheClientPrefersIt() throws Exception {
    put("lb", Certified.tls(Certified.ec("a.test")));
    String chacha = "TLS_CHACHA20_POLY1305_SHA256";
    String aes = "TLS_AES_256_GCM_SHA384";
    assertEquals(aes, chosen(chacha, aes));
    assertThrows(IOException.class, () -> chosen(chacha));
  }

  /** Of these suites of the client's, the one that both agree on. */
  private String chosen(String... suites) throws Exception {
    try (SSLSocket socket =
        (SSLSocket) Certified.trusting().getSocketFactory().createSocket("127.0.0.1", rig.port)) {
      socket.setSoTimeout(20_000);
      socket.setEnabledProtocols(new String[] {"TLSv1.3"});
      socket.setEnabledCipherSuites(suites);
      socket.startHandshake();
      return socket.getSession().getCipherSuite();
    }
  }

  @Test
  void keysAreExchangedByThePostQuantumGroupWhereThatIsOffered() throws Exception {
    Identity identity = Certified.ec("a.test");
    String hybrid = "X25519MLKEM768";
    put("lb", Certified.tls(identity));
    exchange(hybrid, "x25519");
    assertThrows(ExecutionException.class, () -> exchange(hybrid));
    put(
        "lb",
        new Tls(identity, List.of(), Certified.MODERN, Certified.SUITES, Tls.HTTP1, null, true));
    exchange(hybrid);
    exchange("x25519");
    try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.2")) {
      assertEquals("TLSv1.2", socket.getSession().getProtocol());
    }
  }

  /** A handshake by TLS 1.3 of a client that exchanges keys by these groups alone. */
  private void exchange(String... groups) throws Exception {
    SslContext context =
        SslContextBuilder.forClient()
            .sslProvider(SslProvider.OPENSSL)
            .protocols("TLSv1.3")
            .option(OpenSslContextOption.GROUPS, groups)
            .trustManager(InsecureTrustManagerFactory.INSTANCE)
            .build();
    try (EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())) {
      SslHandler tls = context.newHandler(PooledByteBufAllocator.DEFAULT, "a.test", rig.port);
      new Bootstrap()
          .group(loop)
          .channel(NioSocketChannel.class)
          .handler(tls)
          .connect("127.0.0.1", rig.port)
          .sync();
      tls.handshakeFuture().get();
    }
  }

  @Test
  void plainHttpIsToldSo() throws Exception {
    put("lb", Certified.tls(Certified.ec("a.test")));
    String answer = rig.raw(Rig.GET);
    assertTrue(answer.startsWith("HTTP/1.1 400 Bad Request\r\n"), answer);
    assertTrue(answer.contains("The plain HTTP request was sent to HTTPS port"), answer);
    assertEquals(1, failures("lb"));
  }

  @Test
  void garbageEndsTheConnectionAndNothingElse() throws Exception {
    put("lb", Certified.tls(Certified.ec("a.test")));
    Random random = new Random(3);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = new byte[1 + random.nextInt(2_000)];
      random.nextBytes(bytes);
      if (i % 2 == 0) {
        bytes[0] = 22;
      }
      try (Socket socket = rig.connect()) {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
        socket.getInputStream().readAllBytes(); // ends
      } catch (IOException e) {
        // cut off while there was more to read: as good
      }
    }
    assertTrue(ask("127.0.0.1", "a.test").endsWith("lb"));
  }

  /** However much of it the client has said. */
  @Test
  void aHandshakeThatTakesTooLongEndsTheConnection() throws Exception {
    Action says = new Action.FixedResponse(200, "text/plain", "lb");
    try (Rig quick = new Rig(new Limits(100, Duration.ofMillis(200)))) {
      quick.secure(Certified.tls(Certified.ec("a.test")), says);
      byte[] hello = clientHello();
      for (int said : new int[] {0, 1, hello.length / 2, hello.length}) {
        try (Socket slow = quick.connect()) {
          slow.getOutputStream().write(hello, 0, said);
          slow.getInputStream().readAllBytes(); // ends
        }
      }
      Metrics metrics = quick.balancer.loadBalancerMetrics("lb").orElseThrow();
      Rig.await(() -> metrics.get(Metrics.Count.HANDSHAKE_ERRORS) == 4);
    }
  }

  private static byte[] clientHello() throws Exception {
    SSLEngine client = Certified.trusting().createSSLEngine("a.test", 443);
    client.setUseClientMode(true);
    ByteBuffer hello = ByteBuffer.allocate(client.getSession().getPacketBufferSize());
    client.wrap(ByteBuffer.allocate(0), hello);
    return Arrays.copyOf(hello.array(), hello.position());
  }

  /** By BoringSSL, and by Java's TLS, which is there for old suites. */
  @Test
  void renegotiationByTheClientIsRefused() throws Exception {
    Identity identity = Certified.rsa(2048, "a.test");
    for (String suite :
        List.of("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")) {
      put("lb", new Tls(identity, List.of(), Certified.MODERN, List.of(suite), Tls.HTTP1));
      try (SSLSocket socket = connect("127.0.0.1", "a.test", "TLSv1.2")) {
        Rig.send(socket, Rig.KEPT);
        assertEquals('H', socket.getInputStream().read()); // it is served until then
        assertThrows(
            IOException.class,
            () -> {
              socket.startHandshake();
              Rig.send(socket, Rig.GET);
              Rig.rest(socket);
            },
            suite);
      }
    }
    assertTrue(ask("127.0.0.1", "a.test").endsWith("lb"));
  }

  @Test
  void aChangedCertificateIsForNewConnections() throws Exception {
    Identity before = Certified.ec("a.test");
    Identity after = Certified.ec("a.test");
    put("lb", Certified.tls(before));
    try (SSLSocket old = connect("a.test")) {
      put("lb", Certified.tls(after));
      try (SSLSocket fresh = connect("a.test")) {
        assertEquals(after.certificate(), shown(fresh));
      }
      Rig.send(old, Rig.GET);
      assertTrue(Rig.rest(old).endsWith("lb"));
      assertEquals(before.certificate(), shown(old));
    }
  }

  @Test
  void aListenerChangesItsProtocolAndBack() throws Exception {
    Tls tls = Certified.tls(Certified.ec("a.test"));
    put("lb", null);
    try (Socket open = rig.connect()) {
      Rig.await(() -> rig.balancer.endpoints().size() == 1);
      Rig.send(open, Rig.KEPT);
      byte[] first = new byte[12];
      assertEquals(12, open.getInputStream().readNBytes(first, 0, 12));
      put("lb", tls);
      Rig.rest(open); // ends: nobody goes on in plain text where TLS is asked for
    }
    assertTrue(ask("127.0.0.1", "a.test").endsWith("lb"));
    put("lb", null);
    assertTrue(rig.raw(Rig.GET).endsWith("lb"));
  }

  @Test
  void theNameSaysWhichLoadBalancerIsMeant() throws Exception {
    Front front = new Front(SHARED, true, a -> true);
    Tls one = Certified.tls(Certified.ec("one.elb.localhost"), Certified.ec("*.shop.test"));
    Tls two = Certified.tls(Certified.ec("www.two.test", "both.test"));
    assertEquals(Map.of(), put("one", one, front));
    assertEquals(Map.of(), put("two", two, front));
    assertTrue(ask(SHARED, "one.elb.localhost").endsWith("one"));
    assertTrue(ask(SHARED, "two.elb.localhost").endsWith("two"));
    assertTrue(ask(SHARED, "a.shop.test").endsWith("one"));
    assertTrue(ask(SHARED, "www.two.test").endsWith("two"));
    assertThrows(SSLException.class, () -> ask(SHARED, "unknown.test"));
    Map<String, String> problems = put("three", null, front);
    assertEquals(
        Map.of(SHARED + ":" + rig.port, "another load balancer listens there with HTTPS"),
        problems);
    rig.balancer.remove("one");
    assertThrows(SSLException.class, () -> ask(SHARED, "one.elb.localhost"));
    assertTrue(ask(SHARED, "two.elb.localhost").endsWith("two"));
    rig.balancer.remove("two");
    assertEquals(Map.of(), put("three", null, front));
  }

  @Test
  void whoIsNotAdmittedSeesNoCertificate() throws Exception {
    put("lb", Certified.tls(Certified.ec("a.test")), new Front("127.0.0.4", false, a -> false));
    try (Socket socket = new Socket("127.0.0.4", rig.port)) {
      SSLSocket client =
          (SSLSocket)
              Certified.trusting()
                  .getSocketFactory()
                  .createSocket(socket, "a.test", rig.port, true);
      client.setSoTimeout(500);
      assertThrows(java.net.SocketTimeoutException.class, client::startHandshake);
    }
  }

  @Test
  void largeBodiesPassBothWays() throws Exception {
    Backend backend =
        rig.backend((head, in, out) -> {
          int length = Integer.parseInt(head.replaceAll("(?is).*content-length: (\\d+).*", "$1"));
          byte[] body = in.readNBytes(length);
          out.write(Backend.answer(200, new String(body, StandardCharsets.US_ASCII)));
          return true;
        });
    put(
        "lb",
        Certified.tls(Certified.ec("a.test")),
        new Action.Forward("tg"),
        List.of(),
        Rig.member(backend));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
    String body = "0123456789".repeat(200_000);
    try (SSLSocket socket = connect("a.test")) {
      Rig.send(
          socket,
          "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + body);
      String answer = Rig.rest(socket);
      assertEquals(body, answer.substring(answer.indexOf("\r\n\r\n") + 4));
    }
  }
}
