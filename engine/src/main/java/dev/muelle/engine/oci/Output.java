package dev.muelle.engine.oci;

import dev.muelle.engine.Engine.LogLine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads what a monitor wrote in conmon's {@code k8s-file} form: {@code TIME stdout|stderr P|F
 * TEXT}, where P says that the line goes on. The two streams may be mixed in the middle of a line.
 * A position therefore has three parts: up to where the file was read, which stream had begun a
 * line by then, and how far back that line began. A line is given out in pieces when so much of the
 * other stream follows its beginning that a position cannot reach back to it.
 */
final class Output {

  private static final int MAX_PIECE = 256 * 1024;
  private static final int BACK_BITS = 18; // leaves 44 for the offset: ext4's largest file
  private static final long MAX_BACK = (1L << BACK_BITS) - 1;
  private static final int MAX_ENTRY =
      64 * 1024; // conmon writes at most 8 KiB an entry, our own monitor 16
  private static final int CHUNK = 128 * 1024;

  private static final int SECOND = "2026-11-21T08:00:00.".length();
  private static final int ZONE = "+00:00".length();
  private static final byte[] NO_SECOND = {};

  private final Path file;
  private final boolean complete;
  private final int limit;
  private final List<LogLine> lines = new ArrayList<>();
  private final Pending stdout = new Pending(false);
  private final Pending stderr = new Pending(true);

  /** A moment that was read, and when its second began. */
  private byte[] second = NO_SECOND;

  private long secondMillis;

  private Output(Path file, boolean complete, int limit) {
    this.file = file;
    this.complete = complete;
    this.limit = limit;
  }

  /** A line that has begun. */
  private static final class Pending {
    final boolean isStderr;
    final ByteArrayOutputStream text = new ByteArrayOutputStream();
    long begin = -1;
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
   * @param complete whether nothing more will be written, so that an unfinished line is a line, too
   */
  static List<LogLine> read(Path file, long position, int limit, boolean complete)
      throws IOException {
    Output output = new Output(file, complete, limit);
    output.read(position);
    return output.lines;
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
    long back = position & MAX_BACK;
    boolean pendingStderr = (position >> BACK_BITS & 1) != 0;
    long from = position >> (BACK_BITS + 1);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
      long at = from - back; // of the buffer's first byte
      while (lines.size() < limit) {
        int read = channel.read(buffer, at + buffer.position());
        buffer.flip();
        int taken = 0;
        int filled = buffer.limit();
        byte[] bytes = buffer.array();
        for (int end = lineEnd(bytes, 0, filled); end >= 0; end = lineEnd(bytes, taken, filled)) {
          entry(bytes, taken, end, at, from, pendingStderr);
          taken = end + 1;
          if (lines.size() >= limit) {
            return;
          }
        }
        if (taken == 0 && buffer.limit() > MAX_ENTRY) {
          throw new IOException("a log entry longer than " + MAX_ENTRY + " bytes in " + file);
        }
        buffer.position(taken);
        buffer.compact();
        at += taken;
        if (read <= 0) {
          break;
        }
      }
      if (complete && lines.size() < limit) {
        Pending first = stderr.active() && stderr.begin < stdout.begin ? stderr : stdout;
        finish(first, at);
        if (lines.size() < limit) {
          finish(other(first), at);
        }
      }
    } catch (NoSuchFileException e) {
      // no output yet
    }
  }

  private static int lineEnd(byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      if (bytes[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private Pending other(Pending one) {
    return one == stdout ? stderr : stdout;
  }

  private void entry(
      byte[] bytes, int begin, int end, long bufferAt, long from, boolean onlyStderr) {
    int time = indexOf(bytes, begin, end);
    int stream = indexOf(bytes, time + 1, end);
    int tag = stream < 0 ? -1 : indexOf(bytes, stream + 1, end);
    if (time < 0 || stream < 0 || tag < 0) {
      return; // half an entry, of a conmon that was killed
    }
    boolean isStderr = bytes[time + 4] == 'e'; // std*e*rr
    if (bufferAt + begin < from && isStderr != onlyStderr) {
      return; // the other stream's, given out before
    }
    Pending pending = isStderr ? stderr : stdout;
    if (!pending.active()) {
      pending.begin = bufferAt + begin;
      pending.millis = millis(bytes, begin, time);
    }
    pending.text.write(bytes, tag + 1, end - tag - 1);
    boolean goesOn = bytes[stream + 1] == 'P';
    long next = bufferAt + end + 1;
    if (!goesOn || pending.text.size() >= MAX_PIECE) {
      finish(pending, next);
    }
    Pending other = other(pending);
    if (other.active() && next - other.begin > MAX_BACK - MAX_ENTRY) {
      finish(other, next); // too far back to be named by a position
    }
  }

  private void finish(Pending pending, long next) {
    if (!pending.active()) {
      return;
    }
    Pending other = other(pending);
    long back = other.active() ? next - other.begin : 0;
    long position =
        next << (BACK_BITS + 1) | (other.active() && other.isStderr ? 1L << BACK_BITS : 0) | back;
    lines.add(
        new LogLine(
            position,
            pending.millis,
            pending.isStderr,
            pending.text.toString(StandardCharsets.UTF_8)));
    pending.text.reset();
    pending.begin = -1;
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
