package dev.muelle.balancer.netty;

import static dev.muelle.balancer.netty.Http2Requirement.answers;
import static dev.muelle.balancer.netty.Http2Requirement.must;
import static dev.muelle.balancer.netty.Http2Requirement.refuses;
import static dev.muelle.balancer.netty.Http2Requirement.resets;
import static dev.muelle.balancer.netty.Http2Requirement.row;
import static dev.muelle.balancer.netty.Http2Requirement.serves;
import static dev.muelle.balancer.netty.Http2Wire.request;
import static io.netty.handler.codec.http2.Http2Error.NO_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.STREAM_CLOSED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.netty.Http2Requirement.Does;
import dev.muelle.balancer.netty.Http2Requirement.Must;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** RFC 9113, section 8: requests, and what is none. */
final class Http2MessageRows {

  private static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

  private Http2MessageRows() {}

  static Stream<Http2Requirement> all() {
    return Stream.of(bodies(), trailers(), fields(), ofConnections(), pseudo(), connect())
        .flatMap(List::stream);
  }

  private static Does post(String length, Does then) {
    return wire -> {
      wire.headers(1, false, request("POST", "content-length", length));
      then.on(wire);
    };
  }

  private static List<Http2Requirement> bodies() {
    Does body = wire -> wire.data(1, true, Rig.bytes("body"));
    return List.of(
        row(
            "8.1",
            "a request that is answered before its body was sent",
            wire -> wire.headers(1, false, Http2Wire.ask("POST", "/fixed")),
            must(
                "the answer, and RST_STREAM `NO_ERROR`",
                (wire, heard) -> {
                  resets(1, NO_ERROR).check().on(wire, heard);
                  assertEquals("fixed", wire.at(1).text());
                  assertTrue(wire.at(1).ended);
                })),
        row(
            "8.1.1",
            "a body longer than `content-length`",
            post("4", wire -> wire.data(1, true, Rig.bytes("body" + SMUGGLED))),
            cut()),
        row("8.1.1", "a body shorter than `content-length`", post("40", body), cut()),
        row(
            "8.1.1",
            "a body that is missing",
            wire -> wire.headers(1, true, request("POST", "content-length", "40")),
            refuses(1, PROTOCOL_ERROR)),
        row(
            "8.1.1",
            "a body that trailers end before its length",
            post(
                "8",
                wire -> {
                  wire.data(1, false, Rig.bytes("body"));
                  wire.headers(1, true, "x-late", "1");
                }),
            cut()),
        row(
            "8.1.1",
            "two lengths",
            wire ->
                wire.headers(
                    1, false, request("POST", "content-length", "4", "content-length", "40")),
            refuses(1, PROTOCOL_ERROR)),
        row(
            "8.1.1",
            "a body in several parts, as long as `content-length`",
            post(
                "4",
                wire -> {
                  wire.data(1, false, Rig.bytes("bo"));
                  wire.data(1, true, Rig.bytes("dy"));
                }),
            serves(1)));
  }

  /** No target takes for a request what it is not, nor for whole what is not. */
  private static Must cut() {
    Must resets = resets(1, PROTOCOL_ERROR);
    return must(
        resets.words(),
        (wire, heard) -> {
          resets.check().on(wire, heard);
          assertFalse(heard.stream().anyMatch(head -> head.contains("smuggled")), heard.toString());
        });
  }

  private static Http2Requirement trailer(String what, String... fields) {
    return row(
        "8.1",
        what,
        wire -> {
          wire.headers(1, false, request("POST"));
          wire.data(1, false, Rig.bytes("body"));
          wire.headers(1, true, fields);
        },
        cut());
  }

  private static List<Http2Requirement> trailers() {
    Does open =
        wire -> {
          wire.headers(1, false, request("POST"));
          wire.data(1, false, Rig.bytes("body"));
        };
    return List.of(
        row(
            "8.1",
            "trailers",
            wire -> {
              open.on(wire);
              wire.headers(1, true, "x-sum", "42");
            },
            serves(1)),
        row(
            "8.1",
            "a second head that is not the end",
            wire -> {
              open.on(wire);
              wire.headers(1, false, "x-sum", "42");
            },
            resets(1, PROTOCOL_ERROR)),
        row(
            "8.1",
            "DATA after trailers",
            wire -> {
              wire.headers(1, false, Http2Wire.ask("POST", "/gated"));
              wire.headers(1, true, "x-sum", "42");
              wire.data(1, true, Rig.bytes("body"));
            },
            resets(1, STREAM_CLOSED)),
        trailer("trailers with a pseudo-field", ":path", "/b"),
        trailer("trailers with a field of connections", "transfer-encoding", "chunked"),
        trailer("trailers in upper case", "X-Upper", "1"),
        trailer("trailers with a line end", "x-a", "1\r\n\r\n" + SMUGGLED));
  }

  private static Http2Requirement malformed(String section, String what, String... fields) {
    return row(section, what, wire -> wire.headers(1, true, fields), refuses(1, PROTOCOL_ERROR));
  }

  private static Http2Requirement with(String section, String what, String... more) {
    return malformed(section, what, request("GET", more));
  }

