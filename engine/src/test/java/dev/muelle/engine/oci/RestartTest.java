package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.EngineException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Containers that are started again after their exit. */
class RestartTest extends SandboxTest {

  private static final String COUNTS =
      "echo run >> /tmp/runs; echo this is $(cat /tmp/runs); exit 5";

  private ContainerStatus status() {
    return lab.engine.container("c1").orElseThrow();
  }

  private boolean exitedAfter(int restarts) {
    return status().restarts() == restarts && status().state() instanceof State.Exited;
  }

  @Test
  void itHasItsFilesAndItsOutputGoesOn() {
    lab.engine.startContainer(Lab.container("c1", "s1", image, COUNTS));
    lab.exited("c1");
    lab.engine.restartContainer("c1");
    Lab.await(() -> exitedAfter(1));
    lab.reopen();
    lab.engine.restartContainer("c1");
    Lab.await(() -> exitedAfter(2));
    assertEquals(5, ((State.Exited) status().state()).exitCode());
    assertEquals(List.of("this is run", "this is run run", "this is run run run"), lab.texts("c1"));
  }

  @Test
  void oneThatRunsIsLeftAlone() {
    lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
    ContainerStatus before = status();
    lab.engine.restartContainer("c1");
    lab.engine.restartContainer("unknown");
    assertEquals(before, status());
  }

  @Test
  void whatIsLeftOfTheLastRunIsGoneBeforeTheNext() {
    lab.engine.startContainer(
        Lab.container("c1", "s1", image, "[ -f /tmp/x ] && sleep 1000; echo > /tmp/x; exit 1"));
    lab.exited("c1");
    lab.engine.restartContainer("c1");
    assertInstanceOf(State.Running.class, status().state());
    lab.engine.stopContainer("c1", Duration.ZERO);
    assertEquals(137, lab.exited("c1").exitCode());
    assertEquals(1, status().restarts());
  }

  @Test
  void aServerThatDiedInTheMiddleLeavesOneThatHasExited() throws Exception {
    lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
    Layout layout = new Layout(lab.engineRoot().toRealPath());
    Files.createFile(layout.restarting("c1"));
    lab.reopen();
    assertEquals(137, lab.exited("c1").exitCode());
    assertFalse(Files.exists(layout.restarting("c1")));
    lab.engine.restartContainer("c1");
    assertInstanceOf(State.Running.class, status().state());
  }

  @Test
  void oneThatCannotBeStartedHasExitedAnew() throws Exception {
    lab.engine.startContainer(Lab.container("c1", "s1", image, "exit 3"));
    State.Exited first = lab.exited("c1");
    Files.delete(lab.engineRoot().toRealPath().resolve("live/containers/c1/config.json"));
    assertThrows(EngineException.class, () -> lab.engine.restartContainer("c1"));
    State.Exited second = (State.Exited) status().state();
    assertEquals(128, second.exitCode());
    assertTrue(second.startedAt().isAfter(first.finishedAt().minusMillis(1)));
    assertEquals(second.startedAt(), second.finishedAt());
    assertEquals(0, status().restarts());
  }
}
