package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Event;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilteredLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.RejectedLogEventsInfo;

/**
 * Taking events and giving them back.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html">PutLogEvents</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html">GetLogEvents</a>
 */
final class Events {

  private static final int MAX_BATCH = 10_000;
  private static final int MAX_BATCH_BYTES = 1_048_576;
  private static final int EVENT_OVERHEAD = 26;
  private static final long MAX_SPAN = Duration.ofHours(24).toMillis();
  private static final long MAX_AGE = Duration.ofDays(14).toMillis();
  private static final long MAX_AHEAD = Duration.ofHours(2).toMillis();
  private static final int MAX_PAGE = 10_000;
  private static final int MAX_PAGE_BYTES = 1_048_576;

  private final Store store;
  private final InstantSource clock;
  private final Groups groups;

  Events(Store store, InstantSource clock, Groups groups) {
    this.store = store;
    this.clock = clock;
    this.groups = groups;
  }

  PutLogEventsResponse put(PutLogEventsRequest request) {
    List<InputLogEvent> events = request.logEvents();
    check(events);
    return store.write(tx -> {
      Group group = Groups.require(tx, request.logGroupName());
      Stream stream = Groups.requireStream(tx, group, request.logStreamName());
      long now = clock.millis();
      long oldest = now - age(group);
      int expired = 0;
      int tooOld = 0;
      int tooNew = events.size();
      long sequence = stream.sequence();
      long bytes = stream.storedBytes();
      Long first = stream.firstEvent();
      Long last = stream.lastEvent();
      for (int i = 0; i < events.size(); i++) {
        long time = events.get(i).timestamp();
        if (time < now - MAX_AGE) {
          tooOld = i + 1;
        } else if (time < oldest) {
          expired = i + 1;
        } else if (time > now + MAX_AHEAD) {
          tooNew = Math.min(tooNew, i);
        } else {
          String message = events.get(i).message();
          tx.put(
              Tables.EVENTS,
              Tables.eventKey(stream.id(), time, sequence++),
              new Event(time, now, message));
          bytes += size(message);
          first = first == null ? time : Math.min(first, time);
          last = last == null ? time : Math.max(last, time);
        }
      }
      tx.put(
          Tables.STREAMS,
          Tables.streamKey(group, stream.name()),
          new Stream(
              stream.id(),
              stream.group(),
              stream.name(),
              stream.created(),
              sequence,
              first,
              last,
              now,
              bytes));
      PutLogEventsResponse.Builder response =
          PutLogEventsResponse.builder().nextSequenceToken("%056d".formatted(sequence));
      if (expired > 0 || tooOld > 0 || tooNew < events.size()) {
        response.rejectedLogEventsInfo(
            RejectedLogEventsInfo.builder()
                .expiredLogEventEndIndex(expired > 0 ? expired : null)
                .tooOldLogEventEndIndex(tooOld > 0 ? tooOld : null)
                .tooNewLogEventStartIndex(tooNew < events.size() ? tooNew : null)
                .build());
      }
      return response.build();
    });
  }

  private static long age(Group group) {
    return group.retentionDays() == null
        ? MAX_AGE
        : Duration.ofDays(group.retentionDays()).toMillis();
  }

  private static void check(List<InputLogEvent> events) {
    if (events.isEmpty()) {
      throw Refuse.invalid(
          "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint:"
              + " Member must have length greater than or equal to 1");
    }
    if (events.size() > MAX_BATCH) {
      throw Refuse.invalid(
          "1 validation error detected: 'logEvents' failed to satisfy constraint: Member must have"
              + " length less than or equal to 10000");
    }
    long bytes = 0;
    long before = Long.MIN_VALUE;
    for (InputLogEvent event : events) {
      if (event.timestamp() == null || event.timestamp() < 0) {
        throw Refuse.invalid("Log event timestamps must be at or after the epoch.");
      }
      if (event.message() == null || event.message().isEmpty()) {
        throw Refuse.invalid("Log event message must not be empty.");
      }
      if (event.timestamp() < before) {
        throw Refuse.invalid(
            "Log events in a single PutLogEvents request must be in chronological order.");
      }
      before = event.timestamp();
      bytes += size(event.message());
    }
    if (bytes > MAX_BATCH_BYTES) {
      throw Refuse.invalid("Upload too large: " + bytes + " bytes exceeds limit of 1048576");
    }
    if (before - events.getFirst().timestamp() > MAX_SPAN) {
      throw Refuse.invalid(
          "The batch of log events in a single PutLogEvents request cannot span more than 24"
              + " hours.");
    }
  }

  private static long size(String message) {
    return message.getBytes(StandardCharsets.UTF_8).length + (long) EVENT_OVERHEAD;
  }

