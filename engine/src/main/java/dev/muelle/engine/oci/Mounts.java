package dev.muelle.engine.oci;

import dev.muelle.linux.MountPoints;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** This engine's mounts among those that are there; see proc(5) for {@code mountinfo}. */
final class Mounts {

  private Mounts() {}

  /** Where something is mounted below a directory, or from a source; the newest first. */
  static List<Path> find(Path directory, String source) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String line : MountPoints.table()) {
      int dash = line.indexOf(" - ");
      Path target = Path.of(MountPoints.unescape(line.split(" ", -1)[4]));
      String from = line.substring(dash + 3).split(" ", -1)[1];
      // The directory itself may be a disk of its own, which is not ours to unmount.
      boolean below = target.startsWith(directory) && !target.equals(directory);
      if (below || from.equals(source)) {
        found.add(target);
      }
    }
    return found.reversed();
  }
}
