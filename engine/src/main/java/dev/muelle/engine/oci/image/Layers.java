package dev.muelle.engine.oci.image;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Unpacked layers, each once, under short names ({@code l/17}) because all names of a stack must
 * fit into a page. A layer is there when its note ({@code d/HEX}: the number, and about how many
 * bytes it takes) is; whatever a crash leaves half made or half removed has no note and is removed
 * at the next start.
 */
final class Layers {

  private final Path directories;
  private final Path notes;
  private final Limits limits;
  private final AtomicInteger last = new AtomicInteger();
  private final Map<String, ReentrantLock> busy = new ConcurrentHashMap<>();
  private final Map<String, Note> known = new ConcurrentHashMap<>();
  private final Semaphore unpacking = new Semaphore(2);

  /**
   * Of a layer.
   *
   * @param name of its directory: a number
   */
  private record Note(String name, long bytes) {
    static Note parse(String text) {
      int space = text.indexOf(' ');
      return space < 0
          ? new Note(text, 0)
          : new Note(text.substring(0, space), Long.parseLong(text.substring(space + 1)));
    }
  }

  Layers(Path directory, Limits limits) throws IOException {
    this.directories = Files.createDirectories(directory.resolve("l"));
    this.notes = Files.createDirectories(directory.resolve("d"));
    this.limits = limits;
    clean();
  }

  private void clean() throws IOException {
    Set<String> names = new HashSet<>();
    try (Stream<Path> files = Files.list(notes)) {
      for (Path file : files.toList()) {
        if (file.getFileName().toString().endsWith(".new")) {
          Files.delete(file);
        } else {
          Note note = Note.parse(Files.readString(file));
          known.put("sha256:" + file.getFileName(), note);
          names.add(note.name());
        }
      }
    }
    try (Stream<Path> files = Files.list(directories)) {
      for (Path layer : files.toList()) {
        String name = layer.getFileName().toString();
        if (names.contains(name)) {
          last.accumulateAndGet(Integer.parseInt(name), Math::max);
        } else {
          Trees.delete(layer);
        }
      }
    }
  }

  private Path note(String diffId) {
    return notes.resolve(diffId.substring(diffId.indexOf(':') + 1));
  }

  boolean has(String diffId) {
    return known.containsKey(diffId);
  }

  /** The directory of a layer that was unpacked. */
  Path directory(String diffId) throws IOException {
    Note note = known.get(diffId);
    if (note == null) {
      throw new NoSuchFileException(diffId);
    }
    return directories.resolve(note.name());
  }

  /** About how many bytes each layer takes, by diff id. */
  Map<String, Long> sizes() {
    Map<String, Long> sizes = new HashMap<>();
    known.forEach((diffId, note) -> sizes.put(diffId, note.bytes()));
    return sizes;
  }

  /**
   * Makes a layer one that is not there; nobody may use it.
   *
   * @return its directory, which is to be deleted
   */
  Optional<Path> forget(String diffId) throws IOException {
    Files.deleteIfExists(note(diffId));
    Note note = known.remove(diffId);
    return Optional.ofNullable(note).map(one -> directories.resolve(one.name()));
  }

  /**
   * Unpacks a layer unless it is there.
   *
   * @param blob the layer as transported: plain, gzip or zstd
   * @throws LayerException if it is hostile, or its content is not the one with this diff id
   */
  void unpack(String diffId, Path blob) throws IOException {
    ReentrantLock lock = busy.computeIfAbsent(diffId, d -> new ReentrantLock());
    lock.lock();
    try {
      if (has(diffId)) {
        return;
      }
      unpacking.acquireUninterruptibly();
      try {
        unpackNow(diffId, blob);
      } finally {
        unpacking.release();
      }
    } finally {
      lock.unlock();
    }
  }

  private void unpackNow(String diffId, Path blob) throws IOException {
    Path layer = directories.resolve(String.valueOf(last.incrementAndGet()));
    try {
      Files.createDirectory(layer);
      Files.setAttribute(layer, "unix:mode", 0755);
      long bytes;
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream plain = decompress(blob);
          DigestInputStream counted = new DigestInputStream(plain, digest)) {
        InputStream bounded = new Bounded(counted, limits.layerBytes() * 2);
        Unpack unpack = new Unpack(layer, limits);
        unpack.all(bounded);
        bounded.transferTo(OutputStream.nullOutputStream()); // what follows the archive counts, too
        bytes = unpack.taken();
      }
      String found = "sha256:" + HexFormat.of().formatHex(digest.digest());
      if (!found.equals(diffId)) {
        throw new LayerException("a layer's content is " + found + ", expected " + diffId);
      }
      Note note = new Note(layer.getFileName().toString(), bytes);
      Path fresh = note(diffId).resolveSibling(note.name() + ".new");
      try {
        Files.writeString(fresh, note.name() + " " + bytes);
        Files.move(fresh, note(diffId), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(fresh);
      }
      known.put(diffId, note);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    } finally {
      if (!has(diffId)) {
        Trees.delete(layer);
      }
    }
  }

  private static InputStream decompress(Path blob) throws IOException {
    BufferedInputStream in = new BufferedInputStream(Files.newInputStream(blob), 1 << 16);
    in.mark(4);
    byte[] magic = in.readNBytes(4);
    in.reset();
    // By what it is, not by what the manifest calls it: the diff id decides in the end.
    if (magic.length >= 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b) {
      return new BufferedInputStream(new GZIPInputStream(in, 1 << 16), 1 << 16);
    }
    if (magic.length == 4
        && magic[0] == 0x28
        && magic[1] == (byte) 0xb5
        && magic[2] == 0x2f
        && magic[3] == (byte) 0xfd) {
      return new BufferedInputStream(new ZstdInputStreamNoFinalizer(in), 1 << 16);
    }
    return in;
  }

  /** Ends with an error after a number of bytes: headers alone can be a bomb. */
  private static final class Bounded extends java.io.FilterInputStream {
    private long left;

    Bounded(InputStream in, long limit) {
      super(in);
      left = limit;
    }

    private int count(int read) throws IOException {
      left -= Math.max(0, read);
      if (left < 0) {
        throw new LayerException("a layer unpacks to too many bytes");
      }
      return read;
    }

    @Override
    public int read() throws IOException {
      int one = super.read();
      count(one < 0 ? 0 : 1);
      return one;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return count(super.read(bytes, offset, length));
    }

    @Override
    public long skip(long n) throws IOException {
      byte[] skipped = new byte[(int) Math.min(n, 8192)];
      return Math.max(0, read(skipped, 0, skipped.length));
    }
  }
}
