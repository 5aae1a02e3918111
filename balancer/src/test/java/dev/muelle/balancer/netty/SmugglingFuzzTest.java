package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.LoadBalancer.ForwardedFor;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.messages.Odd;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests put together at random from the pieces that smuggling is made of, before a target that
 * believes everything it reads. What the target takes for a request must be one of ours: it has the
 * headers that we add, each once. A smuggled one would not.
 */
@Timeout(300)
final class SmugglingFuzzTest {

  private static final int ROUNDS = 2000;
  private static final String HIDDEN = "GET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n";

  private final Rig rig = new Rig();
  private final Queue<String> heads = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"DEFENSIVE", "STRICTEST"})
  void nothingHiddenArrives(Desync mode) throws Exception {
    rig.idle = Duration.ofSeconds(5);
    rig.headers = new Headers(false, ForwardedFor.APPEND, false, false, mode, false);
    rig.serve(
        rig.backend((head, in, out) -> {
          heads.add(head);
          body(head, in);
          out.write(Backend.answer(200, "ok"));
          return true;
        }));
    RandomGenerator random = new java.util.SplittableRandom(20261121);
    int served = 0;
    for (int round = 0; round < ROUNDS / 2; round++) {
      heads.clear();
      String request = request(random);
      String answers = rig.raw(request);
      for (String head : heads) {
        assertTrue(
            head.matches("(?s)[A-Za-z0-9]+ /[a-z]* HTTP/1.1\r\nHost: [a-z.]+:[0-9]+\r\n.*")
                && count(head, "\r\nX-Amzn-Trace-Id: ") == 1
                && count(head, "\r\nX-Forwarded-For: ") == 1
                && count(head.toLowerCase(Locale.ROOT), "\r\ncontent-length:")
                        + count(head.toLowerCase(Locale.ROOT), "\r\ntransfer-encoding:")
                    <= 1,
            () -> "round, request, what the target saw:\n" + request + "\n---\n" + head);
      }
      // It would wait for the rest of something that we did not take for a part of the request.
      assertFalse(answers.contains("HTTP/1.1 504 "), request);
      int answered = count(answers, "HTTP/1.1 200 X\r\n");
      assertTrue(answered <= heads.size(), () -> request + "\n---\n" + answers);
      served += answered;
    }
    assertTrue(
        served > ROUNDS / 2 / (mode == Desync.STRICTEST ? 8 : 4), "most were refused: " + served);
  }

  private static int count(String whole, String part) {
    return whole.split(java.util.regex.Pattern.quote(part), -1).length - 1;
  }

  private static String request(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    text.append(Odd.one(List.of("POST", "POST", "GET", "HEAD"), random)).append(" /a HTTP/1.1\r\n");
    text.append("Host: x\r\n");
    int fields = random.nextInt(4);
    for (int i = 0; i < fields; i++) {
      text.append(Odd.one(Odd.NAMES, random)).append(':').append(random.nextBoolean() ? " " : "");
      text.append(Odd.one(Odd.VALUES, random)).append(Odd.one(Odd.ENDS, random));
    }
    text.append("\r\n").append(Odd.one(Odd.BODIES, random));
    if (random.nextBoolean()) {
      text.append(HIDDEN);
    }
    return text.append("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").toString();
  }

  /** Chunks if anything says so; otherwise the last length that begins with a digit. */
  private static void body(String head, InputStream in) throws IOException {
    boolean chunked = false;
    int length = 0;
    for (String line : head.split("[\r\n]+")) {
      String plain = line.toLowerCase(Locale.ROOT).replace('_', '-').strip();
      if (plain.startsWith("transfer-encoding") && plain.contains("chunked")) {
        chunked = true;
      } else if (plain.startsWith("content-length")) {
        String digits = plain.replaceAll("^[^0-9]*", "").replaceAll("[^0-9].*$", "");
        length = digits.isEmpty() || digits.length() > 6 ? length : Integer.parseInt(digits);
      }
    }
    if (!chunked) {
      in.readNBytes(length);
      return;
    }
    int size;
    do {
      String line = Backend.line(in).strip().replaceAll("[^0-9a-fA-F].*$", "");
      size = line.isEmpty() || line.length() > 6 ? 0 : Integer.parseInt(line, 16);
      in.readNBytes(size);
      if (size > 0) {
        Backend.line(in);
      }
    } while (size > 0);
    String trailer = Backend.line(in);
    while (!trailer.isEmpty()) {
      trailer = Backend.line(in);
    }
  }
}
