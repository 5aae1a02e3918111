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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Builds the image of an example from what this machine has (a Java runtime cut to size, the
 * application) and pushes it over the registry protocol.
 */
public final class ExampleImage {

  private final Example example;
  private final JavaRuntime runtime;
  private final Path archive;
  private final Path cache;

  /**
   * The image of an example in a checkout.
   *
   * @param home the folder that holds {@code ./muelle}
   */
  public ExampleImage(Path home, Example example) {
    this.example = example;
    this.runtime = new JavaRuntime(home);
    Path target = home.resolve("examples").resolve(example.module()).resolve("target");
    this.archive = target.resolve(example.module() + "-0.1.0-SNAPSHOT.jar");
    this.cache = target.resolve("jib");
  }

  Example example() {
    return example;
  }

  /** Makes what the image is made of, as far as it is not there. */
  public List<Path> assemble() throws IOException, InterruptedException {
    if (!Files.exists(archive)) {
      throw new IOException(archive + " is missing: run ./muelle once to build it");
    }
    return List.of(runtime.assemble(), archive);
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
    assemble();
    Path root = runtime.assemble();
    String application = "/app/" + archive.getFileName();
    JibContainer pushed =
        Jib.fromScratch()
            .setPlatforms(Set.of(new Platform(architecture(), "linux")))
            .setFileEntriesLayers(
                layer("c-library", root, "lib", "lib64", "usr"),
                layer("java", root, "opt"),
                FileEntriesLayer.builder()
                    .setName("application")
                    .addEntry(archive, AbsoluteUnixPath.get(application))
                    .build())
            .setEnvironment(environment)
            .setWorkingDirectory(AbsoluteUnixPath.get("/app"))
            .setUser("1000:1000")
            .addExposedPort(Port.tcp(example.port()))
            .setEntrypoint(entryPoint(application))
            .containerize(
                Containerizer.to(RegistryImage.named(reference).addCredential(user, password))
                    .setAllowInsecureRegistries(true)
                    .setToolName("muelle")
                    .setApplicationLayersCache(cache.resolve("application"))
                    .setBaseImageLayersCache(cache.resolve("base")));
    return pushed.getDigest().toString();
  }

  private List<String> entryPoint(String application) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "/opt/java/bin/java",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                application,
                example.mainClass()));
    command.addAll(example.arguments());
    return command;
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

  private static String architecture() {
    String name = System.getProperty("os.arch", "");
    return name.equals("aarch64") ? "arm64" : "amd64";
  }
}
