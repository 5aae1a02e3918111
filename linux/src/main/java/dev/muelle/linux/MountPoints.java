package dev.muelle.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where something is mounted in this process's namespace; see proc(5) for {@code mountinfo}. */
public final class MountPoints {

  private static final Path TABLE = Path.of("/proc/self/mountinfo");

  private MountPoints() {}

  /** The lines of the kernel's table. */
  public static List<String> table() throws IOException {
    return Files.readAllLines(TABLE);
  }

  /** In the order of the table; a path as often as something is mounted on it. */
  public static List<Path> all() throws IOException {
    return table().stream().map(line -> Path.of(unescape(line.split(" ", -1)[4]))).toList();
  }

  /** A path as the table writes it. */
  public static String unescape(String text) {
    return text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }

  /**
   * Makes a directory a mount of its own, if it is none, so that what is mounted below it can be
   * told apart.
   *
   * @param shared whether other mount namespaces are told of what is mounted below; see
   *     mount_namespaces(7)
   */
  public static void make(Path directory, boolean shared) throws IOException {
    Files.createDirectories(directory);
    if (!all().contains(directory)) {
      Syscalls.mount(
          directory.toString(), directory, null, Syscalls.MS_BIND | Syscalls.MS_REC, null);
      long propagation = shared ? Syscalls.MS_SHARED : Syscalls.MS_PRIVATE;
      Syscalls.mount(null, directory, null, propagation | Syscalls.MS_REC, null);
    }
  }

  /** Unmounts if something is mounted there. */
  public static void unmount(Path target) {
    try {
      Syscalls.unmount(target);
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.EINVAL && e.errno() != LinuxException.ENOENT) {
        throw e;
      }
    }
  }
}
