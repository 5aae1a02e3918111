package dev.muelle.engine.oci;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.oci.image.InRoot;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** A container's root filesystem: an image's layers, and one to write to on top. */
final class Rootfs {

  private static final int PAGE = 4096; // mount(2) takes no more options than that

  private Rootfs() {}

  /**
   * Mounts it.
   *
   * @param layers the uppermost first
   * @param writable an empty directory on the file system that keeps what the container writes
   */
  static void mount(Path target, List<Path> layers, Path writable, String source)
      throws IOException {
    Path upper = Files.createDirectories(writable.resolve("u"));
    Path work = Files.createDirectories(writable.resolve("w"));
    Files.setAttribute(upper, "unix:mode", 0755);
    Files.createDirectories(target);
    List<Path> lower =
        layers.isEmpty() ? List.of(Files.createDirectories(writable.resolve("e"))) : layers;
    String options =
        "lowerdir="
            + lower.stream().map(Path::toString).collect(Collectors.joining(":"))
            + ",upperdir="
            + upper
            + ",workdir="
            + work;
    if (options.getBytes(StandardCharsets.UTF_8).length >= PAGE) {
      throw new EngineException(
          "CannotCreateContainerError: too many layers (" + lower.size() + ") for one mount");
    }
    Syscalls.mount(source, target, "overlay", 0, options);
  }

  /** Makes a container's working directory if the image has none. */
  static void makeDirectory(Path root, String path) throws IOException {
    StringBuilder so = new StringBuilder();
    for (String part : path.split("/", -1)) {
      so.append('/').append(part);
      Path at = InRoot.resolve(root, so.toString(), true);
      if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        continue;
      }
      try {
        Files.createDirectory(at);
        Files.setAttribute(at, "unix:mode", 0755);
      } catch (FileAlreadyExistsException e) {
        throw new EngineException(
            "CannotStartContainerError: the working directory is not a directory: " + path, e);
      }
    }
  }
}
