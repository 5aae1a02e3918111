package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.LogBatch;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.packs.Event;
import dev.muelle.services.cloudwatchlogs.packs.EventRange;
import dev.muelle.services.cloudwatchlogs.packs.Mark;
import dev.muelle.services.cloudwatchlogs.packs.Needles;
import dev.muelle.services.cloudwatchlogs.packs.Pack;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.EntityRejectionErrorType;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilter;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.RejectedLogEventsInfo;

/**
 * Taking events, and giving those of one stream back.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html">PutLogEvents</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html">GetLogEvents</a>
 */
final class Events {

  /** What a page holds at most: events, and bytes counted as {@link #size} does. */
  static final int MAX_PAGE = 10_000;

  static final int MAX_PAGE_BYTES = 1_048_576;

  private static final int MAX_BATCH = 10_000;
  private static final int MAX_BATCH_BYTES = 1_048_576;
  private static final long MAX_SPAN = Duration.ofHours(24).toMillis();
  private static final long MAX_AGE = Duration.ofDays(14).toMillis();
  private static final long MAX_AHEAD = Duration.ofHours(2).toMillis();

  /** A direction, and a place between events: stream, time, and perhaps a sequence number. */
  private static final Pattern TOKEN =
      Pattern.compile("([fb])/([0-9a-f]{16})/([0-7][0-9a-f]{15}(/[0-9a-f]{12})?)");

  private final Store store;
  private final JointWrites writes;
  private final InstantSource clock;
  private final Names names;
  private final Emission emission;
  private final Tidier tidier;
  private final LiveTails tails;

  Events(
      Store store,
      InstantSource clock,
      Names names,
      Emission emission,
      Tidier tidier,
      LiveTails tails) {
    this.store = store;
    writes = new JointWrites(store);
    this.clock = clock;
    this.names = names;
    this.emission = emission;
    this.tidier = tidier;
    this.tails = tails;
  }

  /**
   * What became of a batch.
   *
   * @param bytes what the taken events count for
   * @param arrival epoch milliseconds
   * @param sequence of the stream's next event
   */
  record Put(
      Verdict verdict,
      long bytes,
      long arrival,
      long sequence,
      List<MetricFilter> filters,
      boolean untidy) {}

  /** What an event counts for, in bytes. */
  static long size(String message) {
    return message.getBytes(StandardCharsets.UTF_8).length + (long) LogBatch.OVERHEAD;
  }

  PutLogEventsResponse put(PutLogEventsRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String streamName = Names.stream(request.logStreamName(), "logStreamName");
    Put put = put(groupName, streamName, check(request.logEvents()));
    PutLogEventsResponse.Builder response =
        PutLogEventsResponse.builder()
            .nextSequenceToken("%056d".formatted(put.sequence()))
            .rejectedLogEventsInfo(put.verdict().rejected());
    if (request.entity() != null) {
      // The events are taken all the same, as on AWS.
      response.rejectedEntityInfo(
          info -> info.errorType(EntityRejectionErrorType.UNSUPPORTED_LOG_GROUP_TYPE));
    }
    return response.build();
  }

  Put put(String groupName, String streamName, LogBatch events) {
    // Compressed while nobody waits for it; few groups make some of it expire meanwhile.
    Verdict expected = judge(events, clock.millis(), 0);
    List<Pack> prepared = packs(events, expected);
    Put put = writes.write(tx -> put(tx, groupName, streamName, events, expected, prepared));
    if (put.untidy()) {
      tidier.noted();
    }
    Verdict verdict = put.verdict();
    if (verdict.to() > verdict.from()) {
      LogBatch taken = events.part(verdict.from(), verdict.to());
      emission.taken(groupName, put.filters(), taken, put.bytes());
      tails.taken(groupName, streamName, taken, put.arrival());
    }
    return put;
  }

