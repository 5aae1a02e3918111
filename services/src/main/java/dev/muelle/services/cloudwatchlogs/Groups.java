package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogStreamResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroup;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupClass;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogStream;
import software.amazon.awssdk.services.cloudwatchlogs.model.OrderBy;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;

/**
 * Log groups and their streams.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html">CreateLogGroup</a>
 */
final class Groups {

  private static final Pattern NAME = Pattern.compile("[.\\-_/#A-Za-z0-9]{1,512}");
  private static final Pattern STREAM = Pattern.compile("[^:*]{1,512}");
  private static final int MOST = 50;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  Groups(Scope scope, Store store, InstantSource clock, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  CreateLogGroupResponse create(CreateLogGroupRequest request) {
    String name = name(request.logGroupName());
    if (request.kmsKeyId() != null) {
      throw Refuse.invalid("The parameter kmsKeyId is not supported by this region yet.");
    }
    if (request.logGroupClass() != null && request.logGroupClass() != LogGroupClass.STANDARD) {
      throw Refuse.invalid(
          "The log group class "
              + request.logGroupClassAsString()
              + " is not supported by this region yet.");
    }
    store.write(tx -> {
      if (tx.get(Tables.GROUPS, name).isPresent()) {
        throw ResourceAlreadyExistsException.builder()
            .message("The specified log group already exists")
            .build();
      }
      return tx.insert(
          Tables.GROUPS, name, new Group(ids.hex(16), name, clock.millis(), null, request.tags()));
    });
    return CreateLogGroupResponse.builder().build();
  }

  DeleteLogGroupResponse delete(DeleteLogGroupRequest request) {
    store.write(tx -> {
      Group group = require(tx, request.logGroupName());
      for (Row<Stream> stream : tx.list(Tables.STREAMS, group.id() + "/")) {
        tx.deletePrefix(Tables.EVENTS, stream.value().id() + "/");
      }
      tx.deletePrefix(Tables.STREAMS, group.id() + "/");
      return tx.delete(Tables.GROUPS, group.name());
    });
    return DeleteLogGroupResponse.builder().build();
  }

  DescribeLogGroupsResponse describe(DescribeLogGroupsRequest request) {
    int limit = limit(request.limit());
    String prefix = request.logGroupNamePrefix();
    String pattern = request.logGroupNamePattern();
    if (prefix != null && pattern != null) {
      throw Refuse.invalid(
          "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
    }
    return store.read(tx -> {
      List<Group> found =
          tx.list(Tables.GROUPS, prefix == null ? "" : prefix).stream()
              .map(Row::value)
              .filter(group -> pattern == null || group.name().contains(pattern))
              .filter(group ->
                  request.nextToken() == null || group.name().compareTo(request.nextToken()) > 0)
              .toList();
      List<Group> page = found.subList(0, Math.min(limit, found.size()));
      return DescribeLogGroupsResponse.builder()
          .logGroups(page.stream().map(group -> shown(tx, group)).toList())
          .nextToken(found.size() > limit ? page.getLast().name() : null)
          .build();
    });
  }

  private LogGroup shown(Tx tx, Group group) {
    String arn = arn(group.name());
    long bytes =
        tx.list(Tables.STREAMS, group.id() + "/").stream()
            .mapToLong(row -> row.value().storedBytes())
            .sum();
    return LogGroup.builder()
        .logGroupName(group.name())
        .creationTime(group.created())
        .retentionInDays(group.retentionDays())
        .metricFilterCount(0)
        .arn(arn + ":*")
        .logGroupArn(arn)
        .storedBytes(bytes)
        .logGroupClass(LogGroupClass.STANDARD)
        .build();
  }

  String arn(String group) {
    return scope.arn("logs", "log-group:" + group);
  }

  CreateLogStreamResponse createStream(CreateLogStreamRequest request) {
    String name = present("logStreamName", request.logStreamName());
    if (!STREAM.matcher(name).matches()) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + name
              + "' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular"
              + " expression pattern: [^:*]*");
    }
    store.write(tx -> {
      Group group = require(tx, request.logGroupName());
      String key = Tables.streamKey(group, name);
      if (tx.get(Tables.STREAMS, key).isPresent()) {
        throw ResourceAlreadyExistsException.builder()
            .message("The specified log stream already exists")
            .build();
      }
      return tx.insert(
          Tables.STREAMS,
          key,
          new Stream(ids.hex(16), group.name(), name, clock.millis(), 0, null, null, null, 0));
    });
    return CreateLogStreamResponse.builder().build();
  }

