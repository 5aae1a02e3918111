package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.linux.MountPoints;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {

  @TempDir private Path directory;
  private Path program;
  private Layout layout;
  private Cgroups cgroups;
  private Launcher launcher;

  @BeforeEach
  void open() throws IOException {
    String instance = "t" + UUID.randomUUID().toString().substring(0, 8);
    program = Files.writeString(directory.resolve("runtime"), "#!/bin/sh\n");
    cgroups = new Cgroups(Cgroups.detect(MountPoints.table()), instance);
    layout = Layout.create(directory.toRealPath());
    launcher = new Launcher(instance, layout, cgroups, List.of(program));
  }

  @AfterEach
  void close() throws IOException {
    launcher.close();
    cgroups.removeAll();
    layout.close();
  }

  @Test
  void theRuntimeCannotBeWrittenToWhereItIsStarted() throws IOException {
    launcher.launch(
        List.of(),
        () ->
            assertThrows(
                FileSystemException.class,
                () -> Files.writeString(program, "evil", StandardOpenOption.APPEND)));
    Files.writeString(program, "# newer\n", StandardOpenOption.APPEND);
    String seen = launcher.launch(List.of(), () -> Files.readString(program));
    assertTrue(seen.endsWith("# newer\n"), "an upgrade of it is seen");
  }

  @Test
  void whereTheV2HierarchyWasNothingPilesUp() throws IOException {
    Optional<Path> unified = cgroups.version().besideV1();
    if (unified.isEmpty()) {
      return; // nothing is hidden on this machine
    }
    Path there = unified.get();
    boolean[] found =
        launcher.launch(
            List.of(),
            () ->
                new boolean[] {
                  Files.exists(there.resolve("cgroup.controllers")), // of v2
                  Files.exists(there.resolve("tasks")) // of v1
                });
    assertFalse(found[0]);
    assertTrue(found[1]);
  }
}
