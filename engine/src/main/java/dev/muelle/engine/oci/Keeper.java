package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.EngineException;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A process that keeps namespaces for containers that share them, as ECS's pause container does: it
 * is the first of their processes, takes in orphans, and does nothing else. It belongs to the
 * control group of what it keeps them for, and goes with it.
 */
final class Keeper {

  /** Its group's name among those of the containers. */
  private static final String GROUP = "keeper";

  private static final int ROUNDS = 2500;
  private static final Path INIT = Path.of("/usr/bin/tini");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Arguments: the groups' files, then the program. It enters, and becomes it. */
  private static final String SCRIPT =
      "for f in $1; do echo $$ > \"$f\" || exit 1; done; shift; exec \"$@\"";

  private final Cgroups cgroups;

  Keeper(Cgroups cgroups) {
    this.cgroups = cgroups;
  }

  /** Who it is, even after others got its number. */
  private record Note(long pid, long startTime) {}

  /** The namespaces that one keeps. */
  record Kept(Path processes, Path ipc) {}

  private static Path note(Path directory) {
    return directory.resolve("keeper");
  }

  /**
   * Starts one.
   *
   * @param directory where it is noted
   * @param group beside whose other groups its own is
   */
  void start(Path directory, String group) throws IOException {
    if (!Files.isExecutable(INIT)) {
      throw new EngineException("ResourceInitializationError: shared namespaces need " + INIT);
    }
    List<String> groups = new ArrayList<>();
    for (Path own : cgroups.make(group, GROUP)) {
      groups.add(own.resolve("cgroup.procs").toString());
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
                "--ipc",
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
        throw new EngineException("ResourceInitializationError: no shared namespaces");
      }
      Waits.briefly();
    }
    Note note = new Note(process.pid(), Processes.startTime((int) process.pid()));
    Layout.write(note(directory), JSON.writeValueAsBytes(note));
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

  /** The namespaces of one that was started and still lives. */
  Optional<Kept> find(Path directory) throws IOException {
    if (!Files.exists(note(directory))) {
      return Optional.empty();
    }
    Note note = JSON.readValue(Files.readAllBytes(note(directory)), Note.class);
    Path namespaces = Path.of("/proc", Long.toString(note.pid()), "ns");
    return Processes.startTime((int) note.pid()) == note.startTime()
        ? Optional.of(new Kept(namespaces.resolve("pid_for_children"), namespaces.resolve("ipc")))
        : Optional.empty();
  }
}
