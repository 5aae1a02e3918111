package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilter;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilterMatchRecord;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricTransformation;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.StandardUnit;

@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class MetricFiltersTest {

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory).group(World.GROUP, "web");
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void filter(String name, String pattern, Consumer<MetricTransformation.Builder> more) {
    world.logs.putMetricFilter(r ->
        r.logGroupName(World.GROUP)
            .filterName(name)
            .filterPattern(pattern)
            .metricTransformations(t -> {
              t.metricNamespace("App").metricName(name).metricValue("1");
              more.accept(t);
            }));
  }

  private void put(String... messages) {
    for (String message : messages) {
      world.put("web", World.event(world.now(), message));
    }
  }

  private List<MetricDatum> emitted(String name) {
    return world.emitted.stream()
        .flatMap(request -> request.metricData().stream())
        .filter(datum -> datum.metricName().equals(name))
        .toList();
  }

  private double sum(String name) {
    double sum = 0;
    for (MetricDatum datum : emitted(name)) {
      for (int i = 0; i < datum.values().size(); i++) {
        sum += datum.values().get(i) * datum.counts().get(i);
      }
      sum += datum.value() == null ? 0 : datum.value();
    }
    return sum;
  }

  @Test
  void countsWhatMatches() {
    filter("errors", "ERROR", t -> t.unit(StandardUnit.COUNT));
    put("ERROR one", "fine", "ERROR two");
    assertEquals(2, sum("errors"));
    MetricDatum datum = emitted("errors").getFirst();
    assertEquals("Count", datum.unitAsString());
    assertEquals(Instant.parse("2026-11-21T08:00:00Z"), datum.timestamp());
    assertEquals("App", world.emitted.getFirst().namespace());
  }

  @Test
  void takesValuesAndDimensionsFromJson() {
    filter(
        "latency",
        "{ $.ms = * }",
        t -> t.metricValue("$.ms").dimensions(Map.of("Path", "$.request.path")));
    put(
        "{\"ms\":12.5,\"request\":{\"path\":\"/a\"}}",
        "{\"ms\":7,\"request\":{\"path\":\"/a\"}}",
        "{\"ms\":100,\"request\":{\"path\":\"/b\"}}",
        "{\"ms\":1}", // has no such dimension
        "{\"ms\":\"fast\",\"request\":{\"path\":\"/b\"}}", // no number
        "ms 5");
    assertEquals(119.5, sum("latency"));
    assertEquals(
        List.of("/a", "/a", "/b"),
        emitted("latency").stream().map(d -> d.dimensions().getFirst().value()).toList());
  }

  @Test
  void takesValuesFromColumns() {
    filter("bytes", "[ip, user, ..., status=2*, size]", t -> t.metricValue("$size"));
    put("1.2.3.4 - \"GET / HTTP/1.1\" 200 512", "1.2.3.4 - \"GET / HTTP/1.1\" 404 100");
    assertEquals(512, sum("bytes"));
  }

  @Test
  void oneBatchIsOneDatumOfAMetricsMinute() {
    filter("n", "{ $.n = * }", t -> t.metricValue("$.n"));
    world.put(
        "web",
        World.event(world.now(), "{\"n\":1}"),
        World.event(world.now() + 1, "{\"n\":1}"),
        World.event(world.now() + 2, "{\"n\":2}"),
        World.event(world.now() + 60_000, "{\"n\":3}"));
    assertEquals(2, emitted("n").size());
    assertEquals(List.of(1.0, 2.0), emitted("n").getFirst().values());
    assertEquals(List.of(2.0, 1.0), emitted("n").getFirst().counts());
  }

  /** For a minute in which events came, but none that matched; not for a silent one. */
  @Test
  void aMinuteWithoutMatchesHasTheDefault() {
    filter("errors", "ERROR", t -> t.defaultValue(0.0));
    put("fine");
    world.time.advance(Duration.ofMinutes(1));
    assertEquals(1, emitted("errors").size());
    assertEquals(0, emitted("errors").getFirst().value());
    assertEquals(Instant.parse("2026-11-21T08:00:00Z"), emitted("errors").getFirst().timestamp());
    world.time.advance(Duration.ofMinutes(10));
    assertEquals(1, emitted("errors").size());
    put("fine", "ERROR");
    world.time.advance(Duration.ofMinutes(1));
    assertEquals(2, emitted("errors").size());
    assertEquals(1, sum("errors"));
  }

  @Test
  void whatCameBeforeTheFilterIsNotCounted() {
    filter("errors", "ERROR", t -> {});
    world.put("web", World.event(world.now() - 1, "ERROR"));
    assertEquals(0, sum("errors"));
  }

  @Test
  void logsMeasuresItself() {
    world.put("web", World.event(world.now(), "abc"), World.event(world.now(), "de"));
    world.group("other", "web");
    world.logs.putLogEvents(
        r -> r.logGroupName("other").logStreamName("web").logEvents(World.event(world.now(), "1")));
    assertEquals(6, world.measured.size(), world.measured::toString);
    assertEquals(5 + 2 * 26, taken("IncomingBytes", "{LogGroupName=" + World.GROUP + "}"));
    assertEquals(2, taken("IncomingLogEvents", "{LogGroupName=" + World.GROUP + "}"));
    assertEquals(1, taken("IncomingLogEvents", "{LogGroupName=other}"));
    assertEquals(3, taken("IncomingLogEvents", "{}"), "of all groups");
    assertEquals(6 + 3 * 26, taken("IncomingBytes", "{}"));
  }

  /** The sum of a metric of AWS/Logs. */
  private double taken(String name, String dimensions) {
    return world.measured.entrySet().stream()
        .filter(each -> each.getKey().contains("name=" + name + ", dimensions=" + dimensions))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  @Test
  void areDescribedAndDeleted() {
    filter("b", "B", t -> {});
    filter("a", "A", t -> {});
    filter("a", "A2", t -> {}); // instead
    assertEquals(2, world.shown(World.GROUP).metricFilterCount());
    List<MetricFilter> all =
        world.logs.describeMetricFilters(r -> r.logGroupName(World.GROUP)).metricFilters();
    assertEquals(List.of("a", "b"), all.stream().map(MetricFilter::filterName).toList());
    assertEquals("A2", all.getFirst().filterPattern());
    assertEquals(world.now(), all.getFirst().creationTime());
    var page = world.logs.describeMetricFilters(r -> r.limit(1));
    assertEquals("a", page.metricFilters().getFirst().filterName());
    page = world.logs.describeMetricFilters(r -> r.limit(1).nextToken(token()));
    assertEquals("b", page.metricFilters().getFirst().filterName());
    assertEquals(
        "b",
        world
            .logs
            .describeMetricFilters(r -> r.metricName("b").metricNamespace("App"))
            .metricFilters()
            .getFirst()
            .filterName());
    world.logs.deleteMetricFilter(r -> r.logGroupName(World.GROUP).filterName("a"));
    assertThrows(
        ResourceNotFoundException.class,
        () -> world.logs.deleteMetricFilter(r -> r.logGroupName(World.GROUP).filterName("a")));
    world.logs.deleteLogGroup(r -> r.logGroupName(World.GROUP));
    assertEquals(List.of(), world.logs.describeMetricFilters(r -> {}).metricFilters());
  }

  private String token() {
    return world.logs.describeMetricFilters(r -> r.limit(1)).nextToken();
  }

  @Test
  void aGroupHasAHundred() {
    for (int i = 0; i < 100; i++) {
      filter("f" + i, "x", t -> {});
    }
    filter("f7", "y", t -> {});
    assertThrows(LimitExceededException.class, () -> filter("more", "x", t -> {}));
  }

  @Test
  void survivesARestart() {
    filter("errors", "ERROR", t -> {});
    world.restart();
    put("ERROR");
    assertEquals(1, sum("errors"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ERROR | $.ms",
        "{ $.a = 1 } | $size",
        "[ip, size] | $other",
        "ERROR | many",
        "ERROR | ''",
      })
  void valuesMustBeInThePattern(String pattern, String value) {
    assertThrows(
        InvalidParameterException.class, () -> filter("f", pattern, t -> t.metricValue(value)));
  }

  @Test
  void whatIsWrongIsRefused() {
    for (Consumer<MetricTransformation.Builder> wrong :
        List.<Consumer<MetricTransformation.Builder>>of(
            t -> t.metricNamespace("AWS/ECS"),
            t -> t.metricName("a:b"),
            t -> t.metricName("x".repeat(256)),
            t -> t.metricName(null),
            t -> t.unit("Parsecs"),
            t -> t.dimensions(Map.of("A", "$.a")), // of terms
            t -> t.dimensions(Map.of("A", "$.a")).defaultValue(1.0))) {
      assertThrows(InvalidParameterException.class, () -> filter("f", "ERROR", wrong));
    }
    assertThrows(
        InvalidParameterException.class,
        () ->
            filter(
                "f",
                "{ $.a = 1 }",
                t -> t.dimensions(Map.of("A", "$.a", "B", "$.b", "C", "$.c", "D", "$.d"))));
    assertThrows(InvalidParameterException.class, () -> filter("a:b", "ERROR", t -> {}));
    assertThrows(InvalidParameterException.class, () -> filter("f", "{ broken", t -> {}));
    assertThrows(
        InvalidParameterException.class,
        () ->
            world.logs.putMetricFilter(
                r -> r.logGroupName(World.GROUP).filterName("f").filterPattern("x")));
    assertEquals(List.of(), world.logs.describeMetricFilters(r -> {}).metricFilters());
  }

  /** The example of the API's documentation. */
  @Test
  void isTested() {
    List<MetricFilterMatchRecord> matches =
        world
            .logs
            .testMetricFilter(r ->
                r.filterPattern("[ip, identity, user_id, timestamp, request, status_code, size]")
                    .logEventMessages(
                        "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /apache_pb.gif"
                            + " HTTP/1.0\" 200 1534",
                        "two words"))
            .matches();
    assertEquals(1, matches.size());
    assertEquals(1, matches.getFirst().eventNumber());
    assertEquals(
        Map.of(
            "$ip", "127.0.0.1",
            "$identity", "-",
            "$user_id", "frank",
            "$timestamp", "10/Oct/2000:13:25:15 -0700",
            "$request", "GET /apache_pb.gif HTTP/1.0",
            "$status_code", "200",
            "$size", "1534"),
        matches.getFirst().extractedValues());
    assertEquals(
        Map.of("$.a", "1"),
        world
            .logs
            .testMetricFilter(
                r -> r.filterPattern("{ $.a = 1 || $.b = 2 }").logEventMessages("{\"a\":1}"))
            .matches()
            .getFirst()
            .extractedValues());
    assertThrows(
        InvalidParameterException.class,
        () -> world.logs.testMetricFilter(r -> r.filterPattern("x")));
  }
}
