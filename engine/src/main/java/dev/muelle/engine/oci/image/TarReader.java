package dev.muelle.engine.oci.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the tar archives of image layers: ustar with the extensions of POSIX (pax) and GNU, as in
 * tar(5). Extended headers have a limit on their size, because they are kept in memory.
 */
final class TarReader {

  private static final int BLOCK = 512;

  private final InputStream in;
  private final int maxHeader;
  private final byte[] block = new byte[BLOCK];
  private final Map<String, byte[]> global = new HashMap<>();
  private long left;
  private int padding;

  TarReader(InputStream in, int maxHeader) {
    this.in = in;
    this.maxHeader = maxHeader;
  }

  /**
   * One member of the archive.
   *
   * @param type as in tar(5): {@code 0} file, {@code 1} hard link, {@code 2} symbolic link, …
   * @param seconds since 1970, when it was modified
   * @param attributes extended ones, by name
   */
  record Entry(
      String name,
      char type,
      String link,
      int mode,
      int uid,
      int gid,
      long size,
      long seconds,
      int nanos,
      int major,
      int minor,
      Map<String, byte[]> attributes) {}

  /** The next member; null at the end. Unread content of the last one is skipped. */
  @Nullable Entry next() throws IOException {
    Map<String, byte[]> pax = new HashMap<>(global);
    String longName = null;
    String longLink = null;
    while (true) {
      skipContent();
      if (!readHeader()) {
        return null;
      }
      char type = block[156] == 0 ? '0' : (char) (block[156] & 0xff);
      long size = number(124, 12);
      switch (type) {
        case 'x' -> records(content(size), pax);
        case 'g' -> {
          byte[] records = content(size);
          records(records, global);
          records(records, pax);
        }
        case 'L' -> longName = untilNul(content(size));
        case 'K' -> longLink = untilNul(content(size));
        case 'S' -> throw new LayerException("sparse files in layers are not supported");
        default -> {
          return entry(type, size, pax, longName, longLink);
        }
      }
    }
  }

  private Entry entry(
      char type,
      long headerSize,
      Map<String, byte[]> pax,
      @Nullable String longName,
      @Nullable String longLink)
      throws IOException {
    if (pax.keySet().stream().anyMatch(key -> key.startsWith("GNU.sparse."))) {
      throw new LayerException("sparse files in layers are not supported");
    }
    String name = longName;
    if (name == null) {
      name = text(0, 100);
      String prefix = isPosix() ? text(345, 155) : "";
      name = prefix.isEmpty() ? name : prefix + "/" + name;
    }
    String link = longLink == null ? text(157, 100) : longLink;
    name = pax.containsKey("path") ? string(pax, "path") : name;
    link = pax.containsKey("linkpath") ? string(pax, "linkpath") : link;
    long size = pax.containsKey("size") ? whole(string(pax, "size")) : headerSize;
    // Only files have content; some writers leave the size of a hard link's target in its header.
    boolean file = type == '0' || type == '7';
    if (size < 0) {
      throw new LayerException("negative size of " + name);
    }
    expect(file || !"123456".contains(String.valueOf(type)) ? size : 0);
    long seconds = number(136, 12);
    int nanos = 0;
    if (pax.containsKey("mtime")) {
      String[] time = string(pax, "mtime").split("\\.", 2);
      seconds = whole(time[0]);
      nanos = time.length < 2 ? 0 : (int) whole((time[1] + "000000000").substring(0, 9));
    }
    Map<String, byte[]> attributes = new HashMap<>();
    pax.forEach((key, value) -> {
      if (key.startsWith("SCHILY.xattr.")) {
        attributes.put(key.substring("SCHILY.xattr.".length()), value);
      }
    });
    return new Entry(
        name,
        type,
        link,
        (int) number(100, 8) & 07777,
        id(pax, "uid", 108),
        id(pax, "gid", 116),
        left,
        seconds,
        nanos,
        (int) number(329, 8),
        (int) number(337, 8),
        attributes);
  }

  private int id(Map<String, byte[]> pax, String key, int offset) throws IOException {
    long id = pax.containsKey(key) ? whole(string(pax, key)) : number(offset, 8);
    if (id < 0 || id > Integer.MAX_VALUE) {
      throw new LayerException(key + " out of range: " + id);
    }
    return (int) id;
  }

