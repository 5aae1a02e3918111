package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Measurements;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsRequest;
import software.amazon.awssdk.services.cloudwatch.model.InvalidNextTokenException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterCombinationException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterValueException;
import software.amazon.awssdk.services.cloudwatch.model.ListMetricsResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.MissingRequiredParameterException;
import software.amazon.awssdk.services.cloudwatch.model.RecentlyActive;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.cloudwatch.model.StatusCode;

@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class MetricsTest {

  private static final Instant START = World.START;

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void put(Consumer<MetricDatum.Builder> datum) {
    world.cloudWatch.putMetricData(r -> r.namespace("App").metricData(datum));
  }

  private String refused(Consumer<MetricDatum.Builder> datum) {
    return assertThrows(CloudWatchException.class, () -> put(d -> datum.accept(d.metricName("m"))))
        .getMessage();
  }

  private List<Datapoint> statistics(Consumer<GetMetricStatisticsRequest.Builder> more) {
    return world
        .cloudWatch
        .getMetricStatistics(r -> {
          r.namespace("App")
              .metricName("m")
              .period(60)
              .startTime(START)
              .endTime(START.plusSeconds(600));
          more.accept(r);
        })
        .datapoints();
  }

  @Test
  void allFormsOfADatumAddUp() {
    put(d -> d.metricName("m").value(1.0).timestamp(START.plusSeconds(5)));
    put(d -> d.metricName("m").values(2.0, 3.0).counts(2.0, 1.0).timestamp(START.plusSeconds(50)));
    put(d ->
        d.metricName("m")
            .timestamp(START.plusSeconds(59))
            .statisticValues(s -> s.sampleCount(2.0).sum(8.0).minimum(4.0).maximum(4.0)));
    Datapoint point =
        statistics(r ->
                r.statistics(
                    Statistic.SAMPLE_COUNT,
                    Statistic.AVERAGE,
                    Statistic.SUM,
                    Statistic.MINIMUM,
                    Statistic.MAXIMUM))
            .getFirst();
    assertEquals(START, point.timestamp());
    assertEquals(6, point.sampleCount());
    assertEquals(16, point.sum());
    assertEquals(16.0 / 6, point.average());
    assertEquals(1, point.minimum());
    assertEquals(4, point.maximum());
    assertEquals(StandardUnit.NONE, point.unit());
    Map<String, Double> extended =
        statistics(r -> r.extendedStatistics("p50", "tm50", "PR(:2)"))
            .getFirst()
            .extendedStatistics();
    assertEquals(2, extended.get("p50"));
    assertEquals(50, extended.get("PR(:2)"));
  }

  @Test
  void unitsAreKeptApart() {
    put(d -> d.metricName("m").value(1.0).unit(StandardUnit.SECONDS).timestamp(START));
    put(d -> d.metricName("m").value(2.0).unit(StandardUnit.BYTES).timestamp(START));
    assertEquals(2, statistics(r -> r.statistics(Statistic.SUM)).size());
    assertEquals(
        2.0,
        statistics(r -> r.statistics(Statistic.SUM).unit(StandardUnit.BYTES)).getFirst().sum());
    assertEquals(
        List.of(), statistics(r -> r.statistics(Statistic.SUM).unit(StandardUnit.PERCENT)));
    assertEquals(1, world.cloudWatch.listMetrics(r -> {}).metrics().size());
  }

  @Test
  void highResolutionIsKeptByTheSecond() {
    for (int second = 0; second < 30; second++) {
      Instant at = START.plusSeconds(second);
      put(d -> d.metricName("m").value(1.0).timestamp(at).storageResolution(1));
    }
    assertEquals(30, statistics(r -> r.period(1).statistics(Statistic.SUM)).size());
    assertEquals(10.0, statistics(r -> r.period(10).statistics(Statistic.SUM)).getFirst().sum());
    assertEquals(30.0, statistics(r -> r.period(60).statistics(Statistic.SUM)).getFirst().sum());
  }

  @Test
  void badDataAreRefused() {
    assertThrows(
        MissingRequiredParameterException.class,
        () -> world.cloudWatch.putMetricData(r -> r.metricData(d -> d.metricName("m").value(1.0))));
    assertEquals(
        "The value AWS/ECS for parameter Namespace is invalid.",
        assertThrows(
                InvalidParameterValueException.class,
                () ->
                    world.cloudWatch.putMetricData(
                        r -> r.namespace("AWS/ECS").metricData(d -> d.metricName("m").value(1.0))))
            .getMessage());
    assertEquals(
        "The value NaN for parameter MetricData.member.1.Value is invalid.",
        refused(d -> d.value(Double.NaN)));
    refused(d -> d.value(Double.POSITIVE_INFINITY));
    refused(d -> d.value(1e120));
    refused(d -> d.values(1.0).counts(1.0, 2.0));
    refused(d -> d.values(1.0).counts(0.0));
    refused(d -> d.counts(1.0));
    refused(d -> d.values(Collections.nCopies(151, 1.0)));
    refused(d -> d.value(1.0).storageResolution(5));
    String units =
        refused(d -> d.value(1.0).unit("Furlongs"))
            .replace("The parameter MetricData.member.1.Unit must be a value in the set [ ", "")
            .replace(" ].", "");
    assertEquals(StandardUnit.knownValues().toString(), "[" + units + "]");
    refused(d -> {});
    refused(d -> d.value(1.0).statisticValues(s -> s.sampleCount(1.0).sum(1.0)));
    refused(d -> d.statisticValues(s -> s.sampleCount(1.0).sum(1.0).minimum(2.0).maximum(1.0)));
    refused(d -> d.statisticValues(s -> s.sampleCount(0.0).sum(1.0).minimum(1.0).maximum(1.0)));
    assertEquals(
        "The parameter MetricData.member.1.Timestamp must specify a time within the past two"
            + " weeks.",
        refused(d -> d.value(1.0).timestamp(START.minus(Duration.ofDays(15)))));
    assertEquals(
        "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in"
            + " the future.",
        refused(d -> d.value(1.0).timestamp(START.plus(Duration.ofHours(3)))));
    List<Dimension> many = new ArrayList<>();
    for (int i = 0; i < 31; i++) {
      many.add(Dimension.builder().name("d" + i).value("v").build());
    }
    assertEquals(
        "The collection MetricData.member.1.Dimensions must not have a size greater than 30.",
        refused(d -> d.value(1.0).dimensions(many)));
    put(d -> d.metricName("m").value(1.0).dimensions(many.subList(0, 30)));
    refused(d -> d.value(1.0).dimensions(x -> x.name("a")));
    refused(d -> d.value(1.0).dimensions(x -> x.name("a").value("  ")));
    assertEquals(
        "The value é for parameter MetricData.member.1.Dimensions.member.1.Value must contain only"
            + " ASCII characters.",
        refused(d -> d.value(1.0).dimensions(x -> x.name("a").value("é"))));
    assertThrows(
        InvalidParameterValueException.class,
        () ->
            world.cloudWatch.putMetricData(
                r -> r.namespace("Ñ").metricData(d -> d.metricName("m").value(1.0))));
    assertThrows(
        InvalidParameterValueException.class,
        () ->
            world.cloudWatch.putMetricData(r ->
                r.namespace("App")
                    .metricData(
                        Collections.nCopies(
                            1_001, MetricDatum.builder().metricName("m").value(1.0).build()))));
    world.cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(
                Collections.nCopies(
                    1_000, MetricDatum.builder().metricName("m").value(1.0).build())));
  }

  @Test
  void nothingOfARefusedRequestIsKept() {
    assertThrows(
        InvalidParameterValueException.class,
        () ->
            world.cloudWatch.putMetricData(r ->
                r.namespace("App")
                    .metricData(
                        d -> d.metricName("good").value(1.0),
                        d -> d.metricName("bad").value(Double.NaN))));
    assertEquals(List.of(), world.cloudWatch.listMetrics(r -> {}).metrics());
  }

  @Test
  void statisticsAreCheckedAndBounded() {
    put(d -> d.metricName("m").value(1.0).timestamp(START));
    assertEquals(
        "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may"
            + " reduce the datapoints requested by increasing Period, or decreasing the time"
            + " range.",
        assertThrows(
                InvalidParameterCombinationException.class,
                () ->
                    statistics(
                        r -> r.statistics(Statistic.SUM).endTime(START.plus(Duration.ofDays(2)))))
            .getMessage());
    assertThrows(CloudWatchException.class, () -> statistics(r -> {}));
    assertThrows(
        CloudWatchException.class,
        () -> statistics(r -> r.statistics(Statistic.SUM).extendedStatistics("p50")));
    assertThrows(CloudWatchException.class, () -> statistics(r -> r.extendedStatistics("p200")));
    assertEquals(
        "The parameter Statistics.member.2 must be a value in the set [ Maximum, SampleCount, Sum,"
            + " Minimum, Average ].",
        assertThrows(
                InvalidParameterValueException.class,
                () -> statistics(r -> r.statisticsWithStrings("Sum", "p95")))
            .getMessage());
    assertThrows(
        CloudWatchException.class, () -> statistics(r -> r.period(90).statistics(Statistic.SUM)));
    assertThrows(
        CloudWatchException.class, () -> statistics(r -> r.period(7).statistics(Statistic.SUM)));
    assertThrows(
        CloudWatchException.class,
        () -> statistics(r -> r.statistics(Statistic.SUM).endTime(START)));
  }

  @Test
  void metricsAreListedByWhatTheyAre() {
    world.put("m", START, 1, "Host=a");
    world.put("m", START, 1, "Host=b", "Zone=1");
    world.put("n", START, 1);
    assertEquals(3, list(null, null).metrics().size());
    assertEquals(
        2, world.cloudWatch.listMetrics(r -> r.dimensions(d -> d.name("Host"))).metrics().size());
    assertEquals(
        1,
        world
            .cloudWatch
            .listMetrics(r -> r.dimensions(d -> d.name("Host").value("b")))
            .metrics()
            .size());
    assertEquals(1, list("n", null).metrics().size());
    assertThrows(
        CloudWatchException.class,
        () -> world.cloudWatch.listMetrics(r -> r.includeLinkedAccounts(true)));
    world.time.advance(Duration.ofHours(4));
    world.put("n", world.time.instant(), 1);
    assertEquals(1, list(null, RecentlyActive.PT3_H).metrics().size());
    world.time.advance(Duration.ofDays(15));
    assertEquals(0, list(null, null).metrics().size());
  }

  private ListMetricsResponse list(String name, RecentlyActive active) {
    return world.cloudWatch.listMetrics(r -> r.metricName(name).recentlyActive(active));
  }

  @Test
  void metricsComeByPages() {
    for (int i = 0; i < 1_200; i += 600) {
      List<MetricDatum> data = new ArrayList<>();
      for (int j = i; j < i + 600; j++) {
        data.add(MetricDatum.builder().metricName("m" + j).value(1.0).build());
      }
      world.cloudWatch.putMetricData(r -> r.namespace("App").metricData(data));
    }
    List<Integer> sizes = new ArrayList<>();
    long different =
        world.cloudWatch.listMetricsPaginator(r -> r.namespace("App")).stream()
            .peek(page -> sizes.add(page.metrics().size()))
            .flatMap(page -> page.metrics().stream())
            .distinct()
            .count();
    assertEquals(List.of(500, 500, 200), sizes);
    assertEquals(1_200, different);
    assertThrows(
        InvalidNextTokenException.class, () -> world.cloudWatch.listMetrics(r -> r.nextToken("x")));
  }

  @Test
  void dataComeByPages() {
    world.minutes("a", 1, 2, 3).minutes("b", 4, 5);
    GetMetricDataRequest request =
        GetMetricDataRequest.builder()
            .startTime(START)
            .endTime(START.plusSeconds(600))
            .maxDatapoints(2)
            .metricDataQueries(
                World.sum("m1", "a").toBuilder().returnData(true).build(),
                World.sum("m2", "b").toBuilder().returnData(true).build())
            .build();
    List<String> seen = new ArrayList<>();
    String token = null;
    do {
      GetMetricDataResponse page =
          world.cloudWatch.getMetricData(request.toBuilder().nextToken(token).build());
      for (MetricDataResult result : page.metricDataResults()) {
        seen.add(result.id() + result.values() + result.statusCode());
      }
      token = page.nextToken();
    } while (token != null);
    assertEquals(
        List.of(
            "m1[3.0, 2.0]" + StatusCode.PARTIAL_DATA,
            "m1[1.0]" + StatusCode.COMPLETE,
            "m2[5.0]" + StatusCode.PARTIAL_DATA,
            "m2[4.0]" + StatusCode.COMPLETE),
        seen);
    assertNull(token);
  }

  @Test
  void labelsTellOfTheirSeries() {
    world.put("cpu", START, 10, "Host=web");
    world.put("cpu", START.plusSeconds(60), 30, "Host=web");
    MetricDataQuery query =
        MetricDataQuery.builder()
            .id("m1")
            .label("${PROP('Dim.Host')} ${PROP('MetricName')}: ${AVG}, ${MAX} at ${MAX_TIME}")
            .metricStat(s ->
                s.metric(m ->
                        m.namespace("App")
                            .metricName("cpu")
                            .dimensions(World.dimensions("Host=web")))
                    .stat("Average")
                    .period(60))
            .build();
    MetricDataResult result =
        world
            .cloudWatch
            .getMetricData(r ->
                r.startTime(START)
                    .endTime(START.plusSeconds(600))
                    .labelOptions(o -> o.timezone("+0130"))
                    .metricDataQueries(query))
            .metricDataResults()
            .getFirst();
    assertEquals("web cpu: 20, 30 at 2026-11-21T13:31:00+01:30", result.label());
  }

  @Test
  void queriesAreChecked() {
    for (MetricDataQuery bad :
        List.of(
            MetricDataQuery.builder().build(),
            MetricDataQuery.builder().id("M1").expression("1").build(),
            MetricDataQuery.builder().id("m1").build(),
            MetricDataQuery.builder().id("m1").expression("SELECT AVG(x) FROM y").build(),
            World.sum("m1", "a").toBuilder().expression("1").build(),
            MetricDataQuery.builder()
                .id("m1")
                .metricStat(
                    s -> s.metric(m -> m.namespace("A").metricName("b")).stat("Sum").period(7))
                .build())) {
      assertThrows(CloudWatchException.class, () -> world.data(bad), bad.toString());
    }
    assertThrows(
        CloudWatchException.class, () -> world.data(World.sum("m1", "a"), World.sum("m1", "b")));
  }

  @Test
  void thePlatformMeasuresUnderAwsNames() {
    world
        .cloudWatch
        .measurements()
        .of(
            new Measurements.Metric(
                "AWS/ECS", "CPUUtilization", Map.of("ClusterName", "c"), StandardUnit.PERCENT))
        .record(40);
    world.time.advance(Duration.ofMinutes(1));
    assertTrue(
        world
            .cloudWatch
            .listMetrics(r -> r.namespace("AWS/ECS"))
            .metrics()
            .getFirst()
            .dimensions()
            .getFirst()
            .value()
            .equals("c"));
  }
}
