package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.RootedFile;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/**
 * What containers mount of the files of the machine that they are on. Other containers may change
 * those files at any time, to lead us elsewhere: so the kernel looks each place up inside the
 * machine's root, and it is mounted where only we can write before its name is given to anybody.
 */
final class MachineMounts {

  private static final String VOLUMES = "/var/lib/docker/volumes/";

  private final Layout layout;
  private final Sandboxes sandboxes;
  private final ObjectMapper json;

  MachineMounts(Layout layout, Sandboxes sandboxes, ObjectMapper json) {
    this.layout = layout;
    this.sandboxes = sandboxes;
    this.json = json;
  }

  /** The places that a container mounts, in the order of the mounting. */
  private record Places(List<String> paths) {}

  /** What a volume was made with. */
  private record VolumeNote(Map<String, String> labels) {}

  /** Fills a directory with what a new volume begins with. */
  @FunctionalInterface
  interface Filling {
    void into(Path directory) throws IOException;
  }

  /** Notes what a container mounts, and mounts it for it; on a launcher's thread. */
  List<Path> mount(String id, SandboxSpec sandbox, List<String> paths) throws IOException {
    Layout.write(layout.machineMounts(id), json.writeValueAsBytes(new Places(paths)));
    Path[] mounted = new Path[paths.size()];
    for (int i = 0; i < mounted.length; i++) {
      mounted[i] = mount(sandbox, paths.get(i), layout.machineMount(id, i));
    }
    return List.of(mounted);
  }

  /** The same for a container that is started once more. */
  void mountAgain(String id, SandboxSpec sandbox) throws IOException {
    Path note = layout.machineMounts(id);
    if (Files.exists(note)) {
      mount(id, sandbox, json.readValue(Files.readAllBytes(note), Places.class).paths());
    }
  }

  private Path mount(SandboxSpec sandbox, String path, Path target) throws IOException {
    try (RootedFile place = RootedFile.openOrMakeDirectory(sandboxes.machineRoot(sandbox), path)) {
      if (Files.isDirectory(place.path())) {
        Files.createDirectories(target);
      } else if (!Files.exists(target)) {
        Files.createFile(target);
      }
      Syscalls.mount(place.path().toString(), target, null, Syscalls.MS_BIND, null);
      return target;
    } catch (IOException | LinuxException e) {
      throw new EngineException(
          "CannotCreateContainerError: Error response from daemon: error while creating mount source"
              + " path '"
              + path
              + "': "
              + e.getMessage(),
          e);
    }
  }

  /** Makes a volume unless it is there; gives its place in the machine's files. */
  String volume(SandboxSpec sandbox, Source.Volume volume, Filling filling) throws IOException {
    String name = volume.name();
    String machine = Sandboxes.machine(sandbox).id();
    Path note = layout.volumeNote(machine, name);
    if (!Files.exists(note)) {
      if (!volume.made()) {
        throw new EngineException(
            "ResourceInitializationError: initialize volume: volume detection failed, volume '"
                + name
                + "' does not exist and autoprovision is set to false");
      }
      Layout.write(note, json.writeValueAsBytes(new VolumeNote(volume.labels())));
    }
    Path root = sandboxes.machineRoot(sandbox);
    String place = VOLUMES + name + "/_data";
    if (!exists(root, place)) {
      Path half = layout.machine(machine).resolve("volume.new"); // one is made at a time
      Trees.delete(half);
      Files.createDirectories(half);
      Files.setAttribute(half, "unix:mode", 0755);
      filling.into(half);
      try (RootedFile parent = RootedFile.openOrMakeDirectory(root, VOLUMES + name)) {
        Files.move(half, parent.path().resolve("_data"), StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return place;
  }

  private static boolean exists(Path root, String path) {
    try {
      RootedFile.open(root, path).close();
      return true;
    } catch (LinuxException e) {
      if (e.errno() == LinuxException.ENOENT) {
        return false;
      }
      throw e;
    }
  }
}
