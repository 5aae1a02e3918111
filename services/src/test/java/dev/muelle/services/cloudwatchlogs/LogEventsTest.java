package dev.muelle.services.cloudwatchlogs;

import static dev.muelle.services.cloudwatchlogs.World.GROUP;
import static dev.muelle.services.cloudwatchlogs.World.GROUP_ARN;
import static dev.muelle.services.cloudwatchlogs.World.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.EntityRejectionErrorType;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilteredLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.RejectedLogEventsInfo;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

/** Events put in, read back and searched. */
@SuppressWarnings("unchecked") // generic varargs of the SDK
class LogEventsTest {

  private static final long HOUR = Duration.ofHours(1).toMillis();
  private static final long DAY = Duration.ofDays(1).toMillis();

  @TempDir private Path directory;
  private World world;
  private CloudWatchLogs logs;
  private long now;

  @BeforeEach
  void open() {
    world = new World(directory);
    world.group(GROUP, "s", "t", "u");
    logs = world.logs;
    now = world.now();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static void invalid(String message, Executable attempt) {
    String said = assertThrows(InvalidParameterException.class, attempt).getMessage();
    assertTrue(said.contains(message), said);
  }

  // PutLogEvents

  @Test
  void eventsComeBackAsTheyWereGiven() {
    List<String> messages = List.of("plain", "ñ 🚢 \u0000 \t", "a\nb", "{\"a\":\"\\\"\"}", " ");
    PutLogEventsResponse put = world.put("s", messages.stream().map(m -> event(now, m)).toList());
    assertNull(put.rejectedLogEventsInfo());
    assertNull(put.rejectedEntityInfo());
    List<OutputLogEvent> events =
        logs.getLogEvents(r -> r.logGroupName(GROUP).logStreamName("s")).events();
    assertEquals(messages, events.stream().map(OutputLogEvent::message).toList());
    assertTrue(events.stream().allMatch(e -> e.timestamp() == now && e.ingestionTime() == now));
  }

  @Test
  void aBatchHasToBeWellFormed() {
    invalid("'logEvents' failed", () -> world.put("s", List.of()));
    invalid("'logEvents' failed", () -> world.put("s", copies(10_001, "x")));
    invalid(
        "must be in chronological order",
        () -> world.put("s", event(now, "a"), event(now - 1, "b")));
    invalid("logEvents.1.member.message", () -> world.put("s", event(now, "")));
    invalid(
        "logEvents.2.member.message",
        () -> world.put("s", event(now, "a"), InputLogEvent.builder().timestamp(now).build()));
    invalid(
        "logEvents.1.member.timestamp",
        () -> world.put("s", InputLogEvent.builder().message("a").build()));
    invalid("logEvents.1.member.timestamp", () -> world.put("s", event(-1, "a")));
    invalid("'logStreamName' failed", () -> world.put("a:b", event(now, "a")));
    assertThrows(ResourceNotFoundException.class, () -> world.put("none", event(now, "a")));
    assertEquals(0, world.stored(), "nothing of a refused batch is kept");
    world.put("s", copies(10_000, "x"));
    assertEquals(10_000, world.stored());
  }

  private List<InputLogEvent> copies(int count, String message) {
    return IntStream.range(0, count).mapToObj(i -> event(now, message)).toList();
  }

  @Test
  void aBatchIsOneMebibyteWith26BytesForEachEvent() {
    int limit = 1_048_576;
    world.put("s", event(now, "x".repeat(limit - 26)));
    invalid(
        "Log event too large: 1048577 bytes exceeds limit of 1048576",
        () -> world.put("s", event(now, "x".repeat(limit - 25))));
    // Two bytes each in UTF-8.
    world.put("s", event(now, "ñ".repeat((limit - 26) / 2)));
    invalid("Log event too large", () -> world.put("s", event(now, "ñ".repeat(limit / 2))));
    String half = "x".repeat(limit / 2 - 26);
    world.put("s", event(now, half), event(now, half));
    invalid(
        "Upload too large: 1048577 bytes exceeds limit of 1048576",
        () -> world.put("s", event(now, half), event(now, half + "x")));
    assertEquals(4, world.stored());
  }

  @Test
  void tooOldAndTooNewIsRejectedAndTheRestTaken() {
    RejectedLogEventsInfo info =
        world
            .put(
                "s",
                event(now - 15 * DAY, "too old"),
                event(now - 14 * DAY - 1, "too old"),
                event(now - HOUR, "good"),
                event(now + 2 * HOUR, "good"),
                event(now + 2 * HOUR + 1, "too new"),
                event(now + 40 * DAY, "too new"))
            .rejectedLogEventsInfo();
    assertEquals(2, info.tooOldLogEventEndIndex());
    assertEquals(4, info.tooNewLogEventStartIndex());
    assertNull(info.expiredLogEventEndIndex());
    assertEquals(List.of("good", "good"), world.all("s"));
    assertEquals(
        0,
        world
            .put("s", event(now + 3 * HOUR, "x"))
            .rejectedLogEventsInfo()
            .tooNewLogEventStartIndex());
    assertEquals(1, world.put("s", event(0, "x")).rejectedLogEventsInfo().tooOldLogEventEndIndex());
    assertEquals(2, world.stored());
    // The bound itself is in.
    assertNull(world.put("t", event(now - 14 * DAY, "just")).rejectedLogEventsInfo());
  }

  @Test
  void whatIsOlderThanTheRetentionIsRejectedAsExpired() {
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(3));
    RejectedLogEventsInfo info =
        world
            .put(
                "s",
                event(now - 20 * DAY, "too old"),
                event(now - 3 * DAY - 1, "expired"),
                event(now - 3 * DAY, "good"))
            .rejectedLogEventsInfo();
    assertEquals(1, info.tooOldLogEventEndIndex());
    assertEquals(2, info.expiredLogEventEndIndex());
    assertNull(info.tooNewLogEventStartIndex());
    assertEquals(List.of("good"), world.all("s"));
  }

