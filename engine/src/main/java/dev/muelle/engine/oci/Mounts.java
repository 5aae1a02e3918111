package dev.muelle.engine.oci;

import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Mounts that are there; see proc(5) for {@code mountinfo}. */
final class Mounts {

  private Mounts() {}

  /** The lines of the kernel's table. */
  static List<String> table() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo"));
  }

  /** Where something is mounted below a directory, or from a source; the newest first. */
  static List<Path> find(Path directory, String source) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String line : table()) {
      int dash = line.indexOf(" - ");
      Path target = Path.of(unescape(line.split(" ", -1)[4]));
      String from = line.substring(dash + 3).split(" ", -1)[1];
      // The directory itself may be a disk of its own, which is not ours to unmount.
      boolean below = target.startsWith(directory) && !target.equals(directory);
      if (below || from.equals(source)) {
        found.add(target);
      }
    }
    return found.reversed();
  }

  /** A path as the table writes it; see proc(5). */
  static String unescape(String text) {
    return text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }

  /** Unmounts if something is mounted there. */
  static void unmount(Path target) {
    try {
      Syscalls.unmount(target);
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.EINVAL && e.errno() != LinuxException.ENOENT) {
        throw e;
      }
    }
  }
}
