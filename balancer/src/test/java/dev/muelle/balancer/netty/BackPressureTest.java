package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who does not read makes the other side wait; nothing piles up in between. */
@Timeout(300)
final class BackPressureTest {

  private static final long SIZE = 256L << 20;

  /** What the kernel's own buffers on the way may hold, and ours. */
  private static final long ON_THE_WAY = 64L << 20;

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private static void pour(OutputStream out, AtomicLong sent) throws java.io.IOException {
    byte[] block = new byte[1 << 16];
    while (sent.get() < SIZE) {
      out.write(block);
      sent.addAndGet(block.length);
    }
  }

  @Test
  void aClientThatDoesNotReadStopsTheTarget() throws Exception {
    AtomicLong sent = new AtomicLong();
    Backend big =
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + SIZE + "\r\n\r\n"));
          pour(out, sent);
          return true;
        });
    rig.serve(big);
    try (Socket socket = rig.asked(Rig.KEPT)) {
      InputStream in = socket.getInputStream();
      Backend.head(in);
      long stopped = Rig.stalled(sent::get);
      assertTrue(stopped < ON_THE_WAY, "sent although nobody reads: " + stopped);
      in.skipNBytes(SIZE);
      Rig.await(() -> sent.get() == SIZE); // who writes counts after his write
    }
  }

  @Test
  void aTargetThatDoesNotReadStopsTheClient() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    Backend slow =
        rig.backend((head, in, out) -> {
          try {
            read.await();
          } catch (InterruptedException e) {
            return false;
          }
          in.skipNBytes(SIZE);
          out.write(Backend.answer(200, "all"));
          return true;
        });
    rig.serve(slow);
    AtomicLong sent = new AtomicLong();
    try (Socket socket =
        rig.asked("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + SIZE + "\r\n\r\n")) {
      Thread client =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  pour(socket.getOutputStream(), sent);
                } catch (java.io.IOException e) {
                  sent.set(-1);
                }
              });
      long stopped = Rig.stalled(sent::get);
      assertTrue(stopped < ON_THE_WAY, "sent although nobody reads: " + stopped);
      read.countDown();
      assertTrue(Backend.head(socket.getInputStream()).startsWith("HTTP/1.1 200 "));
      client.join();
      assertEquals(SIZE, sent.get());
    }
  }

  @Test
  void aClientThatPipelinesWithoutEndIsNotReadAhead() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    Backend waits =
        rig.backend((head, in, out) -> {
          try {
            go.await();
          } catch (InterruptedException e) {
            return false;
          }
          out.write(Backend.answer(200, "ok"));
          return true;
        });
    rig.serve(waits);
    AtomicLong sent = new AtomicLong();
    try (Socket socket = rig.connect()) {
      byte[] many = Rig.bytes(Rig.KEPT.repeat(1000));
      Thread.ofVirtual()
          .start(() -> {
            try {
              while (sent.get() < SIZE) {
                socket.getOutputStream().write(many);
                sent.addAndGet(many.length);
              }
            } catch (java.io.IOException e) {
              // closed by the test
            }
          });
      assertTrue(Rig.stalled(sent::get) < ON_THE_WAY);
      go.countDown();
      assertTrue(Backend.head(socket.getInputStream()).startsWith("HTTP/1.1 200 "));
    }
  }

  @Test
  void aClientThatGoesAwayFreesItsTarget() throws Exception {
    AtomicLong sent = new AtomicLong();
    Backend big =
        rig.backend((head, in, out) -> {
          out.write(Rig.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + SIZE + "\r\n\r\n"));
          pour(out, sent);
          return true;
        });
    rig.serve(big);
    try (Socket socket = rig.asked(Rig.KEPT)) {
      Backend.head(socket.getInputStream());
      assertEquals(1, rig.connections());
    }
    Rig.await(() -> rig.connections() == 0);
    Rig.await(() -> big.open.isEmpty());
    assertTrue(sent.get() < SIZE);
  }
}
