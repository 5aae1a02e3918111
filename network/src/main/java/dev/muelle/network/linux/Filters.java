package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * Changes the packet filters of one VPC by scripts of nft(8). Whoever comes while a script is being
 * applied waits, and those who wait are served together, in the order of their coming, by one
 * process: so that a thousand interfaces at once do not cost a thousand processes.
 */
final class Filters {

  private final Path namespace;
  private final ReentrantLock applying = new ReentrantLock();
  private final Queue<Change> waiting = new ConcurrentLinkedQueue<>();

  private record Change(String script, CompletableFuture<Void> done) {}

  Filters(Path namespace) {
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
    Command.runWith(script, "nsenter", "--net=" + namespace, "nft", "-f", "-");
  }
}