  private Put put(
      Tx tx,
      String groupName,
      String streamName,
      LogBatch events,
      Verdict expected,
      List<Pack> prepared) {
    Group group = Names.require(tx, groupName);
    Stream stream = Names.requireStream(tx, group, streamName);
    long now = clock.millis();
    Verdict verdict = judge(events, now, group.expiry(now));
    List<Pack> packs = verdict.sameAs(expected) ? prepared : packs(events, verdict);
    // The clock may be set back, but within a stream arrival never runs backwards.
    long arrival = stream.lastIngestion() == null ? now : Math.max(now, stream.lastIngestion());
    long sequence = stream.sequence();
    boolean untidy = false;
    for (Pack pack : packs) {
      boolean small = Packs.add(tx, stream.id(), pack, sequence, arrival);
      untidy |= small && Tidier.note(tx, stream.id(), pack.firstTime(), arrival);
      sequence += pack.count();
    }
    if (!packs.isEmpty()) {
      Stream after = grown(stream, events, verdict, bytes(packs), arrival);
      tx.put(Tables.STREAMS, Tables.streamKey(group, streamName), after);
    }
    return new Put(verdict, bytes(packs), arrival, sequence, MetricFilters.of(tx, group), untidy);
  }

  private static List<Pack> packs(LogBatch events, Verdict verdict) {
    Pack.Filler filler = new Pack.Filler(events.count(), events.end(events.count() - 1));
    for (int i = verdict.from(); i < verdict.to(); i++) {
      filler.add(events.time(i), i, 0, events.bytes(), events.begin(i), events.end(i));
    }
    return filler.packs();
  }

  private static long bytes(List<Pack> packs) {
    return packs.stream().mapToLong(Pack::bytes).sum();
  }

  private static Stream grown(
      Stream stream, LogBatch events, Verdict taken, long bytes, long arrival) {
    long first = events.time(taken.from());
    long last = events.time(taken.to() - 1);
    return new Stream(
        stream.id(),
        stream.group(),
        stream.name(),
        stream.created(),
        stream.sequence() + taken.to() - taken.from(),
        stream.firstEvent() == null ? first : Math.min(first, stream.firstEvent()),
        stream.lastEvent() == null ? last : Math.max(last, stream.lastEvent()),
        arrival,
        stream.storedBytes() + bytes);
  }

  /**
   * Which events of a batch, which is in order of time, are taken.
   *
   * @param from the first that is
   * @param to after the last that is
   */
  private record Verdict(int from, int to, @Nullable RejectedLogEventsInfo rejected) {

    boolean sameAs(Verdict other) {
      return from == other.from() && to == other.to();
    }
  }

  private static Verdict judge(LogBatch events, long now, long expiry) {
    int tooOld = before(events, now - MAX_AGE);
    int expired = before(events, expiry);
    int tooNew = before(events, now + MAX_AHEAD + 1);
    if (tooNew > tooOld && events.time(tooNew - 1) - events.time(tooOld) > MAX_SPAN) {
      throw Refuse.invalid(
          "The batch of log events in a single PutLogEvents request cannot span more than 24"
              + " hours.");
    }
    boolean all = tooOld == 0 && expired == 0 && tooNew == events.count();
    RejectedLogEventsInfo rejected =
        all
            ? null
            : RejectedLogEventsInfo.builder()
                .tooOldLogEventEndIndex(tooOld > 0 ? tooOld : null)
                .expiredLogEventEndIndex(expired > 0 ? expired : null)
                .tooNewLogEventStartIndex(tooNew < events.count() ? tooNew : null)
                .build();
    int from = Math.max(tooOld, expired);
    return new Verdict(from, Math.max(from, tooNew), rejected);
  }

  /** How many events lie before a time. */
  private static int before(LogBatch events, long time) {
    int count = events.count();
    if (events.time(count - 1) < time) {
      return count;
    }
    count = 0;
    while (events.time(count) < time) {
      count++;
    }
    return count;
  }

