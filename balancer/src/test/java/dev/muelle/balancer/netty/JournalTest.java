package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.Redirect;
import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.logs.Connected;
import dev.muelle.balancer.logs.Journal;
import dev.muelle.balancer.logs.Served;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Regex;
import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.rules.Wildcard;
import dev.muelle.balancer.tls.ClientAuth;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is told of requests and connections. */
class JournalTest {

  private final Rig rig = new Rig();
  private final BlockingQueue<Served> served = new LinkedBlockingQueue<>();
  private final BlockingQueue<Connected> connected = new LinkedBlockingQueue<>();
  private final BlockingQueue<Checked> checked = new LinkedBlockingQueue<>();

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  private void offer(@Nullable Tls tls, Backend backend, Rule... rules) {
    LoadBalancer plain =
        rig.loadBalancer(
            "lb", "web.localhost", new Action.Forward("tg"), List.of(), Rig.member(backend));
    assertEquals(
        Map.of(),
        rig.balancer.put(
            new LoadBalancer(
                plain.id(),
                plain.host(),
                plain.nodes(),
                plain.fronts(),
                List.of(new Listener("l", rig.port, List.of(rules), new Action.Forward("tg"), tls)),
                plain.groups(),
                new Settings(
                    plain.settings().idleTimeout(),
                    plain.settings().clientKeepAlive(),
                    plain.settings().headers(),
                    new Journal(served::add, connected::add, checked::add, null)))));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
  }

  private static Condition path(String pattern) {
    return new Condition.PathPattern(List.of(new Wildcard(pattern, false)));
  }

