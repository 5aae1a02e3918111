package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.packs.Event;
import dev.muelle.services.cloudwatchlogs.packs.EventRange;
import dev.muelle.services.cloudwatchlogs.packs.Mark;
import dev.muelle.services.cloudwatchlogs.packs.Needles;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * All events of some groups in a stretch of time, the newest first, a few thousand at once: each in
 * a transaction of its own, so that millions do not keep the store from tidying up. Not for two
 * threads.
 */
final class Scan {

  private static final int AT_ONCE = 50_000;
  private static final long BYTES_AT_ONCE = 16L << 20;

  private static final Comparator<Found> NEWEST =
      Comparator.<Found>comparingLong(found -> found.event().time())
          .thenComparingLong(found -> found.event().ingested())
          .thenComparing(found -> found.stream().id())
          .thenComparingLong(found -> found.event().sequence())
          .reversed();

  private final Store store;

  /** What is still to be read, and before which mark. */
  private Map<Place, Mark> left = new LinkedHashMap<>();

  /**
   * A stream and from where on it is wanted.
   *
   * @param low inclusive
   */
  private record Place(Group group, Stream stream, Mark low) {}

  /** An event and where it was. */
  record Found(Group group, Stream stream, Event event) {}

  /**
   * A scan of events from {@code from} to {@code to}, both inclusive.
   *
   * @param now before which events of the groups may have expired
   */
  Scan(Store store, List<String> groups, long from, long to, long now) {
    this.store = store;
    store
        .read(tx -> {
          Map<Place, Mark> all = new LinkedHashMap<>();
          for (String name : groups) {
            Group group = Names.require(tx, name);
            long first = Math.max(from, group.expiry(now));
            for (Row<Stream> row : tx.list(Tables.STREAMS, group.id() + "/")) {
              all.put(new Place(group, row.value(), Mark.from(first)), Mark.after(to));
            }
          }
          return all;
        })
        .forEach(left::put);
  }

  /** The next events; none at the end. */
  List<Found> next() {
    Map<Place, Mark> after = new LinkedHashMap<>();
    List<Found> chunk = store.read(tx -> chunk(tx, after));
    left = after;
    return chunk;
  }

  private List<Found> chunk(Tx tx, Map<Place, Mark> after) {
    after.clear(); // the store may call again
    PriorityQueue<Cursor> merged =
        new PriorityQueue<>(Comparator.comparing(cursor -> cursor.found, NEWEST));
    left.forEach((place, high) -> {
      Cursor cursor = Cursor.open(tx, place, high);
      if (cursor != null) {
        merged.add(cursor);
      }
    });
    List<Found> chunk = new ArrayList<>();
    long bytes = 0;
    while (!merged.isEmpty() && chunk.size() < AT_ONCE && bytes < BYTES_AT_ONCE) {
      Cursor cursor = merged.remove();
      chunk.add(cursor.found);
      bytes += cursor.found.event().message().length();
      if (cursor.advance()) {
        merged.add(cursor);
      }
    }
    merged.forEach(cursor -> after.put(cursor.place, cursor.found.event().mark().next()));
    return chunk;
  }

  /** One stream's events, from the newest on. */
  private static final class Cursor {
    private final Place place;
    private final EventRange rows;
    private Found found;

    private Cursor(Place place, EventRange rows) {
      this.place = place;
      this.rows = rows;
      found = new Found(place.group(), place.stream(), rows.next());
    }

    static @Nullable Cursor open(Tx tx, Place place, Mark high) {
      EventRange rows =
          new EventRange(tx, place.stream().id(), place.low(), high, true, Needles.NONE);
      return rows.hasNext() ? new Cursor(place, rows) : null;
    }

    boolean advance() {
      if (!rows.hasNext()) {
        return false;
      }
      found = new Found(place.group(), place.stream(), rows.next());
      return true;
    }
  }
}
