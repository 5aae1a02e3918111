package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataResult;

/**
 * Metric math, by the documentation's list of functions.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html">Using
 *     metric math</a>
 */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class MathTest {

  private static final double GAP = Double.NaN;

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world =
        new World(directory)
            .minutes("a", 1, 2, 3, 4)
            .minutes("b", 10, GAP, 30, 0)
            .minutes("c", 5, 5, 5, 5, 5);
  }

  @AfterEach
  void close() {
    world.close();
  }

  /** {@code 0:1 2:3}: minute and value; series are parted by a bar. */
  private static String shown(List<MetricDataResult> results) {
    List<String> series = new ArrayList<>();
    for (MetricDataResult result : results) {
      List<String> points = new ArrayList<>();
      for (int i = 0; i < result.values().size(); i++) {
        long minute = Duration.between(World.START, result.timestamps().get(i)).toMinutes();
        double rounded = Math.round(result.values().get(i) * 1e4) / 1e4;
        points.add(
            minute
                + ":"
                + (rounded == Math.rint(rounded)
                    ? Long.toString((long) rounded)
                    : Double.toString(rounded)));
      }
      series.add(String.join(" ", points));
    }
    return String.join(" | ", series);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          m1 + m2; 0:11 1:2 2:33 3:4
          m1 * 2 - 1; 0:1 1:3 2:5 3:7
          1 / (m1 - 1); 1:1 2:0.5 3:0.3333
          m1 / m2; 0:0.1 2:0.1
          -m1 ^ 2; 0:-1 1:-4 2:-9 3:-16
          2 ^ 3 ^ 0 * m1; 0:2 1:4 2:6 3:8
          m1 > 2; 0:0 1:0 2:1 3:1
          m1 >= 2 AND m1 != 3; 0:0 1:1 2:0 3:1
          m1 < 2 || m1 == 3; 0:1 1:0 2:1 3:0
          ABS(0 - m1); 0:1 1:2 2:3 3:4
          CEIL(m1 / 2); 0:1 1:1 2:2 3:2
          FLOOR(m1 / 2); 0:0 1:1 2:1 3:2
          LOG10(m1 * 100 / m1); 0:2 1:2 2:2 3:2
          LOG(m1); 0:0 1:0.6931 2:1.0986 3:1.3863
          m1 - AVG(m1); 0:-1.5 1:-0.5 2:0.5 3:1.5
          m1 * 0 + SUM(m2); 0:40 1:40 2:40 3:40
          m1 * 0 + STDDEV(m1); 0:1.118 1:1.118 2:1.118 3:1.118
          AVG([m1, m2]); 0:5.5 1:1 2:16.5 3:2
          MAX([m1, m2]); 0:10 1:2 2:30 3:4
          MIN([m1, m2]); 0:1 1:2 2:3 3:0
          SUM(METRICS()); 0:16 1:7 2:38 3:9 4:5
          STDDEV([m1, m2]); 0:4.5 1:0 2:13.5 3:2
          METRICS("2") + 1; 0:11 2:31 3:1
          DATAPOINT_COUNT([m1, m2]); 0:2 1:1 2:2 3:2
          m1 * 0 + DATAPOINT_COUNT(m2); 0:3 1:3 2:3 3:3
          m1 * 0 + METRIC_COUNT(METRICS()); 0:3 1:3 2:3 3:3
          DIFF(m2); 2:20 3:-30
          DIFF_TIME(m2); 2:120 3:60
          RATE(m2); 2:0.1667 3:-0.5
          RUNNING_SUM(m1); 0:1 1:3 2:6 3:10
          FILL(m2, 7); 0:10 1:7 2:30 3:0 4:7 5:7 6:7 7:7 8:7 9:7
          FILL(m2, REPEAT); 0:10 1:10 2:30 3:0 4:0 5:0 6:0 7:0 8:0 9:0
          FILL(m2, LINEAR); 0:10 1:20 2:30 3:0
          FILL(m2, m1); 0:10 1:2 2:30 3:0
          IF(m1 > 2, m1, 0); 0:0 1:0 2:3 3:4
          IF(m1 > 2, m2); 2:30 3:0
          IF(m1 > 1, m2); 1:0 2:30 3:0
          IF(m1 > 2, m2, m1); 0:1 1:2 2:30 3:0
          IF(1, m1, m2); 0:1 1:2 2:3 3:4
          FIRST(METRICS()); 0:1 1:2 2:3 3:4
          LAST([m1, m2]); 0:10 2:30 3:0
          MINUTE(m1); 0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9
          HOUR(m1); 0:12 1:12 2:12 3:12 4:12 5:12 6:12 7:12 8:12 9:12
          DAY(m1); 0:6 1:6 2:6 3:6 4:6 5:6 6:6 7:6 8:6 9:6
          DATE(m1); 0:21 1:21 2:21 3:21 4:21 5:21 6:21 7:21 8:21 9:21
          MONTH(m1); 0:11 1:11 2:11 3:11 4:11 5:11 6:11 7:11 8:11 9:11
          YEAR(m1); 0:2026 1:2026 2:2026 3:2026 4:2026 5:2026 6:2026 7:2026 8:2026 9:2026
          EPOCH(m1) - EPOCH(m1); 0:0 1:0 2:0 3:0 4:0 5:0 6:0 7:0 8:0 9:0
          m1 * PERIOD(m1); 0:60 1:120 2:180 3:240
          SLICE(SORT(METRICS(), SUM, DESC), 0, 1); 0:10 2:30 3:0
          SLICE(METRICS(), 1); 0:10 2:30 3:0 | 0:5 1:5 2:5 3:5 4:5
          SLICE(SORT(METRICS(), AVG, ASC), 2); 0:10 2:30 3:0
          SORT(METRICS(), MAX, ASC, 2); 0:1 1:2 2:3 3:4 | 0:5 1:5 2:5 3:5 4:5
          TIME_SERIES(3); 0:3 1:3 2:3 3:3 4:3 5:3 6:3 7:3 8:3 9:3
          REMOVE_EMPTY([m1 / 0, m2]); 0:10 2:30 3:0
          MAX(METRICS()) - MIN(METRICS()); 0:9 1:3 2:27 3:5 4:0
          SEARCH('{App} MetricName="a"', 'Sum', 60); 0:1 1:2 2:3 3:4
          SUM(SEARCH('App NOT MetricName="c"', 'Sum', 60)); 0:11 1:2 2:33 3:4
          """)
  void isWorth(String expression, String expected) {
    assertEquals(expected, shown(world.math(expression)));
  }

  /** The tables of AWS's page; a dash is a minute without a value. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          30 20 0 0; 20 - 20 -; - - - -; m1 < m2; 0 0 1 0
          30 20 0 0; 20 - 20 -; - - - -; m1 >= 30; 1 0 0 0
          30 20 0 0; 20 - 20 -; - - - -; m1 > 15 AND m2 > 15; 1 0 0 0
          1 1 0 0 -; 30 - 0 0 30; 0 0 20 - 20; IF(m1, m2, m3); 30 0 20 - -
          1 1 0 0 -; - - - - -; 0 0 20 - 20; IF(m1, 5, m3); 5 5 20 - -
          1 1 0 0 -; 30 - 0 0 30; - - - - -; IF(m1, m2, 5); 30 0 5 5 -
          """)
  void amazonsExamples(String one, String two, String three, String expression, String result)
      throws IOException {
    try (World other =
        new World(Files.createDirectory(directory.resolve("other")))
            .minutes("a", numbers(one))
            .minutes("b", numbers(two))
            .minutes("c", numbers(three))) {
      List<String> expected = new ArrayList<>();
      String[] values = result.split(" ");
      for (int i = 0; i < values.length; i++) {
        if (!values[i].equals("-")) {
          expected.add(i + ":" + values[i]);
        }
      }
      assertEquals(String.join(" ", expected), shown(other.math(expression)));
    }
  }

  private static double[] numbers(String text) {
    return Arrays.stream(text.split(" "))
        .mapToDouble(each -> each.equals("-") ? GAP : Double.parseDouble(each))
        .toArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      textBlock =
          """
          m1 +; Syntax error at 'end of expression'
          m1 m2; Syntax error at 'm2'
          (m1; Syntax error at 'end of expression'
          m9; Undefined ID 'm9'
          e1 + 1; Circular reference of ID 'e1'
          5; The result is a Scalar, it must be a time series
          METRICS() + METRICS(); Unsupported operand type(s) for PLUS: 'TimeSeries[]' and 'TimeSeries[]'
          m1 + 'x'; Unsupported operand type(s) for PLUS: 'TimeSeries' and 'String'
          FOO(m1); Unknown function 'FOO'
          FILL(m1); The function FILL does not take 1 arguments
          RATE(5); The function RATE cannot be applied to Scalar
          ANOMALY_DETECTION_BAND(m1, 2); The function ANOMALY_DETECTION_BAND is not supported by this region yet
          DB_PERF_INSIGHTS('RDS', 'db', 'x'); The function DB_PERF_INSIGHTS is not supported by this region yet
          INSIGHT_RULE_METRIC('a', Sum); The function INSIGHT_RULE_METRIC is not supported by this region yet
          LAMBDA('f'); The function LAMBDA is not supported by this region yet
          SERVICE_QUOTA(m1); The function SERVICE_QUOTA is not supported by this region yet
          SEARCH('(', 'Sum', 60); A SEARCH ends where a term is expected
          SEARCH('x', 'Foo', 60); Unknown statistic 'Foo'
          m1 # m2; Unexpected character '#'
          """)
  void isRefused(String expression, String why) {
    CloudWatchException refused =
        assertThrows(CloudWatchException.class, () -> world.math(expression));
    assertEquals("ValidationError", refused.awsErrorDetails().errorCode());
    assertTrue(
        refused.awsErrorDetails().errorMessage().contains("Error in expression 'e1': " + why),
        refused.awsErrorDetails().errorMessage());
  }

  @Test
  void deepAndWildExpressionsAreRefusedNotSuffered() {
    assertThrows(
        CloudWatchException.class, () -> world.math("(".repeat(1_000) + "m1" + ")".repeat(1_000)));
    String[] pieces = {
      "m1", "m2", "(", ")", "[", "]", ",", "+", "-", "^", "AVG", "IF", "2", "'x'", "==", "FILL",
      "REPEAT", "SORT", "\"", "METRICS", "SEARCH", ".", "e1"
    };
    Random random = new Random(11);
    for (int i = 0; i < 3_000; i++) {
      StringBuilder expression = new StringBuilder();
      for (int j = random.nextInt(12); j >= 0; j--) {
        expression.append(pieces[random.nextInt(pieces.length)]).append(' ');
      }
      try {
        world.math(expression.toString());
      } catch (CloudWatchException e) {
        assertEquals(400, e.statusCode(), expression.toString());
      }
    }
  }

  @Test
  void expressionsUseExpressions() {
    List<MetricDataResult> results =
        world.data(
            World.sum("m1", "a"),
            MetricDataQuery.builder().id("twice").expression("m1 * 2").label("${MAX}!").build(),
            MetricDataQuery.builder().id("more").expression("twice + 1").build());
    assertEquals("0:2 1:4 2:6 3:8 | 0:3 1:5 2:7 3:9", shown(results));
    assertEquals("8!", results.get(0).label());
    assertEquals("more", results.get(1).label());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      textBlock =
          """
          {Web,Host} MetricName="RequestCount"; h1 RequestCount,h2 RequestCount
          {Web,Host}; h1 RequestCount,h2 RequestCount,h1 errorCount
          {Web}; total
          count; h1 RequestCount,h2 RequestCount,h1 errorCount
          request h1; h1 RequestCount
          Host="h2"; h2 RequestCount
          Host=h2 OR error; h2 RequestCount,h1 errorCount
          MetricName=(total OR error); h1 errorCount,total
          NOT Host; total
          Namespace="Web" NOT (h1 OR h2); total
          "Request";
          reque;
          """)
  void searchFinds(String query, String labels) {
    for (String each : List.of("RequestCount/h1", "RequestCount/h2", "errorCount/h1", "total/")) {
      String[] parts = each.split("/", -1);
      world.cloudWatch.putMetricData(r ->
          r.namespace("Web")
              .metricData(d ->
                  d.metricName(parts[0])
                      .timestamp(World.START)
                      .value(1.0)
                      .dimensions(
                          parts[1].isEmpty() ? List.of() : World.dimensions("Host=" + parts[1]))));
    }
    String expression =
        "SEARCH('" + query + (query.startsWith("{") ? "" : " Namespace=Web") + "', 'Sum', 60)";
    List<String> found =
        world.math(expression).stream().map(MetricDataResult::label).sorted().toList();
    List<String> expected =
        labels == null ? List.of() : Arrays.stream(labels.split(",")).sorted().toList();
    assertEquals(expected, found, expression.toLowerCase(Locale.ROOT));
  }
}
