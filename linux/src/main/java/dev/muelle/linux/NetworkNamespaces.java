package dev.muelle.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Makes and removes named network namespaces as ip-netns(8) does, without a process for each: on
 * platform threads of its own, which are inside only while one is made.
 */
public final class NetworkNamespaces implements AutoCloseable {

  private static final Path OWN = Path.of("/proc/thread-self/ns/net");

  private final ExecutorService threads;
  private final int home;

  /**
   * Opens it in the network namespace of this process.
   *
   * @param atOnce how many are made at the same time
   */
  public NetworkNamespaces(String name, int atOnce) {
    AtomicInteger count = new AtomicInteger();
    threads =
        Executors.newFixedThreadPool(
            atOnce,
            work ->
                Thread.ofPlatform()
                    .daemon()
                    .name(name + "-" + count.incrementAndGet())
                    .unstarted(work));
    home = Syscalls.open(Path.of("/proc/self/ns/net"));
    try {
      MountPoints.make(NetworkNamespace.DIRECTORY, true); // as ip-netns(8) does
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Makes a namespace.
   *
   * @param furnish done inside before the namespace has its name, so that one with a name is
   *     complete; takes a descriptor of the namespace
   * @throws LinuxException if that or the namespace cannot be made; nothing is left behind
   */
  public void create(String name, IntConsumer furnish) {
    run(() -> createHere(name, furnish));
  }

  /**
   * Takes namespaces' names away; each goes when no process is in it any more. Several at once: the
   * kernel removes together what has to go at the same time.
   *
   * @throws RuntimeException if one cannot be taken away; then the others are, none the less
   */
  public void delete(Collection<String> names) {
    List<Future<?>> each = new ArrayList<>();
    names.forEach(name -> each.add(threads.submit(() -> deleteHere(name))));
    RuntimeException failure = null;
    for (Future<?> one : each) {
      try {
        await(one);
      } catch (RuntimeException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void run(Runnable work) {
    await(threads.submit(work));
  }

  private static void await(Future<?> work) {
    try {
      work.get();
    } catch (ExecutionException e) {
      throw Syscalls.propagate(java.util.Objects.requireNonNullElse(e.getCause(), e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private void createHere(String name, IntConsumer furnish) {
    deleteHere(name); // of a crash: a name without a namespace
    Syscalls.leaveNetwork();
    try {
      int fd = Syscalls.open(OWN);
      try {
        furnish.accept(fd);
      } finally {
        Syscalls.close(fd);
      }
      Path path = NetworkNamespace.DIRECTORY.resolve(name);
      Files.createFile(path);
      boolean done = false;
      try {
        Syscalls.mount(OWN.toString(), path, null, Syscalls.MS_BIND, null);
        done = true;
      } finally {
        if (!done) {
          Files.delete(path);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      Syscalls.enterNetwork(home);
    }
  }

  /** Whether there is one: a crash can leave a file with its name that is none. */
  public static boolean exists(String name) {
    Path path = NetworkNamespace.DIRECTORY.resolve(name);
    try {
      return Files.exists(path)
          && !Files.getAttribute(path, "unix:dev")
              .equals(Files.getAttribute(NetworkNamespace.DIRECTORY, "unix:dev"));
    } catch (IOException e) {
      return false; // removed meanwhile
    }
  }

  private static void deleteHere(String name) {
    Path path = NetworkNamespace.DIRECTORY.resolve(name);
    try {
      MountPoints.unmount(path);
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    threads.close();
    Syscalls.close(home);
  }
}
