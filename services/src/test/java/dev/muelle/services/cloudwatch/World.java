package dev.muelle.services.cloudwatch;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Scope;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
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
  final Store store;
  final CloudWatch cloudWatch;

  World(Path directory) {
    store = SqliteStore.open(directory.resolve("store.db"));
    cloudWatch = new CloudWatch(SCOPE, store.in(SCOPE.storeScope()), time, new Random(7));
    cloudWatch.start();
    time.settle(); // what has begun, closing would wait for
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
    cloudWatch.close();
    store.close();
  }
}
