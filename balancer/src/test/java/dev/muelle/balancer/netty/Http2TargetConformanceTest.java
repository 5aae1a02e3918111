package dev.muelle.balancer.netty;

import static dev.muelle.balancer.netty.Http2Wire.ACK;
import static dev.muelle.balancer.netty.Http2Wire.DATA;
import static dev.muelle.balancer.netty.Http2Wire.END_HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.END_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.GOAWAY;
import static dev.muelle.balancer.netty.Http2Wire.HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.PING;
import static dev.muelle.balancer.netty.Http2Wire.PUSH_PROMISE;
import static dev.muelle.balancer.netty.Http2Wire.RST_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.SETTINGS;
import static dev.muelle.balancer.netty.Http2Wire.block;
import static dev.muelle.balancer.netty.Http2Wire.bytes;
import static dev.muelle.balancer.netty.Http2Wire.joined;
import static dev.muelle.balancer.netty.Http2Wire.number;
import static dev.muelle.balancer.netty.Http2Wire.request;
import static dev.muelle.balancer.netty.Http2Wire.settings;
import static dev.muelle.balancer.netty.WireTarget.head;
import static dev.muelle.balancer.netty.WireTarget.ok;
import static io.netty.handler.codec.http2.Http2Error.CANCEL;
import static io.netty.handler.codec.http2.Http2Error.COMPRESSION_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FLOW_CONTROL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FRAME_SIZE_ERROR;
import static io.netty.handler.codec.http2.Http2Error.INTERNAL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.muelle.balancer.tls.Tls;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What RFC 9113 asks of a client, which the load balancer is to targets of HTTP/2. */
@Timeout(60)
final class Http2TargetConformanceTest {

  private static final Rig RIG = new Rig();
  private static Tls tls;

  @BeforeAll
  static void certify() throws Exception {
    tls = Certified.http2(Certified.ec("a.test"));
  }

  @AfterAll
  static void close() throws Exception {
    RIG.close();
  }

  /** What a target answers a request with. */
  private interface Answers {
    void to(int stream, OutputStream out) throws IOException;
  }

  /** What the client gets to see. */
  private enum Seen {
    BAD_GATEWAY("502"),
    CUT("a head, and RST_STREAM `INTERNAL_ERROR`"),
    WHOLE("the answer");

    private final String words;

    Seen(String words) {
      this.words = words;
    }
  }

  /**
   * One thing that is asked of us.
   *
   * @param frame by which the target is told
   * @param why it is told so
   */
  private record Row(
      String section,
      String what,
      byte[] opening,
      Answers answers,
      int frame,
      Http2Error why,
      Seen seen) {

    String line() {
      String told = (frame == GOAWAY ? "GOAWAY" : "RST_STREAM") + " `" + why + "`";
      return "| " + section + " | " + what + " | " + told + "; the client: " + seen.words + " |\n";
    }

    @Override
    public String toString() {
      return section + " " + what;
    }
  }

  private static final byte[] USUAL = bytes(SETTINGS, 0, 0);

  private static Row leaves(String section, String what, Http2Error why, Answers answers) {
    return new Row(section, what, USUAL, answers, GOAWAY, why, Seen.BAD_GATEWAY);
  }

  private static Row begins(String section, String what, byte[] opening) {
    return new Row(
        section, what, opening, (stream, out) -> {}, GOAWAY, PROTOCOL_ERROR, Seen.BAD_GATEWAY);
  }

  private static Row refuses(String section, String what, Answers answers) {
    return new Row(section, what, USUAL, answers, RST_STREAM, PROTOCOL_ERROR, Seen.BAD_GATEWAY);
  }

  private static Row malformed(String section, String what, String... fields) {
    return refuses(section, what, (stream, out) -> head(out, stream, true, fields));
  }

  private static Row cuts(String section, String what, Answers answers) {
    return new Row(section, what, USUAL, answers, RST_STREAM, PROTOCOL_ERROR, Seen.CUT);
  }

  static Stream<Row> all() {
    return Stream.of(connections(), messages()).flatMap(List::stream);
  }

