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

  /**
   * What one call reads at most, so that it does not keep a reader of the store for long: bytes.
   */
  private static final long MOST_READ = 128L << 20;

  /** What looking at an event costs, as if it were bytes read. */
  private static final int EVENT_COST = 500;

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
    Needles needles = Needles.of(pattern.needs(), pattern.disguise());
    checkStreams(request);
    Place after = request.nextToken() == null ? null : Place.read(request.nextToken());
    return store.read(tx -> {
      Group group = Names.require(tx, groupName);
      long from = Math.max(start, group.expiry(clock.millis()));
      List<Stream> streams =
          streams(tx, group, request).stream().filter(s -> has(s, from, end)).toList();
      Queue<Cursor> merged = new PriorityQueue<>(Comparator.comparing(Cursor::place));
      for (Stream stream : streams) {
        Cursor cursor = new Cursor(tx, stream, from, end, after, needles);
        if (!cursor.atEnd()) {
          merged.add(cursor);
        }
      }
      return page(merged, pattern, limit, after);
    });
  }

  /**
   * Reads until the page is full or enough was read.
   *
   * @param after the page's events come after this
   */
  private static FilterLogEventsResponse page(
      Queue<Cursor> merged, FilterPattern pattern, int limit, @Nullable Place after) {
    List<FilteredLogEvent> page = new ArrayList<>();
    long bytes = 0;
    long read = 0;
    while (!merged.isEmpty()
        && page.size() < limit
        // Packs that overlap are opened again for the next page: there has to be some progress.
        && (read < MOST_READ || !merged.element().isAfter(after))) {
      Cursor cursor = merged.remove();
      Event event = cursor.peek();
      if (event == null) {
        read += cursor.open();
      } else {
        if (pattern.matches(event.message())) {
          long size = Events.size(event.message());
          if (bytes + size > Events.MAX_PAGE_BYTES && !page.isEmpty()) {
            merged.add(cursor);
            break;
          }
          bytes += size;
          page.add(cursor.shown(event));
        }
        read += EVENT_COST;
        cursor.skip();
      }
      if (!cursor.atEnd()) {
        merged.add(cursor);
      }
    }
    return FilterLogEventsResponse.builder()
        .events(page)
        .searchedLogStreams(List.of()) // always, since May 2020
        .nextToken(merged.isEmpty() ? null : before(merged.element().place(), after).token())
        .build();
  }

  /** Where the next page goes on, which is never further back than where this one began. */
  private static Place before(Place next, @Nullable Place after) {
    Place before = next.previous();
    return after != null && after.compareTo(before) > 0 ? after : before;
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

    private static final String LAST_STREAM = "ffffffffffffffff";
    private static final long LAST_SEQUENCE = 0xffff_ffff_ffffL;

    private static final Pattern TOKEN =
        Pattern.compile("([0-7][0-9a-f]{15})([0-7][0-9a-f]{15})([0-9a-f]{16})([0-9a-f]{12})");

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

    /** Nothing lies between it and this one. */
    Place previous() {
      if (sequence > 0) {
        return new Place(time, ingested, streamId, sequence - 1);
      }
      long id = HexFormat.fromHexDigitsToLong(streamId);
      return id == 0
          ? new Place(time, ingested - 1, LAST_STREAM, LAST_SEQUENCE)
          : new Place(time, ingested, HexFormat.of().toHexDigits(id - 1), LAST_SEQUENCE);
    }

    @Override
    public int compareTo(Place other) {
      return ORDER.compare(this, other);
    }
  }

  /** Goes through one stream. */
  private static final class Cursor {
    private final Stream stream;
    private final EventRange events;
    private final @Nullable Place after;
    private Place place;

    /**
     * A cursor at its first event.
     *
     * @param end inclusive
     * @param after events up to here were given before
     */
    Cursor(Tx tx, Stream stream, long from, long end, @Nullable Place after, Needles needles) {
      this.stream = stream;
      this.after = after;
      Mark low = Mark.from(from);
      if (after != null && after.time() >= from) {
        low =
            after.streamId().equals(stream.id())
                ? new Mark(after.time(), after.sequence() + 1)
                : Mark.from(after.time());
      }
      events = new EventRange(tx, stream.id(), low, Mark.after(end), false, needles);
      place = new Place(0, 0, stream.id(), 0);
      settle();
    }

    /** Passes by what was given before, as far as that is opened. */
    private void settle() {
      while (!events.atEnd()) {
        Mark mark = events.nextMark();
        place = new Place(mark.time(), events.nextIngested(), stream.id(), mark.sequence());
        if (!events.isOpened() || isAfter(after)) {
          return;
        }
        events.skip();
      }
    }

    boolean atEnd() {
      return events.atEnd();
    }

    /** Nothing that is left of the stream comes before this. */
    Place place() {
      return place;
    }

    boolean isAfter(@Nullable Place other) {
      return other == null || place.compareTo(other) > 0;
    }

    @Nullable Event peek() {
      return events.peek();
    }

    /** Gives how many bytes it has read. */
    long open() {
      long read = events.open();
      settle();
      return read;
    }

    void skip() {
      events.skip();
      settle();
    }

    FilteredLogEvent shown(Event event) {
      return FilteredLogEvent.builder()
          .logStreamName(stream.name())
          .timestamp(event.time())
          .ingestionTime(event.ingested())
          .message(event.message())
          .eventId(place.token())
          .build();
    }
  }
}
