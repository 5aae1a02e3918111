package dev.muelle.services.cloudwatch;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.MortalTimers;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;

/** The service over a real store, in virtual time. */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
final class World implements AutoCloseable {

  static final Instant START = Instant.parse("2026-11-21T12:00:00Z"); // a Saturday
  static final Scope SCOPE = new Scope("000000000000", "us-east-1");

  final VirtualTimers time = new VirtualTimers(START);
  private final Path file;
  private final Map<String, List<String>> acted = new HashMap<>();

  /** Where alarms' events are put down; everything is wanted. */
  final EventOutbox events = new EventOutbox(new Ids(new Random(7)));

  /** What actions fail with; null if they succeed. */
  @Nullable String failure;

  Store store;
  private MortalTimers life = new MortalTimers(time);
  CloudWatch cloudWatch;

  World(Path directory) {
    file = directory.resolve("store.db");
    store = SqliteStore.open(file);
    events.listen((source, detailType) -> source.equals("aws.cloudwatch"));
    cloudWatch = serve();
    time.settle(); // what has begun, closing would wait for
  }

  private CloudWatch serve() {
    CloudWatch made =
        new CloudWatch(
            SCOPE, store.in(SCOPE.storeScope()), life, new Random(7), new Receivers(), events);
    made.start();
    return made;
  }

  /** This server dies with whatever it was about to do; another one finds what it left. */
  void restart() {
    restart(Duration.ZERO);
  }

  /** The same, after so much time without any server. */
  void restart(Duration later) {
    life.close();
    store.close();
    time.advance(later);
    life = new MortalTimers(time);
    store = SqliteStore.open(file);
    cloudWatch = serve();
  }

  /** What EventBridge was told and has not taken yet, oldest first. */
  List<EventOutbox.Event> told() {
    return store
        .in(SCOPE.storeScope())
        .read(tx -> tx.list(EventOutbox.TABLE).stream().map(Row::value).toList());
  }

  /** The states for which an action was performed. */
  List<String> acted(String action) {
    return acted.getOrDefault(action, List.of());
  }

  /** Takes what is for topics and scaling policies. */
  private final class Receivers implements AlarmActions {
    @Override
    public boolean takes(String action) {
      return action.startsWith("arn:aws:sns:")
          || action.startsWith("arn:aws:autoscaling:")
          || action.startsWith("arn:aws:automate:");
    }

    @Override
    public void perform(String action, Transition transition) {
      if (failure != null) {
        throw new IllegalStateException(failure);
      }
      acted.computeIfAbsent(action, any -> new ArrayList<>()).add(transition.to().toString());
    }
  }

  /** One value each minute from {@link #START} on; NaN leaves a minute out. */
  World minutes(String name, double... values) {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isNaN(values[i])) {
        put(name, START.plus(Duration.ofMinutes(i)), values[i]);
      }
    }
    return this;
  }

  void put(String name, Instant at, double value, String... dimensions) {
    cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(d ->
                d.metricName(name).timestamp(at).value(value).dimensions(dimensions(dimensions))));
  }

  /** {@code name=value}. */
  static List<Dimension> dimensions(String... dimensions) {
    return Arrays.stream(dimensions)
        .map(text -> text.split("=", 2))
        .map(pair -> Dimension.builder().name(pair[0]).value(pair[1]).build())
        .toList();
  }

  static MetricDataQuery sum(String id, String name) {
    return MetricDataQuery.builder()
        .id(id)
        .returnData(false)
        .metricStat(s -> s.metric(m -> m.namespace("App").metricName(name)).stat("Sum").period(60))
        .build();
  }

  /** What an expression over m1 to m3 (sums of a, b and c) gives in the first ten minutes. */
  List<MetricDataResult> math(String expression) {
    return data(
        sum("m1", "a"),
        sum("m2", "b"),
        sum("m3", "c"),
        MetricDataQuery.builder().id("e1").expression(expression).build());
  }

  List<MetricDataResult> data(MetricDataQuery... queries) {
    return cloudWatch
        .getMetricData(r ->
            r.startTime(START)
                .endTime(START.plus(Duration.ofMinutes(10)))
                .scanBy(ScanBy.TIMESTAMP_ASCENDING)
                .metricDataQueries(queries))
        .metricDataResults();
  }

  @Override
  public void close() {
    time.settle();
    cloudWatch.close();
    store.close();
  }
}
