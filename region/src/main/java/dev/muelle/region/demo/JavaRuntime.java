package dev.muelle.region.demo;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * A file tree in which a Java program runs and nothing else: this machine's JDK cut to size by
 * jlink, in {@code opt/java}, and the C library that it is linked against.
 */
final class JavaRuntime {

  private final Path root;

  /**
   * The runtime of a checkout.
   *
   * @param home the folder that holds {@code ./muelle}
   */
  JavaRuntime(Path home) {
    root = home.resolve(".muelle/java-runtime");
  }

  /** The tree; made once. */
  Path assemble() throws IOException, InterruptedException {
    if (!Files.exists(root.resolve("complete"))) {
      deleteTree(root);
      Files.createDirectories(root.resolve("tmp"));
      Path java = root.resolve("opt/java");
      jlink(java);
      archiveClasses(java);
      for (Path library : libraries(java)) {
        Path copy = root.resolve(library.toString().substring(1));
        Files.createDirectories(copy.getParent());
        Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
      }
      Files.createFile(root.resolve("complete"));
    }
    return root;
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
    List<Path> programs = new ArrayList<>(List.of(runtime.resolve("bin/java")));
    try (Stream<Path> files = Files.walk(runtime.resolve("lib"))) {
      files.filter(file -> file.toString().endsWith(".so")).forEach(programs::add);
    }
    Set<Path> found = SharedLibraries.of(programs);
    found.removeIf(library -> library.startsWith(runtime));
    return found;
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
