package dev.muelle.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * A Docker engine of a test's own (Debian's docker.io), apart from any other on the machine, with
 * further names in its {@code /etc/hosts}.
 */
final class DockerEngine implements AutoCloseable {

  private static final long GRACE_SECONDS = 20;

  private final Path home;
  private final Process process;

  /**
   * Starts it and waits until it listens.
   *
   * @param hosts names that mean this machine, separated by spaces
   */
  DockerEngine(String hosts) throws IOException, InterruptedException {
    // Short: the socket's path has a limit.
    home = Path.of("/tmp/mu" + UUID.randomUUID().toString().substring(0, 8));
    Files.createDirectory(home);
    Files.writeString(home.resolve("hosts"), "127.0.0.1 localhost " + hosts + "\n");
    process =
        new ProcessBuilder(
                "unshare",
                "--mount",
                "bash",
                "-c",
                """
                mount --bind %1$s/hosts /etc/hosts
                exec dockerd --data-root=%1$s/data --exec-root=%1$s/exec --pidfile=%1$s/pid \\
                  --host=unix://%1$s/sock --storage-driver=vfs --bridge=none --iptables=false --ip6tables=false
                """
                    .formatted(home))
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("log").toFile())
            .start();
    while (!Files.exists(home.resolve("sock"))) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
        throw new AssertionError(Files.readString(home.resolve("log")));
      }
    }
  }

  /** What a shell needs so that {@code docker} means this engine, with no logins yet. */
  String environment() {
    return "export DOCKER_HOST=unix://" + home + "/sock DOCKER_CONFIG=" + home + "/config\n";
  }

  /** How another program sees the machine with the same names. */
  String named(String command) {
    return "unshare --mount bash -c 'mount --bind "
        + home
        + "/hosts /etc/hosts; exec \"$@\"' - "
        + command;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    new Shell(Path.of("/tmp"), java.util.Map.of()).run("rm -rf --one-file-system " + home);
  }
}
