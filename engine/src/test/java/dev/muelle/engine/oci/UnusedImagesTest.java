package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.oci.image.Shelf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Unpacked layers do not fill the disk, and none goes that a container stands on. */
class UnusedImagesTest {

  private static final int SIZE = 1 << 20;

  /** There is room for busybox's layer, and two images' own. */
  private static Lab lab(Duration atLeast) throws IOException {
    long bound = Files.size(Path.of("/bin/busybox")) + 5 * SIZE / 2;
    return new Lab(new Room(1 << 20, new Shelf(bound, atLeast)));
  }

  /** An image with a shared layer and one of its own, which is told from the others. */
  private static void make(Lab lab, String name) throws IOException {
    byte[] base = Lab.busybox().bytes();
    byte[] own = new byte[SIZE];
    new Random(name.hashCode()).nextBytes(own);
    byte[] layer =
        new Tar().file("name", (name + "\n").getBytes(), 0644).file("own", own, 0644).bytes();
    lab.image(name, Map.of(), List.of(base, layer), List.of(Lab.gzip(base), layer));
  }

  private static String pull(Lab lab, String name) {
    long before = lab.timers.millis();
    Lab.await(() -> lab.timers.millis() > before); // no two are used at the same time
    return lab.engine.pull(ImageReference.parse("local.test/" + name), null).id();
  }

