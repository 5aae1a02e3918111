package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.cloudwatch.model.AlarmHistoryItem;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.HistoryItemType;
import software.amazon.awssdk.services.cloudwatch.model.InvalidParameterValueException;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MissingRequiredParameterException;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatch.model.ScanBy;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.cloudwatch.model.Tag;

@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class AlarmsTest {

  private static final String TOPIC = "arn:aws:sns:us-east-1:000000000000:page-me";
  private static final String POLICY = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:x";

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory);
    world.time.advance(Duration.ofSeconds(5)); // evaluations are two seconds after the minute
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void alarm(String name, Consumer<PutMetricAlarmRequest.Builder> more) {
    world.cloudWatch.putMetricAlarm(r -> {
      r.alarmName(name)
          .namespace("App")
          .metricName("m")
          .statistic(Statistic.AVERAGE)
          .period(60)
          .evaluationPeriods(1)
          .threshold(10.0)
          .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD);
      more.accept(r);
    });
    world.time.settle();
  }

  private MetricAlarm metric(String name) {
    return world.cloudWatch.describeAlarms(r -> r.alarmNames(name)).metricAlarms().getFirst();
  }

  private CompositeAlarm composite(String name) {
    return world
        .cloudWatch
        .describeAlarms(r -> r.alarmNames(name).alarmTypes(AlarmType.COMPOSITE_ALARM))
        .compositeAlarms()
        .getFirst();
  }

  private void minute(double value) {
    world.put("m", world.time.instant(), value);
    world.time.advance(Duration.ofMinutes(1));
  }

  private void set(String name, StateValue state) {
    world.cloudWatch.setAlarmState(r -> r.alarmName(name).stateValue(state).stateReason("test"));
    world.time.settle();
  }

  @Test
  void followsItsMetricAndSaysWhy() {
    alarm("high", r -> r.alarmActions(TOPIC).okActions(TOPIC));
    assertEquals(StateValue.INSUFFICIENT_DATA, metric("high").stateValue());
    assertEquals("Unchecked: Initial alarm creation", metric("high").stateReason());
    minute(20);
    MetricAlarm alarm = metric("high");
    assertEquals(StateValue.ALARM, alarm.stateValue());
    assertEquals(
        "Threshold Crossed: 1 out of the last 1 datapoints [20.0 (21/11/26 12:00:00)] was greater"
            + " than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition).",
        alarm.stateReason());
    assertEquals(
        "{\"version\":\"1.0\",\"queryDate\":\"2026-11-21T12:01:02.000+0000\",\"startDate\":"
            + "\"2026-11-21T12:00:00.000+0000\",\"statistic\":\"Average\",\"period\":60,"
            + "\"recentDatapoints\":[20.0],\"threshold\":10.0,\"evaluatedDatapoints\":"
            + "[{\"timestamp\":\"2026-11-21T12:00:00.000+0000\",\"sampleCount\":1.0,"
            + "\"value\":20.0}]}",
        alarm.stateReasonData());
    minute(5);
    assertEquals(StateValue.OK, metric("high").stateValue());
    assertEquals(
        "Threshold Crossed: 1 out of the last 1 datapoints [5.0 (21/11/26 12:01:00)] was not"
            + " greater than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK"
            + " transition).",
        metric("high").stateReason());
    assertEquals(List.of("ALARM", "OK"), world.acted(TOPIC));
    world.time.advance(Duration.ofMinutes(5));
    assertEquals(StateValue.INSUFFICIENT_DATA, metric("high").stateValue());
    assertEquals("Insufficient Data: 1 datapoint was unknown.", metric("high").stateReason());
    List<AlarmHistoryItem> updates =
        world
            .cloudWatch
            .describeAlarmHistory(r ->
                r.alarmName("high")
                    .historyItemType(HistoryItemType.STATE_UPDATE)
                    .scanBy(ScanBy.TIMESTAMP_ASCENDING))
            .alarmHistoryItems();
    assertEquals(
        List.of(
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
            "Alarm updated from ALARM to OK",
            "Alarm updated from OK to INSUFFICIENT_DATA"),
        updates.stream().map(AlarmHistoryItem::historySummary).toList());
    assertTrue(updates.get(1).historyData().contains("\"oldState\":{\"stateValue\":\"ALARM\""));
  }

  @Test
  void someOutOfSeveralAndEveryComparison() {
    alarm("two of three", r -> r.evaluationPeriods(3).datapointsToAlarm(2));
    for (ComparisonOperator operator :
        List.of(
            ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
            ComparisonOperator.LESS_THAN_THRESHOLD,
            ComparisonOperator.GREATER_THAN_THRESHOLD)) {
      alarm(operator.toString(), r -> r.comparisonOperator(operator));
    }
    minute(20);
    minute(1);
    assertEquals(StateValue.OK, metric("two of three").stateValue());
    minute(20);
    assertEquals(StateValue.ALARM, metric("two of three").stateValue());
    assertEquals(
        "Threshold Crossed: 2 out of the last 3 datapoints [20.0 (21/11/26 12:02:00), 20.0"
            + " (21/11/26 12:00:00)] were greater than the threshold (10.0) (minimum 2 datapoints"
            + " for OK -> ALARM transition).",
        metric("two of three").stateReason());
    minute(10);
    assertEquals(StateValue.ALARM, metric("GreaterThanOrEqualToThreshold").stateValue());
    assertEquals(StateValue.ALARM, metric("LessThanOrEqualToThreshold").stateValue());
    assertEquals(StateValue.OK, metric("LessThanThreshold").stateValue());
    assertEquals(StateValue.OK, metric("GreaterThanThreshold").stateValue());
  }

  @Test
  void missingDataMeanWhatTheAlarmSays() {
    for (String treatment : List.of("breaching", "notBreaching", "ignore", "missing")) {
      alarm(treatment, r -> r.treatMissingData(treatment).evaluationPeriods(2));
    }
    world.time.advance(Duration.ofMinutes(2));
    assertEquals(StateValue.ALARM, metric("breaching").stateValue());
    assertEquals(
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints"
            + " were treated as [Breaching].",
        metric("breaching").stateReason());
    assertEquals(StateValue.OK, metric("notBreaching").stateValue());
    assertEquals(StateValue.INSUFFICIENT_DATA, metric("missing").stateValue());
    set("ignore", StateValue.ALARM);
    world.time.advance(Duration.ofMinutes(3));
    assertEquals(StateValue.ALARM, metric("ignore").stateValue());
  }

  @Test
  void mathAndPercentilesAreWatched() {
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("rate")
            .evaluationPeriods(1)
            .threshold(50.0)
            .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
            .metrics(
                World.sum("m1", "m"),
                World.sum("m2", "n"),
                MetricDataQuery.builder().id("e1").expression("100 * m1 / m2").build()));
    alarm("p90", r -> r.statistic((Statistic) null).extendedStatistic("p90"));
    alarm(
        "careful",
        r ->
            r.statistic((Statistic) null)
                .extendedStatistic("p90")
                .evaluateLowSampleCountPercentile("ignore"));
    world.put("n", world.time.instant(), 25);
    minute(20);
    assertEquals(StateValue.ALARM, metric("rate").stateValue());
    assertEquals(StateValue.ALARM, metric("p90").stateValue());
    // 10 / (1 - 0.9) = 100 samples would be enough
    assertEquals(StateValue.INSUFFICIENT_DATA, metric("careful").stateValue());
    world.cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(
                d -> d.metricName("m").timestamp(world.time.instant()).values(20.0).counts(100.0)));
    world.time.advance(Duration.ofMinutes(1));
    assertEquals(StateValue.ALARM, metric("careful").stateValue());
  }

  @Test
  void aShortPeriodIsEvaluatedEveryTenSeconds() {
    alarm("fast", r -> r.period(10));
    world.cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(d ->
                d.metricName("m")
                    .timestamp(world.time.instant())
                    .value(20.0)
                    .storageResolution(1)));
    world.time.advance(Duration.ofSeconds(12));
    assertEquals(StateValue.ALARM, metric("fast").stateValue());
  }

  @Test
  void scalingIsAskedForAgainAndAgain() {
    alarm("scale", r -> r.alarmActions(POLICY, TOPIC));
    minute(20);
    minute(20);
    minute(20);
    assertEquals(List.of("ALARM", "ALARM", "ALARM"), world.acted(POLICY));
    assertEquals(List.of("ALARM"), world.acted(TOPIC));
  }

  @Test
  void actionsCanBeSwitchedOffAndFail() {
    alarm("a", r -> r.alarmActions(TOPIC));
    world.cloudWatch.disableAlarmActions(r -> r.alarmNames("a"));
    set("a", StateValue.ALARM);
    assertEquals(List.of(), world.acted(TOPIC));
    world.cloudWatch.enableAlarmActions(r -> r.alarmNames("a"));
    set("a", StateValue.OK);
    world.failure = "the topic is closed";
    set("a", StateValue.ALARM);
    AlarmHistoryItem item =
        world
            .cloudWatch
            .describeAlarmHistory(r -> r.historyItemType(HistoryItemType.ACTION))
            .alarmHistoryItems()
            .getFirst();
    assertEquals(
        "Failed to execute action " + TOPIC + ". Received error: \"the topic is closed\"",
        item.historySummary());
    assertThrows(
        CloudWatchException.class,
        () -> alarm("b", r -> r.alarmActions("arn:aws:lambda:us-east-1:000000000000:function:f")));
  }

  @Test
  void whatIsDueSurvivesTheServer() {
    alarm("a", r -> r.alarmActions(TOPIC));
    world.cloudWatch.setAlarmState(r ->
        r.alarmName("a").stateValue(StateValue.ALARM).stateReason("test")); // and nothing settles
    world.restart();
    world.time.settle();
    assertEquals(List.of("ALARM"), world.acted(TOPIC));
  }

  @Test
  void compositesFollowTheirRule() {
    alarm("a", r -> {});
    alarm("b", r -> {});
    world.cloudWatch.putCompositeAlarm(
        r -> r.alarmName("both").alarmRule("ALARM(a) AND NOT OK(b)").alarmActions(TOPIC));
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("top").alarmRule("ALARM(both)"));
    world.time.settle();
    assertEquals(StateValue.OK, composite("both").stateValue());
    set("a", StateValue.ALARM);
    assertEquals(StateValue.ALARM, composite("both").stateValue());
    assertEquals(StateValue.ALARM, composite("top").stateValue());
    assertEquals(
        "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a transitioned to ALARM at Saturday 21"
            + " November, 2026 12:00:05 UTC",
        composite("both").stateReason());
    assertEquals(List.of("ALARM"), world.acted(TOPIC));
    set("b", StateValue.OK);
    assertEquals(StateValue.OK, composite("top").stateValue());
    assertThrows(
        CloudWatchException.class, () -> world.cloudWatch.deleteAlarms(r -> r.alarmNames("a")));
    assertEquals(
        List.of("a", "b"),
        world.cloudWatch.describeAlarms(r -> r.childrenOfAlarmName("both")).metricAlarms().stream()
            .map(MetricAlarm::alarmName)
            .toList());
    CompositeAlarm parent =
        world
            .cloudWatch
            .describeAlarms(r -> r.parentsOfAlarmName("both"))
            .compositeAlarms()
            .getFirst();
    assertEquals("top", parent.alarmName());
    assertNull(parent.stateValue());
    assertThrows(
        CloudWatchException.class,
        () -> world.cloudWatch.putCompositeAlarm(r -> r.alarmName("x").alarmRule("ALARM(y)")));
  }

  @Test
  void aCompositeKeepsAStateThatWasSetUntilAChildChanges() {
    alarm("a", r -> r.treatMissingData("ignore"));
    alarm("b", r -> r.treatMissingData("ignore"));
    world.cloudWatch.putCompositeAlarm(
        r -> r.alarmName("c").alarmRule("ALARM(a)").alarmActions(TOPIC));
    world.time.settle();
    set("c", StateValue.ALARM);
    assertEquals(List.of("ALARM"), world.acted(TOPIC));
    set("b", StateValue.ALARM); // which it does not look at
    world.restart();
    world.time.advance(Duration.ofMinutes(2));
    assertEquals(StateValue.ALARM, composite("c").stateValue());
    set("a", StateValue.OK);
    assertEquals(StateValue.OK, composite("c").stateValue());
    set("c", StateValue.ALARM);
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("c").alarmRule("false"));
    world.time.settle();
    assertEquals(StateValue.OK, composite("c").stateValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          SUM(SEARCH('{App} x', 'Sum', 60)) | SEARCH is not supported on Metric Alarms.
          [m0, m0 * 2]                      | must result in one time series
          5                                 | must result in one time series
          ANOMALY_DETECTION_BAND(m0)        | not supported by this region
          METRICS()                         | must result in one time series
          """)
  void whatNoAlarmCanWatchIsRefused(String expression, String said) {
    assertTrue(refusedMath(1, expression).contains(said), said);
  }

  @Test
  void anExpressionOfAnAlarmHasTenMetricsAtMost() {
    assertTrue(refusedMath(11, "m0 + m10").contains("at most 10 metrics"));
  }

  private String refusedMath(int metrics, String expression) {
    List<MetricDataQuery> queries = new ArrayList<>();
    for (int i = 0; i < metrics; i++) {
      String id = "m" + i;
      queries.add(
          MetricDataQuery.builder()
              .id(id)
              .metricStat(
                  s -> s.metric(m -> m.namespace("App").metricName("x")).period(60).stat("Sum"))
              .returnData(false)
              .build());
    }
    queries.add(MetricDataQuery.builder().id("e").expression(expression).build());
    return assertThrows(
            CloudWatchException.class,
            () ->
                world.cloudWatch.putMetricAlarm(r ->
                    r.alarmName("math")
                        .metrics(queries)
                        .evaluationPeriods(1)
                        .threshold(1.0)
                        .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)))
        .getMessage();
  }

  @Test
  void historyIsReadInOneOfTwoOrders() {
    assertThrows(
        CloudWatchException.class,
        () -> world.cloudWatch.describeAlarmHistory(r -> r.scanBy("Backwards")));
  }

  @Test
  void aCircleOfCompositesStandsStill() {
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("x").alarmRule("FALSE"));
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("y").alarmRule("OK(x)"));
    world.time.settle();
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("x").alarmRule("ALARM(y)"));
    world.time.advance(Duration.ofMinutes(1));
    assertEquals(StateValue.OK, composite("x").stateValue());
  }

  @Test
  void aSuppressorHoldsActionsBack() {
    alarm("a", r -> r.treatMissingData("ignore"));
    alarm("maintenance", r -> r.treatMissingData("ignore"));
    world.cloudWatch.putCompositeAlarm(r ->
        r.alarmName("c")
            .alarmRule("ALARM(a)")
            .alarmActions(TOPIC)
            .actionsSuppressor("maintenance")
            .actionsSuppressorWaitPeriod(20)
            .actionsSuppressorExtensionPeriod(10));
    world.time.settle();
    world.time.advance(Duration.ofSeconds(21)); // the first state's wait
    set("a", StateValue.ALARM);
    assertEquals("WaitPeriod", composite("c").actionsSuppressedByAsString());
    assertEquals(List.of(), world.acted(TOPIC));
    set("maintenance", StateValue.ALARM);
    assertEquals("Alarm", composite("c").actionsSuppressedByAsString());
    world.time.advance(Duration.ofSeconds(30));
    assertEquals(List.of(), world.acted(TOPIC));
    set("maintenance", StateValue.OK);
    assertEquals("ExtensionPeriod", composite("c").actionsSuppressedByAsString());
    world.time.advance(Duration.ofSeconds(8));
    assertEquals(List.of(), world.acted(TOPIC));
    world.time.advance(Duration.ofSeconds(2));
    assertNull(composite("c").actionsSuppressedByAsString());
    assertEquals(List.of("ALARM"), world.acted(TOPIC));
  }

  @Test
  void areFoundByWhatTheyAre() {
    alarm("web-1", r -> r.alarmActions(TOPIC));
    alarm("web-2", r -> r.dimensions(World.dimensions("Host=a")).tags(t -> t.key("k").value("v")));
    alarm("db-1", r -> r.period(300));
    assertEquals(
        2, world.cloudWatch.describeAlarms(r -> r.alarmNamePrefix("web")).metricAlarms().size());
    assertEquals(
        1,
        world.cloudWatch.describeAlarms(r -> r.actionPrefix("arn:aws:sns")).metricAlarms().size());
    assertEquals(
        3,
        world
            .cloudWatch
            .describeAlarms(r -> r.stateValue(StateValue.INSUFFICIENT_DATA))
            .metricAlarms()
            .size());
    assertEquals(
        List.of("db-1", "web-1", "web-2"),
        world.cloudWatch.describeAlarmsPaginator(r -> r.maxRecords(1)).stream()
            .flatMap(page -> page.metricAlarms().stream())
            .map(MetricAlarm::alarmName)
            .toList());
    assertEquals(
        List.of("db-1", "web-1"),
        world
            .cloudWatch
            .describeAlarmsForMetric(r -> r.namespace("App").metricName("m"))
            .metricAlarms()
            .stream()
            .map(MetricAlarm::alarmName)
            .toList());
    String arn = metric("web-2").alarmArn();
    world.cloudWatch.tagResource(r -> r.resourceARN(arn).tags(t -> t.key("x").value("y")));
    world.cloudWatch.untagResource(r -> r.resourceARN(arn).tagKeys("k"));
    assertEquals(
        List.of(Tag.builder().key("x").value("y").build()),
        world.cloudWatch.listTagsForResource(r -> r.resourceARN(arn)).tags());
    world.cloudWatch.deleteAlarms(r -> r.alarmNames("web-1", "web-2"));
    assertEquals(1, world.cloudWatch.describeAlarms(r -> {}).metricAlarms().size());
    assertEquals(
        "ResourceNotFound",
        assertThrows(
                CloudWatchException.class,
                () -> world.cloudWatch.deleteAlarms(r -> r.alarmNames("db-1", "nobody")))
            .awsErrorDetails()
            .errorCode());
    assertThrows(
        ResourceNotFoundException.class,
        () -> world.cloudWatch.listTagsForResource(r -> r.resourceARN(arn)));
    assertFalse(
        world
            .cloudWatch
            .describeAlarmHistory(r -> r.alarmName("web-1"))
            .alarmHistoryItems()
            .isEmpty());
  }

  @Test
  void anUpdateKeepsTheStateAndJudgesAnew() {
    alarm("a", r -> {});
    minute(20);
    Instant since = metric("a").stateUpdatedTimestamp();
    alarm("a", r -> r.threshold(15.0));
    assertEquals(StateValue.ALARM, metric("a").stateValue());
    assertEquals(since, metric("a").stateUpdatedTimestamp());
    alarm("a", r -> r.threshold(30.0));
    assertEquals(StateValue.OK, metric("a").stateValue());
  }

  private static void refused(String message, Executable call) {
    AwsErrorDetails said = assertThrows(CloudWatchException.class, call).awsErrorDetails();
    assertEquals("ValidationError: " + message, said.errorCode() + ": " + said.errorMessage());
  }

  private void refused(String message, Consumer<PutMetricAlarmRequest.Builder> alarm) {
    refused(message, () -> alarm("a", alarm));
  }

  /** As people report them: tflint#101, boto#1311, LocalStack's parity tests. */
  @Test
  void wordsThatNobodyKnowsAreRefusedAsAmazonDoes() {
    String broken =
        "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: ";
    String choice = broken + "Member must satisfy enum value set: [%s]";
    refused(
        choice.formatted("x", "statistic", "Maximum, SampleCount, Sum, Minimum, Average"),
        r -> r.statistic("x"));
    refused(
        "The value x is not supported for TreatMissingData parameter. Supported values are"
            + " [breaching, notBreaching, ignore, missing].",
        r -> r.treatMissingData("x"));
    refused(
        "Option x is not supported. Supported options for parameter"
            + " EvaluateLowSampleCountPercentile are evaluate and ignore.",
        r ->
            r.statistic((String) null)
                .extendedStatistic("p90")
                .evaluateLowSampleCountPercentile("x"));
    String operators =
        "GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold,"
            + " LessThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold,"
            + " LessThanLowerThreshold, GreaterThanUpperThreshold";
    refused(choice.formatted(">", "comparisonOperator", operators), r -> r.comparisonOperator(">"));
    String units =
        StandardUnit.knownValues().stream().map(String::valueOf).collect(Collectors.joining(", "));
    refused(choice.formatted("GB", "unit", units), r -> r.unit("GB"));
    refused(
        "The value mean for parameter Metrics.member.1.MetricStat.Stat is not a valid statistic.",
        r -> watching(r, "m1", "mean", null));
    refused(
        choice.formatted("GB", "metrics.1.member.metricStat.unit", units),
        r -> watching(r, "m1", "Sum", "GB"));
    refused(
        "The value M1 for parameter Metrics.member.1.Id is not matching the expected pattern"
            + " ^[a-z][a-zA-Z0-9_]*$.",
        r -> watching(r, "M1", "Sum", null));
    assertEquals(
        "The value p101 for parameter ExtendedStatistic is not supported.",
        assertThrows(
                InvalidParameterValueException.class,
                () -> alarm("a", r -> r.statistic((String) null).extendedStatistic("p101")))
            .getMessage());
    alarm("a", r -> {});
    assertThrows(
        MissingRequiredParameterException.class,
        () ->
            world.cloudWatch.describeAlarmsForMetric(
                r -> r.namespace("App").metricName("m").dimensions(d -> d.value("nameless"))));
    assertThrows(
        MissingRequiredParameterException.class,
        () ->
            alarm(
                "a",
                r ->
                    watching(r, "m1", "Sum", null, Dimension.builder().value("nameless").build())));
    refused(
        "Could not save the composite alarm as alarms [none] in the alarm rule do not exist",
        () -> world.cloudWatch.putCompositeAlarm(r -> r.alarmName("c").alarmRule("ALARM(none)")));
    alarm("b", r -> {});
    world.cloudWatch.putCompositeAlarm(r -> r.alarmName("c").alarmRule("ALARM(a) OR ALARM(b)"));
    refused(
        "Cannot delete a as there are composite alarm(s) depending on it.",
        () -> world.cloudWatch.deleteAlarms(r -> r.alarmNames("a")));
    refused(
        "Cannot delete a,b as there are composite alarm(s) depending on them.",
        () -> world.cloudWatch.deleteAlarms(r -> r.alarmNames("b", "a")));
    String states = "INSUFFICIENT_DATA, ALARM, OK";
    refused(
        choice.formatted("FINE", "stateValue", states),
        () ->
            world.cloudWatch.setAlarmState(
                r -> r.alarmName("a").stateValue("FINE").stateReason("why")));
    refused(
        choice.formatted("FINE", "stateValue", states),
        () -> world.cloudWatch.describeAlarms(r -> r.stateValue("FINE")));
    refused(
        broken.formatted("[Log]", "alarmTypes")
            + "Member must satisfy constraint: [Member must satisfy enum value set:"
            + " [CompositeAlarm, MetricAlarm]]",
        () -> world.cloudWatch.describeAlarms(r -> r.alarmTypesWithStrings("Log")));
    refused(
        choice.formatted("Up", "scanBy", "TimestampDescending, TimestampAscending"),
        () -> world.cloudWatch.describeAlarmHistory(r -> r.scanBy("Up")));
  }

  private static void watching(
      PutMetricAlarmRequest.Builder alarm,
      String id,
      String stat,
      @Nullable String unit,
      Dimension... dimensions) {
    alarm
        .metricName(null)
        .namespace(null)
        .statistic((String) null)
        .period(null)
        .metrics(q ->
            q.id(id)
                .metricStat(s ->
                    s.metric(m -> m.namespace("App").metricName("m").dimensions(dimensions))
                        .period(60)
                        .stat(stat)
                        .unit(unit)));
  }

  @Test
  void badAlarmsAreRefused() {
    List<Consumer<PutMetricAlarmRequest.Builder>> bad =
        List.of(
            r -> r.alarmName(null),
            r -> r.alarmName("x".repeat(256)),
            r -> r.comparisonOperator((String) null),
            r -> r.comparisonOperator("Bigger"),
            r -> r.comparisonOperator(ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD),
            r -> r.threshold(null),
            r -> r.threshold(Double.NaN),
            r -> r.thresholdMetricId("ad1"),
            r -> r.evaluationPeriods(0),
            r -> r.evaluationPeriods(null),
            r -> r.datapointsToAlarm(2),
            r -> r.period(45),
            r -> r.period(1),
            r -> r.period(3_600).evaluationPeriods(200),
            r -> r.period(60).evaluationPeriods(1_441),
            r -> r.extendedStatistic("p90"),
            r -> r.statistic("p90"),
            r -> r.treatMissingData("sometimes"),
            r -> r.dimensions(Dimension.builder().value("nameless").build()),
            r -> r.dimensions(Dimension.builder().name("Host").build()),
            r -> r.evaluateLowSampleCountPercentile("ignore"),
            r -> r.unit("Furlongs"),
            r -> r.alarmActions("page-me"),
            r -> r.alarmActions(TOPIC, TOPIC, TOPIC, TOPIC, TOPIC, TOPIC),
            r -> r.metrics(World.sum("m1", "a")),
            r -> r.tags(t -> t.key("aws:x").value("y")));
    for (int i = 0; i < bad.size(); i++) {
      int number = i;
      CloudWatchException refused =
          assertThrows(
              CloudWatchException.class, () -> alarm("a", bad.get(number)), "number " + number);
      assertTrue(refused.getMessage().length() > 10);
    }
    assertEquals(List.of(), world.cloudWatch.describeAlarms(r -> {}).metricAlarms());
    CloudWatchException refused =
        assertThrows(CloudWatchException.class, () -> alarm("a", r -> r.datapointsToAlarm(2)));
    assertEquals("ValidationError", refused.awsErrorDetails().errorCode());
    assertEquals(
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        refused.awsErrorDetails().errorMessage());
  }
}
