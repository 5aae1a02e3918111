package dev.muelle.network.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Work whose price is the same for one and for many: whoever comes while some is being done waits,
 * and those who wait are served together, in the order of their coming, by one of them.
 */
final class Together<W> {

  private final Consumer<List<W>> work;
  private final ReentrantLock doing = new ReentrantLock();
  private final Queue<Piece<W>> waiting = new ConcurrentLinkedQueue<>();

  private record Piece<W>(W what, CompletableFuture<Void> done) {}

  /**
   * Nothing waits.
   *
   * @param work done by one thread at a time; where it fails for several, each is tried alone
   */
  Together(Consumer<List<W>> work) {
    this.work = work;
  }

  /**
   * Waits until a piece of work is done.
   *
   * @throws RuntimeException as the work, if it fails for this piece alone
   */
  void serve(W what) {
    Piece<W> mine = new Piece<>(what, new CompletableFuture<>());
    waiting.add(mine);
    alone(() -> {
      if (!mine.done().isDone()) {
        serveAll();
      }
    });
    try {
      mine.done().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Runs something while no work is being done. */
  void alone(Runnable other) {
    doing.lock();
    try {
      other.run();
    } finally {
      doing.unlock();
    }
  }

  private void serveAll() {
    List<Piece<W>> all = new ArrayList<>();
    for (Piece<W> one = waiting.poll(); one != null; one = waiting.poll()) {
      all.add(one);
    }
    try {
      work.accept(all.stream().map(Piece::what).toList());
      all.forEach(one -> one.done().complete(null));
    } catch (RuntimeException e) {
      if (all.size() == 1) {
        all.getFirst().done().completeExceptionally(e);
      } else {
        all.forEach(this::serveOne); // what is wrong with one is no harm to the others
      }
    }
  }

  private void serveOne(Piece<W> one) {
    try {
      work.accept(List.of(one.what()));
      one.done().complete(null);
    } catch (RuntimeException e) {
      one.done().completeExceptionally(e);
    }
  }
}
