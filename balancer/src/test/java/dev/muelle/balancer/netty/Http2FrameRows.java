package dev.muelle.balancer.netty;

import static dev.muelle.balancer.netty.Http2ConnectionRows.UNKNOWN;
import static dev.muelle.balancer.netty.Http2ConnectionRows.aHeadInParts;
import static dev.muelle.balancer.netty.Http2Requirement.goesOn;
import static dev.muelle.balancer.netty.Http2Requirement.ignores;
import static dev.muelle.balancer.netty.Http2Requirement.leaves;
import static dev.muelle.balancer.netty.Http2Requirement.must;
import static dev.muelle.balancer.netty.Http2Requirement.resets;
import static dev.muelle.balancer.netty.Http2Requirement.row;
import static dev.muelle.balancer.netty.Http2Requirement.serves;
import static dev.muelle.balancer.netty.Http2Wire.ACK;
import static dev.muelle.balancer.netty.Http2Wire.CONTINUATION;
import static dev.muelle.balancer.netty.Http2Wire.DATA;
import static dev.muelle.balancer.netty.Http2Wire.END_HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.END_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.GOAWAY;
import static dev.muelle.balancer.netty.Http2Wire.HEADERS;
import static dev.muelle.balancer.netty.Http2Wire.PADDED;
import static dev.muelle.balancer.netty.Http2Wire.PING;
import static dev.muelle.balancer.netty.Http2Wire.PREFACE;
import static dev.muelle.balancer.netty.Http2Wire.PRIORITIZED;
import static dev.muelle.balancer.netty.Http2Wire.PRIORITY;
import static dev.muelle.balancer.netty.Http2Wire.PUSH_PROMISE;
import static dev.muelle.balancer.netty.Http2Wire.RST_STREAM;
import static dev.muelle.balancer.netty.Http2Wire.SETTINGS;
import static dev.muelle.balancer.netty.Http2Wire.WINDOW_UPDATE;
import static dev.muelle.balancer.netty.Http2Wire.block;
import static dev.muelle.balancer.netty.Http2Wire.bytes;
import static dev.muelle.balancer.netty.Http2Wire.joined;
import static dev.muelle.balancer.netty.Http2Wire.number;
import static dev.muelle.balancer.netty.Http2Wire.request;
import static dev.muelle.balancer.netty.Http2Wire.settings;
import static io.netty.handler.codec.http2.Http2Error.FLOW_CONTROL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FRAME_SIZE_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.netty.Http2Requirement.Does;
import dev.muelle.balancer.netty.Http2Requirement.Must;
import io.netty.handler.codec.http2.Http2Error;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** RFC 9113, sections 6 and 7: each kind of frame, and codes of errors. */
final class Http2FrameRows {

  private static final byte[] GET = block(request("GET"));
  private static final long MOST = Integer.MAX_VALUE;

  private Http2FrameRows() {}

  static Stream<Http2Requirement> all() {
    return Stream.of(bodies(), heads(), settingsRows(), talk(), windows(), parts(), codes())
        .flatMap(List::stream);
  }

  /** Begins a request with a body, and goes on like this. */
  private static Does open(Does then) {
    return wire -> {
      wire.headers(1, false, request("POST", "content-length", "4"));
      then.on(wire);
    };
  }

  private static Does frame(int type, int flags, int stream, byte... payload) {
    return wire -> wire.frame(type, flags, stream, payload);
  }

  private static byte[] padded(byte[] payload, int said, int padding) {
    return joined(new byte[] {(byte) said}, payload, new byte[padding]);
  }

  private static List<Http2Requirement> bodies() {
    byte[] body = Rig.bytes("body");
    return List.of(
        row("6.1", "DATA for stream 0", frame(DATA, 0, 0, body), leaves(PROTOCOL_ERROR)),
        row(
            "6.1",
            "padding, which is no part of the body",
            open(frame(DATA, END_STREAM | PADDED, 1, padded(body, 200, 200))),
            serves(1)),
        row(
            "6.1",
            "nothing but padding, and then the body",
            open(wire -> {
              wire.frame(DATA, PADDED, 1, padded(new byte[0], 9, 9));
              wire.data(1, true, body);
            }),
            serves(1)),
        row(
            "6.1",
            "padding as long as the frame",
            open(frame(DATA, END_STREAM | PADDED, 1, padded(body, 5, 0))),
            leaves(PROTOCOL_ERROR)),
        row(
            "6.1",
            "padding, and no room for its length",
            open(frame(DATA, PADDED, 1)),
            resets(1, FRAME_SIZE_ERROR)));
  }

