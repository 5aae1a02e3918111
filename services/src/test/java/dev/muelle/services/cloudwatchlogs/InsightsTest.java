package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetQueryResultsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupField;
import software.amazon.awssdk.services.cloudwatchlogs.model.MalformedQueryException;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryStatus;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResultField;

@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class InsightsTest {

  @TempDir Path directory;
  private World world;
  private long start;

  /** Requests of a web server, a second after the other. */
  @BeforeEach
  void open() {
    world = new World(directory).group(World.GROUP, "web", "other");
    start = world.now();
    json(0, "GET", "/a", 10, "10.0.0.1");
    json(1, "GET", "/b", 20, "10.0.1.1");
    json(2, "POST", "/a", 30, "192.168.0.1");
    json(60, "GET", "/a", 40, "fd00::1");
    put("other", 61, "[ERROR] disk full on node7 after 12.5 s");
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void json(int second, String method, String path, int ms, String ip) {
    put(
        "web",
        second,
        "{\"method\":\"%s\",\"request\":{\"path\":\"%s\",\"tags\":[\"x\",\"y\"]},\"ms\":%d,\"ip\":\"%s\"}"
            .formatted(method, path, ms, ip));
  }

  private void put(String stream, int second, String message) {
    world.put(stream, World.event(start + second * 1_000L, message));
  }

  private GetQueryResultsResponse run(String query) {
    String id =
        world
            .logs
            .startQuery(r ->
                r.logGroupName(World.GROUP)
                    .startTime(start / 1_000)
                    .endTime(start / 1_000 + 3_600)
                    .queryString(query))
            .queryId();
    world.time.settle();
    return world.logs.getQueryResults(r -> r.queryId(id));
  }

  private List<Map<String, String>> rows(String query) {
    GetQueryResultsResponse answer = run(query);
    assertEquals(QueryStatus.COMPLETE, answer.status());
    List<Map<String, String>> rows = new ArrayList<>();
    for (List<ResultField> row : answer.results()) {
      Map<String, String> map = new LinkedHashMap<>();
      row.forEach(field -> map.put(field.field(), field.value()));
      map.remove("@ptr");
      rows.add(map);
    }
    return rows;
  }

  /** Each row's values, joined. */
  private List<String> table(String query) {
    return rows(query).stream().map(row -> String.join(" ", row.values())).toList();
  }

  @Test
  void withoutColumnsTimeAndMessageAreShownNewestFirst() {
    List<Map<String, String>> rows = rows("filter ms > 0 | limit 2");
    assertEquals(List.of("@timestamp", "@message"), List.copyOf(rows.getFirst().keySet()));
    assertEquals("2026-11-21 08:01:00.000", rows.getFirst().get("@timestamp"));
    assertEquals("2026-11-21 08:00:02.000", rows.get(1).get("@timestamp"));
  }

  @Test
  void propertiesAreFoundByTheirPlaceAndUnderUnusualNames() {
    put(
        "web",
        9,
        """
        {"kind":"deep","list":[{"x":1},{"x":2}],"map":{"a.b":{"c d":3}},"js":"{\\"k\\":[7,[8,9]]}"}\
        """);
    String deep = "filter kind = 'deep' | ";
    assertEquals(List.of("2 1"), table(deep + "display list[1].x, list[0].x"));
    assertEquals(List.of("3 3"), table(deep + "fields map.`a.b`.`c d`, `map`.`a.b`.`c d` as y"));
    assertEquals(
        List.of("8"), table(deep + "fields jsonParse(js) as j | display j.k[1][0] | sort j.k[0]"));
    assertEquals(List.of("2"), table("filter list[1].x in[2, 3] | stats max(list[1].x)"));
    assertTrue(rows(deep + "fields list[1].x").getFirst().containsKey("list[1].x"));
    assertTrue(
        assertThrows(MalformedQueryException.class, () -> run("fields list[x]"))
            .getMessage()
            .startsWith("unexpected symbol found x at line 1 and position 13"));
  }

  @Test
  void statistics() {
    GetQueryResultsResponse answer = run("fields ms | filter method = 'GET' | limit 1");
    assertEquals(5, answer.statistics().recordsScanned());
    assertEquals(3, answer.statistics().recordsMatched());
    assertTrue(answer.statistics().bytesScanned() > 100);
    assertEquals(1, answer.results().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "ms = 20; 20",
        "ms != 20 and ms < 40; 30 10",
        "request.path = '/b'; 20",
        "request.path like '/b'; 20",
        "request.path like /^.b$/; 20",
        "request.path =~ /b/; 20",
        "request.path not like 'a' and ispresent(ms); 20",
        "method in ['POST', 'PUT']; 30",
        "method not in ['GET'] and ispresent(ms); 30",
        "not (ms = 20 or ms = 30) and ms > 0; 40 10",
        "request.tags.1 = 'y' and ms <= 10; 10",
        "ms * 2 + 1 = 41; 20",
        "ms % 20 = 0; 40 20",
        "2 ^ 3 = ms - 2; 10",
        "isIpv4InSubnet(ip, '10.0.0.0/16'); 20 10",
        "isIpInSubnet(ip, '10.0.0.0/24'); 10",
        "isIpv6InSubnet(ip, 'fd00::/8'); 40",
        "isValidIpV6(ip); 40",
        "strcontains(ip, '168') = 1; 30",
        "strlen(method) = 4; 30",
        "tolower(method) = 'post'; 30",
        "substr(ip, 0, 3) = '192'; 30",
        "concat(method, request.path) = 'GET/b'; 20",
        "replace(method, 'O', '0') = 'P0ST'; 30",
        "ltrim(request.path, '/') = 'b'; 20",
        "abs(0 - ms) = 10; 10",
        "greatest(ms, 25) = 30; 30",
        "sqrt(ms * 10) = 10; 10",
        "coalesce(nothing, method) = 'POST'; 30",
        "isempty(nothing) and ms = 10; 10",
        "@timestamp >= 1795248060000 and ispresent(ms); 40",
        "toMillis(@timestamp) = 1795248000000; 10",
        "datefloor(@timestamp, 1m) < @timestamp and ms > 0; 30 20",
        "@logStream = 'web' and ms = 10; 10",
        "@log like 'alba' and ms = 10; 10",
        "`ms` = 10; 10"
      })
  void filters(String condition, String expected) {
    assertEquals(
        expected,
        String.join(" ", table("fields ms | filter ispresent(ms) | filter " + condition)));
  }

  @Test
  void groups() {
    assertEquals(
        List.of("/a 3 80", "/b 1 20", "1"), // the last has no path
        table("stats count(*) as n, sum(ms) by request.path | filter n > 0 | sort request.path"));
    assertEquals(
        List.of("2026-11-21 08:01:00.000 2", "2026-11-21 08:00:00.000 3"),
        table("stats count(*) by bin(1m)"));
    assertEquals(
        List.of("GET 23.333333333333332", "POST 30"),
        table("filter ms > 0 | stats avg(ms) by method | sort method asc"));
    assertEquals(
        List.of("10 40 25 2 40 10 11.180339887498949"),
        table(
            "filter ms > 0 | stats min(ms), max(ms), median(ms), count_distinct(method),"
                + " latest(ms), earliest(ms), stddev(ms)"));
    assertEquals(List.of("37"), table("stats pct(ms, 90) as p90"));
    assertEquals(List.of("25"), table("filter ms > 0 | stats sum(ms) / count(*) as mean"));
    assertEquals(List.of("0"), table("filter ms > 1000 | stats count(*)"));
    assertEquals(
        List.of("/a 3"),
        table("filter ms > 0 | stats count(*) by request.path | sort count(*) desc | limit 1"));
    assertEquals(
        List.of("3"),
        table("filter ms>0 | stats count(*) as n by request.path | stats max(n) as most"));
  }

  @Test
  void parses() {
    assertEquals(
        List.of("ERROR disk full node7 12.5"),
        table(
            "parse @message '[*] * on * after * s' as level, what, where, took"
                + " | filter level = 'ERROR' | display level, what, where, took"));
    assertEquals(
        List.of("node7 12.5"),
        table(
            "parse @message /on (?<where>\\S+) after (?<took>[0-9.]+)/"
                + " | filter ispresent(where) | display where, took"));
  }

  @Test
  void displaysComputesAndDeduplicates() {
    assertEquals(
        List.of("GET-40"),
        table("fields concat(method, '-', ms) as c | filter ms = 40 | display c"));
    assertEquals(
        List.of("POST", "GET"),
        table("filter ms > 0 | sort ms desc | dedup method | sort method desc | display method"));
    assertEquals(
        List.of("1"),
        table("filter ms = 10 | fields jsonParse('{\"a\":{\"b\":1}}') as j | display j.a.b"));
    assertEquals(
        List.of("10", "20", "30", "40"),
        table("fields ms # a comment\n | filter ms > 0\n | sort ms"));
  }

  /** AWS's own example, and what is not there. */
  @Test
  void sortsNaturally() {
    List<String> ordered =
        List.of(
            "!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "a12", "0", "2", "10");
    for (int i = 0; i < ordered.size(); i++) { // from the middle on, so that it is no order at all
      String value = ordered.get((i + 5) % ordered.size());
      put("other", 100 + i, "{\"v\":\"%s\"}".formatted(value));
    }
    assertEquals(ordered, table("sort v | limit 14 | fields v"));
    assertEquals(ordered.reversed(), table("sort v desc | limit 14 | fields v"));
  }

  @Test
  void severalGroupsAndTheTimeOfTheQuery() {
    world.group("second", "s");
    world.logs.putLogEvents(
        r -> r.logGroupName("second").logStreamName("s").logEvents(World.event(start, "hello")));
    String id =
        world
            .logs
            .startQuery(r ->
                r.logGroupNames(World.GROUP, "second")
                    .startTime(start / 1_000)
                    .endTime(start / 1_000)
                    .queryString("stats count(*) by @log"))
            .queryId();
    world.time.settle();
    GetQueryResultsResponse answer = world.logs.getQueryResults(r -> r.queryId(id));
    assertEquals(2, answer.results().size());
    assertEquals(2, answer.statistics().recordsScanned());
    assertEquals(2, answer.statistics().logGroupsScanned());
  }

  /** More than one transaction reads. */
  @Test
  void manyEventsAreReadOnceEach() {
    world.group("many", "a", "b");
    for (String stream : List.of("a", "b")) {
      for (int batch = 0; batch < 2; batch++) {
        long at = start + batch * 10_000L;
        List<software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent> events =
            java.util.stream.IntStream.range(0, 7_000)
                .mapToObj(i -> World.event(at + i, stream + i))
                .toList();
        world.logs.putLogEvents(
            r -> r.logGroupName("many").logStreamName(stream).logEvents(events));
      }
    }
    String id =
        world
            .logs
            .startQuery(r ->
                r.logGroupName("many")
                    .startTime(start / 1_000)
                    .endTime(start / 1_000 + 60)
                    .queryString("stats count(*), count_distinct(@message)"))
            .queryId();
    world.time.settle();
    List<ResultField> row = world.logs.getQueryResults(r -> r.queryId(id)).results().getFirst();
    assertEquals(List.of("28000", "14000"), row.stream().map(ResultField::value).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "fields",
        "filter",
        "filter a =",
        "filter (a = 1",
        "filter a = 'x",
        "filter a like /(/",
        "filter count(*) > 1",
        "stats a by b",
        "stats count(*) by bin(5x)",
        "stats pct(a, 101)",
        "limit 0",
        "limit 10001",
        "limit many",
        "parse @message '* *' as a",
        "parse @message /(x)/",
        "fields nofunction(a)",
        "fields abs(1, 2)",
        "fields a |",
        "unmask @message",
        "pattern @message",
        "stats count(*) | stats count(*) | stats count(*)"
      })
  void whatIsNoQueryIsRefusedWithItsPlace(String query) {
    MalformedQueryException e = assertThrows(MalformedQueryException.class, () -> run(query));
    assertTrue(e.getMessage().contains("at line 1 and position "), e.getMessage());
    assertTrue(
        e.queryCompileError().location().startCharOffset()
            <= e.queryCompileError().location().endCharOffset());
  }

  @Test
  void nestingHasABound() {
    assertThrows(
        MalformedQueryException.class,
        () -> run("filter " + "(".repeat(5_000) + "a" + ")".repeat(4_000)));
    assertThrows(MalformedQueryException.class, () -> run("filter " + "not ".repeat(2_000) + "a"));
  }

  @Test
  void wrongRequestsAreRefused() {
    assertThrows(
        ResourceNotFoundException.class,
        () ->
            world.logs.startQuery(
                r -> r.logGroupName("nope").startTime(0L).endTime(1L).queryString("fields a")));
    assertThrows(
        InvalidParameterException.class,
        () ->
            world.logs.startQuery(r ->
                r.logGroupName(World.GROUP).startTime(2L).endTime(1L).queryString("fields a")));
    assertThrows(
        InvalidParameterException.class,
        () -> world.logs.startQuery(r -> r.startTime(1L).endTime(1L).queryString("fields a")));
    assertThrows(
        InvalidParameterException.class,
        () ->
            world.logs.startQuery(r ->
                r.logGroupName(World.GROUP)
                    .startTime(1L)
                    .endTime(1L)
                    .queryLanguage("SQL")
                    .queryString("select 1")));
    assertThrows(
        ResourceNotFoundException.class, () -> world.logs.getQueryResults(r -> r.queryId("x")));
  }

  @Test
  void queriesAreListedStoppedAndSurvive() {
    GetQueryResultsResponse before = run("stats count(*) as n");
    String id = world.logs.describeQueries(r -> {}).queries().getFirst().queryId();
    assertThrows(InvalidParameterException.class, () -> world.logs.stopQuery(r -> r.queryId(id)));
    world.restart();
    assertEquals(before.results(), world.logs.getQueryResults(r -> r.queryId(id)).results());
    assertEquals(
        1,
        world
            .logs
            .describeQueries(r -> r.status(QueryStatus.COMPLETE).logGroupName(World.GROUP))
            .queries()
            .size());
    assertEquals(0, world.logs.describeQueries(r -> r.status(QueryStatus.FAILED)).queries().size());
    world.time.advance(Duration.ofDays(8));
    run("fields a");
    assertThrows(
        ResourceNotFoundException.class, () -> world.logs.getQueryResults(r -> r.queryId(id)));
  }

  @Test
  void aRecordIsFoundByItsPointer() {
    String pointer =
        run("filter ms = 30").results().getFirst().stream()
            .filter(field -> field.field().equals("@ptr"))
            .map(ResultField::value)
            .findFirst()
            .orElseThrow();
    Map<String, String> record =
        world.logs.getLogRecord(r -> r.logRecordPointer(pointer)).logRecord();
    assertEquals("POST", record.get("method"));
    assertEquals("y", record.get("request.tags.1"));
    assertEquals("web", record.get("@logStream"));
    assertThrows(
        InvalidParameterException.class,
        () -> world.logs.getLogRecord(r -> r.logRecordPointer("bm9uZQ")));
    world.logs.deleteLogStream(r -> r.logGroupName(World.GROUP).logStreamName("web"));
    assertThrows(
        ResourceNotFoundException.class,
        () -> world.logs.getLogRecord(r -> r.logRecordPointer(pointer)));
  }

  @Test
  void fieldsOfAGroupWithHowManyEventsHaveThem() {
    Map<String, Integer> fields =
        world.logs.getLogGroupFields(r -> r.logGroupName(World.GROUP)).logGroupFields().stream()
            .collect(Collectors.toMap(LogGroupField::name, LogGroupField::percent));
    assertEquals(100, fields.get("@message"));
    assertEquals(80, fields.get("request.path"));
    assertEquals(
        0,
        world
            .logs
            .getLogGroupFields(r -> r.logGroupName(World.GROUP).time(1L))
            .logGroupFields()
            .size());
  }

  @Test
  void definitionsAreSaved() {
    String id =
        world
            .logs
            .putQueryDefinition(
                r -> r.name("errors/all").queryString("fields a").logGroupNames(World.GROUP))
            .queryDefinitionId();
    String again =
        world
            .logs
            .putQueryDefinition(r -> r.name("b").queryString("fields b").clientToken("t"))
            .queryDefinitionId();
    assertEquals(
        again,
        world
            .logs
            .putQueryDefinition(r -> r.name("b").queryString("fields b").clientToken("t"))
            .queryDefinitionId());
    world.logs.putQueryDefinition(
        r -> r.queryDefinitionId(id).name("errors/new").queryString("fields c"));
    world.restart();
    var page = world.logs.describeQueryDefinitions(r -> r.maxResults(1));
    assertEquals("b", page.queryDefinitions().getFirst().name());
    var next = world.logs.describeQueryDefinitions(r -> r.nextToken(page.nextToken()));
    assertEquals("errors/new", next.queryDefinitions().getFirst().name());
    assertEquals(
        1,
        world
            .logs
            .describeQueryDefinitions(r -> r.queryDefinitionNamePrefix("errors"))
            .queryDefinitions()
            .size());
    assertTrue(world.logs.deleteQueryDefinition(r -> r.queryDefinitionId(id)).success());
    assertThrows(
        ResourceNotFoundException.class,
        () -> world.logs.deleteQueryDefinition(r -> r.queryDefinitionId(id)));
    assertThrows(
        ResourceNotFoundException.class,
        () ->
            world.logs.putQueryDefinition(
                r -> r.queryDefinitionId(id).name("x").queryString("fields a")));
  }
}
