package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.oci.image.Shelf;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Disks that are full, and directories that somebody has removed. */
class LostAndFullTest {

  private static final int MIB = 1 << 20;

  /** A lab of which one directory lies on a small disk of its own. */
  private static final class SmallDisk implements AutoCloseable {
    private final Path disk = Files.createTempDirectory("muelle-small");
    final Lab lab;

    SmallDisk(String directory, int mib, Duration atLeast) throws IOException {
      Syscalls.mount("muelle-test", disk, "tmpfs", 0, "nr_inodes=3000,size=" + mib + "m");
      Path root = Files.createTempDirectory("muelle-engine");
      Files.createSymbolicLink(root.resolve(directory), disk);
      lab = new Lab(Lab.name(), root, new Room(MIB, new Shelf(Long.MAX_VALUE, atLeast)));
    }

    @Override
    public void close() throws IOException {
      try (lab) {
        lab.engine.removeAll();
      } finally {
        Syscalls.unmount(disk);
        Files.delete(disk);
      }
    }
  }

  private static String pull(Lab lab, String name) {
    return lab.engine.pull(ImageReference.parse("local.test/" + name), null).id();
  }

  private static String refused(Lab lab, String name) {
    return assertThrows(EngineException.class, () -> pull(lab, name)).getMessage();
  }

  private static byte[] layer(int mib, int seed) {
    byte[] content = new byte[mib * MIB];
    new Random(seed).nextBytes(content);
    return new Tar().file("big", content, 0644).bytes();
  }

