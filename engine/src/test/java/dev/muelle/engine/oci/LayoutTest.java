package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.MountPoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be wrong with the files. */
class LayoutTest {

  @TempDir Path root;
  private Layout layout;

  @BeforeEach
  void create() throws IOException {
    layout = Layout.create(root.toRealPath());
  }

  @AfterEach
  void unmount() {
    MountPoints.unmount(layout.sandboxes());
    MountPoints.unmount(layout.live());
  }

  @Test
  void aStartNeedsItsProgramAndRoomToWrite() throws IOException {
    assertTrue(layout.impairment().orElseThrow().contains("monitor"));
    Files.createFile(layout.program());
    Files.setPosixFilePermissions(layout.program(), PosixFilePermissions.fromString("r-xr-xr-x"));
    long before = files();
    assertEquals(Optional.empty(), layout.impairment());
    assertEquals(before, files(), "nothing is left of the look");

    Layout gone = new Layout(root.resolve("gone"));
    assertTrue(gone.impairment().isPresent());
  }

  @Test
  void memoryIsGivenBackWhenNothingIsInIt() throws IOException {
    Path live = layout.live();
    assertTrue(MountPoints.all().contains(live));
    Files.createDirectories(layout.container("c1"));
    layout.close();
    assertTrue(MountPoints.all().contains(live), "a container may still run");
    assertTrue(Files.exists(Layout.create(layout.root()).container("c1")), "as it was");
    Files.delete(layout.container("c1"));
    layout.close();
    assertFalse(MountPoints.all().contains(live));
  }

  private long files() throws IOException {
    try (var files = Files.list(root)) {
      return files.count();
    }
  }
}