  @Test
  void theGoodEventsOfABatchSpanADayAtMost() {
    invalid(
        "cannot span more than 24 hours",
        () -> world.put("s", event(now - DAY - 1, "a"), event(now, "b")));
    assertEquals(0, world.stored());
    world.put("s", event(now - DAY, "a"), event(now, "b"));
    // What is rejected anyway does not count.
    world.put("t", event(now - 30 * DAY, "a"), event(now, "b"), event(now + DAY, "c"));
    assertEquals(List.of("b"), world.all("t"));
  }

  @Test
  void sequenceTokensAreIgnored() {
    for (String token : List.of("wrong", "0", "x")) {
      PutLogEventsResponse put =
          logs.putLogEvents(r ->
              r.logGroupName(GROUP)
                  .logStreamName("s")
                  .sequenceToken(token)
                  .logEvents(event(now, token)));
      assertEquals(56, put.nextSequenceToken().length());
    }
    assertEquals(List.of("wrong", "0", "x"), world.all("s"));
  }

  @Test
  void anEntityIsRejectedAloneAndTheEventsTaken() {
    PutLogEventsResponse put =
        logs.putLogEvents(r ->
            r.logGroupName(GROUP)
                .logStreamName("s")
                .entity(e -> e.keyAttributes(java.util.Map.of("Type", "Service")))
                .logEvents(event(now, "a")));
    assertEquals(
        EntityRejectionErrorType.UNSUPPORTED_LOG_GROUP_TYPE, put.rejectedEntityInfo().errorType());
    assertEquals(List.of("a"), world.all("s"));
  }

  @Test
  void eventsAreOrderedByTimeAndThenByArrival() {
    world.put("s", event(now, "3"), event(now, "4"));
    world.put("s", event(now - 10, "1"), event(now - 5, "2"), event(now, "5"));
    assertEquals(List.of("1", "2", "3", "4", "5"), world.all("s"));
  }

  // GetLogEvents

  private GetLogEventsResponse get(UnaryOperator<GetLogEventsRequest.Builder> more) {
    return logs.getLogEvents(
        more.apply(GetLogEventsRequest.builder().logGroupName(GROUP).logStreamName("s")).build());
  }

  private static List<String> messages(GetLogEventsResponse page) {
    return page.events().stream().map(OutputLogEvent::message).toList();
  }

  private void ten() {
    world.put("s", IntStream.range(0, 10).mapToObj(i -> event(now + i, "m" + i)).toList());
  }

