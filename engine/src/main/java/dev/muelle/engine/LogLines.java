package dev.muelle.engine;

import dev.muelle.engine.Engine.LogLine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Lines that a container printed, in their order, without an object for each: their texts lie one
 * behind the other, as they were printed, in UTF-8 if the container kept to it. Grows; not for two
 * threads.
 */
public final class LogLines {

  private byte[] bytes;
  private int[] ends = new int[64];
  private long[] positions = new long[64];
  private long[] millis = new long[64];
  private boolean[] stderr = new boolean[64];
  private int count;

  /** Without a line, and with room for so many bytes. */
  public LogLines(int room) {
    bytes = new byte[room];
  }

  /** Adds a line; its parameters are those of a {@link LogLine}. */
  public void add(
      long position, long epochMillis, boolean isStderr, byte[] text, int begin, int end) {
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
      positions = Arrays.copyOf(positions, 2 * count);
      millis = Arrays.copyOf(millis, 2 * count);
      stderr = Arrays.copyOf(stderr, 2 * count);
    }
    int at = size();
    int size = at + end - begin;
    if (size > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size));
    }
    System.arraycopy(text, begin, bytes, at, end - begin);
    ends[count] = size;
    positions[count] = position;
    millis[count] = epochMillis;
    stderr[count] = isStderr;
    count++;
  }

  /** Adds a line. */
  public void add(LogLine line) {
    byte[] text = line.text().getBytes(StandardCharsets.UTF_8);
    add(line.position(), line.epochMillis(), line.stderr(), text, 0, text.length);
  }

  /** Says each line's time by another clock. */
  public void convertTimes(LongUnaryOperator clock) {
    for (int i = 0; i < count; i++) {
      millis[i] = clock.applyAsLong(millis[i]);
    }
  }

  public int count() {
    return count;
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** How many bytes the texts have. */
  public int size() {
    return count == 0 ? 0 : ends[count - 1];
  }

  /** Of the line with this number, the first one's being 0. */
  public long position(int line) {
    return positions[line];
  }

  public long epochMillis(int line) {
    return millis[line];
  }

  public boolean isStderr(int line) {
    return stderr[line];
  }

  /** Where all texts are, from {@link #begin} to {@link #end}; not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  public int begin(int line) {
    return line == 0 ? 0 : ends[line - 1];
  }

  public int end(int line) {
    return ends[line];
  }

  /** A text; what is not UTF-8 in it is replaced. */
  public String text(int line) {
    return new String(bytes, begin(line), end(line) - begin(line), StandardCharsets.UTF_8);
  }

  /** The same, an object for each line. */
  public List<LogLine> list() {
    List<LogLine> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(new LogLine(positions[i], millis[i], stderr[i], text(i)));
    }
    return list;
  }
}