  private static List<Http2Requirement> heads() {
    int whole = END_HEADERS | END_STREAM;
    byte[] five = new byte[5];
    return List.of(
        row("6.2", "HEADERS for stream 0", frame(HEADERS, whole, 0, GET), leaves(PROTOCOL_ERROR)),
        row(
            "6.2",
            "padding and a priority",
            frame(HEADERS, whole | PADDED | PRIORITIZED, 1, padded(joined(five, GET), 7, 7)),
            serves(1)),
        row(
            "6.2",
            "padding longer than the frame",
            frame(HEADERS, whole | PADDED, 1, padded(GET, GET.length + 1, 0)),
            leaves(PROTOCOL_ERROR)),
        row(
            "6.2",
            "padding, and no room for its length",
            frame(HEADERS, whole | PADDED, 1),
            leaves(FRAME_SIZE_ERROR)),
        row(
            "6.2",
            "a priority, and no room for it",
            frame(HEADERS, whole | PRIORITIZED, 1, new byte[4]),
            leaves(FRAME_SIZE_ERROR)),
        row("6.3", "PRIORITY for stream 0", frame(PRIORITY, 0, 0, five), none()),
        row(
            "6.3",
            "PRIORITY of another length",
            open(frame(PRIORITY, 0, 1, new byte[4])),
            resets(1, FRAME_SIZE_ERROR)),
        row("6.4", "RST_STREAM for stream 0", frame(RST_STREAM, 0, 0, number(8)), none()),
        row(
            "6.4",
            "RST_STREAM of another length",
            open(frame(RST_STREAM, 0, 1, new byte[3])),
            leaves(FRAME_SIZE_ERROR)));
  }

  private static Must none() {
    return leaves(PROTOCOL_ERROR);
  }

  private static Does says(long... pairs) {
    return frame(SETTINGS, 0, 0, settings(pairs));
  }

  private static List<Http2Requirement> settingsRows() {
    return List.of(
        row(
            "6.5",
            "an acknowledgement that says something",
            frame(SETTINGS, ACK, 0, settings(3, 9)),
            size()),
        row("6.5", "SETTINGS for a request", open(frame(SETTINGS, 0, 1)), none()),
        row("6.5", "SETTINGS of an odd length", frame(SETTINGS, 0, 0, new byte[5]), size()),
        row("6.5.2", "a table of 1 GiB for our heads", tables(1 << 30), tableIsUsual()),
        row("6.5.2", "no table for our heads", tables(0), serves(1, 3)),
        row("6.5.2", "ENABLE_PUSH that is neither 0 nor 1", says(2, 2), none()),
        row("6.5.2", "MAX_CONCURRENT_STREAMS 0, which is for us", says(3, 0), ignores()),
        row("6.5.2", "INITIAL_WINDOW_SIZE above 2^31 - 1", says(4, MOST + 1), flow()),
        row("6.5.2", "MAX_FRAME_SIZE below 2^14", says(5, 16_383), none()),
        row("6.5.2", "MAX_FRAME_SIZE of 2^24", says(5, 1 << 24), none()),
        row("6.5.2", "a setting that nobody knows", says(0xff, 1), ignores()),
        row(
            "6.5.3",
            "SETTINGS",
            says(3, 9),
            must(
                "acknowledged",
                (wire, heard) -> {
                  goesOn(wire);
                  assertEquals(2, Collections.frequency(wire.came, -SETTINGS));
                })),
        row(
            "6.5.3",
            "the same setting twice in one frame",
            joined(PREFACE, bytes(SETTINGS, 0, 0, settings(4, 100, 4, 1))),
            must(
                "the later one counts",
                (wire, heard) -> {
                  wire.get(1, "/five");
                  assertEquals("12345", wire.answer(1).text());
                  assertEquals(1, wire.at(1).parts.getFirst());
                })));
  }

