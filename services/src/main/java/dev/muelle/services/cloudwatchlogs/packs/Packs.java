package dev.muelle.services.cloudwatchlogs.packs;

import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;

/** The packs of all streams. */
public final class Packs {

  /** Keyed as the texts: {@code stream id/time/sequence} of a pack's first event. */
  static final Table<Entry> ENTRIES = Table.of("logs.packs", Entry.CODEC);

  static final Table<byte[]> TEXTS =
      Table.of(
          "logs.pack_texts",
          new Codec<>() {
            @Override
            public byte[] encode(byte[] value) {
              return value;
            }

            @Override
            public byte[] decode(byte[] bytes) {
              return bytes;
            }
          });

  /** What is too small to be left alone, in bytes of text. */
  static final int SMALL = Pack.MOST_RAW / 8;

  private static final int DELETED_AT_ONCE = 100;

  private Packs() {}

  /** What a step of a deletion has deleted, and whether there is more. */
  public record Swept(long bytes, boolean more) {}

  static String key(String streamId, Mark mark) {
    return streamId + "/" + mark.text();
  }

  /** The first key of a stream's packs that begin at or after a time. */
  static String from(String streamId, long time) {
    return streamId + "/" + "%016x".formatted(time);
  }

  /** After every key of a stream. */
  static String end(String streamId) {
    return streamId + "0"; // the character after the slash
  }

  /**
   * Adds a pack.
   *
   * @param sequence of its first event
   * @param ingested of its first event
   * @return whether it is so small that a {@link Merge} ought to look at its minute later
   */
  public static boolean add(Tx tx, String streamId, Pack pack, long sequence, long ingested) {
    String key = key(streamId, new Mark(pack.firstTime(), sequence));
    tx.insert(ENTRIES, key, pack.entry(sequence, ingested));
    tx.insert(TEXTS, key, pack.packed());
    return pack.raw() < SMALL;
  }

  static Opened open(Tx tx, String streamId, Entry entry, Needles needles) {
    String key = key(streamId, entry.first());
    byte[] packed =
        tx.get(TEXTS, key)
            .orElseThrow(() -> new IllegalStateException("the pack " + key + " has no text"))
            .value();
    return Opened.open(entry, packed, needles);
  }

  /** Of what a stream still has, the time of the first event. */
  public static Optional<Long> firstTime(Tx tx, String streamId) {
    return tx.range(ENTRIES, streamId + "/", end(streamId), false, 1).stream()
        .map(row -> row.value().firstTime())
        .findFirst();
  }

  /** How many events there are, whether or not anybody sees them. */
  public static long count(Tx tx) {
    return tx.list(ENTRIES).stream().mapToLong(row -> row.value().count()).sum();
  }

  /** Deletes some of the packs of which every event lies before a time. */
  public static Swept delete(Tx tx, String streamId, long time) {
    List<Row<Entry>> some =
        tx.range(
            ENTRIES,
            streamId + "/",
            time == Long.MAX_VALUE ? end(streamId) : from(streamId, time),
            false,
            DELETED_AT_ONCE);
    long bytes = 0;
    int deleted = 0;
    for (Row<Entry> row : some) {
      if (row.value().lastTime() < time) {
        delete(tx, row.key());
        bytes += row.value().bytes();
        deleted++;
      }
    }
    return new Swept(bytes, deleted > 0 && some.size() == DELETED_AT_ONCE);
  }

  static void delete(Tx tx, String key) {
    tx.delete(ENTRIES, key);
    tx.delete(TEXTS, key);
  }

  /** Adds events, which are in the order of their marks. */
  public static void addAll(Tx tx, String streamId, List<Event> events) {
    addAll(tx, streamId, Pack.of(events), events);
  }

  /** Adds packs that were made of these events. */
  static void addAll(Tx tx, String streamId, List<Pack> packs, List<Event> events) {
    int next = 0;
    for (Pack pack : packs) {
      Event first = events.get(next);
      add(tx, streamId, pack, first.sequence(), first.ingested());
      next += pack.count();
    }
  }
}
