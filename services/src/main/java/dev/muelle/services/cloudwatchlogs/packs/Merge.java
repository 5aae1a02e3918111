package dev.muelle.services.cloudwatchlogs.packs;

import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Some small packs of one minute that are to become a larger one. They are opened and packed anew
 * while nobody waits for it: what writes has only to put one in the place of the others.
 */
public final class Merge {

  private static final int LOOKED_AT = 500; // packs

  private final String streamId;
  private final List<Row<Entry>> small = new ArrayList<>();
  private final List<Event> events = new ArrayList<>();
  private String next = "";
  private List<Pack> packs = List.of();

  private Merge(String streamId) {
    this.streamId = streamId;
  }

  /**
   * Reads as many small packs as make a large one.
   *
   * @param time any of the minute's
   * @param from where to go on, or the empty string
   */
  public static Merge of(Store store, String streamId, long time, String from) {
    Merge merge =
        store.read(tx -> {
          Merge read = new Merge(streamId);
          read.read(tx, Pack.minute(time), from);
          return read;
        });
    merge.events.sort(Comparator.comparing(Event::mark));
    merge.packs = Pack.of(merge.events);
    return merge;
  }

  private void read(Tx tx, long minute, String from) {
    String begin = from.isEmpty() ? Packs.from(streamId, minute) : from;
    String end = Packs.from(streamId, minute + Pack.MINUTE);
    List<Row<Entry>> some = tx.range(Packs.ENTRIES, begin, end, false, LOOKED_AT);
    int raw = 0;
    for (Row<Entry> row : some) {
      if (row.value().raw() < Packs.SMALL) {
        if (raw + row.value().raw() > Pack.MOST_RAW) {
          next = row.key();
          break;
        }
        small.add(row);
        raw += row.value().raw();
      }
    }
    if (next.isEmpty() && some.size() == LOOKED_AT) {
      next = some.getLast().key() + "!";
    }
    if (small.size() < 2) {
      small.clear(); // one alone stays what it is
    }
    for (Row<Entry> row : small) {
      Opened opened = Packs.open(tx, streamId, row.value(), Needles.NONE);
      for (int i = 0; i < opened.count(); i++) {
        events.add(opened.event(i));
      }
    }
  }

  /** Where to go on, or the empty string if there is no more. */
  public String next() {
    return next;
  }

  /** Whether there is anything to write. */
  public boolean any() {
    return !small.isEmpty();
  }

  /** Puts the larger pack there, unless some of the small ones were deleted meanwhile. */
  public boolean write(Tx tx) {
    if (!small.stream().allMatch(row -> tx.get(Packs.ENTRIES, row.key()).isPresent())) {
      return false;
    }
    small.forEach(row -> Packs.delete(tx, row.key()));
    Packs.addAll(tx, streamId, packs, events);
    return true;
  }
}
