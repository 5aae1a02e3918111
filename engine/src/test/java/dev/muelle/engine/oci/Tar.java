package dev.muelle.engine.oci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Layers for tests, written by another program than the one that reads them. */
final class Tar {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream out = new TarArchiveOutputStream(bytes);

  Tar() {
    out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  Tar directory(String name) {
    return add(name + "/", TarConstants.LF_DIR, 0755, "", new byte[0], Map.of());
  }

  Tar file(String name, byte[] content, int mode) {
    return add(name, TarConstants.LF_NORMAL, mode, "", content, Map.of());
  }

  Tar link(String name, String target) {
    return add(name, TarConstants.LF_SYMLINK, 0777, target, new byte[0], Map.of());
  }

  Tar hardLink(String name, String target) {
    return add(name, TarConstants.LF_LINK, 0644, target, new byte[0], Map.of());
  }

  Tar device(String name, int major, int minor) {
    try {
      TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_CHR);
      entry.setDevMajor(major);
      entry.setDevMinor(minor);
      out.putArchiveEntry(entry);
      out.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Tar add(String name, byte type, int mode, String link, byte[] content, Map<String, String> pax) {
    return owned(name, type, mode, link, content, pax, 0, 0);
  }

  Tar owned(
      String name,
      byte type,
      int mode,
      String link,
      byte[] content,
      Map<String, String> pax,
      int uid,
      int gid) {
    try {
      TarArchiveEntry entry = new TarArchiveEntry(name, type, true);
      entry.setMode(mode);
      entry.setLinkName(link);
      entry.setIds(uid, gid);
      entry.setModTime(1_600_000_000_000L);
      entry.setSize(type == TarConstants.LF_NORMAL ? content.length : 0);
      pax.forEach(entry::addPaxHeader);
      out.putArchiveEntry(entry);
      if (type == TarConstants.LF_NORMAL) {
        out.write(content);
      }
      out.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes() {
    try {
      out.close();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
