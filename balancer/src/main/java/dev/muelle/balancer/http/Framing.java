package dev.muelle.balancer.http;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where a message's body ends. Bytes are looked at, not copied: {@link #take} says how many of the
 * bytes at hand belong to the body. Chunked bodies are checked strictly, so that the next party
 * cannot read them differently.
 */
public final class Framing {

  private static final int MAX_LINE = 4096;
  private static final int MAX_TRAILERS = 16 * 1024;

  /** Longer than any name that is looked for. */
  private static final int LONGEST_NAME = 32;

  private enum State {
    LENGTH,
    UNTIL_CLOSE,
    UNTIL_SAID,
    SIZE_START,
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE
  }

  /** It is done before it begins, and stays so. */
  private static final Framing NONE = new Framing(State.DONE, 0);

  private State state;
  private long left;
  private int line;
  private final ByteArrayOutputStream trailers = new ByteArrayOutputStream(0);
  private final StringBuilder name = new StringBuilder(0);

  private final boolean request;

  private Framing(State state, long left) {
    this(state, left, false);
  }

  private Framing(State state, long left, boolean request) {
    this.state = state;
    this.left = left;
    this.request = request;
  }

  public static Framing none() {
    return NONE;
  }

  public static Framing length(long length) {
    return length == 0 ? none() : new Framing(State.LENGTH, length);
  }

  public static Framing chunked() {
    return new Framing(State.SIZE_START, 0);
  }

  /**
   * Of a request, which is refused if a field after its body says where messages end or go (RFC
   * 9110, section 6.5.1): of targets some believe it, some break off.
   */
  public static Framing chunkedRequest() {
    return new Framing(State.SIZE_START, 0, true);
  }

  public static Framing untilClose() {
    return new Framing(State.UNTIL_CLOSE, 0);
  }

  /** It has no framing of its own: {@link #finish} says where it ends. */
  public static Framing untilSaid() {
    return new Framing(State.UNTIL_SAID, 0);
  }

  public void finish() {
    state = State.DONE;
  }

  /** The fields after the body; null if there are none (yet). */
  public @Nullable Head trailers() {
    return trailers.size() == 0 || !done() ? null : Head.trailers(trailers.toByteArray());
  }

  public boolean done() {
    return state == State.DONE;
  }

  public boolean endsWithConnection() {
    return state == State.UNTIL_CLOSE;
  }

  /** Passes body bytes as they stand on the wire: returns how many at the reader index belong. */
  public int take(ByteBuf in) {
    return walk(in, null);
  }

  /** As {@link #take}, and copies the payload alone into {@code payload}. */
  public int take(ByteBuf in, ByteBuf payload) {
    return walk(in, payload);
  }

  private int walk(ByteBuf in, @Nullable ByteBuf payload) {
    int start = in.readerIndex();
    int end = in.writerIndex();
    int at = start;
    while (at < end && state != State.DONE) {
      switch (state) {
        case UNTIL_CLOSE, UNTIL_SAID -> at = pass(in, at, end - at, payload);
        case LENGTH, DATA -> {
          int now = (int) Math.min(left, end - at);
          at = pass(in, at, now, payload);
          left -= now;
          if (left == 0) {
            state = state == State.LENGTH ? State.DONE : State.DATA_CR;
          }
        }
        default -> control(in.getByte(at++));
      }
    }
    return at - start;
  }

  private static int pass(ByteBuf in, int at, int length, @Nullable ByteBuf payload) {
    if (payload != null) {
      payload.writeBytes(in, at, length);
    }
    return at + length;
  }

  /** One byte of chunked coding that is not data. */
  private void control(byte b) {
    switch (state) {
      case SIZE_START -> {
        left = digit(b);
        line = 1;
        state = State.SIZE;
      }
      case SIZE -> {
        if (b == '\r') {
          state = State.SIZE_LF;
        } else if (b == ';') {
          state = State.EXTENSION;
        } else if (++line > 15) {
          throw bad("chunk size");
        } else {
          left = left << 4 | digit(b);
        }
      }
      case EXTENSION -> {
        if (b == '\r') {
          state = State.SIZE_LF;
        } else if (b < 0x20 && b != '\t' || b == 0x7f || ++line > MAX_LINE) {
          throw bad("chunk extension");
        }
      }
      case SIZE_LF -> {
        expect(b, '\n');
        state = left == 0 ? State.TRAILER_START : State.DATA;
      }
      case DATA_CR -> {
        expect(b, '\r');
        state = State.DATA_LF;
      }
      case DATA_LF -> {
        expect(b, '\n');
        state = State.SIZE_START;
      }
      case TRAILER_START -> {
        if (b == '\r') {
          state = State.LAST_LF;
        } else if (b >= 0 && Head.isToken(String.valueOf((char) b))) {
          count(b);
          name.setLength(0);
          name.append((char) b);
          state = State.TRAILER_NAME;
        } else {
          throw bad("trailer field name");
        }
      }
      case TRAILER_NAME -> {
        count(b);
        if (b == ':') {
          if (request && Chunks.NEVER_LAST.contains(name.toString().toLowerCase(Locale.ROOT))) {
            throw bad("trailer field " + name);
          }
          state = State.TRAILER_VALUE;
        } else if (b < 0 || !Head.isToken(String.valueOf((char) b))) {
          throw bad("trailer field name");
        } else if (request && name.length() < LONGEST_NAME) {
          name.append((char) b);
        }
      }
      case TRAILER_VALUE -> {
        count(b);
        if (b == '\r') {
          state = State.TRAILER_LF;
        } else if (b >= 0 && b < 0x20 && b != '\t' || b == 0x7f) {
          throw bad("trailer field");
        }
      }
      case TRAILER_LF -> {
        expect(b, '\n');
        count(b);
        state = State.TRAILER_START;
      }
      case LAST_LF -> {
        expect(b, '\n');
        state = State.DONE;
      }
      case LENGTH, UNTIL_CLOSE, UNTIL_SAID, DATA, DONE ->
          throw new IllegalStateException("not a control byte");
    }
  }

  private void count(byte b) {
    trailers.write(b);
    if (trailers.size() > MAX_TRAILERS) {
      throw bad("trailers too long");
    }
  }

  private static int digit(byte b) {
    int digit = b < 0 ? -1 : Character.digit((char) b, 16);
    if (digit < 0) {
      throw bad("chunk size");
    }
    return digit;
  }

  private static void expect(byte b, char wanted) {
    if (b != wanted) {
      throw bad("chunk line end");
    }
  }

  private static BadMessage bad(String why) {
    return new BadMessage(400, why);
  }
}