  /** Tokens are {@code f/} or {@code b/} and a key: what comes after it, or before it. */
  GetLogEventsResponse get(GetLogEventsRequest request) {
    int limit = limit(request.limit());
    String groupName =
        request.logGroupIdentifier() == null
            ? request.logGroupName()
            : groups.identified(request.logGroupIdentifier());
    return store.read(tx -> {
      Group group = Groups.require(tx, groupName);
      Stream stream = Groups.requireStream(tx, group, request.logStreamName());
      String low = Tables.from(stream.id(), or(request.startTime(), 0));
      String high = Tables.from(stream.id(), or(request.endTime(), Long.MAX_VALUE));
      String token = request.nextToken();
      boolean forward;
      if (token == null) {
        forward = Boolean.TRUE.equals(request.startFromHead());
      } else if (token.startsWith("f/" + stream.id()) || token.startsWith("b/" + stream.id())) {
        forward = token.charAt(0) == 'f';
        String at = token.substring(2);
        low = forward ? max(low, at + "~") : low;
        high = forward ? high : min(high, at);
      } else {
        throw Refuse.invalid("The specified nextToken is invalid.");
      }
      List<Row<Event>> rows =
          low.compareTo(high) >= 0
              ? List.of()
              : cut(tx.range(Tables.EVENTS, low, high, !forward, limit));
      List<Row<Event>> page = forward ? rows : rows.reversed();
      String first = page.isEmpty() ? at(token, low, high, forward) : page.getFirst().key();
      String last = page.isEmpty() ? at(token, low, high, forward) : page.getLast().key();
      return GetLogEventsResponse.builder()
          .events(page.stream().map(Events::output).toList())
          .nextForwardToken("f/" + last)
          .nextBackwardToken("b/" + first)
          .build();
    });
  }

  /** At the end the same token comes back, so that a client that polls waits where it is. */
  private static String at(@Nullable String token, String low, String high, boolean forward) {
    return token != null ? token.substring(2) : forward ? low : high;
  }

  private static List<Row<Event>> cut(List<Row<Event>> rows) {
    List<Row<Event>> page = new ArrayList<>();
    long bytes = 0;
    for (Row<Event> row : rows) {
      bytes += size(row.value().message());
      if (bytes > MAX_PAGE_BYTES && !page.isEmpty()) {
        break;
      }
      page.add(row);
    }
    return page;
  }

  private static OutputLogEvent output(Row<Event> row) {
    return OutputLogEvent.builder()
        .timestamp(row.value().time())
        .ingestionTime(row.value().ingested())
        .message(row.value().message())
        .build();
  }

  FilterLogEventsResponse filter(FilterLogEventsRequest request) {
    int limit = limit(request.limit());
    Predicate<String> pattern = FilterPattern.parse(request.filterPattern());
    if (!request.logStreamNames().isEmpty() && request.logStreamNamePrefix() != null) {
      throw Refuse.invalid(
          "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.");
    }
    String groupName =
        request.logGroupIdentifier() == null
            ? request.logGroupName()
            : groups.identified(request.logGroupIdentifier());
    long start = or(request.startTime(), 0);
    long end = request.endTime() == null ? Long.MAX_VALUE : request.endTime() + 1;
    return store.read(tx -> {
      Group group = Groups.require(tx, groupName);
      List<Found> found = new ArrayList<>();
      for (Stream stream : streams(tx, group, request)) {
        String low = Tables.from(stream.id(), start);
        String high = Tables.from(stream.id(), end);
        if (low.compareTo(high) < 0) {
          for (Row<Event> row : tx.range(Tables.EVENTS, low, high, false, Integer.MAX_VALUE)) {
            if (pattern.test(row.value().message())) {
              found.add(new Found(stream.name(), row));
            }
          }
        }
      }
      found.sort(Comparator.comparing(Found::order));
      String after = request.nextToken();
      List<Found> rest =
          found.stream()
              .filter(event -> after == null || event.order().compareTo(after) > 0)
              .toList();
      List<Found> page = rest.subList(0, Math.min(limit, rest.size()));
      return FilterLogEventsResponse.builder()
          .events(page.stream().map(Found::shown).toList())
          .searchedLogStreams(List.of())
          .nextToken(rest.size() > limit ? page.getLast().order() : null)
          .build();
    });
  }

  /** An event that matched, ordered by time, then as it came. */
  private record Found(String stream, Row<Event> row) {

    String order() {
      String key = row.key();
      int slash = key.indexOf('/');
      return key.substring(slash + 1) + "/" + key.substring(0, slash);
    }

    FilteredLogEvent shown() {
      return FilteredLogEvent.builder()
          .logStreamName(stream)
          .timestamp(row.value().time())
          .ingestionTime(row.value().ingested())
          .message(row.value().message())
          .eventId(order().replace("/", ""))
          .build();
    }
  }

  private static List<Stream> streams(Tx tx, Group group, FilterLogEventsRequest request) {
    if (!request.logStreamNames().isEmpty()) {
      return request.logStreamNames().stream()
          .map(name -> Groups.requireStream(tx, group, name))
          .toList();
    }
    String prefix = request.logStreamNamePrefix() == null ? "" : request.logStreamNamePrefix();
    return tx.list(Tables.STREAMS, Tables.streamKey(group, prefix)).stream()
        .map(Row::value)
        .toList();
  }

  private static int limit(@Nullable Integer limit) {
    if (limit != null && (limit < 1 || limit > MAX_PAGE)) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + limit
              + "' at 'limit' failed to satisfy constraint: Member must have value between 1 and"
              + " 10000");
    }
    return limit == null ? MAX_PAGE : limit;
  }

  private static long or(@Nullable Long value, long otherwise) {
    return value == null ? otherwise : value;
  }

  private static String max(String one, String other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private static String min(String one, String other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
