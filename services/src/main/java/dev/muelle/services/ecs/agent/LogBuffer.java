package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.LogLines;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What of one container's output waits to be delivered in mode {@code non-blocking}: what finds no
 * room is lost, as in Docker's ring.
 */
final class LogBuffer {

  private final long bound;
  private final Deque<LogLine> lines = new ArrayDeque<>();
  private long bytes;
  private long position;

  /**
   * An empty one.
   *
   * @param bound in bytes
   * @param position from where on the output is read
   */
  LogBuffer(long bound, long position) {
    this.bound = bound;
    this.position = position;
  }

  /** From where on to read next. */
  synchronized long position() {
    return position;
  }

  /** Keeps a line if there is room. A line alone always has it. */
  synchronized void offer(LogLine line) {
    position = line.position();
    if (bytes + size(line) <= bound || lines.isEmpty()) {
      lines.add(line);
      bytes += size(line);
    }
  }

  /**
   * The first ones, which stay.
   *
   * @param most of text, in bytes, after which no further line is given
   */
  synchronized LogLines first(int count, int most) {
    LogLines first = new LogLines(0);
    for (LogLine line : lines) {
      if (first.count() == count || first.size() >= most) {
        break;
      }
      first.add(line);
    }
    return first;
  }

  /** Drops what was delivered: everything up to a position. */
  synchronized void delivered(long upTo) {
    while (!lines.isEmpty() && lines.getFirst().position() <= upTo) {
      bytes -= size(lines.removeFirst());
    }
  }

  private static long size(LogLine line) {
    return line.text().length();
  }
}
