package dev.muelle.store;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteJDBCLoader;

/**
 * SQLite itself. Its driver unpacks it into a file, which it deletes when the process ends in
 * peace: each server that was killed left one of them behind. Once it is loaded, nobody needs the
 * file.
 */
final class NativeLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);

  /** Says where the driver unpacks it. */
  private static final String PLACE = "org.sqlite.tmpdir";

  static {
    if (System.getProperty(PLACE) == null) {
      load();
    }
  }

  private NativeLibrary() {}

  /** Returns when it is loaded, or was: once in a process. */
  static void ready() {}

  private static void load() {
    try {
      Path place = Files.createTempDirectory("muelle-sqlite");
      System.setProperty(PLACE, place.toString());
      try {
        SQLiteJDBCLoader.initialize();
      } finally {
        System.clearProperty(PLACE);
        remove(place);
      }
    } catch (Exception e) {
      LOG.debug("the driver has to unpack SQLite as it likes", e); // or says why it cannot
    }
  }

  private static void remove(Path place) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(place)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(place);
  }
}
