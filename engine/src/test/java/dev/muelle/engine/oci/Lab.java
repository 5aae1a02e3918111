package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpecBuilder;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.Engine.LogLine;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.engine.blob.FileBlobStore;
import dev.muelle.engine.oci.image.Limits;
import dev.muelle.loop.SystemTimers;
import dev.muelle.store.SqliteStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** An engine over a directory of its own, with a registry of images that tests make. */
final class Lab implements AutoCloseable {
  /** Long enough for a machine that does much else. */
  private static final long PATIENCE_SECONDS = 120;

  final String instance;
  final Path directory;
  final SqliteStore store;
  final BlobStore blobs;
  final SystemTimers timers = new SystemTimers();
  final Map<String, String> tags = new ConcurrentHashMap<>();
  private final ObjectMapper json = new ObjectMapper();
  final Room room;
  OciEngine engine;

  Lab() throws IOException {
    this(Room.usual(Path.of("/tmp")));
  }

  Lab(Room room) throws IOException {
    this(name(), compiled(Files.createTempDirectory("muelle-engine")), room);
  }

  Lab(String instance, Path directory) throws IOException {
    this(instance, directory, Room.usual(directory));
  }

  Lab(String instance, Path directory, Room room) throws IOException {
    this.instance = instance;
    this.directory = directory;
    this.room = room;
    this.store = SqliteStore.open(directory.resolve("store.db"));
    this.blobs = FileBlobStore.open(directory.resolve("blobs"), store, timers);
    this.engine = open();
  }

  /** What the filters of system calls were compiled to, of the first lab that needed them. */
  private static final Map<String, byte[]> FILTERS = new ConcurrentHashMap<>();

  /** So that containers are started by our own monitor from the first one on. */
  private static synchronized Path compiled(Path directory) throws IOException {
    if (FILTERS.isEmpty()) {
      Lab first = new Lab(name(), Files.createTempDirectory("muelle-engine"));
      try (first) {
        first.engine.createSandbox(sandbox("s1"));
        first.engine.startContainer(container("c1", "s1", first.busyboxImage(), "exit 0"));
        first.exited("c1");
        for (Path file : first.filters()) {
          FILTERS.put(file.getFileName().toString(), Files.readAllBytes(file));
        }
      }
    }
    Path filters = Files.createDirectories(directory.resolve("engine/filters"));
    for (Map.Entry<String, byte[]> one : FILTERS.entrySet()) {
      Files.write(filters.resolve(one.getKey()), one.getValue());
    }
    return directory;
  }

  /** What was compiled here. */
  List<Path> filters() throws IOException {
    try (Stream<Path> files = Files.list(engineRoot().resolve("filters"))) {
      return files.toList();
    }
  }

  /** A process of its own, in which the main method of a class is given a lab to open. */
  static Process process(Class<?> main, String instance, Path directory) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            instance,
            directory.toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  static String name() {
    return "mt" + Long.toString(System.nanoTime() & 0xffffffffL, 36);
  }

  Path engineRoot() {
    return directory.resolve("engine");
  }

  OciEngine open() {
    LocalRegistry registry =
        new LocalRegistry() {
          @Override
          public boolean owns(ImageReference reference) {
            return reference.registry().equals("local.test");
          }

          @Override
          public Optional<String> resolve(ImageReference reference) {
            return Optional.ofNullable(
                reference.digest() != null ? reference.digest() : tags.get(reference.repository()));
          }
        };
    return new OciEngine(
        instance, directory.resolve("engine"), blobs, registry, timers, Limits.usual(), room);
  }

  void reopen() {
    engine.close();
    engine = open();
  }

  static Tar busybox() throws IOException {
    Tar tar =
        new Tar()
            .directory("bin")
            .file("bin/busybox", Files.readAllBytes(Path.of("/bin/busybox")), 0755)
            .directory("etc")
            .file(
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\nalba:x:1000:1001::/home/alba:/bin/sh\n".getBytes(),
                0644)
            .file("etc/group", "root:x:0:\nalba:x:1001:\nquay:x:2000:alba\n".getBytes(), 0644)
            .add(
                "tmp/",
                org.apache.commons.compress.archivers.tar.TarConstants.LF_DIR,
                01777,
                "",
                new byte[0],
                Map.of());
    for (String name : List.of("sh", "echo", "cat", "id", "sleep", "dd", "ls", "mount", "kill")) {
      tar.link("bin/" + name, "busybox");
    }
    return tar;
  }