  private static LogBatch check(List<InputLogEvent> events) {
    if (events.isEmpty()) {
      throw Refuse.constraint(
          events, "logEvents", "Member must have length greater than or equal to 1");
    }
    if (events.size() > MAX_BATCH) {
      throw Refuse.constraint(
          events.size() + " events",
          "logEvents",
          "Member must have length less than or equal to " + MAX_BATCH);
    }
    LogBatch batch = new LogBatch(events.size(), 0);
    long before = 0;
    for (int i = 0; i < events.size(); i++) {
      InputLogEvent event = events.get(i);
      if (event.timestamp() == null || event.timestamp() < 0) {
        Names.time(event.timestamp(), member(i, "timestamp"), 0);
        throw Refuse.constraint(null, member(i, "timestamp"), "Member must not be null");
      }
      long time = event.timestamp();
      if (event.message() == null) {
        throw Refuse.constraint(null, member(i, "message"), "Member must not be null");
      }
      if (event.message().isEmpty()) {
        throw Refuse.constraint(
            "", member(i, "message"), "Member must have length greater than or equal to 1");
      }
      if (time < before) {
        throw Refuse.invalid(
            "Log events in a single PutLogEvents request must be in chronological order.");
      }
      before = time;
      batch.add(time, event.message());
      long size = batch.end(i) - batch.begin(i) + (long) LogBatch.OVERHEAD;
      if (size > MAX_BATCH_BYTES) {
        throw Refuse.invalid(
            "Log event too large: " + size + " bytes exceeds limit of " + MAX_BATCH_BYTES);
      }
    }
    if (batch.size() > MAX_BATCH_BYTES) {
      throw Refuse.invalid(
          "Upload too large: " + batch.size() + " bytes exceeds limit of " + MAX_BATCH_BYTES);
    }
    return batch;
  }

  private static String member(int index, String name) {
    return "logEvents." + (index + 1) + ".member." + name;
  }

  /**
   * A page of a stream. At either end the token that was given comes back, so that a client that
   * polls stays where it is and sees what arrives after that place.
   */
  GetLogEventsResponse get(GetLogEventsRequest request) {
    String groupName = names.meant(request.logGroupName(), request.logGroupIdentifier());
    String streamName = Names.stream(request.logStreamName(), "logStreamName");
    int limit = Names.limit(request.limit(), MAX_PAGE, MAX_PAGE);
    long start = Names.time(request.startTime(), "startTime", 0);
    long end = Names.time(request.endTime(), "endTime", Long.MAX_VALUE);
    String token = request.nextToken();
    return store.read(tx -> {
      Group group = Names.require(tx, groupName);
      Stream stream = Names.requireStream(tx, group, streamName);
      Mark low = Mark.from(Math.max(start, group.expiry(clock.millis())));
      Mark high = Mark.from(end);
      boolean forward = Boolean.TRUE.equals(request.startFromHead());
      if (token != null) {
        Matcher parts = TOKEN.matcher(token);
        if (!parts.matches() || !parts.group(2).equals(stream.id())) {
          throw Refuse.badToken();
        }
        forward = parts.group(1).equals("f");
        Mark place = Mark.read(parts.group(3));
        low = forward && place.compareTo(low) > 0 ? place : low;
        high = !forward && place.compareTo(high) < 0 ? place : high;
      }
      List<Event> page =
          page(new EventRange(tx, stream.id(), low, high, !forward, Needles.NONE), limit);
      List<Event> ascending = forward ? page : page.reversed();
      boolean none = page.isEmpty();
      Mark ahead = none ? (forward ? low : high) : ascending.getLast().mark().next();
      Mark behind = none ? (forward ? low : high) : ascending.getFirst().mark();
      if (none && token == null) {
        ahead = low; // whatever comes, also at the very start of the range
        behind = low;
      }
      String prefix = "/" + stream.id() + "/";
      return GetLogEventsResponse.builder()
          .events(ascending.stream().map(Events::output).toList())
          .nextForwardToken(none && forward && token != null ? token : "f" + prefix + ahead.text())
          .nextBackwardToken(
              none && !forward && token != null ? token : "b" + prefix + behind.text())
          .build();
    });
  }

  private static List<Event> page(EventRange events, int limit) {
    List<Event> page = new ArrayList<>();
    long bytes = 0;
    while (page.size() < limit && events.hasNext()) {
      Event event = events.next();
      bytes += size(event.message());
      if (bytes > MAX_PAGE_BYTES && !page.isEmpty()) {
        break;
      }
      page.add(event);
    }
    return page;
  }

  private static OutputLogEvent output(Event event) {
    return OutputLogEvent.builder()
        .timestamp(event.time())
        .ingestionTime(event.ingested())
        .message(event.message())
        .build();
  }
}
