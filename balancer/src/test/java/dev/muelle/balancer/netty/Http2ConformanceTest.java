package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Wildcard;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What RFC 9113 and RFC 7541 ask of a server, section by section; the same stands in {@code
 * docs/http2.md}.
 */
@Timeout(60)
final class Http2ConformanceTest {

  private static final Rig RIG = new Rig();
  private static final List<String> HEARD = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void serve() throws Exception {
    Backend backend =
        RIG.backend((head, in, out) -> {
          HEARD.add(head);
          if (head.contains(" /hang ")) {
            in.read(); // until nobody waits for it any more
            return false;
          }
          Backend.body(head, in);
          out.write(Backend.answer(200, head.contains(" /five ") ? "12345" : "ok"));
          return true;
        });
    Action.Forward forward = new Action.Forward("tg");
    RIG.rules =
        List.of(
            rule("/fixed", new Action.FixedResponse(200, "text/plain", "fixed")),
            rule("/gated", new Action.Gated((knock, then) -> {}, forward)));
    RIG.secure(Certified.http2(Certified.ec("a.test")), forward, backend);
  }

  private static LoadBalancer.Rule rule(String path, Action action) {
    return new LoadBalancer.Rule(
        List.of(new Condition.PathPattern(List.of(new Wildcard(path, false)))), action);
  }

  @AfterAll
  static void close() throws Exception {
    RIG.close();
  }

  static Stream<Http2Requirement> all() {
    return Stream.of(
            Http2ConnectionRows.all(),
            Http2FrameRows.all(),
            Http2MessageRows.all(),
            HpackRows.all())
        .flatMap(rows -> rows);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void holds(Http2Requirement one) throws Exception {
    HEARD.clear();
    try (Http2Wire wire = new Http2Wire(RIG.port, one.opening())) {
      one.does().on(wire);
      one.must().check().on(wire, HEARD);
    }
  }

  @Test
  void theDocumentSaysSo() throws Exception {
    says("clients", all().map(Http2Requirement::line));
  }

  /** This table of the document has these lines; if not, it is written anew. */
  static void says(String table, Stream<String> lines) throws Exception {
    Path document = Path.of("../docs/http2.md");
    String before = Files.readString(document);
    String begin =
        "<!-- " + table + " -->\n\n| section | what comes | what happens |\n|---|---|---|\n";
    int from = before.indexOf(begin) + begin.length();
    int to = before.indexOf("\n<!-- end -->", from);
    String now =
        before.substring(0, from) + lines.collect(Collectors.joining()) + before.substring(to);
    if (!now.equals(before)) {
      Files.writeString(document, now);
    }
    assertEquals(now, before, "docs/http2.md was out of date and is rewritten now: commit it");
  }
}
