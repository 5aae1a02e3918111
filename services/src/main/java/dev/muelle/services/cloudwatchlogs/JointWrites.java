package dev.muelle.services.cloudwatchlogs;

import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What waits for the store's one writer at the same time is written in one transaction: that costs
 * more than what most batches change. Each caller returns when its own part is committed.
 */
final class JointWrites {

  private static final int MOST = 100;

  private final Store store;
  private final ReentrantLock turn = new ReentrantLock();
  private final Queue<Part<?>> waiting = new ConcurrentLinkedQueue<>();

  /** One caller's; guarded by {@link #turn}. */
  private static final class Part<R> {
    private final Function<Tx, R> work;
    private @Nullable R result;
    private @Nullable RuntimeException failure;
    private boolean done;

    Part(Function<Tx, R> work) {
      this.work = work;
    }

    void run(Tx tx) {
      result = work.apply(tx);
    }

    R result() {
      if (failure != null) {
        throw failure;
      }
      if (result == null) {
        throw new IllegalStateException("nothing was written");
      }
      return result;
    }
  }

  JointWrites(Store store) {
    this.store = store;
  }

  /**
   * As {@link Store#write}.
   *
   * @param work gives something; may be called again
   */
  <R> R write(Function<Tx, R> work) {
    Part<R> mine = new Part<>(work);
    waiting.add(mine);
    turn.lock();
    try {
      while (!mine.done) {
        write(next());
      }
    } finally {
      turn.unlock();
    }
    return mine.result();
  }

  private List<Part<?>> next() {
    List<Part<?>> some = new ArrayList<>();
    for (Part<?> part = waiting.poll(); part != null; part = waiting.poll()) {
      some.add(part);
      if (some.size() == MOST) {
        break;
      }
    }
    return some;
  }

  private void write(List<Part<?>> some) {
    try {
      store.write(tx -> {
        some.forEach(part -> part.run(tx));
        return true;
      });
      some.forEach(part -> part.done = true);
    } catch (RuntimeException e) {
      if (some.size() == 1) {
        some.getFirst().failure = e;
        some.getFirst().done = true;
      } else {
        some.forEach(part -> write(List.of(part))); // the others have done nothing wrong
      }
    }
  }
}
