package dev.muelle.services.ecs;

import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A real store whose writers wait until every listener was told, so that a run on virtual time is
 * the same each time; and whose writes are steps of a {@link Life}.
 */
public final class StoreInStep implements Store {

  private static final Table<String> MARK =
      Table.of(
          "test.mark",
          new Codec<>() {
            @Override
            public byte[] encode(String value) {
              return value.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] bytes) {
              return new String(bytes, StandardCharsets.UTF_8);
            }
          });

  private final Store base;
  private final Life life;
  private final List<Consumer<Change>> listeners = new CopyOnWriteArrayList<>();
  private final Semaphore told = new Semaphore(0);
  private final Subscription feed;
  private final Map<String, StoreInStep> scoped = new ConcurrentHashMap<>();
  private final CountingTx.Counts counts = new CountingTx.Counts();
  private long writes;

  public StoreInStep(Store base, Life life) {
    this.base = base;
    this.life = life;
    feed = base.onChange(this::tell);
  }

  private void tell(Change change) {
    if (change.table().equals(MARK.name())) {
      told.release();
    } else if (!life.over()) {
      try {
        listeners.forEach(listener -> listener.accept(change));
      } catch (Life.Killed e) {
        life.end(); // another's change was on its way when it died
      }
    }
  }

  /** What was read and written in this scope. */
  CountingTx.Counts counts() {
    return counts;
  }

  @Override
  public Store in(String scope) {
    return scope.equals(base.scope())
        ? this
        : scoped.computeIfAbsent(scope, s -> new StoreInStep(base.in(s), life));
  }

  @Override
  public String scope() {
    return base.scope();
  }

  @Override
  public <R> R read(Function<Tx, R> work) {
    life.check();
    return base.read(tx -> work.apply(new CountingTx(tx, counts)));
  }

  @Override
  public synchronized <R> R write(Function<Tx, R> work) {
    life.step();
    long number = ++writes;
    R result =
        base.write(tx -> {
          R done = work.apply(new CountingTx(tx, counts));
          tx.put(MARK, "mark", Long.toString(number));
          return done;
        });
    awaitTold();
    life.step();
    return result;
  }

  private void awaitTold() {
    try {
      told.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted before the listeners were told", e);
    }
  }

  @Override
  public Subscription onChange(Consumer<Change> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Lets go of the real store, which stays open. */
  @Override
  public void close() {
    feed.close();
    scoped.values().forEach(StoreInStep::close);
  }
}
