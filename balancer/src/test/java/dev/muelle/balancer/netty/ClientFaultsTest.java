package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that stop, exaggerate, or hide a second request in the first. */
@Timeout(300)
final class ClientFaultsTest {

  private final Rig rig = new Rig();
  private final Queue<String> heads = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  /** A target that reads as a lenient server would: whatever follows a body is a next request. */
  private void recorder() throws IOException {
    rig.serve(
        rig.backend((head, in, out) -> {
          heads.add(head);
          if (head.contains("Transfer-Encoding: chunked")) {
            int size;
            do {
              size = Integer.parseInt(Backend.line(in).split(";", 2)[0], 16);
              in.readNBytes(size);
              if (size > 0) {
                Backend.line(in);
              }
            } while (size > 0);
            while (!Backend.line(in).isEmpty()) {
              continue; // trailers
            }
          } else if (head.contains("Content-Length: ")) {
            in.readNBytes(Integer.parseInt(head.split("Content-Length: ", 2)[1].split("\r", 2)[0]));
          }
          out.write(Backend.answer(200, "ok"));
          return true;
        }));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nHost: x\r\nX: ",
        "GET /",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
      })
  void whoNeverFinishesIsTold408(String beginning) throws Exception {
    rig.idle = Duration.ofSeconds(1);
    recorder();
    String seen = rig.raw(beginning);
    assertTrue(seen.startsWith("HTTP/1.1 408 Request Time-out\r\n"), seen);
    assertTrue(seen.contains("\r\nConnection: close\r\n"), seen);
    Rig.await(() -> rig.connections() == 0);
  }

  @Test
  void ifItIsTheTargetThatDoesNotTakeTheBodyItIs504() throws Exception {
    rig.idle = Duration.ofSeconds(2);
    CountDownLatch end = new CountDownLatch(1);
    rig.serve(
        rig.backend((head, in, out) -> {
          try {
            end.await();
          } catch (InterruptedException e) {
            return false;
          }
          return false;
        }));
    int size = 64 << 20; // more than all buffers on the way hold
    try (Socket socket =
        rig.asked("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n")) {
      Thread.ofVirtual()
          .start(() -> {
            try {
              socket.getOutputStream().write(new byte[size]);
            } catch (IOException e) {
              // refused, as it should be
            }
          });
      assertTrue(Backend.head(socket.getInputStream()).startsWith("HTTP/1.1 504 "));
    } finally {
      end.countDown();
    }
  }

  @Test
  void whoIsIdleBetweenRequestsIsClosedWithoutAWord() throws Exception {
    rig.idle = Duration.ofSeconds(2);
    recorder();
    assertEquals("", rig.raw(""));
    assertTrue(rig.raw(Rig.KEPT).endsWith("\r\n\r\nok"));
  }

  @Test
  void howMuchAHeadMayHold() throws Exception {
    recorder();
    // As ALB's quotas: 16 KiB a line, 16 KiB a field, 64 KiB together.
    assertTrue(
        rig.raw(Rig.GET.replace("/ ", "/" + "a".repeat(16_000) + " ")).startsWith("HTTP/1.1 200 "));
    assertTrue(
        rig.raw(Rig.GET.replace("/ ", "/" + "a".repeat(16_400) + " ")).startsWith("HTTP/1.1 414 "));
    String field = "X: " + "a".repeat(16_000) + "\r\n";
    assertTrue(
        rig.raw(with(field.repeat(4).substring(0, 60_000) + "\r\n")).startsWith("HTTP/1.1 200 "));
    assertTrue(rig.raw(with(field.repeat(5))).startsWith("HTTP/1.1 400 "));
    assertTrue(rig.raw(with("X: " + "a".repeat(16_400) + "\r\n")).startsWith("HTTP/1.1 400 "));
    assertTrue(rig.raw(with("X: y\r\n".repeat(190))).startsWith("HTTP/1.1 200 "));
    assertTrue(rig.raw(with("X: y\r\n".repeat(210))).startsWith("HTTP/1.1 400 "));
  }

  private static String with(String fields) {
    return Rig.GET.replace("Host: x\r\n", "Host: x\r\n" + fields);
  }

  /** Bodies that are fine, each followed by a next request: two requests, for us and the target. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 5\r\n\r\nhello",
        "Content-Length: 46\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Transfer-Encoding: Chunked\r\n\r\n5;name=value\r\nhello\r\n0;last\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n005\r\nhello\r\n0\r\nX-Trailer: a\r\nX-Other: 7\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2E\r\nGET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\n\r\n",
        "\r\n",
      })
  void oneRequestStaysOne(String rest) throws Exception {
    recorder();
    String all =
        rig.raw("POST /first HTTP/1.1\r\nHost: x\r\n" + rest + Rig.GET.replace("/ ", "/second "));
    assertEquals(2, all.split("HTTP/1.1 200 X", -1).length - 1, all);
    List<String> lines = heads.stream().map(head -> head.split("\r\n", 2)[0]).toList();
    assertEquals(List.of("POST /first HTTP/1.1", "GET /second HTTP/1.1"), lines);
  }

  /** Those that two parsers could understand differently: refused, and nothing behind is served. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
        "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\tchunked, chunked\r\n\r\n0\r\n\r\n",
        "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
        " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\u0000\r\n\r\n",
        "Content-Length: 5\u00a0\r\n\r\nhello",
        "Content-Length: 99999999999999999999\r\n\r\n",
        "Host: y\r\n\r\n",
      })
  void whatCouldBeReadInTwoWaysIsRefused(String rest) throws Exception {
    recorder();
    String all = rig.raw("POST /first HTTP/1.1\r\nHost: x\r\n" + rest + Rig.GET);
    assertTrue(all.startsWith("HTTP/1.1 400 Bad Request\r\n"), all);
    assertEquals(1, all.split("HTTP/1.1 ", -1).length - 1, all);
    assertEquals(0, heads.size());
  }

  /** Found out only when the body comes: the target's connection must not be used again. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "5\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5;a=\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nX y: z\r\n\r\n",
        "0\r\n X: folded\r\n\r\n",
        "0\r\nX: y\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\ncontent-Length: 7\r\n\r\n",
      })
  void chunksThatAreNotAreRefused(String chunks) throws Exception {
    recorder();
    String all =
        rig.raw(
            "POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunks
                + Rig.GET);
    assertTrue(all.startsWith("HTTP/1.1 400 Bad Request\r\n"), all);
    assertEquals(1, all.split("HTTP/1.1 ", -1).length - 1, all);
    Rig.await(() -> rig.connections() == 0);
    assertTrue(heads.stream().noneMatch(head -> head.startsWith("GET")), heads.toString());
  }

  @Test
  void whoExpects100GetsItOnceAndTheTargetDoesNotSeeIt() throws Exception {
    recorder();
    try (Socket socket =
        rig.asked(
            "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n"
                + "Connection: close\r\n\r\n")) {
      assertTrue(Backend.head(socket.getInputStream()).startsWith("HTTP/1.1 100 Continue\r\n"));
      Rig.send(socket, "hello");
      String rest = Rig.rest(socket);
      assertTrue(rest.startsWith("HTTP/1.1 200 X\r\n") && rest.endsWith("\r\n\r\nok"), rest);
    }
    assertTrue(!heads.peek().contains("Expect"), heads.peek());
  }
}
