package dev.muelle.balancer.netty;

import static dev.muelle.balancer.netty.Http2Requirement.goesOn;
import static dev.muelle.balancer.netty.Http2Requirement.ignores;
import static dev.muelle.balancer.netty.Http2Requirement.leaves;
import static dev.muelle.balancer.netty.Http2Requirement.must;
import static dev.muelle.balancer.netty.Http2Requirement.resets;
import static dev.muelle.balancer.netty.Http2Requirement.row;
import static dev.muelle.balancer.netty.Http2Requirement.serves;
import static dev.muelle.balancer.netty.Http2Wire.CONTINUATION;
import static dev.muelle.balancer.netty.Http2Wire.END_HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.END_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.PING;
import static dev.muelle.balancer.netty.Http2Wire.PREFACE;
import static dev.muelle.balancer.netty.Http2Wire.PRIORITIZED;
import static dev.muelle.balancer.netty.Http2Wire.PRIORITY;
import static dev.muelle.balancer.netty.Http2Wire.RST_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.SETTINGS;
import static dev.muelle.balancer.netty.Http2Wire.block;
import static dev.muelle.balancer.netty.Http2Wire.bytes;
import static dev.muelle.balancer.netty.Http2Wire.joined;
import static dev.muelle.balancer.netty.Http2Wire.number;
import static dev.muelle.balancer.netty.Http2Wire.request;
import static io.netty.handler.codec.http2.Http2Error.COMPRESSION_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FRAME_SIZE_ERROR;
import static io.netty.handler.codec.http2.Http2Error.NO_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.REFUSED_STREAM;
import static io.netty.handler.codec.http2.Http2Error.STREAM_CLOSED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.netty.Http2Requirement.Does;
import dev.muelle.balancer.netty.Http2Requirement.Must;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** RFC 9113, sections 3 to 5: how connections begin, frames as such, streams and errors. */
final class Http2ConnectionRows {

  /** Of no kind that anybody knows. */
  static final int UNKNOWN = 99;

  /** Longer by one than a frame may be. */
  private static final int LONG = 16_385;

  private static final byte[] GET = block(request("GET"));
  private static final byte[] CANCEL = number(8);

  private Http2ConnectionRows() {}

  static Stream<Http2Requirement> all() {
    return Stream.of(beginnings(), frames(), states(), numbers(), errors()).flatMap(List::stream);
  }

  private static List<Http2Requirement> beginnings() {
    return List.of(
        row("3.4", "nothing but what every client begins with", wire -> {}, begins()),
        row("3.4", "requests before our settings were read", wire -> wire.get(1), serves(1)),
        row(
            "3.4",
            "another preface",
            Rig.bytes("INVALID CONNECTION PREFACE\r\n\r\n"),
            leaves(PROTOCOL_ERROR)),
        row("3.4", "a request of HTTP/1.1", Rig.bytes(Rig.GET), leaves(PROTOCOL_ERROR)),
        row(
            "3.4",
            "a preface and then no SETTINGS",
            joined(PREFACE, bytes(PING, 0, 0, new byte[8])),
            leaves(PROTOCOL_ERROR)),
        row(
            "3.4",
            "a preface and then an acknowledgement",
            joined(PREFACE, bytes(SETTINGS, Http2Wire.ACK, 0)),
            leaves(PROTOCOL_ERROR)));
  }

  private static Must begins() {
    return must(
        "SETTINGS come first",
        (wire, heard) -> {
          goesOn(wire);
          assertEquals(SETTINGS, wire.came.getFirst());
        });
  }

