package dev.muelle.engine.oci;

import dev.muelle.linux.MountPoints;
import dev.muelle.linux.MountSpaces;
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
  private @Nullable MountSpaces spaces;

  Launcher(String instance, Layout layout, Cgroups cgroups) {
    this.instance = instance;
    this.layout = layout;
    this.cgroups = cgroups;
  }

  private synchronized MountSpaces spaces() throws IOException {
    if (spaces == null) {
      // Mounts that come and go by the thousand: they must not be passed on to anybody.
      MountPoints.make(NAMES, true);
      Optional<Path> unified = cgroups.version().besideV1();
      List<Path> hidden = new ArrayList<>();
      for (Path target : MountPoints.all()) {
        if (target.equals(NAMES)
            || target.equals(layout.sandboxes())
            || unified.filter(target::equals).isPresent()) {
          hidden.addFirst(target); // as often as it is mounted
        }
      }
      List<Path> groups = cgroups.monitors();
      spaces = new MountSpaces("launch-" + instance, AT_ONCE, hidden, () -> leaveService(groups));
    }
    return spaces;
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
