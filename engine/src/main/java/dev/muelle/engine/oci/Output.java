package dev.muelle.engine.oci;

import dev.muelle.engine.LogLines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads what a monitor wrote. Conmon's form is {@code k8s-file}, {@code TIME stdout|stderr P|F
 * TEXT} for each line, where P says that the line goes on. Our own monitor writes {@code TIME
 * stdout|stderr B LENGTH} and then what it has read at once, line feeds and all. The two streams
 * may be mixed in the middle of a line. A position therefore has three parts: up to where the file
 * was read, which stream had begun a line by then, and how far back from there one has to begin to
 * read: where that line's first entry begins, or the one that was read in part. A line is given out
 * in pieces when so much of the other stream follows its beginning that a position cannot reach
 * back to it.
 */
final class Output {

  private static final int MAX_PIECE = 256 * 1024;
  private static final int BACK_BITS = 18; // leaves 44 for the offset: ext4's largest file
  private static final long MAX_BACK = (1L << BACK_BITS) - 1;
  private static final int MAX_ENTRY = 65 * 1024; // our own monitor's; conmon's have 8 at most
  private static final int CHUNK = 256 * 1024;
  private static final int SMALL_CHUNK = 4 * 1024;

  private static final int SECOND = "2026-11-21T08:00:00.".length();
  private static final int ZONE = "+00:00".length();
  private static final byte[] NO_SECOND = {};

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long LOWEST = 0x0101010101010101L;
  private static final long HIGHEST = 0x8080808080808080L;
  private static final long FEEDS = LOWEST * '\n';

  private final Path file;
  private final boolean complete;
  private final int limit;
  private final int mostBytes;
  private LogLines lines = new LogLines(0);
  private final Pending stdout = new Pending(false);
  private final Pending stderr = new Pending(true);

  /** Up to where the position asked for says that the file was read. */
  private long from;

  /** Of which stream what lies before that is wanted, for it has begun a line there. */
  private boolean pendingStderr;

  /** Where in the file the buffer begins. */
  private long at;

  /** A moment that was read, and when its second began. */
  private byte[] second = NO_SECOND;

  private long secondMillis;

  private Output(Path file, boolean complete, int limit, int mostBytes) {
    this.file = file;
    this.complete = complete;
    this.limit = limit;
    this.mostBytes = mostBytes;
  }

  /** A line that has begun. */
  private static final class Pending {
    final boolean isStderr;
    final ByteArrayOutputStream text = new ByteArrayOutputStream();
    long begin = -1; // of the entry
    long millis;

    Pending(boolean isStderr) {
      this.isStderr = isStderr;
    }

    boolean active() {
      return begin >= 0;
    }
  }

  /**
   * Reads lines.
   *
   * @param bytes of text, after which no further line is read
   * @param complete whether nothing more will be written, so that an unfinished line is a line, too
   */
  static LogLines read(Path file, long position, int limit, int bytes, boolean complete)
      throws IOException {
    Output output = new Output(file, complete, limit, bytes);
    output.read(position);
    return output.lines;
  }

  private boolean full() {
    return lines.count() >= limit || lines.size() >= mostBytes;
  }

  /** Where in the file what a position may still ask for begins. */
  static long offset(long position) {
    return (position >> (BACK_BITS + 1)) - (position & MAX_BACK);
  }

  /** The position at which an entry begins. */
  static long position(long offset) {
    return offset << (BACK_BITS + 1);
  }

