package dev.muelle.linux;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file or directory that was looked up as if some directory were the root of everything: neither
 * symbolic links nor {@code ..} lead outside, whatever others do to the tree meanwhile; the kernel
 * sees to it. It stays the same file as long as this is open, also when its name becomes another's.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/openat2.2.html">openat2(2)</a>
 */
public final class RootedFile implements AutoCloseable {

  private final int fd;

  private RootedFile(int fd) {
    this.fd = fd;
  }

  /**
   * Looks a file up.
   *
   * @throws LinuxException for example with {@link LinuxException#ENOENT}
   */
  public static RootedFile open(Path root, String path) {
    int directory = Syscalls.openPath(root);
    try {
      return new RootedFile(Syscalls.openInRoot(directory, path));
    } finally {
      Syscalls.close(directory);
    }
  }

  /** Looks a file up; if there is none, makes a directory, and those above it. */
  public static RootedFile openOrMakeDirectory(Path root, String path) throws IOException {
    StringBuilder so = new StringBuilder("/");
    RootedFile at = open(root, "/");
    for (Path part : Path.of("/", path).normalize()) {
      so.append(part).append('/');
      RootedFile next;
      try (RootedFile parent = at) {
        next = child(root, parent, so.substring(0, so.length() - 1), part.toString());
      }
      at = next;
    }
    return at;
  }

  private static RootedFile child(Path root, RootedFile parent, String path, String name)
      throws IOException {
    try {
      return open(root, path);
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.ENOENT) {
        throw e;
      }
    }
    Path made = parent.path().resolve(name);
    try {
      Files.createDirectory(made);
      Files.setAttribute(made, "unix:mode", 0755);
    } catch (FileAlreadyExistsException e) {
      // Somebody else made it, or it is a link to nowhere, which shows now.
    }
    return open(root, path);
  }

  /** A path that leads nowhere else, in this process only and as long as this is open. */
  public Path path() {
    return Path.of("/proc/self/fd", Integer.toString(fd));
  }

  @Override
  public void close() {
    Syscalls.close(fd);
  }
}
