package dev.muelle.engine.oci.image;

import dev.muelle.engine.oci.image.TarReader.Entry;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Unpacks one layer into an empty directory of its own, in the form in which overlayfs stacks it:
 * removed files become devices 0:0, directories that hide what lies below get the attribute {@code
 * trusted.overlay.opaque}. See <a
 * href="https://github.com/opencontainers/image-spec/blob/main/layer.md">the image
 * specification</a>.
 */
final class Unpack {

  private static final String REMOVED = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final String OF_AUFS = ".wh..wh.";
  private static final int MAX_NAME = 4096;
  private static final int BLOCK = 4096;
  private static final int S_IFIFO = 0x1000;
  private static final int S_IFCHR = 0x2000;

  /** Devices that every container has anyway: null, zero, full, random, urandom, tty, … */
  private static final Set<String> HARMLESS =
      Set.of("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2");

  private final Path root;
  private final Limits limits;
  private final byte[] buffer = new byte[1 << 16];
  private final Map<Path, FileTime> directoryTimes = new LinkedHashMap<>();
  private final Set<Path> removed = new HashSet<>();
  private long bytes;
  private long taken;
  private long entries;

  Unpack(Path root, Limits limits) {
    this.root = root;
    this.limits = limits;
  }

  /**
   * Unpacks everything.
   *
   * @throws LayerException if the layer asks for something outside, or for too much
   */
  void all(InputStream tar) throws IOException {
    TarReader reader = new TarReader(tar, limits.headerBytes());
    for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
      if (++entries > limits.layerEntries()) {
        throw new LayerException("more than " + limits.layerEntries() + " entries in a layer");
      }
      one(entry, reader);
    }
    for (Map.Entry<Path, FileTime> directory : directoryTimes.entrySet()) {
      if (Files.isDirectory(directory.getKey(), LinkOption.NOFOLLOW_LINKS)) {
        Files.setLastModifiedTime(directory.getKey(), directory.getValue());
      }
    }
  }

  /** About how many bytes of the disk the layer takes. */
  long taken() {
    return taken + entries * BLOCK;
  }

  private void one(Entry entry, TarReader reader) throws IOException {
    String name = clean(entry.name());
    int slash = name.lastIndexOf('/');
    Path parent = directory(slash < 0 ? "" : name.substring(0, slash), entry.name());
    String last = name.substring(slash + 1);
    if (last.equals(OPAQUE)) {
      opaque(parent);
    } else if (last.startsWith(OF_AUFS)) {
      return; // another storage driver's own notes
    } else if (last.startsWith(REMOVED)) {
      remove(InRoot.resolve(parent, last.substring(REMOVED.length()), false), parent, entry);
    } else {
      make(entry, last.isEmpty() ? root : InRoot.resolve(parent, last, false), reader);
    }
  }

  /** The name without {@code .}, {@code ..} and doubled slashes. */
  private static String clean(String name) throws IOException {
    if (name.length() > MAX_NAME) {
      throw new LayerException(
          "a name of " + name.length() + " characters; the limit is " + MAX_NAME);
    }
    StringBuilder clean = new StringBuilder();
    for (String part : name.split("/", -1)) {
      switch (part) {
        case "", "." -> {}
        case ".." -> {
          if (clean.isEmpty()) {
            throw new LayerException("the layer reaches outside of its root: " + name);
          }
          clean.setLength(Math.max(0, clean.lastIndexOf("/")));
        }
        default -> clean.append(clean.isEmpty() ? "" : "/").append(part);
      }
    }
    return clean.toString();
  }

  /** A directory inside the root, made (with the usual mode) if the layer did not list it. */
  private Path directory(String name, String why) throws IOException {
    Path at = root;
    if (name.isEmpty()) {
      return at;
    }
    int depth = 0;
    for (String part : name.split("/", -1)) {
      if (++depth > 512) {
        throw new LayerException("directories nested deeper than 512: " + why);
      }
      // From the root each time, because a link may point anywhere (inside).
      at = InRoot.resolve(root, root.relativize(at) + "/" + part, true);
      if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        if (removed.remove(at)) {
          Files.delete(at);
          makeDirectory(at);
          opaque(at);
        } else {
          makeDirectory(at);
        }
      }
    }
    return at;
  }

  private void makeDirectory(Path at) throws IOException {
    count(at);
    try {
      if (at.getParent() != null && !Files.exists(at.getParent(), LinkOption.NOFOLLOW_LINKS)) {
        makeDirectory(at.getParent()); // behind a dangling link
      }
      Files.createDirectory(at);
      Files.setAttribute(at, "unix:mode", 0755);
    } catch (FileAlreadyExistsException e) {
      throw new LayerException("not a directory: " + root.relativize(at));
    }
  }

  private void count(Path at) throws IOException {
    if (!at.startsWith(root)) {
      throw new LayerException("the layer reaches outside of its root: " + at.getFileName());
    }
    if (++entries > limits.layerEntries()) {
      throw new LayerException("more than " + limits.layerEntries() + " entries in a layer");
    }
  }

  private void opaque(Path directory) {
    Syscalls.setAttribute(directory, "trusted.overlay.opaque", new byte[] {'y'});
  }

  /** Hides what layers below have of this name; what this layer has of it stays. */
  private void remove(Path at, Path parent, Entry entry) throws IOException {
    if (at.equals(parent) || !at.startsWith(root)) {
      throw new LayerException("not a name to remove: " + entry.name());
    }
    if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
      opaque(at);
    } else if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
      Syscalls.whiteout(at);
      removed.add(at);
    }
  }

  private void make(Entry entry, Path at, TarReader reader) throws IOException {
    boolean wasRemoved = removed.remove(at);
    boolean directory = entry.type() == '5';
    boolean there = Files.exists(at, LinkOption.NOFOLLOW_LINKS);
    if (at.equals(root) && !directory) {
      throw new LayerException("the root of a layer must be a directory");
    }
    if (entry.type() == '1'
        && there
        && at.equals(InRoot.resolve(root, clean(entry.link()), false))) {
      return; // a link to itself
    }
    if (there && !(directory && Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS))) {
      Trees.delete(at); // the later entry of a name wins
      there = false;
    }
    switch (entry.type()) {
      case '0', '7' -> file(at, reader);
      case '1' -> {
        hardLink(entry, at);
        return; // mode, owner and time are those of the file
      }
      case '2' -> Files.createSymbolicLink(at, Path.of(entry.link()));
      case '3', '4' -> device(entry, at);
      case '5' -> {
        if (!there) {
          Files.createDirectory(at);
        }
        if (wasRemoved) {
          opaque(at);
        }
      }
      case '6' -> Syscalls.mknod(at, S_IFIFO | 0600, 0, 0);
      default -> throw new LayerException("unknown type '" + entry.type() + "' of " + entry.name());
    }
    describe(entry, at);
  }

  private void file(Path at, TarReader reader) throws IOException {
    try (OutputStream out =
        Files.newOutputStream(at, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int read = reader.read(buffer); read >= 0; read = reader.read(buffer)) {
        bytes += read;
        if (bytes > limits.layerBytes()) {
          throw new LayerException("more than " + limits.layerBytes() + " bytes in a layer");
        }
        out.write(buffer, 0, read);
        taken += read;
      }
    }
  }

  private void hardLink(Entry entry, Path at) throws IOException {
    Path target = InRoot.resolve(root, clean(entry.link()), false);
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)
        || Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new LayerException("hard link " + entry.name() + " to nothing: " + entry.link());
    }
    Files.createLink(at, target);
  }

  private static void device(Entry entry, Path at) throws IOException {
    String number = entry.major() + ":" + entry.minor();
    if (entry.type() != '3' || !HARMLESS.contains(number)) {
      throw new LayerException("device " + number + " in a layer: " + entry.name());
    }
    Syscalls.mknod(at, S_IFCHR | 0600, entry.major(), entry.minor());
  }

  private void describe(Entry entry, Path at) throws IOException {
    boolean link = entry.type() == '2';
    if (entry.uid() != 0 || entry.gid() != 0 || at.equals(root)) {
      Files.setAttribute(at, "unix:uid", entry.uid(), LinkOption.NOFOLLOW_LINKS);
      Files.setAttribute(at, "unix:gid", entry.gid(), LinkOption.NOFOLLOW_LINKS);
    }
    for (Map.Entry<String, byte[]> attribute : entry.attributes().entrySet()) {
      // Others steer the kernel itself: trusted.overlay.* would lead out of the root.
      String key = attribute.getKey();
      if (!link && (key.equals("security.capability") || key.startsWith("user."))) {
        Syscalls.setAttribute(at, key, attribute.getValue());
      }
    }
    if (!link) {
      Files.setAttribute(at, "unix:mode", entry.mode()); // after chown, which drops set-user-id
    }
    FileTime time = FileTime.from(Instant.ofEpochSecond(entry.seconds(), entry.nanos()));
    if (entry.type() == '5') {
      directoryTimes.put(at, time); // what is made inside later would change it
    } else {
      Files.getFileAttributeView(at, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .setTimes(time, null, null);
    }
  }
}
