package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.EngineException;
import dev.muelle.linux.Spawn;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Starts containers under a small program of our own, which is both what an OCI runtime is and what
 * conmon(8) is, and costs a fifth of them. Its sources are in {@code src/main/native}.
 */
final class Monitor implements Starter {

  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final Layout layout;
  private final String instance;
  private final Cgroups cgroups;
  private final Launcher launcher;
  private final SeccompFilters filters;

  Monitor(
      Layout layout, String instance, Cgroups cgroups, Launcher launcher, SeccompFilters filters) {
    this.layout = layout;
    this.instance = instance;
    this.cgroups = cgroups;
    this.launcher = launcher;
    this.filters = filters;
  }

  /**
   * Puts the program where it is started from; containers outlive servers, so one that is there and
   * the same stays as it is.
   */
  static void install(Layout layout) throws IOException {
    Path program = layout.program();
    byte[] bytes;
    try (InputStream in = Monitor.class.getResourceAsStream("monitor")) {
      if (in == null) {
        throw new IOException("the monitor is missing from this build");
      }
      bytes = in.readAllBytes();
    }
    if (!Files.exists(program) || !Arrays.equals(Files.readAllBytes(program), bytes)) {
      Path fresh = program.resolveSibling("monitor.new");
      Files.write(fresh, bytes);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwx------"));
      Files.move(
          fresh,
          program,
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Whether it can start what is described: its filter of system calls must be compiled. */
  boolean fits(JsonNode config) throws IOException {
    return Job.fits(config, cgroups.version()) && (unfiltered(config) || filter(config) != null);
  }

  private static boolean unfiltered(JsonNode config) {
    return config
        .path("linux")
        .path("seccomp")
        .path("defaultAction")
        .asText()
        .equals("SCMP_ACT_ALLOW");
  }

  private @Nullable Path filter(JsonNode config) throws IOException {
    return config.path("linux").path("seccomp") instanceof ObjectNode profile
        ? filters.file(profile)
        : null;
  }

  @Override
  public First create(String id, String sandboxId, JsonNode config, boolean keepsOutput)
      throws IOException {
    byte[] job =
        Job.of(
            config,
            cgroups.groups(sandboxId, id),
            new Job.Outside(
                keepsOutput ? layout.log(id) : null,
                layout.exit(id),
                Conmon.monitor(layout, id),
                unfiltered(config) ? null : filter(config)));
    String answer =
        Spawn.ask(
            List.of(layout.program().toString(), Conmon.name(instance, id)),
            Map.of(),
            layout.container(id),
            Path.of("/dev/null"),
            job,
            LIMIT);
    if (!answer.startsWith("+")) {
      throw new EngineException(
          "CannotStartContainerError: Error response from daemon: failed to create task for"
              + " container: OCI runtime create failed: "
              + (answer.isBlank() ? "the monitor ended without a word" : answer.trim()));
    }
    String[] parts = answer.substring(1).split(" ", -1);
    launcher.leaveService(Integer.parseInt(parts[2]));
    return new First(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
  }

  /** It runs already. */
  @Override
  public void start(String id) {}
}
