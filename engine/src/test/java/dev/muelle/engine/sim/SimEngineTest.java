package dev.muelle.engine.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.Image;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.loop.VirtualTimers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class SimEngineTest {

  private static final ImageReference WEB = ImageReference.parse("registry.test/web:1");

  private final VirtualTimers timers = new VirtualTimers(Instant.EPOCH);
  private final Map<ImageReference, Behaviour> script = new HashMap<>();
  private final SimEngine engine =
      new SimEngine(timers, image -> script.getOrDefault(image, Behaviour.runs()));
  private final List<String> told = new ArrayList<>();

  private void start(Behaviour behaviour) {
    script.put(WEB, behaviour);
    Image image = engine.pull(WEB, null);
    engine.createSandbox(
        new SandboxSpec("s", null, "h", null, List.of(), List.of(), 0, 0, 0, Map.of("k", "v")));
    engine.startContainer(container(image.id()));
  }

  private static ContainerSpec container(String image) {
    return ContainerSpec.builder("c", "s", image).name("web").build();
  }

  private State.Exited exited() {
    return (State.Exited) engine.container("c").orElseThrow().state();
  }

  private boolean running() {
    return engine.container("c").orElseThrow().state() instanceof State.Running;
  }

  @Test
  void exitsByItself() {
    engine.watch(told::add);
    start(Behaviour.runs().exiting(3, Duration.ofSeconds(5)));
    timers.advance(Duration.ofSeconds(4));
    assertTrue(running());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(new State.Exited(3, false, Instant.EPOCH, Instant.ofEpochSecond(5)), exited());
    assertEquals(List.of("c"), told);
  }

  @Test
  void pullsAndStartsTakeTheirTimeAndMayFail() {
    script.put(WEB, Behaviour.runs().pulledIn(Duration.ofSeconds(7)).failingToPull("no"));
    assertThrows(EngineException.class, () -> engine.pull(WEB, null));
    assertEquals(Instant.ofEpochSecond(7), timers.instant());
    assertThrows(
        EngineException.class, () -> start(Behaviour.runs().failingToStart("CannotStart")));
    assertTrue(engine.container("c").isEmpty());
    start(Behaviour.runs().startedIn(Duration.ofSeconds(1)));
    assertTrue(running());
    start(Behaviour.runs());
    assertEquals(Map.of("c", 1), engine.starts());
  }

  @Test
  void whatIgnoresSigtermIsKilledAfterItsGrace() {
    start(Behaviour.runs().ignoringSigterm());
    engine.stopContainer("c", Duration.ofSeconds(30));
    assertEquals(137, exited().exitCode());
    assertEquals(Instant.ofEpochSecond(30), exited().finishedAt());
  }

  @Test
  void whatObeysSigtermIsNotWaitedForLonger() {
    start(Behaviour.runs().onSigterm(0, Duration.ofSeconds(2)));
    engine.stopContainer("c", Duration.ofSeconds(30));
    assertEquals(0, exited().exitCode());
    assertEquals(Instant.ofEpochSecond(2), timers.instant());
  }

  @Test
  void aStopDoesNotKeepOthersFromTheirWork() {
    start(Behaviour.runs().ignoringSigterm());
    timers.after(Duration.ZERO, () -> engine.stopContainer("c", Duration.ofSeconds(30)));
    timers.after(Duration.ofSeconds(3), () -> engine.kill("c"));
    timers.advance(Duration.ofSeconds(10));
    assertEquals(Instant.ofEpochSecond(3), exited().finishedAt());
  }

  @Test
  void outputIsReadFromAnyPositionAlsoAfterTheExit() {
    engine.watch(told::add);
    start(
        Behaviour.runs()
            .printing(Duration.ofSeconds(1), "one")
            .printing(Duration.ofSeconds(2), "two")
            .exiting(0, Duration.ofSeconds(3)));
    timers.advance(Duration.ofSeconds(5));
    List<LogLine> first = engine.output("c", 0, 1);
    assertEquals(List.of("one"), first.stream().map(LogLine::text).toList());
    List<LogLine> rest = engine.output("c", first.getFirst().position(), 100);
    assertEquals(List.of("two"), rest.stream().map(LogLine::text).toList());
    assertEquals(List.of(), engine.output("c", rest.getLast().position(), 100));
    assertEquals(List.of("c", "c", "c"), told);
    engine.releaseOutput("c", first.getFirst().position());
    assertEquals(rest, engine.output("c", 0, 100));
  }

  @Test
  void aRemovedSandboxTakesItsContainersAlong() {
    start(Behaviour.runs());
    assertEquals(Map.of("k", "v"), engine.sandboxes().getFirst().labels());
    engine.removeSandbox("s");
    assertEquals(List.of(), engine.sandboxes());
    assertTrue(engine.container("c").isEmpty());
    engine.stopContainer("c", Duration.ofSeconds(1));
    assertEquals(Instant.EPOCH, timers.instant());
  }
}