  /** Content of the member that {@link #next} gave; -1 at its end. */
  int read(byte[] buffer) throws IOException {
    if (left == 0) {
      return -1;
    }
    int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
    if (read < 0) {
      throw new EOFException("the layer ends in the middle of a file");
    }
    left -= read;
    return read;
  }

  private boolean readHeader() throws IOException {
    int read = in.readNBytes(block, 0, BLOCK);
    if (read == 0) {
      return false;
    }
    if (read < BLOCK) {
      throw new EOFException("the layer ends in the middle of a header");
    }
    int sum = 0;
    boolean zero = true;
    for (int i = 0; i < BLOCK; i++) {
      int value = block[i] & 0xff;
      zero &= value == 0;
      sum += i >= 148 && i < 156 ? ' ' : value;
    }
    if (zero) {
      return false;
    }
    if (number(148, 8) != sum) {
      throw new LayerException("not a tar archive, or damaged: wrong checksum of a header");
    }
    return true;
  }

  private void expect(long size) {
    left = size;
    padding = (int) (-size & (BLOCK - 1));
  }

  private void skipContent() throws IOException {
    in.skipNBytes(left + padding);
    left = 0;
    padding = 0;
  }

  private byte[] content(long size) throws IOException {
    if (size < 0 || size > maxHeader) {
      throw new LayerException(
          "an extended header of " + size + " bytes; the limit is " + maxHeader);
    }
    expect(size);
    byte[] bytes = in.readNBytes((int) size);
    if (bytes.length < size) {
      throw new EOFException("the layer ends in the middle of a header");
    }
    left = 0;
    return bytes;
  }

  /** Records of the form {@code LENGTH KEY=VALUE\n}; a value may be binary. */
  private static void records(byte[] bytes, Map<String, byte[]> into) throws IOException {
    int at = 0;
    while (at < bytes.length) {
      int space = at;
      while (space < bytes.length && bytes[space] != ' ') {
        space++;
      }
      long length = whole(new String(bytes, at, space - at, StandardCharsets.UTF_8));
      long end = at + length;
      if (length < 5 || end > bytes.length || bytes[(int) end - 1] != '\n') {
        throw new LayerException("malformed extended header");
      }
      int equals = space + 1;
      while (equals < end && bytes[equals] != '=') {
        equals++;
      }
      if (equals >= end) {
        throw new LayerException("malformed extended header");
      }
      String key = new String(bytes, space + 1, equals - space - 1, StandardCharsets.UTF_8);
      byte[] value = Arrays.copyOfRange(bytes, equals + 1, (int) end - 1);
      if (value.length == 0) {
        into.remove(key);
      } else {
        into.put(key, value);
      }
      at = (int) end;
    }
  }

  private static String string(Map<String, byte[]> pax, String key) {
    byte[] value = pax.get(key);
    return value == null ? "" : new String(value, StandardCharsets.UTF_8);
  }

  private static long whole(String text) throws IOException {
    try {
      return Long.parseLong(text.trim());
    } catch (NumberFormatException e) {
      throw new LayerException("not a number in a header: " + text);
    }
  }

  private boolean isPosix() {
    // GNU's own format ("ustar  ") has other things where POSIX has the prefix.
    return block[257] == 'u' && block[262] == 0;
  }

  private String text(int offset, int length) {
    return untilNul(Arrays.copyOfRange(block, offset, offset + length));
  }

  private static String untilNul(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  private long number(int offset, int length) throws IOException {
    if ((block[offset] & 0x80) != 0) { // GNU: binary, big endian
      long value = (block[offset] & 0x40) != 0 ? -1 : block[offset] & 0x3f;
      for (int i = offset + 1; i < offset + length; i++) {
        value = value << 8 | block[i] & 0xff;
      }
      return value;
    }
    String digits = text(offset, length).trim();
    try {
      return digits.isEmpty() ? 0 : Long.parseLong(digits, 8);
    } catch (NumberFormatException e) {
      throw new LayerException("not an octal number in a header: " + digits);
    }
  }
}
