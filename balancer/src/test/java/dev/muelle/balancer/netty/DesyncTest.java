package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.LoadBalancer.ForwardedFor;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.metrics.Metrics.Count;
import java.io.InputStream;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The three modes of desync mitigation.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode">
 *     Desync mitigation mode</a>
 */
@Timeout(120)
final class DesyncTest {

  private static final String POST = "POST / HTTP/1.1\r\nHost: x\r\n";
  private static final int CHUNKS = "5\r\nhello\r\n0\r\n\r\n".length();
  private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n";

  private final Rig rig = new Rig();
  private final Queue<String> heads = new ConcurrentLinkedQueue<>();

  /** Of targets, by what is read from each. */
  private final Set<InputStream> connections = ConcurrentHashMap.newKeySet();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  /** What a client sends, by how it is classified. */
  private static String request(String reason) {
    return switch (reason) {
      case "Compliant" -> POST + "Content-Length: 5\r\n\r\nhello";
      case "NonCompliantHeader" -> GET + "X: \u00e9\r\n\r\n";
      case "GetHeadZeroContentLength" -> GET + "Content-Length: 0\r\n\r\n";
      case "UndefinedContentLengthSemantics" -> GET + "Content-Length: 5\r\n\r\nhello";
      case "UndefinedTransferEncodingSemantics" ->
          GET + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
      case "DuplicateContentLength" -> POST + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello";
      case "BothTeClPresent" ->
          POST + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
      case "SuspiciousHeader" ->
          POST + "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello";
      default -> throw new IllegalArgumentException(reason);
    };
  }

  /** What becomes of it: served, alone (both connections end), refused. */
  @ParameterizedTest
  @CsvSource({
    "Compliant,                          served, served,  served",
    "NonCompliantHeader,                 served, served,  refused",
    "GetHeadZeroContentLength,           served, served,  refused",
    "UndefinedContentLengthSemantics,    served, alone,   refused",
    "UndefinedTransferEncodingSemantics, served, alone,   refused",
    "DuplicateContentLength,             served, refused, refused",
    "BothTeClPresent,                    served, refused, refused",
    "SuspiciousHeader,                   served, refused, refused",
  })
  void whatBecomesOfARequest(String reason, String monitor, String defensive, String strictest)
      throws Exception {
    assertEquals(monitor, outcome(reason, Desync.MONITOR));
    assertEquals(defensive, outcome(reason, Desync.DEFENSIVE));
    assertEquals(strictest, outcome(reason, Desync.STRICTEST));
  }

  private String outcome(String reason, Desync mode) throws Exception {
    heads.clear();
    connections.clear();
    rig.headers = new Headers(false, ForwardedFor.APPEND, false, false, mode, false);
    rig.serve(
        rig.backend((head, in, out) -> {
          heads.add(head);
          connections.add(in);
          in.readNBytes(
              head.contains("-Encoding: chunked") ? CHUNKS : head.contains("Length: 5") ? 5 : 0);
          out.write(Backend.answer(200, "ok"));
          return true;
        }));
    long counted = malformed();
    String answers = rig.raw(request(reason) + Rig.GET);
    heads.forEach(
        head -> assertFalse(head.contains("Content-Length:") && head.contains("-Encoding:"), head));
    if (answers.startsWith("HTTP/1.1 400 ")) {
      assertEquals(0, heads.size());
      Rig.await(() -> malformed() == counted + 1);
      return "refused";
    }
    assertTrue(answers.startsWith("HTTP/1.1 200 X\r\n"), answers);
    if (heads.size() == 2) {
      assertEquals(1, connections.size());
      return "served";
    }
    Rig.await(() -> malformed() == counted + 1);
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 200 X\r\n"));
    assertEquals(2, connections.size(), "its target's connection was used again");
    return "alone";
  }

  private long malformed() {
    return rig.balancer
        .loadBalancerMetrics("lb")
        .map(metrics -> metrics.get(Count.MALFORMED_REQUESTS))
        .orElse(0L);
  }
}