  @Test
  void pagesForward() {
    ten();
    GetLogEventsResponse one = get(r -> r.startFromHead(true).limit(4));
    assertEquals(List.of("m0", "m1", "m2", "m3"), messages(one));
    GetLogEventsResponse two = get(r -> r.nextToken(one.nextForwardToken()).limit(4));
    assertEquals(List.of("m4", "m5", "m6", "m7"), messages(two));
    GetLogEventsResponse back = get(r -> r.nextToken(two.nextBackwardToken()).limit(2));
    assertEquals(List.of("m2", "m3"), messages(back));
    GetLogEventsResponse last = get(r -> r.nextToken(two.nextForwardToken()));
    assertEquals(List.of("m8", "m9"), messages(last));
    GetLogEventsResponse end = get(r -> r.nextToken(last.nextForwardToken()));
    assertEquals(List.of(), messages(end));
    assertEquals(last.nextForwardToken(), end.nextForwardToken());
    // What arrives later, even at the last time, is next.
    world.put("s", event(now + 9, "m10"));
    assertEquals(List.of("m10"), messages(get(r -> r.nextToken(end.nextForwardToken()))));
    assertEquals(
        List.of("m8", "m9"), messages(get(r -> r.nextToken(end.nextBackwardToken()).limit(2))));
  }

  @Test
  void pagesBackward() {
    ten();
    GetLogEventsResponse one = get(r -> r.limit(4));
    assertEquals(List.of("m6", "m7", "m8", "m9"), messages(one));
    GetLogEventsResponse two = get(r -> r.nextToken(one.nextBackwardToken()).limit(4));
    assertEquals(List.of("m2", "m3", "m4", "m5"), messages(two));
    GetLogEventsResponse three = get(r -> r.nextToken(two.nextBackwardToken()).limit(4));
    assertEquals(List.of("m0", "m1"), messages(three));
    GetLogEventsResponse end = get(r -> r.nextToken(three.nextBackwardToken()));
    assertEquals(List.of(), messages(end));
    assertEquals(three.nextBackwardToken(), end.nextBackwardToken());
    assertEquals(List.of("m0"), messages(get(r -> r.nextToken(end.nextForwardToken()).limit(1))));
  }

  /** Whoever waits at an empty stream misses nothing, whichever way it looked. */
  @Test
  void anEmptyStreamCanBeWaitedAt() {
    for (boolean head : List.of(true, false)) {
      String stream = head ? "t" : "u";
      GetLogEventsResponse empty =
          logs.getLogEvents(
              r -> r.logGroupName(GROUP).logStreamName(stream).startFromHead(head).startTime(now));
      GetLogEventsResponse still =
          logs.getLogEvents(
              r -> r.logGroupName(GROUP).logStreamName(stream).nextToken(empty.nextForwardToken()));
      assertEquals(empty.nextForwardToken(), still.nextForwardToken());
      world.put(stream, event(now, "first"), event(now + 1, "second"));
      GetLogEventsResponse page =
          logs.getLogEvents(
              r -> r.logGroupName(GROUP).logStreamName(stream).nextToken(still.nextForwardToken()));
      assertEquals(List.of("first", "second"), messages(page));
      assertEquals(
          List.of(),
          messages(
              logs.getLogEvents(r ->
                  r.logGroupName(GROUP)
                      .logStreamName(stream)
                      .nextToken(empty.nextBackwardToken()))));
    }
  }

  @Test
  void timesFromInclusiveToExclusive() {
    ten();
    assertEquals(
        List.of("m3", "m4"),
        messages(get(r -> r.startTime(now + 3).endTime(now + 5).startFromHead(true))));
    assertEquals(List.of("m4"), messages(get(r -> r.startTime(now + 3).endTime(now + 5).limit(1))));
    assertEquals(List.of(), messages(get(r -> r.startTime(now + 5).endTime(now + 5))));
    assertEquals(List.of(), messages(get(r -> r.startTime(now + 6).endTime(now + 5))));
    assertEquals(10, get(r -> r.endTime(Long.MAX_VALUE)).events().size());
    invalid("'startTime' failed", () -> get(r -> r.startTime(-1L)));
    invalid("'endTime' failed", () -> get(r -> r.endTime(-1L)));
  }

  @Test
  void aPageHoldsOneMebibyte() {
    String quarter = "x".repeat(300_000);
    for (int i = 0; i < 7; i++) {
      world.put("s", event(now + i, i + quarter));
    }
    assertEquals(3, get(r -> r.startFromHead(true)).events().size());
    assertEquals(3, get(r -> r).events().size());
    assertEquals(7, world.all("s").size());
    world.put("t", event(now, "y".repeat(1_048_550)));
    world.put("t", event(now, "z"));
    assertEquals(2, world.all("t").size());
  }