  static String sha256(byte[] bytes) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** Makes an image of plain or compressed layers; returns its manifest's digest. */
  String image(String name, Map<String, ?> config, List<byte[]> layers, List<byte[]> packed)
      throws IOException {
    List<String> diffIds = layers.stream().map(Lab::sha256).toList();
    Map<String, ?> whole =
        Map.of(
            "architecture",
            "amd64",
            "os",
            "linux",
            "config",
            config,
            "rootfs",
            Map.of("type", "layers", "diff_ids", diffIds));
    byte[] configBytes = json.writeValueAsBytes(whole);
    List<Map<String, ?>> descriptors = new ArrayList<>();
    for (byte[] layer : packed) {
      blobs.put(layer, "test");
      descriptors.add(
          Map.of(
              "mediaType",
              "application/vnd.oci.image.layer.v1.tar+gzip",
              "digest",
              sha256(layer),
              "size",
              layer.length));
    }
    Map<String, ?> manifest =
        Map.of(
            "schemaVersion",
            2,
            "mediaType",
            "application/vnd.oci.image.manifest.v1+json",
            "config",
            Map.of(
                "mediaType",
                "application/vnd.oci.image.config.v1+json",
                "digest",
                blobs.put(configBytes, "test"),
                "size",
                configBytes.length),
            "layers",
            descriptors);
    String digest = blobs.put(json.writeValueAsBytes(manifest), "test");
    tags.put(name, digest);
    return digest;
  }

  /** Of an image that was made here: the layers' diff ids without their algorithm. */
  List<String> diffIds(String name) throws IOException {
    var manifest = json.readTree(blobs.file(tags.get(name)).orElseThrow().toFile());
    String config = manifest.path("config").path("digest").asText();
    List<String> ids = new ArrayList<>();
    json.readTree(blobs.file(config).orElseThrow().toFile())
        .path("rootfs")
        .path("diff_ids")
        .forEach(id -> ids.add(id.asText().substring(7)));
    return ids;
  }

  String busyboxImage() throws IOException {
    byte[] layer = busybox().bytes();
    image(
        "busybox",
        Map.of("Env", List.of("GREETING=hola"), "WorkingDir", "/work/dir"),
        List.of(layer),
        List.of(gzip(layer)));
    return engine.pull(ImageReference.parse("local.test/busybox"), null).id();
  }

  static SandboxSpec sandbox(String id) {
    return new SandboxSpec(
        id, null, "host-" + id, null, List.of("10.0.0.2"), List.of(), 512, 256L << 20, 0, Map.of());
  }

  static ContainerSpec container(String id, String sandbox, String image, String script) {
    return builder(id, sandbox, image, script).build();
  }

  static ContainerSpecBuilder builder(String id, String sandbox, String image, String script) {
    return ContainerSpec.builder(id, sandbox, image)
        .entryPoint(List.of("/bin/sh", "-c"))
        .command(List.of(script))
        .cpuShares(128);
  }

  static ContainerSpec.Isolation mounting(ContainerSpec.Mount... mounts) {
    return new ContainerSpec.Isolation(Set.of(), Set.of(), 0, Map.of(), List.of(mounts));
  }

  State.Exited exited(String id) {
    await(() -> engine.container(id).map(one -> one.state() instanceof State.Exited).orElse(false));
    return (State.Exited) engine.container(id).orElseThrow().state();
  }

  List<LogLine> lines(String id) {
    List<LogLine> all = new ArrayList<>();
    long position = 0;
    while (true) {
      List<LogLine> some = engine.output(id, position, 7);
      if (some.isEmpty()) {
        return all;
      }
      all.addAll(some);
      position = some.getLast().position();
    }
  }

  List<String> texts(String id) {
    return lines(id).stream().map(LogLine::text).toList();
  }

  static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("did not come true within " + PATIENCE_SECONDS + " s");
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  List<String> tracesNow() {
    try {
      return traces();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is left of this instance on the machine. */
  List<String> traces() throws IOException {
    List<String> traces = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      if (line.contains(instance) || line.contains(directory.toString())) {
        traces.add(line);
      }
    }
    try (Stream<Path> controllers = Files.list(Path.of("/sys/fs/cgroup"))) {
      controllers
          .map(one -> one.resolve(instance))
          .filter(Files::exists)
          .forEach(one -> traces.add(one.toString()));
    }
    try (Stream<Path> names = Files.list(Path.of("/run/netns"))) {
      names
          .filter(name -> name.getFileName().toString().startsWith(instance))
          .forEach(name -> traces.add(name.toString()));
    }
    Processes.find(line -> line.stream().anyMatch(one -> one.contains(instance + "/")))
        .forEach(pid -> traces.add("process " + pid));
    return traces;
  }

  /** A process that was killed is a moment later gone. */
  private List<String> tracesInTheEnd() throws IOException {
    try {
      await(() -> tracesNow().isEmpty());
      return List.of();
    } catch (AssertionError e) {
      return traces();
    }
  }

  @Override
  public void close() throws IOException {
    engine.removeAll();
    engine.close();
    timers.close();
    store.close();
    List<String> traces = tracesInTheEnd();
    dev.muelle.engine.oci.image.Trees.delete(directory);
    if (!traces.isEmpty()) {
      throw new AssertionError("left behind: " + traces);
    }
  }
}
