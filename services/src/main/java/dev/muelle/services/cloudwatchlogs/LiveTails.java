package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.LogBatch;
import dev.muelle.store.Store;
import dev.muelle.wire.EventStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionStart;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionStreamingException;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionTimeoutException;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;

/**
 * Sessions that show what groups take in as they do: an update each second, with 500 events at
 * most, for three hours. What nobody listens to costs nothing.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html">StartLiveTail</a>
 */
final class LiveTails implements AutoCloseable {

  private static final int MOST_GROUPS = 10;
  private static final int MOST_STREAMS = 10;
  private static final Duration STEP = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofHours(3);

  /**
   * At once, in an account and region.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html">quotas</a>
   */
  private static final int MOST_SESSIONS = 15;

  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final RandomGenerator random;
  private final Names names;
  private final List<LiveTail> sessions = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  LiveTails(Store store, Timers timers, Ids ids, RandomGenerator random, Names names) {
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.random = random;
    this.names = names;
  }

  EventStream start(StartLiveTailRequest request) {
    Set<String> groups = groups(request.logGroupIdentifiers());
    Predicate<String> streams = streams(request, groups.size());
    FilterPattern pattern = FilterPattern.parse(request.logEventFilterPattern());
    store.read(tx -> {
      groups.forEach(group -> Names.require(tx, group));
      return true;
    });
    if (sessions.size() >= MOST_SESSIONS) {
      throw Refuse.limit();
    }
    LiveTail session = new LiveTail(names, groups, streams, pattern, random);
    LiveTailSessionStart first =
        LiveTailSessionStart.builder()
            .requestId(ids.uuid())
            .sessionId(ids.uuid())
            .logGroupIdentifiers(request.logGroupIdentifiers())
            .logStreamNames(request.hasLogStreamNames() ? request.logStreamNames() : null)
            .logStreamNamePrefixes(
                request.hasLogStreamNamePrefixes() ? request.logStreamNamePrefixes() : null)
            .logEventFilterPattern(request.logEventFilterPattern())
            .build();
    return to -> run(session, first, to);
  }

  private void run(LiveTail session, LiveTailSessionStart first, EventStream.Events to)
      throws IOException {
    long end = timers.millis() + LONGEST.toMillis();
    begin(session);
    try {
      to.send("sessionStart", first);
      while (timers.millis() < end) {
        timers.sleep(STEP);
        if (closed) {
          throw SessionStreamingException.builder().message("The server is stopping.").build();
        }
        to.send("sessionUpdate", session.update());
      }
      throw SessionTimeoutException.builder()
          .message("The session has reached its maximum duration of three hours.")
          .build();
    } finally {
      sessions.remove(session);
    }
  }

  /** Of those that were let in at once some may be too many, which is said in their answers. */
  private synchronized void begin(LiveTail session) {
    if (sessions.size() >= MOST_SESSIONS) {
      throw Refuse.limit();
    }
    sessions.add(session);
  }

  /** A stream has taken these events. */
  void taken(String group, String stream, LogBatch events, long arrival) {
    for (LiveTail session : sessions) {
      session.offer(group, stream, events, arrival);
    }
  }

  private Set<String> groups(List<String> identifiers) {
    if (identifiers.isEmpty() || identifiers.size() > MOST_GROUPS) {
      throw Refuse.constraint(
          identifiers,
          "logGroupIdentifiers",
          identifiers.isEmpty()
              ? "Member must have length greater than or equal to 1"
              : "Member must have length less than or equal to " + MOST_GROUPS);
    }
    Set<String> groups = new TreeSet<>();
    for (String identifier : identifiers) {
      if (!identifier.startsWith("arn:") || identifier.endsWith("*")) {
        throw Refuse.invalid(
            "Log groups must be specified by ARNs that do not end with an asterisk: " + identifier);
      }
      groups.add(names.identified(identifier));
    }
    return groups;
  }

  private static Predicate<String> streams(StartLiveTailRequest request, int groups) {
    List<String> wanted = request.logStreamNames();
    List<String> prefixes = request.logStreamNamePrefixes();
    if (!wanted.isEmpty() && !prefixes.isEmpty()) {
      throw Refuse.invalid(
          "logStreamNamePrefixes and logStreamNames are mutually exclusive parameters.");
    }
    if (groups > 1 && !(wanted.isEmpty() && prefixes.isEmpty())) {
      throw Refuse.invalid(
          "logStreamNames and logStreamNamePrefixes can be specified only with one log group.");
    }
    check(wanted, "logStreamNames");
    check(prefixes, "logStreamNamePrefixes");
    if (wanted.isEmpty() && prefixes.isEmpty()) {
      return stream -> true;
    }
    return stream -> wanted.contains(stream) || prefixes.stream().anyMatch(stream::startsWith);
  }

  private static void check(List<String> streams, String member) {
    if (streams.size() > MOST_STREAMS) {
      throw Refuse.constraint(
          streams, member, "Member must have length less than or equal to " + MOST_STREAMS);
    }
    streams.forEach(stream -> Names.stream(stream, member));
  }

  @Override
  public void close() {
    closed = true;
  }
}
