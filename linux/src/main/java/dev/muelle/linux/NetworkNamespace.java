package dev.muelle.linux;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A named network namespace ({@code /run/netns/NAME}, as ip-netns(8) keeps them) that sockets can
 * be born in. The calls run on a platform thread that stays inside, because a virtual thread must
 * not move its carrier.
 */
public final class NetworkNamespace implements AutoCloseable {

  /** Where ip-netns(8) keeps names. */
  public static final Path DIRECTORY = Path.of("/run/netns");

  private final String name;
  private final ExecutorService inside;
  private boolean entered; // touched by the inside thread only

  public NetworkNamespace(String name) {
    this.name = name;
    this.inside =
        Executors.newSingleThreadExecutor(
            work -> Thread.ofPlatform().daemon().name("in-" + name).unstarted(work));
  }

  private void enterOnce() {
    if (entered) {
      return;
    }
    int fd = Syscalls.open(path());
    try {
      Syscalls.enterNetwork(fd);
    } finally {
      Syscalls.close(fd);
    }
    entered = true;
  }

  public Path path() {
    return DIRECTORY.resolve(name);
  }

  /**
   * Runs {@code work} inside; keep it short, all calls of one namespace share a thread.
   *
   * @throws LinuxException if the namespace cannot be entered
   */
  public <T> T call(Callable<T> work) throws Exception {
    try {
      return inside
          .submit(() -> {
            enterOnce();
            return work.call();
          })
          .get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  /** Ends the thread; sockets that were born inside live on. */
  @Override
  public void close() {
    inside.shutdown();
  }
}