  private static int count(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return (int) files.count();
    }
  }

  @Test
  void aDiskThatIsFullWhileUnpackingIsSaidAndLeavesNothing() throws Exception {
    try (SmallDisk disk = new SmallDisk("engine", 12, Duration.ofHours(1))) {
      Lab lab = disk.lab;
      String busybox = lab.busyboxImage();
      int before = count(lab.engineRoot().resolve("l"));
      byte[] big = layer(16, 1);
      lab.image("big", Map.of(), List.of(big), List.of(big));
      String message = refused(lab, "big");
      assertTrue(message.startsWith("CannotPullContainerError: "), message);
      assertTrue(message.endsWith(": no space left on device"), message);
      assertEquals(before, count(lab.engineRoot().resolve("l")));
      assertEquals(before, count(lab.engineRoot().resolve("d")));
      assertEquals(1, count(lab.engineRoot().resolve("images")));
      // Directories and links find no room in another way than bytes do.
      Tar many = new Tar();
      for (int i = 0; i < 4_000; i++) {
        many.link("a-rather-long-name-for-a-link-" + i, "/" + "x".repeat(90) + i);
      }
      byte[] links = many.bytes();
      lab.image("links", Map.of(), List.of(links), List.of(links));
      assertTrue(refused(lab, "links").endsWith(": no space left on device"));
      assertEquals(before, count(lab.engineRoot().resolve("l")));
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", busybox, "echo still there"));
      assertEquals(0, lab.exited("c1").exitCode());
    }
  }

  @Test
  void imagesThatNothingRunsMakeRoom() throws Exception {
    try (SmallDisk disk = new SmallDisk("engine", 12, Duration.ZERO)) {
      Lab lab = disk.lab;
      for (int i = 0; i < 3; i++) {
        byte[] layer = layer(7, i);
        lab.image("i" + i, Map.of(), List.of(layer), List.of(layer));
        pull(lab, "i" + i);
        assertEquals(1, count(lab.engineRoot().resolve("l")));
      }
    }
  }

  @Test
  void aDiskThatIsFullWhileFetchingIsSaidAndLeavesNothing() throws Exception {
    try (FakeRegistry registry = new FakeRegistry();
        // the store leaves 64 free
        SmallDisk disk = new SmallDisk("blobs", 70, Duration.ofHours(1))) {
      Lab lab = disk.lab;
      byte[] big = layer(16, 1);
      registry.tag("1", registry.image("amd64", List.of(big), List.of(big)));
      String message =
          assertThrows(
                  EngineException.class,
                  () ->
                      lab.engine.pull(ImageReference.parse(registry.host() + "/team/app:1"), null))
              .getMessage();
      assertTrue(message.endsWith(": no space left on device"), message);
      assertEquals(0, count(lab.directory.resolve("blobs/uploads")));
      assertEquals(0, lab.blobs.retained("engine-" + lab.instance).size());
    }
  }

  @Test
  void aDiskThatIsFullAtTheStartIsSaidAndLeavesNothing() throws Exception {
    try (SmallDisk disk = new SmallDisk("engine", 12, Duration.ofHours(1))) {
      Lab lab = disk.lab;
      String busybox = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      Path filler = lab.engineRoot().resolve("filler");
      assertThrows(IOException.class, () -> fill(filler));
      EngineException e =
          assertThrows(
              EngineException.class,
              () -> lab.engine.startContainer(Lab.container("c1", "s1", busybox, "true")));
      assertTrue(e.getMessage().startsWith("CannotStartContainerError: "), e.getMessage());
      assertTrue(lab.engine.container("c1").isEmpty());
      assertEquals(0, count(lab.engineRoot().resolve("notes")));
      assertEquals(0, count(lab.engineRoot().resolve("live/containers")));
      Files.delete(filler);
      lab.engine.startContainer(Lab.container("c1", "s1", busybox, "exit 4"));
      assertEquals(4, lab.exited("c1").exitCode());
    }
  }

  @Test
  void whoFillsHisHostsFileKeepsNoOthersEndFromBeingTold() throws Exception {
    try (Lab lab = new Lab()) {
      String busybox = lab.busyboxImage();
      Path seen = new Layout(lab.engineRoot().toRealPath()).sandboxes();
      Syscalls.mount(null, seen, null, Syscalls.MS_REMOUNT, "size=128k");
      lab.engine.createSandbox(Lab.sandbox("s1"));
      String fills = "cat /dev/zero > /etc/hosts; exit 5";
      lab.engine.startContainer(Lab.container("c1", "s1", busybox, fills));
      assertEquals(5, lab.exited("c1").exitCode());
      assertTrue(lab.texts("c1").getFirst().contains("No space left"), lab.texts("c1")::toString);
      lab.engine.startContainer(Lab.container("c2", "s1", busybox, "exit 6"));
      assertEquals(6, lab.exited("c2").exitCode());
      EngineException full =
          assertThrows(EngineException.class, () -> lab.engine.createSandbox(Lab.sandbox("s2")));
      assertTrue(full.getMessage().startsWith("ResourceInitializationError: "), full::getMessage);
      lab.engine.removeSandbox("s1");
      lab.engine.createSandbox(Lab.sandbox("s2"));
    }
  }

  private static void fill(Path file) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      while (true) {
        out.write(new byte[4096]);
      }
    }
  }

  @Test
  void everythingGoesAlthoughTheDirectoryIsLost() throws Exception {
    Lab lost = new Lab();
    String image = lost.busyboxImage();
    lost.engine.createSandbox(Lab.sandbox("s1"));
    lost.engine.createSandbox(
        new SandboxSpec("s2", null, "h", null, List.of(), List.of(), 0, 0, 32L << 20, Map.of()));
    lost.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
    lost.engine.startContainer(Lab.container("c2", "s2", image, "sleep 1000"));
    lost.engine.close();
    lost.store.close();
    // Mounts cannot be removed, so this fails at them and goes on.
    new ProcessBuilder("rm", "-rf", "--one-file-system", lost.engineRoot().toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
    assertFalse(lost.traces().isEmpty(), "the test shows something");
    try (Lab found = new Lab(lost.instance, lost.directory)) {
      found.engine.removeAll();
      Lab.await(() -> loops(lost.directory).isEmpty());
      String again = found.busyboxImage();
      found.engine.createSandbox(Lab.sandbox("s1"));
      found.engine.startContainer(Lab.container("c1", "s1", again, "exit 5"));
      assertEquals(5, found.exited("c1").exitCode());
    }
  }

  /** Loop devices over files of a directory. */
  private static List<String> loops(Path directory) {
    try (Stream<Path> blocks = Files.list(Path.of("/sys/block"))) {
      return blocks
          .map(block -> block.resolve("loop/backing_file"))
          .filter(Files::exists)
          .map(LostAndFullTest::text)
          .filter(file -> file.startsWith(directory.toString()))
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }
}