  private static Must size() {
    return leaves(FRAME_SIZE_ERROR);
  }

  private static Must flow() {
    return leaves(FLOW_CONTROL_ERROR);
  }

  private static Does tables(int size) {
    return wire -> {
      says(1, size).on(wire);
      wire.get(1);
      wire.get(3);
    };
  }

  /** What unpacks our heads on the other side has a table of the usual size, and takes no more. */
  private static Must tableIsUsual() {
    return must("4 KiB are used, and nobody can make us keep more", serves(1, 3).check());
  }

  private static List<Http2Requirement> talk() {
    return List.of(
        row(
            "6.6, 8.4",
            "PUSH_PROMISE of a client",
            open(frame(PUSH_PROMISE, END_HEADERS, 1, joined(number(2), GET))),
            none()),
        row(
            "6.7",
            "PING",
            frame(PING, 0, 0, new byte[] {1, 2, 3, 4, 5, 6, 7, 8}),
            must(
                "the same eight bytes come back",
                (wire, heard) -> {
                  goesOn(wire);
                  assertEquals(List.of(0x0102030405060708L), wire.pongs);
                })),
        row(
            "6.7",
            "PING that is an answer",
            frame(PING, ACK, 0, new byte[8]),
            must(
                "no answer",
                (wire, heard) -> {
                  goesOn(wire);
                  assertEquals(List.of(), wire.pongs);
                })),
        row("6.7", "PING for a request", open(frame(PING, 0, 1, new byte[8])), none()),
        row("6.7", "PING of another length", frame(PING, 0, 0, new byte[7]), size()),
        row("6.8", "GOAWAY for a request", open(frame(GOAWAY, 0, 1, new byte[8])), none()),
        row("6.8", "GOAWAY that is too short", frame(GOAWAY, 0, 0, new byte[7]), size()),
        row(
            "6.8",
            "GOAWAY while a request is under way",
            open(wire -> {
              wire.frame(GOAWAY, 0, 0, new byte[8]);
              wire.data(1, true, Rig.bytes("body"));
            }),
            must(
                "it is answered, and then the connection ends",
                (wire, heard) -> {
                  assertEquals("ok", wire.answer(1).text());
                  parts(wire);
                })));
  }

  /** The connection ends without a fault. */
  private static void parts(Http2Wire wire) throws Exception {
    assertEquals(Http2Error.NO_ERROR.code(), wire.ending());
    wire.drain();
  }

  private static Does grants(int stream, long... more) {
    return wire -> {
      for (long one : more) {
        wire.frame(WINDOW_UPDATE, 0, stream, number(one));
      }
    };
  }

  private static byte[] window(int bytes) {
    return joined(PREFACE, bytes(SETTINGS, 0, 0, settings(4, bytes)));
  }

  /** Takes so much of an answer of five bytes, and then no more for now. */
  private static void takes(Http2Wire wire, int bytes) throws Exception {
    while (wire.at(1).body.size() < bytes) {
      assertTrue(wire.read());
    }
    wire.settle();
    assertEquals(bytes, wire.at(1).body.size());
  }

  private static List<Http2Requirement> windows() {
    return List.of(
        row("6.9", "WINDOW_UPDATE by 0 for all", grants(0, 0), none()),
        row(
            "6.9",
            "WINDOW_UPDATE by 0 for a request",
            open(grants(1, 0)),
            resets(1, PROTOCOL_ERROR)),
        row(
            "6.9",
            "WINDOW_UPDATE of another length",
            frame(WINDOW_UPDATE, 0, 0, new byte[3]),
            size()),
        row(
            "6.9.1",
            "a window of one byte",
            window(1),
            must(
                "one byte, and the rest when there is room",
                (wire, heard) -> {
                  wire.grants = false;
                  wire.get(1, "/five");
                  takes(wire, 1);
                  wire.grant(1, 4);
                  assertEquals("12345", wire.answer(1).text());
                })),
        row("6.9.1", "a window of all above 2^31 - 1", grants(0, MOST, MOST), flow()),
        row(
            "6.9.1",
            "a request's window above 2^31 - 1",
            open(grants(1, MOST, MOST)),
            resets(1, FLOW_CONTROL_ERROR)),
        row(
            "6.9.1",
            "more of a body than its window allows",
            floods(1, 5),
            resets(1, FLOW_CONTROL_ERROR)),
        row("6.9.1", "more of all bodies than all may have", floods(17, 4), flow()),
        row(
            "6.9.2",
            "smaller windows while an answer is under way",
            window(3),
            must(
                "what was sent counts, though less than nothing is left",
                (wire, heard) -> {
                  wire.grants = false;
                  wire.get(1, "/five");
                  takes(wire, 3);
                  wire.frame(SETTINGS, 0, 0, settings(4, 2)); // one too many was sent
                  wire.grant(1, 1);
                  takes(wire, 3);
                  wire.grant(1, 1);
                  takes(wire, 4);
                  wire.frame(SETTINGS, 0, 0, settings(4, 3));
                  assertEquals("12345", wire.answer(1).text());
                })),
        row(
            "6.9.2",
            "larger windows, by which a request's comes above 2^31 - 1",
            open(wire -> {
              grants(1, MOST - 65_535).on(wire);
              says(4, 65_536).on(wire);
            }),
            flow()));
  }