  private void read(long position) throws IOException {
    pendingStderr = (position >> BACK_BITS & 1) != 0;
    from = position >> (BACK_BITS + 1);
    at = from - (position & MAX_BACK);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int there = Math.clamp(channel.size() - at, 0, CHUNK);
      lines = new LogLines(there);
      // More may have been written by now, and an entry must fit in.
      ByteBuffer buffer =
          ByteBuffer.allocate(complete ? CHUNK : Math.min(CHUNK, there + SMALL_CHUNK));
      while (!full()) {
        int read = channel.read(buffer, at + buffer.position());
        boolean ended = complete && read <= 0;
        int taken = 0;
        int size = 1;
        while (size > 0 && !full()) {
          size = entry(buffer.array(), taken, buffer.position(), ended);
          taken += size;
        }
        if (full()) {
          return;
        }
        if (taken == 0 && buffer.position() > MAX_ENTRY) {
          throw new IOException("a log entry longer than " + MAX_ENTRY + " bytes in " + file);
        }
        at += taken;
        buffer = rest(buffer, taken);
        if (read <= 0) {
          break;
        }
      }
      if (complete && !full()) {
        Pending first = stderr.active() && stderr.begin < stdout.begin ? stderr : stdout;
        end(first);
        if (!full()) {
          end(other(first));
        }
      }
    } catch (NoSuchFileException e) {
      // no output yet
    }
  }

  /** What of a buffer is not taken yet, with room behind it. */
  private static ByteBuffer rest(ByteBuffer buffer, int taken) {
    ByteBuffer roomy = buffer;
    if (taken == 0 && !buffer.hasRemaining()) {
      roomy = ByteBuffer.allocate(CHUNK).put(buffer.flip());
    } else {
      buffer.limit(buffer.position()).position(taken);
      buffer.compact();
    }
    return roomy;
  }

  private static int lineEnd(byte[] bytes, int from, int to) {
    int i = from;
    for (; i <= to - Long.BYTES; i += Long.BYTES) {
      long differs = (long) EIGHT.get(bytes, i) ^ FEEDS; // a byte of it is zero at a line feed
      long zeros = differs - LOWEST & ~differs & HIGHEST; // right up to the first one
      if (zeros != 0) {
        return i + Long.numberOfTrailingZeros(zeros) / Byte.SIZE;
      }
    }
    for (; i < to; i++) {
      if (bytes[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private Pending other(Pending one) {
    return one == stdout ? stderr : stdout;
  }

  /**
   * Takes the entry that begins somewhere in the buffer.
   *
   * @param ended whether nothing follows what is in the buffer
   * @return its size; 0 if it is not all there
   */
  private int entry(byte[] bytes, int begin, int filled, boolean ended) {
    int end = lineEnd(bytes, begin, filled);
    if (end < 0) {
      return 0;
    }
    int time = indexOf(bytes, begin, end);
    int stream = indexOf(bytes, time + 1, end);
    int tag = stream < 0 ? -1 : indexOf(bytes, stream + 1, end);
    int next = end + 1;
    if (time < 0 || stream < 0 || tag < 0) {
      return next - begin; // half an entry, of a conmon that was killed
    }
    boolean isStderr = bytes[time + 4] == 'e'; // std*e*rr
    Pending pending = isStderr ? stderr : stdout;
    if (bytes[stream + 1] == 'B') {
      int size = number(bytes, tag + 1, end);
      if (size > filled - next) {
        if (!ended) {
          return 0;
        }
        size = filled - next; // its monitor was killed
      }
      block(pending, bytes, begin, next, next + size, time);
      return next + size - begin;
    }
    if (at + begin < from && isStderr != pendingStderr) {
      return next - begin; // the other stream's, given out before
    }
    begin(pending, bytes, begin, time);
    pending.text.write(bytes, tag + 1, end - tag - 1);
    if (bytes[stream + 1] != 'P') {
      finish(pending, at + next, at + next);
    }
    cut(pending, at + next);
    return next - begin;
  }

  /** What was read at once: ends of lines, lines, and beginnings of lines. */
  private void block(Pending pending, byte[] bytes, int begin, int text, int end, int time) {
    int next = text;
    if (at + text < from && pending.isStderr != pendingStderr) {
      next = (int) Math.min(end, from - at); // what is before was given out
    }
    while (next < end) {
      begin(pending, bytes, begin, time);
      int feed = lineEnd(bytes, next, end);
      int stop = feed < 0 ? end : feed;
      long resume = feed + 1 < end ? at + begin : at + end;
      if (feed >= 0 && pending.text.size() == 0) {
        give(pending, at + feed + 1, resume, bytes, next, at + feed + 1 > from ? stop : -1);
      } else {
        pending.text.write(bytes, next, stop - next);
        if (feed >= 0) {
          finish(pending, at + feed + 1, resume);
        }
      }
      if (full()) {
        return;
      }
      next = stop + 1;
    }
    cut(pending, at + end);
  }

  private void begin(Pending pending, byte[] bytes, int begin, int time) {
    if (!pending.active()) {
      pending.begin = at + begin;
      pending.millis = millis(bytes, begin, time);
    }
  }

  /** Finishes lines that grow too long, or begin too far back to be named by a position. */
  private void cut(Pending pending, long next) {
    if (next <= from) {
      return;
    }
    if (pending.text.size() >= MAX_PIECE) {
      finish(pending, next, next);
    }
    Pending other = other(pending);
    if (other.active() && next - other.begin > MAX_BACK - MAX_ENTRY) {
      finish(other, next, next);
    }
  }

  /** A line is complete; it is not given out if it was before. */
  private void finish(Pending pending, long next, long resume) {
    if (pending.active()) {
      byte[] text = pending.text.toByteArray();
      give(pending, next, resume, text, 0, next > from ? text.length : -1);
    }
  }

  /** What has begun is all there will be. */
  private void end(Pending pending) {
    if (pending.active()) {
      byte[] text = pending.text.toByteArray();
      give(pending, at, at, text, 0, text.length);
    }
  }

  /**
   * Gives out a line.
   *
   * @param next up to where it reaches in the file
   * @param resume where the entry begins that goes on there
   * @param end of its text; before its beginning if it is not wanted
   */
  private void give(Pending pending, long next, long resume, byte[] text, int begin, int end) {
    if (end >= begin) {
      Pending other = other(pending);
      long back = next - Math.min(resume, other.active() ? other.begin : next);
      boolean otherStderr = back > 0 && other.isStderr;
      lines.add(
          next << (BACK_BITS + 1) | (otherStderr ? 1L << BACK_BITS : 0) | back,
          pending.millis,
          pending.isStderr,
          text,
          begin,
          end);
    }
    pending.text.reset();
    pending.begin = -1;
  }

  private static int number(byte[] bytes, int begin, int end) {
    int number = 0;
    for (int i = begin; i < end; i++) {
      number = 10 * number + bytes[i] - '0';
    }
    return number;
  }

  private static int indexOf(byte[] bytes, int from, int end) {
    for (int i = Math.max(0, from); i < end; i++) {
      if (bytes[i] == ' ') {
        return i;
      }
    }
    return -1;
  }

  /** Of a moment; thousands of entries have the same second, which is read once. */
  private long millis(byte[] bytes, int begin, int end) {
    int zone = end - ZONE;
    if (end - begin == second.length
        && end - begin > SECOND + 3 + ZONE
        && Arrays.equals(bytes, begin, begin + SECOND, second, 0, SECOND)
        && Arrays.equals(bytes, zone, end, second, second.length - ZONE, second.length)) {
      int fraction = begin + SECOND;
      return secondMillis
          + 100L * (bytes[fraction] - '0')
          + 10L * (bytes[fraction + 1] - '0')
          + (bytes[fraction + 2] - '0');
    }
    long millis = parsed(bytes, begin, end).orElse(0L);
    boolean whole = end - begin > SECOND + 3 + ZONE && bytes[begin + SECOND - 1] == '.';
    second = whole && millis > 0 ? Arrays.copyOfRange(bytes, begin, end) : NO_SECOND;
    secondMillis = Math.floorDiv(millis, 1_000) * 1_000;
    return millis;
  }

  private static Optional<Long> parsed(byte[] bytes, int begin, int end) {
    String text = new String(bytes, begin, end - begin, StandardCharsets.US_ASCII);
    try {
      return Optional.of(OffsetDateTime.parse(text).toInstant().toEpochMilli());
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
