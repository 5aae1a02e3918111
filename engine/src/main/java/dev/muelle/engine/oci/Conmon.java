package dev.muelle.engine.oci;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.linux.Command;
import dev.muelle.loop.Timers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Starts containers under conmon(8), which stays with each: it writes the output and the exit code
 * whether or not we are there.
 */
final class Conmon {

  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int MAX_WORDS = 20; // lines
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  /**
   * Enters groups that outlive the server's own, hands conmon descriptor 3 to say the container's
   * pid on, and stays until it has: Java closes the pipe from a process that has ended, and conmon,
   * which goes on in the background, would speak to nobody.
   */
  private static final String SCRIPT =
      "for f in $MUELLE_GROUPS; do echo $$ > \"$f\"; done 2>/dev/null; unset MUELLE_GROUPS;"
          + " \"$@\" 3>&1 >/dev/null | { IFS= read -r answer; printf '%s\\n' \"$answer\"; }";

  private final Layout layout;
  private final String instance;
  private final Path runtime;
  private final List<Path> groups;
  private final Timers timers;

  Conmon(Layout layout, String instance, Path runtime, List<Path> groups, Timers timers) {
    this.layout = layout;
    this.instance = instance;
    this.runtime = runtime;
    this.groups = groups;
    this.timers = timers;
  }

  /** What {@link Processes#find} recognizes this engine's conmon processes by. */
  static String name(String instance, String containerId) {
    return "muelle/" + instance + "/" + containerId;
  }

  /** The process that stays with a container, if it still does. */
  static OptionalInt living(Layout layout, String instance, String id) {
    try {
      String pid = Files.readString(layout.container(id).resolve("conmon.pid")).trim();
      String line = Files.readString(Path.of("/proc", pid, "cmdline"), ISO_8859_1);
      return line.contains(name(instance, id) + "\0")
          ? OptionalInt.of(Integer.parseInt(pid))
          : OptionalInt.empty();
    } catch (IOException e) {
      return OptionalInt.empty();
    }
  }

  /**
   * Creates a container, which then waits to be started.
   *
   * @param keepsOutput whether what it prints is written down
   * @return pid of its first process
   */
  int create(String id, boolean keepsOutput) throws IOException {
    Path container = layout.container(id);
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "sh", "/usr/bin/conmon"));
    command.addAll(List.of("--api-version", "1"));
    command.addAll(List.of("-c", id, "-u", id, "-n", name(instance, id)));
    command.addAll(List.of("-r", runtime.toString()));
    command.addAll(List.of("--runtime-arg", "--root", "--runtime-arg", layout.runtime() + ""));
    command.addAll(List.of("-b", container + "", "-p", container.resolve("pid") + ""));
    command.addAll(List.of("-P", container.resolve("conmon.pid") + ""));
    command.addAll(List.of("-l", keepsOutput ? "k8s-file:" + layout.log(id) : "none"));
    command.addAll(List.of("--exit-dir", layout.exits() + "", "--persist-dir", container + ""));
    command.addAll(List.of("--socket-dir-path", layout.sockets() + ""));
    command.addAll(List.of("--no-sync-log", "--log-level", "warning"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectError(container.resolve("conmon.log").toFile());
    Map<String, String> environment = builder.environment();
    String path = environment.get("PATH");
    environment.clear();
    environment.put("PATH", path == null ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
    environment.put("_OCI_SYNCPIPE", "3");
    environment.put(
        "MUELLE_GROUPS", groups.stream().map(Path::toString).collect(Collectors.joining(" ")));
    Process process = builder.start();
    Timers.Cancellable late = timers.after(LIMIT, () -> giveUp(process));
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      return pid(reader.readLine(), id);
    } finally {
      late.cancel();
    }
  }

  private static void giveUp(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private int pid(@Nullable String answer, String id) throws IOException {
    String message = answer == null ? "" : answer;
    try {
      JsonNode tree = new ObjectMapper().readTree(message.isEmpty() ? "{}" : message);
      int pid = tree.path("data").asInt(-1);
      if (pid > 0) {
        return pid;
      }
      message = tree.path("message").asText("");
    } catch (JsonProcessingException e) {
      // As it is; conmon does not escape everything.
    }
    if (message.isBlank()) { // conmon was quick to take the runtime's words for the container's
      message =
          Output.read(layout.log(id), 0, MAX_WORDS, true).stream()
              .map(LogLine::text)
              .collect(Collectors.joining("\n"));
    }
    if (message.isBlank()) {
      message = Files.readString(layout.container(id).resolve("conmon.log"));
    }
    if (message.isBlank()) {
      message = "conmon ended without a word";
    }
    throw new EngineException(
        "CannotStartContainerError: Error response from daemon: failed to create task for"
            + " container: OCI runtime create failed: "
            + message.trim());
  }

  /** Lets a created container run. */
  void start(String id) {
    Command.Result result =
        Command.attempt(
            List.of(runtime.toString(), "--root", layout.runtime().toString(), "start", id),
            Map.of(),
            "",
            START_LIMIT);
    if (!result.ok()) {
      throw new EngineException(
          "CannotStartContainerError: Error response from daemon: failed to start task: "
              + result.error().trim());
    }
  }
}
