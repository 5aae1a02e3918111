package dev.muelle.region.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.region.DataDirectory;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole region, with real containers: nothing of it may be left when its rehearsal is over. */
@Timeout(300)
class RehearseCommandTest {

  @TempDir private Path directory;

  private Path data() {
    return directory.resolve("rehearsal");
  }

  private int rehearse(int tasks) {
    return CommandLineRoot.run("rehearse", "--tasks", "" + tasks, "--data", data() + "");
  }

  /** One in a process of its own, as far as a container of it. */
  private Process begun() throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "rehearse",
                    "--data",
                    data().toString()))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD)
            .start();
    while (ours() == 0) {
      assertTrue(process.isAlive(), "it ended too early");
      Thread.onSpinWait();
    }
    return process;
  }

  /** Its containers and their monitors: they are in control groups with its name. */
  private long ours() {
    String group = "/" + new DataDirectory(data().resolve("data")).instance() + "/";
    return ProcessHandle.allProcesses().filter(process -> isIn(process.pid(), group)).count();
  }

  /** Who is in a group that is gone has ended, and whoever inherited it has not looked yet. */
  private static boolean isIn(long process, String group) {
    try {
      String groups = Files.readString(Path.of("/proc", process + "", "cgroup"));
      return groups.contains(group) && !groups.contains(" (deleted)");
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  private void assertNothingIsLeft() {
    assertFalse(Files.exists(data())); // so also no mount below it
    assertEquals(0, ours(), "processes");
  }

  @Test
  void startsAndStopsTasksAndLeavesNothing() {
    assertEquals(0, rehearse(2));
    assertNothingIsLeft();
  }

  @Test
  void toldToEndItCleansUp() throws Exception {
    Process process = begun();
    process.destroy();
    process.waitFor();
    assertNothingIsLeft();
  }

  @Test
  void whatAKilledOneLeftTheNextOneRemoves() throws Exception {
    Process process = begun();
    assertEquals(4, rehearse(1), "only one at a time");
    process.destroyForcibly().waitFor();
    assertTrue(ours() > 0);
    assertEquals(0, rehearse(1));
    assertNothingIsLeft();
  }
}
