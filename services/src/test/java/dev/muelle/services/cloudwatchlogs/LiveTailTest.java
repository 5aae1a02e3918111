package dev.muelle.services.cloudwatchlogs;

import static dev.muelle.services.cloudwatchlogs.World.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.wire.EventStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionStart;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionUpdate;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionStreamingException;
import software.amazon.awssdk.services.cloudwatchlogs.model.SessionTimeoutException;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartLiveTailRequest;

final class LiveTailTest {

  private static final String OTHER = "/other";
  private static final String OTHER_ARN = World.GROUP_ARN.replace(World.GROUP, OTHER);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory);
    world.group(World.GROUP, "web/1", "web/2", "db/1");
    world.group(OTHER, "web/1");
  }

  @AfterEach
  void close() {
    world.close();
  }

  private EventStream start(Consumer<StartLiveTailRequest.Builder> request) {
    return world.logs.startLiveTail(StartLiveTailRequest.builder().applyMutation(request).build());
  }

  /** Who listened leaves. */
  private static final class Gone extends IOException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Listens for some seconds.
   *
   * @param before each second; the first is 0
   */
  private static List<LiveTailSessionUpdate> listen(
      EventStream session, int seconds, IntConsumer before) {
    List<LiveTailSessionUpdate> updates = new ArrayList<>();
    assertThrows(
        Gone.class,
        () ->
            session.run((member, event) -> {
              take(member, event, updates);
              if (updates.size() == seconds) {
                throw new Gone();
              }
              before.accept(updates.size());
            }));
    return updates;
  }

  private static void take(String member, SdkPojo event, List<LiveTailSessionUpdate> updates) {
    if (event instanceof LiveTailSessionUpdate update) {
      assertEquals("sessionUpdate", member);
      updates.add(update);
    } else {
      assertEquals("sessionStart", member);
      assertTrue(updates.isEmpty() && event instanceof LiveTailSessionStart);
    }
  }

  private static List<String> messages(LiveTailSessionUpdate update) {
    return update.sessionResults().stream().map(LiveTailSessionLogEvent::message).toList();
  }

  @Test
  void eachSecondShowsWhatHasCome() {
    world.put("web/1", event(world.now(), "before"));
    List<LiveTailSessionUpdate> updates =
        listen(
            start(r -> r.logGroupIdentifiers(World.GROUP_ARN)),
            3,
            second -> {
              if (second != 1) {
                world.put("web/1", event(world.now(), "one " + second));
                world.put("db/1", event(world.now(), "two " + second));
              }
            });
    assertEquals(
        List.of(List.of("one 0", "two 0"), List.of(), List.of("one 2", "two 2")),
        updates.stream().map(LiveTailTest::messages).toList());
    LiveTailSessionLogEvent first = updates.getFirst().sessionResults().getFirst();
    assertEquals("web/1", first.logStreamName());
    assertEquals("000000000000:" + World.GROUP, first.logGroupIdentifier());
    assertEquals(first.timestamp(), first.ingestionTime());
    assertFalse(updates.getFirst().sessionMetadata().sampled());
  }

  @Test
  void onlyWhatIsWantedIsShown() {
    IntConsumer puts =
        second -> {
          world.put("web/1", event(world.now(), "ERROR 1"), event(world.now(), "fine"));
          world.put("web/2", event(world.now(), "ERROR 2"));
          world.put("db/1", event(world.now(), "ERROR 3"));
          world.logs.putLogEvents(r ->
              r.logGroupName(OTHER)
                  .logStreamName("web/1")
                  .logEvents(event(world.now(), "ERROR elsewhere")));
        };
    assertEquals(
        List.of("ERROR 1", "ERROR 2"),
        messages(
            listen(
                    start(r ->
                        r.logGroupIdentifiers(World.GROUP_ARN)
                            .logStreamNamePrefixes("web/")
                            .logEventFilterPattern("ERROR")),
                    1,
                    puts)
                .getFirst()));
    assertEquals(
        List.of("ERROR 3"),
        messages(
            listen(
                    start(r -> r.logGroupIdentifiers(World.GROUP_ARN).logStreamNames("db/1")),
                    1,
                    puts)
                .getFirst()));
    assertEquals(
        5,
        listen(start(r -> r.logGroupIdentifiers(World.GROUP_ARN, OTHER_ARN)), 1, puts)
            .getFirst()
            .sessionResults()
            .size());
  }

  @Test
  void ofTooManyThereIsASample() {
    LiveTailSessionUpdate update =
        listen(
                start(r -> r.logGroupIdentifiers(World.GROUP_ARN)),
                1,
                second -> {
                  for (int batch = 0; batch < 4; batch++) {
                    List<InputLogEvent> events = new ArrayList<>();
                    for (int i = 0; i < 1_000; i++) {
                      events.add(event(world.now(), "%06d".formatted(batch * 1_000 + i)));
                    }
                    world.put("web/1", events);
                  }
                })
            .getFirst();
    List<String> sample = messages(update);
    assertTrue(update.sessionMetadata().sampled());
    assertEquals(500, sample.size());
    assertEquals(500, new HashSet<>(sample).size());
    assertEquals(sample.stream().sorted().toList(), sample, "in the order of arrival");
    assertTrue(sample.getLast().compareTo("003000") > 0, "not just the first ones");
  }

  @Test
  void largeEventsDoNotFillTheMemory() {
    String large = "x".repeat(1_000_000);
    LiveTailSessionUpdate update =
        listen(
                start(r -> r.logGroupIdentifiers(World.GROUP_ARN)),
                1,
                second -> {
                  for (int i = 0; i < 20; i++) {
                    world.put("web/1", event(world.now(), large));
                  }
                })
            .getFirst();
    assertTrue(update.sessionMetadata().sampled());
    assertEquals(4, update.sessionResults().size());
  }

  @Test
  void aSessionEndsAfterThreeHours() {
    EventStream session = start(r -> r.logGroupIdentifiers(World.GROUP_ARN));
    long begin = world.now();
    assertThrows(SessionTimeoutException.class, () -> session.run((member, event) -> {}));
    assertEquals(3 * 3_600_000, world.now() - begin);
  }

  @Test
  void aStoppingServerSaysSo() {
    EventStream session = start(r -> r.logGroupIdentifiers(World.GROUP_ARN));
    world.time.settle(); // or closing waits for what has not begun
    assertThrows(
        SessionStreamingException.class, () -> session.run((member, event) -> world.logs.close()));
  }

  @Test
  void thereAreFifteenAtOnceAndWhoLeavesMakesRoom() {
    nest(
        15,
        () ->
            assertThrows(
                LimitExceededException.class,
                () -> start(r -> r.logGroupIdentifiers(World.GROUP_ARN))));
    assertEquals(1, listen(start(r -> r.logGroupIdentifiers(World.GROUP_ARN)), 1, s -> {}).size());
  }

  @Test
  void whoWasLetInAtOnceWithOthersHasNoPlaceBeyondTheFifteenth() {
    EventStream sixteenth = start(r -> r.logGroupIdentifiers(World.GROUP_ARN));
    nest(
        15,
        () ->
            assertThrows(LimitExceededException.class, () -> sixteenth.run((member, event) -> {})));
  }

  /** A session within a session, and so on. */
  private void nest(int left, Runnable inside) {
    if (left == 0) {
      inside.run();
      return;
    }
    listen(start(r -> r.logGroupIdentifiers(World.GROUP_ARN)), 1, second -> nest(left - 1, inside));
  }

  @Test
  void whatCannotBeAsked() {
    invalid("logGroupIdentifiers", r -> {});
    invalid("must be specified by ARNs", r -> r.logGroupIdentifiers(World.GROUP));
    invalid("must be specified by ARNs", r -> r.logGroupIdentifiers(World.GROUP_ARN + ":*"));
    invalid(
        "mutually exclusive",
        r -> r.logGroupIdentifiers(World.GROUP_ARN).logStreamNames("a").logStreamNamePrefixes("b"));
    invalid(
        "only with one log group",
        r -> r.logGroupIdentifiers(World.GROUP_ARN, OTHER_ARN).logStreamNames("a"));
    invalid(
        "Invalid", r -> r.logGroupIdentifiers(World.GROUP_ARN).logEventFilterPattern("%unclosed"));
    assertThrows(
        ResourceNotFoundException.class,
        () -> start(r -> r.logGroupIdentifiers(World.GROUP_ARN + "-none")));
  }

  private void invalid(String part, Consumer<StartLiveTailRequest.Builder> request) {
    String message =
        assertThrows(InvalidParameterException.class, () -> start(request)).getMessage();
    assertTrue(message.contains(part), message);
  }
}
