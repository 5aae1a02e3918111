package dev.muelle.store;

import dev.muelle.store.Store.Change;
import dev.muelle.store.Store.Subscription;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners of commits, in their order, on one thread that no writer waits for. */
final class ChangeFeed implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ChangeFeed.class);

  private record Listener(String scope, Consumer<Change> consumer) {}

  private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();
  // Unbounded on purpose: a commit must neither wait for a listener nor go untold.
  private final LinkedBlockingQueue<List<Change>> committed = new LinkedBlockingQueue<>();
  private final Thread thread;

  ChangeFeed() {
    thread = Thread.ofPlatform().daemon().name("store-changes").start(this::deliver);
  }

  void publish(List<Change> changes) {
    if (!changes.isEmpty()) {
      committed.add(changes);
    }
  }

  Subscription subscribe(String scope, Consumer<Change> consumer) {
    Listener listener = new Listener(scope, consumer);
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  private void deliver() {
    try {
      while (true) {
        for (Change change : committed.take()) {
          for (Listener listener : listeners) {
            if (listener.scope().equals(change.scope())) {
              tell(listener, change);
            }
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private static void tell(Listener listener, Change change) {
    try {
      listener.consumer().accept(change);
    } catch (RuntimeException | Error e) { // whatever it was, the others are to be told
      LOG.error("a listener failed on a change of {} {}", change.table(), change.key(), e);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
