package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Event;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
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

  private static final int AT_ONCE = 10_000;
  private static final long BYTES_AT_ONCE = 8L << 20;
  private static final int FETCHED_AT_ONCE = 2_048; // events of all streams

  private static final Comparator<Found> NEWEST =
      Comparator.<Found>comparingLong(found -> found.row().value().time())
          .thenComparingLong(found -> found.row().value().ingested())
          .thenComparing(found -> found.row().key())
          .reversed();

  private final Store store;

  /** What is still to be read, and up to which key. */
  private Map<Place, String> left = new LinkedHashMap<>();

  /**
   * A stream and the first key that is wanted of it.
   *
   * @param low inclusive
   */
  private record Place(Group group, Stream stream, String low) {}

  /** An event and where it was. */
  record Found(Group group, Stream stream, Row<Event> row) {}

  /**
   * A scan of events from {@code from} to {@code to}, both inclusive.
   *
   * @param now before which events of the groups may have expired
   */
  Scan(Store store, List<String> groups, long from, long to, long now) {
    this.store = store;
    store
        .read(tx -> {
          Map<Place, String> all = new LinkedHashMap<>();
          for (String name : groups) {
            Group group = Names.require(tx, name);
            long first = Math.max(from, group.expiry(now));
            for (Row<Stream> row : tx.list(Tables.STREAMS, group.id() + "/")) {
              String id = row.value().id();
              all.put(
                  new Place(group, row.value(), Tables.from(id, first)),
                  to == Long.MAX_VALUE ? Tables.end(id) : Tables.from(id, to + 1));
            }
          }
          return all;
        })
        .forEach(left::put);
  }

  /** The next events; none at the end. */
  List<Found> next() {
    Map<Place, String> after = new LinkedHashMap<>();
    List<Found> chunk = store.read(tx -> chunk(tx, after));
    left = after;
    return chunk;
  }

  private List<Found> chunk(Tx tx, Map<Place, String> after) {
    after.clear(); // the store may call again
    int atOnce = Math.clamp(FETCHED_AT_ONCE / Math.max(1, left.size()), 1, 256);
    PriorityQueue<Cursor> merged =
        new PriorityQueue<>(Comparator.comparing(cursor -> cursor.found, NEWEST));
    left.forEach((place, high) -> {
      Cursor cursor = Cursor.open(tx, place, high, atOnce);
      if (cursor != null) {
        merged.add(cursor);
      }
    });
    List<Found> chunk = new ArrayList<>();
    long bytes = 0;
    while (!merged.isEmpty() && chunk.size() < AT_ONCE && bytes < BYTES_AT_ONCE) {
      Cursor cursor = merged.remove();
      chunk.add(cursor.found);
      bytes += cursor.found.row().value().message().length();
      if (cursor.advance()) {
        merged.add(cursor);
      }
    }
    merged.forEach(cursor -> after.put(cursor.place, cursor.found.row().key() + "!"));
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

    static @Nullable Cursor open(Tx tx, Place place, String high, int atOnce) {
      EventRange rows = new EventRange(tx, place.low(), high, true, atOnce);
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
