package dev.muelle.engine.oci;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A process that keeps a namespace of processes for the containers of a sandbox that share one, as
 * ECS's pause container does: it is their first process, takes in orphans, and does nothing else.
 * It belongs to the sandbox's control group, and goes with it.
 */
final class Keeper {

  /** Its group's name among those of the sandbox's containers. */
  private static final String GROUP = "keeper";

  private static final int ROUNDS = 2500;
  private static final Path INIT = Path.of("/usr/bin/tini");

  /** Arguments: the groups' files, then the program. It enters, and becomes it. */
  private static final String SCRIPT =
      "for f in $1; do echo $$ > \"$f\" || exit 1; done; shift; exec \"$@\"";

  private final Layout layout;
  private final Cgroups cgroups;

  Keeper(Layout layout, Cgroups cgroups) {
    this.layout = layout;
    this.cgroups = cgroups;
  }

  private Path note(String sandboxId) {
    return layout.sandbox(sandboxId).resolve("keeper");
  }

  /** Starts it, if the sandbox shares anything. */
  void start(SandboxSpec spec) throws IOException {
    if (!spec.sharesProcesses()) {
      return;
    }
    if (!Files.isExecutable(INIT)) {
      throw new EngineException("ResourceInitializationError: pidMode task needs " + INIT);
    }
    List<String> groups = new ArrayList<>();
    for (Path group : cgroups.make(spec.id(), GROUP)) {
      groups.add(group.resolve("cgroup.procs").toString());
    }
    Process process =
        new ProcessBuilder(
                "setsid",
                "/bin/sh",
                "-c",
                SCRIPT,
                "sh",
                String.join(" ", groups),
                "unshare",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                INIT.toString(),
                "--",
                "sleep",
                "infinity")
            .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.DISCARD)
            .start();
    for (int round = 0; !ready(process.pid()); round++) {
      if (!process.isAlive() || round == ROUNDS) {
        throw new EngineException("ResourceInitializationError: no namespace of processes");
      }
      Waits.briefly();
    }
    Layout.write(note(spec.id()), Long.toString(process.pid()).getBytes(StandardCharsets.US_ASCII));
  }

  /** Whether its first process is there, without which the namespace takes no others. */
  private static boolean ready(long pid) {
    try {
      String children = Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children"));
      return !children.isBlank()
          && Files.readString(Path.of("/proc/" + children.trim() + "/comm")).startsWith("tini");
    } catch (IOException e) {
      return false; // not yet
    }
  }

  /** The namespace of processes; null if the sandbox has none of its own. */
  @Nullable Path processes(SandboxSpec spec) throws IOException {
    return spec.sharesProcesses()
        ? Path.of("/proc", Files.readString(note(spec.id())).trim(), "ns", "pid_for_children")
        : null;
  }
}
