package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer.Member;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Targets that die, lie, or answer in unusual ways. */
@Timeout(300)
final class TargetFaultsTest {

  private static final String POST =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  /** A target that says this and, if it shall die, resets the connection. */
  private Backend saying(String text, boolean dies) throws IOException {
    Backend backend =
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes(text));
          return !dies;
        });
    if (dies) {
      backend.resets = true;
    }
    return backend;
  }

  @Test
  void anAnswerThatIsCutIsNotMadeWhole() throws Exception {
    for (boolean reset : new boolean[] {true, false}) {
      Backend length = saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true);
      length.resets = reset;
      rig.serve(length);
      String cut = rig.raw(Rig.GET);
      assertTrue(cut.contains("Content-Length: 10\r\n") && cut.endsWith("\r\n\r\nhalf"), cut);

      Backend chunks =
          saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true);
      chunks.resets = reset;
      rig.serve(chunks);
      cut = rig.raw(Rig.GET);
      assertTrue(cut.endsWith("4\r\nhalf\r\n"), cut);
    }
    // One that has no length ends with its connection: well, if closed; not, if reset.
    Backend ends = saying("HTTP/1.1 200 OK\r\n\r\nwhole", true);
    ends.resets = false;
    rig.serve(ends);
    assertTrue(rig.raw(Rig.GET).endsWith("5\r\nwhole\r\n0\r\n\r\n"));
    AtomicInteger passed = new AtomicInteger();
    Backend dies =
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes("HTTP/1.1 200 OK\r\n\r\nhalf"));
          Rig.await(() -> passed.get() == 1);
          return false;
        });
    dies.resets = true;
    rig.serve(dies);
    try (Socket socket = rig.asked(Rig.GET)) {
      InputStream in = socket.getInputStream();
      Backend.head(in);
      assertEquals("4\r\nhalf\r\n", new String(in.readNBytes(9), "US-ASCII"));
      passed.set(1);
      assertEquals("", Rig.rest(socket), "no last chunk");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9\r\n\r\n",
      })
  void whatCouldBeReadInTwoWaysIsNotPassedOn(String answer) throws Exception {
    rig.serve(saying(answer, true));
    String seen = rig.raw(Rig.GET);
    assertTrue(seen.startsWith("HTTP/1.1 502 Bad Gateway\r\n"), seen);
    assertEquals(1, seen.split("HTTP/1.1", -1).length - 1, seen);
  }

  @Test
  void aHeadThatIsTooLongIsNotPassedOn() throws Exception {
    rig.serve(
        saying(
            "HTTP/1.1 200 OK\r\nX: " + "a".repeat(40_000) + "\r\nContent-Length: 0\r\n\r\n", true));
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 502 "));
  }

  @Test
  void anAnswerTooManyReachesNobody() throws Exception {
    AtomicInteger turn = new AtomicInteger();
    Backend poisoner =
        rig.backend((head, in, out) -> {
          int n = turn.incrementAndGet();
          out.write(Backend.answer(200, "answer" + n));
          if (n == 1) {
            out.write(Backend.answer(200, "poison"));
          }
          return true;
        });
    rig.serve(poisoner);
    assertTrue(rig.raw(Rig.GET).endsWith("answer1"));
    Rig.await(() -> rig.connections() == 0);
    assertTrue(rig.raw(Rig.GET).endsWith("answer2"));
    assertEquals(2, poisoner.served.get());
  }

  @Test
  void interimAnswersStayHere() throws Exception {
    rig.serve(
        saying(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false));
    String seen = rig.raw(Rig.GET);
    assertTrue(seen.startsWith("HTTP/1.1 200 OK\r\n") && seen.endsWith("\r\n\r\nok"), seen);
  }

  @Test
  void answersWithoutABody() throws Exception {
    Backend bodiless =
        rig.backend((head, in, out) -> {
          String start =
              head.startsWith("HEAD")
                  ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
                  : head.startsWith("GET /304")
                      ? "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"
                      : "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
          out.write(Rig.bytes(start));
          return true;
        });
    rig.serve(bodiless);
    String all =
        rig.raw(Rig.KEPT.replace("GET", "HEAD") + Rig.KEPT.replace("GET /", "GET /304") + Rig.GET);
    assertTrue(
        all.matches(
            "(?s)HTTP/1.1 200 OK\r\nContent-Length: 99\r\n.*?\r\n\r\n"
                + "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n.*?\r\n\r\n"
                + "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
        all);
    // One connection for all; a health check is counted after its own.
    Rig.await(() -> bodiless.connections.get() - bodiless.checks.get() == 1);
  }

  @Test
  void whatIsNotIdempotentIsNotRepeated() throws Exception {
    Queue<String> seen = new ConcurrentLinkedQueue<>();
    // Answers the first request of each connection; takes the second and dies.
    Backend one =
        rig.backend((head, in, out) -> {
          if (head.startsWith("POST")) {
            in.readNBytes(5);
          }
          seen.add(head.substring(0, head.indexOf(' ')));
          boolean first = seen.size() == 1;
          if (first) {
            out.write(Backend.answer(200, "first"));
          }
          return first;
        });
    rig.serve(one);
    assertTrue(rig.raw(Rig.GET).endsWith("first"));
    String post = rig.raw(POST);
    assertTrue(post.startsWith("HTTP/1.1 502 "), post);
    assertEquals("[GET, POST]", seen.toString());
  }

  @Test
  void whatATargetBreaksOffOnANewConnectionAnotherIsAskedOnce() throws Exception {
    Backend[] dying = new Backend[3];
    for (int i = 0; i < dying.length; i++) {
      dying[i] = rig.backend((head, in, out) -> false);
      dying[i].resets = i > 0;
    }
    rig.serve(dying);
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 502 "));
    assertEquals(2, Stream.of(dying).mapToInt(one -> one.served.get()).sum(), "not all of them");
    assertTrue(rig.raw(POST).startsWith("HTTP/1.1 502 "));
    assertEquals(3, Stream.of(dying).mapToInt(one -> one.served.get()).sum(), "once only");

    Backend living = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true);
    rig.serve(dying[0], living);
    for (int i = 0; i < 4; i++) {
      assertTrue(rig.raw(Rig.GET).endsWith("ok"));
    }
  }

  @Test
  void anAnswerThatComesBeforeTheBodyIsReadReachesTheClient() throws Exception {
    rig.serve(saying("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", true));
    int size = 32 << 20;
    for (int i = 0; i < 10; i++) {
      try (Socket socket =
          rig.asked("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n")) {
        Thread.ofVirtual()
            .start(() -> {
              try {
                socket.getOutputStream().write(new byte[size]);
              } catch (IOException e) {
                // not read to its end
              }
            });
        String head = Backend.head(socket.getInputStream());
        // The target resets its connection: what it said may be lost with that, as on any network.
        assertTrue(head.startsWith("HTTP/1.1 413 ") || head.startsWith("HTTP/1.1 502 "), head);
      }
    }
  }

  @Test
  void aTargetThatDiesWhileItIsSentABodyIs502() throws Exception {
    Backend dies = rig.backend((head, in, out) -> in.readNBytes(1 << 20).length < 0);
    dies.resets = true;
    rig.serve(dies);
    int size = 32 << 20;
    try (Socket socket =
        rig.asked("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n")) {
      Thread.ofVirtual()
          .start(() -> {
            try {
              socket.getOutputStream().write(new byte[size]);
            } catch (IOException e) {
              // not read to its end
            }
          });
      String head = Backend.head(socket.getInputStream());
      assertTrue(head.startsWith("HTTP/1.1 502 "), head);
    }
    assertEquals(1, dies.served.get(), "a part of the body is gone: not repeated");
  }

  @Test
  void whatWasAnsweredInPartIsNotRepeated() throws Exception {
    AtomicInteger turn = new AtomicInteger();
    Backend one =
        rig.backend((head, in, out) -> {
          boolean first = turn.incrementAndGet() == 1;
          out.write(first ? Backend.answer(200, "first") : Rig.bytes("HTTP/1.1 200 "));
          return first;
        });
    rig.serve(one);
    assertTrue(rig.raw(Rig.GET).endsWith("first"));
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 502 "));
    assertEquals(2, turn.get());
  }

  @Test
  void aConnectionThatTheTargetClosedWhileIdleIsNotUsed() throws Exception {
    Backend closes =
        rig.backend((head, in, out) -> {
          if (head.startsWith("POST")) {
            in.readNBytes(5);
          }
          out.write(Backend.answer(200, "ok"));
          return false;
        });
    rig.serve(closes);
    for (int i = 0; i < 20; i++) {
      assertTrue(rig.raw(POST).endsWith("ok"));
      Rig.await(() -> rig.connections() == 0);
    }
    assertEquals(20, closes.served.get());
  }

  @Test
  void anUpgradeThatIsRefusedLeavesAnOrdinaryConnection() throws Exception {
    Backend refuses =
        rig.backend((head, in, out) -> {
          out.write(
              head.contains("Upgrade: websocket")
                  ? Backend.answer(426, "no")
                  : Backend.answer(200, "yes"));
          return true;
        });
    rig.serve(refuses);
    String both =
        rig.raw(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                + Rig.GET);
    assertTrue(both.startsWith("HTTP/1.1 426 X\r\n"), both);
    assertTrue(both.contains("\r\n\r\nnoHTTP/1.1 200 X\r\n") && both.endsWith("yes"), both);
  }

  @Test
  void aTunnelEndsWithEitherSide() throws Exception {
    String switched =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbye";
    rig.serve(saying(switched, true));
    String upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    assertTrue(rig.raw(upgrade).endsWith("\r\n\r\nbye"));

    Backend stays =
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes(switched));
          return in.read() >= 0;
        });
    rig.serve(stays);
    try (Socket socket = rig.asked(upgrade)) {
      Backend.head(socket.getInputStream());
    }
    Rig.await(() -> rig.connections() == 0);
  }

  @Test
  void ifNoneIsHealthyAllAreTriedAndWithoutAnyTheAnswerIs503() throws Exception {
    Backend sick =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, "alive after all"));
          return true;
        });
    sick.sick = true;
    rig.put(Rig.member(sick));
    Rig.await(() -> rig.health(sick) == Health.UNHEALTHY);
    assertTrue(rig.raw(Rig.GET).endsWith("alive after all"));
    rig.put();
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 503 "));
  }

  @Test
  void whoWasHealthyBeforeTheRestartServesUntilItsChecksFail() throws Exception {
    Backend known =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, "known"));
          return true;
        });
    Backend fresh =
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, "fresh"));
          return true;
        });
    fresh.sick = true;
    rig.put(new Member(known.target(), "a", null, true), Rig.member(fresh));
    assertEquals(Health.HEALTHY, rig.health(known));
    for (int i = 0; i < 10; i++) {
      assertTrue(rig.raw(Rig.GET).endsWith("known"));
    }
    known.sick = true;
    Rig.await(() -> rig.health(known) == Health.UNHEALTHY);
    fresh.sick = false;
    Rig.await(() -> rig.health(fresh) == Health.HEALTHY);
    assertTrue(rig.raw(Rig.GET).endsWith("fresh"));
    assertFalse(rig.balancer.targets("tg").get(known.target()).reason().isEmpty());
  }
}
