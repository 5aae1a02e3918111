package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Ids;
import dev.muelle.services.MortalTimers;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.packs.Packs;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricDataRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilteredLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroup;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;

/** The service over a real store, in virtual time; it can be stopped and started again. */
final class World implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  static final String GROUP = "/ecs/alba-digi";
  static final String GROUP_ARN = "arn:aws:logs:us-east-1:000000000000:log-group:" + GROUP;

  final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  final Random random = new Random(7);
  private final Path file;
  private SqliteStore store;
  private MortalTimers life = new MortalTimers(time);
  CloudWatchLogs logs;

  /** What metric filters made. */
  final List<PutMetricDataRequest> emitted = new ArrayList<>();

  /** Sums of the metrics of AWS/Logs. */
  final Map<String, Double> measured = new TreeMap<>();

  World(Path directory) {
    file = directory.resolve("store.db");
    store = SqliteStore.open(file);
    logs = serve();
  }

  private CloudWatchLogs serve() {
    CloudWatchLogs made =
        new CloudWatchLogs(
            SCOPE,
            store(),
            life,
            new Ids(random),
            random,
            emitted::add,
            metric -> (value, times) -> measured.merge(metric.toString(), value, Double::sum));
    made.start();
    return made;
  }

  Store store() {
    return store.in(SCOPE.storeScope());
  }

  /** This server dies with whatever it was about to do; another one finds what it left. */
  void restart() {
    life.close();
    store.close();
    life = new MortalTimers(time);
    store = SqliteStore.open(file);
    logs = serve();
  }

  long now() {
    return time.millis();
  }

  World group(String name, String... streams) {
    logs.createLogGroup(r -> r.logGroupName(name));
    for (String stream : streams) {
      logs.createLogStream(r -> r.logGroupName(name).logStreamName(stream));
    }
    return this;
  }

  static InputLogEvent event(long time, String message) {
    return InputLogEvent.builder().timestamp(time).message(message).build();
  }

  PutLogEventsResponse put(String stream, InputLogEvent... events) {
    return put(stream, Arrays.asList(events));
  }

  PutLogEventsResponse put(String stream, List<InputLogEvent> events) {
    return logs.putLogEvents(r -> r.logGroupName(GROUP).logStreamName(stream).logEvents(events));
  }

  /** Every message of a stream, page by page from its start. */
  List<String> all(String stream) {
    List<String> messages = new ArrayList<>();
    String token = null;
    while (true) {
      String from = token;
      GetLogEventsResponse page =
          logs.getLogEvents(
              r -> r.logGroupName(GROUP).logStreamName(stream).startFromHead(true).nextToken(from));
      page.events().stream().map(OutputLogEvent::message).forEach(messages::add);
      if (page.nextForwardToken().equals(token)) {
        return messages;
      }
      token = page.nextForwardToken();
    }
  }

  /** What a search finds, page by page. */
  List<FilteredLogEvent> found(FilterLogEventsRequest.Builder request) {
    List<FilteredLogEvent> events = new ArrayList<>();
    String token = null;
    do {
      FilterLogEventsResponse page =
          logs.filterLogEvents(request.logGroupName(GROUP).nextToken(token).build());
      events.addAll(page.events());
      token = page.nextToken();
    } while (token != null);
    return events;
  }

  List<String> messages(FilterLogEventsRequest.Builder request) {
    return found(request).stream().map(FilteredLogEvent::message).toList();
  }

  LogGroup shown(String name) {
    return logs.describeLogGroups(r -> r.logGroupNamePrefix(name)).logGroups().getFirst();
  }

  /** Events in the database, whether anybody sees them or not. */
  long stored() {
    return store().read(Packs::count);
  }

  @Override
  public void close() {
    life.close();
    store.close();
    time.close();
  }
}
