package dev.muelle.engine.oci;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.EngineException;
import dev.muelle.linux.Command;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Spawn;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Starts containers under conmon(8), which stays with each: it writes the output and the exit code
 * whether or not we are there. For what {@link Monitor} does not start; both are found and named in
 * the same way.
 */
final class Conmon implements Starter {

  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int MAX_WORDS = 20; // lines
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private final Layout layout;
  private final String instance;
  private final RuntimeChoice runtime;
  private final Launcher launcher;
  private final SeccompFilters filters;
  private final ObjectMapper json;

  Conmon(
      Layout layout,
      String instance,
      RuntimeChoice runtime,
      Launcher launcher,
      SeccompFilters filters,
      ObjectMapper json) {
    this.layout = layout;
    this.instance = instance;
    this.runtime = runtime;
    this.launcher = launcher;
    this.filters = filters;
    this.json = json;
  }

  /** Where it writes its own number down. */
  static Path monitor(Layout layout, String id) {
    return layout.container(id).resolve("conmon.pid");
  }

  /** What {@link Processes#find} recognizes this engine's conmon processes by. */
  static String name(String instance, String containerId) {
    return "muelle/" + instance + "/" + containerId;
  }

  /** The process that stays with a container, if it still does. */
  static OptionalInt living(Layout layout, String instance, String id) {
    try {
      String pid = Files.readString(monitor(layout, id)).trim();
      String line = Files.readString(Path.of("/proc", pid, "cmdline"), ISO_8859_1);
      return line.contains(name(instance, id) + "\0")
          ? OptionalInt.of(Integer.parseInt(pid))
          : OptionalInt.empty();
    } catch (IOException e) {
      return OptionalInt.empty();
    }
  }

  /** Creates a container, which then waits to be started. */
  @Override
  public First create(String id, String sandboxId, JsonNode config, boolean keepsOutput)
      throws IOException {
    ContainerSpec.Console console = Bundle.console(config);
    Path container = layout.container(id);
    ObjectNode profile = (ObjectNode) config.path("linux").path("seccomp");
    giveFilter(container.resolve("config.json"), (ObjectNode) config, filters.file(profile));
    List<String> command = new ArrayList<>(List.of("/usr/bin/conmon", "--api-version", "1"));
    command.addAll(List.of("-c", id, "-u", id, "-n", name(instance, id)));
    command.addAll(List.of("-r", runtime.program().toString()));
    command.addAll(List.of("--runtime-arg", "--root", "--runtime-arg", layout.runtime() + ""));
    command.addAll(List.of("-b", container + "", "-p", container.resolve("pid") + ""));
    command.addAll(List.of("-P", monitor(layout, id) + ""));
    command.addAll(List.of("-l", keepsOutput ? "k8s-file:" + layout.log(id) : "none"));
    command.addAll(List.of("--exit-dir", layout.exits() + "", "--persist-dir", container + ""));
    command.addAll(List.of("--socket-dir-path", layout.sockets() + ""));
    if (console.terminal()) {
      command.add("-t");
    }
    if (console.open()) {
      command.add("-i");
    }
    command.addAll(List.of("--no-sync-log", "--log-level", "warning"));
    Map<String, String> environment =
        Map.of(
            "PATH",
            Objects.requireNonNullElse(System.getenv("PATH"), "/usr/sbin:/usr/bin:/sbin:/bin"),
            "_OCI_SYNCPIPE",
            "3");
    // It leaves a file "oom" where it works when the container is killed for memory.
    String answer =
        Spawn.ask(command, environment, container, container.resolve("conmon.log"), LIMIT);
    int pid = pid(answer, id);
    launcher.leaveService(Integer.parseInt(Files.readString(monitor(layout, id)).trim()));
    filters.keep(profile, id);
    return new First(pid, Processes.startTime(pid));
  }

  /**
   * What crun takes instead of the profile, so that it need not compile that again (crun(1), {@code
   * run.oci.seccomp_bpf_data}). A runtime that knows nothing of this compiles the profile, which it
   * is given all the same.
   */
  private void giveFilter(Path file, ObjectNode config, @Nullable Path filter) throws IOException {
    if (filter != null) {
      String text = Base64.getEncoder().encodeToString(Files.readAllBytes(filter));
      ObjectNode given = config.deepCopy();
      given.withObjectProperty("annotations").put("run.oci.seccomp_bpf_data", text);
      Files.write(file, json.writeValueAsBytes(given));
    }
  }

  private int pid(String answer, String id) throws IOException {
    String message = answer;
    try {
      JsonNode tree = json.readTree(message.isEmpty() ? "{}" : message);
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
          Output.read(layout.log(id), 0, MAX_WORDS, Integer.MAX_VALUE, true).list().stream()
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

  @Override
  public void start(String id) throws IOException {
    if (runtime.waits()) {
      letRun(id);
      return;
    }
    Command.Result result =
        Command.attempt(
            List.of(
                runtime.anywhere().toString(), "--root", layout.runtime().toString(), "start", id),
            Map.of(),
            "",
            START_LIMIT);
    if (!result.ok()) {
      throw failed(result.error());
    }
  }

  /**
   * What {@code crun start} does where a container has no hooks: the container's first process
   * reads a byte from this pipe before it becomes the container's program.
   */
  private void letRun(String id) throws IOException {
    Path pipe = layout.runtime().resolve(id).resolve("exec.fifo");
    try {
      Syscalls.putByte(pipe);
    } catch (LinuxException e) {
      throw failed("the container has ended before it was started: " + e.getMessage());
    }
    Files.delete(pipe);
  }

  private static EngineException failed(String why) {
    return new EngineException(
        "CannotStartContainerError: Error response from daemon: failed to start task: "
            + why.trim());
  }
}
