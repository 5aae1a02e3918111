package dev.muelle.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountSpacesTest {

  @TempDir private Path directory;
  private MountSpaces spaces = new MountSpaces("test", 2, List.of(), () -> {}, () -> {});

  @AfterEach
  void close() {
    spaces.close();
  }

  private static boolean mountedHere(Path target) throws Exception {
    return MountPoints.all().contains(target);
  }

  private Path mount(Path target) throws Exception {
    Files.createDirectories(target);
    Syscalls.mount("tmpfs", target, "tmpfs", 0, "size=64k");
    return target;
  }

  @Test
  void whatIsMountedInsideIsSeenInsideAndByWhatIsStartedThere() throws Exception {
    Path target = directory.resolve("m");
    String answer =
        spaces.call(
            List.of(),
            () -> {
              Files.writeString(mount(target).resolve("file"), "hola\n");
              return Spawn.ask(
                  List.of("/bin/sh", "-c", "cat " + target + "/file >&3"),
                  Map.of("PATH", "/bin"),
                  directory,
                  directory.resolve("errors"),
                  Duration.ofSeconds(30));
            });
    assertEquals("hola", answer);
    assertFalse(mountedHere(target));
    assertFalse(Files.exists(target.resolve("file")));
    boolean still = spaces.call(List.of(), () -> Files.exists(target.resolve("file")));
    assertFalse(still, "the next space begins anew");
  }

  @Test
  void aHiddenMountIsNotThereUnlessItIsShown() throws Exception {
    Path hidden = mount(directory.resolve("hidden"));
    try {
      Files.writeString(hidden.resolve("file"), "x");
      spaces.close();
      spaces = new MountSpaces("test", 1, List.of(hidden), () -> {}, () -> {});
      assertFalse(spaces.call(List.of(), () -> Files.exists(hidden.resolve("file"))));
      assertTrue(spaces.call(List.of(hidden), () -> Files.exists(hidden.resolve("file"))));
      assertFalse(spaces.call(List.of(), () -> Files.exists(hidden.resolve("file"))));
      assertTrue(Files.exists(hidden.resolve("file")), "it stays mounted outside");
    } finally {
      Syscalls.unmount(hidden);
    }
  }

  @Test
  void whatTheHomeIsFurnishedWithIsInEverySpaceAndNowhereElse() throws Exception {
    Path own = directory.resolve("own");
    spaces.close();
    spaces =
        new MountSpaces(
            "test",
            1,
            List.of(),
            () -> {
              try {
                Files.writeString(mount(own).resolve("file"), "x");
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            },
            () -> {});
    for (int i = 0; i < 2; i++) {
      assertTrue(spaces.call(List.of(), () -> Files.exists(own.resolve("file"))));
    }
    assertFalse(mountedHere(own));
  }

  @Test
  void laterMountsOfTheMachineAreSeenButNotThoseBelowAPointOfTheirOwn() throws Exception {
    Path point = directory.resolve("point");
    MountPoints.make(point, false);
    Path later = mount(directory.resolve("later"));
    Path apart = mount(point.resolve("apart"));
    try {
      assertTrue(spaces.call(List.of(), () -> MountPoints.all().contains(later)));
      assertFalse(
          spaces.call(
              List.of(),
              () ->
                  Files.readAllLines(Path.of("/proc/thread-self/mountinfo")).stream()
                      .anyMatch(line -> line.contains(apart.toString()))));
    } finally {
      MountPoints.unmount(apart);
      MountPoints.unmount(later);
      MountPoints.unmount(point);
    }
  }

  @Test
  void whoWasStartedInARootOfItsOwnStaysInIt() throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    Callable<List<Boolean>> seen =
        () -> {
          Syscalls.leaveMounts();
          Syscalls.mount(null, Path.of("/"), null, Syscalls.MS_REC | Syscalls.MS_SLAVE, null);
          Syscalls.mount("/", root, null, Syscalls.MS_REC | Syscalls.MS_BIND, null);
          Files.writeString(mount(root.resolve("mnt")).resolve("only-in-this-root"), "x");
          Syscalls.enterRoot(Syscalls.openPath(root));
          try (MountSpaces own = new MountSpaces("own", 1, List.of(), () -> {}, () -> {})) {
            Callable<Boolean> look = () -> Files.exists(Path.of("/mnt/only-in-this-root"));
            return List.of(own.call(List.of(), look), own.call(List.of(), look));
          }
        };
    FutureTask<List<Boolean>> task = new FutureTask<>(seen);
    Thread.ofPlatform().daemon().start(task); // its namespace and its root go with it
    assertEquals(List.of(true, true), task.get());
    assertFalse(Files.exists(Path.of("/mnt/only-in-this-root")));
  }

  @Test
  void theWorkMayLeaveAThreadBehind() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    Path target = directory.resolve("m");
    for (int i = 0; i < 3; i++) { // as many as there are threads, and one more
      assertFalse(
          spaces.call(
              List.of(),
              () -> {
                boolean seen = Files.exists(target.resolve("file"));
                Files.writeString(mount(target).resolve("file"), "x");
                Thread.ofPlatform()
                    .daemon()
                    .start(() -> {
                      try {
                        end.await();
                      } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                      }
                    });
                return seen;
              }));
    }
    end.countDown();
  }

  @Test
  void aProgramThatCannotBeStartedSaysSo() {
    LinuxException failed =
        assertThrows(
            LinuxException.class,
            () ->
                Spawn.ask(
                    List.of("/nowhere/program"),
                    Map.of(),
                    directory,
                    directory.resolve("errors"),
                    Duration.ofSeconds(30)));
    assertEquals(LinuxException.ENOENT, failed.errno());
  }

  @Test
  void aProgramWorksInTheGivenDirectory() throws Exception {
    assertEquals(
        directory.toRealPath().toString(),
        Spawn.ask(
            List.of("/bin/sh", "-c", "pwd >&3"),
            Map.of("PATH", "/bin"),
            directory,
            directory.resolve("errors"),
            Duration.ofSeconds(30)));
  }

  @Test
  void aProgramThatDoesNotAnswerIsNotWaitedForLongerThanItsLimit() {
    assertThrows(
        LinuxException.class,
        () ->
            Spawn.ask(
                List.of("/bin/sh", "-c", "sleep 5"),
                Map.of("PATH", "/bin"),
                directory,
                directory.resolve("errors"),
                Duration.ofMillis(50)));
  }
}
