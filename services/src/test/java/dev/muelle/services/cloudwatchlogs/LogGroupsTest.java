package dev.muelle.services.cloudwatchlogs;

import static dev.muelle.services.cloudwatchlogs.World.GROUP;
import static dev.muelle.services.cloudwatchlogs.World.GROUP_ARN;
import static dev.muelle.services.cloudwatchlogs.World.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.CloudWatchLogsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogStreamsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroup;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupClass;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupSummary;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogStream;
import software.amazon.awssdk.services.cloudwatchlogs.model.OrderBy;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.TooManyTagsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ValidationException;

/** Groups, their streams, tags and retention. */
@SuppressWarnings({"deprecation", "unchecked"}) // old operations; generic varargs of the SDK
class LogGroupsTest {

  @TempDir private Path directory;
  private World world;
  private CloudWatchLogs logs;

  @BeforeEach
  void open() {
    world = new World(directory);
    logs = world.logs;
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static <E extends CloudWatchLogsException> void refused(
      Class<E> type, String message, Executable attempt) {
    String said = assertThrows(type, attempt).getMessage();
    assertTrue(said.contains(message), said);
  }

  private static void invalid(String message, Executable attempt) {
    refused(InvalidParameterException.class, message, attempt);
  }

  private static void noGroup(Executable attempt) {
    refused(ResourceNotFoundException.class, "The specified log group does not exist.", attempt);
  }

  @Test
  void aGroupAsItIsMade() {
    logs.createLogGroup(r -> r.logGroupName(GROUP).tags(Map.of("team", "alba")));
    LogGroup group = world.shown(GROUP);
    assertEquals(GROUP, group.logGroupName());
    assertEquals(GROUP_ARN + ":*", group.arn());
    assertEquals(GROUP_ARN, group.logGroupArn());
    assertEquals(world.now(), group.creationTime());
    assertEquals(0, group.storedBytes());
    assertEquals(0, group.metricFilterCount());
    assertEquals(LogGroupClass.STANDARD, group.logGroupClass());
    assertFalse(group.deletionProtectionEnabled());
    assertNull(group.retentionInDays());
    refused(
        ResourceAlreadyExistsException.class,
        "The specified log group already exists",
        () -> logs.createLogGroup(r -> r.logGroupName(GROUP)));
  }

  @Test
  void namesOfGroupsAndStreams() {
    invalid("'logGroupName' failed", () -> logs.createLogGroup(r -> {}));
    invalid("'logGroupName' failed", () -> logs.createLogGroup(r -> r.logGroupName("")));
    invalid(
        "pattern: [\\.\\-_/#A-Za-z0-9]+", () -> logs.createLogGroup(r -> r.logGroupName("a b")));
    invalid(
        "less than or equal to 512",
        () -> logs.createLogGroup(r -> r.logGroupName("a".repeat(513))));
    invalid("reserved", () -> logs.createLogGroup(r -> r.logGroupName("aws/x")));
    invalid("kmsKeyId", () -> logs.createLogGroup(r -> r.logGroupName("a").kmsKeyId("k")));
    invalid(
        "INFREQUENT_ACCESS",
        () ->
            logs.createLogGroup(
                r -> r.logGroupName("a").logGroupClass(LogGroupClass.INFREQUENT_ACCESS)));
    invalid(
        "enum value set", () -> logs.createLogGroup(r -> r.logGroupName("a").logGroupClass("ODD")));
    logs.createLogGroup(r -> r.logGroupName("a".repeat(512)));
    world.group(GROUP);
    for (String wrong : List.of("", "a:b", "a*", "x".repeat(513))) {
      invalid(
          "'logStreamName' failed",
          () -> logs.createLogStream(r -> r.logGroupName(GROUP).logStreamName(wrong)));
    }
    invalid("'logStreamName' failed", () -> logs.createLogStream(r -> r.logGroupName(GROUP)));
    for (String right : List.of("ecs/c/1", "ñ [1]", "a\nb", "x".repeat(512))) {
      logs.createLogStream(r -> r.logGroupName(GROUP).logStreamName(right));
    }
    assertEquals(4, logs.describeLogStreams(r -> r.logGroupName(GROUP)).logStreams().size());
    noGroup(() -> logs.createLogStream(r -> r.logGroupName("none").logStreamName("s")));
    refused(
        ResourceAlreadyExistsException.class,
        "The specified log stream already exists",
        () -> logs.createLogStream(r -> r.logGroupName(GROUP).logStreamName("ecs/c/1")));
  }

  @Test
  void groupsAreListedByPrefixPatternAndPage() {
    for (String name : List.of("b", "B", "a/1", "a/2", "a/3", "xa/1y")) {
      world.group(name);
    }
    assertEquals(List.of("B", "a/1", "a/2", "a/3", "b", "xa/1y"), names(null, null));
    assertEquals(List.of("a/1", "a/2", "a/3"), names("a/", null));
    assertEquals(List.of("a/1", "xa/1y"), names(null, "a/1"));
    assertEquals(List.of("B", "a/1", "a/2", "a/3", "b", "xa/1y"), names(null, ""));
    assertEquals(List.of(), names(null, "A/1"));
    LogGroup bySearch =
        logs.describeLogGroups(r -> r.logGroupNamePattern("xa")).logGroups().getFirst();
    assertNotNull(bySearch.arn());
    assertNull(bySearch.storedBytes());
    assertEquals(
        List.of("a/2", "b"),
        logs
            .describeLogGroups(r ->
                r.logGroupIdentifiers("b", "arn:aws:logs:us-east-1:000000000000:log-group:a/2:*"))
            .logGroups()
            .stream()
            .map(LogGroup::logGroupName)
            .toList());
    invalid(
        "mutually exclusive",
        () -> logs.describeLogGroups(r -> r.logGroupNamePrefix("a").logGroupNamePattern("b")));
    invalid("'limit' failed", () -> logs.describeLogGroups(r -> r.limit(0)));
    invalid("'limit' failed", () -> logs.describeLogGroups(r -> r.limit(51)));
    invalid("nextToken", () -> logs.describeLogGroups(r -> r.nextToken("?")));
    invalid("nextToken", () -> logs.describeLogGroups(r -> r.nextToken("some-group")));
    invalid("nextToken", () -> logs.listLogGroups(r -> r.nextToken("some-group")));
    invalid("nextToken", () -> logs.describeMetricFilters(r -> r.nextToken("some-filter")));
    invalid("nextToken", () -> logs.describeQueries(r -> r.nextToken("some-query")));
    invalid("nextToken", () -> logs.describeQueryDefinitions(r -> r.nextToken("some-query")));
    world.group("t1").group("t2");
    String token = logs.describeLogGroups(r -> r.limit(1)).nextToken();
    invalid("nextToken", () -> logs.listLogGroups(r -> r.nextToken(token)));
    invalid(
        "nextToken", () -> logs.describeLogGroups(r -> r.logGroupNamePrefix("t").nextToken(token)));
    invalid("pattern", () -> logs.describeLogGroups(r -> r.logGroupNamePrefix("*")));
    invalid("accountIdentifiers", () -> logs.describeLogGroups(r -> r.accountIdentifiers("1")));
    assertTrue(
        logs.describeLogGroups(r -> r.logGroupClass(LogGroupClass.DELIVERY)).logGroups().isEmpty());
  }

  /** All pages, two groups each. */
  private List<String> names(String prefix, String pattern) {
    List<String> names = new ArrayList<>();
    String token = null;
    do {
      String from = token;
      DescribeLogGroupsResponse page =
          logs.describeLogGroups(r ->
              r.logGroupNamePrefix(prefix).logGroupNamePattern(pattern).limit(2).nextToken(from));
      assertTrue(page.logGroups().size() <= 2);
      page.logGroups().forEach(group -> names.add(group.logGroupName()));
      token = page.nextToken();
    } while (token != null);
    return names;
  }

  @Test
  void listLogGroupsTakesAlternatives() {
    world.group("/aws/lambda/f").group("/x/aws/lambda").group("my-discovery").group("other");
    assertEquals(List.of("/aws/lambda/f", "my-discovery"), listed("^/aws/lambda|discovery", null));
    assertEquals(List.of("/aws/lambda/f", "/x/aws/lambda"), listed("/aws", null));
    assertEquals(4, listed(null, null).size());
    ListLogGroupsResponse first = logs.listLogGroups(r -> r.limit(3));
    assertEquals(
        "other",
        logs.listLogGroups(r -> r.nextToken(first.nextToken()))
            .logGroups()
            .getFirst()
            .logGroupName());
    assertEquals(
        "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f",
        first.logGroups().getFirst().logGroupArn());
    for (String wrong : List.of("ab", "a.c|", "(abc)", "a|b|c|d|e|f", "abc*")) {
      invalid("'logGroupNamePattern' failed", () -> listed(wrong, null));
    }
    invalid("'limit' failed", () -> listed(null, 1001));
    invalid("fieldIndexNames", () -> logs.listLogGroups(r -> r.fieldIndexNames("x")));
    invalid("dataSources", () -> logs.listLogGroups(r -> r.dataSources(d -> d.name("x"))));
  }

  private List<String> listed(String pattern, Integer limit) {
    return logs.listLogGroups(r -> r.logGroupNamePattern(pattern).limit(limit)).logGroups().stream()
        .map(LogGroupSummary::logGroupName)
        .toList();
  }

  @Test
  void streamsByNameAndByTheirLastEvent() {
    world.group(GROUP, "a", "b", "c", "ab", "empty");
    world.put("a", event(world.now() - 3000, "x"));
    world.put("b", event(world.now() - 1000, "x"));
    world.put("c", event(world.now() - 3000, "x"));
    world.put("ab", event(world.now() - 9000, "x"), event(world.now() - 500, "y"));
    assertEquals(
        List.of("a", "ab", "b", "c", "empty"), streams(DescribeLogStreamsRequest.builder()));
    assertEquals(
        List.of("empty", "c", "b", "ab", "a"),
        streams(DescribeLogStreamsRequest.builder().descending(true)));
    assertEquals(
        List.of("a", "ab"), streams(DescribeLogStreamsRequest.builder().logStreamNamePrefix("a")));
    assertEquals(
        List.of("ab", "b", "c", "a", "empty"),
        streams(
            DescribeLogStreamsRequest.builder().orderBy(OrderBy.LAST_EVENT_TIME).descending(true)));
    assertEquals(
        List.of("empty", "a", "c", "b", "ab"),
        streams(DescribeLogStreamsRequest.builder().orderBy(OrderBy.LAST_EVENT_TIME)));
    invalid(
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
        () ->
            streams(
                DescribeLogStreamsRequest.builder()
                    .orderBy(OrderBy.LAST_EVENT_TIME)
                    .logStreamNamePrefix("a")));
    invalid("enum value set", () -> streams(DescribeLogStreamsRequest.builder().orderBy("Size")));
    invalid("nextToken", () -> logs.describeLogStreams(r -> r.logGroupName(GROUP).nextToken("~~")));
    String byName = logs.describeLogStreams(r -> r.logGroupName(GROUP).limit(1)).nextToken();
    invalid(
        "nextToken",
        () ->
            logs.describeLogStreams(
                r -> r.logGroupName(GROUP).orderBy(OrderBy.LAST_EVENT_TIME).nextToken(byName)));
    noGroup(() -> logs.describeLogStreams(r -> r.logGroupName("none")));
    invalid("Either logGroupName", () -> logs.describeLogStreams(r -> {}));
    invalid(
        "mutually exclusive",
        () -> logs.describeLogStreams(r -> r.logGroupName(GROUP).logGroupIdentifier(GROUP)));
  }

  /** A stream that goes between two pages takes no other with it. */
  @Test
  void aPageGoesOnAfterItsLastStreamEvenIfThatIsGone() {
    world.group(GROUP, "a", "b", "c", "d");
    DescribeLogStreamsResponse first = logs.describeLogStreams(r -> r.logGroupName(GROUP).limit(2));
    logs.deleteLogStream(r -> r.logGroupName(GROUP).logStreamName("a"));
    logs.deleteLogStream(r -> r.logGroupName(GROUP).logStreamName("b"));
    assertEquals(
        List.of("c", "d"),
        logs
            .describeLogStreams(r -> r.logGroupName(GROUP).nextToken(first.nextToken()))
            .logStreams()
            .stream()
            .map(LogStream::logStreamName)
            .toList());
  }

  private List<String> streams(DescribeLogStreamsRequest.Builder request) {
    List<String> names = new ArrayList<>();
    String token = null;
    do {
      DescribeLogStreamsResponse page =
          logs.describeLogStreams(
              request.logGroupIdentifier(GROUP_ARN).limit(2).nextToken(token).build());
      page.logStreams().forEach(stream -> names.add(stream.logStreamName()));
      token = page.nextToken();
    } while (token != null);
    return names;
  }

  @Test
  void aStreamAsItIsShown() {
    world.group(GROUP, "s");
    LogStream empty = logs.describeLogStreams(r -> r.logGroupName(GROUP)).logStreams().getFirst();
    assertEquals(GROUP_ARN + ":log-stream:s", empty.arn());
    assertEquals(world.now(), empty.creationTime());
    assertNull(empty.firstEventTimestamp());
    assertNull(empty.uploadSequenceToken());
    world.put("s", event(world.now() - 5, "hello"), event(world.now() - 1, "ñ"));
    LogStream stream = logs.describeLogStreams(r -> r.logGroupName(GROUP)).logStreams().getFirst();
    assertEquals(world.now() - 5, stream.firstEventTimestamp());
    assertEquals(world.now() - 1, stream.lastEventTimestamp());
    assertEquals(world.now(), stream.lastIngestionTime());
    assertEquals(0, stream.storedBytes());
    assertNotNull(stream.uploadSequenceToken());
    assertEquals(5 + 26 + 2 + 26, world.shown(GROUP).storedBytes());
  }

  @Test
  void tagsByArnAndByName() {
    logs.createLogGroup(r -> r.logGroupName(GROUP).tags(Map.of("a", "1")));
    logs.tagResource(r -> r.resourceArn(GROUP_ARN).tags(Map.of("a", "2", "b c", "")));
    logs.tagLogGroup(r -> r.logGroupName(GROUP).tags(Map.of("d", "ñ")));
    Map<String, String> tags = Map.of("a", "2", "b c", "", "d", "ñ");
    assertEquals(tags, logs.listTagsForResource(r -> r.resourceArn(GROUP_ARN)).tags());
    assertEquals(tags, logs.listTagsLogGroup(r -> r.logGroupName(GROUP)).tags());
    logs.untagResource(r -> r.resourceArn(GROUP_ARN).tagKeys("a", "none"));
    logs.untagLogGroup(r -> r.logGroupName(GROUP).tags("d"));
    assertEquals(Map.of("b c", ""), logs.listTagsForResource(r -> r.resourceArn(GROUP_ARN)).tags());
    assertEquals(0, world.shown(GROUP).storedBytes(), "the rest of the group is as it was");
  }

  @Test
  void tagsHaveLimits() {
    world.group(GROUP);
    Map<String, String> fifty = new TreeMap<>();
    for (int i = 0; i < 50; i++) {
      fifty.put("k" + i, "v");
    }
    Map<String, String> more = new TreeMap<>(fifty);
    more.put("one", "more");
    invalid("'tags' failed", () -> logs.createLogGroup(r -> r.logGroupName("x").tags(more)));
    logs.tagResource(r -> r.resourceArn(GROUP_ARN).tags(fifty));
    logs.tagResource(r -> r.resourceArn(GROUP_ARN).tags(fifty));
    refused(
        TooManyTagsException.class,
        "50",
        () -> logs.tagResource(r -> r.resourceArn(GROUP_ARN).tags(Map.of("one", "more"))));
    invalid("50", () -> logs.tagLogGroup(r -> r.logGroupName(GROUP).tags(Map.of("one", "more"))));
    for (Map<String, String> wrong :
        List.of(
            Map.of("", "v"),
            Map.of("k".repeat(129), "v"),
            Map.of("k", "v".repeat(257)),
            Map.of("a*", "v"),
            Map.of("a", "<v>"),
            Map.of("aws:x", "v"),
            Map.<String, String>of())) {
      invalid("ag", () -> logs.tagResource(r -> r.resourceArn(GROUP_ARN).tags(wrong)));
      if (!wrong.isEmpty()) {
        invalid("ag", () -> logs.createLogGroup(r -> r.logGroupName("x").tags(wrong)));
      }
    }
    assertEquals(50, logs.listTagsForResource(r -> r.resourceArn(GROUP_ARN)).tags().size());
  }

  @Test
  void tagsOfWhatIsNotThere() {
    world.group(GROUP);
    for (String arn :
        List.of(
            GROUP_ARN + "/none",
            GROUP_ARN + ":*",
            "arn:aws:logs:us-east-1:000000000000:destination:d",
            "arn:aws:logs:eu-west-1:000000000000:log-group:" + GROUP,
            "arn:aws:logs:us-east-1:111111111111:log-group:" + GROUP)) {
      refused(
          ResourceNotFoundException.class,
          "The specified resource does not exist.",
          () -> logs.listTagsForResource(r -> r.resourceArn(arn)));
      refused(
          ResourceNotFoundException.class,
          "The specified resource does not exist.",
          () -> logs.tagResource(r -> r.resourceArn(arn).tags(Map.of("a", "b"))));
    }
    invalid("resourceArn", () -> logs.listTagsForResource(r -> r.resourceArn(GROUP)));
    noGroup(() -> logs.tagLogGroup(r -> r.logGroupName("none").tags(Map.of("a", "b"))));
    noGroup(() -> logs.untagLogGroup(r -> r.logGroupName("none").tags("a")));
    noGroup(() -> logs.listTagsLogGroup(r -> r.logGroupName("none")));
  }

  @Test
  void deletionProtection() {
    logs.createLogGroup(r -> r.logGroupName(GROUP).deletionProtectionEnabled(true));
    logs.createLogStream(r -> r.logGroupName(GROUP).logStreamName("s"));
    refused(
        ValidationException.class,
        "deletion protection",
        () -> logs.deleteLogGroup(r -> r.logGroupName(GROUP)));
    refused(
        ValidationException.class,
        "deletion protection",
        () -> logs.deleteLogStream(r -> r.logGroupName(GROUP).logStreamName("s")));
    assertTrue(world.shown(GROUP).deletionProtectionEnabled());
    logs.putLogGroupDeletionProtection(
        r -> r.logGroupIdentifier(GROUP_ARN).deletionProtectionEnabled(false));
    logs.deleteLogGroup(r -> r.logGroupName(GROUP));
    assertEquals(List.of(), names(null, null));
    invalid(
        "deletionProtectionEnabled",
        () -> logs.putLogGroupDeletionProtection(r -> r.logGroupIdentifier(GROUP)));
    noGroup(() ->
        logs.putLogGroupDeletionProtection(
            r -> r.logGroupIdentifier(GROUP).deletionProtectionEnabled(true)));
  }

  @Test
  void deletedGroupsAndStreamsLeaveNothing() {
    world.group(GROUP, "a", "b");
    for (int i = 0; i < 3; i++) {
      world.put("a", many(700));
    }
    world.put("b", event(world.now(), "kept"));
    logs.deleteLogStream(r -> r.logGroupName(GROUP).logStreamName("a"));
    refused(
        ResourceNotFoundException.class,
        "The specified log stream does not exist.",
        () -> logs.getLogEvents(r -> r.logGroupName(GROUP).logStreamName("a")));
    assertEquals(26 + 4, world.shown(GROUP).storedBytes());
    world.time.settle();
    assertEquals(1, world.stored());
    // The same name again is another stream.
    logs.createLogStream(r -> r.logGroupName(GROUP).logStreamName("a"));
    assertEquals(List.of(), world.all("a"));
    world.put("a", many(1200));
    logs.deleteLogGroup(r -> r.logGroupName(GROUP));
    noGroup(() -> logs.deleteLogGroup(r -> r.logGroupName(GROUP)));
    noGroup(() -> logs.getLogEvents(r -> r.logGroupName(GROUP).logStreamName("a")));
    // The server dies before anything was deleted; the next one does it.
    world.restart();
    assertEquals(1201, world.stored());
    world.time.settle();
    assertEquals(0, world.stored());
    assertTrue(world.store().read(tx -> tx.list(Tables.DELETED)).isEmpty());
  }

  private List<software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent> many(int count) {
    List<software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent> events =
        new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event(world.now() - count + i, "line " + i));
    }
    return events;
  }

  @Test
  void retentionTakesWhatAwsTakes() {
    world.group(GROUP);
    for (int days :
        List.of(
            1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
            2922, 3288, 3653)) {
      logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(days));
      assertEquals(days, world.shown(GROUP).retentionInDays());
    }
    for (int days : List.of(0, -1, 2, 4, 3654, Integer.MAX_VALUE)) {
      invalid(
          "Invalid retention value. Valid values are: [1, 3, 5,",
          () -> logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(days)));
    }
    invalid("retentionInDays", () -> logs.putRetentionPolicy(r -> r.logGroupName(GROUP)));
    assertEquals(3653, world.shown(GROUP).retentionInDays());
    logs.deleteRetentionPolicy(r -> r.logGroupName(GROUP));
    assertNull(world.shown(GROUP).retentionInDays());
    noGroup(() -> logs.putRetentionPolicy(r -> r.logGroupName("none").retentionInDays(1)));
    noGroup(() -> logs.deleteRetentionPolicy(r -> r.logGroupName("none")));
  }

  @Test
  void whatHasExpiredIsNotSeenAndThenReallyGone() {
    world.group(GROUP, "s", "old");
    long start = world.now();
    world.put("old", event(start - 1000, "old"));
    world.put("s", event(start, "first"), event(start + 1000, "second"));
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(1));
    world.time.advance(Duration.ofDays(1));
    assertEquals(List.of(), world.all("old"), "expired one second ago");
    assertEquals(List.of("first", "second"), world.all("s"), "to the millisecond");
    world.time.advance(Duration.ofMillis(1));
    assertEquals(List.of("second"), world.all("s"));
    assertEquals(
        List.of("second"),
        world.messages(
            software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest.builder()));
    world.time.advance(Duration.ofMinutes(2));
    assertEquals(List.of(), world.all("s"));
    assertEquals(0, world.stored(), "gone from the database");
    assertEquals(0, world.shown(GROUP).storedBytes());
    LogStream stream = logs.describeLogStreams(r -> r.logGroupName(GROUP)).logStreams().getLast();
    assertNull(stream.firstEventTimestamp());
    assertNull(stream.lastEventTimestamp());
    world.put("s", event(world.now(), "third"));
    assertEquals(List.of("third"), world.all("s"));
  }

  @Test
  void aShorterRetentionDeletesAtOnceAndALongerOneKeeps() {
    world.group(GROUP, "s");
    long day = Duration.ofDays(1).toMillis();
    for (long age = 13; age >= 0; age--) {
      world.put("s", event(world.now() - age * day, "age " + age));
    }
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(14));
    world.time.settle();
    assertEquals(14, world.stored());
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(5));
    world.time.settle();
    assertEquals(6, world.stored());
    assertEquals("age 5", world.all("s").getFirst());
    assertEquals(world.now() - 5 * day, first("s"));
    logs.deleteRetentionPolicy(r -> r.logGroupName(GROUP));
    world.time.advance(Duration.ofDays(400));
    assertEquals(6, world.all("s").size(), "kept for ever again");
  }

  private Long first(String stream) {
    return logs.describeLogStreams(r -> r.logGroupName(GROUP).logStreamNamePrefix(stream))
        .logStreams()
        .getFirst()
        .firstEventTimestamp();
  }

  @Test
  void retentionGoesOnAfterARestart() {
    world.group(GROUP, "s");
    world.put("s", many(1300));
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(3));
    world.time.settle();
    world.restart();
    assertEquals(1300, world.stored());
    world.time.advance(Duration.ofDays(3).plusHours(1));
    assertEquals(0, world.stored());
    // A group of the same name, made anew, keeps its events.
    world.logs.deleteLogGroup(r -> r.logGroupName(GROUP));
    world.group(GROUP, "s");
    world.put("s", event(world.now(), "x"));
    world.time.advance(Duration.ofDays(30));
    assertEquals(List.of("x"), world.all("s"));
  }
}
