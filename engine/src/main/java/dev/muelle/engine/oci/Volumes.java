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

  private final MachineMounts ofMachine;

  Volumes(Sandboxes sandboxes, MachineMounts ofMachine) {
    this.sandboxes = sandboxes;
    this.ofMachine = ofMachine;
  }

  /**
   * Makes what a container mounts and is not there yet.
   *
   * @param rootfs its root filesystem, mounted, without a process in it
   */
  synchronized List<Bundle.Bound> prepare(
      ContainerSpec spec, SandboxSpec sandbox, ImageConfig image, Path rootfs) throws IOException {
    List<Bundle.Bound> bound = new ArrayList<>();
    List<ContainerSpec.Mount> mounts = new ArrayList<>();
    List<String> places = new ArrayList<>();
    for (ContainerSpec.Mount mount : spec.isolation().mounts()) {
      switch (mount.source()) {
        case Source.Memory memory -> {}
        case Source.OfMachine(String path) -> {
          mounts.add(mount);
          places.add(path);
        }
        case Source.Volume volume -> {
          valid(volume.name());
          mounts.add(mount);
          places.add(ofMachine.volume(sandbox, volume, into -> fill(into, mount.target(), rootfs)));
        }
        case Source.Shared(String name, boolean always) -> {
          valid(name);
          Path directory = sandboxes.volume(sandbox, name);
          if (!Files.exists(directory)) {
            make(directory, mount.target(), always || declares(image, mount.target()), rootfs);
          }
          bound.add(new Bundle.Bound(directory, mount.target(), mount.readonly()));
        }
      }
    }
    if (!places.isEmpty()) {
      List<Path> sources = ofMachine.mount(spec.id(), sandbox, places);
      for (int i = 0; i < sources.size(); i++) {
        ContainerSpec.Mount mount = mounts.get(i);
        bound.add(new Bundle.Bound(sources.get(i), mount.target(), mount.readonly()));
      }
    }
    return bound;
  }

  private static void valid(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new EngineException("CannotCreateContainerError: invalid volume name: " + name);
    }
  }

  /** Whole or not at all: a crash must not leave a volume that is filled by half. */
  private static void make(Path directory, String target, boolean filled, Path rootfs)
      throws IOException {
    Path half = directory.resolveSibling(directory.getFileName() + ".new");
    Trees.delete(half);
    Files.createDirectories(half);
    Files.setAttribute(half, "unix:mode", 0755);
    if (filled) {
      fill(half, target, rootfs);
    }
    Files.move(half, directory, StandardCopyOption.ATOMIC_MOVE);
  }

  /** With what the image has where it is mounted. */
  private static void fill(Path directory, String target, Path rootfs) throws IOException {
    Path content = InRoot.resolve(rootfs, target, true);
    if (Files.isDirectory(content, LinkOption.NOFOLLOW_LINKS)) {
      Command.Result copied =
          Command.attempt(
              List.of("cp", "-a", "--", content + "/.", directory.toString()),
              Map.of("LC_ALL", "C"),
              "",
              COPY_LIMIT);
      if (!copied.ok()) {
        throw new IOException(copied.error().trim());
      }
    }
  }

  private static boolean declares(ImageConfig image, String target) {
    Path wanted = Path.of(target).normalize();
    return image.volumes().stream().anyMatch(one -> Path.of(one).normalize().equals(wanted));
  }
}
