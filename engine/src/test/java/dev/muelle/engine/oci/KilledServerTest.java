package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.ContainerStatus.State;
import dev.muelle.engine.EngineException;
import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Containers outlive the process that started them, however it ends. */
class KilledServerTest {
  private static final int LINES = 300;
  private static final String SCRIPT =
      "i=0; while [ $i -lt " + LINES + " ]; do echo line $i; i=$((i+1)); sleep 0.01; done; exit 9";

  /** A process of its own that starts containers until it is killed. */
  static final class Server {
    private Server() {}

    public static void main(String[] args) throws Exception {
      Lab lab = new Lab(args[0], Path.of(args[1]));
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      for (int i = 0; ; i++) {
        lab.engine.startContainer(Lab.container("c" + i, "s1", image, SCRIPT));
        System.out.println("started " + i);
      }
    }
  }

  @Test
  void nothingIsMissingAfterKill9() throws Exception {
    Path directory = Files.createTempDirectory("muelle-engine");
    String instance = "mk" + Long.toString(System.nanoTime() & 0xffffffffL, 36);
    Process server = Lab.process(Server.class, instance, directory);
    int acknowledged = 0;
    try (var reader = server.inputReader()) {
      while (acknowledged < 8) {
        String line = reader.readLine();
        acknowledged += line.startsWith("started ") ? 1 : 0;
      }
    } finally {
      server.destroyForcibly().waitFor();
    }
    try (Lab lab = new Lab(instance, directory)) {
      List<ContainerStatus> containers = lab.engine.sandboxes().getFirst().containers();
      assertTrue(containers.size() >= acknowledged, containers::toString);
      List<String> expected = IntStream.range(0, LINES).mapToObj(i -> "line " + i).toList();
      for (ContainerStatus container : containers) {
        assertEquals(9, lab.exited(container.id()).exitCode());
        assertEquals(expected, lab.texts(container.id()));
      }
      // One that was half started is gone, and its id may be used.
      String next = "c" + containers.size();
      String image = lab.busyboxImage();
      lab.engine.startContainer(Lab.container(next, "s1", image, "exit 4"));
      assertEquals(4, lab.exited(next).exitCode());
    }
  }

