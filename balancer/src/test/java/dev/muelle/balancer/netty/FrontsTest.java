package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Node;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Load balancers at addresses of the host. */
@Timeout(300)
final class FrontsTest {

  private static final String SHARED = "127.0.0.2";

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private Map<String, String> put(String name, String... own) {
    List<Front> fronts = new ArrayList<>();
    fronts.add(new Front(SHARED, true, a -> true));
    for (String address : own) {
      fronts.add(new Front(address, false, a -> true));
    }
    return rig.balancer.put(
        rig.loadBalancer(
            name,
            name + ".elb.localhost",
            new Action.FixedResponse(200, "text/plain", name),
            fronts));
  }

  private String ask(String host) throws IOException {
    return rig.raw(SHARED, Rig.GET.replace("Host: x", "Host: " + host));
  }

  @Test
  void theHostSaysWhichOneIsMeant() throws Exception {
    for (String name : List.of("one", "two", "three")) {
      assertEquals(Map.of(), put(name));
    }
    for (String host :
        List.of(
            "two.elb.localhost",
            "two.elb.localhost:" + rig.port,
            "TWO.elb.LOCALHOST",
            "two.elb.localhost.",
            "two.elb.localhost.:80")) {
      assertTrue(ask(host).endsWith("two"), host);
    }
    for (String host : List.of("elb.localhost", "xtwo.elb.localhost", "127.0.0.2", "[::1]:80")) {
      assertTrue(ask(host).startsWith("HTTP/1.1 404 "), host);
    }
    assertTrue(
        rig.raw(
                SHARED,
                "GET http://three.elb.localhost/ HTTP/1.1\r\nHost: one.elb.localhost\r\n"
                    + "Connection: close\r\n\r\n")
            .endsWith("three"),
        "the target's authority outranks Host (RFC 9112, section 3.2.2)");

    // One connection may go from one to the other.
    String kept = "GET / HTTP/1.1\r\nHost: one.elb.localhost\r\n\r\n";
    String both = rig.raw(SHARED, kept + Rig.GET.replace("Host: x", "Host: two.elb.localhost"));
    assertTrue(both.indexOf("\r\n\r\none") > 0 && both.endsWith("\r\n\r\ntwo"), both);

    rig.balancer.remove("two");
    assertTrue(ask("two.elb.localhost").startsWith("HTTP/1.1 404 "));
    assertTrue(ask("one.elb.localhost").endsWith("one"));
    rig.balancer.remove("one");
    rig.balancer.remove("three");
    assertEquals(List.of(), rig.balancer.endpoints());
    assertThrows(SocketException.class, () -> ask("one.elb.localhost"));
  }

  @Test
  void nobodyTakesAnAddressFromAnother() throws Exception {
    assertEquals(Map.of(), put("one", "127.0.0.3"));
    String at = "127.0.0.3:" + rig.port;
    assertEquals(Map.of(at, "another load balancer listens there"), put("two", "127.0.0.3"));
    assertTrue(rig.raw("127.0.0.3", Rig.GET).endsWith("one"));
    assertTrue(ask("two.elb.localhost").endsWith("two"), "elsewhere it is served");
    assertEquals(Map.of(), put("one", "127.0.0.3"), "the one that has it keeps it");
    assertEquals(
        Map.of(SHARED + ":" + rig.port, "another load balancer listens there"),
        rig.balancer.put(
            rig.loadBalancer(
                "three",
                "one.elb.localhost",
                new Action.FixedResponse(200, "text/plain", "three"),
                List.of(new Front(SHARED, true, a -> true)))));
    assertTrue(ask("one.elb.localhost").endsWith("one"));
    rig.balancer.remove("one");
    assertEquals(Map.of(), put("two", "127.0.0.3"));
    assertTrue(rig.raw("127.0.0.3", Rig.GET).endsWith("two"));
  }

  @Test
  void ipv6() throws Exception {
    assumeTrue(NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null, "no IPv6");
    assertEquals(
        Map.of(),
        rig.balancer.put(
            rig.loadBalancer(
                "six",
                "six.elb.localhost",
                new Action.FixedResponse(200, "text/plain", "six"),
                List.of(
                    new Front("::1", true, a -> a.clientAddress().contains(":")),
                    new Front(SHARED, true, a -> true)))));
    String get = Rig.GET.replace("Host: x", "Host: six.elb.localhost:" + rig.port);
    assertTrue(rig.raw("::1", get).endsWith("six"));
    assertTrue(rig.raw(SHARED, get).endsWith("six"));
    assertEquals(List.of(SHARED + ":" + rig.port, "[::1]:" + rig.port), rig.balancer.endpoints());
  }

  @Test
  void aNodeIsReachedAtItsAddressesOfBothFamiliesWhileItHasThem() throws Exception {
    assumeTrue(NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null, "no IPv6");
    LoadBalancer one =
        rig.loadBalancer("lb", "lb", new Action.FixedResponse(200, "text/plain", "in"), List.of());
    Node both = new Node("127.0.0.1", List.of(), "::1", null, "a", Rig.HOST, 0);
    LoadBalancer dual =
        new LoadBalancer(
            "lb", "lb", List.of(both), List.of(), one.listeners(), one.groups(), one.settings());
    assertEquals(Map.of(), rig.balancer.put(dual));
    assertTrue(rig.raw("::1", Rig.GET).endsWith("in"));
    assertTrue(rig.raw("127.0.0.1", Rig.GET).endsWith("in"));
    assertEquals(Map.of(), rig.balancer.put(one));
    assertThrows(SocketException.class, () -> rig.raw("::1", Rig.GET));
    assertTrue(rig.raw("127.0.0.1", Rig.GET).endsWith("in"));
  }

  @Test
  void onlySoManyUnwelcomeClientsAreKeptWaiting() throws Exception {
    rig.balancer.put(
        rig.loadBalancer(
            "shut",
            "shut.localhost",
            new Action.FixedResponse(200, "text/plain", "in"),
            List.of(new Front("127.0.0.3", false, a -> false))));
    List<Socket> clients = new ArrayList<>();
    try {
      // The bound is 1024: then those who come are closed at once, and those who wait, wait.
      Socket last = null;
      for (int i = 0; i < 1025; i++) {
        last = new Socket("127.0.0.3", rig.port);
        clients.add(last);
        Rig.send(last, Rig.KEPT);
      }
      last.setSoTimeout(Rig.PATIENCE_MILLIS);
      assertTrue(closed(last));
      for (Socket client : clients.subList(0, 1024)) {
        client.setSoTimeout(1);
        assertThrows(SocketTimeoutException.class, () -> closed(client));
      }
    } finally {
      for (Socket client : clients) {
        client.close();
      }
    }
  }

  /** A close before the request was read comes as a reset. */
  private static boolean closed(Socket client) throws IOException {
    try {
      return client.getInputStream().read() < 0;
    } catch (SocketException e) {
      return true;
    }
  }
}
