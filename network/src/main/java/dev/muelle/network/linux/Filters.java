package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.linux.FilterSocket;
import dev.muelle.linux.FilterSocket.Element;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.NetworkNamespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Changes the packet filters of one VPC by scripts of nft(8). Whoever comes while a script is being
 * applied waits, and those who wait are served together, in the order of their coming, by one
 * process: so that a thousand interfaces at once do not cost a thousand processes. Where only
 * elements of sets change, there is no process at all: the kernel is told directly.
 */
final class Filters implements AutoCloseable {

  private static final int MOST = 512; // elements in a message to the kernel; a socket's buffer

  private final NetworkNamespace namespace;
  private final ReentrantLock applying = new ReentrantLock();
  private final Queue<Change> waiting = new ConcurrentLinkedQueue<>();

  private @Nullable FilterSocket socket; // guarded by applying

  private record Change(String script, CompletableFuture<Void> done) {}

  Filters(NetworkNamespace namespace) {
    this.namespace = namespace;
  }

  /**
   * Applies a script, whole or not at all.
   *
   * @throws RuntimeException if nft refuses it
   */
  void apply(String script) {
    if (script.isEmpty()) {
      return;
    }
    Change mine = new Change(script, new CompletableFuture<>());
    waiting.add(mine);
    applying.lock();
    try {
      if (!mine.done().isDone()) {
        applyAll();
      }
    } finally {
      applying.unlock();
    }
    try {
      mine.done().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private void applyAll() {
    List<Change> together = new ArrayList<>();
    for (Change one = waiting.poll(); one != null; one = waiting.poll()) {
      together.add(one);
    }
    try {
      run(together.stream().map(Change::script).collect(Collectors.joining()));
      together.forEach(one -> one.done().complete(null));
    } catch (RuntimeException e) {
      if (together.size() == 1) {
        together.getFirst().done().completeExceptionally(e);
      } else {
        together.forEach(this::applyAlone); // what is wrong with one is no harm to the others
      }
    }
  }

  private void applyAlone(Change change) {
    try {
      run(change.script());
      change.done().complete(null);
    } catch (RuntimeException e) {
      change.done().completeExceptionally(e);
    }
  }

  private void run(String script) {
    Optional<List<Element>> elements = Elements.read(script).filter(all -> all.size() <= MOST);
    if (elements.isEmpty() || !told(elements.get())) {
      Command.runWith(script, "nsenter", "--net=" + namespace.path(), "nft", "-f", "-");
    }
  }

  /**
   * What the kernel refuses nft may try once more: it has words for why, and knows older kernels.
   */
  private boolean told(List<Element> elements) {
    try {
      if (socket == null) {
        socket = namespace.call(FilterSocket::open);
      }
      socket.apply(Ruleset.NAME, elements);
      return true;
    } catch (LinuxException e) {
      return false;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    applying.lock();
    try {
      if (socket != null) {
        socket.close();
        socket = null;
      }
    } finally {
      applying.unlock();
    }
  }
}