  private static List<Http2Requirement> frames() {
    return List.of(
        row("4.1", "a frame of an unknown type", wire -> wire.frame(UNKNOWN, 0, 0), ignores()),
        row("4.1", "one for a request that is under way", unknownWithinARequest(), serves(1)),
        row(
            "4.1",
            "flags that are not defined",
            wire -> wire.frame(HEADERS, END_HEADERS | END_STREAM | 0xd2, 1, GET),
            serves(1)),
        row(
            "4.1",
            "a stream's number with the reserved bit",
            wire -> wire.frame(HEADERS, END_HEADERS | END_STREAM, 1 | 0x80000000, GET),
            serves(1)),
        row("4.2", "DATA as long as a frame may be", body(LONG - 1), serves(1)),
        row("4.2", "DATA longer than a frame may be", body(LONG), leaves(FRAME_SIZE_ERROR)),
        row(
            "4.2",
            "HEADERS longer than a frame may be",
            wire -> wire.headers(1, true, request("GET", "x-long", "v".repeat(LONG))),
            leaves(FRAME_SIZE_ERROR)),
        row(
            "4.2",
            "an unknown frame longer than a frame may be",
            wire -> wire.frame(UNKNOWN, 0, 0, new byte[LONG]),
            leaves(FRAME_SIZE_ERROR)),
        row("4.3", "a head that cannot be unpacked", head(0x8f, 0xff), leaves(COMPRESSION_ERROR)),
        row("4.3", "a head that ends within a field", head(0, 5, 'x'), leaves(COMPRESSION_ERROR)),
        row("4.3", "a head without any field", head(), resets(1, PROTOCOL_ERROR)),
        row(
            "4.3",
            "a malformed head that says what the next refers to",
            wire -> {
              wire.frame(HEADERS, END_HEADERS | END_STREAM, 1, malformedButKept());
              wire.frame(
                  HEADERS, END_HEADERS | END_STREAM, 3, joined(GET, new byte[] {(byte) 0xbe}));
            },
            serves(3)));
  }

  /** A request whose last field comes into the table, and is of a connection. */
  private static byte[] malformedButKept() {
    byte[] kept = block("x-kept", "1");
    kept[0] = 0x40;
    return joined(GET, block("connection", "close"), kept);
  }

  private static Does unknownWithinARequest() {
    return wire -> {
      wire.headers(1, false, request("POST"));
      wire.frame(UNKNOWN, 0xff, 1, new byte[7]);
      wire.data(1, true, Rig.bytes("body"));
    };
  }

  private static Does body(int length) {
    return wire -> {
      wire.headers(1, false, request("POST"));
      wire.data(1, true, new byte[length]);
    };
  }

  private static Does head(int... block) {
    byte[] bytes = new byte[block.length];
    for (int i = 0; i < block.length; i++) {
      bytes[i] = (byte) block[i];
    }
    return wire -> wire.frame(HEADERS, END_HEADERS | END_STREAM, 1, bytes);
  }

  /** Makes a request that is not answered, and says no more of it. */
  private static Does hangs(Does then) {
    return wire -> {
      wire.get(1, "/hang");
      then.on(wire);
    };
  }

  /** Makes a request, and takes it back. */
  private static Does resetByUs(Does then) {
    return hangs(wire -> {
      wire.frame(RST_STREAM, 0, 1, CANCEL);
      then.on(wire);
    });
  }

  /** Makes a request, and reads the answer. */
  private static Does answered(Does then) {
    return wire -> {
      wire.get(1);
      wire.answer(1);
      then.on(wire);
    };
  }

  /** Makes a request that is reset, and goes on with it as if it had not heard. */
  private static Does resetByThem(Does then) {
    return wire -> {
      wire.headers(1, false, request("POST", "connection", "close"));
      then.on(wire);
    };
  }

