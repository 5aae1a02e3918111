package dev.muelle.services.cloudwatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.cloudwatch.model.CloudWatchException;
import software.amazon.awssdk.services.cloudwatch.model.DashboardEntry;
import software.amazon.awssdk.services.cloudwatch.model.DashboardInvalidInputErrorException;
import software.amazon.awssdk.services.cloudwatch.model.DashboardNotFoundErrorException;
import software.amazon.awssdk.services.cloudwatch.model.DashboardValidationMessage;

class DashboardsTest {

  private static final String BODY =
      """
      {"widgets":[{"type":"text","x":0,"y":0,"width":24,"height":2,
        "properties":{"markdown":"ñandú"}}]}
      """;

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

  private List<DashboardValidationMessage> put(String name, String body) {
    return world
        .cloudWatch
        .putDashboard(r -> r.dashboardName(name).dashboardBody(body))
        .dashboardValidationMessages();
  }

  @Test
  void areKeptAsTheyWereGiven() {
    assertEquals(List.of(), put("web-1", BODY));
    put("web-2", "{\"widgets\":[]}");
    put("web-2", BODY);
    put("db", BODY);
    assertEquals(
        BODY, world.cloudWatch.getDashboard(r -> r.dashboardName("web-2")).dashboardBody());
    List<DashboardEntry> entries =
        world.cloudWatch.listDashboards(r -> r.dashboardNamePrefix("web")).dashboardEntries();
    assertEquals(
        List.of("web-1", "web-2"), entries.stream().map(DashboardEntry::dashboardName).toList());
    assertEquals(
        "arn:aws:cloudwatch::000000000000:dashboard/web-1", entries.getFirst().dashboardArn());
    assertEquals(World.START, entries.getFirst().lastModified());
    assertThrows(
        DashboardNotFoundErrorException.class,
        () -> world.cloudWatch.deleteDashboards(r -> r.dashboardNames("web-1", "nobody")));
    world.cloudWatch.deleteDashboards(r -> r.dashboardNames("web-1", "web-2"));
    assertEquals(1, world.cloudWatch.listDashboards(r -> {}).dashboardEntries().size());
    assertThrows(
        DashboardNotFoundErrorException.class,
        () -> world.cloudWatch.getDashboard(r -> r.dashboardName("web-1")));
    assertThrows(CloudWatchException.class, () -> put("a b", BODY));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      textBlock =
          """
          {; '' The field body must be a valid JSON object
          []; '' The field body must be a valid JSON object
          {}; '' Should have required property 'widgets'
          {"widgets":[7]}; '/widgets/0' Should be object
          {"widgets":[{"properties":{}}]}; '/widgets/0' Should have required property 'type'
          {"widgets":[{"type":"text"}]}; '/widgets/0' Should have required property 'properties'
          {"widgets":[{"type":"text","properties":{}}]}; '/widgets/0/properties' Should have required property 'markdown'
          {"widgets":[{"type":"metric","properties":{}}]}; '/widgets/0/properties' Should have required property 'metrics'
          {"widgets":[{"type":"log","width":25,"properties":{}}]}; '/widgets/0/width' Should be <= 24
          {"widgets":[{"type":"log","x":"1","properties":{}}]}; '/widgets/0/x' Should be integer
          {"widgets":[{"type":"log","properties":{}}]}; '/widgets/0/properties' Should have required property 'query'
          {"widgets":[{"type":"alarm","properties":{}}]}; '/widgets/0/properties' Should have required property 'alarms'
          {"widgets":[{"type":"x","properties":{}}]}; '/widgets/0/type' Should be equal to one of the allowed values
          {"widgets":[{"type":"metric","properties":{"metrics":["a"]}}]}; '/widgets/0/properties/metrics/0' Should be array
          {"widgets":[{"type":"metric","properties":{"metrics":[["a",{},"b"]]}}]}; '/widgets/0/properties/metrics/0' Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last element
          {"widgets":[{"type":"metric","properties":{"metrics":[],"view":"x"}}]}; '/widgets/0/properties/view' Should be equal to one of the allowed values
          {"widgets":[{"type":"metric","properties":{"annotations":{"horizontal":[{"label":"x"}]}}}]}; '/widgets/0/properties/annotations/horizontal/0' Should have required property 'value'
          {"periodOverride":"x","widgets":[]}; '/periodOverride' Should be equal to one of the allowed values
          {"start":7,"widgets":[]}; '/start' Should be string
          """)
  void badBodiesAreRefused(String body, String said) {
    List<DashboardValidationMessage> messages =
        assertThrows(DashboardInvalidInputErrorException.class, () -> put("d", body))
            .dashboardValidationMessages();
    assertEquals(said, "'" + messages.getFirst().dataPath() + "' " + messages.getFirst().message());
    assertEquals(List.of(), world.cloudWatch.listDashboards(r -> {}).dashboardEntries());
  }

  @Test
  void errorsAreToldAsJson() {
    assertEquals(
        """
        The dashboard body is invalid, there are 1 validation errors:
        [ {
          "dataPath" : "",
          "message" : "Should have required property 'widgets'"
        } ]\
        """,
        assertThrows(DashboardInvalidInputErrorException.class, () -> put("d", "{}")).getMessage());
  }

  @Test
  void whatWouldShowNothingIsWarnedOf() {
    assertEquals(
        "Should have property 'region'",
        put("d", "{\"widgets\":[{\"type\":\"metric\",\"properties\":{\"metrics\":[]}}]}")
            .getFirst()
            .message());
  }
}
