package dev.muelle.linux;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work in mount namespaces of its own, on platform threads of its own. Each piece begins with a
 * copy of a <em>home</em> that shows as little as possible, because every program that is started
 * with new mounts copies all there are. What is mounted there is seen by the work and by the
 * programs that it starts with {@link Spawn}, and goes with the last of them: nothing has to be
 * unmounted, and the machine's own table does not grow.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man7/mount_namespaces.7.html">mount_namespaces(7)</a>
 */
public final class MountSpaces implements AutoCloseable {

  private static final Path ROOT = Path.of("/");
  private static final Path OWN = Path.of("/proc/thread-self/ns/mnt");

  private final ExecutorService threads;
  private final Runnable arrival;
  private final Home home;
  private final ThreadLocal<Boolean> arrived = new ThreadLocal<>();

  /**
   * Spaces that begin as this machine's mounts are now; what is mounted and unmounted later is
   * passed on.
   *
   * @param atOnce how many pieces of work run at the same time
   * @param hidden mount points that are not shown, nor what is below them
   * @param furnishing done once, in the home: mounts that every space is to have
   * @param arrival what each thread does first
   */
  public MountSpaces(
      String name, int atOnce, List<Path> hidden, Runnable furnishing, Runnable arrival) {
    this.arrival = arrival;
    AtomicInteger count = new AtomicInteger();
    threads =
        Executors.newFixedThreadPool(
            atOnce,
            work ->
                Thread.ofPlatform()
                    .daemon()
                    .name(name + "-" + count.incrementAndGet())
                    .unstarted(work));
    home = get(() -> makeHome(hidden, furnishing));
  }

  /** Descriptors of a namespace, and of what is our root in it. */
  private record Home(int mounts, int root) {

    void enter() {
      Syscalls.enterMounts(mounts);
      Syscalls.enterRoot(root);
    }

    void close() {
      Syscalls.close(root);
      Syscalls.close(mounts);
    }
  }

  private static Home makeHome(List<Path> hidden, Runnable furnishing) {
    Syscalls.leaveMounts();
    Syscalls.mount(null, ROOT, null, Syscalls.MS_REC | Syscalls.MS_SLAVE, null);
    hidden.forEach(Syscalls::unmount);
    furnishing.run();
    return new Home(Syscalls.open(OWN), Syscalls.openPath(ROOT));
  }

  private static <T> T call(ExecutorService threads, Callable<T> work) throws Exception {
    try {
      return threads.submit(work).get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  private <T> T get(Callable<T> work) {
    boolean done = false;
    try {
      T result = call(threads, work);
      done = true;
      return result;
    } catch (Exception e) {
      throw Syscalls.propagate(e);
    } finally {
      if (!done) {
        threads.shutdown();
      }
    }
  }

  /**
   * Runs work in a new space, and waits for it.
   *
   * @param shown mounts of the caller's namespace that the home does not show, but the work needs;
   *     at the same places
   */
  public <T> T call(List<Path> shown, Callable<T> work) throws Exception {
    int[] copies = new int[shown.size()];
    int taken = 0;
    try {
      for (Path mount : shown) {
        copies[taken] = Syscalls.copyMount(mount);
        taken++;
      }
      return call(threads, () -> inside(shown, copies, work));
    } finally {
      while (taken > 0) {
        Syscalls.close(copies[--taken]);
      }
    }
  }

  private <T> T inside(List<Path> shown, int[] copies, Callable<T> work) throws Exception {
    if (arrived.get() == null) {
      arrival.run();
      Syscalls.leaveMounts(); // the others' working directory, too: setns(2) wants that
      home.enter();
      arrived.set(true);
    }
    Syscalls.leaveMounts();
    try {
      for (int i = 0; i < copies.length; i++) {
        Syscalls.mountCopy(copies[i], shown.get(i));
      }
      return work.call();
    } finally {
      Syscalls.leaveDirectories(); // the work may have started a thread, as Java does for programs
      home.enter();
    }
  }

  /** The calling operating-system thread's number; see gettid(2). */
  public static int thread() {
    try {
      return Integer.parseInt(
          java.nio.file.Files.readSymbolicLink(Path.of("/proc/thread-self"))
              .getFileName()
              .toString());
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Ends the threads when their work is done; programs that they started go on. */
  @Override
  public void close() {
    threads.close();
    home.close();
  }
}
