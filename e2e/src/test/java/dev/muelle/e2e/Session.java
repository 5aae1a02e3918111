package dev.muelle.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One bash that keeps its variables from one script to the next, as a learner's terminal does. */
final class Session implements AutoCloseable {

  private static final String END = "end-of-script-";
  private static final long LIMIT_SECONDS = 600;

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
    return answer(script, script + "\necho; echo " + end + "\n", end).output();
  }

  /** Runs a script that may fail, in a subshell: what it sets is gone afterwards. */
  Shell.Outcome attempt(String script) throws IOException {
    String end = END + scripts++;
    // Not "( … ) || code=$?": what stands left of || runs without -e.
    return answer(
        script,
        "set +e\n( set -e\n" + script + "\n)\ncode=$?; set -e; echo; echo " + end + " $code\n",
        end);
  }

  private Shell.Outcome answer(String script, String input, String end) throws IOException {
    Thread limit = Thread.startVirtualThread(this::endAfterTheLimit);
    try {
      in.write(input);
      in.flush();
      StringBuilder said = new StringBuilder();
      while (true) {
        String line = out.readLine();
        if (line == null) {
          throw new AssertionError("failed: " + script + "\n" + said);
        }
        if (line.startsWith(end)) {
          String code = line.substring(end.length()).trim();
          return new Shell.Outcome(
              code.isEmpty() ? 0 : Integer.parseInt(code), said.toString().trim());
        }
        said.append(line).append('\n');
      }
    } finally {
      limit.interrupt();
    }
  }

  /** A bash that hangs is killed, so that the test fails and does not hang with it. */
  private void endAfterTheLimit() {
    try {
      if (!bash.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the script ended
    }
  }

  @Override
  public void close() {
    bash.descendants().forEach(ProcessHandle::destroyForcibly);
    bash.destroyForcibly();
  }
}
