package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher rehearses after a build, later servers can use. */
class RehearsalTest {

  private static final long LIMIT = 600; // s

  @TempDir private Path directory;

  private Shell.Outcome attempt(Map<String, String> environment, String script) throws Exception {
    return new Shell(directory, environment).attempt(Shell.HOME + "/" + script, LIMIT);
  }

  @Test
  void whatWasLearnedFitsLaterServers() throws Exception {
    Shell.Outcome first = attempt(Map.of(), "muelle build");
    assertEquals(0, first.exitCode(), first::output);
    assertTrue(Files.size(Shell.HOME.resolve(".muelle/learned.aot")) > 0, first::output);
    // With this a JVM ends with an error if it has no cache that fits.
    Map<String, String> strict = Map.of("JAVA_TOOL_OPTIONS", "-XX:AOTMode=on");
    Shell.Outcome with = attempt(strict, "muelle up --help");
    assertEquals(0, with.exitCode(), with::output);
    assertTrue(with.output().contains("--detach"), with::output);
    Shell.Outcome without = attempt(Map.of("MUELLE_CACHE", "no"), "muelle up --help");
    assertEquals(0, without.exitCode(), without::output);
  }
}