  @Test
  void whatRanBeforeTheMachineStartedAnewIsLostButKnown() throws Exception {
    try (Lab lab = new Lab()) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "echo before; sleep 1000"));
      Lab.await(() -> lab.texts("c1").equals(List.of("before")));
      lab.engine.close();
      Layout layout = new Layout(lab.engineRoot().toRealPath());
      for (Path stray : List.of(layout.log("x"), layout.diskImage("x"))) {
        Files.writeString(stray, "0");
      }
      Files.createDirectories(layout.writable("x").resolve("volumes"));
      MountPoints.unmount(layout.sandboxes());
      MountPoints.unmount(layout.live());
      UncheckedIOException elsewhere = assertThrows(UncheckedIOException.class, lab::open);
      assertTrue(elsewhere.getMessage().contains("another mount namespace"), elsewhere::getMessage);
      everybodyDies(lab.instance);
      lab.engine = lab.open();
      assertEquals(137, lab.exited("c1").exitCode());
      assertEquals(List.of("before"), lab.texts("c1"));
      EngineException refused =
          assertThrows(
              EngineException.class,
              () -> lab.engine.startContainer(Lab.container("c2", "s1", image, "exit 0")));
      assertTrue(refused.getMessage().contains("started anew"), refused::getMessage);
      for (Path stray : List.of(layout.log("x"), layout.diskImage("x"))) {
        assertFalse(Files.exists(stray), stray::toString);
      }
      assertFalse(Files.exists(layout.writable("x")));
      lab.engine.removeSandbox("s1");
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "exit 4"));
      assertEquals(4, lab.exited("c1").exitCode());
    }
  }

  private static List<Integer> running(String instance) {
    try {
      return Processes.find(
          line -> line.stream().anyMatch(argument -> argument.contains(instance + "/")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void everybodyDies(String instance) throws Exception {
    for (int monitor : running(instance)) {
      String children =
          Files.readString(Path.of("/proc/" + monitor + "/task/" + monitor + "/children"));
      Syscalls.kill(monitor, Signals.SIGKILL);
      for (String child : children.trim().split(" ", -1)) {
        if (!child.isEmpty()) {
          Syscalls.kill(Integer.parseInt(child), Signals.SIGKILL);
        }
      }
    }
    Lab.await(() -> running(instance).isEmpty());
  }

  @Test
  void aNoteThatTheDiskHasLostIsAsIfItHadNeverBeen() throws Exception {
    try (Lab lab = new Lab()) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
      lab.engine.startContainer(Lab.container("c2", "s1", image, "exit 7"));
      assertEquals(7, lab.exited("c2").exitCode());
      lab.engine.close();
      Layout layout = new Layout(lab.engineRoot().toRealPath());
      Files.write(layout.containerNote("c1"), new byte[0]);
      Files.write(layout.jsonFileNote("c2"), new byte[0]);
      Files.write(layout.exitNote("c2"), new byte[0]);
      lab.engine = lab.open();
      assertTrue(lab.engine.container("c1").isEmpty());
      assertEquals(7, lab.exited("c2").exitCode(), "the monitor's own word is still there");
      lab.engine.startContainer(Lab.container("c1", "s1", image, "exit 4"));
      assertEquals(4, lab.exited("c1").exitCode());
    }
  }

  @Test
  void whatAnEarlierVersionLeftIsEnded() throws Exception {
    try (Lab lab = new Lab()) {
      String image = lab.busyboxImage();
      lab.engine.createSandbox(Lab.sandbox("s1"));
      lab.engine.startContainer(Lab.container("c1", "s1", image, "sleep 1000"));
      lab.engine.close();
      Path root = lab.engineRoot().toRealPath();
      Layout layout = new Layout(root);
      // As it was: no notes' directory and nothing in memory.
      Files.createDirectories(root.resolve("containers/c1"));
      Files.createDirectories(root.resolve("sandboxes/s1/disk"));
      Files.delete(layout.containerNote("c1"));
      Files.move(layout.sandbox("s1").resolve("hosts"), root.resolve("sandboxes/s1/hosts"));
      MountPoints.unmount(layout.sandboxes());
      MountPoints.unmount(layout.live());
      lab.engine = lab.open();
      assertEquals(List.of(), lab.engine.sandboxes());
      assertFalse(Files.exists(root.resolve("containers")));
      assertFalse(Files.exists(root.resolve("sandboxes")));
      assertEquals(List.of(), running(lab.instance));
    }
  }

  @Test
  void manyStartAndGoAtOnce() throws Exception {
    int many = 200;
    try (Lab lab = new Lab();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      String image = lab.busyboxImage();
      atOnce(
          threads,
          many,
          id -> {
            lab.engine.createSandbox(Lab.sandbox(id));
            lab.engine.startContainer(Lab.container(id, id, image, "echo " + id + "; sleep 1000"));
          });
      assertEquals(many, lab.engine.sandboxes().size());
      for (int i = 0; i < many; i++) {
        String id = "t" + i;
        assertInstanceOf(State.Running.class, lab.engine.container(id).orElseThrow().state());
        Lab.await(() -> !lab.engine.output(id, 0, 1).isEmpty());
        assertEquals(List.of(id), lab.texts(id));
      }
      atOnce(threads, many, lab.engine::removeSandbox);
      assertEquals(List.of(), lab.engine.sandboxes());
      lab.engine.close(); // nothing runs: it leaves no process either
      Lab.await(() -> lab.tracesNow().stream().allMatch(one -> one.endsWith(lab.instance)));
      lab.engine = lab.open();
    }
  }

  private static void atOnce(ExecutorService threads, int many, Consumer<String> work)
      throws Exception {
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      String id = "t" + i;
      all.add(threads.submit(() -> work.accept(id)));
    }
    for (Future<?> one : all) {
      one.get();
    }
  }
}
