package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.PageToken;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricDataResponse;
import software.amazon.awssdk.services.cloudwatch.model.InvalidNextTokenException;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterCombinationException;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

/**
 * What weeks and months leave of measurements, and how questions over as much are answered.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html">MetricStat,
 *     Period</a>
 */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class RetentionTest {

  private static final Instant START = World.START;
  private static final Instant LATER = START.plus(Duration.ofHours(2));

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

  private static MetricDataQuery query(String id, String name, int period) {
    return World.sum(id, name).toBuilder()
        .returnData(true)
        .metricStat(
            s -> s.metric(m -> m.namespace("App").metricName(name)).stat("Sum").period(period))
        .build();
  }

  private static MetricDataQuery expression(String id, String text) {
    return MetricDataQuery.builder().id(id).expression(text).build();
  }

  private MetricDataResult data(Instant from, Instant to, MetricDataQuery... queries) {
    return world
        .cloudWatch
        .getMetricData(r ->
            r.startTime(from)
                .endTime(to)
                .scanBy(ScanBy.TIMESTAMP_ASCENDING)
                .metricDataQueries(queries))
        .metricDataResults()
        .getLast();
  }

  /** How many points there are of the two hours, which both operations have to agree on. */
  private int points(int period) {
    MetricDataResult data = data(START, LATER, query("m1", "m", period));
    // No more than 1,440 points may be asked for.
    Instant to = period == 1 ? START.plusSeconds(60) : LATER;
    List<Datapoint> statistics =
        world
            .cloudWatch
            .getMetricStatistics(r ->
                r.namespace("App")
                    .metricName("m")
                    .statistics(Statistic.SUM)
                    .period(period)
                    .startTime(START)
                    .endTime(to))
            .datapoints();
    assertEquals(data.values().size(), statistics.size());
    if (!data.values().isEmpty() && period >= 60) {
      assertEquals(180, data.values().stream().mapToDouble(v -> v).sum());
      assertEquals(180, statistics.stream().mapToDouble(Datapoint::sum).sum());
    }
    return data.values().size();
  }

  private List<Integer> points() {
    return Arrays.stream(new int[] {1, 30, 60, 120, 300, 600, 3_600, 7_200})
        .map(this::points)
        .boxed()
        .toList();
  }

  @Test
  void aPeriodMustFitTheAgeOfWhatIsAskedFor() {
    world.cloudWatch.putMetricData(r -> {
      r.namespace("App");
      List<MetricDatum> data = new ArrayList<>();
      for (int second = 0; second < 60; second++) {
        Instant at = START.plusSeconds(second);
        data.add(datum(at, 1));
      }
      for (int minute = 1; minute < 120; minute++) {
        data.add(datum(START.plusSeconds(minute * 60L), minute == 119 ? 2 : 1));
      }
      r.metricData(data);
    });
    world.time.advance(Duration.ofHours(2));
    assertEquals(List.of(60, 2, 120, 60, 24, 12, 2, 1), points());
    world.restart(Duration.ofHours(4));
    world.time.settle();
    assertEquals(List.of(0, 0, 120, 60, 24, 12, 2, 1), points(), "of the day before");
    world.restart(Duration.ofDays(16));
    world.time.settle();
    assertEquals(List.of(0, 0, 0, 0, 24, 12, 2, 1), points(), "after 15 days");
    world.restart(Duration.ofDays(48));
    world.time.settle();
    assertEquals(List.of(0, 0, 0, 0, 0, 0, 2, 1), points(), "after 63 days");
    world.restart(Duration.ofDays(390));
    world.time.settle();
    assertEquals(List.of(0, 0, 0, 0, 0, 0, 2, 1), points(), "after 454 days");
    world.restart(Duration.ofDays(8));
    world.time.settle();
    assertEquals(List.of(0, 0, 0, 0, 0, 0, 0, 0), points(), "after 455 days");
  }

  private static MetricDatum datum(Instant at, double value) {
    return MetricDatum.builder()
        .metricName("m")
        .timestamp(at)
        .value(value)
        .storageResolution(at.isBefore(START.plusSeconds(60)) ? 1 : 60)
        .build();
  }

  @Test
  void anOldStartIsRoundedDownAsItsAgeWantsIt() {
    world.put("m", START.plusSeconds(32 * 60), 1);
    Instant from = START.plusSeconds(32 * 60 + 34);
    assertEquals(
        START.plusSeconds(32 * 60),
        data(from, LATER, query("m1", "m", 60)).timestamps().getFirst());
    world.restart(Duration.ofDays(16));
    world.time.settle();
    assertEquals(
        START.plusSeconds(30 * 60),
        data(from, LATER, query("m1", "m", 300)).timestamps().getFirst());
    world.restart(Duration.ofDays(48));
    world.time.settle();
    assertEquals(START, data(from, LATER, query("m1", "m", 3_600)).timestamps().getFirst());
  }

  @Test
  void aLongQuestionHasWhatItsPeriodAllowsOfEachAge() {
    world.put("m", START, 1);
    world.restart(Duration.ofDays(60));
    world.put("m", world.time.instant(), 2);
    world.restart(Duration.ofDays(20));
    world.put("m", world.time.instant(), 4);
    world.time.advance(Duration.ofHours(1));
    Instant now = world.time.instant();
    assertEquals(List.of(4.0), data(START, now, query("m1", "m", 60)).values());
    assertEquals(List.of(2.0, 4.0), data(START, now, query("m1", "m", 300)).values());
    assertEquals(List.of(1.0, 2.0, 4.0), data(START, now, query("m1", "m", 3_600)).values());
  }

  /** Nothing older than its period allows can be missing, and so be filled; nor what is to come. */
  @Test
  void whatIsFilledHasAnEnd() {
    world.put("m", START, 7);
    world.time.advance(Duration.ofHours(1));
    Instant now = world.time.instant();
    Instant never = Instant.parse("9999-12-31T00:00:00Z");
    MetricDataResult filled =
        data(Instant.EPOCH, never, query("m1", "m", 60), expression("e1", "FILL(m1, 0)"));
    assertEquals(now.minus(Duration.ofDays(15)), filled.timestamps().getFirst());
    assertEquals(now.plus(Duration.ofMinutes(119)), filled.timestamps().getLast());
    assertEquals(7, filled.values().stream().mapToDouble(v -> v).sum());
    MetricDataResult constant =
        data(Instant.EPOCH, never, query("m1", "m", 1), expression("e1", "TIME_SERIES(1)"));
    assertEquals(now.minus(Duration.ofHours(3)), constant.timestamps().getFirst());
    assertEquals(now.plusSeconds(7_199), constant.timestamps().getLast());
  }

  /** A series by the minute beside one by the second, asked for from within a minute. */
  @Test
  void whatIsFilledLiesWhereItsSeriesDoes() {
    world.put("m", START, 7);
    world.put("m", START.plusSeconds(120), 8);
    MetricDataResult filled =
        data(
            START.plusSeconds(7),
            START.plusSeconds(180),
            query("m1", "m", 60),
            query("m2", "m", 1),
            expression("e1", "FILL(m1, 0)"));
    assertEquals(List.of(7.0, 0.0, 8.0), filled.values());
  }

  @Test
  void expressionsHaveABound() {
    List<MetricDataQuery> many = new ArrayList<>();
    many.add(query("m1", "m", 60).toBuilder().returnData(false).build());
    StringBuilder sum = new StringBuilder("m1");
    for (int i = 0; i < 50; i++) {
      many.add(expression("e" + i, "TIME_SERIES(" + i + ")").toBuilder().returnData(false).build());
      sum.append(" + e").append(i);
    }
    many.add(expression("all", sum.toString()));
    assertTrue(
        assertThrows(
                InvalidParameterCombinationException.class,
                () ->
                    data(
                        Instant.EPOCH, START.plusSeconds(60), many.toArray(MetricDataQuery[]::new)))
            .getMessage()
            .contains("need more than 1,000,000 datapoints"));
  }

  private static String seen(GetMetricDataResponse page) {
    List<String> seen = new ArrayList<>();
    page.metricDataResults()
        .forEach(result -> seen.add(result.id() + result.values() + result.statusCode()));
    return String.join(" ", seen);
  }

  private GetMetricDataResponse page(GetMetricDataRequest request, String token) {
    return world.cloudWatch.getMetricData(request.toBuilder().nextToken(token).build());
  }

  @Test
  void pagesGoOnWhereTheLastOneEndedWhateverComesMeanwhile() {
    world.minutes("a", 1, 2, Double.NaN, 4).minutes("c", 9);
    GetMetricDataRequest newestFirst =
        GetMetricDataRequest.builder()
            .startTime(START)
            .endTime(START.plusSeconds(600))
            .maxDatapoints(2)
            .metricDataQueries(query("m1", "a", 60), query("m2", "b", 60), query("m3", "c", 60))
            .build();
    GetMetricDataRequest oldestFirst =
        newestFirst.toBuilder().scanBy(ScanBy.TIMESTAMP_ASCENDING).build();
    GetMetricDataResponse newest = page(newestFirst, null);
    GetMetricDataResponse oldest = page(oldestFirst, null);
    assertEquals("m1[4.0, 2.0]PartialData", seen(newest));
    assertEquals("m1[1.0, 2.0]PartialData", seen(oldest));
    world.put("a", START.plusSeconds(240), 5);
    assertEquals(
        "m1[1.0]Complete m2[]Complete m3[9.0]Complete",
        seen(page(newestFirst, newest.nextToken())));
    GetMetricDataResponse second = page(oldestFirst, oldest.nextToken());
    assertEquals("m1[4.0, 5.0]Complete", seen(second));
    GetMetricDataResponse third = page(oldestFirst, second.nextToken());
    assertEquals("m2[]Complete m3[9.0]Complete", seen(third));
    assertNull(third.nextToken());
  }

  @Test
  void whatIsNoPageIsRefused() {
    world.minutes("a", 1, 2, 3);
    GetMetricDataRequest request =
        GetMetricDataRequest.builder()
            .startTime(START)
            .endTime(START.plusSeconds(600))
            .maxDatapoints(1)
            .metricDataQueries(query("m1", "a", 60))
            .build();
    String token = page(request, null).nextToken();
    GetMetricDataRequest other = request.toBuilder().maxDatapoints(2).build();
    assertThrows(InvalidNextTokenException.class, () -> page(other, token));
    for (String position : List.of("", "0", "-1.0.", "0.0.x", "99999999999.0.", "0..", "0.0.-1")) {
      String forged = PageToken.of(request, position);
      assertThrows(InvalidNextTokenException.class, () -> page(request, forged), position);
    }
    assertEquals("", seen(page(request, PageToken.of(request, "999.999.9"))));
    for (int most : new int[] {0, -1, 100_801, Integer.MIN_VALUE}) {
      GetMetricDataRequest wrong = request.toBuilder().maxDatapoints(most).build();
      assertThrows(CloudWatchException.class, () -> page(wrong, null));
    }
    for (int period : new int[] {0, -60, 7, 90, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      GetMetricDataRequest wrong =
          request.toBuilder().metricDataQueries(query("m1", "a", period)).build();
      assertThrows(CloudWatchException.class, () -> page(wrong, null));
    }
  }
}
