package dev.muelle.services.ecs.definition;

import static dev.muelle.services.ecs.World.CONTAINER;
import static dev.muelle.services.ecs.World.LOG_GROUP;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.LogLines;
import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.LogBatch;
import dev.muelle.services.ecs.World;
import dev.muelle.services.ecs.agent.LogEvents;
import dev.muelle.services.ecs.state.TaskRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;

/** The options of the awslogs driver: how they are read, and what comes of them. */
@Timeout(120)
class LogOptionsTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static Map<String, String> with(String... more) {
    Map<String, String> options =
        new HashMap<>(
            Map.of(
                "awslogs-group", LOG_GROUP,
                "awslogs-region", "us-east-1",
                "awslogs-stream-prefix", "ecs"));
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    return options;
  }

  private static LogOptions options(String... more) {
    LogOptions.check(with(more));
    return LogOptions.of(
        LogConfiguration.builder().logDriver("awslogs").options(with(more)).build(),
        LogOptions.BLOCKING);
  }

  @Test
  void sizesAndModesAreReadAsDockerDoes() {
    assertEquals(0, options().bufferBytes());
    assertEquals(0, options("mode", "blocking").bufferBytes());
    assertEquals(10 << 20, options("mode", "non-blocking").bufferBytes());
    for (var size :
        Map.of(
                "25m", 25L << 20, "1048576", 1L << 20, "64k", 64L << 10, "1GB", 1L << 30, "2 MiB",
                2L << 20)
            .entrySet()) {
      assertEquals(
          size.getValue(),
          options("mode", "non-blocking", "max-buffer-size", size.getKey()).bufferBytes(),
          size.getKey());
    }
  }

  @Test
  void aTimesFormatFindsTheTime() {
    for (var one :
        Map.of(
                "[%b %d, %Y %H:%M:%S]", "[May 01, 2017 19:00:01] A message",
                "%Y-%m-%d %H:%M:%S%L", "2026-11-21 08:00:00.123 started",
                "%A %j %y %I %p", "Monday 325 26 11 PM",
                "%H:%M:%S.%f%z", "08:00:00.123456+0100 x",
                "(%d)", "(31)",
                "%%d", "%31 of it")
            .entrySet()) {
      Pattern pattern = options("awslogs-datetime-format", one.getKey()).eventStart();
      assertTrue(pattern.matcher(one.getValue()).find(), one.getKey() + " " + pattern);
      assertFalse(pattern.matcher("\tat dev.muelle.Main(Main.java:1)").find(), one.getKey());
    }
    assertNull(options().eventStart());
    assertEquals(
        "%Y".replace("%Y", "\\d{4}"),
        options("awslogs-datetime-format", "%Y", "awslogs-multiline-pattern", "^x")
            .eventStart()
            .pattern(),
        "the format counts");
  }

  @Test
  void whatTheDriverRefusesIsRefused() {
    for (String[] bad :
        new String[][] {
          {"awslogs-colour", "blue"},
          {"awslogs-create-group", "perhaps"},
          {"awslogs-multiline-pattern", "(["},
          {"mode", "sometimes"},
          {"max-buffer-size", "1m"},
          {"mode", "blocking", "max-buffer-size", "1m"},
          {"mode", "non-blocking", "max-buffer-size", "much"},
          {"mode", "non-blocking", "max-buffer-size", "-1"},
          {"awslogs-region", "eu-west-1"}
        }) {
      assertThrows(
          ClientException.class,
          () -> world.register(container(bad).build()),
          String.join(" ", bad));
    }
  }

  private static ContainerDefinition.Builder container(String... more) {
    return World.container()
        .logConfiguration(logs -> logs.logDriver("awslogs").options(with(more)));
  }

  private static List<String> cut(boolean last, long now, Pattern start, String... lines) {
    LogBatch events = cutAll(last, false, now, start, lines).events();
    return IntStream.range(0, events.count()).mapToObj(events::message).toList();
  }

  private static LogEvents cutAll(
      boolean last, boolean full, long now, Pattern start, String... lines) {
    LogLines all = new LogLines(0);
    for (String line : lines) {
      all.add(new LogLine(all.count() + 1L, 1000L + all.count(), false, line));
    }
    return LogEvents.cut(all, start, 0, 0, now - 5_000, full, last);
  }

  @Test
  void linesAreJoinedUntilTheNextEventBegins() {
    Pattern start = Pattern.compile("^T");
    assertEquals(List.of("T1\n a\n b\n"), cut(false, 1000, start, "T1", " a", " b", "T2"));
    assertEquals(List.of("T1\n", "T2\n x\n"), cut(true, 1000, start, "T1", "T2", " x"));
    assertEquals(List.of(), cut(false, 1000, start, "T1", " a"));
    assertEquals(List.of("T1\n a\n"), cut(false, 6000, start, "T1", " a"), "it is old");
    assertEquals(List.of(" a\n"), cut(false, 1000, start, " a", "T1"), "none began");
    assertEquals(List.of("a", "b"), cut(false, 1000, null, "a", "", "b"));
    LogEvents open = cutAll(false, false, 1000, start, "T1", " a", "T2", " b");
    assertEquals(2, open.position());
    assertTrue(open.open());
    LogEvents full = cutAll(false, true, 1000, start, "T1", " a", " b");
    assertEquals(3, full.position(), "more than fits into one look");
    String large = "x".repeat(200 * 1024);
    assertEquals(2, cut(true, 1000, start, "T1", large, large).size());
    assertEquals(1000, cutAll(true, false, 1000, start, "T1", " a").events().time(0));
    assertEquals(List.of("ñ", "\uFFFD", "x"), cut(false, 1000, null, "ñ", "\uFFFD", "x"));
  }

  private String run(ContainerDefinition definition, Behaviour behaviour) {
    world.script.put(CONTAINER, behaviour);
    world.register(definition);
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    world.until("running", LONG, () -> world.task(arn).lastStatus().equals("RUNNING"));
    return arn;
  }

  private List<String> delivered(String arn) {
    return world.logs.lines(LOG_GROUP, "ecs/" + CONTAINER + "/" + TaskRecord.idOf(arn));
  }

  @Test
  void aTraceIsOneEvent() {
    String arn =
        run(
            container("awslogs-multiline-pattern", "^[0-9]{4}-").build(),
            Behaviour.runs()
                .printing(Duration.ofSeconds(1), "2026-11-21 failed")
                .printing(Duration.ofSeconds(2), "  at a")
                .printing(Duration.ofSeconds(3), "  at b")
                .printing(Duration.ofSeconds(40), "2026-11-21 goes on")
                .printing(Duration.ofSeconds(41), "  and ends"));
    world.until("old enough", Duration.ofSeconds(15), () -> !delivered(arn).isEmpty());
    assertEquals(List.of("2026-11-21 failed\n  at a\n  at b\n"), delivered(arn));
    world.pass(Duration.ofSeconds(36));
    world.ecs().stopTask(r -> r.cluster(World.CLUSTER).task(arn));
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    assertEquals("2026-11-21 goes on\n  and ends\n", delivered(arn).getLast());
  }

  private static Behaviour talkative(int lines) {
    Behaviour behaviour = Behaviour.runs();
    for (int i = 0; i < lines; i++) {
      behaviour = behaviour.printing(Duration.ofSeconds(1 + i), "line %05d".formatted(i));
    }
    return behaviour;
  }

  @Test
  void whatFindsNoRoomIsLostAndNobodyWaits() {
    world.logs.beforePut = () -> world.time.sleep(Duration.ofSeconds(60));
    String arn =
        run(container("mode", "non-blocking", "max-buffer-size", "100").build(), talkative(100));
    world.pass(Duration.ofSeconds(110));
    String id = TaskRecord.idOf(arn) + "-0";
    assertEquals(List.of(), world.engine.output(id, 0, 1000), "all of it was taken in at once");
    world.logs.beforePut = () -> {};
    world.pass(Duration.ofMinutes(3));
    List<String> lines = delivered(arn);
    assertEquals("line 00000", lines.getFirst());
    assertTrue(lines.size() < 50, lines::toString);
    assertTrue(lines.size() >= 10, lines::toString);
    assertEquals(new HashSet<>(lines).size(), lines.size(), "each once");
    assertEquals(lines.stream().sorted().toList(), lines, "in order");
    world.engine.print(id, "now there is room");
    world.until("delivered", LONG, () -> delivered(arn).getLast().equals("now there is room"));
  }

  @Test
  void inBlockingModeNothingIsLost() {
    world.logs.beforePut = () -> world.time.sleep(Duration.ofSeconds(60));
    String arn = run(container().build(), talkative(100));
    world.pass(Duration.ofSeconds(110));
    world.logs.beforePut = () -> {};
    world.until("all delivered", LONG, () -> delivered(arn).size() == 100);
  }

  @Test
  void aTaskEndsWithAllThatIsBufferedDelivered() {
    String arn =
        run(
            container("mode", "non-blocking", "max-buffer-size", "1m").build(),
            talkative(20).exiting(0, Duration.ofSeconds(30)));
    world.until("stopped", LONG, () -> world.task(arn).lastStatus().equals("STOPPED"));
    assertEquals(20, delivered(arn).size());
  }
}
