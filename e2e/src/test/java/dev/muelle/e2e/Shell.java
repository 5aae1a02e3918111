package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs commands as a person would, in bash, with a limit. */
final class Shell {

  /** The checkout's root, which holds {@code ./muelle}. */
  static final Path HOME = Path.of("..").toAbsolutePath().normalize();

  private final Path directory;
  private final Map<String, String> environment;

  Shell(Path directory, Map<String, String> environment) {
    this.directory = directory;
    this.environment = new HashMap<>(environment);
  }

  /**
   * A command's end.
   *
   * @param output standard output and error as they came
   */
  record Outcome(int exitCode, String output) {}

  /** Runs a script and gives its output; the test fails if the script does. */
  String run(String script) throws IOException {
    Outcome outcome = attempt(script, 600);
    assertEquals(0, outcome.exitCode(), () -> script + "\n" + outcome.output());
    return outcome.output().trim();
  }

  Outcome attempt(String script, long limitSeconds) throws IOException {
    Path output = Files.createTempFile(directory, "output", ".txt");
    try {
      Process process = start(script, output);
      if (!ended(process, limitSeconds)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError(
            "no end within " + limitSeconds + " s: " + script + "\n" + Files.readString(output));
      }
      return new Outcome(process.exitValue(), Files.readString(output));
    } finally {
      Files.delete(output);
    }
  }

  private static boolean ended(Process process, long limitSeconds) throws IOException {
    try {
      return process.waitFor(limitSeconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the test was interrupted");
    }
  }

  /** Starts a script in the background. */
  Process start(String script, Path output) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(List.of("bash", "-euo", "pipefail", "-c", script))
            .directory(directory.toFile())
            .redirectInput(new java.io.File("/dev/null"))
            .redirectOutput(output.toFile())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    // Debian's aws (version 2) before any other that a machine may have on its path.
    builder.environment().merge("PATH", "", (path, none) -> "/usr/bin:/usr/sbin:" + path);
    return builder.start();
  }
}