  private static List<Http2Requirement> fields() {
    return List.of(
        with("8.2", "upper case in a name", "X-Upper", "1"),
        with("8.2.1", "a line feed in a value", "x-a", "1\nx-b: 2"),
        with("8.2.1", "a carriage return in a value", "x-a", "1\r\n\r\n" + SMUGGLED),
        with("8.2.1", "a zero in a value", "x-a", "1\0"),
        with("8.2.1", "a space before a value", "x-a", " 1"),
        with("8.2.1", "a tab after a value", "x-a", "1\t"),
        with("8.2.1", "a line feed in a name", "x-a\nx-b", "1"),
        with("8.2.1", "a colon in a name", "x-a:", "1"),
        with("8.2.1", "a space in a name", "x a", "1"),
        with("8.2.1", "a byte above 0x7e in a name", "x-\u00e9", "1"),
        with("8.2.1", "a name of nothing", "", "1"));
  }

  private static List<Http2Requirement> ofConnections() {
    return List.of(
        with("8.2.2", "`connection`", "connection", "close"),
        with("8.2.2", "`connection` that names another field", "connection", "x-a", "x-a", "1"),
        with("8.2.2", "`proxy-connection`", "proxy-connection", "keep-alive"),
        with("8.2.2", "`keep-alive`", "keep-alive", "timeout=5"),
        with("8.2.2", "`transfer-encoding`", "transfer-encoding", "chunked"),
        with("8.2.2, 8.6", "`upgrade`", "upgrade", "websocket"),
        with("8.2.2", "`te` that is not `trailers`", "te", "gzip"),
        row(
            "8.2.2",
            "`te: trailers`",
            wire -> wire.headers(1, true, request("GET", "te", "trailers")),
            serves(1)),
        row(
            "8.2.3",
            "`cookie` in several fields",
            wire -> wire.headers(1, true, request("GET", "cookie", "a=1", "cookie", "b=2")),
            must(
                "targets of HTTP/1.1 hear one",
                (wire, heard) -> {
                  serves(1).check().on(wire, heard);
                  assertTrue(heard.getFirst().contains("\r\ncookie: a=1; b=2\r\n"));
                })));
  }

  /** A request of which this pseudo-field has another value, or is left out. */
  private static Http2Requirement asking(
      String section, String what, String name, @Nullable String value) {
    List<String> fields = usual();
    int at = fields.indexOf(name);
    if (value == null) {
      fields.subList(at, at + 2).clear();
    } else {
      fields.set(at + 1, value);
    }
    return malformed(section, what, fields.toArray(String[]::new));
  }

  /** A request that has this pseudo-field besides the usual ones. */
  private static Http2Requirement besides(String section, String what, String name, String value) {
    List<String> fields = usual();
    fields.addAll(List.of(name, value));
    return malformed(section, what, fields.toArray(String[]::new));
  }

  private static List<String> usual() {
    return new ArrayList<>(List.of(request("GET")));
  }

  private static List<Http2Requirement> pseudo() {
    return List.of(
        with("8.3", "a pseudo-field after others", "x-a", "1", ":path", "/b"),
        besides("8.3", "an unknown pseudo-field", ":odd", "1"),
        besides("8.3", "`:status`, which is for answers", ":status", "200"),
        besides("8.3", "two `:method`", ":method", "POST"),
        besides("8.3", "two `:scheme`", ":scheme", "https"),
        besides("8.3", "two `:path`", ":path", "/b"),
        besides("8.3", "two `:authority`", ":authority", "b"),
        asking("8.3.1", "no `:method`", ":method", null),
        asking("8.3.1", "no `:scheme`", ":scheme", null),
        asking("8.3.1", "no `:path`", ":path", null),
        asking("8.3.1", "an empty `:path`", ":path", ""),
        asking("8.3.1", "a `:path` that begins with no slash", ":path", "http://b/"),
        asking("8.3.1", "a `:path` with a blank", ":path", "/ HTTP/1.1"),
        asking("8.3.1", "a `:path` with a line end", ":path", "/\r\nx: y"),
        asking("8.3.1", "a `:method` with a blank", ":method", "GET /smuggled"),
        asking("8.3.1", "a `:method` with a line end", ":method", "GET\r\n"),
        asking("8.3.1", "a `:scheme` that is neither http nor https", ":scheme", "gopher\r\n"),
        asking("8.3.1", "neither `:authority` nor `host`", ":authority", null),
        with("8.3.1", "a `host` that is not `:authority`", "host", "b.test"),
        with("8.3.1", "several `host`", "host", "a.test", "host", "a.test"),
        row(
            "8.3.1",
            "a `host` instead of `:authority`",
            wire ->
                wire.headers(
                    1, true, ":method", "GET", ":scheme", "https", ":path", "/", "host", "a.test"),
            serves(1)),
        row(
            "8.3.1",
            "OPTIONS of `*`",
            wire -> wire.headers(1, true, Http2Wire.ask("OPTIONS", "*")),
            serves(1)),
        row(
            "8.3.1",
            "an `:authority` that names a user",
            wire ->
                wire.headers(
                    1,
                    true,
                    ":method",
                    "GET",
                    ":scheme",
                    "https",
                    ":path",
                    "/",
                    ":authority",
                    "u@a"),
            answers(1, 400)));
  }

  private static List<Http2Requirement> connect() {
    return List.of(
        row(
            "8.5",
            "CONNECT",
            wire -> wire.headers(1, true, ":method", "CONNECT", ":authority", "a:1"),
            answers(1, 400)),
        row(
            "8.5",
            "CONNECT with a path",
            wire -> wire.headers(1, true, request("CONNECT")),
            answers(1, 400)),
        besides("8.5", "`:protocol`, which was not offered (RFC 8441)", ":protocol", "websocket"));
  }
}