  @Test
  void aGroupIsNamedInOneWay() {
    ten();
    for (String identifier : List.of(GROUP, GROUP_ARN, GROUP_ARN + ":*")) {
      assertEquals(
          10,
          logs.getLogEvents(r -> r.logGroupIdentifier(identifier).logStreamName("s"))
              .events()
              .size());
    }
    invalid("mutually exclusive", () -> get(r -> r.logGroupIdentifier(GROUP)));
    invalid("Either logGroupName", () -> logs.getLogEvents(r -> r.logStreamName("s")));
    for (String other :
        List.of(GROUP_ARN.replace("us-east-1", "eu-west-1"), GROUP_ARN.replace("0000", "1111"))) {
      assertThrows(
          ResourceNotFoundException.class,
          () -> logs.getLogEvents(r -> r.logGroupIdentifier(other).logStreamName("s")));
    }
    invalid("'limit' failed", () -> get(r -> r.limit(0)));
    invalid("'limit' failed", () -> get(r -> r.limit(10_001)));
  }

  @Test
  void strangeTokensAreRefused() {
    ten();
    String other =
        logs.getLogEvents(r -> r.logGroupName(GROUP).logStreamName("t")).nextForwardToken();
    String own = get(r -> r).nextForwardToken();
    for (String token :
        List.of("x", "", "f/", other, own + "0", "z" + own.substring(1), own.replace('0', 'g'))) {
      invalid("The specified nextToken is invalid.", () -> get(r -> r.nextToken(token)));
      invalid(
          "The specified nextToken is invalid.",
          () -> logs.filterLogEvents(r -> r.logGroupName(GROUP).nextToken(token)));
    }
  }

  // FilterLogEvents

  private static FilterLogEventsRequest.Builder search() {
    return FilterLogEventsRequest.builder();
  }

  @Test
  void streamsAreMergedByTime() {
    world.put("s", event(now, "1s"), event(now + 3, "4s"), event(now + 5, "6s"));
    world.put("t", event(now + 1, "2t"), event(now + 4, "5t"));
    world.put("u", event(now + 2, "3u"));
    assertEquals(List.of("1s", "2t", "3u", "4s", "5t", "6s"), world.messages(search()));
    assertEquals(List.of("1s", "2t", "3u", "4s", "5t", "6s"), world.messages(search().limit(1)));
    List<FilteredLogEvent> found = world.found(search().limit(2));
    assertEquals(6, new HashSet<>(found.stream().map(FilteredLogEvent::eventId).toList()).size());
    assertEquals("t", found.get(1).logStreamName());
    assertEquals(now + 1, found.get(1).timestamp());
    assertEquals(now, found.get(1).ingestionTime());
    assertTrue(logs.filterLogEvents(r -> r.logGroupName(GROUP)).searchedLogStreams().isEmpty());
    assertEquals(List.of("2t", "3u", "5t"), world.messages(search().logStreamNames("u", "t", "t")));
    assertEquals(List.of("2t", "5t"), world.messages(search().logStreamNamePrefix("t")));
    assertEquals(List.of(), world.messages(search().logStreamNamePrefix("none")));
    // Both ends are inclusive here.
    assertEquals(List.of("3u", "4s"), world.messages(search().startTime(now + 2).endTime(now + 3)));
    assertEquals(List.of("6s"), world.messages(search().startTime(now + 5)));
    assertEquals(6, world.messages(search().endTime(Long.MAX_VALUE)).size());
    assertEquals(List.of(), world.messages(search().startTime(now + 3).endTime(now + 2)));
  }

  @Test
  void eventsOfOneMomentComeInTheOrderOfTheirArrival() {
    world.put("t", event(now, "1"), event(now, "2"));
    world.time.advance(Duration.ofMillis(1));
    world.put("s", event(now, "3"));
    world.time.advance(Duration.ofMillis(1));
    world.put("t", event(now, "4"));
    world.time.advance(Duration.ofMillis(1));
    world.put("s", event(now, "5"));
    assertEquals(List.of("1", "2", "3", "4", "5"), world.messages(search()));
    assertEquals(List.of("1", "2", "3", "4", "5"), world.messages(search().limit(1)));
  }

  @Test
  void patternsAreApplied() {
    world.put("s", event(now, "ERROR one"), event(now + 1, "{\"level\":\"error\",\"ms\":70}"));
    world.put("t", event(now + 2, "INFO two"), event(now + 3, "10.0.0.1 GET 404"));
    assertEquals(List.of("ERROR one"), world.messages(search().filterPattern("ERROR")));
    assertEquals(
        List.of("{\"level\":\"error\",\"ms\":70}"),
        world.messages(search().filterPattern("{ $.level = \"error\" && $.ms > 50 }")));
    assertEquals(
        List.of("10.0.0.1 GET 404"),
        world.messages(search().filterPattern("[ip, verb, status = 4*]").limit(1)));
    assertEquals(List.of("INFO two"), world.messages(search().filterPattern("%^INFO%").limit(1)));
    invalid("Invalid filter pattern", () -> world.messages(search().filterPattern("{ $.a }")));
  }

