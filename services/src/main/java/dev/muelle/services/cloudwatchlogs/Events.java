package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.services.cloudwatchlogs.packs.Event;
import dev.muelle.services.cloudwatchlogs.packs.EventRange;
import dev.muelle.services.cloudwatchlogs.packs.Mark;
import dev.muelle.services.cloudwatchlogs.packs.Needles;
import dev.muelle.services.cloudwatchlogs.packs.Pack;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.Store;
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
   */
  private record Put(
      PutLogEventsResponse.Builder response,
      List<InputLogEvent> taken,
      long bytes,
      long arrival,
      List<MetricFilter> filters,
      boolean untidy) {}

  /** What an event counts for, in bytes. */
  static long size(String message) {
    return message.getBytes(StandardCharsets.UTF_8).length + (long) Pack.OVERHEAD;
  }

  PutLogEventsResponse put(PutLogEventsRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String streamName = Names.stream(request.logStreamName(), "logStreamName");
    List<InputLogEvent> events = request.logEvents();
    List<byte[]> texts = check(events);
    Verdict expected =
        store.read(tx -> {
          Group group = Names.require(tx, groupName);
          Names.requireStream(tx, group, streamName);
          long now = clock.millis();
          return judge(events, now, group.expiry(now));
        });
    // Compressed while nobody waits for it; the clock seldom changes the verdict meanwhile.
    List<Pack> prepared = packs(events, texts, expected);
    Put put =
        store.write(tx -> {
          Group group = Names.require(tx, groupName);
          Stream stream = Names.requireStream(tx, group, streamName);
          long now = clock.millis();
          Verdict verdict = judge(events, now, group.expiry(now));
          List<Pack> packs = verdict.sameAs(expected) ? prepared : packs(events, texts, verdict);
          List<InputLogEvent> taken = events.subList(verdict.from(), verdict.to());
          Stream after = stream;
          boolean untidy = false;
          // The clock may be set back, but within a stream arrival never runs backwards.
          long arrival =
              stream.lastIngestion() == null ? now : Math.max(now, stream.lastIngestion());
          if (!taken.isEmpty()) {
            long sequence = stream.sequence();
            for (Pack pack : packs) {
              boolean small = Packs.add(tx, stream.id(), pack, sequence, arrival);
              untidy |= small && Tidier.note(tx, stream.id(), pack.firstTime(), arrival);
              sequence += pack.count();
            }
            after = grown(stream, taken, bytes(packs), arrival);
            tx.put(Tables.STREAMS, Tables.streamKey(group, streamName), after);
          }
          return new Put(
              PutLogEventsResponse.builder()
                  .nextSequenceToken("%056d".formatted(after.sequence()))
                  .rejectedLogEventsInfo(verdict.rejected()),
              taken,
              bytes(packs),
              arrival,
              MetricFilters.of(tx, group),
              untidy);
        });
    if (put.untidy()) {
      tidier.noted();
    }
    if (!put.taken().isEmpty()) {
      emission.taken(groupName, put.filters(), put.taken(), put.bytes());
      tails.taken(groupName, streamName, put.taken(), put.arrival());
    }
    PutLogEventsResponse.Builder response = put.response();
    if (request.entity() != null) {
      // The events are taken all the same, as on AWS.
      response.rejectedEntityInfo(
          info -> info.errorType(EntityRejectionErrorType.UNSUPPORTED_LOG_GROUP_TYPE));
    }
    return response.build();
  }

  private static List<Pack> packs(List<InputLogEvent> events, List<byte[]> texts, Verdict verdict) {
    Pack.Filler filler = new Pack.Filler();
    for (int i = verdict.from(); i < verdict.to(); i++) {
      filler.add(events.get(i).timestamp(), i, 0, texts.get(i));
    }
    return filler.packs();
  }

  private static long bytes(List<Pack> packs) {
    return packs.stream().mapToLong(Pack::bytes).sum();
  }

  private static Stream grown(Stream stream, List<InputLogEvent> taken, long bytes, long arrival) {
    long first = taken.getFirst().timestamp();
    long last = taken.getLast().timestamp();
    return new Stream(
        stream.id(),
        stream.group(),
        stream.name(),
        stream.created(),
        stream.sequence() + taken.size(),
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

  private static Verdict judge(List<InputLogEvent> events, long now, long expiry) {
    int tooOld = before(events, now - MAX_AGE);
    int expired = before(events, expiry);
    int tooNew = before(events, now + MAX_AHEAD + 1);
    if (tooNew > tooOld) {
      long span = events.get(tooNew - 1).timestamp() - events.get(tooOld).timestamp();
      if (span > MAX_SPAN) {
        throw Refuse.invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24"
                + " hours.");
      }
    }
    boolean all = tooOld == 0 && expired == 0 && tooNew == events.size();
    RejectedLogEventsInfo rejected =
        all
            ? null
            : RejectedLogEventsInfo.builder()
                .tooOldLogEventEndIndex(tooOld > 0 ? tooOld : null)
                .expiredLogEventEndIndex(expired > 0 ? expired : null)
                .tooNewLogEventStartIndex(tooNew < events.size() ? tooNew : null)
                .build();
    int from = Math.max(tooOld, expired);
    return new Verdict(from, Math.max(from, tooNew), rejected);
  }

  /** How many events lie before a time. */
  private static int before(List<InputLogEvent> events, long time) {
    int count = 0;
    while (count < events.size() && events.get(count).timestamp() < time) {
      count++;
    }
    return count;
  }

  /** Gives the texts in UTF-8. */
  private static List<byte[]> check(List<InputLogEvent> events) {
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
    List<byte[]> texts = new ArrayList<>(events.size());
    long bytes = 0;
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
      byte[] text = event.message().getBytes(StandardCharsets.UTF_8);
      texts.add(text);
      long size = text.length + (long) Pack.OVERHEAD;
      if (size > MAX_BATCH_BYTES) {
        throw Refuse.invalid(
            "Log event too large: " + size + " bytes exceeds limit of " + MAX_BATCH_BYTES);
      }
      bytes += size;
    }
    if (bytes > MAX_BATCH_BYTES) {
      throw Refuse.invalid(
          "Upload too large: " + bytes + " bytes exceeds limit of " + MAX_BATCH_BYTES);
    }
    return texts;
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
