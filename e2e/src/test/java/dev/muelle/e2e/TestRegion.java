package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A region of a test's own, started with the launcher; closing it proves that nothing is left. */
final class TestRegion implements AutoCloseable {

  private static final int GONE_SECONDS = 30;

  private final Path work;
  private final Path data;
  private final int port;
  private final String options;
  private final Shell shell;
  private @Nullable HostPort owned;

  private TestRegion(Path work, int port, String options) {
    this.work = work;
    this.data = work.resolve("data");
    this.port = port;
    this.options = options;
    this.shell = new Shell(work, environment());
  }

  /**
   * Starts a region.
   *
   * @param options further options of {@code ./muelle up}
   */
  static TestRegion start(String options) throws IOException {
    TestRegion region = prepare(options);
    region.up();
    return region;
  }

  /** A place for a region that the test itself starts. */
  static TestRegion prepare(String options) throws IOException {
    Path work = Files.createTempDirectory("muelle-e2e");
    Files.createSymbolicLink(work.resolve("muelle"), Shell.HOME.resolve("muelle"));
    return new TestRegion(work, freePort(), options);
  }

  /** Has a port of the machine to itself, as soon as no other test has it. */
  TestRegion owning(int hostPort) throws IOException {
    owned = HostPort.own(hostPort);
    return this;
  }

  void up() throws IOException {
    shell.run("./muelle up --detach --port " + port + " " + options);
  }

  /** A shell that has done {@code eval "$(./muelle env)"}, if the region is up. */
  String run(String script) throws IOException {
    return shell.run(prologue() + script);
  }

  Shell.Outcome attempt(String script) throws IOException {
    return shell.attempt(prologue() + script, 600);
  }

  /** Runs without the environment of {@code ./muelle env}. */
  String bare(String script) throws IOException {
    return shell.run(script);
  }

  /** Runs, without the environment of {@code ./muelle env}, what is to fail. */
  Shell.Outcome refused(String script) throws IOException {
    return shell.attempt(script, 600);
  }

  Process background(String script, Path output) throws IOException {
    return shell.start(prologue() + script, output);
  }

  private static String prologue() {
    return "eval \"$(./muelle env)\"\n";
  }

  /** A terminal that keeps its variables. */
  Session session() throws IOException {
    return new Session(work, environment());
  }

  private Map<String, String> environment() {
    return Map.of("MUELLE_DATA", data.toString(), "HOME", work.toString());
  }

  Path work() {
    return work;
  }

  int port() {
    return port;
  }

  /** The server's process. */
  ProcessHandle server() throws IOException {
    return ProcessHandle.of(Long.parseLong(said("pid"))).orElseThrow();
  }

  /** A property of what the running server, or the last one, said of itself. */
  private String said(String name) throws IOException {
    Properties said = new Properties();
    try (var in = Files.newBufferedReader(data.resolve("server.properties"))) {
      said.load(in);
    }
    return said.getProperty(name);
  }

  /** The processes in this region's containers whose command line holds a text; sorted. */
  List<Long> containers(String text) throws IOException {
    String instance = instance();
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> says(pid, "cgroup", "/" + instance + "/") && says(pid, "cmdline", text))
        .sorted()
        .toList();
  }

  private static boolean says(long pid, String file, String text) {
    try {
      return Files.readString(Path.of("/proc", String.valueOf(pid), file)).contains(text);
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  /** What of this region is on the machine now. */
  List<String> traces() throws IOException {
    return Machine.traces(instance(), data, server().pid());
  }

  /** The name that its kernel objects carry. */
  String instance() throws IOException {
    String name = said("instance");
    assertTrue(name.matches("mu[0-9a-f]{6}"), name);
    return name;
  }

  String serverLog() throws IOException {
    return Files.readString(data.resolve("server.log"));
  }

  /** What stays: the kernel takes a moment to give some of it back. */
  private List<String> left() throws IOException {
    Instant end = Instant.now().plusSeconds(GONE_SECONDS);
    List<String> left = Machine.traces(instance(), data, 0);
    while (!left.isEmpty() && Instant.now().isBefore(end)) {
      left = Machine.traces(instance(), data, 0);
    }
    return left;
  }

  @Override
  public void close() throws IOException {
    try {
      shell.run("./muelle down");
    } finally {
      if (owned != null) {
        owned.close();
      }
    }
    assertEquals(List.of(), left(), "left on the machine");
    try (Stream<Path> files = Files.walk(work)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Below the ports that the kernel gives to clients: none of them takes it meanwhile. */
  static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
      try (ServerSocket free = new ServerSocket(port)) {
        return free.getLocalPort();
      } catch (IOException e) {
        // taken: another
      }
    }
  }
}
