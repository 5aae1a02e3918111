package dev.muelle.region.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.muelle.region.doctor.Check.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilesystemTest {

  @TempDir Path machine;

  @BeforeEach
  void boot() throws IOException {
    write("proc/sys/kernel/osrelease", "6.1.0-50-amd64\n");
    write("proc/filesystems", "nodev\tsysfs\n\text4\nnodev\toverlayless\n");
  }

  private void write(String file, String text) throws IOException {
    Path path = machine.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private Finding look() {
    return new Checks.Filesystem("overlay", machine.resolve("proc"), machine.resolve("modules"))
        .look();
  }

  @Test
  void theKernelHasIt() throws IOException {
    write("proc/filesystems", "nodev\tsysfs\nnodev\toverlay\n");
    assertEquals(new Finding.Has("overlayfs"), look());
  }

  @Test
  void theKernelLoadsItsModuleAtTheFirstMount() throws IOException {
    write("modules/6.1.0-50-amd64/modules.alias", "alias fs-ext4 ext4\nalias fs-overlay overlay\n");
    assertEquals(new Finding.Has("overlayfs"), look());
  }

  @Test
  void aModuleOfAnotherKernelDoesNotHelp() throws IOException {
    write("modules/6.1.0-40-amd64/modules.alias", "alias fs-overlay overlay\n");
    assertEquals(
        new Finding.Lacks("The kernel has no overlayfs.", "modprobe overlay", true), look());
  }

  @Test
  void withoutProcNothingIsKnown() throws IOException {
    Files.delete(machine.resolve("proc/sys/kernel/osrelease"));
    assertInstanceOf(Finding.Lacks.class, look());
  }
}
