package dev.muelle.services.cloudwatchlogs;

import static dev.muelle.services.cloudwatchlogs.World.GROUP;
import static dev.muelle.services.cloudwatchlogs.World.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilteredLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

/** Several clients at once, and servers that die in between. */
class LogsAttackTest {

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

  private static <T> List<T> atOnce(List<Callable<T>> work) throws Exception {
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<T> done : threads.invokeAll(work)) {
        results.add(done.get());
      }
    }
    return results;
  }

  @Test
  void oneOfManyMakesAGroup() throws Exception {
    List<Callable<Boolean>> work = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      work.add(() -> {
        try {
          logs.createLogGroup(r -> r.logGroupName(GROUP));
          return true;
        } catch (ResourceAlreadyExistsException e) {
          return false;
        }
      });
    }
    assertEquals(1, atOnce(work).stream().filter(made -> made).count());
  }

  /** Parallel writers to one stream, and one who follows it: nothing lost, nothing twice. */
  @Test
  void whoFollowsAStreamSeesEachLineOnce() throws Exception {
    world.group(GROUP, "s");
    AtomicInteger writing = new AtomicInteger(4);
    List<Callable<List<String>>> work = new ArrayList<>();
    for (int writer = 0; writer < 4; writer++) {
      int number = writer;
      work.add(() -> {
        for (int i = 0; i < 50; i++) {
          // One time for all: only the order of arrival tells them apart.
          world.put(
              "s", event(world.now(), number + "." + i), event(world.now(), number + "/" + i));
        }
        writing.decrementAndGet();
        return List.of();
      });
    }
    work.add(() -> {
      List<String> seen = new ArrayList<>();
      String token = null;
      while (true) {
        String from = token;
        boolean complete = writing.get() == 0;
        GetLogEventsResponse page =
            logs.getLogEvents(r ->
                r.logGroupName(GROUP)
                    .logStreamName("s")
                    .startFromHead(true)
                    .nextToken(from)
                    .limit(17));
        page.events().forEach(e -> seen.add(e.message()));
        token = page.nextForwardToken();
        if (complete && page.events().isEmpty()) {
          return seen;
        }
      }
    });
    List<String> seen = atOnce(work).getLast();
    assertEquals(400, seen.size());
    assertEquals(400, new HashSet<>(seen).size());
    assertEquals(seen, world.all("s"));
    assertEquals(
        List.of("2.0", "2/0", "2.1", "2/1"),
        seen.stream().filter(line -> line.startsWith("2")).limit(4).toList());
  }

  /** As {@code aws logs tail --follow} does it: from the last time on, without what it has seen. */
  @Test
  void whoFollowsAGroupSeesEachLineOnce() {
    world.group(GROUP, "a", "b");
    Set<String> ids = new HashSet<>();
    List<String> seen = new ArrayList<>();
    long since = 0;
    for (int round = 0; round < 40; round++) {
      String stream = round % 3 == 0 ? "a" : "b";
      world.put(stream, event(world.now(), stream + round), event(world.now() + 1, "x" + round));
      String token = null;
      do {
        FilterLogEventsResponse page =
            logs.filterLogEvents(
                FilterLogEventsRequest.builder()
                    .logGroupName(GROUP)
                    .startTime(since)
                    .nextToken(token)
                    .limit(3)
                    .build());
        for (FilteredLogEvent event : page.events()) {
          if (ids.add(event.eventId())) {
            seen.add(event.message());
          }
          since = Math.max(since, event.timestamp());
        }
        token = page.nextToken();
      } while (token != null);
      world.time.advance(Duration.ofMillis(1));
    }
    assertEquals(80, seen.size());
    assertEquals(80, new HashSet<>(seen).size());
  }

  @Test
  void writersAndADeleterDoNotLeaveOrphans() throws Exception {
    world.group(GROUP, "s");
    List<Callable<Boolean>> work = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      int number = i;
      work.add(() -> {
        try {
          if (number == 15) {
            logs.deleteLogGroup(r -> r.logGroupName(GROUP));
          } else {
            world.put("s", event(world.now(), "x" + number));
          }
          return true;
        } catch (ResourceNotFoundException e) {
          return false;
        }
      });
    }
    atOnce(work);
    world.time.settle();
    assertEquals(0, world.stored());
    assertTrue(logs.describeLogGroups(r -> {}).logGroups().isEmpty());
  }

  @Test
  void tokensAndPositionsSurviveARestart() {
    world.group(GROUP, "s", "t");
    for (int i = 0; i < 10; i++) {
      world.put(i % 2 == 0 ? "s" : "t", event(world.now() + i, "m" + i));
    }
    GetLogEventsResponse first =
        logs.getLogEvents(
            r -> r.logGroupName(GROUP).logStreamName("s").startFromHead(true).limit(2));
    FilterLogEventsResponse found = logs.filterLogEvents(r -> r.logGroupName(GROUP).limit(4));
    world.restart();
    assertEquals(
        "m4",
        world
            .logs
            .getLogEvents(
                r -> r.logGroupName(GROUP).logStreamName("s").nextToken(first.nextForwardToken()))
            .events()
            .getFirst()
            .message());
    List<FilteredLogEvent> rest =
        world
            .logs
            .filterLogEvents(r -> r.logGroupName(GROUP).nextToken(found.nextToken()))
            .events();
    assertEquals(6, rest.size());
    assertEquals("m4", rest.getFirst().message());
    // The sequence goes on: what comes at the same time comes after.
    world.put("s", event(world.now(), "later"));
    assertEquals(List.of("m0", "later"), world.all("s").subList(0, 2));
  }

  @Test
  void whatComesLateIsFoundInItsPlace() {
    world.group(GROUP, "s", "t");
    long then = world.now();
    world.put("s", event(then, "1"));
    world.time.advance(Duration.ofMinutes(1));
    world.put("t", event(then, "2"));
    world.put("s", event(then, "3"));
    List<String> found = world.messages(FilterLogEventsRequest.builder().limit(1));
    assertEquals(List.of("1", "2", "3"), found);
  }

  /** The server is asked to stop while the sweeper has work: it stops, and the next goes on. */
  @Test
  void closingWaitsForNothingThatCanWait() {
    world.group(GROUP, "s");
    world.put("s", event(world.now(), "x"));
    logs.putRetentionPolicy(r -> r.logGroupName(GROUP).retentionInDays(1));
    world.time.settle();
    logs.close();
    world.time.advance(Duration.ofDays(2));
    assertEquals(1, world.stored(), "nothing runs after the end");
    world.restart();
    world.time.settle();
    assertEquals(0, world.stored());
  }
}
