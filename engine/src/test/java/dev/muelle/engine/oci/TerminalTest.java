package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.Terminal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Further processes in real containers, on terminals of their own. */
@Timeout(300)
class TerminalTest extends SandboxTest {

  @BeforeEach
  void start() {
    lab.engine.startContainer(
        Lab.builder("c1", "s1", image, "sleep 1000")
            .environment(Map.of("COLOR", "azul"))
            .user("alba")
            .build());
  }

  private static void type(Terminal terminal, String text) {
    terminal.write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Reads until something was printed, or to the end. */
  private static String read(Terminal terminal, String until) {
    StringBuilder seen = new StringBuilder();
    byte[] buffer = new byte[256];
    for (int n = terminal.read(buffer); n >= 0; n = terminal.read(buffer)) {
      seen.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
      if (!until.isEmpty() && seen.indexOf(until) >= 0) {
        return seen.toString();
      }
    }
    return seen.toString();
  }

  private long descriptors() {
    try (var files = Files.list(lab.engineRoot().resolve("live/containers/c1"))) {
      return files.filter(file -> file.getFileName().toString().startsWith("exec-")).count();
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aShellIsRootsWithTheContainersEnvironmentAndATerminal() {
    try (Terminal terminal = lab.engine.open("c1", List.of("/bin/sh"))) {
      terminal.resize(101, 37);
      type(terminal, "id -u; echo $COLOR $TERM; ls -l /proc/self/fd/0; echo en''d\n");
      String seen = read(terminal, "end\r\n");
      assertTrue(seen.contains("\n0\r\n"), seen);
      assertTrue(seen.contains("azul xterm-256color\r\n"), seen);
      assertTrue(seen.contains("/dev/pts/"), seen);
      type(terminal, "exit 6\n");
      read(terminal, "");
      assertEquals(6, terminal.exitCode());
    }
    Lab.await(() -> descriptors() == 0);
  }

  @Test
  void anInterruptAndANewSizeReachTheProgram() {
    String script =
        "trap 'echo size; stty size' WINCH; trap 'echo interrupted; exit 5' INT; echo ready;"
            + " while :; do sleep 0.1; done";
    String withoutStty = script.replace("; stty size", "");
    try (Terminal terminal = lab.engine.open("c1", List.of("/bin/sh", "-c", withoutStty))) {
      read(terminal, "ready");
      terminal.resize(99, 33);
      read(terminal, "size");
      terminal.write(new byte[] {3});
      assertTrue(read(terminal, "").contains("interrupted"));
      assertEquals(5, terminal.exitCode());
    }
  }

  @Test
  void closingEndsTheProcessEvenIfItIgnoresEverySignal() {
    Terminal terminal =
        lab.engine.open(
            "c1",
            List.of("/bin/sh", "-c", "trap '' HUP TERM INT; echo ready; sleep 7777; sleep 7777"));
    read(terminal, "ready");
    terminal.close();
    Lab.await(() -> {
      try (var all = Files.list(Path.of("/proc"))) {
        return all.map(one -> one.resolve("cmdline"))
            .noneMatch(file -> {
              try {
                return Files.readString(file).contains("trap '' HUP TERM INT; echo ready");
              } catch (java.io.IOException e) {
                return false;
              }
            });
      } catch (java.io.IOException e) {
        throw new AssertionError(e);
      }
    });
    Lab.await(() -> descriptors() == 0);
  }

  @Test
  void whatCannotBeStartedSaysSoAndEndsWithACode() {
    try (Terminal terminal = lab.engine.open("c1", List.of("/no/such/program"))) {
      assertTrue(read(terminal, "").contains("/no/such/program"));
      assertTrue(terminal.exitCode() != 0);
    }
    assertThrows(EngineException.class, () -> lab.engine.open("c2", List.of("/bin/sh")));
  }

  @Test
  void itEndsWithItsContainer() {
    try (Terminal terminal =
        lab.engine.open("c1", List.of("/bin/sh", "-c", "echo ready; sleep 1000"))) {
      read(terminal, "ready");
      lab.engine.stopContainer("c1", java.time.Duration.ZERO);
      read(terminal, "");
      assertTrue(terminal.exitCode() != 0);
    }
  }
}