  private static List<Http2Requirement> states() {
    Does data = wire -> wire.data(1, true, Rig.bytes("body"));
    Does trailers = wire -> wire.headers(1, true, "x-sum", "42");
    Does more = wire -> wire.frame(CONTINUATION, END_HEADERS, 1, block("x-a", "1"));
    Does reset = wire -> wire.frame(RST_STREAM, 0, 1, CANCEL);
    Does grant = wire -> wire.grant(1, 100);
    Does priority = wire -> wire.frame(PRIORITY, 0, 1, new byte[5]);
    Does allowed =
        wire -> {
          grant.on(wire);
          priority.on(wire);
          reset.on(wire);
        };
    return List.of(
        row("5.1", "idle: DATA", data, leaves(PROTOCOL_ERROR)),
        row("5.1", "idle: RST_STREAM", reset, leaves(PROTOCOL_ERROR)),
        row("5.1", "idle: WINDOW_UPDATE", grant, leaves(PROTOCOL_ERROR)),
        row("5.1", "idle: CONTINUATION", more, leaves(PROTOCOL_ERROR)),
        row("5.1", "idle: PRIORITY", priority, ignores()),
        row("5.1", "idle, and ours: DATA", wire -> wire.data(2, true), leaves(PROTOCOL_ERROR)),
        row(
            "5.1",
            "idle, and ours: WINDOW_UPDATE",
            wire -> wire.grant(2, 1),
            leaves(PROTOCOL_ERROR)),
        row("5.1", "half-closed by the client: DATA", hangs(data), resets(1, STREAM_CLOSED)),
        row("5.1", "half-closed by the client: HEADERS", hangs(trailers), resets(1, STREAM_CLOSED)),
        row(
            "5.1",
            "half-closed by the client: HEADERS that are not its end",
            hangs(wire -> wire.headers(1, false, "x-a", "1")),
            resets(1, STREAM_CLOSED)),
        row("5.1", "half-closed by the client: CONTINUATION", hangs(more), leaves(PROTOCOL_ERROR)),
        row(
            "5.1",
            "half-closed by the client: WINDOW_UPDATE, PRIORITY, RST_STREAM",
            hangs(allowed),
            ignores()),
        row("5.1", "reset by the client: DATA", resetByUs(data), resets(1, STREAM_CLOSED)),
        row("5.1", "reset by the client: HEADERS", resetByUs(trailers), leaves(STREAM_CLOSED)),
        row("5.1", "reset by the client: CONTINUATION", resetByUs(more), leaves(PROTOCOL_ERROR)),
        row(
            "5.1",
            "reset by the client: WINDOW_UPDATE, PRIORITY, RST_STREAM",
            resetByUs(allowed),
            ignores()),
        row("5.1", "closed by both: DATA", answered(data), resets(1, STREAM_CLOSED)),
        row("5.1", "closed by both: HEADERS", answered(trailers), leaves(STREAM_CLOSED)),
        row("5.1", "closed by both: CONTINUATION", answered(more), leaves(PROTOCOL_ERROR)),
        row(
            "5.1",
            "closed by both: WINDOW_UPDATE, PRIORITY, RST_STREAM",
            answered(allowed),
            ignores()),
        row(
            "5.1",
            "reset by us: DATA, WINDOW_UPDATE, HEADERS that were under way",
            resetByThem(wire -> {
              for (int i = 0; i < 300; i++) {
                wire.data(1, false, (byte) 0);
              }
              grant.on(wire);
              trailers.on(wire);
            }),
            resets(1, PROTOCOL_ERROR)),
        row("5.1", "reset by us: RST_STREAM", resetByThem(reset), resets(1, PROTOCOL_ERROR)),
        row(
            "5.1",
            "answered and reset by us before the body was sent: DATA",
            wire -> {
              wire.headers(1, false, Http2Wire.ask("POST", "/fixed"));
              wire.reset(1);
              for (int i = 0; i < 300; i++) {
                wire.data(1, false, (byte) 0);
              }
            },
            resets(1, NO_ERROR)));
  }

  private static List<Http2Requirement> numbers() {
    return List.of(
        row("5.1.1", "a request with an even number", wire -> wire.get(2), leaves(PROTOCOL_ERROR)),
        row(
            "5.1.1",
            "a request with a smaller number than the one before",
            wire -> {
              wire.get(5);
              wire.answer(5);
              wire.get(3);
            },
            leaves(PROTOCOL_ERROR)),
        row(
            "5.1.1",
            "numbers that are left out",
            wire -> {
              wire.get(1);
              wire.get(9);
            },
            serves(1, 9)),
        row(
            "5.1.1",
            "the number of a malformed request once more",
            wire -> {
              wire.headers(1, true, request("GET", "X-Upper", "1"));
              wire.get(1);
            },
            resets(1, PROTOCOL_ERROR)),
        row("5.1.1", "the largest number", wire -> wire.get(Integer.MAX_VALUE), largest()),
        row("5.1.2", "more requests at once than we allow", tooMany(), refusesOne()));
  }

