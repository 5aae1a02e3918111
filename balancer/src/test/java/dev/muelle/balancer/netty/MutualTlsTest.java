package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.ClientAuth;
import dev.muelle.balancer.tls.ClientAuth.Passthrough;
import dev.muelle.balancer.tls.ClientAuth.Trust;
import dev.muelle.balancer.tls.ClientAuth.Verify;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.Tls.Identity;
import java.io.IOException;
import java.math.BigInteger;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that show certificates: who comes in, and what targets hear of them. */
class MutualTlsTest {

  private final Rig rig = new Rig();
  private final AtomicReference<List<String>> askedFor = new AtomicReference<>(List.of());
  private Backend backend;
  private Identity server;
  private Identity root;

  @BeforeEach
  void open() throws Exception {
    server = Certified.ec("web.test");
    root = Clients.authority("CN=Root, O=Muelle, C=ES", null);
    backend =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, head));
          return true;
        });
  }

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  private void offer(@Nullable ClientAuth client, Edits edits) {
    Tls tls =
        new Tls(server, List.of(), Certified.MODERN, Certified.SUITES, Tls.HTTP1, client, false);
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
                List.of(
                    new Listener("l", rig.port, List.of(), new Action.Forward("tg"), tls, edits)),
                plain.groups(),
                plain.settings())));
    Rig.await(() -> rig.health(backend) == Balancer.Health.HEALTHY);
  }

  private static Verify trusting(X509Certificate... authorities) {
    return new Verify(new Trust(List.of(authorities), Map.of()), false, false);
  }

  private String ask(SSLContext client, String protocol, String... fields) throws Exception {
    try (SSLSocket socket =
        (SSLSocket)
            client
                .getSocketFactory()
                .createSocket(new Socket("127.0.0.1", rig.port), "web.test", rig.port, true)) {
      socket.setSoTimeout(Rig.PATIENCE_MILLIS);
      socket.setEnabledProtocols(new String[] {protocol});
      Rig.send(
          socket,
          "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + String.join("", fields) + "\r\n");
      String answer = Rig.rest(socket);
      if (answer.isEmpty()) {
        throw new IOException("no answer");
      }
      return answer;
    }
  }

  private String ask(Identity client, String... fields) throws Exception {
    return ask(Clients.showing(client, askedFor), "TLSv1.3", fields);
  }

  private void refused(Identity client) {
    for (String protocol : Certified.MODERN) {
      assertThrows(
          IOException.class, () -> ask(Clients.showing(client, askedFor), protocol), protocol);
    }
  }

  /** The value of a field that the target heard; fails unless it did exactly once. */
  private static String heard(String answer, String name) {
    List<String> values =
        answer
            .lines()
            .filter(line -> line.regionMatches(true, 0, name + ": ", 0, name.length() + 2))
            .map(line -> line.substring(name.length() + 2))
            .toList();
    assertEquals(1, values.size(), name + " in " + answer);
    return values.getFirst();
  }

  @Test
  void whoIsVouchedForComesInAndTargetsHearWhoItIs() throws Exception {
    offer(trusting(root.certificate()), Edits.NONE);
    Identity client = Clients.client("CN=Ana \u00d1,O=a\\,b", root);
    X509Certificate shown = client.certificate();
    for (String protocol : Certified.MODERN) {
      String answer =
          ask(
              Clients.showing(client, askedFor),
              protocol,
              "x-amzn-mtls-clientcert-subject: CN=forged\r\n",
              "X-Amzn-Mtls-Clientcert: forged\r\n");
      assertEquals(
          shown.getSerialNumber().toString(16).toUpperCase(java.util.Locale.ROOT),
          heard(answer, "X-Amzn-Mtls-Clientcert-Serial-Number"));
      assertEquals("CN=Root,O=Muelle,C=ES", heard(answer, "X-Amzn-Mtls-Clientcert-Issuer"));
      assertEquals("CN=Ana \\C3\\91,O=a\\,b", heard(answer, "X-Amzn-Mtls-Clientcert-Subject"));
      assertEquals(
          "NotBefore="
              + shown.getNotBefore().toInstant()
              + ";NotAfter="
              + shown.getNotAfter().toInstant(),
          heard(answer, "X-Amzn-Mtls-Clientcert-Validity"));
      String leaf = heard(answer, "X-Amzn-Mtls-Clientcert-Leaf");
      assertTrue(leaf.startsWith("-----BEGIN%20CERTIFICATE-----%0AMII"), leaf);
      assertEquals(shown, pem(leaf).getFirst());
      assertFalse(answer.contains("forged"), answer);
    }
    assertEquals(List.of(), askedFor.get(), "no authorities are told");
  }

  private static List<X509Certificate> pem(String urlEncoded) throws Exception {
    String text = URLDecoder.decode(urlEncoded.replace("+", "%2B"), StandardCharsets.US_ASCII);
    List<X509Certificate> all = new ArrayList<>();
    java.security.cert.CertificateFactory.getInstance("X.509")
        .generateCertificates(
            new java.io.ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)))
        .forEach(one -> all.add((X509Certificate) one));
    return all;
  }

  @Test
  void authoritiesOnTheWayAreBroughtByTheClientOrKnown() throws Exception {
    offer(trusting(root.certificate()), Edits.NONE);
    Identity middle = Clients.authority("CN=Middle", root);
    Identity client = Clients.client("CN=below", middle);
    assertEquals(2, client.chain().size());
    assertTrue(ask(client).startsWith("HTTP/1.1 200 "));
    Identity alone = new Identity(client.key(), List.of(client.certificate()));
    refused(alone);
    offer(trusting(root.certificate(), middle.certificate()), Edits.NONE);
    assertTrue(ask(alone).startsWith("HTTP/1.1 200 "));
  }

  @Test
  void whoIsNotVouchedForDoesNotComeIn() throws Exception {
    offer(trusting(root.certificate()), Edits.NONE);
    Identity other =
        Clients.authority("CN=Root, O=Muelle, C=ES", null); // only the name is the same
    refused(Clients.client("CN=x", other));
    refused(Clients.authority("CN=self", null));
    refused(Clients.signed("CN=x", root, Duration.ofDays(-2), Duration.ofDays(-1), false, null));
    refused(Clients.signed("CN=x", root, Duration.ofDays(1), Duration.ofDays(2), false, null));
    refused(
        Clients.signed(
            "CN=x",
            root,
            Duration.ofDays(-2),
            Duration.ofDays(2),
            false,
            KeyPurposeId.id_kp_serverAuth));
    refused(Clients.client("CN=x", Clients.client("CN=no authority", root)));
    // And without any: in TLS 1.3 the client learns of it when it reads.
    for (String protocol : Certified.MODERN) {
      assertThrows(IOException.class, () -> ask(Certified.trusting(), protocol), protocol);
    }
    assertEquals(0, backend.served.get());
    assertEquals(
        14,
        rig.balancer.loadBalancerMetrics("lb").orElseThrow().get(Metrics.Count.HANDSHAKE_ERRORS));
    assertTrue(
        ask(Clients.signed(
                "CN=x",
                root,
                Duration.ofDays(-2),
                Duration.ofDays(2),
                false,
                KeyPurposeId.id_kp_clientAuth))
            .startsWith("HTTP/1.1 200 "));
  }

  @Test
  void expiryMayBeIgnoredButNothingElse() throws Exception {
    offer(new Verify(new Trust(List.of(root.certificate()), Map.of()), true, false), Edits.NONE);
    assertTrue(
        ask(Clients.signed("CN=x", root, Duration.ofDays(-2), Duration.ofDays(-1), false, null))
            .startsWith("HTTP/1.1 200 "));
    Identity other = Clients.authority("CN=Other", null);
    refused(Clients.signed("CN=x", other, Duration.ofDays(-2), Duration.ofDays(-1), false, null));
    Identity old =
        Clients.signed("CN=old", null, Duration.ofDays(-9), Duration.ofDays(-8), true, null);
    offer(new Verify(new Trust(List.of(old.certificate()), Map.of()), true, false), Edits.NONE);
    refused(Clients.client("CN=x", old));
  }

  @Test
  void whoIsRevokedIsOutAtOnceAlsoWithAnOldSession() throws Exception {
    offer(trusting(root.certificate()), Edits.NONE);
    Identity client = Clients.client("CN=x", root);
    SSLContext keepsSessions = Clients.showing(client, askedFor);
    assertTrue(ask(keepsSessions, "TLSv1.2").startsWith("HTTP/1.1 200 "));
    assertTrue(ask(keepsSessions, "TLSv1.3").startsWith("HTTP/1.1 200 "));
    X500Principal issuer = root.certificate().getSubjectX500Principal();
    Map<X500Principal, Set<BigInteger>> revoked =
        Map.of(issuer, Set.of(client.certificate().getSerialNumber()));
    offer(new Verify(new Trust(List.of(root.certificate()), revoked), false, false), Edits.NONE);
    for (String protocol : Certified.MODERN) {
      assertThrows(IOException.class, () -> ask(keepsSessions, protocol), protocol);
    }
    refused(client);
    assertTrue(ask(Clients.client("CN=y", root)).startsWith("HTTP/1.1 200 "));
    // An authority that is itself revoked vouches for nobody, brought or kept.
    Identity middle = Clients.authority("CN=Middle", root);
    Identity below = Clients.client("CN=below", middle);
    Map<X500Principal, Set<BigInteger>> fallen =
        Map.of(issuer, Set.of(middle.certificate().getSerialNumber()));
    for (List<X509Certificate> authorities :
        List.of(List.of(root.certificate()), List.of(root.certificate(), middle.certificate()))) {
      offer(new Verify(new Trust(authorities, fallen), false, false), Edits.NONE);
      refused(below);
    }
  }

  @Test
  void authoritiesAreToldIfThatIsWanted() throws Exception {
    offer(new Verify(new Trust(List.of(root.certificate()), Map.of()), false, true), Edits.NONE);
    for (String protocol : Certified.MODERN) {
      ask(Clients.showing(Clients.client("CN=x", root), askedFor), protocol);
      assertEquals(List.of("CN=Root,O=Muelle,C=ES"), askedFor.getAndSet(List.of()), protocol);
    }
  }

  @Test
  void whateverIsShownIsPassedOn() throws Exception {
    offer(new Passthrough(), Edits.NONE);
    Identity middle = Clients.authority("CN=Middle", root);
    Identity client = Clients.client("CN=below", middle);
    String answer = ask(client, "X-Amzn-Mtls-Clientcert-Leaf: forged\r\n");
    assertEquals(client.chain(), pem(heard(answer, "X-Amzn-Mtls-Clientcert")));
    assertFalse(answer.contains("Clientcert-"), answer);
    String without = ask(Certified.trusting(), "TLSv1.3", "X-Amzn-Mtls-Clientcert: forged\r\n");
    assertFalse(without.toLowerCase(java.util.Locale.ROOT).contains("mtls"), without);
    offer(null, Edits.NONE);
    assertFalse(ask(client).contains("Mtls"), "not asked for any more");
  }

  @Test
  void aChainOfAThousandIsRefused() throws Exception {
    offer(new Passthrough(), Edits.NONE);
    Identity client = Clients.client("CN=x", root);
    List<X509Certificate> chain = new ArrayList<>(client.chain());
    chain.addAll(Collections.nCopies(999, root.certificate()));
    refused(new Identity(client.key(), chain));
    refused(new Identity(client.key(), chain.subList(0, 20)));
    assertEquals(0, backend.served.get());
    assertTrue(ask(client).startsWith("HTTP/1.1 200 "));
  }

  @Test
  void fieldsAreRenamedAddedAndTakenAway() throws Exception {
    offer(
        trusting(root.certificate()),
        new Edits(
            Map.of("X-Amzn-Mtls-Clientcert-Subject", "X-Who"),
            false,
            Map.of("Strict-Transport-Security", "max-age=5", "X-Frame-Options", "DENY")));
    String answer = ask(Clients.client("CN=x", root), "x-who: forged\r\n");
    assertEquals("CN=x", heard(answer, "X-Who"));
    assertFalse(answer.contains("Clientcert-Subject"), answer);
    String head = answer.substring(0, answer.indexOf("\r\n\r\n"));
    assertTrue(head.contains("\r\nstrict-transport-security: max-age=5\r\n"), head);
    Backend vain =
        rig.backend((asked, in, out) -> {
          out.write(
              ("HTTP/1.1 200 X\r\nServer: vain/1\r\nx-frame-options: SAMEORIGIN\r\n"
                      + "Content-Length: 0\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
          return true;
        });
    backend = vain;
    offer(null, new Edits(Map.of(), false, Map.of("X-Frame-Options", "DENY")));
    answer = ask(Certified.trusting(), "TLSv1.3");
    assertEquals("DENY", heard(answer, "X-Frame-Options"));
    assertFalse(answer.contains("vain"), answer);
    // Also what the load balancer says itself.
    vain.close();
    answer = ask(Certified.trusting(), "TLSv1.3");
    assertTrue(answer.startsWith("HTTP/1.1 50"), answer);
    assertEquals("DENY", heard(answer, "X-Frame-Options"));
    assertFalse(answer.contains("awselb"), answer);
  }
}