  @Test
  void whatASearchCannotAsk() {
    invalid(
        "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
        () -> world.messages(search().logStreamNames("s").logStreamNamePrefix("s")));
    invalid(
        "'logStreamNames' failed",
        () ->
            world.messages(
                search().logStreamNames(IntStream.range(0, 101).mapToObj(i -> "s" + i).toList())));
    invalid("'limit' failed", () -> world.messages(search().limit(10_001)));
    invalid("'startTime' failed", () -> world.messages(search().startTime(-5L)));
    String said =
        assertThrows(
                ResourceNotFoundException.class,
                () -> world.messages(search().logStreamNames("s", "none")))
            .getMessage();
    assertEquals("The specified log stream does not exist.", said);
    assertThrows(
        ResourceNotFoundException.class,
        () -> logs.filterLogEvents(r -> r.logGroupIdentifier(GROUP_ARN + "/none")));
  }

  @Test
  void aSearchPageHoldsTenThousandEventsOrOneMebibyte() {
    world.put("s", copies(8_000, "a"));
    world.put("t", copies(8_000, "b"));
    FilterLogEventsResponse first = logs.filterLogEvents(r -> r.logGroupName(GROUP));
    assertEquals(10_000, first.events().size());
    assertEquals(16_000, world.found(search()).size());
    assertEquals(16_000, unique(world.found(search())).size());
    String big = "x".repeat(400_000);
    for (int i = 0; i < 5; i++) {
      world.put("u", event(now + 1, big));
    }
    FilterLogEventsResponse page =
        logs.filterLogEvents(r -> r.logGroupName(GROUP).logStreamNames("u"));
    assertEquals(2, page.events().size());
    assertEquals(5, unique(world.found(search().logStreamNames("u"))).size());
  }

  private static Set<String> unique(List<FilteredLogEvent> events) {
    return new HashSet<>(events.stream().map(FilteredLogEvent::eventId).toList());
  }

  /** One call reads a bounded amount, and says where to go on even if it has found nothing. */
  @Test
  void aSearchForANeedleComesBackBetweenTheStraws() {
    String straw = "nee eed edl dle ".repeat(1 << 15); // which no sketch tells from a needle
    for (int i = 0; i < 300; i++) {
      world.put("s", event(now, straw));
    }
    world.put("t", event(now + 1, "needle"));
    FilterLogEventsResponse first =
        logs.filterLogEvents(r -> r.logGroupName(GROUP).filterPattern("needle"));
    assertEquals(List.of(), first.events());
    assertNotEquals(null, first.nextToken());
    assertEquals(List.of("needle"), world.messages(search().filterPattern("needle")));
  }

  /** Seeded: what was put at random is found once and in order, whatever the page. */
  @Test
  void searchesAndPagesAgreeWithAModel() {
    List<InputLogEvent> all = new ArrayList<>();
    for (int round = 0; round < 30; round++) {
      String stream = List.of("s", "t", "u").get(world.random.nextInt(3));
      int number = round;
      List<InputLogEvent> batch =
          IntStream.range(0, 1 + world.random.nextInt(20))
              .mapToObj(i -> event(now - world.random.nextInt(50), stream + number + "." + i))
              .sorted(Comparator.comparing(InputLogEvent::timestamp))
              .toList();
      world.put(stream, batch);
      all.addAll(batch);
      world.time.advance(Duration.ofMillis(world.random.nextInt(3)));
    }
    all.sort(Comparator.comparing(InputLogEvent::timestamp));
    for (int limit : List.of(1, 2, 7, 1000)) {
      List<FilteredLogEvent> found = world.found(search().limit(limit));
      assertEquals(
          all.stream().map(InputLogEvent::timestamp).toList(),
          found.stream().map(FilteredLogEvent::timestamp).toList());
      assertEquals(
          all.stream().map(InputLogEvent::message).sorted().toList(),
          found.stream().map(FilteredLogEvent::message).sorted().toList());
      for (String stream : List.of("s", "t", "u")) {
        assertEquals(
            world.all(stream),
            found.stream()
                .filter(e -> e.logStreamName().equals(stream))
                .map(FilteredLogEvent::message)
                .toList());
      }
    }
  }
}