  private static int layers(Lab lab) {
    try (Stream<Path> files = Files.list(lab.engineRoot().resolve("l"))) {
      return (int) files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void start(Lab lab, String id, String image, String script) {
    lab.engine.createSandbox(Lab.sandbox(id));
    lab.engine.startContainer(Lab.container(id, id, image, script));
  }

  private static Set<String> retained(Lab lab) {
    return new TreeSet<>(lab.blobs.retained("engine-" + lab.instance));
  }

  @Test
  void theLeastRecentlyUsedGoAndMayComeBack() throws Exception {
    try (Lab lab = lab(Duration.ZERO)) {
      List<String> ids = new ArrayList<>();
      for (int i = 1; i <= 4; i++) {
        make(lab, "i" + i);
        ids.add(pull(lab, "i" + i));
      }
      Lab.await(() -> layers(lab) == 3); // the shared one, i3's, i4's
      Lab.await(() -> retained(lab).size() == 4); // manifests and configurations of two
      EngineException e =
          assertThrows(EngineException.class, () -> start(lab, "c1", ids.getFirst(), "true"));
      assertTrue(e.getMessage().contains("No such image"), e.getMessage());
      assertTrue(lab.engine.container("c1").isEmpty());
      start(lab, "c1", pull(lab, "i1"), "cat /name");
      assertEquals(0, lab.exited("c1").exitCode());
      assertEquals(List.of("i1"), lab.texts("c1"));
      Lab.await(() -> layers(lab) == 3);
    }
  }

  @Test
  void whatAContainerUsesStaysAlsoAfterARestart() throws Exception {
    try (Lab lab = lab(Duration.ZERO)) {
      make(lab, "i1");
      start(lab, "c1", pull(lab, "i1"), "while [ ! -e /go ]; do sleep 0.05; done; cat /name");
      lab.reopen();
      for (int i = 2; i <= 6; i++) {
        make(lab, "i" + i);
        pull(lab, "i" + i);
      }
      Lab.await(() -> layers(lab) == 3); // the shared one, i1's, i6's
      int pid = ((State.Running) lab.engine.container("c1").orElseThrow().state()).pid();
      Files.createFile(Path.of("/proc/" + pid + "/root/go"));
      assertEquals(0, lab.exited("c1").exitCode());
      assertEquals(List.of("i1"), lab.texts("c1"));
      lab.engine.removeSandbox("c1");
      make(lab, "i7");
      pull(lab, "i7");
      Lab.await(() -> layers(lab) == 3); // the shared one, i6's, i7's
      assertFalse(lab.tags.isEmpty());
      assertThrows(EngineException.class, () -> start(lab, "c2", lab.tags.get("i1"), "true"));
      start(lab, "c3", lab.tags.get("i6"), "cat /name");
      assertEquals(0, lab.exited("c3").exitCode());
    }
  }

  @Test
  void whatWasJustPulledStaysUntilItIsStarted() throws Exception {
    try (Lab lab = lab(Duration.ofHours(1))) {
      for (int i = 1; i <= 4; i++) {
        make(lab, "i" + i);
        pull(lab, "i" + i);
      }
      lab.reopen(); // looks at its start, too
      for (int i = 1; i <= 4; i++) {
        start(lab, "c" + i, lab.tags.get("i" + i), "cat /name");
        assertEquals(0, lab.exited("c" + i).exitCode());
      }
    }
  }

  @Test
  void aCrashBetweenStepsLeavesNothingHalfDone() throws Exception {
    try (Lab lab = lab(Duration.ofHours(1))) {
      for (int i = 1; i <= 3; i++) {
        make(lab, "i" + i);
        pull(lab, "i" + i);
      }
      lab.engine.close();
      Path root = lab.engineRoot();
      Path notes = root.resolve("images");
      // i1: its note had gone. i2: a layer's note is lost. Both: files that are half written or
      // half removed.
      Files.delete(notes.resolve(lab.tags.get("i1").substring(7)));
      String own = lab.diffIds("i2").get(1);
      Path layer = root.resolve("l", Files.readString(root.resolve("d", own)).split(" ")[0]);
      Files.delete(root.resolve("d", own));
      Files.delete(layer.resolve("own"));
      Files.createDirectories(root.resolve("l/77/half"));
      Files.writeString(root.resolve("d/88.new"), "88");
      Files.writeString(notes.resolve("99.new"), "{");
      lab.blobs.put("of a pull that was not finished".getBytes(), "engine-" + lab.instance);
      lab.engine = lab.open();
      assertEquals(3, layers(lab)); // the shared one, i3's, and i1's, which a pull would find
      assertEquals(2, retained(lab).size(), "i3's documents");
      assertThrows(EngineException.class, () -> start(lab, "c1", lab.tags.get("i1"), "true"));
      for (int i = 1; i <= 3; i++) {
        start(lab, "d" + i, pull(lab, "i" + i), "cat /name; busybox wc -c < /own");
        assertEquals(0, lab.exited("d" + i).exitCode());
        assertEquals(List.of("i" + i, "" + SIZE), lab.texts("d" + i));
      }
    }
  }

  @Test
  void startsAndRemovalsAtOnceNeverMeet() throws Exception {
    try (Lab lab = lab(Duration.ZERO);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      int images = 6;
      for (int i = 0; i < images; i++) {
        make(lab, "i" + i);
      }
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < 6; t++) {
        String thread = "t" + t;
        Random random = new Random(t);
        all.add(
            threads.submit(() -> {
              for (int round = 0; round < 6; round++) {
                String name = "i" + random.nextInt(images);
                String id = thread + "-" + round;
                startUntilItIsThere(lab, id, name);
                assertEquals(0, lab.exited(id).exitCode(), () -> lab.texts(id).toString());
                assertEquals(List.of(name, "" + SIZE), lab.texts(id));
                lab.engine.removeSandbox(id);
              }
            }));
      }
      for (Future<?> one : all) {
        one.get();
      }
      Lab.await(() -> layers(lab) <= 3);
    }
  }

  /** With nothing kept for any time, an image may go between its pull and its start. */
  private static void startUntilItIsThere(Lab lab, String id, String name) {
    while (true) {
      String image = lab.engine.pull(ImageReference.parse("local.test/" + name), null).id();
      try {
        start(lab, id, image, "sleep 0.05; cat /name; busybox wc -c < /own");
        return;
      } catch (EngineException e) {
        if (!e.getMessage().contains("No such image")) {
          throw e;
        }
      }
    }
  }
}
