package dev.muelle.services.cloudwatchlogs.packs;

import com.github.luben.zstd.Zstd;
import dev.muelle.services.LogBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Events that are compressed together. First come two numbers, the sizes of what follows; then,
 * compressed, for each event how its time, its sequence number and its arrival differ from those of
 * the one before and how long its text is, and then all texts. So where in time and in its stream a
 * pack begins is not part of it, and can be told when it is stored.
 *
 * @param lastSequence of its last event, the first one's being 0
 * @param lastIngested likewise
 * @param bytes what its events count for, as AWS does: 26 each and their texts
 */
public record Pack(
    long firstTime,
    long lastTime,
    long lastSequence,
    long lastIngested,
    int count,
    long bytes,
    int raw,
    Sketch sketch,
    byte[] packed) {

  /** In milliseconds. No pack reaches over such a boundary. */
  static final long MINUTE = 60_000;

  /** How much text a pack has at most, but for one event that is larger alone. */
  static final int MOST_RAW = 256 << 10;

  private static final int MOST_EVENTS = 10_000;
  private static final int COLUMNS = 8; // bytes of an event's columns, as a rule
  private static final int LEVEL =
      1; // the fastest: others win a tenth of the size for twice the time

  static long minute(long time) {
    return time - time % MINUTE;
  }

  /** Fills packs, one after the other, with events in the order of their marks. */
  public static final class Filler {
    private final List<Pack> full = new ArrayList<>();
    private final Bytes columns;
    private final Bytes texts;
    private int count;
    private long firstTime;
    private long firstSequence;
    private long firstIngested;
    private long time;
    private long sequence;
    private long ingested;

    /** With room for so many events at first, and so many bytes of texts. */
    public Filler(int events, int raw) {
      int first = Math.min(MOST_RAW, raw);
      texts = new Bytes(first);
      columns = new Bytes(Math.min(MOST_EVENTS, events) * COLUMNS);
    }

    /** Adds an event, whose text is somewhere in bytes. */
    public void add(long at, long number, long arrival, byte[] bytes, int begin, int end) {
      boolean room =
          count < MOST_EVENTS
              && texts.length() + end - begin <= MOST_RAW
              && minute(at) == minute(firstTime);
      if (count > 0 && !room) {
        finish();
      }
      if (count == 0) {
        firstTime = at;
        firstSequence = number;
        firstIngested = arrival;
        time = at;
        sequence = number;
        ingested = arrival;
      }
      columns.signed(at - time);
      columns.signed(number - sequence);
      columns.signed(arrival - ingested);
      columns.number(end - begin);
      texts.add(bytes, begin, end - begin);
      time = at;
      sequence = number;
      ingested = arrival;
      count++;
    }

    private void finish() {
      int raw = texts.length();
      Sketch sketch = Sketch.of(texts.array(), 0, raw);
      full.add(
          new Pack(
              firstTime,
              time,
              sequence - firstSequence,
              ingested - firstIngested,
              count,
              raw + (long) LogBatch.OVERHEAD * count,
              raw,
              sketch,
              compressed(columns, texts)));
      columns.clear();
      texts.clear();
      count = 0;
    }

    /** All packs. */
    public List<Pack> packs() {
      if (count > 0) {
        finish();
      }
      return List.copyOf(full);
    }
  }

  static List<Pack> of(List<Event> events) {
    Filler filler = new Filler(events.size(), MOST_RAW);
    for (Event event : events) {
      byte[] text = event.message().getBytes(StandardCharsets.UTF_8);
      filler.add(event.time(), event.sequence(), event.ingested(), text, 0, text.length);
    }
    return filler.packs();
  }

  /** Outside of the heap, which need not wait for it with its collections. */
  private static byte[] compressed(Bytes columns, Bytes texts) {
    Bytes head = new Bytes(2 * Long.BYTES);
    head.number(columns.length());
    head.number(texts.length());
    int all = Math.addExact(columns.length(), texts.length());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocate(all);
      MemorySegment out = arena.allocate(Zstd.compressBound(all));
      MemorySegment.copy(columns.array(), 0, in, ValueLayout.JAVA_BYTE, 0, columns.length());
      MemorySegment.copy(
          texts.array(), 0, in, ValueLayout.JAVA_BYTE, columns.length(), texts.length());
      long size =
          Zstd.compressUnsafe(out.address(), out.byteSize(), in.address(), in.byteSize(), LEVEL);
      if (Zstd.isError(size)) {
        throw new IllegalStateException("logs cannot be compressed: " + Zstd.getErrorName(size));
      }
      byte[] packed = Arrays.copyOf(head.array(), head.length() + Math.toIntExact(size));
      MemorySegment.copy(
          out, ValueLayout.JAVA_BYTE, 0, packed, head.length(), Math.toIntExact(size));
      return packed;
    }
  }

  Entry entry(long firstSequence, long firstIngested) {
    return new Entry(
        firstTime,
        firstIngested,
        firstSequence,
        lastTime,
        firstIngested + lastIngested,
        firstSequence + lastSequence,
        count,
        bytes,
        raw,
        sketch);
  }
}
