package dev.muelle.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** One bash that keeps its variables from one script to the next, as a learner's terminal does. */
final class Session implements AutoCloseable {

  private static final String END = "end-of-script-";

  private final Process bash;
  private final Writer in;
  private final BufferedReader out;
  private int scripts;

  Session(Path directory, Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(List.of("bash", "-euo", "pipefail", "-s"))
            .directory(directory.toFile())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().merge("PATH", "", (path, none) -> "/usr/bin:/usr/sbin:" + path);
    bash = builder.start();
    in = bash.outputWriter(StandardCharsets.UTF_8);
    out = new BufferedReader(new InputStreamReader(bash.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * Runs a script and gives what it printed.
   *
   * @throws AssertionError if a command of it fails
   */
  String run(String script) throws IOException {
    String end = END + scripts++;
    in.write(script + "\necho; echo " + end + "\n");
    in.flush();
    StringBuilder said = new StringBuilder();
    while (true) {
      String line = out.readLine();
      if (line == null) {
        throw new AssertionError("failed: " + script + "\n" + said);
      }
      if (line.equals(end)) {
        return said.toString().trim();
      }
      said.append(line).append('\n');
    }
  }

  @Override
  public void close() {
    bash.descendants().forEach(ProcessHandle::destroyForcibly);
    bash.destroyForcibly();
  }
}
