package dev.muelle.services;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;

/**
 * Events for a log stream in their order, without an object for each: their messages lie one behind
 * the other in UTF-8. Grows; not for two threads.
 */
public final class LogBatch {

  /** What an event counts for besides its message, in bytes. */
  public static final int OVERHEAD = 26;

  private byte[] bytes;
  private int[] ends;
  private long[] times;
  private int count;

  /** Without an event, and with room for so many, and so many bytes of messages. */
  public LogBatch(int events, int bytes) {
    this.bytes = new byte[bytes];
    ends = new int[Math.max(1, events)];
    times = new long[Math.max(1, events)];
  }

  /** The same events. */
  public static LogBatch of(List<InputLogEvent> events) {
    LogBatch batch = new LogBatch(events.size(), 0);
    events.forEach(event -> batch.add(event.timestamp(), event.message()));
    return batch;
  }

  /**
   * Adds an event.
   *
   * @param time epoch milliseconds, not before that of the last one
   * @param from where its message is, from {@code begin} to {@code end}; not empty, and UTF-8
   */
  public void add(long time, byte[] from, int begin, int end) {
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
      times = Arrays.copyOf(times, 2 * count);
    }
    int at = begin(count);
    int size = Math.addExact(at, end - begin);
    if (size > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size));
    }
    System.arraycopy(from, begin, bytes, at, end - begin);
    ends[count] = size;
    times[count] = time;
    count++;
  }

  /** Adds an event. */
  public void add(long time, String message) {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    add(time, text, 0, text.length);
  }

  public int count() {
    return count;
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** What the events count for, in bytes. */
  public long size() {
    return begin(count) + (long) OVERHEAD * count;
  }

  /** Epoch milliseconds; the first event's number is 0. */
  public long time(int event) {
    return times[event];
  }

  /** Where all messages are, from {@link #begin} to {@link #end}; not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  public int begin(int event) {
    return event == 0 ? 0 : ends[event - 1];
  }

  public int end(int event) {
    return ends[event];
  }

  public String message(int event) {
    return new String(bytes, begin(event), end(event) - begin(event), StandardCharsets.UTF_8);
  }

  /** The events from one up to another, which is not among them. */
  public LogBatch part(int from, int to) {
    if (from == 0 && to == count) {
      return this;
    }
    LogBatch part = new LogBatch(to - from, to > from ? end(to - 1) - begin(from) : 0);
    for (int i = from; i < to; i++) {
      part.add(times[i], bytes, begin(i), ends[i]);
    }
    return part;
  }
}