  /** Bodies that nobody takes: each request's window is of 64 KiB, that of all of 1 MiB. */
  private static Does floods(int requests, int parts) {
    return wire -> {
      for (int stream = 1; stream < 2 * requests; stream += 2) {
        wire.headers(stream, false, Http2Wire.ask("POST", "/gated"));
        for (int i = 0; i < parts; i++) {
          wire.data(stream, false, new byte[16_000]);
        }
      }
    };
  }

  private static List<Http2Requirement> parts() {
    byte[] rest = block("x-a", "1");
    return List.of(
        row("6.10", "a head in several parts", wire -> aHeadInParts(wire, 1, 5, 0, 7), serves(1)),
        row("6.10", "CONTINUATION for stream 0", begun(frame(CONTINUATION, 0, 0, rest)), none()),
        row(
            "6.10",
            "CONTINUATION of another request",
            begun(frame(CONTINUATION, 0, 3, rest)),
            none()),
        row("6.10", "HEADERS within a head", begun(wire -> wire.get(3)), none()),
        row("6.10", "DATA within a head", begun(frame(DATA, 0, 1, rest)), none()),
        row("6.10", "PRIORITY within a head", begun(frame(PRIORITY, 0, 1, new byte[5])), none()),
        row("6.10", "PING within a head", begun(frame(PING, 0, 0, new byte[8])), none()),
        row("6.10", "SETTINGS within a head", begun(frame(SETTINGS, 0, 0)), none()),
        row("6.10", "WINDOW_UPDATE within a head", begun(grants(0, 1)), none()),
        row("6.10", "an unknown frame within a head", begun(frame(UNKNOWN, 0, 0)), none()),
        row(
            "6.10",
            "CONTINUATION after a whole head",
            open(frame(CONTINUATION, END_HEADERS, 1, rest)),
            none()),
        row(
            "6.10",
            "CONTINUATION after a head's last",
            wire -> {
              aHeadInParts(wire, 1, 5);
              wire.frame(CONTINUATION, END_HEADERS, 1, rest);
            },
            none()),
        row(
            "6.10",
            "CONTINUATION after DATA",
            open(wire -> {
              wire.data(1, false, (byte) 1);
              wire.frame(CONTINUATION, END_HEADERS, 1, rest);
            }),
            none()));
  }

  private static Does begun(Does then) {
    return wire -> {
      wire.frame(HEADERS, END_STREAM, 1, GET);
      then.on(wire);
    };
  }

  private static List<Http2Requirement> codes() {
    return List.of(
        row("7", "GOAWAY for an unknown reason", goAway(0xfff), ends()),
        row("7", "GOAWAY for a known reason", goAway(Http2Error.INTERNAL_ERROR.code()), ends()),
        row(
            "7",
            "RST_STREAM for an unknown reason",
            open(frame(RST_STREAM, 0, 1, number(0xfff))),
            ignores()));
  }

  private static Must ends() {
    return must("the connection ends, without a fault", (wire, heard) -> parts(wire));
  }

  private static Does goAway(long code) {
    return frame(GOAWAY, 0, 0, joined(number(0), number(code), Rig.bytes("why")));
  }
}
