package dev.muelle.services.ecs.event;

import dev.muelle.services.EventOutbox;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The store as ECS writes to it: what changes is told to EventBridge. As long as no rule could
 * match anything of ECS, it is the store as it is.
 */
public final class ToldStore implements Store {

  private final Store store;
  private final InstantSource clock;
  private final EventOutbox outbox;

  public ToldStore(Store store, InstantSource clock, EventOutbox outbox) {
    this.store = store;
    this.clock = clock;
    this.outbox = outbox;
  }

  @Override
  public <R> R write(Function<Tx, R> work) {
    if (!Events.wanted(outbox)) {
      return store.write(work);
    }
    return store.write(tx -> {
      WatchedTx watched = new WatchedTx(tx);
      R result = work.apply(watched);
      Events.tell(watched.changes(), tx, outbox, clock.instant());
      return result;
    });
  }

  @Override
  public Store in(String scope) {
    return new ToldStore(store.in(scope), clock, outbox);
  }

  @Override
  public String scope() {
    return store.scope();
  }

  @Override
  public <R> R read(Function<Tx, R> work) {
    return store.read(work);
  }

  @Override
  public Subscription onChange(Consumer<Change> listener) {
    return store.onChange(listener);
  }

  @Override
  public void close() {
    store.close();
  }
}
