package dev.muelle.engine.oci;

import dev.muelle.linux.MountPoints;
import dev.muelle.linux.MountSpaces;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Where containers are started: on a thread with a mount namespace of its own, in which the
 * container's root filesystem is mounted, and that only conmon and the OCI runtime share. So the
 * machine's table of mounts does not grow with the containers, and there is nothing to unmount when
 * one has ended.
 */
final class Launcher implements AutoCloseable {

  /** More at once would only wait for each other in the kernel. */
  private static final int AT_ONCE = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

  private static final String THREADS = "tasks";
  private static final Path NAMES = Path.of("/run/netns");

  private final String instance;
  private final Layout layout;
  private final Cgroups cgroups;
  private final List<Path> programs;
  private @Nullable MountSpaces spaces;

  Launcher(String instance, Layout layout, Cgroups cgroups, List<Path> programs) {
    this.instance = instance;
    this.layout = layout;
    this.cgroups = cgroups;
    this.programs = programs;
  }

  private synchronized MountSpaces spaces() throws IOException {
    if (spaces == null) {
      // Mounts that come and go by the thousand: they must not be passed on to anybody.
      MountPoints.make(NAMES, true);
      Optional<Path> unified = cgroups.version().besideV1();
      List<Path> hidden = new ArrayList<>();
      for (Path target : MountPoints.all()) {
        if (target.equals(NAMES)
            || target.equals(layout.mounted())
            || unified.filter(target::equals).isPresent()) {
          hidden.addFirst(target); // as often as it is mounted
        }
      }
      List<Path> groups = cgroups.monitors();
      spaces =
          new MountSpaces(
              "launch-" + instance, AT_ONCE, hidden, this::furnish, () -> leaveService(groups));
    }
    return spaces;
  }

  /** What every space has beside the machine's mounts. */
  private void furnish() {
    programs.forEach(Launcher::protect);
    cgroups.version().besideV1().ifPresent(this::fill);
  }

  /**
   * A container must not write to the program that starts it by way of {@code /proc/…/exe}
   * (CVE-2019-5736). crun mounts itself read-only and then starts anew from there, which costs it a
   * fifth of its time; it does not if it finds itself on such a mount already.
   */
  private static void protect(Path runtime) {
    try {
      Path program = runtime.toRealPath();
      Syscalls.mount(program.toString(), program, null, Syscalls.MS_BIND, null);
      long readonly = Syscalls.MS_REMOUNT | Syscalls.MS_BIND | Syscalls.MS_RDONLY;
      Syscalls.mount(null, program, null, readonly, null);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Where the v2 hierarchy was, crun 1.8 would make directories for each container in what lies
   * below, for good. There it finds another hierarchy, in which the container's group is already.
   */
  private void fill(Path unified) {
    Path other = unified.resolveSibling("pids");
    if (Files.isDirectory(other)) {
      Syscalls.mount(other.toString(), unified, null, Syscalls.MS_BIND, null);
    }
  }

  /**
   * In the groups of v1 threads are members by themselves, and what a thread starts is where it is:
   * a service manager that ends the server's group does not end conmon.
   */
  private static void leaveService(List<Path> groups) {
    for (Path group : groups) {
      Path threads = group.resolveSibling(THREADS);
      if (Files.exists(threads)) {
        move(threads, MountSpaces.thread());
      }
    }
  }

  /**
   * The same for a conmon where threads cannot be told apart; but the root group is no service's.
   */
  void leaveService(int monitor) throws IOException {
    if (Files.readAllLines(Path.of("/proc/" + monitor + "/cgroup")).contains("0::/")) {
      return;
    }
    for (Path group : cgroups.monitors()) {
      if (!Files.exists(group.resolveSibling(THREADS))) {
        move(group, monitor);
      }
    }
  }

  private static void move(Path group, int id) {
    try {
      Files.writeString(group, Integer.toString(id));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Runs work that mounts and starts.
   *
   * @param shown mounts that it needs, of those that come and go by the thousand
   */
  <T> T launch(List<Path> shown, Callable<T> work) throws IOException {
    try {
      return spaces().call(shown, work);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  /** Lets go of the groups and of the machine's mounts, until something is launched again. */
  @Override
  public synchronized void close() {
    if (spaces != null) {
      spaces.close();
      spaces = null;
    }
  }
}
