package dev.muelle.services.cloudwatchlogs.packs;

import java.util.Comparator;

/**
 * A place in a stream: right before the event of this time with this sequence number, or where it
 * would be. A stream's events are in the order of their marks.
 *
 * @param time epoch milliseconds
 */
public record Mark(long time, long sequence) implements Comparable<Mark> {

  /** After every event. */
  public static final Mark END = new Mark(Long.MAX_VALUE, Long.MAX_VALUE);

  private static final Comparator<Mark> ORDER =
      Comparator.comparingLong(Mark::time).thenComparingLong(Mark::sequence);

  /** Before the first event of a time. */
  public static Mark from(long time) {
    return new Mark(Math.max(0, time), 0);
  }

  /** After the last event of a time. */
  public static Mark after(long time) {
    return time == Long.MAX_VALUE ? END : from(time + 1);
  }

  /** Right after the event that this is the mark of. */
  public Mark next() {
    return new Mark(time, sequence + 1);
  }

  /** In hexadecimal of fixed width, so that texts are in the order of marks. */
  public String text() {
    return "%016x/%012x".formatted(time, sequence);
  }

  /** Reads {@link #text}, of which the number may be missing. */
  public static Mark read(String text) {
    int slash = text.indexOf('/');
    return slash < 0
        ? from(Long.parseLong(text, 16))
        : new Mark(
            Long.parseLong(text.substring(0, slash), 16),
            Long.parseLong(text.substring(slash + 1), 16));
  }

  @Override
  public int compareTo(Mark other) {
    return ORDER.compare(this, other);
  }
}