  private static Must largest() {
    return must(
        "served", (wire, heard) -> assertEquals("ok", wire.answer(Integer.MAX_VALUE).text()));
  }

  private static Does tooMany() {
    return wire -> {
      wire.acknowledges = false; // what we allow counts from the beginning
      for (int i = 0; i < 128; i++) {
        wire.get(1 + 2 * i, "/hang");
      }
      wire.headers(257, false, request("POST"));
      wire.data(257, true, Rig.bytes("under way"));
    };
  }

  private static Must refusesOne() {
    Must resets = resets(257, REFUSED_STREAM);
    return must(
        resets.words(),
        (wire, heard) -> {
          assertEquals(REFUSED_STREAM.code(), wire.reset(257));
          wire.frame(RST_STREAM, 0, 1, CANCEL); // makes room
          resets.check().on(wire, heard);
        });
  }

  private static List<Http2Requirement> errors() {
    byte[] onItself = number(1);
    return List.of(
        row(
            "5.3",
            "a head with a priority",
            wire ->
                wire.frame(
                    HEADERS, END_HEADERS | END_STREAM | PRIORITIZED, 1, joined(new byte[5], GET)),
            serves(1)),
        row(
            "5.3",
            "PRIORITY that makes a tree of others",
            wire -> {
              for (int i = 3; i < 100; i += 2) {
                wire.frame(PRIORITY, 0, i, joined(number(i - 2 | 0x80000000L), new byte[] {7}));
              }
              wire.get(101);
            },
            serves(101)),
        row(
            "5.3",
            "PRIORITY of a request that depends on itself (RFC 7540, 5.3.1)",
            wire -> {
              wire.headers(1, false, request("POST"));
              wire.frame(PRIORITY, 0, 1, joined(onItself, new byte[1]));
            },
            resets(1, PROTOCOL_ERROR)),
        row(
            "5.3",
            "a head whose request depends on itself (RFC 7540, 5.3.1)",
            wire ->
                wire.frame(
                    HEADERS,
                    END_HEADERS | END_STREAM | PRIORITIZED,
                    1,
                    joined(onItself, new byte[1], GET)),
            leaves(PROTOCOL_ERROR)),
        row(
            "5.4.1",
            "an error of the connection after requests",
            wire -> {
              wire.get(1);
              wire.get(3);
              wire.answer(3);
              wire.frame(PING, 0, 1, new byte[8]);
            },
            must(
                "GOAWAY names the last request that was looked at",
                (wire, heard) -> {
                  leaves(PROTOCOL_ERROR).check().on(wire, heard);
                  assertEquals(3, wire.last);
                })),
        row(
            "5.4.2",
            "RST_STREAM for a request that we have reset",
            resetByThem(wire -> {
              wire.reset(1);
              wire.frame(RST_STREAM, 0, 1, CANCEL);
            }),
            resets(1, PROTOCOL_ERROR)),
        row(
            "5.5",
            "an unknown frame within a head",
            wire -> {
              wire.frame(HEADERS, END_STREAM, 1, GET);
              wire.frame(UNKNOWN, 0, 0);
            },
            leaves(PROTOCOL_ERROR)));
  }

  /** A request whose head is cut after these lengths. */
  static void aHeadInParts(Http2Wire wire, int stream, int... lengths) throws Exception {
    int from = 0;
    for (int i = 0; i <= lengths.length; i++) {
      int to = i == lengths.length ? GET.length : from + lengths[i];
      wire.frame(
          i == 0 ? HEADERS : CONTINUATION,
          (i == 0 ? END_STREAM : 0) | (i == lengths.length ? END_HEADERS : 0),
          stream,
          Arrays.copyOfRange(GET, from, to));
      from = to;
    }
    assertTrue(from == GET.length);
  }
}
