package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Ids;
import dev.muelle.services.cloudwatchlogs.Tables.Deleted;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogStream;
import software.amazon.awssdk.services.cloudwatchlogs.model.OrderBy;

/**
 * The streams of a group.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html">DescribeLogStreams</a>
 */
final class Streams {

  private static final int PAGE = 50;

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Names names;
  private final Sweeper sweeper;

  Streams(Store store, InstantSource clock, Ids ids, Names names, Sweeper sweeper) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.names = names;
    this.sweeper = sweeper;
  }

  CreateLogStreamResponse create(CreateLogStreamRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String name = Names.stream(request.logStreamName(), "logStreamName");
    store.write(tx -> {
      Group group = Names.require(tx, groupName);
      String key = Tables.streamKey(group, name);
      if (tx.get(Tables.STREAMS, key).isPresent()) {
        throw Refuse.exists("log stream");
      }
      return tx.insert(
          Tables.STREAMS,
          key,
          new Stream(ids.hex(16), group.name(), name, clock.millis(), 0, null, null, null, 0));
    });
    return CreateLogStreamResponse.builder().build();
  }

  DeleteLogStreamResponse delete(DeleteLogStreamRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String name = Names.stream(request.logStreamName(), "logStreamName");
    store.write(tx -> {
      Group group = Names.require(tx, groupName);
      Stream stream = Names.requireStream(tx, group, name);
      if (group.deletionProtected()) {
        throw Refuse.protectedFromDeletion(group.name());
      }
      tx.put(Tables.DELETED, stream.id(), new Deleted(clock.millis()));
      return tx.delete(Tables.STREAMS, Tables.streamKey(group, name));
    });
    sweeper.streamsDeleted();
    return DeleteLogStreamResponse.builder().build();
  }

  DescribeLogStreamsResponse describe(DescribeLogStreamsRequest request) {
    String groupName = names.meant(request.logGroupName(), request.logGroupIdentifier());
    int limit = Names.limit(request.limit(), PAGE, PAGE);
    String prefix = request.logStreamNamePrefix();
    if (prefix != null) {
      Names.stream(prefix, "logStreamNamePrefix");
    }
    if (request.orderBy() == OrderBy.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          request.orderByAsString(),
          "orderBy",
          "Member must satisfy enum value set: [LogStreamName, LastEventTime]");
    }
    boolean byTime = request.orderBy() == OrderBy.LAST_EVENT_TIME;
    if (byTime && prefix != null) {
      throw Refuse.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    Comparator<Place> ascending =
        byTime
            ? Comparator.comparingLong(Place::time).thenComparing(Place::name)
            : Comparator.comparing(Place::name);
    Comparator<Place> order =
        Boolean.TRUE.equals(request.descending()) ? ascending.reversed() : ascending;
    String position = Tokens.position(request);
    Place after = position == null ? null : Place.read(position);
    return store.read(tx -> {
      Group group = Names.require(tx, groupName);
      List<Stream> rest =
          tx.list(Tables.STREAMS, Tables.streamKey(group, prefix == null ? "" : prefix)).stream()
              .map(Row::value)
              .filter(stream -> after == null || order.compare(Place.of(stream), after) > 0)
              .sorted(Comparator.comparing(Place::of, order))
              .toList();
      List<Stream> page = rest.subList(0, Math.min(limit, rest.size()));
      return DescribeLogStreamsResponse.builder()
          .logStreams(page.stream().map(this::shown).toList())
          .nextToken(
              rest.size() > limit ? Tokens.of(request, Place.of(page.getLast()).text()) : null)
          .build();
    });
  }

  /** Where a stream stands in a list: streams without events come first in the order of time. */
  private record Place(long time, String name) {

    static Place of(Stream stream) {
      return new Place(stream.lastEvent() == null ? 0 : stream.lastEvent(), stream.name());
    }

    String text() {
      return time + "/" + name;
    }

    static Place read(String text) {
      int slash = text.indexOf('/');
      return new Place(Long.parseLong(text.substring(0, slash)), text.substring(slash + 1));
    }
  }

  @SuppressWarnings("deprecation") // AWS still sends it, always zero
  private LogStream shown(Stream stream) {
    return LogStream.builder()
        .logStreamName(stream.name())
        .creationTime(stream.created())
        .firstEventTimestamp(stream.firstEvent())
        .lastEventTimestamp(stream.lastEvent())
        .lastIngestionTime(stream.lastIngestion())
        .uploadSequenceToken(sequenceToken(stream.sequence()))
        .arn(names.arn(stream.group()) + ":log-stream:" + stream.name())
        .storedBytes(0L)
        .build();
  }

  /** Ignored by everybody, and still sent. */
  static @Nullable String sequenceToken(long sequence) {
    return sequence == 0 ? null : "%056d".formatted(sequence);
  }
}
