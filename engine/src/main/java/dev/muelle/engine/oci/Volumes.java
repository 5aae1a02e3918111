package dev.muelle.engine.oci;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.oci.image.ImageConfig;
import dev.muelle.engine.oci.image.InRoot;
import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The directories that containers mount. */
final class Volumes {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final Duration COPY_LIMIT = Duration.ofMinutes(5);

  private final Sandboxes sandboxes;

  Volumes(Sandboxes sandboxes) {
    this.sandboxes = sandboxes;
  }

  /**
   * Makes what a container mounts and is not there yet.
   *
   * @param rootfs its root filesystem, mounted, without a process in it
   */
  synchronized List<Bundle.Bound> prepare(
      ContainerSpec spec, SandboxSpec sandbox, ImageConfig image, Path rootfs) throws IOException {
    List<Bundle.Bound> bound = new ArrayList<>();
    for (ContainerSpec.Mount mount : spec.isolation().mounts()) {
      switch (mount.source()) {
        case Source.Memory memory -> {}
        case Source.Host(Path path) ->
            bound.add(
                new Bundle.Bound(Files.createDirectories(path), mount.target(), mount.readonly()));
        case Source.Shared(String name) -> {
          if (!NAME.matcher(name).matches()) {
            throw new EngineException("CannotCreateContainerError: invalid volume name: " + name);
          }
          Path directory = sandboxes.volume(sandbox, name);
          if (!Files.exists(directory)) {
            make(directory, mount.target(), image, rootfs);
          }
          bound.add(new Bundle.Bound(directory, mount.target(), mount.readonly()));
        }
      }
    }
    return bound;
  }

  /** Whole or not at all: a crash must not leave a volume that is filled by half. */
  private static void make(Path directory, String target, ImageConfig image, Path rootfs)
      throws IOException {
    Path half = directory.resolveSibling(directory.getFileName() + ".new");
    Trees.delete(half);
    Files.createDirectories(half);
    Files.setAttribute(half, "unix:mode", 0755);
    Path content = InRoot.resolve(rootfs, target, true);
    if (declares(image, target) && Files.isDirectory(content, LinkOption.NOFOLLOW_LINKS)) {
      Command.Result copied =
          Command.attempt(
              List.of("cp", "-a", "--", content + "/.", half.toString()),
              Map.of("LC_ALL", "C"),
              "",
              COPY_LIMIT);
      if (!copied.ok()) {
        throw new IOException(copied.error().trim());
      }
    }
    Files.move(half, directory, StandardCopyOption.ATOMIC_MOVE);
  }

  private static boolean declares(ImageConfig image, String target) {
    Path wanted = Path.of(target).normalize();
    return image.volumes().stream().anyMatch(one -> Path.of(one).normalize().equals(wanted));
  }
}
