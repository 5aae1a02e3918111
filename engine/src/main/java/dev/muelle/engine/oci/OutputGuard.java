package dev.muelle.engine.oci;

import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps output within its bound while no server lives: a process that sleeps in a read from the
 * server's pipe until that is gone, however it went. Then it looks every second at what the files
 * take, and halts the conmon of each container that has written more than the bound. The next
 * server ends it and lets the containers go on as it reads. Without containers it ends by itself.
 */
final class OutputGuard implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OutputGuard.class);
  private static final int BLOCK = 512;

  /** Arguments: prefix of conmon's names, directory of logs, directory of containers, blocks. */
  private static final String SCRIPT =
      "trap '' HUP INT TERM;"
          + " for f in $MUELLE_GROUPS; do echo $$ > \"$f\"; done 2>/dev/null;"
          + " while read -r _; do :; done;"
          + " while [ -n \"$(ls \"$2\")\" ]; do"
          + " find \"$2\" -type f -printf '%b %f\\n' | while read -r blocks id; do"
          + " [ \"$blocks\" -gt \"$4\" ] || continue;"
          + " pid=$(cat \"$3/$id/conmon.pid\") || continue;"
          + " grep -qaF \"$1$id\" \"/proc/$pid/cmdline\" && kill -STOP \"$pid\";"
          + " done; sleep 1; done";

  private final Layout layout;
  private final String instance;
  private final List<Path> groups;
  private final long bound;
  private @Nullable Process process;

  OutputGuard(Layout layout, String instance, List<Path> groups, long bound) {
    this.layout = layout;
    this.instance = instance;
    this.groups = groups;
    this.bound = bound;
  }

  /** No container's name: those have no dots. */
  static String name(String instance) {
    return Conmon.name(instance, ".guard");
  }

  /** Ends the one of a server that is gone. */
  static void endOthers(String instance) throws IOException {
    String name = name(instance);
    for (int pid : Processes.find(line -> line.contains(name))) {
      try {
        Syscalls.kill(pid, Signals.SIGKILL);
      } catch (LinuxException e) {
        // It ended meanwhile.
      }
    }
    while (!Processes.find(line -> line.contains(name)).isEmpty()) {
      Waits.briefly();
    }
  }

  /** Makes sure that there is one. */
  synchronized void ensure() throws IOException {
    if (process != null && process.isAlive()) {
      return;
    }
    ProcessBuilder builder =
        new ProcessBuilder(
            "setsid",
            "/bin/sh",
            "-c",
            SCRIPT,
            name(instance),
            Conmon.name(instance, ""),
            layout.logs().toString(),
            layout.containers().toString(),
            Long.toString(bound / BLOCK));
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Map<String, String> environment = builder.environment();
    String path = environment.get("PATH");
    environment.clear();
    environment.put("PATH", path == null ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
    environment.put(
        "MUELLE_GROUPS", groups.stream().map(Path::toString).collect(Collectors.joining(" ")));
    process = builder.start();
  }

  /** From now on it is on its own; without containers it ends. */
  @Override
  public synchronized void close() {
    Process guard = process;
    if (guard == null) {
      return;
    }
    try {
      guard.getOutputStream().close();
    } catch (IOException e) {
      LOG.warn("letting go of the output's guard", e);
    }
    process = null;
  }
}