  private Served told() throws InterruptedException {
    Served one = served.poll(Rig.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    assertTrue(one != null, "nothing is told");
    return one;
  }

  @Test
  void aRequestThatATargetAnswers() throws Exception {
    Backend backend = Backend.saying("hello");
    offer(null, backend);
    String request =
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: \"me\"\r\nContent-Length: 3\r\n"
            + "X-Amzn-Trace-Id: Root=1-2-3\r\nConnection: close\r\n\r\nabc";
    String answer = rig.raw(request);
    Served one = told();
    assertEquals("POST", one.method());
    assertEquals("/a?b=c", one.url());
    assertEquals("x", one.host());
    assertEquals("HTTP/1.1", one.httpVersion());
    assertEquals("\"me\"", one.userAgent());
    assertTrue(one.trace().startsWith("Self=1-") && one.trace().endsWith(";Root=1-2-3"));
    assertEquals(200, one.status());
    assertEquals(200, one.targetStatus());
    assertEquals(List.of(200), one.targetStatuses());
    assertEquals(List.of("127.0.0.1:" + backend.target().port()), one.targets());
    assertEquals(request.length(), one.received());
    assertEquals(answer.length(), one.sent());
    assertEquals(0, one.rule());
    assertEquals(List.of("forward"), one.actions());
    assertEquals("tg", one.group());
    assertEquals("127.0.0.1", one.node());
    assertEquals(rig.port, one.listenerPort());
    assertTrue(one.requestNanos() >= 0 && one.targetNanos() > 0 && one.responseNanos() == 0);
    Connected client = connected.take();
    assertEquals(one.connection(), client.id());
    assertTrue(client.id().matches("TID_[0-9a-f]{32}"), client.id());
    assertEquals(one.clientPort(), client.clientPort());
    backend.close();
  }

  @Test
  void whatTheLoadBalancerAnswersItself() throws Exception {
    Backend backend = Backend.saying("hello");
    offer(
        null,
        backend,
        new Rule(
            List.of(path("/fixed")), new Action.FixedResponse(418, "text/plain", "tea"), null, 7),
        new Rule(
            List.of(path("/old")),
            new Redirect(301, "https", "#{host}", "443", "/#{path}", "#{query}"),
            null,
            8),
        new Rule(
            List.of(path("/new*")),
            new Action.Forward("tg"),
            new Rewrites(
                new Rewrites.Rewrite(Regex.of("^x$", true), "y"),
                new Rewrites.Rewrite(Regex.of("^/new(.*)$", false), "$1")),
            9));
    rig.raw("GET /fixed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    Served one = told();
    assertEquals(418, one.status());
    assertEquals(0, one.targetStatus());
    assertEquals(-1, one.requestNanos());
    assertEquals(List.of(), one.targets());
    assertEquals(7, one.rule());
    assertEquals(List.of("fixed-response"), one.actions());
    rig.raw("GET /old?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    one = told();
    assertEquals(List.of("redirect"), one.actions());
    assertEquals("https://x:443/old?a=b", one.redirect());
    rig.raw("GET /new/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    one = told();
    assertEquals("/new/a", one.url());
    assertEquals(new Rewrites.Rewritten("y", "/a"), one.rewritten());
    assertEquals("TransformSuccess", one.rewriting());
    rig.raw("GET /new HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    one = told();
    assertEquals(500, one.status());
    assertEquals("TransformInvalidPath", one.rewriting());
    backend.close();
  }

  @Test
  void whatIsNoRequestAndWhoGoesAway() throws Exception {
    Backend backend =
        rig.backend((head, in, out) -> {
          in.read(); // until the client, and so the load balancer, is gone
          return false;
        });
    offer(null, backend);
    rig.raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    Served one = told();
    assertEquals(400, one.status());
    assertEquals("", one.method());
    assertEquals("Severe", one.classification());
    assertEquals("MultipleContentLength", one.classificationReason());
    assertEquals(-1, one.rule());
    try (Socket gone = rig.asked(Rig.KEPT)) {
      Rig.await(() -> backend.served.get() == 1);
      assertTrue(gone.isConnected());
    }
    one = told();
    assertEquals(460, one.status());
    assertEquals(0, one.targetStatus());
    assertTrue(one.requestNanos() >= 0);
    assertEquals(-1, one.targetNanos());
  }

  @Test
  void aTunnelIsToldOfWhenItEnds() throws Exception {
    Backend backend =
        rig.backend((head, in, out) -> {
          out.write(
              "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi"
                  .getBytes(StandardCharsets.US_ASCII));
          in.readNBytes(5);
          return false;
        });
    offer(null, backend);
    String request =
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    try (Socket socket = rig.asked(request)) {
      Rig.send(socket, "12345");
      assertTrue(Rig.rest(socket).endsWith("hi"));
    }
    Served one = told();
    assertEquals(101, one.status());
    assertTrue(one.upgraded());
    assertEquals(request.length() + 5, one.received(), "with what went through the tunnel");
  }

  private Checked after(String failure) throws InterruptedException {
    Checked one = checked.take();
    while (!one.failure().equals(failure)) {
      one = checked.take();
    }
    return one;
  }

  @Test
  void everyHealthCheckIsToldOf() throws Exception {
    Backend backend = Backend.saying("hello");
    offer(null, backend);
    Checked one = after("");
    assertEquals("http", one.type());
    assertEquals("127.0.0.1", one.node());
    assertEquals("127.0.0.1", one.targetAddress());
    assertEquals(backend.target().port(), one.targetPort());
    assertEquals("tg", one.group());
    assertEquals(200, one.status());
    assertTrue(one.nanos() > 0);
    backend.sick = true;
    assertEquals(500, after("TargetError").status());
    backend.close();
    assertEquals(0, after("ConnectionReset").status());
  }

  /** What is told of a client that speaks only so. */
  private String keyExchange(String protocol, String group, String... suites) throws Exception {
    try (SSLSocket socket =
        (SSLSocket)
            Certified.trusting()
                .getSocketFactory()
                .createSocket(rig.connect(), "web.test", rig.port, true)) {
      SSLParameters only = socket.getSSLParameters();
      only.setProtocols(new String[] {protocol});
      only.setNamedGroups(new String[] {group});
      if (suites.length > 0) {
        only.setCipherSuites(suites);
      }
      socket.setSSLParameters(only);
      Rig.send(socket, Rig.GET);
      assertTrue(Rig.rest(socket).endsWith("hello"));
    }
    return connected.take().keyExchange();
  }

  @Test
  void howKeysWereExchangedIsTold() throws Exception {
    Backend backend = Backend.saying("hello");
    offer(Certified.tls(Certified.rsa(2048, "web.test")), backend);
    assertEquals("x25519", keyExchange("TLSv1.3", "x25519"));
    assertEquals("secp256r1", keyExchange("TLSv1.3", "secp256r1"));
    assertEquals(
        "secp384r1", keyExchange("TLSv1.2", "secp384r1", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    assertEquals("", keyExchange("TLSv1.2", "x25519", "TLS_RSA_WITH_AES_128_CBC_SHA"));
    backend.close();
  }

  private void ask(SSLContext browser) throws IOException {
    try (Socket socket =
        browser.getSocketFactory().createSocket(rig.connect(), "web.test", rig.port, true)) {
      Rig.send(socket, Rig.GET);
      assertTrue(Rig.rest(socket).endsWith("hello"));
    }
  }

  @Test
  void handshakesAreToldOfHoweverTheyEnd() throws Exception {
    Tls.Identity root = Clients.authority("CN=Root", null);
    Tls.Identity server = Certified.ec("web.test");
    Backend backend = Backend.saying("hello");
    offer(
        new Tls(
            new Tls.Identity(server.key(), server.chain(), "arn"),
            List.of(),
            Certified.MODERN,
            Certified.SUITES,
            Tls.HTTP1,
            new ClientAuth.Verify(
                new ClientAuth.Trust(List.of(root.certificate()), Map.of()), false, false),
            false),
        backend);
    Tls.Identity client = Clients.client("CN=x,O=\u00d1", root);
    SSLContext browser =
        Clients.showing(client, new java.util.concurrent.atomic.AtomicReference<>(List.of()));
    ask(browser);
    Connected one = connected.take();
    assertEquals("", one.failure());
    assertEquals(client.certificate(), one.client());
    assertEquals("TLSv1.3", one.tlsVersion());
    assertTrue(one.handshakeNanos() > 0);
    Served asked = told();
    assertEquals("arn", asked.certificate());
    assertEquals("web.test", asked.serverName());
    assertTrue(asked.cipherSuite().startsWith("TLS_AES_"), asked.cipherSuite());
    assertEquals(false, asked.resumed());
    ask(browser);
    assertEquals("", connected.take().failure());
    assertEquals(true, told().resumed());
    Tls.Identity stranger = Clients.authority("CN=Root", null);
    try (Socket socket =
        Clients.showing(stranger, new java.util.concurrent.atomic.AtomicReference<>(List.of()))
            .getSocketFactory()
            .createSocket(rig.connect(), "web.test", rig.port, true)) {
      Rig.send(socket, Rig.GET);
      Rig.rest(socket);
    } catch (IOException e) {
      // as it should be
    }
    assertEquals("ClientCertUntrusted", connected.take().failure());
    try (Socket socket = rig.connect()) {
      Rig.send(socket, "GET / HTTP/1.1\r\n\r\n");
      Rig.rest(socket);
    }
    assertEquals("UnmappedConnectionError", connected.take().failure());
    backend.close();
  }
}
