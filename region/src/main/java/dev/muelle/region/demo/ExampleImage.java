package dev.muelle.region.demo;

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.FilePermissions;
import com.google.cloud.tools.jib.api.buildplan.Platform;
import com.google.cloud.tools.jib.api.buildplan.Port;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * Builds the image of {@code examples/alba-digi-api-rest} from what this machine has (a Java
 * runtime cut to size by jlink, the C library that it is linked against, the application) and
 * pushes it over the registry protocol.
 */
public final class ExampleImage {

  /** The lab's name of the container and of its repository. */
  public static final String NAME = "alba-digi-api-rest";

  private static final int PORT = 5050;
  private static final Pattern LIBRARY = Pattern.compile("(/\\S+\\.so[.0-9]*)");

  private final Path example;

  /**
   * The example of a checkout.
   *
   * @param home the folder that holds {@code ./muelle}
   */
  public ExampleImage(Path home) {
    this.example = home.resolve("examples").resolve(NAME);
  }

  /** The image's file tree; made once, and again when the application is newer. */
  public Path assemble() throws IOException, InterruptedException {
    Path jar = example.resolve("target/" + NAME + "-0.1.0-SNAPSHOT.jar");
    if (!Files.exists(jar)) {
      throw new IOException(jar + " is missing: run ./muelle once to build it");
    }
    Path root = example.resolve("target/rootfs");
    Path application = root.resolve("app/" + NAME + ".jar");
    if (!Files.exists(root.resolve("complete"))) {
      deleteTree(root);
      Files.createDirectories(application.getParent());
      Files.createDirectories(root.resolve("tmp"));
      jlink(root.resolve("opt/java"));
      archiveClasses(root.resolve("opt/java"));
      for (Path library : libraries(root.resolve("opt/java"))) {
        Path copy = root.resolve(library.toString().substring(1));
        Files.createDirectories(copy.getParent());
        Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
      }
      Files.createFile(root.resolve("complete"));
    }
    Files.copy(jar, application, StandardCopyOption.REPLACE_EXISTING);
    return root;
  }

  /**
   * Pushes the image.
   *
   * @param reference for example {@code localhost:4566/alba-digi-api-rest:latest}
   * @return the manifest's digest
   */
  public String push(
      String reference, String user, String password, Map<String, String> environment)
      throws Exception {
    Path root = assemble();
    Path cache = example.resolve("target/jib");
    JibContainer pushed =
        Jib.fromScratch()
            .setPlatforms(Set.of(new Platform(architecture(), "linux")))
            .setFileEntriesLayers(
                layer("c-library", root, "lib", "lib64", "usr"),
                layer("java", root, "opt"),
                layer("application", root, "app"))
            .setEnvironment(environment)
            .setWorkingDirectory(AbsoluteUnixPath.get("/app"))
            .setUser("1000:1000")
            .addExposedPort(Port.tcp(PORT))
            .setEntrypoint(
                "/opt/java/bin/java",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                "/app/" + NAME + ".jar",
                "dev.muelle.examples.albadigi.AlbaDigiApi")
            .containerize(
                Containerizer.to(RegistryImage.named(reference).addCredential(user, password))
                    .setAllowInsecureRegistries(true)
                    .setToolName("muelle")
                    .setApplicationLayersCache(cache.resolve("application"))
                    .setBaseImageLayersCache(cache.resolve("base")));
    return pushed.getDigest().toString();
  }

  private static FileEntriesLayer layer(String name, Path root, String... directories)
      throws IOException {
    FileEntriesLayer.Builder layer = FileEntriesLayer.builder().setName(name);
    for (String directory : directories) {
      Path source = root.resolve(directory);
      if (Files.exists(source)) {
        layer.addEntryRecursive(
            source, AbsoluteUnixPath.get("/" + directory), (path, inside) -> permissions(path));
      }
    }
    return layer.build();
  }

  private static FilePermissions permissions(Path path) {
    try {
      return FilePermissions.fromPosixFilePermissions(Files.getPosixFilePermissions(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void jlink(Path output) throws IOException {
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() -> new IOException("this JDK has no jlink; install a full JDK 25"));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
    int code =
        jlink.run(
            out,
            out,
            "--add-modules",
            "java.base,jdk.httpserver",
            "--strip-java-debug-attributes", // --strip-debug would need objcopy for the native code
            "--no-header-files",
            "--no-man-pages",
            "--output",
            output.toString());
    if (code != 0) {
      throw new IOException("jlink failed: " + said.toString(StandardCharsets.UTF_8).trim());
    }
  }

  /** Archives the loaded form of the JDK's classes: the container starts in half the time. */
  private static void archiveClasses(Path runtime) throws IOException, InterruptedException {
    Process dump =
        new ProcessBuilder(runtime.resolve("bin/java").toString(), "-Xshare:dump", "-Xlog:disable")
            .redirectErrorStream(true)
            .start();
    String said = new String(dump.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (dump.waitFor() != 0) {
      throw new IOException("the class archive could not be made: " + said.trim());
    }
  }

  /** The shared libraries outside the runtime that the runtime is linked against. */
  private static Set<Path> libraries(Path runtime) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ldd", runtime.resolve("bin/java").toString()));
    try (Stream<Path> files = Files.walk(runtime.resolve("lib"))) {
      files
          .filter(file -> file.toString().endsWith(".so"))
          .map(Path::toString)
          .forEach(command::add);
    }
    Process ldd = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(ldd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    ldd.waitFor();
    Set<Path> found = new TreeSet<>();
    Matcher matcher = LIBRARY.matcher(said);
    while (matcher.find()) {
      Path library = Path.of(matcher.group(1));
      if (!library.startsWith(runtime) && Files.exists(library)) {
        found.add(library.normalize());
      }
    }
    found.removeIf(library -> library.normalize().startsWith(runtime));
    return found;
  }

  private static String architecture() {
    String name = System.getProperty("os.arch", "");
    return name.equals("aarch64") ? "arm64" : "amd64";
  }

  private static void deleteTree(Path root) throws IOException {
    if (Files.exists(root)) {
      try (Stream<Path> files = Files.walk(root)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
