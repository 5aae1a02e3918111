package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Event;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilteredLogEvent;

/**
 * Looks for events in many streams at once, merged by time and then by arrival. One call reads a
 * bounded amount: a page may be empty and still have a token.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html">FilterLogEvents</a>
 */
final class Search {

  /** What one call reads at most, so that it does not keep a reader of the store for long. */
  private static final int MOST_READ = 50_000;

  private static final long MOST_READ_BYTES = 32L << 20;
  private static final int FETCHED_AT_ONCE = 2_048; // events of all streams
  private static final int MOST_STREAMS = 100;

  private final Store store;
  private final InstantSource clock;
  private final Names names;

  Search(Store store, InstantSource clock, Names names) {
    this.store = store;
    this.clock = clock;
    this.names = names;
  }

  FilterLogEventsResponse filter(FilterLogEventsRequest request) {
    String groupName = names.meant(request.logGroupName(), request.logGroupIdentifier());
    int limit = Names.limit(request.limit(), Events.MAX_PAGE, Events.MAX_PAGE);
    long start = Names.time(request.startTime(), "startTime", 0);
    long end = Names.time(request.endTime(), "endTime", Long.MAX_VALUE);
    FilterPattern pattern = FilterPattern.parse(request.filterPattern());
    checkStreams(request);
    Place after = request.nextToken() == null ? null : Place.read(request.nextToken());
    return store.read(tx -> {
      Group group = Names.require(tx, groupName);
      long from = Math.max(start, group.expiry(clock.millis()));
      List<Stream> streams =
          streams(tx, group, request).stream().filter(s -> has(s, from, end)).toList();
      Queue<Cursor> merged = new PriorityQueue<>(Comparator.comparing(Cursor::place));
      for (Stream stream : streams) {
        int atOnce = Math.clamp(FETCHED_AT_ONCE / streams.size(), 1, 256);
        Cursor cursor = new Cursor(tx, stream, from, end, after, atOnce);
        if (cursor.advance()) {
          merged.add(cursor);
        }
      }
      return page(merged, pattern, limit);
    });
  }

  private static FilterLogEventsResponse page(
      Queue<Cursor> merged, FilterPattern pattern, int limit) {
    List<FilteredLogEvent> page = new ArrayList<>();
    Place last = null;
    long bytes = 0;
    long read = 0;
    long readBytes = 0;
    while (!merged.isEmpty()
        && page.size() < limit
        && read < MOST_READ
        && readBytes < MOST_READ_BYTES) {
      Cursor cursor = merged.remove();
      String message = cursor.row().value().message();
      long size = Events.size(message);
      if (pattern.matches(message)) {
        if (bytes + size > Events.MAX_PAGE_BYTES && !page.isEmpty()) {
          merged.add(cursor);
          break;
        }
        bytes += size;
        page.add(cursor.shown());
      }
      last = cursor.place();
      read++;
      readBytes += size;
      if (cursor.advance()) {
        merged.add(cursor);
      }
    }
    return FilterLogEventsResponse.builder()
        .events(page)
        .searchedLogStreams(List.of()) // always, since May 2020
        .nextToken(merged.isEmpty() || last == null ? null : last.token())
        .build();
  }

  private static void checkStreams(FilterLogEventsRequest request) {
    List<String> wanted = request.logStreamNames();
    String prefix = request.logStreamNamePrefix();
    if (!wanted.isEmpty() && prefix != null) {
      throw Refuse.invalid(
          "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.");
    }
    if (wanted.size() > MOST_STREAMS) {
      throw Refuse.constraint(
          wanted,
          "logStreamNames",
          "Member must have length less than or equal to " + MOST_STREAMS);
    }
    wanted.forEach(name -> Names.stream(name, "logStreamNames"));
    if (prefix != null) {
      Names.stream(prefix, "logStreamNamePrefix");
    }
  }

  private static List<Stream> streams(Tx tx, Group group, FilterLogEventsRequest request) {
    if (!request.logStreamNames().isEmpty()) {
      return new LinkedHashSet<>(request.logStreamNames())
          .stream().map(name -> Names.requireStream(tx, group, name)).toList();
    }
    String prefix = request.logStreamNamePrefix() == null ? "" : request.logStreamNamePrefix();
    return tx.list(Tables.STREAMS, Tables.streamKey(group, prefix)).stream()
        .map(Row::value)
        .toList();
  }

  private static boolean has(Stream stream, long from, long end) {
    return stream.firstEvent() != null
        && stream.lastEvent() != null
        && stream.firstEvent() <= end
        && stream.lastEvent() >= from;
  }

  /** One event's place among those of all streams. */
  private record Place(long time, long ingested, String streamId, long sequence)
      implements Comparable<Place> {

    private static final Comparator<Place> ORDER =
        Comparator.comparingLong(Place::time)
            .thenComparingLong(Place::ingested)
            .thenComparing(Place::streamId)
            .thenComparingLong(Place::sequence);

    private static final Pattern TOKEN =
        Pattern.compile("([0-7][0-9a-f]{15})([0-7][0-9a-f]{15})([0-9a-f]{16})([0-9a-f]{12})");

    static Place of(Row<Event> row) {
      String[] parts = row.key().split("/", -1);
      return new Place(
          row.value().time(),
          row.value().ingested(),
          parts[0],
          HexFormat.fromHexDigitsToLong(parts[2]));
    }

    static Place read(String token) {
      Matcher parts = TOKEN.matcher(token);
      if (!parts.matches()) {
        throw Refuse.badToken();
      }
      return new Place(
          HexFormat.fromHexDigitsToLong(parts.group(1)),
          HexFormat.fromHexDigitsToLong(parts.group(2)),
          parts.group(3),
          HexFormat.fromHexDigitsToLong(parts.group(4)));
    }

    String token() {
      return "%016x%016x%s%012x".formatted(time, ingested, streamId, sequence);
    }

    @Override
    public int compareTo(Place other) {
      return ORDER.compare(this, other);
    }
  }

  /** Goes through one stream. */
  private static final class Cursor {
    private final Stream stream;
    private final EventRange rows;
    private final @Nullable Place after;
    private @Nullable Row<Event> row;

    /**
     * A cursor before its first event.
     *
     * @param end inclusive
     * @param after events up to here were given before
     */
    Cursor(Tx tx, Stream stream, long from, long end, @Nullable Place after, int atOnce) {
      this.stream = stream;
      this.after = after;
      String low = Tables.from(stream.id(), after == null ? from : Math.max(from, after.time()));
      String high =
          end == Long.MAX_VALUE ? Tables.end(stream.id()) : Tables.from(stream.id(), end + 1);
      rows = new EventRange(tx, low, high, false, atOnce);
    }

    boolean advance() {
      while (rows.hasNext()) {
        row = rows.next();
        if (after == null || place().compareTo(after) > 0) {
          return true;
        }
      }
      return false;
    }

    Row<Event> row() {
      if (row == null) {
        throw new IllegalStateException("before the first event");
      }
      return row;
    }

    Place place() {
      return Place.of(row());
    }

    FilteredLogEvent shown() {
      Event event = row().value();
      return FilteredLogEvent.builder()
          .logStreamName(stream.name())
          .timestamp(event.time())
          .ingestionTime(event.ingested())
          .message(event.message())
          .eventId(place().token())
          .build();
    }
  }
}
