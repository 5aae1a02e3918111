package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.Leftovers;
import dev.muelle.region.RegionServer;
import dev.muelle.region.RootKey;
import dev.muelle.region.demo.Clients;
import dev.muelle.region.demo.Rehearsal;
import dev.muelle.region.doctor.Doctor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./muelle} runs this once after each build, so that later servers find in the JVM's cache
 * what this one learned; see JEP 483 and JEP 515. It is a region of its own, and leaves nothing.
 */
@Command(
    name = "rehearse",
    description = "Starts and stops tasks in a region that is thrown away.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {

  /** The machine lacks something; the exit code that the launcher knows. */
  private static final int UNFIT = 4;

  private final Clock clock;

  @Option(names = "--tasks", defaultValue = "100", description = "default: ${DEFAULT-VALUE}")
  private int tasks = 100;

  RehearseCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    int port = freePort();
    if (new Doctor(port).obstacle().isPresent()) {
      return UNFIT; // for the command that follows to tell
    }
    Path scratch = Files.createTempDirectory("muelle-rehearsal");
    DataDirectory directory = new DataDirectory(scratch.resolve("data"));
    try {
      try (RegionServer server = RegionServer.start(directory, port, false)) {
        RootKey key = RootKey.read(directory.credentials()).orElseThrow();
        URI endpoint = URI.create("http://localhost:" + server.port());
        try (Clients clients = new Clients(endpoint, Labs.REGION, key.id(), key.secret())) {
          Labs.allowPasswordsOverHttp();
          new Rehearsal(clients, "localhost:" + port, clock).play(tasks, scratch);
        }
      }
      Leftovers.remove(directory);
    } catch (Exception e) {
      removeAfter(e, directory);
      throw e;
    } finally {
      delete(scratch);
    }
    return 0;
  }

  private static void removeAfter(Exception failure, DataDirectory directory) {
    try {
      Leftovers.remove(directory);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /** The registry's name contains the port, so it must be known before the server starts. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
