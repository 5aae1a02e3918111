package dev.muelle.engine.oci;

import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system in memory for the {@code /dev/shm} of several containers. */
final class SharedMemory {

  private static final String OPTIONS = "mode=1777,size=" + Bundle.SHARED_MEMORY;

  private SharedMemory() {}

  /** Where it is mounted for those whose other things are in a directory. */
  static Path of(Path directory) {
    return directory.resolve("shm");
  }

  /** Mounts it, unless it is. */
  static Path mounted(Path directory) throws IOException {
    Path target = Files.createDirectories(of(directory));
    if (!MountPoints.all().contains(target)) {
      Syscalls.mount("shm", target, "tmpfs", Syscalls.MS_NOSUID | Syscalls.MS_NODEV, OPTIONS);
    }
    return target;
  }
}
