package dev.muelle.bench.soak;

import io.netty.util.concurrent.Ticker;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Asks again and again on one connection; a new one only after a failure. */
final class SoakClient implements Runnable {

  private static final Ticker TICKER = Ticker.systemTicker();
  private static final int ANSWER = 512;
  private static final int PATIENCE_MILLIS = 30_000;
  private static final byte[] END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final AtomicLong NUMBERS = new AtomicLong();

  /** Nanoseconds between two requests; 0 for as many as there can be. */
  volatile long pause;

  volatile boolean over;

  private final int port;
  private final LongAdder answered;
  private final Consumer<String> failed;

  /**
   * A client of a port of the loopback.
   *
   * @param failed hears which requests came to nothing, and why
   */
  SoakClient(int port, LongAdder answered, Consumer<String> failed) {
    this.port = port;
    this.answered = answered;
    this.failed = failed;
  }

  @Override
  public void run() {
    while (!over) {
      String number = "";
      try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        long next = TICKER.nanoTime();
        while (!over) {
          number = String.valueOf(NUMBERS.incrementAndGet());
          ask(socket, number);
          answered.increment();
          next += pause;
          long left = next - TICKER.nanoTime();
          if (pause > 0 && left > 0) {
            LockSupport.parkNanos(left);
          } else {
            next = TICKER.nanoTime();
          }
        }
      } catch (IOException e) {
        failed.accept(number + ": " + e.getMessage());
      }
    }
  }

  private static void ask(Socket socket, String number) throws IOException {
    String head = "GET / HTTP/1.1\r\nHost: soak.localhost\r\nX-Number: " + number + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    InputStream in = socket.getInputStream();
    StringBuilder answer = new StringBuilder();
    for (int matched = 0; matched < END.length; ) {
      int b = in.read();
      if (b < 0) {
        throw new IOException("no answer");
      }
      answer.append((char) b);
      matched = b == END[matched] ? matched + 1 : b == END[0] ? 1 : 0;
    }
    if (!answer.toString().startsWith("HTTP/1.1 200 ")) {
      throw new IOException(answer.substring(0, answer.indexOf("\r\n")));
    }
    if (in.readNBytes(ANSWER).length != ANSWER) {
      throw new IOException("half an answer");
    }
  }
}