  private static List<Row> connections() {
    byte[] promise = joined(number(2), block(request("GET")));
    return List.of(
        begins("3.4", "no SETTINGS at first", bytes(PING, 0, 0, new byte[8])),
        leaves(
            "4.2",
            "a frame longer than it may be",
            FRAME_SIZE_ERROR,
            (stream, out) -> out.write(bytes(DATA, 0, stream, new byte[16_385]))),
        leaves(
            "4.3",
            "a head that cannot be unpacked",
            COMPRESSION_ERROR,
            (stream, out) -> out.write(bytes(HEADERS, END_HEADERS, stream, (byte) 0x80))),
        leaves(
            "5.1",
            "DATA for a request that was never made",
            PROTOCOL_ERROR,
            (stream, out) -> out.write(bytes(DATA, 0, stream + 2, new byte[1]))),
        leaves(
            "5.1.1",
            "an answer to a request that was never made",
            PROTOCOL_ERROR,
            (stream, out) -> ok(out, stream + 2, true)),
        leaves(
            "5.1.1",
            "an answer that was not promised",
            PROTOCOL_ERROR,
            (stream, out) -> ok(out, 2, true)),
        begins("6.5.2", "ENABLE_PUSH 1", bytes(SETTINGS, 0, 0, settings(2, 1))),
        leaves(
            "6.9.1",
            "a window above 2^31 - 1",
            FLOW_CONTROL_ERROR,
            (stream, out) ->
                out.write(bytes(Http2Wire.WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE)))),
        leaves(
            "6.10",
            "DATA within a head",
            PROTOCOL_ERROR,
            (stream, out) -> {
              out.write(bytes(HEADERS, 0, stream, block(":status", "200")));
              out.write(bytes(DATA, END_STREAM, stream));
            }),
        leaves(
            "8.4",
            "PUSH_PROMISE",
            PROTOCOL_ERROR,
            (stream, out) -> {
              out.write(bytes(SETTINGS, ACK, 0));
              out.write(bytes(PUSH_PROMISE, END_HEADERS, stream, promise));
            }),
        new Row(
            "8.4",
            "PUSH_PROMISE before our settings were acknowledged",
            USUAL,
            (stream, out) -> {
              out.write(bytes(PUSH_PROMISE, END_HEADERS, stream, promise));
              ok(out, stream, true);
            },
            RST_STREAM,
            CANCEL,
            Seen.WHOLE));
  }

  private static List<Row> messages() {
    String[] length = {":status", "200", "content-length", "4"};
    return List.of(
        refuses(
            "8.1",
            "a body without a head",
            (stream, out) ->
                out.write(bytes(DATA, END_STREAM, stream, Backend.answer(200, "smuggled")))),
        malformed("8.1", "a hint (103), and the end", ":status", "103"),
        cuts(
            "8.1",
            "a second head that is not the end",
            (stream, out) -> {
              ok(out, stream, false);
              head(out, stream, false, "x-a", "1");
            }),
        cuts(
            "8.1",
            "trailers with a pseudo-field",
            (stream, out) -> {
              ok(out, stream, false);
              head(out, stream, true, ":status", "200");
            }),
        cuts(
            "8.1.1",
            "a body longer than `content-length`",
            (stream, out) -> {
              head(out, stream, false, length);
              out.write(bytes(DATA, END_STREAM, stream, new byte[5]));
            }),
        cuts(
            "8.1.1",
            "a body shorter than `content-length`",
            (stream, out) -> {
              head(out, stream, false, length);
              out.write(bytes(DATA, END_STREAM, stream, new byte[3]));
            }),
        malformed("8.2", "upper case in a name", ":status", "200", "X-Upper", "1"),
        malformed("8.2.1", "a line end in a value", ":status", "200", "x-a", "1\r\nx-b: 2"),
        malformed("8.2.2", "`connection`", ":status", "200", "connection", "close"),
        malformed("8.2.2", "`transfer-encoding`", ":status", "200", "transfer-encoding", "chunked"),
        malformed("8.3", "a pseudo-field of requests", ":status", "200", ":path", "/"),
        malformed("8.3", "a pseudo-field after others", "x-a", "1", ":status", "200"),
        malformed("8.3.2", "no `:status`", "x-a", "1"),
        malformed("8.3.2", "two `:status`", ":status", "200", ":status", "200"),
        malformed("8.3.2", "a `:status` that is no number", ":status", "20x"),
        new Row(
            "8.6",
            "101, which HTTP/2 does not have",
            USUAL,
            (stream, out) -> head(out, stream, false, ":status", "101"),
            RST_STREAM,
            CANCEL,
            Seen.BAD_GATEWAY));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void holds(Row row) throws Exception {
    try (WireTarget target =
        new WireTarget(
            row.opening,
            (request, stream, in, out) -> {
              row.answers.to(stream, out);
              return true;
            })) {
      target.serveBy(RIG, tls);
      try (Http2Wire wire = new Http2Wire(RIG.port)) {
        wire.headers(1, true, request("POST")); // which is not repeated by itself
        Http2Wire.Got got = wire.answer(1);
        switch (row.seen) {
          case BAD_GATEWAY -> assertEquals(502, got.status());
          case CUT -> assertEquals(INTERNAL_ERROR.code(), got.reset);
          case WHOLE -> assertEquals(200, got.status());
        }
        wire.settle(); // the client's connection goes on
        assertEquals(-1, wire.goAway);
      }
      WireTarget.Frame told = target.given.poll(Rig.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
      assertNotNull(told, "the target was not told");
      assertEquals(row.frame, told.type());
      assertEquals(row.why.code(), told.error());
    }
  }

  @Test
  void theDocumentSaysSo() throws Exception {
    Http2ConformanceTest.says("targets", all().map(Row::line));
  }
}
