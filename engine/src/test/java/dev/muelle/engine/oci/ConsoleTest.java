package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Console;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.LogLine;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Containers with a terminal, or with an input that stays open. */
class ConsoleTest extends SandboxTest {

  private void start(String id, Console console, String... command) {
    lab.engine.startContainer(
        ContainerSpec.builder(id, "s1", image)
            .entryPoint(List.of(command))
            .command(List.of())
            .cpuShares(128)
            .console(console)
            .build());
  }

  private boolean runs(String id) {
    return lab.engine.container(id).orElseThrow().state() instanceof State.Running;
  }

  @Test
  void aTerminalIsOneStreamAndSaysWhatItIs() {
    start(
        "c1",
        new Console(true, false),
        "/bin/sh",
        "-c",
        "ls -l /proc/self/fd/1; echo $TERM; echo err >&2; exit 3");
    assertEquals(3, lab.exited("c1").exitCode());
    List<LogLine> lines = lab.lines("c1");
    assertTrue(lines.getFirst().text().contains("/dev/pts/"), lines::toString);
    assertTrue(lines.get(1).text().startsWith("xterm"), lines::toString);
    assertTrue(lines.stream().noneMatch(LogLine::stderr), lines::toString);
    assertTrue(lines.getLast().text().startsWith("err"), lines::toString);
  }

  @Test
  void aShellWithAnOpenInputWaitsAndWithoutEnds() {
    start("open", new Console(false, true), "/bin/sh");
    start("terminal", new Console(true, true), "/bin/sh");
    start("empty", Console.NONE, "/bin/sh");
    assertEquals(0, lab.exited("empty").exitCode());
    assertTrue(runs("open"));
    assertTrue(runs("terminal"));
    lab.reopen();
    assertTrue(runs("open"));
  }

  @Test
  void startedAgainItHasThemAgain() {
    start(
        "c1",
        new Console(true, true),
        "/bin/sh",
        "-c",
        "[ -t 0 ] && echo tty; [ -f /tmp/x ] && read line; echo > /tmp/x; exit 1");
    lab.exited("c1");
    lab.engine.restartContainer("c1");
    Lab.await(() -> lab.texts("c1").size() == 2);
    assertEquals(List.of("tty", "tty"), lab.texts("c1").stream().map(String::trim).toList());
    assertInstanceOf(State.Running.class, lab.engine.container("c1").orElseThrow().state());
  }
}
