package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.Leftovers;
import dev.muelle.region.RegionServer;
import dev.muelle.region.RootKey;
import dev.muelle.region.demo.Clients;
import dev.muelle.region.demo.Rehearsal;
import dev.muelle.region.doctor.Doctor;
import dev.muelle.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./muelle} runs this once after each build, so that later servers find in the JVM's cache
 * what this one learned; see JEP 483 and JEP 515. It is a region of its own, and leaves nothing:
 * told to end it cleans up, and what one that was killed has left the next one removes, because all
 * of a checkout's rehearsals have the same directory.
 */
@Command(
    name = "rehearse",
    description = "Starts and stops tasks in a region that is thrown away.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {

  /**
   * The machine lacks something, or somebody rehearses already; the launcher knows this exit code.
   */
  private static final int NOT_NOW = 4;

  private final Clock clock;

  @Option(names = "--tasks", defaultValue = "100", description = "default: ${DEFAULT-VALUE}")
  private int tasks = 100;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "where it keeps everything meanwhile (default: in the checkout)")
  private @Nullable Path data;

  RehearseCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    int port = freePort();
    Path scratch = data == null ? scratch() : data;
    if (new Doctor(port).obstacle().isPresent() || !remove(scratch)) {
      return NOT_NOW; // for the command that follows to tell
    }
    try (Stage stage = new Stage(scratch)) {
      Runtime.getRuntime().addShutdownHook(new Thread(stage::close, "shutdown"));
      DataDirectory directory = directory(scratch);
      RegionServer server =
          stage.open(
              RegionServer.start(directory, new RegionServer.Settings(port, false, null, 1, 60)));
      RootKey key = RootKey.read(directory.credentials()).orElseThrow();
      URI endpoint = URI.create("http://localhost:" + server.port());
      try (Clients clients = new Clients(endpoint, Labs.REGION, key.id(), key.secret())) {
        Labs.allowPasswordsOverHttp();
        new Rehearsal(clients, "localhost:" + port, clock).play(tasks, scratch);
      }
    }
    return 0;
  }

  /** What is cleared away once: at the end, or when the process is told to end. */
  private static final class Stage implements AutoCloseable {
    private final Path scratch;
    private @Nullable RegionServer server;
    private boolean cleared;

    Stage(Path scratch) {
      this.scratch = scratch;
    }

    synchronized RegionServer open(RegionServer started) {
      server = started;
      return started;
    }

    @Override
    public synchronized void close() {
      if (!cleared) {
        cleared = true;
        if (server != null) {
          server.close();
        }
        try {
          remove(scratch);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private static DataDirectory directory(Path scratch) {
    return new DataDirectory(scratch.resolve("data"));
  }

  /** Where a checkout's rehearsals are. */
  static Path scratch() {
    return Labs.home().resolve(".muelle/rehearsal");
  }

  /**
   * Removes what a rehearsal has left that was killed.
   *
   * @return false if it is still under way
   */
  static boolean remove(Path scratch) throws IOException {
    if (!Files.exists(scratch)) {
      return true;
    }
    try {
      Leftovers.remove(directory(scratch));
    } catch (StoreException e) {
      return false;
    }
    try (Stream<Path> files = Files.walk(scratch)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    return true;
  }

  /** The registry's name contains the port, so it must be known before the server starts. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
