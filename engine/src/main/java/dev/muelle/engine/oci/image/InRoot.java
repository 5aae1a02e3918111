package dev.muelle.engine.oci.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Finds paths as a process would whose root directory is {@code root}: symbolic links, absolute or
 * not, and {@code ..} never lead outside. Sound only while nobody else changes the tree.
 */
public final class InRoot {

  private static final int MAX_LINKS = 40; // as the kernel's

  private InRoot() {}

  /**
   * The place that a path names; it need not exist.
   *
   * @param followLast whether a symbolic link at the very end is followed, too
   * @throws IOException if there are too many symbolic links, or the name cannot be a file name
   */
  public static Path resolve(Path root, String path, boolean followLast) throws IOException {
    Deque<String> todo = new ArrayDeque<>();
    push(todo, path);
    Path at = root;
    int links = 0;
    while (!todo.isEmpty()) {
      String part = todo.pop();
      if (part.isEmpty() || part.equals(".")) {
        continue;
      }
      if (part.equals("..")) {
        at = at.equals(root) ? root : at.resolveSibling("").normalize();
        continue;
      }
      Path next = child(at, part);
      if ((followLast || !todo.isEmpty()) && Files.isSymbolicLink(next)) {
        if (++links > MAX_LINKS) {
          throw new IOException("too many levels of symbolic links: " + path);
        }
        String target = Files.readSymbolicLink(next).toString();
        at = target.startsWith("/") ? root : at;
        push(todo, target);
        continue;
      }
      at = next;
    }
    return at;
  }

  private static Path child(Path parent, String name) throws IOException {
    try {
      return parent.resolve(name);
    } catch (InvalidPathException e) {
      throw new IOException("not a file name on this machine: " + name, e);
    }
  }

  private static void push(Deque<String> todo, String path) {
    String[] parts = path.split("/", -1);
    for (int i = parts.length - 1; i >= 0; i--) {
      todo.push(parts[i]);
    }
  }
}