  DeleteLogStreamResponse deleteStream(DeleteLogStreamRequest request) {
    store.write(tx -> {
      Group group = require(tx, request.logGroupName());
      Stream stream = requireStream(tx, group, request.logStreamName());
      tx.deletePrefix(Tables.EVENTS, stream.id() + "/");
      return tx.delete(Tables.STREAMS, Tables.streamKey(group, stream.name()));
    });
    return DeleteLogStreamResponse.builder().build();
  }

  DescribeLogStreamsResponse describeStreams(DescribeLogStreamsRequest request) {
    int limit = limit(request.limit());
    boolean byTime = request.orderBy() == OrderBy.LAST_EVENT_TIME;
    if (byTime && request.logStreamNamePrefix() != null) {
      throw Refuse.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    String groupName =
        request.logGroupIdentifier() == null
            ? request.logGroupName()
            : identified(request.logGroupIdentifier());
    return store.read(tx -> {
      Group group = require(tx, groupName);
      Comparator<Stream> order =
          byTime
              ? Comparator.comparingLong(
                      (Stream stream) -> stream.lastEvent() == null ? 0 : stream.lastEvent())
                  .thenComparing(Stream::name)
              : Comparator.comparing(Stream::name);
      String prefix = request.logStreamNamePrefix() == null ? "" : request.logStreamNamePrefix();
      List<Stream> all =
          tx.list(Tables.STREAMS, Tables.streamKey(group, prefix)).stream()
              .map(Row::value)
              .sorted(Boolean.TRUE.equals(request.descending()) ? order.reversed() : order)
              .toList();
      int from = request.nextToken() == null ? 0 : offset(request.nextToken());
      int to = Math.min(all.size(), from + limit);
      return DescribeLogStreamsResponse.builder()
          .logStreams(all.subList(Math.min(from, to), to).stream().map(this::shown).toList())
          .nextToken(to < all.size() ? String.valueOf(to) : null)
          .build();
    });
  }

  private LogStream shown(Stream stream) {
    return LogStream.builder()
        .logStreamName(stream.name())
        .creationTime(stream.created())
        .firstEventTimestamp(stream.firstEvent())
        .lastEventTimestamp(stream.lastEvent())
        .lastIngestionTime(stream.lastIngestion())
        .uploadSequenceToken(stream.sequence() == 0 ? null : "%056d".formatted(stream.sequence()))
        .arn(arn(stream.group()) + ":log-stream:" + stream.name())
        .build();
  }

  /** The group's name in a name or an ARN. */
  String identified(String identifier) {
    String prefix = arn("");
    String name =
        identifier.startsWith(prefix) ? identifier.substring(prefix.length()) : identifier;
    return name.endsWith(":*") ? name.substring(0, name.length() - 2) : name;
  }

  static Group require(Tx tx, @Nullable String name) {
    return tx.get(Tables.GROUPS, name(name)).map(Row::value).orElseThrow(Refuse::noGroup);
  }

  static Stream requireStream(Tx tx, Group group, @Nullable String name) {
    return tx.get(Tables.STREAMS, Tables.streamKey(group, name == null ? "" : name))
        .map(Row::value)
        .orElseThrow(Refuse::noStream);
  }

  private static String present(String member, @Nullable String value) {
    if (value == null) {
      throw Refuse.invalid(
          "1 validation error detected: Value null at '"
              + member
              + "' failed to satisfy constraint: Member must not be null");
    }
    return value;
  }

  private static String name(@Nullable String given) {
    String name = present("logGroupName", given);
    if (!NAME.matcher(name).matches()) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + name
              + "' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular"
              + " expression pattern: [\\.\\-_/#A-Za-z0-9]+");
    }
    return name;
  }

  private static int limit(@Nullable Integer limit) {
    if (limit != null && (limit < 1 || limit > MOST)) {
      throw Refuse.invalid(
          "1 validation error detected: Value '"
              + limit
              + "' at 'limit' failed to satisfy constraint: Member must have value less than or"
              + " equal to 50");
    }
    return limit == null ? MOST : limit;
  }

  private static int offset(String token) {
    if (!token.matches("[0-9]{1,9}")) {
      throw Refuse.invalid("The specified nextToken is invalid.");
    }
    return Integer.parseInt(token);
  }
}
