package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be wrong with the files. */
class LayoutTest {

  @TempDir Path root;

  @Test
  void aStartNeedsItsProgramAndRoomToWrite() throws IOException {
    Layout layout = Layout.create(root);
    assertTrue(layout.impairment().orElseThrow().contains("monitor"));
    Files.createFile(layout.program());
    Files.setPosixFilePermissions(layout.program(), PosixFilePermissions.fromString("r-xr-xr-x"));
    long before = files();
    assertEquals(Optional.empty(), layout.impairment());
    assertEquals(before, files(), "nothing is left of the look");

    Layout gone = new Layout(root.resolve("gone"));
    assertTrue(gone.impairment().isPresent());
  }

  private long files() throws IOException {
    try (var files = Files.list(root)) {
      return files.count();
    }
  }
}
