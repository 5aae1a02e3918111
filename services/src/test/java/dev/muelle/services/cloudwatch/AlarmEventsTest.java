package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.EventOutbox.Event;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;

@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class AlarmEventsTest {

  private static final String STATE = "CloudWatch Alarm State Change";
  private static final String CONFIGURATION = "CloudWatch Alarm Configuration Change";
  private static final String ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:high";

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

  private void alarm(double threshold) {
    world.cloudWatch.putMetricAlarm(alarmRequest(threshold));
    world.time.settle();
  }

  private static PutMetricAlarmRequest alarmRequest(double threshold) {
    return PutMetricAlarmRequest.builder()
        .alarmName("high")
        .alarmDescription("Too much!")
        .namespace("App")
        .metricName("m")
        .dimensions(Dimension.builder().name("Host").value("a").build())
        .statistic(Statistic.AVERAGE)
        .period(60)
        .evaluationPeriods(1)
        .threshold(threshold)
        .treatMissingData("ignore")
        .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
        .build();
  }

  private List<Event> told(String type) {
    return world.told().stream().filter(event -> event.detailType().equals(type)).toList();
  }

  private static JsonNode json(String text) throws Exception {
    return new ObjectMapper().readTree(text);
  }

  @Test
  void aChangeOfStateIsToldAsDocumented() throws Exception {
    alarm(10);
    world.cloudWatch.putMetricData(r ->
        r.namespace("App")
            .metricData(m ->
                m.metricName("m")
                    .dimensions(Dimension.builder().name("Host").value("a").build())
                    .timestamp(world.time.instant())
                    .value(20.0)));
    world.time.advance(Duration.ofMinutes(1));
    Event event = told(STATE).getFirst();
    assertEquals("aws.cloudwatch", event.source());
    assertEquals(List.of(ARN), event.resources());
    JsonNode detail = json(event.detail());
    assertEquals("high", detail.path("alarmName").asText());
    assertEquals("ALARM", detail.at("/state/value").asText());
    assertTrue(detail.at("/state/reason").asText().startsWith("Threshold Crossed: 1 out of"));
    assertEquals(
        20.0, json(detail.at("/state/reasonData").asText()).at("/recentDatapoints/0").asDouble());
    assertEquals("2026-11-21T12:01:02.000+0000", detail.at("/state/timestamp").asText());
    assertEquals("INSUFFICIENT_DATA", detail.at("/previousState/value").asText());
    JsonNode configuration = detail.path("configuration");
    assertEquals("Too much!", configuration.path("description").asText());
    JsonNode query = configuration.at("/metrics/0");
    assertTrue(query.path("id").asText().matches("[0-9a-f-]{36}"));
    assertTrue(query.path("returnData").asBoolean());
    assertEquals(
        json(
            "{'metric':{'dimensions':{'Host':'a'},'name':'m','namespace':'App'},'period':60,'stat':'Average'}"
                .replace('\'', '"')),
        query.path("metricStat"));
    assertEquals(1, told(STATE).size());
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void aChangeOfAnExpressionIsToldWithItsQueries() throws Exception {
    world.cloudWatch.putMetricAlarm(r ->
        r.alarmName("total")
            .evaluationPeriods(1)
            .threshold(0.5)
            .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
            .metrics(
                q -> q.id("e1").expression("SUM(METRICS())").label("Total").returnData(true),
                q ->
                    q.id("m1")
                        .returnData(false)
                        .metricStat(s ->
                            s.metric(m -> m.namespace("App").metricName("m"))
                                .period(300)
                                .stat("Maximum"))));
    world.time.settle();
    set("total", StateValue.ALARM);
    JsonNode detail = json(told(STATE).getLast().detail());
    assertEquals(Set.of("alarmName", "configuration", "previousState", "state"), names(detail));
    assertEquals(Set.of("metrics"), names(detail.path("configuration")));
    assertEquals(
        json(
            """
            [{"id":"e1","expression":"SUM(METRICS())","label":"Total","returnData":true},
             {"id":"m1","returnData":false,"metricStat":{"period":300,"stat":"Maximum",
              "metric":{"dimensions":{},"name":"m","namespace":"App"}}}]
            """),
        detail.at("/configuration/metrics"));
    assertEquals(Set.of("reason", "timestamp", "value"), names(detail.path("state")));
    assertEquals("Unchecked: Initial alarm creation", detail.at("/previousState/reason").asText());
    JsonNode created = json(told(CONFIGURATION).getFirst().detail());
    assertEquals("0.5", created.at("/configuration/threshold").toString());
  }

  @Test
  void whatDoesNotChangeIsNotTold() {
    alarm(10);
    set("high", StateValue.OK);
    set("high", StateValue.OK);
    assertEquals(1, told(STATE).size());
  }

  private void set(String name, StateValue state) {
    world.cloudWatch.setAlarmState(r -> r.alarmName(name).stateValue(state).stateReason("test"));
    world.time.settle();
  }

  @Test
  void configurationsAreToldWithWhatTheyWere() throws Exception {
    alarm(10);
    world.time.advance(Duration.ofMillis(1));
    alarm(11);
    world.time.advance(Duration.ofMillis(1));
    world.cloudWatch.disableAlarmActions(r -> r.alarmNames("high"));
    world.time.advance(Duration.ofMillis(1));
    world.cloudWatch.deleteAlarms(r -> r.alarmNames("high"));
    List<Event> told = told(CONFIGURATION);
    assertEquals(
        List.of("create", "update", "update", "delete"),
        told.stream()
            .map(event -> {
              try {
                return json(event.detail()).path("operation").asText();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            })
            .toList());
    JsonNode created = json(told.getFirst().detail());
    assertTrue(created.path("previousConfiguration").isMissingNode());
    assertEquals(
        json(
            "{'value':'INSUFFICIENT_DATA','timestamp':'2026-11-21T12:00:05.000+0000'}"
                .replace('\'', '"')),
        created.path("state"),
        "without reasons");
    assertEquals(
        Set.of(
            "evaluationPeriods",
            "threshold",
            "comparisonOperator",
            "treatMissingData",
            "metrics",
            "alarmName",
            "description",
            "actionsEnabled",
            "timestamp",
            "okActions",
            "alarmActions",
            "insufficientDataActions"),
        names(created.path("configuration")));
    assertEquals("10", created.at("/configuration/threshold").toString());
    JsonNode updated = json(told.get(1).detail());
    assertEquals(11, updated.at("/configuration/threshold").asDouble());
    assertEquals(10, updated.at("/previousConfiguration/threshold").asDouble());
    assertEquals("ignore", updated.at("/configuration/treatMissingData").asText());
    assertEquals(json("[]"), updated.at("/configuration/okActions"));
    JsonNode disabled = json(told.get(2).detail());
    assertTrue(disabled.at("/previousConfiguration/actionsEnabled").asBoolean());
    assertEquals(false, disabled.at("/configuration/actionsEnabled").asBoolean(true));
  }

  @Test
  void aRefusedAlarmTellsNothing() {
    alarm(10);
    int before = world.told().size();
    assertThrows(
        CloudWatchException.class,
        () -> world.cloudWatch.deleteAlarms(r -> r.alarmNames("high", "none")));
    assertEquals(before, world.told().size());
  }

  @Test
  void compositeAlarmsTellWhoHoldsTheirActionsBack() throws Exception {
    alarm(10);
    set("high", StateValue.OK);
    world.cloudWatch.putCompositeAlarm(r ->
        r.alarmName("both")
            .alarmRule("ALARM(high)")
            .actionsSuppressor("high")
            .actionsSuppressorWaitPeriod(60)
            .actionsSuppressorExtensionPeriod(60));
    world.time.advance(Duration.ofSeconds(1));
    set("high", StateValue.ALARM);
    List<JsonNode> told = new ArrayList<>();
    for (Event event : told(STATE)) {
      if (event.resources().getFirst().endsWith(":both")) {
        told.add(json(event.detail()));
      }
    }
    JsonNode last = told.getLast();
    assertEquals("ALARM", last.at("/state/value").asText());
    assertEquals("Alarm", last.at("/state/actionsSuppressedBy").asText());
    assertEquals("OK", last.at("/previousState/value").asText());
    assertEquals("ALARM(high)", last.at("/configuration/alarmRule").asText());
    assertEquals(60, last.at("/configuration/actionsSuppressorWaitPeriod").asInt());
    assertEquals(1, json(last.at("/state/reasonData").asText()).path("triggeringAlarms").size());
    assertEquals("Actions suppressed by high", last.at("/state/actionsSuppressedReason").asText());
    world.cloudWatch.deleteAlarms(r -> r.alarmNames("both"));
    JsonNode deleted = json(told(CONFIGURATION).getLast().detail());
    assertEquals("delete", deleted.path("operation").asText());
    assertEquals(Set.of("actionsSuppressedBy", "timestamp", "value"), names(deleted.path("state")));
    assertEquals(
        Set.of(
            "alarmRule",
            "actionsSuppressor",
            "actionsSuppressorWaitPeriod",
            "actionsSuppressorExtensionPeriod",
            "alarmName",
            "actionsEnabled",
            "timestamp",
            "okActions",
            "alarmActions",
            "insufficientDataActions"),
        names(deleted.path("configuration")));
  }

  @Test
  void actionsOnInstancesNeedOne() {
    String action = "arn:aws:automate:us-east-1:ec2:terminate";
    assertThrows(
        CloudWatchException.class,
        () ->
            world.cloudWatch.putMetricAlarm(
                alarmRequest(1).toBuilder().alarmActions(action).build()));
    world.cloudWatch.putMetricAlarm(
        alarmRequest(1).toBuilder()
            .dimensions(Dimension.builder().name("InstanceId").value("i-1").build())
            .alarmActions(action)
            .build());
    world.time.settle();
    set("high", StateValue.ALARM);
    assertEquals(List.of("ALARM"), world.acted(action));
  }

  /** Nothing is written for a bus that has no rules. */
  @Test
  void nobodyListens() {
    world.events.listen((source, type) -> false);
    alarm(10);
    set("high", StateValue.ALARM);
    assertEquals(List.of(), world.told());
  }
}
