package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.netty.handler.codec.http2.Http2Error;
import java.util.List;

/**
 * One thing that HTTP/2 asks of a server: what a client does, and what must come back.
 *
 * @param section of RFC 9113 or, as {@code H…}, of RFC 7541
 * @param what a client does, in words
 * @param opening what it begins its connection with
 */
record Http2Requirement(String section, String what, byte[] opening, Does does, Must must) {

  /** The request that shows that a connection goes on. */
  private static final int NEXT = 1001;

  /** What a client does, once it has begun. */
  interface Does {
    void on(Http2Wire wire) throws Exception;
  }

  /** What must come back, in words and in fact. */
  record Must(String words, Check check) {}

  /** Looks at what came back. */
  interface Check {
    /** Of what the targets heard, too. */
    void on(Http2Wire wire, List<String> heard) throws Exception;
  }

  static Http2Requirement row(String section, String what, Does does, Must must) {
    return new Http2Requirement(section, what, Http2Wire.opening(), does, must);
  }

  static Http2Requirement row(String section, String what, byte[] opening, Must must) {
    return new Http2Requirement(section, what, opening, wire -> {}, must);
  }

  static Must must(String words, Check check) {
    return new Must(words, check);
  }

  /** The connection is left for this reason, and ends. */
  static Must leaves(Http2Error why) {
    return must(
        "GOAWAY `" + why + "`",
        (wire, heard) -> {
          assertEquals(why.code(), wire.ending());
          wire.drain();
        });
  }

  /** This stream is reset for this reason, and the connection goes on. */
  static Must resets(int stream, Http2Error why) {
    return must(
        "RST_STREAM `" + why + "`",
        (wire, heard) -> {
          assertEquals(why.code(), wire.reset(stream));
          goesOn(wire);
          assertEquals(1, wire.at(stream).resets);
        });
  }

  /** The same; besides, no target hears anything of it. */
  static Must refuses(int stream, Http2Error why) {
    Must resets = resets(stream, why);
    return must(
        resets.words() + "; no target hears of it",
        (wire, heard) -> {
          assertEquals(why.code(), wire.reset(stream));
          assertEquals(List.of(), heard);
          resets.check().on(wire, heard);
        });
  }

  /** These streams are answered by the target, and the connection goes on. */
  static Must serves(int... streams) {
    return must(
        "served",
        (wire, heard) -> {
          for (int stream : streams) {
            assertEquals("ok", wire.answer(stream).text());
            assertEquals(-1, wire.at(stream).reset);
          }
          goesOn(wire);
        });
  }

  /** The load balancer answers by itself, and the connection goes on. */
  static Must answers(int stream, int status) {
    return must(
        status + "; no target hears of it",
        (wire, heard) -> {
          assertEquals(status, wire.answer(stream).status());
          assertEquals(List.of(), heard);
          goesOn(wire);
        });
  }

  /** Nothing comes of it, and the connection goes on. */
  static Must ignores() {
    return must(
        "ignored",
        (wire, heard) -> {
          goesOn(wire);
          assertFalse(wire.came.contains(Http2Wire.RST_STREAM));
        });
  }

  static void goesOn(Http2Wire wire) throws Exception {
    wire.get(NEXT);
    assertEquals("ok", wire.answer(NEXT).text());
    assertEquals(-1, wire.goAway);
  }

  /** As it stands in the documentation. */
  String line() {
    boolean hpack = section.startsWith("H");
    return "| "
        + (hpack ? "RFC 7541, " + section.substring(1) : section)
        + " | "
        + what
        + " | "
        + must.words()
        + " |\n";
  }

  @Override
  public String toString() {
    return section + " " + what;
  }
}
