package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.Engine.Executed;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.Terminal;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Further processes in running containers. */
final class Execution {

  private static final int KEPT = 4096; // characters of output
  private static final int TOO_LONG = -1;
  private static final int ENTERING = 10; // s, for the runtime itself

  private final Layout layout;
  private final Path runtime;
  private final RuntimeState states;
  private final ObjectMapper json;
  private final AtomicLong number = new AtomicLong();

  Execution(Layout layout, Path runtime, RuntimeState states, ObjectMapper json) {
    this.layout = layout;
    this.runtime = runtime;
    this.states = states;
    this.json = json;
  }

  Executed run(Running.Note container, List<String> command, Duration limit) {
    String id = container.id();
    Path directory = layout.container(id);
    String name = "exec-" + number.incrementAndGet();
    Path description = directory.resolve(name + ".json");
    Path pidFile = directory.resolve(name + ".pid");
    try {
      Files.deleteIfExists(pidFile); // an earlier server's, of who knows whom
      states.ensure(container);
      Files.write(description, json.writeValueAsBytes(process(directory, command)));
      Process process =
          new ProcessBuilder(arguments(id, description, pidFile))
              .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
              .redirectErrorStream(true)
              .start();
      CompletableFuture<String> output = new CompletableFuture<>();
      Thread.startVirtualThread(() -> output.complete(read(process.getInputStream())));
      if (process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        return new Executed(process.exitValue(), output.join());
      }
      kill(pidFile);
      if (!process.waitFor(ENTERING, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
      return new Executed(TOO_LONG, output.join());
    } catch (IOException e) {
      throw new EngineException("container " + id + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException("interrupted", e);
    } finally {
      delete(description);
      delete(pidFile);
    }
  }

  /** On a terminal, as root. */
  Terminal open(Running.Note container, List<String> command) {
    String id = container.id();
    Path directory = layout.container(id);
    String name = "exec-" + number.incrementAndGet();
    Path description = directory.resolve(name + ".json");
    Path pidFile = directory.resolve(name + ".pid");
    try {
      Files.deleteIfExists(pidFile); // an earlier server's, of who knows whom
      states.ensure(container);
      Files.write(description, json.writeValueAsBytes(rootsTerminal(directory, command)));
      return OpenTerminal.start(arguments(id, description, pidFile), description, pidFile);
    } catch (IOException e) {
      delete(description);
      throw new EngineException("container " + id + ": " + e.getMessage(), e);
    }
  }

  private JsonNode rootsTerminal(Path directory, List<String> command) throws IOException {
    ObjectNode process = process(directory, command);
    process.put("terminal", true);
    ObjectNode user = process.putObject("user");
    user.put("uid", 0).put("gid", 0);
    ObjectNode capabilities = (ObjectNode) process.path("capabilities");
    capabilities.set("effective", capabilities.path("bounding"));
    capabilities.set("permitted", capabilities.path("bounding"));
    ArrayNode environment = (ArrayNode) process.path("env");
    boolean named = false;
    for (JsonNode variable : environment) {
      named |= variable.asText().startsWith("TERM=");
    }
    if (!named) {
      environment.add("TERM=xterm-256color");
    }
    return process;
  }

  private List<String> arguments(String id, Path description, Path pidFile) {
    List<String> arguments =
        new ArrayList<>(List.of(runtime.toString(), "--root", layout.runtime().toString()));
    arguments.addAll(List.of("exec", "--process", description.toString()));
    arguments.addAll(List.of("--pid-file", pidFile.toString(), id));
    return arguments;
  }

  /** The container's own process, but with this command. */
  private ObjectNode process(Path directory, List<String> command) throws IOException {
    JsonNode config = json.readTree(Files.readAllBytes(directory.resolve("config.json")));
    ObjectNode process = (ObjectNode) config.path("process");
    ArrayNode arguments = process.putArray("args");
    command.forEach(arguments::add);
    return process;
  }

  private static String read(InputStream from) {
    StringBuilder kept = new StringBuilder();
    byte[] buffer = new byte[KEPT];
    try (from) {
      for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
        if (kept.length() < KEPT) {
          kept.append(new String(buffer, 0, read, StandardCharsets.UTF_8));
        }
      }
    } catch (IOException e) {
      // It is gone; what was read is what there is.
    }
    return kept.substring(0, Math.min(KEPT, kept.length()));
  }

  private static void kill(Path pidFile) throws IOException {
    if (Files.exists(pidFile)) {
      String pid = Files.readString(pidFile).trim();
      if (!pid.isEmpty()) {
        try {
          Syscalls.kill(Integer.parseInt(pid), Signals.SIGKILL);
        } catch (LinuxException e) {
          // It has just ended.
        }
      }
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
